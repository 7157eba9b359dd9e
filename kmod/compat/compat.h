/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The differences between the supported kernels, 5.10 to 7.x.  Stable kernels
 * backport: test for the feature where it can be tested, for the version only
 * where it cannot.
 */
#ifndef _OVLY_COMPAT_H
#define _OVLY_COMPAT_H

#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/version.h>
#include <net/genetlink.h>
#include <net/xfrm.h>

/* 6.1: commands from resv_start_op on have their reserved header fields checked. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 1, 0)
#define OVLY_GENL_RESV_START_OP(op)	.resv_start_op = (op),
#else
#define OVLY_GENL_RESV_START_OP(op)
#endif

/* 6.12: NETIF_F_LLTX and NETIF_F_NETNS_LOCAL became bits of struct net_device. */
static inline void ovly_compat_set_lltx(struct net_device *dev)
{
#ifdef NETIF_F_LLTX
	dev->features |= NETIF_F_LLTX;
#else
	dev->lltx = true;
#endif
}

/* 6.8: xfrm_decode_session() got the network namespace. */
static inline int ovly_compat_decode_session(struct net *net, struct sk_buff *skb,
					     struct flowi *fl, unsigned int family)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0)
	return xfrm_decode_session(net, skb, fl, family);
#else
	return xfrm_decode_session(skb, fl, family);
#endif
}

/* 5.18: skb_clear_tstamp() */
static inline void ovly_compat_clear_tstamp(struct sk_buff *skb)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 18, 0)
	skb_clear_tstamp(skb);
#else
	skb->tstamp = 0;
#endif
}

/* 6.7 and stable kernels since: a group can be for administrators only. */
#ifdef GENL_MCAST_CAP_NET_ADMIN
#define OVLY_COMPAT_MCGRP_ADMIN		.flags = GENL_MCAST_CAP_NET_ADMIN
#else
#define OVLY_COMPAT_MCGRP_ADMIN
#endif

/* 6.7: struct genl_dumpit_info holds a struct genl_info. */
static inline struct nlattr **ovly_compat_dump_attrs(struct netlink_callback *cb)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
	return genl_dumpit_info(cb)->info.attrs;
#else
	return genl_dumpit_info(cb)->attrs;
#endif
}

/* 6.15: rtnl_link_ops.newlink() gets its arguments in a struct. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 15, 0)
#define OVLY_COMPAT_NEWLINK(name, newlink)						\
static int name(struct net_device *dev, struct rtnl_newlink_params *params,		\
		struct netlink_ext_ack *extack)						\
{											\
	return newlink(dev, params->data, extack);					\
}
#else
#define OVLY_COMPAT_NEWLINK(name, newlink)						\
static int name(struct net *src_net, struct net_device *dev, struct nlattr *tb[],	\
		struct nlattr *data[], struct netlink_ext_ack *extack)			\
{											\
	return newlink(dev, data, extack);						\
}
#endif

#endif /* _OVLY_COMPAT_H */
