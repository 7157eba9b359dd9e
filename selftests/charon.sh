# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# charon.sh: what charon does, without charon: SAs in the namespace "here", and
# calls of updown with its variables.
#
#	suite_setup() { charon_setup; }
#	sa 7 0x100
#	updown up-client 7 PLUTO_PEER_ID=hub -- --system-addr 10.9.9.1
#
# Sourced after lib.sh; defines functions only.

PEER_WAN="192.0.2.2"

h() { in_ns here ovlyhelper "$@"; }

# table [N]: 220, if not said.
# shellcheck disable=SC2120 # some cases say it
table() { ip -n "$here" route show table "${1:-220}"; }

wan_device() {
	ip -n "$here" link set lo up
	ip -n "$here" link add wan0 type dummy
	ip -n "$here" addr add 192.0.2.1/24 dev wan0
	ip -n "$here" link set wan0 up
}

# charon_setup: for a script's suite_setup.
charon_setup() {
	load_ovly
	setup_ns here
	wan_device
}

# clean: takes away what the cases make.
clean() {
	local d
	for d in ipsec0 ovly0 ovly1; do
		ip -n "$here" link del "$d" 2>/dev/null || true
	done
	ip -n "$here" xfrm state flush
	ip -n "$here" route flush table 2220 2>/dev/null || true
	ip -n "$here" -6 route flush table 2220 2>/dev/null || true
}

# sa IF_ID SPI [ADDR [REQID]]: an outbound and an inbound SA as charon would install.
sa() {
	local peer=${3:-$PEER_WAN} auth=(auth-trunc 'hmac(sha256)' 0x0102030405060708091011121314151617181920212223242526272829303132 128)
	ip -n "$here" xfrm state add src 192.0.2.1 dst "$peer" proto esp spi "$2" \
		reqid "${4:-1}" mode tunnel enc 'ecb(cipher_null)' '' "${auth[@]}" if_id "$1" flag af-unspec
	ip -n "$here" xfrm state add src "$peer" dst 192.0.2.1 proto esp spi "$2" \
		reqid "${4:-1}" mode tunnel enc 'ecb(cipher_null)' '' "${auth[@]}" if_id "$1" flag af-unspec
}

sa_del() {
	ip -n "$here" xfrm state delete src 192.0.2.1 dst "${2:-$PEER_WAN}" proto esp spi "$1"
	ip -n "$here" xfrm state delete src "${2:-$PEER_WAN}" dst 192.0.2.1 proto esp spi "$1"
}

# updown VERB IF_ID [NAME=VALUE...] -- OPTION...
updown() {
	local verb=$1 id=$2 vars=()
	shift 2
	while [ "$1" != -- ]; do
		vars+=("$1")
		shift
	done
	shift
	in_ns here env -i PATH="$PATH" PLUTO_VERB="$verb" PLUTO_CONNECTION=myconn \
		PLUTO_INTERFACE=wan0 PLUTO_ME=192.0.2.1 PLUTO_PEER="$PEER_WAN" \
		PLUTO_PEER_ID=hub.example PLUTO_PEER_CLIENT=0.0.0.0/0 \
		PLUTO_IF_ID_IN="$id" PLUTO_IF_ID_OUT="$id" "${vars[@]}" \
		ovlyhelper updown "$@"
}

# as_new_charon COMMAND...: calls of updown in there come from a charon that has
# just started, and the SAs that are there are older.
as_new_charon() {
	local now
	# The kernel counts an SA's age in whole seconds.
	now=$(date +%s)
	wait_for 5 "the SAs are of an earlier second" eval "[ \$(date +%s) -gt $((now + 1)) ]"
	(
		printf charon >"/proc/$BASHPID/comm"
		"$@"
	)
}

# refused_up WORDS IF_ID ...: as updown up-client, which has to fail so.
refused_up() {
	local words=$1
	shift
	if updown up-client "$@" 2>"$OVLY_OUT/err"; then
		fail "accepted: $*"
	fi
	matches "$words" cat "$OVLY_OUT/err"
	same 1 "$(wc -l <"$OVLY_OUT/err")" "lines for one problem"
}
