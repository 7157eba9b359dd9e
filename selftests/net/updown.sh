#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# updown.sh: what a charon leaves behind or ends all at once, addresses on loan,
# and what updown says of a peer.  As charon calls it, without charon.

# shellcheck source=selftests/lib.sh
. "${OVLY_TOP:?}/selftests/lib.sh"
# shellcheck source=selftests/charon.sh
. "$OVLY_TOP/selftests/charon.sh"

HUB="166.34.121.112"

suite_setup() { charon_setup; }

addresses() { ip -n "$here" -o addr show dev ipsec0 scope global; }
paths() { h path list --json | jq -c '[.[]."if-id-in"]'; }
paths_are() { [ "$(paths)" = "$1" ]; }
peer() { h peer list --json | jq -r --arg name "$1" ".[] | select(.name == \$name) | $2"; }
sas() { ip -n "$here" xfrm state | grep -c '^src' || true; }

# ---- a charon that was killed --------------------------------------------------

test_if_id_of_a_killed_charon_is_free() {
	defer clean
	sa 7 0x100 192.0.2.3
	updown up-client 7 PLUTO_PEER=192.0.2.3 PLUTO_CONNECTION=old -- \
		--dev ovly0 --mode multipoint --system-addr 10.9.9.1
	# charon is killed: its SAs stay, and the ids start over
	connects() {
		sa 7 0x200
		updown up-client 7 -- --dev ovly0 --system-addr 10.9.9.2
	}
	as_new_charon connects
	same myconn "$(h path list --json | jq -r '.[]."peer-name"')" "whose path"
	same up "$(peer myconn .state)" "its state"
	same down "$(peer old .state)" "the old one's"
	# what was left would have carried the new peer's packets to the old one
	same 2 "$(sas)" "SAs"
	lacks 192.0.2.3 ip -n "$here" xfrm state
}

test_if_id_of_a_live_connection_is_not() {
	defer clean
	connects_twice() {
		sa 7 0x100 192.0.2.3
		updown up-client 7 PLUTO_PEER=192.0.2.3 PLUTO_CONNECTION=old -- \
			--dev ovly0 --mode multipoint --system-addr 10.9.9.1
		sa 7 0x200
		refused_up 'if-id 7.*peer .old.*its own if_id_in' 7 -- --dev ovly0 --system-addr 10.9.9.2
	}
	as_new_charon connects_twice
	same 4 "$(sas)" "SAs"
}

# set_clock SECONDS: so much ahead.
set_clock() { date -s "@$((CLOCK + $(cut -d. -f1 /proc/uptime) + $1))"; }

# vici: the socket that charon has open while it lives.
vici() {
	rm -f /run/charon.vici
	python3 -c 'import socket, time
s = socket.socket(socket.AF_UNIX)
s.bind("/run/charon.vici")
s.listen()
time.sleep(120)' &
	VICI=$!
	wait_for 10 "the vici socket is there" grep -q charon.vici /proc/net/unix
}

test_clock_that_is_set_makes_no_orphans() {
	local opts=(-- --dev ovly0 --system-addr "$HUB") CLOCK
	defer clean
	CLOCK=$(($(date +%s) - $(cut -d. -f1 /proc/uptime)))
	defer set_clock 0
	comes_again() {
		vici
		sa 7 0x100
		updown up-client 7 PLUTO_REQID=1 "${opts[@]}"
		sa 7 0x200
		updown up-client 7 PLUTO_REQID=2 "${opts[@]}"
		set_clock 3600
		sa 7 0x300
		updown up-client 7 PLUTO_REQID=2 "${opts[@]}"
		kill "$VICI"
		rm -f /run/charon.vici
	}
	as_new_charon comes_again
	same 6 "$(sas)" "SAs"
}

test_orphans_of_the_same_connection_do_not_hold_its_path() {
	defer clean
	sa 7 0x100
	updown up-client 7 -- --system-addr "$HUB"
	connects() {
		sa 7 0x200
		updown up-client 7 -- --system-addr "$HUB"
	}
	as_new_charon connects
	same 2 "$(sas)" "SAs"
	updown down-client 7 PLUTO_REQID=1 --
	same '[]' "$(paths)" "paths"
}

