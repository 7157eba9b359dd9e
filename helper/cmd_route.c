// SPDX-License-Identifier: GPL-2.0-only
/* ovlyhelper route: the routes that peers own */
#include <errno.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>

#include "args.h"
#include "cmd.h"
#include "names.h"
#include "parse.h"
#include "show.h"
#include "view.h"

static bool prepare(int argc, char **argv, struct ovly_nl *nl,
		    struct ovly_route *route, struct ovly_req *req,
		    bool with_prefix, bool *append, struct err *e)
{
	bool adding = append;
	char dev[IFNAMSIZ] = "";
	uint32_t *has = &route->has;
	const struct arg args[] = {
		ARG("dev", ARG_IFNAME, dev),
		ARG("peer", ARG_OWNER_PEER, route),
		ARG("via", ARG_OWNER_VIA, route),
		ARG("metric", ARG_U32, &route->metric, .has = has,
		    .bit = HAS(OVLY_A_ROUTE_METRIC)),
		ARG("protocol", ARG_PROTO, &route->protocol, .has = has,
		    .bit = HAS(OVLY_A_ROUTE_PROTOCOL)),
		ARG(adding ? "append" : NULL, ARG_FLAG, append),
		ARG_END,
	};
	struct ovly_prefix prefix;
	const char *given = NULL;

	memset(route, 0, sizeof(*route));
	memset(req, 0, sizeof(*req));
	if (!args_parse(argc, argv, args, &given, with_prefix ? 1 : 0, e))
		return false;
	if (with_prefix) {
		if (!given)
			return err_usage(e, "the prefix is missing");
		if (!parse_prefix(given, &prefix, e))
			return false;
		*has |= HAS(OVLY_A_ROUTE_DST) | HAS(OVLY_A_ROUTE_PREFIXLEN);
		route->dst = prefix.addr;
		route->prefixlen = prefix.len;
	}
	if (adding && !route->peer_name[0] && !route->via.family)
		return err_usage(e, "whose route? say 'peer PEER' or 'via ADDR'");
	if (!ovly_nl_open(nl, true, e))
		return false;
	req->route = route;
	req->ifindex = ovly_ctl_ifindex(nl, dev, e);
	if (req->ifindex)
		return true;
	ovly_nl_close(nl);
	return false;
}

struct elsewhere {
	const char *name;
	uint32_t not_on;
	uint32_t found;
};

static void on_peer(const struct ovly_msg *msg, void *arg)
{
	struct elsewhere *where = arg;

	if (msg->ifindex != where->not_on &&
	    !strcmp(msg->peer.name, where->name))
		where->found = msg->ifindex;
}

/* An unknown peer may be one of another device: say so. */
static void tell_elsewhere(struct ovly_nl *nl, const struct ovly_route *route,
			   uint32_t ifindex, struct err *e)
{
	struct elsewhere where = { .name = route->peer_name,
				   .not_on = ifindex };
	const struct ovly_req all = { 0 };
	struct ovly_nl_error refusal;
	char here[IFNAMSIZ];
	char there[IFNAMSIZ];

	if (!route->peer_name[0])
		return;
	ovly_ctl_dump(nl, OVLY_CMD_PEER_GET, &all, on_peer, &where, &refusal);
	if (where.found)
		err_set(e, EXIT_REFUSED,
			"peer '%s' is one of device '%s', not of '%s'",
			route->peer_name,
			ifindex_str(where.found, there, sizeof(there)),
			ifindex_str(ifindex, here, sizeof(here)));
	else
		ovly_ctl_near_peer(nl, ifindex, route->peer_name, e);
}

/* " to peer a, b" or " via 10.0.0.1, 10.0.0.2", empty where none is named */
static const char *owners_str(const struct ovly_route *route, char *buf,
			      size_t size)
{
	char via[ADDR_STRLEN];
	unsigned int i;
	size_t n;

	if (route->peer_name[0])
		n = (size_t)snprintf(buf, size, " to peer %s",
				     route->peer_name);
	else if (route->via.family)
		n = (size_t)snprintf(buf, size, " via %s",
				     addr_str(&route->via, via));
	else
		n = (size_t)snprintf(buf, size, "%s", "");
	for (i = 0; i < route->more.n && n < size; i++) {
		const struct ovly_owner *o = &route->more.o[i];

		n += (size_t)snprintf(buf + n, size - n, ", %s",
				      o->name ? o->name :
						addr_str(&o->via, via));
	}
	return buf;
}

static bool change(int cmd, int flags, const char *what, int argc, char **argv,
		   struct err *e)
{
	bool adding = cmd == OVLY_CMD_ROUTE_NEW;
	struct ovly_nl_error refusal;
	struct ovly_route route;
	bool append = false;
	struct ovly_req req;
	struct ovly_nl nl;
	bool ok;

