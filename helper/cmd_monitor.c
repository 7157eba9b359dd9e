// SPDX-License-Identifier: GPL-2.0-only
/* ovlyhelper monitor: the module's events as they happen */
#include <errno.h>
#include <linux/genetlink.h>
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
	struct nl_sock *sk;
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
	case OVLY_EVENT_ROUTES_DISABLED:
		return "SECURE_OVERLAY_ERROR";
	default:
		return NULL;
	}
}

static json_t *now(void)
{
	char stamp[40];
	struct timespec ts;
	struct tm tm;
	size_t n;

	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	n = strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(stamp + n, sizeof(stamp) - n, ".%03ldZ",
		 ts.tv_nsec / 1000000);
	return json_string(stamp);
}

/* The nest as an object, null where the event does not have it. */
static json_t *part(const struct ovly_msg *msg, unsigned int top)
{
	json_t *out;

	if (!(msg->has & HAS(top)))
		return json_null();
	if (top == OVLY_A_ROUTE)
		return view_route(msg);
	out = json_object();
	if (top == OVLY_A_DEV)
		view_fields(out, &dev_fields, &msg->dev);
	else if (top == OVLY_A_PEER)
		view_peer_fields(out, &msg->peer);
	else
		view_path_fields(out, &msg->path);
	return out;
}

/* One object, all keys always.  "name" instead of the event's where it is none
 * of the module's.
 */
static json_t *view_event(const struct ovly_msg *msg, const char *name)
{
	const char *overlay = name ? NULL : overlay_event(msg->event);
	json_t *out = view_object(msg);

	json_object_set_new(out, "time", now());
	json_object_set_new(out, "event",
			    json_string(name ? name : word_of(event_words,
							      msg->event)));
	json_object_set_new(out, "overlay-event",
			    overlay ? json_string(overlay) : json_null());
	json_object_set_new(out, "device", part(msg, OVLY_A_DEV));
	json_object_set_new(out, "peer", part(msg, OVLY_A_PEER));
	json_object_set_new(out, "path", part(msg, OVLY_A_PATH));
	json_object_set_new(out, "route", part(msg, OVLY_A_ROUTE));
	return out;
}

static const char *text_of(json_t *event, const char *key)
{
	const char *s = json_string_value(json_object_get(event, key));

	return s ? s : "-";
}

static void print_path(const struct ovly_path *path)
{
	char buf[ADDR_STRLEN];

	printf(" path %u endpoint %s", path->if_id_in,
	       addr_str(&path->endpoint, buf));
	if (path->previous_endpoint.family)
		printf(" before %s", addr_str(&path->previous_endpoint, buf));
}

static void print_text(const struct ovly_msg *msg, json_t *event)
{
	const char *overlay = overlay_event(msg->event);
	char buf[ADDR_STRLEN];

	printf("%s %s %s", text_of(event, "time"), text_of(event, "event"),
	       text_of(event, "dev"));
	if (msg->peer.name[0])
		printf(" peer %s", msg->peer.name);
	else if (msg->path.peer_name[0])
		printf(" peer %s", msg->path.peer_name);
	if (msg->has & HAS(OVLY_A_PATH))
		print_path(&msg->path);
	if (msg->route.dst.family)
		printf(" address %s", addr_str(&msg->route.dst, buf));
	if (overlay)
		printf(" %s", overlay);
	putchar('\n');
}

static void print(const struct monitor *m, const struct ovly_msg *msg,
		  const char *name)
{
	json_t *event = view_event(msg, name);

	if (m->json) {
		json_dumpf(event, stdout, JSON_COMPACT);
		putchar('\n');
	} else {
		print_text(msg, event);
	}
	json_decref(event);
}

/* The group has another number after each load of the module. */
static bool join(struct monitor *m, struct err *e)
{
	return ovly_nl_resolve(&m->nl) && ovly_nl_join(m->sk, m->nl.group, e);
}

static void on_message(struct nlmsghdr *hdr, void *arg)
{
	const struct ovly_msg none = { 0 };
	struct monitor *m = arg;
	struct ovly_msg msg;
	struct err ignored;

	switch (ovly_nl_news(hdr)) {
	case OVLY_NL_MODULE_GONE:
		m->nl.family = 0;
		print(m, &none, "module-gone");
		return;
	case OVLY_NL_MODULE_BACK:
		if (join(m, &ignored))
			print(m, &none, "module-back");
		return;
	case OVLY_NL_NO_NEWS:
		break;
	}
	if (hdr->nlmsg_type == m->nl.family && ovly_msg_parse(hdr, &msg) &&
	    msg.cmd == OVLY_CMD_EVENT)
		print(m, &msg, NULL);
}

static bool watch(struct monitor *m, struct err *e)
{
	struct pollfd fd = { .fd = nl_socket_get_fd(m->sk), .events = POLLIN };
	struct err ignored;

	for (;;) {
		int ret;

		if (poll(&fd, 1, -1) < 0)
			return errno == EINTR;
		ret = ovly_nl_drain(m->sk, on_message, m);
		if (ret == -ENOBUFS) {
			puts(m->json ? "{\"event\":\"lost\"}" :
				       "events were lost");
			/* they may have been about the module itself */
			join(m, &ignored);
		} else if (ret < 0) {
			return err_set(e, EXIT_REFUSED,
				       "cannot read events: %s",
				       strerror(-ret));
		}
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
	bool ok;

	if (!args_parse(argc, argv, args, NULL, 0, e) ||
	    !ovly_nl_open(&m.nl, true, e))
		return false;
	m.sk = ovly_nl_subscriber(NETLINK_GENERIC, e);
	/* the family once more: it may have gone before the news are heard */
	ok = m.sk && ovly_nl_join(m.sk, GENL_ID_CTRL, e) &&
	     (ovly_nl_resolve(&m.nl) || ovly_nl_no_module(e)) &&
	     ovly_nl_join(m.sk, m.nl.group, e) && watch(&m, e);
	nl_socket_free(m.sk);
	ovly_nl_close(&m.nl);
	return ok;
}

const struct command cmd_monitor = {
	.name = "monitor",
	.run = run,
	.summary = "print events as they happen",
	.synopsis = "[json]",
	.usage =
"  json   an object in a line for each event; text\n",
	.examples =
"  ovlyhelper monitor\n"
"  ovlyhelper monitor --json | jq '.\"overlay-event\"'\n",
	.exits =
"0 its reader went away or it was told to end, 1 failed",
};
