/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Next hops that nobody has, and since when.  How many prefixes want each is
 * counted when somebody asks.  Pure.
 */
#ifndef OVLY_UNRESOLVED_H
#define OVLY_UNRESOLVED_H

#include "stage.h"

#define UNRESOLVED_MAX 1024

struct unresolved_hop {
	struct stage_hop hop; /* oif: the device that it was looked for on */
	uint64_t since; /* of log_now_ms() */
	uint64_t prefixes;
	bool seen; /* since unresolved_begin() */
};

struct unresolved {
	unsigned int n;
	bool more; /* than fit in here */
	struct unresolved_hop hop[UNRESOLVED_MAX]; /* sorted */
};

void unresolved_note(struct unresolved *u, const struct stage_hop *hop,
		     uint64_t now);
/* Around a pass that sees every next hop: what is not noted in it is known, or
 * wanted no more.
 */
void unresolved_begin(struct unresolved *u);
void unresolved_end(struct unresolved *u);
/* May a route to this prefix lead to one of them? */
bool unresolved_within(const struct unresolved *u,
		       const struct ovly_prefix *prefix);
struct unresolved_hop *unresolved_find(struct unresolved *u,
				       const struct stage_hop *hop);

#endif /* OVLY_UNRESOLVED_H */
