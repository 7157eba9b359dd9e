# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# bad-input.sh: what people and daemons get wrong, at the command line. Each is
# refused with a sentence that names the offending item and a status other than
# 0, and nothing is half-done.
#
# Sourced by branch.sh; defines cases and their table.

# state_of NODE: everything a refused command could have changed.
state_of() {
	node "$1" ip -o link show | sed 's/ qlen .*//'
	node "$1" ip -o addr show
	node "$1" ip rule show
	node "$1" ip route show table all
	node "$1" "$OVLYHELPER" peer list
	node "$1" "$OVLYHELPER" route list
}

# rejects WORD COMMAND...: the command fails, says WORD in one clear line on
# stderr, and the branch is as it was. A crash or a usage dump is no answer.
rejects() {
	local word=$1 out rc=0 before

	shift
	before=$(state_of branch)
	out=$(node branch "$@" 2>&1 >/dev/null) || rc=$?
	note "status $rc: $out"
	[ $rc != 0 ] || fail "accepted: $*"
	[ $rc -lt 64 ] || fail "status $rc is no orderly exit: $*"
	matches "$word" echo "$out"
	(($(wc -l <<<"$out") <= 3)) || fail "more than a sentence"
	same "$before" "$(state_of branch)" "state after '$*'"
}

# updown_as NAME=VALUE... -- ARGUMENT...: runs updown the way charon would for a
# good tunnel, with the given variables in place of the good ones.
updown_as() {
	local vars=()

	while [ "$1" != -- ]; do
		vars+=("$1")
		shift
	done
	shift
	env -i PATH="$PATH" PLUTO_VERB=up-client PLUTO_CONNECTION=second PLUTO_INTERFACE=wan-br \
		PLUTO_ME="$BR_WAN" PLUTO_PEER=10.88.247.90 PLUTO_MY_CLIENT="$BR_SUBNET" \
		PLUTO_PEER_CLIENT=0.0.0.0/0 PLUTO_MY_ID="$BR_WAN" PLUTO_PEER_ID=10.88.247.90 \
		PLUTO_IF_ID_IN=77 PLUTO_IF_ID_OUT=77 "${vars[@]}" \
		"$OVLYHELPER" updown "$@"
}

test_unknown_peer_is_refused() {
	branch_ready
	rejects nobody "$OVLYHELPER" route add 198.51.100.0/24 --dev ipsec0 --peer nobody
	rejects nobody "$OVLYHELPER" peer del nobody --dev ipsec0
	rejects ipsec9 "$OVLYHELPER" route add 198.51.100.0/24 --dev ipsec9 --peer myconn
}

test_second_peer_same_address_is_refused() {
	branch_ready
	node branch "$OVLYHELPER" dev add ovly9 --mode multipoint --table 229
	defer ip -n branch link del ovly9
	node branch "$OVLYHELPER" peer add one --dev ovly9 --addr 10.9.9.1
	rejects '10\.9\.9\.1' "$OVLYHELPER" peer add two --dev ovly9 --addr 10.9.9.1
	lacks '\btwo\b' node branch "$OVLYHELPER" peer list
	# A peer belongs to its device; another one's cannot own a route here.
	rejects one "$OVLYHELPER" route add 198.51.100.0/24 --dev ipsec0 --peer one
	rejects myconn "$OVLYHELPER" route add 198.51.100.0/24 --dev ovly9 --peer myconn
}

test_prefix_with_host_bits_is_refused() {
	branch_ready
	rejects '198\.51\.100\.7/24' "$OVLYHELPER" route add 198.51.100.7/24 --dev ipsec0 --peer myconn
	rejects '198\.51\.100\.0/33' "$OVLYHELPER" route add 198.51.100.0/33 --dev ipsec0 --peer myconn
	rejects '300\.1\.1\.0/24' "$OVLYHELPER" route add 300.1.1.0/24 --dev ipsec0 --peer myconn
}

test_missing_cap_net_admin_is_refused() {
	branch_ready
	local drop=(setpriv --inh-caps=-net_admin --bounding-set=-net_admin)
	rejects '[Pp]ermi|CAP_NET_ADMIN' "${drop[@]}" "$OVLYHELPER" route add 198.51.100.0/24 --dev ipsec0 --peer myconn
	rejects '[Pp]ermi|CAP_NET_ADMIN' "${drop[@]}" "$OVLYHELPER" peer del myconn --dev ipsec0
	# Who talks to whom is not for everybody either.
	rejects '[Pp]ermi|CAP_NET_ADMIN' "${drop[@]}" "$OVLYHELPER" show peers
}

test_garbage_from_charon_is_refused() {
	branch_ready
	local good=(--dev ipsec0 --mode p2p --peer myconn --system-addr 166.34.121.112) bad
	export -f updown_as
	export OVLYHELPER BR_WAN BR_SUBNET
	for bad in 'PLUTO_VERB=sideways' 'PLUTO_PEER=10.88.247.256' 'PLUTO_PEER=' \
		'PLUTO_IF_ID_IN=0' 'PLUTO_IF_ID_IN=4294967296' 'PLUTO_IF_ID_OUT=7x' \
		'PLUTO_PEER_CLIENT=0.0.0.0/99' 'PLUTO_CONNECTION='; do
		rejects "${bad%%=*}" bash -c 'updown_as "$@"' - "$bad" -- "${good[@]}"
	done
	rejects PLUTO_VERB env -u PLUTO_VERB "$OVLYHELPER" updown "${good[@]}"
}

test_garbage_arguments_are_refused() {
	branch_ready
	export -f updown_as
	export OVLYHELPER BR_WAN BR_SUBNET
	local bad
	for bad in '--mode sideways' '--system-addr 166.34.121.1120' '--system-addr 224.0.0.1' \
		'--local-addr nowhere' '--priority -1' '--on-down maybe' '--mtu 9x' \
		'--dev a-name-too-long-for-a-device' '--bogus 1' '--peer two words'; do
		# shellcheck disable=SC2086 # "option value" is two words; a third is stray
		rejects "${bad##* }|${bad%% *}" bash -c 'updown_as "$@"' - -- --dev ipsec0 $bad
	done
	rejects frobnicate "$OVLYHELPER" frobnicate
}

# shellcheck disable=SC2034 # branch.sh has it in its table
BAD_INPUT_CASES="
test_unknown_peer_is_refused	bad input: unknown peer, unknown device
test_second_peer_same_address_is_refused	bad input: second peer with an address, route to another device's peer
test_prefix_with_host_bits_is_refused	bad input: prefix with host bits, impossible prefixes
test_missing_cap_net_admin_is_refused	bad input: without CAP_NET_ADMIN
test_garbage_from_charon_is_refused	bad input: garbage in PLUTO_* variables
test_garbage_arguments_are_refused	bad input: garbage in arguments
"
