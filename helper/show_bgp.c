// SPDX-License-Identifier: GPL-2.0-only
/* ovlyhelper show bgp: what BIRD's control socket says about BGP */
#include <stdio.h>
#include <string.h>

#include "args.h"
#include "bird.h"
#include "out.h"
#include "show.h"

static json_t *view_channel(const struct bird_channel *c)
{
	json_t *out = json_object();

	json_object_set_new(out, "name", json_string(c->name));
	json_object_set_new(out, "state", json_string(c->state));
	json_object_set_new(out, "table", json_string(c->table));
	json_object_set_new(out, "imported", json_integer(c->imported));
	json_object_set_new(out, "exported", json_integer(c->exported));
	json_object_set_new(out, "preferred", json_integer(c->preferred));
	json_object_set_new(out, "import-limit", json_integer(c->import_limit));
	json_object_set_new(out, "limit-action", json_string(c->limit_action));
	return out;
}

static void on_bgp(const struct bird_bgp *bgp, void *arg)
{
	json_t *out = json_object();
	json_t *channels = json_array();
	uint32_t imported = 0;
	json_t *list = arg;
	unsigned int i;

	for (i = 0; i < bgp->channels; i++) {
		imported += bgp->channel[i].imported;
		json_array_append_new(channels, view_channel(&bgp->channel[i]));
	}
	json_object_set_new(out, "name", json_string(bgp->name));
	json_object_set_new(out, "neighbor", json_string(bgp->neighbor));
	json_object_set_new(out, "remote-as", json_integer(bgp->neighbor_as));
	json_object_set_new(out, "local-as", bgp->local_as ?
			    json_integer(bgp->local_as) : json_null());
	json_object_set_new(out, "neighbor-id", json_string(bgp->neighbor_id));
	json_object_set_new(out, "source", json_string(bgp->source));
	json_object_set_new(out, "state", json_string(bgp->state));
	json_object_set_new(out, "since", json_string(bgp->since));
	json_object_set_new(out, "hold-time", json_integer(bgp->hold));
	json_object_set_new(out, "keepalive", json_integer(bgp->keepalive));
	json_object_set_new(out, "last-error", json_string(bgp->info));
	json_object_set_new(out, "routes", json_integer(imported));
	json_object_set_new(out, "channels", channels);
	json_array_append_new(list, out);
}

/* The families of all sessions, each once: "ipv4 unicast". */
static json_t *families(json_t *neighbors)
{
	json_t *out = json_array();
	json_t *neighbor, *channel, *seen;
	char name[32];
	size_t i, k, n;

	json_array_foreach(neighbors, i, neighbor) {
		json_array_foreach(json_object_get(neighbor, "channels"), k,
				   channel) {
			bool known = false;

			snprintf(name, sizeof(name), "%.15s unicast",
				 json_string_value(json_object_get(channel,
								   "name")));
			json_array_foreach(out, n, seen)
				known |= !strcmp(json_string_value(seen), name);
			if (!known)
				json_array_append_new(out, json_string(name));
		}
	}
	return out;
}

/* { family, router-id, local-as, version, neighbors } */
static json_t *read_summary(struct bird *bird, struct err *e)
{
	struct bird_status status;
	json_t *neighbors;
	const char *reply;
	json_t *out;

	reply = bird_ask(bird, "show status", e);
	if (!reply)
		return NULL;
	if (!bird_parse_status(reply, &status)) {
		err_set(e, EXIT_REFUSED,
			"BIRD's status has no router id, is it BIRD that answers?");
		return NULL;
	}
	reply = bird_ask(bird, "show protocols all", e);
	if (!reply)
		return NULL;
	neighbors = json_array();
	bird_parse_protocols(reply, on_bgp, neighbors);
	out = json_object();
	json_object_set_new(out, "family", families(neighbors));
	json_object_set_new(out, "router-id", json_string(status.router_id));
	json_object_set(out, "local-as",
			json_object_get(json_array_get(neighbors, 0),
					"local-as"));
	json_object_set_new(out, "version", json_string(status.version));
	json_object_set_new(out, "neighbors", neighbors);
	return out;
}

