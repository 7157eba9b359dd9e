#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# paths.sh: several paths of one peer: priorities, one made before the other is
# broken, an endpoint that moves, and what all that costs.
#
# The peer a has a path by IPv4 (if_id 7) and one by IPv6 (8), as by two providers:
# the outer family tells which one carries a packet.

# shellcheck source=selftests/lib.sh
. "${OVLY_TOP:?}/selftests/lib.sh"
# shellcheck source=selftests/tunnel.sh
. "$OVLY_TOP/selftests/tunnel.sh"
# shellcheck source=selftests/table.sh
. "$OVLY_TOP/selftests/table.sh"

CASE_DEADLINE=$((400 * OVLY_SLOW))
# Routes of a peer whose path is switched.
ROUTES=${OVLY_ROUTES:-100000}

suite_setup() {
	load_ovly
	wan_setup hub a
	ip -n "$a" addr add 192.0.2.12/24 dev wan
}

# fresh: a hub and a peer without a path, for one case.
fresh() {
	overlay hub mode multipoint
	defer ip -n "$hub" link del ov0
	overlay a
	defer ip -n "$a" link del ov0
	peer hub a
	peer a hub
	defer no_sas_anywhere
}

no_sas_anywhere() {
	no_sas hub
	no_sas a
	no_policies hub
	no_policies a
}

# tunnel IF_ID [OPTION...]: SAs and paths at both ends.
tunnel() {
	local id=$1 OUTER

	shift
	OUTER=$(family "$id")
	sas hub a "$id"
	sas a hub "$id"
	path hub a "$id" "$@"
	path a hub "$id" "$@"
}

# lose IF_ID: a tunnel ends at both ends, as IKE ends it. find IF_ID: and is back.
lose() {
	no_sas hub "$1"
	no_sas a "$1"
}

find() {
	OUTER=$(family "$1") sa_lines hub a "$1" | ip_batch hub
	OUTER=$(family "$1") sa_lines a hub "$1" | ip_batch a
}

# family IF_ID: even ones are by IPv6.
family() { echo $(($1 % 2 ? 4 : 6)); }

# active: if_id of the hub's active path.
active() { helper hub peer list --json | jq '.[] | select(.name == "a") | .["active-path"]'; }

active_is() { [ "$(active)" = "$1" ]; }

transitions() { helper hub peer list --json | jq '.[] | select(.name == "a") | .transitions'; }

BY_4='src 192.0.2.1 and ip proto 50'
BY_6='src 2001:db8::1 and ip6 proto 50'

# carried_by FILTER: what the hub sends now travels so.
carried_by() {
	sniff hub wan carried
	pings hub "$(inner a)"
	sniff_end carried
	same 3 "$(sniffed_count carried "($BY_4) or ($BY_6)")" \
		"ESP packets of the hub"
	same 3 "$(sniffed_count carried "$1")" "packets by '$1'"
}

test_lowest_priority_carries_and_the_other_takes_over() {
	fresh
	tunnel 7 priority 10
	tunnel 8 priority 20
	active_is 7
	carried_by "$BY_4"
	lose 7
	active_is 8
	carried_by "$BY_6"
	# Back as soon as it can.
	find 7
	active_is 7
	carried_by "$BY_4"
	same 1 "$(transitions)" "transitions"
	# The other way round by word.
	helper hub path set 8 priority 5
	active_is 8
	carried_by "$BY_6"
}

test_all_paths_but_one_may_go_in_any_order() {
	local order id rest

	fresh
	tunnel 7 priority 10
	tunnel 8 priority 20
	tunnel 9 priority 30
	for order in "7 8 9" "7 9 8" "8 7 9" "8 9 7" "9 7 8" "9 8 7"; do
		read -r id rest <<<"$order"
		lose "$id"
		lose "${rest% *}"
		active_is "${rest#* }"
		pings hub "$(inner a)"
		lose "${rest#* }"
		peer_is hub a down
		for id in 7 8 9; do
			find "$id"
		done
		active_is 7
	done
}

# steady FILE: pings the peer all the time.
steady() {
	ip netns exec "$hub" ping -n -i 0.02 -W 10 "$(inner a)" >"$1" 2>&1 &
	STEADY=$!
	defer eval "kill $STEADY 2>/dev/null"
	wait_for 20 "pings come back" answers "$1" 5
}

