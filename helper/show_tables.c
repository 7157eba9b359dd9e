// SPDX-License-Identifier: GPL-2.0-only
/* ovlyhelper show peers, drops: listings of the module's objects */
#include <stdio.h>
#include <string.h>

#include "args.h"
#include "out.h"
#include "parse.h"
#include "show.h"
#include "view.h"

static bool print(json_t *list, const struct out_column *columns,
		  show_words words, bool json)
{
	json_t *row;
	size_t i;

	if (!list)
		return false;
	if (json) {
		out_json(list);
		return true;
	}
	json_array_foreach(list, i, row)
		if (words)
			words(row);
	out_table(list, columns);
	json_decref(list);
	return true;
}

bool show_list_words(int cmd, json_t *(*view)(const struct ovly_msg *msg),
		     const struct out_column *columns, show_words words,
		     int argc, char **argv, struct err *e)
{
	char dev[IFNAMSIZ] = "";
	bool json = false;
	const struct arg args[] = {
		ARG("dev", ARG_IFNAME, dev),
		ARG("json", ARG_FLAG, &json),
		ARG_END,
	};
	struct ovly_req req = { 0 };
	struct ovly_nl nl;
	json_t *list = NULL;

	if (!args_parse(argc, argv, args, NULL, 0, e) ||
	    !ovly_nl_open(&nl, true, e))
		return false;
	if (dev[0])
		req.ifindex = ovly_ctl_ifindex(&nl, dev, e);
	if (!dev[0] || req.ifindex)
		list = view_list(&nl, cmd, &req, view, e);
	ovly_nl_close(&nl);
	return print(list, columns, words, json);
}

bool show_list(int cmd, json_t *(*view)(const struct ovly_msg *msg),
	       const struct out_column *columns, int argc, char **argv,
	       struct err *e)
{
	return show_list_words(cmd, view, columns, NULL, argc, argv, e);
}

/* The peer's active path's endpoint, which is what people look for. */
static void add_endpoints(json_t *peers, json_t *paths)
{
	json_t *peer, *path;
	size_t i, k;

	json_array_foreach(peers, i, peer) {
		json_t *active = json_object_get(peer, "active-path");

		json_object_set_new(peer, "endpoint", json_null());
		if (!json_is_integer(active))
			continue;
		json_array_foreach(paths, k, path)
			if (json_equal(active,
				       json_object_get(path, "if-id-in")))
				json_object_set(peer, "endpoint",
					json_object_get(path, "endpoint"));
	}
}

static void set_ago(json_t *row, const char *key)
{
	json_t *ms = json_object_get(row, key);
	char buf[32];

	json_object_set_new(row, key, json_is_integer(ms) ?
		json_string(out_since((uint64_t)json_integer_value(ms), buf,
				      sizeof(buf))) :
		json_string("never"));
}

static void peer_words(json_t *row)
{
	const char *backup =
		json_string_value(json_object_get(row, "backup"));

	if (backup && json_is_true(json_object_get(row, "via-backup")))
		json_object_set_new(row, "endpoint",
				    json_sprintf("backup %s", backup));
	if (json_is_true(json_object_get(row, "routes-disabled")))
		json_object_set_new(row, "routes",
			json_sprintf("%" JSON_INTEGER_FORMAT " disabled",
				     json_integer_value(json_object_get(
						row, "routes"))));
	set_ago(row, "last-rx");
	set_ago(row, "last-tx");
}

bool show_peers(int argc, char **argv, struct err *e)
{
	static const struct out_column columns[] = {
		{ "name", "PEER", OUT_PLAIN, false },
		{ "state", "STATE", OUT_STATE, false },
		{ "endpoint", "VIA", OUT_PLAIN, false },
		{ "routes", "ROUTES", OUT_PLAIN, true },
		{ "stats.rx-bytes", "RX", OUT_BYTES, true },
		{ "last-rx", "RX-AGO", OUT_PLAIN, true },
		{ "stats.tx-bytes", "TX", OUT_BYTES, true },
		{ "last-tx", "TX-AGO", OUT_PLAIN, true },
		{ "since", "SINCE", OUT_SINCE, true },
		{ 0 },
	};
	char dev[IFNAMSIZ] = "";
	bool json = false;
	const struct arg args[] = {
		ARG("dev", ARG_IFNAME, dev),
		ARG("json", ARG_FLAG, &json),
		ARG_END,
	};
	struct ovly_req req = { 0 };
	json_t *peers = NULL, *paths = NULL;
	struct ovly_nl nl;

	if (!args_parse(argc, argv, args, NULL, 0, e) ||
	    !ovly_nl_open(&nl, true, e))
		return false;
	if (dev[0])
		req.ifindex = ovly_ctl_ifindex(&nl, dev, e);
	if (!dev[0] || req.ifindex)
		peers = view_list(&nl, OVLY_CMD_PEER_GET, &req, view_peer, e);
	if (peers)
		paths = view_list(&nl, OVLY_CMD_PATH_GET, &req, view_path, e);
	ovly_nl_close(&nl);
	if (peers && !paths) {
		json_decref(peers);
		return false;
	}
	add_endpoints(peers, paths);
	json_decref(paths);
	return print(peers, columns, peer_words, json);
}

