#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# updown-order.sh: the calls of charon in every order that it makes them, and how
# long each takes.

# shellcheck source=selftests/lib.sh
. "${OVLY_TOP:?}/selftests/lib.sh"
# shellcheck source=selftests/charon.sh
. "$OVLY_TOP/selftests/charon.sh"

HUB="166.34.121.112"

suite_setup() { charon_setup; }

paths() { h path list --json | jq -c '[.[]."if-id-in"]'; }
peer() { h peer list --json | jq -r ".[0] | $1"; }

test_every_verb() {
	defer clean
	local suffix
	for suffix in host client host-v6 client-v6; do
		sa 7 0x100
		updown "up-$suffix" 7 -- --system-addr "$HUB"
		same '[7]' "$(paths)" "paths after up-$suffix"
		same up "$(peer .state)" "the peer after up-$suffix"
		updown "down-$suffix" 7 --
		same '[]' "$(paths)" "paths after down-$suffix"
		sa_del 0x100
	done
	refused_up "PLUTO_VERB.*sideways" 7 PLUTO_VERB=sideways -- --system-addr "$HUB"
}

# selectors VERB NET...: as charon calls for each pair of one CHILD_SA.
selectors() {
	local verb=$1 net
	shift
	for net; do
		case $net in
		*:*) updown "$verb-client-v6" 7 PLUTO_PEER_CLIENT="$net" -- "${HUB_OPTS[@]}" ;;
		*) updown "$verb-client" 7 PLUTO_PEER_CLIENT="$net" -- "${HUB_OPTS[@]}" ;;
		esac
	done
}
HUB_OPTS=(--dev ovly0 --mode multipoint --system-addr 10.9.9.1 --system-addr 2001:db8:9::1)

test_every_pair_of_selectors() {
	defer clean
	local nets=(10.50.0.0/16 10.51.0.0/16 2001:db8:50::/48)
	sa 7 0x100
	selectors up "${nets[@]}"
	same '[7]' "$(paths)" "paths"
	matches '^10.50.0.0/16 via 10.9.9.1 dev ovly0 proto static' table
	matches '^10.51.0.0/16 via 10.9.9.1 dev ovly0 proto static' table
	matches '^2001:db8:50::/48 via 2001:db8:9::1 dev ovly0' ip -n "$here" -6 route show table 220
	# again, in another order, as at a reauthentication: nothing changes
	local before
	before=$(h route list --json; h path list --json | jq 'map(del(.since))')
	selectors up 2001:db8:50::/48 10.51.0.0/16 10.50.0.0/16
	same "$before" "$(h route list --json; h path list --json | jq 'map(del(.since))')" "state after a repeat"
	# the path goes with the first pair, and the others have nothing to say
	same "" "$(selectors down "${nets[@]}" 2>&1)" "words of down"
	same '[]' "$(paths)" "paths"
	matches '^10.50.0.0/16 via 10.9.9.1' table
}

test_several_child_sas_of_a_connection() {
	defer clean
	sa 7 0x100
	sa 8 0x200
	updown up-client 7 -- --system-addr "$HUB"
	updown up-client 8 -- --system-addr "$HUB"
	same '[7,8]' "$(paths)" "paths"
	same 8 "$(peer '."active-path"')" "the newest is active"
	updown down-client 8 --
	sa_del 0x200
	same "7 up" "$(peer '"\(."active-path") \(.state)"')" "the other one takes over"
	updown down-client 7 --
	same down "$(peer .state)" "after both"
}

# reauthenticated OLD NEW: one peer, one path, up.
reauthenticated() {
	same "[$2]" "$(paths)" "paths after $1 gave way to $2"
	same "$2 up" "$(peer '"\(."active-path") \(.state)"')" "active path"
	matches "^$HUB dev ipsec0" table
}

