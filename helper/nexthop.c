// SPDX-License-Identifier: GPL-2.0-only
#include "nexthop.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "parse.h"

struct node {
	uint32_t ifindex;
	struct ovly_addr addr;
};

static int compare_dev_addr(const void *a, const void *b)
{
	const struct node *x = a, *y = b;

	if (x->ifindex != y->ifindex)
		return x->ifindex < y->ifindex ? -1 : 1;
	return addr_compare(&x->addr, &y->addr);
}

static int compare_addr(const void *a, const void *b)
{
	const struct node *x = a, *y = b;

	return addr_compare(&x->addr, &y->addr);
}

static void forget(void *node)
{
	(void)node; /* the other tree owns it */
}

void nexthops_clear(struct nexthops *nh)
{
	tdestroy(nh->any, forget);
	tdestroy(nh->addrs, free);
	free(nh->dev);
	memset(nh, 0, sizeof(*nh));
}

bool nexthops_dev_add(struct nexthops *nh, uint32_t ifindex, const char *name,
		      uint32_t mode)
{
	struct nexthop_dev *dev;

	if (nexthops_dev(nh, ifindex))
		return true;
	dev = reallocarray(nh->dev, nh->devs + 1, sizeof(*dev));
	if (!dev)
		return false;
	nh->dev = dev;
	dev += nh->devs++;
	memset(dev, 0, sizeof(*dev));
	dev->ifindex = ifindex;
	dev->mode = mode;
	strncpy(dev->name, name, sizeof(dev->name) - 1);
	return true;
}

const struct nexthop_dev *nexthops_dev(const struct nexthops *nh,
				       uint32_t ifindex)
{
	unsigned int i;

	for (i = 0; i < nh->devs; i++)
		if (nh->dev[i].ifindex == ifindex)
			return &nh->dev[i];
	return NULL;
}

static bool add_addr(struct nexthops *nh, uint32_t ifindex,
		     const struct ovly_addr *addr)
{
	struct node *node = calloc(1, sizeof(*node));
	struct node **found;

	if (!node)
		return false;
	node->ifindex = ifindex;
	node->addr = *addr;
	found = tsearch(node, &nh->addrs, compare_dev_addr);
	if (!found || *found != node) {
		free(node);
		return found != NULL;
	}
	/* the first device that has it stands for the address alone */
	return tsearch(node, &nh->any, compare_addr) != NULL;
}

bool nexthops_peer_add(struct nexthops *nh, uint32_t ifindex,
		       const struct ovly_peer *peer)
{
	struct nexthop_dev *dev;
	unsigned int i;

	dev = (struct nexthop_dev *)nexthops_dev(nh, ifindex);
	if (!dev)
		return true;
	nh->peers++;
	if (dev->mode == OVLY_MODE_P2P)
		dev->sole_peer = peer->id;
	for (i = 0; i < peer->addr.n; i++)
		if (!add_addr(nh, ifindex, &peer->addr.a[i]))
			return false;
	return true;
}

/* The device where a peer has this address: on "ifindex", or on any when 0. */
static uint32_t find_addr(const struct nexthops *nh, uint32_t ifindex,
			  const struct ovly_addr *addr)
{
	const struct node key = { .ifindex = ifindex, .addr = *addr };
	struct node **found;

	if (!addr->family)
		return 0;
	found = ifindex ? tfind(&key, &nh->addrs, compare_dev_addr) :
			  tfind(&key, &nh->any, compare_addr);
	return found ? (*found)->ifindex : 0;
}

static const struct nexthop_dev *find_dev(const struct nexthops *nh,
					  const struct ovly_staged *staged)
{
	const struct nexthop_dev *dev = nexthops_dev(nh, staged->oif);
	uint32_t ifindex;

	if (dev)
		return dev;
	/* The daemon resolved the next hop over another device, or none. */
	ifindex = find_addr(nh, 0, &staged->gateway);
	if (ifindex)
		return nexthops_dev(nh, ifindex);
	/* The module may know who covers it.  A p2p device would take anything,
	 * a route of the LAN too.
	 */
	return nh->devs == 1 && nh->dev[0].mode == OVLY_MODE_MULTIPOINT &&
	       staged->gateway.family ? &nh->dev[0] : NULL;
}

enum nexthop_result nexthops_map(const struct nexthops *nh,
				 const struct ovly_staged *staged,
				 uint32_t *ifindex, struct ovly_route *route)
{
	const struct nexthop_dev *dev = find_dev(nh, staged);

	*ifindex = dev ? dev->ifindex : 0;
	route->has |= HAS(OVLY_A_ROUTE_DST) | HAS(OVLY_A_ROUTE_PREFIXLEN);
	route->dst = staged->dst.addr;
	route->prefixlen = staged->dst.len;
	if (!dev)
		return NEXTHOP_NONE;
	if (prefix_is_host(&staged->dst) &&
	    find_addr(nh, dev->ifindex, &staged->dst.addr))
		return NEXTHOP_SYSTEM;
	/* On a p2p device the next hop need not be an address of the peer: it
	 * takes every packet.
	 */
	if (dev->mode == OVLY_MODE_P2P &&
	    !find_addr(nh, dev->ifindex, &staged->gateway)) {
		if (!dev->sole_peer)
			return NEXTHOP_NONE;
		route->has |= HAS(OVLY_A_ROUTE_PEER_ID);
		route->peer_id = dev->sole_peer;
		return NEXTHOP_PEER;
	}
	if (!staged->gateway.family)
		return NEXTHOP_NONE;
	route->has |= HAS(OVLY_A_ROUTE_VIA);
	route->via = staged->gateway;
	return NEXTHOP_PEER;
}
