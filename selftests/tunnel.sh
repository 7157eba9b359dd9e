# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# tunnel.sh: tunnels without any daemon: nodes on one switch, SAs and policies
# made by hand, ovly devices with peers and paths.
#
#	wan_setup hub a b		# or wan_setup_routed
#	overlay hub mode multipoint ; overlay a ; overlay b
#	connect hub a 7			# if_id 7 at both ends
#	OUTER=6 CIPHER=aes256-sha512 connect hub b 8
#
# A node is a namespace with a number, from 1 on in the order of wan_setup, which
# all its addresses end in:
#
#	192.0.2.N, 2001:db8::N		outer, on its link "wan"
#	10.9.0.N, fd09::N		overlay, on its device ov0
#
# What a tunnel is like is said by variables, for one call or for all:
#
#	OUTER		4 or 6: the outer family; 4
#	CIPHER		a name that cipher() knows; aes128gcm16
#	ENCAP		ESP in UDP: "OWN-PORT PEER-PORT"; none
#	SA_FLAGS	flags of both SAs, as "noecn decap-dscp"; none
#	SA_MORE		more words of the SAs' lines; none
#	DEVICE		the device; ov0
#
# Sourced after lib.sh; defines functions only.

# ---- the underlay --------------------------------------------------------------

declare -gA NUMBER

# wan_setup NODE...: makes namespaces, and one that is called wan: a switch between
# them.
wan_setup() {
	WAN=switched
	setup_ns wan "$@"
	ip -n "$wan" link add sw type bridge mcast_snooping 0
	ip -n "$wan" link set sw up
	wan_attach_all "$@"
}

# wan_setup_routed NODE...: or a router, whose links to-N the nodes know nothing of.
wan_setup_routed() {
	WAN=routed
	setup_ns wan "$@"
	in_ns wan sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
		net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
	wan_attach_all "$@"
}

wan_attach_all() {
	local i

	for ((i = 1; i <= $#; i++)); do
		wan_attach "${!i}" "$i"
	done
}

# wan_attach NODE NUMBER: gives a node its outer addresses.
wan_attach() {
	local node=${!1} n=$2 v4 v6

	NUMBER[$1]=$n
	v4=192.0.2.$n v6=2001:db8::$(printf %x "$n")
	ip link add wan netns "$node" type veth peer name "to-$n" netns "$wan"
	# No error that a test waits for is to fall to a limit of rates.
	ip netns exec "$node" sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
	[ "$WAN" = routed ] || {
		ip -n "$wan" link set "to-$n" master sw up
		ip -n "$node" -batch - <<-LINES
			addr add $v4/24 dev wan
			addr add $v6/64 dev wan nodad
			link set wan up
		LINES
		return 0
	}
	ip -n "$wan" -batch - <<-LINES
		link set to-$n up
		addr add 192.0.2.254/32 dev to-$n
		addr add 2001:db8::fe/128 dev to-$n nodad
		addr add fe80::fe/64 dev to-$n nodad
		route add $v4 dev to-$n
		route add $v6 dev to-$n
	LINES
	ip -n "$node" -batch - <<-LINES
		addr add $v4/32 dev wan
		addr add $v6/128 dev wan nodad
		link set wan up
		route add default via 192.0.2.254 dev wan onlink
		route add default via fe80::fe dev wan
	LINES
}

# outer NODE, inner NODE [FAMILY]: its addresses.
outer() {
	case ${OUTER:-4} in
	4) echo "192.0.2.${NUMBER[$1]}" ;;
	6) echo "2001:db8::$(printf %x "${NUMBER[$1]}")" ;;
	esac
}

inner() {
	case ${2:-4} in
	4) echo "10.9.0.${NUMBER[$1]}" ;;
	6) echo "fd09::$(printf %x "${NUMBER[$1]}")" ;;
	esac
}

# ---- SAs and policies ------------------------------------------------------------

# key BYTES
key() { printf '0x%0*x' $((2 * $1)) 0x123456789abcde; }

