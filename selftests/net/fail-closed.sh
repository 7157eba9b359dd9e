#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# fail-closed.sh: nothing leaves in clear. In every state that a tunnel can be
# in, packets are sent all the time from a node that has a default route on the
# underlay as well, and a capture there must see ESP only. That it would see
# more is proved first.
#
#     left 192.0.2.1 --- wan (router) --- 192.0.2.2 right, has 10.66.0.1, fd66::1

# shellcheck source=selftests/lib.sh
. "${OVLY_TOP:?}/selftests/lib.sh"
# shellcheck source=selftests/tunnel.sh
. "$OVLY_TOP/selftests/tunnel.sh"

# What may be on the underlay.
ALLOWED="$LINK_CHATTER or ip proto 50"

suite_setup() {
	load_ovly
	wan_setup_routed left right
	ip -n "$right" addr add 10.66.0.1/32 dev lo
	ip -n "$right" addr add fd66::1/128 dev lo
	overlay left
	overlay right
	connect left right 7
	helper left route add 10.66.0.0/16 peer right
	helper left route add fd66::/32 peer right
}

# ---- traffic and its judge ---------------------------------------------------------

# talk: sends to all that is behind the peer, all the time. UDP sockets that are
# connected keep the route they had.
talk() {
	ip netns exec "$left" python3 -u - >"$OVLY_OUT/${CASE:?}.talk" 2>&1 <<-'PROGRAM' &
		import socket, time
		def connected(family, addr):
		    s = socket.socket(family, socket.SOCK_DGRAM)
		    s.connect((addr, 9))
		    return s
		to = [(socket.AF_INET, "10.66.0.1"), (socket.AF_INET, "10.9.0.2"),
		      (socket.AF_INET6, "fd66::1"), (socket.AF_INET6, "fd09::2")]
		held = [connected(*t) for t in to]
		n = 0
		while True:
		    for t, s in zip(to, held):
		        fresh = socket.socket(t[0], socket.SOCK_DGRAM)
		        for send in (lambda: s.send(b"held"), lambda: fresh.sendto(b"fresh", (t[1], 9))):
		            try:
		                send()
		            except OSError:
		                pass
		        fresh.close()
		    n += 1
		    print(n)
		    time.sleep(0.01)
	PROGRAM
	TALKER=$!
	defer eval "kill $TALKER 2>/dev/null"
	wait_for 20 "left talks" talked 3
}

talked() { [ "$(tail -n 1 "$OVLY_OUT/${CASE:?}.talk")" -ge "$1" ]; }

# talk_on: until all has been sent some times more.
talk_on() {
	wait_for 20 "left talks on" talked $(($(tail -n 1 "$OVLY_OUT/${CASE:?}.talk") + ${1:-10}))
}

watch() {
	sniff wan to-1 "${CASE:?}"
	talk
}

# esp_only: the verdict.
esp_only() {
	kill "$TALKER"
	wait "$TALKER" || true
	sniff_end "${CASE:?}"
	same "" "$(sniffed "$CASE" "not ($ALLOWED)" | head -n 5)" "packets in clear"
	note "$(sniffed_count "$CASE" 'ip proto 50') packets of ESP"
}

# counts REASON: that is what becomes of what is sent now.
counts() {
	local before

	before=$(drops left - "$1")
	talk_on
	[ "$(drops left - "$1")" -ge $((before + 10)) ] || fail "$1 did not count"
}

# mend: the tunnel is whole again.
mend() {
	local node

	for node in left right; do
		no_sas "$node"
		no_policies "$node"
	done
	sas left right 7
	sas right left 7
}

# ---- the proof ---------------------------------------------------------------------

test_the_capture_would_show_a_leak() {
	# Without its rules the same traffic takes the default route.
	watch
	ip -n "$left" link set ov0 down
	defer ip -n "$left" link set ov0 up
	defer ip -n "$left" addr replace fd09::1/128 dev ov0
	talk_on
	kill "$TALKER"
	sniff_end "${CASE:?}"
	sniffed "$CASE" "not ($ALLOWED)" >"$OVLY_OUT/leak"
	matches '> 10\.66\.0\.1\.9: UDP' cat "$OVLY_OUT/leak"
	matches '> fd66::1\.9: UDP' cat "$OVLY_OUT/leak"
}

# ---- the states --------------------------------------------------------------------

test_with_everything_well() {
	watch
	talk_on
	esp_only
	[ "$(sniffed_count "$CASE" 'ip proto 50')" -ge 80 ] || fail "too little came out"
}

test_without_sas() {
	watch
	defer mend
	no_sas left
	counts tx-no-path
	esp_only
}

test_sa_expired_by_time() {
	defer mend
	no_sas left
	no_policies left
	# The capture and the talk are there before the SA, however slow the machine is.
	watch
	SA_MORE="limit time-hard $((12 * OVLY_SLOW))" sas left right 7
	wait_for 40 "the SA expires" peer_is left right down
	counts tx-no-path
	esp_only
	[ "$(sniffed_count "$CASE" 'ip proto 50 and src 192.0.2.1')" -ge 8 ] ||
		fail "nothing was sent before it expired"
}

test_sa_expired_by_packets() {
	defer mend
	no_sas left
	no_policies left
	SA_MORE="limit packet-hard 100" sas left right 7
	watch
	wait_for 15 "the SA expires" peer_is left right down
	counts tx-no-path
	esp_only
	same 100 "$(sniffed_count "$CASE" 'ip proto 50 and src 192.0.2.1')" "packets of the SA"
}

