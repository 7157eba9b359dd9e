// SPDX-License-Identifier: GPL-2.0-only
#include "bridge.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "names.h"
#include "parse.h"
#include "service.h"

void bridge_warn(struct bridge *br, struct log_limit *limit, const char *fmt,
		 ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(br->trouble, sizeof(br->trouble), fmt, ap);
	va_end(ap);
	br->trouble_at = log_now_ms();
	log_warn_limited(limit, "%s", br->trouble);
}

static bool on_send(void *arg, bool del, uint32_t ifindex,
		    const struct ovly_route *routes, unsigned int n,
		    struct ovly_report *report, struct ovly_nl_error *refusal)
{
	struct ovly_req req = { .ifindex = ifindex, .route = routes,
				.routes = n };
	const struct nexthop_dev *dev;
	struct bridge *br = arg;

	service_alive();
	if (del)
		return ovly_ctl_routes(&br->nl, OVLY_CMD_ROUTE_DEL, 0, &req,
				       report, refusal);
	/* What is yet to be swept is not to count against a peer's limit. */
	dev = br->sweeping ? nexthops_dev(&br->nexthops, ifindex) : NULL;
	if (dev)
		req.cookie = dev->cookie;
	return ovly_ctl_routes(&br->nl, OVLY_CMD_ROUTE_NEW,
			       NLM_F_CREATE | NLM_F_REPLACE, &req, report,
			       refusal);
}

static void delete_on(struct bridge *br, uint32_t ifindex,
		      const struct ovly_route *route)
{
	struct batch_op op = { .ifindex = ifindex, .del = true };

	/* of this protocol only: another one's is not ours to delete */
	op.route.has = HAS(OVLY_A_ROUTE_DST) | HAS(OVLY_A_ROUTE_PREFIXLEN) |
		       HAS(OVLY_A_ROUTE_METRIC) | HAS(OVLY_A_ROUTE_PROTOCOL);
	op.route.protocol = route->protocol;
	op.route.dst = route->dst;
	op.route.prefixlen = route->prefixlen;
	op.route.metric = route->metric;
	batch_add(&br->batch, &op);
}

static void delete_elsewhere(struct bridge *br, uint32_t ifindex,
			     const struct ovly_route *route)
{
	unsigned int i;

	for (i = 0; i < br->nexthops.devs; i++)
		if (br->nexthops.dev[i].ifindex != ifindex)
			delete_on(br, br->nexthops.dev[i].ifindex, route);
}

/* Those of a route that were left out, or its only one. */
static void note_unresolved(struct bridge *br, const struct batch_op *op,
			    unsigned int from)
{
	struct stage_hop hop = { .oif = op->ifindex };
	uint64_t now = log_now_ms();
	unsigned int i;

	for (i = from; i <= op->route.more.n; i++) {
		hop.gateway = i ? op->route.more.o[i - 1].via : op->route.via;
		unresolved_note(&br->lost_hops, &hop, now);
	}
}

/* Is it noted, and to be asked for again when the sweep has been?  One route of each
 * next hop is; that of several owners is refused once for each.
 */
static bool note_limited(struct limited *limited, const struct batch_op *op)
{
	unsigned int i;

	for (i = 0; i < limited->n; i++) {
		const struct batch_op *noted = &limited->op[i];

		if (noted->ifindex != op->ifindex)
			continue;
		if (noted->route.prefixlen == op->route.prefixlen &&
		    noted->route.metric == op->route.metric &&
		    addr_equal(&noted->route.dst, &op->route.dst))
			return true;
		if (addr_equal(&noted->route.via, &op->route.via))
			return false;
	}
	if (limited->n == LIMITED_MAX)
		return false;
	limited->op[limited->n] = *op;
	limited->op[limited->n++].retry = true;
	return true;
}

/* There is later news of the prefix.  Returns whether one was noted. */
static bool forget_limited(struct limited *limited,
			   const struct ovly_staged *staged)
{
	unsigned int before = limited->n;
	unsigned int i, kept = 0;

	for (i = 0; i < limited->n; i++)
		if (limited->op[i].route.prefixlen != staged->dst.len ||
		    !addr_equal(&limited->op[i].route.dst, &staged->dst.addr))
			limited->op[kept++] = limited->op[i];
	limited->n = kept;
	return kept < before;
}

static void warn_refused(struct bridge *br, const struct batch_op *op,
			 const char *why)
{
	const struct nexthop_dev *dev = nexthops_dev(&br->nexthops, op->ifindex);
	struct ovly_prefix prefix = { .addr = op->route.dst,
				      .len = (uint8_t)op->route.prefixlen };
	char via[ADDR_STRLEN];
	char buf[PREFIX_STRLEN];

	br->refused++;
	bridge_warn(br, &br->limit_route, "route %s via %s on %s is refused: %s",
		    prefix_str(&prefix, buf), addr_str(&op->route.via, via),
		    dev ? dev->name : "?", why);
}

