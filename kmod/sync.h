/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _OVLY_SYNC_H
#define _OVLY_SYNC_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/workqueue.h>

struct ovly_dev;
struct ovly_fib_batch;
struct ovly_fib_route;
struct ovly_guard;
struct ovly_peer;
struct ovly_route;
struct ovly_route_filter;

/**
 * struct ovly_sync - what of a device is in the routing table
 * @epoch: bumped, under any lock, when the kernel may have dropped the device's
 *	routes or they belong into another table
 * @synced: value of @epoch that the table was last brought up to
 * @dropped: value of @epoch before which the table has nothing of the device for
 *	certain, as the kernel took it away or another table is in use
 * @table: the table in use
 * @oif: the device's number there.  With the device gone it is nobody's, while the
 *	number that it has elsewhere may be another device's.
 * @guard: network namespace in which it is used, which is held; NULL before the
 *	first look
 * @guarded: the table is reached by a rule, needs that rule and throw routes
 * @ruled: the rule is held, as the device is up
 * @installed: routes in the table
 * @work: brings the table up to date
 * @ipv6: waits until the device has IPv6 again
 *
 * Guarded by &ovly_dev.lock, but for @epoch, @work and @ipv6.
 */
struct ovly_sync {
	atomic_t epoch;
	u32 synced;
	u32 dropped;
	u32 table;
	int oif;
	struct ovly_guard *guard;
	bool guarded;
	bool ruled;
	u32 installed;
	struct work_struct work;
	struct delayed_work ipv6;
};

/**
 * struct ovly_sync_batch - route changes of one request
 * @ovly: the device, locked
 * @fib: on their way to the table
 * @epoch: &ovly_sync.epoch when the last of them were sent
 * @refused: told of every route that the table refused; a fresh one is freed
 *	afterwards.  May be NULL.
 * @context: for @refused
 */
struct ovly_sync_batch {
	struct ovly_dev *ovly;
	struct ovly_fib_batch *fib;
	u32 epoch;
	void (*refused)(void *context, const struct ovly_route *route, int err);
	void *context;
};

void ovly_sync_init(struct ovly_dev *ovly);
void ovly_sync_exit(struct ovly_dev *ovly);

void ovly_sync_lost(struct ovly_dev *ovly);
void ovly_sync_dropped(struct ovly_dev *ovly);
void ovly_sync_ipv6_off(struct ovly_dev *ovly);
void ovly_sync_queue(struct ovly_dev *ovly);
bool ovly_sync_settle(struct ovly_dev *ovly);
void ovly_sync_turned(struct ovly_peer *peer);

void ovly_sync_begin(struct ovly_sync_batch *batch, struct ovly_dev *ovly);
void ovly_sync_route(struct ovly_sync_batch *batch, struct ovly_route *route);
void ovly_sync_remove(struct ovly_sync_batch *batch, struct ovly_route *route);
void ovly_sync_set_aside(struct ovly_sync_batch *batch, struct ovly_route *route);
void ovly_sync_put_back(struct ovly_route *route);
void ovly_sync_inherit(struct ovly_route *heir, const struct ovly_route *route);
u32 ovly_sync_sweep(struct ovly_sync_batch *batch, const struct ovly_route_filter *filter);
void ovly_sync_commit(struct ovly_sync_batch *batch);
void ovly_sync_end(struct ovly_sync_batch *batch);

bool ovly_sync_installed(const struct ovly_route *route);
bool ovly_sync_may_be_there(const struct ovly_route *route);
void ovly_sync_note(struct ovly_route *route, u32 epoch);
void ovly_sync_fib_key(const struct ovly_route *head, struct ovly_fib_route *fib);

#endif /* _OVLY_SYNC_H */
