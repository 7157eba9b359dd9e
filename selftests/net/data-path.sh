#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# data-path.sh: the data path without any daemon: packets through it, what it
# drops and how it says so, and what becomes of it when the ground moves.
#
#     left 192.0.2.1 --- wan --- 192.0.2.2 right
#     ov0 10.9.0.1, fd09::1      ov0 10.9.0.2, fd09::2

# shellcheck source=selftests/lib.sh
. "${OVLY_TOP:?}/selftests/lib.sh"
# shellcheck source=selftests/tunnel.sh
. "$OVLY_TOP/selftests/tunnel.sh"

suite_setup() {
	load_ovly
	wan_setup left right
	overlay left
	overlay right
	connect left right 7
}

test_ipv4_inside_ipv4() { pings left 10.9.0.2; }

test_ipv6_inside_ipv4() { pings left fd09::2; }

# ---- drops on transmit -------------------------------------------------------------

# answered REASON FILTER4 ADDRESS4 FILTER6 ADDRESS6 [PING-OPTION...]: a packet is
# dropped for that reason, counted, and the sender gets that ICMP error. The sender is
# left itself, or NODE of SENDER="NODE LINK FILTER", which hears of it by the link.
answered() {
	local reason=$1 filter4=$2 to4=$3 filter6=$4 to6=$5 before log=${CASE:?} from link hears

	shift 5
	read -r from link hears <<<"${SENDER:-left lo icmp or icmp6}"
	before=$(drops left - "$reason")
	sniff "$from" "$link" "$log" "$hears"
	unanswered "$from" "$to4" -c 1 "$@"
	unanswered "$from" "$to6" -c 1 "$@"
	sniff_end "$log"
	same 1 "$(sniffed_count "$log" "$filter4")" "ICMP errors"
	same 1 "$(sniffed_count "$log" "$filter6")" "ICMPv6 errors"
	same 2 "$(sniffed_count "$log")" "packets to the sender in all"
	same $((before + 2)) "$(drops left - "$reason")" "packets counted as $reason"
}

# Host unreachable; address unreachable.
unreachable() {
	answered "$1" 'icmp[0] == 3 and icmp[1] == 1' "$2" 'ip6[40] == 1 and ip6[41] == 3' "$3"
}

# Administratively prohibited, in both families.
prohibited() {
	answered "$1" 'icmp[0] == 3 and icmp[1] == 13' "$2" 'ip6[40] == 1 and ip6[41] == 1' "$3"
}

test_no_peer_is_answered_with_unreachable() {
	helper left dev add ov1 mode multipoint addr 10.9.1.1 addr fd09:0:1::1 up
	defer helper left dev del ov1
	ip -n "$left" route add 10.98.0.0/16 via 10.9.9.9 dev ov1 onlink
	ip -n "$left" -6 route add fd98::/32 via fd09::99 dev ov1 onlink
	DEVICE=ov1 unreachable tx-no-peer 10.98.0.1 fd98::1
}

test_no_path_is_answered_with_unreachable() {
	no_sas left
	defer resas left right 7
	unreachable tx-no-path 10.9.0.2 fd09::2
}

test_no_sa_is_answered_with_unreachable() {
	no_policies left
	defer resas left right 7
	# The policies want SAs that nobody has.
	policy_lines left right 7 | sed 's/reqid 7/reqid 99/' | ip_batch left
	unreachable tx-no-sa 10.9.0.2 fd09::2
}

test_no_policy_is_answered_with_prohibited() {
	no_policies left
	defer resas left right 7
	prohibited tx-no-policy 10.9.0.2 fd09::2
}

test_policy_for_others_is_answered_with_prohibited() {
	no_policies left
	defer resas left right 7
	{
		out_policy 192.0.2.1 192.0.2.2 7 10.9.0.1/32 10.66.0.0/16
		out_policy 192.0.2.1 192.0.2.2 7 fd09::1/128 fd66::/32
	} | ip_batch left
	prohibited tx-no-policy 10.9.0.2 fd09::2
}

