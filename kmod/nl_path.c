// SPDX-License-Identifier: GPL-2.0
/* Generic netlink: paths. */
#include <linux/ctype.h>
#include <net/genetlink.h>

#include "compat.h"
#include "device.h"
#include "net.h"
#include "netlink.h"
#include "nl_attr.h"
#include "path.h"
#include "peer.h"

/* An IKE identity may have spaces: a distinguished name. */
static int ovly_nl_check_id(const struct nlattr *nla, struct netlink_ext_ack *extack)
{
	const char *s;

	for (s = nla_data(nla); *s; s++) {
		if (!isascii(*s) || !isprint(*s)) {
			NL_SET_ERR_MSG_ATTR(extack, nla, "ovly: an identity is printable ASCII");
			return -EINVAL;
		}
	}
	return 0;
}

static int ovly_nl_parse_path(struct genl_info *info, struct nlattr *tb[],
			      struct ovly_path_conf *conf)
{
	int err;

	memset(conf, 0, sizeof(*conf));
	if (ovly_nl_missing(info, OVLY_A_PATH))
		return -EINVAL;
	err = nla_parse_nested(tb, OVLY_A_PATH_MAX, info->attrs[OVLY_A_PATH],
			       ovly_nl_path_policy, info->extack);
	if (err)
		return err;
	if (!tb[OVLY_A_PATH_IF_ID_IN]) {
		ovly_compat_set_missing(info->extack, info->attrs[OVLY_A_PATH],
					OVLY_A_PATH_IF_ID_IN);
		NL_SET_ERR_MSG_MOD(info->extack, "the request names no if-id");
		return -EINVAL;
	}
	conf->if_id_in = nla_get_u32(tb[OVLY_A_PATH_IF_ID_IN]);
	if (tb[OVLY_A_PATH_IF_ID_OUT])
		conf->if_id_out = nla_get_u32(tb[OVLY_A_PATH_IF_ID_OUT]);
	if (tb[OVLY_A_PATH_ENDPOINT])
		conf->endpoint = ovly_nl_get_ip(tb[OVLY_A_PATH_ENDPOINT]);
	if (tb[OVLY_A_PATH_LOCAL])
		conf->local = ovly_nl_get_ip(tb[OVLY_A_PATH_LOCAL]);
	if (conf->endpoint.family && !ovly_ip_is_unicast(&conf->endpoint)) {
		NL_SET_ERR_MSG_ATTR(info->extack, tb[OVLY_A_PATH_ENDPOINT],
				    "ovly: an endpoint must be a unicast address");
		err = -EINVAL;
	}
	if (!err && tb[OVLY_A_PATH_LABEL])
		err = ovly_nl_check_text(tb[OVLY_A_PATH_LABEL], info->extack);
	if (err)
		return err;
	if (tb[OVLY_A_PATH_LABEL])
		conf->label = nla_data(tb[OVLY_A_PATH_LABEL]);
	if (tb[OVLY_A_PATH_REMOTE_ID])
		err = ovly_nl_check_id(tb[OVLY_A_PATH_REMOTE_ID], info->extack);
	if (err)
		return err;
	if (tb[OVLY_A_PATH_REMOTE_ID])
		conf->remote_id = nla_data(tb[OVLY_A_PATH_REMOTE_ID]);
	if (tb[OVLY_A_PATH_UNDERLAY]) {
		conf->has_underlay = true;
		conf->underlay = nla_get_u32(tb[OVLY_A_PATH_UNDERLAY]);
	}
	if (tb[OVLY_A_PATH_PRIORITY]) {
		conf->has_priority = true;
		conf->priority = nla_get_u32(tb[OVLY_A_PATH_PRIORITY]);
	}
	return 0;
}

