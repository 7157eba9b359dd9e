#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# helper.sh: the helper against the real module, without daemons: updown as charon
# calls it, and the bridge behind a staging table.  Runs in the lab's guest:
#	sh selftests/run test helper

# The case with 100,000 routes takes as long as "ip" needs to add them.
CASE_DEADLINE=${CASE_DEADLINE:-300}

# shellcheck source=selftests/lib.sh
. "${OVLY_TOP:?}/selftests/lib.sh"
# shellcheck source=selftests/charon.sh
. "$OVLY_TOP/selftests/charon.sh"

HUB="166.34.121.112"

suite_setup() { charon_setup; }

good=(-- --system-addr "$HUB" --local-addr 10.122.144.146 --mtu 9196)

test_up_makes_everything_once() {
	defer clean
	sa 7 0x100
	updown up-client 7 "${good[@]}"
	matches 'mtu 9196' ip -n "$here" link show ipsec0
	matches 'inet 10.122.144.146 peer 10.122.144.146/32|inet 10.122.144.146/32' \
		ip -n "$here" addr show ipsec0
	matches "^$HUB dev ipsec0 scope link" table
	matches '^state +up' h show secure-overlay
	matches '^active-local-bridge +wan0' h show secure-overlay
	matches '^active-local-system-ip-addr +10.122.144.146' h show secure-overlay
	matches "^active-remote-system-ip-subnet +$HUB/32" h show secure-overlay
	matches '^active-remote-id +hub.example' h show secure-overlay

	# A repeat changes nothing: not one event, not one notification.
	local log=$OVLY_OUT/repeat pid
	ip netns exec "$here" ovlyhelper monitor >"$log" &
	pid=$!
	ip -n "$here" monitor route address link >>"$log" &
	defer kill "$pid" $!
	updown up-client 7 "${good[@]}"
	updown up-client-v6 7 "${good[@]}"
	h peer add marker --dev ipsec0 2>/dev/null || true
	ip -n "$here" route add 198.51.100.0/24 dev wan0
	defer ip -n "$here" route del 198.51.100.0/24 dev wan0
	wait_for 5 "the marker is seen" grep -q 198.51.100 "$log"
	same 1 "$(wc -l <"$log")" "lines of the monitors: $(cat "$log")"
}

test_down_is_late_unknown_or_real() {
	defer clean
	sa 7 0x100
	updown up-client 7 "${good[@]}"
	# unknown: silence
	same "" "$(updown down-client 99 -- 2>&1)"
	# another connection's: silence, and it stays
	same "" "$(updown down-client 7 PLUTO_CONNECTION=other -- 2>&1)"
	matches '^ +7 ' h path list
	# a replacement under the same id is installed already
	sa 7 0x200
	updown up-client 7 "${good[@]}"
	same "" "$(updown down-client 7 -- 2>&1)"
	matches '^ +7 ' h path list
	sa_del 0x100
	matches '^state +up' h show secure-overlay
	# the real one: the path goes, peer, route and address stay
	updown down-client 7 --
	lacks '^ +7 ' h path list
	matches '^state +down' h show secure-overlay
	matches "^$HUB dev ipsec0" table
	matches 10.122.144.146 ip -n "$here" addr show ipsec0
	same "" "$(updown down-client 7 -- 2>&1)"
}

test_unique_ids_leave_nothing_behind() {
	defer clean
	sa 1 0x100
	updown up-client 1 "${good[@]}"
	# charon dies: its SAs go, and no down comes
	sa_del 0x100
	sa 2 0x200
	updown up-client 2 "${good[@]}"
	same 2 "$(h path list json | jq '.[]."if-id-in"')" "paths"
	# reauthentication: the new one first
	sa 3 0x300
	updown up-client 3 "${good[@]}"
	same 2 "$(h path list json | jq length)" "paths"
	same 3 "$(h peer list json | jq '.[0]."active-path"')" "active path"
	updown down-client 2 --
	same 3 "$(h path list json | jq '.[]."if-id-in"')" "paths"
}

