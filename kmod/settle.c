// SPDX-License-Identifier: GPL-2.0
/*
 * Where a device's routes belong, and when the table has to be looked at as a
 * whole.
 *
 * The kernel drops a device's routes when it goes down, loses its last IPv4
 * address or IPv6, enters a VRF or moves to another network namespace.  Notifiers run
 * under RTNL and only note that (ovly_sync_lost(), O(1)); a worker compares what
 * is wanted with what is there and sends the difference.
 */
#include "sync.h"

#include <linux/rtnetlink.h>
#include <net/addrconf.h>
#include <net/l3mdev.h>

#include "device.h"
#include "endpoint.h"
#include "fib.h"
#include "guard.h"
#include "net.h"
#include "path.h"
#include "peer.h"
#include "route.h"

/* Between two looks whether a device has IPv6 again. */
#define OVLY_SYNC_IPV6_DELAY	HZ

/* A table that packets reach through a rule of its own; in a VRF outer packets
 * do not come by, and in main a throw route would end the lookup.
 */
static bool ovly_sync_table_by_rule(bool vrf, u32 table)
{
	return !vrf && table != RT_TABLE_MAIN && table != RT_TABLE_DEFAULT &&
	       table != RT_TABLE_LOCAL;
}

static struct ovly_net *ovly_sync_net(const struct ovly_sync *sync)
{
	return container_of(sync->guard, struct ovly_net, guard);
}

/* Gives up the table that was used so far.  The kernel has dropped what was in it,
 * but for what was on its way meanwhile.  With the device in another namespace
 * nothing can have stayed behind.
 */
static void ovly_sync_leave_table(struct ovly_dev *ovly, bool same_net)
{
	struct ovly_sync *sync = &ovly->sync;
	struct ovly_sync_batch batch;
	struct ovly_fib_route fib;
	struct ovly_route *route;

	ovly_sync_begin(&batch, ovly);
	for (route = rb_entry_safe(rb_first(&ovly->routes), struct ovly_route, node); route;
	     route = ovly_route_next(route)) {
		cond_resched();
		if (same_net && ovly_sync_may_be_there(route)) {
			ovly_sync_fib_key(route, &fib);
			ovly_fib_batch_add(batch.fib, OVLY_FIB_DEL, &fib, NULL);
		}
		ovly_sync_note(route, 0);
	}
	ovly_sync_end(&batch);
	if (sync->ruled)
		ovly_guard_rule_put(sync->guard, sync->table);
	sync->ruled = false;
}

/* Do the device's routes still belong where they did? */
static bool ovly_sync_in_place(const struct ovly_dev *ovly)
{
	const struct ovly_sync *sync = &ovly->sync;
	bool in_place;
	u32 vrf;

	rcu_read_lock();
	vrf = l3mdev_fib_table_rcu(ovly->dev);
	in_place = sync->guard == &ovly_net(dev_net(ovly->dev))->guard &&
		   sync->oif == READ_ONCE(ovly->dev->ifindex) &&
		   sync->table == (vrf ?: ovly->table) &&
		   sync->guarded == ovly_sync_table_by_rule(vrf, ovly->table);
	rcu_read_unlock();
	return in_place;
}

/* Notes where the device's routes belong now, if that is another table or number:
 * leaves the table that was used, and holds the throw routes in the new one.  For
 * the worker only, who may do so in any namespace.
 */
static void ovly_sync_follow(struct ovly_dev *ovly)
{
	struct ovly_sync *sync = &ovly->sync;
	struct ovly_net *at, *left = sync->guard ? ovly_sync_net(sync) : NULL;
	struct ovly_peer *peer;
	unsigned long id;
	u32 vrf;
	int oif;

	if (ovly_sync_in_place(ovly))
		return;
	/* Namespace and number change one after the other. */
	rtnl_lock();
	at = ovly_net(dev_net(ovly->dev));
	ovly_net_hold(at);
	oif = ovly->dev->ifindex;
	vrf = l3mdev_fib_table(ovly->dev);
	rtnl_unlock();

	if (left)
		ovly_sync_leave_table(ovly, left == at);
	sync->guard = &at->guard;
	sync->oif = oif;
	sync->table = vrf ?: ovly->table;
	sync->guarded = ovly_sync_table_by_rule(vrf, ovly->table);
	ovly_guard_follow(sync->guard);
	xa_for_each(&ovly->peers, id, peer)
		ovly_endpoint_rehome_all(peer);
	/* Nothing refers to it any more, no rule and no throw route. */
	if (left)
		ovly_net_release(left);
}

