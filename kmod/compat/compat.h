/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The differences between the supported kernels, 5.10 to 7.x.  Stable kernels
 * backport, so no version is compared: Kbuild looks into the headers for each
 * feature and defines OVLY_HAVE_*.  The versions below say where it came from.
 */
#ifndef _OVLY_COMPAT_H
#define _OVLY_COMPAT_H

#include <linux/net.h>
#include <linux/netdevice.h>
#include <linux/netlink.h>
#include <linux/skbuff.h>
#include <net/genetlink.h>
#include <net/ip6_route.h>
#include <net/rtnetlink.h>
#include <net/xfrm.h>

/* 6.5: skb_gso_validate_network_len() and its like left linux/skbuff.h. */
#ifdef OVLY_HAVE_NET_GSO_H
#include <net/gso.h>
#endif

/* 6.1: commands from resv_start_op on may not have the flags of new requests
 * (NLM_F_CREATE and so on).  Ours mean what they mean in rtnetlink.
 */
#ifdef OVLY_HAVE_GENL_RESV_START_OP
#define OVLY_GENL_RESV_START_OP(op)	.resv_start_op = (op),
#else
#define OVLY_GENL_RESV_START_OP(op)
#endif

/* 6.7 and stable kernels since: a group can be for administrators only. */
#ifdef GENL_MCAST_CAP_NET_ADMIN
#define OVLY_COMPAT_MCGRP_ADMIN		.flags = GENL_MCAST_CAP_NET_ADMIN
#else
#define OVLY_COMPAT_MCGRP_ADMIN
#endif

/* 6.12: NETIF_F_LLTX became a bit of struct net_device. */
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
#ifdef OVLY_HAVE_XFRM_DECODE_SESSION_NET
	return xfrm_decode_session(net, skb, fl, family);
#else
	return xfrm_decode_session(skb, fl, family);
#endif
}

/* 5.19 got netif_napi_add_weight(), and 6.1 took the weight from netif_napi_add(). */
static inline void ovly_compat_napi_add(struct net_device *dev, struct napi_struct *napi,
					int (*poll)(struct napi_struct *napi, int budget))
{
#ifdef OVLY_HAVE_NETIF_NAPI_ADD_WEIGHT
	netif_napi_add_weight(dev, napi, poll, NAPI_POLL_WEIGHT);
#else
	netif_napi_add(dev, napi, poll, NAPI_POLL_WEIGHT);
#endif
}

/* 7.x: addresses of sockets have a type of no size. */
static inline int ovly_compat_connect(struct socket *sock, struct sockaddr_nl *to)
{
#ifdef OVLY_HAVE_SOCKADDR_UNSIZED
	return kernel_connect(sock, (struct sockaddr_unsized *)to, sizeof(*to), 0);
#else
	return kernel_connect(sock, (struct sockaddr *)to, sizeof(*to), 0);
#endif
}

/* 5.18: the time stamp has a type. */
static inline void ovly_compat_clear_tstamp(struct sk_buff *skb)
{
#ifdef OVLY_HAVE_SKB_CLEAR_TSTAMP
	skb_clear_tstamp(skb);
#else
	skb->tstamp = 0;
#endif
}

/* 6.0: a refusal can name the attribute that a request, or a nest of it, lacks. */
static inline void ovly_compat_set_missing(struct netlink_ext_ack *extack,
					   const struct nlattr *nest, u16 type)
{
#ifdef NL_SET_ERR_ATTR_MISS
	NL_SET_ERR_ATTR_MISS(extack, nest, type);
#endif
}

/* 6.7: struct genl_dumpit_info holds a struct genl_info. */
static inline struct nlattr **ovly_compat_dump_attrs(struct netlink_callback *cb)
{
#ifdef OVLY_HAVE_GENL_DUMPIT_GENL_INFO
	return genl_dumpit_info(cb)->info.attrs;
#else
	return genl_dumpit_info(cb)->attrs;
#endif
}

/* 7.x and stable kernels since: key managers learn whose SAs migrate. */
#ifdef OVLY_HAVE_KM_MIGRATE_NET
#define OVLY_COMPAT_KM_MIGRATE_ARGS						\
	const struct xfrm_selector *sel, u8 dir, u8 type,			\
	const struct xfrm_migrate *m, int num_bundles,				\
	const struct xfrm_kmaddress *k, struct net *at,				\
	const struct xfrm_encap_tmpl *encap
#define OVLY_COMPAT_KM_MIGRATE_NET	at
#else
#define OVLY_COMPAT_KM_MIGRATE_ARGS						\
	const struct xfrm_selector *sel, u8 dir, u8 type,			\
	const struct xfrm_migrate *m, int num_bundles,				\
	const struct xfrm_kmaddress *k,						\
	const struct xfrm_encap_tmpl *encap
#define OVLY_COMPAT_KM_MIGRATE_NET	NULL
#endif

/* 6.12: ip6_route_output_flags_noref() went out of reach of modules.  What the
 * other returns stays as long as RCU has readers, with or without a reference.
 * Context: RCU.
 */
static inline const struct dst_entry *ovly_compat_ip6_route_noref(struct net *net,
								  struct flowi6 *fl6)
{
#ifdef OVLY_HAVE_IP6_ROUTE_NOREF
	return ip6_route_output_flags_noref(net, NULL, fl6, 0);
#else
	struct dst_entry *dst = ip6_route_output_flags(net, NULL, fl6, 0);

	dst_release(dst);
	return dst;
#endif
}

/* 6.15: .newlink() of struct rtnl_link_ops gets its arguments in a struct, and a
 * device of "link-netns" is made where it is to be, not in the other namespace first.
 */
#ifdef OVLY_HAVE_RTNL_NEWLINK_PARAMS
#define OVLY_COMPAT_NEWLINK_ARGS						\
	struct net_device *dev, struct rtnl_newlink_params *params,		\
	struct netlink_ext_ack *extack
#define OVLY_COMPAT_NEWLINK_DATA	params->data
#define OVLY_COMPAT_NEWLINK_NET		(params->link_net ?: dev_net(dev))
#else
#define OVLY_COMPAT_NEWLINK_ARGS						\
	struct net *src_net, struct net_device *dev, struct nlattr *tb[],	\
	struct nlattr *data[], struct netlink_ext_ack *extack
#define OVLY_COMPAT_NEWLINK_DATA	data
#define OVLY_COMPAT_NEWLINK_NET		dev_net(dev)
#endif

#endif /* _OVLY_COMPAT_H */
