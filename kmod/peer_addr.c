// SPDX-License-Identifier: GPL-2.0
/*
 * The overlay ("system") addresses of peers: what a next hop names.  Each comes
 * with a host route that its peer owns.
 */
#include "peer.h"

#include <linux/rhashtable.h>
#include <linux/slab.h>
#include <net/netlink.h>

#include "device.h"
#include "net.h"
#include "route.h"

static const struct rhashtable_params ovly_addr_params = {
	.key_len = sizeof(struct ovly_ip),
	.key_offset = offsetof(struct ovly_addr, ip),
	.head_offset = offsetof(struct ovly_addr, node),
	.automatic_shrinking = true,
};

int ovly_peer_addrs_init(struct ovly_dev *ovly)
{
	return rhashtable_init(&ovly->addrs, &ovly_addr_params);
}

void ovly_peer_addrs_destroy(struct ovly_dev *ovly)
{
	rhashtable_destroy(&ovly->addrs);
}

/**
 * ovly_peer_lookup_rcu() - the peer with an overlay address
 * @ovly: the device
 * @nexthop: the address
 *
 * Context: RCU read side.
 * Return: the peer or NULL
 */
struct ovly_peer *ovly_peer_lookup_rcu(const struct ovly_dev *ovly, const struct ovly_ip *nexthop)
{
	const struct ovly_addr *addr;

	addr = rhashtable_lookup((struct rhashtable *)&ovly->addrs, nexthop, ovly_addr_params);
	return addr ? addr->peer : NULL;
}

/* The peer that has an address; its device is locked. */
struct ovly_peer *ovly_peer_find_addr(struct ovly_dev *ovly, const struct ovly_ip *ip)
{
	struct ovly_peer *peer;

	lockdep_assert_held(&ovly->lock);
	rcu_read_lock();
	peer = ovly_peer_lookup_rcu(ovly, ip);
	rcu_read_unlock();
	return peer;
}

/**
 * ovly_peer_addr() - the peer's first overlay address of a family
 * @peer: the peer; its device or &ovly_net.path_lock is locked
 * @family: AF_INET or AF_INET6
 */
const struct ovly_ip *ovly_peer_addr(const struct ovly_peer *peer, u32 family)
{
	const struct ovly_addr *addr;

	list_for_each_entry(addr, &peer->addrs, list)
		if (addr->ip.family == family)
			return &addr->ip;
	return NULL;
}

static bool ovly_peer_conf_has(const struct ovly_peer_conf *conf, const struct ovly_ip *ip,
			       unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (ovly_ip_eq(&conf->addrs[i], ip))
			return true;
	return false;
}

/**
 * ovly_peer_check_addrs() - may a peer have these addresses?
 * @ovly: the device, locked
 * @self: the peer, or NULL if it is yet to be made
 * @conf: the addresses
 * @extack: says why not
 */
int ovly_peer_check_addrs(struct ovly_dev *ovly, const struct ovly_peer *self,
			  const struct ovly_peer_conf *conf, struct netlink_ext_ack *extack)
{
	const struct ovly_peer *owner;
	unsigned int i;

	for (i = 0; i < conf->n_addrs; i++) {
		if (!ovly_ip_is_unicast(&conf->addrs[i])) {
			NL_SET_ERR_MSG_MOD(extack, "a system address must be a unicast address");
			return -EINVAL;
		}
		if (ovly_peer_conf_has(conf, &conf->addrs[i], i)) {
			NL_SET_ERR_MSG_MOD(extack, "a system address is given twice");
			return -EINVAL;
		}
		owner = ovly_peer_find_addr(ovly, &conf->addrs[i]);
		if (owner && owner != self) {
			NL_SET_ERR_MSG_MOD(extack, "another peer has this system address");
			return -EEXIST;
		}
	}
	return 0;
}

/* Context: the address has no route any more. */
static void ovly_addr_del(struct ovly_addr *addr)
{
	struct ovly_dev *ovly = addr->peer->ovly;
	struct ovly_net *on = ovly_net(ovly->net);

	rhashtable_remove_fast(&ovly->addrs, &addr->node, ovly_addr_params);
	spin_lock_bh(&on->path_lock);
	list_del(&addr->list);
	spin_unlock_bh(&on->path_lock);
	kfree_rcu(addr, rcu);
}

/**
 * struct ovly_addr_change - a request that gives a peer addresses
 * @peer: the peer
 * @batch: of its routes
 * @evicted: routes of peers that gave way to the new addresses' own
 * @err: why the table refused the route to one of them
 */
struct ovly_addr_change {
	struct ovly_peer *peer;
	struct ovly_sync_batch batch;
	struct list_head evicted;
	int err;
};

/* Another peer may have taught a route to exactly this address before its owner
 * came; the owner's word counts.  Its entry in the table is left to be replaced:
 * between a deletion and an addition packets would leave elsewhere.
 */
