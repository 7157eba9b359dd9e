#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# vrf.sh: the table of a device follows its VRF.
#
# The hub's multipoint device goes in and out of the VRFs red (table 100) and blue
# (table 200); a p2p device beside it stays outside.

# shellcheck source=selftests/lib.sh
. "${OVLY_TOP:?}/selftests/lib.sh"
# shellcheck source=selftests/tunnel.sh
. "$OVLY_TOP/selftests/tunnel.sh"
# shellcheck source=selftests/table.sh
. "$OVLY_TOP/selftests/table.sh"

CASE_DEADLINE=$((300 * OVLY_SLOW))

on_hub() { ip -n "$hub" "$@"; }

vrf() {
	on_hub link add "$1" type vrf table "$2"
	on_hub link set "$1" up
}

suite_setup() {
	load_ovly
	wan_setup hub a
	vrf red 100
	vrf blue 200
	overlay hub mode multipoint
	overlay a
	connect hub a 7
	helper hub route add 10.66.0.0/16 peer a
	helper hub route add fd66::/32 peer a
	ip -n "$a" addr add 10.66.0.1/32 dev lo
}

# readdress: the kernel takes IPv6 addresses away when a VRF changes.
readdress() { on_hub addr replace "$(inner hub 6)/128" dev ov0 nodad; }

# enslave VRF: or "-" for none.
enslave() {
	if [ "$1" = - ]; then
		on_hub link set ov0 nomaster
	else
		on_hub link set ov0 master "$1"
	fi
	readdress
}

# flows [VRF]: both ways.
flows() {
	pings hub "$(inner a)" ${1:+-I "$1"}
	pings hub "$(inner a 6)" ${1:+-I "$1"}
	pings hub 10.66.0.1 ${1:+-I "$1"}
	pings a "$(inner hub)"
	pings a "$(inner hub 6)"
}

# in_table TABLE...: the routes are in the first and not in the others.
in_table() {
	local table=$1 other

	settles hub "$table"
	holds hub "$table" 4
	shift
	for other; do
		settles hub "$other"
		holds hub "$other" 0
	done
}

test_enslaved_device_has_its_routes_in_the_table_of_the_vrf() {
	enslave red
	defer enslave -
	in_table 100 220 200
	flows red
	# Not by the table that is no longer its own.
	refuses 'Network is unreachable' on_hub route get "$(inner a)"
}

test_throw_route_and_rule_are_for_tables_behind_a_rule_only() {
	settles hub
	has hub 220 'throw 192.0.2.2/32'
	has hub 220 '4 rule to 220'
	enslave red
	defer enslave -
	in_table 100 220
	same "" "$(table_found hub 220)" "table 220"
	has_not hub 100 throw
	has_not hub 100 rule
	enslave -
	in_table 220 100
	has hub 220 'throw 192.0.2.2/32'
	has hub 220 '6 rule to 220'
}

test_device_outside_keeps_rule_and_throw_routes() {
	helper hub dev add p0 addr 10.8.0.1 up
	defer on_hub link del p0
	helper hub peer add other dev p0 addr 10.8.0.2
	helper hub path add 9 peer other dev p0 endpoint 192.0.2.2
	enslave red
	defer enslave -
	settles hub 220
	settles hub 100
	has hub 220 'unicast 10.8.0.2/32 dev p0'
	has hub 220 'throw 192.0.2.2/32'
	has hub 220 '4 rule to 220'
	holds hub 220 1
	holds hub 100 4
}

test_released_device_has_its_routes_in_its_own_table() {
	enslave red
	in_table 100 220
	enslave -
	in_table 220 100
	flows
}

test_device_moves_between_vrfs() {
	local vrf

	defer enslave -
	for vrf in red blue red; do
		enslave "$vrf"
		case $vrf in
		red) in_table 100 200 220 ;;
		blue) in_table 200 100 220 ;;
		esac
		flows "$vrf"
	done
}

# As ovly(7) says. The rule to 220 is asked before that of the VRFs.
test_rule_lets_vrfs_keep_their_traffic() {
	settles hub
	on_hub link add v0 type dummy
	defer on_hub link del v0
	on_hub link set v0 master blue
	on_hub link set v0 up
	on_hub route add 10.66.7.0/24 dev v0 vrf blue
	matches 'dev ov0' on_hub route get 10.66.7.1 vrf blue
	on_hub rule add pref 219 l3mdev goto 1000
	defer on_hub rule del pref 219
	matches 'dev v0' on_hub route get 10.66.7.1 vrf blue
	matches 'dev ov0' on_hub route get 10.66.7.1
	flows
}

test_deleted_vrf_releases_its_device() {
	vrf green 300
	enslave green
	in_table 300 220
	on_hub link del green
	readdress
	in_table 220 100
	# Its table went with nobody left in it.
	same "" "$(table_found hub 300)" "table 300"
	flows
}

# bring NETNS: what the kernel has taken from the device on its way there.
bring() {
	ip -n "$1" -batch - <<-LINES
		addr replace $(inner hub)/32 dev ov0
		addr replace $(inner hub 6)/128 dev ov0 nodad
		link set ov0 up
	LINES
}

