// SPDX-License-Identifier: GPL-2.0
/* Generic netlink: routes, in batches. */
#include <linux/ipv6_route.h>
#include <linux/rtnetlink.h>
#include <net/genetlink.h>

#include "compat.h"
#include "device.h"
#include "fib.h"
#include "netlink.h"
#include "nl_attr.h"
#include "peer.h"
#include "route.h"

/* Room for what is reported of one refused entry, with and without text. */
#define OVLY_NL_REFUSED_SIZE	160
#define OVLY_NL_REFUSED_BARE	(nla_total_size(0) + 2 * nla_total_size(sizeof(u32)))

/**
 * struct ovly_nl_batch - a batch request while it is applied
 * @sync: the changes of the routing table
 * @info: the request
 * @sweeping: it is part of a mark and sweep
 * @reply: the answer, grows a REFUSED nest for each refused entry; sent when it is
 *	full, and followed by another
 * @hdr: its header
 * @entries: entries in the request
 * @refused: entries refused
 * @index: the entry being looked at
 * @err: why the last refused one was
 * @msg: the same in words
 * @lost: why a part of the answer could not be sent, or 0
 */
struct ovly_nl_batch {
	struct ovly_sync_batch sync;
	struct genl_info *info;
	bool sweeping;
	struct sk_buff *reply;
	void *hdr;
	u32 entries;
	u32 refused;
	u32 index;
	int err;
	const char *msg;
	int lost;
};

/* Applies one entry, the nest @nla, parsed to @tb; 0 or an error with extack. */
typedef int (*ovly_nl_entry_t)(struct ovly_nl_batch *batch, const struct nlattr *nla,
			       struct nlattr *tb[], struct netlink_ext_ack *extack);

static bool ovly_nl_batch_reply_new(struct ovly_nl_batch *batch, size_t size)
{
	batch->reply = genlmsg_new(size, GFP_KERNEL);
	if (!batch->reply)
		return false;
	batch->hdr = ovly_nl_reply_start(batch->reply, batch->info, batch->sync.ovly);
	return !WARN_ON_ONCE(!batch->hdr);
}

/* The answer has room for @size bytes, and APPLIED behind them. */
static bool ovly_nl_batch_reply_room(struct ovly_nl_batch *batch, size_t size)
{
	if (batch->lost)
		return false;
	if (skb_tailroom(batch->reply) >= size + nla_total_size(sizeof(u32)))
		return true;
	genlmsg_end(batch->reply, batch->hdr);
	batch->lost = genlmsg_reply(batch->reply, batch->info);
	batch->reply = NULL;
	if (!batch->lost && !ovly_nl_batch_reply_new(batch, NLMSG_DEFAULT_SIZE))
		batch->lost = -ENOMEM;
	return !batch->lost;
}

static void ovly_nl_refuse(struct ovly_nl_batch *batch, u32 index, int err, const char *msg)
{
	/* Thousands are to fit into the receive buffer of whoever asked. */
	bool text = batch->refused++ < OVLY_REFUSED_MAX;
	struct sk_buff *skb;
	struct nlattr *nest;

	batch->err = err;
	batch->msg = msg;
	if (!ovly_nl_batch_reply_room(batch, text ? OVLY_NL_REFUSED_SIZE : OVLY_NL_REFUSED_BARE))
		return;
	skb = batch->reply;
	nest = nla_nest_start(skb, OVLY_A_REFUSED);
	if (WARN_ON_ONCE(!nest))
		return;
	if (WARN_ON_ONCE(nla_put_u32(skb, OVLY_A_REFUSED_INDEX, index) ||
			 nla_put_u32(skb, OVLY_A_REFUSED_ERROR, -err) ||
			 (text && nla_put_string(skb, OVLY_A_REFUSED_MESSAGE,
						 msg ?: "ovly: refused"))))
		nla_nest_cancel(skb, nest);
	else
		nla_nest_end(skb, nest);
}

