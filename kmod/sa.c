// SPDX-License-Identifier: GPL-2.0
/*
 * Which SAs exist, by if_id: an index of the tunnel-mode ESP SAs that carry one, so
 * that a path is usable exactly while it has an SA.  sa_watch.c keeps it right.
 */
#include "sa.h"

#include <linux/inetdevice.h>
#include <linux/ipv6.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>
#include <net/addrconf.h>
#include <net/xfrm.h>

#include "device.h"
#include "net.h"
#include "path.h"

/* Until all SAs are looked at again when one could not be noted. */
#define OVLY_SA_RETRY_DELAY	HZ

/* What XFRM tells the ESP SAs of a namespace apart by.  No padding. */
struct ovly_sa_key {
	xfrm_address_t daddr;
	__be32 spi;
	u32 family;
	u32 mark;
	u32 mark_mask;
};

/**
 * struct ovly_sa - one SA
 * @node: in &ovly_net.sa_table
 * @list: in &ovly_sa_set.sas
 * @key: its identity
 * @epoch: &ovly_net.sa_epoch when it was noted
 * @if_id: of the set that it is in
 * @dir: enum ovly_sa_dir
 * @rcu: for readers of the table
 */
struct ovly_sa {
	struct rhash_head node;
	struct list_head list;
	struct ovly_sa_key key;
	u64 epoch;
	u32 if_id;
	u8 dir;
	struct rcu_head rcu;
};

/* Each word of an SA has those of its if_id counted: more are not looked at. */
#define OVLY_SA_SET_MAX	1024

/**
 * struct ovly_sa_set - the SAs of one if_id
 * @sas: them; guarded by &ovly_net.path_lock, never empty outside it
 * @n: how many, at most %OVLY_SA_SET_MAX; likewise
 */
struct ovly_sa_set {
	struct list_head sas;
	unsigned int n;
};

static const struct rhashtable_params ovly_sa_params = {
	.key_len = sizeof(struct ovly_sa_key),
	.key_offset = offsetof(struct ovly_sa, key),
	.head_offset = offsetof(struct ovly_sa, node),
	.automatic_shrinking = true,
};

#if IS_ENABLED(CONFIG_IPV6)
/* Does a device outside the VRFs, or of the VRF @master, have the address?  Also one
 * whose uniqueness is still being looked into.
 */
static bool ovly_sa_is_local6(struct net *net, const struct in6_addr *addr,
			      const struct net_device *master)
{
	return ipv6_chk_addr_and_flags(net, addr, master, true, 0, 0);
}
#else
static bool ovly_sa_is_local6(struct net *net, const struct in6_addr *addr,
			      const struct net_device *master)
{
	return false;
}
#endif

