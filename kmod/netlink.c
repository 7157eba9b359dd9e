// SPDX-License-Identifier: GPL-2.0
/*
 * The generic-netlink family: its operations with a policy each, and what the
 * handlers in nl_*.c share.
 */
#include "netlink.h"

#include <linux/netdevice.h>
#include <net/genetlink.h>

#include "compat.h"
#include "device.h"
#include "net.h"
#include "nl_attr.h"

/* How often a device may have moved on until a request gives up. */
#define OVLY_NL_ATTEMPTS	8

#define OVLY_NL_DEV_REF							\
	[OVLY_A_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),	\
	[OVLY_A_IFNAME] = { .type = NLA_NUL_STRING, .len = IFNAMSIZ - 1 }

static const struct nla_policy ovly_nl_ref_policy[OVLY_A_MAX + 1] = {
	OVLY_NL_DEV_REF,
};

static const struct nla_policy ovly_nl_dev_set_policy[OVLY_A_MAX + 1] = {
	OVLY_NL_DEV_REF,
	[OVLY_A_DEV] = NLA_POLICY_NESTED(ovly_nl_dev_policy),
};

static const struct nla_policy ovly_nl_peer_op_policy[OVLY_A_MAX + 1] = {
	OVLY_NL_DEV_REF,
	[OVLY_A_PEER] = NLA_POLICY_NESTED(ovly_nl_peer_policy),
};

static const struct nla_policy ovly_nl_peer_ref_op_policy[OVLY_A_MAX + 1] = {
	OVLY_NL_DEV_REF,
	[OVLY_A_PEER] = NLA_POLICY_NESTED(ovly_nl_peer_ref_policy),
};

static const struct nla_policy ovly_nl_path_op_policy[OVLY_A_MAX + 1] = {
	OVLY_NL_DEV_REF,
	[OVLY_A_PATH] = NLA_POLICY_NESTED(ovly_nl_path_policy),
};

static const struct nla_policy ovly_nl_path_ref_op_policy[OVLY_A_MAX + 1] = {
	OVLY_NL_DEV_REF,
	[OVLY_A_PATH] = NLA_POLICY_NESTED(ovly_nl_path_ref_policy),
};

static const struct nla_policy ovly_nl_route_op_policy[OVLY_A_MAX + 1] = {
	OVLY_NL_DEV_REF,
	[OVLY_A_ROUTE] = NLA_POLICY_NESTED(ovly_nl_route_policy),
};

static const struct nla_policy ovly_nl_route_new_op_policy[OVLY_A_MAX + 1] = {
	OVLY_NL_DEV_REF,
	[OVLY_A_ROUTE] = NLA_POLICY_NESTED(ovly_nl_route_policy),
	[OVLY_A_COOKIE] = { .type = NLA_U64 },
};

static const struct nla_policy ovly_nl_route_filter_op_policy[OVLY_A_MAX + 1] = {
	OVLY_NL_DEV_REF,
	[OVLY_A_ROUTE] = NLA_POLICY_NESTED(ovly_nl_route_filter_policy),
	[OVLY_A_COOKIE] = { .type = NLA_U64 },
};

static const struct nla_policy ovly_nl_route_get_op_policy[OVLY_A_MAX + 1] = {
	OVLY_NL_DEV_REF,
	[OVLY_A_ROUTE] = NLA_POLICY_NESTED(ovly_nl_route_get_policy),
	[OVLY_A_COOKIE] = { .type = NLA_U64 },
};

/* Everything is for administrators: the family reveals who talks to whom. */
#define OVLY_NL_OP(_cmd, _policy, ...)					\
	{								\
		.cmd = OVLY_CMD_##_cmd,					\
		.flags = GENL_UNS_ADMIN_PERM,				\
		.policy = _policy,					\
		.maxattr = OVLY_A_MAX,					\
		__VA_ARGS__						\
	}

