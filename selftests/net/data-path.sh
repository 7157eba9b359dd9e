#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# data-path.sh: the data path without any daemon: two namespaces, SAs and policies
# made by hand, an ovly device on either side.
#
#     left 192.0.2.1 --- veth --- 192.0.2.2 right
#     ov0 10.9.0.1, fd09::1         ov0 10.9.0.2, fd09::2

# shellcheck source=selftests/lib.sh
. "${OVLY_TOP:?}/selftests/lib.sh"

KEY=0x0123456789abcdef0123456789abcdef01234567

# sas NS IF_ID: the SAs and policies of both directions, for all inner traffic.
sas() {
	local ns=$1 id=$2 me=192.0.2.1 peer=192.0.2.2 any

	[ "$ns" = left ] || { me=192.0.2.2 peer=192.0.2.1; }
	# The SPI tells the direction: 1 to the right, 2 to the left.
	in_ns "$ns" ip xfrm state add src 192.0.2.1 dst 192.0.2.2 proto esp spi "0x${id}1" \
		reqid "$id" mode tunnel if_id "$id" flag af-unspec aead 'rfc4106(gcm(aes))' $KEY 128
	in_ns "$ns" ip xfrm state add src 192.0.2.2 dst 192.0.2.1 proto esp spi "0x${id}2" \
		reqid "$id" mode tunnel if_id "$id" flag af-unspec aead 'rfc4106(gcm(aes))' $KEY 128
	for any in 0.0.0.0/0 ::/0; do
		in_ns "$ns" ip xfrm policy add dir out src $any dst $any if_id "$id" \
			tmpl src "$me" dst "$peer" proto esp reqid "$id" mode tunnel
	done
}

# device NS NUMBER PEER-NUMBER: ov0 with its one peer and path.
device() {
	in_ns "$1" ovlyhelper dev add ov0 addr "10.9.0.$2" addr "fd09::$2" up
	in_ns "$1" ovlyhelper peer add other dev ov0 addr "10.9.0.$3" addr "fd09::$3"
	in_ns "$1" ovlyhelper path add 7 peer other endpoint "192.0.2.$3"
}

suite_setup() {
	load_ovly
	setup_ns left right
	ip link add l0 netns "$left" type veth peer name r0 netns "$right"
	ip -n "$left" addr add 192.0.2.1/24 dev l0
	ip -n "$right" addr add 192.0.2.2/24 dev r0
	ip -n "$left" link set l0 up
	ip -n "$right" link set r0 up
	sas left 7
	sas right 7
	device left 1 2
	device right 2 1
}

# drops NS NAME: a counter of the peer.
drops() {
	in_ns "$1" ovlyhelper show drops --json | jq "[.[] | select(.peer and .reason == \"$2\") | .packets] | add // 0"
}

test_ipv4_inside_ipv4() { in_ns left ping -c 3 -i 0.2 -W 5 10.9.0.2; }

test_ipv6_inside_ipv4() { in_ns left ping -6 -c 3 -i 0.2 -W 5 fd09::2; }

test_too_big_is_answered_with_the_path_mtu() {
	# 1500 bytes less the outer header, ESP, IV, padding and ICV.
	matches 'mtu ?= ?14[0-9][0-9]' in_ns left sh -c 'ping -c 2 -W 2 -M do -s 3000 10.9.0.2; true'
	matches 'mtu ?= ?14[0-9][0-9]' in_ns left sh -c 'ping -6 -c 2 -W 2 -M do -s 3000 fd09::2; true'
}

test_foreign_source_is_dropped_and_counted() {
	local before
	before=$(drops right rx-source)
	# The right side has no route to this source by its peer.
	ip -n "$left" addr add 10.66.0.1/32 dev lo
	defer ip -n "$left" addr del 10.66.0.1/32 dev lo
	never in_ns left ping -c 2 -i 0.2 -W 1 -I 10.66.0.1 10.9.0.2
	[ "$(drops right rx-source)" -ge $((before + 2)) ] || fail "rx-source did not count"
	# Once the peer owns the source it is let in, and the answer gets back.
	in_ns right ovlyhelper route add 10.66.0.0/24 peer other
	defer in_ns right ovlyhelper route del 10.66.0.0/24
	in_ns left ping -c 2 -i 0.2 -W 5 -I 10.66.0.1 10.9.0.2
}

