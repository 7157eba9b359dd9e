// SPDX-License-Identifier: GPL-2.0-only
/* The other half of updown: bring about what is wanted, or nothing of it. */
#include "updown.h"

#include <errno.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "ctl.h"
#include "fields.h"
#include "parse.h"
#include "updown_run.h"

bool updown_is_absent(const struct ovly_nl_error *refusal)
{
	return refusal->error == ENOENT || refusal->error == ESRCH ||
	       refusal->error == ENODEV || refusal->error == ENXIO;
}

static bool get_peer(struct updown_run *r, struct err *e)
{
	struct ovly_req req = { .ifindex = r->link.ifindex };
	struct ovly_peer key = { .has = HAS(OVLY_A_PEER_NAME) };
	struct ovly_nl_error refusal;
	struct ovly_msg reply;

	memcpy(key.name, r->want.peer.name, sizeof(key.name));
	req.peer = &key;
	r->has_peer = ovly_ctl_do(r->nl, OVLY_CMD_PEER_GET, 0, &req, &reply,
				  &refusal);
	if (r->has_peer)
		r->peer = reply.peer;
	else if (!updown_is_absent(&refusal))
		return ovly_nl_err(e, &refusal, "cannot look up peer '%s'",
				   key.name);
	return true;
}

bool updown_path_get(struct ovly_nl *nl, uint32_t if_id_in,
		     struct ovly_path *path, uint32_t *ifindex, struct err *e)
{
	struct ovly_path key = { .has = HAS(OVLY_A_PATH_IF_ID_IN),
				 .if_id_in = if_id_in };
	struct ovly_req req = { .path = &key };
	struct ovly_nl_error refusal;
	struct ovly_msg reply;

	*ifindex = 0;
	if (ovly_ctl_do(nl, OVLY_CMD_PATH_GET, 0, &req, &reply, &refusal)) {
		*path = reply.path;
		*ifindex = reply.ifindex;
	} else if (!updown_is_absent(&refusal)) {
		return ovly_nl_err(e, &refusal,
				   "cannot look up the path with if-id %u",
				   if_id_in);
	}
	return true;
}

bool updown_path_del(struct ovly_nl *nl, uint32_t if_id_in, struct err *e)
{
	struct ovly_path key = { .has = HAS(OVLY_A_PATH_IF_ID_IN),
				 .if_id_in = if_id_in };
	struct ovly_req req = { .path = &key };
	struct ovly_nl_error refusal;

	if (ovly_ctl_do(nl, OVLY_CMD_PATH_DEL, 0, &req, NULL, &refusal) ||
	    updown_is_absent(&refusal))
		return true;
	return ovly_nl_err(e, &refusal,
			   "cannot delete the path with if-id %u", if_id_in);
}

/* The path with our if-id is the wanted peer's already. */
static bool has_own_path(const struct updown_run *r)
{
	return r->has_path && !strcmp(r->path.peer_name, r->want.peer.name);
}

static bool check_link(struct updown_run *r, struct err *e)
{
	const struct updown_conf *conf = r->conf;
	const struct ovly_dev *dev = &r->link.dev;

	if (!r->link.ifindex)
		return true;
	if (strcmp(r->link.kind, "ovly"))
		return err_set(e, EXIT_REFUSED,
			       "device '%s' exists but is not an ovly device, choose another name with --dev",
			       conf->dev);
	if (!r->nl->family)
		return ovly_nl_no_module(e);
	if (conf->has & UPDOWN_HAS_MODE && conf->mode != dev->mode)
		return err_set(e, EXIT_REFUSED,
			       "device '%s' has mode %s, --mode %s cannot change that: delete the device first",
			       conf->dev, word_of(mode_words, dev->mode),
			       word_of(mode_words, conf->mode));
	if (conf->has & UPDOWN_HAS_TABLE && conf->table != dev->table)
		return err_set(e, EXIT_REFUSED,
			       "device '%s' uses table %u, --table %u cannot change that: delete the device first",
			       conf->dev, dev->table, conf->table);
	return true;
}

