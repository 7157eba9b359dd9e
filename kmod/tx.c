// SPDX-License-Identifier: GPL-2.0
/*
 * Transmit: next hop to peer, peer to path, path to SA.
 *
 * Fail closed: a packet leaves as ESP with the if_id of its peer's active path,
 * or it is dropped here, counted, and answered with the ICMP error that fits.
 */
#include "tx.h"

#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/ipv6.h>
#include <net/dst_metadata.h>
#include <net/icmp.h>
#include <net/ip6_route.h>
#include <net/ip_tunnels.h>
#include <net/route.h>
#include <net/xfrm.h>

#include "compat.h"
#include "device.h"
#include "net.h"
#include "path.h"
#include "peer.h"
#include "sa_watch.h"
#include "skb.h"
#include "stats.h"
#include "trace.h"
#include "underlay.h"

/* A packet is dropped because of @why, on behalf of @peer if there is one. */
static void ovly_tx_count(struct ovly_dev *ovly, struct ovly_peer *peer,
			  const struct sk_buff *skb, enum ovly_stats_attr why)
{
	ovly_drops_inc(&ovly->drops, why);
	if (peer)
		ovly_drops_inc(&peer->drops, why);
	trace_ovly_drop(ovly->dev, peer, skb, why);
}

/* The destination cannot be reached now. */
static void ovly_tx_unreachable(struct sk_buff *skb)
{
	if (skb->protocol == htons(ETH_P_IP))
		icmp_ndo_send(skb, ICMP_DEST_UNREACH, ICMP_HOST_UNREACH, 0);
	else
		icmpv6_ndo_send(skb, ICMPV6_DEST_UNREACH, ICMPV6_ADDR_UNREACH, 0);
}

/* No tunnel may carry this packet. */
static void ovly_tx_prohibited(struct sk_buff *skb)
{
	if (skb->protocol == htons(ETH_P_IP))
		icmp_ndo_send(skb, ICMP_DEST_UNREACH, ICMP_PKT_FILTERED, 0);
	else
		icmpv6_ndo_send(skb, ICMPV6_DEST_UNREACH, ICMPV6_ADM_PROHIBITED, 0);
}

/* Gives a packet that came without a route (from a packet socket) one through
 * the device.
 */
static struct dst_entry *ovly_tx_route(struct sk_buff *skb, struct net_device *dev,
				       const struct flowi *fl)
{
	struct flowi out = *fl;
	struct dst_entry *dst;

	if (skb->protocol == htons(ETH_P_IP)) {
		struct rtable *rt;

		out.u.ip4.flowi4_oif = dev->ifindex;
		out.u.ip4.flowi4_flags |= FLOWI_FLAG_ANYSRC;
		rt = __ip_route_output_key(dev_net(dev), &out.u.ip4);
		if (IS_ERR(rt))
			return NULL;
		dst = &rt->dst;
	} else {
		out.u.ip6.flowi6_oif = dev->ifindex;
		out.u.ip6.flowi6_flags |= FLOWI_FLAG_ANYSRC;
		dst = ip6_route_output(dev_net(dev), NULL, &out.u.ip6);
		if (dst->error) {
			dst_release(dst);
			return NULL;
		}
	}
	skb_dst_set(skb, dst);
	return dst;
}

/* The next hop that the packet's route gives. */
static struct ovly_ip ovly_tx_nexthop(const struct sk_buff *skb, const struct dst_entry *dst)
{
	if (skb->protocol == htons(ETH_P_IP)) {
		const struct rtable *rt = container_of(dst, struct rtable, dst);

		if (rt->rt_gw_family == AF_INET6)
			return ovly_ip_v6(&rt->rt_gw6);
		return ovly_ip_v4(rt_nexthop(rt, ip_hdr(skb)->daddr));
	}
	return ovly_ip_v6(rt6_nexthop(container_of(dst, struct rt6_info, dst),
				      &ipv6_hdr(skb)->daddr));
}

static struct ovly_peer *ovly_tx_peer(const struct ovly_dev *ovly, const struct sk_buff *skb,
				      const struct dst_entry *dst)
{
	struct ovly_ip nexthop;

	/* The one peer of a p2p device takes every packet. */
	if (ovly->mode == OVLY_MODE_P2P)
		return rcu_dereference(ovly->sole);
	nexthop = ovly_tx_nexthop(skb, dst);
	return ovly_peer_lookup_rcu(ovly, &nexthop);
}

