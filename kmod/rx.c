// SPDX-License-Identifier: GPL-2.0
/*
 * Receive: SA to path, path to peer, and into the stack.
 *
 * XFRM calls back after it has decrypted a packet.  esp4, esp6 and whoever else
 * registered handlers keep doing the input; this callback only claims packets
 * whose SA carries the if_id of a path.  What it claims it must judge itself:
 * the stack's own policy check knows nothing of if_ids without the single slot
 * that xfrm_interface takes, so the SA's selector, the peer and the source are
 * checked here and the security path is dropped afterwards.
 */
#include "rx.h"

#include <linux/ipv6.h>
#include <linux/rtnetlink.h>
#include <net/ip6_fib.h>
#include <net/ip6_route.h>
#include <net/ip_fib.h>
#include <net/l3mdev.h>
#include <net/nexthop.h>
#include <net/xfrm.h>

#include "cell.h"
#include "compat.h"
#include "device.h"
#include "net.h"
#include "notify.h"
#include "outer_error.h"
#include "park.h"
#include "path.h"
#include "peer.h"
#include "sa_watch.h"
#include "skb.h"
#include "stats.h"
#include "trace.h"

/* Between vti (100) and xfrm_interface (10): each looks for SAs of its own. */
#define OVLY_RX_PRIORITY	50

/* Does a next hop on the device lead to the peer, as such or as the backup?  The
 * two ends need not notice at once that a tunnel fails, so a backup may send
 * while the way to the owner looks good from here.
 */
static bool ovly_rx_nexthop_is(const struct ovly_peer *peer, const struct ovly_ip *nexthop)
{
	const struct ovly_dev *ovly = peer->ovly;
	const struct ovly_peer *owner;

	if (ovly->mode == OVLY_MODE_P2P)
		return true;
	owner = ovly_peer_lookup_rcu(ovly, nexthop);
	if (!owner)
		return false;
	return owner == peer || rcu_access_pointer(owner->backup) == peer ||
	       READ_ONCE(ovly->src_valid) == OVLY_SRC_VALID_LOOSE;
}

/* What the route back is looked up with: a mark of another namespace means nothing
 * where the device is.
 */
static u32 ovly_rx_flow_mark(const struct ovly_dev *ovly, const struct sk_buff *skb)
{
	return net_eq(ovly->net, dev_net(ovly->dev)) ? skb->mark : 0;
}

static bool ovly_rx_source4_ok(const struct ovly_peer *peer, const struct sk_buff *skb)
{
	struct net_device *dev = peer->ovly->dev;
	struct flowi4 fl4 = {
		.daddr = ip_hdr(skb)->saddr,
		.saddr = ip_hdr(skb)->daddr,
		.flowi4_iif = LOOPBACK_IFINDEX,
		.flowi4_oif = l3mdev_master_ifindex_rcu(dev),
		.flowi4_mark = ovly_rx_flow_mark(peer->ovly, skb),
		.flowi4_scope = RT_SCOPE_UNIVERSE,
	};
	struct fib_result res;
	int i;

	if (ipv4_is_multicast(fl4.daddr) || ipv4_is_lbcast(fl4.daddr) ||
	    ipv4_is_zeronet(fl4.daddr))
		return false;
	if (fib_lookup(dev_net(dev), &fl4, &res, 0) || res.type != RTN_UNICAST)
		return false;
	for (i = 0; i < fib_info_num_path(res.fi); i++) {
		const struct fib_nh_common *nhc = fib_info_nhc(res.fi, i);
		struct ovly_ip nexthop;

		/* A group of nexthop objects has become smaller under us. */
		if (!nhc)
			break;
		if (nhc->nhc_dev != dev)
			continue;
		if (nhc->nhc_gw_family == AF_INET6)
			nexthop = ovly_ip_v6(&nhc->nhc_gw.ipv6);
		else
			nexthop = ovly_ip_v4(nhc->nhc_gw_family ? nhc->nhc_gw.ipv4 : fl4.daddr);
		if (ovly_rx_nexthop_is(peer, &nexthop))
			return true;
	}
	return false;
}

#if IS_ENABLED(CONFIG_IPV6)
static int ovly_rx_nh6_leads_to(struct fib6_nh *nh, void *arg)
{
	const struct ovly_peer *peer = arg;
	struct ovly_ip nexthop = ovly_ip_v6(&nh->fib_nh_gw6);

	return nh->fib_nh_dev == peer->ovly->dev && ovly_rx_nexthop_is(peer, &nexthop);
}