/* The routing table would not have a route. */
static void ovly_nl_table_refused(void *context, const struct ovly_route *route, int err)
{
	if (route->tag == OVLY_ROUTE_UNASKED) {
		net_warn_ratelimited("%s: the table refuses a route of peer %s: error %d\n",
				     netdev_name(route->peer->ovly->dev), route->peer->name, err);
		return;
	}
	ovly_nl_refuse(context, route->tag, err, err == -EEXIST ?
		       "ovly: the table has somebody else's route to this prefix" :
		       "ovly: the table refused the route");
}

/* The cookie of a request, which a begin of the device has given; 0 if it has none. */
static int ovly_nl_get_cookie(struct genl_info *info, const struct ovly_dev *ovly, u64 *cookie)
{
	const struct nlattr *nla = info->attrs[OVLY_A_COOKIE];

	*cookie = nla ? nla_get_u64(nla) : 0;
	if (!nla || (*cookie && *cookie <= ovly->sweep_clock))
		return 0;
	NL_SET_ERR_MSG_ATTR(info->extack, nla, "ovly: the cookie is of no begin of this device");
	return -EINVAL;
}

/* Applies @entry to every entry of the request, and reports. */
static int ovly_nl_batch(struct genl_info *info, ovly_nl_entry_t entry)
{
	struct nlattr *tb[OVLY_A_ROUTE_MAX + 1];
	struct nlattr *attrs = genlmsg_data(info->genlhdr);
	int len = genlmsg_len(info->genlhdr);
	struct ovly_nl_batch batch = { .info = info };
	struct ovly_dev *ovly;
	struct nlattr *nla;
	int err, rem;
	u64 cookie;

	if (ovly_nl_missing(info, OVLY_A_ROUTE))
		return -EINVAL;
	/* The policy looks at the last entry alone; malformed ones refuse all. */
	nla_for_each_attr(nla, attrs, len, rem) {
		if (nla_type(nla) != OVLY_A_ROUTE)
			continue;
		err = nla_parse_nested(tb, OVLY_A_ROUTE_MAX, nla, ovly_nl_route_policy,
				       info->extack);
		if (err)
			return err;
		batch.entries++;
	}

	ovly = ovly_nl_lock(info);
	if (IS_ERR(ovly))
		return PTR_ERR(ovly);
	err = ovly_nl_get_cookie(info, ovly, &cookie);
	if (err)
		goto out;
	batch.sweeping = cookie;
	err = -ENOMEM;
	batch.sync.ovly = ovly;
	if (!ovly_nl_batch_reply_new(&batch, 256 + min_t(u32, batch.entries, OVLY_REFUSED_MAX) *
				     OVLY_NL_REFUSED_SIZE))
		goto out;
	ovly_sync_begin(&batch.sync, ovly);
	batch.sync.refused = ovly_nl_table_refused;
	batch.sync.context = &batch;

	nla_for_each_attr(nla, attrs, len, rem) {
		struct netlink_ext_ack one = {};
		/* The refusal of a single entry is that of the request. */
		struct netlink_ext_ack *why = batch.entries == 1 ? info->extack : &one;

		if (nla_type(nla) != OVLY_A_ROUTE)
			continue;
		nla_parse_nested(tb, OVLY_A_ROUTE_MAX, nla, ovly_nl_route_policy, NULL);
		err = entry(&batch, nla, tb, why);
		if (err)
			ovly_nl_refuse(&batch, batch.index, err, why->_msg);
		batch.index++;
		cond_resched();
	}
	ovly_sync_end(&batch.sync);

	err = batch.lost;
	if (err) {
		NL_SET_ERR_MSG_MOD(info->extack,
				   "the batch is applied, but not all that was refused of it could be told");
		goto out;
	}
	if (batch.entries == 1 && batch.refused) {
		err = batch.err;
		info->extack->_msg = batch.msg;
		ovly_nl_blame(info, OVLY_A_ROUTE, err);
		goto out;
	}
	if (WARN_ON_ONCE(nla_put_u32(batch.reply, OVLY_A_APPLIED, batch.entries - batch.refused)))
		goto out;
	genlmsg_end(batch.reply, batch.hdr);
	ovly_nl_unlock(ovly);
	return genlmsg_reply(batch.reply, info);

out:
	ovly_nl_unlock(ovly);
	nlmsg_free(batch.reply);
	return err;
}

