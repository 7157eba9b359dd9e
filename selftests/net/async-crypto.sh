#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# async-crypto.sh: SAs whose crypto does not finish at once (pcrypt, as many
# accelerators do). In some 6.1 kernels xfrm_input() then drops a reference of
# the device that the protocol's callback has set, one for each packet, and the
# device can never be deleted. ovly has to survive that.

# shellcheck source=selftests/lib.sh
. "${OVLY_TOP:?}/selftests/lib.sh"
# shellcheck source=selftests/tunnel.sh
. "$OVLY_TOP/selftests/tunnel.sh"

# Who makes the crypto asynchronous. lockdep of 6.1 takes two of pcrypt's locks for one.
ASYNC=pcrypt
[ -z "${OVLY_SMALL:-}" ] || ASYNC=cryptd

# make_aead TEMPLATE: has the kernel make the algorithm, which is the first choice for
# its plain name from now on. It is called after the driver inside, so the kernel says
# that it has none of this name.
make_aead() {
	python3 - "$1" <<-'PROGRAM'
		import errno, os, socket, struct, sys
		CRYPTO_MSG_NEWALG, CRYPTO_ALG_TYPE_AEAD, CRYPTO_ALG_TYPE_MASK = 16, 3, 15
		NLM_F_REQUEST_ACK, NETLINK_CRYPTO = 5, 21
		alg = struct.pack("64s64s64sIIII", b"", sys.argv[1].encode(), b"",
		                  CRYPTO_ALG_TYPE_AEAD, CRYPTO_ALG_TYPE_MASK, 0, 0)
		s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_CRYPTO)
		s.send(struct.pack("IHHII", 16 + len(alg), CRYPTO_MSG_NEWALG, NLM_F_REQUEST_ACK,
		                   1, 0) + alg)
		error = -struct.unpack_from("i", s.recv(4096), 16)[0]
		sys.exit(error != errno.ENOENT and f"{sys.argv[1]}: {os.strerror(error)}")
	PROGRAM
}

suite_setup() {
	load_ovly
	modprobe -a "$ASYNC" crypto_user
	make_aead "$ASYNC(rfc4106(gcm(aes)))"
	matches "driver *: $ASYNC\\(" cat /proc/crypto >/dev/null
	wan_setup left right
	# A device that hangs must not fill the log: the cases look for themselves.
	sysctl -qw net.core.netdev_unregister_timeout_secs=3600
}

# gone NODE LINK: is deleted within a few seconds.
gone() {
	local pid

	ip -n "${!1}" link del "$2" &
	pid=$!
	wait_for 20 "$2 of $1 is gone" never kill -0 "$pid" 2>/dev/null
}

tunnel() {
	overlay left
	overlay right
	connect left right 7
}

untunnel() {
	local node

	for node in left right; do
		no_sas "$node"
		no_policies "$node"
	done
}

test_new_sas_are_asynchronous() {
	tunnel
	defer untunnel
	matches "driver *: seqiv\\($ASYNC\\(" cat /proc/crypto >/dev/null
	gone right ov0
	gone left ov0
}

test_device_can_be_deleted_after_traffic() {
	tunnel
	defer untunnel
	pings left 10.9.0.2 -c 60 -l 60
	pings left fd09::2 -c 60 -l 60
	gone right ov0
	gone left ov0
}

test_device_can_be_deleted_under_traffic() {
	local pid

	tunnel
	defer untunnel
	ip netns exec "$left" ping -n -q -f -W 1 10.9.0.2 >/dev/null 2>&1 &
	pid=$!
	defer eval "kill $pid 2>/dev/null"
	wait_for 20 "there is traffic" flowing 100
	gone right ov0
	gone left ov0
}

flowing() { [ "$(traffic right left rx-packets)" -ge "$1" ]; }

test_drops_keep_the_balance_too() {
	local i

	tunnel
	defer untunnel
	ip -n "$left" addr add 10.66.0.1/32 dev lo
	defer ip -n "$left" addr del 10.66.0.1/32 dev lo
	unanswered left 10.9.0.2 -c 30 -i 0.02 -I 10.66.0.1
	wait_for 20 "rx-source counts" drops_reach right left rx-source 30
	# And packets that come out of XFRM when their path is gone.
	for i in 1 2 3; do
		helper right path del 7
		unanswered left 10.9.0.2 -c 10 -i 0.02
		path right left 7
	done
	pings left 10.9.0.2
	gone right ov0
	gone left ov0
}

test_transfer_is_unharmed() {
	tunnel
	defer untunnel
	copies left right 10.9.0.2 2
	gone right ov0
	gone left ov0
}

test_module_can_be_unloaded() {
	tunnel
	defer untunnel
	pings left 10.9.0.2 -c 60 -l 60
	timeout 30 rmmod ovly || fail "the module stays"
	load_ovly
}

# Last: where the kernel has the bug, the device stays for good. This shows that
# the cases above have met it.
test_kernel_balances_xfrm_interface() {
	local node sleeping

	[ -z "${OVLY_SMALL:-}" ] || skip "the debug kernel's warning of the bug would end the guest"
	for node in left right; do
		sas "$node" "$([ "$node" = left ] && echo right || echo left)" 9
		ip -n "${!node}" link add x type xfrm if_id 9
		ip -n "${!node}" link set x up
		ip -n "${!node}" addr add "10.8.0.${NUMBER[$node]}/24" dev x
		ip -n "${!node}" xfrm policy add dir in src 0.0.0.0/0 dst 0.0.0.0/0 if_id 9 \
			tmpl proto esp mode tunnel reqid 9
	done
	pings left 10.8.0.2 -c 60 -l 60
	ip -n "$right" link del x &
	sleeping=$!
	if (wait_for 10 "x is gone" never kill -0 "$sleeping" 2>/dev/null); then
		note "this kernel balances its references"
	else
		skip "this kernel has the bug: xfrm_interface cannot be deleted"
	fi
}

CASES="
test_new_sas_are_asynchronous		new SAs are asynchronous
test_device_can_be_deleted_after_traffic	a device can be deleted after traffic
test_device_can_be_deleted_under_traffic	a device can be deleted under traffic
test_drops_keep_the_balance_too		what is dropped keeps the balance too
test_transfer_is_unharmed		a transfer arrives unharmed
test_module_can_be_unloaded		the module can be unloaded
test_kernel_balances_xfrm_interface	the kernel's own tunnel device keeps the balance
"
run_cases "$@"
