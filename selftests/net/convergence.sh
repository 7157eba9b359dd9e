#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# convergence.sh: whatever happens to a device or to its table, the table comes to
# be what the module's state says.

# shellcheck source=selftests/lib.sh
. "${OVLY_TOP:?}/selftests/lib.sh"
# shellcheck source=selftests/tunnel.sh
. "$OVLY_TOP/selftests/tunnel.sh"
# shellcheck source=selftests/table.sh
. "$OVLY_TOP/selftests/table.sh"
# shellcheck source=selftests/two-devices.sh
. "$OVLY_TOP/selftests/two-devices.sh"

MANY=500

# add_routes: of every peer, of both families; taken away when the case ends.
add_routes() {
	local key peer i=0

	for peer in a b c d; do
		key=mp
		[ "$peer" != d ] || key=pp
		i=$((i + 1))
		h route add "10.20$i.0.0/16" peer "$peer" dev "${NAME[$key]}" protocol bird
		h route add "fd20:$i::/32" peer "$peer" dev "${NAME[$key]}" protocol bird
		defer h route flush peer "$peer" dev "${NAME[$key]}"
	done
}

fill() {
	add_routes
	settles hub
	holds hub 220 16
}

test_device_down_takes_its_routes_and_up_brings_them_back() {
	fill
	on_hub link set ov0 down
	settles hub
	holds hub 220 4
	on_hub link set p0 down
	settles hub
	holds hub 220 0
	# The rule is for devices that are up; throw routes stay for IKE.
	has_not hub 220 'rule to 220'
	has hub 220 'throw 192.0.2.2/32'
	on_hub link set ov0 up
	settles hub
	holds hub 220 12
	on_hub link set p0 up
	settles hub
	holds hub 220 16
	readdress mp
	readdress pp
	pings hub "$(inner a)"
	pings hub "$(inner a 6)"
}

test_routes_stay_when_the_last_address_goes() {
	fill
	on_hub addr del "$(address mp 4)" dev ov0
	settles hub
	holds hub 220 16
	on_hub addr del "$(address mp 6)" dev ov0
	settles hub
	holds hub 220 16
	readdress mp
	settles hub
	holds hub 220 16
	pings hub "$(inner a)"
}

test_address_that_is_not_the_last_takes_nothing() {
	fill
	on_hub addr add 10.9.0.77/32 dev ov0
	on_hub addr add 10.9.0.78/32 dev ov0
	monitor_routes "$hub" "$OVLY_OUT/monitor"
	on_hub addr del 10.9.0.77/32 dev ov0
	on_hub addr del 10.9.0.78/32 dev ov0
	settles hub
	holds hub 220 16
	# Not even announced: the kernel had them all the time.
	lacks ' table 220 ' route_events "$hub" "$OVLY_OUT/monitor"
}

test_flushed_table_is_filled_by_resync() {
	fill
	on_hub route flush table 220
	on_hub -6 route flush table 220
	h dev resync ov0
	h dev resync p0
	# Done when the request is, but for what a worker does.
	holds hub 220 16
	settles hub
	pings hub "$(inner a)"
}

test_resync_removes_no_route() {
	fill
	monitor_routes "$hub" "$OVLY_OUT/monitor"
	h dev resync ov0
	h dev resync p0
	lacks '^Deleted' route_events "$hub" "$OVLY_OUT/monitor"
}

test_throw_route_comes_back_when_its_place_is_free() {
	local to

	fill
	h peer add e dev ov0
	defer h peer del e dev ov0
	for to in "-4 192.0.2.2/32" "-6 2001:db8::5/128 metric 1"; do
		# shellcheck disable=SC2086 # words
		set -- $to
		on_hub "$1" route replace "${@:2}" dev wan table 220
		has_not hub 220 "throw $2"
		# Put back by hand it is there for all, as it was.
		on_hub "$1" route replace throw "${@:2}" table 220 proto 220
		h path add 17 peer e dev ov0 endpoint "${2%/*}"
		h path del 17
		h peer del e dev ov0
		h peer add e dev ov0
		on_hub "$1" route replace "${@:2}" dev wan table 220
		# Nobody new may rely on it.
		refuses "somebody else's route to the endpoint" \
			h path add 17 peer e dev ov0 endpoint "${2%/*}"
		on_hub "$1" route del "${@:2}" dev wan table 220
		wait_for 20 "the throw route is back" has hub 220 "throw $2"
		h path add 17 peer e dev ov0 endpoint "${2%/*}"
		h path del 17
	done
	settles hub
	holds hub 220 16
}

