# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# hub-setup.sh: three branches and a head-end that itself runs ovly: one
# multipoint device in a VRF carries all of them.
#
#	branch1 10.122.144.146 (.128/27)  10.88.247.89 --+
#	branch2 10.122.144.178 (.160/27)  10.88.247.90 --+-- [ wan ] -- hub, ovly0 in private-vrf
#	branch3 10.122.144.210 (.192/27)  10.88.247.91 --+
#
# Sourced after setup.sh; defines functions only.

VRF=private-vrf
VRF_TABLE=1000
BRANCHES="1 2 3"

br_wan() { echo "10.88.247.$((88 + $1))"; }
br_subnet() { echo "10.122.144.$((96 + 32 * $1))/27"; }
br_system() { echo "10.122.144.$((96 + 32 * $1 + 18))"; }

# Table 220 of every branch: its own subnet comes back as well, as it does from
# the reference's head-end.
HUB_BR_TABLE="throw 10.88.247.84 proto ovly
10.122.144.128/27 dev ipsec0 proto bird scope link
10.122.144.160/27 dev ipsec0 proto bird scope link
10.122.144.192/27 dev ipsec0 proto bird scope link
81.81.81.1 dev ipsec0 proto bird scope link
91.91.91.0/24 dev ipsec0 proto bird scope link
166.34.121.112 dev ipsec0 scope link"

hub_topo() {
	local i

	wan_new
	for i in $BRANCHES; do
		branch_wire "branch$i" "$(br_wan "$i")" "192.168.$i.1/24"
	done
	hub_wire
	ip -n hub link add "$VRF" type vrf table "$VRF_TABLE"
	ip -n hub link set "$VRF" up
	# Without it, what the VRF has no route for falls through to the main table
	# and leaves on the WAN in clear: BGP does, once the overlay device is gone.
	ip -n hub route add table $VRF_TABLE unreachable default metric 4278198272
	dummy hub loop0 "$HUB_SYSTEM/32" 81.81.81.1/32
	dummy hub port1 91.91.91.1/24
	ip -n hub link set loop0 master "$VRF"
	ip -n hub link set port1 master "$VRF"
}

# hub_updown: one line for all branches. The peer is named after the connection,
# and its overlay address is host 18 of its traffic selector. The subnet itself
# is left to FRR.
hub_updown() {
	echo "$OVLYHELPER updown --dev ovly0 --mode multipoint --vrf $VRF" \
		"--local-addr $HUB_SYSTEM --system-addr-from-ts 18 --no-route-ts --mtu 1400"
}

hub_config() {
	local i dir=$WORK/hub/etc/swanctl

	for i in $BRANCHES; do
		branch_files "branch$i" "$(br_wan "$i")" "$(br_system "$i")" "$(br_subnet "$i")" %unique
		render hub-swanctl.conf.in "$dir/branch$i.conf" NAME="branch$i" LOCAL="$HUB_WAN" \
			REMOTE="$(br_wan "$i")" SUBNET="$(br_subnet "$i")" IF_ID=%unique \
			PSK="$PSK" UPDOWN="updown = \"$(hub_updown)\""
	done
	echo "include branch*.conf" >"$dir/swanctl.conf"
	hub_strongswan_conf
	render hub-vrf-frr.conf.in "$WORK/hub/etc/frr/frr.conf"
}

# hub_daemons: those of the head-end.
hub_daemons() {
	node_alive hub charon || charon_start hub
	node_alive hub bgpd || frr_start hub
}

# hub_ready: all tunnels up, all sessions established, all tables right. Starts
# what does not run; the branches work at the same time.
hub_ready() {
	local i pids=()

	hub_daemons
	for i in $BRANCHES; do
		branch_up "$i" &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i"
	done
}

branch_up() {
	local n=branch$1

	branch_daemons "$n"
	tunnel_up "$n"
	wait_for 20 "$n: the peer is up" peer_state "$n" up
	wait_for 60 "$n: BGP session established" bgp_up "$n"
	wait_table "$n" 30 "$HUB_BR_TABLE"
}

# hub_pings I [COUNT]: from the hub's VRF to branch I and back.
hub_pings() {
	pings hub 81.81.81.1 "$(br_system "$1")" "${2:-3}" -I "$VRF"
	pings "branch$1" "$(br_system "$1")" 91.91.91.1 "${2:-3}"
}
