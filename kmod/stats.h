/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _OVLY_STATS_H
#define _OVLY_STATS_H

#include <linux/atomic.h>
#include <linux/ethtool.h>
#include <linux/jiffies.h>
#include <linux/ovly.h>
#include <linux/percpu.h>
#include <linux/u64_stats_sync.h>

#define OVLY_STATS_FIRST	OVLY_A_STATS_RX_PACKETS
#define OVLY_STATS_DROPS	OVLY_A_STATS_TX_NO_PEER
#define OVLY_STATS_N		(__OVLY_A_STATS_MAX - OVLY_STATS_FIRST)
#define OVLY_STATS_TRAFFIC_N	(OVLY_STATS_DROPS - OVLY_STATS_FIRST)

/**
 * struct ovly_traffic - what passes of a peer or of a device, on one CPU
 * @syncp: makes 64-bit reads consistent on 32-bit hosts
 * @v: indexed by enum ovly_stats_attr less %OVLY_STATS_FIRST, up to the drops
 * @last_rx: jiffies64 of the last packet that came, or 0
 * @last_tx: jiffies64 of the last packet that went, or 0
 *
 * Written with bottom halves disabled, by the owning CPU only.
 */
struct ovly_traffic {
	struct u64_stats_sync syncp;
	u64_stats_t v[OVLY_STATS_TRAFFIC_N];
	u64 last_rx;
	u64 last_tx;
};

/**
 * struct ovly_drops - what does not pass, by reason
 * @v: indexed by enum ovly_stats_attr less %OVLY_STATS_DROPS
 *
 * One for all CPUs: 10,000 peers have it, and most of them never drop.
 */
struct ovly_drops {
	atomic64_t v[OVLY_STATS_N - OVLY_STATS_TRAFFIC_N];
};

/**
 * struct ovly_stats_sum - all counters of a peer or of a device, of all CPUs
 * @v: indexed by enum ovly_stats_attr less %OVLY_STATS_FIRST
 * @last_rx: the latest of all
 * @last_tx: the latest of all
 */
struct ovly_stats_sum {
	u64 v[OVLY_STATS_N];
	u64 last_rx;
	u64 last_tx;
};

extern const char ovly_stats_names[OVLY_STATS_N][ETH_GSTRING_LEN];

struct ovly_traffic __percpu *ovly_traffic_alloc(void);
void ovly_stats_add_up(struct ovly_traffic __percpu *traffic, const struct ovly_drops *drops,
		       struct ovly_stats_sum *sum);

static inline u64 ovly_stats_get(const struct ovly_stats_sum *sum, enum ovly_stats_attr what)
{
	return sum->v[what - OVLY_STATS_FIRST];
}

static inline void ovly_drops_inc(struct ovly_drops *drops, enum ovly_stats_attr why)
{
	atomic64_inc(&drops->v[why - OVLY_STATS_DROPS]);
}

static inline void ovly_traffic_count(struct ovly_traffic *t, enum ovly_stats_attr packets,
				      unsigned int bytes)
{
	u64_stats_inc(&t->v[packets - OVLY_STATS_FIRST]);
	u64_stats_add(&t->v[packets + 1 - OVLY_STATS_FIRST], bytes);
}

/* A packet of @bytes came.  Context: bottom halves disabled. */
static inline void ovly_traffic_rx(struct ovly_traffic __percpu *traffic, unsigned int bytes)
{
	struct ovly_traffic *t = this_cpu_ptr(traffic);

	u64_stats_update_begin(&t->syncp);
	ovly_traffic_count(t, OVLY_A_STATS_RX_PACKETS, bytes);
	t->last_rx = get_jiffies_64();
	u64_stats_update_end(&t->syncp);
}

/* A packet of @bytes went.  Context: bottom halves disabled. */
static inline void ovly_traffic_tx(struct ovly_traffic __percpu *traffic, unsigned int bytes)
{
	struct ovly_traffic *t = this_cpu_ptr(traffic);

	u64_stats_update_begin(&t->syncp);
	ovly_traffic_count(t, OVLY_A_STATS_TX_PACKETS, bytes);
	t->last_tx = get_jiffies_64();
	u64_stats_update_end(&t->syncp);
}

#endif /* _OVLY_STATS_H */
