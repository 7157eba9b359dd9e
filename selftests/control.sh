# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC1083
#
# control.sh: what the tests of the control plane share: requests by ovlynl
# (selftests/nl), which shows errno, bad attribute and text, in the namespace "here".

# shellcheck source=selftests/lib.sh
. "${OVLY_TOP:?}/selftests/lib.sh"

nl() { in_ns here ovlynl "do" -s "$@"; }
# nl_lines: requests from stdin, one a line.
nl_lines() { in_ns here ovlynl "do" -s -; }
dump() { in_ns here ovlynl dump -s "$@"; }

# entries COMMAND [ATTRIBUTE...]: a dump without its last line.
entries() { dump "$@" | sed '/^end /d'; }

# state: everything that the module and the tables say, but counters and ages.
state() {
	# shellcheck disable=SC2016 # the inner shell's
	in_ns here bash -c '
		for what in dev peer path route; do
			ovlynl dump -s $what-get | sed "/^end /d"
		done
		ip route show table all
		ip -6 route show table all | sed "s/ expires [^ ]*//"
		ip rule; ip -6 rule; ip -o link'
}

# has "WORD..." COMMAND...: the output has all of these words, in any order.
has() {
	local words=$1 out word
	shift
	out=$("$@" 2>&1) || fail "$*: $out"
	printf '%s\n' "$out"
	for word in $words; do
		grep -qE -- "(^| )${word//./\\.}( |\$)" <<<"$out" || fail "no '$word' in: $out"
	done
}

# refused ERRNO ATTRIBUTE TEXT REQUEST...: the request is refused so; the text is an
# extended regular expression, the attribute a pattern, - where none is to blame.
refused() {
	local errno=$1 attr=$2 text=$3 said
	shift 3
	! said=$(nl "$@") || fail "granted: $*"
	note "$* -> $said"
	# shellcheck disable=SC2053 # a pattern
	[[ $said == $errno\ attr=$attr\ * ]] || fail "expected $errno attr=$attr for: $*: $said"
	grep -qE -- "$text" <<<"$said" || fail "expected '$text' for: $*: $said"
}

# granted REQUEST...
granted() {
	local said
	said=$(nl "$@") || fail "refused: $*: $said"
	printf '%s\n' "$said"
}

