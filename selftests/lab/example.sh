#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# example.sh: tests the lab itself: the guest has what the scenarios need, and
# the helpers of lib.sh tell good from bad. Also the pattern for new scripts.

# shellcheck source=selftests/lib.sh
. "${OVLY_TOP:?}/selftests/lib.sh"

suite_setup() {
	setup_ns left right
	ip link add l0 netns "$left" type veth peer name r0 netns "$right"
	ip -n "$left" addr add 192.0.2.1/24 dev l0
	ip -n "$right" addr add 192.0.2.2/24 dev r0
	ip -n "$left" link set l0 up
	ip -n "$right" link set r0 up
}

test_daemons_are_installed() {
	local program
	for program in swanctl charon-systemd bird birdc vtysh tcpdump nft socat jq; do
		command -v "$program" || fail "the guest has no $program"
	done
	/usr/lib/ipsec/charon --version
	/usr/lib/frr/zebra --version | head -n 1
}

test_namespaces_reach_each_other() {
	wait_for 10 "a ping gets through" in_ns left ping -c 1 -W 1 192.0.2.2
}

test_failing_case_is_noticed() {
	local out
	# A wrong address must fail, and within its deadline.
	if out=$(wait_for 1 "no such host" in_ns left ping -c 1 -W 1 192.0.2.9); then
		fail "wait_for succeeded on a host that is not there"
	fi
	matches "not within [0-9]+ s" echo "$out"
}

CASES="
test_daemons_are_installed		the guest has strongSwan, BIRD, FRR and tools
test_namespaces_reach_each_other	two namespaces reach each other
test_failing_case_is_noticed		a condition that never holds fails the case
"
run_cases "$@"
