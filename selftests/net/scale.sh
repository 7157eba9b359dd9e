#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# scale.sh: one device with 10,000 peers, a path each, and 100,000 routes of all of
# them; with OVLY_SCALE=full 1,000,000. The guest's kernel hands variables on:
#
#	OVLY_GUEST_APPEND=OVLY_SCALE=full OVLY_GUEST_MEM=7G \
#		OVLY_TEST_DEADLINE=3600 sh selftests/run test scale
#
# The figures are in $OVLY_OUT/figures. What takes the processor away for long fails
# the run by what the kernel says of it.

# shellcheck source=selftests/lib.sh
. "${OVLY_TOP:?}/selftests/lib.sh"
# shellcheck source=selftests/tunnel.sh
. "$OVLY_TOP/selftests/tunnel.sh"

CASE_DEADLINE=$((1500 * OVLY_SLOW))
# Peers, and routes in all.
PEERS=10000 ROUTES=100000
[ "${OVLY_SCALE:-}" != full ] || ROUTES=1000000
# A debug kernel is there for other things.
[ -z "${OVLY_SMALL:-}" ] || PEERS=1000 ROUTES=10000
# Peers that own routes.
OWNERS=${OVLY_OWNERS:-$PEERS}
# Routes of one request, and of the comparison.
CHUNK=1000
SAMPLE=20000

TROUBLE='soft lockup|hard LOCKUP|rcu_.*(stall|self-detected)|blocked for more than|hung_task'

figure() { echo "$*" | tee -a "$OVLY_OUT/figures"; }

micros() { echo "${EPOCHREALTIME/./}"; }

# timed VARIABLE COMMAND...: microseconds.
timed() {
	local -n result=$1
	local t0

	shift
	t0=$(micros)
	"$@"
	# shellcheck disable=SC2034 # it is the caller's
	result=$(($(micros) - t0))
}

suite_setup() {
	load_ovly
	wan_setup hub a
	: >"$OVLY_OUT/figures"
	kernel_log_mark
	requests
}

# requests: written beforehand, so that writing them is in no figure.
requests() {
	awk -v n="$PEERS" -v dir=/tmp 'BEGIN {
		for (i = 1; i <= n; i++) {
			a = sprintf("%d.%d", int(i / 256), i % 256)
			printf "peer-new+create ifname=ov0 peer{ name=p%d addr=10.100.%s }\n", i, a >dir "/peers"
			printf "path-new+create ifname=ov0 path{ if-id-in=%d peer-id=%d endpoint=198.18.%s }\n", 1000 + i, i, a >dir "/paths"
		}
	}'
	awk -v n="$ROUTES" -v owners="$OWNERS" -v chunk="$CHUNK" -v dir=/tmp 'BEGIN {
		for (r = 0; r < n; r++) {
			if (r % chunk == 0)
				printf "%sroute-new+create ifname=ov0", r ? "\n" : "" >dir "/routes"
			printf " route{ peer-id=%d dst=%d.%d.%d.0 prefixlen=24 }", 1 + r % owners,
				11 + int(r / 65536), int(r / 256) % 256, r % 256 >dir "/routes"
		}
		print "" >dir "/routes"
	}'
}

# asks FILE: has all of its requests granted.
asks() {
	in_ns hub ovlynl "do" - <"$1" >/tmp/answers
	same "$(wc -l <"$1")" "$(grep -c '^ok' /tmp/answers)" "requests of $1 granted"
}

# free_bytes: when what RCU and workers still hold is free.
free_bytes() {
	sync
	echo 3 >/proc/sys/vm/drop_caches
	awk '/^MemAvailable/ { printf "%.0f", $2 * 1024 }' /proc/meminfo
}

# slab_bytes, percpu_bytes: by the kernel's own books.
slab_bytes() { awk '/^Slab/ { printf "%.0f", $2 * 1024 }' /proc/meminfo; }
percpu_bytes() { awk '/^Percpu/ { printf "%.0f", $2 * 1024 }' /proc/meminfo; }

no_trouble() {
	same "" "$(kernel_log_since | grep -E "$TROUBLE" || true)" "complaints of the kernel"
}

make_peers() {
	local slab percpu us

	overlay hub mode multipoint
	slab=$(slab_bytes) percpu=$(percpu_bytes)
	timed us asks /tmp/peers
	figure "peer: $((us / PEERS)) us each, $PEERS of them in $((us / 1000)) ms"
	PEER_BYTES=$((($(slab_bytes) - slab) / PEERS))
	PERCPU_BYTES=$((($(percpu_bytes) - percpu) / PEERS))
	figure "peer: $PEER_BYTES bytes of slab each with address and host route (the kernel's part of that included), $PERCPU_BYTES bytes per-CPU"
	slab=$(slab_bytes)
	timed us asks /tmp/paths
	figure "path: $((us / PEERS)) us each, $((($(slab_bytes) - slab) / PEERS)) bytes of slab with its throw route"
}