# A peer's route to the endpoint that only the table has lost: a throw route comes into
# its place, and no look at the table may put the old one there.
test_lost_route_to_an_endpoint_does_not_replace_its_throw_route() {
	fill
	h peer add e dev ov0
	defer h peer del e dev ov0
	h route add 198.51.100.7/32 peer a dev ov0
	on_hub route flush table 220
	h path add 17 peer e dev ov0 endpoint 198.51.100.7
	has hub 220 'throw 198.51.100.7/32'
	h dev resync ov0
	h dev resync p0
	has hub 220 'throw 198.51.100.7/32'
	settles hub
	holds hub 220 16
}

throw_routes() { on_hub "-$1" route show table 220 type throw; }

test_rule_and_throw_routes_come_back() {
	local f

	fill
	for f in 4 6; do
		on_hub "-$f" rule del pref 220
		throw_routes "$f" | sed "s/^/route del table 220 /" | on_hub "-$f" -batch -
	done
	settles hub
	has hub 220 '^4 rule to 220'
	has hub 220 '^6 rule to 220'
	has hub 220 'throw 192.0.2.2/32'
	has hub 220 'throw 2001:db8::5/128'
}

test_mtu_that_would_take_ipv6_is_refused() {
	fill
	# Below it the kernel takes IPv6 from a device, addresses and all.
	refuses 'mtu less than device minimum' on_hub link set ov0 mtu 1279
	on_hub link set ov0 mtu 1280
	settles hub
	holds hub 220 16
	pings hub "$(inner a 6)"
	on_hub link set ov0 mtu 9196
	settles hub
	holds hub 220 16
}

test_device_on_top_changes_nothing() {
	fill
	kernel_log_mark
	on_top mp || skip "this kernel has no VXLAN"
	defer eval "on_hub link del vx0 2>/dev/null || true"
	for _ in 1 2; do
		settles hub
		holds hub 220 16
		same "" "$(h route list --json | jq -r '.[] | select(.installed | not) | .prefix')" \
			"routes that are said to be missing"
		# What is taken away goes, and what is changed changes.
		h route del 10.201.0.0/16 dev ov0
		settles hub
		holds hub 220 15
		h route add 10.201.0.0/16 peer b dev ov0
		h route replace 10.201.0.0/16 peer a dev ov0 protocol bird
		settles hub
		on_hub link del vx0 2>/dev/null || true
	done
	same "" "$(kernel_log_since | grep 'refuses a route' || true)" "what the module says"
}

ipv6_off() { in_ns hub sysctl -qw "net.ipv6.conf.${NAME[mp]}.disable_ipv6=$1"; }
no_ipv6_routes() { [ -z "$(on_hub -6 route show table "$1" dev ov0 2>/dev/null)" ]; }

missing_ipv6() { h route list dev ov0 family 6 --json | jq '[.[] | select(.installed | not)] | length'; }
misses_ipv6() { [ "$(missing_ipv6)" = "$1" ]; }

# off_and_on TABLE [PING-OPTION...]
off_and_on() {
	local table=$1

	shift
	ipv6_off 1
	defer ipv6_off 0
	wait_for 10 "the kernel took the IPv6 routes away" no_ipv6_routes "$table"
	wait_for 20 "the module says so" misses_ipv6 6
	pings hub "$(inner a)" "$@"
	ipv6_off 0
	readdress mp
	settles hub "$table"
	misses_ipv6 0
	pings hub "$(inner a 6)" "$@"
}