test_leftover_on_another_device_makes_room() {
	defer clean
	sa 7 0x100
	updown up-client 7 -- --dev ovly0 --table 221 --system-addr "$HUB"
	# charon dies, and the connection's --dev is another one from now on
	sa_del 0x100
	sa 7 0x200
	updown up-client 7 "${good[@]}"
	same '"ipsec0"' "$(h path list json | jq '.[].dev')" "devices with a path"
	matches '^state +up' h show secure-overlay dev ipsec0
	# with an SA beside ours it is in use
	sa 7 0x300
	refused_up 'if-id 7.*myconn. of another device.*its own if_id_in' 7 -- \
		--dev ovly0 --system-addr "$HUB"
	same '"ipsec0"' "$(h path list json | jq '.[].dev')" "devices with a path"
	# on the same device it moves to another peer, and is that one's only
	sa_del 0x300
	ip -n "$here" link del ovly0
	updown up-client 7 -- --dev ovly1 --mode multipoint --table 222 --system-addr 10.9.9.1 --peer one
	updown up-client 7 -- --dev ovly1 --system-addr 10.9.9.2 --peer two
	same '"two"' "$(h path list json | jq '.[]."peer-name"')" "peers with a path"
}

test_underlay_is_forgotten() {
	defer clean
	sa 7 0x100
	updown up-client 7 "${good[@]}"
	same '"wan0"' "$(h path list json | jq '.[].underlay')"
	updown up-client 7 PLUTO_INTERFACE=unknown "${good[@]}"
	lacks wan0 h path list json
}

test_vrf_of_a_device_that_exists() {
	defer clean
	ip -n "$here" link add vrf-a type vrf table 101
	defer ip -n "$here" link del vrf-a
	ip -n "$here" link add vrf-b type vrf table 102
	defer ip -n "$here" link del vrf-b
	sa 7 0x100
	updown up-client 7 "${good[@]}" --local-addr 2001:db8:9::1
	updown up-client 7 "${good[@]}" --local-addr 2001:db8:9::1 --vrf vrf-a
	matches 'master vrf-a' ip -n "$here" link show ipsec0
	matches 'inet 10.122.144.146' ip -n "$here" addr show ipsec0
	matches 'inet6 2001:db8:9::1' ip -n "$here" addr show ipsec0
	matches "^$HUB dev ipsec0" table 101
	matches '^state +up' h show secure-overlay
	refused_up "ipsec0.*another VRF than 'vrf-b'.*nomaster" 7 "${good[@]}" --vrf vrf-b
	refused_up "no VRF 'vrf-c'" 7 "${good[@]}" --vrf vrf-c
	matches 'master vrf-a' ip -n "$here" link show ipsec0
	# a refused up takes it out again
	ip -n "$here" link set ipsec0 nomaster
	sa 8 0x200
	updown up-client 8 -- --dev ovly0 --table 221 --system-addr 10.9.9.9
	refused_up 'another path has the if-id' 7 PLUTO_IF_ID_OUT=8 "${good[@]}" --vrf vrf-a
	lacks 'master' ip -n "$here" link show ipsec0
}

test_calls_take_turns() {
	defer clean
	local lock pid
	lock=/run/ovlyhelper-updown.$(in_ns here stat -Lc %i /proc/self/ns/net).lock
	sa 7 0x100
	updown up-client 7 "${good[@]}"
	matches '^600 ' stat -c '%a %n' "$lock"
	exec 8<"$lock"
	flock 8
	updown down-client 7 -- &
	pid=$!
	sleep 0.5
	matches '^ +7 ' h path list
	exec 8<&-
	wait "$pid"
	lacks '^ +7 ' h path list
}