static void on_route(const struct bird_route *route, void *arg)
{
	json_t *list = json_object_get(arg, "routes");
	json_t *out;
	char path[300];

	snprintf(path, sizeof(path), "%s%s%c", route->as_path,
		 route->as_path[0] ? " " : "", route->origin);
	out = json_pack("{s:s, s:s, s:I, s:I, s:s, s:s, s:s, s:b, s:s}",
			"network", route->network, "next-hop", route->next_hop,
			"metric", (json_int_t)route->med, "local-pref",
			(json_int_t)route->local_pref, "path", path, "table",
			route->table, "protocol", route->protocol, "best",
			route->best, "since", route->since);
	/* only text that is no UTF-8 fails here, which BIRD does not send */
	if (out)
		json_array_append_new(list, out);
}

static bool read_routes(struct bird *bird, json_t *summary, struct err *e)
{
	json_t *neighbors = json_object_get(summary, "neighbors");
	json_t *neighbor;
	size_t i;

	json_object_set_new(summary, "routes", json_array());
	json_array_foreach(neighbors, i, neighbor) {
		const char *reply;
		char command[160];

		/* by protocol: BIRD then looks into that protocol's tables */
		snprintf(command, sizeof(command), "show route all protocol %s",
			 json_string_value(json_object_get(neighbor, "name")));
		reply = bird_ask(bird, command, e);
		if (!reply)
			return false;
		bird_parse_routes(reply, on_route, summary);
	}
	return true;
}

static void print_summary(json_t *summary)
{
	static const char *const keys[] = { "family", "router-id", "local-as",
					    NULL };
	static const struct out_column columns[] = {
		{ "neighbor", "NEIGHBOR", OUT_PLAIN, false },
		{ "remote-as", "AS", OUT_PLAIN, true },
		{ "state", "STATE", OUT_STATE, false },
		{ "since", "SINCE", OUT_PLAIN, false },
		{ "routes", "ROUTES", OUT_PLAIN, true },
		{ "hold-time", "HOLD", OUT_PLAIN, true },
		{ "last-error", "LAST ERROR", OUT_PLAIN, false },
		{ 0 },
	};

	out_pairs(summary, keys, 0);
	putchar('\n');
	out_table(json_object_get(summary, "neighbors"), columns);
}

static void print_routes(json_t *summary)
{
	static const struct out_column columns[] = {
		{ "network", "Network", OUT_PLAIN, false },
		{ "next-hop", "Next-Hop", OUT_PLAIN, false },
		{ "metric", "Metric", OUT_PLAIN, true },
		{ "local-pref", "LocPrf", OUT_PLAIN, true },
		{ "path", "Path", OUT_PLAIN, false },
		{ 0 },
	};

	out_table(json_object_get(summary, "routes"), columns);
}

/* "bgp [vpnv4 unicast] [summary|routes|route]": the long spelling is the one
 * that operators of the reference system know.
 */
static void parse_view(int *argc, char ***argv, bool *routes)
{
	if (*argc && !strcmp(**argv, "vpnv4")) {
		--*argc;
		++*argv;
		if (*argc && !strcmp(**argv, "unicast")) {
			--*argc;
			++*argv;
		}
	}
	*routes = false;
	if (*argc && (!strcmp(**argv, "routes") || !strcmp(**argv, "route")))
		*routes = true;
	else if (!*argc || strcmp(**argv, "summary"))
		return;
	--*argc;
	++*argv;
}

bool show_bgp(int argc, char **argv, struct err *e)
{
	const char *socket = BIRD_SOCKET;
	bool json = false;
	const struct arg args[] = {
		ARG("socket", ARG_TEXT, &socket),
		ARG("json", ARG_FLAG, &json),
		ARG_END,
	};
	struct bird bird;
	json_t *summary;
	bool routes;
	bool ok;

	parse_view(&argc, &argv, &routes);
	if (!args_parse(argc, argv, args, NULL, 0, e) ||
	    !bird_open(&bird, socket, e))
		return false;
	summary = read_summary(&bird, e);
	ok = summary && (!routes || read_routes(&bird, summary, e));
	bird_close(&bird);
	if (ok && json) {
		out_json(json_incref(summary));
	} else if (ok && routes) {
		print_routes(summary);
	} else if (ok) {
		print_summary(summary);
	}
	json_decref(summary);
	return ok;
}