test_ipv6_switched_off_and_on() {
	fill
	off_and_on 220
	holds hub 220 16
	on_hub link set ov0 master red
	defer on_hub link set ov0 nomaster
	settles hub 100
	readdress mp
	off_and_on 100 -I red
	holds hub 100 12
}

unexplained() { echo "$(drops hub - tx-no-peer) $(drops hub a rx-source)"; }

# lan_to_a: a host behind the hub, and one behind the peer a.
lan_to_a() {
	ip link add lan netns "$hub" type veth peer name eth0 netns "$inner"
	defer on_hub link del lan
	on_hub -batch - <<-LINES
		addr add 10.67.0.1/24 dev lan
		link set lan up
	LINES
	in_ns inner ip -batch - <<-LINES
		addr add 10.67.0.9/24 dev eth0
		link set eth0 up
		route add default via 10.67.0.1
	LINES
	in_ns hub sysctl -qw net.ipv4.ip_forward=1
	defer in_ns hub sysctl -qw net.ipv4.ip_forward=0
	in_ns a ip addr add 10.66.0.1/32 dev lo
	defer in_ns a ip addr del 10.66.0.1/32 dev lo
	helper a route add 10.67.0.0/24 peer hub
	defer helper a route del 10.67.0.0/24
	h route add 10.66.0.0/24 peer a dev ov0
	settles hub
	pings inner 10.66.0.1
}

# Forwarded ones: what a socket sends may sleep between its route and the device.
test_new_addresses_of_a_peer_cost_no_packet() {
	local log=$OVLY_OUT/readdressed i pid flood before

	many a
	lan_to_a
	before=$(unexplained)
	ip netns exec "$inner" ping -n -c 200 -i 0.02 -W 5 10.66.0.1 >"$log" &
	pid=$!
	# So many that some have found their route, but not the peer, at any change.
	ip netns exec "$inner" ping -n -q -f 10.66.0.1 >"$log.flood" &
	flood=$!
	defer eval "kill $pid $flood 2>/dev/null"
	defer h peer set a dev ov0 addr "$(inner a)" addr "$(inner a 6)"
	for ((i = 0; i < 15; i++)); do
		h peer set a dev ov0 addr 10.9.0.77 addr fd09::77
		h peer set a dev ov0 addr "$(inner a)" addr "$(inner a 6)"
	done
	wait "$pid" || true
	kill -INT "$flood"
	wait "$flood" || true
	same 0 "$(lost_pings "$log")" "lost packets"
	[ "$(grep -c 'bytes from' "$log")" -ge 190 ] || fail "hardly an answer came"
	[ "$(sed -n 's/.* \([0-9]*\) received.*/\1/p' "$log.flood")" -ge 200 ] ||
		fail "no flood: $(cat "$log.flood")"
	same "$before" "$(unexplained)" "packets for nobody, and from nobody"
	settles hub
}

test_routes_follow_a_rename() {
	fill
	rename mp ovly7
	settles hub
	holds hub 220 16
	has hub 220 'dev ovly7 '
	has_not hub 220 'dev ov0 '
	rename mp ov0
	readdress mp
	settles hub
	holds hub 220 16
	pings hub "$(inner a)"
}

test_routes_added_while_down_come_with_up() {
	on_hub link set ov0 down
	on_hub link set p0 down
	add_routes
	settles hub
	holds hub 220 0
	on_hub link set p0 up
	on_hub link set ov0 up
	settles hub
	holds hub 220 16
	readdress mp
	readdress pp
}

all_sa_lines() {
	local peer

	for peer in a b c d; do
		OUTER=$(outer_family "$peer") sa_lines hub "$peer" "${IF_ID[$peer]}"
	done
}

# sas_home: puts back what SAs a case has left out.
sas_home() { all_sa_lines | ip -n "$hub" -force -batch - 2>/dev/null; }

