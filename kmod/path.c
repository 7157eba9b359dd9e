// SPDX-License-Identifier: GPL-2.0
/*
 * Paths: which tunnels a peer has and which of them takes its packets.
 *
 * The active path is the usable one with the lowest priority, the newest among
 * equals.  Choosing is a pointer swap under &ovly_net.path_lock, whoever causes
 * it: a request, or an SA that comes, expires or is deleted.  Not one route is
 * touched.  Packets follow &ovly_peer.active under RCU; a path is freed a grace
 * period after it was taken out of the arrays and of its peer.
 */
#include "path.h"

#include <linux/jiffies.h>
#include <linux/slab.h>
#include <net/netlink.h>

#include "coexist.h"
#include "device.h"
#include "endpoint.h"
#include "net.h"
#include "notify.h"
#include "peer.h"
#include "sa.h"
#include "sync.h"
#include "trace.h"
#include "underlay.h"

static struct ovly_net *ovly_path_net(const struct ovly_path *path)
{
	return ovly_net(path->peer->ovly->net);
}

/* Is @a to be preferred to @b, which may be NULL? */
static bool ovly_path_better(const struct ovly_path *a, const struct ovly_path *b)
{
	if (!a->sa_out)
		return false;
	if (!b)
		return true;
	if (a->priority != b->priority)
		return a->priority < b->priority;
	return a->serial > b->serial;
}

static void ovly_path_enter(struct ovly_path *path, enum ovly_path_state state)
{
	u32 old = path->state;

	if (old == state)
		return;
	trace_ovly_path_state(path, state);
	WRITE_ONCE(path->state, state);
	path->since = get_jiffies_64();
	if (old == OVLY_PATH_DOWN)
		ovly_notify_path_locked(path, OVLY_EVENT_PATH_UP);
	else if (state == OVLY_PATH_DOWN)
		ovly_notify_path_locked(path, OVLY_EVENT_PATH_DOWN);
}

static void ovly_peer_activate(struct ovly_peer *peer, struct ovly_path *old,
			       struct ovly_path *new)
{
	struct ovly_dev *ovly = peer->ovly;

	trace_ovly_peer_active(peer, ovly->dev, old, new);
	rcu_assign_pointer(peer->active, new);
	if (old && new) {
		ovly_notify_peer_locked(peer, OVLY_EVENT_PATH_ACTIVE);
		return;
	}
	peer->since = get_jiffies_64();
	if (new) {
		peer->transitions++;
		WRITE_ONCE(ovly->peers_up, ovly->peers_up + 1);
		ovly_notify_peer_locked(peer, OVLY_EVENT_PEER_UP);
	} else {
		WRITE_ONCE(ovly->peers_up, ovly->peers_up - 1);
		ovly_notify_peer_locked(peer, OVLY_EVENT_PEER_DOWN);
	}
	/* Some of those that it backs may have that policy: the worker looks. */
	if (READ_ONCE(peer->on_down) == OVLY_ON_DOWN_WITHDRAW ||
	    READ_ONCE(ovly->carrier_follows) || !list_empty_careful(&peer->backs))
		ovly_peer_turn(peer);
}

/* Chooses the active path anew. */
static void ovly_peer_select(struct ovly_peer *peer)
{
	struct ovly_net *on = ovly_net(peer->ovly->net);
	struct ovly_path *path, *best = NULL, *old;

	lockdep_assert_held(&on->path_lock);
	list_for_each_entry(path, &peer->paths, list)
		if (ovly_path_better(path, best))
			best = path;
	list_for_each_entry(path, &peer->paths, list)
		ovly_path_enter(path, path == best ? OVLY_PATH_ACTIVE :
				path->sa_out ? OVLY_PATH_STANDBY : OVLY_PATH_DOWN);

	old = rcu_dereference_protected(peer->active, lockdep_is_held(&on->path_lock));
	if (old != best)
		ovly_peer_activate(peer, old, best);
	ovly_net_changed(peer->ovly->dev);
}

static void ovly_path_recount(struct ovly_net *on, struct ovly_path *path)
{
	struct ovly_ip previous = path->endpoint;

	if (!ovly_sa_count(on, path))
		return;
	/* Now those count that had moved before the newest did. */
	ovly_sa_count(on, path);
	if (previous.family)
		ovly_notify_endpoint_locked(path, &previous);
	ovly_peer_turn(path->peer);
}

