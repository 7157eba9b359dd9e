#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# bridge-transitions.sh: changes of the staging table that the kernel reports in
# unexpected words, or not at all. Each must reach the module without SIGHUP.

# shellcheck source=selftests/lib.sh
. "${OVLY_TOP:?}/selftests/lib.sh"

STAGED=(proto bird table 2220)

h() { in_ns here ovlyhelper "$@"; }
stage() { ip -n "$here" route "$@" "${STAGED[@]}"; }
table() { ip -n "$here" route show table "${1:-220}"; }

suite_setup() {
	load_ovly
	setup_ns here
	ip -n "$here" link set lo up
	ip -n "$here" link add lan0 type dummy
	ip -n "$here" addr add 192.168.1.1/24 dev lan0
	ip -n "$here" link set lan0 up
	h dev add ipsec0 addr 10.1.0.100 up
	h dev add ipsec1 addr 10.2.0.100 up
	h peer add one dev ipsec0 addr 10.1.0.1
	h peer add two dev ipsec1 addr 10.2.0.1
}

# bridge: starts it, and empties the staging table when the case is over.
bridge() {
	# not in_ns: $! has to be the bridge itself
	ip netns exec "$here" ovlyhelper bridge 2>"$OVLY_OUT/bridge.log" &
	local pid=$!
	defer kill "$pid"
	defer sh -c "ip -n '$here' route flush table 2220 2>/dev/null; true"
	wait_for 10 "first reconcile" grep -q reconciled "$OVLY_OUT/bridge.log"
}

test_route_that_turns_unreachable_is_withdrawn() {
	bridge
	stage add 10.60.0.0/16 via 10.1.0.1 dev ipsec0 onlink metric 32
	wait_for 3 "the route comes" matches '^10.60.0.0/16 dev ipsec0' table
	ip -n "$here" route replace unreachable 10.60.0.0/16 metric 32 "${STAGED[@]}"
	wait_for 3 "the route goes" lacks 10.60.0.0 table
	ip -n "$here" route del unreachable 10.60.0.0/16 metric 32 "${STAGED[@]}"
}

test_routes_lost_with_a_link_are_withdrawn() {
	bridge
	ip -n "$here" link add wan9 type dummy
	defer ip -n "$here" link del wan9
	ip -n "$here" addr add 192.0.2.9/24 dev wan9
	ip -n "$here" link set wan9 up
	# The daemon resolved the peer's address over another device.
	stage add 10.61.0.0/16 via 10.1.0.1 dev wan9 onlink metric 32
	wait_for 3 "the route comes" matches '^10.61.0.0/16 dev ipsec0' table
	ip -n "$here" link set wan9 down
	wait_for 5 "the route goes" lacks 10.61.0.0 table
}

test_prefix_moves_between_devices_of_one_table() {
	bridge
	stage add 10.62.0.0/16 via 10.1.0.1 dev ipsec0 onlink metric 32
	wait_for 3 "by the first" matches '^10.62.0.0/16 dev ipsec0' table
	stage replace 10.62.0.0/16 via 10.2.0.1 dev ipsec1 onlink metric 32
	wait_for 3 "by the second" matches '^10.62.0.0/16 dev ipsec1' table
	stage replace 10.62.0.0/16 via 10.1.0.1 dev ipsec0 onlink metric 32
	wait_for 3 "by the first again" matches '^10.62.0.0/16 dev ipsec0' table
}

test_one_of_two_metrics_goes_and_the_prefix_stays() {
	bridge
	stage add 10.63.0.0/16 via 10.1.0.1 dev ipsec0 onlink metric 110
	stage add 10.63.0.0/16 via 10.1.0.1 dev ipsec0 onlink metric 20
	wait_for 3 "the route comes" matches '^10.63.0.0/16 dev ipsec0' table
	stage del 10.63.0.0/16 metric 110
	wait_for 3 "a reconcile follows" sh -c "[ \$(grep -c reconciled '$OVLY_OUT/bridge.log') -ge 2 ]"
	wait_for 3 "the route is there" matches '^10.63.0.0/16 dev ipsec0' table
	stage del 10.63.0.0/16 metric 20
	wait_for 3 "the route goes" lacks 10.63.0.0 table
}

test_lan_route_stays_out_of_the_tunnel() {
	bridge
	stage add 172.16.0.0/12 via 192.168.1.254 dev lan0 metric 32
	stage add 10.64.0.0/16 via 10.1.0.1 dev ipsec0 onlink metric 32
	wait_for 3 "the route behind it comes" matches '^10.64.0.0/16 dev ipsec0' table
	lacks 172.16.0.0 table
}

test_foreign_route_in_the_way_is_named() {
	bridge
	ip -n "$here" route add 10.65.0.0/16 dev lan0 table 220
	stage add 10.65.0.0/16 via 10.1.0.1 dev ipsec0 onlink metric 32
	wait_for 3 "it is said" grep -q '10.65.0.0/16.*somebody else' "$OVLY_OUT/bridge.log"
	ip -n "$here" route del 10.65.0.0/16 dev lan0 table 220
}

test_freed_room_below_a_limit_is_used() {
	bridge
	h peer set one dev ipsec0 limit 1
	defer h peer set one dev ipsec0 limit 0
	stage add 10.66.0.0/16 via 10.1.0.1 dev ipsec0 onlink metric 32
	wait_for 3 "the first comes" matches '^10.66.0.0/16' table
	stage add 10.67.0.0/16 via 10.1.0.1 dev ipsec0 onlink metric 32
	wait_for 3 "the second is refused" grep -q '10.67.0.0/16.*limit' "$OVLY_OUT/bridge.log"
	stage del 10.66.0.0/16 metric 32
	wait_for 3 "the second takes its place" matches '^10.67.0.0/16' table
}

CASES="
test_route_that_turns_unreachable_is_withdrawn		a staged route that turns unreachable is withdrawn
test_routes_lost_with_a_link_are_withdrawn		routes lost with a link are withdrawn
test_prefix_moves_between_devices_of_one_table		a prefix moves between devices of one table
test_one_of_two_metrics_goes_and_the_prefix_stays	one of two metrics goes, the prefix stays
test_lan_route_stays_out_of_the_tunnel			a LAN route in the staging table stays out of the tunnel
test_foreign_route_in_the_way_is_named			a foreign route in the way is named
test_freed_room_below_a_limit_is_used			room that a withdrawal frees below a limit is used
"
run_cases "$@"
