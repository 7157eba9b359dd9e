// SPDX-License-Identifier: GPL-2.0-only
/* Reads the staging table whole, and takes back what is there no more. */
#include <errno.h>
#include <string.h>

#include "bridge.h"
#include "names.h"

/* A table that changes all the time is never read at rest; what changed
 * during the read arrives as notifications anyway.
 */
#define DUMP_PASSES 4

static bool follows(const struct bridge_conf *conf, const char *name)
{
	unsigned int i;

	for (i = 0; i < conf->dev.n; i++)
		if (!strcmp(conf->dev.name[i], name))
			return true;
	return conf->dev.n == 0;
}

static void on_dev(const struct ovly_msg *msg, void *arg)
{
	struct bridge *br = arg;
	char name[IFNAMSIZ];

	if (!msg->ifindex)
		return;
	ifindex_str(msg->ifindex, name, sizeof(name));
	if (follows(br->conf, name) &&
	    !nexthops_dev_add(&br->nexthops, msg->ifindex, name, msg->dev.mode))
		br->hold_sweep = true;
}

static void on_peer(const struct ovly_msg *msg, void *arg)
{
	struct bridge *br = arg;

	if (!nexthops_peer_add(&br->nexthops, msg->ifindex, &msg->peer))
		br->hold_sweep = true;
}

static bool read_peers(struct bridge *br, struct err *e)
{
	const struct ovly_req all = { 0 };
	struct ovly_nl_error refusal;

	nexthops_clear(&br->nexthops);
	if (!ovly_ctl_dump(&br->nl, OVLY_CMD_DEV_GET, &all, on_dev, br,
			   &refusal))
		return ovly_nl_err(e, &refusal, "cannot list the devices");
	if (!ovly_ctl_dump(&br->nl, OVLY_CMD_PEER_GET, &all, on_peer, br,
			   &refusal))
		return ovly_nl_err(e, &refusal, "cannot list the peers");
	return true;
}

static void on_staged(const struct ovly_staged *staged, void *arg)
{
	bridge_route(arg, staged);
}

/* Reads the table until it was at rest and a further pass resolves no more:
 * a next hop may lie in a prefix that comes later in the table.
 */
static bool read_table(struct bridge *br, struct err *e)
{
	uint64_t unresolved = UINT64_MAX;
	bool interrupted;
	int pass;

	for (pass = 0; pass < DUMP_PASSES; pass++) {
		br->staged = 0;
		br->ignored = 0;
		br->system = 0;
		br->unresolved = 0;
		br->partial = 0;
		br->refused = 0;
		br->batch.applied = 0;
		br->batch.removed = 0;
		unresolved_begin(&br->lost_hops);
		if (!ovly_stage_dump(&br->nl, br->conf->table, on_staged, br,
				     &interrupted, e))
			return false;
		batch_drain(&br->batch);
		if (!interrupted &&
		    (!br->unresolved || br->unresolved >= unresolved ||
		     !br->batch.applied))
			break;
		unresolved = br->unresolved;
	}
	unresolved_end(&br->lost_hops);
	return true;
}

static bool sweep(struct bridge *br, const struct nexthop_dev *dev,
		  uint64_t *removed, struct err *e)
{
	struct ovly_route filter = { .has = HAS(OVLY_A_ROUTE_PROTOCOL) };
	struct ovly_req req = { .ifindex = dev->ifindex, .cookie = dev->cookie,
				.route = &filter };
	struct ovly_nl_error refusal;
	struct ovly_msg reply;
	uint32_t protocol;

	/* only what this daemon may have put there */
	for (protocol = 1; protocol < 256; protocol++) {
		if (!br->conf->protocols.set[protocol] &&
		    protocol != br->conf->as_protocol &&
		    protocol != RTPROT_OVLY_BRIDGE)
			continue;
		filter.protocol = protocol;
		if (ovly_ctl_do(&br->nl, OVLY_CMD_ROUTE_SYNC_END, 0, &req,
				&reply, &refusal))
			*removed += reply.applied;
		else if (refusal.error == ENODEV)
			return true; /* and its routes with it */
		else
			return ovly_nl_err(e, &refusal,
					   "cannot end the reconcile of '%s'",
					   dev->name);
	}
	return true;
}