/**
 * ovly_path_sas_changed() - an SA with an if_id came or went
 * @on: the namespace of the SAs
 * @if_id: the id
 *
 * Context: the caller holds &ovly_net.path_lock.
 */
void ovly_path_sas_changed(struct ovly_net *on, u32 if_id)
{
	struct ovly_path *in = xa_load(&on->paths_in, if_id);
	struct ovly_path *out = xa_load(&on->paths_out, if_id);

	lockdep_assert_held(&on->path_lock);
	if (in)
		ovly_path_recount(on, in);
	if (out && out != in)
		ovly_path_recount(on, out);
	if (in)
		ovly_peer_select(in->peer);
	if (out && (!in || out->peer != in->peer))
		ovly_peer_select(out->peer);
}

/**
 * ovly_path_set_endpoint() - a path leads to another outer address
 * @path: the path
 * @ip: the address
 *
 * Context: the caller holds &ovly_net.path_lock.
 */
void ovly_path_set_endpoint(struct ovly_path *path, const struct ovly_ip *ip)
{
	write_seqcount_begin(&path->endpoint_seq);
	path->endpoint = *ip;
	write_seqcount_end(&path->endpoint_seq);
}

/**
 * ovly_path_leads_to() - is this SA the path's own?
 * @path: the path
 * @addr: the SA's address on the peer's side
 * @family: its family
 *
 * An if_id alone does not tell: IKE daemons hand out the same ones again.
 *
 * Context: RCU read side.
 */
bool ovly_path_leads_to(const struct ovly_path *path, const xfrm_address_t *addr, u16 family)
{
	struct ovly_ip endpoint;
	unsigned int seq;

	do {
		seq = read_seqcount_begin(&path->endpoint_seq);
		endpoint = path->endpoint;
	} while (read_seqcount_retry(&path->endpoint_seq, seq));
	if (!endpoint.family)
		return true;
	if (endpoint.family != family)
		return false;
	return family == AF_INET ? endpoint.v4 == addr->a4 :
				   ipv6_addr_equal(&endpoint.v6, &addr->in6);
}

/**
 * struct ovly_path_parts - what a path needs and may fail to get
 * @remote_id: copy of the identity, or NULL
 * @ep: the peer's record of the endpoint, or NULL
 * @underlay: the underlay, or NULL
 */
struct ovly_path_parts {
	char *remote_id;
	struct ovly_endpoint *ep;
	struct ovly_underlay *underlay;
};

/* Sets what @conf gives; the parts it replaces are left in @parts. */
static void ovly_path_apply(struct ovly_path *path, const struct ovly_path_conf *conf,
			    struct ovly_path_parts *parts)
{
	if (conf->has_underlay)
		parts->underlay = rcu_replace_pointer(path->underlay, parts->underlay, true);
	if (conf->has_priority)
		path->priority = conf->priority;
	if (conf->endpoint.family) {
		ovly_path_set_endpoint(path, &conf->endpoint);
		path->spi_out = 0;
		swap(path->ep, parts->ep);
	}
	if (conf->local.family)
		path->local = conf->local;
	if (conf->label)
		strscpy(path->label, conf->label, sizeof(path->label));
	if (conf->remote_id)
		swap(path->remote_id, parts->remote_id);
}

static int ovly_path_get_endpoint(struct ovly_peer *peer, const struct ovly_path_conf *conf,
				  struct ovly_endpoint **ep, struct netlink_ext_ack *extack)
{
	int err;

	if (!conf->endpoint.family)
		return 0;
	err = ovly_endpoint_get(peer, &conf->endpoint, false, ep);
	if (err == -EEXIST)
		NL_SET_ERR_MSG_MOD(extack,
				   "the table has somebody else's route to the endpoint, where a throw route must be");
	else if (err)
		NL_SET_ERR_MSG_MOD(extack, "no throw route for the endpoint");
	return err;
}

static void ovly_path_put_parts(struct ovly_peer *peer, struct ovly_path_parts *parts)
{
	kfree(parts->remote_id);
	ovly_endpoint_put(peer, parts->ep);
	ovly_underlay_put(ovly_net(peer->ovly->net), parts->underlay);
}