static const struct genl_ops ovly_genl_ops[] = {
	OVLY_NL_OP(DEV_GET, ovly_nl_ref_policy,
		   .doit = ovly_nl_dev_get, .dumpit = ovly_nl_dev_dump),
	OVLY_NL_OP(DEV_SET, ovly_nl_dev_set_policy, .doit = ovly_nl_dev_set),
	OVLY_NL_OP(DEV_RESYNC, ovly_nl_ref_policy, .doit = ovly_nl_dev_resync),
	OVLY_NL_OP(PEER_NEW, ovly_nl_peer_op_policy, .doit = ovly_nl_peer_new),
	OVLY_NL_OP(PEER_SET, ovly_nl_peer_op_policy, .doit = ovly_nl_peer_set),
	OVLY_NL_OP(PEER_DEL, ovly_nl_peer_ref_op_policy, .doit = ovly_nl_peer_del),
	OVLY_NL_OP(PEER_GET, ovly_nl_peer_ref_op_policy,
		   .doit = ovly_nl_peer_get, .dumpit = ovly_nl_peer_dump),
	OVLY_NL_OP(PATH_NEW, ovly_nl_path_op_policy, .doit = ovly_nl_path_new),
	OVLY_NL_OP(PATH_SET, ovly_nl_path_op_policy, .doit = ovly_nl_path_set),
	OVLY_NL_OP(PATH_DEL, ovly_nl_path_ref_op_policy, .doit = ovly_nl_path_del),
	OVLY_NL_OP(PATH_GET, ovly_nl_path_ref_op_policy,
		   .doit = ovly_nl_path_get, .dumpit = ovly_nl_path_dump),
	OVLY_NL_OP(ROUTE_NEW, ovly_nl_route_new_op_policy, .doit = ovly_nl_route_new),
	OVLY_NL_OP(ROUTE_DEL, ovly_nl_route_op_policy, .doit = ovly_nl_route_del),
	OVLY_NL_OP(ROUTE_GET, ovly_nl_route_get_op_policy,
		   .doit = ovly_nl_route_get, .dumpit = ovly_nl_route_dump),
	OVLY_NL_OP(ROUTE_FLUSH, ovly_nl_route_filter_op_policy, .doit = ovly_nl_route_flush),
	OVLY_NL_OP(ROUTE_SYNC_BEGIN, ovly_nl_ref_policy, .doit = ovly_nl_route_sync_begin),
	OVLY_NL_OP(ROUTE_SYNC_END, ovly_nl_route_filter_op_policy,
		   .doit = ovly_nl_route_sync_end),
};

static const struct genl_multicast_group ovly_genl_groups[] = {
	{ .name = OVLY_MCGRP_EVENTS, OVLY_COMPAT_MCGRP_ADMIN },
};

struct genl_family ovly_genl_family __ro_after_init = {
	.name = OVLY_GENL_NAME,
	.version = OVLY_GENL_VERSION,
	.maxattr = OVLY_A_MAX,
	.netnsok = true,
	.parallel_ops = true,
	.module = THIS_MODULE,
	.ops = ovly_genl_ops,
	.n_ops = ARRAY_SIZE(ovly_genl_ops),
	OVLY_GENL_RESV_START_OP(OVLY_CMD_EVENT + 1)
	.mcgrps = ovly_genl_groups,
	.n_mcgrps = ARRAY_SIZE(ovly_genl_groups),
};

bool ovly_nl_names_dev(struct nlattr *attrs[])
{
	return attrs[OVLY_A_IFINDEX] || attrs[OVLY_A_IFNAME];
}

/* A request lacks an attribute: says so. */
bool ovly_nl_missing(struct genl_info *info, int attr)
{
	if (info->attrs[attr])
		return false;
	ovly_compat_set_missing(info->extack, NULL, attr);
	NL_SET_ERR_MSG_MOD(info->extack, "the request lacks the object's attributes");
	return true;
}

/* Where nothing narrower is to blame for @err, the object as a whole is. */
int ovly_nl_blame(struct genl_info *info, int attr, int err)
{
	if (err && info->extack && !info->extack->bad_attr && info->attrs[attr])
		NL_SET_BAD_ATTR(info->extack, info->attrs[attr]);
	return err;
}

/* The device a request names, with a reference. */
static struct net_device *ovly_nl_get_dev(struct net *net, struct nlattr *attrs[],
					  struct netlink_ext_ack *extack)
{
	struct net_device *dev;