# The kernel releases it on the way.
test_device_of_a_vrf_moves_to_another_namespace() {
	local table

	setup_ns inner
	ip -n "$inner" link add red type vrf table 100
	ip -n "$inner" link set red up
	enslave red
	in_table 100 220
	on_hub link set ov0 netns "$inner"
	bring "$inner"
	settles inner 220
	holds inner 220 4
	has inner 220 'throw 192.0.2.2/32'
	has inner 220 '4 rule to 220'
	has inner 220 '6 rule to 220'
	settles inner 100
	for table in 100 220; do
		settles hub "$table"
		same "" "$(table_found hub "$table")" "table $table that it has left"
	done
	pings inner "$(inner a)"
	pings inner "$(inner a 6)"
	# There it is in a VRF with the same table.
	ip -n "$inner" link set ov0 master red
	bring "$inner"
	settles inner 100
	holds inner 100 4
	settles inner 220
	has_not inner 220 .
	settles hub 100
	has_not hub 100 .
	pings inner "$(inner a)" -I red
	ip -n "$inner" link set ov0 netns "$hub"
	bring "$hub"
	in_table 220 100
	has hub 220 'throw 192.0.2.2/32'
	has hub 220 '4 rule to 220'
	for table in 100 220; do
		settles inner "$table"
		has_not inner "$table" .
	done
	flows
	enslave red
	in_table 100 220
	flows red
	enslave -
	in_table 220 100
}

test_device_goes_down_in_a_vrf_and_comes_up_outside() {
	enslave red
	on_hub link set ov0 down
	settles hub 100
	holds hub 100 0
	on_hub link set ov0 nomaster
	settles hub 220
	holds hub 220 0
	on_hub link set ov0 up
	on_hub addr replace "$(inner hub)/32" dev ov0
	readdress
	in_table 220 100
	flows
}

test_routes_added_in_a_vrf_go_with_the_device() {
	enslave red
	defer enslave -
	helper hub route add 10.67.0.0/16 peer a metric 5
	settles hub 100
	has hub 100 'unicast 10.67.0.0/16 via 10.9.0.2 onlink dev ov0 metric 5'
	enslave blue
	settles hub 200
	has hub 200 'unicast 10.67.0.0/16 via 10.9.0.2 onlink dev ov0 metric 5'
	helper hub route del 10.67.0.0/16 metric 5
	settles hub 200
	has_not hub 200 10.67.0.0
	has_not hub 100 unicast
}

test_routes_of_others_in_the_vrf_stay() {
	enslave red
	defer enslave -
	on_hub route add 10.70.0.0/16 via 10.9.0.2 dev ov0 onlink table 100 proto static
	on_hub route add unreachable default metric 4278198272 table 100
	defer on_hub route del unreachable default metric 4278198272 table 100
	helper hub dev resync ov0
	matches '^10.70.0.0/16 via 10.9.0.2' on_hub route show table 100
	matches '^unreachable default' on_hub route show table 100
	on_hub route del 10.70.0.0/16 table 100
	in_table_but_others 100
}

# in_table_but_others TABLE: right, apart from what is not ovly's.
in_table_but_others() {
	same "$(table_wanted hub "$1")" "$(table_found hub "$1" | grep -v unreachable)" "table $1"
}

test_throw_route_that_was_refused_comes_later() {
	defer enslave -
	enslave red
	settles hub 100
	# Somebody else's is where it has to be.
	on_hub route add 192.0.2.2/32 dev wan table 220
	enslave -
	wait_for 20 "the routes are back" has hub 220 '10.66.0.0/16 via'
	has_not hub 220 'throw 192.0.2.2/32'
	# Who uses it already goes on, nobody new may rely on it.
	helper hub peer add other dev ov0
	defer helper hub peer del other
	refuses "somebody else's route to the endpoint" \
		helper hub path add 17 peer other endpoint 192.0.2.2
	on_hub route del 192.0.2.2/32 dev wan table 220
	in_table 220 100
	wait_for 20 "the throw route comes" has hub 220 'throw 192.0.2.2/32'
}

CASES="
test_enslaved_device_has_its_routes_in_the_table_of_the_vrf	an enslaved device has its routes in the table of the VRF
test_throw_route_and_rule_are_for_tables_behind_a_rule_only	throw routes and rule are for tables behind a rule only
test_device_outside_keeps_rule_and_throw_routes		a device outside keeps rule and throw routes
test_released_device_has_its_routes_in_its_own_table	a released device has its routes in its own table
test_device_moves_between_vrfs				a device moves between VRFs, and traffic flows in each
test_rule_lets_vrfs_keep_their_traffic			a rule lets VRFs keep their traffic
test_deleted_vrf_releases_its_device			a deleted VRF releases its device
test_device_of_a_vrf_moves_to_another_namespace		a device of a VRF that moves to another namespace is right in both
test_device_goes_down_in_a_vrf_and_comes_up_outside	down in a VRF, up outside
test_routes_added_in_a_vrf_go_with_the_device		routes added in a VRF go with the device
test_throw_route_that_was_refused_comes_later		a throw route that the table refused comes when its place is free
test_routes_of_others_in_the_vrf_stay			routes of others in the VRF stay
"
run_cases "$@"