/* Paths are made of SAs that may be in a namespace the caller has no say in. */
static struct ovly_dev *ovly_nl_check_sa_capable(struct ovly_dev *ovly,
						 const struct sk_buff *skb,
						 struct genl_info *info)
{
	if (IS_ERR(ovly) || ovly_device_sa_capable(ovly, skb))
		return ovly;
	NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[OVLY_A_PATH],
			    "ovly: the device's SAs are in another network namespace");
	ovly_nl_unlock(ovly);
	return ERR_PTR(-EPERM);
}

/* The device of the path with an if-id: the one that the request names, else
 * the one that has the path.  The path may not exist, or be another device's.
 */
static struct ovly_dev *ovly_nl_lock_for_path(const struct sk_buff *skb, struct genl_info *info,
					      u32 if_id)
{
	struct net *net = genl_info_net(info);
	struct net_device *dev = NULL;
	struct ovly_dev *ovly = ERR_PTR(-ENODEV);
	struct ovly_path *path;

	if (ovly_nl_names_dev(info->attrs))
		return ovly_nl_check_sa_capable(ovly_nl_lock(info), skb, info);

	rcu_read_lock();
	path = xa_load(&ovly_net(net)->paths_in, if_id);
	if (path && net_eq(dev_net(path->peer->ovly->dev), net)) {
		dev = path->peer->ovly->dev;
		dev_hold(dev);
	}
	rcu_read_unlock();
	if (dev)
		ovly = ovly_nl_lock_dev(dev, net);
	if (ovly == ERR_PTR(-ENODEV)) {
		NL_SET_ERR_MSG_MOD(info->extack, "no path has this if-id");
		return ERR_PTR(-ENOENT);
	}
	if (ovly == ERR_PTR(-ETIMEDOUT))
		NL_SET_ERR_MSG_MOD(info->extack,
				   "the path's device keeps changing its table: ask again");
	return ovly_nl_check_sa_capable(ovly, skb, info);
}

/* The path of a locked device with an if-id, or NULL. */
static struct ovly_path *ovly_nl_find_path(struct ovly_dev *ovly, u32 if_id)
{
	struct ovly_path *path;
	bool own;

	/* A path of another device may be freed meanwhile, one of this may not. */
	rcu_read_lock();
	path = xa_load(&ovly_net(ovly->net)->paths_in, if_id);
	own = path && path->peer->ovly == ovly;
	rcu_read_unlock();
	return own ? path : NULL;
}

/* Locks the path that a request refers to; its device is to be given back. */
static struct ovly_path *ovly_nl_lock_path(const struct sk_buff *skb, struct genl_info *info,
					   u32 if_id)
{
	struct ovly_dev *ovly = ovly_nl_lock_for_path(skb, info, if_id);
	struct ovly_path *path;

	if (IS_ERR(ovly))
		return ERR_CAST(ovly);
	path = ovly_nl_find_path(ovly, if_id);
	if (path)
		return path;
	NL_SET_ERR_MSG_MOD(info->extack, "no path of the device has this if-id");
	ovly_nl_unlock(ovly);
	return ERR_PTR(-ENOENT);
}

static struct ovly_path *ovly_nl_lock_path_ref(const struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *tb[OVLY_A_PATH_MAX + 1];
	int err;

	if (ovly_nl_missing(info, OVLY_A_PATH))
		return ERR_PTR(-EINVAL);
	err = nla_parse_nested(tb, OVLY_A_PATH_MAX, info->attrs[OVLY_A_PATH],
			       ovly_nl_path_ref_policy, info->extack);
	if (err)
		return ERR_PTR(err);
	if (!tb[OVLY_A_PATH_IF_ID_IN]) {
		ovly_compat_set_missing(info->extack, info->attrs[OVLY_A_PATH],
					OVLY_A_PATH_IF_ID_IN);
		NL_SET_ERR_MSG_MOD(info->extack, "the request names no if-id");
		return ERR_PTR(-EINVAL);
	}
	return ovly_nl_lock_path(skb, info, nla_get_u32(tb[OVLY_A_PATH_IF_ID_IN]));
}

