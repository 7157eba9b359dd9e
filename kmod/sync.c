// SPDX-License-Identifier: GPL-2.0
/*
 * Makes the routing table what the peers' routes say: a group of routes with one
 * prefix and metric is one entry.
 *
 * Requests do that for their own routes at once, so that an answer says what the
 * table said; settle.c does it for all where the kernel dropped them.
 */
#include "sync.h"

#include <linux/rtnetlink.h>

#include "device.h"
#include "fib.h"
#include "guard.h"
#include "net.h"
#include "peer.h"
#include "route.h"

/* Is the route in the table, as far as is known? */
bool ovly_sync_installed(const struct ovly_route *route)
{
	return route->epoch && route->epoch == route->peer->ovly->sync.synced;
}

static bool ovly_sync_before(u32 a, u32 b)
{
	return (s32)(a - b) < 0;
}

/* May the table have the route, if only what is left of it? */
bool ovly_sync_may_be_there(const struct ovly_route *route)
{
	return route->maybe || ovly_sync_installed(route) ||
	       (route->epoch &&
		!ovly_sync_before(route->epoch, READ_ONCE(route->peer->ovly->sync.dropped)));
}

static bool ovly_sync_wanted(const struct ovly_route *route)
{
	const struct ovly_peer *peer = route->peer;

	if (route->doomed || !netif_running(peer->ovly->dev) ||
	    (peer->routes_disabled && ovly_route_is_taught(route)))
		return false;
	return READ_ONCE(peer->on_down) == OVLY_ON_DOWN_HOLD || peer->reached;
}

/* The address that is the next hop of a peer's routes. */
static const struct ovly_ip *ovly_sync_nexthop(const struct ovly_route *route)
{
	const struct ovly_ip *ip = ovly_peer_addr(route->peer, route->key.dst.family);

	return ip ?: ovly_peer_addr(route->peer, AF_INET6);
}

