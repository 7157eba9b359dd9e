#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# coexistence.sh: an ovly device beside an XFRM interface, a vti device and plain
# policies, each with SAs of its own, in one namespace.
#
#	ovly	if_id 7		10.9.0.1, 10.9.0.2
#	xfrm	if_id 20	10.20.0.1, 10.20.0.2	on xfrm20
#	vti	mark 30		10.30.0.1, 10.30.0.2	on vti30; outer 192.0.2.31, .32, as vti
#							claims all ESP between its ends
#	plain	none		10.40.0.1, 10.40.0.2	on lo
#
# That is the hub and a, with IPv4 outside. The hub and b have the same with IPv6
# outside and inside:
#
#	ovly	if_id 8		fd09::1, fd09::3
#	xfrm	if_id 26	fd20::1, fd20::3	on xfrm26
#	vti6	mark 36		fd30::1, fd30::3	on vti36; outer 2001:db8::31, ::33
#	plain	none		fd40::1, fd40::3	on lo

# shellcheck source=selftests/lib.sh
. "${OVLY_TOP:?}/selftests/lib.sh"
# shellcheck source=selftests/tunnel.sh
. "$OVLY_TOP/selftests/tunnel.sh"

CASE_DEADLINE=$((300 * OVLY_SLOW))

# kind_sa SOURCE DESTINATION SPI MORE: a line for ip -batch.
kind_sa() {
	echo "xfrm state add src $1 dst $2 proto esp spi $3 reqid $3 mode tunnel $4 $(cipher aes128gcm16)"
}

# kind_policy DIRECTION OUTER-SOURCE OUTER-DESTINATION SPI SELECTOR MORE
kind_policy() {
	echo "xfrm policy add dir $1 $5 $6 tmpl src $2 dst $3 proto esp reqid $4 mode tunnel"
}

# kind ME PEER MY-SPI PEER-SPI MORE [MY-INNER PEER-INNER]: both directions at one end;
# MY-SPI is that of what comes to me. Inside is the family that is outside.
kind() {
	local any=0.0.0.0/0 host=32 out in

	case $1 in *:*) any=::/0 host=128 ;; esac
	out="src $any dst $any" in=$out
	[ $# -lt 7 ] || { out="src $6/$host dst $7/$host" in="src $7/$host dst $6/$host"; }
	kind_sa "$1" "$2" "$4" "$5"
	kind_sa "$2" "$1" "$3" "$5"
	kind_policy out "$1" "$2" "$4" "$out" "$5"
	kind_policy in "$2" "$1" "$3" "$in" "$5"
}

# others NODE NUMBER PEER-NUMBER: all kinds but ovly.
others() {
	local n=$2 p=$3

	{
		echo "link add xfrm20 type xfrm dev wan if_id 20"
		echo "addr add 10.20.0.$n/24 dev xfrm20"
		echo "link set xfrm20 up"
		echo "addr add 192.0.2.3$n/24 dev wan"
		echo "link add vti30 type vti local 192.0.2.3$n remote 192.0.2.3$p key 30"
		echo "addr add 10.30.0.$n/24 dev vti30"
		echo "link set vti30 up"
		echo "addr add 10.40.0.$n/32 dev lo"
		echo "route add 10.40.0.$p/32 via 192.0.2.$p src 10.40.0.$n"
		kind "192.0.2.$n" "192.0.2.$p" "0x200$n" "0x200$p" "if_id 20"
		kind "192.0.2.3$n" "192.0.2.3$p" "0x300$n" "0x300$p" "mark 30"
		kind "192.0.2.$n" "192.0.2.$p" "0x400$n" "0x400$p" "" "10.40.0.$n" "10.40.0.$p"
	} | ip_batch "$1"
	in_ns "$1" sysctl -qw net.ipv4.conf.vti30.disable_policy=1
}

# others6 NODE NUMBER PEER-NUMBER: the same with IPv6 outside.
others6() {
	local n=$2 p=$3

	{
		echo "link add xfrm26 type xfrm dev wan if_id 26"
		echo "addr add fd20::$n/64 dev xfrm26 nodad"
		echo "link set xfrm26 up"
		[ "${#NETS6[@]}" != 4 ] || vti6_lines "$n" "$p"
		echo "addr add fd40::$n/128 dev lo nodad"
		echo "route add fd40::$p/128 via 2001:db8::$p src fd40::$n"
		kind "2001:db8::$n" "2001:db8::$p" "0x260$n" "0x260$p" "if_id 26"
		kind "2001:db8::$n" "2001:db8::$p" "0x460$n" "0x460$p" "" "fd40::$n" "fd40::$p"
	} | ip_batch "$1"
	[ "${#NETS6[@]}" != 4 ] || in_ns "$1" sysctl -qw net.ipv6.conf.vti36.disable_policy=1
}

