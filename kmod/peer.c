// SPDX-License-Identifier: GPL-2.0
/*
 * Peers: creation, change, removal and look-up.  See &struct ovly_peer for who
 * may hold one and why it can be freed.
 */
#include "peer.h"

#include <linux/jiffies.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>
#include <net/netlink.h>

#include "device.h"
#include "endpoint.h"
#include "net.h"
#include "notify.h"
#include "path.h"
#include "route.h"
#include "stats.h"

static const struct rhashtable_params ovly_addr_params = {
	.key_len = sizeof(struct ovly_ip),
	.key_offset = offsetof(struct ovly_addr, ip),
	.head_offset = offsetof(struct ovly_addr, node),
	.automatic_shrinking = true,
};

static u32 ovly_peer_name_hash(const void *data, u32 len, u32 seed)
{
	const char *name = data;

	return jhash(name, strlen(name), seed);
}

static u32 ovly_peer_obj_hash(const void *data, u32 len, u32 seed)
{
	const struct ovly_peer *peer = data;

	return ovly_peer_name_hash(peer->name, len, seed);
}

static int ovly_peer_name_cmp(struct rhashtable_compare_arg *arg, const void *obj)
{
	const struct ovly_peer *peer = obj;

	return strcmp(arg->key, peer->name);
}

static const struct rhashtable_params ovly_name_params = {
	.head_offset = offsetof(struct ovly_peer, name_node),
	.hashfn = ovly_peer_name_hash,
	.obj_hashfn = ovly_peer_obj_hash,
	.obj_cmpfn = ovly_peer_name_cmp,
	.automatic_shrinking = true,
};

int ovly_peer_tables_init(struct ovly_dev *ovly)
{
	int err;

	xa_init_flags(&ovly->peers, XA_FLAGS_ALLOC1);
	err = rhashtable_init(&ovly->addrs, &ovly_addr_params);
	if (err)
		return err;
	err = rhashtable_init(&ovly->names, &ovly_name_params);
	if (err)
		rhashtable_destroy(&ovly->addrs);
	return err;
}

