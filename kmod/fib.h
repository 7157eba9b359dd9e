/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _OVLY_FIB_H
#define _OVLY_FIB_H

#include <linux/mutex.h>
#include <linux/ovly.h>
#include <linux/types.h>

#include "addr.h"

struct net;
struct sk_buff;
struct socket;

/**
 * struct ovly_fib - the rtnetlink client of a network namespace
 * @net: the namespace
 * @lock: guards @sock and is held for one exchange, RTNL is taken inside
 * @sock: made when first needed
 * @answer: what the socket receives
 * @seq: number of the last message
 */
struct ovly_fib {
	struct net *net;
	struct mutex lock; /* see above */
	struct socket *sock;
	void *answer;
	u32 seq;
};

enum ovly_fib_op {
	OVLY_FIB_ADD,		/* EEXIST if somebody else's is there */
	OVLY_FIB_REPLACE,	/* create, or take over what is there */
	OVLY_FIB_DEL,		/* ESRCH if it is not there */
};

/**
 * struct ovly_fib_route - a route as rtnetlink takes it
 * @dst: prefix
 * @table: routing table
 * @metric: priority, 0 for the family's default
 * @oif: device, or 0
 * @dst_len: prefix length
 * @type: RTN_UNICAST or RTN_THROW
 * @scope: RT_SCOPE_*
 * @protocol: RTPROT_*
 * @onlink: the gateways need not be reachable
 * @n_via: number of next hops, 0 if the destination is on the link
 * @via: gateways; more than one make a multipath route
 */
struct ovly_fib_route {
	struct ovly_ip dst;
	u32 table;
	u32 metric;
	int oif;
	u8 dst_len;
	u8 type;
	u8 scope;
	u8 protocol;
	bool onlink;
	unsigned int n_via;
	struct ovly_ip via[OVLY_OWNERS_MAX];
};

/* More gain nothing, and this many error reports fit the socket's buffer. */
#define OVLY_FIB_BATCH	64

typedef void (*ovly_fib_done_t)(void *context, void *entry, enum ovly_fib_op op, int err);

/**
 * struct ovly_fib_batch - route changes on their way to rtnetlink
 * @fib: where to
 * @sending: called before they are sent, or NULL
 * @done: told the result of each, in order
 * @context: for @sending and @done
 * @msg: the messages
 * @n: number of them
 * @entry: per message, what the caller gave with it
 * @op: per message, what it does
 */
struct ovly_fib_batch {
	struct ovly_fib *fib;
	void (*sending)(void *context);
	ovly_fib_done_t done;
	void *context;
	struct sk_buff *msg;
	unsigned int n;
	void *entry[OVLY_FIB_BATCH];
	u8 op[OVLY_FIB_BATCH];
};

void ovly_fib_init(struct ovly_fib *fib, struct net *net);
void ovly_fib_exit(struct ovly_fib *fib);

struct ovly_fib_batch *ovly_fib_batch_new(struct ovly_fib *fib, ovly_fib_done_t done,
					  void *context);
void ovly_fib_batch_add(struct ovly_fib_batch *batch, enum ovly_fib_op op,
			const struct ovly_fib_route *route, void *entry);
void ovly_fib_batch_commit(struct ovly_fib_batch *batch);
void ovly_fib_batch_free(struct ovly_fib_batch *batch);

int ovly_fib_route(struct ovly_fib *fib, enum ovly_fib_op op, const struct ovly_fib_route *route);
int ovly_fib_put_rule(struct sk_buff *msg, enum ovly_fib_op op, u8 family, u32 table);
int ovly_fib_rule(struct ovly_fib *fib, enum ovly_fib_op op, u8 family, u32 table);

int ovly_fib_put_route(struct sk_buff *msg, u32 seq, enum ovly_fib_op op,
		       const struct ovly_fib_route *route);

#endif /* _OVLY_FIB_H */
