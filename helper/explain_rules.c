// SPDX-License-Identifier: GPL-2.0-only
#include "explain_steps.h"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "parse.h"

const char *explain_type(uint8_t type)
{
	switch (type) {
	case RTN_UNREACHABLE:
		return "unreachable";
	case RTN_PROHIBIT:
		return "prohibit";
	case RTN_BLACKHOLE:
		return "blackhole";
	case RTN_THROW:
		return "throw";
	case RTN_LOCAL:
		return "local";
	case RTN_BROADCAST:
		return "broadcast";
	case RTN_MULTICAST:
		return "multicast";
	default:
		return NULL;
	}
}

const char *explain_table(uint32_t table, char buf[12])
{
	if (table == RT_TABLE_LOCAL)
		return "local";
	if (table == RT_TABLE_MAIN)
		return "main";
	if (table == RT_TABLE_DEFAULT)
		return "default";
	snprintf(buf, 12, "%u", table);
	return buf;
}

/* The table of the packet's VRF, 0: it is in none. */
static uint32_t vrf_table(const struct explain *x)
{
	uint32_t ifindex = x->flow.in_if ? x->flow.in_if : x->flow.oif;
	const struct host_link *l = host_link(x->host, ifindex);

	if (l && !l->vrf_table && l->link.master)
		l = host_link(x->host, l->link.master);
	return l ? l->vrf_table : 0;
}

static bool device_is(const struct explain *x, const char *name,
		      uint32_t ifindex)
{
	const struct host_link *l = host_link(x->host, ifindex);

	return l && !strcmp(l->link.name, name);
}

static bool covers(const struct ovly_prefix *p, const struct ovly_addr *a)
{
	return !p->len || (a->family && prefix_covers(p, a));
}

static bool applies(const struct explain *x, const struct host_rule *rule)
{
	bool in = true;

	if (rule->family != x->flow.dst.family)
		return false;
	/* what is sent from here comes in by lo, as rules see it */
	if (rule->iifname[0])
		in = x->flow.in_if ? device_is(x, rule->iifname, x->flow.in_if) :
				   !strcmp(rule->iifname, "lo");
	in = in && covers(&rule->src, &x->flow.src) &&
	     covers(&rule->dst, &x->flow.dst) &&
	     (!rule->oifname[0] || device_is(x, rule->oifname, x->flow.oif)) &&
	     !((rule->mark ^ x->flow.mark) & rule->mask) &&
	     (!rule->l3mdev || vrf_table(x));
	return in != rule->invert;
}

static const char *rule_text(const struct host_rule *rule, char *buf,
			     size_t size)
{
	char src[PREFIX_STRLEN], dst[PREFIX_STRLEN];

	snprintf(buf, size, "%u:%s from %s%s%s%s%s%s%s", rule->pref,
		 rule->invert ? " not" : "",
		 rule->src.len ? prefix_str(&rule->src, src) : "all",
		 rule->dst.len ? " to " : "",
		 rule->dst.len ? prefix_str(&rule->dst, dst) : "",
		 rule->iifname[0] ? " iifname " : "", rule->iifname,
		 rule->oifname[0] ? " oifname " : "", rule->oifname);
	return buf;
}

static bool is_overlay_table(const struct explain *x, uint32_t table)
{
	unsigned int i;

	for (i = 0; i < x->host->devs; i++)
		if (x->host->dev[i].dev.active_table == table)
			return true;
	return false;
}

static json_t *say(struct explain *x, const struct host_rule *rule,
		   uint32_t table, const char *outcome)
{
	char buf[256];
	json_t *step;

	step = explain_step(x, "rule", "%s%s",
			    rule_text(rule, buf, sizeof(buf)), outcome);
	json_object_set_new(step, "pref", json_integer(rule->pref));
	if (table)
		json_object_set_new(step, "table", json_integer(table));
	return step;
}

/* Looks into the rule's table.  true: it has the route that counts. */
static bool look_up(struct explain *x, const struct host_rule *rule,
		    uint32_t table, struct explain_end *end)
{
	struct host_route *r = &end->route;
	char prefix[PREFIX_STRLEN], num[12];
	char text[128];

	/* IKE daemons make a rule like ours beside it */
	if (table && table == x->passed)
		return false;
	x->passed = rule->suppress < 0 ? table : 0;
	if (!x->host->ops->longest(x->host, table, &x->flow.dst, r)) {
		snprintf(text, sizeof(text),
			 " lookup %s has no route to it: next rule",
			 explain_table(table, num));
		/* what nobody expects to have one is no news */
		if (is_overlay_table(x, table))
			say(x, rule, table, text);
		return false;
	}
	if (r->type == RTN_THROW ||
	    (rule->suppress >= 0 && r->dst.len <= rule->suppress)) {
		snprintf(text, sizeof(text), " lookup %s %s %s: next rule",
			 explain_table(table, num), r->type == RTN_THROW ? "throws" : "passes over",
			 prefix_str(&r->dst, prefix));
		say(x, rule, table, text);
		return false;
	}
	snprintf(text, sizeof(text), " lookup %s",
		 explain_table(table, num));
	say(x, rule, table, text);
	end->route_found = true;
	return true;
}

/* true: the rule decides */
static bool obey(struct explain *x, const struct host_rule *rule,
		 struct explain_end *end)
{
	switch (rule->action) {
	case FR_ACT_TO_TBL:
		return look_up(x, rule, rule->l3mdev ? vrf_table(x) : rule->table,
			       end);
	case FR_ACT_BLACKHOLE:
	case FR_ACT_UNREACHABLE:
	case FR_ACT_PROHIBIT:
		say(x, rule, 0,
		    rule->action == FR_ACT_BLACKHOLE   ? " blackhole" :
		    rule->action == FR_ACT_UNREACHABLE ? " unreachable" :
							 " prohibit");
		end->refuses = true;
		return true;
	default:
		return false;
	}
}

void explain_rules(struct explain *x, uint32_t table, struct explain_end *end)
{
	uint32_t skip_to = 0;
	char num[12];
	unsigned int i;

	memset(end, 0, sizeof(*end));
	for (i = 0; i < x->host->rules; i++) {
		const struct host_rule *rule = &x->host->rule[i];

		if (rule->pref < skip_to || !applies(x, rule))
			continue;
		if (rule->narrow) {
			say(x, rule, 0,
			    " holds for some packets only: next rule");
			continue;
		}
		if (rule->action == FR_ACT_GOTO) {
			skip_to = rule->target;
			continue;
		}
		if (obey(x, rule, end))
			break;
	}
	/* the kernel knows better, and goes by more than is looked at here */
	if (table && (!end->route_found || end->route.table != table))
		explain_step(x, "rule", "the kernel took table %s",
			     explain_table(table, num));
}
