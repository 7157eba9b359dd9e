// SPDX-License-Identifier: GPL-2.0
/* Generic netlink: peers. */
#include <linux/ctype.h>
#include <net/genetlink.h>

#include "compat.h"
#include "device.h"
#include "net.h"
#include "netlink.h"
#include "nl_attr.h"
#include "peer.h"

/**
 * ovly_nl_find_peer() - the peer that a request names
 * @ovly: the device, locked
 * @id: attribute with its id, or NULL
 * @name: attribute with its name, or NULL
 * @extack: says why not
 */
struct ovly_peer *ovly_nl_find_peer(struct ovly_dev *ovly, const struct nlattr *id,
				    const struct nlattr *name, struct netlink_ext_ack *extack)
{
	struct ovly_peer *peer;

	if (!id && !name) {
		NL_SET_ERR_MSG_MOD(extack, "the request names no peer");
		return ERR_PTR(-EINVAL);
	}
	peer = id ? ovly_peer_find(ovly, nla_get_u32(id)) :
		    ovly_peer_find_name(ovly, nla_data(name));
	if (!peer) {
		NL_SET_ERR_MSG_ATTR(extack, id ?: name, "ovly: the device has no such peer");
		return ERR_PTR(-ENOENT);
	}
	if (id && name && strcmp(peer->name, nla_data(name))) {
		NL_SET_ERR_MSG_ATTR(extack, name, "ovly: id and name are of two peers");
		return ERR_PTR(-EINVAL);
	}
	return peer;
}

/* The peer that the PEER nest of a request names. */
static struct ovly_peer *ovly_nl_find_ref(struct ovly_dev *ovly, struct genl_info *info,
					  struct nlattr *tb[])
{
	if (!tb[OVLY_A_PEER_ID] && !tb[OVLY_A_PEER_NAME])
		ovly_compat_set_missing(info->extack, info->attrs[OVLY_A_PEER], OVLY_A_PEER_NAME);
	return ovly_nl_find_peer(ovly, tb[OVLY_A_PEER_ID], tb[OVLY_A_PEER_NAME], info->extack);
}

/* Text that goes to logs and terminals: visible, and one word. */
int ovly_nl_check_text(const struct nlattr *nla, struct netlink_ext_ack *extack)
{
	const char *s = nla_data(nla);

	if (!*s)
		goto refuse;
	for (; *s; s++)
		if (!isascii(*s) || !isgraph(*s))
			goto refuse;
	return 0;

refuse:
	NL_SET_ERR_MSG_ATTR(extack, nla,
			    "ovly: a name has 1 to 63 printable ASCII characters and no space");
	return -EINVAL;
}

static int ovly_nl_parse_addrs(const struct nlattr *nest, struct ovly_peer_conf *conf,
			       struct netlink_ext_ack *extack)
{
	const struct nlattr *nla;
	int rem;

	nla_for_each_nested(nla, nest, rem) {
		if (nla_type(nla) != OVLY_A_PEER_ADDR)
			continue;
		if (conf->n_addrs == OVLY_PEER_ADDRS_MAX) {
			NL_SET_ERR_MSG_ATTR(extack, nla,
					    "ovly: a peer has at most 8 system addresses");
			return -E2BIG;
		}
		conf->addrs[conf->n_addrs++] = ovly_nl_get_ip(nla);
	}
	conf->has_addrs = conf->n_addrs;
	return 0;
}

static void ovly_nl_get_setting(const struct nlattr *nla, bool *has, u32 *value)
{
	if (!nla)
		return;
	*has = true;
	*value = nla_get_u32(nla);
}

/* The backup that a request names, once the device is locked. */
static int ovly_nl_find_backup(struct ovly_dev *ovly, struct nlattr *tb[],
			       struct ovly_peer_conf *conf, struct netlink_ext_ack *extack)
{
	const struct nlattr *id = tb[OVLY_A_PEER_BACKUP_ID], *name = tb[OVLY_A_PEER_BACKUP_NAME];

	if (!id && !name)
		return 0;
	conf->has_backup = true;
	if (id && !nla_get_u32(id) && !name)
		return 0;
	if (ovly->mode == OVLY_MODE_P2P) {
		NL_SET_ERR_MSG_ATTR(extack, id ?: name,
				    "ovly: the one peer of a p2p device has no backup");
		return -EOPNOTSUPP;
	}
	conf->backup = ovly_nl_find_peer(ovly, id, name, extack);
	return PTR_ERR_OR_ZERO(conf->backup);
}

static int ovly_nl_parse_peer(struct genl_info *info, struct nlattr *tb[],
			      struct ovly_peer_conf *conf)
{
	struct nlattr *nest = info->attrs[OVLY_A_PEER];
	int err;

