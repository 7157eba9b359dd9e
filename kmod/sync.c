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

/* May the table have the route, if only what is left of it? */
static bool ovly_sync_may_be_there(const struct ovly_route *route)
{
	return ovly_sync_installed(route) ||
	       (route->epoch && route->epoch >= READ_ONCE(route->peer->ovly->sync.dropped));
}

static bool ovly_sync_wanted(const struct ovly_route *route)
{
	const struct ovly_peer *peer = route->peer;

	if (route->doomed || !netif_running(peer->ovly->dev) ||
	    (peer->routes_disabled && !route->system))
		return false;
	return READ_ONCE(peer->on_down) == OVLY_ON_DOWN_HOLD || ovly_peer_is_reachable(peer);
}

/* The address that is the next hop of a peer's routes. */
static const struct ovly_ip *ovly_sync_nexthop(const struct ovly_route *route)
{
	const struct ovly_ip *ip = ovly_peer_addr(route->peer, route->key.dst.family);

	return ip ?: ovly_peer_addr(route->peer, AF_INET6);
}

/* The table's entry for a group: prefix and what does not depend on owners. */
static void ovly_sync_fib_key(const struct ovly_route *head, struct ovly_fib_route *fib)
{
	const struct ovly_dev *ovly = head->peer->ovly;

	*fib = (struct ovly_fib_route) {
		.dst = head->key.dst,
		.dst_len = head->key.len,
		.metric = head->key.metric,
		.table = ovly->sync.table,
		.oif = ovly->dev->ifindex,
		.type = RTN_UNICAST,
		.scope = RT_SCOPE_LINK,
		.protocol = head->protocol,
	};
}

/* The entry with the owners that are marked as sent. */
static void ovly_sync_fib_route(const struct ovly_route *head, struct ovly_fib_route *fib)
{
	const struct ovly_route *route;
	const struct ovly_ip *via;

	ovly_sync_fib_key(head, fib);
	/* The first that stays gives the protocol. */
	for (route = head; route; route = ovly_route_next_owner(route)) {
		if (route->sent) {
			fib->protocol = route->protocol;
			break;
		}
	}
	/* The destination is the next hop where it is the peer itself. */
	if (head->peer->ovly->mode == OVLY_MODE_P2P || head->system)
		return;
	for (route = head; route; route = ovly_route_next_owner(route)) {
		via = route->sent ? ovly_sync_nexthop(route) : NULL;
		if (via && !WARN_ON_ONCE(fib->n_via == ARRAY_SIZE(fib->via)))
			fib->via[fib->n_via++] = *via;
	}
	if (!fib->n_via)
		return;
	fib->scope = RT_SCOPE_UNIVERSE;
	fib->onlink = true;
}

/* Notes whether the table has a route. */
static void ovly_sync_note(struct ovly_route *route, bool installed)
{
	struct ovly_sync *sync = &route->peer->ovly->sync;

	sync->installed += installed - ovly_sync_installed(route);
	route->epoch = installed ? sync->synced : 0;
}

/* The table has of a group what was sent, and those that were replaced are gone. */
static void ovly_sync_settled(struct ovly_route *head)
{
	struct ovly_route *route, *next;

	for (route = head; route; route = next) {
		next = ovly_route_next_owner(route);
		ovly_sync_note(route, route->sent);
		route->stale = false;
		route->fresh = false;
		if (route->doomed) {
			ovly_route_unlink(route);
			ovly_route_free(route);
		}
	}
}

/* The table has refused a group: everything is as it was before the request. */
static void ovly_sync_undo(struct ovly_route *head)
{
	struct ovly_route *route, *next;

	for (route = head; route; route = next) {
		next = ovly_route_next_owner(route);
		route->doomed = false;
		if (route->fresh) {
			ovly_route_unlink(route);
			ovly_route_free(route);
		}
	}
}

static void ovly_sync_done(void *context, void *entry, enum ovly_fib_op op, int err)
{
	struct ovly_sync_batch *batch = context;
	struct ovly_route *head = entry, *route;

	/* A route that is gone already is as good as deleted. */
	if (op == OVLY_FIB_DEL)
		return;

	for (route = head; route; route = ovly_route_next_owner(route)) {
		route->queued = false;
		route->err = -err;
	}
	if (!err) {
		ovly_sync_settled(head);
		return;
	}
	/* Went down meanwhile: the notifier has the worker try again. */
	if (err == -ENETDOWN || !netif_running(batch->ovly->dev)) {
		for (route = head; route; route = ovly_route_next_owner(route))
			route->sent = false;
		ovly_sync_settled(head);
		return;
	}
	if (batch->refused)
		batch->refused(batch->context, head, err);
	ovly_sync_undo(head);
}

/**
 * ovly_sync_begin() - prepare to change routes
 * @batch: filled in
 * @ovly: the device, locked until ovly_sync_end()
 *
 * Context: may sleep.
 */
void ovly_sync_begin(struct ovly_sync_batch *batch, struct ovly_dev *ovly)
{
	lockdep_assert_held(&ovly->lock);
	batch->ovly = ovly;
	batch->refused = NULL;
	batch->fib = ovly_fib_batch_new(&ovly_net(dev_net(ovly->dev))->fib, ovly_sync_done, batch);
}

