/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _OVLY_PEER_H
#define _OVLY_PEER_H

#include <linux/list.h>
#include <linux/ovly.h>
#include <linux/rcupdate.h>
#include <linux/rhashtable-types.h>

#include "addr.h"
#include "stats.h"

struct netlink_ext_ack;
struct ovly_dev;
struct ovly_path;
struct ovly_peer;
struct ovly_route;

/**
 * struct ovly_addr - one overlay ("system") address of a peer
 * @node: in &ovly_dev.addrs
 * @ip: the address, the key
 * @peer: the owner
 * @route: the host route to it, owned by the peer
 * @list: in &ovly_peer.addrs
 * @rcu: for the readers of &ovly_dev.addrs
 */
struct ovly_addr {
	struct rhash_head node;
	struct ovly_ip ip;
	struct ovly_peer *peer;
	struct ovly_route *route;
	struct list_head list;
	struct rcu_head rcu;
};

/**
 * struct ovly_peer - a remote overlay node
 * @ovly: the device; outlives the peer
 * @active: the path that takes its packets, or NULL while it is down; changed
 *	under &ovly_net.path_lock, read under RCU
 * @backup: peer that takes the packets of this one while this one is down, or
 *	NULL; RCU
 * @traffic: what passed
 * @id: key in &ovly_dev.peers
 * @on_down: enum ovly_on_down
 * @route_limit: routes it may own, 0 for any number
 * @limit_action: enum ovly_limit_action
 * @mark: of its packets, 0 to leave theirs; packets read it
 * @priority: likewise
 * @routes_disabled: the limit keeps its routes out of the table
 * @reached: there was a path for its packets when its routes last followed its state;
 *	what they go by while its policy is to withdraw them
 * @reconsider: they are to be looked at again, whatever became of @reached
 * @scope: RT_SCOPE_* of its IPv4 routes by a next hop, see ovly_peer_pick_scope();
 *	never changes
 * @limit_event: jiffies of the last event about the limit, or 0
 * @n_routes: routes it owns beside those of its addresses
 * @n_paths: length of @paths; guarded like it
 * @transitions: how often it came up; guarded by &ovly_net.path_lock
 * @since: jiffies64 of the last transition; likewise
 * @paths: its paths; guarded by &ovly_net.path_lock
 * @addrs: its &struct ovly_addr; changed under both &ovly_dev.lock and
 *	&ovly_net.path_lock, so that either is enough to read it
 * @routes: its routes, including those of its addresses
 * @endpoints: outer addresses it has used
 * @turned: in &ovly_dev.turned, or empty
 * @backs: the peers that it is the backup of
 * @backed_by: in @backs of its backup, or empty
 * @name_node: in &ovly_dev.names
 * @rcu: for the readers of @active and of &ovly_dev.addrs
 * @name: unique on the device; never changes
 * @drops: what did not pass
 *
 * Fields without a rule of their own are guarded by &ovly_dev.lock.
 *
 * Lifetime: a peer belongs to its device, and &ovly_dev.lock is what keeps it
 * alive in process context.  Packets reach it under RCU alone, through
 * &ovly_dev.sole, &ovly_dev.addrs, a path or @backup, and keep no reference; key manager
 * events reach it through a path, under &ovly_net.path_lock.
 * ovly_peer_del() takes it out of all of these first and frees it after a grace
 * period.
 */
struct ovly_peer {
	struct ovly_dev *ovly;
	struct ovly_path __rcu *active;
	struct ovly_peer __rcu *backup;
	struct ovly_traffic __percpu *traffic;
	u32 id;
	u32 on_down;
	u32 route_limit;
	u32 limit_action;
	u32 mark;
	u32 priority;
	bool routes_disabled;
	bool reached;
	bool reconsider;
	u8 scope;
	unsigned long limit_event;
	u32 n_routes;
	u32 n_paths;
	u32 transitions;
	u64 since;
	struct list_head paths;
	struct list_head addrs;
	struct list_head routes;
	struct list_head endpoints;
	struct list_head turned;
	struct list_head backs;
	struct list_head backed_by;
	struct rhash_head name_node;
	struct rcu_head rcu;
	char name[OVLY_NAME_MAX + 1];
	struct ovly_drops drops;
};