static int ovly_nl_parse_key(const struct nlattr *nest, struct nlattr *tb[],
			     struct ovly_route_key *key, struct netlink_ext_ack *extack)
{
	struct ovly_ip prefix;
	u32 len;

	memset(key, 0, sizeof(*key));
	if (!tb[OVLY_A_ROUTE_DST] || !tb[OVLY_A_ROUTE_PREFIXLEN]) {
		ovly_compat_set_missing(extack, nest, tb[OVLY_A_ROUTE_DST] ?
					OVLY_A_ROUTE_PREFIXLEN : OVLY_A_ROUTE_DST);
		NL_SET_ERR_MSG_MOD(extack, "a route needs a prefix and its length");
		return -EINVAL;
	}
	key->dst = ovly_nl_get_ip(tb[OVLY_A_ROUTE_DST]);
	len = nla_get_u32(tb[OVLY_A_ROUTE_PREFIXLEN]);
	if (len > ovly_ip_bits(key->dst.family)) {
		NL_SET_ERR_MSG_ATTR(extack, tb[OVLY_A_ROUTE_PREFIXLEN],
				    "ovly: the prefix length is longer than the address");
		return -EINVAL;
	}
	prefix = ovly_ip_prefix(&key->dst, len);
	if (!ovly_ip_eq(&prefix, &key->dst)) {
		NL_SET_ERR_MSG_ATTR(extack, tb[OVLY_A_ROUTE_DST],
				    "ovly: the prefix has host bits set");
		return -EINVAL;
	}
	key->len = len;
	key->metric = tb[OVLY_A_ROUTE_METRIC] ? nla_get_u32(tb[OVLY_A_ROUTE_METRIC]) : 0;
	if (key->dst.family == AF_INET6 && !key->metric)
		key->metric = IP6_RT_PRIO_USER;
	return 0;
}

static struct ovly_peer *ovly_nl_find_via(struct ovly_nl_batch *batch, const struct nlattr *nla,
					  struct netlink_ext_ack *extack)
{
	struct ovly_dev *ovly = batch->sync.ovly;
	struct ovly_ip via = ovly_nl_get_ip(nla);
	struct ovly_route *route;
	struct ovly_peer *peer;

	/* What covers it may be changing hands, or be refused, in this very batch. */
	route = ovly_peer_find_addr(ovly, &via) ? NULL : ovly_route_longest(ovly, &via);
	if (route && route->queued)
		ovly_sync_commit(&batch->sync);
	peer = ovly_peer_find_via(ovly, &via);
	if (!peer) {
		NL_SET_ERR_MSG_ATTR(extack, nla,
				    "ovly: no peer of the device has or covers the next hop");
		return ERR_PTR(-EHOSTUNREACH);
	}
	return peer;
}

static int ovly_nl_add_owner(struct ovly_route_want *want, struct ovly_peer *peer,
			     const struct nlattr *nla, struct netlink_ext_ack *extack)
{
	unsigned int i;

	if (IS_ERR(peer))
		return PTR_ERR(peer);
	for (i = 0; i < want->n_owners; i++)
		if (want->owners[i] == peer)
			return 0;
	if (want->n_owners == OVLY_OWNERS_MAX) {
		NL_SET_ERR_MSG_ATTR(extack, nla, "ovly: a route has at most 16 owners");
		return -E2BIG;
	}
	want->owners[want->n_owners++] = peer;
	return 0;
}

/* Adds the owners that an entry names, if any. */
static int ovly_nl_parse_owners(struct ovly_nl_batch *batch, const struct nlattr *nest,
				struct ovly_route_want *want, struct netlink_ext_ack *extack)
{
	struct ovly_dev *ovly = batch->sync.ovly;
	struct ovly_peer *peer;
	const struct nlattr *nla;
	int rem, err;

