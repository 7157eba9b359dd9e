// SPDX-License-Identifier: GPL-2.0
/*
 * Makes the routing table what the peers' routes say.
 *
 * The kernel drops a device's routes when it goes down, loses its last IPv4
 * address, enters a VRF or moves to another network namespace.  Notifiers run
 * under RTNL and only note that (ovly_sync_lost(), O(1)); a worker compares what
 * is wanted with what is there and sends the difference.  Requests do the same
 * for their own routes at once, so that an answer says what the table said.
 */
#include "sync.h"

#include <linux/inetdevice.h>
#include <linux/rtnetlink.h>
#include <net/l3mdev.h>

#include "device.h"
#include "endpoint.h"
#include "fib.h"
#include "guard.h"
#include "net.h"
#include "path.h"
#include "peer.h"
#include "route.h"

/* Is the route in the table, as far as is known? */
bool ovly_sync_installed(const struct ovly_route *route)
{
	return route->epoch && route->epoch == route->peer->ovly->sync.synced;
}

static bool ovly_sync_wanted(const struct ovly_route *route)
{
	const struct ovly_peer *peer = route->peer;

	return netif_running(peer->ovly->dev) &&
	       (READ_ONCE(peer->on_down) == OVLY_ON_DOWN_HOLD || ovly_peer_is_up(peer));
}

/* The route as the table is to have it. */
static void ovly_sync_fib_route(const struct ovly_route *route, struct ovly_fib_route *fib)
{
	const struct ovly_dev *ovly = route->peer->ovly;
	const struct ovly_ip *via;

	*fib = (struct ovly_fib_route) {
		.dst = route->key.dst,
		.dst_len = route->key.len,
		.metric = route->key.metric,
		.table = ovly->sync.table,
		.oif = ovly->dev->ifindex,
		.type = RTN_UNICAST,
		.scope = RT_SCOPE_LINK,
		.protocol = route->protocol,
	};
	/* The destination is the next hop where it is the peer itself. */
	if (ovly->mode == OVLY_MODE_P2P || route->system)
		return;
	via = ovly_peer_addr(route->peer, route->key.dst.family);
	if (!via)
		via = ovly_peer_addr(route->peer, AF_INET6);
	if (!via)
		return;
	fib->via = *via;
	fib->scope = RT_SCOPE_UNIVERSE;
	fib->onlink = true;
}

static void ovly_sync_done(void *context, void *entry, enum ovly_fib_op op, int err)
{
	struct ovly_sync_batch *batch = context;
	struct ovly_sync *sync = &batch->ovly->sync;
	struct ovly_route *route = entry;

	/* A route that is gone already is as good as deleted. */
	if (op == OVLY_FIB_DEL)
		return;

	route->queued = false;
	route->err = -err;
	if (!err) {
		sync->installed += !ovly_sync_installed(route);
		route->epoch = sync->synced;
		route->stale = false;
		route->fresh = false;
		return;
	}
	/* Went down meanwhile: the notifier has the worker try again. */
	if (err == -ENETDOWN || !netif_running(batch->ovly->dev)) {
		route->fresh = false;
		return;
	}
	if (batch->refused)
		batch->refused(batch->context, route, err);
	if (route->fresh) {
		ovly_route_unlink(route);
		ovly_route_free(route);
	}
}

/**
 * ovly_sync_begin() - prepare to change routes
 * @batch: filled in
 * @ovly: the device, locked until ovly_sync_end()
 *
 * Return: 0 or -ENOMEM
 */
int ovly_sync_begin(struct ovly_sync_batch *batch, struct ovly_dev *ovly)
{
	lockdep_assert_held(&ovly->lock);
	batch->ovly = ovly;
	batch->refused = NULL;
	batch->fib = ovly_fib_batch_new(&ovly_net(dev_net(ovly->dev))->fib, ovly_sync_done, batch);
	return batch->fib ? 0 : -ENOMEM;
}

/**
 * ovly_sync_route() - bring the table's entry for a route up to date
 * @batch: the batch
 * @route: the route; may be freed by a later call with the same batch if it is
 *	fresh and the table refuses it
 */
