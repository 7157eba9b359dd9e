/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM ovly

#if !defined(_OVLY_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _OVLY_TRACE_H

#include <linux/netdevice.h>
#include <linux/ovly.h>
#include <linux/skbuff.h>
#include <linux/tracepoint.h>

#include "path.h"
#include "peer.h"

#define OVLY_TRACE_REASONS				\
	{ OVLY_A_STATS_TX_NO_PEER, "tx_no_peer" },	\
	{ OVLY_A_STATS_TX_NO_PATH, "tx_no_path" },	\
	{ OVLY_A_STATS_TX_NO_SA, "tx_no_sa" },		\
	{ OVLY_A_STATS_TX_NO_POLICY, "tx_no_policy" },	\
	{ OVLY_A_STATS_TX_TOO_BIG, "tx_too_big" },	\
	{ OVLY_A_STATS_TX_LOOP, "tx_loop" },		\
	{ OVLY_A_STATS_TX_ERROR, "tx_error" },		\
	{ OVLY_A_STATS_RX_SOURCE, "rx_source" },	\
	{ OVLY_A_STATS_RX_SELECTOR, "rx_selector" },	\
	{ OVLY_A_STATS_RX_ERROR, "rx_error" }

#define OVLY_TRACE_STATES				\
	{ OVLY_PATH_DOWN, "down" },			\
	{ OVLY_PATH_STANDBY, "standby" },		\
	{ OVLY_PATH_ACTIVE, "active" }

/* A packet is dropped; peer 0 is none, skb NULL is one that is gone already. */
TRACE_EVENT(ovly_drop,
	TP_PROTO(const struct net_device *dev, const struct ovly_peer *peer,
		 const struct sk_buff *skb, u32 reason),
	TP_ARGS(dev, peer, skb, reason),
	TP_STRUCT__entry(
		__array(char, name, IFNAMSIZ)
		__field(u32, peer)
		__field(const void *, skbaddr)
		__field(u32, len)
		__field(u16, protocol)
		__field(u32, reason)
	),
	TP_fast_assign(
		memcpy(__entry->name, dev->name, IFNAMSIZ);
		__entry->peer = peer ? peer->id : 0;
		__entry->skbaddr = skb;
		__entry->len = skb ? skb->len : 0;
		__entry->protocol = skb ? ntohs(skb->protocol) : 0;
		__entry->reason = reason;
	),
	TP_printk("dev=%s peer=%u reason=%s protocol=%#06x len=%u skbaddr=%p",
		  __entry->name, __entry->peer,
		  __print_symbolic(__entry->reason, OVLY_TRACE_REASONS),
		  __entry->protocol, __entry->len, __entry->skbaddr)
);

/* A peer comes up, goes down, or changes its active path; if_id 0 is none. */
TRACE_EVENT(ovly_peer_active,
	TP_PROTO(const struct ovly_peer *peer, const struct net_device *dev,
		 const struct ovly_path *old, const struct ovly_path *new),
	TP_ARGS(peer, dev, old, new),
	TP_STRUCT__entry(
		__array(char, name, IFNAMSIZ)
		__array(char, peer_name, OVLY_NAME_MAX + 1)
		__field(u32, peer)
		__field(u32, old_if_id)
		__field(u32, new_if_id)
	),
	TP_fast_assign(
		memcpy(__entry->name, dev->name, IFNAMSIZ);
		memcpy(__entry->peer_name, peer->name, OVLY_NAME_MAX + 1);
		__entry->peer = peer->id;
		__entry->old_if_id = old ? old->if_id_in : 0;
		__entry->new_if_id = new ? new->if_id_in : 0;
	),
	TP_printk("dev=%s peer=%u name=%s old_if_id=%#x new_if_id=%#x",
		  __entry->name, __entry->peer, __entry->peer_name,
		  __entry->old_if_id, __entry->new_if_id)
);

TRACE_EVENT(ovly_path_state,
	TP_PROTO(const struct ovly_path *path, u32 state),
	TP_ARGS(path, state),
	TP_STRUCT__entry(
		__field(u32, peer)
		__field(u32, if_id)
		__field(u32, sa_in)
		__field(u32, sa_out)
		__field(u32, old)
		__field(u32, new)
	),
	TP_fast_assign(
		__entry->peer = path->peer->id;
		__entry->if_id = path->if_id_in;
		__entry->sa_in = path->sa_in;
		__entry->sa_out = path->sa_out;
		__entry->old = path->state;
		__entry->new = state;
	),
	TP_printk("peer=%u if_id=%#x old=%s new=%s sa_in=%u sa_out=%u",
		  __entry->peer, __entry->if_id,
		  __print_symbolic(__entry->old, OVLY_TRACE_STATES),
		  __print_symbolic(__entry->new, OVLY_TRACE_STATES),
		  __entry->sa_in, __entry->sa_out)
);

#endif /* _OVLY_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