static bool check_names(struct updown_run *r, struct err *e)
{
	struct ovly_link link;

	if (r->conf->vrf[0]) {
		if (!ovly_rtnl_link_get(r->nl, r->conf->vrf, &link, e))
			return false;
		if (!link.ifindex || strcmp(link.kind, "vrf"))
			return err_set(e, EXIT_REFUSED,
				       "there is no VRF '%s', make it with 'ip link add %s type vrf table N'",
				       r->conf->vrf, r->conf->vrf);
		if (r->link.master && r->link.master != link.ifindex)
			return err_set(e, EXIT_REFUSED,
				       "device '%s' is in another VRF than '%s', take it out first with 'ip link set %s nomaster'",
				       r->conf->dev, r->conf->vrf,
				       r->conf->dev);
		r->vrf = link.ifindex;
	}
	if (!r->env->interface[0])
		return true;
	if (!ovly_rtnl_link_get(r->nl, r->env->interface, &link, e))
		return false;
	if (!link.ifindex)
		return err_set(e, EXIT_REFUSED,
			       "PLUTO_INTERFACE names device '%s', which does not exist here",
			       r->env->interface);
	/* charon asked the routing table, and the answer was a tunnel: no
	 * underlay then, the module routes outer packets itself
	 */
	if (strcmp(link.kind, "ovly"))
		r->want.path.underlay = link.ifindex;
	return true;
}

/* One connection may serve many peers (remote_addrs = %any): they must not
 * all become one.
 */
static bool check_same_remote(struct updown_run *r, struct err *e)
{
	struct ovly_path active;
	uint32_t ifindex;

	if (!r->has_peer || r->peer.state != OVLY_PEER_UP ||
	    !(r->peer.has & HAS(OVLY_A_PEER_ACTIVE_PATH)))
		return true;
	if (!updown_path_get(r->nl, r->peer.active_path, &active, &ifindex, e))
		return false;
	if (!ifindex || !active.remote_id[0] || !r->want.path.remote_id[0] ||
	    strcmp(active.label, r->want.path.label) ||
	    !strcmp(active.remote_id, r->want.path.remote_id))
		return true;
	return err_set(e, EXIT_REFUSED,
		       "peer '%s' is connected as '%s', so '%s' cannot be the same: give each its own name with --peer or --peer-from id",
		       r->peer.name, active.remote_id,
		       r->want.path.remote_id);
}

static bool check_path(struct updown_run *r, struct err *e)
{
	if (!r->path_ifindex || has_own_path(r))
		return true;
	/* A leftover is replaced, a path in use is not.  The SAs of this call
	 * are there already: they count where both lead to the same endpoint.
	 * Those that no charon has any more do not.
	 */
	if (r->path.sa_out < r->orphans.out +
	    (addr_equal(&r->path.endpoint, &r->env->peer) ? 2 : 1))
		return true;
	return err_set(e, EXIT_REFUSED,
		       "if-id %u of connection '%s' is in use by peer '%s'%s (connection '%s'): every connection needs its own if_id_in and if_id_out",
		       r->path.if_id_in, r->env->connection, r->path.peer_name,
		       r->has_path ? "" : " of another device", r->path.label);
}

/* Everything that can be known is looked up and checked here, before the
 * first change.
 */
