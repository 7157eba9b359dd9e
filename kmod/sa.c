// SPDX-License-Identifier: GPL-2.0
/*
 * Which SAs exist, by if_id.
 *
 * IKE daemons die, SAs expire and people flush them; nobody tells the overlay.
 * XFRM's key manager events do: this file is a key manager that negotiates
 * nothing and keeps an index of the tunnel-mode ESP SAs that carry an if_id, so
 * that a path is usable exactly while it has one.
 *
 * Some SAs come and go without an event (XFRM_MSG_MIGRATE, an underlay with
 * crypto offload that goes down).  Packets notice: then the index is made anew.
 */
#include "sa.h"

#include <linux/inetdevice.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>
#include <net/addrconf.h>
#include <net/xfrm.h>

#include "device.h"
#include "net.h"
#include "path.h"

/* Between packets that find the index wrong and the look at all SAs, and the
 * least between two looks.
 */
#define OVLY_SA_DOUBT_DELAY	(HZ / 2)
#define OVLY_SA_DOUBT_INTERVAL	(10 * HZ)

/* SAs looked at in one go, as XFRM's lock is held meanwhile. */
#define OVLY_SA_SCAN_BATCH	64

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

/**
 * struct ovly_sa_set - the SAs of one if_id
 * @sas: them; guarded by &ovly_net.path_lock, never empty outside it
 */
struct ovly_sa_set {
	struct list_head sas;
};

static const struct rhashtable_params ovly_sa_params = {
	.key_len = sizeof(struct ovly_sa_key),
	.key_offset = offsetof(struct ovly_sa, key),
	.head_offset = offsetof(struct ovly_sa, node),
	.automatic_shrinking = true,
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
	list_add(&sa->list, &set->sas);
	sa->if_id = if_id;
	return 0;
}

