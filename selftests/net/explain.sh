#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# explain.sh: "show route" says which way a packet goes, and why it is dropped,
# with SAs and policies made by hand.
#
#     lan0 192.168.1.1/24 -- here -- wan0 192.0.2.1/24 -- gateway 192.0.2.254
#                             ipsec0 10.122.144.146, peer 166.34.121.112

# shellcheck source=selftests/lib.sh
. "${OVLY_TOP:?}/selftests/lib.sh"

HUB=166.34.121.112 SYSTEM=10.122.144.146 ENDPOINT=198.51.100.2

ours() { ip -n "$here" "$@"; }
h() { in_ns here ovlyhelper "$@"; }

# sa IF_ID: both SAs; policy IF_ID SRC DST: the out policy.
sa() {
	local key=0x0123456789abcdef0123456789abcdef01234567 way
	for way in "src 192.0.2.1 dst $ENDPOINT" "src $ENDPOINT dst 192.0.2.1"; do
		# shellcheck disable=SC2086 # four words
		ours xfrm state add $way proto esp spi "0x9$1" reqid "$1" mode tunnel \
			if_id "$1" flag af-unspec aead 'rfc4106(gcm(aes))' $key 128
	done
}

policy() {
	local id=$1
	shift
	ours xfrm policy add dir out src "$1" dst "$2" if_id "$id" \
		tmpl src 192.0.2.1 dst "$ENDPOINT" proto esp reqid "$id" mode tunnel
}

# A tunnel that is up, and a route through it; every case starts from here.
tunnel() {
	sa 7
	policy 7 0.0.0.0/0 0.0.0.0/0
	h dev add ipsec0 addr "$SYSTEM" up
	h peer add myconn addr "$HUB"
	h path add 7 peer myconn endpoint "$ENDPOINT"
	h route add 81.81.81.0/24 peer myconn protocol bird
	defer clean
}

clean() {
	ours link del ipsec0 2>/dev/null
	ours xfrm state flush
	ours xfrm policy flush
	ours rule del pref 100 2>/dev/null
	ours -6 rule del pref 100 2>/dev/null
	ours route flush table 100 2>/dev/null
	true
}

suite_setup() {
	load_ovly
	setup_ns here
	ours link add wan0 type dummy
	ours link add lan0 type dummy
	ours addr add 192.0.2.1/24 dev wan0
	ours addr add 192.168.1.1/24 dev lan0
	ours link set wan0 up
	ours link set lan0 up
	ours route add default via 192.0.2.254
	in_ns here sysctl -qw net.ipv4.ip_forward=1
}

# answer ARGUMENT...: in JSON, whatever the exit status.
answer() { h show route "$@" json || true; }

# verdict VERDICT REASON ARGUMENT...: what "show route ARGUMENT..." ends with, in
# JSON and for people; exit status 0 for "encrypted" only, and no line is wide.
verdict() {
	local word=$1 reason=$2 rc=0 want=1 out
	shift 2
	[ "$word" != encrypted ] || want=0
	out=$(h show route "$@") || rc=$?
	note "${out//$'\n'/$'\n'# }"
	same "$want" "$rc" "exit status of show route $*"
	[ "$(awk '{ if (length > w) w = length } END { print w }' <<<"$out")" -le 80 ] ||
		fail "a line has more than 80 columns"
	matches '^=> ' tail -n 2 <<<"$out"
	same "$word $reason" "$(answer "$@" | jq -r '"\(.verdict) \(.reason)"')" "verdict"
}

# step NAME TEXT ARGUMENT...: a step of the answer.
step() {
	local name=$1 text=$2
	shift 2
	text=" $name $text"
	matches "$text" jq -r '.steps[] | " \(.step) \(.text)"' <<<"$(answer "$@")"
}

test_encrypted_with_every_step() {
	tunnel
	verdict encrypted null 81.81.81.1
	same "rule route device peer path policy sa underlay" \
		"$(answer 81.81.81.1 | jq -r '[.steps[].step] | join(" ")')" "steps"
	step rule '220: from all lookup 220' 81.81.81.1
	step route '81.81.81.0/24 dev ipsec0, table 220, proto bird' 81.81.81.1
	step path 'if-id 7 to 198.51.100.2, active' 81.81.81.1
	step underlay '192.0.2.1 to 198.51.100.2 by wan0 via 192.0.2.254' 81.81.81.1
	same "$SYSTEM wan0" "$(answer 81.81.81.1 |
		jq -r '"\(.from) \(.steps[] | select(.step == "underlay").dev)"')" "source and underlay"
	# the packet the kernel would send agrees
	matches 'dev ipsec0 table 220' ours route get 81.81.81.1
}

test_forwarded_packet_comes_in_by_the_lan() {
	tunnel
	verdict encrypted null 81.81.81.1 --from 192.168.1.5
	step source 'comes in by lan0' 81.81.81.1 --from 192.168.1.5
	verdict encrypted null 81.81.81.1 --from 192.168.1.1
	step source 'an address of this host' 81.81.81.1 --from 192.168.1.1
	in_ns here sysctl -qw net.ipv4.ip_forward=0
	defer in_ns here sysctl -qw net.ipv4.ip_forward=1
	verdict dropped forwarding 81.81.81.1 --from 192.168.1.5
	# what is sent from here needs no forwarding
	verdict encrypted null 81.81.81.1
}