/* Gets all that @conf needs, or nothing. */
static int ovly_path_get_parts(struct ovly_peer *peer, const struct ovly_path_conf *conf,
			       struct ovly_path_parts *parts, struct netlink_ext_ack *extack)
{
	int err;

	memset(parts, 0, sizeof(*parts));
	if (conf->remote_id) {
		parts->remote_id = kstrdup(conf->remote_id, GFP_KERNEL_ACCOUNT);
		if (!parts->remote_id)
			return -ENOMEM;
	}
	if (conf->has_underlay) {
		err = ovly_underlay_get(ovly_net(peer->ovly->net), conf->underlay,
					&parts->underlay);
		if (err == -ENODEV)
			NL_SET_ERR_MSG_MOD(extack, "no device has the index of the underlay");
		if (err)
			goto err_put;
	}
	err = ovly_path_get_endpoint(peer, conf, &parts->ep, extack);
	if (err)
		goto err_put;
	return 0;

err_put:
	ovly_path_put_parts(peer, parts);
	return err;
}

static int ovly_path_check_room(const struct ovly_peer *peer, struct netlink_ext_ack *extack)
{
	if (peer->n_paths < OVLY_PEER_PATHS_MAX)
		return 0;
	NL_SET_ERR_MSG_MOD(extack, "the peer has as many paths as it can");
	return -E2BIG;
}

/* A path that nobody knows of yet. */
static struct ovly_path *ovly_path_make(struct ovly_peer *peer, const struct ovly_path_conf *conf,
					struct netlink_ext_ack *extack)
{
	struct ovly_net *on = ovly_net(peer->ovly->net);
	struct ovly_path_parts parts;
	struct ovly_path *path;
	int err;

	err = ovly_path_check_room(peer, extack);
	if (err)
		return ERR_PTR(err);
	path = kzalloc(sizeof(*path), GFP_KERNEL_ACCOUNT);
	if (!path)
		return ERR_PTR(-ENOMEM);
	err = ovly_path_get_parts(peer, conf, &parts, extack);
	if (err) {
		kfree(path);
		return ERR_PTR(err);
	}
	path->peer = peer;
	path->if_id_in = conf->if_id_in;
	path->if_id_out = conf->if_id_out ?: conf->if_id_in;
	path->priority = OVLY_PATH_PRIORITY_DEFAULT;
	seqcount_spinlock_init(&path->endpoint_seq, &on->path_lock);
	path->since = get_jiffies_64();
	spin_lock_bh(&on->path_lock);
	ovly_path_apply(path, conf, &parts);
	spin_unlock_bh(&on->path_lock);
	return path;
}

/* Context: the path is in no array and no list. */
static void ovly_path_free(struct ovly_path *path)
{
	struct ovly_path_parts parts = {
		.remote_id = path->remote_id,
		.ep = path->ep,
		.underlay = rcu_access_pointer(path->underlay),
	};

	ovly_path_put_parts(path->peer, &parts);
	/* Packets and key manager events may have found it. */
	kfree_rcu(path, rcu);
}

/* Is an id free, or that of @self?  Before anything is done for a path. */
static int ovly_path_check_ids(struct ovly_net *on, const struct ovly_path_conf *conf,
			       const struct ovly_path *self, struct netlink_ext_ack *extack)
{
	const struct ovly_path *in, *out;

	rcu_read_lock();
	in = xa_load(&on->paths_in, conf->if_id_in);
	out = xa_load(&on->paths_out, conf->if_id_out ?: conf->if_id_in);
	rcu_read_unlock();
	if ((!in || in == self) && (!out || out == self))
		return 0;
	NL_SET_ERR_MSG_MOD(extack, "another path has the if-id");
	return -EEXIST;
}

/* Keeps an id for a path that is being made.  Nobody else gets it, and nobody finds
 * anything there yet.
 */
static int ovly_path_reserve(struct xarray *ids, u32 if_id, struct netlink_ext_ack *extack)
{
	int err = xa_insert_bh(ids, if_id, NULL, GFP_KERNEL);

	if (err != -EBUSY)
		return err;
	NL_SET_ERR_MSG_MOD(extack, "another path has the if-id");
	return -EEXIST;
}

static int ovly_path_reserve_both(struct ovly_net *on, const struct ovly_path *path,
				  struct netlink_ext_ack *extack)
{
	int err;

