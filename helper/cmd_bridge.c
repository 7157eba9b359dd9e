// SPDX-License-Identifier: GPL-2.0-only
/* ovlyhelper bridge: the daemon that follows the staging table */
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/rtnetlink.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "bridge_sock.h"
#include "bridge_state.h"
#include "cmd.h"
#include "msg.h"
#include "parse.h"
#include "service.h"
#include "stage.h"

/* Bursts of events (a hub's peers coming up) are answered by one reconcile. */
#define RESYNC_GAP_MS 200
/* BIRD 1.6 and FRR change an IPv6 route by deleting it and adding it again: a
 * deletion waits until there is no more news for so long, or in so many rounds.
 */
#define LINGER_MS 40
#define LINGER_ROUNDS 10
/* After a failed reconcile. */
#define RETRY_MS 2000
#define ONCE_TRIES 3
/* Those that may help by chance: a twentieth of the time, and not more often. */
#define LATE_GAP_MS 1000
#define LATE_SHARE 20

static volatile sig_atomic_t stop, hup;

static void on_signal(int sig)
{
	if (sig == SIGHUP)
		hup = 1;
	else
		stop = 1;
}

struct daemon {
	struct bridge br;
	struct nl_sock *routes, *events;
	int group; /* of the events that is joined, 0: none */
	uint64_t resync_at, late_at;
	bool ready;
	struct bridge_sock sock;
};

static bool join_module(struct daemon *d, struct err *e)
{
	if (!ovly_nl_resolve(&d->br.nl))
		return false;
	d->group = d->br.nl.group;
	return ovly_nl_join(d->events, d->group, e);
}

static bool open_sockets(struct daemon *d, struct err *e)
{
	d->routes = ovly_nl_subscriber(NETLINK_ROUTE, e);
	if (!d->routes)
		return false;
	d->events = ovly_nl_subscriber(NETLINK_GENERIC, e);
	if (!d->events)
		return false;
	return ovly_stage_filter(d->routes, d->br.conf->table, e) &&
	       ovly_nl_join(d->routes, RTNLGRP_LINK, e) &&
	       ovly_nl_join(d->routes, RTNLGRP_IPV4_IFADDR, e) &&
	       ovly_nl_join(d->routes, RTNLGRP_IPV4_ROUTE, e) &&
	       ovly_nl_join(d->routes, RTNLGRP_IPV6_ROUTE, e) &&
	       ovly_nl_join(d->routes, RTNLGRP_NEXTHOP, e) &&
	       /* tells when the module comes and goes */
	       ovly_nl_join(d->events, GENL_ID_CTRL, e);
}

/* A link, an address or a nexthop object that goes takes IPv4 routes along, of
 * which the kernel tells nobody.
 */
static bool takes_routes(const struct bridge *br, struct nlmsghdr *hdr)
{
	const struct ifinfomsg *ifi = nlmsg_data(hdr);

	switch (hdr->nlmsg_type) {
	case RTM_NEWLINK:
		return nlmsg_valid_hdr(hdr, sizeof(*ifi)) &&
		       !(ifi->ifi_flags & IFF_UP);
	case RTM_DELLINK:
	case RTM_DELADDR:
		return true;
	case RTM_DELNEXTHOP:
		return br->objects;
	}
	return false;
}

static void on_route(struct nlmsghdr *hdr, void *arg)
{
	struct daemon *d = arg;
	struct ovly_staged staged;

	d->br.resync |= takes_routes(&d->br, hdr);
	if (d->br.nl.family && ovly_stage_parse(hdr, &staged))
		bridge_route(&d->br, &staged);
}

