#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# trace.sh: the tracepoints: each drop with device, peer and reason, each turn of a
# path and of a peer.
#
#     left 192.0.2.1 --- wan --- 192.0.2.2 right
#     ov0 10.9.0.1               ov0 10.9.0.2

# shellcheck source=selftests/lib.sh
. "${OVLY_TOP:?}/selftests/lib.sh"
# shellcheck source=selftests/tunnel.sh
. "$OVLY_TOP/selftests/tunnel.sh"

# An instance of its own, whose buffer nobody else reads.
TRACE=/sys/kernel/tracing/instances/ovly

suite_setup() {
	load_ovly
	wan_setup left right
	overlay left mode multipoint
	overlay right
	connect left right 7
	PEER=$(peer_id left right)
	mkdir "$TRACE"
	defer rmdir "$TRACE"
	echo 1 >"$TRACE/events/ovly/enable"
}

peer_id() {
	helper "$1" peer list --json | jq --arg name "$2" '.[] | select(.name == $name) | .id'
}

# traced EVENT PATTERN COMMAND...: while it runs that event comes, once a packet that
# unanswered sends or once in all.
traced() {
	local event=$1 pattern=$2

	shift 2
	echo >"$TRACE/trace"
	"$@"
	wait_for 5 "$event: $pattern" matches " $event: $pattern" cat "$TRACE/trace"
}

# drop_traced PATTERN ADDRESS [PING-OPTION...]: two packets, two drops, no other.
drop_traced() {
	local pattern=$1

	shift
	traced ovly_drop "$pattern" unanswered left "$@"
	same 2 "$(grep -c ' ovly_drop: ' "$TRACE/trace")" "drops traced"
	same 2 "$(grep -cE " ovly_drop: $pattern" "$TRACE/trace")" "drops traced as $pattern"
}

# ---- drops -----------------------------------------------------------------------

# An echo request of ping has 84 bytes with its IPv4 header.
ECHO="protocol=0x0800 len=84 skbaddr="

test_tx_no_peer() {
	ip -n "$left" route add 10.98.0.0/16 via 10.9.9.9 dev ov0 onlink
	defer ip -n "$left" route del 10.98.0.0/16
	drop_traced "dev=ov0 peer=0 reason=tx_no_peer $ECHO" 10.98.0.1
}

test_tx_no_path() {
	no_sas left
	defer resas left right 7
	drop_traced "dev=ov0 peer=$PEER reason=tx_no_path $ECHO" 10.9.0.2
}

test_tx_no_sa() {
	no_policies left
	defer resas left right 7
	policy_lines left right 7 | sed 's/reqid 7/reqid 99/' | ip_batch left
	drop_traced "dev=ov0 peer=$PEER reason=tx_no_sa $ECHO" 10.9.0.2
}

test_tx_no_policy() {
	no_policies left
	defer resas left right 7
	drop_traced "dev=ov0 peer=$PEER reason=tx_no_policy $ECHO" 10.9.0.2
}

test_tx_loop() {
	ip -n "$left" route add 192.0.2.2 dev ov0
	defer ip -n "$left" route del 192.0.2.2 dev ov0
	drop_traced "dev=ov0 peer=$PEER reason=tx_loop $ECHO" 10.9.0.2
}

test_tx_too_big() {
	# Later ones would not get as far as the device.
	traced ovly_drop "dev=ov0 peer=$PEER reason=tx_too_big protocol=0x0800 len=3028 " \
		unanswered left 10.9.0.2 -c 1 -M 'do' -s 3000
}

test_tx_error() {
	in_ns left nft -f - <<-'RULES'
		table inet t {
			chain c {
				type filter hook output priority 0
				ip protocol esp drop
			}
		}
	RULES
	defer in_ns left nft delete table inet t
	# The packet is gone by then.
	drop_traced "dev=ov0 peer=$PEER reason=tx_error protocol=0x0000 len=0 " 10.9.0.2
}

test_rx_source() {
	ip -n "$left" addr add 10.66.0.1/32 dev lo
	defer ip -n "$left" addr del 10.66.0.1/32 dev lo
	drop_traced "dev=ov0 peer=$(peer_id right left) reason=rx_source $ECHO" 10.9.0.2 -I 10.66.0.1
}

test_rx_selector() {
	no_sas right
	defer resas right left 7
	SA_MORE="sel src 10.9.0.9/32 dst 10.9.0.2/32" sa_lines right left 7 |
		sed '1s/sel src [^ ]* dst [^ ]*//; s/flag af-unspec//' | ip_batch right
	drop_traced "dev=ov0 peer=$(peer_id right left) reason=rx_selector $ECHO" 10.9.0.2
}

test_rx_error() {
	no_sas right
	defer resas right left 7
	sa_lines right left 7 | sed 's/789abcde/789abcdf/' | ip_batch right
	drop_traced "dev=ov0 peer=$(peer_id right left) reason=rx_error " 10.9.0.2
}

# ---- turns -----------------------------------------------------------------------

test_a_lost_sa_takes_path_and_peer_down() {
	defer resas left right 7
	traced ovly_path_state "peer=$PEER if_id=0x7 old=active new=down sa_in=0 sa_out=0" no_sas left
	matches " ovly_peer_active: dev=ov0 peer=$PEER name=right old_if_id=0x7 new_if_id=0x0" \
		cat "$TRACE/trace"
}

test_an_sa_that_comes_brings_them_up() {
	no_sas left
	traced ovly_path_state "peer=$PEER if_id=0x7 old=down new=active sa_in=[01] sa_out=1" resas left right 7
	matches " ovly_peer_active: dev=ov0 peer=$PEER name=right old_if_id=0x0 new_if_id=0x7" \
		cat "$TRACE/trace"
}

test_another_path_takes_over() {
	sa_lines left right 8 | ip_batch left
	defer resas left right 7
	traced ovly_path_state "peer=$PEER if_id=0x7 old=active new=standby " \
		path left right 8 priority 1
	matches " ovly_path_state: peer=$PEER if_id=0x8 old=down new=active " cat "$TRACE/trace"
	matches " ovly_peer_active: dev=ov0 peer=$PEER name=right old_if_id=0x7 new_if_id=0x8" \
		cat "$TRACE/trace"
	traced ovly_path_state "peer=$PEER if_id=0x7 old=standby new=active " helper left path del 8
}

CASES="
test_tx_no_peer				a drop: no peer has the next hop
test_tx_no_path				a drop: the peer has no path
test_tx_no_sa				a drop: the policy finds no SA
test_tx_no_policy			a drop: no policy
test_tx_loop				a drop: outer packets would enter the device again
test_tx_too_big				a drop: more than the path MTU
test_tx_error				a drop: the outer packet is refused behind the device
test_rx_source				a drop: a source that is not the peer's
test_rx_selector			a drop: not what the SA is for
test_rx_error				a drop: what does not decrypt
test_a_lost_sa_takes_path_and_peer_down	a lost SA: the path goes down, and the peer
test_an_sa_that_comes_brings_them_up	a new SA: the path comes up, and the peer
test_another_path_takes_over		a better path takes over, and gives back
"
run_cases "$@"