static bool prepare(struct updown_run *r, struct err *e)
{
	uint32_t mode = r->conf->has & UPDOWN_HAS_MODE ? r->conf->mode :
							 OVLY_MODE_P2P;

	if (!ovly_rtnl_link_get(r->nl, r->conf->dev, &r->link, e) ||
	    !check_link(r, e))
		return false;
	if (r->link.ifindex)
		mode = r->link.dev.mode;
	if (!updown_plan(r->conf, r->env, mode, &r->want, e) ||
	    !check_names(r, e))
		return false;
	if (!r->nl->family)
		return true;
	if (!updown_path_get(r->nl, r->env->if_id_in, &r->path, &r->path_ifindex, e))
		return false;
	r->has_path = r->path_ifindex && r->path_ifindex == r->link.ifindex;
	/* one SA each way is what this call is about */
	if (r->path_ifindex &&
	    r->path.sa_in + r->path.sa_out > (has_own_path(r) ? 2u : 0u) &&
	    !updown_orphans_find(&r->orphans, &r->path, e))
		return false;
	if (!check_path(r, e))
		return false;
	if (!r->link.ifindex)
		return true;
	if (!get_peer(r, e) || !check_same_remote(r, e) ||
	    !ovly_rtnl_addr_list(r->nl, r->link.ifindex, r->addr, 64,
				 &r->addrs, e))
		return false;
	if (!r->has_peer && mode == OVLY_MODE_P2P && r->link.dev.peers)
		return err_set(e, EXIT_REFUSED,
			       "p2p device '%s' has its one peer already, which is not '%s': give both connections the same --peer, or use --mode multipoint",
			       r->conf->dev, r->want.peer.name);
	if (r->want.derived && r->has_peer &&
	    !updown_merge(&r->peer.addr, has_own_path(r), &r->want.peer.addr))
		return err_set(e, EXIT_REFUSED,
			       "peer '%s' has more than %d system addresses",
			       r->want.peer.name, OVLY_PEER_ADDRS_MAX);
	return true;
}

static bool apply_dev(struct updown_run *r, struct err *e)
{
	const struct updown_conf *conf = r->conf;
	struct ovly_dev dev = { 0 };
	bool exists;

	if (r->link.ifindex)
		return true;
	if (conf->has & UPDOWN_HAS_MODE) {
		dev.has |= HAS(OVLY_A_DEV_MODE);
		dev.mode = conf->mode;
	}
	if (conf->has & UPDOWN_HAS_TABLE) {
		dev.has |= HAS(OVLY_A_DEV_TABLE);
		dev.table = conf->table;
	}
	if (conf->has & UPDOWN_HAS_SRC_VALID) {
		dev.has |= HAS(OVLY_A_DEV_SRC_VALID);
		dev.src_valid = conf->src_valid;
	}
	if (!ovly_rtnl_link_add(r->nl, conf->dev, &dev, &exists, e))
		return false;
	/* somebody else may have been faster */
	r->made_dev = !exists;
	if (!r->nl->family && !ovly_nl_resolve(r->nl))
		return ovly_nl_no_module(e);
	if (!ovly_rtnl_link_get(r->nl, conf->dev, &r->link, e))
		return false;
	if (!r->link.ifindex)
		return err_set(e, EXIT_REFUSED, "device '%s' vanished",
			       conf->dev);
	return !exists || prepare(r, e);
}

static bool apply_vrf(struct updown_run *r, struct err *e)
{
	if (!r->vrf || r->link.master)
		return true;
	if (!ovly_rtnl_link_set_master(r->nl, &r->link, r->vrf, e))
		return false;
	r->made_master = true;
	/* a device that is up goes down and up on its way there, which costs it
	 * its IPv6 addresses
	 */
	return ovly_rtnl_addr_list(r->nl, r->link.ifindex, r->addr, 64,
				   &r->addrs, e);
}

static bool apply_dev_settings(struct updown_run *r, struct err *e)
{
	const struct updown_conf *conf = r->conf;
	struct ovly_dev dev = { .has = HAS(OVLY_A_DEV_SRC_VALID),
				.src_valid = conf->src_valid };
	struct ovly_req req = { .ifindex = r->link.ifindex, .dev = &dev };
	struct ovly_nl_error refusal;

	if (conf->has & UPDOWN_HAS_MTU && conf->mtu != r->link.mtu &&
	    !ovly_rtnl_link_set_mtu(r->nl, &r->link, conf->mtu, e))
		return false;
	if (conf->has & UPDOWN_HAS_SRC_VALID &&
	    conf->src_valid != r->link.dev.src_valid &&
	    !ovly_ctl_do(r->nl, OVLY_CMD_DEV_SET, 0, &req, NULL, &refusal))
		return ovly_nl_err(e, &refusal,
				   "cannot set the source validation of '%s'",
				   conf->dev);
	return true;
}

