#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# netlink-policy.sh: what a request may look like. Each line of a table is refused
# with this errno and this attribute; words are always there, and nothing changes.

# Braces are ovlynl's.
# shellcheck disable=SC1083
# shellcheck source=selftests/control.sh
. "${OVLY_TOP:?}/selftests/control.sh"

LONG16=abcdefghijklmnop
LONG64=$LONG16$LONG16$LONG16$LONG16
LONG256=$LONG64$LONG64$LONG64$LONG64

suite_setup() {
	underlay
	fresh multipoint
	peers hub=10.9.0.2
	nl path-new+create ifname=ov0 path{ if-id-in=7 peer-name=hub endpoint=192.0.2.2 }
	nl route-new+create ifname=ov0 route{ dst=10.20.0.0 prefixlen=16 peer-name=hub }
}

test_device_reference() {
	refused_table <<-END
	EINVAL - dev-get
	EINVAL ifindex dev-get ifindex:u16=1
	EINVAL ifindex dev-get ifindex:u64=1
	ERANGE ifindex dev-get ifindex=0
	ENODEV ifindex dev-get ifindex=9999
	ENODEV ifindex dev-get ifindex=4294967295
	ENODEV ifname dev-get ifname=nothere
	EINVAL ifname dev-get ifname=wan0
	EINVAL ifindex dev-get ifindex=1
	EINVAL ifname dev-get ifname=$LONG16
	EINVAL ifname dev-get ifname:rawstr=ov0
	EINVAL ifname dev-get ifname:rawstr=
	EINVAL ifname dev-get ifindex=$(cat_ifindex ov0) ifname=wan0
	EINVAL dev dev-get ifname=ov0 dev{ }
	EINVAL #99 dev-get ifname=ov0 #99:u32=1
	EINVAL event dev-get ifname=ov0 event=1
	END
}

cat_ifindex() { in_ns here cat "/sys/class/net/$1/ifindex"; }

test_device_attributes() {
	refused_table <<-END
	EINVAL - dev-set ifname=ov0
	EINVAL dev dev-set ifname=ov0 dev:plain{ src-valid=1 }
	EINVAL dev.src-valid dev-set ifname=ov0 dev{ src-valid:u8=1 }
	ERANGE dev.src-valid dev-set ifname=ov0 dev{ src-valid=3 }
	ERANGE dev.carrier-follows dev-set ifname=ov0 dev{ carrier-follows=2 }
	EINVAL dev.carrier-follows dev-set ifname=ov0 dev{ carrier-follows:u64=1 }
	ERANGE dev.mode dev-set ifname=ov0 dev{ mode=2 }
	ERANGE dev.table dev-set ifname=ov0 dev{ table=0 }
	EINVAL dev.table dev-set ifname=ov0 dev{ table=255 }
	EINVAL dev.active-table dev-set ifname=ov0 dev{ active-table=220 }
	EINVAL dev.peers dev-set ifname=ov0 dev{ peers=1 }
	EINVAL dev.peers-up dev-set ifname=ov0 dev{ peers-up=1 }
	EINVAL dev.routes dev-set ifname=ov0 dev{ routes=1 }
	EINVAL dev.routes-installed dev-set ifname=ov0 dev{ routes-installed=1 }
	EINVAL dev.stats dev-set ifname=ov0 dev{ stats{ } }
	EINVAL dev.#99 dev-set ifname=ov0 dev{ #99:u32=1 }
	EINVAL peer dev-set ifname=ov0 dev{ src-valid=1 } peer{ name=hub }
	END
}