static void on_controller(struct daemon *d, struct nlmsghdr *hdr)
{
	struct err e;

	switch (ovly_nl_news(hdr)) {
	case OVLY_NL_MODULE_GONE:
		log_info("the kernel module is gone, waiting for it");
		d->br.nl.family = 0;
		d->group = 0;
		nexthops_clear(&d->br.nexthops);
		d->br.lost_hops.n = 0;
		break;
	case OVLY_NL_MODULE_BACK:
		if (join_module(d, &e))
			d->br.resync = true;
		break;
	case OVLY_NL_NO_NEWS:
		break;
	}
}

static void on_event(struct nlmsghdr *hdr, void *arg)
{
	struct daemon *d = arg;
	struct ovly_msg msg;

	if (hdr->nlmsg_type == GENL_ID_CTRL) {
		on_controller(d, hdr);
		return;
	}
	if (hdr->nlmsg_type != d->br.nl.family || !ovly_msg_parse(hdr, &msg))
		return;
	switch (msg.event) {
	case OVLY_EVENT_DEV_NEW:
	case OVLY_EVENT_DEV_DEL:
	case OVLY_EVENT_PEER_NEW:
	case OVLY_EVENT_PEER_SET:
	case OVLY_EVENT_PEER_DEL:
		d->br.resync = true;
		break;
	}
}

/* false: some of it is lost. */
static bool drain(struct daemon *d, struct nl_sock *sk, ovly_nl_cb cb,
		  const char *what)
{
	int ret = ovly_nl_drain(sk, cb, d);
	struct err e;

	if (ret == 0)
		return true;
	d->br.resync = true;
	/* The lost ones may have been about the module itself. */
	if (sk == d->events)
		join_module(d, &e);
	if (ret == -ENOBUFS)
		bridge_warn(&d->br, &d->br.limit_lost,
			    "%s were lost to an overrun, reconciling", what);
	else
		bridge_warn(&d->br, &d->br.limit_lost, "%s cannot be read: %s",
			    what, strerror(-ret));
	return false;
}

/* What is queued before the table is read is older than the table: following
 * it afterwards would bring back what is gone, for good where the overrun ate
 * the end of the story.
 */
static void forget_queued(struct daemon *d)
{
	int i;

	for (i = 0; i < 16; i++)
		if (ovly_nl_drain(d->routes, NULL, NULL) == 0)
			return;
}

/* A deletion may be half of a change. */
static bool linger(struct daemon *d)
{
	struct pollfd fd = { .fd = nl_socket_get_fd(d->routes),
			     .events = POLLIN };
	bool all = true;
	int i;

	for (i = 0; i < LINGER_ROUNDS && batch_deletes(&d->br.batch) &&
	     poll(&fd, 1, LINGER_MS) > 0; i++)
		all &= drain(d, d->routes, on_route, "route notifications");
	return all;
}

static bool follow(struct daemon *d)
{
	bool all = drain(d, d->routes, on_route, "route notifications");

	all &= linger(d);
	batch_drain(&d->br.batch);
	return all;
}

static bool catch_up(void *arg)
{
	return follow(arg);
}

static bool reconcile(struct daemon *d, struct err *e)
{
	uint64_t start = log_now_ms();
	uint64_t now;
	bool ok;

	forget_queued(d);
	ok = bridge_reconcile(&d->br, e);
	now = log_now_ms();
	if (!ok) {
		d->br.resync = true;
		d->resync_at = now + RETRY_MS;
		return false;
	}
	/* never more than half of the time */
	d->resync_at = now + RESYNC_GAP_MS + (now - start);
	d->late_at = now + LATE_GAP_MS + LATE_SHARE * (now - start);
	if (d->br.hold_sweep) {
		d->br.resync = true;
		d->resync_at = now + RETRY_MS;
	}
	if (!d->ready) {
		d->ready = true;
		service_notify("READY=1\nSTATUS=following the table");
	}
	return true;
}

/* What is due is done first: it may change the answer. */
static void answer(struct daemon *d)
{
	json_t *state;
	struct err e;
	char *text;

	if (!d->sock.askers)
		return;
	state = bridge_state_read(&d->br, &e);
	if (!state)
		log_error("%s", e.text);
	text = json_dumps(state, JSON_COMPACT);
	bridge_sock_answer(&d->sock, text ? text : "", text ? strlen(text) : 0);
	free(text);
	json_decref(state);
}

