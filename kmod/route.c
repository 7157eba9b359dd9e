// SPDX-License-Identifier: GPL-2.0
/*
 * The routes that the peers of a device own: the state that the routing table
 * is to follow.  Putting them there is sync.c's work.
 *
 * An entry (prefix, metric) has one owner.  The set is ordered, so that a dump
 * can resume at a key and a covering prefix is found by trying the lengths.
 */
#include "route.h"

#include <linux/ipv6_route.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <net/netlink.h>

#include "device.h"
#include "net.h"
#include "notify.h"
#include "peer.h"

static struct kmem_cache *ovly_route_cache;

int ovly_route_key_cmp(const struct ovly_route_key *a, const struct ovly_route_key *b)
{
	int diff;

	if (a->dst.family != b->dst.family)
		return a->dst.family < b->dst.family ? -1 : 1;
	/* Network byte order: bytes compare like the numbers. */
	diff = memcmp(&a->dst.v6, &b->dst.v6, sizeof(a->dst.v6));
	if (diff)
		return diff;
	if (a->len != b->len)
		return a->len < b->len ? -1 : 1;
	if (a->metric != b->metric)
		return a->metric < b->metric ? -1 : 1;
	return 0;
}

/**
 * ovly_route_find_from() - the first route at or after a key
 * @ovly: the device, locked
 * @key: where to start; need not exist
 */
struct ovly_route *ovly_route_find_from(struct ovly_dev *ovly, const struct ovly_route_key *key)
{
	struct rb_node *node = ovly->routes.rb_node;
	struct ovly_route *best = NULL;

