#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# bridge-transitions.sh: changes of the staging table that the kernel reports in
# unexpected words, or not at all. Each must reach the module without SIGHUP.

# shellcheck source=selftests/lib.sh
. "${OVLY_TOP:?}/selftests/lib.sh"

STAGED=(proto bird table 2220)

h() { in_ns here ovlyhelper "$@"; }
# stage, stage6 VERB PREFIX ...
stage() { ip -n "$here" route "$1" "$2" "${STAGED[@]}" "${@:3}"; }
stage6() { ip -n "$here" -6 route "$1" "$2" "${STAGED[@]}" "${@:3}"; }
table() { ip -n "$here" route show table "${1:-220}"; }

devices() {
	h dev add ipsec0 addr 10.1.0.100 up
	h dev add ipsec1 addr 10.2.0.100 up
	h peer add one dev ipsec0 addr 10.1.0.1
	h peer add two dev ipsec1 addr 10.2.0.1
	h dev add ovly0 mode multipoint table 230 up
	h peer add a dev ovly0 addr 10.3.0.1 addr 2001:db8:3::1
	h peer add b dev ovly0 addr 10.3.0.2 addr 2001:db8:3::2
}

suite_setup() {
	load_ovly
	setup_ns here
	ip -n "$here" link set lo up
	ip -n "$here" link add lan0 type dummy
	ip -n "$here" addr add 192.168.1.1/24 dev lan0
	ip -n "$here" link set lan0 up
	devices
}

# owners PREFIX: of a route of ovly0, "a b".
owners() {
	h route list dev ovly0 --json | jq -r --arg p "$1" \
		'[.[] | select(.prefix == $p) | ."peer-name"] | sort | join(" ")'
}
owners_are() { same "$2" "$(owners "$1")" "owners of $1"; }

# bridge [OPTION...]: starts it, and empties the staging table when the case is over.
bridge() {
	: >"$OVLY_OUT/bridge.log"
	# not in_ns: $! has to be the bridge itself
	ip netns exec "$here" ovlyhelper bridge "$@" 2>"$OVLY_OUT/bridge.log" &
	BRIDGE=$!
	# Another one is not to meet it.
	defer eval "{ kill $BRIDGE && kill -CONT $BRIDGE && wait $BRIDGE; } 2>/dev/null"
	defer sh -c "ip -n '$here' route flush table 2220 2>/dev/null; true"
	defer sh -c "ip -n '$here' -6 route flush table 2220 2>/dev/null; true"
	wait_for 10 "first reconcile" grep -q reconciled "$OVLY_OUT/bridge.log"
}

bridge_ends() {
	kill "$BRIDGE"
	wait "$BRIDGE" || true
}

# said FILTER: of the one bridge that runs here.
said() { h show bridge --json | jq -r "if length == 1 then .[0] else error(\"\(length)\") end | $1"; }
said_is() { same "$2" "$(said "$1")" "$1"; }
# nobodys NEXT-HOP: how many prefixes want it, on which device.
nobodys() { said ".unresolved[] | select(.\"next-hop\" == \"$1\") | \"\(.prefixes) \(.dev)\""; }
nobodys_is() { same "$2" "$(nobodys "$1")" "$1"; }

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

