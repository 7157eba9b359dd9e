// SPDX-License-Identifier: GPL-2.0
/*
 * Objects to netlink attributes and back: the policies, the parsers that need
 * no other state, and one writer per object.
 */
#include "nl_attr.h"

#include <linux/if_link.h>
#include <linux/jiffies.h>

#include "device.h"
#include "net.h"
#include "path.h"
#include "peer.h"
#include "route.h"
#include "stats.h"
#include "underlay.h"

/* Read-only attributes are spelt out: rtnetlink does not refuse those of no policy. */
const struct nla_policy ovly_nl_dev_policy[OVLY_A_DEV_MAX + 1] = {
	[OVLY_A_DEV_MODE] = NLA_POLICY_MAX(NLA_U32, OVLY_MODE_MULTIPOINT),
	[OVLY_A_DEV_TABLE] = NLA_POLICY_MIN(NLA_U32, 1),
	[OVLY_A_DEV_SRC_VALID] = NLA_POLICY_MAX(NLA_U32, OVLY_SRC_VALID_OFF),
	[OVLY_A_DEV_CARRIER_FOLLOWS] = NLA_POLICY_MAX(NLA_U32, 1),
	[OVLY_A_DEV_ACTIVE_TABLE] = { .type = NLA_REJECT },
	[OVLY_A_DEV_PEERS] = { .type = NLA_REJECT },
	[OVLY_A_DEV_PEERS_UP] = { .type = NLA_REJECT },
	[OVLY_A_DEV_ROUTES] = { .type = NLA_REJECT },
	[OVLY_A_DEV_ROUTES_INSTALLED] = { .type = NLA_REJECT },
	[OVLY_A_DEV_STATS] = { .type = NLA_REJECT },
	[OVLY_A_DEV_PAD] = { .type = NLA_REJECT },
};

static int ovly_nl_check_ip(const struct nlattr *nla, struct netlink_ext_ack *extack)
{
	if (nla_len(nla) == sizeof(struct in_addr) || nla_len(nla) == sizeof(struct in6_addr))
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, nla, "ovly: an address has 4 or 16 bytes");
	return -EINVAL;
}

#define OVLY_NL_NAME	{ .type = NLA_NUL_STRING, .len = OVLY_NAME_MAX }
#define OVLY_NL_ID	NLA_POLICY_MIN(NLA_U32, 1)
#define OVLY_NL_IP	NLA_POLICY_VALIDATE_FN(NLA_BINARY, ovly_nl_check_ip,	\
					       sizeof(struct in6_addr))

const struct nla_policy ovly_nl_peer_policy[OVLY_A_PEER_MAX + 1] = {
	[OVLY_A_PEER_ID] = OVLY_NL_ID,
	[OVLY_A_PEER_NAME] = OVLY_NL_NAME,
	[OVLY_A_PEER_ADDR] = OVLY_NL_IP,
	[OVLY_A_PEER_ON_DOWN] = NLA_POLICY_MAX(NLA_U32, OVLY_ON_DOWN_WITHDRAW),
	[OVLY_A_PEER_ROUTE_LIMIT] = { .type = NLA_U32 },
	[OVLY_A_PEER_BACKUP_ID] = { .type = NLA_U32 },
	[OVLY_A_PEER_BACKUP_NAME] = OVLY_NL_NAME,
	[OVLY_A_PEER_LIMIT_ACTION] = NLA_POLICY_MAX(NLA_U32, OVLY_LIMIT_DISABLE),
	[OVLY_A_PEER_MARK] = { .type = NLA_U32 },
	[OVLY_A_PEER_PRIORITY] = { .type = NLA_U32 },
};

const struct nla_policy ovly_nl_peer_ref_policy[OVLY_A_PEER_MAX + 1] = {
	[OVLY_A_PEER_ID] = OVLY_NL_ID,
	[OVLY_A_PEER_NAME] = OVLY_NL_NAME,
};

const struct nla_policy ovly_nl_path_policy[OVLY_A_PATH_MAX + 1] = {
	[OVLY_A_PATH_IF_ID_IN] = OVLY_NL_ID,
	[OVLY_A_PATH_IF_ID_OUT] = OVLY_NL_ID,
	[OVLY_A_PATH_PEER_ID] = OVLY_NL_ID,
	[OVLY_A_PATH_PEER_NAME] = OVLY_NL_NAME,
	[OVLY_A_PATH_ENDPOINT] = OVLY_NL_IP,
	[OVLY_A_PATH_LOCAL] = OVLY_NL_IP,
	[OVLY_A_PATH_UNDERLAY] = { .type = NLA_U32 },
	[OVLY_A_PATH_PRIORITY] = { .type = NLA_U32 },
	[OVLY_A_PATH_LABEL] = OVLY_NL_NAME,
	[OVLY_A_PATH_REMOTE_ID] = { .type = NLA_NUL_STRING, .len = OVLY_REMOTE_ID_MAX },
};

