// SPDX-License-Identifier: GPL-2.0-only
#include "fields.h"

#include "model.h"

#define ROW(ATTR, k, st, m, nm)                                               \
	{ .attr = ATTR, .kind = k, .off = offsetof(struct st, m),             \
	  .size = sizeof(((struct st *)0)->m), .name = nm }
#define WORDS(ATTR, st, m, nm, w)                                             \
	{ .attr = ATTR, .kind = FIELD_ENUM, .off = offsetof(struct st, m),    \
	  .size = sizeof(uint32_t), .name = nm, .words = w }
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

const char *const mode_words[] = { "p2p", "multipoint", NULL };
const char *const src_valid_words[] = { "strict", "loose", "off", NULL };
const char *const on_down_words[] = { "hold", "withdraw", NULL };
const char *const limit_action_words[] = { "refuse", "disable", NULL };
const char *const peer_state_words[] = { "down", "up", NULL };
const char *const path_state_words[] = { "down", "standby", "active", NULL };
const char *const event_words[] = {
	"unspec",     "dev-new",  "dev-del",  "peer-new",
	"peer-set",   "peer-del", "peer-up",  "peer-down",
	"path-new",   "path-del", "path-active", "route-limit",
	"source-violation", "dev-up", "dev-down", "path-up",
	"path-down",  "endpoint-moved", "routes-disabled", "routes-enabled",
	NULL,
};

static const struct field dev_rows[] = {
	WORDS(OVLY_A_DEV_MODE, ovly_dev, mode, "mode", mode_words),
	ROW(OVLY_A_DEV_TABLE, FIELD_U32, ovly_dev, table, "table"),
	WORDS(OVLY_A_DEV_SRC_VALID, ovly_dev, src_valid, "src-valid",
	      src_valid_words),
	ROW(OVLY_A_DEV_CARRIER_FOLLOWS, FIELD_U32, ovly_dev, carrier_follows,
	    "carrier-follows"),
	ROW(OVLY_A_DEV_ACTIVE_TABLE, FIELD_U32, ovly_dev, active_table,
	    "active-table"),
	ROW(OVLY_A_DEV_PEERS, FIELD_U32, ovly_dev, peers, "peers"),
	ROW(OVLY_A_DEV_PEERS_UP, FIELD_U32, ovly_dev, peers_up, "peers-up"),
	ROW(OVLY_A_DEV_ROUTES, FIELD_U32, ovly_dev, routes, "routes"),
	ROW(OVLY_A_DEV_ROUTES_INSTALLED, FIELD_U32, ovly_dev, routes_installed,
	    "routes-installed"),
	ROW(OVLY_A_DEV_STATS, FIELD_STATS, ovly_dev, stats, "stats"),
};

static const struct field peer_rows[] = {
	ROW(OVLY_A_PEER_ID, FIELD_U32, ovly_peer, id, "id"),
	ROW(OVLY_A_PEER_NAME, FIELD_STR, ovly_peer, name, "name"),
	ROW(OVLY_A_PEER_ADDR, FIELD_ADDRS, ovly_peer, addr, "addr"),
	WORDS(OVLY_A_PEER_ON_DOWN, ovly_peer, on_down, "on-down",
	      on_down_words),
	ROW(OVLY_A_PEER_ROUTE_LIMIT, FIELD_U32, ovly_peer, route_limit,
	    "route-limit"),
	WORDS(OVLY_A_PEER_STATE, ovly_peer, state, "state", peer_state_words),
	ROW(OVLY_A_PEER_ROUTES, FIELD_U32, ovly_peer, routes, "routes"),
	ROW(OVLY_A_PEER_PATHS, FIELD_U32, ovly_peer, paths, "paths"),
	ROW(OVLY_A_PEER_ACTIVE_PATH, FIELD_U32, ovly_peer, active_path,
	    "active-path"),
	ROW(OVLY_A_PEER_TRANSITIONS, FIELD_U32, ovly_peer, transitions,
	    "transitions"),
	ROW(OVLY_A_PEER_SINCE, FIELD_U64, ovly_peer, since, "since"),
	ROW(OVLY_A_PEER_STATS, FIELD_STATS, ovly_peer, stats, "stats"),
	ROW(OVLY_A_PEER_BACKUP_ID, FIELD_U32, ovly_peer, backup_id,
	    "backup-id"),
	ROW(OVLY_A_PEER_BACKUP_NAME, FIELD_STR, ovly_peer, backup_name,
	    "backup"),
	WORDS(OVLY_A_PEER_LIMIT_ACTION, ovly_peer, limit_action,
	      "limit-action", limit_action_words),
	ROW(OVLY_A_PEER_MARK, FIELD_U32, ovly_peer, mark, "mark"),
	ROW(OVLY_A_PEER_PRIORITY, FIELD_U32, ovly_peer, priority, "priority"),
	ROW(OVLY_A_PEER_ROUTES_DISABLED, FIELD_FLAG, ovly_peer,
	    routes_disabled, "routes-disabled"),
	ROW(OVLY_A_PEER_VIA_BACKUP, FIELD_FLAG, ovly_peer, via_backup,
	    "via-backup"),
	ROW(OVLY_A_PEER_LAST_RX, FIELD_U64, ovly_peer, last_rx, "last-rx"),
	ROW(OVLY_A_PEER_LAST_TX, FIELD_U64, ovly_peer, last_tx, "last-tx"),
};