	err = ovly_path_reserve(&on->paths_out, path->if_id_out, extack);
	if (err)
		return err;
	err = ovly_path_reserve(&on->paths_in, path->if_id_in, extack);
	if (err)
		xa_erase_bh(&on->paths_out, path->if_id_out);
	return err;
}

/* Gives a path whose ids are reserved to its peer.  Context: &ovly_net.path_lock. */
static void ovly_path_link(struct ovly_net *on, struct ovly_path *path)
{
	struct ovly_peer *peer = path->peer;

	lockdep_assert_held(&on->path_lock);
	path->serial = ++on->path_serial;
	list_add(&path->list, &peer->paths);
	peer->n_paths++;
	ovly_notify_path_locked(path, OVLY_EVENT_PATH_NEW);
	ovly_path_recount(on, path);
	ovly_peer_select(peer);
	/* Packets find it once it is what it says, and wait for it until then.  Where
	 * something is or is reserved a store takes no memory.
	 */
	xa_store(&on->paths_out, path->if_id_out, path, GFP_ATOMIC);
	xa_store(&on->paths_in, path->if_id_in, path, GFP_ATOMIC);
}

/* Takes a path from its peer, which then has to select.  Context:
 * &ovly_net.path_lock.
 */
static void ovly_path_unlink(struct ovly_net *on, struct ovly_path *path)
{
	lockdep_assert_held(&on->path_lock);
	list_del(&path->list);
	path->peer->n_paths--;
	path->sa_out = 0;
	ovly_path_enter(path, OVLY_PATH_DOWN);
}

/* What came before the path is received now. */
static void ovly_path_release_parked(struct ovly_net *on, struct ovly_path *path)
{
	struct ovly_peer *peer = path->peer;

	/* It would look forged while the routes are withdrawn, also in the name of others. */
	if (READ_ONCE(peer->on_down) == OVLY_ON_DOWN_WITHDRAW || !list_empty(&peer->backs))
		ovly_sync_turned(peer);
	ovly_park_release(&on->park, path);
}

/**
 * ovly_path_new() - give a peer a path
 * @peer: the peer; its device is locked
 * @conf: what the request says
 * @extack: says why not
 *
 * Context: may sleep, takes RTNL.
 * Return: 0 or an error, with nothing changed
 */
int ovly_path_new(struct ovly_peer *peer, const struct ovly_path_conf *conf,
		  struct netlink_ext_ack *extack)
{
	struct ovly_net *on = ovly_net(peer->ovly->net);
	struct ovly_path *path;
	int err;

	lockdep_assert_held(&peer->ovly->lock);
	err = ovly_path_check_ids(on, conf, NULL, extack);
	if (err)
		return err;
	path = ovly_path_make(peer, conf, extack);
	if (IS_ERR(path))
		return PTR_ERR(path);
	err = ovly_path_reserve_both(on, path, extack);
	if (err) {
		ovly_path_free(path);
		return err;
	}
	spin_lock_bh(&on->path_lock);
	ovly_path_link(on, path);
	spin_unlock_bh(&on->path_lock);
	ovly_coexist_warn(on, path->if_id_in, extack);
	ovly_path_release_parked(on, path);
	return 0;
}

/**
 * ovly_path_set() - change a path
 * @path: the path; its device is locked
 * @conf: what the request says; the ids must be the path's
 * @extack: says why not
 *
 * Where it leads, or how it is preferred, makes it the newest; a label does not.
 *
 * Context: may sleep, takes RTNL.
 * Return: 0 or an error, with nothing changed
 */
int ovly_path_set(struct ovly_path *path, const struct ovly_path_conf *conf,
		  struct netlink_ext_ack *extack)
{
	struct ovly_net *on = ovly_path_net(path);
	struct ovly_peer *peer = path->peer;
	struct ovly_path_parts parts;
	struct ovly_ip previous;
	int err;

	lockdep_assert_held(&peer->ovly->lock);
	if (conf->if_id_out && conf->if_id_out != path->if_id_out) {
		NL_SET_ERR_MSG_MOD(extack, "the if-ids of a path do not change");
		return -EINVAL;
	}
	err = ovly_path_get_parts(peer, conf, &parts, extack);
	if (err)
		return err;

