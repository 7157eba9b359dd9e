#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# unload.sh: the module goes while it is at work, leaves nothing behind, and finds
# the SAs that are there when it comes back.

# shellcheck source=selftests/lib.sh
. "${OVLY_TOP:?}/selftests/lib.sh"
# shellcheck source=selftests/tunnel.sh
. "$OVLY_TOP/selftests/tunnel.sh"
# shellcheck source=selftests/table.sh
. "$OVLY_TOP/selftests/table.sh"

CASE_DEADLINE=$((400 * OVLY_SLOW))
PEERS=${OVLY_PEERS:-1000}
# Flows of each protocol and way, and seconds between packets of one.
FLOWS=8 PACE=0.002
# More packets than it can take keep RCU, and so RTNL, from a debug kernel for minutes.
[ -z "${OVLY_SMALL:-}" ] || FLOWS=2 PACE=0.05

suite_setup() {
	load_ovly
	wan_setup hub a
	sas hub a 7
	sas a hub 7
}

# overlays: all that an unloaded module has taken along.
overlays() {
	defer unload_ovly
	load_ovly
	overlay hub mode multipoint
	overlay a
	peer hub a
	path hub a 7
	peer a hub
	path a hub 7
}

flows() {
	pings hub "$(inner a)"
	pings hub "$(inner a 6)"
	pings a "$(inner hub)"
}

# traces NODE: what a namespace has of ovly.
traces() {
	table_found "$1" 220
	ip -n "${!1}" -d link show type ovly 2>/dev/null
	ip -n "${!1}" route show table all proto 220
	ip -n "${!1}" -6 route show table all proto 220
}

nothing_left() {
	local node

	[ ! -e /sys/module/ovly ] || fail "the module is loaded"
	for node in hub a wan; do
		same "" "$(traces "$node")" "what is left in '$node'"
	done
	lacks '^ovly' cat /proc/slabinfo >/dev/null || fail "a kmem cache is left: $(grep ^ovly /proc/slabinfo)"
	# Of a cache that was merged with another one the kernel leaves the name, a link.
	same "" "$(find /sys/kernel/slab -maxdepth 1 -type d -name '*ovly*' 2>/dev/null)" "kmem caches"
	# Of the XFRM family that ovly was a part of, the others still work.
	never helper hub dev list 2>/dev/null
	lacks '\[ovly\]' cat /proc/kallsyms >/dev/null || fail "symbols are left"
	same "" "$(kernel_log_since | grep -iE 'ovly.*(error|leak|busy)|slab|objects remaining|refcount|waiting for' || true)" \
		"complaints of the kernel"
}

# unload: in time, whatever is going on.
unload() {
	local t0=${EPOCHREALTIME/./}

	timeout $((60 * OVLY_SLOW)) rmmod ovly
	note "rmmod took $(((${EPOCHREALTIME/./} - t0) / 1000)) ms"
}

test_idle_module_leaves_nothing_behind() {
	kernel_log_mark
	overlays
	flows
	unload
	nothing_left
	# The SAs are the IKE daemon's.
	same 2 "$(ip -n "$hub" xfrm state | grep -c ^src)" "SAs of the hub"
}

test_module_finds_the_sas_that_exist() {
	overlays
	peer_is hub a up
	peer_is a hub up
	flows
	unload
	# One that came while nobody looked counts as well, one that went does not.
	no_sas hub 7
	overlays
	peer_is hub a down
	unload
	sa_lines hub a 7 | ip_batch hub
	overlays
	peer_is hub a up
	flows
	unload
}

# flood NODE PEER: many flows from there, both protocols, until the case ends.
flood() {
	local i port

	for ((i = 0; i < FLOWS; i++)); do
		ip netns exec "${!1}" ping -q -f -i "$PACE" -s $((i * 400)) "$(inner "$2")" >/dev/null 2>&1 &
		defer eval "kill $! 2>/dev/null"
		ip netns exec "${!1}" ping -q -f -i "$PACE" -s $((i * 400)) "$(inner "$2" 6)" >/dev/null 2>&1 &
		defer eval "kill $! 2>/dev/null"
	done
	port=52$((NUMBER[$1]))0
	ip netns exec "${!2}" iperf3 -s -p "$port" >/dev/null 2>&1 &
	defer eval "kill $! 2>/dev/null"
	wait_for 20 "iperf3 listens" matches . ip netns exec "${!2}" ss -Hltn "sport = :$port"
	ip netns exec "${!1}" iperf3 -c "$(inner "$2")" -p "$port" -t 300 -P "$FLOWS" >/dev/null 2>&1 &
	defer eval "kill $! 2>/dev/null"
}