	nla_for_each_nested(nla, nest, rem) {
		switch (nla_type(nla)) {
		case OVLY_A_ROUTE_PEER_ID:
			peer = ovly_nl_find_peer(ovly, nla, NULL, extack);
			break;
		case OVLY_A_ROUTE_PEER_NAME:
			peer = ovly_nl_find_peer(ovly, NULL, nla, extack);
			break;
		case OVLY_A_ROUTE_VIA:
			peer = ovly_nl_find_via(batch, nla, extack);
			break;
		default:
			continue;
		}
		err = ovly_nl_add_owner(want, peer, nla, extack);
		if (err)
			return err;
	}
	return 0;
}

static int ovly_nl_route_protocol(struct nlattr *tb[], u8 *protocol,
				  struct netlink_ext_ack *extack)
{
	*protocol = RTPROT_BOOT;
	if (tb[OVLY_A_ROUTE_PROTOCOL])
		*protocol = nla_get_u32(tb[OVLY_A_ROUTE_PROTOCOL]);
	if (*protocol != OVLY_RTPROT)
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, tb[OVLY_A_ROUTE_PROTOCOL],
			    "ovly: protocol 220 is for the module's own routes");
	return -EINVAL;
}

/* Do routes that earlier entries take from a peer, or that the table may refuse, still
 * count against its limit?
 */
static bool ovly_nl_limit_is_reached(const struct ovly_route_want *want)
{
	const struct ovly_peer *owner;
	unsigned int i;

	for (i = 0; i < want->n_owners; i++) {
		owner = want->owners[i];
		if (owner->route_limit && owner->n_routes >= owner->route_limit)
			return true;
	}
	return false;
}

static int ovly_nl_route_new_one(struct ovly_nl_batch *batch, const struct nlattr *nla,
				 struct nlattr *tb[], struct netlink_ext_ack *extack)
{
	struct ovly_route_want want = {
		.flags = batch->info->nlhdr->nlmsg_flags,
		.sweeping = batch->sweeping,
	};
	struct ovly_dev *ovly = batch->sync.ovly;
	struct ovly_route *route;
	int err;

	err = ovly_nl_parse_key(nla, tb, &want.key, extack);
	if (!err)
		err = ovly_nl_route_protocol(tb, &want.protocol, extack);
	if (!err)
		err = ovly_nl_parse_owners(batch, nla, &want, extack);
	if (err)
		return err;
	if (!want.n_owners) {
		ovly_compat_set_missing(extack, nla, OVLY_A_ROUTE_PEER_NAME);
		NL_SET_ERR_MSG_MOD(extack, "the request names no peer");
		return -EINVAL;
	}

	/* Named twice in one batch: the first is not to be changed under way. */
	route = ovly_route_find(ovly, &want.key);
	if ((route && route->queued) || ovly_nl_limit_is_reached(&want))
		ovly_sync_commit(&batch->sync);

	route = ovly_route_want(ovly, &want, extack);
	if (IS_ERR(route))
		return PTR_ERR(route);
	for (route = ovly_route_head(route); route; route = ovly_route_next_owner(route))
		route->tag = batch->index;
	ovly_sync_route(&batch->sync, ovly_route_find(ovly, &want.key));
	return 0;
}

int ovly_nl_route_new(struct sk_buff *skb, struct genl_info *info)
{
	return ovly_nl_batch(info, ovly_nl_route_new_one);
}

/* The next of a group, from @route on, that a deletion means, or NULL. */
static struct ovly_route *ovly_nl_route_meant(struct ovly_route *route,
					      const struct ovly_route_want *which, u8 protocol)
{
	for (; route; route = ovly_route_next_owner(route))
		if ((!which->n_owners || ovly_route_want_has(which, route->peer)) &&
		    (!protocol || route->protocol == protocol))
			return route;
	return NULL;
}