/* Deletes the table's entry of a group. */
static void ovly_sync_delete(struct ovly_sync_batch *batch, const struct ovly_route *head)
{
	struct ovly_fib_route fib;

	ovly_sync_fib_key(head, &fib);
	ovly_fib_batch_add(batch->fib, OVLY_FIB_DEL, &fib, NULL);
}

/**
 * ovly_sync_route() - bring the table's entry for a route up to date
 * @batch: the batch
 * @route: the route, its group not queued; may be freed by this or a later call
 *	with the same batch if it is fresh and the table refuses it
 */
void ovly_sync_route(struct ovly_sync_batch *batch, struct ovly_route *route)
{
	bool there = false, change = false;
	struct ovly_route *head = ovly_route_head(route);
	struct ovly_fib_route fib;
	unsigned int wanted = 0;

	for (route = head; route; route = ovly_route_next_owner(route)) {
		route->sent = ovly_sync_wanted(route);
		wanted += route->sent;
		there |= ovly_sync_may_be_there(route);
		change |= route->stale || route->sent != ovly_sync_installed(route);
	}
	if (!wanted || !change) {
		if (there && !wanted)
			ovly_sync_delete(batch, head);
		ovly_sync_settled(head);
		return;
	}
	ovly_sync_fib_route(head, &fib);
	for (route = head; route; route = ovly_route_next_owner(route))
		route->queued = true;
	/* Take over only what was this device's all the time. */
	ovly_fib_batch_add(batch->fib, there ? OVLY_FIB_REPLACE : OVLY_FIB_ADD, &fib, head);
}

/* Deleting an IPv4 route with metric 0 matches any metric.  If ours was flushed by
 * somebody else, one with a metric may go in its place: that one, or NULL.
 */
static struct ovly_route *ovly_sync_collateral(const struct ovly_route *route)
{
	struct ovly_route *next;

	if (route->key.metric || route->key.dst.family != AF_INET)
		return NULL;
	next = ovly_route_next(route);
	return next && next->key.len == route->key.len &&
	       ovly_ip_eq(&next->key.dst, &route->key.dst) ? next : NULL;
}

/**
 * ovly_sync_remove() - take a route from its peer and from the table
 * @batch: the batch
 * @route: the route; freed
 */
void ovly_sync_remove(struct ovly_sync_batch *batch, struct ovly_route *route)
{
	struct ovly_route *other = ovly_sync_collateral(route);

	if (route->queued || (other && other->queued))
		ovly_fib_batch_commit(batch->fib);
	if (ovly_route_is_shared(route)) {
		/* The entry is the others' from now on, and has to change. */
		other = ovly_route_next_owner(route) ?: ovly_route_head(route);
		if (ovly_sync_installed(route)) {
			ovly_sync_note(other, true);
			other->stale = true;
		}
	} else if (ovly_sync_may_be_there(route)) {
		ovly_sync_delete(batch, route);
		/* Looked up anew: what was queued may have been refused. */
		other = ovly_sync_collateral(route);
		if (other)
			other->stale = true;
	} else {
		other = NULL;
	}
	ovly_sync_note(route, false);
	ovly_route_unlink(route);
	ovly_route_free(route);
	if (other)
		ovly_sync_route(batch, other);
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
 */
void ovly_sync_settle(struct ovly_dev *ovly)
{
	struct ovly_sync *sync = &ovly->sync;
	struct ovly_sync_batch batch;
	struct ovly_route *route;
	struct rb_node *node;
	u32 epoch;

	lockdep_assert_held(&ovly->lock);
	epoch = atomic_read(&sync->epoch);
	ovly_sync_place(ovly, epoch);
	if (sync->synced == epoch)
		return;

	ovly_sync_begin(&batch, ovly);
	batch.refused = ovly_sync_refused;
	batch.context = ovly;
	sync->synced = epoch;
	sync->installed = 0;
	for (node = rb_first(&ovly->routes); node; node = rb_next(node)) {
		route = rb_entry(node, struct ovly_route, node);
		if (!route->queued)
			ovly_sync_route(&batch, route);
		cond_resched();
	}
	ovly_sync_end(&batch);
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

static void ovly_sync_peer(struct ovly_sync_batch *batch, const struct ovly_peer *peer)
{
	struct ovly_route *route;

	list_for_each_entry(route, &peer->routes, list) {
		if (!route->queued)
			ovly_sync_route(batch, route);
		cond_resched();
	}
}

static void ovly_sync_work(struct work_struct *work)
{
	struct ovly_dev *ovly = container_of(work, struct ovly_dev, sync.work);
	struct ovly_sync_batch batch;
	struct ovly_peer *peer, *other;

	mutex_lock(&ovly->lock);
	if (!ovly->dead) {
		ovly_sync_settle(ovly);
		ovly_sync_begin(&batch, ovly);
		while ((peer = ovly_peer_pop_turned(ovly))) {
			ovly_path_follow_endpoints(peer);
			ovly_sync_peer(&batch, peer);
			/* Theirs may follow a policy that looks at this one. */
			list_for_each_entry(other, &peer->backs, backed_by)
				if (READ_ONCE(other->on_down) == OVLY_ON_DOWN_WITHDRAW)
					ovly_sync_peer(&batch, other);
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
