#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# tunnel-manners.sh: what a packet keeps of itself on its way through a tunnel,
# and what netfilter sees of it: DSCP and ECN as XFRM has them, mark and
# priority of a peer, connection tracking, NAT, and the matches for IPsec.
#
#     left 192.0.2.1 --- wan (router) --- 192.0.2.2 right

# shellcheck source=selftests/lib.sh
. "${OVLY_TOP:?}/selftests/lib.sh"
# shellcheck source=selftests/tunnel.sh
. "$OVLY_TOP/selftests/tunnel.sh"

suite_setup() {
	load_ovly
	wan_setup_routed left right
	overlay left
	overlay right
	connect left right 7
}

# other_sas VARIABLE=VALUE...: SAs of this kind at both ends.
other_sas() {
	[ $# = 0 ] || local "$@"
	resas left right 7
	resas right left 7
}

other_sas_for_case() {
	other_sas "$@"
	defer other_sas
}

# ---- DSCP and ECN ----------------------------------------------------------------

# tos_of NAME FILTER...: the values of the type of service, or traffic class, of
# the echo requests of a capture, or of ESP.
tos_of() {
	sniffed "$@" -v | sed -nE 's/.*(tos|class) (0x[0-9a-f]*)[,)].*/\2/p' | sort -u | paste -sd' '
}

# carried INNER-FAMILY TOS: sends with it; sets OUTSIDE, INSIDE to what it became.
carried() {
	local log=${CASE:?}-$1-$2 to

	to=$(inner right "$1")
	sniff wan to-2 "$log-out" 'src 192.0.2.1 or (ip6 proto 50 and src 2001:db8::1)'
	sniff right ov0 "$log-in" "dst $to"
	pings left "$to" -Q "$2"
	sniff_end "$log-in"
	sniff_end "$log-out"
	OUTSIDE=$(tos_of "$log-out")
	INSIDE=$(tos_of "$log-in")
	note "IPv$1 with $2: outside '$OUTSIDE', inside '$INSIDE'"
}

# becomes INNER-FAMILY TOS OUTSIDE INSIDE
becomes() {
	carried "$1" "$2"
	same "$3 and $4" "$OUTSIDE and $INSIDE" "DSCP and ECN outside and inside, IPv$1 with $2"
}

# 0x88 is AF41; the last two bits are ECN: 2 is ECT(0), 3 CE.
copied() {
	becomes 4 0x8a 0x8a 0x8a
	becomes 6 0x8a 0x8a 0x8a
	# CE outside would say that the tunnel is congested: RFC 3168 has ECT(0).
	becomes 4 0x8b 0x8a 0x8b
	becomes 6 0x8b 0x8a 0x8b
}

test_dscp_and_ecn_are_copied_outside() { copied; }

# rebuild OUTER-FAMILY: the whole tunnel.
rebuild() {
	local OUTER=$1

	helper left path del 7
	helper right path del 7
	other_sas
	path left right 7
	path right left 7
}

test_dscp_and_ecn_are_copied_outside_ipv6() {
	rebuild 6
	defer rebuild 4
	copied
}

test_dont_encap_dscp_keeps_the_dscp_inside() {
	other_sas_for_case SA_MORE="extra-flag dont-encap-dscp"
	becomes 4 0x8a 0x2 0x8a
	becomes 6 0x8a 0x2 0x8a
}

test_noecn_clears_it_outside() {
	other_sas_for_case SA_FLAGS=noecn
	becomes 4 0x8a 0x88 0x8a
	becomes 6 0x8a 0x88 0x8a
}

# marked RULE...: the router changes what passes it, until the case ends.
marked() {
	in_ns wan nft -f - <<-RULES
		table inet marking {
			chain forward {
				type filter hook forward priority 0
				ip daddr 192.0.2.2 $*
			}
		}
	RULES
	defer in_ns wan nft delete table inet marking
}

test_congestion_on_the_way_is_told_inside() {
	marked ip ecn set ce
	becomes 4 0x8a 0x8b 0x8b
	becomes 6 0x8a 0x8b 0x8b
}

test_dscp_of_the_way_stays_outside() {
	marked ip dscp set cs1
	becomes 4 0x88 0x20 0x88
	becomes 6 0x88 0x20 0x88
}

test_decap_dscp_takes_it_inside() {
	marked ip dscp set cs1
	other_sas_for_case SA_FLAGS=decap-dscp
	becomes 4 0x88 0x20 0x20
	becomes 6 0x88 0x20 0x20
}

# ---- mark and priority -----------------------------------------------------------

# counting NODE CHAIN-TYPE RULE...: a rule that counts, until the case ends.
counting() {
	local node=$1 hook=$2

	shift 2
	in_ns "$node" nft -f - <<-RULES
		table inet counting_$hook {
			chain c {
				type filter hook $hook priority 10
				$* counter
			}
		}
	RULES
	defer in_ns "$node" nft delete table inet "counting_$hook"
}

# counted NODE HOOK: packets.
counted() {
	in_ns "$1" nft list chain inet "counting_$2" c | sed -n 's/.*counter packets \([0-9]*\).*/\1/p'
}

test_mark_of_a_peer() {
	helper left peer set right mark 0x11
	defer helper left peer set right mark 0
	counting left postrouting 'ip protocol esp meta mark 0x11'
	counting left input 'iifname "ov0" meta mark 0x11'
	pings left 10.9.0.2
	pings left fd09::2
	same "6 6" "$(counted left postrouting) $(counted left input)" "packets marked out and in"
}

test_mark_is_the_peers_only() {
	helper left peer set right mark 0x11
	helper left peer set right mark 0
	counting left postrouting 'ip protocol esp meta mark 0x0'
	pings left 10.9.0.2
	same 3 "$(counted left postrouting)" "packets without a mark"
}

test_output_mark_of_the_sa_wins() {
	helper left peer set right mark 0x11
	defer helper left peer set right mark 0
	other_sas_for_case SA_MORE="output-mark 0x22"
	counting left postrouting 'ip protocol esp meta mark 0x22'
	pings left 10.9.0.2
	same 3 "$(counted left postrouting)" "packets with the SA's mark"
}

test_mark_of_the_sender_is_kept() {
	counting left postrouting 'ip protocol esp meta mark 51'
	pings left 10.9.0.2 -m 51
	same 3 "$(counted left postrouting)" "packets with the sender's mark"
}

test_priority_of_a_peer() {
	helper left peer set right priority 0x10005
	defer helper left peer set right priority 0
	counting left postrouting 'ip protocol esp meta priority 1:5'
	counting left input 'iifname "ov0" meta priority 1:5'
	pings left 10.9.0.2
	same "3 3" "$(counted left postrouting) $(counted left input)" "packets prioritised out and in"
}

# ---- netfilter ---------------------------------------------------------------------

# masqueraded [RULE...]: as a branch does for its users, which needs connection tracking.
masqueraded() {
	in_ns left nft -f - <<-RULES
		table ip masquerading {
			chain out {
				type nat hook postrouting priority srcnat
				$*
				oifname "wan" masquerade
			}
			chain in {
				type filter hook input priority 0
				ct state invalid counter drop
			}
		}
	RULES
	in_ns left conntrack -F 2>/dev/null
	defer in_ns left nft delete table ip masquerading
}

# Two packets at once of a connection that is new may be two to conntrack, of which
# one is dropped: pings go one by one where it looks.
connections() { in_ns left conntrack -L 2>/dev/null; }

test_masquerade_on_the_underlay_does_not_touch_what_is_inside() {
	local log=${CASE:?}

	ip -n "$left" addr add 10.66.0.1/32 dev lo
	defer ip -n "$left" addr del 10.66.0.1/32 dev lo
	helper right route add 10.66.0.0/24 peer left
	defer helper right route del 10.66.0.0/24
	masqueraded
	sniff right ov0 "$log" 'icmp'
	pings left 10.9.0.2 -l 1 -i 2 -I 10.66.0.1
	sniff_end "$log"
	same 3 "$(sniffed_count "$log" 'src 10.66.0.1')" "requests from the source they had"
}

test_one_connection_inside_and_one_outside() {
	masqueraded
	pings left 10.9.0.2 -l 1 -i 2
	# No NAT there, and answered: no half connections.
	connections
	same 1 "$(connections | grep -c 'src=10.9.0.1 dst=10.9.0.2 .* src=10.9.0.2 dst=10.9.0.1')" \
		"connections inside"
	same 1 "$(connections | grep -c 'src=192.0.2.1 dst=192.0.2.2 .*src=192.0.2.2 dst=192.0.2.1')" \
		"connections outside"
	same 2 "$(connections | wc -l)" "connections in all"
	lacks UNREPLIED connections
}

# lan_behind_left: a host whose packets left forwards, which right knows nothing of.
lan_behind_left() {
	setup_ns lan
	ip link add lan netns "$left" type veth peer name eth0 netns "$lan"
	ip -n "$left" addr add 10.66.0.1/24 dev lan
	ip -n "$left" link set lan up
	ip -n "$lan" addr add 10.66.0.9/24 dev eth0
	ip -n "$lan" link set eth0 up
	ip -n "$lan" route add default via 10.66.0.1
	in_ns left sysctl -qw net.ipv4.ip_forward=1
	defer in_ns left sysctl -qw net.ipv4.ip_forward=0
}

test_masquerade_on_the_device_and_on_the_underlay() {
	local log=${CASE:?}

	lan_behind_left
	masqueraded 'oifname "ov0" counter masquerade'
	sniff right ov0 "$log-in" icmp
	sniff wan to-2 "$log-out" 'ip proto 50'
	pings lan 10.9.0.2 -l 1 -i 2
	sniff_end "$log-in"
	sniff_end "$log-out"
	same "3 3" "$(sniffed_count "$log-in" 'src 10.9.0.1') $(sniffed_count "$log-in" 'dst 10.9.0.1')" \
		"requests from the address of the device, and answers to it"
	same 6 "$(sniffed_count "$log-in")" "packets inside in all"
	same "3 3" "$(sniffed_count "$log-out" 'src 192.0.2.1 and dst 192.0.2.2') $(
		sniffed_count "$log-out" 'src 192.0.2.2 and dst 192.0.2.1')" "packets outside, both ways"
	same 6 "$(sniffed_count "$log-out")" "packets outside in all"
	# One translation of one connection, and none of what carries it.
	connections
	matches 'oifname "ov0" counter packets 1 ' in_ns left nft list table ip masquerading
	same 1 "$(connections | grep -c 'src=10.66.0.9 dst=10.9.0.2 .* src=10.9.0.2 dst=10.9.0.1')" \
		"connections inside"
	same 1 "$(connections | grep -c 'src=192.0.2.1 dst=192.0.2.2 .*src=192.0.2.2 dst=192.0.2.1')" \
		"connections outside"
	same 2 "$(connections | wc -l)" "connections in all"
	lacks UNREPLIED connections
	same 1 "$(connections_translated | wc -l)" "connections whose source is translated"
}