void ovly_peer_tables_destroy(struct ovly_dev *ovly)
{
	rhashtable_destroy(&ovly->names);
	rhashtable_destroy(&ovly->addrs);
	xa_destroy(&ovly->peers);
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

struct ovly_peer *ovly_peer_find(struct ovly_dev *ovly, u32 id)
{
	lockdep_assert_held(&ovly->lock);
	return xa_load(&ovly->peers, id);
}

struct ovly_peer *ovly_peer_find_name(struct ovly_dev *ovly, const char *name)
{
	lockdep_assert_held(&ovly->lock);
	return rhashtable_lookup_fast(&ovly->names, name, ovly_name_params);
}

static struct ovly_peer *ovly_peer_find_addr(struct ovly_dev *ovly, const struct ovly_ip *ip)
{
	struct ovly_peer *peer;

	lockdep_assert_held(&ovly->lock);
	rcu_read_lock();
	peer = ovly_peer_lookup_rcu(ovly, ip);
	rcu_read_unlock();
	return peer;
}

/**
 * ovly_peer_find_via() - the peer that an overlay next hop means
 * @ovly: the device, locked
 * @via: the next hop
 *
 * Return: the peer that has the address, else the one that owns the longest
 * prefix covering it, else NULL
 */
struct ovly_peer *ovly_peer_find_via(struct ovly_dev *ovly, const struct ovly_ip *via)
{
	struct ovly_peer *peer = ovly_peer_find_addr(ovly, via);
	struct ovly_route *route;

	if (peer)
		return peer;
	route = ovly_route_longest(ovly, via);
	return route ? route->peer : NULL;
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

/**
 * ovly_peer_turn() - the peer's routes or endpoints have to follow its state
 * @peer: the peer
 *
 * Context: the caller holds &ovly_net.path_lock.
 */
void ovly_peer_turn(struct ovly_peer *peer)
{
	struct ovly_dev *ovly = peer->ovly;

	lockdep_assert_held(&ovly_net(ovly->net)->path_lock);
	if (list_empty(&peer->turned))
		list_add_tail(&peer->turned, &ovly->turned);
	ovly_sync_queue(ovly);
}

/* Takes one from the list of those that ovly_peer_turn() noted. */
struct ovly_peer *ovly_peer_pop_turned(struct ovly_dev *ovly)
{
	struct ovly_net *on = ovly_net(ovly->net);
	struct ovly_peer *peer;

	spin_lock_bh(&on->path_lock);
	peer = list_first_entry_or_null(&ovly->turned, struct ovly_peer, turned);
	if (peer)
		list_del_init(&peer->turned);
	spin_unlock_bh(&on->path_lock);
	return peer;
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

static int ovly_peer_check_addrs(struct ovly_dev *ovly, const struct ovly_peer *self,
				 const struct ovly_peer_conf *conf,
				 struct netlink_ext_ack *extack)
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

static void ovly_addr_del(struct ovly_addr *addr, struct ovly_sync_batch *batch)
{
	struct ovly_dev *ovly = addr->peer->ovly;
	struct ovly_net *on = ovly_net(ovly->net);

	rhashtable_remove_fast(&ovly->addrs, &addr->node, ovly_addr_params);
	spin_lock_bh(&on->path_lock);
	list_del(&addr->list);
	spin_unlock_bh(&on->path_lock);
	if (addr->route)
		ovly_sync_remove(batch, addr->route);
	kfree_rcu(addr, rcu);
}

/* Another peer may have taught a route to exactly this address before its owner
 * came; the owner's word counts.
 */
static void ovly_addr_evict(struct ovly_peer *peer, const struct ovly_ip *ip,
			    struct ovly_sync_batch *batch)
{
	struct ovly_route *route = ovly_route_find_host(peer->ovly, ip);

	if (!route || route->system)
		return;
	net_warn_ratelimited("%s: peer %s: gives up its route to the system address of peer %s\n",
			     netdev_name(peer->ovly->dev), route->peer->name, peer->name);
	ovly_sync_remove(batch, route);
}

static int ovly_addr_add(struct ovly_peer *peer, const struct ovly_ip *ip,
			 struct ovly_sync_batch *batch, struct netlink_ext_ack *extack)
{
	struct ovly_net *on = ovly_net(peer->ovly->net);
	struct ovly_addr *addr;
	int err;

	addr = kzalloc(sizeof(*addr), GFP_KERNEL);
	if (!addr)
		return -ENOMEM;
	addr->ip = *ip;
	addr->peer = peer;
	ovly_addr_evict(peer, ip, batch);
	addr->route = ovly_route_new_system(peer, ip, extack);
	if (IS_ERR(addr->route)) {
		err = PTR_ERR(addr->route);
		kfree(addr);
		return err;
	}
	err = rhashtable_insert_fast(&peer->ovly->addrs, &addr->node, ovly_addr_params);
	if (err) {
		ovly_sync_remove(batch, addr->route);
		kfree(addr);
		return err;
	}
	spin_lock_bh(&on->path_lock);
	list_add_tail(&addr->list, &peer->addrs);
	spin_unlock_bh(&on->path_lock);
	ovly_sync_route(batch, addr->route);
	return 0;
}

struct ovly_peer_refusal {
	struct ovly_peer *peer;
	int err;
};

/* The table has somebody else's route to a system address. */
static void ovly_peer_refused(void *context, const struct ovly_route *route, int err)
{
	struct ovly_peer_refusal *refusal = context;
	struct ovly_addr *addr;

	if (!route->fresh)
		return;
	refusal->err = err;
	list_for_each_entry(addr, &refusal->peer->addrs, list)
		if (addr->route == route)
			addr->route = NULL;
}

/* Gives the peer the addresses of @conf, and takes others away. */
static int ovly_peer_set_addrs(struct ovly_peer *peer, const struct ovly_peer_conf *conf,
			       struct netlink_ext_ack *extack)
{
	struct ovly_peer_refusal refusal = { .peer = peer };
	struct ovly_addr *addr, *next, *last_old;
	struct ovly_sync_batch batch;
	struct ovly_route *route;
	bool changed = false;
	unsigned int i;
	int err;

	err = ovly_sync_begin(&batch, peer->ovly);
	if (err)
		return err;
	batch.refused = ovly_peer_refused;
	batch.context = &refusal;

	last_old = list_empty(&peer->addrs) ? NULL :
		   list_last_entry(&peer->addrs, struct ovly_addr, list);
	for (i = 0; i < conf->n_addrs && !err; i++) {
		if (ovly_peer_find_addr(peer->ovly, &conf->addrs[i]))
			continue;
		err = ovly_addr_add(peer, &conf->addrs[i], &batch, extack);
		changed = true;
	}
	ovly_sync_commit(&batch);
	if (!err && refusal.err) {
		err = refusal.err;
		NL_SET_ERR_MSG_MOD(extack,
				   "the table has somebody else's route to the system address");
	}
	if (err) {
		/* Back to what it was: the new ones are behind the old ones. */
		addr = last_old ? list_next_entry(last_old, list) :
		       list_first_entry(&peer->addrs, struct ovly_addr, list);
		list_for_each_entry_safe_from(addr, next, &peer->addrs, list)
			ovly_addr_del(addr, &batch);
		goto out;
	}
	list_for_each_entry_safe(addr, next, &peer->addrs, list) {
		if (!ovly_peer_conf_has(conf, &addr->ip, conf->n_addrs)) {
			ovly_addr_del(addr, &batch);
			changed = true;
		}
	}
	/* In a multipoint device an address is the next hop of the routes. */
	if (changed && peer->ovly->mode == OVLY_MODE_MULTIPOINT) {
		list_for_each_entry(route, &peer->routes, list) {
			if (route->system)
				continue;
			route->stale = true;
			ovly_sync_route(&batch, route);
		}
	}
out:
	ovly_sync_end(&batch);
	return err;
}

static void ovly_peer_free_rcu(struct rcu_head *rcu)
{
	struct ovly_peer *peer = container_of(rcu, struct ovly_peer, rcu);

	free_percpu(peer->stats);
	kfree(peer);
}

static struct ovly_peer *ovly_peer_alloc(struct ovly_dev *ovly)
{
	struct ovly_peer *peer = kzalloc(sizeof(*peer), GFP_KERNEL_ACCOUNT);

	if (!peer)
		return NULL;
	peer->stats = ovly_stats_alloc();
	if (!peer->stats) {
		kfree(peer);
		return NULL;
	}
	peer->ovly = ovly;
	peer->since = get_jiffies_64();
	INIT_LIST_HEAD(&peer->paths);
	INIT_LIST_HEAD(&peer->addrs);
	INIT_LIST_HEAD(&peer->routes);
	INIT_LIST_HEAD(&peer->endpoints);
	INIT_LIST_HEAD(&peer->turned);
	return peer;
}

static void ovly_peer_apply(struct ovly_peer *peer, const struct ovly_peer_conf *conf)
{
	if (conf->has_on_down)
		WRITE_ONCE(peer->on_down, conf->on_down);
	if (conf->has_route_limit)
		peer->route_limit = conf->route_limit;
}

static int ovly_peer_check_new(struct ovly_dev *ovly, const struct ovly_peer_conf *conf,
			       struct netlink_ext_ack *extack)
{
	if (ovly->mode == OVLY_MODE_P2P && ovly->n_peers) {
		NL_SET_ERR_MSG_MOD(extack,
				   "a p2p device has one peer; create the device with mode multipoint for more");
		return -EEXIST;
	}
	if (conf->name && ovly_peer_find_name(ovly, conf->name)) {
		NL_SET_ERR_MSG_MOD(extack, "a peer has this name");
		return -EEXIST;
	}
	return ovly_peer_check_addrs(ovly, NULL, conf, extack);
}

/**
 * ovly_peer_new() - make a peer
 * @ovly: the device, locked
 * @conf: what the request says
 * @extack: says why not
 *
 * Context: may sleep, takes RTNL.
 * Return: the peer, or an error with nothing changed
 */
struct ovly_peer *ovly_peer_new(struct ovly_dev *ovly, const struct ovly_peer_conf *conf,
				struct netlink_ext_ack *extack)
{
	struct ovly_peer *peer;
	int err;

	lockdep_assert_held(&ovly->lock);
	err = ovly_peer_check_new(ovly, conf, extack);
	if (err)
		return ERR_PTR(err);

	err = -ENOMEM;
	peer = ovly_peer_alloc(ovly);
	if (!peer)
		return ERR_PTR(err);
	err = xa_alloc_cyclic(&ovly->peers, &peer->id, peer, xa_limit_31b, &ovly->next_id,
			      GFP_KERNEL);
	if (err < 0)
		goto err_free;
	if (conf->name)
		strscpy(peer->name, conf->name, sizeof(peer->name));
	else
		snprintf(peer->name, sizeof(peer->name), "peer%u", peer->id);
	/* Fails if the made-up name is taken, too. */
	err = rhashtable_lookup_insert_key(&ovly->names, peer->name, &peer->name_node,
					   ovly_name_params);
	if (err) {
		NL_SET_ERR_MSG_MOD(extack, "a peer has this name");
		goto err_erase_id;
	}
	ovly_peer_apply(peer, conf);
	err = ovly_peer_set_addrs(peer, conf, extack);
	if (err)
		goto err_remove_name;

	if (ovly->mode == OVLY_MODE_P2P)
		rcu_assign_pointer(ovly->sole, peer);
	WRITE_ONCE(ovly->n_peers, ovly->n_peers + 1);
	ovly_net_changed(dev_net(ovly->dev));
	ovly_notify_peer(peer, OVLY_EVENT_PEER_NEW);
	return peer;

err_remove_name:
	rhashtable_remove_fast(&ovly->names, &peer->name_node, ovly_name_params);
err_erase_id:
	xa_erase(&ovly->peers, peer->id);
err_free:
	/* Its addresses may have been seen by packets. */
	call_rcu(&peer->rcu, ovly_peer_free_rcu);
	return ERR_PTR(err);
}

/* In a multipoint device the peer's routes need one of its addresses as next hop. */
static int ovly_peer_check_nexthops(const struct ovly_peer *peer,
				    const struct ovly_peer_conf *conf,
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
 * ovly_peer_set() - change a peer
 * @peer: the peer; its device is locked
 * @conf: what the request says
 * @extack: says why not
 *
 * Context: may sleep, takes RTNL.
 * Return: 0, or an error with nothing changed
 */
int ovly_peer_set(struct ovly_peer *peer, const struct ovly_peer_conf *conf,
		  struct netlink_ext_ack *extack)
{
	struct ovly_net *on = ovly_net(peer->ovly->net);
	int err;

	lockdep_assert_held(&peer->ovly->lock);
	if (conf->has_addrs) {
		err = ovly_peer_check_addrs(peer->ovly, peer, conf, extack);
		if (!err)
			err = ovly_peer_check_nexthops(peer, conf, extack);
		if (!err)
			err = ovly_peer_set_addrs(peer, conf, extack);
		if (err)
			return err;
	}
	ovly_peer_apply(peer, conf);
	/* Routes of a peer that is down follow a new policy at once. */
	if (conf->has_on_down) {
		spin_lock_bh(&on->path_lock);
		ovly_peer_turn(peer);
		spin_unlock_bh(&on->path_lock);
	}
	ovly_net_changed(dev_net(peer->ovly->dev));
	ovly_notify_peer(peer, OVLY_EVENT_PEER_SET);
	return 0;
}

static void ovly_peer_del_routes(struct ovly_peer *peer, struct ovly_sync_batch *batch)
{
	struct ovly_route *route, *next;

	list_for_each_entry_safe(route, next, &peer->routes, list) {
		if (batch->fib) {
			ovly_sync_remove(batch, route);
		} else {
			/* The device is gone, and the table's entries with it. */
			ovly_route_unlink(route);
			ovly_route_free(route);
		}
		cond_resched();
	}
}

/**
 * ovly_peer_del() - delete a peer with its paths and routes
 * @peer: the peer; its device is locked
 *
 * Context: may sleep, takes RTNL.
 */
void ovly_peer_del(struct ovly_peer *peer)
{
	struct ovly_dev *ovly = peer->ovly;
	struct ovly_net *on = ovly_net(ovly->net);
	struct ovly_sync_batch batch = {};
	struct ovly_addr *addr, *next_addr;
	struct ovly_path *path, *next_path;

	lockdep_assert_held(&ovly->lock);
	/* Routes first: while they are in the table packets meet a peer that is
	 * there, and are dropped for want of a path at worst.
	 */
	if (!ovly->dead && ovly_sync_begin(&batch, ovly))
		ovly_sync_lost(ovly);
	list_for_each_entry(addr, &peer->addrs, list)
		addr->route = NULL;
	ovly_peer_del_routes(peer, &batch);
	if (batch.fib)
		ovly_sync_end(&batch);

	list_for_each_entry_safe(path, next_path, &peer->paths, list)
		ovly_path_del(path);
	ovly_endpoint_forget_all(peer);

	ovly_notify_peer(peer, OVLY_EVENT_PEER_DEL);
	RCU_INIT_POINTER(ovly->sole, NULL);
	list_for_each_entry_safe(addr, next_addr, &peer->addrs, list)
		ovly_addr_del(addr, NULL);
	spin_lock_bh(&on->path_lock);
	list_del_init(&peer->turned);
	spin_unlock_bh(&on->path_lock);
	rhashtable_remove_fast(&ovly->names, &peer->name_node, ovly_name_params);
	xa_erase(&ovly->peers, peer->id);
	WRITE_ONCE(ovly->n_peers, ovly->n_peers - 1);
	ovly_net_changed(dev_net(ovly->dev));
	call_rcu(&peer->rcu, ovly_peer_free_rcu);
}

void ovly_peer_del_all(struct ovly_dev *ovly)
{
	struct ovly_peer *peer;
	unsigned long id;

	xa_for_each(&ovly->peers, id, peer) {
		ovly_peer_del(peer);
		cond_resched();
	}
}