# FRR exports routes so.
test_routes_lost_with_a_nexthop_object_are_withdrawn() {
	bridge
	ip -n "$here" nexthop add id 7 via 10.3.0.1 dev ovly0 onlink
	ip -n "$here" nexthop add id 8 via 10.3.0.2 dev ovly0 onlink
	ip -n "$here" nexthop add id 9 group 7/8
	defer eval "ip -n $here nexthop flush >/dev/null 2>&1"
	stage add 10.90.0.0/16 metric 32 nhid 7
	stage add 10.91.0.0/16 metric 32 nhid 9
	wait_for 3 "of an object" owners_are 10.90.0.0/16 a
	wait_for 3 "of a group" owners_are 10.91.0.0/16 "a b"
	ip -n "$here" nexthop replace id 7 via 10.3.0.2 dev ovly0 onlink
	wait_for 5 "the object has another next hop" owners_are 10.90.0.0/16 b
	ip -n "$here" nexthop del id 7
	wait_for 5 "the object is gone" owners_are 10.90.0.0/16 ""
	wait_for 5 "the group has one" owners_are 10.91.0.0/16 b
	ip -n "$here" nexthop del id 9
	wait_for 5 "the group is gone" owners_are 10.91.0.0/16 ""
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

# The new one comes before the old one is swept.
test_room_that_a_reconcile_frees_below_a_limit_is_used() {
	bridge
	h peer set one dev ipsec0 limit 1
	defer h peer set one dev ipsec0 limit 0
	stage add 10.66.0.0/16 via 10.1.0.1 dev ipsec0 onlink metric 32
	wait_for 3 "the first comes" matches '^10.66.0.0/16' table
	bridge_ends
	stage del 10.66.0.0/16 metric 32
	stage add 10.67.0.0/16 via 10.1.0.1 dev ipsec0 onlink metric 32
	bridge
	wait_for 5 "the other takes its place" matches '^10.67.0.0/16' table
	lacks '^10.66.0.0/16' table
}

# at_limit PREFIX PREFIX: a peer owns as many as it may, and one more disables it.
at_limit() {
	bridge
	h peer set one dev ipsec0 limit 2 limit-action disable
	defer h peer set one dev ipsec0 limit 0 limit-action refuse
	stage add "$1" via 10.1.0.1 dev ipsec0 onlink metric 32
	stage add "$2" via 10.1.0.1 dev ipsec0 onlink metric 32
	wait_for 3 "up to the limit" matches "^$2" table
}

disabled() { h peer list --json | jq -e '.[] | select(.name == "one") | .["routes-disabled"]'; }

test_reconcile_that_makes_room_does_not_disable() {
	at_limit 10.66.0.0/16 10.67.0.0/16
	bridge_ends
	stage del 10.67.0.0/16 metric 32
	stage add 10.60.0.0/16 via 10.1.0.1 dev ipsec0 onlink metric 32
	bridge
	wait_for 5 "the new one comes" matches '^10.60.0.0/16' table
	matches '^10.66.0.0/16' table
	lacks '^10.67.0.0/16' table
	never disabled
	# One more than it may own, found by a reconcile too.
	bridge_ends
	stage add 10.59.0.0/16 via 10.1.0.1 dev ipsec0 onlink metric 32
	bridge
	wait_for 5 "it wants too many" disabled
	wait_for 3 "none is left" lacks '^10\.6' table
}

test_limit_that_disables_gives_the_routes_back_when_set() {
	at_limit 10.68.0.0/16 10.69.0.0/16
	stage add 10.78.0.0/16 via 10.1.0.1 dev ipsec0 onlink metric 32
	wait_for 3 "none is left" lacks '^10\.6' table
	wait_for 3 "it is said" grep -q '10.78.0.0/16.*limit' "$OVLY_OUT/bridge.log"
	h peer set one dev ipsec0 limit 3
	wait_for 5 "all three" matches '^10.78.0.0/16' table
	matches '^10.68.0.0/16' table
	matches '^10.69.0.0/16' table
}

HOP_A=(nexthop via 10.3.0.1 dev ovly0 onlink)
HOP_B=(nexthop via 10.3.0.2 dev ovly0 onlink)
HOP_C=(nexthop via 10.3.0.3 dev ovly0 onlink)

test_multipath_route_is_one_of_all_its_peers() {
	bridge
	stage add 10.70.0.0/16 metric 32 "${HOP_A[@]}" "${HOP_B[@]}"
	wait_for 3 "both own it" owners_are 10.70.0.0/16 "a b"
	matches 'nexthop via 10.3.0.1 dev ovly0' table 230
	matches 'nexthop via 10.3.0.2 dev ovly0' table 230
	same "true true" "$(h route list dev ovly0 --json |
		jq -r '[.[] | select(.prefix == "10.70.0.0/16") | .multipath] | join(" ")')" "multipath"
	matches '^10.70.0.0/16 +- +ovly0' h route list dev ovly0
	same 2 "$(h route list dev ovly0 | grep -c '^  nexthop')" "next hops for people"
	stage replace 10.70.0.0/16 metric 32 "${HOP_B[@]}"
	wait_for 3 "one is left" owners_are 10.70.0.0/16 "b"
	matches '^10.70.0.0/16 via 10.3.0.2 dev ovly0 proto bird' table 230
	stage replace 10.70.0.0/16 metric 32 "${HOP_A[@]}" "${HOP_B[@]}"
	wait_for 3 "both again" owners_are 10.70.0.0/16 "a b"
	stage del 10.70.0.0/16 metric 32
	wait_for 3 "none" owners_are 10.70.0.0/16 ""
	same 1 "$(grep -c reconciled "$OVLY_OUT/bridge.log")" "reconciles"
}