answers() { [ "$(grep -c 'bytes from' "$1")" -ge "$2" ]; }

more() { wait_for 30 "more pings come back" answers "$1" $(($(grep -c 'bytes from' "$1") + 10)); }

# unharmed FILE: no ping was lost.
unharmed() {
	more "$1"
	kill -INT "$STEADY"
	wait "$STEADY" || true
	tail -n 3 "$1"
	same 0 "$(lost_pings "$1")" "lost pings"
	lacks 'Unreachable|DUP' cat "$1"
}

test_make_before_break_loses_no_packet() {
	local id

	fresh
	tunnel 7
	steady "$OVLY_OUT/steady"
	# Reauthentication with unique if_ids: the new tunnel first, then the old goes.
	for id in 8 9 10 11; do
		tunnel "$id" priority 200
		helper hub path set "$id" priority 100
		helper a path set "$id" priority 100
		active_is "$id"
		# What is under way by the old one.
		more "$OVLY_OUT/steady"
		helper hub path del $((id - 1))
		helper a path del $((id - 1))
		lose $((id - 1))
	done
	unharmed "$OVLY_OUT/steady"
	same 1 "$(transitions)" "transitions"
}

test_switch_there_and_back_loses_no_packet() {
	local i

	fresh
	tunnel 7 priority 10
	tunnel 8 priority 20
	steady "$OVLY_OUT/steady"
	for i in {1..10}; do
		helper hub path set 8 priority $((i % 2 ? 5 : 20))
		active_is $((i % 2 ? 8 : 7))
	done
	unharmed "$OVLY_OUT/steady"
}

test_late_down_of_a_replaced_path_changes_nothing() {
	local before

	fresh
	tunnel 7
	tunnel 8
	active_is 8
	helper hub path del 7
	before=$(helper hub path list --json | jq -c 'map(del(.since))')
	# Its SAs go later than the path, and somebody says once more that it is down.
	lose 7
	never helper hub path del 7
	same "$before" "$(helper hub path list --json | jq -c 'map(del(.since))')" "paths"
	same 1 "$(transitions)" "transitions"
	active_is 8
	carried_by "$BY_6"
}

test_path_before_its_sas_waits_for_them() {
	fresh
	tunnel 7
	# The better one is not used before it can be.
	OUTER=6 path hub a 8 priority 1
	active_is 7
	OUTER=6 sas a hub 8
	OUTER=6 path a hub 8
	OUTER=6 sas hub a 8
	active_is 8
	carried_by "$BY_6"
}

test_if_ids_of_both_directions_may_differ() {
	fresh
	OUTER=4 sas hub a 7
	OUTER=4 sas a hub 7
	# The hub sends by 70 and receives by 7.
	no_sas hub
	no_policies hub
	sa_lines hub a 7 | tail -n 1 | ip_batch hub
	{ sa_lines hub a 7 | head -n 1; policy_lines hub a 7; } | sed 's/if_id 7/if_id 70/' | ip_batch hub
	path hub a 7 if-id-out 70
	path a hub 7
	active_is 7
	pings hub "$(inner a)"
	never helper hub path add 71 peer a if-id-out 70
}

# move_sas NODE PEER OLD NEW: as MOBIKE: the same SPI and keys, another address. An SA
# is known by its destination and SPI, so the inbound one of the hub has to go first.
move_sas() {
	local moved inbound

	moved=$(sa_lines "$1" "$2" 7 | sed "s/\b$3\b/$4/g")
	inbound=$(sa_lines "$1" "$2" 7 | grep -v "dst $3 " | deletions)
	ip_batch "$1" <<<"$inbound"
	ip_batch "$1" <<<"$moved"
	policy_lines "$1" "$2" 7 | sed "s/policy add/policy update/; s/\b$3\b/$4/g" | ip_batch "$1"
	sa_lines "$1" "$2" 7 | grep "dst $3 " | deletions | ip_batch "$1"
}

# deletions: of the SAs that the lines add.
deletions() { sed -n 's/.*\(src .* spi 0x[0-9a-f]*\) .*/xfrm state delete \1/p'; }

endpoint() { helper hub path list --json | jq -r '.[] | select(.["if-id-in"] == 7) | .endpoint'; }

