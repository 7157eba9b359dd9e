#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# pmtu.sh: the path MTU that a sender is told: what the SA's overhead leaves of
# the link, for every cipher, encapsulation and outer family, and what a router
# on the underlay says. What is told must pass, and nothing bigger may leave.
#
#     lan --- left 192.0.2.1 --- wan (router) --- 192.0.2.2 right

# shellcheck source=selftests/lib.sh
. "${OVLY_TOP:?}/selftests/lib.sh"
# shellcheck source=selftests/tunnel.sh
. "$OVLY_TOP/selftests/tunnel.sh"

suite_setup() {
	load_ovly
	setup_ns lan
	wan_setup_routed left right
	espinudp left
	espinudp right
	overlay left
	overlay right
	ip link add eth netns "$lan" type veth peer name lan netns "$left"
	ip -n "$left" addr add 10.1.0.1/24 dev lan
	ip -n "$left" link set lan up
	ip -n "$lan" addr add 10.1.0.2/24 dev eth
	ip -n "$lan" link set eth up
	ip -n "$lan" route add default via 10.1.0.1
	in_ns left sysctl -qw net.ipv4.ip_forward=1
}

# tunnel, start_over: of the kind that the variables say. The peers go each time,
# and with them what was learned about their routes.
tunnel() {
	defer start_over
	connect left right 7
}

start_over() {
	local node other=right

	for node in left right; do
		helper "$node" peer del "$other"
		no_sas "$node"
		no_policies "$node"
		ip -n "${!node}" -4 route flush cache
		# In IPv6 a route has what was learned about it.
		ip -n "${!node}" -6 route replace default via fe80::fe dev wan
		other=left
	done
	ip -n "$lan" route flush cache
}

# ---- the independent computation -------------------------------------------------

# What RFC 4303 and the ciphers' RFCs put around a packet:
# name, IV, block that the padding fills, ICV
OVERHEAD="
aes128gcm16	8	4	16
aes256gcm16	8	4	16
aes128-sha1	16	16	12
aes256-sha1	16	16	12
aes256-sha256	16	16	16
aes256-sha512	16	16	32
"

# outer_size INNER-SIZE: of the packet on the wire. The trailer has 2 bytes.
outer_size() {
	local iv block icv header=20

	[ "${OUTER:-4}" = 4 ] || header=40
	[ -z "${ENCAP:-}" ] || header=$((header + 8))
	read -r _ iv block icv < <(grep "^${CIPHER:-aes128gcm16}	" <<<"$OVERHEAD")
	echo $((header + 8 + iv + ($1 + 2 + block - 1) / block * block + icv))
}

# mtu_within LINK-MTU: the largest inner packet whose outer one fits.
mtu_within() {
	local size=$1

	while [ "$(outer_size "$size")" -gt "$1" ]; do
		size=$((size - 1))
	done
	echo "$size"
}

# ---- asking ----------------------------------------------------------------------

# found NODE ADDRESS: path MTU discovery as a sender does it: sends ever smaller
# packets as it is told, and prints the size that comes back.
found() {
	local size=1500 header=28 mtu out tries

	case $2 in *:*) header=48 ;; esac
	for tries in 1 2 3 4 5 6; do
		out=$(in_ns "$1" ping -n -c 1 -W "${PATIENCE:-1}" -M 'do' -s $((size - header)) "$2" 2>&1) && {
			echo "$size"
			return 0
		}
		mtu=$(sed -n 's/.*mtu[ =:]*\([0-9]*\).*/\1/p' <<<"$out")
		# Silence: a router told our own host, and the next packet tells us.
		size=${mtu:-$size}
	done
	echo "none after $tries tries, the last of $size bytes: $out"
}

