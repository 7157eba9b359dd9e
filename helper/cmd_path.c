// SPDX-License-Identifier: GPL-2.0-only
/* ovlyhelper path: the tunnels of peers */
#include <errno.h>
#include <linux/netlink.h>
#include <string.h>

#include "args.h"
#include "cmd.h"
#include "out.h"
#include "parse.h"
#include "show.h"
#include "view.h"

static bool prepare(int argc, char **argv, struct ovly_nl *nl,
		    struct ovly_path *path, struct ovly_req *req, bool adding,
		    struct err *e)
{
	char dev[IFNAMSIZ] = "";
	char underlay[IFNAMSIZ] = "";
	uint32_t *has = &path->has;
	const struct arg args[] = {
		ARG("dev", ARG_IFNAME, dev),
		ARG("if-id-out", ARG_U32, &path->if_id_out, .min = 1,
		    .has = has, .bit = HAS(OVLY_A_PATH_IF_ID_OUT)),
		ARG("peer", ARG_NAME, path->peer_name, .has = has,
		    .bit = HAS(OVLY_A_PATH_PEER_NAME)),
		ARG("endpoint", ARG_ADDR, &path->endpoint, .has = has,
		    .bit = HAS(OVLY_A_PATH_ENDPOINT)),
		ARG("local", ARG_ADDR, &path->local, .has = has,
		    .bit = HAS(OVLY_A_PATH_LOCAL)),
		ARG("underlay", ARG_IFNAME, underlay),
		ARG("priority", ARG_U32, &path->priority, .has = has,
		    .bit = HAS(OVLY_A_PATH_PRIORITY)),
		ARG("label", ARG_LABEL, path->label, .has = has,
		    .bit = HAS(OVLY_A_PATH_LABEL)),
		ARG("remote-id", ARG_REMOTE_ID, path->remote_id, .has = has,
		    .bit = HAS(OVLY_A_PATH_REMOTE_ID)),
		ARG_END,
	};
	const char *if_id;

	memset(path, 0, sizeof(*path));
	memset(req, 0, sizeof(*req));
	if (!args_parse(argc, argv, args, &if_id, 1, e))
		return false;
	if (!if_id)
		return err_usage(e, "the path's if-id is missing");
	if (!parse_u32(if_id, 1, UINT32_MAX, &path->if_id_in, e))
		return err_prefix(e, "if-id");
	path->has |= HAS(OVLY_A_PATH_IF_ID_IN);
	if (adding && !path->peer_name[0])
		return err_usage(e, "whose path? say 'peer PEER'");
	if (underlay[0]) {
		path->has |= HAS(OVLY_A_PATH_UNDERLAY);
		path->underlay = if_nametoindex(underlay);
		if (!path->underlay)
			return err_set(e, EXIT_REFUSED,
				       "underlay: there is no device '%s', see 'ip link'",
				       underlay);
	}
	if (!ovly_nl_open(nl, true, e))
		return false;
	req->path = path;
	if (!adding && !dev[0])
		return true;
	req->ifindex = ovly_ctl_ifindex(nl, dev, e);
	if (req->ifindex)
		return true;
	ovly_nl_close(nl);
	return false;
}

static bool change(int cmd, int flags, const char *what, int argc, char **argv,
		   struct err *e)
{
	struct ovly_nl_error refusal;
	struct ovly_path path;
	struct ovly_req req;
	struct ovly_nl nl;
	bool ok;

	if (!prepare(argc, argv, &nl, &path, &req, cmd == OVLY_CMD_PATH_NEW, e))
		return false;
	ok = ovly_ctl_do(&nl, cmd, flags, &req, NULL, &refusal);
	if (!ok) {
		ovly_nl_err(e, &refusal, "cannot %s the path with if-id %u",
			    what, path.if_id_in);
		if (refusal.error == ENOENT)
			ovly_ctl_near_peer(&nl, req.ifindex, path.peer_name, e);
	}
	ovly_nl_close(&nl);
	return ok;
}

static bool path_add(int argc, char **argv, struct err *e)
{
	return change(OVLY_CMD_PATH_NEW, NLM_F_CREATE | NLM_F_EXCL, "add",
		      argc, argv, e);
}

