/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _OVLY_GUARD_H
#define _OVLY_GUARD_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/rhashtable-types.h>
#include <linux/socket.h>
#include <linux/workqueue.h>

#include "addr.h"

struct ovly_fib;
struct task_struct;

/**
 * struct ovly_guard - the module's own routes and rules in a network namespace
 * @fib: the namespace's rtnetlink client
 * @lock: guards all below; RTNL is taken inside
 * @throws: (table, address) to &struct ovly_throw
 * @throw_list: the same as a list
 * @rules: tables that a rule leads to, &struct ovly_guard_rule
 * @deleting: the task that takes a route or rule of ours away, or NULL
 * @watching: @nb is registered, or about to be
 * @watch_delay: jiffies until the next attempt to register it
 * @nb: sees rules and throw routes being deleted by others, and IPv6 routes of
 *	devices that lose IPv6
 * @lost: what is to be put back; bits, set from any context
 * @repair: puts it back
 */
struct ovly_guard {
	struct ovly_fib *fib;
	struct mutex lock; /* see above */
	struct rhashtable throws;
	struct list_head throw_list;
	struct list_head rules;
	struct task_struct *deleting;
	bool watching;
	unsigned long watch_delay;
	struct notifier_block nb;
	unsigned long lost;
	struct delayed_work repair;
};

/* Of a throw route: before any route to the same address that BGP may teach. */
static inline u32 ovly_guard_throw_metric(u32 family)
{
	return family == AF_INET ? 0 : 1;
}

int ovly_guard_init(struct ovly_guard *guard, struct ovly_fib *fib);
void ovly_guard_exit(struct ovly_guard *guard);

int ovly_guard_throw_get(struct ovly_guard *guard, u32 table, const struct ovly_ip *ip,
			 bool insist);
void ovly_guard_throw_put(struct ovly_guard *guard, u32 table, const struct ovly_ip *ip);

void ovly_guard_follow(struct ovly_guard *guard);
void ovly_guard_restore(struct ovly_guard *guard);
void ovly_guard_rule_get(struct ovly_guard *guard, u32 table);
void ovly_guard_rule_put(struct ovly_guard *guard, u32 table);

#endif /* _OVLY_GUARD_H */
