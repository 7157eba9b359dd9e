#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# no-ipv6.sh: a host that was started without IPv6. Its kernel has the code, and none of
# the tables.
#
# kernel-parameters: ipv6.disable=1

# shellcheck source=selftests/lib.sh
. "${OVLY_TOP:?}/selftests/lib.sh"
# shellcheck source=selftests/tunnel.sh
. "$OVLY_TOP/selftests/tunnel.sh"

NUMBER=([left]=1 [right]=2)
SPI=0x1001
KEY=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f

suite_setup() {
	local node

	load_ovly
	[ ! -e /proc/sys/net/ipv6 ] || fail "this kernel was started with IPv6"
	setup_ns left right
	ip link add wan netns "$left" type veth peer name wan netns "$right"
	for node in left right; do
		ip -n "${!node}" addr add "$(outer "$node")/24" dev wan
		ip -n "${!node}" link set wan up
		helper "$node" dev add ov0 addr "$(inner "$node")" up
	done
	helper right peer add left addr "$(inner left)"
	helper right path add 7 peer left
	helper left peer add right addr "$(inner right)"
	helper left path add 7 peer right
	sa_lines left right 7 | ip_batch left
	# What comes is made by hand, so that it can be what a peer without IPv6 never sends.
	ip -n "$right" -batch - <<-LINES
		xfrm state add src $(outer left) dst $(outer right) proto esp spi $SPI reqid 7 \
			mode tunnel if_id 7 flag af-unspec enc ecb(cipher_null) "" \
			auth-trunc hmac(sha256) 0x$KEY 128
		$(sa "$(outer right)" "$(outer left)" "$(spi 7 1)" 7)
	LINES
	policy_lines right left 7 | ip_batch right
	out_policy "$(outer left)" "$(outer right)" 7 0.0.0.0/0 0.0.0.0/0 | ip_batch left
	wait_for 20 "the peer is up" peer_is right left up
}

# esp SEQUENCE NEXT-HEADER: the left sends an inner UDP packet of that protocol.
esp() {
	ip netns exec "$left" python3 - "$1" "$2" "$SPI" "$KEY" <<-'PROGRAM'
		import socket, struct, sys
		from hashlib import sha256
		sequence, protocol, spi = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3], 0)
		udp = struct.pack("!HHHH", 9, 9, 8, 0)
		if protocol == 41:
		    inner = struct.pack("!IHBB", 6 << 28, len(udp), 17, 64)
		    inner += socket.inet_pton(socket.AF_INET6, "fd09::1") + socket.inet_pton(socket.AF_INET6, "fd09::2")
		else:
		    inner = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0)
		    inner += socket.inet_aton("10.9.0.1") + socket.inet_aton("10.9.0.2")
		    total = sum(struct.unpack("!10H", inner))
		    total = (total & 0xffff) + (total >> 16)
		    inner = inner[:10] + struct.pack("!H", ~(total + (total >> 16)) & 0xffff) + inner[12:]
		inner += udp
		pad = -(len(inner) + 2) % 4
		packet = struct.pack("!II", spi, sequence) + inner + bytes(range(1, pad + 1))
		packet += bytes([pad, protocol])
		# HMAC, which the guest's Python has no module for.
		key = bytes.fromhex(sys.argv[4]).ljust(64, b"\0")
		digest = sha256(bytes(b ^ 0x36 for b in key) + packet).digest()
		packet += sha256(bytes(b ^ 0x5c for b in key) + digest).digest()[:16]
		link = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ESP)
		link.sendto(packet, ("192.0.2.2", 0))
	PROGRAM
}

received() { [ "$(traffic right left rx-packets)" = "$1" ]; }
rx_errors_are() { [ "$(drops right left rx-error)" = "$1" ]; }
tx_errors_are() { [ "$(drops left - tx-error)" = "$1" ]; }

test_ipv4_passes() {
	esp 1 4
	wait_for 10 "it came" received 1
	same 0 "$(drops right left rx-error)" "rx-error"
}

test_ipv6_of_a_peer_is_dropped() {
	local before mode sequence=10

	before=$(drops right left rx-error)
	for mode in strict loose off; do
		helper right dev set ov0 src-valid "$mode"
		esp $((++sequence)) 41
		wait_for 10 "src-valid $mode: it is counted" rx_errors_are $((++before))
	done
	helper right dev set ov0 src-valid strict
}

test_ipv6_of_a_packet_socket_is_dropped() {
	local before

	before=$(drops left - tx-error)
	ip netns exec "$left" python3 - <<-'PROGRAM'
		import socket
		link = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM)
		link.sendto(bytes([0x60]) + bytes(3) + bytes([0, 8, 17, 64]) + bytes(32) + bytes(8), ("ov0", 0x86dd))
	PROGRAM
	wait_for 10 "it is counted" tx_errors_are $((before + 1))
}

test_ipv6_address_of_a_peer_is_refused() {
	local before

	before=$(helper right peer list --json | jq -c '[.[] | .name, .addr]')
	never helper right peer set left addr "$(inner left)" addr fd09::1
	same "$before" "$(helper right peer list --json | jq -c '[.[] | .name, .addr]')" "peers"
}

CASES="
test_ipv4_passes			IPv4 passes
test_ipv6_of_a_peer_is_dropped		IPv6 that a peer sends is dropped
test_ipv6_of_a_packet_socket_is_dropped	IPv6 that a packet socket sends is dropped
test_ipv6_address_of_a_peer_is_refused	a peer gets no IPv6 address
"
run_cases "$@"
