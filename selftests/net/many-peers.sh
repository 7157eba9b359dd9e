#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# many-peers.sh: peers that come when a device has many already have IPv4 routes
# with a scope of their own (kmod/peer.c says why), and nothing else is different.
#
#	hub (1) --- first (2), 199 peers that nobody is at, late (3)

# shellcheck source=selftests/control.sh
. "${OVLY_TOP:?}/selftests/control.sh"
# shellcheck source=selftests/tunnel.sh
. "$OVLY_TOP/selftests/tunnel.sh"
# shellcheck source=selftests/table.sh
. "$OVLY_TOP/selftests/table.sh"

# Peers in all, and those of them whose routes have no scope.
PEERS=201
UNIVERSE=128

suite_setup() {
	local node

	load_ovly
	wan_setup hub first late
	# Where control.sh watches.
	here=$hub
	overlay hub mode multipoint
	overlay first
	overlay late
	connect hub first 12
	others | in_ns hub ovlynl "do" - >/tmp/answers
	same $((2 * (PEERS - 2))) "$(grep -c '^ok' /tmp/answers)" "requests granted"
	connect hub late 13
	for node in first late; do
		helper hub route add "10.66.${NUMBER[$node]}.0/24" peer "$node"
		helper hub route add "fd66:${NUMBER[$node]}::/32" peer "$node"
		# Where prefixes come that change their owner.
		ip -n "${!node}" route add local 10.66.0.0/16 dev lo
	done
	settles hub
}

# others: the peers p2, p3, ... with a route each.
others() {
	awk -v n="$PEERS" 'BEGIN {
		for (i = 2; i < n; i++) {
			printf "peer-new+create ifname=ov0 peer{ name=p%d addr=10.100.0.%d }\n", i, i
			printf "route-new+create ifname=ov0 route{ peer-name=p%d dst=20.0.%d.0 prefixlen=24 }\n", i, i
		}
	}'
}

# on_hub WORD...: ip there. table [WORD...]: its IPv4 routes.
on_hub() { ip -n "$hub" "$@"; }
table() { on_hub route show table 220 "$@"; }

# scopes: those of routes by a next hop.
scopes() { table | sed -n 's/.* via .* scope \([0-9]*\).*/\1/p'; }

# reaches NODE ADDRESS: the hub's packets get there, and to nobody else.
reaches() {
	local before

	before=$(traffic "$1" hub rx-packets)
	pings hub "$2"
	same 3 $(($(traffic "$1" hub rx-packets) - before)) "packets to $2 that came to $1"
}

both_reached() {
	reaches first 10.66.2.1
	reaches late 10.66.3.1
}

test_first_peers_have_routes_as_ever() {
	matches '^10.66.2.0/24 via 10.9.0.2 dev ov0 onlink *$' table
	matches "^20.0.$UNIVERSE.0/24 via 10.100.0.$UNIVERSE dev ov0 onlink *$" table
	matches '^10.9.0.3 dev ov0 scope link *$' table
	lacks scope on_hub -6 route show table 220
}

test_later_ones_have_a_scope_each() {
	same $((PEERS - UNIVERSE)) "$(scopes | wc -l)" "routes with a scope"
	same $((PEERS - UNIVERSE)) "$(scopes | sort -u | wc -l)" "scopes"
	# Below site, which addresses have.
	same "" "$(scopes | awk '$1 < 1 || $1 >= 200')" "scopes out of range"
}

test_packets_go_to_the_right_peer() {
	local before

	both_reached
	before=$(drops hub p150 tx-no-path)
	unanswered hub 20.0.150.1
	same 2 $(($(drops hub p150 tx-no-path) - before)) "packets to p150 dropped for want of a path"
}

# What the hub calls itself depends on the route's scope if an address has a narrow one.
test_the_source_address_does_not_depend_on_it() {
	on_hub addr add 10.9.0.88/32 dev ov0 scope link
	on_hub addr add 10.9.0.99/32 dev ov0 scope site
	defer eval "ip -n $hub addr del 10.9.0.88/32 dev ov0; ip -n $hub addr del 10.9.0.99/32 dev ov0"
	seq 2 $((PEERS - 1)) | sed 's/.*/route get 20.0.&.1/' | ip_batch hub >/tmp/sources
	same $((PEERS - 2)) "$(grep -c ' src 10.9.0.1 ' /tmp/sources)" "routes with the hub's address as source"
}

# A plain route and one with a scope take each other's place.
test_a_prefix_moves_between_first_and_late() {
	helper hub route add 10.66.9.0/24 peer first protocol bird
	defer helper hub route flush protocol bird
	reaches first 10.66.9.1
	helper hub route replace 10.66.9.0/24 peer late protocol bird
	matches 'via 10.9.0.3 dev ov0 .*scope [0-9]+' table 10.66.9.0/24
	reaches late 10.66.9.1
	helper hub route replace 10.66.9.0/24 peer first protocol bird
	lacks scope table 10.66.9.0/24
	reaches first 10.66.9.1
	same 1 "$(table | grep -c '^10.66.9.0/24')" "routes"
}