vti6_lines() {
	echo "addr add 2001:db8::3$1/64 dev wan nodad"
	echo "link add vti36 type vti6 local 2001:db8::3$1 remote 2001:db8::3$2 key 36"
	echo "addr add fd30::$1/64 dev vti36 nodad"
	echo "link set vti36 up"
	kind "2001:db8::3$1" "2001:db8::3$2" "0x360$1" "0x360$2" "mark 36"
}

suite_setup() {
	modprobe -a xfrm_interface ip_vti || skip "the kernel lacks xfrm_interface or ip_vti"
	# What there is with IPv6 outside, by the inner prefix.
	NETS6=(09 20 30 40)
	modprobe ip6_vti || { NETS6=(09 20 40) && note "the kernel lacks ip6_vti"; }
	wan_setup hub a b
	# Before and after ovly, as they come.
	others hub 1 2
	others6 hub 1 3
	load_ovly
	others a 2 1
	others6 b 3 1
	overlay hub mode multipoint
	overlay a
	overlay b
	connect hub a 7
	OUTER=6 connect hub b 8
}

# at_once NODE ADDRESS...: pings them all at the same time.
at_once() {
	local node=$1 to pid pids=()

	shift
	for to; do
		ip netns exec "${!node}" ping -n -q -c 10 -i 0.1 -W 10 "$to" \
			>"$OVLY_OUT/ping-$node-$to" 2>&1 &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid" || true
	done
	for to; do
		matches ' 0% packet loss' cat "$OVLY_OUT/ping-$node-$to"
	done
}

# all_at_once NODE NUMBER, all6_at_once NODE NUMBER: by all ways to the node with that
# number, with IPv4 or IPv6 outside.
all_at_once() { at_once "$1" "10.9.0.$2" "10.20.0.$2" "10.30.0.$2" "10.40.0.$2"; }
all6_at_once() {
	local node=$1

	set -- "${NETS6[@]/%/::$2}"
	at_once "$node" "${@/#/fd}"
}

# sniff_hub NAME: what the hub sends, but for what it says of itself on the link. Only
# outwards: what plain policies let in is seen there once more, decrypted.
sniff_hub() {
	sniff hub wan "$1" "ether src $(in_ns hub cat /sys/class/net/wan/address) and \
		not ($LINK_CHATTER)"
}

test_all_four_pass_traffic_at_once() {
	local spi

	sniff_hub all
	all_at_once hub 2
	all_at_once a 1
	sniff_end all
	same 0 "$(sniffed_count all 'not ip proto 50 and not ip6 proto 50')" "packets that are not ESP"
	# Each by SAs of its own: 10 requests and 10 answers.
	for spi in "$(spi 7 2)" 0x2002 0x3002 0x4002; do
		same 20 "$(sniffed_count all "ip[20:4] == $spi")" "ESP packets to a with SPI $spi"
	done
}

test_all_four_pass_traffic_at_once_over_ipv6() {
	local spi spis=("$(spi 8 3)" 0x2603 0x4603)

	[ "${#NETS6[@]}" != 4 ] || spis+=(0x3603)
	sniff_hub all6
	all6_at_once hub 3
	all6_at_once b 1
	sniff_end all6
	same 0 "$(sniffed_count all6 'not ip6 proto 50')" "packets that are not ESP"
	# Router solicitations and the like, which go by the links, too, are shorter.
	for spi in "${spis[@]}"; do
		same 20 "$(sniffed_count all6 "ip6[4:2] == 140 and ip6[40:4] == $spi")" "ESP packets to b with SPI $spi"
	done
}

test_counters_are_each_ones_own() {
	local before after

	before=$(traffic hub a rx-packets)
	in_ns hub ping -n -q -c 5 -i 0.1 -W 10 10.20.0.2
	in_ns hub ping -n -q -c 5 -i 0.1 -W 10 10.30.0.2
	in_ns hub ping -n -q -c 5 -i 0.1 -W 10 10.40.0.2
	same "$before" "$(traffic hub a rx-packets)" "rx-packets of the peer"
	after=$(in_ns hub cat /sys/class/net/xfrm20/statistics/rx_packets)
	in_ns hub ping -n -q -c 5 -i 0.1 -W 10 10.9.0.2
	same $((before + 5)) "$(traffic hub a rx-packets)" "rx-packets of the peer"
	same "$after" "$(in_ns hub cat /sys/class/net/xfrm20/statistics/rx_packets)" "rx_packets of xfrm20"
}