/* An address may belong to a VRF: ask the devices, not a table. */
static bool ovly_sa_is_local(struct net *net, const xfrm_address_t *addr, u16 family)
{
	struct net_device *dev;
	bool local;

	if (family == AF_INET)
		return __ip_dev_find(net, addr->a4, false);
	if (!ipv6_mod_enabled())
		return false;
	local = ovly_sa_is_local6(net, &addr->in6, NULL);
	if (local)
		return true;
	rcu_read_lock();
	for_each_netdev_rcu(net, dev) {
		local = netif_is_l3_master(dev) && ovly_sa_is_local6(net, &addr->in6, dev);
		if (local)
			break;
	}
	rcu_read_unlock();
	return local;
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

/* Is an SA one for the index? */
bool ovly_sa_concerns(const struct xfrm_state *x)
{
	return x->if_id && x->id.proto == IPPROTO_ESP && x->props.mode == XFRM_MODE_TUNNEL;
}

static struct ovly_sa_key ovly_sa_key_of(const struct xfrm_state *x)
{
	struct ovly_sa_key key = {
		.spi = x->id.spi,
		.family = x->props.family,
		.mark = x->mark.v,
		.mark_mask = x->mark.m,
	};

	/* XFRM does not clear what is behind an IPv4 address. */
	if (key.family == AF_INET)
		key.daddr.a4 = x->id.daddr.a4;
	else
		key.daddr = x->id.daddr;
	return key;
}

static struct ovly_sa *ovly_sa_find(struct ovly_net *on, const struct xfrm_state *x)
{
	struct ovly_sa_key key = ovly_sa_key_of(x);

	lockdep_assert_held(&on->path_lock);
	return rhashtable_lookup_fast(&on->sa_table, &key, ovly_sa_params);
}

/* Puts an SA into the set of an if_id. */
static int ovly_sa_join(struct ovly_net *on, struct ovly_sa *sa, u32 if_id)
{
	struct ovly_sa_set *set = xa_load(&on->sas, if_id);

	if (!set) {
		set = kzalloc(sizeof(*set), GFP_ATOMIC);
		if (!set)
			return -ENOMEM;
		INIT_LIST_HEAD(&set->sas);
		if (xa_is_err(xa_store(&on->sas, if_id, set, GFP_ATOMIC))) {
			kfree(set);
			return -ENOMEM;
		}
	}
	if (set->n == OVLY_SA_SET_MAX)
		return -E2BIG;
	set->n++;
	list_add(&sa->list, &set->sas);
	sa->if_id = if_id;
	on->sa_undirected += sa->dir == OVLY_SA_ANY;
	return 0;
}

/* Takes an SA out of its set, which is given up if it becomes empty. */
static void ovly_sa_leave(struct ovly_net *on, struct ovly_sa *sa)
{
	struct ovly_sa_set *set = xa_load(&on->sas, sa->if_id);

	on->sa_undirected -= sa->dir == OVLY_SA_ANY;
	list_del(&sa->list);
	if (!--set->n) {
		xa_erase(&on->sas, sa->if_id);
		kfree(set);
	}
}

static void ovly_sa_free(struct ovly_net *on, struct ovly_sa *sa)
{
	rhashtable_remove_fast(&on->sa_table, &sa->node, ovly_sa_params);
	/* The table's own readers, when it grows, are under RCU. */
	kfree_rcu(sa, rcu);
}

/* There was no memory.  Until there is, the path is down: closed, not open. */
static void ovly_sa_missed(struct ovly_net *on, const struct xfrm_state *x, int err)
{
	if (err == -E2BIG) {
		net_warn_ratelimited("ovly: more than %u SAs of if_id %#x: the others do not count\n",
				     OVLY_SA_SET_MAX, x->if_id);
		return;
	}
	net_warn_ratelimited("ovly: no memory to note an SA of if_id %#x\n", x->if_id);
	ovly_device_queue_delayed(&on->sa_rescan, OVLY_SA_RETRY_DELAY);
}

static void ovly_sa_add(struct ovly_net *on, struct xfrm_state *x)
{
	struct ovly_sa *sa;
	int err = -ENOMEM;

	lockdep_assert_held(&on->path_lock);
	sa = kzalloc(sizeof(*sa), GFP_ATOMIC);
	if (!sa)
		goto err;
	sa->key = ovly_sa_key_of(x);
	sa->epoch = on->sa_epoch;
	sa->dir = ovly_sa_dir_of(x);
	err = ovly_sa_join(on, sa, x->if_id);
	if (err)
		goto err_free;
	if (rhashtable_insert_fast(&on->sa_table, &sa->node, ovly_sa_params)) {
		err = -ENOMEM;
		goto err_leave;
	}
	return;

err_leave:
	ovly_sa_leave(on, sa);
err_free:
	kfree(sa);
err:
	ovly_sa_missed(on, x, err);
}

/* An SA exists no more.  Context: the caller holds &ovly_net.path_lock. */
void ovly_sa_del(struct ovly_net *on, const struct xfrm_state *x)
{
	struct ovly_sa *sa = ovly_sa_find(on, x);
	u32 if_id;

	if (!sa)
		return;
	if_id = sa->if_id;
	ovly_sa_leave(on, sa);
	ovly_sa_free(on, sa);
	ovly_path_sas_changed(on, if_id);
}

/* An SA may be older than the address that tells which way it goes.  Of what is
 * known, an address that goes takes nothing away.
 */
static void ovly_sa_redirect(struct ovly_net *on, struct ovly_sa *sa, struct xfrm_state *x)
{
	enum ovly_sa_dir dir = ovly_sa_dir_of(x);

	if (dir == sa->dir || dir == OVLY_SA_ANY)
		return;
	on->sa_undirected -= sa->dir == OVLY_SA_ANY;
	sa->dir = dir;
	ovly_path_sas_changed(on, sa->if_id);
}

/* An SA exists.  Context: the caller holds &ovly_net.path_lock. */
void ovly_sa_note(struct ovly_net *on, struct xfrm_state *x)
{
	struct ovly_sa *sa = ovly_sa_find(on, x);

	if (sa && sa->if_id == x->if_id && ovly_sa_concerns(x)) {
		sa->epoch = on->sa_epoch;
		ovly_sa_redirect(on, sa, x);
		return;
	}
	if (sa)
		ovly_sa_del(on, x);
	if (!ovly_sa_concerns(x))
		return;
	ovly_sa_add(on, x);
	ovly_path_sas_changed(on, x->if_id);
}

/**
 * ovly_sa_update() - an SA has changed
 * @on: the namespace of the SAs
 * @x: what the request says of it: of a known SA nothing but the if_id can
 *	change, which stays as it is if the request has none
 *
 * Context: the caller holds &ovly_net.path_lock.
 */
void ovly_sa_update(struct ovly_net *on, struct xfrm_state *x)
{
	struct ovly_sa *sa = ovly_sa_find(on, x);
	u32 if_id;
	int err;

	if (!sa) {
		ovly_sa_note(on, x);
		return;
	}
	sa->epoch = on->sa_epoch;
	if (!x->if_id || x->if_id == sa->if_id)
		return;
	if_id = sa->if_id;
	ovly_sa_leave(on, sa);
	err = ovly_sa_join(on, sa, x->if_id);
	if (err) {
		ovly_sa_free(on, sa);
		ovly_sa_missed(on, x, err);
	}
	ovly_path_sas_changed(on, if_id);
	ovly_path_sas_changed(on, x->if_id);
}

static struct ovly_ip ovly_sa_remote(const struct ovly_sa *sa)
{
	return sa->key.family == AF_INET ? ovly_ip_v4(sa->key.daddr.a4) :
					   ovly_ip_v6(&sa->key.daddr.in6);
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
	       sa->key.spi == path->spi_out;
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
	bool follows = path->endpoint.family;
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
		path->sa_out++;
		/* One that may be inbound teaches no path where its peer is. */
		if (!newest && (follows || sa->dir == OVLY_SA_OUT))
			newest = sa;
	}
	if (!newest)
		return false;
	path->spi_out = newest->key.spi;
	remote = ovly_sa_remote(newest);
	if (ovly_ip_eq(&remote, &path->endpoint))
		return false;
	ovly_path_set_endpoint(path, &remote);
	return true;
}