const struct nla_policy ovly_nl_path_ref_policy[OVLY_A_PATH_MAX + 1] = {
	[OVLY_A_PATH_IF_ID_IN] = OVLY_NL_ID,
};

#define OVLY_NL_ROUTE_KEY						\
	[OVLY_A_ROUTE_DST] = OVLY_NL_IP,				\
	[OVLY_A_ROUTE_PREFIXLEN] = NLA_POLICY_MAX(NLA_U32, 128),	\
	[OVLY_A_ROUTE_METRIC] = { .type = NLA_U32 }
#define OVLY_NL_ROUTE_OWNER						\
	[OVLY_A_ROUTE_PROTOCOL] = NLA_POLICY_RANGE(NLA_U32, 1, 255),	\
	[OVLY_A_ROUTE_PEER_ID] = OVLY_NL_ID,				\
	[OVLY_A_ROUTE_PEER_NAME] = OVLY_NL_NAME

const struct nla_policy ovly_nl_route_policy[OVLY_A_ROUTE_MAX + 1] = {
	OVLY_NL_ROUTE_KEY,
	OVLY_NL_ROUTE_OWNER,
	[OVLY_A_ROUTE_VIA] = OVLY_NL_IP,
};

const struct nla_policy ovly_nl_route_key_policy[OVLY_A_ROUTE_MAX + 1] = {
	OVLY_NL_ROUTE_KEY,
};

const struct nla_policy ovly_nl_route_filter_policy[OVLY_A_ROUTE_MAX + 1] = {
	OVLY_NL_ROUTE_OWNER,
	[OVLY_A_ROUTE_FAMILY] = NLA_POLICY_RANGE(NLA_U32, AF_INET, AF_INET6),
};

/* What names one and what chooses some: the operation refuses either. */
const struct nla_policy ovly_nl_route_get_policy[OVLY_A_ROUTE_MAX + 1] = {
	OVLY_NL_ROUTE_KEY,
	OVLY_NL_ROUTE_OWNER,
	[OVLY_A_ROUTE_FAMILY] = NLA_POLICY_RANGE(NLA_U32, AF_INET, AF_INET6),
};

static void ovly_nl_get_u32(const struct nlattr *nla, bool *has, u32 *value)
{
	*has = nla;
	*value = nla ? nla_get_u32(nla) : 0;
}

/**
 * ovly_nl_parse_dev() - what a request says about a device
 * @tb: parsed attributes, or NULL
 * @conf: filled in
 * @extack: says what is wrong
 */
int ovly_nl_parse_dev(struct nlattr *tb[], struct ovly_dev_conf *conf,
		      struct netlink_ext_ack *extack)
{
	memset(conf, 0, sizeof(*conf));
	if (!tb)
		return 0;
	conf->mode_nla = tb[OVLY_A_DEV_MODE];
	if (conf->mode_nla)
		conf->mode = nla_get_u32(conf->mode_nla);
	conf->table_nla = tb[OVLY_A_DEV_TABLE];
	if (conf->table_nla)
		conf->table = nla_get_u32(conf->table_nla);
	ovly_nl_get_u32(tb[OVLY_A_DEV_SRC_VALID], &conf->has_src_valid, &conf->src_valid);
	ovly_nl_get_u32(tb[OVLY_A_DEV_CARRIER_FOLLOWS], &conf->has_carrier_follows,
			&conf->carrier_follows);
	if (conf->table_nla && conf->table == RT_TABLE_LOCAL) {
		NL_SET_ERR_MSG_ATTR(extack, tb[OVLY_A_DEV_TABLE],
				    "ovly: table local is the kernel's own");
		return -EINVAL;
	}
	return 0;
}

/**
 * ovly_nl_check_link() - refuse attributes of a link that this module does not know
 * @linkinfo: IFLA_LINKINFO of the request, or NULL; rtnetlink passes over them
 * @extack: says which
 */
