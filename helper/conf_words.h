/* SPDX-License-Identifier: GPL-2.0-only */
/* Words: the one that was probably meant, and names of ciphers.  Pure. */
#ifndef OVLY_CONF_WORDS_H
#define OVLY_CONF_WORDS_H

#include <stddef.h>

#include "err.h"

/* The candidate nearest to the word, NULL if none is near. */
const char *conf_nearest(const char *word, const char *const *candidates);
/* ", did you mean 'x'?" with the nearest one, or an empty string. */
const char *conf_hint(const char *word, const char *const *candidates,
		      char *buf, size_t size);
/* The same for the words of a block, where the manual has the others. */
const char *conf_hint_line(const char *word, const char *const *candidates,
			   char *buf, size_t size);
/* What may go into a message: bounded and printable. */
const char *conf_shown(const char *s, char *buf, size_t size);

/* A cipher suite such as aes256-sha512-modp4096.  The names are those of
 * strongSwan's proposals.  IKE needs a Diffie-Hellman group.
 */
bool conf_cipher(const char *suite, bool ike, struct err *e);

/* The first number of the form N.N in what a program says of itself, 0 without
 * one: its major version.
 */
unsigned int conf_version(const char *text);

#endif /* OVLY_CONF_WORDS_H */
