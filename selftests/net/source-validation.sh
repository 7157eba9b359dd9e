#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# source-validation.sh: which sources the hub takes from which peer. The peers
# send packets with made-up sources; the hub's counters say what became of them.
#
#	a owns 10.66.0.0/16, fd66::/32		b owns 10.66.1.0/24, fd66:0:1::/48
#	both own 10.77.0.0/16, fd77::/32	nobody owns 10.88.0.0/16, fd88::/32

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
	connect hub a 7
	connect hub b 8
	helper hub route add 10.66.0.0/16 peer a
	helper hub route add 10.66.1.0/24 peer b
	helper hub route add fd66::/32 peer a
	helper hub route add fd66:0:1::/48 peer b
	# As another routing daemon would write it.
	ip -n "$hub" route add 10.77.0.0/16 table 220 \
		nexthop via 10.9.0.2 dev ov0 onlink nexthop via 10.9.0.3 dev ov0 onlink
	ip -n "$hub" -6 route add fd77::/32 table 220 \
		nexthop via fd09::2 dev ov0 onlink nexthop via fd09::3 dev ov0 onlink
}

# send_as NODE SOURCE...: three UDP packets each to the hub, whoever that is.
send_as() {
	local node=$1

	shift
	in_ns "$node" python3 - "$@" <<-'PROGRAM'
		import socket, struct, sys
		v4 = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
		v6 = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW)
		udp = struct.pack("!HHHH", 9, 9, 8, 0)
		for source in sys.argv[1:] * 3:
		    if ":" in source:
		        v6.sendto(struct.pack("!IHBB", 6 << 28, 8, 17, 64)
		                  + socket.inet_pton(socket.AF_INET6, source)
		                  + socket.inet_pton(socket.AF_INET6, "fd09::1") + udp, ("fd09::1", 0))
		    else:
		        v4.sendto(struct.pack("!BBHHHBBH", 0x45, 0, 28, 1, 0, 64, 17, 0)
		                  + socket.inet_aton(source) + socket.inet_aton("10.9.0.1") + udp,
		                  ("10.9.0.1", 0))
	PROGRAM
}

# verdict PEER: what the hub has taken and refused from it.
verdict() {
	helper hub peer list --json | jq -r --arg peer "$1" \
		'.[] | select(.name == $peer) | .stats | "\(.["rx-packets"]) \(.["rx-source"])"'
}

arrived() {
	local taken refused

	read -r taken refused < <(verdict "$1")
	((taken + refused >= $2))
}

# judged PEER taken|refused SOURCE...: what becomes of such packets.
judged() {
	local peer=$1 want=$2 taken refused n now

	shift 2
	n=$((3 * $#))
	read -r taken refused < <(verdict "$peer")
	send_as "$peer" "$@"
	wait_for 10 "the packets of $peer arrived" arrived "$peer" $((taken + refused + n))
	case $want in
	taken) now="$((taken + n)) $refused" ;;
	refused) now="$taken $((refused + n))" ;;
	esac
	same "$now" "$(verdict "$peer")" "taken and refused from $peer: $*"
}

mode() {
	helper hub dev set ov0 src-valid "$1"
	defer helper hub dev set ov0 src-valid strict
}

test_strict_takes_what_the_peer_owns() {
	judged a taken 10.9.0.2 10.66.0.5 10.66.2.5 fd09::2 fd66::5 fd66:0:2::5
	judged b taken 10.9.0.3 10.66.1.5 fd09::3 fd66:0:1::5
}

test_strict_refuses_the_others_prefix() {
	# The longest prefix decides, both ways.
	judged a refused 10.66.1.5 fd66:0:1::5
	judged b refused 10.66.0.5 10.66.2.5 fd66::5 fd66:0:2::5
}

test_strict_refuses_the_others_address() {
	judged a refused 10.9.0.3 fd09::3
	judged b refused 10.9.0.2 fd09::2
}

test_strict_refuses_what_nobody_owns() {
	judged a refused 10.88.0.5 fd88::5
	# What is behind another device is nobody's here either.
	judged a refused 192.0.2.77 2001:db8::77
}

test_strict_takes_ecmp_siblings() {
	judged a taken 10.77.0.5 10.77.0.6 10.77.0.7 10.77.0.8
	judged b taken 10.77.0.5 10.77.0.6 10.77.0.7 10.77.0.8
}

