#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# underlay.sh: what outer packets travel on goes and comes, is in a VRF, or is not.

# shellcheck source=selftests/lib.sh
. "${OVLY_TOP:?}/selftests/lib.sh"
# shellcheck source=selftests/tunnel.sh
. "$OVLY_TOP/selftests/tunnel.sh"
# shellcheck source=selftests/table.sh
. "$OVLY_TOP/selftests/table.sh"

CASE_DEADLINE=$((300 * OVLY_SLOW))

on_hub() { ip -n "$hub" "$@"; }

suite_setup() {
	load_ovly
	wan_setup hub a
	overlay hub mode multipoint
	overlay a
	connect hub a 7
	on_hub link add public type vrf table 300
	on_hub link set public up
	pings hub "$(inner a)"
}

# bind LINK: the path takes this underlay.
bind() { helper hub path set 7 underlay "$1"; }

unbind() {
	in_ns hub ovlynl "do" path-set 'path{' if-id-in=7 underlay=0 '}'
}

flows() {
	wait_for 20 "the hub reaches a" pings hub "$(inner a)"
	pings hub "$(inner a 6)"
	wait_for 20 "a reaches the hub" pings a "$(inner hub)"
	pings a "$(inner hub 6)"
}

underlay_name() {
	helper hub path list --json | jq -r '.[] | select(.["if-id-in"] == 7) | .underlay'
}

underlay_index() {
	in_ns hub ovlynl dump path-get | sed -n 's/.* if-id-in=7 .*underlay=\([0-9]*\).*/\1/p'
}

index() { in_ns hub cat "/sys/class/net/$1/ifindex"; }

# lose, recreate: the hub's link goes, and comes back with another index.
lose() {
	defer home
	on_hub link del wan
	note "while it is away the path has underlay $(underlay_index)"
}

recreate() {
	# The old index is not to come back by chance.
	on_hub link add type dummy
	wan_attach hub 1
}

# home: after a case that did not get that far.
home() { on_hub link show wan >/dev/null 2>&1 || recreate; }

test_esp_flows_again_after_link_down_and_up() {
	bind wan
	defer unbind
	flows
	on_hub link set wan down
	unanswered hub "$(inner a)"
	on_hub link set wan up
	# IPv6 addresses went.
	on_hub addr replace 2001:db8::1/64 dev wan nodad
	flows
}

test_esp_flows_again_over_a_link_made_anew() {
	lose
	unanswered hub "$(inner a)"
	recreate
	flows
}

test_path_finds_its_underlay_again_by_name() {
	local before

	bind wan
	defer unbind
	before=$(index wan)
	same "$before" "$(underlay_index)" "underlay"
	lose
	same 4294967295 "$(underlay_index)" "underlay that is away"
	same wan "$(underlay_name)" "its name"
	unanswered hub "$(inner a)"
	recreate
	[ "$(index wan)" != "$before" ] || fail "the link has its old index"
	same "$(index wan)" "$(underlay_index)" "underlay that is back"
	flows
}

test_link_of_another_name_is_not_taken_for_the_underlay() {
	bind wan
	defer unbind
	lose
	on_hub link add wan9 type dummy
	on_hub link set wan9 up
	same 4294967295 "$(underlay_index)" "underlay that is away"
	# A name that was given later counts too.
	recreate
	on_hub link del wan9
	flows
}

test_underlay_that_is_renamed_stays_the_underlay() {
	bind wan
	defer unbind
	on_hub link set wan down
	on_hub link set wan name wan7
	on_hub link set wan7 up
	on_hub addr replace 2001:db8::1/64 dev wan7 nodad
	same "$(index wan7)" "$(underlay_index)" "underlay"
	flows
	on_hub link set wan7 down
	on_hub link set wan7 name wan
	on_hub link set wan up
	on_hub addr replace 2001:db8::1/64 dev wan nodad
	flows
}

# path_8 JQ: what the hub says of it.
path_8() { helper hub path list --json | jq -r ".[] | select(.[\"if-id-in\"] == 8) | $1"; }
path_8_is() { same "$2" "$(path_8 "$1")" "$1 of path 8"; }

sas_are_told_apart() {
	path_8_is '"\(.["sa-in"]) in, \(.["sa-out"]) out, to \(.endpoint)"' "1 in, 1 out, to $1"
}

# Of both SAs one end is the peer's and the other nobody's: a standby that takes an
# address over has its SAs before.
# The last case: the peer remembers its IPv6 endpoint, and the throw route stays.
test_sas_older_than_their_address() {
	sas_then_address 4 192.0.2.0/24
	# Addresses are not found to be unique at once; it is ours in any case.
	sas_then_address 6 2001:db8::/64
	on_hub addr replace 2001:db8::1/64 dev wan nodad
	flows
}

test_sas_are_told_apart_where_the_underlay_is_in_a_vrf() {
	to_vrf public
	defer to_vrf -
	sas_then_address 4 192.0.2.0/24
	sas_then_address 6 2001:db8::/64
}

# sas_then_address FAMILY SUBNET
sas_then_address() {
	local OUTER=$1

	on_hub addr flush dev wan to "$2"
	helper hub path add 8 peer a dev ov0
	sa_lines hub a 8 | ip_batch hub
	# None that would be an address of this host.
	path_8_is .endpoint null
	on_hub addr add "$(outer hub)/${2#*/}" dev wan
	wait_for 20 "the SAs are told apart" sas_are_told_apart "$(outer a)"
	no_sas hub 8
	helper hub path del 8
}

