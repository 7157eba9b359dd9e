#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# link.sh: the device as a link, made, changed, shown and deleted by rtnetlink.

# Braces are ovlynl's.
# shellcheck disable=SC1083
# shellcheck source=selftests/control.sh
. "${OVLY_TOP:?}/selftests/control.sh"

suite_setup() {
	underlay
	defer ip -n "$here" link del ov0
}

# no_links: the devices of earlier cases.
no_links() {
	local dev
	for dev in $(in_ns here ovlynl dump dev-get | field ifname); do
		ip -n "$here" link del "$dev"
	done
}

# link_data: what the dump of links says of ov0.
link_data() { entries link-get | sed -nE 's/.* ifname=ov0 .* data\{ (.*) \} \}$/\1/p'; }

test_defaults_with_stock_iproute2() {
	no_links
	ip -n "$here" link add ov0 type ovly
	matches 'ov0: <POINTOPOINT,NOARP> mtu 9196 ' ip -n "$here" link show ov0
	matches 'link/none' ip -n "$here" link show ov0
	matches ' ovly .*addrgenmode none' ip -n "$here" -d link show ov0
	has 'mode=0 table=220 src-valid=0 carrier-follows=0 active-table=220 peers=0 peers-up=0 routes=0 routes-installed=0' \
		nl dev-get ifname=ov0
	same "ov0" "$(ip -n "$here" -j link show type ovly | jq -r '.[].ifname')" "links of the type"
	ip -n "$here" link set ov0 up
	matches '<POINTOPOINT,NOARP,UP,LOWER_UP>' ip -n "$here" link show ov0
	# No link-local address that nobody asked for.
	same "" "$(ip -n "$here" -6 addr show dev ov0)" "IPv6 addresses"
	ip -n "$here" link del ov0
	lacks ov0 ip -n "$here" link
	# Without a name the kernel finds one.
	ip -n "$here" link add type ovly
	has 'ifname=ovly0' entries dev-get
	ip -n "$here" link del ovly0
}

test_all_attributes_at_creation() {
	no_links
	granted link-new+create+excl ifname=ov0 mtu=1400 \
		linkinfo{ kind=ovly data{ mode=1 table=4000000000 src-valid=2 carrier-follows=1 } }
	has 'mode=1 table=4000000000 src-valid=2 carrier-follows=1 active-table=4000000000' nl dev-get ifname=ov0
	matches 'ov0: <NO-CARRIER,NOARP> mtu 1400|ov0: <NOARP> mtu 1400' ip -n "$here" link show ov0
	# Link and generic netlink say the same.
	same "$(link_data)" "$(nl dev-get ifname=ov0 | sed -nE 's/.* dev\{ (.*) \}$/\1/p')" "attributes of the link"
	granted link-new+create+excl ifname=ov1 linkinfo{ kind=ovly data{ mode=0 } }
	matches 'ov1: <POINTOPOINT,NOARP>' ip -n "$here" link show ov1
	granted link-new+create+excl ifname=ov2 linkinfo{ kind=ovly data{ } }
	refused EEXIST '*' '' link-new+create+excl ifname=ov2 linkinfo{ kind=ovly }
	no_links
}