# refused_table: lines "ERRNO ATTRIBUTE REQUEST..." from stdin. Every request is
# refused so, with words, and all together change nothing. ATTRIBUTE is a pattern.
refused_table() {
	local -a errnos=() attrs=() requests=() said=()
	local errno attr request i before bad=0

	while read -r errno attr request; do
		[ -n "$request" ] || continue
		errnos+=("$errno") attrs+=("$attr") requests+=("$request")
	done
	before=$(state)
	mapfile -t said < <({ printf '%s\n' "${requests[@]}" | nl_lines || true; } |
		grep -E '^(ok$|E[A-Z0-9]+ attr=)')
	for i in "${!requests[@]}"; do
		note "${requests[i]} -> ${said[i]-}"
		# shellcheck disable=SC2053 # a pattern
		if [[ ${said[i]-} != ${errnos[i]}\ attr=${attrs[i]}\ *\"?*\" ]]; then
			note "  expected ${errnos[i]} attr=${attrs[i]} and words"
			bad=$((bad + 1))
		fi
	done
	same "${#requests[@]}" "${#said[@]}" "answers"
	[ "$bad" = 0 ] || fail "$bad of ${#requests[@]} answers are not as expected"
	same "$before" "$(state)" "state after what was refused"
}

# underlay: a namespace "here" with an underlay, a dummy.
underlay() {
	load_ovly
	setup_ns here
	ip -n "$here" link add wan0 type dummy
	ip -n "$here" addr add 192.0.2.1/24 dev wan0
	ip -n "$here" link set wan0 up
}

# fresh MODE [DEVICE]: the device anew, up, with nothing on it.
fresh() {
	local dev=${2:-ov0}
	ip -n "$here" link del "$dev" 2>/dev/null || true
	in_ns here ovlyhelper dev add "$dev" mode "$1" up
}

# peers NAME=ADDRESS...: peers of ov0, with a system address each.
peers() {
	local peer
	for peer in "$@"; do
		echo "peer-new+create ifname=ov0 peer{ name=${peer%%=*} addr=${peer#*=} }"
	done | nl_lines
}

# field NAME: its values in the lines on stdin, one a line.
field() { grep -oE "(^| )$1=[^ ]*" | sed 's/.*=//'; }

# peer_get NAME, path_get IF_ID: what the module says of it.
peer_get() { nl peer-get ifname=ov0 peer{ "name=$1" }; }
path_get() { nl path-get path{ "if-id-in=$1" }; }
# routes: table 220, IPv4, without the throw routes.
routes() { ip -n "$here" route show table 220 | sed '/^throw/d'; }
throws() { ip -n "$here" route show table 220 | sed -n 's/^throw \([^ ]*\) .*/\1/p'; }

# one_request WORD...: these words and what stdin has, all in one message.
one_request() { { printf '%s ' "$@" && tr '\n' ' '; } | nl_lines; }

# listen [NAMESPACE]: events go to a file from now on.
listen() {
	local ns=${1:-here}
	EVENTS=$OVLY_OUT/events-$ns
	# Not what the case before has left there.
	: >"$EVENTS"
	ip netns exec "${!ns}" ovlynl listen >"$EVENTS" &
	defer eval "kill $! 2>/dev/null"
	wait_for 10 "the listener is there" grep listening "$EVENTS"
}

# seen: the events so far, by name.
seen() { field event <"$EVENTS" | paste -sd' '; }
seen_is() { same "$1" "$(seen)" "events"; }

# events NAME...: these came since listen, in this order, and no other.
events() {
	wait_for 10 "$# events" seen_is "$*"
}

sa_spi() { printf '0x%x' $((0x1000 * $1 + 0x100 + ${2##*.})); }

# sa_pair IF_ID [PEER-ADDRESS]: an SA in and one out, as a daemon would install them.
sa_pair() {
	local id=$1 peer=${2:-192.0.2.2} spi
	spi=$(sa_spi "$id" "$peer")
	in_ns here bash -ec "
		add() { ip xfrm state add \$1 proto esp spi $spi reqid $id mode tunnel if_id $id \
			flag af-unspec aead 'rfc4106(gcm(aes))' 0x0123456789abcdef0123456789abcdef01234567 128; }
		add 'src 192.0.2.1 dst $peer'
		add 'src $peer dst 192.0.2.1'"
}

# sa_pair_del IF_ID [PEER-ADDRESS]
sa_pair_del() {
	local id=$1 peer=${2:-192.0.2.2} spi
	spi=$(sa_spi "$id" "$peer")
	ip -n "$here" xfrm state delete src 192.0.2.1 dst "$peer" proto esp spi "$spi"
	ip -n "$here" xfrm state delete src "$peer" dst 192.0.2.1 proto esp spi "$spi"
}

# ---- routes --------------------------------------------------------------------

three_peers() {
	fresh multipoint
	peers a=10.9.0.1 b=10.9.0.2 c=10.9.0.3
}

# route PREFIX LENGTH [WORD...]: one entry.
route() {
	local dst=$1 len=$2
	shift 2
	echo "route{ dst=$dst prefixlen=$len $* }"
}

# add PREFIX LENGTH [WORD...]: that entry alone.
add() { route "$@" | one_request route-new+create ifname=ov0; }

owners() { entries route-get | sed -nE "s/.* dst=$1 .* peer-name=([^ ]*) .*/\1/p"; }

# watch_route ADDRESS: looks it up all the time; watched says what it saw.
watch_route() {
	: >"$OVLY_OUT/gaps"
	ip netns exec "$here" ovlynl gaps "$1" >"$OVLY_OUT/gaps" &
	WATCHER=$!
	defer eval "kill $WATCHER 2>/dev/null"
	wait_for 10 "the watcher runs" grep watching "$OVLY_OUT/gaps"
	monitor_routes "$here" "$OVLY_OUT/monitor"
}

watched() {
	kill "$WATCHER"
	wait "$WATCHER" || true
	cat "$OVLY_OUT/gaps"
}
