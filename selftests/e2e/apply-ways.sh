#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# apply-ways.sh: "ovlyhelper apply" with a second WAN, and with a learned address.

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

# shellcheck disable=SC2034 # run_cases reads it
CASES="
test_second_way_out_stands_by	a second way out stands by, takes over and goes again
test_learned_address_by_eap	EAP, and an overlay address that is learned
"
run_cases "$@"
