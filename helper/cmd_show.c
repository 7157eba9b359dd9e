// SPDX-License-Identifier: GPL-2.0-only
/* ovlyhelper show: what is going on */
#include "cmd.h"
#include "show.h"

#include <stddef.h>

#define DEV                                                                   \
"  dev DEVICE   only what is on this device; all\n"
#define JSON                                                                  \
"  json         JSON; text\n"

static const struct command table[] = {
	{
		.name = "secure-overlay",
		.run = show_overlay,
		.summary = "each overlay: state, addresses, remote",
		.synopsis = "[dev DEVICE] [json]",
		.usage = DEV JSON,
		.examples =
"  ovlyhelper show secure-overlay\n",
	},
	{
		.name = "peers",
		.run = show_peers,
		.summary = "peers with state, path, routes and traffic",
		.synopsis = "[dev DEVICE] [json]",
		.usage = DEV JSON,
		.examples =
"  ovlyhelper show peers\n"
"  ovlyhelper show peers dev ovly0 --json\n",
	},
	{
		.name = "routes",
		.run = show_routes,
		.summary = "what peers own, and whether it is in the table",
		.synopsis = "[OPTION [VALUE]]...",
		.usage = SHOW_ROUTES_USAGE,
		.examples =
"  ovlyhelper show routes\n"
"  ovlyhelper show routes peer hub1 protocol bird\n",
	},
	{
		.name = "route",
		.run = show_route,
		.summary = "which way a packet goes, or why it is dropped",
		.synopsis = "ADDR|PREFIX [OPTION [VALUE]]...",
		.usage =
"  from ADDR    its source; one that is not this host's comes in where the way\n"
"               back to it leads; the kernel's choice\n"
"  vrf VRF      it starts in this VRF; none\n"
"  mark N       its packet mark; 0\n"
JSON,
		.examples =
"  ovlyhelper show route 81.81.81.1\n"
"  ovlyhelper show route 81.81.81.1 from 192.168.1.1\n",
		.exits =
"0 it leaves encrypted, 1 it does not, or refused or failed",
	},
	{
		.name = "bridge",
		.run = show_bridge,
		.summary = "what the bridge follows, next hops that are nobody's",
		.synopsis = "[json]",
		.usage = JSON,
		.examples =
"  ovlyhelper show bridge\n",
	},
	{
		.name = "bgp",
		.run = show_bgp,
		.summary = "BIRD's BGP sessions, or the routes that they learned",
		.synopsis = "[summary|routes] [OPTION [VALUE]]...",
		.usage =
"  socket FILE  BIRD's control socket; /run/bird/bird.ctl\n"
JSON,
		.notes =
"\"show bgp vpnv4 unicast [route]\" is the same, as some appliances have it.\n",
		.examples =
"  ovlyhelper show bgp\n"
"  ovlyhelper show bgp routes --json\n",
	},
	{
		.name = "drops",
		.run = show_drops,
		.summary = "why packets were dropped, per device and per peer",
		.synopsis = "[dev DEVICE] [all] [json]",
		.usage =
DEV
"  all          counters that are zero, too; only the others\n"
JSON,
		.notes =
"ovly(7) says of each reason what it means and what to do.\n",
		.examples =
"  ovlyhelper show drops\n",
	},
	{ .name = NULL },
};

const struct command cmd_show = {
	.name = "show",
	.sub = table,
	.summary = "show overlays, peers, routes, bridge, BGP and drops",
};
