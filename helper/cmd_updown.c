// SPDX-License-Identifier: GPL-2.0-only
/* ovlyhelper updown: what strongSwan runs */
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "cmd.h"
#include "fields.h"
#include "updown.h"

static const char *const peer_from_words[] = { "connection", "id", "endpoint",
					       NULL };

static const char *lookup(const char *name)
{
	return getenv(name);
}

static bool parse(int argc, char **argv, struct updown_conf *conf,
		  struct err *e)
{
	struct ovly_peer *peer = &conf->settings;
	uint32_t *has = &conf->has;
	const struct arg args[] = {
		ARG("dev", ARG_IFNAME, conf->dev),
		ARG("mode", ARG_WORD, &conf->mode, .words = mode_words,
		  .has = has, .bit = UPDOWN_HAS_MODE),
		ARG("peer", ARG_NAME, conf->peer),
		ARG("peer-from", ARG_WORD, &conf->peer_from,
		  .words = peer_from_words),
		ARG("system-addr", ARG_ADDRS, &conf->system_addr),
		ARG("system-addr-from-ts", ARG_U32, &conf->from_ts,
		  .has = has, .bit = UPDOWN_HAS_FROM_TS),
		ARG("local-addr", ARG_ADDRS, &conf->local_addr),
		ARG("priority", ARG_U32, &conf->priority,
		  .has = has, .bit = UPDOWN_HAS_PRIORITY),
		ARG("on-down", ARG_WORD, &peer->on_down, .words = on_down_words,
		  .has = &peer->has, .bit = HAS(OVLY_A_PEER_ON_DOWN)),
		ARG("limit", ARG_U32, &peer->route_limit,
		  .has = &peer->has, .bit = HAS(OVLY_A_PEER_ROUTE_LIMIT)),
		ARG("limit-action", ARG_WORD, &peer->limit_action,
		  .words = limit_action_words, .has = &peer->has,
		  .bit = HAS(OVLY_A_PEER_LIMIT_ACTION)),
		ARG("backup", ARG_BACKUP, peer),
		ARG("mark", ARG_U32, &peer->mark, .has = &peer->has,
		  .bit = HAS(OVLY_A_PEER_MARK)),
		ARG("peer-priority", ARG_U32, &peer->priority,
		  .has = &peer->has, .bit = HAS(OVLY_A_PEER_PRIORITY)),
		ARG("table", ARG_U32, &conf->table, .min = 1,
		  .has = has, .bit = UPDOWN_HAS_TABLE),
		ARG("mtu", ARG_U32, &conf->mtu, .min = 1280, .max = 65535,
		  .has = has, .bit = UPDOWN_HAS_MTU),
		ARG("src-valid", ARG_WORD, &conf->src_valid,
		  .words = src_valid_words, .has = has,
		  .bit = UPDOWN_HAS_SRC_VALID),
		ARG("vrf", ARG_IFNAME, conf->vrf),
		ARG("route-ts", ARG_FLAG, &conf->route_ts),
		ARG("no-route-ts", ARG_FLAG, &conf->no_route_ts),
		ARG_END,
	};

	memset(conf, 0, sizeof(*conf));
	strcpy(conf->dev, "ipsec0");
	if (!args_parse(argc, argv, args, NULL, 0, e))
		return false;
	if (conf->peer[0] && conf->peer_from)
		return err_set(e, EXIT_USAGE,
			       "--peer and --peer-from exclude each other");
	if (conf->route_ts && conf->no_route_ts)
		return err_set(e, EXIT_USAGE,
			       "--route-ts and --no-route-ts exclude each other");
	return true;
}

static bool run(int argc, char **argv, struct err *e)
{
	struct updown_conf conf;
	struct pluto env;
	struct ovly_nl nl;
	int lock;
	bool ok;

	if (!parse(argc, argv, &conf, e) || !env_read(lookup, &env, e))
		return false;
	/* before the first look at the kernel: is the module there? */
	lock = updown_lock();
	ok = ovly_nl_open(&nl, false, e);
	if (ok) {
		ok = env.up ? updown_up(&nl, &conf, &env, e) :
			      updown_down(&nl, &env, e);
		ovly_nl_close(&nl);
	}
	updown_unlock(lock);
	return ok;
}

const struct command cmd_updown = {
	.name = "updown",
	.run = run,
	.summary = "what strongSwan runs when a CHILD_SA comes and goes",
	.synopsis = "[OPTION VALUE]...",
	.usage =
"  --dev DEVICE               the device, made if missing; ipsec0\n"
"  --mode p2p|multipoint      its mode when it is made; p2p\n"
"  --peer NAME                name of the peer; the connection's\n"
"  --peer-from connection|id|endpoint\n"
"                             or taken from there\n"
"  --system-addr ADDR         overlay address of the peer, repeatable; else\n"
"                             a one-address traffic selector, else the virtual\n"
"                             address given to it, else ...\n"
"  --system-addr-from-ts N    ... the N-th address of its traffic selector\n"
"  --local-addr ADDR          own overlay address, repeatable; the virtual\n"
"                             address received\n"
"  --priority N               of the path, the lowest is preferred; 100\n"
"  --on-down hold|withdraw    routes while the peer is down: they stay and\n"
"                             packets are dropped, or they leave; hold\n"
"  --limit N                  routes that the peer may own; 0, no limit\n"
"  --limit-action refuse|disable\n"
"                             what one more does: it is refused, or what was\n"
"                             taught of the peer leaves the table, too; refuse\n"
"  --backup PEER|none         takes the packets while this peer is down; none\n"
"  --mark N                   packet mark of what comes from and goes to the\n"
"                             peer, 0 leaves it; 0\n"
"  --peer-priority N          traffic class of the same; 0\n"
"  --table N                  of the device when it is made; 220\n"
"  --mtu N                    of the device, in bytes, 1280 to 65535; 9196\n"
"  --src-valid strict|loose|off\n"
"                             whose sources are taken: what would be routed\n"
"                             back to the peer, to any peer, all; strict\n"
"  --vrf VRF                  put the device there; refused if it is in another\n"
"  --route-ts                 route the peer's traffic selector to it, unless\n"
"                             it is everything; so in multipoint\n"
"  --no-route-ts              do not; so in p2p\n",
	.notes =
"strongSwan tells the rest in the environment (PLUTO_*), and logs the output.\n",
	.examples =
"  updown = /usr/local/sbin/ovlyhelper updown --system-addr 166.34.121.112 \\\n"
"           --local-addr 10.122.144.146           (in swanctl.conf)\n",
};
