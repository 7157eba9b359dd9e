// SPDX-License-Identifier: GPL-2.0-only
/*
 * The model to bird.conf, for BIRD 1.6, 2 and 3.  Each neighbour has a table of
 * its own; pipes bring what it teaches together in "ovly4" and "ovly6", which
 * go to the staging table of the kernel.  Networks of our own are in the
 * neighbours' tables, and in no other.
 */
#include <ctype.h>
#include <string.h>

#include "conf_gen.h"
#include "parse.h"

struct writer {
	FILE *out;
	const struct conf *conf;
	const struct conf_gen *gen;
};

static char digit(int family)
{
	return family == AF_INET ? '4' : '6';
}

/* BIRD's names are letters, digits and '_': 166_34_121_112 */
static const char *symbol(const struct conf_neighbor *n, char *buf, size_t size)
{
	char text[PREFIX_STRLEN];
	char *c;

	if (n->range)
		prefix_str(&n->prefix, text);
	else
		addr_str(&n->prefix.addr, text);
	for (c = text; *c; c++)
		if (!isalnum((unsigned char)*c))
			*c = '_';
	snprintf(buf, size, "%s%s", n->range ? "range_" : "", text);
	return buf;
}

const char *conf_gen_session(const struct conf_neighbor *n, char *buf,
			     size_t size)
{
	char sym[80];

	snprintf(buf, size, "bgp_%s", symbol(n, sym, sizeof(sym)));
	return buf;
}

static void put_table(const struct writer *w, int family, const char *name)
{
	if (w->gen->bird == 1)
		fprintf(w->out, "table %s;\n", name);
	else
		fprintf(w->out, "ipv%c table %s;\n", digit(family), name);
}

/* The table of a protocol, which is the channel's since 2.0. */
static void put_channel(const struct writer *w, int family, const char *table)
{
	if (w->gen->bird == 1)
		fprintf(w->out, "\ttable %s;\n", table);
	else
		fprintf(w->out, "\tipv%c { table %s; };\n", digit(family),
			table);
}

/* BIRD resolves a multihop next hop in its own tables only. */
static void igp(const struct writer *w, int family)
{
	const struct conf_bgp *bgp = &w->conf->bgp;
	char name[] = "igp?", buf[PREFIX_STRLEN];
	unsigned int i;

	name[3] = digit(family);
	fputs("\n# where the neighbours' next hops are\n", w->out);
	put_table(w, family, name);
	fprintf(w->out, "protocol static %s_routes {\n", name);
	put_channel(w, family, name);
	for (i = 0; i < bgp->neighbors; i++) {
		const struct conf_neighbor *n = &bgp->neighbor[i];

		if (n->prefix.addr.family == family)
			fprintf(w->out, "\troute %s via \"%s\";\n",
				prefix_str(&n->prefix, buf), n->overlay->dev);
	}
	fputs("}\n", w->out);
}

static void announce(const struct writer *w, const struct conf_neighbor *n,
		     const char *sym, const char *table)
{
	const struct conf_bgp *bgp = &w->conf->bgp;
	int family = n->prefix.addr.family;
	char buf[PREFIX_STRLEN];
	unsigned int i;

	fprintf(w->out, "protocol static announce_%s {\n", sym);
	put_channel(w, family, table);
	for (i = 0; i < bgp->networks; i++)
		if (bgp->network[i].prefix.addr.family == family)
			fprintf(w->out, "\troute %s unreachable;\n",
				prefix_str(&bgp->network[i].prefix, buf));
	fputs("}\n", w->out);
}

static bool announces(const struct conf_bgp *bgp, int family)
{
	unsigned int i;

	for (i = 0; i < bgp->networks; i++)
		if (bgp->network[i].prefix.addr.family == family)
			return true;
	return false;
}

static void session(const struct writer *w, const struct conf_neighbor *n)
{
	const struct conf_bgp *bgp = &w->conf->bgp;
	char buf[PREFIX_STRLEN];

	if (n->description[0])
		fprintf(w->out, "\tdescription \"%s\";\n", n->description);
	if (n->overlay->vrf[0])
		fprintf(w->out, "\tvrf \"%s\";\n", n->overlay->vrf);
	if (n->source.family)
		fprintf(w->out, "\tlocal %s as %u;\n",
			addr_str(&n->source, buf), bgp->as);
	else
		fprintf(w->out, "\tlocal as %u;\n", bgp->as);
	if (n->range) {
		fprintf(w->out, "\tneighbor range %s as %u;\n",
			prefix_str(&n->prefix, buf), n->as);
		fputs("\tdynamic name \"bgp_dyn\";\n", w->out);
	} else {
		fprintf(w->out, "\tneighbor %s as %u;\n",
			addr_str(&n->prefix.addr, buf), n->as);
	}
	fprintf(w->out, "\tmultihop %u;\n\thold time %u;\n\tkeepalive time %u;\n",
		n->multihop, n->timers.hold, n->timers.keepalive);
	/* the tunnel comes up after BIRD: try again soon */
	if (!n->range)
		fputs("\tconnect delay time 1;\n\tconnect retry time 5;\n"
		      "\terror wait time 1, 15;\n", w->out);
	if (bgp->graceful)
		fputs("\tgraceful restart on;\n", w->out);
	if (n->password[0])
		fprintf(w->out, "\tpassword \"%s\";\n",
			w->gen->hide_secrets ? CONF_PLACEHOLDER : n->password);
}