# to_vrf VRF: moves the underlay there; "-" takes it out.
to_vrf() {
	if [ "$1" = - ]; then
		on_hub link set wan nomaster
	else
		on_hub link set wan master "$1"
	fi
	on_hub addr replace 2001:db8::1/64 dev wan nodad
}

test_underlay_in_a_vrf() {
	to_vrf public
	defer to_vrf -
	bind wan
	defer unbind
	flows
	matches '192.0.2.0/24 dev wan' on_hub route show table 300
}

# Without the link the VRF has no way to the peer, and the one outside is not taken.
test_underlay_that_goes_leaves_its_vrf_to_nobody() {
	local f log=${CASE:?}

	to_vrf public
	bind wan
	defer unbind
	flows
	on_hub link add stray type dummy
	defer on_hub link del stray
	on_hub addr add 192.0.2.1/32 dev stray
	on_hub link set stray up
	for f in 4 6; do
		# As the kernel's vrf.rst says: else what is not found there is looked up in main.
		on_hub "-$f" route add unreachable default metric 4278198272 table 300
		defer on_hub "-$f" route del unreachable default metric 4278198272 table 300
		on_hub "-$f" route add default dev stray
	done
	lose
	sniff hub stray "$log" esp
	unanswered hub "$(inner a)"
	unanswered hub "$(inner a 6)"
	sniff_end "$log"
	same 0 "$(sniffed_count "$log")" "packets that left by another VRF"
}

test_underlay_goes_into_a_vrf_and_out_again() {
	bind wan
	defer unbind
	flows
	to_vrf public
	flows
	to_vrf -
	flows
}

test_device_and_underlay_in_vrfs_of_their_own() {
	on_hub link add private type vrf table 100
	on_hub link set private up
	on_hub link set ov0 master private
	on_hub addr replace "$(inner hub 6)/128" dev ov0 nodad
	to_vrf public
	bind wan
	settles hub 100
	holds hub 100 2
	pings hub "$(inner a)" -I private
	pings hub "$(inner a 6)" -I private
	pings a "$(inner hub)"
	pings a "$(inner hub 6)"
	unbind
	to_vrf -
	on_hub link del private
	on_hub addr replace "$(inner hub 6)/128" dev ov0 nodad
	settles hub
	flows
}

# told MTU: the hub learns that so much does not pass.
told() {
	local mtu

	mtu=$(in_ns hub ping -n -c 1 -W 1 -M 'do' -s 1380 "$(inner a)" 2>&1 | sed -n 's/.*mtu *= *\([0-9]*\).*/\1/p')
	note "a packet of 1408 bytes: MTU ${mtu:-unknown}"
	[ -n "$mtu" ] && [ "$mtu" -lt "$1" ] && echo "$mtu" >"$OVLY_OUT/mtu"
}

# Nodes of its own: a router is what tells a path MTU.
test_path_mtu_where_the_underlay_is_in_a_vrf() {
	local OUTER mtu

	for OUTER in 4 6; do
		wan_setup_routed hub a
		on_hub link add public type vrf table 300
		on_hub link set public up
		on_hub link set wan master public
		on_hub addr replace 2001:db8::1/128 dev wan nodad
		on_hub route replace default via 192.0.2.254 dev wan onlink table 300
		on_hub -6 route replace default via fe80::fe dev wan table 300
		overlay hub mode multipoint
		overlay a
		connect hub a 7
		bind wan
		flows
		ip -n "$wan" link set to-2 mtu 1400
		wait_for 20 "the path MTU is learnt" told 1400
		mtu=$(cat "$OVLY_OUT/mtu")
		pings hub "$(inner a)" -M 'do' -s $((mtu - 28))
		unanswered hub "$(inner a)" -M 'do' -s $((mtu - 27))
	done
}

test_default_route_through_the_overlay_leaves_outer_packets_alone() {
	helper hub route add 0.0.0.0/0 peer a
	defer helper hub route flush peer a
	helper hub route add 192.0.2.0/24 peer a
	settles hub
	flows
	on_hub link set wan down
	on_hub link set wan up
	on_hub addr replace 2001:db8::1/64 dev wan nodad
	flows
}

CASES="
test_esp_flows_again_after_link_down_and_up		ESP flows again after the underlay was down
test_esp_flows_again_over_a_link_made_anew		ESP flows again over an underlay made anew
test_path_finds_its_underlay_again_by_name		a path finds its underlay again by name
test_link_of_another_name_is_not_taken_for_the_underlay	a link of another name is not taken for the underlay
test_underlay_that_is_renamed_stays_the_underlay	an underlay that is renamed stays the underlay
test_underlay_in_a_vrf					an underlay in a VRF
test_underlay_that_goes_leaves_its_vrf_to_nobody	an underlay that goes leaves no way through another VRF
test_underlay_goes_into_a_vrf_and_out_again		an underlay goes into a VRF and out again
test_device_and_underlay_in_vrfs_of_their_own		device and underlay in VRFs of their own
test_path_mtu_where_the_underlay_is_in_a_vrf		the path MTU is learnt where the underlay is in a VRF
test_default_route_through_the_overlay_leaves_outer_packets_alone	a default route through the overlay leaves outer packets alone
test_sas_are_told_apart_where_the_underlay_is_in_a_vrf	SAs are told apart where the underlay is in a VRF
test_sas_older_than_their_address			SAs that are older than the address they start from
"
run_cases "$@"
