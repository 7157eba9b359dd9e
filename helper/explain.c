// SPDX-License-Identifier: GPL-2.0-only
#include "explain.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "explain_steps.h"
#include "names.h"
#include "parse.h"
#include "view.h"

static json_t *step_va(struct explain *x, const char *name, const char *fmt,
		       va_list ap)
{
	json_t *step = json_object();
	char text[512];

	vsnprintf(text, sizeof(text), fmt, ap);
	json_object_set_new(step, "step", json_string(name));
	json_object_set_new(step, "text", view_str(text));
	json_array_append_new(x->steps, step);
	return step;
}

json_t *explain_step(struct explain *x, const char *name, const char *fmt, ...)
{
	json_t *step;
	va_list ap;

	va_start(ap, fmt);
	step = step_va(x, name, fmt, ap);
	va_end(ap);
	return step;
}

void explain_set_str(json_t *step, const char *key, const char *value)
{
	json_object_set_new(step, key, view_str(value));
}

void explain_set_int(json_t *step, const char *key, uint64_t value)
{
	json_object_set_new(step, key, json_integer((json_int_t)value));
}

void explain_set_addr(json_t *step, const char *key, const struct ovly_addr *a)
{
	if (a->family)
		json_object_set_new(step, key, view_addr(a));
}

void explain_verdict(struct explain *x, const char *word, const char *reason,
		     const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	explain_set_str(x->out, "verdict", word);
	json_object_set_new(x->out, "reason",
			    reason ? json_string(reason) : json_null());
	explain_set_str(x->out, "text", text);
}

/* ---- other ways ---- */

/* Does the device tell the stack to look at no policies? */
static bool ignores_policies(const struct explain *x, const char *dev)
{
	char path[80], value[8];

	if (x->flow.dst.family != AF_INET)
		return false;
	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s/disable_xfrm",
		 dev);
	return x->host->ops->file(x->host, path, value, sizeof(value)) &&
	       value[0] == '1';
}

/* A policy without if_id comes before any device.  true: it decided. */
static bool judge_plain(struct explain *x, const struct host_route *hop)
{
	char src[PREFIX_STRLEN], dst[PREFIX_STRLEN], name[IFNAMSIZ];
	struct host_flow flow = x->flow;
	const struct host_policy *p;
	bool sa;

	flow.oif = hop->oif;
	p = host_policy_find(x->host, &flow, 0);
	if (!p || (p->action == XFRM_POLICY_ALLOW && !p->tmpl) ||
	    ignores_policies(x, host_link_name(x->host, hop->oif, name)))
		return false;
	sa = p->tmpl && host_sa_find(x->host, &flow, p,
				     p->tunnel ? &p->tmpl_dst : &flow.dst);
	if (p->action == XFRM_POLICY_ALLOW && p->optional && !sa)
		return false;
	explain_step(x, "policy", "%s to %s, without if-id: before any device",
		     prefix_str(&p->src, src), prefix_str(&p->dst, dst));
	if (p->action != XFRM_POLICY_ALLOW)
		DROPPED(x, "plain-policy", "dropped: a plain policy blocks it");
	else if (!sa)
		DROPPED(x, "plain-policy",
			"dropped: a plain policy takes it and has no SA");
	else
		explain_verdict(x, "elsewhere", "plain-policy",
			"leaves encrypted by a plain policy, not by an ovly device: give that child an if_id or other selectors");
	return true;
}

static bool is_tunnel(const char *kind)
{
	static const char *const kinds[] = { "xfrm", "vti", "vti6", "wireguard",
					     "ovpn", NULL };
	unsigned int i;

	for (i = 0; kinds[i]; i++)
		if (!strcmp(kinds[i], kind))
			return true;
	return false;
}

static void judge_hop(struct explain *x, const struct host_route *hop)
{
	const struct ovly_msg *dev = host_dev(x->host, hop->oif);
	const struct host_link *l = host_link(x->host, hop->oif);
	char name[IFNAMSIZ], addr[ADDR_STRLEN];

	host_link_name(x->host, hop->oif, name);
	if (hop->type == RTN_LOCAL) {
		explain_verdict(x, "local", "local",
			"stays here: it is an address of this host");
		return;
	}
	if (judge_plain(x, hop))
		return;
	if (dev) {
		explain_device(x, dev, hop);
		return;
	}
	explain_step(x, "device", "%s%s%s: no ovly device", name,
		     hop->gateway.family ? " via " : "",
		     hop->gateway.family ? addr_str(&hop->gateway, addr) :
					     "");
	if (l && is_tunnel(l->link.kind))
		explain_verdict(x, "elsewhere", "other-tunnel",
			"leaves by %s, a tunnel of kind %s and not an ovly device",
			name, l->link.kind);
	else
		explain_verdict(x, "clear", "no-overlay-route",
			"leaves in clear by %s", name);
}

/* ---- route ---- */