/* Holds the rule to the table while the device is up. */
static void ovly_sync_hold_rule(struct ovly_dev *ovly)
{
	struct ovly_sync *sync = &ovly->sync;
	bool up = netif_running(ovly->dev);

	if (sync->ruled == (sync->guarded && up))
		return;
	if (sync->ruled)
		ovly_guard_rule_put(sync->guard, sync->table);
	else
		ovly_guard_rule_get(sync->guard, sync->table);
	sync->ruled = !sync->ruled;
}

/* Has a look later whether the device has IPv6.  Returns false if that is due. */
static bool ovly_sync_ipv6_await(struct ovly_dev *ovly)
{
	return ovly_device_queue_delayed(&ovly->sync.ipv6, OVLY_SYNC_IPV6_DELAY);
}

static void ovly_sync_refused(void *context, const struct ovly_route *route, int err)
{
	struct ovly_dev *ovly = context;

	if (err == -EACCES && route->key.dst.family == AF_INET6)
		ovly_sync_ipv6_await(ovly);
	net_warn_ratelimited("%s: peer %s: table %u refuses a route of it: error %d\n",
			     netdev_name(ovly->dev), route->peer->name, ovly->sync.table, err);
}

/* As ovly_sync_begin(), for routes that no request waits for. */
static void ovly_sync_begin_all(struct ovly_sync_batch *batch, struct ovly_dev *ovly)
{
	ovly_sync_begin(batch, ovly);
	batch->refused = ovly_sync_refused;
	batch->context = ovly;
}

/**
 * ovly_sync_settle() - bring the whole table up to date, if need be
 * @ovly: the device, locked
 *
 * Context: may sleep, takes RTNL.
 * Return: false, with nothing done, if the worker has to find the place of the
 * routes first
 */