# cipher NAME: its algorithms and keys, as ip-xfrm(8) takes them.
cipher() {
	case $1 in
	aes128gcm16) echo "aead rfc4106(gcm(aes)) $(key 20) 128" ;;
	aes256gcm16) echo "aead rfc4106(gcm(aes)) $(key 36) 128" ;;
	aes128-sha1) echo "enc cbc(aes) $(key 16) auth-trunc hmac(sha1) $(key 20) 96" ;;
	aes256-sha1) echo "enc cbc(aes) $(key 32) auth-trunc hmac(sha1) $(key 20) 96" ;;
	aes256-sha256) echo "enc cbc(aes) $(key 32) auth-trunc hmac(sha256) $(key 32) 128" ;;
	aes256-sha512) echo "enc cbc(aes) $(key 32) auth-trunc hmac(sha512) $(key 64) 256" ;;
	*) fail "there is no cipher '$1'" ;;
	esac
}

# spi IF_ID NUMBER: of the SA to the node with that number.
spi() { printf '0x%x' $((0x10000 + $1 * 256 + $2)); }

# sa SOURCE DESTINATION SPI IF_ID [SPORT DPORT]: a line for ip -batch.
sa() {
	echo "xfrm state add src $1 dst $2 proto esp spi $3 reqid $4 mode tunnel if_id $4" \
		"flag af-unspec ${SA_FLAGS:-} ${SA_MORE:-} $(cipher "${CIPHER:-aes128gcm16}")" \
		"${5:+encap espinudp $5 $6 0.0.0.0}"
}

# out_policy ME PEER IF_ID INNER-SOURCE INNER-DESTINATION: likewise.
out_policy() {
	echo "xfrm policy add dir out src $4 dst $5 if_id $3" \
		"tmpl src $1 dst $2 proto esp reqid $3 mode tunnel"
}

# sa_lines NODE PEER IF_ID, policy_lines NODE PEER IF_ID: what a node needs for a
# tunnel that takes everything.
sa_lines() {
	local me peer ports

	me=$(outer "$1") peer=$(outer "$2")
	read -ra ports <<<"${ENCAP:-}"
	sa "$me" "$peer" "$(spi "$3" "${NUMBER[$2]}")" "$3" "${ports[@]}"
	# Inwards the ports are the other way round.
	sa "$peer" "$me" "$(spi "$3" "${NUMBER[$1]}")" "$3" ${ports:+"${ports[1]}" "${ports[0]}"}
}

policy_lines() {
	local me peer

	me=$(outer "$1") peer=$(outer "$2")
	out_policy "$me" "$peer" "$3" 0.0.0.0/0 0.0.0.0/0
	out_policy "$me" "$peer" "$3" ::/0 ::/0
}

# ip_batch NODE: runs the lines of stdin.
ip_batch() { ip -n "${!1}" -batch -; }

# sas NODE PEER IF_ID: the SAs and policies of one end.
sas() { { sa_lines "$@" && policy_lines "$@"; } | ip_batch "$1"; }

# no_sas NODE [IF_ID]: removes its SAs, or those of the id, and all their keys.
no_sas() {
	[ $# = 1 ] || {
		ip -n "${!1}" xfrm state | awk -v "id=$(printf '0x%x' "$2")" '
			/^src/ { src = $2; dst = $4 }
			$1 == "proto" { spi = $4 }
			/^\tif_id/ && $2 == id {
				print "xfrm state delete src", src, "dst", dst, "proto esp spi", spi
			}' | ip_batch "$1"
		return
	}
	ip -n "${!1}" xfrm state flush
}

no_policies() { ip -n "${!1}" xfrm policy flush; }

# resas NODE PEER IF_ID: its only SAs and policies, made anew.
resas() {
	no_sas "$1"
	no_policies "$1"
	sas "$@"
}

# untunnel NODE NODE IF_ID: takes the path, all SAs and all policies of both.
untunnel() {
	local node

	for node in "$1" "$2"; do
		helper "$node" path del "$3"
		no_sas "$node"
		no_policies "$node"
	done
}

