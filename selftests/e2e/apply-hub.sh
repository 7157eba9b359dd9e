#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# apply-hub.sh: "ovlyhelper apply" on a head-end: what it waits for, a VRF and out of
# it again, and many branches by one block.

# shellcheck source=selftests/e2e/setup.sh
. "$(dirname "$0")/setup.sh"
# shellcheck source=selftests/e2e/apply-setup.sh
. "$E2E/apply-setup.sh"

VRF=private-vrf

suite_setup() { apply_setup; }

# in_vrf DEVICE..., not_in_vrf DEVICE...: the head-end's inner devices.
in_vrf() {
	local d

	for d; do
		ip -n hub link set "$d" master "$VRF"
	done
}

not_in_vrf() {
	local d

	for d; do
		ip -n hub link set "$d" nomaster
	done
}

test_branch_that_was_cut_off_is_waited_for() {
	both_up
	conf hub 's/psk local/esp-lifetime 7200\n&/'
	apply hub >"$WORK/said"
	matches 'strongSwan  ended connection branch1' cat "$WORK/said"
	matches 'head-end    ready for 1 overlay and 1 BGP session or range' cat "$WORK/said"
	matches 'branch1 +waiting for its branch to come back' cat "$WORK/said"
	matches 'branch1 +up after' cat "$WORK/said"
	matches 'head-end    1 of 1 overlays up' cat "$WORK/said"
	pings branch "$BR_SYSTEM" 81.81.81.1
}

test_branch_that_stays_away_is_told_with_its_reason() {
	both_up
	conf hub 's/local-psk [^ ]*/local-psk other/' 's/remote-psk .*/remote-psk other/' \
		's/psk local/esp-lifetime 7200\n&/'
	apply hub >"$WORK/said"
	matches 'branch1 +not back yet, its branch has to connect again' cat "$WORK/said"
	matches 'hint: remote-psk is not what the other end proves itself with' cat "$WORK/said"
	matches 'head-end    0 of 1 overlays up, others wait' cat "$WORK/said"
	both_up
}

test_what_a_head_end_lacks_is_told() {
	local rc=0

	both_up
	conf hub '/^router/Q'
	apply hub
	node_start hub squatter socat TCP4-LISTEN:179,fork,reuseaddr EXEC:true
	defer node_stop hub squatter
	wait_for 10 "port 179 is taken" matches . ip netns exec hub ss -Hltn 'sport = :179'
	conf hub
	apply hub --timeout 5 >"$WORK/said" || rc=$?
	same 1 "$rc" "exit status"
	matches 'the head-end is not ready: BIRD does not listen for 10.122.144.0/24 .*port 179' cat "$WORK/said"
	node_stop hub squatter
	both_up
}

test_strongswan_that_does_not_read_the_file_is_told() {
	both_up
	: >"$WORK/branch/etc/swanctl/swanctl.conf"
	! apply branch >"$WORK/said" || fail "it was loaded: $(cat "$WORK/said")"
	echo "include conf.d/*.conf" >"$WORK/branch/etc/swanctl/swanctl.conf"
	matches "strongSwan does not read .*/ovly.conf: .*include conf.d" cat "$WORK/said"
	both_up
}

test_vrf_and_out_of_it_again() {
	both_up
	ip -n hub link add "$VRF" type vrf table 1000
	defer ip -n hub link del "$VRF"
	ip -n hub link set "$VRF" up
	ip -n hub route add table 1000 unreachable default metric 4278198272
	in_vrf loop0 port1
	conf hub "s/role head-end/&\n vrf $VRF/"
	matches "ovly0: put it into VRF $VRF" apply hub
	wait_for 60 "the VRF has the branch's LAN" has_route hub 192.168.1.0/24 1000
	wait_for 60 "and the branch the hub's" has_route branch 81.81.81.1
	pings hub 81.81.81.1 192.168.1.1 3 -I "$VRF"
	pings branch "$BR_SYSTEM" 91.91.91.1
	matches 'nothing to change' apply hub
	not_in_vrf loop0 port1
	conf hub
	matches 'ovly0: take it out of its VRF' apply hub
	wait_for 60 "table 220 has the branch's LAN" has_route hub 192.168.1.0/24
	same "" "$(table hub 1000 | sed '/^unreachable default/d')" "the VRF's table"
	wait_for 60 "the branch has the hub's" has_route branch 81.81.81.1
	pings hub 81.81.81.1 192.168.1.1
	pings branch "$BR_SYSTEM" 91.91.91.1
	matches 'nothing to change' apply hub
}