test_path_follows_its_sa_to_another_endpoint() {
	fresh
	tunnel 7
	pings hub "$(inner a)"
	ip netns exec "$hub" ovlyhelper monitor json >"$OVLY_OUT/moves" 2>&1 &
	defer eval "kill $! 2>/dev/null"
	wait_for 20 "events are heard" heard_something
	move_sas hub a 192.0.2.2 192.0.2.12
	move_sas a hub 192.0.2.2 192.0.2.12
	same 192.0.2.12 "$(endpoint)" "endpoint"
	wait_for 10 "its throw route" has hub 220 'throw 192.0.2.12/32'
	active_is 7
	same 1 "$(transitions)" "transitions"
	pings hub "$(inner a)"
	pings a "$(inner hub)"
	wait_for 10 "the event" matches '192.0.2.2' moves
	matches '192.0.2.12' moves
}

heard_something() {
	helper hub peer set a limit 0
	grep -q peer-set "$OVLY_OUT/moves"
}

moves() {
	jq -r 'select(.event == "endpoint-moved") | .path | "\(.endpoint) before \(.["previous-endpoint"])"' \
		"$OVLY_OUT/moves"
}

# second_wan: a second provider of the hub's, wan2 with 192.0.2.21. What comes from
# there leaves by it.
second_wan() {
	# Each link answers for its own address only.
	in_ns hub sysctl -qw net.ipv4.conf.all.arp_ignore=1
	defer in_ns hub sysctl -qw net.ipv4.conf.all.arp_ignore=0
	ip link add wan2 netns "$hub" type veth peer name to-21 netns "$wan"
	defer ip -n "$hub" link del wan2
	ip -n "$wan" link set to-21 master sw up
	ip -n "$hub" addr add 192.0.2.21/32 dev wan2
	ip -n "$hub" link set wan2 up
	ip -n "$hub" route add 192.0.2.2 dev wan2 table 102
	ip -n "$hub" rule add pref 100 from 192.0.2.21 lookup 102
	defer ip -n "$hub" rule del pref 100
}

# of_wan2: the lines of stdin, the hub being there.
of_wan2() { sed 's/\b192\.0\.2\.1\b/192.0.2.21/g'; }

# leaves_by LINK SOURCE: what the hub sends now does so, and is answered there; by
# the other link nothing.
leaves_by() {
	local link other=wan2 esp="src $2 and dst 192.0.2.2 and ip proto 50"

	[ "$1" = wan ] || other=wan
	for link in wan wan2; do
		sniff hub "$link" "$link" 'ip proto 50'
	done
	pings hub "$(inner a)"
	pings hub "$(inner a 6)"
	for link in wan wan2; do
		sniff_end "$link"
	done
	same 6 "$(sniffed_count "$1" "$esp")" "packets from $2 by $1"
	same 6 "$(sniffed_count "$1" "src 192.0.2.2 and dst $2")" "answers by $1"
	same 12 "$(sniffed_count "$1" 'ip proto 50')" "packets by $1, of both directions"
	same 0 "$(sniffed_count "$other" 'ip proto 50')" "packets by $other"
}

# thrown_once: the guard of the endpoint that both paths have.
thrown_once() {
	same 1 "$(ip -n "$hub" route show table 220 | grep -c '^throw 192\.0\.2\.2 ')" \
		"throw routes to the endpoint"
}

test_paths_by_two_links() {
	second_wan
	fresh
	tunnel 7 priority 10
	helper hub path set 7 underlay wan
	{ sa_lines hub a 9; policy_lines hub a 9; } | of_wan2 | ip_batch hub
	{ sa_lines a hub 9; policy_lines a hub 9; } | of_wan2 | ip_batch a
	path hub a 9 underlay wan2 priority 20
	helper a path add 9 peer hub dev ov0 endpoint 192.0.2.21 priority 20
	settles hub
	holds hub 220 2
	thrown_once
	watch_routes hub two-links
	active_is 7
	leaves_by wan 192.0.2.1
	lose 7
	active_is 9
	thrown_once
	leaves_by wan2 192.0.2.21
	find 7
	active_is 7
	thrown_once
	leaves_by wan 192.0.2.1
	same 1 "$(transitions)" "transitions"
	routes_still hub two-links
	lacks '192\.0\.2\.2 ' route_events "$hub" "$OVLY_OUT/two-links.routes"
	table_as_wanted hub 220
}

