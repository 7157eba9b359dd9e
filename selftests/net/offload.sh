#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# offload.sh: big packets and checksums left to the device. What is handed to it
# in one piece leaves in pieces that fit, and arrives unharmed.
#
#     lan --- left 192.0.2.1 --- wan --- 192.0.2.2 right

# shellcheck source=selftests/lib.sh
. "${OVLY_TOP:?}/selftests/lib.sh"
# shellcheck source=selftests/tunnel.sh
. "$OVLY_TOP/selftests/tunnel.sh"

SIZE=4

suite_setup() {
	load_ovly
	setup_ns lan
	wan_setup left right
	overlay left
	overlay right
	connect left right 7
	ip link add eth netns "$lan" type veth peer name lan netns "$left"
	ip -n "$left" addr add 10.1.0.1/24 dev lan
	ip -n "$left" link set lan up
	ip -n "$lan" addr add 10.1.0.2/24 dev eth
	ip -n "$lan" link set eth up
	ip -n "$lan" route add default via 10.1.0.1
	in_ns left sysctl -qw net.ipv4.ip_forward=1
	helper right route add 10.1.0.0/24 peer left
}

# transfer FROM TO ADDRESS: watched where it is handed over, on the wire and
# where it comes out, under these names. WIRE is what the tunnel is on the wire.
transfer() {
	local log=${CASE:?}

	sniff left ov0 "$log-handed" tcp
	sniff wan sw "$log-wire"
	sniff right ov0 "$log-out" tcp
	copies "$@" "$SIZE"
	sniff_end "$log-out"
	sniff_end "$log-wire"
	sniff_end "$log-handed"
	same 0 "$(sniffed_count "$log-wire" 'greater 1515')" "frames too big for the wire"
	same 0 "$(sniffed_count "$log-wire" 'ip[6:2] & 0x3fff != 0 or ip6[6] = 44')" "fragments"
	[ "$(sniffed_count "$log-wire" "${WIRE:-ip proto 50} and greater 1400")" -ge $((SIZE * 700)) ] ||
		fail "too little on the wire"
	same 0 "$(bad_checksums)" "packets inside with a wrong checksum"
}

# big WHERE: packets of more than the path MTU.
big() { sniffed_count "${CASE:?}-$1" 'greater 1501'; }

bad_checksums() {
	in_ns right nstat -asz TcpInCsumErrors UdpInCsumErrors Udp6InCsumErrors |
		awk '/CsumErrors/ { n += $2 } END { print n + 0 }'
}

gso_and_gro() {
	transfer left right "$1"
	[ "$(big handed)" -ge 10 ] || fail "nothing was handed over in big pieces"
	[ "$(big out)" -ge 10 ] || fail "nothing was put together again"
}

test_gso_and_gro_ipv4() { gso_and_gro 10.9.0.2; }
test_gso_and_gro_ipv6() { gso_and_gro fd09::2; }

# instead: until the case ends, a tunnel as OUTER and ENCAP say in place of the other.
instead() {
	untunnel left right 7
	# Words of its own: the case's are there still if it ends early.
	defer eval "untunnel left right 7; OUTER=4 ENCAP= tunnel"
	tunnel
}

tunnel() {
	sas left right 7
	sas right left 7
	path left right 7
	path right left 7
}

test_gso_and_gro_over_ipv6() {
	local OUTER=6 WIRE='ip6 proto 50'

	instead
	gso_and_gro 10.9.0.2
	gso_and_gro fd09::2
}

# in_udp OUTER-FAMILY WIRE
in_udp() {
	local OUTER=$1 WIRE=$2 ENCAP="4500 4500"

	espinudp left
	espinudp right
	instead
	gso_and_gro 10.9.0.2
	gso_and_gro fd09::2
}

test_gso_and_gro_in_udp() { in_udp 4 'ip and udp src port 4500 and dst port 4500'; }
test_gso_and_gro_in_udp_over_ipv6() { in_udp 6 'ip6 and udp src port 4500 and dst port 4500'; }

