// SPDX-License-Identifier: GPL-2.0-only
/* ovlyhelper dev: the devices */
#include <linux/netlink.h>
#include <string.h>

#include "args.h"
#include "cmd.h"
#include "names.h"
#include "out.h"
#include "parse.h"
#include "rtnl.h"
#include "show.h"
#include "view.h"

struct dev_args {
	struct ovly_dev dev;
	struct ovly_addrs addr;
	uint32_t mtu;
	char vrf[IFNAMSIZ];
	bool up;
};

static bool parse(int argc, char **argv, struct dev_args *a,
		  char name[IFNAMSIZ], bool adding, struct err *e)
{
	const struct arg args[] = {
		ARG("src-valid", ARG_WORD, &a->dev.src_valid,
		    .words = src_valid_words, .has = &a->dev.has,
		    .bit = HAS(OVLY_A_DEV_SRC_VALID)),
		ARG("carrier-follows", ARG_U32, &a->dev.carrier_follows,
		    .max = 1, .has = &a->dev.has,
		    .bit = HAS(OVLY_A_DEV_CARRIER_FOLLOWS)),
		ARG("mtu", ARG_U32, &a->mtu, .min = 1280, .max = 65535),
		ARG("addr", ARG_ADDRS, &a->addr),
		ARG("up", ARG_FLAG, &a->up),
		/* those below are set at creation only */
		ARG(adding ? "mode" : NULL, ARG_WORD, &a->dev.mode,
		    .words = mode_words, .has = &a->dev.has,
		    .bit = HAS(OVLY_A_DEV_MODE)),
		ARG("table", ARG_U32, &a->dev.table, .min = 1,
		    .has = &a->dev.has, .bit = HAS(OVLY_A_DEV_TABLE)),
		ARG("vrf", ARG_IFNAME, a->vrf),
		ARG_END,
	};
	const char *given;

	memset(a, 0, sizeof(*a));
	if (!args_parse(argc, argv, args, &given, 1, e))
		return false;
	if (!given)
		return err_usage(e, "the device's name is missing");
	return parse_ifname(given, name, e);
}

/* What of the settings is no attribute of the module. */
static bool apply(struct ovly_nl *nl, const struct dev_args *a,
		  const char *name, struct err *e)
{
	struct ovly_link link, vrf;
	unsigned int i;

	if (!ovly_rtnl_link_get(nl, name, &link, e))
		return false;
	if (a->vrf[0]) {
		if (!ovly_rtnl_link_get(nl, a->vrf, &vrf, e))
			return false;
		if (!vrf.ifindex || strcmp(vrf.kind, "vrf"))
			return err_set(e, EXIT_REFUSED,
				       "there is no VRF '%s', make it with 'ip link add %s type vrf table N'",
				       a->vrf, a->vrf);
		if (!ovly_rtnl_link_set_master(nl, &link, vrf.ifindex, e))
			return false;
	}
	if (a->mtu && !ovly_rtnl_link_set_mtu(nl, &link, a->mtu, e))
		return false;
	for (i = 0; i < a->addr.n; i++)
		if (!ovly_rtnl_addr_add(nl, &link, &a->addr.a[i],
					link.dev.mode == OVLY_MODE_P2P, e))
			return false;
	return !a->up || ovly_rtnl_link_up(nl, &link, e);
}

static bool dev_add(int argc, char **argv, struct err *e)
{
	struct ovly_link link;
	char name[IFNAMSIZ];
	struct dev_args a;
	struct ovly_nl nl;
	struct err ignored;
	bool exists;
	bool ok;

	if (!parse(argc, argv, &a, name, true, e) ||
	    !ovly_nl_open(&nl, false, e))
		return false;
	ok = ovly_rtnl_link_add(&nl, name, &a.dev, &exists, e);
	if (ok && exists)
		ok = err_set(e, EXIT_REFUSED,
			     "device '%s' exists: choose another name, or change it with 'ovlyhelper dev set'",
			     name);
	else if (ok && !apply(&nl, &a, name, e)) {
		/* nothing half-done */
		if (ovly_rtnl_link_get(&nl, name, &link, &ignored) &&
		    link.ifindex)
			ovly_rtnl_link_del(&nl, link.ifindex, &ignored);
		ok = false;
	}
	ovly_nl_close(&nl);
	return ok;
}

static bool dev_set(int argc, char **argv, struct err *e)
{
	struct ovly_nl_error refusal;
	struct ovly_req req = { 0 };
	char name[IFNAMSIZ];
	struct dev_args a;
	struct ovly_nl nl;
	bool ok = false;

	if (!parse(argc, argv, &a, name, false, e) ||
	    !ovly_nl_open(&nl, true, e))
		return false;
	req.dev = &a.dev;
	req.ifindex = ovly_ctl_ifindex(&nl, name, e);
	if (!req.ifindex)
		goto out;
	if (a.dev.has &&
	    !ovly_ctl_do(&nl, OVLY_CMD_DEV_SET, 0, &req, NULL, &refusal)) {
		ovly_nl_err(e, &refusal, "cannot change device '%s'", name);
		goto out;
	}
	ok = apply(&nl, &a, name, e);
out:
	ovly_nl_close(&nl);
	return ok;
}