test_peer_attributes() {
	refused_table <<-END
	EINVAL - peer-new+create ifname=ov0
	EINVAL peer peer-new+create ifname=ov0 peer:plain{ name=x }
	EINVAL peer peer-new+create ifname=ov0 peer:str=x
	EINVAL - peer-new+create peer{ name=x }
	EINVAL peer.id peer-new+create ifname=ov0 peer{ id=1 name=x }
	EINVAL peer.id peer-set ifname=ov0 peer{ id:u16=1 }
	ERANGE peer.id peer-set ifname=ov0 peer{ id=0 }
	EINVAL peer.name peer-new+create ifname=ov0 peer{ name= }
	EINVAL peer.name peer-new+create ifname=ov0 peer{ name:rawstr=x }
	EINVAL peer.name peer-new+create ifname=ov0 peer{ name=$LONG64 }
	EINVAL peer.name peer-new+create ifname=ov0 peer{ name=two%20words }
	EINVAL peer.name peer-new+create ifname=ov0 peer{ name=bell%07 }
	EINVAL peer.name peer-new+create ifname=ov0 peer{ name=caf%c3%a9 }
	EINVAL peer.addr peer-new+create ifname=ov0 peer{ name=x addr:bin=0a }
	ERANGE peer.addr peer-new+create ifname=ov0 peer{ name=x addr:bin=0000000000000000000000000000000001 }
	EINVAL peer.addr peer-new+create ifname=ov0 peer{ name=x addr:bin=0a00000001 }
	EINVAL peer.on-down peer-new+create ifname=ov0 peer{ name=x on-down:u8=1 }
	ERANGE peer.on-down peer-new+create ifname=ov0 peer{ name=x on-down=2 }
	EINVAL peer.route-limit peer-new+create ifname=ov0 peer{ name=x route-limit:u64=1 }
	EINVAL peer.state peer-new+create ifname=ov0 peer{ name=x state=1 }
	EINVAL peer.routes peer-new+create ifname=ov0 peer{ name=x routes=1 }
	EINVAL peer.paths peer-new+create ifname=ov0 peer{ name=x paths=1 }
	EINVAL peer.active-path peer-new+create ifname=ov0 peer{ name=x active-path=1 }
	EINVAL peer.transitions peer-new+create ifname=ov0 peer{ name=x transitions=1 }
	EINVAL peer.since peer-new+create ifname=ov0 peer{ name=x since=1 }
	EINVAL peer.stats peer-new+create ifname=ov0 peer{ name=x stats{ } }
	EINVAL peer.routes-disabled peer-new+create ifname=ov0 peer{ name=x routes-disabled=0 }
	EINVAL peer.via-backup peer-new+create ifname=ov0 peer{ name=x via-backup=0 }
	EINVAL peer.last-rx peer-new+create ifname=ov0 peer{ name=x last-rx=0 }
	EINVAL peer.#99 peer-new+create ifname=ov0 peer{ name=x #99:u32=1 }
	EINVAL peer.on-down peer-del ifname=ov0 peer{ name=hub on-down=0 }
	EINVAL peer.addr peer-get ifname=ov0 peer{ name=hub addr=10.9.0.2 }
	EINVAL - peer-del ifname=ov0
	EINVAL - peer-set ifname=ov0
	EINVAL - peer-get ifname=ov0
	END
}