test_a_prefix_that_moves_is_never_without_a_route() {
	local i key='dst=10.66.9.0 prefixlen=24 protocol=12'

	defer helper hub route flush protocol bird
	add 10.66.9.0 24 protocol=12 peer-name=late
	watch_route 10.66.9.1
	for i in {1..30}; do
		echo "route-new+replace ifname=ov0 route{ $key peer-name=first }"
		echo "route-new+replace ifname=ov0 route{ $key peer-name=late }"
		echo "route-new+replace ifname=ov0 route{ $key peer-name=first peer-name=late }"
		echo "route-new+replace ifname=ov0 route{ $key peer-name=p150 }"
		echo "route-new+replace ifname=ov0 route{ $key peer-name=late }"
	done | nl_lines | grep -c '^ok$' | { read -r n && same 150 "$n" "granted requests"; }
	watched
	matches '^lookups=[0-9]+ misses=0 changes=[1-9]' cat "$OVLY_OUT/gaps"
	lacks '^Deleted 10.66.9.0/24' route_events "$hub" "$OVLY_OUT/monitor"
	# Both kinds have been there.
	matches '^10.66.9.0/24 via 10.9.0.2 dev ov0 .*onlink *$' cat "$OVLY_OUT/monitor"
	matches '^10.66.9.0/24 via 10.9.0.3 dev ov0 .*scope [0-9]+' cat "$OVLY_OUT/monitor"
	same 1 "$(table | grep -c '^10.66.9.0/24')" "routes"
	reaches late 10.66.9.1
}

test_both_own_a_prefix() {
	helper hub route add 10.66.8.0/24 peer first peer late protocol bird
	defer helper hub route flush protocol bird
	matches 'nexthop via 10.9.0.2 dev ov0' table 10.66.8.0/24
	matches 'nexthop via 10.9.0.3 dev ov0' table 10.66.8.0/24
	settles hub
	helper hub route del 10.66.8.0/24 peer first
	reaches late 10.66.8.1
	helper hub route del 10.66.8.0/24
	lacks '^10.66.8.0' table
}

test_a_new_address_is_the_next_hop() {
	local scope

	scope=$(table 10.66.3.0/24 | sed -n 's/.* scope \([0-9]*\).*/\1/p')
	helper hub peer set late addr 10.9.0.33 addr fd09::3
	defer helper hub peer set late addr 10.9.0.3 addr fd09::3
	matches "^10.66.3.0/24 via 10.9.0.33 dev ov0 .*scope $scope" table
	settles hub
	reaches late 10.66.3.1
}

test_flushed_by_hand_and_resynced() {
	on_hub route flush table 220
	lacks "dev ov0" table
	helper hub dev resync ov0
	settles hub
	both_reached
}

test_down_and_up() {
	local before

	before=$(table)
	on_hub link set ov0 down
	wait_for 5 "no route is left" lacks 'dev ov0' table
	on_hub link set ov0 up
	settles hub
	same "$before" "$(table)" "table"
	both_reached
}

test_into_a_vrf_and_out_again() {
	on_hub link add red type vrf table 100
	on_hub link set red up
	on_hub link set ov0 master red
	defer ip -n "$hub" link del red
	settles hub 100
	matches '^10.66.3.0/24 via 10.9.0.3 .*scope [0-9]+' on_hub route show table 100
	on_hub link set ov0 nomaster
	settles hub
	lacks 'dev ov0' on_hub route show table 100
	both_reached
}

# Next to last: a deleted peer is not made again.
test_deleted_peers_leave_nothing() {
	helper hub peer del p200
	helper hub peer del p2
	lacks '^20.0.(2|200).0|10.100.0.(2|200) ' table
	settles hub
	same $((PEERS - UNIVERSE - 1)) "$(scopes | wc -l)" "routes with a scope"
}

test_the_deleted_device_leaves_nothing() {
	on_hub link del ov0
	wait_for 10 "the table is empty" lacks . table
}

CASES="
test_first_peers_have_routes_as_ever		the first peers have routes as ever
test_later_ones_have_a_scope_each		later ones have a scope each, below site
test_packets_go_to_the_right_peer		packets go to the right peer
test_the_source_address_does_not_depend_on_it	the source address does not depend on the scope
test_a_prefix_moves_between_first_and_late	a prefix moves between a first and a late peer
test_a_prefix_that_moves_is_never_without_a_route	a prefix that moves between them is never without a route
test_both_own_a_prefix				both own a prefix
test_a_new_address_is_the_next_hop		a new address is the next hop, the scope stays
test_flushed_by_hand_and_resynced		flushed by hand and resynced
test_down_and_up				device down and up
test_into_a_vrf_and_out_again			into a VRF and out again
test_deleted_peers_leave_nothing		deleted peers leave nothing
test_the_deleted_device_leaves_nothing		the deleted device leaves nothing
"
run_cases "$@"
