// SPDX-License-Identifier: GPL-2.0
/*
 * Which SAs exist, by if_id.
 *
 * IKE daemons die, SAs expire and people flush them; nobody tells the overlay.
 * XFRM's key manager events do: this file is a key manager that negotiates
 * nothing and keeps an index of the tunnel-mode ESP SAs that carry an if_id, so
 * that a path is usable exactly while it has one.
 */
#include "sa.h"

#include <linux/inetdevice.h>
#include <linux/slab.h>
#include <net/addrconf.h>
#include <net/xfrm.h>

#include "net.h"
#include "path.h"

/**
 * struct ovly_sa - one SA
 * @list: in &ovly_sa_set.sas
 * @daddr: destination, with @spi and @family its identity
 * @epoch: &ovly_net.sa_epoch when it was noted
 * @spi: security parameter index
 * @family: of the outer addresses
 * @dir: enum ovly_sa_dir
 */
struct ovly_sa {
	struct list_head list;
	xfrm_address_t daddr;
	u64 epoch;
	__be32 spi;
	u16 family;
	u8 dir;
};

/**
 * struct ovly_sa_set - the SAs of one if_id
 * @sas: them; guarded by &ovly_net.path_lock, never empty outside it
 */
struct ovly_sa_set {
	struct list_head sas;
};

static bool ovly_sa_is_local(struct net *net, const xfrm_address_t *addr, u16 family)
{
	/* An address may belong to a VRF: ask the devices, not a table. */
	if (family == AF_INET)
		return __ip_dev_find(net, addr->a4, false);
#if IS_ENABLED(CONFIG_IPV6)
	return ipv6_chk_addr(net, &addr->in6, NULL, 0);
#else
	return false;
#endif
}

static enum ovly_sa_dir ovly_sa_dir_of(struct xfrm_state *x)
{
	struct net *net = xs_net(x);
	bool from, to;

	rcu_read_lock();
	from = ovly_sa_is_local(net, &x->props.saddr, x->props.family);
	to = ovly_sa_is_local(net, &x->id.daddr, x->props.family);
	rcu_read_unlock();
	if (from == to)
		return OVLY_SA_ANY;
	return from ? OVLY_SA_OUT : OVLY_SA_IN;
}

static bool ovly_sa_concerns(const struct xfrm_state *x)
{
	return x->if_id && x->id.proto == IPPROTO_ESP && x->props.mode == XFRM_MODE_TUNNEL;
}

static struct ovly_sa *ovly_sa_find(const struct ovly_sa_set *set, const struct xfrm_state *x)
{
	struct ovly_sa *sa;

	list_for_each_entry(sa, &set->sas, list)
		if (sa->spi == x->id.spi && sa->family == x->props.family &&
		    xfrm_addr_equal(&sa->daddr, &x->id.daddr, sa->family))
			return sa;
	return NULL;
}

static void ovly_sa_add(struct ovly_net *on, struct xfrm_state *x)
{
	struct ovly_sa_set *set;
	struct ovly_sa *sa;

	lockdep_assert_held(&on->path_lock);
	set = xa_load(&on->sas, x->if_id);
	if (set && ovly_sa_find(set, x))
		return;

	sa = kzalloc(sizeof(*sa), GFP_ATOMIC);
	if (!sa)
		goto err;
	if (!set) {
		set = kzalloc(sizeof(*set), GFP_ATOMIC);
		if (!set)
			goto err_free_sa;
		INIT_LIST_HEAD(&set->sas);
		if (xa_is_err(xa_store(&on->sas, x->if_id, set, GFP_ATOMIC)))
			goto err_free_set;
	}
	sa->daddr = x->id.daddr;
	sa->epoch = on->sa_epoch;
	sa->spi = x->id.spi;
	sa->family = x->props.family;
	sa->dir = ovly_sa_dir_of(x);
	list_add(&sa->list, &set->sas);
	return;

err_free_set:
	kfree(set);
err_free_sa:
	kfree(sa);
err:
	/* The path stays down until the next rekey: closed, not open. */
	net_warn_ratelimited("ovly: no memory to note an SA of if_id %#x\n", x->if_id);
}

