// SPDX-License-Identifier: GPL-2.0-only
/* The lines of a "router bgp" block. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "conf_parse.h"
#include "conf_words.h"
#include "parse.h"

const char *const conf_limit_words[] = { "disable", "restart", "block", "warn",
					 NULL };

static const char *const line_words[] = {
	"router-id", "neighbor", "listen", "network", "timers", "import-limit",
	"staging-table", "maximum-paths", "graceful-restart", "bgp", NULL,
};
static const char *const neighbor_words[] = {
	"remote-as", "timers", "import-limit", "maximum-prefix",
	"ebgp-multihop", "update-source", "password", "description", NULL,
};

/* A line from its "first" word on: "bgp router-id" is "router-id". */
struct rest {
	const struct conf_line *line;
	unsigned int first;
	struct conf_diags *diags;
};

static bool take_u32(const struct rest *r, unsigned int i, const char *what,
		     uint32_t min, uint32_t max, uint32_t *out)
{
	const char *s = conf_want(r->line, i, what, r->diags);
	struct err e;

	if (!s)
		return false;
	if (parse_u32(s, min, max, out, &e))
		return true;
	return conf_error(r->diags, r->line->word[i].at, "expected %s: %s",
			  what, e.text);
}

static bool take_addr(const struct rest *r, unsigned int i,
		      struct ovly_addr *out)
{
	const char *s = conf_want(r->line, i, "an address", r->diags);
	struct err e;

	if (!s)
		return false;
	if (!parse_addr(s, out, &e))
		return conf_error(r->diags, r->line->word[i].at, "%s", e.text);
	if (!addr_is_unicast(out))
		return conf_error(r->diags, r->line->word[i].at,
				  "'%s' is no unicast address", s);
	return true;
}

/* keepalive before hold, as in "timers bgp 80 240" */
static bool take_timers(const struct rest *r, unsigned int i,
			struct conf_timers *t)
{
	if (t->at.line)
		return conf_error(r->diags, r->line->word[i - 1].at,
				  "the timers are given in line %u already",
				  t->at.line);
	if (!take_u32(r, i, "the keepalive time in seconds", 1, 65535,
		      &t->keepalive) ||
	    !take_u32(r, i + 1, "the hold time in seconds", 3, 65535, &t->hold))
		return false;
	t->at = r->line->word[i].at;
	if (t->keepalive >= t->hold)
		return conf_error(r->diags, r->line->word[i].at,
				  "the keepalive time %u is not below the hold time %u: keepalive comes first",
				  t->keepalive, t->hold);
	return conf_want_end(r->line, i + 2, r->diags);
}

/* N [action WORD] */
static bool take_limit(const struct rest *r, unsigned int i,
		       struct conf_limit *limit)
{
	struct err e;

	if (limit->at.line)
		return conf_error(r->diags, r->line->word[i - 1].at,
				  "the limit is given in line %u already",
				  limit->at.line);
	if (!take_u32(r, i, "a number of routes", 0, UINT32_MAX, &limit->max))
		return false;
	limit->at = r->line->word[i].at;
	limit->action = 0;
	if (r->line->n == i + 1)
		return true;
	if (strcmp(r->line->word[i + 1].text, "action"))
		return conf_error(r->diags, r->line->word[i + 1].at,
				  "expected 'action', or the end of the line");
	if (!conf_want(r->line, i + 2, "disable, restart, block or warn",
		       r->diags))
		return false;
	if (!parse_word(r->line->word[i + 2].text, conf_limit_words,
			&limit->action, &e))
		return conf_error(r->diags, r->line->word[i + 2].at, "%s",
				  e.text);
	return conf_want_end(r->line, i + 3, r->diags);
}

static struct conf_neighbor *get_neighbor(struct conf_bgp *bgp,
					  const struct ovly_prefix *prefix,
					  bool range, struct conf_pos at,
					  struct conf_diags *diags)
{
	struct conf_neighbor *all, *n;
	unsigned int i;