test_next_hop_that_is_nobodys_joins_with_its_peer() {
	bridge
	stage add 10.71.0.0/16 metric 32 "${HOP_C[@]}" "${HOP_A[@]}" "${HOP_B[@]}"
	wait_for 3 "two of three" owners_are 10.71.0.0/16 "a b"
	stage add 10.72.0.0/16 metric 32 "${HOP_C[@]}" nexthop via 10.3.0.4 dev ovly0 onlink
	stage add 10.73.0.0/16 metric 32 "${HOP_A[@]}"
	wait_for 3 "the next one comes" owners_are 10.73.0.0/16 "a"
	owners_are 10.72.0.0/16 ""
	h peer add c dev ovly0 addr 10.3.0.3
	defer h peer del c dev ovly0
	wait_for 5 "the third" owners_are 10.71.0.0/16 "a b c"
	wait_for 5 "the one without any" owners_are 10.72.0.0/16 "c"
	h peer del c dev ovly0
	wait_for 5 "without it" owners_are 10.71.0.0/16 "a b"
	h peer add c dev ovly0 addr 10.3.0.3
	# a reconcile of a route that lacks a next hop changes nothing
	h peer del c dev ovly0
	wait_for 5 "settled" owners_are 10.71.0.0/16 "a b"
}

test_next_hop_in_a_peers_prefix_is_that_peers() {
	bridge
	h route add 10.80.0.0/16 peer b dev ovly0
	defer h route del 10.80.0.0/16 dev ovly0
	stage add 10.74.0.0/16 metric 32 "${HOP_A[@]}" nexthop via 10.80.0.9 dev ovly0 onlink
	wait_for 3 "one by address, one by prefix" owners_are 10.74.0.0/16 "a b"
	stage add 10.75.0.0/16 metric 32 nexthop via 10.3.9.9 dev ovly0 onlink \
		nexthop via 10.80.0.9 dev ovly0 onlink
	wait_for 3 "one by prefix, one nobody's" owners_are 10.75.0.0/16 "b"
}

test_next_hops_of_a_p2p_device_are_one_peer() {
	bridge
	stage add 10.76.0.0/16 metric 32 nexthop via 10.1.0.1 dev ipsec0 onlink \
		nexthop via 10.1.0.77 dev ipsec0 onlink
	wait_for 3 "the route comes" matches '^10.76.0.0/16 dev ipsec0 proto bird scope link' table
	same 1 "$(h route list dev ipsec0 --json | jq '[.[] | select(.prefix == "10.76.0.0/16")] | length')" "owners"
}

test_next_hop_of_an_ipv6_route_goes_and_the_route_stays() {
	bridge
	stage6 add 2001:db8:70::/48 metric 32 via 2001:db8:3::1 dev ovly0 onlink
	wait_for 3 "the first" owners_are 2001:db8:70::/48 "a"
	stage6 append 2001:db8:70::/48 metric 32 via 2001:db8:3::2 dev ovly0 onlink
	wait_for 3 "the second joins" owners_are 2001:db8:70::/48 "a b"
	stage6 del 2001:db8:70::/48 metric 32 via 2001:db8:3::1 dev ovly0
	wait_for 5 "the first leaves" owners_are 2001:db8:70::/48 "b"
	stage6 del 2001:db8:70::/48 metric 32
	wait_for 5 "the route goes" owners_are 2001:db8:70::/48 ""
}

# rests: it does not read the table again by itself.
rests() {
	local n
	n=$(said .reconciles)
	sleep 3
	said_is .reconciles "$n"
}