static void on_refused(void *arg, const struct batch_op *op,
		       enum batch_outcome outcome, const char *why)
{
	struct bridge *br = arg;
	struct batch_op fewer = *op;

	br->retries_refused += op->retry;
	fewer.retry = false;
	if (!op->del && outcome == BATCH_UNRESOLVED && batch_narrow(&fewer)) {
		/* not tried one by one yet: one of them may be somebody's */
		if (op->known || !op->route.more.n)
			note_unresolved(br, op, op->known);
		br->partial++;
		batch_add(&br->batch, &fewer);
		return;
	}
	switch (outcome) {
	case BATCH_GONE:
		return;
	case BATCH_SYSTEM:
		br->system++;
		return;
	case BATCH_UNRESOLVED:
		/* What covers the next hop may be behind it in the same batch. */
		if (!op->del && !op->again && !br->reconciling) {
			fewer.again = true;
			batch_add(&br->batch, &fewer);
			return;
		}
		if (!op->del)
			note_unresolved(br, op, 0);
		br->unresolved++;
		break;
	case BATCH_LIMIT:
		if (!br->sweeping || !note_limited(&br->limited, op))
			warn_refused(br, op, why);
		/* the limit of one owner is not that of the others */
		if (batch_narrow(&fewer)) {
			batch_add(&br->batch, &fewer);
			return;
		}
		break;
	case BATCH_TAKEN:
		/* It may be this prefix on another device of the same table,
		 * whose deletion is in the same batch.
		 */
		if (!op->del && op->replace && !op->again) {
			fewer.again = true;
			batch_add(&br->batch, &fewer);
			return;
		}
		br->swept_may_fit = true;
		warn_refused(br, op, why);
		break;
	default:
		br->hold_sweep = true;
		br->late = true;
		warn_refused(br, op, why);
		return;
	}
	/* What it was to replace leads to a peer that is not the next hop any
	 * more.
	 */
	if (!op->del && op->replace)
		delete_on(br, op->ifindex, &op->route);
}

static void on_lost(void *arg, uint32_t ifindex, const char *why)
{
	const struct nexthop_dev *dev;
	struct bridge *br = arg;

	dev = nexthops_dev(&br->nexthops, ifindex);
	br->hold_sweep = true;
	bridge_warn(br, &br->limit_lost, "routes for %s are refused: %s",
		    dev ? dev->name : "a device", why);
}

static const struct batch_ops batch_ops = {
	.send = on_send,
	.refused = on_refused,
	.lost = on_lost,
};

void bridge_init(struct bridge *br, const struct bridge_conf *conf)
{
	const struct log_limit limit = { .burst = 10, .interval_ms = 10000 };

	memset(br, 0, sizeof(*br));
	br->conf = conf;
	br->limit_route = limit;
	br->limit_ignored = limit;
	br->limit_lost = limit;
	br->started = log_now_ms();
	batch_init(&br->batch, &batch_ops, br);
}

void bridge_free(struct bridge *br)
{
	nexthops_clear(&br->nexthops);
	ovly_nl_close(&br->nl);
}

bool bridge_wants(const struct bridge_conf *conf,
		  const struct ovly_staged *staged)
{
	unsigned int i;

	if (staged->table != conf->table ||
	    !conf->protocols.set[staged->protocol])
		return false;
	for (i = 0; i < conf->reject.n; i++)
		if (prefix_contains(&conf->reject.p[i], &staged->dst))
			return false;
	for (i = 0; i < conf->accept.n; i++)
		if (prefix_contains(&conf->accept.p[i], &staged->dst))
			return true;
	return conf->accept.n == 0;
}

/* zebra takes every route that has a number of FRR's for its own, in any table: at
 * its start it adds such routes again in its own way, and later removes them.
 */
static bool is_zebras(uint8_t protocol)
{
	enum { FIRST = 186, LAST = 199 }; /* bgp, isis, ospf, rip, ... */

	return protocol == RTPROT_ZEBRA || protocol == RTPROT_BABEL ||
	       (protocol >= FIRST && protocol <= LAST);
}

uint8_t bridge_protocol(const struct bridge_conf *conf, uint8_t staged)
{
	if (conf->as_protocol)
		return (uint8_t)conf->as_protocol;
	return is_zebras(staged) ? RTPROT_OVLY_BRIDGE : staged;
}

static void tell_ignored(struct bridge *br, const struct ovly_staged *staged)
{
	char prefix[PREFIX_STRLEN];
	char proto[32];

	br->ignored++;
	if (br->conf->protocols.set[staged->protocol])
		return;
	log_warn_limited(&br->limit_ignored,
			 "route %s in table %u has protocol %s, which is not followed: see --protocol",
			 prefix_str(&staged->dst, prefix), staged->table,
			 proto_str(staged->protocol, proto, sizeof(proto)));
}

