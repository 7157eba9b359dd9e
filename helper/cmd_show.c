// SPDX-License-Identifier: GPL-2.0-only
/* ovlyhelper show: what is going on */
#include "cmd.h"
#include "show.h"

#include <stddef.h>

static const struct command table[] = {
	{ .name = "secure-overlay", .run = show_overlay },
	{ .name = "peers", .run = show_peers },
	{ .name = "routes", .run = show_routes },
	{ .name = "route", .run = show_route },
	{ .name = "bgp", .run = show_bgp },
	{ .name = "drops", .run = show_drops },
	{ .name = NULL },
};

static bool run(int argc, char **argv, struct err *e)
{
	return command_dispatch(table, "show", argc, argv, e);
}

const struct command cmd_show = {
	.name = "show",
	.run = run,
	.summary = "show overlays, peers, routes, BGP and drops",
	.usage =
"ovlyhelper show secure-overlay [dev NAME] [json]\n"
"ovlyhelper show peers [dev NAME] [json]\n"
"ovlyhelper show routes [dev NAME] [peer NAME] [protocol P] [family 4|6] [json]\n"
"ovlyhelper show route ADDR|PREFIX [from ADDR] [vrf NAME] [mark N] [json]\n"
"                    which way a packet goes, or why it is dropped\n"
"ovlyhelper show drops [dev NAME] [all] [json]\n"
"ovlyhelper show bgp [summary|routes] [socket PATH] [json]\n"
"ovlyhelper show bgp vpnv4 unicast [route] ...      the same, long\n"
"\"json\" prints JSON with the keys that ovlyhelper(8) documents.\n",
};