static bool send_peer(struct updown_run *r, const struct ovly_peer *peer,
		      struct err *e)
{
	struct ovly_req req = { .ifindex = r->link.ifindex, .peer = peer };
	struct ovly_nl_error refusal;
	char buf[ADDR_STRLEN] = "";

	if (ovly_ctl_do(r->nl, OVLY_CMD_PEER_NEW, NLM_F_CREATE | NLM_F_REPLACE,
			&req, NULL, &refusal))
		return true;
	if (refusal.error == EEXIST && updown_lease_take(r, peer) &&
	    ovly_ctl_do(r->nl, OVLY_CMD_PEER_NEW, NLM_F_CREATE | NLM_F_REPLACE,
			&req, NULL, &refusal))
		return true;
	if (peer->addr.n)
		addr_str(&peer->addr.a[0], buf);
	return ovly_nl_err(e, &refusal, "peer '%s'%s%s on '%s' is refused",
			   peer->name, buf[0] ? " with system address " : "",
			   buf, r->conf->dev);
}

static bool same_backup(const struct ovly_peer *want,
			const struct ovly_peer *have)
{
	if (want->has & HAS(OVLY_A_PEER_BACKUP_NAME))
		return !strcmp(want->backup_name, have->backup_name);
	return !(want->has & HAS(OVLY_A_PEER_BACKUP_ID)) ||
	       want->backup_id == have->backup_id;
}

/* Nothing that is wanted differs. */
static bool same_peer(const struct ovly_peer *want,
		      const struct ovly_peer *have)
{
	static const uint32_t attrs[] = {
		OVLY_A_PEER_ON_DOWN, OVLY_A_PEER_ROUTE_LIMIT,
		OVLY_A_PEER_LIMIT_ACTION, OVLY_A_PEER_MARK,
		OVLY_A_PEER_PRIORITY,
	};
	unsigned int i;

	for (i = 0; i < sizeof(attrs) / sizeof(attrs[0]); i++) {
		size_t off = field_find(&peer_fields, attrs[i])->off;

		if (want->has & HAS(attrs[i]) &&
		    memcmp((const char *)want + off, (const char *)have + off,
			   sizeof(uint32_t)))
			return false;
	}
	return same_backup(want, have) &&
	       (!(want->has & HAS(OVLY_A_PEER_ADDR)) ||
		addrs_equal(&want->addr, &have->addr));
}

/* Two head-ends that stand in for each other come up one after the other: the
 * name of the second is there before its tunnel is.
 */
static bool apply_backup(struct updown_run *r, struct err *e)
{
	struct ovly_peer backup = { .has = HAS(OVLY_A_PEER_NAME) };
	struct ovly_req req = { .ifindex = r->link.ifindex, .peer = &backup };
	struct ovly_nl_error refusal;

	if (!(r->want.peer.has & HAS(OVLY_A_PEER_BACKUP_NAME)))
		return true;
	memcpy(backup.name, r->want.peer.backup_name, sizeof(backup.name));
	r->made_backup = ovly_ctl_do(r->nl, OVLY_CMD_PEER_NEW,
				     NLM_F_CREATE | NLM_F_EXCL, &req, NULL,
				     &refusal);
	if (r->made_backup || refusal.error == EEXIST)
		return true;
	return ovly_nl_err(e, &refusal, "backup peer '%s' is refused",
			   backup.name);
}

/* The peer's IPv6 routes lose their next hop with its last IPv6 address, and keep the
 * module from taking that away.
 */
static bool drop_ipv6_routes(struct updown_run *r, struct err *e)
{
	struct ovly_route filter = {
		.has = HAS(OVLY_A_ROUTE_PEER_NAME) | HAS(OVLY_A_ROUTE_FAMILY),
		.family = AF_INET6,
	};
	struct ovly_req req = { .ifindex = r->link.ifindex, .route = &filter };
	struct ovly_nl_error refusal;
	struct ovly_msg reply;

	if (!r->has_peer || r->link.dev.mode == OVLY_MODE_P2P ||
	    !(r->want.peer.has & HAS(OVLY_A_PEER_ADDR)) ||
	    !addrs_have(&r->peer.addr, AF_INET6) ||
	    addrs_have(&r->want.peer.addr, AF_INET6))
		return true;
	memcpy(filter.peer_name, r->want.peer.name, sizeof(filter.peer_name));
	return ovly_ctl_do(r->nl, OVLY_CMD_ROUTE_FLUSH, 0, &req, &reply,
			   &refusal) ||
	       ovly_nl_err(e, &refusal, "cannot flush IPv6 routes of peer '%s'",
			   r->want.peer.name);
}