test_strict_takes_ecmp_siblings_ipv6() {
	judged a taken fd77::5 fd77::6 fd77::7 fd77::8
	judged b taken fd77::5 fd77::6 fd77::7 fd77::8
}

test_strict_takes_the_members_of_a_nexthop_group() {
	# As zebra writes it.
	ip -n "$hub" nexthop add id 71 via fd09::2 dev ov0 onlink
	ip -n "$hub" nexthop add id 72 via fd09::3 dev ov0 onlink
	ip -n "$hub" nexthop add id 70 group 71/72
	defer ip -n "$hub" nexthop flush
	ip -n "$hub" -6 route add fd78::/32 nhid 70 table 220
	judged a taken fd78::5 fd78::6 fd78::7 fd78::8
	judged b taken fd78::5 fd78::6 fd78::7 fd78::8
	# One of the two alone.
	ip -n "$hub" -6 route add fd79::/32 nhid 72 table 220
	judged a refused fd79::5
	judged b taken fd79::5
}

# still PEER: no packet of it has come for a moment.
still() {
	local before

	before=$(verdict "$1")
	sleep 0.2
	[ "$before" = "$(verdict "$1")" ]
}

# Whichever of the devices the sender's packets would be hashed to.
test_strict_takes_the_siblings_on_one_of_two_devices() {
	ip -n "$hub" link add other type dummy
	defer ip -n "$hub" link del other
	ip -n "$hub" link set other up
	ip -n "$hub" -6 route add fd7a::/32 table 220 \
		nexthop via fd09::2 dev ov0 onlink nexthop via fe80::1 dev other onlink
	ip -n "$hub" route add 10.79.0.0/16 table 220 \
		nexthop via 10.9.0.2 dev ov0 onlink nexthop via 192.0.2.9 dev other onlink
	judged a taken fd7a::{1..16}
	judged a taken 10.79.0.{1..16}
	judged b refused fd7a::{1..4} 10.79.0.{1..4}
	ip -n "$hub" -6 route del fd7a::/32 table 220
	ip -n "$hub" route del 10.79.0.0/16 table 220
}

test_groups_of_nexthop_objects_change_under_traffic() {
	local i pid

	ip -n "$hub" nexthop add id 71 via fd09::2 dev ov0 onlink
	ip -n "$hub" nexthop add id 72 via fd09::3 dev ov0 onlink
	ip -n "$hub" nexthop add id 70 group 71/72
	defer ip -n "$hub" nexthop flush
	ip -n "$hub" nexthop add id 75 via 10.9.0.2 dev ov0 onlink
	ip -n "$hub" nexthop add id 76 via 10.9.0.3 dev ov0 onlink
	ip -n "$hub" nexthop add id 74 group 75/76
	ip -n "$hub" -6 route add fd7b::/32 nhid 70 table 220
	ip -n "$hub" route add 10.80.0.0/16 nhid 74 table 220
	# Of b, so that the first next hop is not the answer.
	touch "$OVLY_OUT/go-on"
	defer rm -f "$OVLY_OUT/go-on"
	{ while [ -e "$OVLY_OUT/go-on" ]; do send_as b fd7b::{1..99} 10.80.0.{1..99}; done; } &
	pid=$!
	for i in {1..60}; do
		printf 'nexthop replace id %s group %s\n' 70 71 74 75 70 71/72 74 75/76
	done >"$OVLY_OUT/groups"
	ip -n "$hub" -batch "$OVLY_OUT/groups"
	rm "$OVLY_OUT/go-on"
	wait "$pid"
	wait_for 20 "no more packets of b come" still b
	judged b taken fd7b::5 10.80.0.5
}

test_strict_follows_the_routes() {
	helper hub route del 10.66.1.0/24
	helper hub route del fd66:0:1::/48
	defer helper hub route add 10.66.1.0/24 peer b
	defer helper hub route add fd66:0:1::/48 peer b
	judged a taken 10.66.1.5 fd66:0:1::5
	judged b refused 10.66.1.5 fd66:0:1::5
}

test_loose_takes_what_any_peer_owns() {
	mode loose
	judged a taken 10.66.1.5 10.9.0.3 10.77.0.5 fd66:0:1::5 fd09::3 fd77::5
	judged b taken 10.66.0.5 10.9.0.2 10.77.0.5 fd66::5 fd09::2 fd77::5
}