test_wrong_attributes_are_refused() {
	no_links
	refused_table <<-END
	ERANGE linkinfo.data.mode link-new+create+excl ifname=ov0 linkinfo{ kind=ovly data{ mode=2 } }
	ERANGE linkinfo.data.table link-new+create+excl ifname=ov0 linkinfo{ kind=ovly data{ table=0 } }
	EINVAL linkinfo.data.table link-new+create+excl ifname=ov0 linkinfo{ kind=ovly data{ table=255 } }
	ERANGE linkinfo.data.src-valid link-new+create+excl ifname=ov0 linkinfo{ kind=ovly data{ src-valid=3 } }
	ERANGE linkinfo.data.carrier-follows link-new+create+excl ifname=ov0 linkinfo{ kind=ovly data{ carrier-follows=2 } }
	ERANGE linkinfo.data.mode link-new+create+excl ifname=ov0 linkinfo{ kind=ovly data{ mode:u8=1 } }
	EINVAL linkinfo.data.active-table link-new+create+excl ifname=ov0 linkinfo{ kind=ovly data{ active-table=220 } }
	EINVAL linkinfo.data.peers link-new+create+excl ifname=ov0 linkinfo{ kind=ovly data{ peers=1 } }
	EINVAL linkinfo.data.peers-up link-new+create+excl ifname=ov0 linkinfo{ kind=ovly data{ peers-up=1 } }
	EINVAL linkinfo.data.routes link-new+create+excl ifname=ov0 linkinfo{ kind=ovly data{ routes=1 } }
	EINVAL linkinfo.data.routes-installed link-new+create+excl ifname=ov0 linkinfo{ kind=ovly data{ routes-installed=1 } }
	EINVAL linkinfo.data.stats link-new+create+excl ifname=ov0 linkinfo{ kind=ovly data{ stats{ } } }
	EINVAL linkinfo.data.#99 link-new+create+excl ifname=ov0 linkinfo{ kind=ovly data{ #99:u32=1 } }
	EINVAL linkinfo.data.#99 link-new+create+excl ifname=ov0 linkinfo{ kind=ovly data{ mode=1 #99:u32=1 } }
	EOPNOTSUPP address link-new+create+excl ifname=ov0 address=020000000001 linkinfo{ kind=ovly }
	END
	same "" "$(entries dev-get)" "devices"
}

test_change_of_a_link() {
	local before
	no_links
	ip -n "$here" link add ov0 type ovly
	granted link-new ifname=ov0 linkinfo{ kind=ovly data{ src-valid=1 carrier-follows=1 } }
	has 'src-valid=1 carrier-follows=1' nl dev-get ifname=ov0
	# Naming what it is already is no change.
	granted link-new ifname=ov0 linkinfo{ kind=ovly data{ mode=0 table=220 carrier-follows=0 } }
	before=$(state)
	refused EOPNOTSUPP linkinfo.data.mode 'do not change' link-new ifname=ov0 linkinfo{ kind=ovly data{ mode=1 src-valid=2 } }
	refused EOPNOTSUPP linkinfo.data.table 'do not change' link-new ifname=ov0 linkinfo{ kind=ovly data{ table=221 src-valid=2 } }
	refused EOPNOTSUPP '*' 'link-layer address' link-new ifname=ov0 address=020000000001 linkinfo{ kind=ovly data{ src-valid=2 } }
	refused ERANGE linkinfo.data.src-valid '.' link-new ifname=ov0 linkinfo{ kind=ovly data{ src-valid=3 carrier-follows=1 } }
	same "$before" "$(state)" "state after refusals"
}

test_mtu_range() {
	no_links
	ip -n "$here" link add ov0 type ovly
	matches 'minmtu 1280 maxmtu 65535' ip -n "$here" -d link show ov0
	ip -n "$here" link set ov0 mtu 1280
	ip -n "$here" link set ov0 mtu 65535
	never ip -n "$here" link set ov0 mtu 1279
	never ip -n "$here" link set ov0 mtu 65536
	never ip -n "$here" link add ov1 mtu 1279 type ovly
	matches 'mtu 65535' ip -n "$here" link show ov0
	ip -n "$here" link add ov1 mtu 1400 type ovly
	matches 'mtu 1400' ip -n "$here" link show ov1
}

test_rename_keeps_all() {
	no_links
	fresh multipoint
	granted peer-new+create ifname=ov0 peer{ name=a addr=10.9.0.2 }
	granted path-new+create ifname=ov0 path{ if-id-in=7 peer-name=a endpoint=192.0.2.2 }
	granted route-new+create ifname=ov0 route{ dst=10.20.0.0 prefixlen=16 peer-name=a }
	ip -n "$here" link set ov0 down
	ip -n "$here" link set ov0 name overlay.1-x
	refused ENODEV ifname 'no such device' dev-get ifname=ov0
	has 'peers=1 routes=2' nl dev-get ifname=overlay.1-x
	ip -n "$here" link set overlay.1-x up
	wait_for 5 "the routes come back" matches '^10.20.0.0/16 via 10.9.0.2 dev overlay.1-x' routes
	same overlay.1-x "$(entries path-get | field ifname)" "the path's device"
	ip -n "$here" link add ov0 type ovly
	same 2 "$(entries dev-get | wc -l)" "devices"
}