	lockdep_assert_held(&ovly->lock);
	while (node) {
		struct ovly_route *route = rb_entry(node, struct ovly_route, node);
		int diff = ovly_route_key_cmp(key, &route->key);

		if (!diff)
			return route;
		if (diff < 0) {
			best = route;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	return best;
}

struct ovly_route *ovly_route_find(struct ovly_dev *ovly, const struct ovly_route_key *key)
{
	struct ovly_route *route = ovly_route_find_from(ovly, key);

	return route && !ovly_route_key_cmp(&route->key, key) ? route : NULL;
}

struct ovly_route *ovly_route_next(const struct ovly_route *route)
{
	return rb_entry_safe(rb_next(&route->node), struct ovly_route, node);
}

/**
 * ovly_route_longest() - the route with the longest prefix that covers an address
 * @ovly: the device, locked
 * @ip: the address
 *
 * Return: the one with the lowest metric among equally long ones, or NULL
 */
struct ovly_route *ovly_route_longest(struct ovly_dev *ovly, const struct ovly_ip *ip)
{
	int len;

	for (len = ovly_ip_bits(ip->family); len >= 0; len--) {
		struct ovly_route_key key = { .dst = ovly_ip_prefix(ip, len), .len = len };
		struct ovly_route *route = ovly_route_find_from(ovly, &key);

		if (route && route->key.len == len && ovly_ip_eq(&route->key.dst, &key.dst))
			return route;
	}
	return NULL;
}

bool ovly_route_matches(const struct ovly_route *route, const struct ovly_route_filter *filter)
{
	return (!filter->peer || route->peer == filter->peer) &&
	       (!filter->protocol || route->protocol == filter->protocol) &&
	       (!filter->family || route->key.dst.family == filter->family) &&
	       (!filter->before || route->stamp < filter->before);
}

static void ovly_route_insert(struct ovly_dev *ovly, struct ovly_route *route)
{
	struct rb_node **link = &ovly->routes.rb_node, *parent = NULL;

	while (*link) {
		parent = *link;
		if (ovly_route_key_cmp(&route->key,
				       &rb_entry(parent, struct ovly_route, node)->key) < 0)
			link = &parent->rb_left;
		else
			link = &parent->rb_right;
	}
	rb_link_node(&route->node, parent, link);
	rb_insert_color(&route->node, &ovly->routes);
	ovly->n_routes++;
}

static void ovly_route_attach(struct ovly_route *route, struct ovly_peer *peer)
{
	route->peer = peer;
	list_add_tail(&route->list, &peer->routes);
	peer->n_routes += !route->system;
}

static void ovly_route_detach(struct ovly_route *route)
{
	list_del(&route->list);
	route->peer->n_routes -= !route->system;
}

static int ovly_route_check_limit(const struct ovly_peer *peer, struct netlink_ext_ack *extack)
{
	if (!peer->route_limit || peer->n_routes < peer->route_limit)
		return 0;
	ovly_notify_peer(peer, OVLY_EVENT_ROUTE_LIMIT);
	NL_SET_ERR_MSG_MOD(extack, "the peer's route limit is reached");
	return -ENOSPC;
}

/* In a multipoint device the next hop of a route is an address of its peer. */
static int ovly_route_check_nexthop(const struct ovly_peer *peer, u32 family,
				    struct netlink_ext_ack *extack)
{
	if (peer->ovly->mode == OVLY_MODE_P2P || ovly_peer_addr(peer, family) ||
	    (family == AF_INET && ovly_peer_addr(peer, AF_INET6)))
		return 0;
	NL_SET_ERR_MSG_MOD(extack, "the peer has no system address to be the next hop");
	return -EAFNOSUPPORT;
}

static struct ovly_route *ovly_route_alloc(const struct ovly_route_key *key, u8 protocol)
{
	struct ovly_route *route = kmem_cache_zalloc(ovly_route_cache, GFP_KERNEL);

	if (!route)
		return ERR_PTR(-ENOMEM);
	route->key = *key;
	route->protocol = protocol;
	route->fresh = true;
	return route;
}

/* A request for a prefix that a peer owns already. */
static struct ovly_route *ovly_route_again(struct ovly_route *route, struct ovly_peer *peer,
					   u8 protocol, u16 nl_flags,
					   struct netlink_ext_ack *extack)
{
	int err;

	if (route->system) {
		NL_SET_ERR_MSG_MOD(extack, "the prefix is the system address of a peer");
		return ERR_PTR(-EEXIST);
	}
	if (!(nl_flags & NLM_F_REPLACE)) {
		if (route->peer == peer)
			NL_SET_ERR_MSG_MOD(extack, "the peer owns this route already");
		else
			NL_SET_ERR_MSG_MOD(extack, "another peer owns this route");
		return ERR_PTR(-EEXIST);
	}
	if (route->peer != peer) {
		err = ovly_route_check_limit(peer, extack);
		if (err)
			return ERR_PTR(err);
		ovly_route_detach(route);
		ovly_route_attach(route, peer);
		route->stale = true;
	}
	if (route->protocol != protocol) {
		route->protocol = protocol;
		route->stale = true;
	}
	return route;
}

/* A request for a prefix that no peer owns. */
static struct ovly_route *ovly_route_make(struct ovly_peer *peer, const struct ovly_route_key *key,
					  u8 protocol, u16 nl_flags,
					  struct netlink_ext_ack *extack)
{
	struct ovly_route *route;
	int err;

	if (!(nl_flags & NLM_F_CREATE)) {
		NL_SET_ERR_MSG_MOD(extack, "no peer owns this route");
		return ERR_PTR(-ENOENT);
	}
	err = ovly_route_check_limit(peer, extack);
	if (err)
		return ERR_PTR(err);
	route = ovly_route_alloc(key, protocol);
	if (IS_ERR(route))
		return route;
	ovly_route_attach(route, peer);
	ovly_route_insert(peer->ovly, route);
	return route;
}

/**
 * ovly_route_new() - a peer wants a route
 * @peer: the owner to be; its device is locked
 * @key: prefix and metric
 * @protocol: RTPROT_*
 * @nl_flags: NLM_F_REPLACE allows to confirm or to move one that exists,
 *	NLM_F_CREATE to make one
 * @extack: says why not
 *
 * Return: the route, which the caller hands to ovly_sync_route(), or an error
 */
struct ovly_route *ovly_route_new(struct ovly_peer *peer, const struct ovly_route_key *key,
				  u8 protocol, u16 nl_flags, struct netlink_ext_ack *extack)
{
	struct ovly_dev *ovly = peer->ovly;
	struct ovly_route *route;
	int err;

	lockdep_assert_held(&ovly->lock);
	err = ovly_route_check_nexthop(peer, key->dst.family, extack);
	if (err)
		return ERR_PTR(err);

	route = ovly_route_find(ovly, key);
	if (route)
		route = ovly_route_again(route, peer, protocol, nl_flags, extack);
	else
		route = ovly_route_make(peer, key, protocol, nl_flags, extack);
	if (IS_ERR(route))
		return route;
	route->stamp = ovly->sweep_clock;
	ovly_net_changed(dev_net(ovly->dev));
	return route;
}

static struct ovly_route_key ovly_route_host_key(const struct ovly_ip *ip)
{
	return (struct ovly_route_key) {
		.dst = *ip,
		.len = ovly_ip_bits(ip->family),
		.metric = ip->family == AF_INET6 ? IP6_RT_PRIO_USER : 0,
	};
}

/* The route to exactly this address, with the default metric. */
struct ovly_route *ovly_route_find_host(struct ovly_dev *ovly, const struct ovly_ip *ip)
{
	struct ovly_route_key key = ovly_route_host_key(ip);

	return ovly_route_find(ovly, &key);
}

/**
 * ovly_route_new_system() - the host route to an address of a peer
 * @peer: the peer, its device locked
 * @ip: the address
 * @extack: says why not
 *
 * Return: the route, which the caller hands to ovly_sync_route(), or an error
 */
struct ovly_route *ovly_route_new_system(struct ovly_peer *peer, const struct ovly_ip *ip,
					 struct netlink_ext_ack *extack)
{
	struct ovly_route_key key = ovly_route_host_key(ip);
	struct ovly_route *route;

	if (ovly_route_find(peer->ovly, &key)) {
		NL_SET_ERR_MSG_MOD(extack, "a peer owns a route to exactly this system address");
		return ERR_PTR(-EEXIST);
	}
	route = ovly_route_alloc(&key, RTPROT_BOOT);
	if (IS_ERR(route))
		return route;
	route->system = true;
	ovly_route_attach(route, peer);
	ovly_route_insert(peer->ovly, route);
	return route;
}

/**
 * ovly_route_unlink() - nobody wants a route any more
 * @route: the route; the caller removes it from the table and frees it
 */
void ovly_route_unlink(struct ovly_route *route)
{
	struct ovly_dev *ovly = route->peer->ovly;

	lockdep_assert_held(&ovly->lock);
	ovly_route_detach(route);
	rb_erase(&route->node, &ovly->routes);
	ovly->n_routes--;
	ovly_net_changed(dev_net(ovly->dev));
}

void ovly_route_free(struct ovly_route *route)
{
	kmem_cache_free(ovly_route_cache, route);
}

int ovly_route_cache_init(void)
{
	ovly_route_cache = KMEM_CACHE(ovly_route, SLAB_ACCOUNT);
	return ovly_route_cache ? 0 : -ENOMEM;
}

void ovly_route_cache_exit(void)
{
	kmem_cache_destroy(ovly_route_cache);
}