# without NODE FEATURE...: switched off until the case ends.
without() {
	local node=$1 feature

	shift
	for feature; do
		in_ns "$node" ethtool -K ov0 "$feature" off
		defer in_ns "$node" ethtool -K ov0 "$feature" on
	done
}

test_without_gso() {
	without left tso gso
	transfer left right 10.9.0.2
	same 0 "$(big handed)" "big packets handed over"
}

test_without_checksum_offload() {
	without left tx
	transfer left right 10.9.0.2
	transfer left right fd09::2
}

test_without_gro() {
	without right gro
	transfer left right 10.9.0.2
	same 0 "$(big out)" "big packets received"
}

test_gso_with_esp_offload() {
	local node

	# XFRM then segments after it has chosen the SA, on the way to the wire.
	modprobe -a esp4_offload esp6_offload || skip "the kernel has no ESP offload"
	# Both ends anew: a receiver takes no sequence number twice.
	for node in left right; do
		no_sas "$node"
		no_policies "$node"
	done
	sas left right 7
	sas right left 7
	gso_and_gro 10.9.0.2
	gso_and_gro fd09::2
}

test_gso_of_the_other_ciphers() {
	local node

	for node in left right; do
		no_sas "$node"
		no_policies "$node"
	done
	CIPHER=aes256-sha512 sas left right 7
	CIPHER=aes256-sha512 sas right left 7
	gso_and_gro 10.9.0.2
}

test_forwarded_gso_finds_the_path_mtu() {
	# The host believes in 1500 bytes and its packets come in one piece: the
	# device has to say what fits.
	transfer lan right 10.9.0.2
	matches 'mtu 14[0-9][0-9]' ip -n "$lan" route get 10.9.0.2
}

test_udp_segments() {
	local log=${CASE:?} family to

	for family in 4 6; do
		to=$(inner right "$family")
		sniff right ov0 "$log-$family" "udp port 9"
		in_ns left python3 - "$to" <<-'PROGRAM'
			import socket, sys
			family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
			s = socket.socket(family, socket.SOCK_DGRAM)
			# UDP_SEGMENT
			s.setsockopt(socket.IPPROTO_UDP, 103, 1000)
			s.sendto(b"".join(bytes([i]) * 1000 for i in range(10)), (sys.argv[1], 9))
		PROGRAM
		wait_for 10 "the segments come" came "$log-$family" 10
		sniff_end "$log-$family"
		same 10 "$(sniffed "$log-$family" -v | grep -c 'length 1000')" "segments of 1000 bytes"
	done
	same 0 "$(bad_checksums)" "packets inside with a wrong checksum"
}

came() { [ "$(sniffed_count "$1")" -ge "$2" ]; }

test_features_of_the_device() {
	local feature

	for feature in tx-checksumming scatter-gather generic-segmentation-offload \
		tcp-segmentation-offload generic-receive-offload; do
		matches "^ *$feature: on" in_ns left ethtool -k ov0 >/dev/null || fail "$feature is off"
	done
}

CASES="
test_gso_and_gro_ipv4		big TCP packets, IPv4: unharmed, in frames that fit, put together again
test_gso_and_gro_ipv6		big TCP packets, IPv6: the same
test_gso_and_gro_over_ipv6	the same over IPv6
test_gso_and_gro_in_udp		the same with ESP in UDP
test_gso_and_gro_in_udp_over_ipv6	the same with ESP in UDP over IPv6
test_without_gso		the same without GSO
test_without_checksum_offload	the same without checksum offload
test_without_gro		the same without GRO
test_gso_of_the_other_ciphers	the same with AES-CBC and SHA-512
test_gso_with_esp_offload	the same with ESP offload in software
test_forwarded_gso_finds_the_path_mtu	big TCP packets of a host behind find the path MTU
test_udp_segments		big UDP packets become the datagrams that were meant
test_features_of_the_device	the device has the features of a tunnel
"
run_cases "$@"