/* Does any of the next hops of an IPv6 multipath route lead to the peer? */
static bool ovly_rx_multipath_leads_to(struct ovly_peer *peer, const struct fib6_info *from)
{
	struct fib6_info *sibling;
	unsigned int left;

	if (!from)
		return false;
	if (from->nh)
		return nexthop_for_each_fib6_nh(from->nh, ovly_rx_nh6_leads_to, peer);
	left = READ_ONCE(from->fib6_nsiblings);
	if (!left)
		return false;
	list_for_each_entry_rcu(sibling, &from->fib6_siblings, fib6_siblings) {
		/* Once it or a sibling is out of the ring, there may be no way back to
		 * the start.
		 */
		if (!left--)
			return false;
		if (ovly_rx_nh6_leads_to(sibling->fib6_nh, peer))
			return true;
	}
	return false;
}

static bool ovly_rx_source6_ok(struct ovly_peer *peer, const struct sk_buff *skb)
{
	struct net_device *dev = peer->ovly->dev;
	struct flowi6 fl6 = {
		.daddr = ipv6_hdr(skb)->saddr,
		.saddr = ipv6_hdr(skb)->daddr,
		.flowi6_oif = l3mdev_master_ifindex_rcu(dev),
		.flowi6_mark = ovly_rx_flow_mark(peer->ovly, skb),
	};
	const struct rt6_info *rt;
	const struct dst_entry *dst;
	struct ovly_ip nexthop;

	if (ipv6_addr_is_multicast(&fl6.daddr) || ipv6_addr_any(&fl6.daddr) ||
	    ipv6_addr_loopback(&fl6.daddr))
		return false;
	/* A link-local source is looked up on the link it came from. */
	if (ipv6_addr_type(&fl6.daddr) & IPV6_ADDR_LINKLOCAL)
		fl6.flowi6_oif = dev->ifindex;
	/* As for a packet of our own: with the routes that each CPU caches. */
	dst = ovly_compat_ip6_route_noref(dev_net(dev), &fl6);
	if (dst->error)
		return false;
	rt = container_of(dst, struct rt6_info, dst);
	nexthop = ovly_ip_v6(rt6_nexthop(rt, &fl6.daddr));
	/* It is one of several next hops, and may be on another device than others. */
	return (dst->dev == dev && ovly_rx_nexthop_is(peer, &nexthop)) ||
	       ovly_rx_multipath_leads_to(peer, rcu_dereference(rt->from));
}
#else
static bool ovly_rx_source6_ok(struct ovly_peer *peer, const struct sk_buff *skb)
{
	return false;
}
#endif

static bool ovly_rx_routes_back(struct ovly_peer *peer, const struct sk_buff *skb)
{
	return skb->protocol == htons(ETH_P_IP) ? ovly_rx_source4_ok(peer, skb) :
						  ovly_rx_source6_ok(peer, skb);
}

/* Would a packet to this source go to this peer? */
static bool ovly_rx_source_ok(struct ovly_peer *peer, const struct sk_buff *skb)
{
	if (READ_ONCE(peer->ovly->src_valid) == OVLY_SRC_VALID_OFF)
		return true;
	/* A look-up can miss a route that is just being replaced.  The next one does not. */
	return ovly_rx_routes_back(peer, skb) || ovly_rx_routes_back(peer, skb);
}

static bool ovly_rx_selector_is_any(const struct xfrm_selector *sel)
{
	return !sel->prefixlen_s && !sel->prefixlen_d && !sel->proto && !sel->sport_mask &&
	       !sel->dport_mask;
}

static bool ovly_rx_selector_match(const struct xfrm_selector *sel, const struct flowi *fl,
				   u16 family)
{
	const union flowi_uli *uli;

	if (family == AF_INET) {
		const struct flowi4 *fl4 = &fl->u.ip4;

		uli = &fl4->uli;
		if (!addr4_match(fl4->daddr, sel->daddr.a4, sel->prefixlen_d) ||
		    !addr4_match(fl4->saddr, sel->saddr.a4, sel->prefixlen_s))
			return false;
	} else {
		const struct flowi6 *fl6 = &fl->u.ip6;

		uli = &fl6->uli;
		if (!addr_match(&fl6->daddr, &sel->daddr, sel->prefixlen_d) ||
		    !addr_match(&fl6->saddr, &sel->saddr, sel->prefixlen_s))
			return false;
	}
	return !((xfrm_flowi_dport(fl, uli) ^ sel->dport) & sel->dport_mask) &&
	       !((xfrm_flowi_sport(fl, uli) ^ sel->sport) & sel->sport_mask) &&
	       (!sel->proto || fl->flowi_proto == sel->proto);
}