test_refused_up_leaves_nothing_behind() {
	defer clean
	sa 7 0x100
	local before rc=0
	before=$(ip -n "$here" link show; ip -n "$here" rule)
	# the device can be made, the peer cannot: undone
	updown up-client 7 -- --mode multipoint --dev ovly0 || rc=$?
	same 2 "$rc"
	same "$before" "$(ip -n "$here" link show; ip -n "$here" rule)" "after no system address"

	# nor the endpoint's throw route: a route of somebody else's is in its place
	ip -n "$here" route add throw "$PEER_WAN" table 220
	refused_up 'somebody else' 7 "${good[@]}"
	ip -n "$here" route del throw "$PEER_WAN" table 220
	same "$before" "$(ip -n "$here" link show; ip -n "$here" rule)" "after no throw route"

	h dev add ovly0 mode multipoint table 229 up
	h peer add one dev ovly0 addr 10.9.9.1
	before=$(h peer list; h path list json; ip -n "$here" addr)
	rc=0
	updown up-client 7 -- --dev ovly0 --system-addr 10.9.9.1 --local-addr 10.9.9.9 \
		2>"$OVLY_OUT/err" || rc=$?
	same 1 "$rc"
	matches 'myconn.*10.9.9.1.*another peer' cat "$OVLY_OUT/err"
	same 1 "$(wc -l <"$OVLY_OUT/err")" "lines"
	same "$before" "$(h peer list; h path list json; ip -n "$here" addr)" "after a taken address"
	# a limit that refuses the selector's route, after the path was made
	rc=0
	updown up-client 7 PLUTO_PEER_CLIENT=10.50.0.0/16 -- --dev ovly0 --system-addr 10.9.9.2 \
		--mtu 99 --src-valid sideways || rc=$?
	same 2 "$rc"
	same "$before" "$(h peer list; h path list json; ip -n "$here" addr)" "after a bad word"
}

test_hub_peers_by_selector_and_by_id() {
	defer clean
	sa 11 0x100
	sa 12 0x200 192.0.2.3
	local opts=(-- --dev ovly0 --mode multipoint --system-addr-from-ts 18 --peer-from id)
	updown up-client 11 PLUTO_PEER_CLIENT=10.122.144.128/27 PLUTO_PEER_ID=branch1 "${opts[@]}"
	updown up-client 12 PLUTO_PEER_CLIENT=10.122.144.160/27 PLUTO_PEER_ID=branch2 \
		PLUTO_PEER=192.0.2.3 "${opts[@]}"
	matches '^10.122.144.128/27 via 10.122.144.146 dev ovly0 proto static onlink' table
	matches '^10.122.144.160/27 via 10.122.144.178 dev ovly0 proto static onlink' table
	same '"branch1" "branch2"' "$(h peer list json | jq '.[].name' | paste -sd ' ')" "names"
	# one name for two branches, and one if-id for two peers
	refused_up 'branch1.*branch3.*--peer-from id' 13 PLUTO_PEER_ID=branch3 -- \
		--dev ovly0 --peer branch1 --system-addr 10.1.1.1
	sa 11 0x300 192.0.2.4
	refused_up 'if-id 11.*branch1.*its own if_id_in' 11 PLUTO_PEER_ID=branch3 \
		PLUTO_PEER=192.0.2.4 -- --dev ovly0 --peer branch3 --system-addr 10.1.1.1
	same 2 "$(h peer list json | jq length)" "peers"
}

test_dual_wan_switches_by_priority() {
	defer clean
	sa 7 0x100
	sa 8 0x200 192.0.2.3
	updown up-client 7 -- --peer hub --system-addr "$HUB" --priority 10
	updown up-client 8 PLUTO_CONNECTION=second PLUTO_PEER=192.0.2.3 -- \
		--peer hub --system-addr "$HUB" --priority 20
	same 7 "$(h peer list json | jq '.[0]."active-path"')" "active path"
	updown down-client 7 --
	same 8 "$(h peer list json | jq '.[0]."active-path"')" "active path"
	matches '^active-remote-interface-ip-addr +192.0.2.3' h show secure-overlay
}

bridge_start() {
	# not in_ns: $! has to be the bridge itself
	ip netns exec "$here" ovlyhelper bridge 2>"$OVLY_OUT/bridge.log" &
	BRIDGE=$!
	defer eval "{ kill $BRIDGE && kill -CONT $BRIDGE && wait $BRIDGE; } 2>/dev/null"
	wait_for "${1:-10}" "first reconcile" grep -q reconciled "$OVLY_OUT/bridge.log"
}