/* PATH_NEW for an if-id that is in use.  An IKE daemon that was restarted hands
 * out the same ids again, and the newest word on whose they are counts.
 */
static int ovly_nl_path_replace(struct ovly_path *path, struct ovly_peer *peer,
				const struct ovly_path_conf *conf, u16 flags,
				struct netlink_ext_ack *extack)
{
	if (!(flags & NLM_F_REPLACE)) {
		NL_SET_ERR_MSG_MOD(extack, "a path has this if-id");
		return -EEXIST;
	}
	if (path->peer == peer && (!conf->if_id_out || conf->if_id_out == path->if_id_out))
		return ovly_path_set(path, conf, extack);
	return ovly_path_move(path, peer, conf, extack);
}

int ovly_nl_path_new(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *tb[OVLY_A_PATH_MAX + 1];
	u16 flags = info->nlhdr->nlmsg_flags;
	struct ovly_path_conf conf;
	struct ovly_peer *peer;
	struct ovly_path *path;
	struct ovly_dev *ovly;
	int err;

	err = ovly_nl_parse_path(info, tb, &conf);
	if (err)
		return ovly_nl_blame(info, OVLY_A_PATH, err);
	ovly = ovly_nl_check_sa_capable(ovly_nl_lock(info), skb, info);
	if (IS_ERR(ovly))
		return PTR_ERR(ovly);
	peer = ovly_nl_find_peer(ovly, tb[OVLY_A_PATH_PEER_ID], tb[OVLY_A_PATH_PEER_NAME],
				 info->extack);
	if (!tb[OVLY_A_PATH_PEER_ID] && !tb[OVLY_A_PATH_PEER_NAME])
		ovly_compat_set_missing(info->extack, info->attrs[OVLY_A_PATH],
					OVLY_A_PATH_PEER_NAME);
	if (IS_ERR(peer)) {
		err = PTR_ERR(peer);
		goto out;
	}
	path = ovly_nl_find_path(ovly, conf.if_id_in);
	if (path) {
		err = ovly_nl_path_replace(path, peer, &conf, flags, info->extack);
	} else if (!(flags & NLM_F_CREATE)) {
		NL_SET_ERR_MSG_MOD(info->extack, "no path has this if-id");
		err = -ENOENT;
	} else {
		err = ovly_path_new(peer, &conf, info->extack);
	}
out:
	ovly_nl_unlock(ovly);
	return ovly_nl_blame(info, OVLY_A_PATH, err);
}

/* Who names the peer of a path means the one it has. */
static int ovly_nl_check_peer(const struct ovly_path *path, struct nlattr *tb[],
			      struct netlink_ext_ack *extack)
{
	const struct ovly_peer *peer;

	if (!tb[OVLY_A_PATH_PEER_ID] && !tb[OVLY_A_PATH_PEER_NAME])
		return 0;
	peer = ovly_nl_find_peer(path->peer->ovly, tb[OVLY_A_PATH_PEER_ID],
				 tb[OVLY_A_PATH_PEER_NAME], extack);
	if (IS_ERR(peer))
		return PTR_ERR(peer);
	if (peer == path->peer)
		return 0;
	NL_SET_ERR_MSG_MOD(extack, "the peer of a path does not change");
	return -EINVAL;
}

int ovly_nl_path_set(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *tb[OVLY_A_PATH_MAX + 1];
	struct ovly_path_conf conf;
	struct ovly_path *path;
	struct ovly_dev *ovly;
	int err;

	err = ovly_nl_parse_path(info, tb, &conf);
	if (err)
		return ovly_nl_blame(info, OVLY_A_PATH, err);
	path = ovly_nl_lock_path(skb, info, conf.if_id_in);
	if (IS_ERR(path))
		return ovly_nl_blame(info, OVLY_A_PATH, PTR_ERR(path));
	ovly = path->peer->ovly;
	err = ovly_nl_check_peer(path, tb, info->extack);
	if (!err)
		err = ovly_path_set(path, &conf, info->extack);
	ovly_nl_unlock(ovly);
	return ovly_nl_blame(info, OVLY_A_PATH, err);
}

