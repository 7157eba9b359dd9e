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

#include "device.h"
#include "endpoint.h"
#include "net.h"
#include "notify.h"
#include "peer.h"
#include "sa.h"

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
	if (path->state == state)
		return;
	WRITE_ONCE(path->state, state);
	path->since = get_jiffies_64();
}

static void ovly_peer_activate(struct ovly_peer *peer, struct ovly_path *old,
			       struct ovly_path *new)
{
	struct ovly_dev *ovly = peer->ovly;

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
	if (READ_ONCE(peer->on_down) == OVLY_ON_DOWN_WITHDRAW || READ_ONCE(ovly->carrier_follows))
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
	ovly_net_changed(dev_net(peer->ovly->dev));
}

static void ovly_path_recount(struct ovly_net *on, struct ovly_path *path)
{
	if (ovly_sa_count(on, path))
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

static char *ovly_path_strdup(const char *s)
{
	return s ? kstrdup(s, GFP_KERNEL) : NULL;
}

/**
 * ovly_path_set_endpoint() - a path leads to another outer address
 * @path: the path
 * @ip: the address
 *
 * Context: the caller holds &ovly_net.path_lock, or the path is not known yet.
 */
void ovly_path_set_endpoint(struct ovly_path *path, const struct ovly_ip *ip)
{
	preempt_disable();
	write_seqcount_begin(&path->endpoint_seq);
	path->endpoint = *ip;
	write_seqcount_end(&path->endpoint_seq);
	preempt_enable();
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

/* Sets what @conf gives; @remote_id and @ep are handed over. */
static void ovly_path_apply(struct ovly_path *path, const struct ovly_path_conf *conf,
			    char **remote_id, struct ovly_endpoint **ep)
{
	if (conf->has_underlay)
		WRITE_ONCE(path->underlay, conf->underlay);
	if (conf->has_priority)
		path->priority = conf->priority;
	if (conf->endpoint.family) {
		ovly_path_set_endpoint(path, &conf->endpoint);
		path->spi_out = 0;
		swap(path->ep, *ep);
	}
	if (conf->local.family)
		path->local = conf->local;
	if (conf->label)
		strscpy(path->label, conf->label, sizeof(path->label));
	if (conf->remote_id)
		swap(path->remote_id, *remote_id);
}

static int ovly_path_get_endpoint(struct ovly_peer *peer, const struct ovly_path_conf *conf,
				  struct ovly_endpoint **ep, struct netlink_ext_ack *extack)
{
	int err;

	if (!conf->endpoint.family)
		return 0;
	err = ovly_endpoint_get(peer, &conf->endpoint, ep);
	if (err == -EEXIST)
		NL_SET_ERR_MSG_MOD(extack,
				   "the table has somebody else's route to the endpoint, where a throw route must be");
	else if (err)
		NL_SET_ERR_MSG_MOD(extack, "no throw route for the endpoint");
	return err;
}

static int ovly_path_claim(struct ovly_net *on, struct ovly_path *path,
			   struct netlink_ext_ack *extack)
{
	int err;

	/* The outbound id first: a packet that comes in finds a path complete. */
	err = xa_insert_bh(&on->paths_out, path->if_id_out, path, GFP_KERNEL);
	if (err)
		goto err_out;
	err = xa_insert_bh(&on->paths_in, path->if_id_in, path, GFP_KERNEL);
	if (err)
		goto err_release;
	return 0;

err_release:
	xa_erase_bh(&on->paths_out, path->if_id_out);
err_out:
	if (err == -EBUSY) {
		NL_SET_ERR_MSG_MOD(extack, "another path has the if-id");
		err = -EEXIST;
	}
	return err;
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
	struct ovly_endpoint *ep = NULL;
	struct ovly_path *path;
	char *remote_id;
	int err;

	lockdep_assert_held(&peer->ovly->lock);
	remote_id = ovly_path_strdup(conf->remote_id);
	path = kzalloc(sizeof(*path), GFP_KERNEL_ACCOUNT);
	err = -ENOMEM;
	if (!path || (conf->remote_id && !remote_id))
		goto err_free;
	path->peer = peer;
	path->if_id_in = conf->if_id_in;
	path->if_id_out = conf->if_id_out ?: conf->if_id_in;
	path->priority = OVLY_PATH_PRIORITY_DEFAULT;
	seqcount_init(&path->endpoint_seq);
	path->since = get_jiffies_64();
	/* An event of the key manager may select before the path is listed. */
	INIT_LIST_HEAD(&path->list);

	err = ovly_path_get_endpoint(peer, conf, &ep, extack);
	if (err)
		goto err_free;
	ovly_path_apply(path, conf, &remote_id, &ep);
	err = ovly_path_claim(on, path, extack);
	if (err)
		goto err_put_endpoint;

	spin_lock_bh(&on->path_lock);
	path->serial = ++on->path_serial;
	list_add(&path->list, &peer->paths);
	peer->n_paths++;
	ovly_notify_path_locked(path, OVLY_EVENT_PATH_NEW);
	ovly_path_recount(on, path);
	ovly_peer_select(peer);
	spin_unlock_bh(&on->path_lock);
	ovly_park_release(&on->park, path);
	return 0;

err_put_endpoint:
	ovly_endpoint_put(peer, path->ep);
	remote_id = path->remote_id;
err_free:
	kfree(remote_id);
	/* A key manager event may have found it while it was claimed in part. */
	if (path)
		kfree_rcu(path, rcu);
	return err;
}

/**
 * ovly_path_set() - change a path, and make it the newest
 * @path: the path; its device is locked
 * @conf: what the request says; the ids must be the path's
 * @extack: says why not
 *
 * Context: may sleep, takes RTNL.
 * Return: 0 or an error, with nothing changed
 */
int ovly_path_set(struct ovly_path *path, const struct ovly_path_conf *conf,
		  struct netlink_ext_ack *extack)
{
	struct ovly_net *on = ovly_path_net(path);
	struct ovly_peer *peer = path->peer;
	struct ovly_endpoint *ep = NULL;
	char *remote_id;
	int err;

	lockdep_assert_held(&peer->ovly->lock);
	if (conf->if_id_out && conf->if_id_out != path->if_id_out) {
		NL_SET_ERR_MSG_MOD(extack, "the if-ids of a path do not change");
		return -EINVAL;
	}
	remote_id = ovly_path_strdup(conf->remote_id);
	if (conf->remote_id && !remote_id)
		return -ENOMEM;
	err = ovly_path_get_endpoint(peer, conf, &ep, extack);
	if (err)
		goto out;

	spin_lock_bh(&on->path_lock);
	path->serial = ++on->path_serial;
	ovly_path_apply(path, conf, &remote_id, &ep);
	ovly_path_recount(on, path);
	ovly_peer_select(peer);
	spin_unlock_bh(&on->path_lock);
	ovly_endpoint_put(peer, ep);
out:
	kfree(remote_id);
	return err;
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
	struct ovly_peer *peer = path->peer;

	lockdep_assert_held(&peer->ovly->lock);
	xa_erase_bh(&on->paths_in, path->if_id_in);
	xa_erase_bh(&on->paths_out, path->if_id_out);

	spin_lock_bh(&on->path_lock);
	list_del(&path->list);
	peer->n_paths--;
	path->sa_out = 0;
	ovly_path_enter(path, OVLY_PATH_DOWN);
	ovly_peer_select(peer);
	ovly_notify_path_locked(path, OVLY_EVENT_PATH_DEL);
	spin_unlock_bh(&on->path_lock);

	ovly_endpoint_put(peer, path->ep);
	kfree(path->remote_id);
	kfree_rcu(path, rcu);
}

/**
 * ovly_path_move() - an if_id is another peer's now, or goes with another
 * @path: the path that has the inbound id; replaced
 * @peer: the peer it is to lead to, on the same device
 * @conf: what the request says
 * @extack: says why not
 *
 * Context: may sleep, takes RTNL.
 * Return: 0, or an error with nothing changed, but for want of memory
 */
int ovly_path_move(struct ovly_path *path, struct ovly_peer *peer,
		   const struct ovly_path_conf *conf, struct netlink_ext_ack *extack)
{
	struct ovly_net *on = ovly_path_net(path);
	struct ovly_endpoint *ep = NULL;
	const struct ovly_path *other;
	int err;

	rcu_read_lock();
	other = xa_load(&on->paths_out, conf->if_id_out ?: conf->if_id_in);
	rcu_read_unlock();
	if (other && other != path) {
		NL_SET_ERR_MSG_MOD(extack, "another path has the if-id");
		return -EEXIST;
	}
	/* Have the throw route in place before the old path goes. */
	err = ovly_path_get_endpoint(peer, conf, &ep, extack);
	if (err)
		return err;
	ovly_path_del(path);
	err = ovly_path_new(peer, conf, extack);
	ovly_endpoint_put(peer, ep);
	return err;
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
		if (ovly_endpoint_get(peer, &ip, &ep)) {
			net_err_ratelimited("%s: peer %s: no throw route for its new endpoint\n",
					    netdev_name(peer->ovly->dev), peer->name);
			continue;
		}
		swap(path->ep, ep);
		ovly_endpoint_put(peer, ep);
	}
}