/* The table may have changed under the reader. */
static void catch_up(struct bridge *br)
{
	uint64_t before = br->batch.applied + br->batch.removed;

	if (br->catch_up && !br->catch_up(br->catch_up_arg))
		br->hold_sweep = true;
	br->resync |= br->may_resolve;
	br->late |= br->batch.applied + br->batch.removed != before;
	br->may_resolve = false;
}

static bool mark_and_sweep(struct bridge *br, uint64_t *removed, struct err *e)
{
	struct ovly_nl_error refusal;
	struct ovly_msg reply;
	unsigned int i;

	if (!read_peers(br, e))
		return false;
	for (i = 0; i < br->nexthops.devs; i++) {
		struct ovly_req req = {
			.ifindex = br->nexthops.dev[i].ifindex,
		};

		if (!ovly_ctl_do(&br->nl, OVLY_CMD_ROUTE_SYNC_BEGIN, 0, &req,
				 &reply, &refusal)) {
			if (refusal.error == ENODEV)
				continue;
			return ovly_nl_err(e, &refusal,
					   "cannot begin to reconcile '%s'",
					   br->nexthops.dev[i].name);
		}
		br->nexthops.dev[i].cookie = reply.cookie;
	}
	br->sweeping = true;
	br->reconciling = true;
	if (!read_table(br, e))
		return false;
	br->reconciling = false;
	catch_up(br);
	for (i = 0; i < br->nexthops.devs && !br->hold_sweep; i++)
		if (br->nexthops.dev[i].cookie &&
		    !sweep(br, &br->nexthops.dev[i], removed, e))
			return false;
	return true;
}

/* Asks for what a limit refused while the old set counted, and holds it against the
 * peer now.  Returns whether there was room, for others of its next hop, too.
 */
static bool retry_limited(struct bridge *br)
{
	unsigned int i;
	bool room;

	br->retries_refused = 0;
	for (i = 0; i < br->limited.n; i++)
		batch_add(&br->batch, &br->limited.op[i]);
	batch_drain(&br->batch);
	room = br->retries_refused < br->limited.n;
	br->limited.n = 0;
	return room;
}

static void remember(struct bridge *br, uint64_t start, uint64_t removed)
{
	struct bridge_reconciled *last = &br->last;

	last->at = log_now_ms();
	last->took = last->at - start;
	last->staged = br->staged;
	last->applied = br->batch.applied;
	last->unresolved = br->unresolved;
	last->partial = br->partial;
	last->refused = br->refused;
	last->ignored = br->ignored;
	last->removed = removed;
	last->swept = !br->hold_sweep;
	br->reconciles++;
	log_info("reconciled table %u in %llu ms: %llu routes staged, %llu applied, "
		 "%llu without a peer, %llu with fewer next hops, "
		 "%llu refused, %llu not followed, "
		 "%llu removed%s; %u devices, %u peers",
		 br->conf->table, (unsigned long long)last->took,
		 (unsigned long long)last->staged,
		 (unsigned long long)last->applied,
		 (unsigned long long)last->unresolved,
		 (unsigned long long)last->partial,
		 (unsigned long long)last->refused,
		 (unsigned long long)last->ignored, (unsigned long long)removed,
		 last->swept ? "" : " (none: a request failed, or news were lost)",
		 br->nexthops.devs, br->nexthops.peers);
}

bool bridge_reconcile(struct bridge *br, struct err *e)
{
	const struct bridge_reconciled last = br->last;
	uint64_t start = log_now_ms();
	uint64_t removed = 0;
	bool ok;

	br->resync = false;
	br->hold_sweep = false;
	br->swept_may_fit = false;
	br->several = false;
	br->siblings = false;
	br->objects = false;
	memset(br->metric_seen, 0, sizeof(br->metric_seen));
	br->limited.n = 0;
	br->late = false;
	br->may_resolve = false;
	br->batch.n = 0;
	ok = mark_and_sweep(br, &removed, e);
	br->reconciling = false;
	br->sweeping = false;
	br->failed = !ok;
	if (!ok)
		return false;
	br->resync |= br->swept_may_fit && removed;
	if (br->limited.n && !br->hold_sweep)
		br->resync |= retry_limited(br);
	br->late &= br->unresolved || br->partial || br->refused;
	/* One that moved may have made room for another. */
	br->late |= br->unresolved != last.unresolved ||
		    br->partial != last.partial || br->refused != last.refused;
	remember(br, start, removed);
	br->batch.applied = 0;
	br->batch.removed = 0;
	return true;
}
