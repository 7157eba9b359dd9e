#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# stack.sh: the device between the parts of the stack that hosts have beside it:
# netfilter, bridges, VRFs, control of traffic, the spread over CPUs, policy defaults.

# shellcheck source=selftests/lib.sh
. "${OVLY_TOP:?}/selftests/lib.sh"
# shellcheck source=selftests/tunnel.sh
. "$OVLY_TOP/selftests/tunnel.sh"

suite_setup() {
	load_ovly
	wan_setup left right
	overlay left
	overlay right
	peer left right
	peer right left
	in_ns right sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
}

tunnel() {
	sas left right 7
	sas right left 7
	path left right 7
	path right left 7
	defer untunnel left right 7
}

# module NAME...: the kernel has them, or the case is skipped.
module() {
	local name

	for name; do
		modprobe "$name" 2>/dev/null || [ -d "/sys/module/$name" ] || skip "this kernel has no $name"
	done
}

# sent NODE LINK: packets so far.
sent() { ip -n "${!1}" -s -j link show "$2" | jq '.[0].stats64.tx.packets'; }
sent_are() { [ "$(sent "$1" "$2")" = "$3" ]; }

# behind LINK ADDRESS/LENGTH...: a link of the right's, to where nobody answers.
behind() {
	local link=$1 addr

	shift
	ip -n "$right" link add "$link" type dummy
	defer ip -n "$right" link del "$link"
	for addr; do
		ip -n "$right" addr add "$addr" dev "$link" nodad
	done
	ip -n "$right" link set "$link" up
}

# ---- what is sent ------------------------------------------------------------------

# Whoever changes the mark of ESP has it routed anew.
marked() {
	in_ns left nft -f - <<-'RULES'
		table inet marking {
			chain output {
				type route hook output priority mangle
				meta l4proto esp counter meta mark set 7
			}
		}
	RULES
	defer in_ns left nft delete table inet marking
}

marks() { in_ns left nft -j list table inet marking | jq '[.. | .counter? // empty | .packets] | add'; }

test_esp_that_is_marked_keeps_its_way() {
	tunnel
	marked
	pings left "$(inner right)"
	pings left "$(inner right 6)"
	[ "$(marks)" -ge 6 ] || fail "nothing was marked"
}

test_esp_of_a_socket_bound_to_the_device_keeps_its_way() {
	tunnel
	marked
	pings left "$(inner right)" -I ov0
	pings left "$(inner right 6)" -I ov0
	[ "$(marks)" -ge 6 ] || fail "nothing was marked"
}

test_esp_of_a_socket_bound_to_a_vrf_keeps_its_way() {
	local f

	tunnel
	ip -n "$left" link add red type vrf table 100
	defer ip -n "$left" addr replace "$(inner left 6)/128" dev ov0 nodad
	defer ip -n "$left" link del red
	for f in 4 6; do
		ip -n "$left" "-$f" route add unreachable default metric 4278198272 table 100
	done
	ip -n "$left" link set red up
	ip -n "$left" link set ov0 master red
	ip -n "$left" addr replace "$(inner left 6)/128" dev ov0 nodad
	marked
	wait_for 10 "a route in the VRF" matches "$(inner right)" ip -n "$left" route show table 100
	wait_for 10 "and in IPv6" matches "$(inner right 6)" ip -n "$left" -6 route show table 100
	pings left "$(inner right)" -I red
	pings left "$(inner right 6)" -I red
	[ "$(marks)" -ge 6 ] || fail "nothing was marked"
}

test_frame_is_no_packet() {
	local before sent

	tunnel
	ip -n "$right" route add 10.99.0.1/32 via "$(outer left)" dev wan
	defer ip -n "$right" route del 10.99.0.1/32
	in_ns left nft -f - <<-'RULES' || skip "this kernel has no nft fwd"
		table netdev stray {
			chain ingress {
				type filter hook ingress device wan priority 0
				ip daddr 10.99.0.1 fwd to ov0
			}
		}
	RULES
	defer in_ns left nft delete table netdev stray
	before=$(drops left - tx-error)
	sent=$(traffic left right tx-packets)
	unanswered right 10.99.0.1
	wait_for 20 "both came" drops_reach left - tx-error $((before + 2))
	same $((before + 2)) "$(drops left - tx-error)" "frames that were dropped"
	same "$sent" "$(traffic left right tx-packets)" "packets to the peer"
}

# ---- what comes --------------------------------------------------------------------

home() {
	ip -n "$right" link set wan nomaster
	ip -n "$right" link del br0
	ip -n "$right" link del public
	ip -n "$right" addr add "$(outer right)/24" dev wan
	ip -n "$right" addr add "$(OUTER=6 outer right)/64" dev wan nodad
}

seen_by_prerouting() {
	in_ns right nft -j list table inet watching | jq '[.. | .counter? // empty | .packets] | add'
}