connections_translated() { in_ns left conntrack -L --src-nat 2>/dev/null; }

test_answers_belong_to_their_connection() {
	masqueraded
	in_ns left nft 'add rule ip masquerading in iifname "ov0" ct state new counter'
	pings left 10.9.0.2 -l 1 -i 2
	matches 'ct state new counter packets 0 ' in_ns left nft list table ip masquerading
}

test_secpath_does_not_match_what_the_device_received() {
	# The README says so and what to match instead.
	counting left input 'iifname "ov0" meta ipsec exists'
	counting left prerouting 'iifname "ov0"'
	pings left 10.9.0.2
	same "0 3" "$(counted left input) $(counted left prerouting)" \
		"packets with a security path, and packets from the device"
}

test_rt_ipsec_matches_what_is_about_to_be_encrypted() {
	# After the device has chosen the SA the packet passes postrouting once
	# more, on the underlay and still readable.
	counting left postrouting 'oifname "wan" rt ipsec exists ip daddr 10.9.0.2'
	pings left 10.9.0.2
	same 3 "$(counted left postrouting)" "packets with a transformation ahead"
}

test_ipsec_out_matches_the_sa() {
	counting left postrouting 'oifname "wan" ipsec out ip daddr 192.0.2.2'
	pings left 10.9.0.2
	same 3 "$(counted left postrouting)" "packets whose SA leads to the peer"
}