int ovly_nl_check_link(const struct nlattr *linkinfo, struct netlink_ext_ack *extack)
{
	const struct nlattr *info, *nla;
	int rem_info, rem;

	if (!linkinfo)
		return 0;
	nla_for_each_nested(info, linkinfo, rem_info) {
		if (nla_type(info) != IFLA_INFO_DATA)
			continue;
		nla_for_each_nested(nla, info, rem) {
			if (nla_type(nla) && nla_type(nla) <= OVLY_A_DEV_MAX)
				continue;
			NL_SET_ERR_MSG_ATTR(extack, nla, "ovly: unknown attribute of a device");
			return -EINVAL;
		}
	}
	return 0;
}

/* The address in an attribute whose policy is OVLY_NL_IP. */
struct ovly_ip ovly_nl_get_ip(const struct nlattr *nla)
{
	struct in6_addr v6;

	if (nla_len(nla) == sizeof(struct in_addr))
		return ovly_ip_v4(nla_get_in_addr(nla));
	v6 = nla_get_in6_addr(nla);
	return ovly_ip_v6(&v6);
}

int ovly_nl_put_ip(struct sk_buff *skb, int type, const struct ovly_ip *ip)
{
	return nla_put(skb, type, ovly_ip_len(ip->family), &ip->v6);
}

static int ovly_nl_put_u64(struct sk_buff *skb, int type, u64 value, int pad)
{
	return nla_put_u64_64bit(skb, type, value, pad);
}

