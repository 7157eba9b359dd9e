/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _OVLY_DEVICE_H
#define _OVLY_DEVICE_H

#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/ovly.h>
#include <linux/rbtree.h>
#include <linux/rhashtable-types.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "stats.h"
#include "sync.h"

struct netlink_ext_ack;
struct ovly_cell;
struct ovly_peer;

/**
 * struct ovly_dev - an overlay device
 * @dev: the netdev this is the private part of
 * @net: namespace that holds the SAs, the paths and the underlay: the one the
 *	device was created in.  The device itself may move to another.
 * @traffic: what passed of all peers together
 * @cells: received packets that XFRM has to let go of first
 * @mode: enum ovly_mode; never changes
 * @table: routing table outside a VRF; never changes
 * @src_valid: enum ovly_src_valid; READ_ONCE() and WRITE_ONCE()
 * @carrier_follows: carrier is on only while a peer is up; likewise
 * @sole: the one peer in p2p mode; RCU
 * @addrs: overlay address to &struct ovly_addr; RCU
 * @lock: guards the configuration, that is all below.  Held while talking to
 *	rtnetlink, hence taken before RTNL, and never with RTNL held.
 * @dead: the device is being unregistered; set before the teardown takes @lock
 * @peers: id to &struct ovly_peer
 * @next_id: where to look for a free id
 * @names: name to &struct ovly_peer
 * @n_peers: number of peers
 * @peers_up: those that are up; guarded by &ovly_net.path_lock
 * @turned: peers that went up or down and whose routes or endpoints have to
 *	follow; guarded by &ovly_net.path_lock
 * @routes: wanted routes, sorted by key
 * @n_routes: number of them
 * @sweep_clock: stamps routes, see &ovly_route.stamp
 * @sync: what is in the routing table, and the work that keeps it right
 * @source_event: jiffies of the last event about a forged source
 * @teardown: frees everything, without RTNL
 * @list: in &ovly_net.devs
 * @drops: what did not pass, of all peers together and what no peer claimed
 */
struct ovly_dev {
	struct net_device *dev;
	struct net *net;
	struct ovly_traffic __percpu *traffic;
	struct ovly_cell __percpu *cells;
	u32 mode;
	u32 table;
	u32 src_valid;
	u32 carrier_follows;
	struct ovly_peer __rcu *sole;
	struct rhashtable addrs;

	struct mutex lock; /* see above */
	bool dead;
	struct xarray peers;
	struct rhashtable names;
	u32 n_peers;
	u32 peers_up;
	u32 next_id;
	struct list_head turned;
	struct rb_root routes;
	u32 n_routes;
	u64 sweep_clock;
	struct ovly_sync sync;

	unsigned long source_event;
	struct work_struct teardown;
	struct list_head list;
	struct ovly_drops drops;
};

/**
 * struct ovly_dev_conf - what a request says about a device
 * @mode_nla: attribute with @mode, or NULL
 * @table_nla: attribute with @table, or NULL
 * @has_src_valid: @src_valid counts
 * @has_carrier_follows: @carrier_follows counts
 * @mode: enum ovly_mode
 * @table: routing table
 * @src_valid: enum ovly_src_valid
 * @carrier_follows: 0 or 1
 */
struct ovly_dev_conf {
	const struct nlattr *mode_nla;
	const struct nlattr *table_nla;
	bool has_src_valid;
	bool has_carrier_follows;
	u32 mode;
	u32 table;
	u32 src_valid;
	u32 carrier_follows;
};

bool ovly_device_sa_capable(const struct ovly_dev *ovly, const struct sk_buff *skb);
int ovly_device_change(struct ovly_dev *ovly, const struct ovly_dev_conf *conf,
		       const struct sk_buff *skb, struct netlink_ext_ack *extack);
bool ovly_device_is(const struct net_device *dev);
void ovly_device_unregister_all(struct net *net, struct list_head *queue);
void ovly_device_queue_work(struct work_struct *work);
void ovly_device_hasten(struct delayed_work *work);
bool ovly_device_queue_delayed(struct delayed_work *work, unsigned long delay);

int ovly_device_wq_init(void);
void ovly_device_wq_exit(void);
int ovly_device_register(void);
void ovly_device_unregister(void);

#endif /* _OVLY_DEVICE_H */
