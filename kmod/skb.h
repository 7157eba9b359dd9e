/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _OVLY_SKB_H
#define _OVLY_SKB_H

#include <linux/skbuff.h>
#include <net/dst.h>
#include <net/xfrm.h>

#include "compat.h"
#include "peer.h"

/**
 * ovly_skb_scrub() - remove what belongs to a packet's way so far
 * @skb: enters or leaves a tunnel
 * @xnet: and another network namespace
 */
static inline void ovly_skb_scrub(struct sk_buff *skb, bool xnet)
{
	ovly_compat_clear_tstamp(skb);
	skb->pkt_type = PACKET_HOST;
	skb->skb_iif = 0;
	skb->ignore_df = 0;
	skb_dst_drop(skb);
	skb_ext_reset(skb);
	nf_reset_ct(skb);
	nf_reset_trace(skb);
	if (!xnet)
		return;
	ipvs_reset(skb);
	skb_orphan(skb);
	skb->mark = 0;
}

/* Gives a packet the mark and the priority that the peer's have. */
static inline void ovly_skb_mark(struct sk_buff *skb, const struct ovly_peer *peer)
{
	u32 mark = READ_ONCE(peer->mark);
	u32 priority = READ_ONCE(peer->priority);

	if (mark)
		skb->mark = mark;
	if (priority)
		skb->priority = priority;
}

#endif /* _OVLY_SKB_H */
