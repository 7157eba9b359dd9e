# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# branch-setup.sh: the reference scenario in steps: a branch with an ovly device
# in p2p mode, and a head-end made of other people's code only (strongSwan, FRR,
# an ordinary XFRM interface).
#
# Sourced after branch-node.sh; defines functions only.

BR_WAN=10.88.247.89
BR_SYSTEM=10.122.144.146
BR_SUBNET=10.122.144.128/27
BR_LAN=192.168.1.1
HUB_IF_ID=84

# Table 220 of the branch when all is well (scenario), in the kernel's order.
BR_TABLE="throw 10.88.247.84 proto ovly
10.122.144.128/27 dev ipsec0 proto bird scope link
81.81.81.1 dev ipsec0 proto bird scope link
91.91.91.0/24 dev ipsec0 proto bird scope link
166.34.121.112 dev ipsec0 scope link"

# branch_topo: namespaces and addresses.
branch_topo() {
	wan_new
	branch_wire branch $BR_WAN $BR_LAN/24
	hub_wire
	dummy hub loop0 "$HUB_SYSTEM/32" 81.81.81.1/32
	dummy hub port1 91.91.91.1/24
	ip -n hub link add xfrm0 type xfrm dev wan0 if_id $HUB_IF_ID
	# The head-end's tunnel: IP MTU 1400.
	ip -n hub link set xfrm0 mtu 1400 addrgenmode none up
}

# branch_config IF_ID: the branch's configuration files.
branch_config() { branch_files branch $BR_WAN "$BR_SYSTEM" $BR_SUBNET "$1"; }

# hub_config: the head-end's.
hub_config() {
	hub_strongswan_conf
	render hub-swanctl.conf.in "$WORK/hub/etc/swanctl/swanctl.conf" NAME=branch \
		LOCAL="$HUB_WAN" REMOTE=$BR_WAN SUBNET=$BR_SUBNET IF_ID=$HUB_IF_ID \
		PSK="$PSK" UPDOWN="# no updown: the interface is configured by hand"
	render hub-frr.conf.in "$WORK/hub/etc/frr/frr.conf" SUBNET=$BR_SUBNET
}

# hub_daemons: charon and FRR of the head-end.
hub_daemons() {
	charon_start hub
	frr_start hub
}

# branch_ready: daemons run, tunnel up, BGP established, table 220 as it should
# be. Every case starts so, whatever the one before it left behind.
branch_ready() {
	branch_daemons branch
	tunnel_up branch
	wait_for 20 "the peer is up" peer_state branch up
	wait_for 40 "BGP session established" bgp_up branch
	wait_table branch 20 "$BR_TABLE"
}