	memset(conf, 0, sizeof(*conf));
	if (ovly_nl_missing(info, OVLY_A_PEER))
		return -EINVAL;
	err = nla_parse_nested(tb, OVLY_A_PEER_MAX, nest, ovly_nl_peer_policy, info->extack);
	if (err)
		return err;
	if (tb[OVLY_A_PEER_NAME]) {
		err = ovly_nl_check_text(tb[OVLY_A_PEER_NAME], info->extack);
		if (err)
			return err;
		conf->name = nla_data(tb[OVLY_A_PEER_NAME]);
	}
	ovly_nl_get_setting(tb[OVLY_A_PEER_ON_DOWN], &conf->has_on_down, &conf->on_down);
	ovly_nl_get_setting(tb[OVLY_A_PEER_ROUTE_LIMIT], &conf->has_route_limit,
			    &conf->route_limit);
	ovly_nl_get_setting(tb[OVLY_A_PEER_LIMIT_ACTION], &conf->has_limit_action,
			    &conf->limit_action);
	ovly_nl_get_setting(tb[OVLY_A_PEER_MARK], &conf->has_mark, &conf->mark);
	ovly_nl_get_setting(tb[OVLY_A_PEER_PRIORITY], &conf->has_priority, &conf->priority);
	return ovly_nl_parse_addrs(nest, conf, info->extack);
}

/* Marks get onto the outer packets, in the namespace of the SAs. */
static int ovly_nl_check_marks(const struct ovly_dev *ovly, const struct sk_buff *skb,
			       struct nlattr *tb[], struct netlink_ext_ack *extack)
{
	const struct nlattr *nla = tb[OVLY_A_PEER_MARK] ?: tb[OVLY_A_PEER_PRIORITY];

	if (!nla || ovly_device_sa_capable(ovly, skb))
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, nla, "ovly: the device's SAs are in another network namespace");
	return -EPERM;
}

static int ovly_nl_put_peer_locked(struct sk_buff *skb, const struct ovly_peer *peer)
{
	struct ovly_net *on = ovly_net(peer->ovly->net);
	int err;

	spin_lock_bh(&on->path_lock);
	err = ovly_nl_put_peer(skb, peer);
	spin_unlock_bh(&on->path_lock);
	return err;
}

/* Made before anything is changed: what is done can be told. */
static struct sk_buff *ovly_nl_peer_reply_new(void)
{
	return genlmsg_new(NLMSG_GOODSIZE, GFP_KERNEL);
}

/* Takes @reply. */
static int ovly_nl_reply_peer(struct sk_buff *reply, struct genl_info *info,
			      const struct ovly_peer *peer)
{
	void *hdr;

	hdr = ovly_nl_reply_start(reply, info, peer->ovly);
	if (!hdr || ovly_nl_put_peer_locked(reply, peer)) {
		nlmsg_free(reply);
		return -EMSGSIZE;
	}
	genlmsg_end(reply, hdr);
	return genlmsg_reply(reply, info);
}

int ovly_nl_peer_new(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *tb[OVLY_A_PEER_MAX + 1];
	u16 flags = info->nlhdr->nlmsg_flags;
	struct ovly_peer_conf conf;
	struct sk_buff *reply;
	struct ovly_peer *peer;
	struct ovly_dev *ovly;
	int err;

	err = ovly_nl_parse_peer(info, tb, &conf);
	if (err)
		return ovly_nl_blame(info, OVLY_A_PEER, err);
	if (tb[OVLY_A_PEER_ID]) {
		NL_SET_ERR_MSG_ATTR(info->extack, tb[OVLY_A_PEER_ID],
				    "ovly: the kernel chooses the id of a new peer");
		return -EINVAL;
	}
	reply = ovly_nl_peer_reply_new();
	if (!reply)
		return -ENOMEM;
	ovly = ovly_nl_lock(info);
	if (IS_ERR(ovly)) {
		nlmsg_free(reply);
		return PTR_ERR(ovly);
	}

	peer = conf.name ? ovly_peer_find_name(ovly, conf.name) : NULL;
	err = ovly_nl_find_backup(ovly, tb, &conf, info->extack);
	if (!err)
		err = ovly_nl_check_marks(ovly, skb, tb, info->extack);
	if (err)
		goto out;
	if (peer && (flags & NLM_F_REPLACE)) {
		err = ovly_peer_set(peer, &conf, info->extack);
	} else if (!peer && !(flags & NLM_F_CREATE)) {
		NL_SET_ERR_MSG_MOD(info->extack, "the device has no such peer");
		err = -ENOENT;
	} else {
		peer = ovly_peer_new(ovly, &conf, info->extack);
		err = PTR_ERR_OR_ZERO(peer);
	}
	if (!err) {
		err = ovly_nl_reply_peer(reply, info, peer);
		ovly_nl_unlock(ovly);
		return err;
	}
out:
	ovly_nl_unlock(ovly);
	nlmsg_free(reply);
	return ovly_nl_blame(info, OVLY_A_PEER, err);
}