static int ovly_nl_route_check_del(struct ovly_dev *ovly, const struct ovly_route_want *which,
				   u8 protocol, struct netlink_ext_ack *extack)
{
	struct ovly_route *route = ovly_route_find(ovly, &which->key);
	unsigned int i;

	if (!route) {
		NL_SET_ERR_MSG_MOD(extack, "no peer owns this route");
		return -ENOENT;
	}
	if (route->system) {
		NL_SET_ERR_MSG_MOD(extack, "the route to a system address goes with the address");
		return -EBUSY;
	}
	for (i = 0; i < which->n_owners; i++) {
		if (!ovly_route_find_of(ovly, &which->key, which->owners[i])) {
			NL_SET_ERR_MSG_MOD(extack, "another peer owns this route");
			return -ENOENT;
		}
	}
	if (!ovly_nl_route_meant(route, which, protocol)) {
		NL_SET_ERR_MSG_MOD(extack, "the route is of another protocol");
		return -ENOENT;
	}
	return 0;
}

static int ovly_nl_route_del_one(struct ovly_nl_batch *batch, const struct nlattr *nla,
				 struct nlattr *tb[], struct netlink_ext_ack *extack)
{
	struct ovly_dev *ovly = batch->sync.ovly;
	struct ovly_route_want which = {};
	struct ovly_route *route;
	u8 protocol = 0;
	int err;

	/* Who names owners or a protocol means what these own only. */
	if (tb[OVLY_A_ROUTE_PROTOCOL])
		protocol = nla_get_u32(tb[OVLY_A_ROUTE_PROTOCOL]);
	err = ovly_nl_parse_key(nla, tb, &which.key, extack);
	if (!err)
		err = ovly_nl_parse_owners(batch, nla, &which, extack);
	if (err)
		return err;
	/* The entry before may have been another owner's. */
	route = ovly_route_find(ovly, &which.key);
	if (route && route->queued)
		ovly_sync_commit(&batch->sync);
	err = ovly_nl_route_check_del(ovly, &which, protocol, extack);
	if (err)
		return err;

	for (route = ovly_route_find(ovly, &which.key); route;
	     route = ovly_route_next_owner(route)) {
		route->tag = batch->index;
		route->doomed = ovly_nl_route_meant(route, &which, protocol) == route;
	}
	ovly_sync_route(&batch->sync, ovly_route_find(ovly, &which.key));
	return 0;
}

int ovly_nl_route_del(struct sk_buff *skb, struct genl_info *info)
{
	return ovly_nl_batch(info, ovly_nl_route_del_one);
}

static int ovly_nl_parse_filter(struct ovly_dev *ovly, const struct nlattr *nest,
				struct ovly_route_filter *filter,
				struct netlink_ext_ack *extack)
{
	struct nlattr *tb[OVLY_A_ROUTE_MAX + 1];
	int err;

	memset(filter, 0, sizeof(*filter));
	if (!nest)
		return 0;
	err = nla_parse_nested(tb, OVLY_A_ROUTE_MAX, nest, ovly_nl_route_filter_policy, extack);
	if (err)
		return err;
	if (tb[OVLY_A_ROUTE_PEER_ID] || tb[OVLY_A_ROUTE_PEER_NAME]) {
		filter->peer = ovly_nl_find_peer(ovly, tb[OVLY_A_ROUTE_PEER_ID],
						 tb[OVLY_A_ROUTE_PEER_NAME], extack);
		if (IS_ERR(filter->peer))
			return PTR_ERR(filter->peer);
	}
	if (tb[OVLY_A_ROUTE_PROTOCOL])
		filter->protocol = nla_get_u32(tb[OVLY_A_ROUTE_PROTOCOL]);
	if (tb[OVLY_A_ROUTE_FAMILY])
		filter->family = nla_get_u32(tb[OVLY_A_ROUTE_FAMILY]);
	if (filter->family && filter->family != AF_INET && filter->family != AF_INET6) {
		NL_SET_ERR_MSG_ATTR(extack, tb[OVLY_A_ROUTE_FAMILY],
				    "ovly: routes are of IPv4 or of IPv6");
		return -EINVAL;
	}
	return 0;
}