/* Is this what the SA was negotiated for? */
static bool ovly_rx_selector_ok(const struct xfrm_state *x, struct sk_buff *skb, u16 family)
{
	struct flowi fl = {};

	if (x->props.mode != XFRM_MODE_TUNNEL)
		return false;
	if (x->sel.family != AF_UNSPEC && x->sel.family != family)
		return false;
	if (ovly_rx_selector_is_any(&x->sel))
		return true;
	/* What it says is of the outer packet; some kernels look there for where the
	 * inner one has its next header.
	 */
	if (family == AF_INET6)
		memset(IP6CB(skb), 0, sizeof(*IP6CB(skb)));
	return !ovly_compat_decode_session(xs_net((struct xfrm_state *)x), skb, &fl, family) &&
	       ovly_rx_selector_match(&x->sel, &fl, family);
}

/* The family of the inner packet, or 0 if it is none that the host knows: without
 * IPv6 (ipv6.disable=1) there is nothing to look a route up in.
 */
static u16 ovly_rx_family(struct sk_buff *skb)
{
	switch (skb->protocol) {
	case htons(ETH_P_IP):
		return pskb_may_pull(skb, sizeof(struct iphdr)) ? AF_INET : 0;
	case htons(ETH_P_IPV6):
		return ipv6_mod_enabled() && pskb_may_pull(skb, sizeof(struct ipv6hdr)) ?
		       AF_INET6 : 0;
	}
	return 0;
}

/* A packet of @peer is dropped because of @why. */
static void ovly_rx_count(const struct sk_buff *skb, struct ovly_peer *peer,
			  enum ovly_stats_attr why)
{
	ovly_drops_inc(&peer->ovly->drops, why);
	ovly_drops_inc(&peer->drops, why);
	trace_ovly_drop(peer->ovly->dev, peer, skb, why);
}

static int ovly_rx_drop(struct sk_buff *skb, struct ovly_peer *peer,
			enum ovly_stats_attr why)
{
	ovly_rx_count(skb, peer, why);
	/* XFRM drops it and then asks every callback again: not twice here. */
	secpath_reset(skb);
	return -EPERM;
}

static void ovly_rx_report_source(const struct ovly_peer *peer, const struct sk_buff *skb)
{
	struct ovly_ip source = skb->protocol == htons(ETH_P_IP) ?
				ovly_ip_v4(ip_hdr(skb)->saddr) : ovly_ip_v6(&ipv6_hdr(skb)->saddr);

	ovly_notify_source(peer, &source);
}

/* Judges a decrypted packet of a path, and makes it one received on the device,
 * but for skb->dev.  Returns 0, or an error if it is to be dropped.
 */
static int ovly_rx_claim(struct sk_buff *skb, const struct xfrm_state *x,
			 const struct ovly_path *path)
{
	struct ovly_peer *peer = path->peer;
	struct ovly_dev *ovly = peer->ovly;
	u16 family;

	family = ovly_rx_family(skb);
	if (!family || !netif_running(ovly->dev))
		return ovly_rx_drop(skb, peer, OVLY_A_STATS_RX_ERROR);
	/* A path without SAs may have lost its if_id to somebody else's tunnel, or
	 * the word of an SA was lost.
	 */
	if (READ_ONCE(path->state) == OVLY_PATH_DOWN) {
		ovly_sa_doubt(ovly_net(ovly->net));
		return ovly_rx_drop(skb, peer, OVLY_A_STATS_RX_ERROR);
	}
	if (!ovly_path_leads_to(path, &x->props.saddr, x->props.family)) {
		ovly_sa_doubt(ovly_net(ovly->net));
		return ovly_rx_drop(skb, peer, OVLY_A_STATS_RX_SELECTOR);
	}
	if (!ovly_rx_selector_ok(x, skb, family))
		return ovly_rx_drop(skb, peer, OVLY_A_STATS_RX_SELECTOR);
	if (!ovly_rx_source_ok(peer, skb)) {
		ovly_rx_report_source(peer, skb);
		return ovly_rx_drop(skb, peer, OVLY_A_STATS_RX_SOURCE);
	}

	/* The secpath goes, see the top of the file.  XFRM does not look at it again. */
	ovly_skb_scrub(skb, !net_eq(ovly->net, dev_net(ovly->dev)));
	ovly_skb_mark(skb, peer);
	/* The device has no link layer and one queue.  What was hashed was the outer
	 * packet: good enough to tell tunnels apart, as GRO does, not flows.
	 */
	skb_reset_mac_header(skb);
	skb_set_queue_mapping(skb, 0);
	skb_set_hash(skb, skb_get_hash_raw(skb), PKT_HASH_TYPE_L3);
	return 0;
}

