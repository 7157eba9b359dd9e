// SPDX-License-Identifier: GPL-2.0-only
#include "metrics.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "fields.h"
#include "names.h"
#include "parse.h"

#ifndef OVLY_VERSION
#define OVLY_VERSION "unknown"
#endif

void metrics_label(FILE *out, const char *value)
{
	json_t *utf8 = json_string(value);

	putc('"', out);
	for (; *value; value++) {
		if (*value == '\n')
			fputs("\\n", out);
		else if (*value == '"' || *value == '\\')
			fprintf(out, "\\%c", *value);
		else
			putc(!utf8 && *value & 0x80 ? '?' : *value, out);
	}
	putc('"', out);
	json_decref(utf8);
}

/* ---- samples ---- */

struct family;

struct sample {
	FILE *out;
	const struct family *f;
	const struct ovly_msg *msg;
	uint64_t now;
};

/* What a family is of: decides its list and its first labels. */
enum scope { OF_DEV, OF_PEER, OF_PATH };

enum value_kind {
	VALUE_U32,
	VALUE_MS, /* u64 milliseconds, written as seconds */
	VALUE_WHEN, /* the same, since then: written as the time, if the peer has "attr" */
	VALUE_STAT, /* "attr" of the counters */
	VALUE_DROPS, /* a sample for each reason */
	VALUE_STATES, /* a sample for each state */
	VALUE_SAS, /* one for each direction */
	VALUE_INFO, /* 1, with labels */
};

/* A gauge, or a counter where the value is one: all that both OpenMetrics and
 * the older text format of collectors know.
 */
struct family {
	enum scope scope;
	enum value_kind kind;
	const char *name; /* without ovly_ and _total */
	const char *unit; /* ends the name; NULL: none */
	const char *help;
	size_t off; /* VALUE_U32, VALUE_MS, VALUE_WHEN: in struct ovly_msg */
	unsigned int attr; /* VALUE_STAT, VALUE_WHEN */
	bool counter;
};

#define OFF(m) .off = offsetof(struct ovly_msg, m)
#define TRAFFIC(s, prefix)                                                   \
	{ s, VALUE_STAT, prefix "_receive_packets", NULL,                     \
	  "Packets received.", .attr = OVLY_A_STATS_RX_PACKETS,               \
	  .counter = true },                                                  \
	{ s, VALUE_STAT, prefix "_receive_bytes", "bytes",                    \
	  "Bytes of inner packets received.",                                 \
	  .attr = OVLY_A_STATS_RX_BYTES, .counter = true },                   \
	{ s, VALUE_STAT, prefix "_transmit_packets", NULL,                    \
	  "Packets sent.", .attr = OVLY_A_STATS_TX_PACKETS,                   \
	  .counter = true },                                                  \
	{ s, VALUE_STAT, prefix "_transmit_bytes", "bytes",                   \
	  "Bytes of inner packets sent.", .attr = OVLY_A_STATS_TX_BYTES,      \
	  .counter = true },                                                  \
	{ s, VALUE_DROPS, prefix "_drops", NULL,                              \
	  "Packets dropped, by reason.", .counter = true }