test_clear_local_and_endpoint() {
	tunnel
	verdict clear no-overlay-route 203.0.113.9
	matches '^=> leaves in clear by wan0$' cat <<<"$(h show route 203.0.113.9 || true)"
	step rule '220: from all lookup 220 has no route to it' 203.0.113.9
	verdict local local 192.168.1.1
	# the throw route of the endpoint, even under a default route by the tunnel
	h route add 0.0.0.0/0 peer myconn
	verdict encrypted null 203.0.113.9
	verdict clear no-overlay-route "$ENDPOINT"
	step rule '220: from all lookup 220 throws 198.51.100.2/32: next rule' "$ENDPOINT"
}

test_peer_down_holds() {
	tunnel
	ours xfrm state flush
	wait_for 5 "the peer is down" matches 'down' in_ns here ovlyhelper peer list
	verdict dropped tx-no-path 81.81.81.1
	step peer 'myconn, down for' 81.81.81.1
	step path 'if-id 7 to 198.51.100.2, down without an SA' 81.81.81.1
	h path del 7
	verdict dropped tx-no-path 81.81.81.1
	step path 'none: strongSwan' 81.81.81.1
	h peer del myconn
	verdict clear no-overlay-route 81.81.81.1
}

test_standby_path_is_shown_and_not_taken() {
	tunnel
	sa 8
	policy 8 0.0.0.0/0 0.0.0.0/0
	h path add 8 peer myconn endpoint "$ENDPOINT" priority 200
	verdict encrypted null 81.81.81.1
	step path 'if-id 8 to 198.51.100.2, standby' 81.81.81.1
	step policy '.*if-id 7' 81.81.81.1
	h path set 8 priority 1
	step policy '.*if-id 8' 81.81.81.1
}

test_outside_the_selectors_and_no_sa() {
	tunnel
	ours xfrm policy flush
	verdict dropped tx-no-policy 81.81.81.1
	step policy 'none has if-id 7' 81.81.81.1
	policy 7 10.122.144.128/27 0.0.0.0/0
	verdict encrypted null 81.81.81.1
	verdict dropped tx-no-policy 81.81.81.1 --from 192.168.1.5
	step policy 'does not cover it: 10.122.144.128/27 to 0.0.0.0/0' 81.81.81.1 --from 192.168.1.5
	# the policy asks for an SA of another reqid
	ours xfrm policy update dir out src 10.122.144.128/27 dst 0.0.0.0/0 if_id 7 \
		tmpl src 192.0.2.1 dst "$ENDPOINT" proto esp reqid 77 mode tunnel
	verdict dropped tx-no-sa 81.81.81.1
	# and the packets agree
	never in_ns here ping -c 1 -W 1 81.81.81.1
	same 1 "$(h show drops json | jq '[.[] | select(.peer and .reason == "tx-no-sa").packets] | add')" "tx-no-sa"
}

test_routes_that_refuse_and_none() {
	tunnel
	ours route add unreachable 203.0.113.0/24
	defer ours route del unreachable 203.0.113.0/24
	verdict dropped route-type 203.0.113.9
	step route 'unreachable 203.0.113.0/24, table main' 203.0.113.9
	ours route add blackhole 203.0.113.64/26 table 100
	ours rule add pref 100 lookup 100
	verdict dropped route-type 203.0.113.65
	step route 'blackhole 203.0.113.64/26, table 100' 203.0.113.65
	ours rule del pref 100
	ours rule add pref 100 to 203.0.113.0/24 prohibit
	verdict dropped rule 203.0.113.65
	ours route del default
	defer ours route add default via 192.0.2.254
	verdict dropped no-route 198.18.0.1
}

test_earlier_rule_takes_it_away() {
	tunnel
	ours route add default via 192.0.2.254 table 100
	ours rule add pref 100 from 192.168.1.0/24 lookup 100
	verdict clear no-overlay-route 81.81.81.1 --from 192.168.1.5
	step rule '100: from 192.168.1.0/24 lookup 100' 81.81.81.1 --from 192.168.1.5
	verdict encrypted null 81.81.81.1
	ours rule del pref 100
	ours rule add pref 100 fwmark 5 lookup 100
	verdict encrypted null 81.81.81.1
	verdict clear no-overlay-route 81.81.81.1 mark 5
}

test_plain_policy_comes_first() {
	tunnel
	policy 0 0.0.0.0/0 81.81.81.0/24
	verdict dropped plain-policy 81.81.81.1
	sa 0
	verdict elsewhere plain-policy 81.81.81.1
	ours xfrm policy flush
	ours xfrm policy add dir out src 0.0.0.0/0 dst 81.81.81.0/24 action block
	policy 7 0.0.0.0/0 0.0.0.0/0
	verdict dropped plain-policy 81.81.81.1
}