test_show_bridge_tells_what_is_nobodys() {
	bridge
	same "0 0 0 0 following" "$(said '[."ipv4-routes", ."ipv6-routes", ."ipv4-unresolved",
		."ipv6-unresolved", .state] | join(" ")')" "before there is a route"
	stage add 10.81.0.0/16 metric 32 "${HOP_A[@]}"
	stage add 10.82.0.0/16 metric 32 "${HOP_A[@]}" "${HOP_C[@]}"
	stage add 10.83.0.0/16 metric 32 "${HOP_C[@]}"
	stage add 10.84.0.0/16 metric 32 via 192.168.1.254 dev lan0
	stage6 add 2001:db8:85::/48 metric 32 via 2001:db8:3::9 dev ovly0 onlink
	stage6 add 2001:db8:86::/48 metric 32 via 2001:db8:3::1 dev ovly0 onlink
	ip -n "$here" route add 10.87.0.0/16 dev lan0 proto static table 2220
	wait_for 3 "IPv4 routes" said_is '."ipv4-routes"' 4
	wait_for 3 "IPv6 routes" said_is '."ipv6-routes"' 2
	wait_for 3 "a next hop of two prefixes" nobodys_is 10.3.0.3 "2 ovly0"
	wait_for 3 "that of a LAN route" nobodys_is 192.168.1.254 "1 lan0"
	wait_for 3 "an IPv6 one" nobodys_is 2001:db8:3::9 "1 ovly0"
	same "2 1" "$(said '[."ipv4-unresolved", ."ipv6-unresolved"] | join(" ")')" "without any peer"
	same 3 "$(said '."unresolved-next-hops"')" "next hops that are nobody's"
	matches '^10.3.0.3 +ovly0 +2 ' h show bridge
	matches '^state +following' h show bridge
	same "" "$(h show bridge | awk 'length > 80')" "lines over 80 columns"
	# its peer comes
	h peer add c dev ovly0 addr 10.3.0.3
	defer eval "in_ns here ovlyhelper peer del c dev ovly0 2>/dev/null || true"
	wait_for 5 "it is somebody's" nobodys_is 10.3.0.3 ""
	same "1 1" "$(said '[."ipv4-unresolved", ."ipv6-unresolved"] | join(" ")')" "without any peer"
	h peer del c dev ovly0
	wait_for 5 "nobody's again" nobodys_is 10.3.0.3 "2 ovly0"
	matches '^[0-9]+$' said '.unresolved[0].since'
	# a withdrawn route, and one whose next hop changes, count no more
	stage del 10.83.0.0/16 metric 32
	stage replace 10.84.0.0/16 metric 32 "${HOP_A[@]}"
	wait_for 3 "one prefix less" nobodys_is 10.3.0.3 "1 ovly0"
	wait_for 3 "none wants it" nobodys_is 192.168.1.254 ""
	same "3 0" "$(said '[."ipv4-routes", ."ipv4-unresolved"] | join(" ")')" "routes, without any peer"
	# what it says of the last time it read the table, and of the last error
	local n
	# One that is late by itself would count as well.
	wait_for 30 "none is due" rests
	n=$(said .reconciles)
	kill -HUP "$BRIDGE"
	wait_for 3 "one more" said_is .reconciles $((n + 1))
	same "6 1 true" "$(said '."last-reconcile" | [.staged, ."not-followed", .complete] | join(" ")')" \
		"the last reconcile"
	same null "$(said '."last-error"')" "last error"
	ip -n "$here" route add 10.88.0.0/16 dev lan0 table 220
	defer ip -n "$here" route del 10.88.0.0/16 dev lan0 table 220
	stage add 10.88.0.0/16 via 10.1.0.1 dev ipsec0 onlink metric 32
	wait_for 3 "an error" matches '10.88.0.0/16.*somebody else' said '."last-error".text'
	matches '^last-error +[0-9]+s ago: route 10.88.0.0/16' h show bridge
}

none_shown() {
	local rc=0 said
	said=$(h show bridge 2>&1) || rc=$?
	same "3 ovlyhelper: show bridge: no bridge runs in this network namespace, start it with 'systemctl start ovly-bridge'" \
		"$rc $said" "without a bridge"
}