static void ovly_addr_evict(struct ovly_addr_change *change, const struct ovly_ip *ip)
{
	struct ovly_route *route;

	while ((route = ovly_route_find_host(change->peer->ovly, ip)) && !route->system) {
		ovly_sync_set_aside(&change->batch, route);
		list_add_tail(&route->list, &change->evicted);
	}
}

static void ovly_addr_inherit(struct ovly_addr *addr, const struct ovly_addr_change *change)
{
	const struct ovly_route *route;

	list_for_each_entry(route, &change->evicted, list)
		if (ovly_ip_eq(&route->key.dst, &addr->ip))
			ovly_sync_inherit(addr->route, route);
}

static void ovly_addr_warn_evicted(const struct ovly_peer *peer, const struct ovly_route *route)
{
	net_warn_ratelimited("%s: peer %s: gives up its route to the system address of peer %s\n",
			     netdev_name(peer->ovly->dev), route->peer->name, peer->name);
}

static void ovly_addr_evict_for_good(struct ovly_addr_change *change)
{
	const struct ovly_peer *peer = change->peer;
	struct ovly_route *route, *next;
	const struct ovly_addr *addr;

	list_for_each_entry_safe(route, next, &change->evicted, list) {
		ovly_addr_warn_evicted(peer, route);
		ovly_route_free(route);
	}
	/* Of a lower metric, which have entries of their own. */
	list_for_each_entry(addr, &peer->addrs, list) {
		while ((route = ovly_route_find_shadow(peer->ovly, &addr->ip))) {
			ovly_addr_warn_evicted(peer, route);
			ovly_sync_remove(&change->batch, route);
		}
	}
}

static int ovly_addr_add(struct ovly_addr_change *change, const struct ovly_ip *ip,
			 struct netlink_ext_ack *extack)
{
	struct ovly_peer *peer = change->peer;
	struct ovly_net *on = ovly_net(peer->ovly->net);
	struct ovly_addr *addr;
	int err;

	addr = kzalloc(sizeof(*addr), GFP_KERNEL_ACCOUNT);
	if (!addr)
		return -ENOMEM;
	addr->ip = *ip;
	addr->peer = peer;
	ovly_addr_evict(change, ip);
	addr->route = ovly_route_new_system(peer, ip, extack);
	if (IS_ERR(addr->route)) {
		err = PTR_ERR(addr->route);
		kfree(addr);
		return err;
	}
	err = rhashtable_insert_fast(&peer->ovly->addrs, &addr->node, ovly_addr_params);
	if (err) {
		ovly_sync_remove(&change->batch, addr->route);
		kfree(addr);
		return err;
	}
	ovly_addr_inherit(addr, change);
	spin_lock_bh(&on->path_lock);
	list_add_tail(&addr->list, &peer->addrs);
	spin_unlock_bh(&on->path_lock);
	ovly_sync_route(&change->batch, addr->route);
	return 0;
}

/* The table refuses the route to a system address. */
static void ovly_addr_refused(void *context, const struct ovly_route *route, int err)
{
	struct ovly_addr_change *change = context;
	struct ovly_addr *addr;

	if (!route->fresh)
		return;
	change->err = err;
	list_for_each_entry(addr, &change->peer->addrs, list)
		if (addr->route == route)
			addr->route = NULL;
}

/* An address is no longer one of the peer's. */
static void ovly_addr_leave(struct ovly_addr *addr, struct list_head *leaving)
{
	struct ovly_net *on = ovly_net(addr->peer->ovly->net);

	spin_lock_bh(&on->path_lock);
	list_move_tail(&addr->list, leaving);
	spin_unlock_bh(&on->path_lock);
}

/* Deletes addresses that left, and that no other route has as next hop any more.  They
 * name the peer until packets that had found a route to them are through.  A socket or
 * a queue may hold one back for longer; it meets nobody, and goes nowhere.
 */
static void ovly_addrs_del(struct ovly_addr_change *change, struct list_head *leaving)
{
	struct ovly_addr *addr, *next;

	list_for_each_entry(addr, leaving, list) {
		if (addr->route)
			ovly_sync_remove(&change->batch, addr->route);
		addr->route = NULL;
	}
	ovly_sync_commit(&change->batch);
	if (!list_empty(leaving) && change->peer->ovly->mode == OVLY_MODE_MULTIPOINT)
		synchronize_net();
	list_for_each_entry_safe(addr, next, leaving, list)
		ovly_addr_del(addr);
}

/* Takes the addresses behind @last_old away again.  Evicted routes come back first,
 * so that the table's entry is handed to them and there always is one.
 */