/* Made before anything is changed: what is done can be told. */
static struct sk_buff *ovly_nl_reply_new(void)
{
	return genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);
}

/* Takes @reply. */
static int ovly_nl_reply_value(struct sk_buff *reply, struct genl_info *info,
			       const struct ovly_dev *ovly, const u32 *applied, const u64 *cookie)
{
	void *hdr;

	hdr = ovly_nl_reply_start(reply, info, ovly);
	if (!hdr || (applied && nla_put_u32(reply, OVLY_A_APPLIED, *applied)) ||
	    (cookie && nla_put_u64_64bit(reply, OVLY_A_COOKIE, *cookie, OVLY_A_PAD))) {
		nlmsg_free(reply);
		return -EMSGSIZE;
	}
	genlmsg_end(reply, hdr);
	return genlmsg_reply(reply, info);
}

/* Removes what the request's filter means and is older than the begin that gave its
 * cookie, or all that it means without one.
 */
static int ovly_nl_route_sweep(struct genl_info *info)
{
	struct sk_buff *reply = ovly_nl_reply_new();
	struct ovly_route_filter filter;
	struct ovly_sync_batch batch;
	struct ovly_dev *ovly;
	u32 removed;
	int err;

	if (!reply)
		return -ENOMEM;
	ovly = ovly_nl_lock(info);
	if (IS_ERR(ovly)) {
		nlmsg_free(reply);
		return PTR_ERR(ovly);
	}
	err = ovly_nl_parse_filter(ovly, info->attrs[OVLY_A_ROUTE], &filter, info->extack);
	if (!err)
		err = ovly_nl_get_cookie(info, ovly, &filter.before);
	if (err)
		goto out;
	ovly_sync_begin(&batch, ovly);
	removed = ovly_sync_sweep(&batch, &filter);
	ovly_sync_end(&batch);
	err = ovly_nl_reply_value(reply, info, ovly, &removed, NULL);
	reply = NULL;
out:
	ovly_nl_unlock(ovly);
	nlmsg_free(reply);
	return err;
}

int ovly_nl_route_flush(struct sk_buff *skb, struct genl_info *info)
{
	if (info->attrs[OVLY_A_COOKIE]) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[OVLY_A_COOKIE],
				    "ovly: a flush takes no cookie");
		return -EINVAL;
	}
	return ovly_nl_route_sweep(info);
}

int ovly_nl_route_sync_begin(struct sk_buff *skb, struct genl_info *info)
{
	struct sk_buff *reply = ovly_nl_reply_new();
	struct ovly_dev *ovly;
	u64 cookie;
	int err;

	if (!reply)
		return -ENOMEM;
	ovly = ovly_nl_lock(info);
	if (IS_ERR(ovly)) {
		nlmsg_free(reply);
		return PTR_ERR(ovly);
	}
	/* Whatever is asked for from now on has a stamp of at least this. */
	cookie = ++ovly->sweep_clock;
	err = ovly_nl_reply_value(reply, info, ovly, NULL, &cookie);
	ovly_nl_unlock(ovly);
	return err;
}

int ovly_nl_route_sync_end(struct sk_buff *skb, struct genl_info *info)
{
	if (!info->attrs[OVLY_A_COOKIE]) {
		ovly_compat_set_missing(info->extack, NULL, OVLY_A_COOKIE);
		NL_SET_ERR_MSG_MOD(info->extack, "the request lacks the cookie of its begin");
		return -EINVAL;
	}
	return ovly_nl_route_sweep(info);
}