test_killed_bridge_is_not_shown() {
	none_shown
	bridge
	local first=$BRIDGE
	same "$first" "$(said .pid)" "pid"
	matches '^srwx------' ls -l /run/ovly-bridge
	# in another network namespace it is not the one
	setup_ns elsewhere
	never in_ns elsewhere ovlyhelper show bridge
	kill -KILL "$BRIDGE"
	wait "$BRIDGE" || true
	none_shown
	matches "-$first\$" ls /run/ovly-bridge
	bridge
	lacks "-$first\$" ls /run/ovly-bridge
	same "$BRIDGE" "$(said .pid)" "pid"
	# stopped, it does not answer, and does not once it goes on and ends
	kill -STOP "$BRIDGE"
	h show bridge >"$OVLY_OUT/asked" 2>&1 &
	local asked=$!
	wait_for 5 "somebody asks" matches 'LISTEN +1 .*ovly-bridge' in_ns here ss -xl
	kill -TERM "$BRIDGE"
	kill -CONT "$BRIDGE"
	wait "$BRIDGE"
	wait "$asked" || true
	cat "$OVLY_OUT/asked"
	none_shown
	same "" "$(ls /run/ovly-bridge)" "what it left"
}

test_bridge_waits_for_the_module_and_says_so() {
	bridge
	stage add 10.89.0.0/16 via 10.1.0.9 dev lan0 onlink metric 32
	wait_for 3 "a next hop of nobody" nobodys_is 10.1.0.9 "1 lan0"
	same following "$(said .state)" "state"
	ip -n "$here" link del ipsec0
	ip -n "$here" link del ipsec1
	ip -n "$here" link del ovly0
	unload_ovly
	wait_for 3 "it waits" said_is .state no-module
	same "1 0" "$(said '[."ipv4-routes", (.unresolved | length)] | join(" ")')" "routes, next hops"
	load_ovly
	wait_for 3 "it follows" said_is .state following
	wait_for 3 "the next hop again" nobodys_is 10.1.0.9 "1 lan0"
	devices
}

test_filters_choose_what_is_handed_over() {
	bridge --accept 10.0.0.0/8 --accept 2001:db8::/32 --reject 10.122.144.128/27 \
		--metric keep --dev ipsec0
	stage add 10.92.0.0/16 via 10.1.0.1 dev ipsec0 onlink metric 32
	# the own overlay subnet, as a head-end teaches it; what is not accepted; another device
	stage add 10.122.144.128/27 via 10.1.0.1 dev ipsec0 onlink metric 32
	stage add 172.30.0.0/16 via 10.1.0.1 dev ipsec0 onlink metric 32
	stage add 10.93.0.0/16 metric 32 "${HOP_A[@]}"
	stage6 add 2001:db9::/48 dev ipsec0 metric 32
	stage6 add 2001:db8:92::/48 dev ipsec0 metric 32
	wait_for 3 "what is accepted" matches '^10.92.0.0/16 dev ipsec0 proto bird scope link metric 32' table
	wait_for 3 "the last one" matches '^2001:db8:92::/48 dev ipsec0 proto bird metric 32' \
		ip -n "$here" -6 route show table 220
	lacks '^(10.122.144.128|172.30)' table
	lacks '^2001:db9' ip -n "$here" -6 route show table 220
	same "" "$(owners 10.93.0.0/16)" "owners on the other device"
	same "2 1 [\"ipsec0\"]" "$(said '"\(."ipv4-routes") \(."ipv6-routes") \(.dev | tojson)"')" "what it follows"
}

# BIRD 1.6 and FRR change IPv6 routes so.
test_route_deleted_and_added_again_stays() {
	bridge
	local i
	for i in 1 2 3; do
		stage6 add "2001:db8:9$i::/48" metric 32 via 2001:db8:3::1 dev ovly0 onlink
	done
	wait_for 3 "the routes come" owners_are 2001:db8:93::/48 "a"
	monitor_routes "$here" "$OVLY_OUT/routes"
	for i in 1 2 3 1 2 3 1 2 3; do
		printf 'route %s 2001:db8:9%s::/48 metric 32 via 2001:db8:3::%s dev ovly0 onlink %s\n' \
			del "$i" 1 "${STAGED[*]}" add "$i" 2 "${STAGED[*]}" \
			del "$i" 2 "${STAGED[*]}" add "$i" 1 "${STAGED[*]}"
	# The bridge waits 40 ms for the second half.
	done | chrt -f 1 ip -n "$here" -6 -batch -
	stage6 del 2001:db8:93::/48 metric 32 via 2001:db8:3::1 dev ovly0
	wait_for 3 "one that is only deleted" owners_are 2001:db8:93::/48 ""
	same "Deleted 2001:db8:93::/48" "$(route_events "$here" "$OVLY_OUT/routes" |
		sed -n 's/^\(Deleted [^ ]*\) .* table 230 .*/\1/p')" "routes that left table 230"
	owners_are 2001:db8:91::/48 "a"
}