test_others_stay_when_ovly_loses_its_sas() {
	no_sas hub 7
	peer_is hub a down
	unanswered hub 10.9.0.2
	pings hub 10.20.0.2
	pings hub 10.30.0.2
	pings hub 10.40.0.2
	sa_lines hub a 7 | ip_batch hub
	peer_is hub a up
	all_at_once hub 2
}

test_others_stay_when_ovly_loses_its_sas_over_ipv6() {
	local net

	no_sas hub 8
	peer_is hub b down
	unanswered hub fd09::3
	for net in "${NETS6[@]:1}"; do
		pings hub "fd$net::3"
	done
	OUTER=6 sa_lines hub b 8 | ip_batch hub
	peer_is hub b up
	all6_at_once hub 3
}

test_ovly_stays_when_the_others_go_and_come() {
	ip -n "$hub" link del xfrm20
	ip -n "$hub" link del vti30
	pings hub 10.9.0.2
	ip -n "$hub" -batch - <<-LINES
		link add xfrm20 type xfrm dev wan if_id 20
		addr add 10.20.0.1/24 dev xfrm20
		link set xfrm20 up
		link add vti30 type vti local 192.0.2.31 remote 192.0.2.32 key 30
		addr add 10.30.0.1/24 dev vti30
		link set vti30 up
	LINES
	in_ns hub sysctl -qw net.ipv4.conf.vti30.disable_policy=1
	all_at_once hub 2
	all_at_once a 1
}

test_others_stay_when_the_module_goes_and_comes() {
	local node net

	rmmod ovly
	pings hub 10.20.0.2
	pings hub 10.30.0.2
	pings hub 10.40.0.2
	for net in "${NETS6[@]:1}"; do
		pings hub "fd$net::3"
	done
	load_ovly
	for node in hub a b; do
		overlay "$node" mode multipoint
	done
	peer hub a
	path hub a 7
	peer a hub
	path a hub 7
	peer hub b
	OUTER=6 path hub b 8
	peer b hub
	OUTER=6 path b hub 8
	all_at_once hub 2
	all6_at_once hub 3
}

test_path_that_takes_the_if_id_of_an_xfrm_interface_warns() {
	kernel_log_mark
	matches 'XFRM interface' helper hub path add 20 peer a
	defer helper hub path del 20
	matches 'if_id 0x14 .*XFRM interface' kernel_log_since
}

test_xfrm_interface_that_takes_the_if_id_of_a_path_warns() {
	kernel_log_mark
	ip -n "$hub" link add xfrm7 type xfrm dev wan if_id 7
	defer ip -n "$hub" link del xfrm7
	matches 'if_id 0x7 .*XFRM interface' kernel_log_since
	# And the path goes on, and wins: XFRM looks at interfaces that are up.
	ip -n "$hub" link set xfrm7 up
	pings hub 10.9.0.2
}

test_path_with_an_if_id_of_its_own_warns_of_nothing() {
	kernel_log_mark
	lacks '.' helper hub path add 21 peer a
	defer helper hub path del 21
	lacks 'XFRM interface' kernel_log_since
}

CASES="
test_all_four_pass_traffic_at_once			ovly, XFRM interface, vti and plain policies pass traffic at once
test_all_four_pass_traffic_at_once_over_ipv6		the same with IPv6 outside
test_counters_are_each_ones_own				counters are each one's own
test_others_stay_when_ovly_loses_its_sas		the others stay when ovly loses its SAs
test_others_stay_when_ovly_loses_its_sas_over_ipv6	the same with IPv6 outside
test_ovly_stays_when_the_others_go_and_come		ovly stays when the others go and come
test_others_stay_when_the_module_goes_and_comes		the others stay when the module goes and comes
test_path_that_takes_the_if_id_of_an_xfrm_interface_warns	a path that takes the if_id of an XFRM interface warns
test_xfrm_interface_that_takes_the_if_id_of_a_path_warns	an XFRM interface that takes the if_id of a path warns
test_path_with_an_if_id_of_its_own_warns_of_nothing	a path with an if_id of its own warns of nothing
"
run_cases "$@"