test_sa_flush_takes_the_peer_down_and_new_sas_bring_it_back() {
	in_ns left ip xfrm state flush
	wait_for 5 "the peer is down" matches 'down' in_ns left ovlyhelper peer list
	never in_ns left ping -c 1 -W 1 10.9.0.2
	matches '^10.9.0.2 dev ov0' in_ns left ip route show table 220
	in_ns left ip xfrm policy flush
	in_ns right ip xfrm state flush
	in_ns right ip xfrm policy flush
	sas left 7
	sas right 7
	wait_for 5 "the peer is up" matches 'up' in_ns left ovlyhelper peer list
	in_ns left ping -c 2 -i 0.2 -W 5 10.9.0.2
}

test_device_down_and_up_restores_both_families() {
	in_ns left ovlyhelper route add 10.77.0.0/16 peer other
	in_ns left ovlyhelper route add fd77::/32 peer other
	defer in_ns left ovlyhelper route flush peer other
	ip -n "$left" link set ov0 down
	lacks 'dev ov0' ip -n "$left" route show table 220
	ip -n "$left" link set ov0 up
	wait_for 5 "the IPv4 route is back" matches '^10.77.0.0/16 dev ov0' \
		ip -n "$left" route show table 220
	wait_for 5 "the IPv6 route is back" matches '^fd77::/32 dev ov0' \
		ip -n "$left" -6 route show table 220
	# Down took the IPv6 address along.
	ip -n "$left" addr replace fd09::1/128 dev ov0
	in_ns left ping -c 1 -W 5 10.9.0.2
	in_ns left ping -6 -c 1 -W 5 fd09::2
}

test_throw_route_and_rule_come_back() {
	ip -n "$left" route flush table 220
	wait_for 5 "the throw route is back" matches '^throw 192.0.2.2' \
		ip -n "$left" route show table 220
	ip -n "$left" rule del pref 220
	wait_for 5 "the rule is back" matches '^220:.*lookup 220' ip -n "$left" rule show
	in_ns left ovlyhelper dev resync ov0
	matches '^10.9.0.2 dev ov0' ip -n "$left" route show table 220
	in_ns left ping -c 1 -W 5 10.9.0.2
}

test_namespace_with_everything_in_it_goes() {
	local gone

	gone=$(ip netns list | grep -c .)
	ip netns add doomed
	ip -n doomed link add ov0 type ovly
	ip -n doomed link set ov0 up
	ip netns exec doomed ovlyhelper peer add p dev ov0 addr 10.5.5.5
	ip netns exec doomed ovlyhelper path add 99 peer p endpoint 192.0.2.99
	ip netns exec doomed ovlyhelper route add 10.55.0.0/16 peer p
	ip netns del doomed
	same "$gone" "$(ip netns list | grep -c .)" "namespaces"
	# Nothing is left that would keep the module.
	unload_ovly
}

CASES="
test_ipv4_inside_ipv4					IPv4 inside IPv4
test_ipv6_inside_ipv4					IPv6 inside IPv4
test_too_big_is_answered_with_the_path_mtu		a packet too big is answered with the path MTU
test_foreign_source_is_dropped_and_counted		a source that is not the peer's is dropped and counted
test_sa_flush_takes_the_peer_down_and_new_sas_bring_it_back	SAs flushed: peer down, routes held; new SAs: up
test_device_down_and_up_restores_both_families		device down and up restores both families
test_throw_route_and_rule_come_back			throw route and rule come back when others remove them
test_namespace_with_everything_in_it_goes		a namespace with a device in it goes, and so does the module
"
run_cases "$@"