test_routes_carry_another_protocol_if_told() {
	: >"$OVLY_OUT/bridge.log"
	ip netns exec "$here" ovlyhelper bridge --as-protocol bgp --metric 7 2>"$OVLY_OUT/bridge.log" &
	local pid=$!
	defer eval "{ kill $pid && wait $pid; } 2>/dev/null"
	defer sh -c "ip -n '$here' route flush table 2220 2>/dev/null; true"
	wait_for 10 "first reconcile" grep -q reconciled "$OVLY_OUT/bridge.log"
	stage add 10.77.0.0/16 metric 32 via 10.1.0.1 dev ipsec0 onlink
	wait_for 3 "the route comes" matches '^10.77.0.0/16 dev ipsec0 proto bgp scope link metric 7' table
	stage del 10.77.0.0/16 metric 32
	wait_for 3 "and goes" lacks 10.77.0.0 table
	# and is swept by what follows this protocol
	stage add 10.77.0.0/16 metric 32 via 10.1.0.1 dev ipsec0 onlink
	wait_for 3 "the route comes" matches '^10.77.0.0/16' table
	kill "$pid"
	ip -n "$here" route flush table 2220
	h bridge --once --as-protocol bgp
	lacks 10.77.0.0 table
}

CASES="
test_route_that_turns_unreachable_is_withdrawn		a staged route that turns unreachable is withdrawn
test_routes_lost_with_a_link_are_withdrawn		routes lost with a link are withdrawn
test_routes_lost_with_a_nexthop_object_are_withdrawn	routes lost with a nexthop object are withdrawn
test_prefix_moves_between_devices_of_one_table		a prefix moves between devices of one table
test_one_of_two_metrics_goes_and_the_prefix_stays	one of two metrics goes, the prefix stays
test_lan_route_stays_out_of_the_tunnel			a LAN route in the staging table stays out of the tunnel
test_foreign_route_in_the_way_is_named			a foreign route in the way is named
test_freed_room_below_a_limit_is_used			room that a withdrawal frees below a limit is used
test_room_that_a_reconcile_frees_below_a_limit_is_used	room that a reconcile frees below a limit is used
test_reconcile_that_makes_room_does_not_disable		a reconcile that makes room does not disable, one that finds too many does
test_limit_that_disables_gives_the_routes_back_when_set	a limit that disables gives the routes back when it is set
test_multipath_route_is_one_of_all_its_peers		a staged multipath route is one route of all its peers
test_next_hop_that_is_nobodys_joins_with_its_peer	a next hop that is nobody's joins when its peer appears
test_next_hop_in_a_peers_prefix_is_that_peers		next hops inside prefixes of peers
test_next_hops_of_a_p2p_device_are_one_peer		all next hops of a p2p device are its one peer
test_next_hop_of_an_ipv6_route_goes_and_the_route_stays	one next hop of an IPv6 route goes, the route stays
test_filters_choose_what_is_handed_over			filters, the own overlay subnet, one device, metrics as they were
test_route_deleted_and_added_again_stays		a route that is deleted and added again does not leave
test_show_bridge_tells_what_is_nobodys			show bridge: routes, next hops that are nobody's, reconcile, error
test_killed_bridge_is_not_shown				show bridge: a killed bridge leaves nothing that is shown
test_bridge_waits_for_the_module_and_says_so		show bridge: without the module it waits, and says so
test_routes_carry_another_protocol_if_told		protocol and metric in the module are as told
"
run_cases "$@"