test_loop_is_answered_with_unreachable() {
	# Table 220 sends the endpoint on; main must not send it back.
	ip -n "$left" route add 192.0.2.2 dev ov0
	defer ip -n "$left" route del 192.0.2.2 dev ov0
	unreachable tx-loop 10.9.0.2 fd09::2
}

test_too_big_is_answered_with_the_path_mtu() {
	# 1446 bytes, as pmtu.sh computes it.
	answered tx-too-big 'icmp[0] == 3 and icmp[1] == 4 and icmp[6:2] == 1446' 10.9.0.2 \
		'ip6[40] == 2 and ip6[41] == 0 and ip6[44:4] == 1446' fd09::2 -M 'do' -s 3000
}

# lan_behind_left: a host whose packets left forwards.
lan_behind_left() {
	setup_ns lan
	ip link add lan netns "$left" type veth peer name eth0 netns "$lan"
	ip -n "$left" -batch - <<-LINES
		addr add 10.66.0.1/24 dev lan
		addr add fd66::1/64 dev lan nodad
		link set lan up
	LINES
	ip -n "$lan" -batch - <<-LINES
		addr add 10.66.0.9/24 dev eth0
		addr add fd66::9/64 dev eth0 nodad
		link set eth0 up
		route add default via 10.66.0.1
		route add default via fd66::1
	LINES
	in_ns left sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	defer in_ns left sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0
	helper right route add 10.66.0.0/24 peer left
	helper right route add fd66::/64 peer left
	defer helper right route flush peer left
	pings lan 10.9.0.2
	pings lan fd09::2
	SENDER="lan eth0 (ip and dst 10.66.0.9) or (dst fd66::9 and ip6[6] == 58 and ip6[40] < 128)"
}

forwarded_unreachable() {
	no_sas left
	unreachable tx-no-path 10.9.0.2 fd09::2
}

forwarded_prohibited() {
	resas left right 7
	no_policies left
	prohibited tx-no-policy 10.9.0.2 fd09::2
}

test_forwarded_sender_gets_the_same_answers() {
	lan_behind_left
	defer resas left right 7
	forwarded_unreachable
	forwarded_prohibited
}

# The error is to lead back to who sent the packet before it was translated.
test_forwarded_sender_that_is_masqueraded_gets_them_too() {
	lan_behind_left
	in_ns left nft -f - <<-'RULES'
		table inet masquerading {
			chain out {
				type nat hook postrouting priority srcnat
				oifname "ov0" masquerade
			}
		}
	RULES
	defer in_ns left nft delete table inet masquerading
	defer resas left right 7
	pings lan 10.9.0.2 -l 1 -i 2
	pings lan fd09::2 -l 1 -i 2
	forwarded_unreachable
	forwarded_prohibited
}

# refused_behind: what the device has encrypted does not get out, until the case ends.
refused_behind() {
	in_ns left nft -f - <<-'RULES'
		table inet refusing {
			chain out {
				type filter hook output priority 0
				ip protocol esp drop
			}
		}
	RULES
	defer eval "in_ns left nft delete table inet refusing 2>/dev/null || true"
}

test_what_is_refused_behind_the_device_is_counted() {
	local before

	before=$(drops left - tx-error)
	refused_behind
	unanswered left 10.9.0.2
	unanswered left fd09::2
	wait_for 20 "all of them count" drops_reach left - tx-error $((before + 4))
	same $((before + 4)) "$(drops left - tx-error)" "tx-error"
}

