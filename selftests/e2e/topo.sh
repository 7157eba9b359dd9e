# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# topo.sh: the wires. A WAN segment (a bridge in namespace "wan" that is also
# the gateway 10.88.247.65) and nodes on it. All underlay links have MTU 1500.
#
#	branch --- wan-br            wan-sw            wan0 --- hub
#	192.168.1.1/24     \      10.88.247.65       /     81.81.81.1, 91.91.91.1/24
#	10.122.144.146      +--------[ wan ]--------+      166.34.121.112
#
# Sourced after node.sh; defines functions only, for use under set -e.

WAN_GW=10.88.247.65
HUB_WAN=10.88.247.84
# shellcheck disable=SC2034 # the scenarios use it
HUB_SYSTEM=166.34.121.112

wan_new() {
	node_new wan
	ip -n wan link add wan-sw type bridge
	# No IPv6 noise on the WAN; the outer family of the scenario is IPv4.
	ip -n wan link set wan-sw addrgenmode none up
	ip -n wan addr add $WAN_GW/27 dev wan-sw
}

# wan_port NODE IFNAME: a cable from the node's IFNAME to the switch.
wan_port() {
	ip -n wan link add "p-$1" type veth peer name "$2" netns "$1"
	ip -n wan link set "p-$1" master wan-sw addrgenmode none up
	ip -n "$1" link set "$2" addrgenmode none up
}

# dummy NODE IFNAME ADDRESS...: a port that leads nowhere.
dummy() {
	local n=$1 dev=$2 a

	shift 2
	ip -n "$n" link add "$dev" type dummy
	ip -n "$n" link set "$dev" addrgenmode none up
	for a; do
		ip -n "$n" addr add "$a" dev "$dev"
	done
}

# branch_wire NAME WAN-ADDRESS LAN-ADDRESS: wan-br is a bridge there, as on the
# reference's uCPE.
branch_wire() {
	node_new "$1"
	ip -n "$1" link add wan-br type bridge
	ip -n "$1" link set wan-br addrgenmode none up
	wan_port "$1" wan0
	ip -n "$1" link set wan0 master wan-br
	ip -n "$1" addr add "$2/27" dev wan-br
	ip -n "$1" route add default via $WAN_GW
	dummy "$1" lan-br "$3"
}

# hub_wire: the head-end's WAN side only.
hub_wire() {
	node_new hub
	wan_port hub wan0
	ip -n hub addr add $HUB_WAN/27 dev wan0
	ip -n hub route add default via $WAN_GW
}
