// SPDX-License-Identifier: GPL-2.0-only
/* ovlyhelper show routes: the routes that peers own */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "args.h"
#include "ctl.h"
#include "out.h"
#include "show.h"
#include "view.h"

/* The line above the next hops of a multipath route. */
static json_t *multipath_head(json_t *row)
{
	json_t *head = json_copy(row);

	json_object_set_new(head, "peer-name", json_null());
	json_object_set_new(head, "error", json_null());
	return head;
}

static json_t *multipath_hop(json_t *row)
{
	json_t *hop = json_object();

	json_object_set_new(hop, "prefix", json_string("  nexthop"));
	json_object_set(hop, "peer-name", json_object_get(row, "peer-name"));
	json_object_set(hop, "protocol", json_object_get(row, "protocol"));
	json_object_set(hop, "installed", json_object_get(row, "installed"));
	json_object_set(hop, "error", json_object_get(row, "error"));
	return hop;
}

/* The owners of a route need not follow each other in the listing. */
json_t *show_routes_nested(json_t *list)
{
	json_t *groups = json_object();
	json_t *out = json_array();
	json_t *row, *group, *line;
	char key[128];
	size_t i, k;

	/* a group is its lines; it is in "out" at its first owner's place */
	json_array_foreach(list, i, row) {
		bool multipath = json_is_true(json_object_get(row, "multipath"));

		snprintf(key, sizeof(key), "%.15s %.60s %" JSON_INTEGER_FORMAT,
			 json_string_value(json_object_get(row, "dev")) ?: "",
			 json_string_value(json_object_get(row, "prefix")) ?: "",
			 json_integer_value(json_object_get(row, "metric")));
		group = multipath ? json_object_get(groups, key) : NULL;
		if (!group) {
			group = json_array();
			json_array_append_new(out, group);
			if (multipath) {
				json_object_set(groups, key, group);
				json_array_append_new(group,
						      multipath_head(row));
			}
		}
		if (multipath)
			json_array_append_new(group, multipath_hop(row));
		else
			json_array_append(group, row);
	}
	json_decref(groups);
	json_decref(list);
	list = json_array();
	json_array_foreach(out, i, group)
		json_array_foreach(group, k, line)
			json_array_append(list, line);
	json_decref(out);
	return list;
}

bool show_routes(int argc, char **argv, struct err *e)
{
	static const struct out_column columns[] = {
		{ "prefix", "PREFIX", OUT_PLAIN, false },
		{ "peer-name", "PEER", OUT_PLAIN, false },
		{ "dev", "DEVICE", OUT_PLAIN, false },
		{ "protocol", "PROTO", OUT_PLAIN, false },
		{ "metric", "METRIC", OUT_PLAIN, true },
		{ "installed", "INSTALLED", OUT_PLAIN, false },
		{ "error", "ERROR", OUT_PLAIN, false },
		{ 0 },
	};
	static const char *const families[] = { "4", "6", NULL };
	struct ovly_route filter = { 0 };
	char dev[IFNAMSIZ] = "";
	uint32_t family = 0;
	bool json = false;
	uint32_t has = 0;
	const struct arg args[] = {
		ARG("dev", ARG_IFNAME, dev),
		ARG("peer", ARG_NAME, filter.peer_name, .has = &filter.has,
		    .bit = HAS(OVLY_A_ROUTE_PEER_NAME)),
		ARG("protocol", ARG_PROTO, &filter.protocol,
		    .has = &filter.has, .bit = HAS(OVLY_A_ROUTE_PROTOCOL)),
		ARG("family", ARG_WORD, &family, .words = families,
		    .has = &has, .bit = 1),
		ARG("json", ARG_FLAG, &json),
		ARG_END,
	};
	struct ovly_req req = { 0 };
	struct ovly_nl nl;
	json_t *list = NULL;

	if (!args_parse(argc, argv, args, NULL, 0, e) ||
	    !ovly_nl_open(&nl, true, e))
		return false;
	if (has) {
		filter.has |= HAS(OVLY_A_ROUTE_FAMILY);
		filter.family = family ? AF_INET6 : AF_INET;
	}
	if (filter.has)
		req.route = &filter;
	/* a peer's name means nothing without its device */
	if (dev[0] || filter.peer_name[0])
		req.ifindex = ovly_ctl_ifindex(&nl, dev, e);
	if ((!dev[0] && !filter.peer_name[0]) || req.ifindex)
		list = view_list(&nl, OVLY_CMD_ROUTE_GET, &req, view_route, e);
	ovly_nl_close(&nl);
	if (!list)
		return false;
	if (json) {
		out_json(list);
		return true;
	}
	list = show_routes_nested(list);
	out_table(list, columns);
	json_decref(list);
	return true;
}