/* Counters that tell why a packet was dropped, with words for people. */
static const struct {
	unsigned int attr;
	const char *meaning;
} reasons[] = {
	{ OVLY_A_STATS_TX_NO_PEER, "no peer has the next hop" },
	{ OVLY_A_STATS_TX_NO_PATH, "the peer is down" },
	{ OVLY_A_STATS_TX_NO_POLICY, "no policy with the if-id covers it" },
	{ OVLY_A_STATS_TX_NO_SA, "no usable SA for the if-id" },
	{ OVLY_A_STATS_TX_LOOP, "the outer route leads into the device" },
	{ OVLY_A_STATS_TX_TOO_BIG, "bigger than the path MTU" },
	{ OVLY_A_STATS_TX_ERROR, "malformed, no memory, or refused below" },
	{ OVLY_A_STATS_RX_ERROR, "decryption, replay, or malformed inside" },
	{ OVLY_A_STATS_RX_SELECTOR, "outside the SA's selector" },
	{ OVLY_A_STATS_RX_SOURCE, "the source is not the peer's" },
};

struct drops {
	json_t *list;
	bool all;
};

static void add_drops(struct drops *d, const char *dev, const char *peer,
		      const struct ovly_stats *stats)
{
	unsigned int i;

	for (i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		uint64_t n = stats->v[reasons[i].attr];
		json_t *row;

		if (!n && !d->all)
			continue;
		row = json_pack("{s:s, s:s?, s:s, s:I, s:s}", "dev", dev,
				"peer", peer, "reason",
				stats_name(reasons[i].attr), "packets",
				(json_int_t)n, "meaning", reasons[i].meaning);
		if (row)
			json_array_append_new(d->list, row);
	}
}

static const char *dev_name(const struct ovly_msg *msg, char buf[IFNAMSIZ])
{
	if (msg->ifname[0])
		return msg->ifname;
	return if_indextoname(msg->ifindex, buf) ? buf : "?";
}

static void on_dev(const struct ovly_msg *msg, void *arg)
{
	char buf[IFNAMSIZ];

	add_drops(arg, dev_name(msg, buf), NULL, &msg->dev.stats);
}

static void on_peer(const struct ovly_msg *msg, void *arg)
{
	char buf[IFNAMSIZ];

	add_drops(arg, dev_name(msg, buf), msg->peer.name, &msg->peer.stats);
}

bool show_drops(int argc, char **argv, struct err *e)
{
	static const struct out_column columns[] = {
		{ "dev", "DEVICE", OUT_PLAIN, false },
		{ "peer", "PEER", OUT_PLAIN, false },
		{ "reason", "REASON", OUT_PLAIN, false },
		{ "packets", "PACKETS", OUT_PLAIN, true },
		{ "meaning", "MEANING", OUT_PLAIN, false },
		{ 0 },
	};
	char dev[IFNAMSIZ] = "";
	bool json = false;
	struct drops d = { 0 };
	const struct arg args[] = {
		ARG("dev", ARG_IFNAME, dev),
		ARG("all", ARG_FLAG, &d.all),
		ARG("json", ARG_FLAG, &json),
		ARG_END,
	};
	struct ovly_nl_error refusal;
	struct ovly_req req = { 0 };
	struct ovly_nl nl;
	bool ok = true;

	if (!args_parse(argc, argv, args, NULL, 0, e) ||
	    !ovly_nl_open(&nl, true, e))
		return false;
	if (dev[0]) {
		req.ifindex = ovly_ctl_ifindex(&nl, dev, e);
		ok = req.ifindex;
	}
	d.list = json_array();
	/* a device's counters hold those of its peers: first the sum */
	if (ok && (!ovly_ctl_dump(&nl, OVLY_CMD_DEV_GET, &req, on_dev, &d,
				  &refusal) ||
		   !ovly_ctl_dump(&nl, OVLY_CMD_PEER_GET, &req, on_peer, &d,
				  &refusal)))
		ok = ovly_nl_err(e, &refusal, "cannot read the counters");
	ovly_nl_close(&nl);
	if (!ok) {
		json_decref(d.list);
		return false;
	}
	if (!json && !json_array_size(d.list)) {
		puts("no packet was dropped");
		json_decref(d.list);
		return true;
	}
	return print(d.list, columns, NULL, json);
}
