// SPDX-License-Identifier: GPL-2.0-only
/* ovlyhelper peer: the peers of a device */
#include <errno.h>
#include <inttypes.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>

#include "args.h"
#include "cmd.h"
#include "out.h"
#include "parse.h"
#include "show.h"
#include "view.h"

/* Reads the arguments, opens the socket and finds the device. */
static bool prepare(int argc, char **argv, struct ovly_nl *nl,
		    struct ovly_peer *peer, struct ovly_req *req,
		    struct err *e)
{
	char dev[IFNAMSIZ] = "";
	const struct arg args[] = {
		ARG("dev", ARG_IFNAME, dev),
		ARG("addr", ARG_ADDRS, &peer->addr, .has = &peer->has,
		    .bit = HAS(OVLY_A_PEER_ADDR)),
		ARG("on-down", ARG_WORD, &peer->on_down,
		    .words = on_down_words, .has = &peer->has,
		    .bit = HAS(OVLY_A_PEER_ON_DOWN)),
		ARG("limit", ARG_U32, &peer->route_limit, .has = &peer->has,
		    .bit = HAS(OVLY_A_PEER_ROUTE_LIMIT)),
		ARG("limit-action", ARG_WORD, &peer->limit_action,
		    .words = limit_action_words, .has = &peer->has,
		    .bit = HAS(OVLY_A_PEER_LIMIT_ACTION)),
		ARG("backup", ARG_BACKUP, peer),
		ARG("mark", ARG_U32, &peer->mark, .has = &peer->has,
		    .bit = HAS(OVLY_A_PEER_MARK)),
		ARG("priority", ARG_U32, &peer->priority, .has = &peer->has,
		    .bit = HAS(OVLY_A_PEER_PRIORITY)),
		ARG_END,
	};
	const char *name;

	memset(peer, 0, sizeof(*peer));
	memset(req, 0, sizeof(*req));
	if (!args_parse(argc, argv, args, &name, 1, e))
		return false;
	if (!name)
		return err_usage(e, "the peer's name is missing");
	if (!parse_name(name, peer->name, e) || !ovly_nl_open(nl, true, e))
		return false;
	peer->has |= HAS(OVLY_A_PEER_NAME);
	req->peer = peer;
	req->ifindex = ovly_ctl_ifindex(nl, dev, e);
	if (req->ifindex)
		return true;
	ovly_nl_close(nl);
	return false;
}

/* " with address 10.0.0.1, 10.0.0.2 with backup hub2": the kernel does not say
 * which it means.
 */
static const char *with_what(const struct ovly_peer *peer, char *buf,
			     size_t size)
{
	const struct ovly_addrs *list = &peer->addr;
	char addr[ADDR_STRLEN];
	unsigned int i;
	size_t n = 0;

	buf[0] = '\0';
	for (i = 0; i < list->n && n < size; i++)
		n += (size_t)snprintf(buf + n, size - n, "%s%s",
				      i ? ", " : " with address ",
				      addr_str(&list->a[i], addr));
	if (peer->backup_name[0] && n < size)
		snprintf(buf + n, size - n, " with backup %s",
			 peer->backup_name);
	return buf;
}

static bool change(int cmd, int flags, const char *what, int argc, char **argv,
		   struct err *e)
{
	struct ovly_nl_error refusal;
	struct ovly_peer peer;
	struct ovly_req req;
	struct ovly_nl nl;
	char what_of[280];
	bool ok;

	if (!prepare(argc, argv, &nl, &peer, &req, e))
		return false;
	ok = ovly_ctl_do(&nl, cmd, flags, &req, NULL, &refusal);
	if (!ok) {
		ovly_nl_err(e, &refusal, "cannot %s peer '%s'%s", what,
			    peer.name, with_what(&peer, what_of,
						 sizeof(what_of)));
		if (refusal.error == ENOENT)
			ovly_ctl_near_peer(&nl, req.ifindex,
					   strstr(refusal.attr, "backup") ?
						   peer.backup_name : peer.name,
					   e);
	}
	ovly_nl_close(&nl);
	return ok;
}

static bool peer_add(int argc, char **argv, struct err *e)
{
	return change(OVLY_CMD_PEER_NEW, NLM_F_CREATE | NLM_F_EXCL, "add",
		      argc, argv, e);
}

static bool peer_set(int argc, char **argv, struct err *e)
{
	return change(OVLY_CMD_PEER_SET, 0, "change", argc, argv, e);
}

static bool peer_del(int argc, char **argv, struct err *e)
{
	return change(OVLY_CMD_PEER_DEL, 0, "delete", argc, argv, e);
}

