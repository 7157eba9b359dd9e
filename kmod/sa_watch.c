// SPDX-License-Identifier: GPL-2.0
/*
 * How the index of SAs is kept right.
 *
 * IKE daemons die, SAs expire and people flush them; nobody tells the overlay.
 * XFRM's key manager events do: this file is a key manager that negotiates
 * nothing and notes in sa.c what it hears.
 *
 * Some SAs come and go without an event: XFRM_MSG_MIGRATE tells of policies only,
 * and a device with crypto offload takes its SAs along.  Then all SAs are looked at,
 * as when packets find what should not be.  They alone find what 7.2's
 * XFRM_MSG_MIGRATE_STATE did.
 */
#include "sa_watch.h"

#include <linux/inetdevice.h>
#include <linux/netdevice.h>
#include <net/addrconf.h>
#include <net/if_inet6.h>
#include <net/xfrm.h>

#include "compat.h"
#include "device.h"
#include "net.h"
#include "sa.h"

/* Between packets that find the index wrong and the look at all SAs, and the
 * least between two looks.
 */
#define OVLY_SA_DOUBT_DELAY	(HZ / 2)
#define OVLY_SA_DOUBT_INTERVAL	(10 * HZ)

/* The same where it is known that there is something to see; more of it may come. */
#define OVLY_SA_LOOK_DELAY	(HZ / 20)

/* All SAs are gone.  Some are forgotten at once; for more this is not the place. */
static void ovly_sa_flushed(struct ovly_net *on)
{
	unsigned long if_id = 1;

	if (!ovly_sa_sweep(on, ovly_sa_new_epoch(on), &if_id))
		return;
	spin_lock_bh(&on->path_lock);
	if (!on->closing)
		ovly_device_hasten(&on->sa_rescan);
	spin_unlock_bh(&on->path_lock);
}