# overhead: the MTU as computed is the one found.
overhead() {
	# Packets are counted: none is to be sent twice.
	local want PATIENCE=10

	connect left right 7
	want=$(mtu_within 1500)
	same "$want" "$(found left 10.9.0.2)" "MTU for IPv4 inside, outer $OUTER, encap '$ENCAP'"
	same "$want" "$(found left fd09::2)" "MTU for IPv6 inside, outer $OUTER, encap '$ENCAP'"
	# A request and an answer of each family have come by. The length in the
	# header of IPv6 is without that.
	want=$(outer_size "$want")
	[ "$OUTER" = 4 ] || want=$((want - 40))
	SIZES="$SIZES$want $want $want $want "
	start_over
}

each_encapsulation() {
	local CIPHER=$1 OUTER ENCAP SIZES="" log=${CASE:?}

	defer start_over
	sniff wan to-2 "$log" "not ($LINK_CHATTER)"
	for OUTER in 4 6; do
		for ENCAP in "" "4500 4500"; do
			# A debug kernel is there for other things: half of them.
			case ${OVLY_SMALL:-}$OUTER$ENCAP in 14 | "164500 4500") continue ;; esac
			overhead
		done
	done
	sniff_end "$log"
	same "$SIZES" "$(sniffed "$log" -v | sed -nE 's/.*(, length|payload length:) ([0-9]+)\).*/\2/p' |
		tr '\n' ' ')" "sizes of the outer packets"
}

test_overhead_aes128gcm16() { each_encapsulation aes128gcm16; }
test_overhead_aes256gcm16() { each_encapsulation aes256gcm16; }
test_overhead_aes128_sha1() { each_encapsulation aes128-sha1; }
test_overhead_aes256_sha1() { each_encapsulation aes256-sha1; }
test_overhead_aes256_sha256() { each_encapsulation aes256-sha256; }
test_overhead_aes256_sha512() { each_encapsulation aes256-sha512; }

# narrow MTU: of the router's link to the right, which the left does not see.
narrow() {
	ip -n "$wan" link set to-2 mtu "$1"
	ip -n "$right" link set wan mtu "$1"
	defer ip -n "$right" link set wan mtu 1500
	defer ip -n "$wan" link set to-2 mtu 1500
	tunnel
}

# learned: what a router on the underlay says reaches the sender inside.
learned() {
	local want

	narrow 1400
	want=$(mtu_within 1400)
	same "$want" "$(found left 10.9.0.2)" "MTU for IPv4 inside"
	same "$want" "$(found left fd09::2)" "MTU for IPv6 inside"
	unanswered left 10.9.0.2 -M 'do' -s $((want - 27))
}

test_learned_from_a_router_ipv4() { learned; }
test_learned_from_a_router_ipv6() { OUTER=6 learned; }
test_learned_from_a_router_nat_t() { ENCAP="4500 4500" learned; }

test_a_host_behind_is_told() {
	narrow 1400
	helper right route add 10.1.0.0/24 peer left
	# The router tells the left, the left tells the host.
	same "$(mtu_within 1400)" "$(found lan 10.9.0.2)" "MTU that the host learned"
	matches "mtu $(mtu_within 1400)" ip -n "$lan" route get 10.9.0.2
}

# fragments: without DF everything passes, in pieces that fit.
fragments() {
	local log=${CASE:?}

	narrow 1400
	sniff wan to-2 "$log" 'ip proto 50 or ip6'
	# A router cannot fragment IPv6: the first packet is lost, and told.
	[ "${OUTER:-4}" = 4 ] || unanswered left 10.9.0.2 -c 1 -M dont -s 1398
	pings left 10.9.0.2 -M dont -s 1398
	pings left 10.9.0.2 -M dont -s 4000
	sniff_end "$log"
	[ "$(sniffed_count "$log" 'src 192.0.2.1 or src 2001:db8::1')" -ge 6 ] || fail "nothing was sent"
	same 0 "$(sniffed_count "$log" 'greater 1415')" "frames above 1414 bytes"
}

