/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _OVLY_STATS_H
#define _OVLY_STATS_H

#include <linux/ovly.h>
#include <linux/percpu.h>
#include <linux/u64_stats_sync.h>

#define OVLY_STATS_FIRST	OVLY_A_STATS_RX_PACKETS
#define OVLY_STATS_N		(__OVLY_A_STATS_MAX - OVLY_STATS_FIRST)

/**
 * struct ovly_stats - the counters of a peer or of a device, on one CPU
 * @syncp: makes 64-bit reads consistent on 32-bit hosts
 * @v: indexed by enum ovly_stats_attr less %OVLY_STATS_FIRST
 *
 * Written with bottom halves disabled, by the owning CPU only.
 */
struct ovly_stats {
	struct u64_stats_sync syncp;
	u64_stats_t v[OVLY_STATS_N];
};

struct ovly_stats __percpu *ovly_stats_alloc(void);

/* Sum over all CPUs; @sum is indexed like &ovly_stats.v. */
void ovly_stats_sum(struct ovly_stats __percpu *stats, u64 sum[OVLY_STATS_N]);

static inline u64 ovly_stats_get(const u64 sum[OVLY_STATS_N], enum ovly_stats_attr what)
{
	return sum[what - OVLY_STATS_FIRST];
}

/* Context: bottom halves disabled. */
static inline void ovly_stats_inc(struct ovly_stats __percpu *stats, enum ovly_stats_attr what)
{
	struct ovly_stats *s = this_cpu_ptr(stats);

	u64_stats_update_begin(&s->syncp);
	u64_stats_inc(&s->v[what - OVLY_STATS_FIRST]);
	u64_stats_update_end(&s->syncp);
}

/* One packet of @bytes; @packets is RX_PACKETS or TX_PACKETS, bytes follow it.
 * Context: bottom halves disabled.
 */
static inline void ovly_stats_packet(struct ovly_stats __percpu *stats,
				     enum ovly_stats_attr packets, unsigned int bytes)
{
	struct ovly_stats *s = this_cpu_ptr(stats);

	u64_stats_update_begin(&s->syncp);
	u64_stats_inc(&s->v[packets - OVLY_STATS_FIRST]);
	u64_stats_add(&s->v[packets + 1 - OVLY_STATS_FIRST], bytes);
	u64_stats_update_end(&s->syncp);
}

#endif /* _OVLY_STATS_H */