/* The table's entry for a group: prefix and what does not depend on owners. */
void ovly_sync_fib_key(const struct ovly_route *head, struct ovly_fib_route *fib)
{
	const struct ovly_dev *ovly = head->peer->ovly;

	*fib = (struct ovly_fib_route) {
		.dst = head->key.dst,
		.dst_len = head->key.len,
		.metric = head->key.metric,
		.table = ovly->sync.table,
		.oif = ovly->sync.oif,
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
	u8 scope = RT_SCOPE_UNIVERSE;

	ovly_sync_fib_key(head, fib);
	/* The first that stays gives protocol and scope. */
	for (route = head; route; route = ovly_route_next_owner(route)) {
		if (route->sent) {
			fib->protocol = route->protocol;
			scope = route->peer->scope;
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
	/* IPv6 routes have none. */
	fib->scope = head->key.dst.family == AF_INET ? scope : RT_SCOPE_UNIVERSE;
	fib->onlink = true;
}

/* Notes since when the table has a route; 0 if it has not. */
void ovly_sync_note(struct ovly_route *route, u32 epoch)
{
	struct ovly_sync *sync = &route->peer->ovly->sync;

	sync->installed -= ovly_sync_installed(route);
	route->epoch = epoch;
	route->maybe = false;
	sync->installed += ovly_sync_installed(route);
}

/* Of a group the table has what is marked as sent, those since @epoch that it had
 * not before, and what was replaced is gone.
 */
static void ovly_sync_settled(struct ovly_route *head, u32 epoch)
{
	struct ovly_route *route, *next;

	for (route = head; route; route = next) {
		next = ovly_route_next_owner(route);
		if (!route->sent)
			ovly_sync_note(route, 0);
		else if (epoch)
			ovly_sync_note(route, epoch);
		if (route->named)
			route->stamp = route->peer->ovly->sweep_clock;
		route->named = false;
		route->stale = false;
		route->fresh = false;
		if (route->doomed) {
			ovly_route_unlink(route);
			ovly_route_free(route);
		}
	}
}

/* The kernel has dropped the device's routes while a group was sent. */
static void ovly_sync_overtaken(struct ovly_route *head)
{
	struct ovly_route *route;

	for (route = head; route; route = ovly_route_next_owner(route)) {
		ovly_sync_note(route, 0);
		route->maybe = route->sent;
	}
	ovly_sync_settled(head, 0);
}

/* The table has refused a group: it is as it was before the request. */
static void ovly_sync_undo(struct ovly_route *head)
{
	struct ovly_route *route, *next;

	for (route = head; route; route = next) {
		next = ovly_route_next_owner(route);
		route->doomed = false;
		if (route->named)
			route->protocol = route->previous;
		route->named = false;
		if (ovly_sync_installed(route))
			route->err = 0;
		if (route->fresh) {
			ovly_route_unlink(route);
			ovly_route_free(route);
		}
	}
}

static void ovly_sync_done(void *context, void *entry, enum ovly_fib_op op, int err)
{
	struct ovly_sync_batch *batch = context;
	const struct ovly_sync *sync = &batch->ovly->sync;
	struct ovly_route *head = entry, *route;

	/* A route that is gone already is as good as deleted. */
	if (op == OVLY_FIB_DEL)
		return;

	for (route = head; route; route = ovly_route_next_owner(route)) {
		route->queued = false;
		route->err = -err;
	}
	if (!err && ovly_sync_before(batch->epoch, READ_ONCE(sync->dropped))) {
		ovly_sync_overtaken(head);
		return;
	}
	if (!err) {
		ovly_sync_settled(head, batch->epoch);
		return;
	}
	/* Went down or away meanwhile: the notifier has the worker try again. */
	if (err == -ENETDOWN || !netif_running(batch->ovly->dev) ||
	    !net_eq(dev_net(batch->ovly->dev), batch->fib->fib->net)) {
		for (route = head; route; route = ovly_route_next_owner(route))
			route->sent = false;
		ovly_sync_settled(head, 0);
		return;
	}
	if (batch->refused)
		batch->refused(batch->context, head, err);
	ovly_sync_undo(head);
}

static void ovly_sync_sending(void *context)
{
	struct ovly_sync_batch *batch = context;

	batch->epoch = atomic_read(&batch->ovly->sync.epoch);
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
	struct ovly_guard *guard = ovly->sync.guard;

	lockdep_assert_held(&ovly->lock);
	/* Where the table is, even if the device has just left. */
	if (!guard)
		guard = &ovly_net(dev_net(ovly->dev))->guard;
	batch->ovly = ovly;
	batch->refused = NULL;
	batch->fib = ovly_fib_batch_new(guard->fib, ovly_sync_done, batch);
	batch->fib->sending = ovly_sync_sending;
}

/* The group behind that of @head with the same prefix and another metric, or NULL. */
static struct ovly_route *ovly_sync_next_metric(const struct ovly_route *head)
{
	const struct ovly_route *last = head, *next;
	struct ovly_route *other;

	while ((next = ovly_route_next_owner(last)))
		last = next;
	other = ovly_route_next(last);
	return other && other->key.len == head->key.len &&
	       ovly_ip_eq(&other->key.dst, &head->key.dst) ? other : NULL;
}

/* Brings the entry of a group up to date that may have gone by accident. */
static void ovly_sync_repair(struct ovly_sync_batch *batch, struct ovly_route *head)
{
	struct ovly_route *owner;
	bool there = false;

	for (owner = head; owner; owner = ovly_route_next_owner(owner))
		there |= ovly_sync_may_be_there(owner);
	if (!there)
		return;
	for (owner = head; owner; owner = ovly_route_next_owner(owner))
		owner->tag = OVLY_ROUTE_UNASKED;
	head->stale = true;
	ovly_sync_route(batch, head);
}

/* Deletes the table's entry of a group, which is not queued.
 *
 * In IPv4 metric 0 matches any.  If somebody else has taken the entry already, the one
 * with the lowest metric that is there goes in its place, whichever that is.
 */
static void ovly_sync_delete(struct ovly_sync_batch *batch, const struct ovly_route *head)
{
	bool any = !head->key.metric && head->key.dst.family == AF_INET;
	struct ovly_route *other;
	struct ovly_fib_route fib;

	for (other = any ? ovly_sync_next_metric(head) : NULL; other;
	     other = ovly_sync_next_metric(other)) {
		if (other->queued) {
			ovly_fib_batch_commit(batch->fib);
			break;
		}
	}
	ovly_sync_fib_key(head, &fib);
	ovly_fib_batch_add(batch->fib, OVLY_FIB_DEL, &fib, NULL);
	/* Anew: what was queued may have been refused. */
	for (other = any ? ovly_sync_next_metric(head) : NULL; other;
	     other = ovly_sync_next_metric(other))
		ovly_sync_repair(batch, other);
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
		ovly_sync_settled(head, 0);
		return;
	}
	ovly_sync_fib_route(head, &fib);
	for (route = head; route; route = ovly_route_next_owner(route))
		route->queued = true;
	/* Take over only what was this device's all the time. */
	ovly_fib_batch_add(batch->fib, there ? OVLY_FIB_REPLACE : OVLY_FIB_ADD, &fib, head);
}

/* Takes a route out of its group.  Returns another one of it that has the table's
 * entry from now on, or NULL if there is none.
 */
static struct ovly_route *ovly_sync_hand_over(struct ovly_route *route)
{
	struct ovly_route *other;

	if (!ovly_route_is_shared(route))
		return NULL;
	other = ovly_route_next_owner(route) ?: ovly_route_head(route);
	if (!ovly_sync_may_be_there(route))
		return other;
	if (!ovly_sync_may_be_there(other)) {
		ovly_sync_note(other, route->epoch);
		other->maybe = route->maybe;
	}
	other->stale = true;
	return other;
}

static void ovly_sync_free(struct ovly_route *route)
{
	ovly_sync_note(route, 0);
	ovly_route_unlink(route);
	ovly_route_free(route);
}

/**
 * ovly_sync_remove() - take a route from its peer and from the table
 * @batch: the batch
 * @route: the route; freed
 */
void ovly_sync_remove(struct ovly_sync_batch *batch, struct ovly_route *route)
{
	struct ovly_route *other;

	if (route->queued)
		ovly_fib_batch_commit(batch->fib);
	other = ovly_sync_hand_over(route);
	if (!other && ovly_sync_may_be_there(route))
		ovly_sync_delete(batch, route);
	ovly_sync_free(route);
	if (other)
		ovly_sync_route(batch, other);
}

/**
 * ovly_sync_set_aside() - take a route from its peer, and leave the table alone
 * @batch: the batch
 * @route: the route, as all of its group; &ovly_route.maybe says from now on
 *	whether the table may have it.  The caller frees it or puts it back.
 */
void ovly_sync_set_aside(struct ovly_sync_batch *batch, struct ovly_route *route)
{
	bool there;

	if (route->queued)
		ovly_fib_batch_commit(batch->fib);
	there = ovly_sync_may_be_there(route);
	ovly_sync_note(route, 0);
	route->maybe = there;
	ovly_route_unlink(route);
}

/* What ovly_sync_set_aside() took is its peer's again; the caller hands it to
 * ovly_sync_route() if it is not queued already.
 */
void ovly_sync_put_back(struct ovly_route *route)
{
	ovly_route_relink(route);
	route->stale = true;
}

/* The entry of a route that is set aside is this one's, and is to change. */
void ovly_sync_inherit(struct ovly_route *heir, const struct ovly_route *route)
{
	heir->maybe |= route->maybe;
}

static bool ovly_sync_sweep_one(struct ovly_sync_batch *batch, struct ovly_route *route,
				const struct ovly_route_filter *filter)
{
	cond_resched();
	if (route->system || !ovly_route_matches(route, filter))
		return false;
	ovly_sync_remove(batch, route);
	return true;
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
	struct ovly_route *route, *next;
	u32 n = 0;

	if (filter->peer) {
		list_for_each_entry_safe(route, next, &filter->peer->routes, list)
			n += ovly_sync_sweep_one(batch, route, filter);
		return n;
	}
	for (route = rb_entry_safe(rb_first(&batch->ovly->routes), struct ovly_route, node);
	     route; route = next) {
		next = ovly_route_next(route);
		n += ovly_sync_sweep_one(batch, route, filter);
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