/* The path that takes a peer's packets now: its own, or else its backup's. */
static struct ovly_path *ovly_tx_path(const struct ovly_peer *peer)
{
	struct ovly_path *path = rcu_dereference(peer->active);
	const struct ovly_peer *backup;

	if (likely(path))
		return path;
	backup = rcu_dereference(peer->backup);
	return backup ? rcu_dereference(backup->active) : NULL;
}

static bool ovly_tx_fits(const struct sk_buff *skb, u32 mtu)
{
	return skb_is_gso(skb) ? skb_gso_validate_network_len(skb, mtu) : skb->len <= mtu;
}

/* Too big for the path: says so to whoever sent it.  Returns false if it may be
 * sent all the same, see ovly_tx_hand_over().
 */
static bool ovly_tx_too_big(struct sk_buff *skb, const struct dst_entry *dst)
{
	u32 mtu = dst_mtu(dst);

	/* RFC 8200: no link is smaller than this, so fragments outside have to do. */
	if (skb->protocol == htons(ETH_P_IPV6))
		mtu = max_t(u32, mtu, IPV6_MIN_MTU);
	if (ovly_tx_fits(skb, mtu))
		return false;

	if (skb->protocol == htons(ETH_P_IP)) {
		if (!(ip_hdr(skb)->frag_off & htons(IP_DF)))
			return false;
		skb_dst_update_pmtu_no_confirm(skb, mtu);
		icmp_ndo_send(skb, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, htonl(mtu));
		return true;
	}
	skb_dst_update_pmtu_no_confirm(skb, mtu);
	icmpv6_ndo_send(skb, ICMPV6_PKT_TOOBIG, 0, mtu);
	return true;
}

/* Finds the SA bundle of a path for a flow.  Returns NULL with @why set. */
static struct dst_entry *ovly_tx_bundle(struct ovly_dev *ovly, const struct ovly_path *path,
					struct dst_entry *inner, struct flowi *fl,
					enum ovly_stats_attr *why)
{
	u32 mark = READ_ONCE(path->peer->mark);
	const struct xfrm_state *x;
	struct dst_entry *dst;

	/* Outer packets are routed where the underlay is, not in our VRF. */
	fl->flowi_oif = ovly_underlay_flow_oif(rcu_dereference(path->underlay));
	/* A mark of another namespace means nothing where the SAs are. */
	if (mark || !net_eq(ovly->net, dev_net(ovly->dev)))
		fl->flowi_mark = mark;
	dst_hold(inner);
	dst = xfrm_lookup_with_ifid(ovly->net, inner, fl, NULL, 0, path->if_id_out);
	if (IS_ERR(dst)) {
		*why = PTR_ERR(dst) == -EPERM ? OVLY_A_STATS_TX_NO_POLICY : OVLY_A_STATS_TX_NO_SA;
		/* The path would be down if nobody had an SA. */
		ovly_sa_doubt(ovly_net(ovly->net));
		return NULL;
	}
	x = dst->xfrm;
	if (!x || x->if_id != path->if_id_out) {
		/* No policy has the if_id, or one without SAs lets it pass. */
		*why = OVLY_A_STATS_TX_NO_POLICY;
		dst_release(dst);
		return NULL;
	}
	if (x->id.proto != IPPROTO_ESP || x->props.mode != XFRM_MODE_TUNNEL ||
	    !ovly_path_leads_to(path, &x->id.daddr, x->props.family)) {
		ovly_sa_doubt(ovly_net(ovly->net));
		*why = OVLY_A_STATS_TX_NO_SA;
		dst_release(dst);
		return NULL;
	}
	if (dst->dev == ovly->dev) {
		net_warn_ratelimited("%s: outer packets would enter the device again; path of if_id %#x is looped\n",
				     netdev_name(ovly->dev), path->if_id_out);
		*why = OVLY_A_STATS_TX_LOOP;
		dst_release(dst);
		return NULL;
	}
	return dst;
}

/* Hands a packet over to XFRM.  No socket sends the outer packet: that of the inner one
 * may be bound to a VRF or to the device, where a new look-up for a changed mark would
 * look, and a control group's filter is for what it sends itself.
 */
static int ovly_tx_hand_over(struct net *net, struct sk_buff *skb, const struct dst_entry *dst)
{
	if (likely(skb->protocol != htons(ETH_P_IPV6) || ovly_tx_fits(skb, dst_mtu(dst))))
		return dst_output(net, NULL, skb);
	/* At most 1280 bytes, to be fragmented outside.  On its way there XFRM would
	 * refuse it, or fragment it inside, where it may be a fragment already.  So the
	 * inner packet misses POST_ROUTING of the underlay; a hook there could hold
	 * it, and where it is to go, for longer than this module exists.
	 */
	skb->ignore_df = 1;
	return xfrm_output(NULL, skb);
}

