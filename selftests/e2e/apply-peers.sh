#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# apply-peers.sh: "ovlyhelper apply" with two head-ends: several overlays and
# neighbours, one the other's backup, and what else is said of a peer; and IPv6.
#
#	branch --- [ wan ] --- hub   10.88.247.84  166.34.121.112
#	                  \--- hub2  10.88.247.85  166.34.121.113

# shellcheck source=selftests/e2e/setup.sh
. "$(dirname "$0")/setup.sh"
# shellcheck source=selftests/e2e/apply-setup.sh
. "$E2E/apply-setup.sh"

HUB2_WAN=10.88.247.85
HUB2_SYSTEM=166.34.121.113

suite_setup() {
	apply_setup
	node_new hub2
	wan_port hub2 wan0
	ip -n hub2 addr add $HUB2_WAN/27 dev wan0
	ip -n hub2 route add default via "$WAN_GW"
	dummy hub2 loop0 "$HUB2_SYSTEM/32" 81.81.81.1/32
	hub_in | sed -e "s/$HUB_SYSTEM/$HUB2_SYSTEM/" -e '/network 91/d' >"$WORK/hub2.in"
	fresh hub2
	conf hub2
	bird_start hub2
	bridge_start hub2
	charon_start hub2
}

# overlay_in NAME DEVICE MODE WAN-ADDRESS SYSTEM-ADDRESS
overlay_in() {
	cat <<-EOF
		secure-overlay $1
		  device $2
		  mode $3
		  local-bridge wan-br
		  local-system-ip-addr $BR_SYSTEM
		  local-system-ip-subnet 10.122.144.128/27
		  local-system-ip-subnet 192.168.1.0/24
		  remote-interface-ip-addr $4
		  remote-system-ip-addr $5
		  ike-cipher aes128-sha1-modp1536
		  esp-cipher aes128-sha1
		  psk local-psk @KEY@ remote-psk @KEY@
		!
	EOF
}

# two_in DEVICE1 DEVICE2 MODE: the branch with both head-ends.
two_in() {
	overlay_in hub1 "$1" "$3" "$HUB_WAN" "$HUB_SYSTEM"
	overlay_in hub2 "$2" "$3" "$HUB2_WAN" "$HUB2_SYSTEM"
	cat <<-EOF
		router bgp 200
		  neighbor $HUB_SYSTEM remote-as 65000
		  neighbor $HUB2_SYSTEM remote-as 65000
		  network 192.168.1.0/24
	EOF
}

restore_branch() { branch_in >"$WORK/branch.in"; }

peer_is() { matches "$2" peer_json branch "$1"; }
peer_is_not() { lacks "$2" peer_json branch "$1"; }

hubs_up() {
	conf hub
	conf hub2
	apply hub --force
	apply hub2 --force
}

test_two_head_ends_and_one_takes_over() {
	hubs_up
	two_in ovly0 ovly0 multipoint >"$WORK/branch.in"
	defer restore_branch
	conf branch '/^secure-overlay hub1/a backup-overlay hub2\npacket-mark 0x10\npacket-priority 5\nroute-limit 15 action disable'
	apply branch --force >"$WORK/said"
	matches "ovly0: add peer hub1 $HUB_SYSTEM, limit 15, limit-action disable, mark 16, priority 5" cat "$WORK/said"
	matches "ovly0: add peer hub2 $HUB2_SYSTEM\$" cat "$WORK/said"
	matches 'ovly0: set peer hub1 to backup hub2' cat "$WORK/said"
	peer_is hub1 '"backup": "hub2"'
	peer_is hub1 '"mark": 16'
	peer_is hub1 '"priority": 5'
	peer_is hub1 '"route-limit": 15'
	peer_is hub1 '"limit-action": "disable"'
	peer_is_not hub2 '"backup": "hub1"'
	wait_for 60 "routes of the first" has_route branch 91.91.91.0/24
	pings branch "$BR_SYSTEM" 81.81.81.1
	# only the first has this network; the other takes its packets all the same
	tunnel_down branch hub1
	wait_for 20 "the backup takes over" peer_is hub1 '"via-backup": true'
	has_route branch 91.91.91.0/24
	pings branch "$BR_SYSTEM" 81.81.81.1
}

test_word_that_is_taken_out_is_taken_from_the_peer() {
	hubs_up
	two_in ovly0 ovly0 multipoint >"$WORK/branch.in"
	defer restore_branch
	conf branch '/^secure-overlay hub2/a backup-overlay hub1\npacket-mark 7\non-down withdraw'
	apply branch --force
	peer_is hub2 '"backup": "hub1"'
	conf branch
	matches 'ovly0: set peer hub2 to on-down hold, mark 0, backup none' apply branch --dry-run
	apply branch
	peer_is hub2 '"mark": 0'
	peer_is hub2 '"on-down": "hold"'
	peer_is_not hub2 '"backup": "hub1"'
	matches 'nothing to change' apply branch
}