test_multipoint_next_hop_names_the_peer() {
	defer clean
	sa 7
	policy 7 0.0.0.0/0 0.0.0.0/0
	h dev add ipsec0 mode multipoint addr 10.9.0.254 up
	h peer add one addr 10.9.0.1
	h peer add two addr 10.9.0.2
	h path add 7 peer two endpoint "$ENDPOINT"
	ours route add 10.50.0.0/16 via 10.9.0.2 dev ipsec0 onlink
	ours route add 10.51.0.0/16 via 10.9.0.1 dev ipsec0 onlink
	ours route add 10.52.0.0/16 via 10.9.0.3 dev ipsec0 onlink
	verdict encrypted null 10.50.1.1
	step peer 'two, up' 10.50.1.1
	verdict dropped tx-no-path 10.51.1.1
	h peer set one backup two
	verdict encrypted null 10.51.1.1
	step backup 'two, up' 10.51.1.1
	verdict dropped tx-no-peer 10.52.1.1
	step peer 'none of ipsec0 has the address 10.9.0.3' 10.52.1.1
}

test_outer_loop_is_seen() {
	tunnel
	# a table that no rule leads to has no throw route; here a rule does it later
	h dev del ipsec0
	h dev add ipsec0 table 254 addr "$SYSTEM" up
	h peer add myconn addr "$HUB"
	h path add 7 peer myconn endpoint "$ENDPOINT"
	h route add 81.81.81.0/24 peer myconn
	ours route add "$ENDPOINT" dev ipsec0 metric 5
	verdict dropped tx-loop 81.81.81.1
}

test_vrf() {
	ours link add private type vrf table 300
	defer ours link del private
	ours link set private up
	tunnel
	ours link set ipsec0 master private
	wait_for 5 "the route follows" matches '^81.81.81.0/24 dev ipsec0' ours route show table 300
	verdict clear no-overlay-route 81.81.81.1
	verdict encrypted null 81.81.81.1 vrf private
	# what the VRF's table does not know is looked up in the others
	verdict clear no-overlay-route 203.0.113.9 vrf private
	ours route add unreachable default table 300 metric 4278198272
	verdict dropped route-type 203.0.113.9 vrf private
}

test_ipv6() {
	tunnel
	ours addr add 2001:db8:9::1/128 dev ipsec0 nodad
	h route add 2001:db8:1::/48 peer myconn
	wait_for 5 "the route is there" matches '^2001:db8:1::/48' ours -6 route show table 220
	verdict dropped tx-no-policy 2001:db8:1::5
	policy 7 ::/0 ::/0
	verdict encrypted null 2001:db8:1::5
	step route '2001:db8:1::/48 dev ipsec0, table 220' 2001:db8:1::5
	verdict dropped no-route 2001:db8:77::1
}

test_prefix_tells_what_splits_it() {
	tunnel
	h route add 81.81.81.128/25 peer myconn
	verdict encrypted null 81.81.81.0/24
	matches '^to 81.81.81.1 of 81.81.81.0/24' h show route 81.81.81.0/24
	step note '1 longer routes of table 220' 81.81.81.0/24
	lacks note h show route 81.81.81.128/25
}

test_bad_questions() {
	local bad rc
	for bad in '' 'nowhere' '10.0.0.1/33' '10.0.0.1 from fd00::1' '10.0.0.1 from x' '10.0.0.1 mark'; do
		rc=0
		# shellcheck disable=SC2086 # words
		h show route $bad || rc=$?
		same 2 "$rc" "exit status of 'show route $bad'"
	done
	rc=0
	h show route 10.0.0.1 vrf nothing || rc=$?
	same 1 "$rc" "exit status without that VRF"
	rc=0
	in_ns here setpriv --inh-caps=-net_admin --bounding-set=-net_admin ovlyhelper show route 10.0.0.1 || rc=$?
	same 4 "$rc" "exit status without CAP_NET_ADMIN"
}

CASES="
test_encrypted_with_every_step		a packet through the tunnel: every step, exit status 0
test_forwarded_packet_comes_in_by_the_lan	a forwarded packet: where it comes in, forwarding off
test_clear_local_and_endpoint		leaves in clear, stays here, the endpoint's throw route
test_peer_down_holds			peer down: dropped with ICMP, never in clear
test_standby_path_is_shown_and_not_taken	a standby path is shown and not taken
test_outside_the_selectors_and_no_sa	outside the selectors, no SA for the policy
test_routes_that_refuse_and_none	unreachable, blackhole, prohibit, no route
test_earlier_rule_takes_it_away		an earlier rule takes the packet away: by source, by mark
test_plain_policy_comes_first		a plain policy comes before the device
test_multipoint_next_hop_names_the_peer	multipoint: the next hop names the peer
test_outer_loop_is_seen			the outer packet would enter the device again
test_vrf				in a VRF, and what falls out of it
test_ipv6				IPv6
test_prefix_tells_what_splits_it	a prefix, and longer routes inside it
test_bad_questions			bad questions, no capability
"
run_cases "$@"