/* Gives up a set that has become empty. */
static void ovly_sa_set_put(struct ovly_net *on, u32 if_id, struct ovly_sa_set *set)
{
	if (!list_empty(&set->sas))
		return;
	xa_erase(&on->sas, if_id);
	kfree(set);
}

static void ovly_sa_drop_older(struct ovly_net *on, u32 if_id, struct ovly_sa_set *set, u64 epoch)
{
	struct ovly_sa *sa, *next;

	lockdep_assert_held(&on->path_lock);
	list_for_each_entry_safe(sa, next, &set->sas, list) {
		if (sa->epoch < epoch) {
			list_del(&sa->list);
			kfree(sa);
		}
	}
	ovly_sa_set_put(on, if_id, set);
}

static void ovly_sa_del(struct ovly_net *on, const struct xfrm_state *x)
{
	struct ovly_sa_set *set = xa_load(&on->sas, x->if_id);
	struct ovly_sa *sa = set ? ovly_sa_find(set, x) : NULL;

	lockdep_assert_held(&on->path_lock);
	if (!sa)
		return;
	list_del(&sa->list);
	kfree(sa);
	ovly_sa_set_put(on, x->if_id, set);
}

static void ovly_sa_set_free(struct ovly_sa_set *set)
{
	struct ovly_sa *sa, *next;

	list_for_each_entry_safe(sa, next, &set->sas, list)
		kfree(sa);
	kfree(set);
}

static struct ovly_ip ovly_sa_remote(const struct ovly_sa *sa)
{
	return sa->family == AF_INET ? ovly_ip_v4(sa->daddr.a4) : ovly_ip_v6(&sa->daddr.in6);
}

/* An outbound SA belongs to a path if it leads to the path's endpoint.  An if_id
 * alone does not tell: a restarted IKE daemon hands out the same ones to others.
 * An SA that keeps its SPI under another address is the same SA whose peer moved
 * (MOBIKE, a NAT rebinding).
 */
static bool ovly_sa_leads_to(const struct ovly_sa *sa, const struct ovly_path *path)
{
	struct ovly_ip remote = ovly_sa_remote(sa);

	return !path->endpoint.family || ovly_ip_eq(&remote, &path->endpoint) ||
	       sa->spi == path->spi_out;
}

/**
 * ovly_sa_count() - count the SAs of a path
 * @on: the namespace of the SAs
 * @path: gets its counts, and its endpoint from the SA where that has moved
 *
 * Context: the caller holds &ovly_net.path_lock.
 * Return: the endpoint is another one than before
 */
bool ovly_sa_count(struct ovly_net *on, struct ovly_path *path)
{
	const struct ovly_sa *sa, *newest = NULL;
	const struct ovly_sa_set *set;
	struct ovly_ip remote;

	lockdep_assert_held(&on->path_lock);
	path->sa_in = 0;
	path->sa_out = 0;
	set = xa_load(&on->sas, path->if_id_in);
	if (set)
		list_for_each_entry(sa, &set->sas, list)
			path->sa_in += sa->dir == OVLY_SA_IN;
	set = xa_load(&on->sas, path->if_id_out);
	if (!set)
		return false;
	list_for_each_entry(sa, &set->sas, list) {
		if (sa->dir == OVLY_SA_IN || !ovly_sa_leads_to(sa, path))
			continue;
		newest = newest ?: sa;
		path->sa_out++;
	}
	if (!newest)
		return false;
	path->spi_out = newest->spi;
	remote = ovly_sa_remote(newest);
	if (ovly_ip_eq(&remote, &path->endpoint))
		return false;
	ovly_path_set_endpoint(path, &remote);
	return true;
}

/* XFRM flushes per protocol and does not name the SAs.  Those that come while
 * this runs are of the new epoch, so the lock can be dropped between if_ids.
 */