# espinudp NODE [PORT]: holds the socket by which ESP in UDP comes in.
espinudp() {
	local pid log=$OVLY_OUT/espinudp-$1-${2:-4500}

	: >"$log"
	ip netns exec "${!1}" python3 -u - "${2:-4500}" >"$log" 2>&1 <<-'PROGRAM' &
		import signal, socket, sys
		held = []
		for family, any in (socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::"):
		    s = socket.socket(family, socket.SOCK_DGRAM)
		    if family == socket.AF_INET6:
		        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
		    s.bind((any, int(sys.argv[1])))
		    # UDP_ENCAP, UDP_ENCAP_ESPINUDP
		    s.setsockopt(socket.IPPROTO_UDP, 100, 2)
		    held.append(s)
		print("ready")
		signal.pause()
	PROGRAM
	pid=$!
	defer eval "kill $pid 2>/dev/null"
	wait_for 20 "$1 takes ESP in UDP" grep ready "$log"
}

# ---- the overlay -----------------------------------------------------------------

# helper NODE ARGUMENT...: ovlyhelper there.
helper() {
	local node=$1

	shift
	in_ns "$node" ovlyhelper "$@"
}

# overlay NODE [OPTION...]: its device, up and with the node's addresses; options
# are those of "ovlyhelper dev add".
overlay() {
	local node=$1

	shift
	helper "$node" dev add "${DEVICE:-ov0}" addr "$(inner "$node")" \
		addr "$(inner "$node" 6)" "$@" up
}

# peer NODE PEER [OPTION...]: a peer that is called as the other node.
peer() {
	local node=$1 other=$2

	shift 2
	helper "$node" peer add "$other" dev "${DEVICE:-ov0}" addr "$(inner "$other")" \
		addr "$(inner "$other" 6)" "$@"
}

# path NODE PEER IF_ID [OPTION...]: a path to it.
path() {
	local node=$1 other=$2 id=$3

	shift 3
	helper "$node" path add "$id" peer "$other" dev "${DEVICE:-ov0}" \
		endpoint "$(outer "$other")" "$@"
}

# connect NODE NODE IF_ID: SAs, peers and paths at both ends.
connect() {
	local there=${ENCAP:-}

	sas "$1" "$2" "$3"
	ENCAP=${there:+"${there#* } ${there% *}"} sas "$2" "$1" "$3"
	peer "$1" "$2"
	path "$1" "$2" "$3"
	peer "$2" "$1"
	path "$2" "$1" "$3"
}

# ---- asking ----------------------------------------------------------------------

# drops NODE PEER REASON: the peer's counter, or the device's if PEER is -.
drops() {
	helper "$1" show drops dev "${DEVICE:-ov0}" --json |
		jq --arg peer "$2" --arg reason "$3" \
			'[.[] | select((.peer // "-") == $peer and .reason == $reason) | .packets] | add // 0'
}

# traffic NODE PEER COUNTER: rx-packets, tx-bytes, ... of the peer.
traffic() {
	helper "$1" peer list --json |
		jq --arg peer "$2" --arg counter "$3" '.[] | select(.name == $peer) | .stats[$counter]'
}

# drops_reach NODE PEER REASON COUNT: there are so many, or more.
drops_reach() { [ "$(drops "$1" "$2" "$3")" -ge "$4" ]; }

# taken_from NODE PEER COUNT: so many packets, or more, have come from it.
taken_from() { [ "$(traffic "$1" "$2" rx-packets)" -ge "$3" ]; }

peer_is() {
	[ "$(helper "$1" peer list --json | jq -r --arg peer "$2" '.[] | select(.name == $peer) | .state')" = "$3" ]
}

# pings NODE ADDRESS [OPTION...]: every packet comes back.
pings() {
	local node=$1 to=$2

	shift 2
	# All at once: ping waits as long as -W says only where none has come back when the
	# last one is sent.
	in_ns "$node" ping -n -q -c 3 -l 3 -i 0.1 -W 5 "$@" "$to" >"$OVLY_OUT/ping.$$" 2>&1 &&
		grep -q ' 0% packet loss' "$OVLY_OUT/ping.$$" && return 0
	note "$node: ping $* $to: $(cat "$OVLY_OUT/ping.$$")"
	note "what XFRM counts there: $(in_ns "$node" grep -vE '[[:space:]]0$' /proc/net/xfrm_stat | paste -sd' ')"
	return 1
}

# unanswered NODE ADDRESS [OPTION...]: none does; says what ping heard instead.
unanswered() {
	local node=$1 to=$2

	shift 2
	if in_ns "$node" ping -n -c 2 -i 0.2 -W 1 "$@" "$to" 2>&1; then
		fail "$node: $to answered"
	fi
}

# ---- captures --------------------------------------------------------------------

declare -gA SNIFFER

# sniff NODE LINK NAME [TCPDUMP-ARGUMENT...]: records, from when it returns.
sniff() {
	local node=$1 link=$2 name=$3

	shift 3
	# Not what a capture of this name has left there.
	: >"$OVLY_OUT/$name.log"
	ip netns exec "${!node}" tcpdump -i "$link" -n -s 128 -U --immediate-mode -B 16384 -Z root \
		-w "$OVLY_OUT/$name.pcap" "$@" 2>"$OVLY_OUT/$name.log" &
	SNIFFER[$name]=$!
	defer eval "kill $! 2>/dev/null"
	wait_for 20 "capture '$name' runs" grep 'listening on' "$OVLY_OUT/$name.log"
}

# sniff_end NAME: when it has all that came so far; fails if it has missed a packet.
sniff_end() {
	local pid=${SNIFFER[$1]} said

	said=$(wc -l <"$OVLY_OUT/$1.log")
	wait_for 20 "capture '$1' has it all" sniff_has_all "$pid" "$OVLY_OUT/$1.log" "$said"
	kill -INT "$pid"
	wait "$pid"
	matches '^0 packets dropped by kernel' cat "$OVLY_OUT/$1.log"
}

# sniff_has_all PID LOG LINES: asks tcpdump how many packets it was given and has
# taken. On a loopback link it is given each twice. What it was given before its filter
# was in place, and the filter refuses, it never takes: then ten answers are the same,
# and each time it could have read what waits.
sniff_has_all() {
	kill -USR1 "$1"
	tail -n "+$(($3 + 1))" "$2" | sed 's/,//g' | awk -v "lo=$(grep -c 'listening on lo,' "$2")" '
		/packets? captured/ && /received by filter/ {
			for (i = 2; i < NF; i++) {
				if ($(i + 1) == "captured") taken = $(i - 1)
				if ($(i + 1) == "received") given = $(i - 1)
			}
			same = taken " " given == before ? same + 1 : 1
			before = taken " " given
			ok = given == taken || (lo && given == 2 * taken) || same >= 10
		}
		END { exit !ok }'
}

# sniffed NAME [TCPDUMP-ARGUMENT...]: prints the packets.
sniffed() {
	local name=$1

	shift
	tcpdump -n -r "$OVLY_OUT/$name.pcap" "$@" 2>/dev/null
}

# sniffed_count NAME FILTER
sniffed_count() { sniffed "$@" | wc -l; }

# watch_routes NODE NAME: records what happens to its routes.
watch_routes() { monitor_routes "${!1}" "$OVLY_OUT/$2.routes"; }

# routes_still NODE NAME: nothing has happened to those of the device since.
routes_still() { lacks "dev ${DEVICE:-ov0}" route_events "${!1}" "$OVLY_OUT/$2.routes"; }

# ---- transfers -------------------------------------------------------------------

# copies FROM TO ADDRESS MEGABYTES [SOCAT-OPTION...]: TCP carries them unharmed.
copies() {
	local from=$1 to=$2 addr=$3 size=$4 family=4 sink t0=$SECONDS pid

	case $addr in *:*) family=6 addr="[$addr]" ;; esac
	[ -s /tmp/payload ] || head -c 16M /dev/urandom >/tmp/payload
	sink=$(mktemp)
	defer rm -f "$sink"
	ip netns exec "${!to}" socat -u "TCP$family-LISTEN:5001,reuseaddr" "CREATE:$sink" &
	pid=$!
	defer eval "kill $pid 2>/dev/null"
	wait_for 10 "the sink listens" matches . ip netns exec "${!to}" ss -Hltn 'sport = :5001'
	head -c "${size}M" /tmp/payload |
		in_ns "$from" timeout 80 socat -u STDIN "TCP$family:$addr:5001" ||
		fail "$from -> $addr: only $(stat -c %s "$sink") bytes arrived"
	wait $pid
	same "$(head -c "${size}M" /tmp/payload | sha256sum)" "$(sha256sum <"$sink")" \
		"checksum after $from -> $addr"
	note "$from -> $addr: $size MiB in $((SECONDS - t0)) s"
}
