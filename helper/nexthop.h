/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which device and which peer a staged route means.
 *
 * Knows the module's devices and their peers' system addresses, as the last
 * listing and the events since then told; routes are not kept.  Pure.
 */
#ifndef OVLY_NEXTHOP_H
#define OVLY_NEXTHOP_H

#include "model.h"
#include "stage.h"

struct nexthop_dev {
	uint32_t ifindex;
	uint32_t mode;
	char name[IFNAMSIZ];
	uint32_t sole_peer; /* p2p: its peer, 0 while it has none */
	uint64_t cookie; /* of the reconcile that is under way */
};

struct nexthops {
	struct nexthop_dev *dev;
	unsigned int devs;
	void *addrs; /* tsearch(3) tree by device and address */
	void *any; /* the same by address alone */
	unsigned int peers;
};

enum nexthop_result {
	NEXTHOP_PEER, /* *route says whom */
	NEXTHOP_SYSTEM, /* the prefix is a peer's own address: the module's */
	NEXTHOP_NONE, /* nobody has it now */
};

enum nexthop_owner {
	OWNER_PEER,
	OWNER_NOBODY,
	OWNER_ASK, /* the module knows who covers it, if anybody does */
};

struct nexthop_found {
	uint32_t ifindex; /* the device, 0: none */
	unsigned int known; /* the first so many owners have the address */
	unsigned int left_out; /* next hops that are nobody's now */
};

void nexthops_clear(struct nexthops *nh);
bool nexthops_dev_add(struct nexthops *nh, uint32_t ifindex, const char *name,
		      uint32_t mode);
const struct nexthop_dev *nexthops_dev(const struct nexthops *nh,
				       uint32_t ifindex);
bool nexthops_peer_add(struct nexthops *nh, uint32_t ifindex,
		       const struct ovly_peer *peer);
/* Fills in the route DST, PREFIXLEN and the owners.  On a multipoint device each
 * next hop is an owner, those that are peers' addresses first; the others may be
 * covered by what a peer owns, which the module knows.
 */
enum nexthop_result nexthops_map(const struct nexthops *nh,
				 const struct ovly_staged *staged,
				 struct nexthop_found *found,
				 struct ovly_route *route);

/* Who has one next hop; its oif becomes the device it is looked for on. */
enum nexthop_owner nexthops_owner(const struct nexthops *nh,
				  struct stage_hop *hop);

#endif /* OVLY_NEXTHOP_H */