static void ovly_sa_flushed(struct ovly_net *on)
{
	struct ovly_sa_set *set;
	unsigned long if_id;
	u64 epoch;

	spin_lock_bh(&on->path_lock);
	epoch = ++on->sa_epoch;
	spin_unlock_bh(&on->path_lock);

	for (if_id = 1; xa_find(&on->sas, &if_id, ULONG_MAX, XA_PRESENT); if_id++) {
		spin_lock_bh(&on->path_lock);
		set = xa_load(&on->sas, if_id);
		if (set) {
			ovly_sa_drop_older(on, if_id, set, epoch);
			ovly_path_sas_changed(on, if_id);
		}
		spin_unlock_bh(&on->path_lock);
	}
}

/* Context: any, with x->lock held when an SA expires. */
static int ovly_sa_notify(struct xfrm_state *x, const struct km_event *c)
{
	struct ovly_net *on;

	if (c->event == XFRM_MSG_FLUSHSA) {
		if (xfrm_id_proto_match(IPPROTO_ESP, c->data.proto))
			ovly_sa_flushed(ovly_net(c->net));
		return 0;
	}
	if (!x || !ovly_sa_concerns(x))
		return 0;

	/* Events of an SA do not have their namespace filled in. */
	on = ovly_net(xs_net(x));
	spin_lock_bh(&on->path_lock);
	switch (c->event) {
	case XFRM_MSG_NEWSA:
	case XFRM_MSG_UPDSA:
		ovly_sa_add(on, x);
		ovly_path_sas_changed(on, x->if_id);
		break;
	case XFRM_MSG_EXPIRE:
		if (!c->data.hard)
			break;
		fallthrough;
	case XFRM_MSG_DELSA:
		ovly_sa_del(on, x);
		ovly_path_sas_changed(on, x->if_id);
		break;
	}
	spin_unlock_bh(&on->path_lock);
	return 0;
}

static int ovly_sa_scan_one(struct xfrm_state *x, int count, void *data)
{
	struct ovly_net *on = data;

	if (!ovly_sa_concerns(x) || x->km.state != XFRM_STATE_VALID)
		return 0;
	spin_lock(&on->path_lock);
	ovly_sa_add(on, x);
	spin_unlock(&on->path_lock);
	return 0;
}

/* Notes the SAs that a namespace has already. */
static void ovly_sa_scan(struct net *net)
{
	struct xfrm_state_walk walk;

	xfrm_state_walk_init(&walk, IPPROTO_ESP, NULL);
	xfrm_state_walk(net, &walk, ovly_sa_scan_one, ovly_net(net));
	xfrm_state_walk_done(&walk, net);
}

void ovly_sa_forget_all(struct ovly_net *on)
{
	struct ovly_sa_set *set;
	unsigned long if_id;

	xa_for_each(&on->sas, if_id, set)
		ovly_sa_set_free(set);
	xa_destroy(&on->sas);
}

/* XFRM calls these without looking whether they are there. */
static int ovly_sa_acquire(struct xfrm_state *x, struct xfrm_tmpl *tmpl, struct xfrm_policy *pol)
{
	return -EOPNOTSUPP;
}

static struct xfrm_policy *ovly_sa_compile_policy(struct sock *sk, int opt, u8 *data, int len,
						  int *dir)
{
	/* *dir keeps the verdict of the managers that were asked before. */
	return NULL;
}

static struct xfrm_mgr ovly_sa_mgr = {
	.notify = ovly_sa_notify,
	.acquire = ovly_sa_acquire,
	.compile_policy = ovly_sa_compile_policy,
};

/* Context: the namespaces are known to ovly. */
void ovly_sa_register(void)
{
	struct net *net;

	xfrm_register_km(&ovly_sa_mgr);
	/* SAs may be older than the module.  One that is reported meanwhile is
	 * noted once, whoever comes first.
	 */
	down_read(&net_rwsem);
	for_each_net(net)
		ovly_sa_scan(net);
	up_read(&net_rwsem);
}

void ovly_sa_unregister(void)
{
	xfrm_unregister_km(&ovly_sa_mgr);
}
