// SPDX-License-Identifier: GPL-2.0-only
#include "nexthop.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "parse.h"

struct node {
	uint32_t ifindex;
	uint32_t peer;
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

static bool add_addr(struct nexthops *nh, uint32_t ifindex, uint32_t peer,
		     const struct ovly_addr *addr)
{
	struct node *node = calloc(1, sizeof(*node));
	struct node **found;

	if (!node)
		return false;
	node->ifindex = ifindex;
	node->peer = peer;
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
		if (!add_addr(nh, ifindex, peer->id, &peer->addr.a[i]))
			return false;
	return true;
}

/* The peer that has this address: on device "ifindex", or on any when 0. */
static const struct node *find_addr(const struct nexthops *nh, uint32_t ifindex,
				    const struct ovly_addr *addr)
{
	const struct node key = { .ifindex = ifindex, .addr = *addr };
	struct node **found;

	if (!addr->family)
		return NULL;
	found = ifindex ? tfind(&key, &nh->addrs, compare_dev_addr) :
			  tfind(&key, &nh->any, compare_addr);
	return found ? *found : NULL;
}

static const struct nexthop_dev *find_dev(const struct nexthops *nh,
					  const struct stage_hop *hop)
{
	const struct nexthop_dev *dev = nexthops_dev(nh, hop->oif);
	const struct node *node;

	if (dev)
		return dev;
	/* The daemon resolved the next hop over another device, or none. */
	node = find_addr(nh, 0, &hop->gateway);
	if (node)
		return nexthops_dev(nh, node->ifindex);
	/* The module may know who covers it.  A p2p device would take anything,
	 * a route of the LAN too.
	 */
	return nh->devs == 1 && nh->dev[0].mode == OVLY_MODE_MULTIPOINT &&
	       hop->gateway.family ? &nh->dev[0] : NULL;
}

static unsigned int hops_of(const struct ovly_staged *staged)
{
	return staged->hops < OVLY_OWNERS_MAX ? staged->hops : OVLY_OWNERS_MAX;
}

/* A route is one device's: that of the first next hop which somebody has there,
 * else that of the first which a device would take.
 */
static const struct nexthop_dev *choose_dev(const struct nexthops *nh,
					    const struct ovly_staged *staged)
{
	const struct nexthop_dev *first = NULL;
	unsigned int i;

	for (i = 0; i < hops_of(staged); i++) {
		const struct stage_hop *hop = &staged->hop[i];
		const struct nexthop_dev *dev = find_dev(nh, hop);

		if (dev && (dev->sole_peer ||
			    find_addr(nh, dev->ifindex, &hop->gateway)))
			return dev;
		if (!first)
			first = dev;
	}
	return first;
}

/* On a p2p device the next hop need not be an address of the peer: it takes
 * every packet.
 */
static bool map_p2p(const struct nexthops *nh, const struct nexthop_dev *dev,
		    const struct ovly_staged *staged,
		    struct nexthop_found *found, struct ovly_route *route)
{
	unsigned int i;

	found->left_out = staged->hops;
	for (i = 0; i < hops_of(staged); i++) {
		const struct stage_hop *hop = &staged->hop[i];

		if (find_dev(nh, hop) != dev)
			continue;
		found->left_out--;
		if (!found->known && find_addr(nh, dev->ifindex, &hop->gateway)) {
			found->known = 1;
			route->has |= HAS(OVLY_A_ROUTE_VIA);
			route->via = hop->gateway;
		}
	}
	if (found->known || !dev->sole_peer)
		return found->known;
	route->has |= HAS(OVLY_A_ROUTE_PEER_ID);
	route->peer_id = dev->sole_peer;
	return true;
}

struct owner {
	struct ovly_addr via;
	uint32_t peer; /* 0: not known */
};

static bool is_among(const struct owner *list, unsigned int n,
		     const struct owner *o)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (addr_equal(&list[i].via, &o->via) ||
		    (o->peer && list[i].peer == o->peer))
			return true;
	return false;
}

static bool map_multipoint(const struct nexthops *nh,
			   const struct nexthop_dev *dev,
			   const struct ovly_staged *staged,
			   struct nexthop_found *found,
			   struct ovly_route *route)
{
	struct owner list[OVLY_OWNERS_MAX];
	unsigned int n = 0;
	unsigned int i;
	int known;

	found->left_out = staged->hops;
	for (known = 1; known >= 0; known--) {
		for (i = 0; i < hops_of(staged); i++) {
			const struct stage_hop *hop = &staged->hop[i];
			const struct node *node = find_addr(nh, dev->ifindex,
							    &hop->gateway);
			struct owner o = { .via = hop->gateway,
					   .peer = node ? node->peer : 0 };

			if (!hop->gateway.family || !!node != !!known ||
			    find_dev(nh, hop) != dev)
				continue;
			found->left_out--;
			if (is_among(list, n, &o))
				continue;
			found->known += !!node;
			list[n++] = o;
		}
	}
	if (!n)
		return false;
	route->has |= HAS(OVLY_A_ROUTE_VIA);
	route->via = list[0].via;
	route->more.n = n - 1;
	for (i = 1; i < n; i++)
		route->more.o[i - 1].via = list[i].via;
	return true;
}

enum nexthop_result nexthops_map(const struct nexthops *nh,
				 const struct ovly_staged *staged,
				 struct nexthop_found *found,
				 struct ovly_route *route)
{
	const struct nexthop_dev *dev = choose_dev(nh, staged);
	bool ok;

	memset(found, 0, sizeof(*found));
	route->has |= HAS(OVLY_A_ROUTE_DST) | HAS(OVLY_A_ROUTE_PREFIXLEN);
	route->dst = staged->dst.addr;
	route->prefixlen = staged->dst.len;
	if (!dev)
		return NEXTHOP_NONE;
	found->ifindex = dev->ifindex;
	if (prefix_is_host(&staged->dst) &&
	    find_addr(nh, dev->ifindex, &staged->dst.addr))
		return NEXTHOP_SYSTEM;
	ok = dev->mode == OVLY_MODE_P2P ?
		     map_p2p(nh, dev, staged, found, route) :
		     map_multipoint(nh, dev, staged, found, route);
	return ok ? NEXTHOP_PEER : NEXTHOP_NONE;
}

enum nexthop_owner nexthops_owner(const struct nexthops *nh,
				  struct stage_hop *hop)
{
	const struct nexthop_dev *dev = find_dev(nh, hop);

	if (!dev)
		return OWNER_NOBODY;
	hop->oif = dev->ifindex;
	if (dev->sole_peer || find_addr(nh, dev->ifindex, &hop->gateway))
		return OWNER_PEER;
	return dev->mode == OVLY_MODE_MULTIPOINT && hop->gateway.family ?
		       OWNER_ASK : OWNER_NOBODY;
}