	if (!prepare(argc, argv, &nl, &route, &req, true,
		     adding ? &append : NULL, e))
		return false;
	if (append && flags & NLM_F_REPLACE) {
		ok = err_set(e, EXIT_USAGE,
			     "'replace' names all owners: 'append' goes with 'add'");
		goto out;
	}
	if (append)
		flags = NLM_F_CREATE | NLM_F_APPEND;
	ok = ovly_ctl_do(&nl, cmd, flags, &req, NULL, &refusal);
	if (!ok) {
		const struct ovly_prefix prefix = {
			.addr = route.dst, .len = (uint8_t)route.prefixlen,
		};
		char buf[PREFIX_STRLEN];
		char whose[400];

		ovly_nl_err(e, &refusal, "cannot %s route %s%s", what,
			    prefix_str(&prefix, buf),
			    owners_str(&route, whose, sizeof(whose)));
		if (refusal.error == ENOENT || refusal.error == ESRCH)
			tell_elsewhere(&nl, &route, req.ifindex, e);
	}
out:
	ovly_nl_close(&nl);
	return ok;
}

static bool route_add(int argc, char **argv, struct err *e)
{
	return change(OVLY_CMD_ROUTE_NEW, NLM_F_CREATE | NLM_F_EXCL, "add",
		      argc, argv, e);
}

static bool route_replace(int argc, char **argv, struct err *e)
{
	return change(OVLY_CMD_ROUTE_NEW, NLM_F_CREATE | NLM_F_REPLACE,
		      "replace", argc, argv, e);
}

static bool route_del(int argc, char **argv, struct err *e)
{
	return change(OVLY_CMD_ROUTE_DEL, 0, "delete", argc, argv, e);
}

static bool route_flush(int argc, char **argv, struct err *e)
{
	struct ovly_nl_error refusal;
	struct ovly_route filter;
	struct ovly_msg reply;
	struct ovly_req req;
	struct ovly_nl nl;
	bool ok;

	if (!prepare(argc, argv, &nl, &filter, &req, false, NULL, e))
		return false;
	ok = ovly_ctl_do(&nl, OVLY_CMD_ROUTE_FLUSH, 0, &req, &reply, &refusal);
	if (ok)
		printf("%u routes removed\n", reply.applied);
	else
		ovly_nl_err(e, &refusal, "cannot flush the routes");
	ovly_nl_close(&nl);
	return ok;
}

#define WHOSE                                                                 \
"  peer PEER           an owner, by name, repeatable\n"                        \
"  via ADDR            an owner, by next hop, repeatable: the peer that has the\n" \
"                      address, else the one with the longest prefix over it\n"
#define DEV                                                                   \
"  dev DEVICE          the peers' device; the only one\n"
#define ENTRY                                                                 \
"  metric N            of the route, the lowest wins; 0, or 1024 for IPv6\n"

static const struct command table[] = {
	{
		.name = "add",
		.run = route_add,
		.summary = "give a route to a peer, or to several",
		.synopsis = "PREFIX peer PEER|via ADDR... [OPTION [VALUE]]...",
		.usage =
WHOSE
"  append              join the owners there are; else a route that is there is\n"
"                      refused\n"
DEV
ENTRY
"  protocol PROTOCOL   route protocol, a number (1 to 255) or name; boot\n",
		.notes =
"Several owners, 16 at most, make one multipath route (multipoint devices only).\n",
		.examples =
"  ovlyhelper route add 81.81.81.1/32 via 166.34.121.112\n"
"  ovlyhelper route add 10.0.0.0/8 peer hub1 peer hub2\n",
	},
	{
		.name = "replace",
		.run = route_replace,
		.summary = "the same, and take it from other peers in one step",
		.synopsis = "PREFIX peer PEER|via ADDR... [OPTION VALUE]...",
		.usage =
WHOSE
DEV
ENTRY
"  protocol PROTOCOL   route protocol, a number (1 to 255) or name; boot\n",
		.notes =
"Those named are all its owners from then on.\n",
		.examples =
"  ovlyhelper route replace 10.0.0.0/8 peer hub2\n",
	},
	{
		.name = "del",
		.run = route_del,
		.summary = "delete a route, or take it from some of its owners",
		.synopsis = "PREFIX [OPTION VALUE]...",
		.usage =
WHOSE
"                      without either: all\n"
DEV
ENTRY
"  protocol PROTOCOL   only if it is of this route protocol; any\n",
		.examples =
"  ovlyhelper route del 81.81.81.1/32\n"
"  ovlyhelper route del 10.0.0.0/8 peer hub2\n",
	},
	{
		.name = "list",
		.run = show_routes,
		.summary = "list the routes that peers own",
		.synopsis = "[OPTION [VALUE]]...",
		.usage = SHOW_ROUTES_USAGE,
		.examples =
"  ovlyhelper route list peer hub1 family 4\n",
	},
	{
		.name = "flush",
		.run = route_flush,
		.summary = "delete all routes that a filter chooses",
		.synopsis = "[OPTION VALUE]...",
		.usage =
"  peer PEER           only those of this peer; of all\n"
DEV
"  protocol PROTOCOL   only those of this route protocol; of all\n",
		.notes =
"Prints how many there were. The routes of system addresses stay.\n",
		.examples =
"  ovlyhelper route flush peer hub1\n"
"  ovlyhelper route flush dev ovly0 protocol static\n",
	},
	{ 0 },
};

const struct command cmd_route = {
	.name = "route",
	.sub = table,
	.summary = "add, replace, del, list and flush the routes of peers",
};
