#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# ecmp.sh: prefixes that several peers own are one multipath route, and flows
# spread over the owners.
#
#	branch (1) --- a (2), b (3), c (4): all have 10.66.0.0/24, fd66::/64

# shellcheck source=selftests/lib.sh
. "${OVLY_TOP:?}/selftests/lib.sh"
# shellcheck source=selftests/tunnel.sh
. "$OVLY_TOP/selftests/tunnel.sh"

suite_setup() {
	local node

	load_ovly
	wan_setup branch a b c
	overlay branch mode multipoint
	# Flows are told apart by their ports too.
	in_ns branch sysctl -qw net.ipv4.fib_multipath_hash_policy=1 \
		net.ipv6.fib_multipath_hash_policy=1
	for node in a b c; do
		overlay "$node"
		connect branch "$node" "1${NUMBER[$node]}"
		ip -n "${!node}" route add local 10.66.0.0/24 dev lo
		ip -n "${!node}" -6 route add local fd66::/64 dev lo
	done
	helper branch route add 10.66.0.0/16 peer a peer b
	helper branch route add fd66::/32 peer a peer b
}

# flows ADDRESS: a hundred of one UDP packet each.
flows() {
	in_ns branch python3 - "$1" <<-'PROGRAM'
		import socket, sys
		family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
		for port in range(20000, 20100):
		    s = socket.socket(family, socket.SOCK_DGRAM)
		    s.bind(("", port))
		    s.sendto(b"", (sys.argv[1], 9))
		    s.close()
	PROGRAM
}

# to NODE: packets sent to it so far.
to() { traffic branch "$1" tx-packets; }

# spread ADDRESS: how a hundred flows go to a, b and c.
spread() {
	local a0 b0 c0

	a0=$(to a) b0=$(to b) c0=$(to c)
	flows "$1"
	echo "$(($(to a) - a0)) $(($(to b) - b0)) $(($(to c) - c0))"
}

# shared WANT SHARES: WANT has 1 where there must be some, 0 where none; a hundred in all.
shared() {
	local want=$1 got=$2 n sum=0

	note "shares of a, b and c: $got"
	for n in $got; do
		sum=$((sum + n))
		case ${want%% *} in
		0) [ "$n" = 0 ] || fail "there is a share where none should be: $got" ;;
		*) [ "$n" -ge 10 ] || fail "a share is too small: $got" ;;
		esac
		want=${want#* }
	done
	same 100 "$sum" "packets in all"
}

# table [PREFIX]: of IPv4 routes.
table() { ip -n "$branch" route show table 220 ${1:+"$1"}; }

test_one_multipath_route() {
	matches '^10.66.0.0/16' table
	matches 'nexthop via 10.9.0.2 dev ov0' table 10.66.0.0/16
	matches 'nexthop via 10.9.0.3 dev ov0' table 10.66.0.0/16
	same 1 "$(ip -n "$branch" route show table 220 | grep -c '^10.66.0.0/16')" "routes"
	matches 'fd09::2 dev ov0' ip -n "$branch" -6 route show table 220 fd66::/32
	matches 'fd09::3 dev ov0' ip -n "$branch" -6 route show table 220 fd66::/32
}

test_flows_spread_ipv4() { shared "1 1 0" "$(spread 10.66.0.1)"; }
test_flows_spread_ipv6() { shared "1 1 0" "$(spread fd66::1)"; }

test_one_flow_stays_with_one_peer() {
	local a0 b0 ab

	a0=$(to a) b0=$(to b)
	in_ns branch python3 - <<-'PROGRAM'
		import socket
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		s.bind(("", 20000))
		for i in range(20):
		    s.sendto(b"", ("10.66.0.1", 9))
	PROGRAM
	ab="$(($(to a) - a0)) $(($(to b) - b0))"
	case $ab in "20 0" | "0 20") ;; *) fail "the flow was split: $ab" ;; esac
}

test_answers_come_back_from_each() {
	local port

	for port in 1 2 3 4 5 6 7 8; do
		pings branch "10.66.0.$port" -c 1
		pings branch "fd66::$port" -c 1
	done
}

fall() { no_sas branch "1${NUMBER[$1]}"; }

rise() {
	# Also after a case that has done so itself.
	peer_is branch "$1" up || sa_lines branch "$1" "1${NUMBER[$1]}" | ip_batch branch
	wait_for 5 "$1 is up" peer_is branch "$1" up
}

test_a_leg_that_is_down_with_withdraw_takes_no_flow() {
	helper branch peer set a on-down withdraw
	defer helper branch peer set a on-down hold
	fall a
	defer rise a
	wait_for 5 "the leg is out" lacks 'via 10.9.0.2 ' table 10.66.0.0/16
	wait_for 5 "the IPv6 leg is out" lacks 'fd09::2 ' \
		ip -n "$branch" -6 route show table 220 fd66::/32
	shared "0 1 0" "$(spread 10.66.0.1)"
	shared "0 1 0" "$(spread fd66::1)"
	rise a
	wait_for 5 "the leg is back" matches 'via 10.9.0.2 ' table 10.66.0.0/16
	wait_for 5 "the IPv6 leg is back" matches 'fd09::2 ' \
		ip -n "$branch" -6 route show table 220 fd66::/32
	shared "1 1 0" "$(spread 10.66.0.1)"
	shared "1 1 0" "$(spread fd66::1)"
}