/**
 * struct ovly_peer_conf - what a request says about a peer
 * @name: or NULL
 * @addrs: new addresses, if @has_addrs
 * @n_addrs: number of @addrs
 * @has_addrs: the request names addresses
 * @has_on_down: @on_down counts; likewise the others
 * @has_route_limit: see there
 * @has_limit_action: see there
 * @has_mark: see there
 * @has_priority: see there
 * @has_backup: see there
 * @renews_limit: routes that the limit took out are to be looked at again
 * @on_down: enum ovly_on_down
 * @route_limit: routes
 * @limit_action: enum ovly_limit_action
 * @mark: of its packets
 * @priority: of its packets
 * @backup: a peer of the same device, or NULL for none
 */
struct ovly_peer_conf {
	const char *name;
	struct ovly_ip addrs[OVLY_PEER_ADDRS_MAX];
	unsigned int n_addrs;
	bool has_addrs;
	bool has_on_down;
	bool has_route_limit;
	bool has_limit_action;
	bool has_mark;
	bool has_priority;
	bool has_backup;
	bool renews_limit;
	u32 on_down;
	u32 route_limit;
	u32 limit_action;
	u32 mark;
	u32 priority;
	struct ovly_peer *backup;
};

int ovly_peer_tables_init(struct ovly_dev *ovly);
void ovly_peer_tables_destroy(struct ovly_dev *ovly);

struct ovly_peer *ovly_peer_new(struct ovly_dev *ovly, const struct ovly_peer_conf *conf,
				struct netlink_ext_ack *extack);
int ovly_peer_set(struct ovly_peer *peer, const struct ovly_peer_conf *conf,
		  struct netlink_ext_ack *extack);
void ovly_peer_del(struct ovly_peer *peer);
void ovly_peer_del_all(struct ovly_dev *ovly);

struct ovly_peer *ovly_peer_find(struct ovly_dev *ovly, u32 id);
struct ovly_peer *ovly_peer_find_name(struct ovly_dev *ovly, const char *name);
struct ovly_peer *ovly_peer_find_via(struct ovly_dev *ovly, const struct ovly_ip *via);
struct ovly_peer *ovly_peer_pop_turned(struct ovly_dev *ovly);
void ovly_peer_turn(struct ovly_peer *peer);
bool ovly_peer_is_reachable(const struct ovly_peer *peer);
void ovly_peer_exceed_limit(struct ovly_peer *peer);

int ovly_peer_addrs_init(struct ovly_dev *ovly);
void ovly_peer_addrs_destroy(struct ovly_dev *ovly);
struct ovly_peer *ovly_peer_find_addr(struct ovly_dev *ovly, const struct ovly_ip *ip);
const struct ovly_ip *ovly_peer_addr(const struct ovly_peer *peer, u32 family);
int ovly_peer_check_addrs(struct ovly_dev *ovly, const struct ovly_peer *self,
			  const struct ovly_peer_conf *conf, struct netlink_ext_ack *extack);
int ovly_peer_check_nexthops(const struct ovly_peer *peer, const struct ovly_peer_conf *conf,
			     struct netlink_ext_ack *extack);
int ovly_peer_set_addrs(struct ovly_peer *peer, const struct ovly_peer_conf *conf,
			struct netlink_ext_ack *extack);
void ovly_peer_del_addrs(struct ovly_peer *peer);

struct ovly_peer *ovly_peer_lookup_rcu(const struct ovly_dev *ovly, const struct ovly_ip *nexthop);

static inline bool ovly_peer_is_up(const struct ovly_peer *peer)
{
	return rcu_access_pointer(peer->active);
}

#endif /* _OVLY_PEER_H */
