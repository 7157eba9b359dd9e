// SPDX-License-Identifier: GPL-2.0-only
/*
 * Does NAT take the overlay's packets?  A source rewritten on its way into the
 * device is outside of what the peer may be sent from, and of its policies.
 */
#include <stdio.h>
#include <string.h>

#include "doctor.h"

#define DEPTH 8 /* of jumps between chains */
#define SHOWN 5

struct nat {
	struct doctor *d;
	json_t *items; /* of the ruleset */
	unsigned int n;
};

static const char *str(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value ? value : "";
}

/* Does a name with "*" at its end, or a set of names, hold one of ours? */
static bool names_ours(const struct doctor *d, const json_t *right)
{
	const char *name = json_string_value(right);
	json_t *item, *set = json_object_get(right, "set");
	char own[IFNAMSIZ];
	unsigned int i;
	size_t k, len;

	json_array_foreach(set, k, item)
		if (names_ours(d, item))
			return true;
	/* what is not understood, as a named set, may be ours */
	if (!name || name[0] == '@')
		return !set;
	len = strlen(name);
	for (i = 0; i < d->host->devs; i++) {
		host_link_name(d->host, d->host->dev[i].ifindex, own);
		if (!strcmp(own, name) ||
		    (len && name[len - 1] == '*' &&
		     !strncmp(own, name, len - 1)))
			return true;
	}
	return false;
}

/* Does the rule say by which device, and not by ours? */
static bool is_elsewhere(const struct doctor *d, json_t *rule)
{
	json_t *statement;
	size_t i;

	json_array_foreach(json_object_get(rule, "expr"), i, statement) {
		json_t *match = json_object_get(statement, "match");
		const char *key = str(json_object_get(
			json_object_get(match, "left"), "meta"), "key");
		bool ours;

		if (strcmp(key, "oifname") && strcmp(key, "oif"))
			continue;
		ours = names_ours(d, json_object_get(match, "right"));
		if (!strcmp(str(match, "op"), "!=") ? ours : !ours)
			return true;
	}
	return false;
}

static void walk_chain(struct nat *nat, json_t *of, const char *chain,
		       unsigned int depth);

static void judge_rule(struct nat *nat, json_t *rule, unsigned int depth)
{
	json_t *statement;
	size_t i;

	if (is_elsewhere(nat->d, rule))
		return;
	json_array_foreach(json_object_get(rule, "expr"), i, statement) {
		json_t *jump = json_object_get(statement, "jump");

		if (!jump)
			jump = json_object_get(statement, "goto");
		if (jump)
			walk_chain(nat, rule, str(jump, "target"), depth + 1);
		if (!json_object_get(statement, "masquerade") &&
		    !json_object_get(statement, "snat"))
			continue;
		if (++nat->n <= SHOWN)
			doctor_say(nat->d, DOCTOR_WARN,
				   "name the WAN device in that rule, for example: oifname \"wan0\" masquerade",
				   "a NAT rule in chain %s of %s %s rewrites the source of what enters the overlay",
				   str(rule, "chain"), str(rule, "family"),
				   str(rule, "table"));
	}
}

static void walk_chain(struct nat *nat, json_t *of, const char *chain,
		       unsigned int depth)
{
	json_t *item;
	size_t i;

	if (depth > DEPTH)
		return;
	json_array_foreach(nat->items, i, item) {
		json_t *rule = json_object_get(item, "rule");

		if (rule && !strcmp(str(rule, "chain"), chain) &&
		    !strcmp(str(rule, "table"), str(of, "table")) &&
		    !strcmp(str(rule, "family"), str(of, "family")))
			judge_rule(nat, rule, depth);
	}
}

/* iptables-legacy keeps its rules where nft does not look. */
static void judge_legacy(struct doctor *d)
{
	char tables[256];

	if (d->host->ops->file(d->host, "/proc/net/ip_tables_names", tables,
			       sizeof(tables)) &&
	    strstr(tables, "nat"))
		doctor_say(d, DOCTOR_WARN,
			   "iptables-legacy -t nat -S: rules with MASQUERADE or SNAT need -o DEVICE",
			   "there are NAT rules of iptables-legacy, which are not looked at");
}

void check_nat(struct doctor *d)
{
	struct nat nat = { .d = d };
	json_t *ruleset, *item;
	size_t i;

	if (!d->host->devs)
		return;
	judge_legacy(d);
	ruleset = d->ops->nft();
	if (!ruleset && !d->said)
		doctor_say(d, DOCTOR_OK, NULL,
			   "NAT was not looked at: there is no nft here");
	nat.items = json_object_get(ruleset, "nftables");
	json_array_foreach(nat.items, i, item) {
		json_t *chain = json_object_get(item, "chain");

		if (chain && !strcmp(str(chain, "type"), "nat") &&
		    !strcmp(str(chain, "hook"), "postrouting"))
			walk_chain(&nat, chain, str(chain, "name"), 0);
	}
	if (nat.n > SHOWN)
		doctor_say(d, DOCTOR_WARN, "nft list ruleset",
			   "%u more such rules", nat.n - SHOWN);
	json_decref(ruleset);
}
