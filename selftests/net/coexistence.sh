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
# MY-SPI is that of what comes to me.
kind() {
	local out="src 0.0.0.0/0 dst 0.0.0.0/0" in="src 0.0.0.0/0 dst 0.0.0.0/0"

	[ $# -lt 7 ] || { out="src $6/32 dst $7/32" in="src $7/32 dst $6/32"; }
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

suite_setup() {
	modprobe -a xfrm_interface ip_vti || skip "the kernel lacks xfrm_interface or ip_vti"
	wan_setup hub a
	# Before and after ovly, as they come.
	others hub 1 2
	load_ovly
	others a 2 1
	overlay hub mode multipoint
	overlay a
	connect hub a 7
}

# all_at_once NODE NUMBER: pings by all four ways at the same time.
all_at_once() {
	local net pid pids=()

	for net in 9 20 30 40; do
		ip netns exec "${!1}" ping -n -q -c 10 -i 0.1 -W 10 "10.$net.0.$2" \
			>"$OVLY_OUT/ping-$1-$net" 2>&1 &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid" || true
	done
	for net in 9 20 30 40; do
		matches ' 0% packet loss' cat "$OVLY_OUT/ping-$1-$net"
	done
}

test_all_four_pass_traffic_at_once() {
	local spi

	# Only outwards: what plain policies let in is seen on the link once more, decrypted.
	sniff hub wan all "ether src $(in_ns hub cat /sys/class/net/wan/address) and not arp and not icmp6"
	all_at_once hub 2
	all_at_once a 1
	sniff_end all
	same 0 "$(sniffed_count all 'not ip proto 50')" "packets that are not ESP"
	# Each by SAs of its own: 10 requests and 10 answers.
	for spi in "$(spi 7 2)" 0x2002 0x3002 0x4002; do
		same 20 "$(sniffed_count all "ip[20:4] == $spi")" "ESP packets to a with SPI $spi"
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
	local node

	rmmod ovly
	pings hub 10.20.0.2
	pings hub 10.30.0.2
	pings hub 10.40.0.2
	load_ovly
	for node in hub a; do
		overlay "$node" mode multipoint
	done
	peer hub a
	path hub a 7
	peer a hub
	path a hub 7
	all_at_once hub 2
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
	# And the path goes on.
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
test_counters_are_each_ones_own				counters are each one's own
test_others_stay_when_ovly_loses_its_sas		the others stay when ovly loses its SAs
test_ovly_stays_when_the_others_go_and_come		ovly stays when the others go and come
test_others_stay_when_the_module_goes_and_comes		the others stay when the module goes and comes
test_path_that_takes_the_if_id_of_an_xfrm_interface_warns	a path that takes the if_id of an XFRM interface warns
test_xfrm_interface_that_takes_the_if_id_of_a_path_warns	an XFRM interface that takes the if_id of a path warns
test_path_with_an_if_id_of_its_own_warns_of_nothing	a path with an if_id of its own warns of nothing
"
run_cases "$@"
