#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# nat-t.sh: ESP in UDP, and a peer behind a NAT that gives it another address or
# port. What the IKE daemon does then is done here by hand: the same SAs, with
# the same SPIs, installed again with the new address.
#
#     left 192.0.2.1 --- wan (router, NAT) --- 192.0.2.2 right
#                        192.0.2.101, .102

# shellcheck source=selftests/lib.sh
. "${OVLY_TOP:?}/selftests/lib.sh"
# shellcheck source=selftests/tunnel.sh
. "$OVLY_TOP/selftests/tunnel.sh"

NAT1="192.0.2.101 40001"
NAT2="192.0.2.102 40002"
NAT3="192.0.2.104 40004"

suite_setup() {
	load_ovly
	wan_setup_routed left right
	espinudp left
	espinudp right
	overlay left
	overlay right
	peer left right
	peer right left
}

# nat ADDRESS PORT: as what the left appears from now on.
nat() {
	in_ns wan nft -f - <<-RULES
		table ip nat
		delete table ip nat
		table ip nat {
			chain out {
				type nat hook postrouting priority srcnat
				ip saddr 192.0.2.1 udp sport 4500 snat to $1:$2
			}
		}
	RULES
	in_ns wan conntrack -F 2>/dev/null
}

no_nat() {
	in_ns wan nft delete table ip nat
	in_ns wan conntrack -F 2>/dev/null
}

# right_sas ADDRESS PORT [SPI-OFFSET]: the right's SAs with the left there.
right_sas() {
	{
		sa 192.0.2.2 "$1" "$(spi 7 $((1 + ${3:-0})))" 7 4500 "$2"
		sa "$1" 192.0.2.2 "$(spi 7 2)" 7 "$2" 4500
	} | ip_batch right
}

endpoint_is() {
	matches "^$1$" sh -c "ip netns exec $right ovlyhelper path list json | jq -r '.[].endpoint'"
}

throws() { matches "^throw $1 " ip -n "$right" route show table 220; }

# behind_nat: a tunnel from behind the NAT, until the case ends.
behind_nat() {
	# shellcheck disable=SC2086 # address and port
	nat $NAT1
	defer no_nat
	ENCAP="4500 4500" sas left right 7
	path left right 7
	# shellcheck disable=SC2086
	right_sas $NAT1
	policy_lines right left 7 | sed "s/192.0.2.1 /${NAT1% *} /" | ip_batch right
	helper right path add 7 peer left endpoint "${NAT1% *}"
	defer untunnel left right 7
	# The left speaks first, as it must behind a NAT.
	pings left 10.9.0.2
	pings right 10.9.0.1
}

# moved_to ADDRESS PORT: the right's IKE daemon follows the left. Between the
# two SAs there is none, as with strongSwan.
moved_to() {
	no_sas right
	right_sas "$@"
	# Policies follow too: their template names the peer.
	no_policies right
	policy_lines right left 7 | sed "s/192.0.2.1 /$1 /" | ip_batch right
}

# by_udp OUTER-FAMILY FILTER
by_udp() {
	local log=${CASE:?} OUTER=$1 ENCAP="4500 4500"

	sas left right 7
	sas right left 7
	path left right 7
	path right left 7
	defer untunnel left right 7
	sniff wan to-2 "$log" "not ($LINK_CHATTER)"
	pings left 10.9.0.2
	pings left fd09::2
	sniff_end "$log"
	same 12 "$(sniffed_count "$log" "$2")" "packets of ESP in UDP"
	same 12 "$(sniffed_count "$log")" "packets in all"
}

test_esp_in_udp_over_ipv4() { by_udp 4 'ip and udp src port 4500 and dst port 4500 and udp[8:4] != 0'; }
test_esp_in_udp_over_ipv6() { by_udp 6 'ip6 and udp src port 4500 and dst port 4500'; }