/* What was claimed goes into the stack, as soon as whoever has it lets go. */
static void ovly_rx_deliver(struct sk_buff *skb, struct ovly_peer *peer)
{
	struct ovly_dev *ovly = peer->ovly;
	unsigned int len = skb->len;

	if (!ovly_cell_receive(ovly, skb)) {
		ovly_rx_count(NULL, peer, OVLY_A_STATS_RX_ERROR);
		return;
	}
	ovly_traffic_rx(ovly->traffic, len);
	ovly_traffic_rx(peer->traffic, len);
}

/* As ovly_rx_claim(), and hands the packet on.  XFRM gives its own reference up, as
 * it does with what is dropped, see cell.c.
 */
static int ovly_rx_take(struct sk_buff *skb, const struct xfrm_state *x,
			const struct ovly_path *path)
{
	int err = ovly_rx_claim(skb, x, path);

	if (err)
		return err;
	ovly_rx_deliver(skb_get(skb), path->peer);
	return -EINPROGRESS;
}

/**
 * ovly_rx_cb() - a packet came out of XFRM
 * @skb: the inner packet, or the outer one if @err
 * @err: XFRM could not make anything of it
 *
 * Context: RCU read side, bottom halves disabled.
 * Return: 1 if it is not for a path, else XFRM is to leave it: negative if it was
 * taken or dropped, 0 if it was counted as an error
 */
static int ovly_rx_cb(struct sk_buff *skb, int err)
{
	const struct xfrm_state *x;
	struct ovly_path *path;
	struct ovly_net *on;

	if (!secpath_exists(skb) || !skb_sec_path(skb)->len)
		return 1;
	x = xfrm_input_state(skb);
	if (!x->if_id)
		return 1;
	on = ovly_net(xs_net((struct xfrm_state *)x));
	path = xa_load(&on->paths_in, x->if_id);
	if (!path && !err && !ovly_park_packet(on, skb, x))
		path = xa_load(&on->paths_in, x->if_id);
	if (!path)
		return 1;
	if (!err)
		return ovly_rx_take(skb, x, path);
	ovly_rx_count(skb, path->peer, OVLY_A_STATS_RX_ERROR);
	return 0;
}

/**
 * ovly_rx_parked() - receive a packet that had to wait for its path
 * @skb: the inner packet; consumed
 * @path: the path
 *
 * Context: RCU read side, bottom halves disabled.
 */
void ovly_rx_parked(struct sk_buff *skb, const struct ovly_path *path)
{
	if (ovly_rx_claim(skb, xfrm_input_state(skb), path))
		kfree_skb(skb);
	else
		ovly_rx_deliver(skb, path->peer);
}

/* Leave input to the handlers behind this one. */
static int ovly_rx_pass(struct sk_buff *skb)
{
	return -EINVAL;
}

static int ovly_rx_pass_input(struct sk_buff *skb, int nexthdr, __be32 spi, int encap_type)
{
	return -EINVAL;
}

static struct xfrm4_protocol ovly_rx_esp4 = {
	.handler = ovly_rx_pass,
	.input_handler = ovly_rx_pass_input,
	.cb_handler = ovly_rx_cb,
	.err_handler = ovly_outer_error4,
	.priority = OVLY_RX_PRIORITY,
};

static struct xfrm6_protocol ovly_rx_esp6 = {
	.handler = ovly_rx_pass,
	.input_handler = ovly_rx_pass_input,
	.cb_handler = ovly_rx_cb,
	.err_handler = ovly_outer_error6,
	.priority = OVLY_RX_PRIORITY,
};

int ovly_rx_register(void)
{
	int err;

	err = xfrm4_protocol_register(&ovly_rx_esp4, IPPROTO_ESP);
	if (err)
		return err;
#if IS_ENABLED(CONFIG_IPV6)
	err = xfrm6_protocol_register(&ovly_rx_esp6, IPPROTO_ESP);
	if (err)
		xfrm4_protocol_deregister(&ovly_rx_esp4, IPPROTO_ESP);
#endif
	return err;
}

void ovly_rx_unregister(void)
{
#if IS_ENABLED(CONFIG_IPV6)
	xfrm6_protocol_deregister(&ovly_rx_esp6, IPPROTO_ESP);
#endif
	xfrm4_protocol_deregister(&ovly_rx_esp4, IPPROTO_ESP);
}