# older IF_ID IF_ID: the first has its state for longer, as one listing says.
older() {
	helper hub path list --json | jq -e --argjson a "$1" --argjson b "$2" '
		(map({ "\(.["if-id-in"])": .since }) | add) as $since
		| $since["\($a)"] > $since["\($b)"]' ||
		fail "$1 is not in its state for longer than $2"
}

# passes: time, so that what begins now is younger than the path's state.
passes() {
	wait_for 10 "path $1 has been so for a while" has_age "$1"
}

has_age() {
	helper hub path list --json | jq -e --argjson id "$1" \
		'.[] | select(.["if-id-in"] == $id) | .since > 0'
}

test_since_is_that_of_the_state() {
	fresh
	tunnel 7 priority 10
	passes 7
	tunnel 8 priority 20
	passes 8
	tunnel 9 priority 30
	passes 9
	older 7 8
	older 8 9
	# One goes down, one becomes active, one stays what it is.
	lose 7
	active_is 8
	older 9 7
	older 9 8
	passes 7
	passes 8
	# The other way round: one is active no more.
	find 7
	active_is 7
	older 9 7
	older 9 8
	passes 7
	passes 8
	lose 9
	older 7 9
	older 8 9
	# What is not a change of state: words, and a new SA beside the old one.
	passes 9
	helper hub path set 7 priority 5 label x
	helper hub path set 8 priority 15
	sa 192.0.2.1 192.0.2.2 0x9992 7 | ip_batch hub
	active_is 7
	older 7 9
	older 8 9
}

# plenty: routes of the peer, a thousand a request.
plenty_lines() {
	awk -v n="$ROUTES" 'BEGIN {
		for (i = 0; i < n; i++) {
			if (i % 1000 == 0)
				printf "%sroute-new+create ifname=ov0", i ? "\n" : ""
			printf " route{ peer-name=a dst=%d.%d.%d.0 prefixlen=24 }",
				20 + int(i / 65536), int(i / 256) % 256, i % 256
		}
		print ""
	}'
}

micros() { echo "${EPOCHREALTIME/./}"; }

# switched N: how long the request takes that makes path 7 or 8 the active one.
switched() {
	local t0 i

	for i in 1 2 3 4 5 6 7; do
		printf 'path-set path{ if-id-in=8 priority=%d }\n' 5 20
	done >/tmp/switches
	t0=$(micros)
	in_ns hub ovlynl "do" - </tmp/switches >/tmp/switched
	echo $((($(micros) - t0) / 14))
	same 14 "$(grep -c '^ok' /tmp/switched)" "switches"
}

test_switching_a_peer_with_many_routes_touches_no_route() {
	local few many

	fresh
	tunnel 7 priority 10
	tunnel 8 priority 20
	few=$(switched)
	plenty_lines | in_ns hub ovlynl "do" - | grep -c 'applied=1000' |
		grep -qx $((ROUTES / 1000)) || fail "routes were refused"
	watch_routes hub switching
	many=$(switched)
	active_is 7
	lose 7
	active_is 8
	pings hub "$(inner a)"
	routes_still hub switching
	note "switching takes $few us with 2 routes, $many us with $ROUTES, request and process included"
	[ "$many" -le $((4 * few + 20000)) ] || fail "switching depends on the number of routes"
}

CASES="
test_lowest_priority_carries_and_the_other_takes_over	the lowest priority carries, the other takes over and gives back
test_all_paths_but_one_may_go_in_any_order		all paths but one may go, in any order
test_make_before_break_loses_no_packet			make before break with unique if_ids loses no packet
test_switch_there_and_back_loses_no_packet			switching there and back loses no packet
test_late_down_of_a_replaced_path_changes_nothing	a late down of a replaced path changes nothing
test_path_before_its_sas_waits_for_them			a path that comes before its SAs waits for them
test_if_ids_of_both_directions_may_differ		the if_ids of both directions may differ
test_path_follows_its_sa_to_another_endpoint		a path follows its SA to another endpoint
test_paths_by_two_links					paths by two links: one takes over from the other and gives back
test_since_is_that_of_the_state				the age of a path is that of its state
test_switching_a_peer_with_many_routes_touches_no_route	switching a peer with 100,000 routes touches no route
"
run_cases "$@"