# every_drop: left has some of each kind that a p2p device knows, not as many of one as
# of the next.
every_drop() {
	defer eval "resas left right 7; resas right left 7"
	no_sas left
	unanswered left 10.9.0.2 -c 2
	policy_lines left right 7 | sed 's/reqid 7/reqid 99/; s/policy add/policy update/' | ip_batch left
	sa_lines left right 7 | ip_batch left
	unanswered left 10.9.0.2 -c 3
	no_policies left
	unanswered left 10.9.0.2 -c 4
	resas left right 7
	ip -n "$left" route add 192.0.2.2 dev ov0
	unanswered left 10.9.0.2 -c 5
	ip -n "$left" route del 192.0.2.2 dev ov0
	refused_behind
	unanswered left 10.9.0.2 -c 6
	in_ns left nft delete table inet refusing
	# Later ones would not get as far as the device; the other family does.
	in_ns left ip -6 route flush cache
	unanswered left fd09::2 -c 1 -M 'do' -s 3000
	ip -n "$right" addr add 10.67.0.1/32 dev lo
	unanswered right 10.9.0.1 -c 7 -I 10.67.0.1
	ip -n "$right" addr del 10.67.0.1/32 dev lo
	no_sas left
	SA_MORE="sel src 10.9.0.1/32 dst 10.9.0.9/32" sa_lines left right 7 |
		sed '1s/sel src [^ ]* dst [^ ]*//; s/flag af-unspec//' | ip_batch left
	unanswered right 10.9.0.1 -c 8
	no_sas left
	sa_lines left right 7 | sed 's/789abcde/789abcdf/' | ip_batch left
	unanswered right 10.9.0.1 -c 9
	resas left right 7
	pings left 10.9.0.2 -c 11 -l 11
}

test_counters_of_the_peer_say_the_same() {
	local reason n

	every_drop
	for reason in tx-no-path tx-no-sa tx-no-policy tx-loop tx-too-big tx-error rx-source rx-selector \
		rx-error; do
		n=$(drops left - "$reason")
		[ "$n" != 0 ] || fail "no $reason"
		same "$n" "$(drops left right "$reason")" "$reason of device and peer"
	done
	# Nobody has the next hop.
	same 0 "$(drops left right tx-no-peer)" "tx-no-peer of the peer"
}

# In the words of ethtool.
device_stats() {
	helper left dev list --json | jq -r '.[] | select(.dev == "ov0") | .stats |
		to_entries[] | "\(.key | gsub("-"; "_")): \(.value)"' | sort
}

ethtool_stats() { in_ns left ethtool -S ov0 | sed -n 's/^ *\([a-z_]*: [0-9]*\)$/\1/p' | sort; }

# In those of ip -s link.
link_stats_wanted() {
	helper left dev list --json | jq -S '.[] | select(.dev == "ov0") | .stats |
		(.["tx-no-peer"] + .["tx-no-path"] + .["tx-no-sa"] + .["tx-no-policy"]) as $carrier |
		{ rx: { packets: .["rx-packets"], bytes: .["rx-bytes"], errors: .["rx-error"],
			dropped: (.["rx-source"] + .["rx-selector"]) },
		  tx: { packets: .["tx-packets"], bytes: .["tx-bytes"], carrier_errors: $carrier,
			collisions: .["tx-loop"], dropped: .["tx-too-big"],
			errors: ($carrier + .["tx-loop"] + .["tx-error"]) } }'
}

link_stats() {
	ip -n "$left" -s -j link show ov0 | jq -S '.[0].stats64 |
		{ rx: .rx | { packets, bytes, errors, dropped },
		  tx: .tx | { packets, bytes, errors, dropped, carrier_errors, collisions } }'
}

# alike COMMAND COMMAND: they print the same, and something. A packet may come between.
alike() {
	local one other

	one=$("$1") && other=$("$2") && [ -n "$one" ] && diff <(echo "$one") <(echo "$other")
}

test_ethtool_and_link_say_the_same() {
	every_drop
	same 14 "$(ethtool_stats | wc -l)" "counters"
	same tx_no_peer "$(ethtool_stats | sed -n 's/: 0$//p')" "counters that are 0"
	wait_for 10 "ethtool -S says what the device does" alike device_stats ethtool_stats
	wait_for 10 "so does ip -s link" alike link_stats_wanted link_stats
}

# ---- drops on receive --------------------------------------------------------------