stage() { ip -n "$here" route "$1" "$2" via "$HUB" dev ipsec0 onlink proto bird metric 32 table 2220; }
installed() { table 220 | grep -q "^$1 "; }
gone() { ! installed "$1"; }
reconciles() { grep -c reconciled "$OVLY_OUT/bridge.log"; }

bridged() {
	sa 7 0x100
	updown up-client 7 "${good[@]}"
}

test_bridge_follows_the_staging_table() {
	defer clean
	bridged
	stage add 81.81.81.1
	bridge_start
	matches '^81.81.81.1 dev ipsec0 proto bird scope link' table
	stage add 91.91.91.0/24
	wait_for 2 "an added route arrives" installed 91.91.91.0/24
	# the peer's own address stays the module's
	stage add "$HUB"
	stage add 10.0.0.0/8
	wait_for 2 "the next one arrives" installed 10.0.0.0/8
	matches "^$HUB dev ipsec0 scope link" table
	stage del "$HUB"
	stage del 91.91.91.0/24
	wait_for 2 "a withdrawn route leaves" gone 91.91.91.0/24
	installed "$HUB"
	# other protocols and tables are not followed
	ip -n "$here" route add 10.66.0.0/16 via "$HUB" dev ipsec0 proto static table 2220
	ip -n "$here" route add 10.67.0.0/16 via "$HUB" dev ipsec0 proto bird table 2221
	stage add 10.68.0.0/16
	wait_for 2 "the next one arrives" installed 10.68.0.0/16
	gone 10.66.0.0/16
	gone 10.67.0.0/16
	same 1 "$(reconciles)" "reconciles"
	matches '10.66.0.0/16.*static.*not followed' cat "$OVLY_OUT/bridge.log"
}

test_bridge_ipv6() {
	defer clean
	bridged
	bridge_start
	ip -n "$here" -6 route add 2001:db8:1::/48 dev ipsec0 proto bird metric 32 table 2220
	v6() { ip -n "$here" -6 route show table 220 | grep -q '^2001:db8:1::/48 dev ipsec0 proto bird'; }
	v6_gone() { ! v6; }
	wait_for 2 "an IPv6 route arrives" v6
	ip -n "$here" -6 route del 2001:db8:1::/48 dev ipsec0 metric 32 table 2220
	wait_for 2 "and leaves" v6_gone
}

test_bridge_restart_flaps_nothing() {
	defer clean
	bridged
	bridge_start
	stage add 81.81.81.1
	stage add 91.91.91.0/24
	wait_for 2 "routes arrive" installed 91.91.91.0/24
	kill -KILL "$BRIDGE"
	wait "$BRIDGE" || true
	stage del 91.91.91.0/24
	stage add 10.0.0.0/8
	h route add 10.77.0.0/16 peer myconn dev ipsec0
	monitor_routes "$here" "$OVLY_OUT/routes"
	bridge_start
	wait_for 2 "added meanwhile" installed 10.0.0.0/8
	gone 91.91.91.0/24
	installed 10.77.0.0/16
	installed 81.81.81.1
	lacks '(81.81.81.1|10.77.0.0).* table 220' route_events "$here" "$OVLY_OUT/routes"
	# SIGTERM leaves all in place
	kill -TERM "$BRIDGE"
	wait "$BRIDGE"
	installed 10.0.0.0/8
}

test_bridge_waits_for_the_peer() {
	defer clean
	h dev add ipsec0 addr 10.122.144.146 up
	bridge_start
	stage add 10.0.0.0/8
	stage add 91.91.91.0/24
	same "" "$(table 220)" "table without a peer"
	sa 7 0x100
	updown up-client 7 "${good[@]}"
	wait_for 3 "routes come with the peer" installed 10.0.0.0/8
	h peer del myconn
	wait_for 3 "and go with it" gone 10.0.0.0/8
	updown up-client 7 "${good[@]}"
	wait_for 3 "and come again" installed 91.91.91.0/24
}