static void set_text(json_t *row, const char *key, json_t *text)
{
	json_object_set_new(row, key, text ? text : json_null());
}

static void words(json_t *row)
{
	json_int_t limit = json_integer_value(json_object_get(row,
							      "route-limit"));
	json_int_t mark = json_integer_value(json_object_get(row, "mark"));
	const char *backup = json_string_value(json_object_get(row, "backup"));
	const char *action = json_string_value(json_object_get(row,
							"limit-action"));
	bool struck = json_is_true(json_object_get(row, "routes-disabled"));

	set_text(row, "route-limit", limit ?
		 json_sprintf("%" JSON_INTEGER_FORMAT " %s%s", limit,
			      action ? action : "",
			      struck ? "d" : "") : NULL);
	set_text(row, "mark", mark ?
		 json_sprintf("0x%" PRIx64, (uint64_t)mark) : NULL);
	if (!json_integer_value(json_object_get(row, "priority")))
		set_text(row, "priority", NULL);
	if (backup && json_is_true(json_object_get(row, "via-backup")))
		set_text(row, "backup", json_sprintf("%s (in use)", backup));
}

/* The configuration; "show peers" has what changes all the time. */
static bool peer_list(int argc, char **argv, struct err *e)
{
	static const struct out_column columns[] = {
		{ "name", "PEER", OUT_PLAIN, false },
		{ "dev", "DEVICE", OUT_PLAIN, false },
		{ "addr", "ADDRESS", OUT_PLAIN, false },
		{ "state", "STATE", OUT_STATE, false },
		{ "on-down", "ON-DOWN", OUT_PLAIN, false },
		{ "route-limit", "LIMIT", OUT_PLAIN, false },
		{ "backup", "BACKUP", OUT_PLAIN, false },
		{ "mark", "MARK", OUT_PLAIN, true },
		{ "priority", "PRIO", OUT_PLAIN, true },
		{ 0 },
	};

	return show_list_words(OVLY_CMD_PEER_GET, view_peer, columns, words,
			       argc, argv, e);
}

#define DEV \
"  dev DEVICE                   its device; the only one\n"
#define SETTINGS                                                              \
DEV                                                                           \
"  addr ADDR                    overlay address, unicast, 8 at most; none\n"  \
"  on-down hold|withdraw        while it is down its routes stay and packets\n" \
"                               are dropped, or its routes leave; hold\n"      \
"  limit N                      routes beside its addresses, 0 is no limit; 0\n" \
"  limit-action refuse|disable  one more is refused, or also all BGP taught\n" \
"                               leave the table; refuse\n"                     \
"  backup PEER|none             takes the packets while this one is down; none\n" \
"  mark N                       packet mark of what comes from it, and of outer\n" \
"                               packets to it, 0 leaves it; 0\n"               \
"  priority N                   traffic class of the same, 0 leaves it; 0\n"

static const struct command table[] = {
	{
		.name = "add",
		.run = peer_add,
		.summary = "make a peer",
		.synopsis = "NAME [OPTION VALUE]...",
		.usage = SETTINGS,
		.examples =
"  ovlyhelper peer add myconn addr 166.34.121.112\n"
"  ovlyhelper peer add branch1 dev ovly0 addr 10.122.144.146 limit 15\n",
	},
	{
		.name = "set",
		.run = peer_set,
		.summary = "change a peer",
		.synopsis = "PEER [OPTION VALUE]...",
		.usage = SETTINGS,
		.notes =
"What is not given stays; the addresses given replace the old ones. \"limit\" also\n"
"brings back routes that the limit had taken out.\n",
		.examples =
"  ovlyhelper peer set hub1 backup hub2\n"
"  ovlyhelper peer set hub1 limit 15 limit-action disable\n",
	},
	{
		.name = "del",
		.run = peer_del,
		.summary = "delete a peer with its paths and routes",
		.synopsis = "PEER [dev DEVICE]",
		.usage = DEV,
		.examples =
"  ovlyhelper peer del myconn\n",
	},
	{
		.name = "list",
		.run = peer_list,
		.summary = "list peers and how they are set",
		.synopsis = "[dev DEVICE] [json]",
		.usage =
"  dev DEVICE   only those of this one; all\n"
"  json         JSON, with all that is known; a table\n",
		.notes =
"What changes all the time is in \"ovlyhelper show peers\".\n",
		.examples =
"  ovlyhelper peer list\n"
"  ovlyhelper peer list dev ovly0 --json\n",
	},
	{ 0 },
};

const struct command cmd_peer = {
	.name = "peer",
	.sub = table,
	.summary = "add, set, del and list peers",
};
