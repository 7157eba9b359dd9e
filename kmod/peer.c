// SPDX-License-Identifier: GPL-2.0
/*
 * Peers: creation, change, removal and look-up.  See &struct ovly_peer for who
 * may hold one and why it can be freed.
 */
#include "peer.h"

#include <linux/jiffies.h>
#include <linux/rhashtable.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <net/netlink.h>

#include "device.h"
#include "endpoint.h"
#include "net.h"
#include "notify.h"
#include "path.h"
#include "route.h"
#include "stats.h"

/* So many peers of a device share a scope; the cost of that shows from 300 on. */
#define OVLY_PEERS_UNIVERSE	128

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
	err = ovly_peer_addrs_init(ovly);
	if (err)
		return err;
	err = rhashtable_init(&ovly->names, &ovly_name_params);
	if (err)
		ovly_peer_addrs_destroy(ovly);
	return err;
}

void ovly_peer_tables_destroy(struct ovly_dev *ovly)
{
	rhashtable_destroy(&ovly->names);
	ovly_peer_addrs_destroy(ovly);
	xa_destroy(&ovly->peers);
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

/* Is there a path for the peer's packets, its own or its backup's?  Context: the
 * device is locked, or RCU read side.
 */
bool ovly_peer_is_reachable(const struct ovly_peer *peer)
{
	const struct ovly_peer *backup;
	bool reachable;

	rcu_read_lock();
	backup = rcu_dereference(peer->backup);
	reachable = ovly_peer_is_up(peer) || (backup && ovly_peer_is_up(backup));
	rcu_read_unlock();
	return reachable;
}

/* Takes the peer's routes out of the table, or puts them back. */
static void ovly_peer_set_disabled(struct ovly_peer *peer, bool disabled)
{
	struct ovly_net *on = ovly_net(peer->ovly->net);

	lockdep_assert_held(&peer->ovly->lock);
	WRITE_ONCE(peer->routes_disabled, disabled);
	peer->reconsider = true;
	ovly_net_changed(peer->ovly->dev);
	spin_lock_bh(&on->path_lock);
	ovly_notify_peer_locked(peer, disabled ? OVLY_EVENT_ROUTES_DISABLED :
						 OVLY_EVENT_ROUTES_ENABLED);
	ovly_peer_turn(peer);
	spin_unlock_bh(&on->path_lock);
}

/**
 * ovly_peer_exceed_limit() - a peer wants more routes than it may own
 * @peer: the peer, its device locked
 *
 * Context: may sleep.
 */
void ovly_peer_exceed_limit(struct ovly_peer *peer)
{
	lockdep_assert_held(&peer->ovly->lock);
	if (!peer->limit_event || jiffies - peer->limit_event >= HZ) {
		peer->limit_event = jiffies ?: 1;
		ovly_notify_peer(peer, OVLY_EVENT_ROUTE_LIMIT);
	}
	if (peer->limit_action == OVLY_LIMIT_DISABLE && !peer->routes_disabled)
		ovly_peer_set_disabled(peer, true);
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

static void ovly_peer_free_rcu(struct rcu_head *rcu)
{
	struct ovly_peer *peer = container_of(rcu, struct ovly_peer, rcu);

	free_percpu(peer->traffic);
	kfree(peer);
}

static struct ovly_peer *ovly_peer_alloc(struct ovly_dev *ovly)
{
	struct ovly_peer *peer = kzalloc(sizeof(*peer), GFP_KERNEL_ACCOUNT);

	if (!peer)
		return NULL;
	peer->traffic = ovly_traffic_alloc();
	if (!peer->traffic) {
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
	INIT_LIST_HEAD(&peer->backs);
	INIT_LIST_HEAD(&peer->backed_by);
	return peer;
}

/* Names the peer that takes the packets of @peer while it is down, or none. */
static void ovly_peer_set_backup(struct ovly_peer *peer, struct ovly_peer *backup)
{
	list_del_init(&peer->backed_by);
	if (backup)
		list_add(&peer->backed_by, &backup->backs);
	rcu_assign_pointer(peer->backup, backup);
}

/* A limit that is set anew gives the routes that it took another chance. */
static void ovly_peer_renew_limit(struct ovly_peer *peer)
{
	bool exceeded = peer->limit_action == OVLY_LIMIT_DISABLE && peer->route_limit &&
			peer->n_routes > peer->route_limit;

	if (exceeded != peer->routes_disabled)
		ovly_peer_set_disabled(peer, exceeded);
}

static void ovly_peer_apply(struct ovly_peer *peer, const struct ovly_peer_conf *conf)
{
	if (conf->has_on_down)
		WRITE_ONCE(peer->on_down, conf->on_down);
	if (conf->has_mark)
		WRITE_ONCE(peer->mark, conf->mark);
	if (conf->has_priority)
		WRITE_ONCE(peer->priority, conf->priority);
	if (conf->has_backup)
		ovly_peer_set_backup(peer, conf->backup);
	if (conf->has_limit_action)
		WRITE_ONCE(peer->limit_action, conf->limit_action);
	if (conf->has_route_limit)
		WRITE_ONCE(peer->route_limit, conf->route_limit);
	if (conf->renews_limit)
		ovly_peer_renew_limit(peer);
}

static int ovly_peer_check_backup(const struct ovly_peer *self,
				  const struct ovly_peer_conf *conf,
				  struct netlink_ext_ack *extack)
{
	if (!conf->has_backup || conf->backup != self)
		return 0;
	NL_SET_ERR_MSG_MOD(extack, "a peer is not its own backup");
	return -EINVAL;
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

/* For each IPv4 route it is given the kernel looks for an equal next hop, under
 * RTNL, in a hash chain that device, protocol, metric and scope choose, but not the
 * gateway: all peers of the device are in one.  Of these only the scope is free.
 * From universe to site, which is 200, all scopes mean the same to a look-up, and
 * addresses have none between.  So where there are many peers they are dealt out
 * over the 199: of 10,000 a chain has 50.
 *
 * A nexthop object per peer would make no more chains on 6.1, and when the device
 * goes down the kernel walks all tables once for every such object, under RTNL.
 */
static u8 ovly_peer_pick_scope(const struct ovly_dev *ovly, u32 id)
{
	if (ovly->n_peers < OVLY_PEERS_UNIVERSE)
		return RT_SCOPE_UNIVERSE;
	return RT_SCOPE_UNIVERSE + 1 + id % (RT_SCOPE_SITE - RT_SCOPE_UNIVERSE - 1);
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
	peer->scope = ovly_peer_pick_scope(ovly, peer->id);
	if (conf->name)
		strscpy(peer->name, conf->name, sizeof(peer->name));
	else
		snprintf(peer->name, sizeof(peer->name), "peer%u", peer->id);
	/* Fails if the made-up name is taken, too. */
	err = rhashtable_lookup_insert_key(&ovly->names, peer->name, &peer->name_node,
					   ovly_name_params);
	if (err) {
		if (err == -EEXIST)
			NL_SET_ERR_MSG_MOD(extack, "a peer has this name");
		goto err_erase_id;
	}
	ovly_peer_apply(peer, conf);
	peer->reached = ovly_peer_is_reachable(peer);
	err = ovly_peer_set_addrs(peer, conf, extack);
	if (err)
		goto err_remove_name;

	if (ovly->mode == OVLY_MODE_P2P)
		rcu_assign_pointer(ovly->sole, peer);
	WRITE_ONCE(ovly->n_peers, ovly->n_peers + 1);
	ovly_net_changed(ovly->dev);
	ovly_notify_peer(peer, OVLY_EVENT_PEER_NEW);
	/* Its backup may have come or gone since it was looked at. */
	if (conf->has_backup) {
		spin_lock_bh(&ovly_net(ovly->net)->path_lock);
		ovly_peer_turn(peer);
		spin_unlock_bh(&ovly_net(ovly->net)->path_lock);
	}
	return peer;

err_remove_name:
	ovly_peer_set_backup(peer, NULL);
	rhashtable_remove_fast(&ovly->names, &peer->name_node, ovly_name_params);
err_erase_id:
	xa_erase(&ovly->peers, peer->id);
err_free:
	/* Its addresses may have been seen by packets. */
	call_rcu(&peer->rcu, ovly_peer_free_rcu);
	return ERR_PTR(err);
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
	err = ovly_peer_check_backup(peer, conf, extack);
	if (err)
		return err;
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
	if (conf->has_on_down || conf->has_backup) {
		peer->reached = ovly_peer_is_reachable(peer);
		peer->reconsider = true;
		spin_lock_bh(&on->path_lock);
		ovly_peer_turn(peer);
		spin_unlock_bh(&on->path_lock);
	}
	ovly_net_changed(peer->ovly->dev);
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
	struct ovly_peer *other, *next_other;
	struct ovly_path *path, *next_path;

	lockdep_assert_held(&ovly->lock);
	/* Routes first: while they are in the table packets meet a peer that is
	 * there, and are dropped for want of a path at worst.
	 */
	if (!ovly->dead)
		ovly_sync_begin(&batch, ovly);
	ovly_peer_del_routes(peer, &batch);
	if (batch.fib)
		ovly_sync_end(&batch);

	list_for_each_entry_safe(path, next_path, &peer->paths, list) {
		ovly_path_del(path);
		cond_resched();
	}
	ovly_endpoint_forget_all(peer);

	ovly_notify_peer(peer, OVLY_EVENT_PEER_DEL);
	RCU_INIT_POINTER(ovly->sole, NULL);
	ovly_peer_del_addrs(peer);
	ovly_peer_set_backup(peer, NULL);
	list_for_each_entry_safe(other, next_other, &peer->backs, backed_by) {
		ovly_peer_set_backup(other, NULL);
		if (ovly->dead)
			continue;
		spin_lock_bh(&on->path_lock);
		ovly_peer_turn(other);
		spin_unlock_bh(&on->path_lock);
	}
	spin_lock_bh(&on->path_lock);
	list_del_init(&peer->turned);
	spin_unlock_bh(&on->path_lock);
	rhashtable_remove_fast(&ovly->names, &peer->name_node, ovly_name_params);
	xa_erase(&ovly->peers, peer->id);
	WRITE_ONCE(ovly->n_peers, ovly->n_peers - 1);
	ovly_net_changed(ovly->dev);
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
