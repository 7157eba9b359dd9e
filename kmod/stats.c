// SPDX-License-Identifier: GPL-2.0
#include "stats.h"

#include "compat.h"

#define OVLY_STATS_INDEX(_attr)	(OVLY_A_STATS_##_attr - OVLY_STATS_FIRST)

/* For ethtool -S. */
const char ovly_stats_names[OVLY_STATS_N][ETH_GSTRING_LEN] = {
	[OVLY_STATS_INDEX(RX_PACKETS)] = "rx_packets",
	[OVLY_STATS_INDEX(RX_BYTES)] = "rx_bytes",
	[OVLY_STATS_INDEX(TX_PACKETS)] = "tx_packets",
	[OVLY_STATS_INDEX(TX_BYTES)] = "tx_bytes",
	[OVLY_STATS_INDEX(TX_NO_PEER)] = "tx_no_peer",
	[OVLY_STATS_INDEX(TX_NO_PATH)] = "tx_no_path",
	[OVLY_STATS_INDEX(TX_NO_SA)] = "tx_no_sa",
	[OVLY_STATS_INDEX(TX_NO_POLICY)] = "tx_no_policy",
	[OVLY_STATS_INDEX(TX_TOO_BIG)] = "tx_too_big",
	[OVLY_STATS_INDEX(TX_LOOP)] = "tx_loop",
	[OVLY_STATS_INDEX(TX_ERROR)] = "tx_error",
	[OVLY_STATS_INDEX(RX_SOURCE)] = "rx_source",
	[OVLY_STATS_INDEX(RX_SELECTOR)] = "rx_selector",
	[OVLY_STATS_INDEX(RX_ERROR)] = "rx_error",
};

struct ovly_stats __percpu *ovly_stats_alloc(void)
{
	return netdev_alloc_pcpu_stats(struct ovly_stats);
}

static void ovly_stats_read(const struct ovly_stats *s, struct ovly_stats_sum *one)
{
	unsigned int start, i;

	do {
		start = u64_stats_fetch_begin(&s->syncp);
		for (i = 0; i < OVLY_STATS_N; i++)
			one->v[i] = u64_stats_read(&s->v[i]);
		one->last_rx = s->last_rx;
		one->last_tx = s->last_tx;
	} while (u64_stats_fetch_retry(&s->syncp, start));
}

/**
 * ovly_stats_add_up() - the counters of all CPUs together
 * @stats: the counters
 * @sum: filled in
 */
void ovly_stats_add_up(struct ovly_stats __percpu *stats, struct ovly_stats_sum *sum)
{
	struct ovly_stats_sum one;
	int cpu, i;

	memset(sum, 0, sizeof(*sum));
	for_each_possible_cpu(cpu) {
		ovly_stats_read(per_cpu_ptr(stats, cpu), &one);
		for (i = 0; i < OVLY_STATS_N; i++)
			sum->v[i] += one.v[i];
		sum->last_rx = max(sum->last_rx, one.last_rx);
		sum->last_tx = max(sum->last_tx, one.last_tx);
	}
}