static int ovly_nl_put_stats(struct sk_buff *skb, int type, const struct ovly_stats_sum *sum)
{
	struct nlattr *nest;
	int i;

	nest = nla_nest_start(skb, type);
	if (!nest)
		return -EMSGSIZE;
	for (i = 0; i < OVLY_STATS_N; i++)
		if (ovly_nl_put_u64(skb, OVLY_STATS_FIRST + i, sum->v[i], OVLY_A_STATS_PAD))
			return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/* Milliseconds since @then, in jiffies64. */
static u64 ovly_nl_since(u64 then)
{
	return jiffies64_to_msecs(get_jiffies_64() - then);
}

size_t ovly_nl_dev_size(void)
{
	return 9 * nla_total_size(sizeof(u32)) + nla_total_size(0) +
	       OVLY_STATS_N * nla_total_size_64bit(sizeof(u64));
}

/**
 * ovly_nl_put_dev() - the attributes of a device, not nested
 * @skb: where to
 * @ovly: the device
 *
 * Context: any; takes no lock, rtnetlink calls it under RTNL.
 */
int ovly_nl_put_dev(struct sk_buff *skb, const struct ovly_dev *ovly)
{
	const struct ovly_sync *sync = &ovly->sync;
	bool synced = READ_ONCE(sync->synced) == atomic_read(&sync->epoch);
	struct ovly_stats_sum sum;

	ovly_stats_add_up(ovly->traffic, &ovly->drops, &sum);
	if (nla_put_u32(skb, OVLY_A_DEV_MODE, ovly->mode) ||
	    nla_put_u32(skb, OVLY_A_DEV_TABLE, ovly->table) ||
	    nla_put_u32(skb, OVLY_A_DEV_SRC_VALID, READ_ONCE(ovly->src_valid)) ||
	    nla_put_u32(skb, OVLY_A_DEV_CARRIER_FOLLOWS, READ_ONCE(ovly->carrier_follows)) ||
	    nla_put_u32(skb, OVLY_A_DEV_ACTIVE_TABLE, READ_ONCE(sync->table) ?: ovly->table) ||
	    nla_put_u32(skb, OVLY_A_DEV_PEERS, READ_ONCE(ovly->n_peers)) ||
	    nla_put_u32(skb, OVLY_A_DEV_PEERS_UP, READ_ONCE(ovly->peers_up)) ||
	    nla_put_u32(skb, OVLY_A_DEV_ROUTES, READ_ONCE(ovly->n_routes)) ||
	    nla_put_u32(skb, OVLY_A_DEV_ROUTES_INSTALLED,
			synced ? READ_ONCE(sync->installed) : 0) ||
	    ovly_nl_put_stats(skb, OVLY_A_DEV_STATS, &sum))
		return -EMSGSIZE;
	return 0;
}

/* The peer that backs @peer, and whether its path is in use. */
static int ovly_nl_put_backup(struct sk_buff *skb, const struct ovly_peer *peer)
{
	const struct ovly_peer *backup;
	bool via = false;
	int err = 0;
	u32 id = 0;

	rcu_read_lock();
	backup = rcu_dereference(peer->backup);
	if (backup) {
		id = backup->id;
		via = !ovly_peer_is_up(peer) && ovly_peer_is_up(backup);
		err = nla_put_string(skb, OVLY_A_PEER_BACKUP_NAME, backup->name);
	}
	rcu_read_unlock();
	return err || nla_put_u32(skb, OVLY_A_PEER_BACKUP_ID, id) ||
	       nla_put_u32(skb, OVLY_A_PEER_VIA_BACKUP, via) ? -EMSGSIZE : 0;
}

static int ovly_nl_put_peer_use(struct sk_buff *skb, const struct ovly_stats_sum *sum)
{
	return (sum->last_rx && ovly_nl_put_u64(skb, OVLY_A_PEER_LAST_RX,
						ovly_nl_since(sum->last_rx), OVLY_A_PEER_PAD)) ||
	       (sum->last_tx && ovly_nl_put_u64(skb, OVLY_A_PEER_LAST_TX,
						ovly_nl_since(sum->last_tx), OVLY_A_PEER_PAD)) ?
	       -EMSGSIZE : 0;
}

/**
 * ovly_nl_put_peer() - a PEER nest
 * @skb: where to
 * @peer: the peer
 *
 * Context: the caller holds &ovly_net.path_lock.
 * Return: 0, or -EMSGSIZE with a nest left open; the caller cancels the message
 */
int ovly_nl_put_peer(struct sk_buff *skb, const struct ovly_peer *peer)
{
	const struct ovly_net *on = ovly_net(peer->ovly->net);
	const struct ovly_path *active;
	const struct ovly_addr *addr;
	struct ovly_stats_sum sum;
	struct nlattr *nest;

	lockdep_assert_held(&on->path_lock);
	ovly_stats_add_up(peer->traffic, &peer->drops, &sum);
	nest = nla_nest_start(skb, OVLY_A_PEER);
	if (!nest)
		return -EMSGSIZE;
	if (nla_put_u32(skb, OVLY_A_PEER_ID, peer->id) ||
	    nla_put_string(skb, OVLY_A_PEER_NAME, peer->name))
		return -EMSGSIZE;
	list_for_each_entry(addr, &peer->addrs, list)
		if (ovly_nl_put_ip(skb, OVLY_A_PEER_ADDR, &addr->ip))
			return -EMSGSIZE;
	active = rcu_dereference_protected(peer->active, lockdep_is_held(&on->path_lock));
	if (nla_put_u32(skb, OVLY_A_PEER_ON_DOWN, READ_ONCE(peer->on_down)) ||
	    nla_put_u32(skb, OVLY_A_PEER_ROUTE_LIMIT, READ_ONCE(peer->route_limit)) ||
	    nla_put_u32(skb, OVLY_A_PEER_STATE, active ? OVLY_PEER_UP : OVLY_PEER_DOWN) ||
	    nla_put_u32(skb, OVLY_A_PEER_ROUTES, READ_ONCE(peer->n_routes)) ||
	    nla_put_u32(skb, OVLY_A_PEER_PATHS, peer->n_paths) ||
	    (active && nla_put_u32(skb, OVLY_A_PEER_ACTIVE_PATH, active->if_id_in)) ||
	    nla_put_u32(skb, OVLY_A_PEER_TRANSITIONS, peer->transitions) ||
	    ovly_nl_put_u64(skb, OVLY_A_PEER_SINCE, ovly_nl_since(peer->since),
			    OVLY_A_PEER_PAD) ||
	    ovly_nl_put_stats(skb, OVLY_A_PEER_STATS, &sum) ||
	    nla_put_u32(skb, OVLY_A_PEER_LIMIT_ACTION, READ_ONCE(peer->limit_action)) ||
	    nla_put_u32(skb, OVLY_A_PEER_MARK, READ_ONCE(peer->mark)) ||
	    nla_put_u32(skb, OVLY_A_PEER_PRIORITY, READ_ONCE(peer->priority)) ||
	    nla_put_u32(skb, OVLY_A_PEER_ROUTES_DISABLED, READ_ONCE(peer->routes_disabled)) ||
	    ovly_nl_put_backup(skb, peer) || ovly_nl_put_peer_use(skb, &sum))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int ovly_nl_put_underlay(struct sk_buff *skb, struct ovly_net *on,
				const struct ovly_underlay *underlay)
{
	char name[IFNAMSIZ];

	if (nla_put_u32(skb, OVLY_A_PATH_UNDERLAY, ovly_underlay_ifindex(underlay)))
		return -EMSGSIZE;
	if (!underlay)
		return 0;
	ovly_underlay_read_name(on, underlay, name);
	return nla_put_string(skb, OVLY_A_PATH_UNDERLAY_NAME, name);
}

/**
 * ovly_nl_put_path() - a PATH nest
 * @skb: where to
 * @path: the path
 * @previous: its endpoint before, in the event that tells, or NULL
 *
 * Context: the caller holds &ovly_net.path_lock.
 * Return: 0, or -EMSGSIZE with a nest left open; the caller cancels the message
 */
int ovly_nl_put_path(struct sk_buff *skb, const struct ovly_path *path,
		     const struct ovly_ip *previous)
{
	struct ovly_net *on = ovly_net(path->peer->ovly->net);
	const struct ovly_underlay *underlay;
	u32 mtu = READ_ONCE(path->mtu);
	struct nlattr *nest;

	lockdep_assert_held(&on->path_lock);
	underlay = rcu_dereference_protected(path->underlay, lockdep_is_held(&on->path_lock));
	nest = nla_nest_start(skb, OVLY_A_PATH);
	if (!nest)
		return -EMSGSIZE;
	if (nla_put_u32(skb, OVLY_A_PATH_IF_ID_IN, path->if_id_in) ||
	    nla_put_u32(skb, OVLY_A_PATH_IF_ID_OUT, path->if_id_out) ||
	    nla_put_u32(skb, OVLY_A_PATH_PEER_ID, path->peer->id) ||
	    nla_put_string(skb, OVLY_A_PATH_PEER_NAME, path->peer->name) ||
	    (path->endpoint.family &&
	     ovly_nl_put_ip(skb, OVLY_A_PATH_ENDPOINT, &path->endpoint)) ||
	    (path->local.family && ovly_nl_put_ip(skb, OVLY_A_PATH_LOCAL, &path->local)) ||
	    ovly_nl_put_underlay(skb, on, underlay) ||
	    (mtu && nla_put_u32(skb, OVLY_A_PATH_MTU, mtu)) ||
	    (previous && ovly_nl_put_ip(skb, OVLY_A_PATH_PREVIOUS_ENDPOINT, previous)) ||
	    nla_put_u32(skb, OVLY_A_PATH_PRIORITY, path->priority) ||
	    (path->label[0] && nla_put_string(skb, OVLY_A_PATH_LABEL, path->label)) ||
	    (path->remote_id && nla_put_string(skb, OVLY_A_PATH_REMOTE_ID, path->remote_id)) ||
	    nla_put_u32(skb, OVLY_A_PATH_STATE, path->state) ||
	    nla_put_u32(skb, OVLY_A_PATH_SA_IN, path->sa_in) ||
	    nla_put_u32(skb, OVLY_A_PATH_SA_OUT, path->sa_out) ||
	    ovly_nl_put_u64(skb, OVLY_A_PATH_SINCE, ovly_nl_since(path->since),
			    OVLY_A_PATH_PAD))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/**
 * ovly_nl_put_route() - a ROUTE nest
 * @skb: where to
 * @route: the route, its device locked
 *
 * Return: 0, or -EMSGSIZE with a nest left open; the caller cancels the message
 */
int ovly_nl_put_route(struct sk_buff *skb, struct ovly_route *route)
{
	struct nlattr *nest;
	u32 flags = 0;

	nest = nla_nest_start(skb, OVLY_A_ROUTE);
	if (!nest)
		return -EMSGSIZE;
	if (ovly_sync_installed(route))
		flags |= OVLY_ROUTE_F_INSTALLED;
	if (route->system)
		flags |= OVLY_ROUTE_F_SYSTEM;
	if (ovly_route_is_shared(route))
		flags |= OVLY_ROUTE_F_MULTIPATH;
	if (ovly_nl_put_ip(skb, OVLY_A_ROUTE_DST, &route->key.dst) ||
	    nla_put_u32(skb, OVLY_A_ROUTE_PREFIXLEN, route->key.len) ||
	    nla_put_u32(skb, OVLY_A_ROUTE_METRIC, route->key.metric) ||
	    nla_put_u32(skb, OVLY_A_ROUTE_PROTOCOL, route->protocol) ||
	    nla_put_u32(skb, OVLY_A_ROUTE_PEER_ID, route->peer->id) ||
	    nla_put_string(skb, OVLY_A_ROUTE_PEER_NAME, route->peer->name) ||
	    nla_put_u32(skb, OVLY_A_ROUTE_FLAGS, flags) ||
	    (route->err && nla_put_u32(skb, OVLY_A_ROUTE_ERROR, route->err)))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}
