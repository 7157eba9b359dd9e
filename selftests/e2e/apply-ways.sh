#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# apply-ways.sh: "ovlyhelper apply" with a second WAN, with learned addresses, and
# with what is said of a BGP neighbour.

# shellcheck source=selftests/e2e/setup.sh
. "$(dirname "$0")/setup.sh"
# shellcheck source=selftests/e2e/apply-setup.sh
. "$E2E/apply-setup.sh"

suite_setup() { apply_setup; }

test_second_way_out_stands_by() {
	both_up
	conf branch 's/local-bridge wan-br/&\ndual-local-bridge wan2-br/'
	matches "warning: device 'wan2-br' has no IPv4 address" apply branch
	ip -n branch addr add "$BR_WAN2/32" dev wan2-br
	defer ip -n branch addr del "$BR_WAN2/32" dev wan2-br
	conf hub "s/remote-interface-ip-addr $BR_WAN/&\ndual-remote-interface-ip-addr $BR_WAN2/"
	ip -n hub route replace "$BR_WAN2" via "$BR_WAN"
	apply hub
	apply branch
	wait_for 60 "both paths are there" matches '^myconn-dual' sa_names branch
	matches "peer-name.*myconn" node branch "$OVLYHELPER" path list json
	pings branch "$BR_SYSTEM" 81.81.81.1
	tunnel_down branch myconn
	matches "$BR_WAN2" node branch ip xfrm state
	pings branch "$BR_SYSTEM" 81.81.81.1
	pings hub 81.81.81.1 "$BR_SYSTEM"
	both_up
	lacks 'myconn-dual' sa_names branch
}

test_learned_address_by_eap() {
	both_up
	conf hub 's/remote-system-ip-addr.*/address-pool 10.122.144.160\/27/' '/remote-system-ip-subnet/d' \
		's/psk local-psk .*/eap username alice password secret local-psk @KEY@/' "s/@KEY@/$KEY/"
	conf branch '/local-system-ip/d' '/network 192/d' 's/psk local-psk .*/eap username alice password secret remote-psk @KEY@/' \
		"s/@KEY@/$KEY/" "s/router-id.*/router-id $BR_SYSTEM/"
	apply hub
	apply branch
	matches '10\.122\.144\.1[67]' ip -n branch addr show dev ipsec0
	wait_for 60 "BGP from the learned address" has_route branch 81.81.81.1
	pings branch ipsec0 81.81.81.1
	both_up
	lacks '10\.122\.144\.1[67]' ip -n branch addr show dev ipsec0
}

test_learned_remote_address_and_subnet() {
	both_up
	conf hub "s/local-system-ip-addr.*/&\n local-system-ip-subnet $HUB_SYSTEM\/32/"
	conf branch '/remote-system-ip-addr/d'
	apply hub
	apply branch
	matches "^active-remote-system-ip-addr +$HUB_SYSTEM\$" node branch "$OVLYHELPER" show secure-overlay
	matches "^active-remote-system-ip-subnet +$HUB_SYSTEM/32\$" node branch "$OVLYHELPER" show secure-overlay
	has_route branch "$HUB_SYSTEM"
	pings branch "$BR_SYSTEM" "$HUB_SYSTEM"
	wait_for 60 "BGP through it" has_route branch 81.81.81.1
	both_up
}

bgp_is() { matches "$1" birdc branch show protocols all bgp_166_34_121_112; }

test_timers_and_import_limit_of_a_neighbor() {
	both_up
	bgp_is 'Hold timer: .*/240'
	bgp_is 'Keepalive timer: .*/80'
	bgp_is 'Import limit: +15'
	conf branch "s/neighbor.*/&\n neighbor $HUB_SYSTEM timers 7 21\n neighbor $HUB_SYSTEM import-limit 1 action disable/"
	apply branch
	wait_for 60 "the session ends at the second route" bgp_is 'Import limit exceeded|Route limit exceeded'
	wait_for 60 "its routes go" no_route branch 81.81.81.1
	conf branch "s/neighbor.*/&\n neighbor $HUB_SYSTEM timers 7 21\n neighbor $HUB_SYSTEM import-limit 2/"
	apply branch
	birdc branch enable bgp_166_34_121_112
	wait_for 60 "two routes are taken" has_route branch 81.81.81.1
	bgp_is 'Hold timer: .*/21'
	bgp_is 'Keepalive timer: .*/7'
	both_up
}

# shellcheck disable=SC2034 # run_cases reads it
CASES="
test_second_way_out_stands_by	a second way out stands by, takes over and goes again
test_learned_address_by_eap	EAP, and an overlay address that is learned
test_learned_remote_address_and_subnet	the head-end's address and subnet are learned
test_timers_and_import_limit_of_a_neighbor	timers of a neighbour, and its import limit disables the session
"
run_cases "$@"
