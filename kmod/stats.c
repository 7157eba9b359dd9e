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

struct ovly_traffic __percpu *ovly_traffic_alloc(void)
{
	struct ovly_traffic __percpu *traffic;
	int cpu;

	/* Peers are made by whoever owns a namespace: on its account. */
	traffic = alloc_percpu_gfp(struct ovly_traffic, GFP_KERNEL_ACCOUNT);
	if (!traffic)
		return NULL;
	for_each_possible_cpu(cpu)
		u64_stats_init(&per_cpu_ptr(traffic, cpu)->syncp);
	return traffic;
}

/* Adds what passed on one CPU. */
static void ovly_traffic_add(const struct ovly_traffic *t, struct ovly_stats_sum *sum)
{
	u64 v[OVLY_STATS_TRAFFIC_N], last_rx, last_tx;
	unsigned int start, i;

	do {
		start = u64_stats_fetch_begin(&t->syncp);
		for (i = 0; i < OVLY_STATS_TRAFFIC_N; i++)
			v[i] = u64_stats_read(&t->v[i]);
		last_rx = t->last_rx;
		last_tx = t->last_tx;
	} while (u64_stats_fetch_retry(&t->syncp, start));

	for (i = 0; i < OVLY_STATS_TRAFFIC_N; i++)
		sum->v[i] += v[i];
	sum->last_rx = max(sum->last_rx, last_rx);
	sum->last_tx = max(sum->last_tx, last_tx);
}

/**
 * ovly_stats_add_up() - all counters together
 * @traffic: what passed
 * @drops: what did not
 * @sum: filled in
 */
void ovly_stats_add_up(struct ovly_traffic __percpu *traffic, const struct ovly_drops *drops,
		       struct ovly_stats_sum *sum)
{
	unsigned int i;
	int cpu;

	memset(sum, 0, sizeof(*sum));
	for_each_possible_cpu(cpu)
		ovly_traffic_add(per_cpu_ptr(traffic, cpu), sum);
	for (i = OVLY_STATS_TRAFFIC_N; i < OVLY_STATS_N; i++)
		sum->v[i] = atomic64_read(&drops->v[i - OVLY_STATS_TRAFFIC_N]);
}