/* What this notification means for the prefix takes a look at the table. */
static bool unclear(struct bridge *br, const struct ovly_staged *staged,
		    bool wanted)
{
	if (br->reconciling)
		return false;
	/* What a route turns into that leads nowhere, or that is another
	 * daemon's, has no deletion of its own.
	 */
	return !staged->leads || (!wanted && staged->replace) ||
	       (staged->del && br->several);
}

static void note_shape(struct bridge *br, const struct ovly_staged *staged)
{
	bool v4 = staged->dst.addr.family == AF_INET;

	/* IPv6 has no 0: what says 0 is 1024 there. */
	if (!br->metric_seen[v4])
		br->metric[v4] = staged->metric;
	br->metric_seen[v4] = true;
	br->objects |= staged->object;
	if (staged->dst.addr.family == AF_INET6)
		br->siblings |= staged->hops > 1;
	else
		br->several |= staged->append;
	br->several |= !br->conf->keep_metric &&
		       staged->metric != br->metric[v4];
}

/* Does a change make room for what had no place?  Where a next hop was missed it can be
 * seen; else it is by chance: some routes never have a place, and the table is not to be
 * read whole for each change because of them.
 */
void bridge_settle(struct bridge *br)
{
	bool missing = br->unresolved || br->partial || br->refused;

	br->resync |= br->may_resolve && missing;
	br->late |= (br->batch.applied || br->batch.removed) && missing;
	br->may_resolve = false;
	br->batch.applied = 0;
	br->batch.removed = 0;
}

/* In IPv6 the deletion of one next hop of several looks like that of a route:
 * what remains is seen in the table only.
 */
static bool is_sibling(const struct bridge *br,
		       const struct ovly_staged *staged)
{
	return br->siblings && staged->dst.addr.family == AF_INET6 &&
	       staged->hops == 1;
}

static void delete_staged(struct bridge *br, const struct ovly_staged *staged,
			  uint32_t ifindex, const struct ovly_route *route)
{
	if (is_sibling(br, staged))
		br->resync = true;
	/* a next hop that nobody has any more may have meant anyone */
	else if (ifindex)
		delete_on(br, ifindex, route);
	else
		delete_elsewhere(br, 0, route);
}

static void note_nobodys(struct bridge *br, const struct ovly_staged *staged)
{
	unsigned int i;

	for (i = 0; i < staged->hops && i < OVLY_OWNERS_MAX; i++) {
		struct stage_hop hop = staged->hop[i];

		if (nexthops_owner(&br->nexthops, &hop) == OWNER_NOBODY)
			unresolved_note(&br->lost_hops, &hop, log_now_ms());
	}
}

void bridge_route(struct bridge *br, const struct ovly_staged *staged)
{
	struct batch_op op = { .del = staged->del,
			       .replace = staged->replace };
	struct nexthop_found found;
	enum nexthop_result result;
	bool wanted;

	if (staged->table != br->conf->table)
		return;
	wanted = bridge_wants(br->conf, staged);
	br->resync |= unclear(br, staged, wanted);
	if (!staged->leads)
		return;
	/* Another route of the prefix may be meant, so that this one has to be seen. */
	if (!br->reconciling)
		br->resync |= forget_limited(&br->limited, staged);
	br->staged += !staged->del;
	if (!wanted) {
		tell_ignored(br, staged);
		return;
	}
	note_shape(br, staged);
	op.route.has = HAS(OVLY_A_ROUTE_METRIC) | HAS(OVLY_A_ROUTE_PROTOCOL);
	op.route.metric = br->conf->keep_metric ? staged->metric :
						  br->conf->metric;
	op.route.protocol = bridge_protocol(br->conf, staged->protocol);
	result = nexthops_map(&br->nexthops, staged, &found, &op.route);
	op.ifindex = found.ifindex;
	op.known = found.known;
	if (result == NEXTHOP_SYSTEM) {
		br->system++;
		return;
	}
	if (staged->del) {
		delete_staged(br, staged, result == NEXTHOP_PEER ? op.ifindex : 0,
			      &op.route);
		return;
	}
	note_nobodys(br, staged);
	if (result == NEXTHOP_NONE) {
		br->unresolved++;
		if (staged->replace)
			delete_elsewhere(br, 0, &op.route);
		return;
	}
	br->partial += found.left_out > 0;
	br->may_resolve |= !br->reconciling &&
			   unresolved_within(&br->lost_hops, &staged->dst);
	batch_add(&br->batch, &op);
	if (staged->replace)
		delete_elsewhere(br, op.ifindex, &op.route);
}
