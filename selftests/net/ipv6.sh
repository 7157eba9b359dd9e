#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# ipv6.sh: the four combinations of inner and outer family, and what is
# IPv6's own: next hops that are link-local or of the other family, too-big.
#
# The hub has one peer by IPv4 (a) and one by IPv6 (b).

# shellcheck source=selftests/lib.sh
. "${OVLY_TOP:?}/selftests/lib.sh"
# shellcheck source=selftests/tunnel.sh
. "$OVLY_TOP/selftests/tunnel.sh"

suite_setup() {
	load_ovly
	wan_setup hub a b
	overlay hub mode multipoint
	overlay a
	overlay b
	OUTER=4 connect hub a 7
	OUTER=6 connect hub b 8
}

# inside PEER INNER OUTER-FILTER: pings both ways, and on the wire is ESP of the
# outer family only.
inside() {
	sniff wan sw "inside-$1-$2"
	pings hub "$(inner "$1" "$2")"
	pings "$1" "$(inner hub "$2")"
	sniff_end "inside-$1-$2"
	same 12 "$(sniffed_count "inside-$1-$2" "$3")" "ESP packets of the outer family"
	lacks 'ICMP6?,? echo' sniffed "inside-$1-$2"
}

test_ipv4_inside_ipv4() { inside a 4 'ip proto 50'; }
test_ipv6_inside_ipv4() { inside a 6 'ip proto 50'; }
test_ipv4_inside_ipv6() { inside b 4 'ip6 proto 50'; }
test_ipv6_inside_ipv6() { inside b 6 'ip6 proto 50'; }

# drops_are PEER REASON COUNT: of the hub.
drops_are() { [ "$(drops hub "$1" "$2")" = "$3" ]; }

test_link_local_next_hop() {
	# The peer is known by a link-local address too, as routing daemons use it.
	helper hub peer set a addr 10.9.0.2 addr fd09::2 addr fe80::2
	defer helper hub peer set a addr 10.9.0.2 addr fd09::2
	ip -n "$a" addr add fd66::2/128 dev lo
	defer ip -n "$a" addr del fd66::2/128 dev lo
	wait_for 20 "the address is there" matches '^local fd66::2 ' ip -n "$a" -6 route show table local
	ip -n "$hub" -6 route add fd66::/64 via fe80::2 dev ov0
	defer ip -n "$hub" -6 route del fd66::/64
	pings hub fd66::2
	# And nobody is known by another one.
	ip -n "$hub" -6 route replace fd66::/64 via fe80::99 dev ov0
	unanswered hub fd66::2
	[ "$(drops hub - tx-no-peer)" -ge 1 ] || fail "tx-no-peer did not count"
}

test_link_local_source_is_taken_from_its_owner_only() {
	local before

	helper hub peer set a addr 10.9.0.2 addr fd09::2 addr fe80::2
	defer helper hub peer set a addr 10.9.0.2 addr fd09::2
	ip -n "$hub" addr add fe80::1/64 dev ov0 nodad
	defer ip -n "$hub" addr del fe80::1/64 dev ov0
	ip -n "$a" addr add fe80::2/64 dev ov0 nodad
	defer ip -n "$a" addr del fe80::2/64 dev ov0
	ip -n "$b" addr add fe80::2/64 dev ov0 nodad
	defer ip -n "$b" addr del fe80::2/64 dev ov0
	pings a fe80::1 -I ov0
	before=$(drops hub b rx-source)
	unanswered b fe80::1 -I ov0
	# MLD of its address may be refused likewise.
	wait_for 10 "rx-source counts" drops_reach hub b rx-source $((before + 2))
}

test_ipv4_prefix_with_ipv6_next_hop() {
	ip -n "$a" addr add 10.66.0.1/32 dev lo
	defer ip -n "$a" addr del 10.66.0.1/32 dev lo
	ip -n "$hub" route add 10.66.0.0/24 via inet6 fd09::2 dev ov0
	defer ip -n "$hub" route del 10.66.0.0/24
	# The answer is let in, because the route back is by that next hop.
	pings hub 10.66.0.1
	sniff b ov0 wrong-peer
	ip -n "$hub" route replace 10.66.0.0/24 via inet6 fd09::3 dev ov0
	unanswered hub 10.66.0.1
	sniff_end wrong-peer
	same 2 "$(sniffed_count wrong-peer 'icmp and dst 10.66.0.1')" "packets that came to b"
}

# too_big PEER ADDRESS FROM: a packet of 3000 bytes is answered with an MTU that
# then passes, and one byte more does not.
too_big() {
	local mtu to=$2 from=$3 before

	before=$(drops "$from" "$1" tx-too-big)
	mtu=$(in_ns "$from" ping -6 -n -c 1 -W 2 -M 'do' -s 3000 "$to" 2>&1 |
		sed -n 's/.*mtu[ =:]*\([0-9]*\).*/\1/p' | head -n 1)
	note "path MTU to $to: $mtu"
	[ "${mtu:-0}" -ge 1280 ] || fail "no ICMPv6 too-big with an MTU"
	[ "$(drops "$from" "$1" tx-too-big)" -gt "$before" ] || fail "tx-too-big did not count"
	# 40 bytes of IPv6, 8 of ICMPv6.
	pings "$from" "$to" -M 'do' -s $((mtu - 48))
	unanswered "$from" "$to" -M 'do' -s $((mtu - 47))
}