# ---- two CHILD_SAs under one if-id -----------------------------------------------

two_children() {
	sa 7 0x100 "$PEER_WAN" 1
	updown up-client 7 PLUTO_CONNECTION=one PLUTO_REQID=1 -- --peer hub --system-addr "$HUB"
	sa 7 0x200 "$PEER_WAN" 2
	updown up-client 7 PLUTO_CONNECTION=two PLUTO_REQID=2 -- --peer hub --system-addr "$HUB"
}

test_path_of_two_child_sas_ends_with_the_ike_sa() {
	defer clean
	two_children
	# charon calls for both, and then removes the SAs
	updown down-client 7 PLUTO_CONNECTION=one PLUTO_REQID=1 --
	updown down-client 7 PLUTO_CONNECTION=two PLUTO_REQID=2 --
	same '[7]' "$(paths)" "paths while the SAs are there"
	sa_del 0x100
	sa_del 0x200
	wait_for 5 "the path is gone" paths_are '[]'
	matches "^$HUB dev ipsec0" table
}

test_path_of_two_child_sas_outlives_either() {
	defer clean
	two_children
	updown down-client 7 PLUTO_CONNECTION=two PLUTO_REQID=2 --
	sa_del 0x200
	same up "$(peer hub .state)" "with one of two"
	updown down-client 7 PLUTO_CONNECTION=one PLUTO_REQID=1 --
	same '[]' "$(paths)" "paths after both"
}

test_down_does_not_keep_charon_waiting() {
	defer clean
	two_children
	# as charon does: read until nobody holds the pipe
	updown down-client 7 PLUTO_CONNECTION=two PLUTO_REQID=2 -- 2>&1 | cat
	# What still watches the other SA would have held it to its own end.
	pgrep -x ovlyhelper >/dev/null || fail "the pipe was held"
}

# ---- addresses -------------------------------------------------------------------

test_virtual_address_follows_what_charon_was_given() {
	defer clean
	sa 7 0x100
	updown up-client 7 PLUTO_MY_SOURCEIP4_1=10.5.0.1 PLUTO_MY_SOURCEIP6_1=2001:db8:5::1 \
		-- --system-addr "$HUB"
	matches 'inet 10.5.0.1' addresses
	updown up-client 7 PLUTO_MY_SOURCEIP4_1=10.5.0.2 PLUTO_MY_SOURCEIP6_1=2001:db8:5::1 \
		-- --system-addr "$HUB"
	matches 'inet 10.5.0.2' addresses
	lacks '10\.5\.0\.1' addresses
	matches '2001:db8:5::1/128' addresses
	# %unique: another id, and the old path goes later
	sa 8 0x200
	updown up-client 8 PLUTO_MY_SOURCEIP4_1=10.5.0.3 -- --system-addr "$HUB"
	matches '10\.5\.0\.2' addresses
	updown down-client 7 --
	lacks '10\.5\.0\.2' addresses
	matches 'inet 10.5.0.3' addresses
	lacks 2001:db8:5 addresses
}

test_virtual_address_goes_with_its_last_user() {
	defer clean
	local first second given=(PLUTO_MY_SOURCEIP4_1=10.5.0.1 PLUTO_MY_SOURCEIP6_1=2001:db8:5::1)
	for first in 7 8; do
		# two connections are given the same
		sa 7 0x100
		updown up-client 7 PLUTO_CONNECTION=c7 "${given[@]}" -- --peer hub --system-addr "$HUB"
		sa 8 0x200
		updown up-client 8 PLUTO_CONNECTION=c8 "${given[@]}" -- --peer hub --system-addr "$HUB"
		ip -n "$here" addr replace 10.6.0.1/32 dev ipsec0
		second=$((15 - first))
		updown down-client "$first" "PLUTO_CONNECTION=c$first" --
		sa_del "0x$((first - 6))00"
		matches 'inet 10.5.0.1' addresses
		matches 'inet6 2001:db8:5::1' addresses
		updown down-client "$second" "PLUTO_CONNECTION=c$second" --
		sa_del "0x$((second - 6))00"
		lacks '10\.5\.0\.1' addresses
		lacks 2001:db8:5 addresses
	done
	lacks 2001:db8:5 addresses
	# nobody's but the admin's
	matches 'inet 10.6.0.1' addresses
}