# fragments_of_a_host_behind: the same for what is forwarded.
fragments_of_a_host_behind() {
	local log=${CASE:?}

	narrow 1400
	helper right route add 10.1.0.0/24 peer left
	# The router tells the left; the host is not told, and sends what it always does.
	[ "${OUTER:-4}" = 4 ] || unanswered left 10.9.0.2 -c 1 -M dont -s 1398
	sniff wan to-2 "$log" 'ip proto 50 or ip6'
	pings lan 10.9.0.2 -M dont -s 1398
	pings lan 10.9.0.2 -M dont -s 4000
	sniff_end "$log"
	[ "$(sniffed_count "$log" 'src 192.0.2.1 or src 2001:db8::1')" -ge 6 ] || fail "nothing was sent"
	same 0 "$(sniffed_count "$log" 'greater 1415')" "frames above 1414 bytes"
}

test_without_df_of_a_host_behind_over_ipv4() { fragments_of_a_host_behind; }
test_without_df_of_a_host_behind_over_ipv6() { OUTER=6 fragments_of_a_host_behind; }

test_without_df_fragments_over_ipv4() { fragments; }
test_without_df_fragments_over_ipv6() { OUTER=6 fragments; }

test_df_goes_outside() {
	local log=${CASE:?}

	tunnel
	sniff wan to-2 "$log" 'ip proto 50 and src 192.0.2.1'
	pings left 10.9.0.2 -c 1 -M 'do'
	pings left 10.9.0.2 -c 1 -M dont
	sniff_end "$log"
	same "1 1" "$(sniffed_count "$log" 'ip[6] & 0x40 != 0') $(sniffed_count "$log" 'ip[6] & 0x40 == 0')" \
		"outer packets with and without DF"
}

# at_1280: IPv6 inside never has to be smaller than 1280 bytes, though the
# tunnel is narrower.
at_1280() {
	narrow 1280
	same 1280 "$(found left fd09::2)" "MTU for IPv6 inside"
	# By its first answer, which is lost, the other end is told.
	in_ns left ping -n -c 1 -W 1 -s 3000 fd09::2 || true
	pings left fd09::2 -s 3000
	# IPv4 is told the truth.
	same "$(mtu_within 1280)" "$(found left 10.9.0.2)" "MTU for IPv4 inside"
	# Nor have the segments of a large packet to be smaller.
	copies left right fd09::2 1
	same 1280 "$(found left fd09::2)" "MTU for IPv6 inside, still"
}

test_ipv6_at_1280_over_ipv4() { at_1280; }
test_ipv6_at_1280_over_ipv6() { OUTER=6 at_1280; }

CASES="
test_overhead_aes128gcm16		aes128gcm16: the MTU told is the one computed, each outer family, NAT-T or not
test_overhead_aes256gcm16		aes256gcm16: the same
test_overhead_aes128_sha1		aes128-sha1: the same
test_overhead_aes256_sha1		aes256-sha1: the same
test_overhead_aes256_sha256		aes256-sha256: the same
test_overhead_aes256_sha512		aes256-sha512: the same
test_learned_from_a_router_ipv4		a router's ICMP on the underlay reaches the sender inside
test_learned_from_a_router_ipv6		a router's ICMPv6 on the underlay reaches the sender inside
test_learned_from_a_router_nat_t	a router's ICMP about ESP in UDP reaches the sender inside
test_a_host_behind_is_told		a host behind the device is told
test_df_goes_outside			DF of an inner packet goes on the outer one
test_without_df_fragments_over_ipv4	without DF everything passes in fragments over IPv4
test_without_df_fragments_over_ipv6	without DF everything passes in fragments over IPv6
test_without_df_of_a_host_behind_over_ipv4	and so does what a host behind sends, over IPv4
test_without_df_of_a_host_behind_over_ipv6	and so does what a host behind sends, over IPv6
test_ipv6_at_1280_over_ipv4		IPv6 packets of 1280 bytes pass a narrower path over IPv4
test_ipv6_at_1280_over_ipv6		IPv6 packets of 1280 bytes pass a narrower path over IPv6
"
run_cases "$@"