static void loop(struct daemon *d)
{
	struct pollfd fds[3] = {
		{ .fd = nl_socket_get_fd(d->routes), .events = POLLIN },
		{ .fd = nl_socket_get_fd(d->events), .events = POLLIN },
		{ .fd = d->sock.fd, .events = POLLIN },
	};
	struct err e;
	sigset_t open;

	sigemptyset(&open);
	while (!stop) {
		uint64_t sleep = service_alive();
		uint64_t now = log_now_ms();
		struct timespec wait;
		bool due;

		if (hup) {
			hup = 0;
			d->br.resync = true;
			continue;
		}
		if (d->br.late && now >= d->late_at)
			d->br.resync = true;
		due = d->br.resync && d->br.nl.family;
		if (due && now >= d->resync_at) {
			if (!reconcile(d, &e))
				bridge_warn(&d->br, &d->br.limit_lost, "%s",
					    e.text);
			answer(d);
			continue;
		}
		if (!due)
			answer(d);
		if (due && d->resync_at - now < sleep)
			sleep = d->resync_at - now;
		else if (!due && d->br.late && d->br.nl.family &&
			 d->late_at - now < sleep)
			sleep = d->late_at - now;
		wait.tv_sec = (time_t)(sleep / 1000);
		wait.tv_nsec = (long)(sleep % 1000) * 1000000;
		fds[2].events = d->sock.askers < BRIDGE_ASKERS ? POLLIN : 0;
		/* sleeps until there is news, or a held back reconcile is due,
		 * or the service manager wants to hear that we live
		 */
		if (ppoll(fds, 3, sleep == UINT64_MAX ? NULL : &wait, &open) < 0)
			continue;
		drain(d, d->events, on_event, "the module's events");
		follow(d);
		bridge_settle(&d->br);
		bridge_sock_accept(&d->sock);
	}
	service_notify("STOPPING=1");
	log_info("stopped, the routes stay");
}

static bool reconcile_once(struct daemon *d, struct err *e)
{
	int i;

	for (i = 0; i < ONCE_TRIES; i++) {
		if (!reconcile(d, e))
			return false;
		if (!d->br.resync && !d->br.late)
			return true;
	}
	return !d->br.hold_sweep ||
	       err_set(e, EXIT_REFUSED,
		       "a request failed, so that nothing was removed");
}

static bool catch_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal };
	sigset_t block;

	/* open only while waiting: a batch is never cut short */
	sigemptyset(&block);
	sigaddset(&block, SIGTERM);
	sigaddset(&block, SIGINT);
	sigaddset(&block, SIGHUP);
	return !sigprocmask(SIG_BLOCK, &block, NULL) &&
	       !sigaction(SIGTERM, &action, NULL) &&
	       !sigaction(SIGINT, &action, NULL) &&
	       !sigaction(SIGHUP, &action, NULL);
}

static bool serve(const struct bridge_conf *conf, struct err *e)
{
	static struct daemon d = { .sock = { .fd = -1 } };
	bool ok = false;
	struct err why;

	bridge_init(&d.br, conf);
	d.br.catch_up = catch_up;
	d.br.catch_up_arg = &d;
	if (!ovly_nl_open(&d.br.nl, conf->once, e))
		return false;
	/* subscribed before the first dump, so that nothing falls between */
	if (!catch_signals() || !open_sockets(&d, e))
		goto out;
	/* Once more: it may have come before the controller's news are heard. */
	if (!join_module(&d, e) && d.br.nl.family)
		goto out;
	if (!conf->once && !bridge_sock_open(&d.sock, BRIDGE_RUN_DIR, &why))
		log_warn("%s: 'show bridge' will not find this one", why.text);
	if (!d.br.nl.family && !conf->once) {
		log_info("the kernel module ovly is not loaded, waiting for it");
		service_notify("READY=1\nSTATUS=waiting for the kernel module");
	}
	if (conf->once)
		ok = reconcile_once(&d, e);
	else
		ok = !d.br.nl.family || reconcile(&d, e);
	if (ok && !conf->once)
		loop(&d);
out:
	bridge_sock_close(&d.sock);
	nl_socket_free(d.routes);
	nl_socket_free(d.events);
	bridge_free(&d.br);
	return ok;
}