test_path_attributes() {
	refused_table <<-END
	EINVAL - path-new+create ifname=ov0
	EINVAL path path-new+create ifname=ov0 path{ peer-name=hub }
	EINVAL path path-new+create ifname=ov0 path{ if-id-in=8 }
	EINVAL - path-new+create path{ if-id-in=8 peer-name=hub }
	EINVAL path path-new+create ifname=ov0 path:plain{ if-id-in=8 peer-name=hub }
	EINVAL path.if-id-in path-new+create ifname=ov0 path{ if-id-in:u16=8 peer-name=hub }
	ERANGE path.if-id-in path-new+create ifname=ov0 path{ if-id-in=0 peer-name=hub }
	EINVAL path.if-id-out path-new+create ifname=ov0 path{ if-id-in=8 if-id-out:u8=8 peer-name=hub }
	ERANGE path.if-id-out path-new+create ifname=ov0 path{ if-id-in=8 if-id-out=0 peer-name=hub }
	ERANGE path.peer-id path-new+create ifname=ov0 path{ if-id-in=8 peer-id=0 }
	EINVAL path.peer-name path-new+create ifname=ov0 path{ if-id-in=8 peer-name:rawstr=hub }
	ENOENT path.peer-name path-new+create ifname=ov0 path{ if-id-in=8 peer-name=nobody }
	ENOENT path.peer-id path-new+create ifname=ov0 path{ if-id-in=8 peer-id=99 }
	EINVAL path.endpoint path-new+create ifname=ov0 path{ if-id-in=8 peer-name=hub endpoint:bin=c0 }
	EINVAL path.endpoint path-new+create ifname=ov0 path{ if-id-in=8 peer-name=hub endpoint:bin=c000020200 }
	EINVAL path.endpoint path-new+create ifname=ov0 path{ if-id-in=8 peer-name=hub endpoint=0.0.0.0 }
	EINVAL path.endpoint path-new+create ifname=ov0 path{ if-id-in=8 peer-name=hub endpoint=239.1.1.1 }
	EINVAL path.endpoint path-new+create ifname=ov0 path{ if-id-in=8 peer-name=hub endpoint=ff02::1 }
	EINVAL path.local path-new+create ifname=ov0 path{ if-id-in=8 peer-name=hub local:bin=c0 }
	EINVAL path.local path-new+create ifname=ov0 path{ if-id-in=8 peer-name=hub local:bin=c000020200 }
	EINVAL path.underlay path-new+create ifname=ov0 path{ if-id-in=8 peer-name=hub underlay:u16=1 }
	EINVAL path.priority path-new+create ifname=ov0 path{ if-id-in=8 peer-name=hub priority:u8=1 }
	EINVAL path.label path-new+create ifname=ov0 path{ if-id-in=8 peer-name=hub label=$LONG64 }
	EINVAL path.label path-new+create ifname=ov0 path{ if-id-in=8 peer-name=hub label=a%20b }
	EINVAL path.remote-id path-new+create ifname=ov0 path{ if-id-in=8 peer-name=hub remote-id=$LONG256 }
	EINVAL path.remote-id path-new+create ifname=ov0 path{ if-id-in=8 peer-name=hub remote-id=%1b[31m }
	EINVAL path.state path-new+create ifname=ov0 path{ if-id-in=8 peer-name=hub state=2 }
	EINVAL path.sa-in path-new+create ifname=ov0 path{ if-id-in=8 peer-name=hub sa-in=1 }
	EINVAL path.sa-out path-new+create ifname=ov0 path{ if-id-in=8 peer-name=hub sa-out=1 }
	EINVAL path.since path-new+create ifname=ov0 path{ if-id-in=8 peer-name=hub since=1 }
	EINVAL path.underlay-name path-new+create ifname=ov0 path{ if-id-in=8 peer-name=hub underlay-name=wan0 }
	EINVAL path.mtu path-new+create ifname=ov0 path{ if-id-in=8 peer-name=hub mtu=1400 }
	EINVAL path.previous-endpoint path-new+create ifname=ov0 path{ if-id-in=8 peer-name=hub previous-endpoint=192.0.2.9 }
	EINVAL path.#99 path-new+create ifname=ov0 path{ if-id-in=8 peer-name=hub #99:u32=1 }
	EINVAL path.priority path-del path{ if-id-in=7 priority=1 }
	EINVAL - path-del ifname=ov0
	EINVAL path path-del path{ }
	EINVAL path path-get path{ }
	EINVAL path path-set path{ priority=1 }
	END
}

test_route_attributes() {
	refused_table <<-END
	EINVAL - route-new+create ifname=ov0
	EINVAL - route-new+create route{ dst=10.30.0.0 prefixlen=16 peer-name=hub }
	EINVAL route route-new+create ifname=ov0 route:plain{ dst=10.30.0.0 prefixlen=16 peer-name=hub }
	EINVAL route.dst route-new+create ifname=ov0 route{ dst:bin=0a prefixlen=8 peer-name=hub }
	EINVAL route.prefixlen route-new+create ifname=ov0 route{ dst=10.30.0.0 prefixlen:u8=16 peer-name=hub }
	ERANGE route.prefixlen route-new+create ifname=ov0 route{ dst=10.30.0.0 prefixlen=129 peer-name=hub }
	EINVAL route.metric route-new+create ifname=ov0 route{ dst=10.30.0.0 prefixlen=16 peer-name=hub metric:u16=1 }
	ERANGE route.protocol route-new+create ifname=ov0 route{ dst=10.30.0.0 prefixlen=16 peer-name=hub protocol=0 }
	ERANGE route.protocol route-new+create ifname=ov0 route{ dst=10.30.0.0 prefixlen=16 peer-name=hub protocol=256 }
	ERANGE route.peer-id route-new+create ifname=ov0 route{ dst=10.30.0.0 prefixlen=16 peer-id=0 }
	EINVAL route.peer-name route-new+create ifname=ov0 route{ dst=10.30.0.0 prefixlen=16 peer-name:rawstr=hub }
	EINVAL route.via route-new+create ifname=ov0 route{ dst=10.30.0.0 prefixlen=16 via:bin=0a }
	EINVAL route.family route-new+create ifname=ov0 route{ dst=10.30.0.0 prefixlen=16 peer-name=hub family=2 }
	EINVAL route.flags route-new+create ifname=ov0 route{ dst=10.30.0.0 prefixlen=16 peer-name=hub flags=1 }
	EINVAL route.error route-new+create ifname=ov0 route{ dst=10.30.0.0 prefixlen=16 peer-name=hub error=1 }
	EINVAL route.#99 route-new+create ifname=ov0 route{ dst=10.30.0.0 prefixlen=16 peer-name=hub #99:u32=1 }
	EINVAL route route-new+create ifname=ov0 route{ dst=10.30.0.0 peer-name=hub }
	EINVAL route route-new+create ifname=ov0 route{ prefixlen=16 peer-name=hub }
	EINVAL route route-new+create ifname=ov0 route{ dst=10.30.0.0 prefixlen=16 }
	EINVAL - route-del ifname=ov0
	EINVAL route route-del ifname=ov0 route{ dst=10.20.0.0 }
	EINVAL - route-get ifname=ov0
	EINVAL - route-get route{ dst=10.20.0.0 prefixlen=16 }
	EINVAL route route-get ifname=ov0 route{ dst=10.20.0.0 }
	EINVAL route.dst route-get ifname=ov0 route{ dst=10.20.0.1 prefixlen=16 }
	EINVAL route.prefixlen route-get ifname=ov0 route{ dst=10.20.0.0 prefixlen=33 }
	EINVAL route.peer-name route-get ifname=ov0 route{ dst=10.20.0.0 prefixlen=16 peer-name=hub }
	EINVAL route.family route-get ifname=ov0 route{ dst=10.20.0.0 prefixlen=16 family=2 }
	EINVAL route.via route-get ifname=ov0 route{ dst=10.20.0.0 prefixlen=16 via=10.9.0.2 }
	EINVAL cookie route-get ifname=ov0 cookie=1 route{ dst=10.20.0.0 prefixlen=16 }
	ENOENT route route-get ifname=ov0 route{ dst=10.30.0.0 prefixlen=16 }
	END
}

test_filters_and_cookies() {
	refused_table <<-END
	EINVAL - route-flush
	EINVAL cookie route-flush ifname=ov0 cookie=1
	ERANGE route.family route-flush ifname=ov0 route{ family=0 }
	ERANGE route.family route-flush ifname=ov0 route{ family=11 }
	ENOENT route.peer-name route-flush ifname=ov0 route{ peer-name=nobody }
	EINVAL route.dst route-flush ifname=ov0 route{ dst=10.20.0.0 prefixlen=16 }
	EINVAL route.via route-flush ifname=ov0 route{ via=10.9.0.2 }
	EINVAL - sync-begin
	EINVAL route sync-begin ifname=ov0 route{ protocol=12 }
	EINVAL - sync-end ifname=ov0
	EINVAL cookie sync-end ifname=ov0 cookie:u32=1
	END
	# Of this the family's core thinks nothing worth a word.
	refused EOPNOTSUPP - '' event ifname=ov0
}

test_device_mode_and_table_do_not_change() {
	refused_table <<-END
	EOPNOTSUPP dev.mode dev-set ifname=ov0 dev{ mode=0 }
	EOPNOTSUPP dev.table dev-set ifname=ov0 dev{ table=221 }
	EOPNOTSUPP dev.mode dev-set ifname=ov0 dev{ src-valid=2 mode=0 carrier-follows=1 }
	END
}

test_peer_relations() {
	refused_table <<-END
	EINVAL peer.backup-id peer-set ifname=ov0 peer{ name=hub backup-id:u16=0 }
	ENOENT peer.backup-id peer-set ifname=ov0 peer{ name=hub backup-id=99 }
	EINVAL peer.backup-name peer-set ifname=ov0 peer{ name=hub backup-name:rawstr=hub }
	ENOENT peer.backup-name peer-set ifname=ov0 peer{ name=hub backup-name=nobody }
	ERANGE peer.limit-action peer-set ifname=ov0 peer{ name=hub limit-action=2 }
	EINVAL peer.limit-action peer-set ifname=ov0 peer{ name=hub limit-action:u8=1 }
	EINVAL peer.mark peer-set ifname=ov0 peer{ name=hub mark:u64=1 }
	EINVAL peer.priority peer-set ifname=ov0 peer{ name=hub priority:u64=1 }
	END
}

test_peer_addresses() {
	refused_table <<-END
	EINVAL peer* peer-new+create ifname=ov0 peer{ name=x addr=0.0.0.0 }
	EINVAL peer* peer-new+create ifname=ov0 peer{ name=x addr=224.0.0.1 }
	EINVAL peer* peer-new+create ifname=ov0 peer{ name=x addr=255.255.255.255 }
	EINVAL peer* peer-new+create ifname=ov0 peer{ name=x addr=127.0.0.1 }
	EINVAL peer* peer-new+create ifname=ov0 peer{ name=x addr=:: }
	EINVAL peer* peer-new+create ifname=ov0 peer{ name=x addr=::1 }
	EINVAL peer* peer-new+create ifname=ov0 peer{ name=x addr=ff02::1 }
	EINVAL peer* peer-new+create ifname=ov0 peer{ name=x addr=10.9.0.3 addr=10.9.0.3 }
	EEXIST peer* peer-new+create ifname=ov0 peer{ name=x addr=10.9.0.2 }
	E2BIG peer.addr?8? peer-new+create ifname=ov0 peer{ name=x $(printf 'addr=10.8.0.%d ' 1 2 3 4 5 6 7 8 9)}
	END
}

test_route_values() {
	refused_table <<-END
	EINVAL route.dst route-new+create ifname=ov0 route{ dst:bin=0a00000000 prefixlen=8 peer-name=hub }
	EINVAL route.dst route-new+create ifname=ov0 route{ dst=10.30.0.1 prefixlen=16 peer-name=hub }
	EINVAL route.prefixlen route-new+create ifname=ov0 route{ dst=10.30.0.0 prefixlen=33 peer-name=hub }
	EINVAL route.protocol route-new+create ifname=ov0 route{ dst=10.30.0.0 prefixlen=16 peer-name=hub protocol=220 }
	ENOENT route.peer-id route-new+create ifname=ov0 route{ dst=10.30.0.0 prefixlen=16 peer-id=99 }
	ENOENT route.peer-name route-new+create ifname=ov0 route{ dst=10.30.0.0 prefixlen=16 peer-name=nobody }
	EINVAL route.via route-new+create ifname=ov0 route{ dst=10.30.0.0 prefixlen=16 via:bin=0a09000200 }
	EINVAL route.family route-flush ifname=ov0 route{ family=3 }
	EINVAL cookie sync-end ifname=ov0 cookie=0
	EINVAL cookie sync-end ifname=ov0 cookie=18446744073709551615
	EHOSTUNREACH route.via route-new+create ifname=ov0 route{ dst=10.30.0.0 prefixlen=16 via=10.99.0.1 }
	END
}

test_malformed_bytes() {
	# Too short to be attributes, and one longer than the message.
	refused_table <<-END
	EINVAL - dev-get ifname=ov0 bytes=01020304
	EINVAL - dev-get ifname=ov0 bytes=ff7f0100
	EINVAL - peer-new+create ifname=ov0 peer{ name=x bytes=ff7f0100 }
	EINVAL #0 dev-get bytes=04
	END
}

CASES="
test_device_reference			a device reference that is missing, malformed or wrong is refused
test_device_attributes			DEV_SET refuses malformed, unknown and read-only attributes
test_peer_attributes			PEER requests refuse malformed, unknown and read-only attributes
test_path_attributes			PATH requests refuse malformed, unknown and read-only attributes
test_route_attributes			ROUTE requests refuse malformed, unknown and read-only attributes
test_filters_and_cookies		filters and cookies refuse what they cannot mean
test_device_mode_and_table_do_not_change	mode and table of a device do not change, nor does what comes with them
test_peer_relations			backup, limit action, mark and priority refuse what is malformed
test_peer_addresses			system addresses that are no unicast, twice, taken or too many are refused
test_route_values			values of routes, filters and cookies that mean nothing are refused by name
test_malformed_bytes			bytes that are no attributes are refused
"
run_cases "$@"