/* Context: any, with x->lock held when an SA expires. */
static int ovly_sa_notify(struct xfrm_state *x, const struct km_event *c)
{
	struct ovly_net *on;

	/* XFRM flushes per protocol and does not name the SAs. */
	if (c->event == XFRM_MSG_FLUSHSA) {
		on = ovly_net(c->net);
		if (xfrm_id_proto_match(IPPROTO_ESP, c->data.proto) && !READ_ONCE(on->closing))
			ovly_sa_flushed(on);
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
		ovly_sa_note(on, x);
		break;
	case XFRM_MSG_UPDSA:
		ovly_sa_update(on, x);
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
	if (scan->n == OVLY_SA_BATCH)
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
	unsigned long if_id = 1;

	ovly_sa_scan(on);
	while (ovly_sa_sweep(on, epoch, &if_id))
		cond_resched();
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

	/* The next look is still to be waited for. */
	if (next - now - 1 < OVLY_SA_DOUBT_INTERVAL || READ_ONCE(on->closing) ||
	    cmpxchg(&on->sa_doubt_next, next, now + OVLY_SA_DOUBT_INTERVAL) != next)
		return;
	ovly_device_queue_delayed(&on->sa_rescan, OVLY_SA_DOUBT_DELAY);
}

/* Has all SAs looked at.  Context: any. */
static void ovly_sa_look(struct ovly_net *on)
{
	spin_lock_bh(&on->path_lock);
	if (!on->closing)
		ovly_device_queue_delayed(&on->sa_rescan, OVLY_SA_LOOK_DELAY);
	spin_unlock_bh(&on->path_lock);
}

/* A host has got an address: it may tell which way an SA goes. */
static void ovly_sa_address_came(struct net *net)
{
	struct ovly_net *on = ovly_net(net);

	/* A new namespace may have addresses before anything of ours. */
	if (on && READ_ONCE(on->sa_undirected))
		ovly_sa_look(on);
}

static int ovly_sa_inetaddr_event(struct notifier_block *nb, unsigned long event, void *ptr)
{
	const struct in_ifaddr *ifa = ptr;

	if (event == NETDEV_UP)
		ovly_sa_address_came(dev_net(ifa->ifa_dev->dev));
	return NOTIFY_DONE;
}

/* Context: any. */
static int ovly_sa_inet6addr_event(struct notifier_block *nb, unsigned long event, void *ptr)
{
	const struct inet6_ifaddr *ifa = ptr;

	if (event == NETDEV_UP)
		ovly_sa_address_came(dev_net(ifa->idev->dev));
	return NOTIFY_DONE;
}

/* May XFRM have given the device SAs to take care of? */
static bool ovly_sa_offloads(const struct net_device *dev)
{
#ifdef CONFIG_XFRM_OFFLOAD
	return dev->xfrmdev_ops;
#else
	return false;
#endif
}

/* XFRM, which hears of it first, deletes the SAs of such a device.  Context: RTNL. */
static int ovly_sa_netdev_event(struct notifier_block *nb, unsigned long event, void *ptr)
{
	const struct net_device *dev = netdev_notifier_info_to_dev(ptr);
	struct ovly_net *on = ovly_net(dev_net(dev));

	if (on && (event == NETDEV_DOWN || event == NETDEV_UNREGISTER) && ovly_sa_offloads(dev))
		ovly_sa_look(on);
	return NOTIFY_DONE;
}

static struct notifier_block ovly_sa_netdev_nb = {
	.notifier_call = ovly_sa_netdev_event,
};

static struct notifier_block ovly_sa_inetaddr_nb = {
	.notifier_call = ovly_sa_inetaddr_event,
};

static struct notifier_block ovly_sa_inet6addr_nb = {
	.notifier_call = ovly_sa_inet6addr_event,
};

/* Context: the namespace is known to nobody yet. */
void ovly_sa_watch_init(struct ovly_net *on)
{
	on->sa_doubt_next = jiffies;
	INIT_DELAYED_WORK(&on->sa_rescan, ovly_sa_rescan);
}

/* Context: process; no event and no packet causes a look any more. */
void ovly_sa_watch_exit(struct ovly_net *on)
{
	cancel_delayed_work_sync(&on->sa_rescan);
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

/* SAs were replaced by others to or from other addresses.  Context: RCU read side. */
static int ovly_sa_migrate(OVLY_COMPAT_KM_MIGRATE_ARGS)
{
	struct net *net = OVLY_COMPAT_KM_MIGRATE_NET;

	if (net) {
		ovly_sa_look(ovly_net(net));
		return 0;
	}
	/* Nobody may keep other namespaces busy. */
	for_each_net_rcu(net)
		ovly_sa_doubt(ovly_net(net));
	return 0;
}

static struct xfrm_mgr ovly_sa_mgr = {
	.notify = ovly_sa_notify,
	.acquire = ovly_sa_acquire,
	.compile_policy = ovly_sa_compile_policy,
	.migrate = ovly_sa_migrate,
};

/* Context: the namespaces are known to ovly. */
int ovly_sa_watch_register(void)
{
	struct net *net;
	int err;

	err = register_netdevice_notifier(&ovly_sa_netdev_nb);
	if (err)
		return err;
	err = register_inetaddr_notifier(&ovly_sa_inetaddr_nb);
	if (err)
		goto err_netdev;
	err = register_inet6addr_notifier(&ovly_sa_inet6addr_nb);
	if (err)
		goto err_inetaddr;
	xfrm_register_km(&ovly_sa_mgr);
	/* SAs may be older than the module.  One that is reported meanwhile is
	 * noted once, whoever comes first.
	 */
	down_read(&net_rwsem);
	for_each_net(net)
		ovly_sa_scan(ovly_net(net));
	up_read(&net_rwsem);
	return 0;

err_inetaddr:
	unregister_inetaddr_notifier(&ovly_sa_inetaddr_nb);
err_netdev:
	unregister_netdevice_notifier(&ovly_sa_netdev_nb);
	return err;
}

void ovly_sa_watch_unregister(void)
{
	xfrm_unregister_km(&ovly_sa_mgr);
	unregister_inet6addr_notifier(&ovly_sa_inet6addr_nb);
	unregister_inetaddr_notifier(&ovly_sa_inetaddr_nb);
	unregister_netdevice_notifier(&ovly_sa_netdev_nb);
}