# ---- ethtool -----------------------------------------------------------------------

test_ethtool_names_the_driver() {
	matches '^driver: ovly$' in_ns left ethtool -i ov0
	matches '^version: .' in_ns left ethtool -i ov0
}

test_ethtool_statistics_count() {
	local before after

	before=$(in_ns left ethtool -S ov0 | sed -n 's/^ *tx.packets: //p')
	pings left 10.9.0.2
	after=$(in_ns left ethtool -S ov0 | sed -n 's/^ *tx.packets: //p')
	same 3 $((after - before)) "packets sent, in ethtool -S"
}

test_link_statistics_count() {
	local before

	before=$(ip -n "$left" -j -s link show ov0 | jq '.[0].stats64 | .rx.packets + .tx.packets')
	pings left 10.9.0.2
	same $((before + 6)) \
		"$(ip -n "$left" -j -s link show ov0 | jq '.[0].stats64 | .rx.packets + .tx.packets')" \
		"packets of the link"
}

CASES="
test_dscp_and_ecn_are_copied_outside		DSCP and ECN are copied outside, IPv4
test_dscp_and_ecn_are_copied_outside_ipv6	DSCP and ECN are copied outside, IPv6
test_dont_encap_dscp_keeps_the_dscp_inside	dont-encap-dscp keeps the DSCP inside
test_noecn_clears_it_outside			noecn clears ECN outside
test_congestion_on_the_way_is_told_inside	congestion marked on the way is told inside
test_dscp_of_the_way_stays_outside		DSCP changed on the way stays outside
test_decap_dscp_takes_it_inside			decap-dscp takes it inside
test_mark_of_a_peer				the mark of a peer, on ESP to it and on what comes from it
test_mark_is_the_peers_only			mark 0 leaves packets alone
test_output_mark_of_the_sa_wins			the output mark of the SA wins
test_mark_of_the_sender_is_kept			the mark of the sender is kept
test_priority_of_a_peer				the priority of a peer, both ways
test_masquerade_on_the_underlay_does_not_touch_what_is_inside	masquerade on the underlay does not touch what is inside
test_one_connection_inside_and_one_outside	conntrack has one connection inside and one outside
test_masquerade_on_the_device_and_on_the_underlay	masquerade on the device and on the underlay: each translates its own
test_answers_belong_to_their_connection		an answer belongs to its connection
test_secpath_does_not_match_what_the_device_received	nft meta ipsec does not match what the device received
test_rt_ipsec_matches_what_is_about_to_be_encrypted	nft rt ipsec matches what is about to be encrypted
test_ipsec_out_matches_the_sa			nft ipsec out matches the SA
test_ethtool_names_the_driver			ethtool -i names the driver
test_ethtool_statistics_count			ethtool -S counts
test_link_statistics_count			ip -s link counts
"
run_cases "$@"