int ovly_nl_peer_set(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *tb[OVLY_A_PEER_MAX + 1];
	struct ovly_peer_conf conf;
	struct ovly_peer *peer;
	struct ovly_dev *ovly;
	int err;

	err = ovly_nl_parse_peer(info, tb, &conf);
	if (err)
		return ovly_nl_blame(info, OVLY_A_PEER, err);
	ovly = ovly_nl_lock(info);
	if (IS_ERR(ovly))
		return PTR_ERR(ovly);
	peer = ovly_nl_find_ref(ovly, info, tb);
	err = PTR_ERR_OR_ZERO(peer);
	if (!err)
		err = ovly_nl_find_backup(ovly, tb, &conf, info->extack);
	if (!err)
		err = ovly_nl_check_marks(ovly, skb, tb, info->extack);
	/* Here somebody decides; PEER_NEW may repeat what was said before. */
	conf.renews_limit = conf.has_route_limit || conf.has_limit_action;
	if (!err)
		err = ovly_peer_set(peer, &conf, info->extack);
	ovly_nl_unlock(ovly);
	return ovly_nl_blame(info, OVLY_A_PEER, err);
}

/* The peer that a request refers to; its device is to be given back. */
static struct ovly_peer *ovly_nl_lock_peer(struct genl_info *info)
{
	struct nlattr *tb[OVLY_A_PEER_MAX + 1];
	struct ovly_peer *peer;
	struct ovly_dev *ovly;
	int err;

	if (ovly_nl_missing(info, OVLY_A_PEER))
		return ERR_PTR(-EINVAL);
	err = nla_parse_nested(tb, OVLY_A_PEER_MAX, info->attrs[OVLY_A_PEER],
			       ovly_nl_peer_ref_policy, info->extack);
	if (err)
		return ERR_PTR(err);
	ovly = ovly_nl_lock(info);
	if (IS_ERR(ovly))
		return ERR_CAST(ovly);
	peer = ovly_nl_find_ref(ovly, info, tb);
	if (IS_ERR(peer))
		ovly_nl_unlock(ovly);
	return peer;
}

int ovly_nl_peer_del(struct sk_buff *skb, struct genl_info *info)
{
	struct ovly_peer *peer = ovly_nl_lock_peer(info);
	struct ovly_dev *ovly;
	int err = 0;

	if (IS_ERR(peer))
		return ovly_nl_blame(info, OVLY_A_PEER, PTR_ERR(peer));
	ovly = peer->ovly;
	if (peer->n_paths && !ovly_device_sa_capable(ovly, skb)) {
		NL_SET_ERR_MSG_MOD(info->extack,
				   "the peer has paths, and the device's SAs are in another network namespace");
		err = -EPERM;
	} else {
		ovly_peer_del(peer);
	}
	ovly_nl_unlock(ovly);
	return ovly_nl_blame(info, OVLY_A_PEER, err);
}

int ovly_nl_peer_get(struct sk_buff *skb, struct genl_info *info)
{
	struct sk_buff *reply = ovly_nl_peer_reply_new();
	struct ovly_peer *peer;
	int err;

	if (!reply)
		return -ENOMEM;
	peer = ovly_nl_lock_peer(info);
	if (IS_ERR(peer)) {
		nlmsg_free(reply);
		return ovly_nl_blame(info, OVLY_A_PEER, PTR_ERR(peer));
	}
	err = ovly_nl_reply_peer(reply, info, peer);
	ovly_nl_unlock(peer->ovly);
	return err;
}

static int ovly_nl_peer_dump_dev(struct sk_buff *skb, struct netlink_callback *cb,
				 struct ovly_dev *ovly, struct ovly_nl_cursor *cursor)
{
	struct ovly_peer *peer;
	unsigned long id;
	void *hdr;

	xa_for_each_start(&ovly->peers, id, peer, cursor->id) {
		cursor->id = id;
		hdr = ovly_nl_dump_start(skb, cb, ovly, OVLY_CMD_PEER_GET);
		if (!hdr)
			return -EMSGSIZE;
		if (ovly_nl_put_peer_locked(skb, peer)) {
			genlmsg_cancel(skb, hdr);
			return -EMSGSIZE;
		}
		genlmsg_end(skb, hdr);
	}
	return 0;
}

int ovly_nl_peer_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	int err = ovly_nl_dump_takes_no(cb, OVLY_A_PEER);

	return err ?: ovly_nl_dump_devs(skb, cb, ovly_nl_peer_dump_dev);
}