int ovly_nl_path_del(struct sk_buff *skb, struct genl_info *info)
{
	struct ovly_path *path = ovly_nl_lock_path_ref(skb, info);
	struct ovly_dev *ovly;

	if (IS_ERR(path))
		return ovly_nl_blame(info, OVLY_A_PATH, PTR_ERR(path));
	ovly = path->peer->ovly;
	ovly_path_del(path);
	ovly_nl_unlock(ovly);
	return 0;
}

static int ovly_nl_put_path_locked(struct sk_buff *skb, const struct ovly_path *path)
{
	struct ovly_net *on = ovly_net(path->peer->ovly->net);
	int err;

	spin_lock_bh(&on->path_lock);
	err = ovly_nl_put_path(skb, path, NULL);
	spin_unlock_bh(&on->path_lock);
	return err;
}

int ovly_nl_path_get(struct sk_buff *skb, struct genl_info *info)
{
	struct ovly_path *path = ovly_nl_lock_path_ref(skb, info);
	struct sk_buff *reply;
	struct ovly_dev *ovly;
	int err = -ENOMEM;
	void *hdr;

	if (IS_ERR(path))
		return ovly_nl_blame(info, OVLY_A_PATH, PTR_ERR(path));
	ovly = path->peer->ovly;
	reply = genlmsg_new(NLMSG_GOODSIZE, GFP_KERNEL);
	if (!reply)
		goto out;
	err = -EMSGSIZE;
	hdr = ovly_nl_reply_start(reply, info, ovly);
	if (!hdr || ovly_nl_put_path_locked(reply, path))
		goto err_free;
	genlmsg_end(reply, hdr);
	err = genlmsg_reply(reply, info);
	goto out;

err_free:
	nlmsg_free(reply);
out:
	ovly_nl_unlock(ovly);
	return err;
}

/* The path of a peer with the lowest if-id from @if_id on. */
static struct ovly_path *ovly_nl_next_path(const struct ovly_peer *peer, u32 if_id)
{
	struct ovly_path *path, *next = NULL;

	list_for_each_entry(path, &peer->paths, list)
		if (path->if_id_in >= if_id && (!next || path->if_id_in < next->if_id_in))
			next = path;
	return next;
}

static int ovly_nl_path_dump_dev(struct sk_buff *skb, struct netlink_callback *cb,
				 struct ovly_dev *ovly, struct ovly_nl_cursor *cursor)
{
	struct ovly_peer *peer;
	struct ovly_path *path;
	unsigned long id;
	void *hdr;

	if (!ovly_device_sa_capable(ovly, cb->skb))
		return 0;
	xa_for_each_start(&ovly->peers, id, peer, cursor->id) {
		if (id != cursor->id)
			cursor->if_id = 0;
		cursor->id = id;
		while ((path = ovly_nl_next_path(peer, cursor->if_id))) {
			hdr = ovly_nl_dump_start(skb, cb, ovly, OVLY_CMD_PATH_GET);
			if (!hdr)
				return -EMSGSIZE;
			if (ovly_nl_put_path_locked(skb, path)) {
				genlmsg_cancel(skb, hdr);
				return -EMSGSIZE;
			}
			genlmsg_end(skb, hdr);
			if (path->if_id_in == U32_MAX)
				break;
			cursor->if_id = path->if_id_in + 1;
		}
	}
	return 0;
}

int ovly_nl_path_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	int err = ovly_nl_dump_takes_no(cb, OVLY_A_PATH);

	return err ?: ovly_nl_dump_devs(skb, cb, ovly_nl_path_dump_dev);
}
