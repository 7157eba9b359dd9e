// SPDX-License-Identifier: GPL-2.0-only
/* What the router has to be, and which overlay leads to which neighbour. */
#include <string.h>

#include "conf_parse.h"
#include "parse.h"

/* The reference's: what a branch negotiates, and takes at most. */
#define DEFAULT_KEEPALIVE 80
#define DEFAULT_HOLD 240
#define DEFAULT_LIMIT 15
#define DEFAULT_MULTIHOP 10
#define DEFAULT_STAGING 2220
#define OVERLAY_TABLE 220

static bool prefixes_meet(const struct conf_prefixes *list,
			  const struct ovly_prefix *p)
{
	unsigned int i;

	for (i = 0; i < list->n; i++)
		if (prefix_contains(&list->p[i], p) ||
		    prefix_contains(p, &list->p[i]))
			return true;
	return false;
}

/* How well does the overlay lead there?  0: not at all. */
static int leads_to(const struct conf_overlay *o, const struct ovly_prefix *p)
{
	unsigned int i;

	for (i = 0; i < o->remote_system.n; i++)
		if (prefix_covers(p, &o->remote_system.a[i]))
			return 3;
	if (prefixes_meet(&o->remote_net, p) || prefixes_meet(&o->pool, p))
		return 2;
	/* learned from the head-end: anything may be there */
	return o->role == CONF_BRANCH && !o->remote_system.n &&
	       !o->remote_net.n;
}

static const struct conf_overlay *find_overlay(const struct conf *conf,
					       const struct ovly_prefix *p)
{
	const struct conf_overlay *found = NULL;
	unsigned int i;
	int best = 0;

	for (i = 0; i < conf->overlays; i++) {
		int level = leads_to(&conf->overlay[i], p);

		if (level > best) {
			best = level;
			found = &conf->overlay[i];
		}
	}
	return found;
}

/* The own address in the session, where it is known. */
static void set_source(struct conf_neighbor *n, struct conf_diags *diags)
{
	const struct ovly_addrs *own = &n->overlay->local_system;
	char buf[ADDR_STRLEN];
	unsigned int i;

	for (i = 0; i < own->n; i++) {
		if (!n->source_at.line &&
		    own->a[i].family == n->prefix.addr.family) {
			n->source = own->a[i];
			return;
		}
		if (addr_equal(&own->a[i], &n->source))
			return;
	}
	if (!n->source_at.line)
		return;
	if (n->source.family != n->prefix.addr.family)
		conf_error(diags, n->source_at,
			   "update-source is of another family than the neighbour");
	else if (own->n)
		conf_warn(diags, n->source_at,
			  "update-source %s is no local-system-ip-addr of overlay '%s'",
			  addr_str(&n->source, buf), n->overlay->name);
}

/* The smallest range around the neighbour. */
static const struct conf_neighbor *find_group(const struct conf_bgp *bgp,
					      const struct conf_neighbor *n)
{
	const struct conf_neighbor *found = NULL;
	unsigned int i;

	for (i = 0; i < bgp->neighbors && !n->range; i++) {
		const struct conf_neighbor *r = &bgp->neighbor[i];

		if (r->range && prefix_contains(&r->prefix, &n->prefix) &&
		    (!found || r->prefix.len > found->prefix.len))
			found = r;
	}
	return found;
}

/* One of a range that has settings of its own: the others are the range's. */
static void take_from_group(struct conf_neighbor *n)
{
	const struct conf_neighbor *g = n->group;

	if (!n->as_at.line) {
		n->as_at = g->as_at;
		n->as = g->as;
	}
	if (!n->timers.at.line)
		n->timers = g->timers;
	if (!n->limit.at.line)
		n->limit = g->limit;
	if (!n->multihop)
		n->multihop = g->multihop;
	if (!n->source_at.line && g->source_at.line) {
		n->source_at = g->source_at;
		n->source = g->source;
	}
	if (!n->password[0])
		strcpy(n->password, g->password);
}

static void check_neighbor(struct conf *conf, struct conf_neighbor *n,
			   struct conf_diags *diags)
{
	struct conf_bgp *bgp = &conf->bgp;
	char buf[PREFIX_STRLEN];

