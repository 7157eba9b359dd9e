# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# branch-setup.sh: the reference scenario in steps: a branch with an ovly device
# in p2p mode, and a head-end made of other people's code only (strongSwan, FRR,
# an ordinary XFRM interface).
#
# Sourced after setup.sh; defines functions only.

BR_WAN=10.88.247.89
BR_SYSTEM=10.122.144.146
BR_SUBNET=10.122.144.128/27
BR_LAN=192.168.1.1
HUB_IF_ID=84
PSK=$(psk)

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
	dummy hub loop0 $HUB_SYSTEM/32 81.81.81.1/32
	dummy hub port1 91.91.91.1/24
	ip -n hub link add xfrm0 type xfrm dev wan0 if_id $HUB_IF_ID
	# The head-end's tunnel: IP MTU 1400.
	ip -n hub link set xfrm0 mtu 1400 addrgenmode none up
}

# branch_updown: the command line that charon runs on the branch.
branch_updown() {
	echo "$OVLYHELPER updown --dev ipsec0 --mode p2p --peer myconn" \
		"--system-addr $HUB_SYSTEM --local-addr $BR_SYSTEM --mtu 9196"
}

# branch_config [IF_ID]: all configuration files of both nodes.
branch_config() {
	local id=${1:-220} b=$WORK/branch h=$WORK/hub

	render strongswan.conf.in "$b/etc/strongswan.conf" FLEXVPN=yes LOG="$b/log/charon.log"
	render strongswan.conf.in "$h/etc/strongswan.conf" FLEXVPN=no LOG="$h/log/charon.log"
	render branch-swanctl.conf.in "$b/etc/swanctl/swanctl.conf" LOCAL=$BR_WAN \
		REMOTE=$HUB_WAN SUBNET=$BR_SUBNET IF_ID="$id" UPDOWN="$(branch_updown)" PSK="$PSK"
	render hub-swanctl.conf.in "$h/etc/swanctl/swanctl.conf" LOCAL=$HUB_WAN \
		REMOTE=$BR_WAN SUBNET=$BR_SUBNET IF_ID=$HUB_IF_ID PSK="$PSK"
	render bird.conf.in "$b/etc/bird.conf" LOG="$b/log/bird.log" SYSTEM=$BR_SYSTEM \
		HUB_SYSTEM=$HUB_SYSTEM TABLE=bgp_table_166_34_121_112
	render hub-frr.conf.in "$h/etc/frr/frr.conf" SUBNET=$BR_SUBNET
}

# branch_hub: the head-end's daemons, branch_daemons: the branch's. The tunnel
# stays down until somebody initiates it.
branch_hub() {
	charon_start hub
	frr_start hub
}

branch_daemons() {
	bird_start branch
	bridge_start branch
	charon_start branch
}

# branch_ready: tunnel up, BGP established, table 220 as it should be.
branch_ready() {
	tunnel_up branch
	wait_for 40 "BGP session established" bgp_up branch
	wait_table branch 20 "$BR_TABLE"
}
