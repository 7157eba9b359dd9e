/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The staging table's routes into the module.
 *
 * Notifications carry what changes; whenever they may be incomplete (start,
 * overrun, a new device or peer, a link or an address that goes and takes IPv4
 * routes along without a word) the table is read and the module told which
 * routes are confirmed, which removes no route that stays.  No copy of the
 * table is held.
 */
#ifndef OVLY_BRIDGE_H
#define OVLY_BRIDGE_H

#include "args.h"
#include "batch.h"
#include "ctl.h"
#include "log.h"
#include "nexthop.h"
#include "unresolved.h"

struct bridge_conf {
	struct arg_ifnames dev; /* none: all */
	uint32_t table;
	struct arg_prefixes accept;
	struct arg_prefixes reject;
	struct arg_protos protocols;
	bool keep_metric;
	uint32_t metric;
	uint32_t as_protocol; /* in the module; 0: see bridge_protocol() */
	bool once;
};

#define LIMITED_MAX 256

/* Of each next hop one route that is beyond its peer's limit. */
struct limited {
	unsigned int n;
	struct batch_op op[LIMITED_MAX];
};

/* The last time that the table was read whole. */
struct bridge_reconciled {
	uint64_t at; /* of log_now_ms(), 0: never */
	uint64_t took;
	uint64_t staged, applied, unresolved, partial, refused, ignored;
	uint64_t removed;
	bool swept;
};

struct bridge {
	struct ovly_nl nl;
	const struct bridge_conf *conf;
	struct nexthops nexthops;
	struct batch batch;
	bool resync; /* a reconcile is due */
	bool late; /* one may help by chance: some time, it is not to cost much */
	bool hold_sweep; /* what was seen is incomplete: remove nothing */
	bool reconciling; /* the table is read, not followed */
	bool sweeping; /* between the begin of a mark and sweep and its end */
	/* Follows what was told while the table was read; false: some is lost.
	 * May be NULL.
	 */
	bool (*catch_up)(void *arg);
	void *catch_up_arg;
	bool may_resolve; /* a route came that a lost next hop may be behind */
	/* somebody else's route is in the way, which a sweep may remove */
	bool swept_may_fit;
	struct limited limited; /* refused while what is to be swept counted */
	uint64_t retries_refused; /* of them, counted on */
	/* A prefix may have several routes there, of other metrics: that one goes
	 * does not mean that all do.
	 */
	bool several;
	bool siblings; /* the same for the next hops of an IPv6 route */
	bool objects; /* routes there have nexthop objects */
	/* of each family, IPv6 first */
	bool metric_seen[2];
	uint32_t metric[2];
	/* of the last reconcile, and counted on since */
	uint64_t staged, ignored, system, unresolved, partial, refused;
	struct log_limit limit_route, limit_ignored, limit_lost;
	/* for whoever asks */
	struct unresolved lost_hops;
	struct bridge_reconciled last;
	uint64_t started, reconciles;
	bool failed; /* the last reconcile */
	char trouble[256]; /* the last warning */
	uint64_t trouble_at;
};

void bridge_init(struct bridge *br, const struct bridge_conf *conf);
void bridge_free(struct bridge *br);
/* Is the route one to hand over?  Pure. */
/* The protocol that a route has in the module, given that in the staging table. */
uint8_t bridge_protocol(const struct bridge_conf *conf, uint8_t staged);
bool bridge_wants(const struct bridge_conf *conf,
		  const struct ovly_staged *staged);
/* One notification. */
void bridge_route(struct bridge *br, const struct ovly_staged *staged);
/* After a batch of notifications: does what was refused before fit now? */
void bridge_settle(struct bridge *br);
bool bridge_reconcile(struct bridge *br, struct err *e);
/* Logs a problem, and keeps it for whoever asks. */
void bridge_warn(struct bridge *br, struct log_limit *limit, const char *fmt,
		 ...) __attribute__((format(printf, 3, 4)));

#endif /* OVLY_BRIDGE_H */