static bool apply_peer(struct updown_run *r, struct err *e)
{
	const struct ovly_peer *want = &r->want.peer;

	if (r->has_peer && same_peer(want, &r->peer))
		return true;
	if (!apply_backup(r, e) || !drop_ipv6_routes(r, e) ||
	    !send_peer(r, want, e))
		return false;
	r->made_peer = !r->has_peer;
	r->changed_peer = r->has_peer;
	return true;
}

static bool apply_link_up(struct updown_run *r, struct err *e)
{
	return r->link.flags & IFF_UP || ovly_ctl_link_up(r->nl, &r->link, e);
}

static bool same_path(const struct ovly_path *want,
		      const struct ovly_path *have)
{
	return want->if_id_out == have->if_id_out &&
	       !strcmp(want->peer_name, have->peer_name) &&
	       addr_equal(&want->endpoint, &have->endpoint) &&
	       addr_equal(&want->local, &have->local) &&
	       want->underlay == have->underlay &&
	       (!(want->has & HAS(OVLY_A_PATH_PRIORITY)) ||
		want->priority == have->priority) &&
	       !strcmp(want->label, have->label) &&
	       !strcmp(want->remote_id, have->remote_id);
}

static bool apply_path(struct updown_run *r, struct err *e)
{
	struct ovly_req req = { .ifindex = r->link.ifindex,
				.path = &r->want.path };
	struct ovly_nl_error refusal;

	if (r->has_path && same_path(&r->want.path, &r->path))
		return true;
	/* The module moves a path from one peer to another, but not to another
	 * device: a leftover there makes room.
	 */
	if (r->path_ifindex && !r->has_path &&
	    !updown_path_del(r->nl, r->path.if_id_in, e))
		return false;
	if (!ovly_ctl_do(r->nl, OVLY_CMD_PATH_NEW, NLM_F_CREATE | NLM_F_REPLACE,
			 &req, NULL, &refusal))
		return ovly_nl_err(e, &refusal,
				   "path of connection '%s' with if-id %u is refused",
				   r->env->connection, r->env->if_id_in);
	/* one that was moved here is not worth more than a new one */
	r->made_path = !has_own_path(r) ||
		       r->path.if_id_out != r->want.path.if_id_out;
	return true;
}

static bool apply_route(struct updown_run *r, struct err *e)
{
	struct ovly_prefix prefix = { .addr = r->want.route.dst,
				      .len = (uint8_t)r->want.route.prefixlen };
	struct ovly_req req = { .ifindex = r->link.ifindex,
				.route = &r->want.route };
	struct ovly_nl_error refusal;
	char buf[PREFIX_STRLEN];

	if (!r->want.has_route ||
	    ovly_ctl_do(r->nl, OVLY_CMD_ROUTE_NEW, NLM_F_CREATE | NLM_F_REPLACE,
			&req, NULL, &refusal))
		return true;
	return ovly_nl_err(e, &refusal, "route %s to peer '%s' is refused",
			   prefix_str(&prefix, buf), r->want.peer.name);
}

struct stale {
	const struct updown_run *r;
	unsigned int n;
	uint32_t if_id[32];
};

static void collect_stale(const struct ovly_msg *msg, void *arg)
{
	const struct ovly_path *path = &msg->path;
	struct stale *stale = arg;

	if (strcmp(path->peer_name, stale->r->want.peer.name) ||
	    (strcmp(path->label, stale->r->env->connection) &&
	     strcmp(path->label, UPDOWN_NO_LABEL)) ||
	    path->if_id_in == stale->r->env->if_id_in || path->sa_in ||
	    path->sa_out || stale->n == 32)
		return;
	stale->if_id[stale->n++] = path->if_id_in;
}