test_hooks_see_what_came_by_a_bridge_in_a_vrf() {
	module br_netfilter
	tunnel
	defer home
	ip -n "$right" -batch - <<-LINES
		link add public type vrf table 300
		link set public up
		link add br0 type bridge mcast_snooping 0
		link set br0 master public
		link set br0 up
		addr flush dev wan
		link set wan master br0
		addr add $(outer right)/24 dev br0
	LINES
	in_ns right sysctl -qw net.bridge.bridge-nf-call-iptables=1
	helper right path set 7 dev ov0 underlay br0
	in_ns right nft -f - <<-'RULES'
		table inet watching {
			chain prerouting {
				type filter hook prerouting priority filter
				iifname ov0 counter
			}
		}
	RULES
	defer in_ns right nft delete table inet watching
	pings left "$(inner right)"
	pings left "$(inner right 6)"
	same 6 "$(seen_by_prerouting)" "packets that the hook saw"
}

test_flows_in_esp_in_udp_are_told_apart() {
	local ENCAP="4500 4500" one two

	espinudp left
	espinudp right
	tunnel
	helper left route add 10.77.0.0/16 peer right
	behind one 10.78.1.1/24
	behind two 10.78.2.1/24
	ip -n "$right" route add 10.77.0.0/16 nexthop via 10.78.1.2 nexthop via 10.78.2.2
	in_ns right sysctl -qw net.ipv4.fib_multipath_hash_policy=1
	defer in_ns right sysctl -qw net.ipv4.fib_multipath_hash_policy=0
	# The underlay's packets have a hash of their ports then, all the same one.
	in_ns right sh -c 'echo 3 >/sys/class/net/wan/queues/rx-0/rps_cpus'
	defer in_ns right sh -c 'echo 0 >/sys/class/net/wan/queues/rx-0/rps_cpus'
	in_ns left python3 - <<-'PROGRAM'
		import socket
		for port in range(20000, 20100):
		    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		    s.bind(("", port))
		    s.sendto(b"", ("10.77.0.1", 9))
	PROGRAM
	wait_for 10 "all came" forwarded_are 100
	one=$(sent right one) two=$(sent right two)
	note "$one flows by one next hop, $two by the other"
	[ "$one" -ge 20 ] || fail "too few by one"
	[ "$two" -ge 20 ] || fail "too few by the other"
}

forwarded_are() { [ $(($(sent right one) + $(sent right two))) = "$1" ]; }

test_traffic_control_finds_no_link_layer() {
	module sch_ingress cls_matchall act_vlan act_mirred
	tunnel
	behind v0
	in_ns right tc qdisc add dev ov0 clsact
	defer in_ns right tc qdisc del dev ov0 clsact
	in_ns right tc filter add dev ov0 ingress matchall \
		action vlan push_eth dst_mac 02:00:00:00:00:02 src_mac 02:00:00:00:00:01 pipe \
		action mirred egress redirect dev v0
	sniff right v0 carried 'ether dst 02:00:00:00:00:02'
	unanswered left "$(inner right)"
	unanswered left "$(inner right 6)"
	sniff_end carried
	same 2 "$(sniffed_count carried 'icmp[0] == 8')" "IPv4 packets with the header"
	same 2 "$(sniffed_count carried 'icmp6 and ip6[40] == 128')" "IPv6 packets with the header"
}

# ---- policy defaults ---------------------------------------------------------------

# As ovly(7) says.
test_mark_lets_in_what_policies_block_by_default() {
	local before

	tunnel
	helper left route add fd77::/32 peer right
	behind v0 fd77:0:1::1/48
	in_ns right ip xfrm policy setdefault in block fwd block 2>/dev/null ||
		skip "this kernel has no policy defaults"
	defer in_ns right ip xfrm policy setdefault in accept fwd accept
	pings left "$(inner right)"
	unanswered left fd77:0:1::1
	helper right peer set left mark 9
	defer helper right peer set left mark 0
	for before in in fwd; do
		ip -n "$right" xfrm policy add dir "$before" src ::/0 dst ::/0 mark 9 action allow
	done
	pings left fd77:0:1::1
	before=$(sent right v0)
	unanswered left fd77:0:1::9
	[ "$(sent right v0)" -gt "$before" ] || fail "nothing was forwarded"
}

CASES="
test_esp_that_is_marked_keeps_its_way			ESP that netfilter marks keeps its way
test_esp_of_a_socket_bound_to_the_device_keeps_its_way	so does that of a socket bound to the device
test_esp_of_a_socket_bound_to_a_vrf_keeps_its_way	so does that of a socket bound to a VRF
test_frame_is_no_packet					a frame with its header is no packet
test_hooks_see_what_came_by_a_bridge_in_a_vrf		netfilter's hooks see what came by a bridge in a VRF
test_flows_in_esp_in_udp_are_told_apart			flows in ESP in UDP are told apart where they are forwarded
test_traffic_control_finds_no_link_layer		traffic control finds no link layer
test_mark_lets_in_what_policies_block_by_default	a mark lets in what policies block by default
"
run_cases "$@"