void ovly_sync_route(struct ovly_sync_batch *batch, struct ovly_route *route)
{
	const struct ovly_sync *sync = &batch->ovly->sync;
	struct ovly_fib_route fib;

	if (!ovly_sync_wanted(route)) {
		route->fresh = false;
		if (ovly_sync_installed(route)) {
			ovly_sync_fib_route(route, &fib);
			ovly_fib_batch_add(batch->fib, OVLY_FIB_DEL, &fib, NULL);
			batch->ovly->sync.installed--;
			route->epoch = 0;
		}
		return;
	}
	if (ovly_sync_installed(route) && !route->stale)
		return;
	ovly_sync_fib_route(route, &fib);
	route->queued = true;
	/* Take over only what was this device's all the time. */
	ovly_fib_batch_add(batch->fib, route->epoch && route->epoch >= READ_ONCE(sync->dropped) ?
			   OVLY_FIB_REPLACE : OVLY_FIB_ADD, &fib, route);
}

/**
 * ovly_sync_remove() - take a route from its peer and from the table
 * @batch: the batch
 * @route: the route; freed
 */
void ovly_sync_remove(struct ovly_sync_batch *batch, struct ovly_route *route)
{
	struct ovly_fib_route fib;

	if (ovly_sync_installed(route)) {
		ovly_sync_fib_route(route, &fib);
		ovly_fib_batch_add(batch->fib, OVLY_FIB_DEL, &fib, NULL);
		batch->ovly->sync.installed--;
	}
	ovly_route_unlink(route);
	ovly_route_free(route);
}

/**
 * ovly_sync_sweep() - remove all routes that a filter means
 * @batch: the batch
 * @filter: which; routes of system addresses are never meant
 *
 * Return: how many
 */
u32 ovly_sync_sweep(struct ovly_sync_batch *batch, const struct ovly_route_filter *filter)
{
	struct rb_node *node, *next;
	u32 n = 0;

	for (node = rb_first(&batch->ovly->routes); node; node = next) {
		struct ovly_route *route = rb_entry(node, struct ovly_route, node);

		next = rb_next(node);
		cond_resched();
		if (route->system || !ovly_route_matches(route, filter))
			continue;
		ovly_sync_remove(batch, route);
		n++;
	}
	return n;
}

void ovly_sync_commit(struct ovly_sync_batch *batch)
{
	ovly_fib_batch_commit(batch->fib);
}

void ovly_sync_end(struct ovly_sync_batch *batch)
{
	ovly_fib_batch_commit(batch->fib);
	ovly_fib_batch_free(batch->fib);
}

/* A table that packets reach through a rule of its own; in a VRF outer packets
 * do not come by, and in main a throw route would end the lookup.
 */
static bool ovly_sync_table_by_rule(bool vrf, u32 table)
{
	return !vrf && table != RT_TABLE_MAIN && table != RT_TABLE_DEFAULT &&
	       table != RT_TABLE_LOCAL;
}

/* Notes where the device's routes belong now, and holds the rule and the throw
 * routes there.
 */
static void ovly_sync_place(struct ovly_dev *ovly, u32 epoch)
{
	struct ovly_guard *guard = &ovly_net(dev_net(ovly->dev))->guard;
	struct ovly_sync *sync = &ovly->sync;
	struct ovly_peer *peer;
	unsigned long id;
	bool guarded, up;
	u32 table;

	rcu_read_lock();
	table = l3mdev_fib_table_rcu(ovly->dev);
	rcu_read_unlock();
	guarded = ovly_sync_table_by_rule(table, ovly->table);
	table = table ?: ovly->table;
	up = netif_running(ovly->dev);

	if (sync->guard != guard || sync->table != table || sync->guarded != guarded) {
		if (sync->ruled)
			ovly_guard_rule_put(sync->guard, sync->table);
		sync->ruled = false;
		sync->guard = guard;
		sync->table = table;
		sync->guarded = guarded;
		WRITE_ONCE(sync->dropped, epoch);
		xa_for_each(&ovly->peers, id, peer)
			ovly_endpoint_rehome_all(peer);
	}
	if (sync->ruled != (guarded && up)) {
		if (sync->ruled)
			ovly_guard_rule_put(guard, table);
		else
			ovly_guard_rule_get(guard, table);
		sync->ruled = !sync->ruled;
	}
}

