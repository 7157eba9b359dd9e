/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _OVLY_ROUTE_H
#define _OVLY_ROUTE_H

#include <linux/list.h>
#include <linux/ovly.h>
#include <linux/rbtree.h>
#include <linux/rtnetlink.h>

#include "addr.h"

struct netlink_ext_ack;
struct ovly_dev;
struct ovly_peer;

/* Of no entry of the request: changed because of another one. */
#define OVLY_ROUTE_UNASKED	U32_MAX

/**
 * struct ovly_route_key - what tells the routes of a device apart
 * @dst: prefix, host bits zero
 * @len: prefix length
 * @metric: as the kernel has it: IPv6 routes have none of 0
 */
struct ovly_route_key {
	struct ovly_ip dst;
	u8 len;
	u32 metric;
};

/**
 * struct ovly_route - a route that a peer owns
 *
 * Those with the same key are neighbours in &ovly_dev.routes, a group, sorted by
 * peer; the table has one entry for a group, multipath if there are several.
 *
 * @node: in &ovly_dev.routes
 * @key: prefix and metric
 * @peer: the owner
 * @list: in &ovly_peer.routes
 * @stamp: &ovly_dev.sweep_clock when it was last asked for
 * @epoch: &ovly_sync.epoch when it was put into the table; it is there if that
 *	is &ovly_sync.synced, and never was if 0
 * @tag: position in the request that is being applied, or %OVLY_ROUTE_UNASKED
 * @err: why it is not in the table, a positive errno, or 0
 * @protocol: RTPROT_* of whoever asked for it
 * @previous: that before the request that is being applied, if @named
 * @system: it is the host route of one of the peer's addresses
 * @stale: what the table has of its group is to be replaced
 * @queued: its group is in the batch of the request that is being applied
 * @maybe: it went into the table while the kernel dropped the device's routes:
 *	nobody knows which came first
 * @sent: it is part of what the batch has of its group
 * @fresh: made by the request that is being applied
 * @named: wanted by the request that is being applied, which stamps it if it is
 *	granted
 * @doomed: replaced by the request that is being applied, and freed with it
 *
 * Guarded by &ovly_dev.lock.
 */
struct ovly_route {
	struct rb_node node;
	struct ovly_route_key key;
	struct ovly_peer *peer;
	struct list_head list;
	u64 stamp;
	u32 epoch;
	u32 tag;
	int err;
	u8 protocol;
	u8 previous;
	bool system;
	bool stale;
	bool queued;
	bool maybe;
	bool sent;
	bool fresh;
	bool named;
	bool doomed;
};

/* Is it the word of a routing protocol?  Up to RTPROT_STATIC protocols mean an
 * administrator or the kernel (linux/rtnetlink.h).
 */
static inline bool ovly_route_is_taught(const struct ovly_route *route)
{
	return !route->system && route->protocol > RTPROT_STATIC;
}

/**
 * struct ovly_route_filter - which routes a flush, sweep or dump means
 * @peer: only this peer's, or NULL
 * @protocol: only these, or 0
 * @family: only these, or 0
 * @before: only those with a stamp below, or 0
 */
struct ovly_route_filter {
	const struct ovly_peer *peer;
	u8 protocol;
	u8 family;
	u64 before;
};

/**
 * struct ovly_route_want - what a request wants of a prefix
 * @key: prefix and metric
 * @protocol: RTPROT_*
 * @flags: NLM_F_CREATE allows to make it, NLM_F_REPLACE to confirm or to change
 *	what is there, NLM_F_APPEND to add owners to those it has
 * @sweeping: it is part of a mark and sweep: a limit refuses, and does no more
 * @n_owners: number of @owners, at least 1
 * @owners: peers of one device, each once
 */
struct ovly_route_want {
	struct ovly_route_key key;
	u8 protocol;
	u16 flags;
	bool sweeping;
	unsigned int n_owners;
	struct ovly_peer *owners[OVLY_OWNERS_MAX];
};

bool ovly_route_want_has(const struct ovly_route_want *want, const struct ovly_peer *peer);
int ovly_route_key_cmp(const struct ovly_route_key *a, const struct ovly_route_key *b);
struct ovly_route *ovly_route_find(struct ovly_dev *ovly, const struct ovly_route_key *key);
struct ovly_route *ovly_route_find_from(struct ovly_dev *ovly, const struct ovly_route_key *key,
					u32 peer_id);
struct ovly_route *ovly_route_find_of(struct ovly_dev *ovly, const struct ovly_route_key *key,
				      const struct ovly_peer *peer);
struct ovly_route *ovly_route_find_host(struct ovly_dev *ovly, const struct ovly_ip *ip);
struct ovly_route *ovly_route_find_shadow(struct ovly_dev *ovly, const struct ovly_ip *ip);
struct ovly_route *ovly_route_next(const struct ovly_route *route);
struct ovly_route *ovly_route_head(struct ovly_route *route);
struct ovly_route *ovly_route_next_owner(const struct ovly_route *route);
bool ovly_route_is_shared(struct ovly_route *route);
struct ovly_route *ovly_route_longest(struct ovly_dev *ovly, const struct ovly_ip *ip);
bool ovly_route_matches(const struct ovly_route *route, const struct ovly_route_filter *filter);

struct ovly_route *ovly_route_want(struct ovly_dev *ovly, const struct ovly_route_want *want,
				   struct netlink_ext_ack *extack);
struct ovly_route *ovly_route_new_system(struct ovly_peer *peer, const struct ovly_ip *ip,
					 struct netlink_ext_ack *extack);
void ovly_route_unlink(struct ovly_route *route);
void ovly_route_relink(struct ovly_route *route);

int ovly_route_cache_init(void);
void ovly_route_cache_exit(void);
void ovly_route_free(struct ovly_route *route);

#endif /* _OVLY_ROUTE_H */