/* A charon that died calls no down, and with %unique every connection leaves
 * a path under another id.  A path of this connection without any SA is dead:
 * up is called after the SAs are installed.
 */
static void remove_stale_paths(struct updown_run *r)
{
	struct ovly_req req = { .ifindex = r->link.ifindex };
	struct stale stale = { .r = r };
	struct ovly_nl_error refusal;
	struct err ignored;
	unsigned int i;

	/* without other paths there is nothing to look for */
	if (!r->has_peer || r->peer.paths <= (has_own_path(r) ? 1u : 0u))
		return;
	ovly_ctl_dump(r->nl, OVLY_CMD_PATH_GET, &req, collect_stale, &stale,
		      &refusal);
	for (i = 0; i < stale.n; i++)
		updown_path_del(r->nl, stale.if_id[i], &ignored);
}

/* Takes back what this call made; the first problem is the one to tell. */
static void undo(struct updown_run *r)
{
	bool p2p = r->link.dev.mode == OVLY_MODE_P2P;
	struct ovly_peer key = { .has = HAS(OVLY_A_PEER_NAME) };
	struct ovly_req req = { .ifindex = r->link.ifindex, .peer = &key };
	struct ovly_nl_error refusal;
	struct err ignored;
	unsigned int i;

	if (r->made_path)
		updown_path_del(r->nl, r->env->if_id_in, &ignored);
	if (r->made_peer) {
		memcpy(key.name, r->want.peer.name, sizeof(key.name));
		ovly_ctl_do(r->nl, OVLY_CMD_PEER_DEL, 0, &req, NULL, &refusal);
	} else if (r->changed_peer) {
		r->peer.has &= HAS(OVLY_A_PEER_NAME) | HAS(OVLY_A_PEER_ADDR) |
			       HAS(OVLY_A_PEER_ON_DOWN) |
			       HAS(OVLY_A_PEER_ROUTE_LIMIT) |
			       HAS(OVLY_A_PEER_LIMIT_ACTION) |
			       HAS(OVLY_A_PEER_BACKUP_ID) |
			       HAS(OVLY_A_PEER_MARK) |
			       HAS(OVLY_A_PEER_PRIORITY);
		send_peer(r, &r->peer, &ignored);
	}
	if (r->made_backup) {
		memcpy(key.name, r->want.peer.backup_name, sizeof(key.name));
		ovly_ctl_do(r->nl, OVLY_CMD_PEER_DEL, 0, &req, NULL, &refusal);
	}
	for (i = 0; i < r->want.local.n; i++)
		if (r->made_addr[i])
			ovly_rtnl_addr_del(r->nl, &r->link, &r->want.local.a[i],
					   p2p, &ignored);
	if (r->made_master)
		ovly_rtnl_link_set_master(r->nl, &r->link, 0, &ignored);
	/* somebody else may have put a peer there in the meantime */
	if (r->made_dev &&
	    ovly_rtnl_link_get(r->nl, r->conf->dev, &r->link, &ignored) &&
	    r->link.ifindex && !r->link.dev.peers)
		ovly_rtnl_link_del(r->nl, r->link.ifindex, &ignored);
}

bool updown_up(struct ovly_nl *nl, const struct updown_conf *conf,
	       const struct pluto *env, struct err *e)
{
	struct updown_run r = { .nl = nl, .conf = conf, .env = env };

	if (!prepare(&r, e))
		return false;
	/* The own addresses come behind the routes to the peer, as a daemon that waits
	 * for them, say for BGP, would send in clear.  They come before the path, as
	 * what arrives for them would be sent on.
	 */
	if (apply_dev(&r, e) && apply_vrf(&r, e) &&
	    apply_dev_settings(&r, e) && apply_peer(&r, e) &&
	    apply_link_up(&r, e) && updown_addrs_apply(&r, e) &&
	    updown_orphans_remove(&r.orphans, e) && apply_path(&r, e) &&
	    apply_route(&r, e)) {
		remove_stale_paths(&r);
		updown_addrs_settle(&r);
		return true;
	}
	undo(&r);
	return false;
}
