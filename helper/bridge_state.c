// SPDX-License-Identifier: GPL-2.0-only
#include "bridge_state.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "names.h"
#include "parse.h"
#include "view.h"

/* An answer has to fit into a socket's buffer: the daemon waits for nobody. */
#define SHOWN_MAX 256

void bridge_count_route(struct bridge *br, const struct ovly_staged *staged,
			struct bridge_count *count)
{
	struct unresolved_hop *counted[OVLY_OWNERS_MAX];
	int six = staged->dst.addr.family == AF_INET6;
	unsigned int n = 0, lost = 0;
	unsigned int i, k;

	if (!staged->leads || !bridge_wants(br->conf, staged))
		return;
	count->routes[six]++;
	for (i = 0; i < staged->hops && i < OVLY_OWNERS_MAX; i++) {
		struct stage_hop hop = staged->hop[i];
		struct unresolved_hop *u;

		if (nexthops_owner(&br->nexthops, &hop) == OWNER_PEER)
			continue;
		u = unresolved_find(&br->lost_hops, &hop);
		if (!u)
			continue;
		lost++;
		for (k = 0; k < n && counted[k] != u; k++)
			;
		if (k < n)
			continue;
		counted[n++] = u;
		u->prefixes++;
	}
	count->unresolved[six] += i && lost == i;
}

static json_t *ago(uint64_t then, uint64_t now)
{
	return json_integer((json_int_t)(now - then));
}

static json_t *view_devs(const struct bridge_conf *conf)
{
	json_t *list = json_array();
	unsigned int i;

	for (i = 0; i < conf->dev.n; i++)
		json_array_append_new(list, view_str(conf->dev.name[i]));
	return list;
}

static int by_prefixes(const void *a, const void *b)
{
	const struct unresolved_hop *x = a, *y = b;

	if (x->prefixes != y->prefixes)
		return x->prefixes < y->prefixes ? 1 : -1;
	return addr_compare(&x->hop.gateway, &y->hop.gateway);
}

static json_t *view_hop(const struct unresolved_hop *u, uint64_t now)
{
	json_t *out = json_object();
	char name[IFNAMSIZ];

	json_object_set_new(out, "next-hop", u->hop.gateway.family ?
			    view_addr(&u->hop.gateway) : json_null());
	json_object_set_new(out, "dev", u->hop.oif ?
			    view_str(ifindex_str(u->hop.oif, name,
						 sizeof(name))) : json_null());
	json_object_set_new(out, "prefixes",
			    json_integer((json_int_t)u->prefixes));
	json_object_set_new(out, "since", ago(u->since, now));
	return out;
}

/* Those that most prefixes want first; *n: how many there are. */
static json_t *view_hops(const struct unresolved *u, uint64_t now,
			 unsigned int *n)
{
	struct unresolved_hop *sorted = calloc(u->n + 1, sizeof(*sorted));
	json_t *list = json_array();
	unsigned int i;

	*n = 0;
	for (i = 0; sorted && i < u->n; i++)
		/* a route that went takes its next hop along later */
		if (u->hop[i].prefixes)
			sorted[(*n)++] = u->hop[i];
	if (*n)
		qsort(sorted, *n, sizeof(*sorted), by_prefixes);
	for (i = 0; i < *n && i < SHOWN_MAX; i++)
		json_array_append_new(list, view_hop(&sorted[i], now));
	free(sorted);
	return list;
}

static json_t *view_last(const struct bridge_reconciled *last, uint64_t now)
{
	if (!last->at)
		return json_null();
	return json_pack("{s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b}",
			 "ago", ago(last->at, now),
			 "took", (json_int_t)last->took,
			 "staged", (json_int_t)last->staged,
			 "applied", (json_int_t)last->applied,
			 "unresolved", (json_int_t)last->unresolved,
			 "fewer-next-hops", (json_int_t)last->partial,
			 "refused", (json_int_t)last->refused,
			 "not-followed", (json_int_t)last->ignored,
			 "removed", (json_int_t)last->removed,
			 "complete", last->swept);
}

static json_t *view_trouble(const struct bridge *br, uint64_t now)
{
	json_t *out;

	if (!br->trouble[0])
		return json_null();
	out = json_object();
	json_object_set_new(out, "ago", ago(br->trouble_at, now));
	json_object_set_new(out, "text", view_str(br->trouble));
	return out;
}

json_t *bridge_state(const struct bridge *br, const struct bridge_count *count,
		     uint64_t now)
{
	static const char *const routes[] = { "ipv4-routes", "ipv6-routes" };
	static const char *const lost[] = { "ipv4-unresolved",
					    "ipv6-unresolved" };
	json_t *out = json_object();
	unsigned int hops;
	json_t *list;
	int i;

	json_object_set_new(out, "pid", json_integer(getpid()));
	json_object_set_new(out, "table", json_integer(br->conf->table));
	json_object_set_new(out, "dev", view_devs(br->conf));
	json_object_set_new(out, "state",
			    json_string(!br->nl.family ? "no-module" :
					br->failed ? "failing" : "following"));
	json_object_set_new(out, "since", ago(br->started, now));
	json_object_set_new(out, "peers", json_integer(br->nexthops.peers));
	for (i = 0; i < 2; i++) {
		json_object_set_new(out, routes[i],
				    json_integer((json_int_t)count->routes[i]));
		json_object_set_new(out, lost[i],
				    json_integer((json_int_t)count->unresolved[i]));
	}
	list = view_hops(&br->lost_hops, now, &hops);
	json_object_set_new(out, "unresolved-next-hops", json_integer(hops));
	json_object_set_new(out, "more-next-hops",
			    json_boolean(br->lost_hops.more ||
					 hops > json_array_size(list)));
	json_object_set_new(out, "unresolved", list);
	json_object_set_new(out, "reconciles",
			    json_integer((json_int_t)br->reconciles));
	json_object_set_new(out, "last-reconcile", view_last(&br->last, now));
	json_object_set_new(out, "last-error", view_trouble(br, now));
	return out;
}

struct count_walk {
	struct bridge *br;
	struct bridge_count count;
};

static void on_counted(const struct ovly_staged *staged, void *arg)
{
	struct count_walk *walk = arg;

	bridge_count_route(walk->br, staged, &walk->count);
}

json_t *bridge_state_read(struct bridge *br, struct err *e)
{
	struct count_walk walk = { .br = br };
	bool interrupted;
	unsigned int i;

	for (i = 0; i < br->lost_hops.n; i++)
		br->lost_hops.hop[i].prefixes = 0;
	/* A table that changes is counted as it was seen: more is not to be had. */
	if (!ovly_stage_dump(&br->nl, br->conf->table, on_counted, &walk,
			     &interrupted, e))
		return NULL;
	return bridge_state(br, &walk.count, log_now_ms());
}