static const struct field path_rows[] = {
	ROW(OVLY_A_PATH_IF_ID_IN, FIELD_U32, ovly_path, if_id_in, "if-id-in"),
	ROW(OVLY_A_PATH_IF_ID_OUT, FIELD_U32, ovly_path, if_id_out,
	    "if-id-out"),
	ROW(OVLY_A_PATH_PEER_ID, FIELD_U32, ovly_path, peer_id, "peer-id"),
	ROW(OVLY_A_PATH_PEER_NAME, FIELD_STR, ovly_path, peer_name,
	    "peer-name"),
	ROW(OVLY_A_PATH_ENDPOINT, FIELD_ADDR, ovly_path, endpoint, "endpoint"),
	ROW(OVLY_A_PATH_LOCAL, FIELD_ADDR, ovly_path, local, "local"),
	ROW(OVLY_A_PATH_UNDERLAY, FIELD_IFINDEX, ovly_path, underlay,
	    "underlay"),
	ROW(OVLY_A_PATH_PRIORITY, FIELD_U32, ovly_path, priority, "priority"),
	ROW(OVLY_A_PATH_LABEL, FIELD_STR, ovly_path, label, "label"),
	ROW(OVLY_A_PATH_REMOTE_ID, FIELD_STR, ovly_path, remote_id,
	    "remote-id"),
	WORDS(OVLY_A_PATH_STATE, ovly_path, state, "state", path_state_words),
	ROW(OVLY_A_PATH_SA_IN, FIELD_U32, ovly_path, sa_in, "sa-in"),
	ROW(OVLY_A_PATH_SA_OUT, FIELD_U32, ovly_path, sa_out, "sa-out"),
	ROW(OVLY_A_PATH_SINCE, FIELD_U64, ovly_path, since, "since"),
	ROW(OVLY_A_PATH_UNDERLAY_NAME, FIELD_STR, ovly_path, underlay_name,
	    "underlay-name"),
	ROW(OVLY_A_PATH_MTU, FIELD_U32, ovly_path, mtu, "mtu"),
	ROW(OVLY_A_PATH_PREVIOUS_ENDPOINT, FIELD_ADDR, ovly_path,
	    previous_endpoint, "previous-endpoint"),
};

static const struct field route_rows[] = {
	ROW(OVLY_A_ROUTE_DST, FIELD_ADDR, ovly_route, dst, "dst"),
	ROW(OVLY_A_ROUTE_PREFIXLEN, FIELD_U32, ovly_route, prefixlen,
	    "prefixlen"),
	ROW(OVLY_A_ROUTE_METRIC, FIELD_U32, ovly_route, metric, "metric"),
	ROW(OVLY_A_ROUTE_PROTOCOL, FIELD_U32, ovly_route, protocol,
	    "protocol"),
	ROW(OVLY_A_ROUTE_PEER_ID, FIELD_U32, ovly_route, peer_id, "peer-id"),
	ROW(OVLY_A_ROUTE_PEER_NAME, FIELD_STR, ovly_route, peer_name,
	    "peer-name"),
	ROW(OVLY_A_ROUTE_VIA, FIELD_ADDR, ovly_route, via, "via"),
	ROW(OVLY_A_ROUTE_FAMILY, FIELD_U32, ovly_route, family, "family"),
	ROW(OVLY_A_ROUTE_FLAGS, FIELD_U32, ovly_route, flags, "flags"),
	ROW(OVLY_A_ROUTE_ERROR, FIELD_U32, ovly_route, error, "error"),
};