test_reauthentication_in_either_order() {
	defer clean
	sa 7 0x100
	updown up-client 7 -- --system-addr "$HUB"
	h route add 81.81.81.1/32 peer myconn
	monitor_routes "$here" "$OVLY_OUT/routes"
	# ids of their own, the new one first
	sa 8 0x200
	updown up-client 8 -- --system-addr "$HUB"
	updown down-client 7 --
	sa_del 0x100
	reauthenticated 7 8
	# the old one first
	updown down-client 8 --
	sa_del 0x200
	sa 9 0x300
	updown up-client 9 -- --system-addr "$HUB"
	reauthenticated 8 9
	# the same id, the new one first
	sa 9 0x400
	updown up-client 9 -- --system-addr "$HUB"
	updown down-client 9 --
	sa_del 0x300
	reauthenticated 9 9
	# the old one first
	updown down-client 9 --
	sa_del 0x400
	sa 9 0x500
	updown up-client 9 -- --system-addr "$HUB"
	reauthenticated 9 9
	lacks "($HUB|81.81.81.1) .*table 220" route_events "$here" "$OVLY_OUT/routes"
}

# An IKE rekeying changes the number, and nobody calls.
test_number_of_the_ike_sa_means_nothing() {
	defer clean
	sa 7 0x100
	updown up-client 7 PLUTO_UNIQUEID=1 -- --system-addr "$HUB"
	updown up-client 7 PLUTO_UNIQUEID=5 -- --system-addr "$HUB"
	same '[7]' "$(paths)" "paths"
	updown down-client 7 PLUTO_UNIQUEID=9 --
	same '[]' "$(paths)" "paths"
}

test_on_down_is_as_told() {
	defer clean
	sa 7 0x100
	updown up-client 7 -- --system-addr "$HUB" --on-down withdraw
	h route add 81.81.81.1/32 peer myconn
	matches '^81.81.81.1 dev ipsec0' table
	updown down-client 7 --
	wait_for 5 "its routes leave" lacks 81.81.81.1 table
	updown up-client 7 -- --system-addr "$HUB" --on-down hold
	wait_for 5 "and are back" matches '^81.81.81.1 dev ipsec0' table
	updown down-client 7 --
	matches '^81.81.81.1 dev ipsec0' table
}

# spent COMMAND...: milliseconds of twenty calls.
spent() {
	local t0=${EPOCHREALTIME/./} i
	for ((i = 0; i < 20; i++)); do
		"$@" >/dev/null
	done
	echo $(((${EPOCHREALTIME/./} - t0) / 1000))
}

# Emulated, starting a program takes longest: what a call does may take as long again,
# twice, and the messages a bit.
test_answers_in_milliseconds() {
	defer clean
	local start up down late
	sa 7 0x100
	updown up-client 7 -- --system-addr "$HUB"
	start=$(spent in_ns here env -i PATH="$PATH" ovlyhelper --version)
	up=$(spent updown up-client 7 -- --system-addr "$HUB")
	late=$(spent updown down-client 99 --)
	down=$(spent updown down-client 7 --)
	note "20 calls in ms: version $start, up $up, late down $late, down $down"
	for took in "$up" "$late" "$down"; do
		[ "$took" -lt $((start * 3 + 20 * 20 * OVLY_SLOW)) ] || fail "$took ms where a start is $start ms"
	done
}

# shellcheck disable=SC2034 # run_cases reads it
CASES="
test_every_verb				every verb: host and client, IPv4 and IPv6
test_every_pair_of_selectors		a call for each pair of traffic selectors
test_several_child_sas_of_a_connection	several CHILD_SAs of one connection
test_reauthentication_in_either_order	reauthentication in either order, ids of their own or the same
test_number_of_the_ike_sa_means_nothing	PLUTO_UNIQUEID changes without a call
test_on_down_is_as_told			routes of a peer that is down are held or withdrawn
test_answers_in_milliseconds		charon does not wait
"
run_cases "$@"