test_a_leg_that_is_down_with_hold_is_answered() {
	local before held rest

	fall a
	defer rise a
	before=$(drops branch a tx-no-path)
	read -r held rest _ < <(spread 10.66.0.1)
	same 0 "$held" "packets that were sent to a"
	held=$(($(drops branch a tx-no-path) - before))
	[ "$held" -ge 10 ] || fail "tx-no-path did not count"
	same 100 $((held + rest)) "packets to b, and held for a"
}

test_an_owner_joins_and_leaves() {
	helper branch route add 10.66.0.0/16 peer c append
	matches 'nexthop via 10.9.0.4 dev ov0' table 10.66.0.0/16
	shared "1 1 1" "$(spread 10.66.0.1)"
	helper branch route del 10.66.0.0/16 peer c
	lacks 'via 10.9.0.4' table 10.66.0.0/16
	shared "1 1 0" "$(spread 10.66.0.1)"
}

test_the_last_owner_has_an_ordinary_route() {
	helper branch route replace 10.66.0.0/16 peer b
	defer helper branch route replace 10.66.0.0/16 peer a peer b
	lacks nexthop table 10.66.0.0/16
	matches '^10.66.0.0/16 via 10.9.0.3 dev ov0' table
	shared "0 1 0" "$(spread 10.66.0.1)"
}

# send NODE SOURCE TO: one packet; the answer may go to another owner.
send() { in_ns "$1" ping -n -q -c 1 -W 1 -I "$2" "$3" || true; }

test_validation_takes_each_owner() {
	local node source to came

	for node in a b c; do
		ip -n "${!node}" addr add 10.66.0.9/32 dev lo
		ip -n "${!node}" addr add fd66::9/128 dev lo nodad
		defer ip -n "${!node}" addr del 10.66.0.9/32 dev lo
		defer ip -n "${!node}" addr del fd66::9/128 dev lo
	done
	for source in 10.66.0.9 fd66::9; do
		to=10.9.0.1
		[ "$source" = 10.66.0.9 ] || to=fd09::1
		for node in a b; do
			came=$(traffic branch "$node" rx-packets)
			send "$node" "$source" "$to"
			wait_for 5 "what $node sends comes in" has_come "$node" "$came"
			same 0 "$(drops branch "$node" rx-source)" "drops of $node"
		done
		came=$(drops branch c rx-source)
		send c "$source" "$to"
		wait_for 5 "what c sends is dropped" has_been_dropped c "$came"
	done
}

has_come() { [ "$(traffic branch "$1" rx-packets)" -gt "$2" ]; }
has_been_dropped() { [ "$(drops branch "$1" rx-source)" -gt "$2" ]; }

test_device_down_and_up_restores_all_legs() {
	ip -n "$branch" link set ov0 down
	ip -n "$branch" link set ov0 up
	ip -n "$branch" addr replace fd09::1/128 dev ov0
	wait_for 5 "the legs are back" matches 'nexthop via 10.9.0.3 dev ov0' table 10.66.0.0/16
	matches 'nexthop via 10.9.0.2 dev ov0' table 10.66.0.0/16
	wait_for 5 "the IPv6 legs are back" matches 'fd09::3 dev ov0' \
		ip -n "$branch" -6 route show table 220 fd66::/32
	matches 'fd09::2 dev ov0' ip -n "$branch" -6 route show table 220 fd66::/32
}

test_deleted_owner_leaves_the_others() {
	helper branch route add 10.66.0.0/16 peer c append
	helper branch route add fd66::/32 peer c append
	helper branch peer del c
	lacks 'via 10.9.0.4' table 10.66.0.0/16
	lacks 'fd09::4' ip -n "$branch" -6 route show table 220
	shared "1 1" "$(spread_ab 10.66.0.1)"
}

# spread_ab ADDRESS: without c, which is no more.
spread_ab() {
	local a0 b0

	a0=$(to a) b0=$(to b)
	flows "$1"
	echo "$(($(to a) - a0)) $(($(to b) - b0))"
}

CASES="
test_one_multipath_route		several owners of a prefix are one multipath route
test_flows_spread_ipv4			flows spread over the owners, IPv4
test_flows_spread_ipv6			flows spread over the owners, IPv6
test_one_flow_stays_with_one_peer	one flow stays with one peer
test_answers_come_back_from_each	answers come back whoever sends them
test_validation_takes_each_owner	source validation takes each owner and no other
test_a_leg_that_is_down_with_withdraw_takes_no_flow	a leg that is down with withdraw takes no flow
test_a_leg_that_is_down_with_hold_is_answered	a leg that is down with hold is answered, not spread anew
test_an_owner_joins_and_leaves		an owner joins and leaves
test_the_last_owner_has_an_ordinary_route	the last owner has an ordinary route
test_device_down_and_up_restores_all_legs	device down and up restores all legs
test_deleted_owner_leaves_the_others	a deleted owner leaves the others
"
run_cases "$@"