test_last_address_stays_while_there_are_routes() {
	defer clean
	sa 7 0x100
	updown up-client 7 PLUTO_MY_SOURCEIP4_1=10.5.0.1 -- --system-addr "$HUB"
	monitor_routes "$here" "$OVLY_OUT/routes"
	updown down-client 7 --
	matches 'inet 10.5.0.1' addresses
	matches "^$HUB dev ipsec0" table
	sa 8 0x200
	updown up-client 8 PLUTO_MY_SOURCEIP4_1=10.5.0.9 -- --system-addr "$HUB"
	lacks '10\.5\.0\.1' addresses
	lacks "Deleted $HUB" route_events "$here" "$OVLY_OUT/routes"
}

test_own_address_comes_behind_the_routes() {
	local before
	defer clean
	monitor_routes "$here" "$OVLY_OUT/routes" address rule
	sa 7 0x100
	updown up-client 7 -- --system-addr "$HUB" --local-addr 10.5.0.7
	# A daemon that waits for its address would send by the main table.
	before=$(route_events "$here" "$OVLY_OUT/routes" | sed '/inet 10\.5\.0\.7/q')
	matches 'inet 10\.5\.0\.7' echo "$before"
	matches "^$HUB dev ipsec0 table 220" echo "$before"
	matches 'lookup 220' echo "$before"
}

test_configured_address_stays() {
	defer clean
	sa 7 0x100
	updown up-client 7 PLUTO_MY_SOURCEIP4_1=10.5.0.1 -- --system-addr "$HUB" --local-addr 10.5.0.7
	lacks '10\.5\.0\.1' addresses
	updown down-client 7 --
	matches 'inet 10.5.0.7' addresses
}

# ---- what is said of the peer ------------------------------------------------------

test_settings_of_the_peer_are_taken_once() {
	defer clean
	local opts=(-- --dev ovly0 --mode multipoint --system-addr 10.9.9.1 --peer hub1 --backup hub2
		--limit 15 --limit-action disable --mark 0x42 --peer-priority 3 --priority 10)
	local log=$OVLY_OUT/settings marks
	sa 7 0x100
	updown up-client 7 "${opts[@]}"
	same "hub2 15 disable 66 3" "$(peer hub1 '"\(.backup) \(."route-limit") \(."limit-action") \(.mark) \(.priority)"')"
	same 10 "$(h path list --json | jq '.[].priority')" "the path's priority"
	# the other one of the pair comes later, and stands in for the first
	sa 8 0x200 192.0.2.3
	updown up-client 8 PLUTO_PEER=192.0.2.3 PLUTO_CONNECTION=second -- --dev ovly0 \
		--system-addr 10.9.9.2 --peer hub2 --backup hub1
	same "10.9.9.2 hub1" "$(peer hub2 '"\(.addr[0]) \(.backup)"')"
	ip netns exec "$here" ovlyhelper monitor >"$log" &
	defer kill $!
	wait_for 5 "the monitor listens" eval "h peer set hub2 dev ovly0 mark 1; grep -q peer-set '$log'"
	updown up-client 7 "${opts[@]}"
	marks=$(grep -c 'peer hub2' "$log")
	h peer set hub2 dev ovly0 mark 2
	wait_for 5 "the marker is seen" eval "[ \"\$(grep -c 'peer hub2' '$log')\" -gt $marks ]"
	lacks hub1 cat "$log"
	updown down-client 7 --
	same "down true" "$(peer hub1 '"\(.state) \(."via-backup")"')"
	matches '^hub1 +down +backup hub2' h show peers
	updown up-client 7 "${opts[@]}" --backup none
	same null "$(peer hub1 .backup)"
}

