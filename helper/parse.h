/* SPDX-License-Identifier: GPL-2.0-only */
/* Text to values and back.  Pure; every refusal says what was expected. */
#ifndef OVLY_PARSE_H
#define OVLY_PARSE_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"
#include "model.h"

#define ADDR_STRLEN 48
#define PREFIX_STRLEN 52

/* decimal, or hex with 0x; min <= value <= max */
bool parse_u32(const char *s, uint32_t min, uint32_t max, uint32_t *out,
	       struct err *e);
bool parse_addr(const char *s, struct ovly_addr *out, struct err *e);
/* "a/len", or an address alone for the whole of it; host bits are refused */
bool parse_prefix(const char *s, struct ovly_prefix *out, struct err *e);
/* the same, and host bits are cleared */
bool parse_net(const char *s, struct ovly_prefix *out, struct err *e);
bool parse_ifname(const char *s, char out[IFNAMSIZ], struct err *e);
/* a peer name: 1..63 printable bytes without space */
bool parse_name(const char *s, char out[OVLY_NAME_MAX + 1], struct err *e);
/* a path label: at most 63 bytes; control characters are refused */
bool parse_text(const char *s, char *out, size_t size, struct err *e);
/* index of the word in a NULL-terminated list; a number is taken as an index */
bool parse_word(const char *s, const char *const *words, uint32_t *out,
		struct err *e);

unsigned int addr_bits(const struct ovly_addr *a);
bool addr_equal(const struct ovly_addr *a, const struct ovly_addr *b);
/* Is one of that family among them? */
bool addrs_have(const struct ovly_addrs *addrs, int family);
bool addrs_contain(const struct ovly_addrs *addrs, const struct ovly_addr *a);
/* The same ones, in whatever order. */
bool addrs_equal(const struct ovly_addrs *a, const struct ovly_addrs *b);
int addr_compare(const struct ovly_addr *a, const struct ovly_addr *b);
/* usable as an overlay or outer address: not 0, multicast, loopback, broadcast */
bool addr_is_unicast(const struct ovly_addr *a);
/* the n-th address after the prefix's first; false when it lies outside */
bool prefix_host(const struct ovly_prefix *p, uint32_t n, struct ovly_addr *out);
bool prefix_covers(const struct ovly_prefix *p, const struct ovly_addr *a);
bool prefix_contains(const struct ovly_prefix *p, const struct ovly_prefix *q);
bool prefix_is_host(const struct ovly_prefix *p);
void prefix_mask(struct ovly_prefix *p);

const char *addr_str(const struct ovly_addr *a, char buf[ADDR_STRLEN]);
const char *prefix_str(const struct ovly_prefix *p, char buf[PREFIX_STRLEN]);

#endif /* OVLY_PARSE_H */