make_routes() {
	local slab us

	slab=$(slab_bytes)
	timed us asks /tmp/routes
	figure "route: $ROUTES of $OWNERS peers in $((us / 1000)) ms, $((us * 1000 / ROUTES)) ns and $((($(slab_bytes) - slab) / ROUTES)) bytes of slab each"
	same "$((ROUTES + PEERS))" "$(helper hub dev list --json | jq '.[0]["routes-installed"]')" \
		"routes in the table"
}

test_ten_thousand_peers_take_less_than_2_kib_each() {
	make_peers
	defer ip -n "$hub" link del ov0
	# What KASAN and kmemleak put beside each object is not ours.
	[ -n "${OVLY_SMALL:-}" ] || [ $((PEER_BYTES + PERCPU_BYTES)) -lt 2048 ] ||
		fail "a peer takes $PEER_BYTES bytes, and $PERCPU_BYTES per-CPU"
	no_trouble
}

test_routes_by_the_hundred_thousand() {
	local us

	make_peers
	defer ip -n "$hub" link del ov0
	make_routes
	# Any one of them, and the whole.
	timed us in_ns hub ovlynl "do" peer-get ifname=ov0 'peer{' name=p$((PEERS / 2)) '}'
	figure "peer-get: $us us, process included"
	timed us dump_all
	figure "dump of all routes: $((us / 1000)) ms"
	timed us helper hub dev resync ov0
	figure "resync: $((us / 1000)) ms"
	timed us ip -n "$hub" link set ov0 down
	figure "link down: $((us / 1000)) ms until the command returns"
	timed us ip -n "$hub" link set ov0 up
	figure "link up: $((us / 1000)) ms until the command returns"
	timed us wait_for 600 "the table is full again" routes_installed $((ROUTES + PEERS))
	figure "all routes back after up: $((us / 1000)) ms"
	delete_device
	no_trouble
}

dump_all() {
	same $((ROUTES + PEERS)) "$(in_ns hub ovlynl dump route-get ifname=ov0 | grep -c 'route{')" "routes dumped"
}

routes_installed() { [ "$(helper hub dev list --json | jq '.[0]["routes-installed"]')" = "$1" ]; }

# delete_device: with everything; others have to get a word in meanwhile.
delete_device() {
	local us longest=0 pid

	{
		while sleep 0.05; do
			timed us ip -n "$a" link show wan >/dev/null
			((us <= longest)) || { longest=$us; echo "$longest" >/tmp/longest; }
		done
	} 2>/dev/null &
	pid=$!
	timed us ip -n "$hub" link del ov0
	figure "deletion: $((us / 1000)) ms until the command returns"
	timed us wait_for 600 "everything is gone" table_is_empty
	figure "deletion: $((us / 1000)) ms more until the table is empty"
	# What frees the peers runs behind.
	timed us rmmod ovly
	figure "deletion: $((us / 1000)) ms more until all of it is freed and the module unloaded"
	kill "$pid"
	wait "$pid" || true
	figure "meanwhile another namespace waited at most $(($(cat /tmp/longest) / 1000)) ms for \"ip link show\""
	load_ovly
}

table_is_empty() { [ -z "$(ip -n "$hub" route show table 220 2>/dev/null | head -n 1)" ]; }

test_injection_beats_ip_batch() {
	local us ours=() theirs=() i

	overlay hub mode multipoint
	defer ip -n "$hub" link del ov0
	head -n 1 /tmp/peers | in_ns hub ovlynl "do" - >/dev/null
	awk -v n="$SAMPLE" -v chunk="$CHUNK" 'BEGIN {
		for (r = 0; r < n; r++) {
			if (r % chunk == 0)
				printf "%sroute-new+create ifname=ov0", r ? "\n" : ""
			printf " route{ peer-id=1 dst=60.%d.%d.0 prefixlen=24 }", int(r / 256), r % 256
		}
		print ""
	}' >/tmp/ours
	awk -v n="$SAMPLE" 'BEGIN {
		for (r = 0; r < n; r++)
			printf "route add 61.%d.%d.0/24 via 10.100.0.1 dev ov0 onlink table 221\n", int(r / 256), r % 256
	}' >/tmp/theirs
	for i in 1 2 3; do
		timed us asks /tmp/ours
		ours+=("$us")
		helper hub route flush peer p1 >/dev/null
		timed us ip -n "$hub" -batch /tmp/theirs
		theirs+=("$us")
		ip -n "$hub" route flush table 221
		figure "injection, round $i: $((SAMPLE * 1000 / (ours[-1] / 1000))) routes/s, ip -batch $((SAMPLE * 1000 / (theirs[-1] / 1000))): $((theirs[-1] * 100 / ours[-1])) %"
	done
	# The parser of either program is in it; noise is, too.
	[ $((theirs[0] + theirs[1] + theirs[2])) -gt $(((ours[0] + ours[1] + ours[2]) * 3 / 2)) ] ||
		fail "not 1.5 times as fast as ip -batch"
	no_trouble
}