test_refused_up_takes_the_backups_name_back() {
	defer clean
	h dev add ovly0 mode multipoint up
	h peer add taken dev ovly0 addr 10.9.9.1
	sa 7 0x100
	refused_up 10.9.9.1 7 -- --dev ovly0 --system-addr 10.9.9.1 --backup other
	same taken "$(h peer list --json | jq -r '.[].name')" "peers"
	refused_up 'a backup needs --mode multipoint' 7 -- --system-addr 10.9.9.1 --backup other
}

# Its routes of that family, held since, would have no next hop.
test_family_of_a_peer_that_is_given_up_goes_with_its_routes() {
	local opts=(-- --dev ovly0 --mode multipoint --system-addr 10.9.9.1)
	defer clean
	sa 7 0x100
	updown up-client 7 PLUTO_PEER_CLIENT=10.44.0.0/24 "${opts[@]}" --system-addr fd09::1
	updown up-client 7 PLUTO_PEER_CLIENT=fd44::/64 "${opts[@]}" --system-addr fd09::1
	matches '^fd44::/64 via fd09::1' ip -n "$here" -6 route show table 220
	h route add fd45::/64 peer myconn dev ovly0 protocol bird
	updown down-client 7 PLUTO_PEER_CLIENT=10.44.0.0/24 --
	sa_del 0x100
	sa 8 0x101
	updown up-client 8 PLUTO_PEER_CLIENT=10.44.0.0/24 "${opts[@]}"
	same 10.9.9.1 "$(peer myconn '.addr | join(" ")')" "system addresses"
	lacks ovly0 ip -n "$here" -6 route show table 220
	matches '^10.44.0.0/24 via 10.9.9.1' table
	same up "$(peer myconn .state)" "its state"
}

# After a restart charon lends its addresses in the order in which peers come.
test_lent_address_goes_to_whom_it_is_lent_now() {
	local opts=(-- --dev ovly0 --mode multipoint --peer-from id)
	defer clean
	sa 7 0x100
	updown up-client 7 PLUTO_PEER_ID=a PLUTO_PEER_SOURCEIP4_1=10.5.0.1 PLUTO_PEER_CLIENT=10.5.0.1/32 "${opts[@]}"
	sa 8 0x101
	updown up-client 8 PLUTO_PEER_ID=b PLUTO_PEER_SOURCEIP4_1=10.5.0.2 PLUTO_PEER_CLIENT=10.5.0.2/32 "${opts[@]}"
	h route add 10.66.0.0/16 peer a dev ovly0 protocol bird
	# Not while the other one has it.
	sa 9 0x102
	refused_up '10.5.0.1' 9 PLUTO_PEER_ID=b PLUTO_PEER_SOURCEIP4_1=10.5.0.1 PLUTO_PEER_CLIENT=10.5.0.1/32 "${opts[@]}"
	updown down-client 7 PLUTO_PEER_ID=a PLUTO_PEER_SOURCEIP4_1=10.5.0.1 PLUTO_PEER_CLIENT=10.5.0.1/32 "${opts[@]}"
	updown down-client 8 PLUTO_PEER_ID=b PLUTO_PEER_SOURCEIP4_1=10.5.0.2 PLUTO_PEER_CLIENT=10.5.0.2/32 "${opts[@]}"
	sa_del 0x100
	sa_del 0x101
	updown up-client 9 PLUTO_PEER_ID=b PLUTO_PEER_SOURCEIP4_1=10.5.0.1 PLUTO_PEER_CLIENT=10.5.0.1/32 "${opts[@]}"
	same "b 10.5.0.1 up" "$(h peer list --json | jq -r '.[] | "\(.name) \(.addr[0]) \(.state)"')" "peers"
	sa 10 0x103
	updown up-client 10 PLUTO_PEER_ID=a PLUTO_PEER_SOURCEIP4_1=10.5.0.2 PLUTO_PEER_CLIENT=10.5.0.2/32 "${opts[@]}"
	same $'a 10.5.0.2 up\nb 10.5.0.1 up' "$(h peer list --json | jq -r '.[] | "\(.name) \(.addr[0]) \(.state)"' | sort)" "peers"
	lacks 10.66.0.0 table
	# What the other side says of itself takes nothing.
	updown down-client 10 PLUTO_PEER_ID=a PLUTO_PEER_SOURCEIP4_1=10.5.0.2 PLUTO_PEER_CLIENT=10.5.0.2/32 "${opts[@]}"
	sa_del 0x103
	sa 11 0x104
	refused_up '10.5.0.2' 11 PLUTO_PEER_ID=c PLUTO_PEER_CLIENT=10.5.0.2/32 "${opts[@]}"
}