/* @peer has the path, and the tunnel's counters. */
static void ovly_tx_output(struct sk_buff *skb, struct ovly_dev *ovly, struct ovly_peer *peer,
			   struct dst_entry *dst)
{
	unsigned int len = skb->len;
	int err;

	ovly_skb_scrub(skb, !net_eq(ovly->net, dev_net(ovly->dev)));
	ovly_skb_mark(skb, peer);
	skb_dst_set(skb, dst);
	skb->dev = dst->dev;
	err = ovly_tx_hand_over(ovly->net, skb, dst);
	if (net_xmit_eval(err)) {
		/* The packet is gone. */
		ovly_tx_count(ovly, peer, NULL, OVLY_A_STATS_TX_ERROR);
		return;
	}
	ovly_traffic_tx(ovly->traffic, len);
	ovly_traffic_tx(peer->traffic, len);
}

/* Whether a packet may go on, and its flow. */
static bool ovly_tx_decode(struct sk_buff *skb, struct net_device *dev, struct flowi *fl)
{
	u16 family;

	/* With a header of a link layer in front, as nft's fwd leaves it, it is none. */
	if (skb_network_offset(skb) || !pskb_inet_may_pull(skb))
		return false;
	memset(fl, 0, sizeof(*fl));
	switch (skb->protocol) {
	case htons(ETH_P_IP):
		memset(IPCB(skb), 0, sizeof(*IPCB(skb)));
		family = AF_INET;
		break;
	case htons(ETH_P_IPV6):
		/* With ipv6.disable=1 there is nothing to look a route up in. */
		if (!ipv6_mod_enabled())
			return false;
		memset(IP6CB(skb), 0, sizeof(*IP6CB(skb)));
		family = AF_INET6;
		break;
	default:
		return false;
	}
	/* BPF may have changed the family, or put metadata there. */
	if (skb_dst(skb) && (!skb_valid_dst(skb) || skb_dst(skb)->ops->family != family))
		skb_dst_drop(skb);
	return !ovly_compat_decode_session(dev_net(dev), skb, fl, family);
}

/**
 * ovly_tx() - .ndo_start_xmit of an overlay device
 * @skb: an IPv4 or IPv6 packet
 * @dev: the device
 *
 * Context: bottom halves disabled, no lock.
 */
netdev_tx_t ovly_tx(struct sk_buff *skb, struct net_device *dev)
{
	struct ovly_dev *ovly = netdev_priv(dev);
	enum ovly_stats_attr why = OVLY_A_STATS_TX_ERROR;
	struct ovly_peer *peer = NULL;
	struct dst_entry *inner, *dst;
	struct ovly_path *path;
	struct flowi fl;

	rcu_read_lock();
	if (!ovly_tx_decode(skb, dev, &fl))
		goto drop;
	inner = skb_dst(skb) ?: ovly_tx_route(skb, dev, &fl);
	if (!inner)
		goto drop;

	peer = ovly_tx_peer(ovly, skb, inner);
	if (!peer) {
		why = OVLY_A_STATS_TX_NO_PEER;
		goto unreachable;
	}
	path = ovly_tx_path(peer);
	if (!path) {
		why = OVLY_A_STATS_TX_NO_PATH;
		goto unreachable;
	}
	dst = ovly_tx_bundle(ovly, path, inner, &fl, &why);
	if (!dst) {
		if (why != OVLY_A_STATS_TX_NO_POLICY)
			goto unreachable;
		ovly_tx_prohibited(skb);
		goto drop;
	}
	if (READ_ONCE(path->mtu) != dst_mtu(dst))
		WRITE_ONCE(path->mtu, dst_mtu(dst));
	if (unlikely(ovly_tx_too_big(skb, dst))) {
		dst_release(dst);
		why = OVLY_A_STATS_TX_TOO_BIG;
		goto drop;
	}
	ovly_tx_output(skb, ovly, path->peer, dst);
	rcu_read_unlock();
	return NETDEV_TX_OK;

unreachable:
	ovly_tx_unreachable(skb);
drop:
	ovly_tx_count(ovly, peer, skb, why);
	rcu_read_unlock();
	kfree_skb(skb);
	return NETDEV_TX_OK;
}
