// SPDX-License-Identifier: GPL-2.0-only
/* ovlyhelper monitor: the module's events as they happen */
#include <errno.h>
#include <linux/netlink.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "args.h"
#include "cmd.h"
#include "msg.h"
#include "out.h"
#include "parse.h"
#include "view.h"

struct monitor {
	struct ovly_nl nl;
	bool json;
};

/* The names that orchestrators of the reference system wait for. */
static const char *overlay_event(uint32_t event)
{
	switch (event) {
	case OVLY_EVENT_PEER_NEW:
		return "SECURE_OVERLAY_CREATING";
	case OVLY_EVENT_PEER_UP:
		return "SECURE_OVERLAY_UP";
	case OVLY_EVENT_PEER_DOWN:
		return "SECURE_OVERLAY_DOWN";
	case OVLY_EVENT_PEER_DEL:
		return "SECURE_OVERLAY_DELETE";
	case OVLY_EVENT_ROUTE_LIMIT:
	case OVLY_EVENT_SOURCE_VIOLATION:
		return "SECURE_OVERLAY_ERROR";
	default:
		return NULL;
	}
}

static json_t *view_event(const struct ovly_msg *msg)
{
	const char *overlay = overlay_event(msg->event);
	json_t *out = view_dev(msg);
	char stamp[40];
	struct timespec ts;
	struct tm tm;
	size_t n;

	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	n = strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(stamp + n, sizeof(stamp) - n, ".%03ldZ",
		 ts.tv_nsec / 1000000);
	json_object_set_new(out, "time", json_string(stamp));
	json_object_set_new(out, "event",
			    json_string(word_of(event_words, msg->event)));
	if (overlay)
		json_object_set_new(out, "overlay-event", json_string(overlay));
	if (msg->has & HAS(OVLY_A_PEER)) {
		json_t *peer = json_object();

		view_fields(peer, &peer_fields, &msg->peer);
		json_object_set_new(out, "peer", peer);
	}
	if (msg->has & HAS(OVLY_A_PATH)) {
		json_t *path = json_object();

		view_fields(path, &path_fields, &msg->path);
		json_object_set_new(out, "path", path);
	}
	if (msg->has & HAS(OVLY_A_ROUTE))
		json_object_set_new(out, "route", view_route(msg));
	return out;
}

static void print_text(const struct ovly_msg *msg, json_t *event)
{
	const char *overlay = overlay_event(msg->event);
	char buf[ADDR_STRLEN];

	printf("%s %s %s", json_string_value(json_object_get(event, "time")),
	       word_of(event_words, msg->event),
	       json_object_get(event, "dev") ?
		       json_string_value(json_object_get(event, "dev")) : "-");
	if (msg->peer.name[0])
		printf(" peer %s", msg->peer.name);
	else if (msg->path.peer_name[0])
		printf(" peer %s", msg->path.peer_name);
	if (msg->has & HAS(OVLY_A_PATH))
		printf(" path %u endpoint %s", msg->path.if_id_in,
		       addr_str(&msg->path.endpoint, buf));
	if (msg->route.dst.family)
		printf(" address %s", addr_str(&msg->route.dst, buf));
	if (overlay)
		printf(" %s", overlay);
	putchar('\n');
}

static void on_event(struct nlmsghdr *hdr, void *arg)
{
	struct monitor *m = arg;
	struct ovly_msg msg;
	json_t *event;

	if (hdr->nlmsg_type != m->nl.family || !ovly_msg_parse(hdr, &msg) ||
	    msg.cmd != OVLY_CMD_EVENT)
		return;
	event = view_event(&msg);
	if (m->json) {
		json_dumpf(event, stdout, JSON_COMPACT);
		putchar('\n');
	} else {
		print_text(&msg, event);
	}
	json_decref(event);
}

static bool watch(struct monitor *m, struct nl_sock *sk, struct err *e)
{
	struct pollfd fd = { .fd = nl_socket_get_fd(sk), .events = POLLIN };

	for (;;) {
		int ret;

		if (poll(&fd, 1, -1) < 0)
			return errno == EINTR;
		ret = ovly_nl_drain(sk, on_event, m);
		if (ret == -ENOBUFS)
			puts(m->json ? "{\"event\":\"lost\"}" :
				       "events were lost");
		else if (ret < 0)
			return err_set(e, EXIT_REFUSED,
				       "cannot read events: %s",
				       strerror(-ret));
		/* nobody reads any more */
		if (fflush(stdout) == EOF)
			return true;
	}
}

static bool run(int argc, char **argv, struct err *e)
{
	struct monitor m = { 0 };
	const struct arg args[] = {
		ARG("json", ARG_FLAG, &m.json),
		ARG_END,
	};
	struct nl_sock *sk;
	bool ok;

	if (!args_parse(argc, argv, args, NULL, 0, e) ||
	    !ovly_nl_open(&m.nl, true, e))
		return false;
	sk = ovly_nl_subscriber(NETLINK_GENERIC, e);
	ok = sk && ovly_nl_join(sk, m.nl.group, e) && watch(&m, sk, e);
	nl_socket_free(sk);
	ovly_nl_close(&m.nl);
	return ok;
}

const struct command cmd_monitor = {
	.name = "monitor",
	.run = run,
	.summary = "print events as they happen",
	.usage =
"ovlyhelper monitor [json]        one line per event\n",
};