# The kernel searches among next hops: what is left of that, see ovly_peer_pick_scope().
test_cost_of_a_route_by_owners() {
	local us owners

	make_peers
	defer ip -n "$hub" link del ov0
	for owners in 1 100 $((PEERS / 10)) "$PEERS"; do
		awk -v n=10000 -v owners="$owners" 'BEGIN {
			printf "route-new+create ifname=ov0"
			for (r = 0; r < n; r++)
				printf " route{ peer-id=%d dst=60.%d.%d.0 prefixlen=24 }", 1 + r % owners, int(r / 256), r % 256
			print ""
		}' >/tmp/some
		timed us asks /tmp/some
		figure "route: $((us / 10000)) us each, 10000 of them of $owners peers"
		in_ns hub ovlynl "do" route-flush ifname=ov0 >/dev/null
	done
	no_trouble
}

test_switching_one_of_many_peers_costs_the_same() {
	local us i

	make_peers
	defer ip -n "$hub" link del ov0
	head -n 20 /tmp/routes >/tmp/some
	asks /tmp/some
	# Two paths with SAs at one of the peers.
	for i in 90001 90002; do
		sa 192.0.2.1 198.18.0.77 "$i" "$i"
		sa 198.18.0.77 192.0.2.1 "$i" "$i"
	done | ip_batch hub
	for i in 90001 90002; do
		helper hub path add "$i" peer p77 endpoint 198.18.0.77
	done
	peer_is hub p77 up
	for i in {1..50}; do
		echo "path-set path{ if-id-in=90001 priority=$((50 + i % 2 * 100)) }"
	done >/tmp/switches
	timed us asks /tmp/switches
	figure "switch of a path: $((us / 50)) us each with $PEERS peers, of 50 in one process"
	timed us ip -n "$hub" xfrm state flush
	figure "flush of the SAs: $us us"
	peer_is hub p77 down
	no_trouble
}

peers_up() { [ "$(helper hub dev list --json | jq '.[0]["peers-up"]')" = "$1" ]; }

test_sas_of_all_peers_come_and_go() {
	local us round

	make_peers
	defer ip -n "$hub" link del ov0
	awk -v n="$PEERS" -v cipher="$(cipher aes128gcm16)" 'BEGIN {
		for (i = 1; i <= n; i++)
			printf "xfrm state add src 192.0.2.1 dst 198.18.%d.%d proto esp spi %d reqid %d mode tunnel if_id %d flag af-unspec %s\n",
				int(i / 256), i % 256, 100000 + i, 1000 + i, 1000 + i, cipher
	}' >/tmp/sas
	for round in 1 2; do
		timed us ip_batch hub </tmp/sas
		figure "SAs, round $round: $((us / PEERS)) us each, $PEERS of them"
		wait_for 60 "all peers are up" peers_up "$PEERS"
		timed us ip -n "$hub" xfrm state flush
		figure "flush of all SAs, round $round: $((us / 1000)) ms until the command returns"
		timed us wait_for 60 "all peers are down" peers_up 0
		figure "flush of all SAs, round $round: $((us / 1000)) ms more until all peers are down"
	done
	no_trouble
}

CASES="
test_ten_thousand_peers_take_less_than_2_kib_each	10,000 peers take less than 2 KiB each
test_routes_by_the_hundred_thousand			every one of 10,000 peers owns some of 100,000 routes: in, dumped, lost and back, deleted with the device
test_injection_beats_ip_batch				injection is faster than ip -batch
test_cost_of_a_route_by_owners				what a route costs by the number of peers that own any
test_sas_of_all_peers_come_and_go			the SAs of 10,000 peers come, and all go at once
test_switching_one_of_many_peers_costs_the_same		switching one of many peers
"
run_cases "$@"