static bool parse_metric(const char *s, struct bridge_conf *conf, struct err *e)
{
	if (!s)
		return true;
	if (!strcmp(s, "keep")) {
		conf->keep_metric = true;
		return true;
	}
	if (!parse_u32(s, 0, UINT32_MAX, &conf->metric, e))
		return err_prefix(e, "metric");
	return true;
}

static bool check_protocol(const struct bridge_conf *conf, struct err *e)
{
	if (conf->as_protocol != OVLY_RTPROT)
		return true;
	return err_set(e, EXIT_USAGE,
		       "as-protocol: protocol %d is the module's own",
		       OVLY_RTPROT);
}

static bool run(int argc, char **argv, struct err *e)
{
	static struct bridge_conf conf = { .table = STAGE_TABLE_DEFAULT };
	const char *metric = NULL;
	const struct arg args[] = {
		ARG("dev", ARG_IFNAMES, &conf.dev),
		ARG("from-table", ARG_U32, &conf.table, .min = 1),
		ARG("accept", ARG_PREFIXES, &conf.accept),
		ARG("reject", ARG_PREFIXES, &conf.reject),
		ARG("protocol", ARG_PROTOS, &conf.protocols),
		ARG("as-protocol", ARG_PROTO, &conf.as_protocol),
		ARG("metric", ARG_TEXT, &metric),
		ARG("once", ARG_FLAG, &conf.once),
		ARG_END,
	};
	static const uint8_t daemons[] = {
		RTPROT_BIRD, RTPROT_ZEBRA, RTPROT_BGP,	 RTPROT_OSPF,
		RTPROT_ISIS, RTPROT_RIP,   RTPROT_EIGRP, RTPROT_BABEL,
	};
	unsigned int i;

	log_init(true);
	if (!args_parse(argc, argv, args, NULL, 0, e) ||
	    !parse_metric(metric, &conf, e) || !check_protocol(&conf, e))
		return false;
	/* Not boot and static: those are people's, here and in the module. */
	for (i = 0; !conf.protocols.n && i < sizeof(daemons); i++)
		conf.protocols.set[daemons[i]] = 1;
	return serve(&conf, e);
}

const struct command cmd_bridge = {
	.name = "bridge",
	.run = run,
	.summary = "hand the routes of a routing daemon to the module",
	.synopsis = "[OPTION [VALUE]]...",
	.usage =
"  --from-table N       the staging table that the daemon exports to; 2220\n"
"  --dev DEVICE         only for this device, repeatable; all\n"
"  --accept PREFIX      only routes inside, repeatable; all\n"
"  --reject PREFIX      not the routes inside, repeatable; none\n"
"  --protocol PROTOCOL  route protocols to follow, repeatable; those of\n"
"                       routing daemons (bird, zebra, bgp, ospf, ...)\n"
"  --as-protocol PROTOCOL\n"
"                       of the routes in the module; the one they had, but\n"
"                       ovly-bridge where that was FRR's\n"
"  --metric N|keep      of the routes in the module; 0\n"
"  --once               reconcile once and end\n",
	.notes =
"SIGHUP reconciles, SIGTERM ends and leaves the routes.\n",
	.examples =
"  ovlyhelper bridge --once\n"
"  ovlyhelper bridge --dev ipsec0 --reject 10.122.144.128/27\n",
};
