// SPDX-License-Identifier: GPL-2.0
/*
 * The routes that the peers of a device own: the state that the routing table
 * is to follow.  Putting them there is sync.c's work.
 *
 * A prefix and metric has one owner, or several if somebody asked for that.  The
 * set is ordered, so that a dump can resume at a key and a covering prefix is
 * found by trying the lengths.
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

static int ovly_route_cmp(const struct ovly_route_key *key, u32 peer_id,
			  const struct ovly_route *route)
{
	int diff = ovly_route_key_cmp(key, &route->key);

	if (diff || peer_id == route->peer->id)
		return diff;
	return peer_id < route->peer->id ? -1 : 1;
}

/**
 * ovly_route_find_from() - the first route at or after a key and owner
 * @ovly: the device, locked
 * @key: where to start; need not exist
 * @peer_id: likewise
 */
struct ovly_route *ovly_route_find_from(struct ovly_dev *ovly, const struct ovly_route_key *key,
					u32 peer_id)
{
	struct rb_node *node = ovly->routes.rb_node;
	struct ovly_route *best = NULL;

	lockdep_assert_held(&ovly->lock);
	while (node) {
		struct ovly_route *route = rb_entry(node, struct ovly_route, node);
		int diff = ovly_route_cmp(key, peer_id, route);

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

/* The first of those with a key, or NULL. */
struct ovly_route *ovly_route_find(struct ovly_dev *ovly, const struct ovly_route_key *key)
{
	struct ovly_route *route = ovly_route_find_from(ovly, key, 0);

	return route && !ovly_route_key_cmp(&route->key, key) ? route : NULL;
}

/* The one that a peer owns, or NULL. */
struct ovly_route *ovly_route_find_of(struct ovly_dev *ovly, const struct ovly_route_key *key,
				      const struct ovly_peer *peer)
{
	struct ovly_route *route = ovly_route_find_from(ovly, key, peer->id);

	return route && route->peer == peer && !ovly_route_key_cmp(&route->key, key) ? route : NULL;
}

struct ovly_route *ovly_route_next(const struct ovly_route *route)
{
	return rb_entry_safe(rb_next(&route->node), struct ovly_route, node);
}

/* The next of the same group, or NULL. */
struct ovly_route *ovly_route_next_owner(const struct ovly_route *route)
{
	struct ovly_route *next = ovly_route_next(route);

	return next && !ovly_route_key_cmp(&next->key, &route->key) ? next : NULL;
}

/* The first of the group. */
struct ovly_route *ovly_route_head(struct ovly_route *route)
{
	struct ovly_route *prev;

	while ((prev = rb_entry_safe(rb_prev(&route->node), struct ovly_route, node)) &&
	       !ovly_route_key_cmp(&prev->key, &route->key))
		route = prev;
	return route;
}

/* Do other peers own the same prefix and metric? */
bool ovly_route_is_shared(struct ovly_route *route)
{
	return ovly_route_next_owner(route) || ovly_route_head(route) != route;
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
		struct ovly_route *route = ovly_route_find_from(ovly, &key, 0);

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
		if (ovly_route_cmp(&route->key, route->peer->id,
				   rb_entry(parent, struct ovly_route, node)) < 0)
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

static int ovly_route_check_limit(struct ovly_peer *peer, bool sweeping,
				  struct netlink_ext_ack *extack)
{
	if (peer->routes_disabled) {
		NL_SET_ERR_MSG_MOD(extack,
				   "the peer exceeded its route limit and takes no more routes until the limit is set again");
		return -ENOSPC;
	}
	if (!peer->route_limit || peer->n_routes < peer->route_limit)
		return 0;
	/* What the sweep has yet to remove counts, too. */
	if (!sweeping)
		ovly_peer_exceed_limit(peer);
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

/* Is @peer among the owners? */
bool ovly_route_want_has(const struct ovly_route_want *want, const struct ovly_peer *peer)
{
	unsigned int i;

	for (i = 0; i < want->n_owners; i++)
		if (want->owners[i] == peer)
			return true;
	return false;
}

/* May the request change what there is of the prefix? */
static int ovly_route_check_there(struct ovly_route *group, const struct ovly_route_want *want,
				  struct netlink_ext_ack *extack)
{
	const struct ovly_route *route;
	unsigned int n = want->n_owners;
	bool owner = false;

	if (!group) {
		if (want->flags & NLM_F_CREATE)
			return 0;
		NL_SET_ERR_MSG_MOD(extack, "no peer owns this route");
		return -ENOENT;
	}
	for (route = group; route; route = ovly_route_next_owner(route)) {
		if (ovly_route_want_has(want, route->peer))
			owner = true;
		else
			n++;
	}
	if (want->flags & NLM_F_APPEND && n > OVLY_OWNERS_MAX) {
		NL_SET_ERR_MSG_MOD(extack, "the route has as many owners as it can");
		return -E2BIG;
	}
	if (want->flags & NLM_F_REPLACE || (want->flags & NLM_F_APPEND && !owner))
		return 0;
	if (owner)
		NL_SET_ERR_MSG_MOD(extack, "the peer owns this route already");
	else
		NL_SET_ERR_MSG_MOD(extack, "another peer owns this route");
	return -EEXIST;
}

/* May these peers own the prefix? */
static int ovly_route_check_owners(struct ovly_dev *ovly, const struct ovly_route_want *want,
				   struct netlink_ext_ack *extack)
{
	unsigned int i;
	int err;

	for (i = 0; i < want->n_owners; i++) {
		struct ovly_peer *peer = want->owners[i];

		err = ovly_route_check_nexthop(peer, want->key.dst.family, extack);
		if (!err && !ovly_route_find_of(ovly, &want->key, peer))
			err = ovly_route_check_limit(peer, want->sweeping, extack);
		if (err)
			return err;
	}
	return 0;
}

/* Makes routes for those owners that have none. */
static int ovly_route_make_owners(struct ovly_dev *ovly, const struct ovly_route_want *want)
{
	struct ovly_route *made[OVLY_OWNERS_MAX] = {}, *route;
	unsigned int i;

	for (i = 0; i < want->n_owners; i++) {
		if (ovly_route_find_of(ovly, &want->key, want->owners[i]))
			continue;
		route = ovly_route_alloc(&want->key, want->protocol);
		if (IS_ERR(route))
			goto err_free;
		made[i] = route;
	}
	for (i = 0; i < want->n_owners; i++) {
		if (!made[i])
			continue;
		ovly_route_attach(made[i], want->owners[i]);
		ovly_route_insert(ovly, made[i]);
	}
	return 0;

err_free:
	while (i--)
		if (made[i])
			ovly_route_free(made[i]);
	return -ENOMEM;
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

/* A route to exactly this address that packets take before one with the default
 * metric, or NULL.  In IPv4 there is none.
 */
struct ovly_route *ovly_route_find_shadow(struct ovly_dev *ovly, const struct ovly_ip *ip)
{
	struct ovly_route_key key = ovly_route_host_key(ip);
	u32 metric = key.metric;
	struct ovly_route *route;

	key.metric = 0;
	route = ovly_route_find_from(ovly, &key, 0);
	return route && route->key.metric < metric && route->key.len == key.len &&
	       ovly_ip_eq(&route->key.dst, &key.dst) ? route : NULL;
}

/* Would a route with this key be, or come before, that to a system address? */
static bool ovly_route_is_system(struct ovly_dev *ovly, const struct ovly_route_key *key)
{
	const struct ovly_route *route;

	if (key->len != ovly_ip_bits(key->dst.family))
		return false;
	route = ovly_route_find_host(ovly, &key->dst);
	return route && route->system && key->metric <= route->key.metric;
}

/**
 * ovly_route_want() - peers want a prefix
 * @ovly: their device, locked
 * @want: what they want
 * @extack: says why not
 *
 * Owners that are replaced are marked, and go when ovly_sync_route() has the
 * others in the table.
 *
 * Return: one of the routes, whose group the caller hands to ovly_sync_route(), or
 * an error with nothing changed
 */
struct ovly_route *ovly_route_want(struct ovly_dev *ovly, const struct ovly_route_want *want,
				   struct netlink_ext_ack *extack)
{
	struct ovly_route *route;
	int err;

	lockdep_assert_held(&ovly->lock);
	if (ovly_route_is_system(ovly, &want->key)) {
		NL_SET_ERR_MSG_MOD(extack, "the prefix is the system address of a peer");
		return ERR_PTR(-EEXIST);
	}
	err = ovly_route_check_there(ovly_route_find(ovly, &want->key), want, extack);
	if (!err)
		err = ovly_route_check_owners(ovly, want, extack);
	if (!err)
		err = ovly_route_make_owners(ovly, want);
	if (err)
		return ERR_PTR(err);

	for (route = ovly_route_find(ovly, &want->key); route;
	     route = ovly_route_next_owner(route)) {
		if (!ovly_route_want_has(want, route->peer)) {
			route->doomed = !(want->flags & NLM_F_APPEND);
			continue;
		}
		route->named = true;
		route->previous = route->protocol;
		if (route->protocol != want->protocol) {
			route->protocol = want->protocol;
			route->stale = true;
		}
	}
	ovly_net_changed(ovly->dev);
	return ovly_route_find_of(ovly, &want->key, want->owners[0]);
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
	ovly_net_changed(ovly->dev);
}

/* Undoes ovly_route_unlink(). */
void ovly_route_relink(struct ovly_route *route)
{
	struct ovly_dev *ovly = route->peer->ovly;

	lockdep_assert_held(&ovly->lock);
	ovly_route_attach(route, route->peer);
	ovly_route_insert(ovly, route);
	ovly_net_changed(ovly->dev);
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
