#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# views.sh: what people and programs see: on a terminal of 80 columns, in colour there
# and only there, in JSON whose keys the manual has, and as events of an orchestrator.

# shellcheck source=selftests/lib.sh
. "${OVLY_TOP:?}/selftests/lib.sh"
# shellcheck source=selftests/charon.sh
. "$OVLY_TOP/selftests/charon.sh"

HUB="166.34.121.112"
LONG="branch-office-with-a-name-of-some-length"
VIEWS=("show secure-overlay" "show peers" "show routes" "show drops all" "show bridge" "dev list"
	"peer list" "path list" "route list" "doctor")

suite_setup() {
	charon_setup
	command -v script >/dev/null || skip_all "no script(1) to make a terminal with"
	sa 7 0x100
	updown up-client 7 -- --system-addr "$HUB" --local-addr 10.122.144.146
	h route add 81.81.81.0/24 peer myconn protocol static
	h dev add ovly0 mode multipoint table 230 addr 10.9.0.254 up
	h peer add "$LONG" dev ovly0 addr 10.9.0.1 addr 2001:db8:1234:5678:9abc:def0:1234:5678 limit 15
	h peer add b dev ovly0 addr 10.9.0.2 backup "$LONG"
	h path add 8 peer "$LONG" dev ovly0 endpoint 2001:db8:1234:5678:9abc:def0:1234:5679 \
		label "$LONG" underlay wan0
	h route add 2001:db8:1111:2222:3333:4444::/96 peer "$LONG" dev ovly0 protocol static
	h route add 10.70.0.0/16 peer "$LONG" peer b dev ovly0 protocol static
	ip netns exec "$here" ovlyhelper bridge 2>"$OVLY_OUT/bridge.log" &
	defer kill $!
	wait_for 10 "first reconcile" grep -q reconciled "$OVLY_OUT/bridge.log"
	ip -n "$here" route add 10.71.0.0/16 via 10.9.0.77 dev ovly0 onlink proto bird table 2220
	nobodys() { h show bridge | grep -q '^10.9.0.77'; }
	wait_for 10 "a next hop that is nobody's" nobodys
}

# on_terminal WORD...: what the command prints on a terminal of 80 columns.
on_terminal() {
	script -qec "stty cols 80; ip netns exec $here $*" /dev/null </dev/null | tr -d '\r'
}
ESC=$(printf '\033')

test_everything_fits_into_80_columns() {
	local view out
	for view in "${VIEWS[@]}"; do
		out=$(on_terminal ovlyhelper "$view" | sed "s/$ESC\[[0-9;]*m//g")
		note "$view"$'\n'"$out"
		[ -n "$out" ] || fail "nothing of $view"
		same "" "$(awk 'length > 80' <<<"$out")" "lines over 80 columns of $view"
	done
	# what has no room stands on a line of its own, and nothing is lost
	matches "^$LONG\$" on_terminal ovlyhelper show peers
	matches '2001:db8:1234:5678:9abc:def0:1234:5679$' on_terminal ovlyhelper path list
	# a program that reads lines has one for each peer
	same 4 "$(h show peers | wc -l)" "lines of show peers"
}

test_colours_are_for_terminals() {
	local view
	matches "$ESC\[32mup" on_terminal ovlyhelper show peers
	matches "$ESC\[31mdown" on_terminal ovlyhelper show peers
	matches "$ESC\[32mup" on_terminal ovlyhelper show secure-overlay
	lacks "$ESC" on_terminal env NO_COLOR=1 ovlyhelper show peers
	lacks "$ESC" on_terminal ovlyhelper show peers --json
	for view in "${VIEWS[@]}"; do
		# shellcheck disable=SC2086 # words
		lacks "$ESC" eval "h $view || true"
	done
}

test_every_key_is_in_the_manual() {
	local view keys key manual
	manual=$(sed 's/\\-/-/g; s/\\f[A-Z]//g' "$OVLY_TOP"/helper/man/*.[58])
	for view in "${VIEWS[@]}" "show route 81.81.81.1" "show route 203.0.113.1"; do
		# shellcheck disable=SC2086 # words
		in_ns here ovlyhelper $view --json >"$OVLY_OUT/view.json" || note "exit status $?"
		keys=$(jq -r '[.. | objects | keys[]] | unique[]' "$OVLY_OUT/view.json") || fail "$view is not JSON"
		[ -n "$keys" ] || fail "no JSON of $view"
		note "$view: $(tr '\n' ' ' <<<"$keys")"
		for key in $keys; do
			grep -qE "(^|[ (])$key([ ,.;):]|\$)" <<<"$manual" || fail "key '$key' of '$view' is not in the manual"
		done
	done
}

test_events_have_the_orchestrators_names() {
	local log=$OVLY_OUT/monitor people=$OVLY_OUT/monitor.txt
	ip netns exec "$here" ovlyhelper monitor json >"$log" &
	defer kill $!
	ip netns exec "$here" ovlyhelper monitor >"$people" &
	defer kill $!
	seen() { jq -r '."overlay-event" // empty' "$log" | grep -qx "SECURE_OVERLAY_$1" &&
		grep -q " SECURE_OVERLAY_$1\$" "$people"; }
	listening() { h dev set ipsec0 carrier-follows 0; h peer add probe dev ovly0 addr 10.9.0.8; h peer del probe dev ovly0
		[ -s "$log" ] && [ -s "$people" ]; }
	wait_for 10 "they listen" listening
	: >"$log"
	sa 11 0x900
	updown up-client 11 PLUTO_CONNECTION=other -- --dev ovly0 --system-addr 10.9.0.9 --limit 1
	wait_for 5 "it is made" seen CREATING
	wait_for 5 "it is up" seen UP
	h route add 10.90.0.0/16 peer other dev ovly0
	never h route add 10.91.0.0/16 peer other dev ovly0
	wait_for 5 "it teaches too much" seen ERROR
	updown down-client 11 PLUTO_CONNECTION=other -- --dev ovly0
	wait_for 5 "it is down" seen DOWN
	h peer del other dev ovly0
	wait_for 5 "it is gone" seen DELETE
	same "CREATING UP ERROR DOWN DELETE" "$(jq -r 'select(.peer.name == "other") | ."overlay-event" // empty' "$log" |
		sed 's/SECURE_OVERLAY_//' | uniq | paste -sd ' ')" "in this order"
}

# shellcheck disable=SC2034 # run_cases reads it
CASES="
test_everything_fits_into_80_columns	every view fits into 80 columns
test_colours_are_for_terminals		colours on a terminal only, and not with NO_COLOR
test_every_key_is_in_the_manual		every key of JSON is in the manual
test_events_have_the_orchestrators_names	events with the names that an orchestrator expects
"
run_cases "$@"
