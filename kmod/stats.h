/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _OVLY_STATS_H
#define _OVLY_STATS_H

#include <linux/ethtool.h>
#include <linux/jiffies.h>
#include <linux/ovly.h>
#include <linux/percpu.h>
#include <linux/u64_stats_sync.h>

#define OVLY_STATS_FIRST	OVLY_A_STATS_RX_PACKETS
#define OVLY_STATS_N		(__OVLY_A_STATS_MAX - OVLY_STATS_FIRST)

/**
 * struct ovly_stats - the counters of a peer or of a device, on one CPU
 * @syncp: makes 64-bit reads consistent on 32-bit hosts
 * @v: indexed by enum ovly_stats_attr less %OVLY_STATS_FIRST
 * @last_rx: jiffies64 of the last packet that came, or 0
 * @last_tx: jiffies64 of the last packet that went, or 0
 *
 * Written with bottom halves disabled, by the owning CPU only.
 */
struct ovly_stats {
	struct u64_stats_sync syncp;
	u64_stats_t v[OVLY_STATS_N];
	u64 last_rx;
	u64 last_tx;
};

/**
 * struct ovly_stats_sum - the counters of all CPUs
 * @v: indexed like &ovly_stats.v
 * @last_rx: the latest of all
 * @last_tx: the latest of all
 */
struct ovly_stats_sum {
	u64 v[OVLY_STATS_N];
	u64 last_rx;
	u64 last_tx;
};

extern const char ovly_stats_names[OVLY_STATS_N][ETH_GSTRING_LEN];

struct ovly_stats __percpu *ovly_stats_alloc(void);
void ovly_stats_add_up(struct ovly_stats __percpu *stats, struct ovly_stats_sum *sum);

static inline u64 ovly_stats_get(const struct ovly_stats_sum *sum, enum ovly_stats_attr what)
{
	return sum->v[what - OVLY_STATS_FIRST];
}

/* Context: bottom halves disabled. */
static inline void ovly_stats_inc(struct ovly_stats __percpu *stats, enum ovly_stats_attr what)
{
	struct ovly_stats *s = this_cpu_ptr(stats);

	u64_stats_update_begin(&s->syncp);
	u64_stats_inc(&s->v[what - OVLY_STATS_FIRST]);
	u64_stats_update_end(&s->syncp);
}

static inline void ovly_stats_count(struct ovly_stats *s, enum ovly_stats_attr packets,
				    unsigned int bytes)
{
	u64_stats_inc(&s->v[packets - OVLY_STATS_FIRST]);
	u64_stats_add(&s->v[packets + 1 - OVLY_STATS_FIRST], bytes);
}

/* A packet of @bytes came.  Context: bottom halves disabled. */
static inline void ovly_stats_rx(struct ovly_stats __percpu *stats, unsigned int bytes)
{
	struct ovly_stats *s = this_cpu_ptr(stats);

	u64_stats_update_begin(&s->syncp);
	ovly_stats_count(s, OVLY_A_STATS_RX_PACKETS, bytes);
	s->last_rx = get_jiffies_64();
	u64_stats_update_end(&s->syncp);
}

/* A packet of @bytes went.  Context: bottom halves disabled. */
static inline void ovly_stats_tx(struct ovly_stats __percpu *stats, unsigned int bytes)
{
	struct ovly_stats *s = this_cpu_ptr(stats);

	u64_stats_update_begin(&s->syncp);
	ovly_stats_count(s, OVLY_A_STATS_TX_PACKETS, bytes);
	s->last_tx = get_jiffies_64();
	u64_stats_update_end(&s->syncp);
}

#endif /* _OVLY_STATS_H */
