// SPDX-License-Identifier: GPL-2.0
/*
 * ICMP errors about outer packets, where the underlay is in a VRF.
 *
 * XFRM's own handlers, which come behind ovly's, note a path MTU for the route that
 * the outer packet would have outside any VRF.  Outer packets of a path are routed
 * in the VRF of its underlay, so it is noted there as well.
 */
#include "outer_error.h"

#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <net/esp.h>
#include <net/ip6_route.h>
#include <net/l3mdev.h>
#include <net/route.h>
#include <net/sock.h>
#include <net/xfrm.h>

#include "net.h"

/* Is the SA that the packet was of a path's? */
static bool ovly_outer_error_concerns(struct sk_buff *skb, const void *daddr,
				      const struct ip_esp_hdr *esph, u16 family)
{
	struct net *net = dev_net(skb->dev);
	struct xfrm_state *x;
	bool concerns;

	x = xfrm_state_lookup(net, skb->mark, daddr, esph->spi, IPPROTO_ESP, family);
	if (!x)
		return false;
	concerns = x->if_id && xa_load(&ovly_net(net)->paths_out, x->if_id);
	xfrm_state_put(x);
	return concerns;
}

/**
 * ovly_outer_error4() - an IPv4 router could not forward a packet of ESP
 * @skb: the packet, as much of it as came back
 * @info: the MTU that it has to fit into
 *
 * Context: RCU read side, bottom halves disabled.
 * Return: -ENOENT: the handlers behind are to look at it, too
 */
int ovly_outer_error4(struct sk_buff *skb, u32 info)
{
	const struct iphdr *iph = (const struct iphdr *)skb->data;
	int vrf = l3mdev_master_ifindex_rcu(skb->dev);

	if (vrf && icmp_hdr(skb)->type == ICMP_DEST_UNREACH &&
	    icmp_hdr(skb)->code == ICMP_FRAG_NEEDED &&
	    ovly_outer_error_concerns(skb, &iph->daddr,
				      (const void *)(skb->data + (iph->ihl << 2)), AF_INET))
		ipv4_update_pmtu(skb, dev_net(skb->dev), info, vrf, IPPROTO_ESP);
	return -ENOENT;
}

/**
 * ovly_outer_error6() - an IPv6 router could not forward a packet of ESP
 * @skb: the packet, as much of it as came back
 * @opt: not used
 * @type: of the error
 * @code: not used
 * @offset: of the ESP header
 * @info: the MTU that it has to fit into, in network byte order
 *
 * Context: RCU read side, bottom halves disabled.
 * Return: -ENOENT: the handlers behind are to look at it, too
 */
int ovly_outer_error6(struct sk_buff *skb, struct inet6_skb_parm *opt, u8 type, u8 code,
		      int offset, __be32 info)
{
#if IS_ENABLED(CONFIG_IPV6)
	const struct ipv6hdr *iph = (const struct ipv6hdr *)skb->data;
	int vrf = l3mdev_master_ifindex_rcu(skb->dev);
	struct net *net = dev_net(skb->dev);

	if (vrf && type == ICMPV6_PKT_TOOBIG &&
	    ovly_outer_error_concerns(skb, &iph->daddr, (const void *)(skb->data + offset),
				      AF_INET6))
		ip6_update_pmtu(skb, net, info, vrf, 0, sock_net_uid(net, NULL));
#endif
	return -ENOENT;
}