test_foreign_source_is_dropped_and_counted() {
	local before
	before=$(drops right left rx-source)
	# The right side has no route to this source by its peer.
	ip -n "$left" addr add 10.66.0.1/32 dev lo
	defer ip -n "$left" addr del 10.66.0.1/32 dev lo
	unanswered left 10.9.0.2 -I 10.66.0.1
	wait_for 20 "all of them count" drops_reach right left rx-source $((before + 2))
	same $((before + 2)) "$(drops right left rx-source)" "rx-source"
	# Once the peer owns the source it is let in, and the answer gets back.
	helper right route add 10.66.0.0/24 peer left
	defer helper right route del 10.66.0.0/24
	pings left 10.9.0.2 -I 10.66.0.1
}

test_what_the_sa_was_not_negotiated_for_is_dropped_and_counted() {
	local before

	ip -n "$left" addr add 10.66.0.1/32 dev lo
	defer ip -n "$left" addr del 10.66.0.1/32 dev lo
	helper right route add 10.66.0.0/24 peer left
	defer helper right route del 10.66.0.0/24
	no_sas right
	defer resas right left 7
	SA_MORE="sel src 10.9.0.1/32 dst 10.9.0.2/32" sa_lines right left 7 |
		sed '1s/sel src [^ ]* dst [^ ]*//; s/flag af-unspec//' | ip_batch right
	pings left 10.9.0.2
	before=$(drops right left rx-selector)
	unanswered left 10.9.0.2 -I 10.66.0.1
	wait_for 20 "all of them count" drops_reach right left rx-selector $((before + 2))
	same $((before + 2)) "$(drops right left rx-selector)" "rx-selector"
}

test_what_does_not_decrypt_is_dropped_and_counted() {
	local before

	no_sas right
	defer resas right left 7
	sa_lines right left 7 | sed 's/789abcde/789abcdf/' | ip_batch right
	before=$(drops right left rx-error)
	unanswered left 10.9.0.2
	wait_for 20 "all of them count" drops_reach right left rx-error $((before + 2))
	same $((before + 2)) "$(drops right left rx-error)" "rx-error"
}

xfrm_counts() { in_ns "$1" sed -n "s/^$2[[:space:]]*//p" /proc/net/xfrm_stat; }

test_replayed_packets_are_dropped_and_counted() {
	local before replayed

	no_sas right
	defer resas right left 7
	SA_MORE="replay-window 32" sa_lines right left 7 | ip_batch right
	resas left right 7
	pings left 10.9.0.2 -c 5 -l 5
	before=$(drops right left rx-error)
	replayed=$(xfrm_counts right XfrmInStateSeqError)
	# Counts from 1 again.
	resas left right 7
	unanswered left 10.9.0.2
	wait_for 20 "all of them count" drops_reach right left rx-error $((before + 2))
	same $((before + 2)) "$(drops right left rx-error)" "rx-error"
	same $((replayed + 2)) "$(xfrm_counts right XfrmInStateSeqError)" "replays that XFRM has seen"
}

# ---- packets that come before their path -----------------------------------------------

has_taken() { ip -n "${!1}" -s xfrm state | grep -q '[^0-9][1-9][0-9]*(packets)'; }
no_way_to() { ! ip -n "${!1}" route show table 220 | grep -q "^$2 "; }

# early_packet GONE...: the SAs are there, the first packet comes, then the path is made.
# GONE is waited for before. An SA stays new for two seconds only, so there are several
# attempts.
early_packet() {
	local refused

	refused=$(drops right left rx-source)
	for _ in 1 2 3 4 5; do
		helper right path del 7
		wait_for 20 "the peer is down" "$@"
		resas right left 7
		ip netns exec "$left" ping -c 1 -W 5 10.9.0.2 >"$OVLY_OUT/early" &
		defer eval "kill $! 2>/dev/null"
		wait_for 20 "the packet has come" has_taken right
		path right left 7
		! wait "$!" || break
	done
	matches 'bytes from' cat "$OVLY_OUT/early"
	same "$refused" "$(drops right left rx-source)" "rx-source"
}

test_packet_before_its_path_waits_for_it() { early_packet peer_is right left down; }

