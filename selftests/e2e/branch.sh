#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# branch.sh: the reference scenario end to end. A branch (strongSwan, BIRD 2,
# ovly in p2p mode on ipsec0) and a head-end made of other people's code only
# (strongSwan, FRR, an ordinary XFRM interface).

CASE_DEADLINE=${CASE_DEADLINE:-300}
# shellcheck source=selftests/e2e/setup.sh
. "$(dirname "$0")/setup.sh"
# shellcheck source=selftests/e2e/branch-setup.sh
. "$E2E/branch-setup.sh"
# shellcheck source=selftests/e2e/bad-input.sh
. "$E2E/bad-input.sh"

suite_setup() {
	setup_env
	load_ovly
	kernel_log_mark
	branch_topo
	branch_config 220
	hub_config
	capture_proof
	# From before there is a tunnel until the last case.
	capture_start run
	# Both ends at once: most of it is waiting for an emulated CPU.
	hub_daemons &
	local hub_pid=$!
	branch_daemons branch
	wait $hub_pid
}

# The tunnel, what it looks like, what it carries ------------------------------

test_tunnel_up_shows_secure_overlay() {
	branch_ready
	same "\
name myconn
state up
active-local-bridge wan-br
selected-local-bridge wan-br
active-local-system-ip-addr 10.122.144.146
active-remote-interface-ip-addr 10.88.247.84
active-remote-system-ip-addr 166.34.121.112
active-remote-system-ip-subnet 166.34.121.112/32
active-remote-id 10.88.247.84" \
		"$(node branch "$OVLYHELPER" show secure-overlay | tr -s ' ')" "show secure-overlay"
}

test_device_up_is_pointopoint() {
	branch_ready
	local link addr flag
	link=$(ip -n branch link show ipsec0)
	addr=$(ip -n branch -o -4 addr show ipsec0)
	for flag in UP POINTOPOINT NOARP LOWER_UP; do
		matches "<([A-Z_]+,)*${flag}[,>]" echo "$link"
	done
	matches ' mtu 9196 ' echo "$link"
	# iproute2 prints a peer that equals the address as the plain address.
	matches 'inet 10\.122\.144\.146(/32| peer 10\.122\.144\.146/32) ' echo "$addr"
	same 1 "$(node branch cat /sys/class/net/ipsec0/carrier)" "carrier"
}

test_table_220_reads_as_reference() {
	branch_ready
	same "$BR_TABLE" "$(table branch)" "table 220"
	# charon may have a rule of its own there, which it takes away when it ends:
	# the module must not rely on it.
	matches '^220:.*from all lookup 220 proto (220|ovly)' ip -n branch rule show
	matches 'router-id +10\.122\.144\.146' node branch "$OVLYHELPER" show bgp
	local p
	for p in 81.81.81.1/32 91.91.91.0/24 10.122.144.128/27 166.34.121.112/32; do
		matches "$p +166\.34\.121\.112 +0 +100 +65000 \?" node branch "$OVLYHELPER" show bgp routes
	done
}

test_prefix_withdrawn_leaves_table() {
	branch_ready
	ip -n hub addr del 91.91.91.1/24 dev port1
	defer ip -n hub addr replace 91.91.91.1/24 dev port1
	wait_for 5 "the withdrawn prefix left table 220" no_route branch 91.91.91.0/24
	has_route branch 81.81.81.1
	ip -n hub addr add 91.91.91.1/24 dev port1
	wait_for 5 "the prefix is back" has_route branch 91.91.91.0/24
	wait_table branch 5 "$BR_TABLE"
}