test_prefix_that_both_teach_is_multipath_if_told() {
	hubs_up
	two_in ovly0 ovly0 multipoint >"$WORK/branch.in"
	defer restore_branch
	conf branch 's/router bgp.*/&\n maximum-paths 2\n bgp graceful-restart/'
	apply branch --force
	wait_for 60 "both are its next hops" owners_are branch 81.81.81.1/32 "hub1 hub2"
	wait_for 60 "the first's own" owners_are branch 91.91.91.0/24 hub1
	pings branch "$BR_SYSTEM" 81.81.81.1
	# one goes, and what only the other has does not notice
	tunnel_down branch hub2
	pings branch "$BR_SYSTEM" 91.91.91.1
	conf branch
	apply branch
	wait_for 60 "one next hop again" matches '^hub[12]$' owners branch 81.81.81.1/32
}

# two devices, each with a table of its own: there is no rule for the second
test_overlays_on_two_devices() {
	hubs_up
	two_in ipsec0 ipsec1 p2p >"$WORK/branch.in"
	defer restore_branch
	conf branch "/^  device ipsec1/a table 221"
	apply branch --force
	matches 'ovly0: delete the device' cat "$WORK/branch/log/apply.out"
	matches '^hub1 ' node branch "$OVLYHELPER" show peers
	matches '^hub2 ' node branch "$OVLYHELPER" show peers
	wait_for 60 "the second's own address" has_route branch "$HUB2_SYSTEM" 221
	wait_for 60 "the first's networks" has_route branch 91.91.91.0/24
	# the second leaves, the first does not notice
	conf branch '/^secure-overlay hub2/,/^!$/d' "/neighbor $HUB2_SYSTEM/d"
	matches 'ipsec1: delete the device' apply branch
	same "" "$(table branch 221)" "table 221"
	pings branch "$BR_SYSTEM" 81.81.81.1
}

test_ipv6_inside() {
	hubs_up
	defer restore_branch
	dummy hub loop6 2001:db8:b::1/128 2001:db8:c::1/64
	branch_in >"$WORK/branch.in"
	conf branch "s/  local-system-ip-addr.*/&\n local-system-ip-addr 2001:db8:a::1\n local-system-ip-subnet 2001:db8:a::\/64/" \
		"s/  remote-system-ip-addr.*/&\n remote-system-ip-addr 2001:db8:b::1/" \
		"s/router bgp.*/&\n neighbor 2001:db8:b::1 remote-as 65000/"
	conf hub "s/  local-system-ip-addr.*/&\n local-system-ip-addr 2001:db8:b::1/" \
		"s/  remote-system-ip-addr.*/&\n remote-system-ip-addr 2001:db8:a::1\n remote-system-ip-subnet 2001:db8:a::\/64/" \
		"s/router bgp.*/&\n neighbor 2001:db8:a::1 remote-as 200\n network 2001:db8:c::\/64/"
	apply hub
	apply branch --force
	wait_for 60 "the IPv6 network by BGP" matches '^2001:db8:c::/64 dev ipsec0 proto bird' \
		ip -n branch -6 route show table 220
	wait_table branch 60 "$BR_TABLE"
	pings branch 2001:db8:a::1 2001:db8:c::1
	pings branch "$BR_SYSTEM" 81.81.81.1
	matches 'nothing to change' apply branch
	conf hub
	conf branch
	apply hub
	matches 'ipsec0: remove address 2001:db8:a::1' apply branch
	lacks 2001:db8 ip -n branch addr show
}

# the underlay's family is nobody's business inside
test_ipv6_outside() {
	defer restore_branch
	branch_in >"$WORK/branch.in"
	ip -n branch addr add 2001:db8:f::89/64 dev wan-br nodad
	defer ip -n branch addr del 2001:db8:f::89/64 dev wan-br
	ip -n hub addr add 2001:db8:f::84/64 dev wan0 nodad
	defer ip -n hub addr del 2001:db8:f::84/64 dev wan0
	conf branch "s/remote-interface-ip-addr.*/remote-interface-ip-addr 2001:db8:f::84/"
	conf hub "s/remote-interface-ip-addr.*/remote-interface-ip-addr 2001:db8:f::89/"
	apply hub --force
	apply branch --force
	matches '^  remote .* @ 2001:db8:f::84' node branch swanctl --list-sas
	same "throw 2001:db8:f::84 dev lo proto ovly metric 1 pref medium" \
		"$(ip -n branch -6 route show table 220)" "IPv6 table"
	wait_for 60 "the networks by BGP" has_route branch 91.91.91.0/24
	wait_for 60 "the other one" has_route branch 81.81.81.1
	pings branch "$BR_SYSTEM" 81.81.81.1
	pings hub 81.81.81.1 "$BR_SYSTEM"
}

# shellcheck disable=SC2034 # run_cases reads it
CASES="
test_two_head_ends_and_one_takes_over	two head-ends, and the second is the backup of the first
test_word_that_is_taken_out_is_taken_from_the_peer	a word that is taken out of the file is taken from the peer
test_prefix_that_both_teach_is_multipath_if_told	a prefix that both teach is one multipath route, if told
test_overlays_on_two_devices	two overlays on two devices, and one of them goes
test_ipv6_inside	IPv6 beside IPv4 inside, both by BGP
test_ipv6_outside	IPv4 inside IPv6
"
run_cases "$@"
