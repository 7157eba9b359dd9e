// SPDX-License-Identifier: GPL-2.0-only
#include "view.h"

#include <stdio.h>
#include <string.h>

#include "names.h"
#include "parse.h"

json_t *view_addr(const struct ovly_addr *a)
{
	char buf[ADDR_STRLEN];

	return json_string(addr_str(a, buf));
}

static json_t *view_addrs(const struct ovly_addrs *addrs)
{
	json_t *list = json_array();
	unsigned int i;

	for (i = 0; i < addrs->n; i++)
		json_array_append_new(list, view_addr(&addrs->a[i]));
	return list;
}

static json_t *view_stats(const struct ovly_stats *stats)
{
	json_t *out = json_object();
	unsigned int i;

	for (i = 0; i <= OVLY_A_STATS_MAX; i++)
		if (stats_name(i))
			json_object_set_new(out, stats_name(i),
					    json_integer((json_int_t)stats->v[i]));
	return out;
}

/* Names come from peers and logs: what is not UTF-8 must not lose the rest. */
json_t *view_str(const char *s)
{
	json_t *out = json_string(s);
	char clean[256];
	size_t i;

	if (out)
		return out;
	for (i = 0; s[i] && i < sizeof(clean) - 1; i++)
		clean[i] = s[i] & 0x80 ? '?' : s[i];
	clean[i] = '\0';
	return json_string(clean);
}

static json_t *view_field(const struct field *f, const void *value)
{
	char buf[IFNAMSIZ];

	switch (f->kind) {
	case FIELD_FLAG:
		return json_boolean(*(const uint32_t *)value);
	case FIELD_U32:
		return json_integer(*(const uint32_t *)value);
	case FIELD_U64:
		return json_integer((json_int_t)*(const uint64_t *)value);
	case FIELD_ENUM:
		return json_string(word_of(f->words, *(const uint32_t *)value));
	case FIELD_IFINDEX:
		if (!*(const uint32_t *)value)
			return json_null();
		return json_string(ifindex_str(*(const uint32_t *)value, buf,
					       sizeof(buf)));
	case FIELD_STR:
		return view_str(value);
	case FIELD_ADDR:
		return view_addr(value);
	case FIELD_ADDRS:
		return view_addrs(value);
	case FIELD_STATS:
		return view_stats(value);
	}
	return NULL;
}

void view_fields(json_t *out, const struct field_set *set, const void *object)
{
	uint32_t has = *(const uint32_t *)object;
	unsigned int i;

	for (i = 0; i < set->n; i++) {
		const struct field *f = &set->field[i];

		if (has & HAS(f->attr) || f->kind == FIELD_ADDRS)
			json_object_set_new(out, f->name,
				view_field(f, (const char *)object + f->off));
		else
			json_object_set_new(out, f->name, json_null());
	}
}

json_t *view_object(const struct ovly_msg *msg)
{
	json_t *out = json_object();
	char buf[IFNAMSIZ];

	if (msg->ifname[0])
		json_object_set_new(out, "dev", json_string(msg->ifname));
	else if (msg->ifindex)
		json_object_set_new(out, "dev", json_string(ifindex_str(
					msg->ifindex, buf, sizeof(buf))));
	else
		json_object_set_new(out, "dev", json_null());
	return out;
}

void view_peer_fields(json_t *out, const struct ovly_peer *peer)
{
	view_fields(out, &peer_fields, peer);
	if (peer->backup_id || peer->backup_name[0])
		return;
	json_object_set_new(out, "backup-id", json_null());
	json_object_set_new(out, "backup", json_null());
}

const char *view_underlay(const struct ovly_path *path, char buf[IFNAMSIZ])
{
	if (path->underlay_name[0])
		return path->underlay_name;
	if (!path->underlay || path->underlay == UNDERLAY_MISSING)
		return NULL;
	return ifindex_str(path->underlay, buf, IFNAMSIZ);
}

void view_path_fields(json_t *out, const struct ovly_path *path)
{
	char buf[IFNAMSIZ];
	const char *name = view_underlay(path, buf);

	view_fields(out, &path_fields, path);
	json_object_del(out, "underlay-name");
	json_object_set_new(out, "underlay",
			    name ? view_str(name) : json_null());
	json_object_set_new(out, "underlay-missing",
			    json_boolean(path->underlay == UNDERLAY_MISSING));
}

json_t *view_dev(const struct ovly_msg *msg)
{
	json_t *out = view_object(msg);

	view_fields(out, &dev_fields, &msg->dev);
	return out;
}

json_t *view_peer(const struct ovly_msg *msg)
{
	json_t *out = view_object(msg);

	view_peer_fields(out, &msg->peer);
	return out;
}

json_t *view_path(const struct ovly_msg *msg)
{
	json_t *out = view_object(msg);

	view_path_fields(out, &msg->path);
	json_object_del(out, "previous-endpoint");
	return out;
}

json_t *view_route(const struct ovly_msg *msg)
{
	const struct ovly_route *route = &msg->route;
	const struct ovly_prefix prefix = { .addr = route->dst,
					    .len = (uint8_t)route->prefixlen };
	json_t *out = view_object(msg);
	char buf[PREFIX_STRLEN];

	json_object_set_new(out, "prefix",
			    json_string(prefix_str(&prefix, buf)));
	view_fields(out, &route_fields, route);
	json_object_del(out, "dst");
	json_object_del(out, "prefixlen");
	json_object_del(out, "flags");
	/* what only requests have */
	json_object_del(out, "via");
	json_object_del(out, "family");
	json_object_set_new(out, "installed",
		json_boolean(route->flags & OVLY_ROUTE_F_INSTALLED));
	json_object_set_new(out, "system",
		json_boolean(route->flags & OVLY_ROUTE_F_SYSTEM));
	json_object_set_new(out, "multipath",
		json_boolean(route->flags & OVLY_ROUTE_F_MULTIPATH));
	if (route->has & HAS(OVLY_A_ROUTE_PROTOCOL))
		json_object_set_new(out, "protocol", json_string(proto_str(
				route->protocol, buf, sizeof(buf))));
	if (route->has & HAS(OVLY_A_ROUTE_ERROR))
		json_object_set_new(out, "error",
				    json_string(strerror((int)route->error)));
	return out;
}

struct view_walk {
	json_t *list;
	json_t *(*view)(const struct ovly_msg *msg);
};

static void on_listed(const struct ovly_msg *msg, void *arg)
{
	struct view_walk *walk = arg;

	json_array_append_new(walk->list, walk->view(msg));
}

json_t *view_list(struct ovly_nl *nl, int cmd, const struct ovly_req *req,
		  json_t *(*view)(const struct ovly_msg *msg), struct err *e)
{
	struct view_walk walk = { .list = json_array(), .view = view };
	struct ovly_nl_error refusal;

	if (ovly_ctl_dump(nl, cmd, req, on_listed, &walk, &refusal))
		return walk.list;
	json_decref(walk.list);
	ovly_nl_err(e, &refusal, "cannot list");
	return NULL;
}
