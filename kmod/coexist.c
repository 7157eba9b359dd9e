// SPDX-License-Identifier: GPL-2.0
/*
 * XFRM interfaces beside paths.
 *
 * Both go by if_ids, and where a path and an XFRM interface have the same one the
 * handler with the higher priority, ours, gets the packets and the interface
 * silently gets none.  XFRM does not tell which ids its interfaces have; their
 * netlink attributes do.
 */
#include "coexist.h"

#include <linux/if_link.h>
#include <linux/netdevice.h>
#include <net/netlink.h>
#include <net/rtnetlink.h>

#include "net.h"

/* An XFRM interface has a handful of attributes. */
#define OVLY_COEXIST_INFO_SIZE	256

/* The if_id of an XFRM interface, or 0.  Context: RTNL. */
static u32 ovly_coexist_if_id(const struct net_device *dev)
{
	const struct rtnl_link_ops *ops = dev->rtnl_link_ops;
	const struct nlattr *nla;
	struct sk_buff *skb;
	u32 if_id = 0;

	if (!ops || strcmp(ops->kind, "xfrm") || !ops->fill_info)
		return 0;
	skb = nlmsg_new(OVLY_COEXIST_INFO_SIZE, GFP_KERNEL);
	if (!skb)
		return 0;
	if (!ops->fill_info(skb, dev)) {
		nla = nla_find((struct nlattr *)skb->data, skb->len, IFLA_XFRM_IF_ID);
		if (nla && nla_len(nla) == sizeof(u32))
			if_id = nla_get_u32(nla);
	}
	kfree_skb(skb);
	return if_id;
}

static void ovly_coexist_say(u32 if_id, int ifindex)
{
	net_warn_ratelimited("ovly: if_id %#x is a path's and that of an XFRM interface (index %d), which gets none of its packets\n",
			     if_id, ifindex);
}

/**
 * ovly_coexist_warn() - a path takes an if_id
 * @on: the namespace of the path
 * @if_id: the id of its inbound SAs
 * @extack: told where an XFRM interface has the id too
 *
 * Context: process.
 */
void ovly_coexist_warn(const struct ovly_net *on, u32 if_id, struct netlink_ext_ack *extack)
{
	const void *entry = xa_load((struct xarray *)&on->xfrm_interfaces, if_id);

	if (!entry)
		return;
	ovly_coexist_say(if_id, xa_to_value(entry));
	NL_SET_ERR_MSG_MOD(extack,
			   "an XFRM interface has the same if-id and gets no packets from now on");
}

/* Context: RTNL. */
static int ovly_coexist_event(struct notifier_block *nb, unsigned long event, void *ptr)
{
	const struct net_device *dev = netdev_notifier_info_to_dev(ptr);
	struct ovly_net *on = ovly_net(dev_net(dev));
	u32 if_id;

	if (!on || (event != NETDEV_REGISTER && event != NETDEV_UNREGISTER))
		return NOTIFY_DONE;
	if_id = ovly_coexist_if_id(dev);
	if (!if_id)
		return NOTIFY_DONE;
	if (event == NETDEV_UNREGISTER) {
		xa_erase_bh(&on->xfrm_interfaces, if_id);
		return NOTIFY_DONE;
	}
	/* For a warning: without memory there is none. */
	xa_store_bh(&on->xfrm_interfaces, if_id, xa_mk_value(dev->ifindex), GFP_KERNEL);
	if (xa_load(&on->paths_in, if_id))
		ovly_coexist_say(if_id, dev->ifindex);
	return NOTIFY_DONE;
}

static struct notifier_block ovly_coexist_nb = {
	.notifier_call = ovly_coexist_event,
};

/* Context: the namespaces are known to ovly.  Reports the devices there are. */
int ovly_coexist_register(void)
{
	return register_netdevice_notifier(&ovly_coexist_nb);
}

void ovly_coexist_unregister(void)
{
	unregister_netdevice_notifier(&ovly_coexist_nb);
}
