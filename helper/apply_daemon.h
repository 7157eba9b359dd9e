/* SPDX-License-Identifier: GPL-2.0-only */
/* strongSwan and BIRD, through their own tools. */
#ifndef OVLY_APPLY_DAEMON_H
#define OVLY_APPLY_DAEMON_H

#include "apply_exec.h"

/* "x" is room for a program's output, which is valid until the next call. */

/* BIRD's major version, 0 if it is not installed. */
unsigned int apply_bird_version(struct exec *x);
/* Is the file one that BIRD can read?  True as well where nobody can tell. */
bool apply_bird_check(struct exec *x, const char *program, const char *path,
		      struct err *e);
/* socket may be NULL: BIRD's own idea of it */
bool apply_bird_configure(struct exec *x, const char *program,
			  const char *socket, struct err *e);

enum apply_charon { CHARON_MISSING, CHARON_SILENT, CHARON_ANSWERS };

/* Is strongSwan installed, and does charon answer? */
enum apply_charon apply_charon_state(struct exec *x);
bool apply_charon_load(struct exec *x, struct err *e);
/* Was the connection among those that the last load named?  Of thousands only
 * the last ones are.
 */
bool apply_charon_loaded(const struct exec *x, const char *connection);
/* Reads strongswan.conf again, as far as charon does that. */
void apply_charon_settings(struct exec *x);
/* What "swanctl --list-sas" says of the connection, empty for nothing. */
const char *apply_charon_sas(struct exec *x, const char *connection);
void apply_charon_initiate(struct exec *x, const char *connection);
void apply_charon_terminate(struct exec *x, const char *connection);

#endif /* OVLY_APPLY_DAEMON_H */
