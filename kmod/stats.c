// SPDX-License-Identifier: GPL-2.0
#include "stats.h"

#include "compat.h"

struct ovly_stats __percpu *ovly_stats_alloc(void)
{
	return netdev_alloc_pcpu_stats(struct ovly_stats);
}

void ovly_stats_sum(struct ovly_stats __percpu *stats, u64 sum[OVLY_STATS_N])
{
	int cpu, i;

	memset(sum, 0, sizeof(*sum) * OVLY_STATS_N);
	for_each_possible_cpu(cpu) {
		const struct ovly_stats *s = per_cpu_ptr(stats, cpu);
		u64 v[OVLY_STATS_N];
		unsigned int start;

		do {
			start = u64_stats_fetch_begin(&s->syncp);
			for (i = 0; i < OVLY_STATS_N; i++)
				v[i] = u64_stats_read(&s->v[i]);
		} while (u64_stats_fetch_retry(&s->syncp, start));
		for (i = 0; i < OVLY_STATS_N; i++)
			sum[i] += v[i];
	}
}