test_ping_both_ways() {
	branch_ready
	local before after
	before=$(node branch cat /sys/class/net/ipsec0/statistics/{rx,tx}_packets)
	pings hub 81.81.81.1 "$BR_SYSTEM" 5
	pings branch "$BR_SYSTEM" 81.81.81.1 5
	pings branch "$BR_SYSTEM" 91.91.91.1 5
	pings branch "$BR_SYSTEM" "$HUB_SYSTEM" 5
	after=$(node branch cat /sys/class/net/ipsec0/statistics/{rx,tx}_packets)
	note "rx and tx packets: $before, then $after"
	((${after%%$'\n'*} >= ${before%%$'\n'*} + 20)) || fail "RX counter did not grow"
	((${after##*$'\n'} >= ${before##*$'\n'} + 20)) || fail "TX counter did not grow"
	# Larger than the WAN's MTU: in fragments, or with DF the sender is told.
	pings branch "$BR_SYSTEM" 81.81.81.1 3 -s 4000 -M dont
	pings hub 81.81.81.1 "$BR_SYSTEM" 3 -s 4000 -M dont
	matches 'Frag needed|too long' said node branch ping -n -c 2 -i 0.1 -W 2 -s 4000 -I "$BR_SYSTEM" \
		-M "do" 81.81.81.1
}

# The LAN's addresses are outside the traffic selector: no SA may carry them,
# and they must not leave beside it.
test_source_outside_selector_is_refused() {
	branch_ready
	capture_start selector
	refused branch "$BR_LAN" 81.81.81.1
	capture_stop selector
	same "" "$(capture_strangers selector)" "on the WAN"
}

# tcp_both_ways MTU: 20 MB each way over an underlay of 1500.
tcp_both_ways() {
	branch_ready
	head -c 20000000 /dev/urandom >"$WORK/blob"
	defer rm -f "$WORK/blob"
	ip -n branch link set ipsec0 mtu "$1"
	defer ip -n branch link set ipsec0 mtu 9196
	ip -n hub link set xfrm0 mtu "$1"
	defer ip -n hub link set xfrm0 mtu 1400
	tcp_copy branch "$BR_SYSTEM" hub 81.81.81.1 "$WORK/blob"
	tcp_copy hub 81.81.81.1 branch "$BR_SYSTEM" "$WORK/blob"
}

test_tcp_mtu_9196_is_intact() { tcp_both_ways 9196; }
test_tcp_mtu_1400_is_intact() { tcp_both_ways 1400; }

# Routes that would swallow the tunnel -----------------------------------------

# The hub advertises the WAN subnet, on which the ESP packets themselves
# travel, and then everything. IKE has to get out as well, not just ESP.
test_wan_subnet_and_default_learned_tunnel_stays() {
	local bgp=("router bgp 65000" "address-family ipv4 unicast")
	branch_ready
	ping_bg branch "$BR_SYSTEM" 81.81.81.1
	frr_conf hub "no route-map PRIVATE deny 10"
	defer frr_conf hub "route-map PRIVATE deny 10" "match interface wan0"
	wait_for 15 "the WAN subnet arrives" has_route branch 10.88.247.64/27
	pings branch "$BR_SYSTEM" 81.81.81.1 5
	replace_sa branch child --child myconn
	frr_conf hub "${bgp[@]}" "neighbor uCPEs default-originate"
	defer frr_conf hub "${bgp[@]}" "no neighbor uCPEs default-originate"
	wait_for 15 "the default route arrives" has_route branch default
	pings branch "$BR_SYSTEM" 91.91.91.1 5
	replace_sa branch child --child myconn
	ping_end branch
	frr_conf hub "${bgp[@]}" "no neighbor uCPEs default-originate"
	frr_conf hub "route-map PRIVATE deny 10" "match interface wan0"
	wait_table branch 15 "$BR_TABLE"
}

# New keys ---------------------------------------------------------------------

test_child_rekey_loses_nothing() {
	branch_ready
	rekey_case branch "$BR_SYSTEM" 81.81.81.1 child --child myconn
}

test_ike_rekey_loses_nothing() {
	branch_ready
	rekey_case branch "$BR_SYSTEM" 81.81.81.1 ike --ike myconn
}

test_reauthentication_loses_nothing() {
	branch_ready
	rekey_case branch "$BR_SYSTEM" 81.81.81.1 child --ike myconn --reauth
}

# With %unique every CHILD_SA comes under an if_id of its own, so
# reauthentication is a new path and the end of the old one.
test_unique_if_id_follows_reauthentication() {
	branch_ready
	tunnel_down branch
	branch_config %unique
	charon_load branch
	defer charon_load branch
	defer branch_config 220
	defer tunnel_down branch
	tunnel_up branch
	lacks 'if_id 0xdc' ip -n branch xfrm state
	matches 'if_id 0x' ip -n branch xfrm state
	wait_table branch 20 "$BR_TABLE"
	rekey_case branch "$BR_SYSTEM" 81.81.81.1 child --ike myconn --reauth
	rekey_case branch "$BR_SYSTEM" 81.81.81.1 child --child myconn
}

# Down, and what must not leak then ----------------------------------------------

# branch_dark: the peer is down: routes stay and refuse, nothing is on the WAN.
branch_dark() {
	local dst

	wait_for 5 "the peer is down" peer_state branch down
	wait_for 20 "the head-end knows" lacks 'proto esp' ip -n hub xfrm state
	capture_start dark
	for dst in 81.81.81.1 91.91.91.1 "$HUB_SYSTEM"; do
		refused branch "$BR_SYSTEM" "$dst"
	done
	capture_stop dark
	same "" "$(capture_strangers dark)" "on the WAN"
	same 0 "$(capture_count dark 'ip proto 50')" "ESP packets"
	same "$BR_TABLE" "$(table branch)" "table 220"
}

# branch_lit: everything works again.
branch_lit() {
	branch_ready
	wait_for 5 "the peer is up" peer_state branch up
	pings branch "$BR_SYSTEM" 81.81.81.1
	pings hub 81.81.81.1 "$BR_SYSTEM"
}

test_terminate_fails_closed_initiate_restores() {
	branch_ready
	tunnel_down branch
	branch_dark
	branch_lit
}

test_charon_restart_converges() {
	branch_ready
	node_stop branch charon
	branch_dark
	charon_start branch
	branch_lit
}

# SIGKILL leaves SAs and policies in the kernel, and nobody called "down".
test_charon_killed_converges() {
	branch_ready
	node_stop branch charon KILL
	# What it left goes at the end, or a later "down" would find the path alive.
	defer ip -n branch xfrm state flush
	defer ip -n branch xfrm policy flush
	defer tunnel_down branch
	pings branch "$BR_SYSTEM" 81.81.81.1
	charon_start branch
	branch_lit
}

# Leaving ------------------------------------------------------------------------

# gone: no trace of the module in either namespace, nor in the kernel's log.
gone() {
	same "" "$(left_behind branch)" "left behind in the branch"
	same "" "$(left_behind hub)" "left behind in the hub"
	# BIRD's staging table is BIRD's own; its device is gone, so are its routes.
	lacks 'dev ipsec0' ip -n branch route show table all >/dev/null
	lacks 'WARNING|BUG:|Oops|Call Trace|unregister_netdevice|suspicious' kernel_log_since >/dev/null
}

test_unload_with_devices_leaves_nothing() {
	branch_ready
	unload_ovly
	gone
}

test_unload_after_devices_leaves_nothing() {
	load_ovly
	tunnel_down branch || true
	branch_lit
	ip -n branch link del ipsec0
	same "" "$(left_behind branch)" "left behind by the device"
	unload_ovly
	gone
}

# The capture of the whole run -----------------------------------------------------

test_wan_capture_holds_esp_and_ike_only() {
	if [ -e /sys/module/ovly ]; then
		branch_lit
		tunnel_down branch
	fi
	capture_stop run
	note "$(capture_count run 'ip proto 50') ESP packets, $(capture_count run 'udp port 500 or udp port 4500') IKE packets"
	(($(capture_count run 'ip proto 50') > 10)) || fail "hardly any ESP: is this the WAN?"
	(($(capture_count run 'udp port 500 or udp port 4500') > 3)) || fail "no IKE: did the capture start too late?"
	same "" "$(capture_strangers run)" "on the WAN"
}

# shellcheck disable=SC2034 # run_cases reads it
CASES="
test_tunnel_up_shows_secure_overlay	tunnel comes up, show secure-overlay has the reference's fields
test_device_up_is_pointopoint	ipsec0 is UP,POINTOPOINT,RUNNING,NOARP with its address and mtu 9196
test_table_220_reads_as_reference	BGP routes arrive, table 220 reads as in the reference, plus the throw
test_prefix_withdrawn_leaves_table	a prefix withdrawn on the hub leaves table 220 at once
test_ping_both_ways	pings from 81.81.81.1 to 10.122.144.146 and back, small and fragmented
test_source_outside_selector_is_refused	a LAN source that no SA covers is refused, not sent in clear
test_tcp_mtu_9196_is_intact	TCP carries 20 MB intact both ways, device MTU 9196
test_tcp_mtu_1400_is_intact	TCP carries 20 MB intact both ways, device MTU 1400
test_wan_subnet_and_default_learned_tunnel_stays	the hub teaches its WAN subnet and a default route, the tunnel stays
test_child_rekey_loses_nothing	CHILD rekey: no packet lost, no route touched
test_ike_rekey_loses_nothing	IKE rekey: no packet lost, no route touched
test_reauthentication_loses_nothing	reauthentication: no packet lost, no route touched
test_unique_if_id_follows_reauthentication	if_id %unique: the same under changing ids
test_terminate_fails_closed_initiate_restores	terminate: unreachable, nothing in clear; initiate restores
test_charon_restart_converges	charon restarted: dark meanwhile, all back after
test_charon_killed_converges	charon killed: traffic goes on, all back after
$BAD_INPUT_CASES
test_unload_with_devices_leaves_nothing	rmmod under a working tunnel leaves nothing
test_unload_after_devices_leaves_nothing	device deleted, rmmod: nothing left, and it all works once more before
test_wan_capture_holds_esp_and_ike_only	the WAN saw ESP and IKE only, over the whole run
"
run_cases "$@"