	for (i = 0; i < bgp->neighbors; i++) {
		n = &bgp->neighbor[i];
		if (n->range == range && n->prefix.len == prefix->len &&
		    addr_equal(&n->prefix.addr, &prefix->addr))
			return n;
	}
	if (bgp->neighbors == CONF_NEIGHBORS_MAX) {
		conf_error(diags, at, "more than %d neighbours",
			   CONF_NEIGHBORS_MAX);
		return NULL;
	}
	all = reallocarray(bgp->neighbor, bgp->neighbors + 1, sizeof(*all));
	if (!all) {
		conf_error(diags, at, "out of memory");
		return NULL;
	}
	bgp->neighbor = all;
	n = &all[bgp->neighbors++];
	memset(n, 0, sizeof(*n));
	n->at = at;
	n->range = range;
	n->prefix = *prefix;
	return n;
}

static bool take_password(const struct rest *r, unsigned int i,
			  struct conf_neighbor *n)
{
	if (!conf_take_secret(r->line, i, n->password, r->diags))
		return false;
	/* BIRD's strings have no escapes, TCP's key has 80 bytes */
	if (strlen(n->password) > 80 || strchr(n->password, '"')) {
		n->password[0] = '\0';
		return conf_error(r->diags, r->line->word[i].at,
				  "a BGP password has at most 80 bytes, none of them a quote");
	}
	return conf_want_end(r->line, i + 1, r->diags);
}

/* The words after the neighbour: what is said of it, and the value. */
static bool neighbor_option(const struct rest *r, unsigned int i,
			    struct conf_neighbor *n)
{
	const char *key = conf_want(r->line, i, "remote-as or another setting",
				    r->diags);
	char hint[80], buf[64];
	struct err e;

	if (!key)
		return false;
	if (!strcmp(key, "remote-as")) {
		n->as_at = r->line->word[i].at;
		return take_u32(r, i + 1, "the neighbour's autonomous system",
				1, UINT32_MAX - 1, &n->as) &&
		       conf_want_end(r->line, i + 2, r->diags);
	}
	if (!strcmp(key, "timers"))
		return take_timers(r, i + 1, &n->timers);
	if (!strcmp(key, "import-limit") || !strcmp(key, "maximum-prefix"))
		return take_limit(r, i + 1, &n->limit);
	if (!strcmp(key, "ebgp-multihop"))
		return take_u32(r, i + 1, "a number of hops", 1, 255,
				&n->multihop) &&
		       conf_want_end(r->line, i + 2, r->diags);
	if (!strcmp(key, "update-source")) {
		n->source_at = r->line->word[i].at;
		return take_addr(r, i + 1, &n->source) &&
		       conf_want_end(r->line, i + 2, r->diags);
	}
	if (!strcmp(key, "password"))
		return take_password(r, i + 1, n);
	if (!strcmp(key, "description")) {
		if (!conf_want(r->line, i + 1, "a text", r->diags))
			return false;
		if (strchr(r->line->word[i + 1].text, '"') ||
		    !parse_text(r->line->word[i + 1].text, n->description,
				sizeof(n->description), &e))
			return conf_error(r->diags, r->line->word[i + 1].at,
					  "the description is too long or has a quote");
		return conf_want_end(r->line, i + 2, r->diags);
	}
	return conf_error(r->diags, r->line->word[i].at,
			  "'%s' is not a setting of a neighbour%s",
			  conf_shown(key, buf, sizeof(buf)),
			  conf_hint_line(key, neighbor_words, hint,
					 sizeof(hint)));
}

static bool line_neighbor(struct conf_bgp *bgp, const struct rest *r)
{
	unsigned int i = r->first + 1;
	struct ovly_prefix prefix = { 0 };
	struct conf_neighbor *n;

	if (!take_addr(r, i, &prefix.addr))
		return false;
	prefix.len = (uint8_t)addr_bits(&prefix.addr);
	n = get_neighbor(bgp, &prefix, false, r->line->word[i].at, r->diags);
	return n && neighbor_option(r, i + 1, n);
}

static bool line_listen(struct conf_bgp *bgp, const struct rest *r)
{
	unsigned int i = r->first + 1;
	struct ovly_prefix prefix;
	struct conf_neighbor *n;
	struct err e;

	if (!conf_want(r->line, i, "'range'", r->diags))
		return false;
	if (strcmp(r->line->word[i].text, "range"))
		return conf_error(r->diags, r->line->word[i].at,
				  "expected 'range' after 'listen'");
	if (!conf_want(r->line, ++i, "a prefix like 10.0.0.0/8", r->diags))
		return false;
	if (!parse_prefix(r->line->word[i].text, &prefix, &e))
		return conf_error(r->diags, r->line->word[i].at, "%s", e.text);
	n = get_neighbor(bgp, &prefix, true, r->line->word[i].at, r->diags);
	return n && neighbor_option(r, i + 1, n);
}

