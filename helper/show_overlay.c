// SPDX-License-Identifier: GPL-2.0-only
/* ovlyhelper show secure-overlay: the reference system's view of a peer */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "out.h"
#include "parse.h"
#include "rtnl.h"
#include "show.h"
#include "view.h"

struct overlay {
	struct ovly_msg *peer, *path;
	unsigned int peers, paths;
	bool full;
};

static void append(struct ovly_msg **list, unsigned int *n,
		   const struct ovly_msg *msg, struct overlay *o)
{
	struct ovly_msg *bigger;

	bigger = reallocarray(*list, *n + 1, sizeof(**list));
	if (!bigger) {
		o->full = true;
		return;
	}
	*list = bigger;
	bigger[(*n)++] = *msg;
}

static void on_peer(const struct ovly_msg *msg, void *arg)
{
	struct overlay *o = arg;

	append(&o->peer, &o->peers, msg, o);
}

static void on_path(const struct ovly_msg *msg, void *arg)
{
	struct overlay *o = arg;

	append(&o->path, &o->paths, msg, o);
}

static bool owns(const struct ovly_msg *peer, const struct ovly_msg *path)
{
	if (peer->ifindex != path->ifindex)
		return false;
	if (path->path.has & HAS(OVLY_A_PATH_PEER_ID))
		return path->path.peer_id == peer->peer.id;
	return !strcmp(path->path.peer_name, peer->peer.name);
}

static void set_addr(json_t *out, const char *key, const struct ovly_addr *a)
{
	json_object_set_new(out, key, a && a->family ? view_addr(a) :
						       json_null());
}

static void set_str(json_t *out, const char *key, const char *s)
{
	json_t *value = s && s[0] ? json_string(s) : NULL;

	json_object_set_new(out, key, value ? value : json_null());
}

static void set_local(struct ovly_nl *nl, json_t *out,
		      const struct ovly_msg *peer)
{
	const struct ovly_addrs *remote = &peer->peer.addr;
	uint8_t family = remote->n ? remote->a[0].family : AF_INET;
	const struct ovly_addr *local = NULL;
	struct ovly_ifaddr list[64];
	unsigned int n = 0;
	struct err ignored;
	unsigned int i;

	ovly_rtnl_addr_list(nl, peer->ifindex, list, 64, &n, &ignored);
	for (i = n; i-- > 0;)
		if (!local || list[i].local.family == family)
			local = &list[i].local;
	set_addr(out, "active-local-system-ip-addr", local);
}

static json_t *view_overlay(struct ovly_nl *nl, const struct overlay *o,
			    const struct ovly_msg *peer)
{
	const struct ovly_path *active = NULL, *selected = NULL;
	bool up = peer->peer.state == OVLY_PEER_UP;
	const struct ovly_path *shown;
	const struct ovly_addr *system;
	json_t *out = json_object();
	struct ovly_prefix subnet;
	char buf[PREFIX_STRLEN];
	char name[IFNAMSIZ];
	unsigned int i;

	for (i = 0; i < o->paths; i++) {
		const struct ovly_path *path = &o->path[i].path;

		if (!owns(peer, &o->path[i]))
			continue;
		if (path->state == OVLY_PATH_ACTIVE)
			active = path;
		if (!selected || path->priority < selected->priority)
			selected = path;
	}
	/* while it is down, what it would use is the more useful answer for
	 * what is not called "active" below
	 */
	shown = active ? active : selected;
	system = peer->peer.addr.n ? &peer->peer.addr.a[0] : NULL;
	set_str(out, "name", peer->peer.name);
	set_str(out, "state", word_of(peer_state_words, up));
	set_str(out, "active-local-bridge",
		active ? view_underlay(active, name) : NULL);
	set_str(out, "selected-local-bridge",
		selected ? view_underlay(selected, name) : NULL);
	set_local(nl, out, peer);
	set_addr(out, "active-remote-interface-ip-addr",
		 shown ? &shown->endpoint : NULL);
	set_addr(out, "active-remote-system-ip-addr", system);
	if (system) {
		subnet.addr = *system;
		subnet.len = (uint8_t)addr_bits(system);
		set_str(out, "active-remote-system-ip-subnet",
			prefix_str(&subnet, buf));
	} else {
		set_str(out, "active-remote-system-ip-subnet", NULL);
	}
	set_str(out, "active-remote-id", shown ? shown->remote_id : NULL);
	return out;
}

bool show_overlay(int argc, char **argv, struct err *e)
{
	static const char *const keys[] = {
		"name",
		"state",
		"active-local-bridge",
		"selected-local-bridge",
		"active-local-system-ip-addr",
		"active-remote-interface-ip-addr",
		"active-remote-system-ip-addr",
		"active-remote-system-ip-subnet",
		"active-remote-id",
		NULL,
	};
	char dev[IFNAMSIZ] = "";
	bool json = false;
	const struct arg args[] = {
		ARG("dev", ARG_IFNAME, dev),
		ARG("json", ARG_FLAG, &json),
		ARG_END,
	};
	struct ovly_nl_error refusal;
	struct ovly_req req = { 0 };
	struct overlay o = { 0 };
	struct ovly_nl nl;
	bool ok = false;
	json_t *list;
	unsigned int i;

	if (!args_parse(argc, argv, args, NULL, 0, e) ||
	    !ovly_nl_open(&nl, true, e))
		return false;
	if (dev[0]) {
		req.ifindex = ovly_ctl_ifindex(&nl, dev, e);
		if (!req.ifindex)
			goto out;
	}
	if (!ovly_ctl_dump(&nl, OVLY_CMD_PEER_GET, &req, on_peer, &o,
			   &refusal) ||
	    !ovly_ctl_dump(&nl, OVLY_CMD_PATH_GET, &req, on_path, &o,
			   &refusal)) {
		ovly_nl_err(e, &refusal, "cannot list the peers");
		goto out;
	}
	if (o.full) {
		err_set(e, EXIT_REFUSED, "out of memory");
		goto out;
	}
	list = json_array();
	for (i = 0; i < o.peers; i++)
		json_array_append_new(list, view_overlay(&nl, &o, &o.peer[i]));
	for (i = 0; i < o.peers && !json; i++) {
		if (i)
			putchar('\n');
		out_pairs(json_array_get(list, i), keys, 0);
	}
	if (json)
		out_json(list);
	else
		json_decref(list);
	ok = true;
out:
	free(o.peer);
	free(o.path);
	ovly_nl_close(&nl);
	return ok;
}