/* What is noted from now on is newer than what was noted before. */
u64 ovly_sa_new_epoch(struct ovly_net *on)
{
	u64 epoch;

	spin_lock_bh(&on->path_lock);
	epoch = ++on->sa_epoch;
	spin_unlock_bh(&on->path_lock);
	return epoch;
}

static void ovly_sa_drop_older(struct ovly_net *on, struct ovly_sa_set *set, u64 epoch)
{
	struct ovly_sa *sa, *next;
	bool last;

	lockdep_assert_held(&on->path_lock);
	list_for_each_entry_safe(sa, next, &set->sas, list) {
		if (sa->epoch >= epoch)
			continue;
		last = list_is_singular(&set->sas);
		ovly_sa_leave(on, sa);
		ovly_sa_free(on, sa);
		/* The set is gone with its last SA. */
		if (last)
			break;
	}
}

/* Forgets what nobody has noted since @epoch began, for some if_ids from *@if_id on.
 * Those that come while this runs are newer, so the lock can be dropped between
 * if_ids.  Returns whether there are more, from *@if_id on.
 */
bool ovly_sa_sweep(struct ovly_net *on, u64 epoch, unsigned long *if_id)
{
	unsigned int left = OVLY_SA_BATCH;
	struct ovly_sa_set *set;

	for (; xa_find(&on->sas, if_id, U32_MAX, XA_PRESENT); ++*if_id) {
		if (!left--)
			return true;
		spin_lock_bh(&on->path_lock);
		set = xa_load(&on->sas, *if_id);
		if (set) {
			ovly_sa_drop_older(on, set, epoch);
			ovly_path_sas_changed(on, *if_id);
		}
		spin_unlock_bh(&on->path_lock);
		if (*if_id == U32_MAX)
			break;
	}
	return false;
}

int ovly_sa_init(struct ovly_net *on)
{
	xa_init(&on->sas);
	return rhashtable_init(&on->sa_table, &ovly_sa_params);
}

/* Context: process; nobody looks at the SAs of the namespace any more. */
void ovly_sa_exit(struct ovly_net *on)
{
	struct ovly_sa_set *set;
	struct ovly_sa *sa, *next;
	unsigned long if_id;

	xa_for_each(&on->sas, if_id, set) {
		list_for_each_entry_safe(sa, next, &set->sas, list)
			ovly_sa_free(on, sa);
		kfree(set);
	}
	xa_destroy(&on->sas);
	rhashtable_destroy(&on->sa_table);
}
