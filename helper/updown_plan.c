// SPDX-License-Identifier: GPL-2.0-only
/* The pure half of updown: from what strongSwan says to what is wanted. */
#include "updown.h"

#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "parse.h"

static bool add(struct ovly_addrs *list, const struct ovly_addr *a)
{
	unsigned int i;

	for (i = 0; i < list->n; i++)
		if (addr_equal(&list->a[i], a))
			return true;
	if (list->n == OVLY_PEER_ADDRS_MAX)
		return false;
	list->a[list->n++] = *a;
	return true;
}

static bool plan_name(const struct updown_conf *conf, const struct pluto *env,
		      struct ovly_peer *peer, struct err *e)
{
	char buf[ADDR_STRLEN];
	const char *name;

	if (conf->peer[0])
		name = conf->peer;
	else if (conf->peer_from == PEER_FROM_ID)
		name = env->peer_id;
	else if (conf->peer_from == PEER_FROM_ENDPOINT)
		name = addr_str(&env->peer, buf);
	else
		name = env->connection;
	peer->has |= HAS(OVLY_A_PEER_NAME);
	if (!parse_name(name, peer->name, e))
		return err_prefix(e, "name of the peer (choose one with --peer)");
	return true;
}

/* In this order: said on the line, a selector that is one address, a virtual
 * address that charon gave out, the n-th host of the selector.
 */
static bool plan_system_addr(const struct updown_conf *conf,
			     const struct pluto *env, struct updown_want *want,
			     struct err *e)
{
	struct ovly_addrs *addrs = &want->peer.addr;
	char prefix[PREFIX_STRLEN];
	char buf[ADDR_STRLEN];
	struct ovly_addr a;
	unsigned int i;

	if (conf->system_addr.n) {
		*addrs = conf->system_addr;
	} else if (prefix_is_host(&env->peer_client) &&
		   addr_is_unicast(&env->peer_client.addr) &&
		   /* host to host: that is the outer address, no overlay one */
		   !addr_equal(&env->peer_client.addr, &env->peer)) {
		add(addrs, &env->peer_client.addr);
		want->derived = true;
	} else if (env->peer_sourceip.n) {
		*addrs = env->peer_sourceip;
	} else if (conf->has & UPDOWN_HAS_FROM_TS) {
		if (!env->peer_client.len ||
		    !prefix_host(&env->peer_client, conf->from_ts, &a))
			return err_set(e, EXIT_USAGE,
				       "system-addr-from-ts: %s has no host number %u",
				       prefix_str(&env->peer_client, prefix),
				       conf->from_ts);
		add(addrs, &a);
		want->derived = true;
	}
	for (i = 0; i < addrs->n; i++) {
		if (addr_equal(&addrs->a[i], &env->peer))
			return err_set(e, EXIT_USAGE,
				       "system address %s of peer '%s' is its outer address, the tunnel cannot lead to its own end",
				       addr_str(&addrs->a[i], buf),
				       want->peer.name);
	}
	if (addrs->n)
		want->peer.has |= HAS(OVLY_A_PEER_ADDR);
	return true;
}

static bool plan_local(const struct updown_conf *conf, const struct pluto *env,
		       struct updown_want *want, struct err *e)
{
	const struct ovly_addrs *addrs = &want->peer.addr;
	char buf[ADDR_STRLEN];
	unsigned int i, k;

	want->is_virtual = !conf->local_addr.n;
	want->local = want->is_virtual ? env->my_sourceip : conf->local_addr;
	for (i = 0; i < want->local.n; i++)
		for (k = 0; k < addrs->n; k++)
			if (addr_equal(&want->local.a[i], &addrs->a[k]))
				return err_set(e, EXIT_USAGE,
					       "%s is given as own address and as system address of peer '%s'",
					       addr_str(&addrs->a[k], buf),
					       want->peer.name);
	return true;
}

static void plan_path(const struct updown_conf *conf, const struct pluto *env,
		      struct updown_want *want)
{
	struct ovly_path *path = &want->path;

	path->has = HAS(OVLY_A_PATH_IF_ID_IN) | HAS(OVLY_A_PATH_IF_ID_OUT) |
		    HAS(OVLY_A_PATH_PEER_NAME) | HAS(OVLY_A_PATH_ENDPOINT) |
		    HAS(OVLY_A_PATH_LOCAL) | HAS(OVLY_A_PATH_LABEL) |
		    /* always, to clear what an earlier call said */
		    HAS(OVLY_A_PATH_UNDERLAY);
	path->if_id_in = env->if_id_in;
	path->if_id_out = env->if_id_out;
	memcpy(path->peer_name, want->peer.name, sizeof(path->peer_name));
	path->endpoint = env->peer;
	path->local = env->me;
	memcpy(path->label, env->connection, sizeof(path->label));
	if (env->peer_id[0]) {
		path->has |= HAS(OVLY_A_PATH_REMOTE_ID);
		memcpy(path->remote_id, env->peer_id, sizeof(path->remote_id));
	}
	if (conf->has & UPDOWN_HAS_PRIORITY) {
		path->has |= HAS(OVLY_A_PATH_PRIORITY);
		path->priority = conf->priority;
	}
}

