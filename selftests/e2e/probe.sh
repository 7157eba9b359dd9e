# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# probe.sh: asking what is the case: tables, pings, transfers, route events. A
# function either succeeds or says what it saw instead and fails.
#
# Sourced after node.sh; defines functions only.

# table NODE [TABLE]: the routing table in one spelling: no trailing blanks, the
# module's own protocol by name even where no rt_protos file names it.
table() {
	ip -n "$1" route show table "${2:-220}" 2>/dev/null |
		sed -e 's/ *$//' -e 's/ proto 220\b/ proto ovly/'
}

has_route() { matches "^$2( |$)" table "$1" "${3:-220}"; }
no_route() { lacks "^$2( |$)" table "$1" "${3:-220}"; }

# wait_table NODE SECONDS EXPECTED: table 220 becomes just that.
wait_table() {
	local end=$((SECONDS + $2 * OVLY_SLOW))

	until [ "$(table "$1")" = "$3" ] || [ $SECONDS -ge $end ]; do
		sleep 0.1
	done
	same "$3" "$(table "$1")" "table 220 of $1"
}

# peer_state NODE up|down: of the node's only peer.
peer_state() { matches "^ *state[: ]+$2\$" node "$1" "$OVLYHELPER" show secure-overlay; }

# pings NODE SOURCE DESTINATION [COUNT [OPTION...]]: every packet must return.
pings() {
	local n=$1 src=$2 dst=$3 count=${4:-3} out

	shift 3
	[ $# = 0 ] || shift
	# All at once: ping waits as long as -W says only where none has come back when the
	# last one is sent.
	out=$(node "$n" ping -n -q -l "$count" -i 0.1 -W 5 -c "$count" -I "$src" "$@" "$dst" 2>&1) || true
	case $out in
	*" $count received, 0% packet loss"*) return 0 ;;
	esac
	note "$n: ping $src -> $dst: $out"
	return 1
}

# said COMMAND...: its output, whatever its status; for matches and lacks.
said() { "$@" 2>&1 || true; }

# refused NODE SOURCE DESTINATION: no answer, and the sender is told so by an
# ICMP unreachable of its own host.
refused() {
	local out

	! out=$(node "$1" ping -n -i 0.1 -W 2 -c 2 -I "$2" "$3" 2>&1) ||
		fail "$1: ping $2 -> $3 was answered: $out"
	matches 'Unreachable|unreachable|Packet filtered' echo "$out"
}

# ping_bg NODE SOURCE DESTINATION: a ping that runs until ping_end.
ping_bg() {
	: >"$WORK/$1/log/ping.out"
	node_start "$1" ping ping -n -i 0.1 -W 5 -I "$2" "$3"
	defer node_stop "$1" ping
	wait_for 10 "first echo reply" grep 'bytes from' "$WORK/$1/log/ping.out"
}

# ping_end NODE [ALLOWED]: stops it; a lost packet is a failure. Only the last one
# may be under way when the ping is stopped.
ping_end() {
	local log=$WORK/$1/log/ping.out allowed=${2:-0} line tx rx gaps

	node_stop "$1" ping INT
	line=$(grep 'packets transmitted' "$log")
	tx=${line%% packets*}
	rx=${line#*transmitted, }
	rx=${rx%% received*}
	# A loss in the middle shows as a gap in the sequence numbers.
	gaps=$(lost_pings "$log")
	note "$tx packets sent, $rx answered, $gaps lost on the way, $allowed explained"
	((rx > 0 && gaps <= allowed && tx - rx <= allowed + 1)) || fail "packets lost: $line"
}

# foreign_losses NODE: packets so far that others lost: ESP that came before the
# node had more of its SA than a reserved SPI, and what the head-end's XFRM
# interface had no SA for.
foreign_losses() {
	local early sent=0

	# shellcheck disable=SC2016 # awk expands it
	early=$(node "$1" awk '/^Xfrm(InNoStates|AcquireError)/ { n += $2 } END { print n + 0 }' /proc/net/xfrm_stat)
	[ ! -e "$(node_root hub)/sys/class/net/xfrm0" ] ||
		sent=$(node hub cat /sys/class/net/xfrm0/statistics/tx_errors)
	echo $((early + sent))
}

# drop_counters NODE: every place where a packet can have gone, one a line.
drop_counters() {
	# shellcheck disable=SC2016 # the inner shell and awk expand it
	node "$1" sh -c 'cat /proc/net/xfrm_stat
		ip -s -s link | awk "/^[0-9]/ { d = \$2 } /errors|dropped/ { t = \$1; getline; print d, t, \$3, \$4, \$5, \$6 }"
		awk "/^(Ip|Icmp|IpExt):/ { if (\$1 == k) { for (i = 2; i <= NF; i++)
				if (name[i] ~ /Discards|Errors|NoRoutes|DestUnreachs|Filter/) print k name[i], \$i
			} else { k = \$1; split(\$0, name, \" \") } }" /proc/net/snmp'
	node "$1" "$OVLYHELPER" show drops all || true
}

# tcp_copy FROM SOURCE TO DESTINATION FILE: sends FILE, compares checksums.
tcp_copy() {
	local from=$1 src=$2 to=$3 dst=$4 file=$5 sink=$WORK/$3/log/sink t0=$SECONDS

	rm -f "$sink"
	node_start "$to" sink socat -u "TCP4-LISTEN:5001,bind=$dst,reuseaddr" "CREATE:$sink"
	defer node_stop "$to" sink
	wait_for 10 "the sink listens" matches . ip netns exec "$to" ss -Hltn 'sport = :5001'
	node "$from" timeout 80 socat -u "FILE:$file" "TCP4:$dst:5001,bind=$src" ||
		fail "$src -> $dst: only $(stat -c %s "$sink" 2>/dev/null) bytes arrived"
	wait_for 20 "the sink has it all" never node_alive "$to" sink
	same "$(sha256sum <"$file")" "$(sha256sum <"$sink")" "checksum after $src -> $dst"
	rm -f "$sink"
	note "$src -> $dst: $(stat -c %s "$file") bytes in $((SECONDS - t0)) s"
}

# monitor_start NODE: records everything that happens to its routes.
monitor_start() { monitor_routes "$1" "$WORK/$1/log/monitor.out"; }

# table_events NODE TABLE: prints what happened in TABLE since the start.
table_events() {
	local events

	events=$(route_events "$1" "$WORK/$1/log/monitor.out") || return
	sed -n "/ table $2 /p" <<<"$events"
}

# owners NODE PREFIX: prints the peers that a route leads to, "a b".
owners() {
	local routes

	routes=$(node "$1" "$OVLYHELPER" route list json)
	jq -r --arg p "$2" '[.[] | select(.prefix == $p) | ."peer-name"] | sort | join(" ")' <<<"$routes"
}
owners_are() { same "$3" "$(owners "$1" "$2")" "owners of $2 at $1"; }
