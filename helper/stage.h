/* SPDX-License-Identifier: GPL-2.0-only */
/* The staging table: kernel routes as a routing daemon exported them. */
#ifndef OVLY_STAGE_H
#define OVLY_STAGE_H

#include "model.h"
#include "nl.h"

#define STAGE_TABLE_DEFAULT 2220

struct stage_hop {
	uint32_t oif; /* 0: none */
	struct ovly_addr gateway; /* family 0: none */
};

struct ovly_staged {
	bool del;
	bool replace; /* a route of the prefix may have been there before */
	bool append; /* beside another route of the prefix */
	bool leads; /* somewhere: it is not unreachable, blackhole, ... */
	bool object; /* its next hops are a nexthop object's */
	struct ovly_prefix dst;
	uint32_t table;
	uint32_t metric;
	uint8_t protocol;
	/* Next hops: one, or those of a multipath route without the dead ones,
	 * of which the first OVLY_OWNERS_MAX are kept.
	 */
	unsigned int hops; /* 0 only where it leads nowhere */
	struct stage_hop hop[OVLY_OWNERS_MAX];
};

/* Reads RTM_NEWROUTE and RTM_DELROUTE; false for what is no unicast route. */
bool ovly_stage_parse(struct nlmsghdr *hdr, struct ovly_staged *out);

/* Of routes the socket hears those of this table only, and of those that share its
 * number in the header: all above 255.  What goes into the module's own table would
 * fill it otherwise.
 */
bool ovly_stage_filter(struct nl_sock *sk, uint32_t table, struct err *e);

typedef void (*ovly_stage_cb)(const struct ovly_staged *route, void *arg);
/* All routes of a table, IPv4 then IPv6.  A table that does not exist is
 * empty.  *interrupted: a change overlapped.
 */
bool ovly_stage_dump(struct ovly_nl *nl, uint32_t table, ovly_stage_cb cb,
		     void *arg, bool *interrupted, struct err *e);

#endif /* OVLY_STAGE_H */
