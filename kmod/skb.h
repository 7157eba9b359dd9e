/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _OVLY_SKB_H
#define _OVLY_SKB_H

#include <linux/skbuff.h>
#include <net/dst.h>
#include <net/xfrm.h>

#include "compat.h"

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
	nf_reset_ct(skb);
	nf_reset_trace(skb);
	if (!xnet)
		return;
	ipvs_reset(skb);
	secpath_reset(skb);
	skb_orphan(skb);
	skb->mark = 0;
}

#endif /* _OVLY_SKB_H */