# many_in NODE...: a head-end of one block for all, and one branch with its own.
many_in() {
	cat <<-EOF
		secure-overlay branches
		  role head-end
		  local-bridge wan0
		  local-system-ip-addr $HUB_SYSTEM
		  remote-interface-ip-addr any
		  remote-system-ip-host 18
		  remote-system-ip-subnet 10.122.144.0/24
		  ike-cipher aes128-sha1-modp1536
		  esp-cipher aes128-sha1
		  packet-mark 3
		  psk local-psk group-key remote-psk group-key
		secure-overlay special
		  role head-end
		  local-bridge wan0
		  local-system-ip-addr $HUB_SYSTEM
		  remote-interface-ip-addr any
		  remote-id special.example
		  remote-system-ip-addr $BR_SYSTEM
		  remote-system-ip-subnet 10.122.144.128/27
		  ike-cipher aes128-sha1-modp1536
		  esp-cipher aes128-sha1
		  packet-mark 7
		  route-limit 9 action disable
		  psk local-psk @KEY@ remote-psk @KEY@
		router bgp 65000
		  listen range 10.122.144.0/24 remote-as 200
		  neighbor $BR_SYSTEM import-limit 1 action block
		  network 81.81.81.1/32
		  network 91.91.91.0/24
	EOF
}

peer_is() { matches "$2" peer_json hub "$1"; }

test_many_branches_by_one_block_and_one_with_its_own() {
	both_up
	many_in | sed '/overlay special/,/psk local/d' >"$WORK/hub/etc/ovly.conf"
	conf branch '/192.168.1.0/d' 's/psk local-psk .*/psk local-psk group-key remote-psk group-key/'
	apply hub
	apply branch
	wait_for 60 "BGP" has_route branch 81.81.81.1
	pings branch "$BR_SYSTEM" 81.81.81.1
	wait_for 20 "a peer named after who came" peer_is "$BR_WAN" '"mark": 3'
	# another identity is another peer: the old one keeps the address until it goes
	many_in | sed "s/@KEY@/$KEY/g" >"$WORK/hub/etc/ovly.conf"
	apply hub >"$WORK/said"
	matches 'warning: whoever has the key' cat "$WORK/said"
	lacks 'add peer' cat "$WORK/said"
	node hub "$OVLYHELPER" peer del "$BR_WAN" dev ovly0
	matches "ovly0: add peer special $BR_SYSTEM, limit 9, limit-action disable, mark 7" apply hub
	conf branch '/192.168.1.0/d' 's/psk local-psk/local-id special.example\n&/'
	apply branch
	wait_for 20 "the peer of its own block" peer_is special '"mark": 7'
	peer_is special '"limit-action": "disable"'
	wait_for 60 "BGP" has_route branch 81.81.81.1
	pings branch "$BR_SYSTEM" 81.81.81.1
	matches 'Import limit: +1' birdc hub show protocols all bgp_10_122_144_146
	both_up
}

# shellcheck disable=SC2034 # run_cases reads it
CASES="
test_branch_that_was_cut_off_is_waited_for	a branch that a change has cut off is waited for
test_branch_that_stays_away_is_told_with_its_reason	one that stays away is told with charon's reason
test_what_a_head_end_lacks_is_told	a head-end whose BGP port is taken says so
test_strongswan_that_does_not_read_the_file_is_told	a strongSwan that does not read the file is told
test_vrf_and_out_of_it_again	into a VRF, and out of it again
test_many_branches_by_one_block_and_one_with_its_own	many branches by one block, and one with settings of its own
"
run_cases "$@"