test_bridge_next_hop_moves_between_devices() {
	defer clean
	h dev add ovly0 mode multipoint table 230 up
	h dev add ovly1 mode multipoint table 231 up
	h peer add a dev ovly0 addr 10.1.0.1
	h peer add b dev ovly0 addr 10.1.0.2
	h peer add c dev ovly1 addr 10.1.0.3
	bridge_start
	local r=(proto bird metric 32 table 2220 onlink)
	ip -n "$here" route add 10.50.0.0/16 via 10.1.0.1 dev ovly0 "${r[@]}"
	wait_for 2 "first owner" matches '^10.50.0.0/16 via 10.1.0.1 dev ovly0' table 230
	ip -n "$here" route replace 10.50.0.0/16 via 10.1.0.2 dev ovly0 "${r[@]}"
	wait_for 2 "second owner" matches '^10.50.0.0/16 via 10.1.0.2 dev ovly0' table 230
	ip -n "$here" route replace 10.50.0.0/16 via 10.1.0.3 dev ovly1 "${r[@]}"
	wait_for 2 "other device" matches '^10.50.0.0/16 via 10.1.0.3 dev ovly1' table 231
	wait_for 2 "and left the first" lacks 10.50.0.0 table 230
	# a next hop that nobody has: what was there leads to the wrong peer
	ip -n "$here" route replace 10.50.0.0/16 via 10.1.0.9 dev ovly1 "${r[@]}"
	wait_for 2 "nobody" lacks 10.50.0.0 table 231
	h peer add d dev ovly1 addr 10.1.0.9
	wait_for 3 "its peer comes" matches '^10.50.0.0/16 via 10.1.0.9 dev ovly1' table 231
}

test_bridge_names_what_the_limit_refuses() {
	defer clean
	sa 7 0x100
	updown up-client 7 "${good[@]}" --limit 2
	bridge_start
	stage add 10.1.0.0/16
	stage add 10.2.0.0/16
	wait_for 2 "up to the limit" installed 10.2.0.0/16
	stage add 10.3.0.0/16
	wait_for 2 "named" grep -q '10.3.0.0/16.*refused.*limit' "$OVLY_OUT/bridge.log"
	gone 10.3.0.0/16
	h peer set myconn limit 3
	wait_for 3 "the limit is raised" installed 10.3.0.0/16
}

test_bridge_survives_module_reload() {
	defer clean
	bridged
	bridge_start
	stage add 10.1.0.0/16
	wait_for 2 "arrives" installed 10.1.0.0/16
	clean
	unload_ovly
	wait_for 2 "noticed" grep -q 'module is gone' "$OVLY_OUT/bridge.log"
	load_ovly
	bridged
	stage add 10.1.0.0/16
	wait_for 3 "arrives again" installed 10.1.0.0/16
}

# routes N FILE: N lines that add a staged route, for ip -batch.
routes() {
	awk -v n="$1" -v hub="$HUB" 'BEGIN { for (i = 0; i < n; i++)
		printf "route add 20.%d.%d.%d/30 via %s dev ipsec0 proto bird metric 32 table 2220\n",
			i / 16384, i / 64 % 256, i % 64 * 4, hub }' >"$2"
}

test_bridge_many_routes_and_overrun() {
	defer clean
	bridged
	bridge_start
	local n=20000
	routes "$n" "$OVLY_OUT/batch"
	# stopped, the daemon misses notifications: the socket overruns
	kill -STOP "$BRIDGE"
	sed 's/add/del/' "$OVLY_OUT/batch" >"$OVLY_OUT/batch2"
	ip -n "$here" -batch "$OVLY_OUT/batch"
	ip -n "$here" -batch "$OVLY_OUT/batch2"
	ip -n "$here" -batch "$OVLY_OUT/batch"
	head -n 5000 "$OVLY_OUT/batch2" | ip -n "$here" -batch -
	kill -CONT "$BRIDGE"
	count() { [ "$(table 220 | grep -c '^20\.')" = $((n - 5000)) ]; }
	wait_for 60 "all routes are there" count
	grep -q 'lost to an overrun' "$OVLY_OUT/bridge.log" || fail "no overrun, nothing tested"
	note "$(cat "$OVLY_OUT/bridge.log")"
	stage add 10.9.0.0/16
	wait_for 5 "still follows" installed 10.9.0.0/16
}