carrier() { [ "$(in_ns here cat /sys/class/net/ov0/carrier)" = "$1" ]; }

test_carrier_follows_the_peers() {
	no_links
	fresh multipoint
	carrier 1
	peers a=10.9.0.2 b=10.9.0.3
	granted path-new+create ifname=ov0 path{ if-id-in=7 peer-name=a }
	granted path-new+create ifname=ov0 path{ if-id-in=8 peer-name=b }
	granted dev-set ifname=ov0 dev{ carrier-follows=1 }
	wait_for 5 "no carrier while no peer is up" carrier 0
	sa_pair 7
	wait_for 5 "a carrier with the first peer" carrier 1
	has 'peers-up=1' nl dev-get ifname=ov0
	sa_pair 8 192.0.2.3
	sa_pair_del 7
	has 'peers-up=1' nl dev-get ifname=ov0
	carrier 1
	sa_pair_del 8 192.0.2.3
	wait_for 5 "no carrier without a peer" carrier 0
	granted dev-set ifname=ov0 dev{ carrier-follows=0 }
	wait_for 5 "a carrier where it does not follow" carrier 1
	# Made so, it has none from the start; deleting the last peer that is up takes it.
	ip -n "$here" link del ov0
	granted link-new+create ifname=ov0 linkinfo{ kind=ovly data{ carrier-follows=1 } }
	ip -n "$here" link set ov0 up
	wait_for 5 "no carrier from the start" carrier 0
	granted peer-new+create ifname=ov0 peer{ name=a }
	sa_pair 7
	granted path-new+create ifname=ov0 path{ if-id-in=7 peer-name=a }
	wait_for 5 "a carrier for a path that finds its SAs" carrier 1
	granted peer-del ifname=ov0 peer{ name=a }
	wait_for 5 "no carrier without the peer" carrier 0
	sa_pair_del 7
}

test_statistics_of_the_link() {
	no_links
	fresh p2p
	matches 'driver: ovly' in_ns here ethtool -i ov0
	matches 'version: .' in_ns here ethtool -i ov0
	ip -n "$here" addr add 10.9.0.1/32 dev ov0
	ip -n "$here" route add 10.77.0.0/16 dev ov0
	never in_ns here ping -c 1 -W 1 10.77.0.1
	matches '"no-peer"|tx-no-peer|no.peer' in_ns here ovlyhelper show drops --json
	same 1 "$(ip -n "$here" -s -j link show ov0 | jq '.[0].stats64.tx.errors')" "TX errors"
	same 1 "$(ip -n "$here" -s -s -j link show ov0 | jq '.[0].stats64.tx.carrier_errors')" "TX carrier errors"
	same 0 "$(ip -n "$here" -s -j link show ov0 | jq '.[0].stats64.tx.packets')" "TX packets"
	granted peer-new+create ifname=ov0 peer{ name=a addr=10.9.0.2 }
	never in_ns here ping -c 1 -W 1 10.77.0.1
	same 2 "$(ip -n "$here" -s -j link show ov0 | jq '.[0].stats64.tx.errors')" "TX errors"
	matches 'tx-no-peer=1 tx-no-path=1 ' in_ns here ovlynl "do" dev-get ifname=ov0
	matches '^ *tx.no.peer: 1$' in_ns here ethtool -S ov0
	matches '^ *tx.no.path: 1$' in_ns here ethtool -S ov0
}