static void ovly_sync_refused(void *context, const struct ovly_route *route, int err)
{
	struct ovly_dev *ovly = context;

	net_warn_ratelimited("%s: peer %s: table %u refuses a route of it: error %d\n",
			     netdev_name(ovly->dev), route->peer->name, ovly->sync.table, err);
}

/**
 * ovly_sync_settle() - bring the whole table up to date, if need be
 * @ovly: the device, locked
 *
 * Context: may sleep, takes RTNL.
 * Return: 0 or -ENOMEM
 */
int ovly_sync_settle(struct ovly_dev *ovly)
{
	struct ovly_sync *sync = &ovly->sync;
	struct ovly_sync_batch batch;
	struct rb_node *node;
	u32 epoch;
	int err;

	lockdep_assert_held(&ovly->lock);
	epoch = atomic_read(&sync->epoch);
	ovly_sync_place(ovly, epoch);
	if (sync->synced == epoch)
		return 0;

	err = ovly_sync_begin(&batch, ovly);
	if (err)
		return err;
	batch.refused = ovly_sync_refused;
	batch.context = ovly;
	sync->synced = epoch;
	sync->installed = 0;
	for (node = rb_first(&ovly->routes); node; node = rb_next(node)) {
		ovly_sync_route(&batch, rb_entry(node, struct ovly_route, node));
		cond_resched();
	}
	ovly_sync_end(&batch);
	return 0;
}

static void ovly_sync_carrier(struct ovly_dev *ovly)
{
	bool on = !READ_ONCE(ovly->carrier_follows) || READ_ONCE(ovly->peers_up);

	if (on == netif_carrier_ok(ovly->dev))
		return;
	if (on)
		netif_carrier_on(ovly->dev);
	else
		netif_carrier_off(ovly->dev);
}

static void ovly_sync_work(struct work_struct *work)
{
	struct ovly_dev *ovly = container_of(work, struct ovly_dev, sync.work);
	struct ovly_sync_batch batch;
	struct ovly_peer *peer;
	struct ovly_route *route;

	mutex_lock(&ovly->lock);
	if (!ovly->dead && !ovly_sync_settle(ovly) && !ovly_sync_begin(&batch, ovly)) {
		while ((peer = ovly_peer_pop_turned(ovly))) {
			ovly_path_follow_endpoints(peer);
			list_for_each_entry(route, &peer->routes, list)
				ovly_sync_route(&batch, route);
		}
		ovly_sync_end(&batch);
		ovly_sync_carrier(ovly);
	}
	mutex_unlock(&ovly->lock);
}

/**
 * ovly_sync_queue() - have the worker look at the device
 * @ovly: the device, not dead
 *
 * Context: any.
 */
void ovly_sync_queue(struct ovly_dev *ovly)
{
	ovly_device_queue_work(&ovly->sync.work);
}

/**
 * ovly_sync_lost() - the table may have lost the device's routes
 * @ovly: the device
 *
 * Context: any, RTNL may be held.
 */
void ovly_sync_lost(struct ovly_dev *ovly)
{
	atomic_inc(&ovly->sync.epoch);
	ovly_sync_queue(ovly);
}

/**
 * ovly_sync_dropped() - the table has lost the device's routes for certain
 * @ovly: the device
 *
 * Context: RTNL.
 */
void ovly_sync_dropped(struct ovly_dev *ovly)
{
	WRITE_ONCE(ovly->sync.dropped, atomic_inc_return(&ovly->sync.epoch));
	ovly_sync_queue(ovly);
}

void ovly_sync_init(struct ovly_dev *ovly)
{
	INIT_WORK(&ovly->sync.work, ovly_sync_work);
	/* 0 is "never", see &ovly_route.epoch. */
	atomic_set(&ovly->sync.epoch, 1);
}

/* Context: the device is dead and its peers are gone. */
void ovly_sync_exit(struct ovly_dev *ovly)
{
	struct ovly_sync *sync = &ovly->sync;

	if (sync->ruled)
		ovly_guard_rule_put(sync->guard, sync->table);
	sync->ruled = false;
}