static const struct family families[] = {
	{ .scope = OF_DEV, .kind = VALUE_INFO, .name = "device_info",
	  .help = "A device: its mode and routing table." },
	{ .scope = OF_DEV, .kind = VALUE_U32, .name = "device_peers",
	  .help = "Peers of the device.",
	  OFF(dev.peers) },
	{ .scope = OF_DEV, .kind = VALUE_U32, .name = "device_peers_up",
	  .help = "Peers of the device that are up.", OFF(dev.peers_up) },
	{ .scope = OF_DEV, .kind = VALUE_U32, .name = "device_routes",
	  .help = "Routes that the peers of the device own.", OFF(dev.routes) },
	{ .scope = OF_DEV, .kind = VALUE_U32, .name = "device_routes_installed",
	  .help = "Those of them that are in the routing table.",
	  OFF(dev.routes_installed) },
	TRAFFIC(OF_DEV, "device"),
	{ .scope = OF_PEER, .kind = VALUE_INFO, .name = "peer_info",
	  .help = "A peer: its first address, and what becomes of its routes while it is down." },
	{ .scope = OF_PEER, .kind = VALUE_U32, .name = "peer_up",
	  .help = "Whether the peer has a usable path.", OFF(peer.state) },
	{ .scope = OF_PEER, .kind = VALUE_MS, .name = "peer_state_seconds", .unit = "seconds",
	  .help = "Time in this state.", OFF(peer.since) },
	{ .scope = OF_PEER, .kind = VALUE_U32, .name = "peer_transitions",
	  .help = "Changes from down to up.", OFF(peer.transitions), .counter = true },
	{ .scope = OF_PEER, .kind = VALUE_U32, .name = "peer_paths",
	  .help = "Paths of the peer.",
	  OFF(peer.paths) },
	{ .scope = OF_PEER, .kind = VALUE_U32, .name = "peer_routes",
	  .help = "Routes that the peer owns beside its addresses.",
	  OFF(peer.routes) },
	{ .scope = OF_PEER, .kind = VALUE_U32, .name = "peer_route_limit",
	  .help = "Routes that the peer may own; 0 is no limit.",
	  OFF(peer.route_limit) },
	{ .scope = OF_PEER, .kind = VALUE_U32, .name = "peer_routes_disabled",
	  .help = "Whether the limit took the peer's routes out of the table.",
	  OFF(peer.routes_disabled) },
	{ .scope = OF_PEER, .kind = VALUE_U32, .name = "peer_via_backup",
	  .help = "Whether the peer's backup carries its packets.",
	  OFF(peer.via_backup) },
	TRAFFIC(OF_PEER, "peer"),
	{ .scope = OF_PEER, .kind = VALUE_WHEN, .name = "peer_last_receive_timestamp_seconds",
	  .unit = "seconds", .help = "When the last packet came from the peer; none came without it.",
	  OFF(peer.last_rx), .attr = OVLY_A_PEER_LAST_RX },
	{ .scope = OF_PEER, .kind = VALUE_WHEN, .name = "peer_last_transmit_timestamp_seconds",
	  .unit = "seconds", .help = "When the last packet went to the peer; none went without it.",
	  OFF(peer.last_tx), .attr = OVLY_A_PEER_LAST_TX },
	{ .scope = OF_PATH, .kind = VALUE_INFO, .name = "path_info",
	  .help = "A path: its IKE connection, endpoint and underlay device." },
	{ .scope = OF_PATH, .kind = VALUE_STATES, .name = "path_state",
	  .help = "1 for the state that the path is in." },
	{ .scope = OF_PATH, .kind = VALUE_MS, .name = "path_state_seconds", .unit = "seconds",
	  .help = "Time in this state.", OFF(path.since) },
	{ .scope = OF_PATH, .kind = VALUE_U32, .name = "path_priority",
	  .help = "Priority; the lowest is preferred.", OFF(path.priority) },
	{ .scope = OF_PATH, .kind = VALUE_SAS, .name = "path_security_associations",
	  .help = "SAs that the path has, by direction." },
};

static void label(const struct sample *s, const char *name, const char *value)
{
	fprintf(s->out, ",%s=", name);
	metrics_label(s->out, value);
}

/* The name and the labels that every sample of the object has. */
static void start(const struct sample *s)
{
	const struct ovly_msg *msg = s->msg;
	char buf[IFNAMSIZ];

	fprintf(s->out, "ovly_%s%s{dev=", s->f->name,
		s->f->counter ? "_total" : "");
	metrics_label(s->out, msg->ifname[0] ? msg->ifname :
			      ifindex_str(msg->ifindex, buf, sizeof(buf)));
	if (s->f->scope == OF_PEER)
		label(s, "peer", msg->peer.name);
	if (s->f->scope == OF_PATH) {
		label(s, "peer", msg->path.peer_name);
		fprintf(s->out, ",if_id=\"%u\"", msg->path.if_id_in);
	}
}

static void end(const struct sample *s, uint64_t value)
{
	fprintf(s->out, "} %" PRIu64 "\n", value);
}

static void put_ms(const struct sample *s, uint64_t ms)
{
	start(s);
	fprintf(s->out, "} %" PRIu64 ".%03u\n", ms / 1000,
		(unsigned int)(ms % 1000));
}

