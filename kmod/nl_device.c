// SPDX-License-Identifier: GPL-2.0
/* Generic netlink: devices.  They are made and deleted as rtnetlink links. */
#include <net/genetlink.h>

#include "device.h"
#include "guard.h"
#include "netlink.h"
#include "nl_attr.h"

static int ovly_nl_put_dev_nest(struct sk_buff *skb, const struct ovly_dev *ovly)
{
	struct nlattr *nest = nla_nest_start(skb, OVLY_A_DEV);

	if (!nest || ovly_nl_put_dev(skb, ovly))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

int ovly_nl_dev_get(struct sk_buff *skb, struct genl_info *info)
{
	struct ovly_dev *ovly = ovly_nl_lock(info);
	struct sk_buff *reply;
	int err = -ENOMEM;
	void *hdr;

	if (IS_ERR(ovly))
		return PTR_ERR(ovly);
	reply = genlmsg_new(NLMSG_GOODSIZE, GFP_KERNEL);
	if (!reply)
		goto out;
	err = -EMSGSIZE;
	hdr = ovly_nl_reply_start(reply, info, ovly);
	if (!hdr || ovly_nl_put_dev_nest(reply, ovly))
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

static int ovly_nl_dev_dump_one(struct sk_buff *skb, struct netlink_callback *cb,
				struct ovly_dev *ovly, struct ovly_nl_cursor *cursor)
{
	void *hdr = ovly_nl_dump_start(skb, cb, ovly, OVLY_CMD_DEV_GET);

	if (!hdr)
		return -EMSGSIZE;
	if (ovly_nl_put_dev_nest(skb, ovly)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

int ovly_nl_dev_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	return ovly_nl_dump_devs(skb, cb, ovly_nl_dev_dump_one);
}

int ovly_nl_dev_set(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *tb[OVLY_A_DEV_MAX + 1];
	struct ovly_dev_conf conf;
	struct ovly_dev *ovly;
	int err;

	if (ovly_nl_missing(info, OVLY_A_DEV))
		return -EINVAL;
	err = nla_parse_nested(tb, OVLY_A_DEV_MAX, info->attrs[OVLY_A_DEV], ovly_nl_dev_policy,
			       info->extack);
	if (!err)
		err = ovly_nl_parse_dev(tb, &conf, info->extack);
	if (err)
		return err;
	ovly = ovly_nl_lock(info);
	if (IS_ERR(ovly))
		return PTR_ERR(ovly);
	err = ovly_device_change(ovly, &conf, skb, info->extack);
	ovly_nl_unlock(ovly);
	return ovly_nl_blame(info, OVLY_A_DEV, err);
}

int ovly_nl_dev_resync(struct sk_buff *skb, struct genl_info *info)
{
	struct ovly_dev *ovly = ovly_nl_lock(info);

	if (IS_ERR(ovly))
		return PTR_ERR(ovly);
	ovly_sync_lost(ovly);
	ovly_nl_unlock(ovly);
	/* With the table up to date again. */
	ovly = ovly_nl_lock(info);
	if (IS_ERR(ovly))
		return PTR_ERR(ovly);
	ovly_guard_restore(ovly->sync.guard);
	ovly_nl_unlock(ovly);
	return 0;
}