test_packet_before_its_path_waits_for_routes_that_were_withdrawn() {
	helper right peer set left on-down withdraw
	defer helper right peer set left on-down hold
	early_packet no_way_to right 10.9.0.1
}

# ---- when the ground moves -----------------------------------------------------------

test_sa_flush_takes_the_peer_down_and_new_sas_bring_it_back() {
	no_sas left
	wait_for 5 "the peer is down" peer_is left right down
	unanswered left 10.9.0.2
	matches '^10.9.0.2 dev ov0' in_ns left ip route show table 220
	resas left right 7
	resas right left 7
	wait_for 5 "the peer is up" peer_is left right up
	pings left 10.9.0.2
}

test_device_down_and_up_restores_both_families() {
	helper left route add 10.77.0.0/16 peer right
	helper left route add fd77::/32 peer right
	defer helper left route flush peer right
	ip -n "$left" link set ov0 down
	lacks 'dev ov0' ip -n "$left" route show table 220
	ip -n "$left" link set ov0 up
	wait_for 5 "the IPv4 route is back" matches '^10.77.0.0/16 dev ov0' \
		ip -n "$left" route show table 220
	wait_for 5 "the IPv6 route is back" matches '^fd77::/32 dev ov0' \
		ip -n "$left" -6 route show table 220
	# Down took the IPv6 address along.
	ip -n "$left" addr replace fd09::1/128 dev ov0
	pings left 10.9.0.2
	pings left fd09::2
}

test_throw_route_and_rule_come_back() {
	ip -n "$left" route flush table 220
	wait_for 5 "the throw route is back" matches '^throw 192.0.2.2' \
		ip -n "$left" route show table 220
	ip -n "$left" rule del pref 220
	wait_for 5 "the rule is back" matches '^220:.*lookup 220' ip -n "$left" rule show
	helper left dev resync ov0
	matches '^10.9.0.2 dev ov0' ip -n "$left" route show table 220
	pings left 10.9.0.2
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
test_no_peer_is_answered_with_unreachable		no peer: ICMP unreachable, and counted
test_no_path_is_answered_with_unreachable		no path: ICMP unreachable, and counted
test_no_sa_is_answered_with_unreachable			no SA: ICMP unreachable, and counted
test_no_policy_is_answered_with_prohibited		no policy: ICMP prohibited, and counted
test_policy_for_others_is_answered_with_prohibited	no policy covers it: ICMP prohibited, and counted
test_loop_is_answered_with_unreachable			a loop: ICMP unreachable, and counted
test_too_big_is_answered_with_the_path_mtu		too big: ICMP with the path MTU, and counted
test_forwarded_sender_gets_the_same_answers		a host behind gets the same answers: unreachable, prohibited
test_forwarded_sender_that_is_masqueraded_gets_them_too	so does one that is masqueraded
test_what_is_refused_behind_the_device_is_counted	what is refused behind the device is counted
test_counters_of_the_peer_say_the_same			the peer's counters say the same as the device's
test_ethtool_and_link_say_the_same			ethtool -S and ip -s link say the same as the device
test_foreign_source_is_dropped_and_counted		a source that is not the peer's is dropped and counted
test_what_the_sa_was_not_negotiated_for_is_dropped_and_counted	what is outside the SA's selector is dropped and counted
test_what_does_not_decrypt_is_dropped_and_counted	what does not decrypt is dropped and counted
test_replayed_packets_are_dropped_and_counted		what is replayed is dropped and counted
test_packet_before_its_path_waits_for_it		a packet that comes before its path waits for it
test_packet_before_its_path_waits_for_routes_that_were_withdrawn	and for routes that were withdrawn
test_sa_flush_takes_the_peer_down_and_new_sas_bring_it_back	SAs flushed: peer down, routes held; new SAs: up
test_device_down_and_up_restores_both_families		device down and up restores both families
test_throw_route_and_rule_come_back			throw route and rule come back when others remove them
test_namespace_with_everything_in_it_goes		a namespace with a device in it goes, and so does the module
"
run_cases "$@"