static void ovly_addr_undo(struct ovly_addr_change *change, struct ovly_addr *last_old,
			   const struct ovly_peer_conf *conf)
{
	struct ovly_peer *peer = change->peer;
	struct ovly_route *route, *next_route;
	struct ovly_addr *addr, *next;
	unsigned int i;
	LIST_HEAD(leaving);

	list_for_each_entry_safe(route, next_route, &change->evicted, list) {
		list_del(&route->list);
		ovly_sync_put_back(route);
	}
	addr = last_old ? list_next_entry(last_old, list) :
	       list_first_entry(&peer->addrs, struct ovly_addr, list);
	list_for_each_entry_safe_from(addr, next, &peer->addrs, list)
		ovly_addr_leave(addr, &leaving);
	ovly_addrs_del(change, &leaving);
	/* Those whose successor had no entry, as it was refused. */
	for (i = 0; i < conf->n_addrs; i++) {
		route = ovly_route_find_host(peer->ovly, &conf->addrs[i]);
		if (route && !route->queued)
			ovly_sync_route(&change->batch, route);
	}
}

/**
 * ovly_peer_set_addrs() - give a peer addresses, and take others away
 * @peer: the peer, its device locked
 * @conf: the addresses, checked
 * @extack: says why not
 *
 * Context: may sleep, takes RTNL.
 * Return: 0, or an error with nothing changed
 */
int ovly_peer_set_addrs(struct ovly_peer *peer, const struct ovly_peer_conf *conf,
			struct netlink_ext_ack *extack)
{
	struct ovly_addr_change change = { .peer = peer };
	struct ovly_addr *addr, *next, *last_old;
	struct ovly_route *route;
	bool changed = false;
	unsigned int i;
	LIST_HEAD(leaving);
	int err = 0;

	INIT_LIST_HEAD(&change.evicted);
	ovly_sync_begin(&change.batch, peer->ovly);
	change.batch.refused = ovly_addr_refused;
	change.batch.context = &change;

	last_old = list_empty(&peer->addrs) ? NULL :
		   list_last_entry(&peer->addrs, struct ovly_addr, list);
	for (i = 0; i < conf->n_addrs && !err; i++) {
		if (ovly_peer_find_addr(peer->ovly, &conf->addrs[i]))
			continue;
		err = ovly_addr_add(&change, &conf->addrs[i], extack);
		changed = true;
	}
	ovly_sync_commit(&change.batch);
	if (!err && change.err) {
		err = change.err;
		if (err == -EEXIST)
			NL_SET_ERR_MSG_MOD(extack,
					   "the table has somebody else's route to the system address");
		else
			NL_SET_ERR_MSG_MOD(extack,
					   "the table refuses the route to a system address; with EACCES IPv6 is disabled on the device");
	}
	if (err) {
		ovly_addr_undo(&change, last_old, conf);
		goto out;
	}
	ovly_addr_evict_for_good(&change);
	/* They still name the peer, until no route has them as next hop. */
	list_for_each_entry_safe(addr, next, &peer->addrs, list) {
		if (ovly_peer_conf_has(conf, &addr->ip, conf->n_addrs))
			continue;
		ovly_addr_leave(addr, &leaving);
		changed = true;
	}
	/* In a multipoint device an address is the next hop of the routes. */
	if (changed && peer->ovly->mode == OVLY_MODE_MULTIPOINT) {
		list_for_each_entry(route, &peer->routes, list) {
			if (route->system)
				continue;
			if (route->queued)
				ovly_sync_commit(&change.batch);
			route->stale = true;
			ovly_sync_route(&change.batch, route);
			cond_resched();
		}
	}
	ovly_sync_commit(&change.batch);
	ovly_addrs_del(&change, &leaving);
out:
	ovly_sync_end(&change.batch);
	return err;
}

/* In a multipoint device the peer's routes need one of its addresses as next hop. */
int ovly_peer_check_nexthops(const struct ovly_peer *peer, const struct ovly_peer_conf *conf,
			     struct netlink_ext_ack *extack)
{
	const struct ovly_route *route;
	bool v4 = false, v6 = false;
	unsigned int i;

	if (peer->ovly->mode == OVLY_MODE_P2P)
		return 0;
	for (i = 0; i < conf->n_addrs; i++) {
		v4 |= conf->addrs[i].family == AF_INET;
		v6 |= conf->addrs[i].family == AF_INET6;
	}
	list_for_each_entry(route, &peer->routes, list) {
		if (route->system || v6 || (v4 && route->key.dst.family == AF_INET))
			continue;
		NL_SET_ERR_MSG_MOD(extack,
				   "the peer's routes need a system address of their family as next hop");
		return -EAFNOSUPPORT;
	}
	return 0;
}

/**
 * ovly_peer_del_addrs() - take a peer's addresses out of sight
 * @peer: the peer, its device locked; its routes are gone
 */
void ovly_peer_del_addrs(struct ovly_peer *peer)
{
	struct ovly_addr *addr, *next;

	list_for_each_entry_safe(addr, next, &peer->addrs, list) {
		addr->route = NULL;
		ovly_addr_del(addr);
	}
}