static void show_route_step(struct explain *x, const struct host_route *m)
{
	char prefix[PREFIX_STRLEN], proto[32], dev[IFNAMSIZ], via[ADDR_STRLEN];
	const char *type = explain_type(m->type);
	char table[12], metric[12];
	json_t *step;

	snprintf(metric, sizeof(metric), "%u", m->metric);
	step = explain_step(x, "route", "%s%s%s%s%s%s%s, table %s, proto %s%s%s",
			    type ? type : "", type ? " " : "",
			    prefix_str(&m->dst, prefix),
			    m->gateway.family ? " via " : "",
			    m->gateway.family ? addr_str(&m->gateway, via) :
						  "",
			    m->oif ? " dev " : "",
			    m->oif ? host_link_name(x->host, m->oif, dev) :
				       "",
			    explain_table(m->table, table),
			    proto_str(m->protocol, proto, sizeof(proto)),
			    m->metric ? ", metric " : "",
			    m->metric ? metric : "");
	explain_set_str(step, "prefix", prefix);
	explain_set_str(step, "type", type ? type : "unicast");
	explain_set_int(step, "table", m->table);
	explain_set_str(step, "protocol", proto);
	explain_set_int(step, "metric", m->metric);
	explain_set_int(step, "next-hops", m->hops);
}

struct inside {
	const struct ovly_prefix *of;
	const struct host_route *match;
	unsigned int n;
};

static void on_inside(const struct host_route *route, void *arg)
{
	struct inside *in = arg;

	in->n += prefix_contains(in->of, &route->dst) &&
		 route->dst.len > in->match->dst.len;
}

/* A prefix may be split by longer routes, which lead where they like. */
static void note_inside(struct explain *x, const struct ovly_prefix *to,
			const struct host_route *match)
{
	struct inside in = { .of = to, .match = match };
	char table[12];

	if (prefix_is_host(to))
		return;
	x->host->ops->routes(x->host, match->table, on_inside, &in);
	if (in.n)
		explain_step(x, "note",
			     "%u longer routes of table %s lie inside the prefix: ask for an address",
			     in.n, explain_table(match->table, table));
}

static bool does_not_forward(const struct explain *x)
{
	char path[80], name[IFNAMSIZ], value[8];

	snprintf(path, sizeof(path), "/proc/sys/net/ipv%c/conf/%s/forwarding",
		 x->flow.dst.family == AF_INET ? '4' : '6',
		 host_link_name(x->host, x->flow.in_if, name));
	return x->host->ops->file(x->host, path, value, sizeof(value)) &&
	       value[0] == '0';
}

static void judge_refusal(struct explain *x, int error,
			  const struct explain_end *end)
{
	if (end->route_found) {
		show_route_step(x, &end->route);
		if (explain_type(end->route.type)) {
			DROPPED(x, "route-type",
				"dropped: the route says %s",
				explain_type(end->route.type));
			return;
		}
	} else if (end->refuses) {
		DROPPED(x, "rule", "dropped: the rule says so");
		return;
	} else if (error == ENETUNREACH || error == EHOSTUNREACH) {
		DROPPED(x, "no-route", "dropped: no route");
		return;
	}
	if (!x->flow.in_if)
		DROPPED(x, "refused", "dropped: %s", strerror(error));
	else if (does_not_forward(x))
		DROPPED(x, "forwarding",
			"dropped: forwarding is off where it comes in");
	else
		DROPPED(x, "source",
			"dropped where it comes in: %s; see rp_filter",
			strerror(error));
}

/* Where a packet from elsewhere comes in: the way back to its source. */
static bool find_entry(struct explain *x)
{
	const struct host_flow back = { .dst = x->flow.src,
					.oif = x->flow.oif };
	struct host_route hop, match;
	char name[IFNAMSIZ];

	if (!x->flow.src.family)
		return true;
	if (x->host->ops->route(x->host, &back, &hop, &match)) {
		explain_step(x, "source", "no route leads back to it");
		DROPPED(x, "source", "dropped: where it comes in is not known");
		return false;
	}
	if (hop.type == RTN_LOCAL) {
		explain_step(x, "source", "an address of this host");
		return true;
	}
	x->flow.in_if = hop.oif;
	x->flow.oif = 0;
	explain_step(x, "source", "comes in by %s, as the way back to it tells",
		     host_link_name(x->host, hop.oif, name));
	return true;
}

json_t *explain(struct host *host, const struct explain_question *q)
{
	struct explain x = {
		.host = host,
		.out = json_object(),
		.flow = { .dst = q->to.addr, .src = q->from, .oif = q->vrf,
			  .mark = q->mark },
	};
	struct host_route hop, match;
	struct explain_end end;
	char buf[PREFIX_STRLEN];
	int error;

	x.steps = json_array();
	if (!prefix_is_host(&q->to))
		prefix_host(&q->to, q->to.len < addr_bits(&q->to.addr) - 1,
			    &x.flow.dst);
	json_object_set_new(x.out, "to", view_addr(&x.flow.dst));
	if (!prefix_is_host(&q->to))
		explain_set_str(x.out, "prefix", prefix_str(&q->to, buf));
	json_object_set_new(x.out, "steps", x.steps);
	explain_set_addr(x.out, "from", &x.flow.src);
	if (!find_entry(&x))
		return x.out;
	error = host->ops->route(host, &x.flow, &hop, &match);
	explain_rules(&x, error ? 0 : hop.table, &end);
	if (error) {
		judge_refusal(&x, error, &end);
		return x.out;
	}
	if (!x.flow.src.family)
		x.flow.src = hop.prefsrc;
	explain_set_addr(x.out, "from", &x.flow.src);
	show_route_step(&x, &match);
	note_inside(&x, &q->to, &match);
	judge_hop(&x, &hop);
	return x.out;
}

bool explain_is_good(const json_t *answer)
{
	const char *word = json_string_value(json_object_get(answer, "verdict"));

	return word && !strcmp(word, "encrypted");
}