/* One prefix and metric, with every owner. */
static int ovly_nl_reply_route(struct genl_info *info, struct ovly_route *head)
{
	struct sk_buff *reply = genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);
	struct ovly_route *route;
	void *hdr;

	if (!reply)
		return -ENOMEM;
	hdr = ovly_nl_reply_start(reply, info, head->peer->ovly);
	for (route = head; hdr && route; route = ovly_route_next_owner(route))
		if (ovly_nl_put_route(reply, route))
			hdr = NULL;
	if (!hdr) {
		nlmsg_free(reply);
		return -EMSGSIZE;
	}
	genlmsg_end(reply, hdr);
	return genlmsg_reply(reply, info);
}

int ovly_nl_route_get(struct sk_buff *skb, struct genl_info *info)
{
	const struct nlattr *nest = info->attrs[OVLY_A_ROUTE];
	struct nlattr *tb[OVLY_A_ROUTE_MAX + 1];
	struct ovly_route *route;
	struct ovly_route_key key;
	struct ovly_dev *ovly;
	int err;

	if (ovly_nl_missing(info, OVLY_A_ROUTE))
		return -EINVAL;
	if (info->attrs[OVLY_A_COOKIE]) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[OVLY_A_COOKIE],
				    "ovly: this takes no cookie");
		return -EINVAL;
	}
	err = nla_parse_nested(tb, OVLY_A_ROUTE_MAX, nest, ovly_nl_route_key_policy, info->extack);
	if (!err)
		err = ovly_nl_parse_key(nest, tb, &key, info->extack);
	if (err)
		return ovly_nl_blame(info, OVLY_A_ROUTE, err);
	ovly = ovly_nl_lock(info);
	if (IS_ERR(ovly))
		return PTR_ERR(ovly);
	route = ovly_route_find(ovly, &key);
	if (route) {
		err = ovly_nl_reply_route(info, route);
	} else {
		NL_SET_ERR_MSG_ATTR(info->extack, nest, "ovly: no peer owns this route");
		err = -ENOENT;
	}
	ovly_nl_unlock(ovly);
	return err;
}

static int ovly_nl_route_dump_dev(struct sk_buff *skb, struct netlink_callback *cb,
				  struct ovly_dev *ovly, struct ovly_nl_cursor *cursor)
{
	struct nlattr **attrs = ovly_compat_dump_attrs(cb);
	struct ovly_route_filter filter;
	struct ovly_route *route;
	void *hdr;
	int err;

	err = ovly_nl_parse_filter(ovly, attrs[OVLY_A_ROUTE], &filter, cb->extack);
	/* A dump of all devices passes over those without the peer, without a word. */
	if (err == -ENOENT && !ovly_nl_names_dev(attrs)) {
		memset(cb->extack, 0, sizeof(*cb->extack));
		return 0;
	}
	if (err)
		return err;

	for (route = ovly_route_find_from(ovly, &cursor->key, cursor->id); route;
	     route = ovly_route_next(route)) {
		cond_resched();
		if (!ovly_route_matches(route, &filter))
			continue;
		cursor->key = route->key;
		cursor->id = route->peer->id;
		hdr = ovly_nl_dump_start(skb, cb, ovly, OVLY_CMD_ROUTE_GET);
		if (!hdr)
			return -EMSGSIZE;
		if (ovly_nl_put_route(skb, route)) {
			genlmsg_cancel(skb, hdr);
			return -EMSGSIZE;
		}
		genlmsg_end(skb, hdr);
	}
	return 0;
}

int ovly_nl_route_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	const struct nlattr *nest = ovly_compat_dump_attrs(cb)[OVLY_A_ROUTE];
	struct nlattr *tb[OVLY_A_ROUTE_MAX + 1];
	int err;

	err = ovly_nl_dump_takes_no(cb, OVLY_A_COOKIE);
	/* What names one is refused where there is no device, too. */
	if (!err && nest)
		err = nla_parse_nested(tb, OVLY_A_ROUTE_MAX, nest, ovly_nl_route_filter_policy,
				       cb->extack);
	return err ?: ovly_nl_dump_devs(skb, cb, ovly_nl_route_dump_dev);
}