test_loose_refuses_what_nobody_owns() {
	mode loose
	judged a refused 10.88.0.5 192.0.2.77 fd88::5 2001:db8::77
}

test_off_takes_all() {
	mode off
	judged a taken 10.88.0.5 10.66.1.5 fd88::5 fd66:0:1::5
}

# No peer may be us, a group or nobody, whoever its routes say it is.
spoofed() {
	judged a refused 10.9.0.1 192.0.2.1 fd09::1 2001:db8::1
	judged a refused 127.0.0.1 224.0.0.5 255.255.255.255
	judged a refused ::1 ff02::5 ::
	judged a refused 169.254.1.1 fe80::5
}

test_strict_refuses_spoofed_sources() { spoofed; }

test_loose_refuses_spoofed_sources() {
	mode loose
	spoofed
}

test_default_route_explains_no_spoofed_source() {
	helper hub route add 0.0.0.0/0 peer a
	helper hub route add ::/0 peer a
	defer helper hub route del 0.0.0.0/0
	defer helper hub route del ::/0
	judged a taken 10.88.0.5 fd88::5
	judged b refused 10.88.0.5 fd88::5
	judged a refused 10.9.0.1 127.0.0.1 224.0.0.5 255.255.255.255
	judged a refused fd09::1 ::1 ff02::5 ::
}

test_backup_explains_the_sources_of_the_one_it_stands_in_for() {
	judged b refused 10.66.0.5 fd66::5
	helper hub peer set a backup b
	defer helper hub peer set a backup none
	# The other end may notice first that a is down.
	judged b taken 10.66.0.5 10.9.0.2 fd66::5 fd09::2
	judged b refused 10.88.0.5 10.9.0.1 fd88::5 fd09::1
	# Not the other way round.
	judged a refused 10.66.1.5 10.9.0.3 fd66:0:1::5 fd09::3
}

# violated LOG: sends what is refused, until the log has it.
violated() {
	echo >>"$1.bursts"
	send_as a 10.66.1.5 10.66.1.6 fd66:0:1::5
	matches 'source-violation.*"name": ?"a".*10\.66\.1\.5' cat "$1"
}

test_a_violation_is_an_event() {
	local log=$OVLY_OUT/violations

	rm -f "$log.bursts"
	ip netns exec "$hub" ovlyhelper monitor json >"$log" &
	defer eval "kill $! 2>/dev/null"
	wait_for 20 "the monitor listens" reported "$log"
	# There is one a second and device, and the case before was refused packets, too.
	wait_for 20 "the violation is reported" violated "$log"
	# Not one for each of the nine packets.
	[ "$(grep -c source-violation "$log")" -le $((2 * $(wc -l <"$log.bursts"))) ] ||
		fail "violations are not rate-limited"
}

# reported LOG: something that happens is.
reported() {
	helper hub peer set b limit $((RANDOM + 10))
	[ -s "$1" ]
}

CASES="
test_strict_takes_what_the_peer_owns	strict takes what the peer owns
test_strict_refuses_the_others_prefix	strict refuses the other peer's prefix, the longest one decides
test_strict_refuses_the_others_address	strict refuses the other peer's address
test_strict_refuses_what_nobody_owns	strict refuses what nobody owns
test_strict_takes_ecmp_siblings		strict takes from each owner of a multipath route
test_strict_takes_ecmp_siblings_ipv6	strict takes from each owner of an IPv6 multipath route
test_strict_takes_the_members_of_a_nexthop_group	strict takes the members of an IPv6 group of nexthop objects
test_strict_takes_the_siblings_on_one_of_two_devices	strict takes the owners of a multipath route with other devices
test_groups_of_nexthop_objects_change_under_traffic	groups of nexthop objects change under traffic
test_strict_follows_the_routes		strict follows the routes
test_loose_takes_what_any_peer_owns	loose takes what any peer owns
test_loose_refuses_what_nobody_owns	loose refuses what nobody owns
test_off_takes_all			off takes all
test_strict_refuses_spoofed_sources	strict refuses own, loopback, multicast, link-local and unspecified sources
test_loose_refuses_spoofed_sources	loose refuses them
test_default_route_explains_no_spoofed_source	a default route explains all but them
test_backup_explains_the_sources_of_the_one_it_stands_in_for	a backup may send what the peer it stands in for owns
test_a_violation_is_an_event		a violation is an event, and not one a packet
"
run_cases "$@"