static void put_info(const struct sample *s)
{
	const struct ovly_msg *msg = s->msg;
	char addr[ADDR_STRLEN], dev[IFNAMSIZ];

	start(s);
	if (s->f->scope == OF_DEV) {
		label(s, "mode", word_of(mode_words, msg->dev.mode));
		fprintf(s->out, ",table=\"%u\"", msg->dev.active_table);
	} else if (s->f->scope == OF_PEER) {
		label(s, "addr", msg->peer.addr.n ?
				 addr_str(&msg->peer.addr.a[0], addr) : "");
		label(s, "on_down", word_of(on_down_words, msg->peer.on_down));
	} else {
		label(s, "label", msg->path.label);
		label(s, "endpoint", msg->path.endpoint.family ?
				     addr_str(&msg->path.endpoint, addr) : "");
		label(s, "underlay", msg->path.underlay &&
				     msg->path.underlay != UNDERLAY_MISSING ?
				     ifindex_str(msg->path.underlay, dev,
						 sizeof(dev)) : "");
	}
	end(s, 1);
}

static bool is_drop(unsigned int attr)
{
	return stats_name(attr) && attr != OVLY_A_STATS_RX_PACKETS &&
	       attr != OVLY_A_STATS_RX_BYTES &&
	       attr != OVLY_A_STATS_TX_PACKETS &&
	       attr != OVLY_A_STATS_TX_BYTES;
}

static void put_each(const struct sample *s, const struct ovly_stats *stats)
{
	static const char *const ways[] = { "in", "out" };
	unsigned int i;

	if (s->f->kind == VALUE_DROPS) {
		for (i = 0; i <= OVLY_A_STATS_MAX; i++) {
			if (!is_drop(i))
				continue;
			start(s);
			label(s, "reason", stats_name(i));
			end(s, stats->v[i]);
		}
		return;
	}
	if (s->f->kind == VALUE_STATES) {
		for (i = 0; path_state_words[i]; i++) {
			start(s);
			label(s, "state", path_state_words[i]);
			end(s, s->msg->path.state == i);
		}
		return;
	}
	for (i = 0; i < 2; i++) {
		start(s);
		label(s, "direction", ways[i]);
		end(s, i ? s->msg->path.sa_out : s->msg->path.sa_in);
	}
}

static void put_object(const struct sample *s)
{
	const char *value = (const char *)s->msg + s->f->off;
	const struct ovly_stats *stats = s->f->scope == OF_DEV ?
						 &s->msg->dev.stats :
						 &s->msg->peer.stats;
	uint32_t n;
	uint64_t ms;

	switch (s->f->kind) {
	case VALUE_INFO:
		put_info(s);
		return;
	case VALUE_DROPS:
	case VALUE_STATES:
	case VALUE_SAS:
		put_each(s, stats);
		return;
	case VALUE_STAT:
		start(s);
		end(s, stats->v[s->f->attr]);
		return;
	case VALUE_MS:
		memcpy(&ms, value, sizeof(ms));
		put_ms(s, ms);
		return;
	case VALUE_WHEN:
		memcpy(&ms, value, sizeof(ms));
		if (s->msg->peer.has & HAS(s->f->attr) && ms < s->now)
			put_ms(s, s->now - ms);
		return;
	case VALUE_U32:
		memcpy(&n, value, sizeof(n));
		start(s);
		end(s, n);
		return;
	}
}

static void put_head(FILE *out, const char *name, bool counter,
		     const char *unit, const char *help)
{
	fprintf(out, "# TYPE ovly_%s %s\n", name, counter ? "counter" : "gauge");
	if (unit)
		fprintf(out, "# UNIT ovly_%s %s\n", name, unit);
	fprintf(out, "# HELP ovly_%s %s\n", name, help);
}

void metrics_write(FILE *out, const struct metrics_in *in)
{
	const struct metrics_list *lists[] = {
		[OF_DEV] = &in->dev, [OF_PEER] = &in->peer,
		[OF_PATH] = &in->path,
	};
	struct sample s = { .out = out, .now = in->now };
	unsigned int i, k;

	put_head(out, "build_info", false, NULL,
		 "Versions of the module and of ovlyhelper.");
	fputs("ovly_build_info{module=", out);
	metrics_label(out, in->module ? in->module : "");
	fputs(",helper=\"" OVLY_VERSION "\"} 1\n", out);
	/* all samples of a family are in one place */
	for (i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		s.f = &families[i];
		put_head(out, s.f->name, s.f->counter, s.f->unit, s.f->help);
		for (k = 0; k < lists[s.f->scope]->n; k++) {
			s.msg = &lists[s.f->scope]->msg[k];
			put_object(&s);
		}
	}
	fputs("# EOF\n", out);
}