/* Takes an SA out of its set, which is given up if it becomes empty. */
static void ovly_sa_leave(struct ovly_net *on, struct ovly_sa *sa)
{
	struct ovly_sa_set *set = xa_load(&on->sas, sa->if_id);

	list_del(&sa->list);
	if (list_empty(&set->sas)) {
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

static void ovly_sa_add(struct ovly_net *on, struct xfrm_state *x)
{
	struct ovly_sa *sa;

	lockdep_assert_held(&on->path_lock);
	sa = kzalloc(sizeof(*sa), GFP_ATOMIC);
	if (!sa)
		goto err;
	sa->key = ovly_sa_key_of(x);
	sa->epoch = on->sa_epoch;
	sa->dir = ovly_sa_dir_of(x);
	if (ovly_sa_join(on, sa, x->if_id))
		goto err_free;
	if (rhashtable_insert_fast(&on->sa_table, &sa->node, ovly_sa_params))
		goto err_leave;
	return;

err_leave:
	ovly_sa_leave(on, sa);
err_free:
	kfree(sa);
err:
	/* The path stays down until the next rekey: closed, not open. */
	net_warn_ratelimited("ovly: no memory to note an SA of if_id %#x\n", x->if_id);
}

static void ovly_sa_del(struct ovly_net *on, const struct xfrm_state *x)
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

/* An SA exists, or has changed. */
static void ovly_sa_note(struct ovly_net *on, struct xfrm_state *x)
{
	struct ovly_sa *sa = ovly_sa_find(on, x);

	/* UPDSA reports the request, and without an if_id the SA keeps its own. */
	if (sa && (!x->if_id || (sa->if_id == x->if_id && ovly_sa_concerns(x)))) {
		sa->epoch = on->sa_epoch;
		return;
	}
	if (sa)
		ovly_sa_del(on, x);
	if (!ovly_sa_concerns(x))
		return;
	ovly_sa_add(on, x);
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
	path->spi_out = newest->key.spi;
	remote = ovly_sa_remote(newest);
	if (ovly_ip_eq(&remote, &path->endpoint))
		return false;
	ovly_path_set_endpoint(path, &remote);
	return true;
}

static u64 ovly_sa_new_epoch(struct ovly_net *on)
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

/* Forgets what nobody has noted since @epoch began.  Those that come while this
 * runs are newer, so the lock can be dropped between if_ids.
 */
static void ovly_sa_sweep(struct ovly_net *on, u64 epoch)
{
	struct ovly_sa_set *set;
	unsigned long if_id;

	for (if_id = 1; xa_find(&on->sas, &if_id, ULONG_MAX, XA_PRESENT); if_id++) {
		spin_lock_bh(&on->path_lock);
		set = xa_load(&on->sas, if_id);
		if (set) {
			ovly_sa_drop_older(on, set, epoch);
			ovly_path_sas_changed(on, if_id);
		}
		spin_unlock_bh(&on->path_lock);
		if (if_id == U32_MAX)
			break;
	}
}

/* Context: any, with x->lock held when an SA expires. */
static int ovly_sa_notify(struct xfrm_state *x, const struct km_event *c)
{
	struct ovly_net *on;

	/* XFRM flushes per protocol and does not name the SAs. */
	if (c->event == XFRM_MSG_FLUSHSA) {
		on = ovly_net(c->net);
		if (xfrm_id_proto_match(IPPROTO_ESP, c->data.proto) && !READ_ONCE(on->closing))
			ovly_sa_sweep(on, ovly_sa_new_epoch(on));
		return 0;
	}
	if (!x || x->id.proto != IPPROTO_ESP)
		return 0;

	/* Events of an SA do not have their namespace filled in. */
	on = ovly_net(xs_net(x));
	spin_lock_bh(&on->path_lock);
	/* SAs outlive what is kept here of a namespace. */
	if (on->closing)
		goto out;
	switch (c->event) {
	case XFRM_MSG_NEWSA:
	case XFRM_MSG_UPDSA:
		ovly_sa_note(on, x);
		break;
	case XFRM_MSG_EXPIRE:
		if (!c->data.hard)
			break;
		fallthrough;
	case XFRM_MSG_DELSA:
		ovly_sa_del(on, x);
		break;
	}
out:
	spin_unlock_bh(&on->path_lock);
	return 0;
}

struct ovly_sa_scan {
	struct ovly_net *on;
	unsigned int n;
};

static int ovly_sa_scan_one(struct xfrm_state *x, int count, void *data)
{
	struct ovly_sa_scan *scan = data;

	/* The walk goes on with this one. */
	if (scan->n == OVLY_SA_SCAN_BATCH)
		return -EAGAIN;
	scan->n++;
	if (!ovly_sa_concerns(x) || x->km.state != XFRM_STATE_VALID)
		return 0;
	spin_lock(&scan->on->path_lock);
	ovly_sa_note(scan->on, x);
	spin_unlock(&scan->on->path_lock);
	return 0;
}

/* Notes the SAs that a namespace has. */
static void ovly_sa_scan(struct ovly_net *on)
{
	struct ovly_sa_scan scan = { .on = on };
	struct xfrm_state_walk walk;

	xfrm_state_walk_init(&walk, IPPROTO_ESP, NULL);
	while (xfrm_state_walk(on->net, &walk, ovly_sa_scan_one, &scan) == -EAGAIN) {
		scan.n = 0;
		cond_resched();
	}
	xfrm_state_walk_done(&walk, on->net);
}

static void ovly_sa_rescan(struct work_struct *work)
{
	struct ovly_net *on = container_of(to_delayed_work(work), struct ovly_net, sa_rescan);
	u64 epoch = ovly_sa_new_epoch(on);

	ovly_sa_scan(on);
	ovly_sa_sweep(on, epoch);
}

/**
 * ovly_sa_doubt() - a packet found that the index may be wrong
 * @on: the namespace of the SAs
 *
 * Context: any.
 */
void ovly_sa_doubt(struct ovly_net *on)
{
	unsigned long now = jiffies, next = READ_ONCE(on->sa_doubt_next);

	if (time_before(now, next) || READ_ONCE(on->closing) ||
	    cmpxchg(&on->sa_doubt_next, next, now + OVLY_SA_DOUBT_INTERVAL) != next)
		return;
	ovly_device_queue_delayed(&on->sa_rescan, OVLY_SA_DOUBT_DELAY);
}

int ovly_sa_init(struct ovly_net *on)
{
	xa_init(&on->sas);
	on->sa_doubt_next = jiffies;
	INIT_DELAYED_WORK(&on->sa_rescan, ovly_sa_rescan);
	return rhashtable_init(&on->sa_table, &ovly_sa_params);
}

/* Context: process; no packet finds a path of the namespace any more. */
void ovly_sa_exit(struct ovly_net *on)
{
	struct ovly_sa_set *set;
	struct ovly_sa *sa, *next;
	unsigned long if_id;

	cancel_delayed_work_sync(&on->sa_rescan);
	xa_for_each(&on->sas, if_id, set) {
		list_for_each_entry_safe(sa, next, &set->sas, list)
			ovly_sa_free(on, sa);
		kfree(set);
	}
	xa_destroy(&on->sas);
	rhashtable_destroy(&on->sa_table);
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
		ovly_sa_scan(ovly_net(net));
	up_read(&net_rwsem);
}

void ovly_sa_unregister(void)
{
	xfrm_unregister_km(&ovly_sa_mgr);
}