static bool by_name(int argc, char **argv, struct ovly_nl *nl,
		    struct ovly_req *req, struct err *e)
{
	static const struct arg args[] = { ARG_END };
	char name[IFNAMSIZ];
	const char *given;

	if (!args_parse(argc, argv, args, &given, 1, e))
		return false;
	if (!given)
		return err_usage(e, "the device's name is missing");
	if (!parse_ifname(given, name, e) || !ovly_nl_open(nl, true, e))
		return false;
	req->ifindex = ovly_ctl_ifindex(nl, name, e);
	if (req->ifindex)
		return true;
	ovly_nl_close(nl);
	return false;
}

static bool dev_del(int argc, char **argv, struct err *e)
{
	struct ovly_req req = { 0 };
	struct ovly_nl nl;
	bool ok;

	if (!by_name(argc, argv, &nl, &req, e))
		return false;
	ok = ovly_rtnl_link_del(&nl, req.ifindex, e);
	ovly_nl_close(&nl);
	return ok;
}

static bool dev_resync(int argc, char **argv, struct err *e)
{
	struct ovly_nl_error refusal;
	struct ovly_req req = { 0 };
	char name[IFNAMSIZ];
	struct ovly_nl nl;
	bool ok;

	if (!by_name(argc, argv, &nl, &req, e))
		return false;
	ok = ovly_ctl_do(&nl, OVLY_CMD_DEV_RESYNC, 0, &req, NULL, &refusal);
	if (!ok)
		ovly_nl_err(e, &refusal, "cannot put the table of '%s' right",
			    ifindex_str(req.ifindex, name, sizeof(name)));
	ovly_nl_close(&nl);
	return ok;
}

static bool dev_list(int argc, char **argv, struct err *e)
{
	static const struct out_column columns[] = {
		{ "dev", "DEVICE", OUT_PLAIN, false },
		{ "mode", "MODE", OUT_PLAIN, false },
		{ "active-table", "TABLE", OUT_PLAIN, true },
		{ "src-valid", "SOURCES", OUT_PLAIN, false },
		{ "peers", "PEERS", OUT_PLAIN, true },
		{ "peers-up", "UP", OUT_PLAIN, true },
		{ "routes", "ROUTES", OUT_PLAIN, true },
		{ "routes-installed", "INSTALLED", OUT_PLAIN, true },
		{ 0 },
	};

	return show_list(OVLY_CMD_DEV_GET, view_dev, columns, argc, argv, e);
}

#define SETTINGS                                                              \
"  src-valid strict|loose|off   whose sources are taken: what would be routed\n" \
"                               back to the peer, to any peer, all; strict\n"    \
"  carrier-follows 0|1          carrier only while a peer is up; 0\n"            \
"  mtu N                        bytes, 1280 to 65535; 9196\n"                    \
"  addr ADDR                    own overlay address, repeatable; none\n"         \
"  up                           set it up\n"

static const struct command table[] = {
	{
		.name = "add",
		.run = dev_add,
		.summary = "make a device",
		.synopsis = "NAME [OPTION [VALUE]]...",
		.usage =
"  mode p2p|multipoint          one peer that takes every packet, or many, named\n"
"                               by the next hop; p2p\n"
"  table N                      routing table of its routes, 1 or more; 220\n"
"  vrf VRF                      put it into this VRF, whose table it then uses\n"
SETTINGS,
		.examples =
"  ovlyhelper dev add ipsec0 addr 10.122.144.146 up\n"
"  ovlyhelper dev add ovly0 mode multipoint vrf private-vrf up\n",
	},
	{
		.name = "set",
		.run = dev_set,
		.summary = "change a device",
		.synopsis = "DEVICE [OPTION [VALUE]]...",
		.usage = SETTINGS,
		.notes =
"What is not given stays; addresses are added. Mode and table are for good, and\n"
"\"ip link set DEVICE master VRF\" moves it to a VRF.\n",
		.examples =
"  ovlyhelper dev set ipsec0 mtu 1400 src-valid loose\n",
	},
	{
		.name = "del",
		.run = dev_del,
		.summary = "delete a device with its peers, paths and routes",
		.synopsis = "DEVICE",
		.examples =
"  ovlyhelper dev del ipsec0\n",
	},
	{
		.name = "list",
		.run = dev_list,
		.summary = "list devices",
		.synopsis = "[dev DEVICE] [json]",
		.usage =
"  dev DEVICE   only this one; all\n"
"  json         JSON, with counters; a table\n",
		.examples =
"  ovlyhelper dev list\n"
"  ovlyhelper dev list --json\n",
	},
	{
		.name = "resync",
		.run = dev_resync,
		.summary = "put the routing table right that somebody changed by hand",
		.synopsis = "DEVICE",
		.examples =
"  ovlyhelper dev resync ipsec0\n",
		.exits =
"0 the table is what the peers own, 1 refused or failed",
	},
	{ 0 },
};

const struct command cmd_dev = {
	.name = "dev",
	.sub = table,
	.summary = "add, set, del, list and resync devices",
};