# up_lent IF_ID SPI ID NUMBER
up_lent() {
	sa "$1" "$2"
	updown up-client "$1" PLUTO_PEER_ID="$3" PLUTO_PEER_SOURCEIP4_1="10.5.0.$4" \
		PLUTO_PEER_CLIENT="10.5.0.$4/32" -- --dev ovly0 --mode multipoint --peer-from id
}

test_lent_address_of_a_killed_charons_peer_is_free() {
	defer clean
	up_lent 7 0x100 a 1
	up_lent 8 0x101 b 2
	lends_anew() {
		up_lent 9 0x102 b 1
		up_lent 10 0x103 a 2
	}
	as_new_charon lends_anew
	same $'a 10.5.0.2 up\nb 10.5.0.1 up' \
		"$(h peer list --json | jq -r '.[] | "\(.name) \(.addr[0]) \(.state)"' | sort)" "peers"
}

test_long_identity_is_cut() {
	defer clean
	local id
	id=$(printf 'CN=%0300d' 1)
	sa 7 0x100
	updown up-client 7 PLUTO_PEER_ID="$id" -- --system-addr "$HUB"
	updown up-client 7 PLUTO_PEER_ID="$id" -- --system-addr "$HUB"
	matches '"remote-id": "CN=0+\.\.\.#[0-9a-f]{16}"' h path list --json
	refused_up 'cannot be the same' 8 PLUTO_PEER_ID="${id}2" -- --system-addr "$HUB"
}

# shellcheck disable=SC2034 # run_cases reads it
CASES="
test_if_id_of_a_killed_charon_is_free	an if-id that SAs of a killed charon hold is free
test_if_id_of_a_live_connection_is_not	an if-id that a live connection holds is refused
test_clock_that_is_set_makes_no_orphans		a clock that is set makes no SA one of a killed charon
test_orphans_of_the_same_connection_do_not_hold_its_path	SAs of a killed charon do not hold their connection's path
test_path_of_two_child_sas_ends_with_the_ike_sa	two CHILD_SAs of one if-id: the path ends with the IKE_SA
test_path_of_two_child_sas_outlives_either	two CHILD_SAs of one if-id: the path outlives either
test_down_does_not_keep_charon_waiting	a down that watches on does not keep charon waiting
test_virtual_address_follows_what_charon_was_given	a virtual address that changes leaves nothing behind
test_virtual_address_goes_with_its_last_user	a virtual address goes with its last user
test_last_address_stays_while_there_are_routes	the last IPv4 address stays while there are routes
test_own_address_comes_behind_the_routes	an own address comes behind the routes to the peer
test_configured_address_stays	a configured address stays
test_settings_of_the_peer_are_taken_once	backup, limit, mark and priority of a peer
test_refused_up_takes_the_backups_name_back	a refused up takes the backup's name back
test_family_of_a_peer_that_is_given_up_goes_with_its_routes	a family that a peer gives up goes with its routes
test_lent_address_goes_to_whom_it_is_lent_now	a lent address goes to whom it is lent now
test_lent_address_of_a_killed_charons_peer_is_free	a lent address of a killed charon's peer is free
test_long_identity_is_cut	a long identity is cut and told from others
"
run_cases "$@"
