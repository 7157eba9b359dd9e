/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a running bridge says of itself: it answers on a socket with one JSON
 * object.  The socket ends with the process, so nothing it said stays behind.
 */
#ifndef OVLY_BRIDGE_STATE_H
#define OVLY_BRIDGE_STATE_H

#include <jansson.h>

#include "bridge.h"

/* of the staging table, by family: IPv4, IPv6 */
struct bridge_count {
	uint64_t routes[2]; /* that are followed */
	uint64_t unresolved[2]; /* of them without any owner */
};

/* Adds a staged route to the counts, and to those of its next hops.  Pure. */
void bridge_count_route(struct bridge *br, const struct ovly_staged *staged,
			struct bridge_count *count);
/* Pure but for names of devices. */
json_t *bridge_state(const struct bridge *br, const struct bridge_count *count,
		     uint64_t now);
/* Reads the table and says it all; NULL with the error filled. */
json_t *bridge_state_read(struct bridge *br, struct err *e);

#endif /* OVLY_BRIDGE_STATE_H */
