// SPDX-License-Identifier: GPL-2.0
/*
 * The outer addresses of a peer and their throw routes.
 *
 * A throw route has to outlive its path: while a peer is down its routes are
 * held, they may cover its own endpoint, and IKE must still get there.  So a peer
 * remembers the endpoints it used last.
 */
#include "endpoint.h"

#include <linux/slab.h>

#include "device.h"
#include "guard.h"
#include "peer.h"
#include "route.h"

/* Endpoints without a path that a peer remembers. */
#define OVLY_ENDPOINTS_IDLE	4

static bool ovly_endpoint_is_in_table(const struct ovly_route *route)
{
	for (; route; route = ovly_route_next_owner(route))
		if (ovly_sync_may_be_there(route))
			return true;
	return false;
}

/* A peer owns a route to exactly this endpoint: whoever taught it, the tunnel
 * comes first.
 */
static bool ovly_endpoint_evict(struct ovly_peer *peer, const struct ovly_ip *ip)
{
	struct ovly_route_key key = {
		.dst = *ip,
		.len = ovly_ip_bits(ip->family),
		.metric = ovly_guard_throw_metric(ip->family),
	};
	struct ovly_route *route = ovly_route_find(peer->ovly, &key);
	struct ovly_sync_batch batch;

	/* One that the table does not have is in nobody's way. */
	if (!route || route->system || !ovly_endpoint_is_in_table(route))
		return false;
	ovly_sync_begin(&batch, peer->ovly);
	do {
		net_warn_ratelimited("%s: peer %s: gives up its route to the endpoint of peer %s\n",
				     netdev_name(peer->ovly->dev), route->peer->name, peer->name);
		ovly_sync_remove(&batch, route);
		route = ovly_route_find(peer->ovly, &key);
	} while (route);
	ovly_sync_end(&batch);
	return true;
}

static int ovly_endpoint_throw(struct ovly_peer *peer, struct ovly_endpoint *ep, bool insist)
{
	const struct ovly_sync *sync = &peer->ovly->sync;
	int err;

	if (!sync->guarded)
		return 0;
	err = ovly_guard_throw_get(sync->guard, sync->table, &ep->ip, false);
	/* If the table has lost it, it is not to come back and replace the throw. */
	if ((!err || err == -EEXIST) && ovly_endpoint_evict(peer, &ep->ip) && err)
		err = ovly_guard_throw_get(sync->guard, sync->table, &ep->ip, false);
	if (err == -EEXIST && insist)
		err = ovly_guard_throw_get(sync->guard, sync->table, &ep->ip, true);
	if (err)
		return err;
	ep->guard = sync->guard;
	ep->table = sync->table;
	return 0;
}

static void ovly_endpoint_unthrow(struct ovly_endpoint *ep)
{
	if (ep->guard)
		ovly_guard_throw_put(ep->guard, ep->table, &ep->ip);
	ep->guard = NULL;
}

static void ovly_endpoint_free(struct ovly_endpoint *ep)
{
	ovly_endpoint_unthrow(ep);
	list_del(&ep->list);
	kfree(ep);
}

/**
 * ovly_endpoint_get() - a path leads to an outer address
 * @peer: the peer, its device locked
 * @ip: the address
 * @insist: it does so already, see ovly_guard_throw_get()
 * @ep: set to the peer's record of it
 *
 * Context: may sleep, takes RTNL.
 * Return: 0, or an error if there can be no throw route
 */
int ovly_endpoint_get(struct ovly_peer *peer, const struct ovly_ip *ip, bool insist,
		      struct ovly_endpoint **ep)
{
	struct ovly_endpoint *e;
	int err;

	lockdep_assert_held(&peer->ovly->lock);
	list_for_each_entry(e, &peer->endpoints, list) {
		if (!ovly_ip_eq(&e->ip, ip))
			continue;
		err = e->guard ? 0 : ovly_endpoint_throw(peer, e, insist);
		if (err)
			return err;
		list_move(&e->list, &peer->endpoints);
		goto out;
	}
	e = kzalloc(sizeof(*e), GFP_KERNEL_ACCOUNT);
	if (!e)
		return -ENOMEM;
	e->ip = *ip;
	err = ovly_endpoint_throw(peer, e, insist);
	if (err) {
		kfree(e);
		return err;
	}
	list_add(&e->list, &peer->endpoints);
out:
	e->paths++;
	*ep = e;
	return 0;
}

/**
 * ovly_endpoint_put() - a path leads there no more
 * @peer: the peer, its device locked
 * @ep: the peer's record, or NULL
 *
 * Context: may sleep, takes RTNL.
 */
void ovly_endpoint_put(struct ovly_peer *peer, struct ovly_endpoint *ep)
{
	struct ovly_endpoint *e, *next;
	unsigned int idle = 0;

	if (!ep)
		return;
	lockdep_assert_held(&peer->ovly->lock);
	ep->paths--;
	list_for_each_entry_safe(e, next, &peer->endpoints, list)
		if (!e->paths && ++idle > OVLY_ENDPOINTS_IDLE)
			ovly_endpoint_free(e);
}

/**
 * ovly_endpoint_rehome_all() - the device's routes are in another table now
 * @peer: the peer, its device locked
 *
 * Context: may sleep, takes RTNL.
 */
void ovly_endpoint_rehome_all(struct ovly_peer *peer)
{
	struct ovly_endpoint *e;

	list_for_each_entry(e, &peer->endpoints, list) {
		ovly_endpoint_unthrow(e);
		if (ovly_endpoint_throw(peer, e, true))
			net_err_ratelimited("%s: peer %s: no throw route for its endpoint in table %u\n",
					    netdev_name(peer->ovly->dev), peer->name,
					    peer->ovly->sync.table);
	}
}

/**
 * ovly_endpoint_retry_all() - guard those that could not be when the table changed
 * @peer: the peer, its device locked
 *
 * Context: may sleep, takes RTNL.
 */
void ovly_endpoint_retry_all(struct ovly_peer *peer)
{
	struct ovly_endpoint *e;

	list_for_each_entry(e, &peer->endpoints, list)
		if (!e->guard)
			ovly_endpoint_throw(peer, e, true);
}

/* Context: the peer has no paths any more; may sleep, takes RTNL. */
void ovly_endpoint_forget_all(struct ovly_peer *peer)
{
	struct ovly_endpoint *e, *next;

	list_for_each_entry_safe(e, next, &peer->endpoints, list)
		ovly_endpoint_free(e);
}
