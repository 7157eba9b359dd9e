#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# commands.sh: what people type: peer, path, route, their listings, and monitor.

# shellcheck source=selftests/lib.sh
. "${OVLY_TOP:?}/selftests/lib.sh"
# shellcheck source=selftests/charon.sh
. "$OVLY_TOP/selftests/charon.sh"

HUB="166.34.121.112"

suite_setup() { charon_setup; }

test_commands_refuse_with_a_way_out() {
	defer clean
	h dev add ipsec0 up
	h peer add myconn addr "$HUB"
	matches "10.0.0.1/8.*10.0.0.0/8" never_out h route add 10.0.0.1/8 peer myconn
	matches "nobody" never_out h route add 10.0.0.0/8 peer nobody
	matches "another peer|one peer" never_out h peer add two addr 10.9.9.9
	matches "192.0.2.77" never_out h route add 10.0.0.0/8 via 192.0.2.77
	matches "ipsec7.*dev add" never_out h peer list dev ipsec7
	matches "ipsec0x.*did you mean 'ipsec0'" never_out h peer list dev ipsec0x
	matches "mycon'.*no such peer.*did you mean 'myconn'" never_out h peer set mycon limit 3
	matches "did you mean 'myconn'" never_out h route add 10.0.0.0/8 peer myocnn
	matches "did you mean 'myconn'" never_out h path add 7 peer myconnn
	h route add 10.0.0.0/8 peer myconn protocol bird metric 5
	matches '^10.0.0.0/8 +myconn +ipsec0 +bird +5 +yes' h route list
	same true "$(h show routes json | jq 'map(select(.system)) | length == 1')"
	matches "exists|owns" never_out h route add 10.0.0.0/8 peer myconn metric 5
	h route flush protocol bird
	lacks 10.0.0.0/8 h route list
	h peer set myconn limit 7 on-down withdraw
	matches 'withdraw +7 ' h peer list
	h peer del myconn
	h dev del ipsec0
	lacks ipsec0 h dev list
}

test_commands_give_a_route_to_several_peers() {
	defer clean
	h dev add ovly0 mode multipoint up
	h peer add a addr 10.3.0.1
	h peer add b addr 10.3.0.2
	h peer add c addr 10.3.0.3
	h route add 10.70.0.0/16 peer a peer b
	matches 'nexthop via 10.3.0.1' table
	matches 'nexthop via 10.3.0.2' table
	matches "exists|owns|owner" never_out h route add 10.70.0.0/16 peer c
	h route add 10.70.0.0/16 via 10.3.0.3 append
	same 3 "$(h route list | grep -c '^  nexthop')" "after append"
	h route del 10.70.0.0/16 peer a
	same '["b","c"]' "$(h route list --json | jq -c '[.[] | select(.multipath) | ."peer-name"] | sort')"
	h route replace 10.70.0.0/16 via 10.3.0.1
	matches '^10.70.0.0/16 via 10.3.0.1 dev ovly0' table
	same '[false]' "$(h route list --json | jq -c '[.[] | select(.prefix == "10.70.0.0/16") | .multipath]')"
	matches "append.*add" never_out h route replace 10.70.0.0/16 peer a append
	matches "cannot add route 10.71.0.0/16 to peer a, nobody" never_out h route add 10.71.0.0/16 peer a peer nobody
}

test_commands_show_what_is_said_of_a_peer() {
	defer clean
	h dev add ovly0 mode multipoint up
	h peer add hub2 addr 10.3.0.2
	h peer add hub1 addr 10.3.0.1 backup hub2 limit 1 limit-action disable mark 0x10 priority 4
	matches '^hub1 +ovly0 +10.3.0.1 +down +hold +1 disable +hub2 +0x10 +4$' h peer list
	same 'hub2 16 4 disable false null null' "$(h peer list --json | jq -r '.[] | select(.name == "hub1") |
		"\(.backup) \(.mark) \(.priority) \(."limit-action") \(."via-backup") \(."last-rx") \(."last-tx")"')"
	matches '^hub1 +down +- +0 +0 +never +0 +never' h show peers
	h route add 10.70.0.0/16 peer hub1
	matches "limit" never_out h route add 10.71.0.0/16 peer hub1
	matches '^hub1 +down +- +1 disabled ' h show peers
	matches '^hub1 .* 1 disabled ' h peer list
	same true "$(h show peers --json | jq '.[] | select(.name == "hub1") | ."routes-disabled"')"
	h peer set hub1 limit 2 limit-action refuse backup none mark 0
	same 'null null 0 false' "$(h peer list --json | jq -r '.[] | select(.name == "hub1") |
		"\(.backup) \(."backup-id") \(.mark) \(."routes-disabled")"')"
	matches "nobody" never_out h peer set hub1 backup nobody
}

test_commands_show_a_missing_underlay() {
	defer clean
	h dev add ipsec0 up
	h peer add myconn addr "$HUB"
	ip -n "$here" link add wan7 type dummy
	h path add 7 peer myconn endpoint "$PEER_WAN" underlay wan7
	same '"wan7" false' "$(h path list --json | jq -r '.[] | "\(.underlay | tojson) \(."underlay-missing")"')"
	ip -n "$here" link del wan7
	missing() { h path list --json | jq -e '.[] | .underlay == "wan7" and ."underlay-missing"'; }
	wait_for 5 "it is missing" missing
	matches 'wan7 missing' h path list
	ip -n "$here" link add wan7 type dummy
	defer ip -n "$here" link del wan7
	wait_for 5 "it is back" never missing
	same '"wan7"' "$(h path list --json | jq '.[].underlay')"
}

test_monitor_survives_module_reload() {
	defer clean
	local log=$OVLY_OUT/monitor
	clean
	ip netns exec "$here" ovlyhelper monitor json >"$log" &
	defer kill $!
	h dev add ipsec0
	seen() { jq -e --arg e "$1" 'select(.event == $e)' "$log" >/dev/null; }
	last() { [ "$(jq -r .event "$log" | tail -n 1)" = "$1" ]; }
	wait_for 5 "it listens" eval 'h peer add x; h peer del x; seen peer-del'
	clean
	wait_for 5 "the device's end" seen dev-del
	rmmod ovly
	wait_for 5 "the module's end" last module-gone
	load_ovly
	wait_for 5 "its return" last module-back
	h dev add ipsec0 up
	wait_for 5 "the events go on" last dev-up
	same '"ipsec0"' "$(tail -n 1 "$log" | jq .dev)"
	same '["dev","device","event","overlay-event","path","peer","route","time"]' \
		"$(jq -c keys "$log" | sort -u)" "keys of every event"
}

# never_out COMMAND...: fails, and its words are the output.
never_out() {
	local out
	if out=$("$@" 2>&1); then
		echo "accepted: $*"
		return 1
	fi
	echo "$out"
}

# shellcheck disable=SC2034 # run_cases reads it
CASES="
test_commands_refuse_with_a_way_out	refusals, listings
test_commands_give_a_route_to_several_peers	a route of several peers
test_commands_show_what_is_said_of_a_peer	backup, limit, mark and last use of a peer
test_commands_show_a_missing_underlay	an underlay that is gone and comes back
test_monitor_survives_module_reload	monitor: module unloaded and loaded
"
run_cases "$@"