test_peer_without_paths_holds_its_routes() {
	watch
	helper left path del 7
	defer path left right 7
	counts tx-no-path
	matches '^10.66.0.0/16 dev ov0' ip -n "$left" route show table 220
	esp_only
}

test_policy_missing() {
	watch
	defer mend
	no_policies left
	counts tx-no-policy
	esp_only
}

test_policy_that_lets_pass_in_clear() {
	local any

	watch
	defer mend
	no_policies left
	for any in 0.0.0.0/0 ::/0; do
		ip -n "$left" xfrm policy add dir out src "$any" dst "$any" if_id 7
	done
	counts tx-no-policy
	esp_only
}

test_policy_whose_sas_are_optional() {
	local any

	watch
	defer mend
	no_policies left
	# In tunnel mode the kernel takes no optional ones.
	for any in 0.0.0.0/0 ::/0; do
		ip -n "$left" xfrm policy add dir out src "$any" dst "$any" if_id 7 \
			tmpl proto esp reqid 99 mode transport level use
	done
	talk_on
	esp_only
}

test_policy_that_blocks() {
	local any

	watch
	defer mend
	no_policies left
	for any in 0.0.0.0/0 ::/0; do
		ip -n "$left" xfrm policy add dir out src "$any" dst "$any" action block if_id 7
	done
	counts tx-no-policy
	esp_only
}

test_policy_without_its_sa() {
	watch
	defer mend
	no_policies left
	{
		out_policy 192.0.2.1 192.0.2.2 7 0.0.0.0/0 0.0.0.0/0
		out_policy 192.0.2.1 192.0.2.2 7 ::/0 ::/0
	} | sed 's/reqid 7/reqid 99/' | ip_batch left
	counts tx-no-sa
	esp_only
}

test_rekeyed_again_and_again() {
	local i lines

	watch
	defer mend
	for i in 1 2 3 4 5; do
		# New SAs beside the old ones, then the old ones go.
		lines=$(
			sa 192.0.2.1 192.0.2.2 "0x9${i}2" 7
			sa 192.0.2.2 192.0.2.1 "0x9${i}1" 7
		)
		ip_batch right <<<"$lines"
		ip_batch left <<<"$lines"
		if [ "$i" = 1 ]; then
			ip -n "$left" xfrm state delete src 192.0.2.1 dst 192.0.2.2 proto esp spi "$(spi 7 2)"
		else
			ip -n "$left" xfrm state delete src 192.0.2.1 dst 192.0.2.2 proto esp spi "0x9$((i - 1))2"
		fi
		talk_on 3
	done
	peer_is left right up
	esp_only
}

test_sas_come_and_go_under_traffic() {
	local i

	watch
	for i in 1 2 3 4 5; do
		mend
		talk_on 2
		no_sas left
		talk_on 2
	done
	mend
	talk_on
	esp_only
}

# only_the_overlay: no other way to what is behind the peer, so that a packet in
# clear could come from the device only.
only_the_overlay() {
	ip -n "$left" route del default
	ip -n "$left" -6 route del default
	ip -n "$left" route add 192.0.2.0/24 via 192.0.2.254 dev wan onlink
	defer ip -n "$left" -6 route add default via fe80::fe dev wan
	defer ip -n "$left" route add default via 192.0.2.254 dev wan onlink
	defer ip -n "$left" route del 192.0.2.0/24
}

test_device_goes_down_and_up() {
	local i

	only_the_overlay
	watch
	for i in 1 2 3 4 5; do
		ip -n "$left" link set ov0 down
		talk_on 2
		ip -n "$left" link set ov0 up
		ip -n "$left" addr replace fd09::1/128 dev ov0
		talk_on 2
	done
	wait_for 10 "the routes are back" matches '^fd66::/32 dev ov0' \
		ip -n "$left" -6 route show table 220
	pings left 10.66.0.1
	esp_only
}

# Last: nothing is left afterwards.
test_device_deleted_and_module_unloaded() {
	only_the_overlay
	watch
	unload_ovly
	talk_on
	esp_only
	[ "$(sniffed_count "$CASE" 'ip proto 50')" -ge 8 ] || fail "nothing was sent before"
	lacks . ip -n "$left" route show table 220
}

CASES="
test_the_capture_would_show_a_leak	the capture would show a leak
test_with_everything_well		ESP only with everything well
test_without_sas			ESP only without SAs
test_sa_expired_by_time			ESP only when the SA expires by time
test_sa_expired_by_packets		ESP only when the SA expires by packets
test_peer_without_paths_holds_its_routes	ESP only when the peer is down, its routes are held
test_policy_missing			ESP only when the policy is missing
test_policy_that_lets_pass_in_clear	ESP only when the policy lets packets pass in clear
test_policy_whose_sas_are_optional	ESP only when the policy's SAs are optional
test_policy_that_blocks			ESP only when the policy blocks
test_policy_without_its_sa		ESP only when the policy finds no SA
test_rekeyed_again_and_again		ESP only while SAs are replaced
test_sas_come_and_go_under_traffic	ESP only while SAs come and go
test_device_goes_down_and_up		ESP only while the device goes down and up
test_device_deleted_and_module_unloaded	ESP only while the module is unloaded
"
run_cases "$@"
