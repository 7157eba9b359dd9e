# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# two-devices.sh: the hub has a multipoint device with the peers a (which answers), b
# (hold) and c (withdraw), and a p2p device with the peer d. What can be done to them.
# Sourced behind lib.sh, tunnel.sh and table.sh.

# shellcheck disable=SC2034 # read by who sources this, and by tunnel.sh
declare -A NAME=([mp]=ov0 [pp]=p0) IF_ID=([a]=7 [b]=8 [c]=9 [d]=10)
# shellcheck disable=SC2034
NUMBER[b]=3 NUMBER[c]=4 NUMBER[d]=5

# address KEY FAMILY: of the hub on that device.
address() {
	case $1$2 in
	mp4) inner hub ;;
	mp6) inner hub 6 ;;
	pp4) echo 10.8.0.1 ;;
	pp6) echo fd08::1 ;;
	esac
}

# on_hub WORD...: ip there; h WORD...: ovlyhelper there.
on_hub() { ip -n "$hub" "$@"; }
h() { helper hub "$@"; }

suite_setup() {
	load_ovly
	wan_setup hub a
	setup_ns inner
	on_hub link add red type vrf table 100
	on_hub link set red up
	overlay hub mode multipoint
	overlay a
	connect hub a 7
	h dev add p0 addr "$(address pp 4)" addr "$(address pp 6)" up
	peer hub b dev ov0
	peer hub c dev ov0 on-down withdraw
	h peer add d dev p0 addr 10.8.0.2 addr fd08::2
	path hub b 8 dev ov0
	path hub c 9 dev ov0
	h path add 10 peer d dev p0 endpoint 2001:db8::5
	sas hub b 8
	sas hub c 9
	OUTER=6 sas hub d 10
	settles hub
	# Two of each peer.
	holds hub 220 8
}

readdress() {
	on_hub addr replace "$(address "$1" 4)/32" dev "${NAME[$1]}"
	on_hub addr replace "$(address "$1" 6)/128" dev "${NAME[$1]}" nodad
}

# rename KEY NAME: down for it, as kernels before 6.2 want.
rename() {
	local up=

	[ -z "$(on_hub -o link show "${NAME[$1]}" up)" ] || up=up
	on_hub link set "${NAME[$1]}" down
	on_hub link set "${NAME[$1]}" name "$2"
	NAME[$1]=$2
	[ -z "$up" ] || on_hub link set "$2" up
}

# A VXLAN names the overlay as the device below it.
on_top() { on_hub link add vx0 type vxlan id 5 dev "${NAME[$1]}" remote "$(inner a)" dstport 4789; }

outer_family() { if [ "$1" = d ]; then echo 6; else echo 4; fi; }
