#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# hub.sh: three branches against a head-end that itself runs ovly: one multipoint
# device in a VRF, three peers, if_id %unique, and FRR routing by next hop.

CASE_DEADLINE=${CASE_DEADLINE:-300}
# shellcheck source=selftests/e2e/setup.sh
. "$(dirname "$0")/setup.sh"
# shellcheck source=selftests/e2e/hub-setup.sh
. "$E2E/hub-setup.sh"

suite_setup() {
	setup_env
	load_ovly
	kernel_log_mark
	hub_topo
	hub_config
	capture_start run
	hub_daemons &
	local hub_pid=$! i
	for i in $BRANCHES; do
		branch_daemons "branch$i"
	done
	wait $hub_pid
}

test_one_device_carries_three_peers() {
	hub_ready
	local i ids
	same 1 "$(ip -n hub -o link show type ovly | wc -l)" "ovly devices on the hub"
	matches "master $VRF" ip -n hub link show ovly0
	lacks POINTOPOINT ip -n hub link show ovly0
	for i in $BRANCHES; do
		matches "branch$i\\b.*\\bup\\b" node hub "$OVLYHELPER" show peers
	done
	# %unique: every CHILD_SA has an if_id of its own.
	ids=$(node hub ip xfrm state | grep -o 'if_id 0x[0-9a-f]*' | sort -u)
	same 3 "$(wc -l <<<"$ids")" "interface ids on the hub ($ids)"
}

# The VRF's table is the device's: peers by ovly, their subnets by zebra through
# next hops that name the peers. No rule, no throw, no table 220 on the hub.
test_vrf_table_routes_by_next_hop() {
	hub_ready
	local i via
	for i in $BRANCHES; do
		via=$(br_system "$i")
		has_route hub "$via" "$VRF_TABLE" >/dev/null
		matches "^$(br_subnet "$i") (nhid [0-9]+ )?via $via dev ovly0 proto (static|196)" table hub "$VRF_TABLE"
	done
	same "" "$(table hub 220)" "table 220 of the hub"
	# charon's own rule for table 220 has no protocol.
	lacks 'lookup 220 proto' ip -n hub rule show
	lacks '^throw' ip -n hub route show table all
	matches ' 3 *$|Total number of neighbors 3' node hub vtysh -c "show bgp vrf $VRF summary"
}

test_hub_and_branches_reach_each_other() {
	hub_ready
	local i
	for i in $BRANCHES; do
		hub_pings "$i"
	done
}

# There is no tunnel between branches: one hop, the hub, must show in the TTL.
test_branch_to_branch_passes_through_hub() {
	hub_ready
	local from to out
	for from in $BRANCHES; do
		to=$((from % 3 + 1))
		pings "branch$from" "$(br_system "$from")" "$(br_system "$to")" 3
		out=$(node "branch$from" ping -n -c 2 -i 0.2 -W 5 -I "$(br_system "$from")" "$(br_system "$to")")
		matches 'ttl=63' echo "$out"
		# In and out of the same device, but there is no shorter way to tell of.
		lacks Redirect echo "$out"
	done
	head -c 5000000 /dev/urandom >"$WORK/blob"
	defer rm -f "$WORK/blob"
	tcp_copy branch1 "$(br_system 1)" branch2 "$(br_system 2)" "$WORK/blob"
}

# A new if_id on both ends, a new path at the hub; nobody else notices.
test_reauthentication_of_one_branch_is_unseen() {
	hub_ready
	local ids events early
	ids=$(node hub ip xfrm state | grep -o 'if_id 0x[0-9a-f]*' | sort -u)
	# What the hub sends on an SA that branch1 does not have yet: see rekey.sh.
	early=$(foreign_losses branch1)
	monitor_start hub
	ping_bg branch2 "$(br_system 2)" "$(br_system 3)"
	ping_bg branch1 "$(br_system 1)" 81.81.81.1
	replace_sa branch1 child --ike myconn --reauth
	pings branch1 "$(br_system 1)" 81.81.81.1 5
	ping_end branch1 $(($(foreign_losses branch1) - early))
	ping_end branch2
	events=$(table_events hub "$VRF_TABLE")
	same "" "$events" "events in the VRF's table"
	[ "$ids" != "$(node hub ip xfrm state | grep -o 'if_id 0x[0-9a-f]*' | sort -u)" ] ||
		fail "the hub's if_id did not change: $ids"
}

test_one_branch_down_others_unaffected() {
	hub_ready
	local one
	one=$(br_system 1)
	ping_bg branch2 "$(br_system 2)" "$(br_system 3)"
	tunnel_down branch1
	wait_for 5 "the hub has seen it" matches 'branch1\b.*\bdown\b' node hub "$OVLYHELPER" show peers
	# The sender is told, whoever it is, and nothing leaves in clear.
	capture_start dark
	refused branch1 "$one" 81.81.81.1
	drop_counters hub >"$WORK/drops.before"
	refused branch2 "$(br_system 2)" "$one" || fail "see the hub's counters: $(drop_counters hub | diff "$WORK/drops.before" -)"
	capture_stop dark
	same "" "$(capture_strangers dark)" "on the WAN"
	has_route hub "$one" "$VRF_TABLE"
	hub_pings 2
	hub_pings 3
	ping_end branch2
	hub_ready
	hub_pings 1
	pings branch2 "$(br_system 2)" "$one"
}

test_unload_leaves_nothing() {
	hub_ready
	local n
	unload_ovly
	for n in hub branch1 branch2 branch3; do
		same "" "$(left_behind "$n")" "left behind in $n"
		lacks 'dev (ovly0|ipsec0)' ip -n "$n" route show table all >/dev/null
	done
	lacks 'WARNING|BUG:|Oops|Call Trace|unregister_netdevice|suspicious' kernel_log_since >/dev/null
}

test_wan_capture_holds_esp_and_ike_only() {
	if [ -e /sys/module/ovly ]; then
		hub_ready
		tunnel_down branch1
	fi
	capture_stop run
	note "$(capture_count run 'ip proto 50') ESP packets, $(capture_count run 'udp port 500 or udp port 4500') IKE packets"
	(($(capture_count run 'ip proto 50') > 10)) || fail "hardly any ESP: is this the WAN?"
	same "" "$(capture_strangers run)" "on the WAN"
}

# shellcheck disable=SC2034 # run_cases reads it
CASES="
test_one_device_carries_three_peers	one multipoint device in a VRF carries three peers
test_vrf_table_routes_by_next_hop	the VRF's table: peers by ovly, subnets by zebra via the peers
test_hub_and_branches_reach_each_other	the hub and each branch reach each other
test_branch_to_branch_passes_through_hub	branch to branch passes through the hub, TCP intact
test_reauthentication_of_one_branch_is_unseen	reauthentication of one branch: nothing lost, no route touched
test_one_branch_down_others_unaffected	one branch terminates: refused, the others unaffected, back again
test_unload_leaves_nothing	rmmod leaves nothing in any namespace
test_wan_capture_holds_esp_and_ike_only	the WAN saw ESP and IKE only, over the whole run
"
run_cases "$@"