# busy NODE PEER: the flows have come by.
busy() { [ "$(traffic "$1" "$2" rx-packets)" -gt 500 ]; }

test_unload_under_traffic() {
	local round

	kernel_log_mark
	overlays
	flood hub a
	flood a hub
	for round in 1 2 3; do
		wait_for 60 "round $round: traffic to the hub" busy hub a
		wait_for 60 "round $round: traffic from the hub" busy a hub
		unload
		nothing_left
		overlays
	done
	unload
	nothing_left
}

test_unload_while_sas_come_and_go() {
	local churn round

	kernel_log_mark
	overlays
	: >"$OVLY_OUT/go-on"
	defer rm -f "$OVLY_OUT/go-on"
	{
		while [ -e "$OVLY_OUT/go-on" ]; do
			no_sas hub 7
			sa_lines hub a 7 | ip_batch hub
		done
	} >"$OVLY_OUT/churn" 2>&1 &
	churn=$!
	ip netns exec "$a" ping -q -f -i "$PACE" "$(inner hub)" >/dev/null 2>&1 &
	defer eval "kill $! 2>/dev/null"
	for round in 1 2 3 4 5; do
		unload
		nothing_left
		overlays
	done
	note "$round rounds"
	# Not killed: what it had started would go on, and delete what comes here.
	rm "$OVLY_OUT/go-on"
	wait "$churn" || fail "the SAs did not come and go: $(cat "$OVLY_OUT/churn")"
	wait_for 20 "the peer is up" peer_is hub a up
	unload
}

# crowd_lines: peers with a path and a route of each family.
crowd_lines() {
	awk -v n="$PEERS" 'BEGIN {
		for (i = 1; i <= n; i++) {
			a = sprintf("%d.%d", int(i / 256), i % 256)
			printf "peer-new+create ifname=ov0 peer{ name=p%d addr=10.40.%s addr=fd40::%x }\n", i, a, i
			printf "path-new+create ifname=ov0 path{ if-id-in=%d peer-name=p%d endpoint=198.18.%s }\n", 1000 + i, i, a
			printf "route-new+create ifname=ov0 route{ peer-name=p%d dst=10.50.%s prefixlen=32 } route{ peer-name=p%d dst=fd50::%x prefixlen=128 }\n", i, a, i, i
		}
	}'
}

test_unload_with_a_thousand_peers() {
	kernel_log_mark
	overlays
	crowd_lines | in_ns hub ovlynl "do" - | grep -c '^ok' | grep -qx $((3 * PEERS)) ||
		fail "not all peers were made"
	same $((PEERS + 1)) "$(helper hub peer list --json | jq length)" "peers"
	flows
	flood a hub
	wait_for 60 "traffic to the hub" busy hub a
	unload
	nothing_left
}

test_namespaces_with_devices_do_not_hold_the_module() {
	local i

	kernel_log_mark
	overlays
	for i in 1 2 3 4 5; do
		setup_ns extra
		NUMBER[extra]=9
		overlay extra mode multipoint
		peer extra a
		path extra a "$i"
	done
	unload
	nothing_left
}

CASES="
test_idle_module_leaves_nothing_behind			an idle module leaves nothing behind
test_module_finds_the_sas_that_exist			a module that is loaded finds the SAs that exist
test_unload_under_traffic				unload under traffic, both ways, many flows
test_unload_while_sas_come_and_go			unload while SAs come and go
test_unload_with_a_thousand_peers			unload with 1000 peers
test_namespaces_with_devices_do_not_hold_the_module	devices in many namespaces do not hold the module
"
run_cases "$@"