	spin_lock_bh(&on->path_lock);
	if (conf->endpoint.family || conf->has_priority || conf->has_underlay)
		path->serial = ++on->path_serial;
	previous = path->endpoint;
	ovly_path_apply(path, conf, &parts);
	if (previous.family && !ovly_ip_eq(&previous, &path->endpoint))
		ovly_notify_endpoint_locked(path, &previous);
	ovly_path_recount(on, path);
	ovly_peer_select(peer);
	spin_unlock_bh(&on->path_lock);
	ovly_path_put_parts(peer, &parts);
	return 0;
}

/**
 * ovly_path_del() - delete a path
 * @path: the path; its device is locked
 *
 * Context: may sleep, takes RTNL.
 */
void ovly_path_del(struct ovly_path *path)
{
	struct ovly_net *on = ovly_path_net(path);

	lockdep_assert_held(&path->peer->ovly->lock);
	xa_erase_bh(&on->paths_in, path->if_id_in);
	xa_erase_bh(&on->paths_out, path->if_id_out);
	spin_lock_bh(&on->path_lock);
	ovly_path_unlink(on, path);
	ovly_peer_select(path->peer);
	ovly_notify_path_locked(path, OVLY_EVENT_PATH_DEL);
	spin_unlock_bh(&on->path_lock);
	ovly_path_free(path);
}

/**
 * ovly_path_move() - an if_id is another peer's now, or goes with another
 * @path: the path that has the inbound id; replaced
 * @peer: the peer it is to lead to, on the same device
 * @conf: what the request says
 * @extack: says why not
 *
 * Context: may sleep, takes RTNL.
 * Return: 0 or an error, with nothing changed
 */
int ovly_path_move(struct ovly_path *path, struct ovly_peer *peer,
		   const struct ovly_path_conf *conf, struct netlink_ext_ack *extack)
{
	struct ovly_net *on = ovly_path_net(path);
	bool goes_with_another;
	struct ovly_path *new;
	int err;

	lockdep_assert_held(&peer->ovly->lock);
	err = ovly_path_check_ids(on, conf, path, extack);
	if (err)
		return err;
	new = ovly_path_make(peer, conf, extack);
	if (IS_ERR(new))
		return PTR_ERR(new);
	goes_with_another = new->if_id_out != path->if_id_out;
	if (goes_with_another) {
		err = ovly_path_reserve(&on->paths_out, new->if_id_out, extack);
		if (err) {
			ovly_path_free(new);
			return err;
		}
	}
	/* Listeners know a path by its if_id: one ends, then the other begins.  The peer,
	 * if it is the same, only ever sees that there is one.
	 */
	spin_lock_bh(&on->path_lock);
	ovly_path_unlink(on, path);
	ovly_notify_path_locked(path, OVLY_EVENT_PATH_DEL);
	if (goes_with_another)
		xa_erase(&on->paths_out, path->if_id_out);
	ovly_path_link(on, new);
	if (path->peer != peer)
		ovly_peer_select(path->peer);
	spin_unlock_bh(&on->path_lock);
	ovly_path_free(path);
	ovly_path_release_parked(on, new);
	return 0;
}

/**
 * ovly_path_follow_endpoints() - guard the endpoints that moved
 * @peer: the peer, its device locked
 *
 * Context: may sleep, takes RTNL.
 */
void ovly_path_follow_endpoints(struct ovly_peer *peer)
{
	struct ovly_net *on = ovly_net(peer->ovly->net);
	struct ovly_endpoint *ep;
	struct ovly_path *path;
	struct ovly_ip ip;

	lockdep_assert_held(&peer->ovly->lock);
	/* The list itself changes under both locks. */
	list_for_each_entry(path, &peer->paths, list) {
		spin_lock_bh(&on->path_lock);
		ip = path->endpoint;
		spin_unlock_bh(&on->path_lock);
		if (!ip.family || (path->ep && ovly_ip_eq(&path->ep->ip, &ip)))
			continue;
		if (ovly_endpoint_get(peer, &ip, true, &ep)) {
			net_err_ratelimited("%s: peer %s: no throw route for its new endpoint\n",
					    netdev_name(peer->ovly->dev), peer->name);
			continue;
		}
		swap(path->ep, ep);
		ovly_endpoint_put(peer, ep);
	}
}