test_rule_is_there_while_a_device_is_up() {
	rules_are() { [ "$(rules -4 | paste -sd' ')" = "$1" ] && [ "$(rules -6 | paste -sd' ')" = "$1" ]; }
	rules() { ip -n "$here" "$1" rule show pref 220 | sed -nE 's/^220:.*lookup ([^ ]*) proto ovly.*/\1/p' | sort; }
	no_links
	ip -n "$here" link add ov0 type ovly
	same "" "$(rules -4)$(rules -6)" "rules before it is up"
	ip -n "$here" link set ov0 up
	wait_for 5 "a rule of either family" rules_are 220
	# One for two devices of a table, another for another table.
	ip -n "$here" link add ov1 type ovly
	granted link-new+create ifname=ov2 linkinfo{ kind=ovly data{ table=221 } }
	ip -n "$here" link set ov1 up
	ip -n "$here" link set ov2 up
	wait_for 5 "a rule for each table" rules_are "220 221"
	ip -n "$here" link del ov0
	ip -n "$here" link set ov2 down
	wait_for 5 "the rule of the device that is up" rules_are "220"
	ip -n "$here" link set ov1 down
	wait_for 5 "no rule" rules_are ""
}

test_delete_leaves_nothing() {
	local before
	no_links
	sa_pair 7
	defer sa_pair_del 7
	before=$(ip -n "$here" route show table all; ip -n "$here" -6 route show table all; ip -n "$here" rule; ip -n "$here" -6 rule)
	fresh multipoint
	granted peer-new+create ifname=ov0 peer{ name=a addr=10.9.0.2 addr=fd09::2 }
	granted path-new+create ifname=ov0 path{ if-id-in=7 peer-name=a endpoint=192.0.2.2 }
	granted path-new+create ifname=ov0 path{ if-id-in=8 peer-name=a endpoint=2001:db8::2 }
	granted route-new+create ifname=ov0 route{ dst=10.20.0.0 prefixlen=16 peer-name=a }
	granted route-new+create ifname=ov0 route{ dst=fd20:: prefixlen=32 peer-name=a }
	ip -n "$here" link del ov0
	same "$before" "$(ip -n "$here" route show table all; ip -n "$here" -6 route show table all; ip -n "$here" rule; ip -n "$here" -6 rule)" "routes and rules"
	# The if-id is free.
	fresh multipoint
	granted peer-new+create ifname=ov0 peer{ name=a }
	granted path-new+create ifname=ov0 path{ if-id-in=7 peer-name=a }
}

test_second_peer_on_p2p_is_refused() {
	no_links
	fresh p2p
	granted peer-new+create ifname=ov0 peer{ name=a addr=10.9.0.2 }
	refused EEXIST '*' 'one peer.*multipoint' peer-new+create ifname=ov0 peer{ name=b addr=10.9.0.3 }
	# Its routes have no next hop, those of a multipoint device do.
	granted route-new+create ifname=ov0 route{ dst=10.20.0.0 prefixlen=16 peer-name=a }
	matches '^10.20.0.0/16 dev ov0 scope link' routes
}

test_alternative_name_is_a_name() {
	fresh multipoint
	fresh multipoint ov1
	ip -n "$here" link property add dev ov0 altname head-end
	has 'ifname=ov0' nl dev-get ifname=head-end
	refused EINVAL ifname 'two devices' dev-get "ifindex=$(in_ns here cat /sys/class/net/ov1/ifindex)" ifname=ov0
	ip -n "$here" link del ov1
}

CASES="
test_defaults_with_stock_iproute2		defaults, with stock iproute2
test_all_attributes_at_creation			all attributes at creation, and link and family say the same
test_wrong_attributes_are_refused		wrong attributes are refused, named and in words, and make no device
test_alternative_name_is_a_name			an alternative name is a name of the device
test_change_of_a_link				a change of what may change, and a refused one changes nothing
test_mtu_range					MTU from 1280, which IPv6 needs, to 65535
test_rename_keeps_all				a renamed device keeps peers, paths and routes
test_carrier_follows_the_peers			the carrier follows the peers where asked to
test_statistics_of_the_link			ip -s, ethtool -i and -S
test_rule_is_there_while_a_device_is_up		the rule of a table is there while a device that uses it is up
test_delete_leaves_nothing			delete leaves no route and no rule, and frees the if-id
test_second_peer_on_p2p_is_refused		a second peer on a p2p device is refused
"
run_cases "$@"