static void neighbor(const struct writer *w, const struct conf_neighbor *n)
{
	/* one of a range shares the range's table */
	const struct conf_neighbor *group = n->group ? n->group : n;
	bool one = w->gen->bird == 1;
	int family = n->prefix.addr.family;
	const char *indent = one ? "\t" : "\t\t";
	bool own = announces(&w->conf->bgp, family);
	char sym[80], name[96], table[96];

	symbol(group, sym, sizeof(sym));
	snprintf(table, sizeof(table), "bgp_table_%s", sym);
	symbol(n, sym, sizeof(sym));
	fputc('\n', w->out);
	if (group == n)
		put_table(w, family, table);
	fprintf(w->out, "protocol bgp %s {\n",
		conf_gen_session(n, name, sizeof(name)));
	session(w, n);
	if (!one)
		fprintf(w->out, "\tipv%c {\n", digit(family));
	fprintf(w->out, "%stable %s;\n%sigp table igp%c;\n%simport all;\n",
		indent, table, indent, digit(family), indent);
	if (n->limit.max)
		fprintf(w->out, "%simport limit %u action %s;\n", indent,
			n->limit.max, conf_limit_words[n->limit.action]);
	/* those in a range learn of each other, as from any router */
	fprintf(w->out, "%sexport %s;\n", indent,
		group->range ? "all" : own ? "where source = RTS_STATIC" : "none");
	fprintf(w->out, "%s}\n", one ? "" : "\t};\n");
	if (group != n)
		return;
	if (own)
		announce(w, n, sym, table);
	fprintf(w->out, "protocol pipe pipe_%s {\n\ttable ovly%c;\n\tpeer table %s;\n",
		sym, digit(family), table);
	fputs("\timport where source = RTS_BGP;\n\texport none;\n}\n", w->out);
}

/* The bridge takes the routes from there.  BIRD must not own table 220 itself:
 * it would remove what it did not put there.
 */
static void staging(const struct writer *w, int family)
{
	char name[] = "ovly?";

	name[4] = digit(family);
	fprintf(w->out,
		"\n# \"ovlyhelper bridge\" takes the routes from this kernel table\nprotocol kernel staging%c {\n\tkernel table %u;\n",
		digit(family), w->conf->bgp.staging_table);
	if (w->conf->bgp.paths > 1)
		fprintf(w->out, "\tmerge paths on limit %u;\n",
			w->conf->bgp.paths);
	if (w->conf->bgp.graceful)
		fputs("\tgraceful restart on;\n", w->out);
	if (w->gen->bird == 1)
		fprintf(w->out, "\ttable %s;\n\timport none;\n\texport all;\n}\n",
			name);
	else
		fprintf(w->out,
			"\tipv%c {\n\t\ttable %s;\n\t\timport none;\n\t\texport all;\n\t};\n}\n",
			digit(family), name);
}

static void one_family(const struct writer *w, int family)
{
	const struct conf_bgp *bgp = &w->conf->bgp;
	char name[] = "ovly?";
	unsigned int i, range;

	if (!conf_bgp_has_family(w->conf, family))
		return;
	name[4] = digit(family);
	igp(w, family);
	fputs("\n# what all neighbours teach\n", w->out);
	put_table(w, family, name);
	/* a range's table is there before those who share it */
	for (range = 2; range--;)
		for (i = 0; i < bgp->neighbors; i++)
			if (bgp->neighbor[i].prefix.addr.family == family &&
			    bgp->neighbor[i].range == range)
				neighbor(w, &bgp->neighbor[i]);
	staging(w, family);
}

bool conf_gen_bird(FILE *out, const struct conf *conf,
		   const struct conf_gen *gen, int family, struct err *e)
{
	const struct writer w = { .out = out, .conf = conf, .gen = gen };
	const struct conf_bgp *bgp = &conf->bgp;
	char buf[PREFIX_STRLEN];
	unsigned int i;

	for (i = 0; i < bgp->neighbors; i++)
		if (gen->bird == 1 && bgp->neighbor[i].range)
			return err_set(e, EXIT_USAGE,
				       "%s:%u:%u: BIRD 1.6 has no 'listen range %s': give each neighbour a line, or install BIRD 2",
				       gen->source, bgp->neighbor[i].at.line,
				       bgp->neighbor[i].at.col,
				       prefix_str(&bgp->neighbor[i].prefix,
						  buf));
	fprintf(out, CONF_MARK "%s\n# Change that file, not this one.\n\nlog syslog all;\n",
		gen->source);
	/* without a router BIRD still has to start */
	if (bgp->router_id.family)
		fprintf(out, "router id %s;\n", addr_str(&bgp->router_id, buf));
	else
		fputs("router id 192.0.2.1;\n", out);
	fputs("\nprotocol device {\n}\n", out);
	if (family != AF_INET6)
		one_family(&w, AF_INET);
	if (family != AF_INET)
		one_family(&w, AF_INET6);
	return true;
}