test_peer_behind_a_nat() {
	local log=${CASE:?}

	behind_nat
	throws "${NAT1% *}"
	sniff wan to-2 "$log" "not ($LINK_CHATTER)"
	pings left 10.9.0.2
	sniff_end "$log"
	same 3 "$(sniffed_count "$log" "src ${NAT1% *} and udp src port ${NAT1#* }")" "packets from the NAT"
	same 3 "$(sniffed_count "$log" "dst ${NAT1% *} and udp dst port ${NAT1#* }")" "packets to the NAT"
}

test_port_rebinding() {
	behind_nat
	nat "${NAT1% *}" 40009
	moved_to "${NAT1% *}" 40009
	wait_for 5 "the peer is up again" peer_is right left up
	pings left 10.9.0.2
	pings right 10.9.0.1
	endpoint_is "${NAT1% *}"
}

test_address_rebinding() {
	local routes

	behind_nat
	helper right route add 10.66.0.0/16 peer left
	helper right route add fd66::/32 peer left
	defer helper right route flush peer left
	routes=$(ip -n "$right" route show table 220 | grep -v ^throw)
	watch_routes right rebinding
	# shellcheck disable=SC2086
	nat $NAT2
	# shellcheck disable=SC2086
	moved_to $NAT2
	wait_for 5 "the path follows" endpoint_is "${NAT2% *}"
	wait_for 5 "so does the throw route" throws "${NAT2% *}"
	wait_for 5 "the peer is up again" peer_is right left up
	pings left 10.9.0.2
	pings right 10.9.0.1
	same "$routes" "$(ip -n "$right" route show table 220 | grep -v ^throw)" "routes to the peer"
	routes_still right rebinding
}

test_address_rebinding_is_an_event() {
	behind_nat
	ip netns exec "$right" ovlyhelper monitor json >"$OVLY_OUT/rebinding.events" &
	defer eval "kill $! 2>/dev/null"
	wait_for 5 "the monitor listens" monitored
	# shellcheck disable=SC2086
	moved_to $NAT2
	wait_for 5 "the event names old and new address" moved_event
}

# monitored: something that happens is reported.
monitored() {
	helper right peer set left limit $((RANDOM + 10))
	[ -s "$OVLY_OUT/rebinding.events" ]
}

moved_event() {
	matches "endpoint-moved.*${NAT2% *}" cat "$OVLY_OUT/rebinding.events" &&
		matches "endpoint-moved.*${NAT1% *}" cat "$OVLY_OUT/rebinding.events"
}

test_throw_route_refused_while_rebinding_comes_later() {
	behind_nat
	# Somebody else's is where it has to be.
	ip -n "$right" route add "${NAT3% *}/32" dev wan table 220
	defer eval "ip -n '$right' route del '${NAT3% *}/32' dev wan table 220 2>/dev/null"
	# shellcheck disable=SC2086
	nat $NAT3
	# shellcheck disable=SC2086
	moved_to $NAT3
	wait_for 5 "the path follows" endpoint_is "${NAT3% *}"
	never throws "${NAT3% *}"
	ip -n "$right" route del "${NAT3% *}/32" dev wan table 220
	wait_for 10 "the throw route comes" throws "${NAT3% *}"
}

test_another_sa_does_not_move_the_path() {
	behind_nat
	no_sas right
	# Same if_id, but neither the SPI nor the address that was agreed on.
	right_sas 192.0.2.103 40003 50
	wait_for 5 "the peer is down" peer_is right left down
	endpoint_is "${NAT1% *}"
	unanswered right 10.9.0.1
}

test_inbound_goes_on_until_the_daemon_follows() {
	local before

	behind_nat
	# shellcheck disable=SC2086
	nat $NAT2
	before=$(traffic right left rx-packets)
	unanswered left 10.9.0.2
	wait_for 20 "both came" taken_from right left $((before + 2))
	same $((before + 2)) "$(traffic right left rx-packets)" "packets taken from the new address"
	endpoint_is "${NAT1% *}"
}

CASES="
test_esp_in_udp_over_ipv4		ESP in UDP over IPv4, both inner families
test_esp_in_udp_over_ipv6		ESP in UDP over IPv6, both inner families
test_peer_behind_a_nat			a peer behind a NAT
test_port_rebinding			another port: the SA follows, the path stays
test_address_rebinding			another address: path and throw route follow the SA, no route moves
test_address_rebinding_is_an_event	another address is reported as an event
test_throw_route_refused_while_rebinding_comes_later	a throw route that was refused while it rebinds comes when its place is free
test_another_sa_does_not_move_the_path	an SA of another SPI does not move the path
test_inbound_goes_on_until_the_daemon_follows	a rebinding that the daemon has not seen loses no inbound packet
"
run_cases "$@"
