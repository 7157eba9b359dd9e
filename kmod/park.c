// SPDX-License-Identifier: GPL-2.0
/*
 * Packets that come before their path.
 *
 * An IKE daemon installs an SA first and runs its updown command, which makes the
 * path, afterwards.  A peer that sends at once is decrypted in between, and
 * nobody knows yet whose packet that is.  Such packets wait here for a moment, as
 * they would for a neighbour to be resolved: a few, only of SAs that are seconds
 * old, and judged like all others once the path is there.  What waits is a copy.
 * The original goes on to whoever else may claim it, or to the stack, which
 * drops it.
 */
#include "park.h"

#include <linux/timekeeping.h>
#include <net/xfrm.h>

#include "device.h"
#include "net.h"
#include "path.h"
#include "rx.h"

#define OVLY_PARK_PACKETS	64
#define OVLY_PARK_SECONDS	2

/* In the control block of a parked packet. */
struct ovly_park_cb {
	u32 if_id;
	unsigned long since;
};

static struct ovly_park_cb *ovly_park_cb(struct sk_buff *skb)
{
	BUILD_BUG_ON(sizeof(struct ovly_park_cb) > sizeof(skb->cb));
	return (struct ovly_park_cb *)skb->cb;
}

static void ovly_park_expire(struct work_struct *work)
{
	struct ovly_park *park = container_of(to_delayed_work(work), struct ovly_park, expire);
	struct sk_buff *skb;

	spin_lock_bh(&park->queue.lock);
	while ((skb = skb_peek(&park->queue))) {
		if (time_before(jiffies, ovly_park_cb(skb)->since + OVLY_PARK_SECONDS * HZ)) {
			ovly_device_queue_delayed(&park->expire, HZ);
			break;
		}
		__skb_unlink(skb, &park->queue);
		kfree_skb(skb);
	}
	spin_unlock_bh(&park->queue.lock);
}

void ovly_park_init(struct ovly_park *park)
{
	skb_queue_head_init(&park->queue);
	park->closed = false;
	INIT_DELAYED_WORK(&park->expire, ovly_park_expire);
}

void ovly_park_exit(struct ovly_park *park)
{
	/* The namespace's underlay may still receive. */
	spin_lock_bh(&park->queue.lock);
	park->closed = true;
	spin_unlock_bh(&park->queue.lock);
	cancel_delayed_work_sync(&park->expire);
	skb_queue_purge(&park->queue);
}

/**
 * ovly_park_packet() - keep a copy of a packet that no path claims
 * @on: the SA's namespace
 * @skb: the inner packet
 * @x: the SA that it came by
 *
 * Context: RCU read side, bottom halves disabled.
 * Return: false if there is a path by now, which is to have the packet
 */
bool ovly_park_packet(struct ovly_net *on, struct sk_buff *skb, const struct xfrm_state *x)
{
	struct ovly_park *park = &on->park;
	struct sk_buff *copy;
	bool late;

	if (ktime_get_real_seconds() - (time64_t)x->curlft.add_time > OVLY_PARK_SECONDS ||
	    skb_queue_len_lockless(&park->queue) >= OVLY_PARK_PACKETS)
		return true;
	copy = skb_clone(skb, GFP_ATOMIC);
	if (!copy)
		return true;
	ovly_park_cb(copy)->if_id = x->if_id;
	ovly_park_cb(copy)->since = jiffies;
	skb_dst_drop(copy);
	nf_reset_ct(copy);
	/* Devices that may be gone by then. */
#if IS_ENABLED(CONFIG_BRIDGE_NETFILTER)
	skb_ext_del(copy, SKB_EXT_BRIDGE_NF);
#endif
	copy->dev = NULL;

	spin_lock_bh(&park->queue.lock);
	/* A path that comes after this look finds the copy. */
	late = xa_load(&on->paths_in, x->if_id);
	if (!late && !park->closed) {
		__skb_queue_tail(&park->queue, copy);
		ovly_device_queue_delayed(&park->expire, OVLY_PARK_SECONDS * HZ);
		copy = NULL;
	}
	spin_unlock_bh(&park->queue.lock);
	kfree_skb(copy);
	return !late;
}

/**
 * ovly_park_release() - a path is there: receive what waited for it
 * @park: of the path's namespace
 * @path: the path, its device locked
 *
 * Context: process.
 */
void ovly_park_release(struct ovly_park *park, struct ovly_path *path)
{
	struct sk_buff *skb, *next;
	struct sk_buff_head ready;

	__skb_queue_head_init(&ready);
	spin_lock_bh(&park->queue.lock);
	skb_queue_walk_safe(&park->queue, skb, next) {
		if (ovly_park_cb(skb)->if_id == path->if_id_in) {
			__skb_unlink(skb, &park->queue);
			__skb_queue_tail(&ready, skb);
		}
	}
	spin_unlock_bh(&park->queue.lock);

	local_bh_disable();
	rcu_read_lock();
	while ((skb = __skb_dequeue(&ready)))
		ovly_rx_parked(skb, path);
	rcu_read_unlock();
	local_bh_enable();
}