# many_lines PEER: a request with routes of both families.
many_lines() {
	local i

	echo "route-new+create+replace ifname=ov0"
	for ((i = 0; i < MANY; i++)); do
		echo "route{ peer-name=$1 dst=10.$((NUMBER[$1] + 100)).$((i >> 8)).$((i & 255)) prefixlen=32 }"
		echo "route{ peer-name=$1 dst=fd$((NUMBER[$1] + 10))::$i prefixlen=128 }"
	done
}

many() {
	many_lines "$1" | tr '\n' ' ' | in_ns hub ovlynl "do" -
	defer h route flush peer "$1" dev ov0
}

test_many_routes_are_withdrawn_with_their_peer_and_held_with_another() {
	many b
	many c
	settles hub
	holds hub 220 $((8 + 4 * MANY))
	no_sas hub 8
	no_sas hub 9
	defer sas_home
	peer_is hub b down
	peer_is hub c down
	settles hub
	holds hub 220 $((6 + 2 * MANY))
	sa_lines hub b 8 | ip_batch hub
	settles hub
	holds hub 220 $((6 + 2 * MANY))
	sa_lines hub c 9 | ip_batch hub
	settles hub
	holds hub 220 $((8 + 4 * MANY))
}

test_on_down_changed_while_down_takes_effect() {
	fill
	no_sas hub 8
	defer sas_home
	settles hub
	holds hub 220 16
	h peer set b dev ov0 on-down withdraw
	settles hub
	holds hub 220 12
	h peer set b dev ov0 on-down hold
	settles hub
	holds hub 220 16
	sa_lines hub b 8 | ip_batch hub
	settles hub
}

test_exceeded_limit_takes_what_was_taught_of_its_peer() {
	fill
	h route add 10.211.0.0/16 peer a dev ov0 protocol static
	h route add 10.201.0.0/16 peer b dev ov0 protocol bird append
	settles hub
	holds hub 220 17
	has hub 220 '10.201.0.0/16 via 10.9.0.2 onlink via 10.9.0.3 onlink'
	h peer set a dev ov0 limit 1 limit-action disable
	defer h peer set a dev ov0 limit 0 limit-action refuse
	settles hub
	# Its own addresses and what the administrator said stay; the other owner, too.
	holds hub 220 16
	has hub 220 'unicast 10.211.0.0/16 '
	has hub 220 'unicast 10.201.0.0/16 via 10.9.0.3 onlink dev'
	h peer set a dev ov0 limit 0
	settles hub
	holds hub 220 17
}

CASES="
test_device_down_takes_its_routes_and_up_brings_them_back	device down takes its routes, up brings them back
test_routes_stay_when_the_last_address_goes		routes stay when the last address goes
test_address_that_is_not_the_last_takes_nothing		an address that is not the last one takes nothing
test_flushed_table_is_filled_by_resync			a table flushed by hand is filled by resync
test_resync_removes_no_route				resync of a table that is right removes no route
test_throw_route_comes_back_when_its_place_is_free	a throw route that was replaced by hand comes back when its place is free
test_lost_route_to_an_endpoint_does_not_replace_its_throw_route	a route that only the table has lost does not replace a throw route
test_rule_and_throw_routes_come_back			rule and throw routes come back when deleted by hand
test_mtu_that_would_take_ipv6_is_refused		an MTU that would take IPv6 from the device is refused
test_device_on_top_changes_nothing			a device on top, as a VXLAN is, changes nothing
test_ipv6_switched_off_and_on				IPv6 switched off and on again, in a VRF and outside
test_new_addresses_of_a_peer_cost_no_packet		new addresses of a peer cost no packet
test_routes_follow_a_rename				routes follow a rename
test_routes_added_while_down_come_with_up		routes added while the device is down come with up
test_many_routes_are_withdrawn_with_their_peer_and_held_with_another	many routes are withdrawn with their peer, or held
test_on_down_changed_while_down_takes_effect		on-down changed while the peer is down takes effect
test_exceeded_limit_takes_what_was_taught_of_its_peer	an exceeded limit takes what was taught of its peer
"
run_cases "$@"
