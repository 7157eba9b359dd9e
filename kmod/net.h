/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _OVLY_NET_H
#define _OVLY_NET_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/netdevice.h>
#include <linux/rhashtable-types.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <net/net_namespace.h>

#include "fib.h"
#include "guard.h"
#include "park.h"

/**
 * struct ovly_net - what a network namespace keeps for ovly
 * @net: the namespace
 * @devs: devices created here, whose SAs and paths live here; guarded by RTNL
 * @path_lock: guards the SA index, @paths_in, @paths_out, and of every peer with
 *	paths here: its path list, its active path and the states.  Taken from
 *	softirq by the key manager events, under the SA's own lock; nothing is
 *	taken inside it but the locks of the arrays and @underlay_lock.
 * @paths_in: if_id of inbound SAs to &struct ovly_path; read under RCU.  The place
 *	of a path that is being made is reserved, and empty to all readers.
 * @paths_out: if_id of outbound SAs to &struct ovly_path, likewise
 * @closing: the namespace ends; guarded by @path_lock, packets read it
 * @sas: if_id to &struct ovly_sa_set, the tunnel-mode SAs that carry it
 * @sa_table: what identifies an SA to &struct ovly_sa
 * @sa_undirected: SAs of which nobody knows yet which way they go
 * @sa_epoch: bumped by a flush of the SAs and by a new look at all of them
 * @sa_doubt_next: jiffies before which packets cause no new look
 * @sa_rescan: looks at all SAs
 * @path_serial: order in which paths came, see &ovly_path.serial
 * @underlay_lock: guards @underlays; nothing is taken inside
 * @underlays: &struct ovly_underlay of the paths here
 * @xfrm_interfaces: if_id to the ifindex of the XFRM interface that has it
 * @park: packets that came before their path
 * @fib: the rtnetlink client of this namespace
 * @guard: the throw routes and rules made here
 * @users: what refers to this and is not in it: tables of devices, and devices
 *	that are being freed; the end of the namespace waits for them
 * @seq: bumped by every change, for the consistency of dumps
 */
struct ovly_net {
	struct net *net;
	struct list_head devs;
	spinlock_t path_lock; /* see above */
	struct xarray paths_in;
	struct xarray paths_out;
	bool closing;
	struct xarray sas;
	struct rhashtable sa_table;
	u32 sa_undirected;
	u64 sa_epoch;
	unsigned long sa_doubt_next;
	struct delayed_work sa_rescan;
	u64 path_serial;
	spinlock_t underlay_lock; /* see above */
	struct list_head underlays;
	struct xarray xfrm_interfaces;
	struct ovly_park park;
	struct ovly_fib fib;
	struct ovly_guard guard;
	atomic_t users;
	atomic_t seq;
};

struct ovly_net *ovly_net(const struct net *net);

/* Marks a change of a device that a dump in progress must notice.  The device may
 * be about to leave a namespace that ends.
 */
static inline void ovly_net_changed(const struct net_device *dev)
{
	rcu_read_lock();
	atomic_inc(&ovly_net(dev_net(dev))->seq);
	rcu_read_unlock();
}

static inline void ovly_net_hold(struct ovly_net *on)
{
	atomic_inc(&on->users);
}

void ovly_net_release(struct ovly_net *on);

int ovly_net_register(void);
void ovly_net_unregister(void);

#endif /* _OVLY_NET_H */