static bool line_network(struct conf_bgp *bgp, const struct rest *r)
{
	unsigned int i = r->first + 1, k;
	struct conf_network *all;
	struct ovly_prefix p;
	struct err e;

	if (!conf_want(r->line, i, "a prefix like 10.0.0.0/8", r->diags))
		return false;
	if (!parse_prefix(r->line->word[i].text, &p, &e))
		return conf_error(r->diags, r->line->word[i].at, "%s", e.text);
	for (k = 0; k < bgp->networks; k++)
		if (bgp->network[k].prefix.len == p.len &&
		    addr_equal(&bgp->network[k].prefix.addr, &p.addr))
			return conf_error(r->diags, r->line->word[i].at,
					  "this network is given in line %u already",
					  bgp->network[k].at.line);
	if (bgp->networks == CONF_NETWORKS_MAX)
		return conf_error(r->diags, r->line->word[i].at,
				  "more than %d networks", CONF_NETWORKS_MAX);
	all = reallocarray(bgp->network, bgp->networks + 1, sizeof(*all));
	if (!all)
		return conf_error(r->diags, r->line->word[i].at,
				  "out of memory");
	bgp->network = all;
	all[bgp->networks].at = r->line->word[i].at;
	all[bgp->networks++].prefix = p;
	return conf_want_end(r->line, i + 1, r->diags);
}

static bool line_router_id(struct conf_bgp *bgp, const struct rest *r)
{
	unsigned int i = r->first + 1;

	if (bgp->router_id_at.line)
		return conf_error(r->diags, r->line->word[r->first].at,
				  "the router id is given in line %u already",
				  bgp->router_id_at.line);
	if (!take_addr(r, i, &bgp->router_id))
		return false;
	bgp->router_id_at = r->line->word[i].at;
	if (bgp->router_id.family != AF_INET)
		return conf_error(r->diags, r->line->word[i].at,
				  "a router id looks like an IPv4 address");
	return conf_want_end(r->line, i + 1, r->diags);
}

bool conf_parse_bgp_line(struct conf_bgp *bgp, const struct conf_line *line,
			 struct conf_diags *diags)
{
	struct rest r = { .line = line, .diags = diags };
	const char *key = line->word[0].text;
	char hint[80], buf[64];
	unsigned int i;

	/* other routers write "bgp router-id", "bgp listen", "bgp graceful-restart" */
	if (!strcmp(key, "bgp") && line->n > 1)
		key = line->word[++r.first].text;
	i = r.first + 1;
	if (!strcmp(key, "router-id"))
		return line_router_id(bgp, &r);
	if (!strcmp(key, "neighbor"))
		return line_neighbor(bgp, &r);
	if (!strcmp(key, "listen"))
		return line_listen(bgp, &r);
	if (!strcmp(key, "network"))
		return line_network(bgp, &r);
	if (!strcmp(key, "import-limit"))
		return take_limit(&r, i, &bgp->limit);
	if (!strcmp(key, "staging-table"))
		return take_u32(&r, i, "the number of a routing table", 1,
				UINT32_MAX, &bgp->staging_table) &&
		       conf_want_end(line, i + 1, diags);
	if (!strcmp(key, "maximum-paths"))
		return take_u32(&r, i, "the number of next hops", 1,
				OVLY_OWNERS_MAX, &bgp->paths) &&
		       conf_want_end(line, i + 1, diags);
	if (!strcmp(key, "graceful-restart")) {
		bgp->graceful = true;
		return conf_want_end(line, i, diags);
	}
	if (!strcmp(key, "timers"))
		return take_timers(&r, i + (line->n > i &&
					    !strcmp(line->word[i].text, "bgp")),
				   &bgp->timers);
	return conf_error(diags, line->word[r.first].at,
			  "'%s' is not a line of router bgp%s",
			  conf_shown(key, buf, sizeof(buf)),
			  conf_hint_line(key, line_words, hint, sizeof(hint)));
}