static void plan_route(const struct updown_conf *conf, const struct pluto *env,
		       uint32_t mode, struct updown_want *want)
{
	const struct ovly_prefix *ts = &env->peer_client;
	bool wanted = mode == OVLY_MODE_MULTIPOINT ? !conf->no_route_ts :
						     conf->route_ts;

	/* 0.0.0.0/0 says "whatever is routed there", not "route all there";
	 * the system address is a route already
	 */
	if (!wanted || !ts->len)
		return;
	if (prefix_is_host(ts)) {
		unsigned int i;

		if (addr_equal(&ts->addr, &env->peer))
			return;
		for (i = 0; i < want->peer.addr.n; i++)
			if (addr_equal(&want->peer.addr.a[i], &ts->addr))
				return;
	}
	want->has_route = true;
	want->route.has = HAS(OVLY_A_ROUTE_DST) | HAS(OVLY_A_ROUTE_PREFIXLEN) |
			  HAS(OVLY_A_ROUTE_PROTOCOL) |
			  HAS(OVLY_A_ROUTE_PEER_NAME);
	want->route.dst = ts->addr;
	want->route.prefixlen = ts->len;
	want->route.protocol = RTPROT_STATIC;
	memcpy(want->route.peer_name, want->peer.name,
	       sizeof(want->route.peer_name));
}

bool updown_plan(const struct updown_conf *conf, const struct pluto *env,
		 uint32_t mode, struct updown_want *want, struct err *e)
{
	memset(want, 0, sizeof(*want));
	want->peer = conf->settings;
	if (!plan_name(conf, env, &want->peer, e) ||
	    !plan_system_addr(conf, env, want, e) ||
	    !plan_local(conf, env, want, e))
		return false;
	if (mode == OVLY_MODE_MULTIPOINT && !want->peer.addr.n)
		return err_set(e, EXIT_USAGE,
			       "no system address for peer '%s', which a multipoint device needs: give --system-addr or --system-addr-from-ts",
			       want->peer.name);
	if (mode != OVLY_MODE_MULTIPOINT && want->peer.backup_name[0])
		return err_set(e, EXIT_USAGE,
			       "--backup %s: a p2p device has one peer only, a backup needs --mode multipoint",
			       want->peer.backup_name);
	if (!strcmp(want->peer.backup_name, want->peer.name))
		return err_set(e, EXIT_USAGE,
			       "--backup: peer '%s' cannot be its own backup",
			       want->peer.name);
	plan_path(conf, env, want);
	plan_route(conf, env, mode, want);
	return true;
}

bool updown_merge(const struct ovly_addrs *old, bool same_sa,
		  struct ovly_addrs *want)
{
	struct ovly_addrs merged = { 0 };
	unsigned int i, k;

	for (i = 0; i < old->n; i++) {
		bool replaced = false;

		for (k = 0; k < want->n; k++)
			if (want->a[k].family == old->a[i].family)
				replaced = true;
		if (same_sa || !replaced)
			add(&merged, &old->a[i]);
	}
	for (i = 0; i < want->n; i++)
		if (!add(&merged, &want->a[i]))
			return false;
	*want = merged;
	return true;
}

enum updown_end updown_end(const struct ovly_path *path,
			   const struct pluto *env, unsigned int same,
			   unsigned int other)
{
	/* the if_id is somebody else's by now */
	if (path->label[0] && strcmp(path->label, UPDOWN_NO_LABEL) &&
	    strcmp(path->label, env->connection))
		return UPDOWN_KEEP;
	if (path->endpoint.family && env->peer.family &&
	    !addr_equal(&path->endpoint, &env->peer))
		return UPDOWN_KEEP;
	/* charon calls before it removes the old SAs: of two, one replaces the
	 * other under the same if_id (reauthentication, make before break)
	 */
	if (same >= 2)
		return UPDOWN_KEEP;
	/* When a whole IKE_SA ends charon calls for each CHILD_SA before it
	 * removes the first one: whether these stay is seen later.
	 */
	return other ? UPDOWN_LEAVE : UPDOWN_DELETE;
}