	if (attrs[OVLY_A_IFINDEX]) {
		dev = dev_get_by_index(net, nla_get_u32(attrs[OVLY_A_IFINDEX]));
	} else if (attrs[OVLY_A_IFNAME]) {
		dev = dev_get_by_name(net, nla_data(attrs[OVLY_A_IFNAME]));
	} else {
		ovly_compat_set_missing(extack, NULL, OVLY_A_IFNAME);
		NL_SET_ERR_MSG_MOD(extack, "the request names no device");
		return ERR_PTR(-EINVAL);
	}
	if (!dev) {
		NL_SET_ERR_MSG_ATTR(extack, attrs[OVLY_A_IFINDEX] ?: attrs[OVLY_A_IFNAME],
				    "ovly: no such device");
		return ERR_PTR(-ENODEV);
	}
	if (!ovly_device_is(dev)) {
		NL_SET_ERR_MSG_ATTR(extack, attrs[OVLY_A_IFINDEX] ?: attrs[OVLY_A_IFNAME],
				    "ovly: not an overlay device");
		goto err_put;
	}
	/* A name alone may be an alternative one. */
	if (attrs[OVLY_A_IFINDEX] && attrs[OVLY_A_IFNAME] &&
	    strcmp(dev->name, nla_data(attrs[OVLY_A_IFNAME]))) {
		NL_SET_ERR_MSG_ATTR(extack, attrs[OVLY_A_IFNAME],
				    "ovly: index and name are of two devices");
		goto err_put;
	}
	return dev;

err_put:
	dev_put(dev);
	return ERR_PTR(-EINVAL);
}

/**
 * ovly_nl_lock_dev() - lock a device that a request means
 * @dev: the device, referenced
 * @net: the namespace of the request, where the device was found
 *
 * It may have left meanwhile, for one in which whoever asks has no say.  Where its
 * routes belong then is for the worker to follow, who may do so anywhere.
 *
 * Requests of others wait behind this one, so it does not wait for ever.
 *
 * Return: the device, locked and with its table up to date, to be given back with
 * ovly_nl_unlock(); or, with the reference given back, -ENODEV if it left or is being
 * deleted, -ETIMEDOUT if it changes place faster than the worker can follow, -EINTR if
 * whoever asks is being killed
 */
struct ovly_dev *ovly_nl_lock_dev(struct net_device *dev, const struct net *net)
{
	struct ovly_dev *ovly = netdev_priv(dev);
	int attempts = OVLY_NL_ATTEMPTS;
	int err;

	do {
		flush_work(&ovly->sync.work);
		err = mutex_lock_killable(&ovly->lock);
		if (err)
			goto put;
		if (READ_ONCE(ovly->dead) || !net_eq(dev_net(dev), net)) {
			err = -ENODEV;
			goto unlock;
		}
		if (ovly_sync_settle(ovly))
			return ovly;
		/* Locked, so that the device's end still waits for it. */
		ovly_sync_queue(ovly);
		mutex_unlock(&ovly->lock);
	} while (--attempts);
	err = -ETIMEDOUT;
	goto put;

unlock:
	mutex_unlock(&ovly->lock);
put:
	dev_put(dev);
	return ERR_PTR(err);
}

/**
 * ovly_nl_lock() - the device that a request names
 * @info: the request
 *
 * Return: the device, referenced, locked and with its table up to date, or an
 * error; give it back with ovly_nl_unlock()
 */
struct ovly_dev *ovly_nl_lock(struct genl_info *info)
{
	const struct nlattr *name = info->attrs[OVLY_A_IFINDEX] ?: info->attrs[OVLY_A_IFNAME];
	struct net_device *dev;
	struct ovly_dev *ovly;

	dev = ovly_nl_get_dev(genl_info_net(info), info->attrs, info->extack);
	if (IS_ERR(dev))
		return ERR_CAST(dev);
	ovly = ovly_nl_lock_dev(dev, genl_info_net(info));
	if (ovly == ERR_PTR(-ENODEV))
		NL_SET_ERR_MSG_ATTR(info->extack, name,
				    "ovly: the device has just left or been deleted");
	else if (ovly == ERR_PTR(-ETIMEDOUT))
		NL_SET_ERR_MSG_ATTR(info->extack, name,
				    "ovly: the device keeps changing its table: ask again");
	return ovly;
}

void ovly_nl_unlock(struct ovly_dev *ovly)
{
	mutex_unlock(&ovly->lock);
	dev_put(ovly->dev);
}

static int ovly_nl_put_ref(struct sk_buff *skb, const struct ovly_dev *ovly)
{
	return nla_put_u32(skb, OVLY_A_IFINDEX, ovly->dev->ifindex) ||
	       nla_put_string(skb, OVLY_A_IFNAME, ovly->dev->name) ? -EMSGSIZE : 0;
}

/* Starts an answer to @info that names the device. */
void *ovly_nl_reply_start(struct sk_buff *skb, struct genl_info *info, const struct ovly_dev *ovly)
{
	void *hdr = genlmsg_put_reply(skb, info, &ovly_genl_family, 0, info->genlhdr->cmd);

	return hdr && !ovly_nl_put_ref(skb, ovly) ? hdr : NULL;
}