test_icmpv6_too_big_over_ipv4() { too_big a fd09::2 hub; }
test_icmpv6_too_big_over_ipv6() { too_big b fd09::3 hub; }

test_icmpv6_too_big_to_a_forwarded_source() {
	# The hub forwards from a to b; the tunnel to b is the narrow one.
	local mtu

	in_ns hub sysctl -qw net.ipv6.conf.all.forwarding=1
	helper a route add fd09::3/128 peer hub
	helper b route add fd09::2/128 peer hub
	defer helper a route flush peer hub
	defer helper b route flush peer hub
	pings a fd09::3
	# 1426 bytes pass to the hub by IPv4 and not from there by IPv6.
	sniff a ov0 too-big icmp6
	in_ns a ping -6 -n -c 3 -i 0.2 -W 2 -M 'do' -s $((1446 - 48)) fd09::3 || true
	sniff_end too-big
	matches 'fd09::1 > fd09::2: ICMP6, packet too big, mtu 1426' sniffed too-big
	mtu=$(ip -n "$a" -6 route get fd09::3 | sed -n 's/.*mtu \([0-9]*\).*/\1/p')
	same 1426 "$mtu" "what the source learned"
	pings a fd09::3 -M 'do' -s $((1426 - 48))
}

# with_options: from now on hub and b are connected by a box that puts a Destination
# Options header before ESP.
with_options() {
	local link

	for link in to-1 to-3; do
		ip -n "$wan" link set "$link" nomaster
		defer ip -n "$wan" link set "$link" master sw
	done
	ip netns exec "$wan" python3 -u - >"$OVLY_OUT/box" 2>&1 <<-'PROGRAM' &
		import select, socket
		def opened(link):
		    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
		    s.bind((link, 0))
		    return s
		def with_header(frame):
		    if frame[12:14] != b"\x86\xdd" or frame[20] != socket.IPPROTO_ESP:
		        return frame
		    length = int.from_bytes(frame[18:20], "big") + 8
		    return (frame[:18] + length.to_bytes(2, "big") + bytes([socket.IPPROTO_DSTOPTS]) +
		            frame[21:54] + bytes([socket.IPPROTO_ESP, 0, 1, 4, 0, 0, 0, 0]) + frame[54:])
		one, other = opened("to-1"), opened("to-3")
		print("ready")
		while True:
		    for s in select.select([one, other], [], [])[0]:
		        frame, sender = s.recvfrom(65536)
		        if sender[2] != socket.PACKET_OUTGOING:
		            (other if s is one else one).send(with_header(frame))
	PROGRAM
	defer eval "kill $! 2>/dev/null"
	wait_for 20 "the box connects" grep ready "$OVLY_OUT/box"
}

test_headers_outside_are_not_taken_for_those_inside() {
	local before

	no_sas hub 8
	defer resas_hub
	# What comes from b has to be ICMPv6.
	OUTER=6 sa_lines hub b 8 |
		sed '2s/flag af-unspec/sel src fd09::3 dst fd09::1 proto ipv6-icmp/' | ip_batch hub
	pings b fd09::1
	with_options
	sniff hub wan options
	before=$(drops hub b rx-selector)
	pings b fd09::1
	same "$before" "$(drops hub b rx-selector)" "rx-selector after ICMPv6"
	in_ns b bash -c 'echo >/dev/udp/fd09::1/9'
	wait_for 10 "UDP is outside the selector" drops_are b rx-selector $((before + 1))
	sniff_end options
	same 4 "$(sniffed_count options "src $(OUTER=6 outer b) and ip6[6] = 60")" "ESP behind the header"
}

resas_hub() {
	no_sas hub 8
	OUTER=6 sa_lines hub b 8 | ip_batch hub
}

CASES="
test_ipv4_inside_ipv4			IPv4 inside IPv4
test_ipv6_inside_ipv4			IPv6 inside IPv4
test_ipv4_inside_ipv6			IPv4 inside IPv6
test_ipv6_inside_ipv6			IPv6 inside IPv6
test_link_local_next_hop		a link-local next hop names the peer that has it
test_link_local_source_is_taken_from_its_owner_only	a link-local source is taken from its owner only
test_ipv4_prefix_with_ipv6_next_hop	an IPv4 prefix with an IPv6 next hop
test_icmpv6_too_big_over_ipv4		ICMPv6 too-big over IPv4 tells the MTU that passes
test_icmpv6_too_big_over_ipv6		ICMPv6 too-big over IPv6 tells the MTU that passes
test_headers_outside_are_not_taken_for_those_inside	headers outside are not taken for those inside
test_icmpv6_too_big_to_a_forwarded_source	ICMPv6 too-big reaches the source behind the hub
"
run_cases "$@"