bool ovly_sync_settle(struct ovly_dev *ovly)
{
	struct ovly_sync *sync = &ovly->sync;
	struct ovly_sync_batch batch;
	struct ovly_route *route;
	struct ovly_peer *peer;
	struct rb_node *node;
	unsigned long id;
	u32 epoch;

	lockdep_assert_held(&ovly->lock);
	epoch = atomic_read(&sync->epoch);
	if (!ovly_sync_in_place(ovly))
		return false;
	ovly_sync_hold_rule(ovly);
	if (sync->synced == epoch)
		return true;

	/* Before anything may lead there. */
	xa_for_each(&ovly->peers, id, peer) {
		ovly_endpoint_retry_all(peer);
		ovly_path_follow_endpoints(peer);
		cond_resched();
	}
	ovly_sync_begin_all(&batch, ovly);
	sync->synced = epoch;
	/* Some may have got there since. */
	sync->installed = 0;
	for (node = rb_first(&ovly->routes); node; node = rb_next(node)) {
		sync->installed += ovly_sync_installed(rb_entry(node, struct ovly_route, node));
		cond_resched();
	}
	for (node = rb_first(&ovly->routes); node; node = rb_next(node)) {
		route = rb_entry(node, struct ovly_route, node);
		if (!route->queued)
			ovly_sync_route(&batch, route);
		cond_resched();
	}
	ovly_sync_end(&batch);
	return true;
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

/* Notes the state that a peer's routes go by.  A failover leaves them alone, however
 * many there are, unless its policy is to withdraw them.
 */
static void ovly_sync_note_reached(struct ovly_peer *peer)
{
	bool reached = ovly_peer_is_reachable(peer);

	if (reached != peer->reached && READ_ONCE(peer->on_down) == OVLY_ON_DOWN_WITHDRAW)
		peer->reconsider = true;
	peer->reached = reached;
}

/* Has a peer's routes follow its state. */
static void ovly_sync_peer(struct ovly_sync_batch *batch, struct ovly_peer *peer)
{
	struct ovly_route *route;

	if (!peer->reconsider)
		return;
	peer->reconsider = false;
	list_for_each_entry(route, &peer->routes, list) {
		if (!route->queued)
			ovly_sync_route(batch, route);
		cond_resched();
	}
}

/* Has all that goes by a peer's state follow it: its routes, and those of the peers
 * that it backs.
 */
static void ovly_sync_turn(struct ovly_sync_batch *batch, struct ovly_peer *peer)
{
	struct ovly_peer *other;

	/* What is queued may be taken away here. */
	ovly_sync_commit(batch);
	ovly_path_follow_endpoints(peer);
	/* All first, as they may share routes, which are looked at once. */
	ovly_sync_note_reached(peer);
	list_for_each_entry(other, &peer->backs, backed_by)
		ovly_sync_note_reached(other);
	ovly_sync_peer(batch, peer);
	list_for_each_entry(other, &peer->backs, backed_by)
		ovly_sync_peer(batch, other);
}

/**
 * ovly_sync_turned() - have a peer's routes follow its state now
 * @peer: the peer, its device locked and the table up to date
 *
 * For who cannot wait for the worker, which looks again.
 *
 * Context: may sleep, takes RTNL.
 */
void ovly_sync_turned(struct ovly_peer *peer)
{
	struct ovly_sync_batch batch;

	ovly_sync_begin_all(&batch, peer->ovly);
	ovly_sync_turn(&batch, peer);
	ovly_sync_end(&batch);
}

static void ovly_sync_work(struct work_struct *work)
{
	struct ovly_dev *ovly = container_of(work, struct ovly_dev, sync.work);
	struct ovly_sync_batch batch;
	struct ovly_peer *peer;

	mutex_lock(&ovly->lock);
	if (!ovly->dead) {
		ovly_sync_follow(ovly);
		/* If it has moved on since, the notifier has queued this again. */
		ovly_sync_settle(ovly);
		ovly_sync_begin_all(&batch, ovly);
		while ((peer = ovly_peer_pop_turned(ovly)))
			ovly_sync_turn(&batch, peer);
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

static void ovly_sync_ipv6_work(struct work_struct *work)
{
	struct ovly_dev *ovly = container_of(to_delayed_work(work), struct ovly_dev, sync.ipv6);
	bool off = false, on = false;

#if IS_ENABLED(CONFIG_IPV6)
	const struct inet6_dev *idev;

	rcu_read_lock();
	idev = __in6_dev_get(ovly->dev);
	off = idev && READ_ONCE(idev->cnf.disable_ipv6);
	on = idev && !off;
	rcu_read_unlock();
#endif
	if (READ_ONCE(ovly->dead))
		return;
	if (on)
		ovly_sync_lost(ovly);
	else if (off)
		ovly_sync_ipv6_await(ovly);
}

/**
 * ovly_sync_ipv6_off() - IPv6 was switched off on the device (disable_ipv6)
 * @ovly: the device
 *
 * The kernel takes all IPv6 routes away then, and refuses new ones.  Nobody is told
 * when it is on again.
 *
 * Context: any.
 */
void ovly_sync_ipv6_off(struct ovly_dev *ovly)
{
	if (!READ_ONCE(ovly->dead) && ovly_sync_ipv6_await(ovly))
		ovly_sync_lost(ovly);
}

void ovly_sync_init(struct ovly_dev *ovly)
{
	INIT_WORK(&ovly->sync.work, ovly_sync_work);
	INIT_DELAYED_WORK(&ovly->sync.ipv6, ovly_sync_ipv6_work);
	/* 0 is "never", see &ovly_route.epoch. */
	atomic_set(&ovly->sync.epoch, 1);
}

/* Context: the device is dead and its peers are gone. */
void ovly_sync_exit(struct ovly_dev *ovly)
{
	struct ovly_sync *sync = &ovly->sync;

	if (!sync->guard)
		return;
	if (sync->ruled)
		ovly_guard_rule_put(sync->guard, sync->table);
	sync->ruled = false;
	ovly_net_release(ovly_sync_net(sync));
	sync->guard = NULL;
}