static bool path_set(int argc, char **argv, struct err *e)
{
	return change(OVLY_CMD_PATH_SET, 0, "change", argc, argv, e);
}

static bool path_del(int argc, char **argv, struct err *e)
{
	return change(OVLY_CMD_PATH_DEL, 0, "delete", argc, argv, e);
}

static void words(json_t *row)
{
	const char *underlay =
		json_string_value(json_object_get(row, "underlay"));

	if (json_is_true(json_object_get(row, "underlay-missing")))
		json_object_set_new(row, "underlay",
				    json_sprintf("%s%smissing",
						 underlay ? underlay : "",
						 underlay ? " " : ""));
}

static bool path_list(int argc, char **argv, struct err *e)
{
	static const struct out_column columns[] = {
		{ "if-id-in", "IF-ID", OUT_PLAIN, true },
		{ "peer-name", "PEER", OUT_PLAIN, false },
		{ "state", "STATE", OUT_STATE, false },
		{ "priority", "PRIO", OUT_PLAIN, true },
		{ "endpoint", "ENDPOINT", OUT_PLAIN, false },
		{ "underlay", "UNDERLAY", OUT_PLAIN, false },
		{ "mtu", "MTU", OUT_PLAIN, true },
		{ "label", "CONNECTION", OUT_PLAIN, false },
		{ "sa-in", "SA-IN", OUT_PLAIN, true },
		{ "sa-out", "OUT", OUT_PLAIN, true },
		{ "since", "SINCE", OUT_SINCE, true },
		{ 0 },
	};

	return show_list_words(OVLY_CMD_PATH_GET, view_path, columns, words,
			       argc, argv, e);
}

#define DEV                                                                   \
"  dev DEVICE        the peer's device; the only one\n"
#define SETTINGS                                                              \
"  if-id-out N       XFRM interface id of the outbound SAs, 1 or more; the same\n" \
"  endpoint ADDR     outer address of the peer; that of the SA\n"              \
"  local ADDR        own outer address, to be shown only; none\n"              \
"  underlay LINK     device that outer packets leave by, or its VRF; any\n"    \
"  priority N        the lowest is preferred, the newest among equals; 100\n"  \
"  label TEXT        IKE connection, 63 characters at most; none\n"            \
"  remote-id TEXT    IKE identity, 255 characters at most; none\n"

static const struct command table[] = {
	{
		.name = "add",
		.run = path_add,
		.summary = "make a path to a peer",
		.synopsis = "ID peer PEER [OPTION VALUE]...",
		.usage =
"  peer PEER         whose path it is\n"
DEV
SETTINGS,
		.notes =
"ID is the XFRM interface id of the inbound SAs (if_id_in), 1 or more. The path\n"
"is up while there is an outbound SA with its id.\n",
		.examples =
"  ovlyhelper path add 42 peer myconn endpoint 10.88.247.84\n"
"  ovlyhelper path add 43 peer myconn underlay wan2-br priority 200\n",
	},
	{
		.name = "set",
		.run = path_set,
		.summary = "change a path, which becomes the newest",
		.synopsis = "IF-ID [OPTION VALUE]...",
		.usage =
"  peer PEER         as it is; another one is refused\n"
DEV
SETTINGS,
		.notes =
"What is not given stays. An if-id never changes.\n",
		.examples =
"  ovlyhelper path set 43 priority 50\n",
	},
	{
		.name = "del",
		.run = path_del,
		.summary = "delete a path",
		.synopsis = "IF-ID [dev DEVICE]",
		.usage = DEV,
		.examples =
"  ovlyhelper path del 43\n",
	},
	{
		.name = "list",
		.run = path_list,
		.summary = "list paths",
		.synopsis = "[dev DEVICE] [json]",
		.usage =
"  dev DEVICE   only those of this one; all\n"
"  json         JSON, with all that is known; a table\n",
		.examples =
"  ovlyhelper path list\n"
"  ovlyhelper path list --json\n",
	},
	{ 0 },
};

const struct command cmd_path = {
	.name = "path",
	.sub = table,
	.summary = "add, set, del and list the tunnels of peers",
};