static const struct field refused_rows[] = {
	ROW(OVLY_A_REFUSED_INDEX, FIELD_U32, ovly_refused, index, "index"),
	ROW(OVLY_A_REFUSED_ERROR, FIELD_U32, ovly_refused, error, "error"),
	ROW(OVLY_A_REFUSED_MESSAGE, FIELD_STR, ovly_refused, message,
	    "message"),
};

const struct field_set dev_fields = { "dev", dev_rows, COUNT(dev_rows) };
const struct field_set peer_fields = { "peer", peer_rows, COUNT(peer_rows) };
const struct field_set path_fields = { "path", path_rows, COUNT(path_rows) };
const struct field_set route_fields = { "route", route_rows,
					COUNT(route_rows) };
const struct field_set refused_fields = { "refused", refused_rows,
					  COUNT(refused_rows) };

static const char *const stats_names[OVLY_A_STATS_MAX + 1] = {
	[OVLY_A_STATS_RX_PACKETS] = "rx-packets",
	[OVLY_A_STATS_RX_BYTES] = "rx-bytes",
	[OVLY_A_STATS_TX_PACKETS] = "tx-packets",
	[OVLY_A_STATS_TX_BYTES] = "tx-bytes",
	[OVLY_A_STATS_TX_NO_PEER] = "tx-no-peer",
	[OVLY_A_STATS_TX_NO_PATH] = "tx-no-path",
	[OVLY_A_STATS_TX_NO_SA] = "tx-no-sa",
	[OVLY_A_STATS_TX_NO_POLICY] = "tx-no-policy",
	[OVLY_A_STATS_TX_TOO_BIG] = "tx-too-big",
	[OVLY_A_STATS_TX_LOOP] = "tx-loop",
	[OVLY_A_STATS_TX_ERROR] = "tx-error",
	[OVLY_A_STATS_RX_SOURCE] = "rx-source",
	[OVLY_A_STATS_RX_SELECTOR] = "rx-selector",
	[OVLY_A_STATS_RX_ERROR] = "rx-error",
};

const char *stats_name(unsigned int attr)
{
	return attr <= OVLY_A_STATS_MAX ? stats_names[attr] : NULL;
}

const char *word_of(const char *const *words, uint32_t value)
{
	uint32_t i;

	for (i = 0; words[i]; i++)
		if (i == value)
			return words[i];
	return "?";
}

const struct field_set *fields_of(unsigned int top_attr)
{
	switch (top_attr) {
	case OVLY_A_DEV:
		return &dev_fields;
	case OVLY_A_PEER:
		return &peer_fields;
	case OVLY_A_PATH:
		return &path_fields;
	case OVLY_A_ROUTE:
		return &route_fields;
	case OVLY_A_REFUSED:
		return &refused_fields;
	default:
		return NULL;
	}
}

const char *top_name(unsigned int attr)
{
	static const char *const names[OVLY_A_MAX + 1] = {
		[OVLY_A_IFINDEX] = "ifindex", [OVLY_A_IFNAME] = "ifname",
		[OVLY_A_DEV] = "dev",	      [OVLY_A_PEER] = "peer",
		[OVLY_A_PATH] = "path",	      [OVLY_A_ROUTE] = "route",
		[OVLY_A_APPLIED] = "applied", [OVLY_A_REFUSED] = "refused",
		[OVLY_A_COOKIE] = "cookie",   [OVLY_A_EVENT] = "event",
	};

	return attr <= OVLY_A_MAX && names[attr] ? names[attr] : "?";
}

const struct field *field_find(const struct field_set *set, unsigned int attr)
{
	unsigned int i;

	for (i = 0; i < set->n; i++)
		if (set->field[i].attr == attr)
			return &set->field[i];
	return NULL;
}
