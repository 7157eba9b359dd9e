# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# branch-node.sh: what any branch is made of: configuration files and daemons.
# The scenarios say how many there are and what is at the other end.
#
# Sourced after daemons.sh; defines functions only.

# A fresh key for this run; there is no secret in the source.
PSK=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')

# branch_files NODE WAN-ADDRESS SYSTEM-ADDRESS SUBNET IF_ID
branch_files() {
	local dir=$WORK/$1 updown

	updown="$OVLYHELPER updown --dev ipsec0 --mode p2p --peer myconn"
	updown="$updown --system-addr $HUB_SYSTEM --local-addr $3 --mtu 9196"
	render strongswan.conf.in "$dir/etc/strongswan.conf" FLEXVPN=yes LOG="$dir/log/charon.log"
	render branch-swanctl.conf.in "$dir/etc/swanctl/swanctl.conf" LOCAL="$2" \
		REMOTE="$HUB_WAN" SUBNET="$4" IF_ID="$5" PSK="$PSK" UPDOWN="$updown"
	render bird.conf.in "$dir/etc/bird.conf" LOG="$dir/log/bird.log" SYSTEM="$3" \
		HUB_SYSTEM="$HUB_SYSTEM" TABLE="bgp_table_${HUB_SYSTEM//./_}"
}

# branch_daemons NODE: starts what does not run yet. The tunnel stays down until
# somebody initiates it.
branch_daemons() {
	node_alive "$1" bird || bird_start "$1"
	node_alive "$1" bridge || bridge_start "$1"
	node_alive "$1" charon || charon_start "$1"
}

hub_strongswan_conf() {
	render strongswan.conf.in "$WORK/hub/etc/strongswan.conf" FLEXVPN=no \
		LOG="$WORK/hub/log/charon.log"
}