	if (n->range)
		prefix_str(&n->prefix, buf);
	else
		addr_str(&n->prefix.addr, buf);
	n->group = find_group(bgp, n);
	if (n->group)
		take_from_group(n);
	if (!n->as_at.line)
		conf_error(diags, n->at, "neighbour %s lacks remote-as NUMBER",
			   buf);
	if (!n->timers.at.line)
		n->timers = bgp->timers;
	if (!n->limit.at.line)
		n->limit = bgp->limit;
	if (!n->multihop)
		n->multihop = DEFAULT_MULTIHOP;
	n->overlay = find_overlay(conf, &n->prefix);
	if (!n->overlay && n->group)
		n->overlay = find_overlay(conf, &n->group->prefix);
	if (!n->overlay) {
		conf_error(diags, n->at,
			   n->range ?
			   "no overlay leads into %s: expected one with a remote-system-ip-addr in it" :
			   "no overlay leads to neighbour %s: expected one with 'remote-system-ip-addr %s'",
			   buf, buf);
		return;
	}
	set_source(n, diags);
	if (n->overlay->role == CONF_BRANCH && n->overlay->remote_net.n)
		conf_warn(diags, n->overlay->item[CI_REMOTE_SUBNET],
			  "the tunnel carries this subnet only, other routes of neighbour %s lead nowhere: leave the line out to carry all",
			  buf);
}

/* A branch's tunnel carries what comes from its own subnets. */
static void check_carried(const struct conf_bgp *bgp,
			  const struct conf_network *net,
			  struct conf_diags *diags)
{
	char buf[PREFIX_STRLEN];
	unsigned int i, k;

	for (i = 0; i < bgp->neighbors; i++) {
		const struct conf_overlay *o = bgp->neighbor[i].overlay;

		if (!o || o->role != CONF_BRANCH ||
		    bgp->neighbor[i].prefix.addr.family !=
			    net->prefix.addr.family)
			continue;
		for (k = 0; k < o->local_net.n; k++)
			if (prefix_contains(&o->local_net.p[k], &net->prefix))
				break;
		if (k < o->local_net.n)
			continue;
		conf_warn(diags, net->at,
			  "the tunnel of overlay '%s' does not carry %s: add 'local-system-ip-subnet %s' there, and what answers it at the head-end",
			  o->name, prefix_str(&net->prefix, buf), buf);
		return;
	}
}

static void check_networks(const struct conf_bgp *bgp,
			   struct conf_diags *diags)
{
	unsigned int i, k;

	for (i = 0; i < bgp->networks; i++) {
		int family = bgp->network[i].prefix.addr.family;

		for (k = 0; k < bgp->neighbors; k++)
			if (bgp->neighbor[k].prefix.addr.family == family)
				break;
		if (k == bgp->neighbors)
			conf_error(diags, bgp->network[i].at,
				   "there is no neighbour with an IPv%c address to announce this to",
				   family == AF_INET ? '4' : '6');
		else
			check_carried(bgp, &bgp->network[i], diags);
	}
}

static void set_router_id(struct conf *conf, struct conf_diags *diags)
{
	struct conf_bgp *bgp = &conf->bgp;
	unsigned int i, k;

	for (i = 0; i < conf->overlays && !bgp->router_id_at.line; i++) {
		const struct ovly_addrs *own = &conf->overlay[i].local_system;

		for (k = 0; k < own->n; k++) {
			if (own->a[k].family != AF_INET)
				continue;
			bgp->router_id = own->a[k];
			return;
		}
	}
	if (!bgp->router_id_at.line)
		conf_error(diags, bgp->at,
			   "expected 'router-id A.B.C.D': there is no IPv4 local-system-ip-addr to take it from");
}

void conf_check_bgp(struct conf *conf, struct conf_diags *diags)
{
	struct conf_bgp *bgp = &conf->bgp;
	unsigned int i;

	/* what follows depends on the overlays */
	if (!bgp->at.line || diags->errors)
		return;
	if (!bgp->timers.at.line) {
		bgp->timers.keepalive = DEFAULT_KEEPALIVE;
		bgp->timers.hold = DEFAULT_HOLD;
	}
	if (!bgp->limit.at.line)
		bgp->limit.max = DEFAULT_LIMIT;
	if (!bgp->staging_table)
		bgp->staging_table = DEFAULT_STAGING;
	for (i = 0; i < conf->overlays; i++)
		if (bgp->staging_table == (conf->overlay[i].table ?
					   conf->overlay[i].table :
					   OVERLAY_TABLE))
			conf_error(diags, bgp->at,
				   "staging-table %u is the table of device '%s', BIRD would remove routes of others there",
				   bgp->staging_table, conf->overlay[i].dev);
	set_router_id(conf, diags);
	if (!bgp->neighbors)
		conf_warn(diags, bgp->at, "this router has no neighbour");
	for (i = 0; i < bgp->neighbors; i++)
		check_neighbor(conf, &bgp->neighbor[i], diags);
	check_networks(bgp, diags);
}