/* Starts an entry of a dump that names the device. */
void *ovly_nl_dump_start(struct sk_buff *skb, struct netlink_callback *cb,
			 const struct ovly_dev *ovly, u8 cmd)
{
	void *hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
				&ovly_genl_family, NLM_F_MULTI, cmd);

	if (!hdr)
		return NULL;
	genl_dump_check_consistent(cb, hdr);
	if (ovly_nl_put_ref(skb, ovly)) {
		genlmsg_cancel(skb, hdr);
		return NULL;
	}
	return hdr;
}

/* The overlay device with the lowest index from @ifindex on, with a reference. */
static struct net_device *ovly_nl_next_dev(struct net *net, u32 ifindex)
{
	struct net_device *dev, *next = NULL;

	rcu_read_lock();
	for_each_netdev_rcu(net, dev)
		if (ovly_device_is(dev) && (u32)dev->ifindex >= ifindex &&
		    (!next || dev->ifindex < next->ifindex))
			next = dev;
	if (next)
		dev_hold(next);
	rcu_read_unlock();
	return next;
}

/**
 * ovly_nl_dump_takes_no() - a dump has no use for an attribute
 * @cb: the dump
 * @attr: the attribute, which names one object where the request is no dump
 *
 * Kernels before 6.9 hand on the words of a refusal, and not the attribute.
 *
 * Return: 0, or an error if it is given
 */
int ovly_nl_dump_takes_no(struct netlink_callback *cb, int attr)
{
	const struct nlattr *nla = ovly_compat_dump_attrs(cb)[attr];

	if (!nla)
		return 0;
	NL_SET_ERR_MSG_ATTR(cb->extack, nla,
			    "ovly: a dump is of all objects and takes none that names one");
	return -EINVAL;
}

/**
 * ovly_nl_dump_devs() - dump something of every device, or of the one named
 * @skb: the message
 * @cb: the dump; its context is a &struct ovly_nl_cursor
 * @dump: adds the entries of a device from the cursor on, and leaves the cursor
 *	at the first that did not fit when it returns -EMSGSIZE
 */
int ovly_nl_dump_devs(struct sk_buff *skb, struct netlink_callback *cb, ovly_nl_dump_t dump)
{
	struct ovly_nl_cursor *cursor = (struct ovly_nl_cursor *)cb->ctx;
	struct nlattr **attrs = ovly_compat_dump_attrs(cb);
	bool one = ovly_nl_names_dev(attrs);
	struct net *net = sock_net(cb->skb->sk);
	struct net_device *dev;
	struct ovly_dev *ovly;
	int err = 0;

	BUILD_BUG_ON(sizeof(*cursor) > sizeof(cb->ctx));
	cb->seq = atomic_read(&ovly_net(net)->seq);
	if (one && cursor->ifindex == U32_MAX)
		return skb->len;
	while (!err) {
		if (one) {
			dev = ovly_nl_get_dev(net, attrs, cb->extack);
			if (IS_ERR(dev))
				return PTR_ERR(dev);
		} else {
			dev = ovly_nl_next_dev(net, cursor->ifindex);
			if (!dev)
				break;
		}
		/* Start of a device that the cursor is not in already. */
		if (cursor->ifindex != dev->ifindex)
			*cursor = (struct ovly_nl_cursor) { .ifindex = dev->ifindex };

		ovly = netdev_priv(dev);
		err = mutex_lock_killable(&ovly->lock);
		if (err) {
			dev_put(dev);
			return err;
		}
		err = READ_ONCE(ovly->dead) || !net_eq(dev_net(dev), net) ? 0 :
		      dump(skb, cb, ovly, cursor);
		mutex_unlock(&ovly->lock);
		if (!err) {
			/* The highest index there is leads to one that no device has. */
			*cursor = (struct ovly_nl_cursor) { .ifindex = (u32)dev->ifindex + 1 };
			if (one)
				cursor->ifindex = U32_MAX;
		}
		dev_put(dev);
		if (one)
			break;
	}
	return err == -EMSGSIZE && skb->len ? skb->len : err ?: skb->len;
}

int ovly_netlink_register(void)
{
	return genl_register_family(&ovly_genl_family);
}

void ovly_netlink_unregister(void)
{
	genl_unregister_family(&ovly_genl_family);
}