test_bridge_memory_with_100000_routes() {
	defer clean
	bridged
	[ -z "${OVLY_SMALL:-}" ] || skip "100,000 routes take a slow kernel too long"
	local n=100000 peak part
	routes "$n" "$OVLY_OUT/batch"
	# "ip" itself takes memory for each line
	split -l 20000 "$OVLY_OUT/batch" "$OVLY_OUT/batch."
	for part in "$OVLY_OUT"/batch.*; do
		ip -n "$here" -batch "$part"
	done
	# reads and hands over all of them
	bridge_start 60
	owned() { [ "$(h dev list --json | jq '.[0]."routes-installed"')" -ge "$n" ]; }
	wait_for 60 "all routes are there" owned
	# and follows news about many of them
	head -n 5000 "$OVLY_OUT/batch" | sed 's/add/del/' | ip -n "$here" -batch -
	wait_for 60 "some have gone" never owned
	peak=$(awk '/VmHWM/ { print $2 }' "/proc/$BRIDGE/status")
	note "peak memory with $n routes: $peak kB; $(grep reconciled "$OVLY_OUT/bridge.log")"
	[ "$peak" -lt 65536 ] || fail "the bridge took $peak kB"
}

test_bridge_feeds_its_watchdog() {
	defer clean
	local dir sock log
	dir=$(mktemp -d)
	defer rm -r "$dir"
	sock=$dir/notify log=$dir/notified
	bridged
	# what systemd would listen on
	python3 - "$sock" "$log" <<-'LISTEN' &
		import socket, sys
		s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
		s.bind(sys.argv[1])
		while True:
		    data = s.recv(4096).decode()
		    open(sys.argv[2], "a").write(data + "\n")
	LISTEN
	defer kill $!
	wait_for 10 "somebody listens" [ -S "$sock" ]
	NOTIFY_SOCKET=$sock WATCHDOG_USEC=400000 bridge_start
	ready() { grep -q READY=1 "$log" && [ "$(grep -c WATCHDOG=1 "$log")" -ge 5 ]; }
	wait_for 10 "it says that it lives" ready
}

# shellcheck disable=SC2034 # run_cases reads it
CASES="
test_up_makes_everything_once	up makes device, address, peer and path; a repeat changes nothing
test_down_is_late_unknown_or_real	down: unknown, another's, replaced already, real
test_unique_ids_leave_nothing_behind	%unique ids: leftovers of a dead charon, reauthentication
test_leftover_on_another_device_makes_room	a leftover on another device or of another peer makes room
test_underlay_is_forgotten	an underlay that charon names no more is cleared
test_vrf_of_a_device_that_exists	a device that exists is put into the VRF
test_calls_take_turns	two updown calls take turns
test_refused_up_leaves_nothing_behind	a refused up leaves nothing behind
test_hub_peers_by_selector_and_by_id	a hub names peers by identity, finds addresses in selectors
test_dual_wan_switches_by_priority	two connections to one peer
test_bridge_follows_the_staging_table	bridge: add, withdraw, own address, other protocols
test_bridge_ipv6	bridge: IPv6
test_bridge_restart_flaps_nothing	bridge: killed and started again, no route flaps
test_bridge_waits_for_the_peer	bridge: routes before their peer
test_bridge_next_hop_moves_between_devices	bridge: next hops move between peers and devices
test_bridge_names_what_the_limit_refuses	bridge: the limit's refusals are named
test_bridge_many_routes_and_overrun	bridge: 20000 routes, notifications lost
test_bridge_memory_with_100000_routes	bridge: 100,000 routes in less than 64 MiB
test_bridge_feeds_its_watchdog	bridge: the service manager's watchdog is fed
test_bridge_survives_module_reload	bridge: module unloaded and loaded
"
run_cases "$@"
