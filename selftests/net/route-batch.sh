#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# route-batch.sh: many routes in one message.

# Braces are ovlynl's.
# shellcheck disable=SC1083
# shellcheck source=selftests/control.sh
. "${OVLY_TOP:?}/selftests/control.sh"

suite_setup() { underlay; }

# prefixes N [WORD...]: N entries 10.128.0.0/32, 10.128.0.1/32, ...
prefixes() {
	local n=$1
	shift
	seq 0 $((n - 1)) | awk -v "more=$*" '{
		printf "route{ dst=10.%d.%d.%d prefixlen=32 %s }\n", 128 + $1 / 65536, $1 / 256 % 256, $1 % 256, more }'
}

test_thousands_in_one_message() {
	local n=5000
	three_peers
	same $'route-new applied=5000\nok' "$(prefixes "$n" peer-name=a | one_request route-new+create ifname=ov0 | sed 's/ifindex.*ov0 //')" "answer"
	matches "^end entries=$((n + 3)) " dump route-get
	same $((n + 3)) "$(routes | grep -c 'dev ov0')" "routes in the table"
	# Each of them once, and with the flag.
	same "$n" "$(entries route-get | grep -E ' dst=10.1(28|29).* flags=1 ' | field dst | sort -u | wc -l)" "installed routes"
	same $'route-new applied=5000\nok' "$(prefixes "$n" peer-name=b | one_request route-new+replace ifname=ov0 | sed 's/ifindex.*ov0 //')" "answer"
	same "$n" "$(routes | grep -c 'via 10.9.0.2 dev ov0')" "routes that moved"
	same $'route-del applied=5000\nok' "$(prefixes "$n" | one_request route-del ifname=ov0 | sed 's/ifindex.*ov0 //')" "answer"
	same 3 "$(routes | grep -c 'dev ov0')" "routes in the table"
}

# refusals: the refused nests on stdin, one a line.
refusals() { grep -oE 'refused\{ [^}]* \}'; }

test_entry_by_entry_result() {
	local said
	three_peers
	granted peer-set ifname=ov0 peer{ name=c route-limit=1 }
	ip -n "$here" route add 10.60.0.0/16 dev wan0 table 220
	defer ip -n "$here" route del 10.60.0.0/16 dev wan0 table 220
	said=$({
		route 10.51.0.0 16 peer-name=a
		route 10.51.0.0 16 peer-name=b
		route 10.52.0.0 16 peer-name=nobody
		route 10.53.0.0 16 via=10.99.0.1
		route 10.54.0.0 16 peer-name=c
		route 10.55.0.0 16 peer-name=c
		route 10.9.0.1 32 peer-name=b
		route 10.56.0.1 16 peer-name=a
		route 10.60.0.0 16 peer-name=a
		route 10.57.0.0 16 peer-name=b
	} | one_request route-new+create ifname=ov0)
	note "$said"
	matches ' applied=3( |$)' echo "$said"
	matches '^ok$' echo "$said"
	same "1=17 2=2 3=113 5=28 6=17 7=22 8=17" "$(refusals <<<"$said" |
		sed -E 's/.*index=([0-9]+) error=([0-9]+) .*/\1 \2/' | sort -n | sed 's/ /=/' | paste -sd' ')" "refusals"
	# In words, too.
	same 7 "$(refusals <<<"$said" | grep -cE 'message="ovly: .{10,}"')" "refusals with words"
	matches "index=8 .*somebody else's route" echo "$said"
	same $'10.51.0.0\n10.54.0.0\n10.57.0.0' "$(entries route-get | grep -v 'prefixlen=32' | field dst)" "what is there"
	same 1 "$(routes | grep -c '^10.60.0.0/16')" "routes to the prefix of somebody else"
}

test_same_prefix_twice_in_one_batch() {
	local said
	three_peers
	said=$({
		route 10.51.0.0 16 peer-name=a
		route 10.51.0.0 16 peer-name=b
		route 10.52.0.0 16 peer-name=a
		route 10.51.0.0 16 peer-name=c
	} | one_request route-new+create+replace ifname=ov0)
	matches ' applied=4' echo "$said"
	same "c" "$(owners 10.51.0.0)" "owner"
	same 1 "$(routes | grep -c '^10.51.0.0/16 via 10.9.0.3')" "routes in the table"
	said=$({
		route 10.51.0.0 16
		route 10.51.0.0 16
		route 10.52.0.0 16
	} | one_request route-del ifname=ov0)
	matches ' refused\{ index=1 error=2 .* applied=2' echo "$said"
	lacks '10.5[12]' routes
}

# all_are_named ANSWER REFUSED: all but the last ten entries, in several messages of
# which the last says how many were applied.
all_are_named() {
	matches ' applied=10( |$)' tail -n 2 <<<"$1"
	same "$(seq 0 $(($2 - 1)))" "$(refusals <<<"$1" | field index)" "those that are named"
	same 17 "$(refusals <<<"$1" | field error | sort -u)" "why"
	same 64 "$(refusals <<<"$1" | grep -c 'message="ovly: .*"')" "those with text"
}

test_more_refusals_than_have_text() {
	local said
	three_peers
	prefixes 3000 peer-name=a | one_request route-new+create ifname=ov0
	said=$(prefixes 3010 peer-name=b | one_request route-new+create ifname=ov0)
	all_are_named "$said" 3000
	same 3010 "$(entries route-get | grep -c ' dst=10.128.*prefixlen=32')" "routes"
	# And when the table refuses them.
	granted route-flush ifname=ov0 >/dev/null
	prefixes 100 | sed -E 's/.* dst=([^ ]*) .*/route add \1\/32 dev wan0 table 220/' | ip -n "$here" -batch -
	said=$(prefixes 110 peer-name=b | one_request route-new+create ifname=ov0)
	all_are_named "$said" 100
	same 10 "$(entries route-get | grep -c ' dst=10.128.*prefixlen=32')" "routes"
	ip -n "$here" route flush dev wan0 table 220
}

# all_but_ten N: N entries that are refused, and ten that are not behind them.
all_but_ten() { prefixes $(($1 + 10)) peer-name=nobody | sed "$(($1 + 1)),\$s/nobody/a/"; }

# late_reader N: the same by a socket with room for a few messages, which is read once
# that was too little, while the request still goes on. Says how many refusals came,
# in order, and what the request got.
late_reader() {
	in_ns here timeout 60 python3 -u - "$1" "${OVLY_TOP:?}/uapi/linux/ovly.h" <<-'PROGRAM'
		import re, select, socket, struct, sys, threading
		header = open(sys.argv[2]).read()
		def number(name, enum):
		    body = re.sub(r"/\*.*?\*/", "", re.search(r"enum %s \{(.*?)\};" % enum, header, re.S)[1], flags=re.S)
		    return [word.strip() for word in body.split(",")].index(name)
		def attr(kind, value):
		    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)
		def attrs(data):
		    while data:
		        length, kind = struct.unpack_from("=HH", data)
		        yield kind & 0x3fff, data[4:length]
		        data = data[(length + 3) & ~3:]
		def message(family, command, flags, payload):
		    body = struct.pack("=BBH", command, 1, 0) + payload
		    return struct.pack("=IHHII", 16 + len(body), family, flags | 1, 1, 0) + body
		def route(last, peer):
		    # 0x8000: NLA_F_NESTED
		    return attr(number("OVLY_A_ROUTE", "ovly_attr") | 0x8000,
		                attr(number("OVLY_A_ROUTE_DST", "ovly_route_attr"), bytes([10, 128, 0, last])) +
		                attr(number("OVLY_A_ROUTE_PREFIXLEN", "ovly_route_attr"), struct.pack("=I", 32)) +
		                attr(number("OVLY_A_ROUTE_PEER_NAME", "ovly_route_attr"), peer + b"\0"))
		s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16)  # NETLINK_GENERIC
		s.setsockopt(270, 10, 1)  # SOL_NETLINK, NETLINK_CAP_ACK
		s.setsockopt(270, 11, 1)  # NETLINK_EXT_ACK
		s.setsockopt(socket.SOL_SOCKET, 32, 64 << 20)  # SO_SNDBUFFORCE
		s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
		s.send(message(16, 3, 0, attr(2, b"ovly\0")))  # CTRL_CMD_GETFAMILY
		family = struct.unpack("=H", dict(attrs(s.recv(65536)[20:]))[1])[0]
		batch = message(family, number("OVLY_CMD_ROUTE_NEW", "ovly_cmd"), 0x404,  # CREATE, ACK
		                attr(number("OVLY_A_IFNAME", "ovly_attr"), b"ov0\0") +
		                route(0, b"nobody") * int(sys.argv[1]) +
		                b"".join(route(i, b"a") for i in range(10)))
		threading.Thread(target=s.send, args=(batch,), daemon=True).start()
		poll = select.poll()
		poll.register(s, 0)  # errors
		if not poll.poll(30000):
		    sys.exit(f"no overflow, but {s.recv(65536)}")
		try:
		    s.recv(65536)
		except OSError as e:
		    print(e.strerror)
		# All of it at once: the socket has to be empty before the request is through.
		got = [s.recv(65536)]
		while struct.unpack_from("=H", got[-1], 4)[0] != 2:  # NLMSG_ERROR
		    got.append(s.recv(65536))
		*answers, error = got
		refused = number("OVLY_A_REFUSED", "ovly_attr")
		told = [struct.unpack("=I", dict(attrs(value))[1])[0]
		        for answer in answers for kind, value in attrs(answer[20:]) if kind == refused]
		in_order = told == list(range(len(told)))
		print(f"told={len(told)} {in_order=} errno={-struct.unpack_from('=i', error, 16)[0]}",
		      dict(attrs(error[36:])).get(1, b"").decode().rstrip("\0"))
	PROGRAM
}

test_answer_that_does_not_fit_says_so() {
	local said n=100000
	three_peers
	# Who reads while the request goes on has the text.
	said=$(late_reader "$n" 2>&1 || true)
	note "$said"
	matches '^No buffer space' echo "$said"
	matches '^told=[1-9][0-9]* in_order=True errno=11 ovly: the batch is applied, but' echo "$said"
	[ "$(grep -oE '^told=[0-9]+' <<<"$said" | sed 's/.*=//')" -lt "$n" ] || fail "all were told"
	same 10 "$(entries route-get | grep -c ' dst=10.128.0.[0-9] .* flags=1 ')" "routes"
	same 10 "$(routes | grep -c '^10.128.0.[0-9] via 10.9.0.1 ')" "routes in the table"
	granted route-flush ifname=ov0 >/dev/null
	n=30000
	# Who reads when it is over has from the socket that something is lost.
	said=$(all_but_ten "$n" | one_request route-new+create ifname=ov0 2>&1 || true)
	same "ovlynl: receive: No buffer space available" "$said" "what was told"
	same 10 "$(entries route-get | grep -c ' dst=10.128.117.*prefixlen=32.* flags=1 ')" "routes"
	same 10 "$(routes | grep -c '^10.128.117.[0-9]* via 10.9.0.1 ')" "routes in the table"
}

test_malformed_entry_refuses_all() {
	local before bad place where said
	three_peers
	before=$(state)
	for bad in "dst=10.52.0.0 prefixlen=129 peer-name=a" "dst:bin=0a prefixlen=8 peer-name=a" \
		"dst:bin=0a00000000 prefixlen=8 peer-name=a" "dst=10.52.0.0 prefixlen=16 via:bin=0a09000100" \
		"dst=10.52.0.0 prefixlen:u8=16 peer-name=a" "dst=10.52.0.0 prefixlen=16 peer-name=a #99:u32=1" \
		"dst=10.52.0.0 prefixlen=16 peer-name=a flags=1" "dst=10.52.0.0 prefixlen=16 protocol=256 peer-name=a"; do
		# First, in the middle and last.
		for place in 0 1 2; do
			said=$({
				[ "$place" != 0 ] || echo "route{ $bad }"
				route 10.51.0.0 16 peer-name=a
				[ "$place" != 1 ] || echo "route{ $bad }"
				route 10.53.0.0 16 peer-name=a
				[ "$place" != 2 ] || echo "route{ $bad }"
			} | one_request route-new+create ifname=ov0 || true)
			note "$said"
			where="\[$place\]"
			[ "$place" != 0 ] || where=
			matches "^E(RANGE|INVAL) attr=route${where}[.][a-z#0-9]+ \".+\"" echo "$said"
		done
	done
	same "$before" "$(state)" "state after refusals"
}

test_single_entry_gives_an_ordinary_error() {
	local said
	three_peers
	said=$(route 10.51.0.0 16 peer-name=nobody | one_request route-new+create ifname=ov0 || true)
	matches '^ENOENT attr=.* "ovly: ' echo "$said"
	said=$(route 10.51.0.0 16 | one_request route-del ifname=ov0 || true)
	matches '^ENOENT attr=.* "ovly: ' echo "$said"
	ip -n "$here" route add 10.60.0.0/16 dev wan0 table 220
	defer ip -n "$here" route del 10.60.0.0/16 dev wan0 table 220
	refused EEXIST '*' "somebody else's route" route-new+create ifname=ov0 route{ dst=10.60.0.0 prefixlen=16 peer-name=a }
	same "" "$(owners 10.60.0.0)" "owner"
}

test_several_owners_refused_count_once() {
	local said before
	three_peers
	granted peer-set ifname=ov0 peer{ name=c route-limit=1 }
	granted route-new+create ifname=ov0 route{ dst=10.40.0.0 prefixlen=16 peer-name=c }
	ip -n "$here" route add 10.60.0.0/16 dev wan0 table 220
	defer ip -n "$here" route del 10.60.0.0/16 dev wan0 table 220
	before=$(state)
	said=$({
		route 10.60.0.0 16 peer-name=a peer-name=b
		route 10.61.0.0 16 peer-name=a peer-name=c
		route 10.62.0.0 16 peer-name=a peer-name=nobody
		route 10.63.0.0 16 peer-name=a via=10.99.0.1
	} | one_request route-new+create ifname=ov0)
	note "$said"
	same "0 1 2 3" "$(refusals <<<"$said" | field index | sort | paste -sd' ')" "refused entries"
	matches ' applied=0( |$)' echo "$said"
	refused EEXIST '*' "somebody else's" route-new+create ifname=ov0 route{ dst=10.60.0.0 prefixlen=16 peer-name=a peer-name=b }
	same "$before" "$(state)" "state after refusals"
}

test_device_that_is_down_keeps_what_it_is_told() {
	three_peers
	ip -n "$here" link set ov0 down
	prefixes 100 peer-name=a | one_request route-new+create ifname=ov0
	has 'routes=103 routes-installed=0' nl dev-get ifname=ov0
	same "" "$(routes)" "table"
	same 103 "$(entries route-get | grep -cE ' flags=[02]( |$)')" "routes not installed"
	ip -n "$here" link set ov0 up
	has 'routes=103 routes-installed=103' nl dev-get ifname=ov0
	same 103 "$(routes | grep -c 'dev ov0')" "routes in the table"
}

# Entry by entry, also where an entry depends on one before.
test_entries_depend_on_those_before() {
	three_peers
	granted peer-set ifname=ov0 peer{ name=a route-limit=1 limit-action=1 }
	granted route-new+create ifname=ov0 route{ dst=10.50.0.0 prefixlen=16 peer-name=a }
	# a has room again for the second.
	same $'2\nok' "$({
		route 10.50.0.0 16 peer-name=b
		route 10.51.0.0 16 peer-name=a
	} | one_request route-new+create+replace ifname=ov0 | sed 's/.*applied=//')" "answer"
	has 'routes=1 routes-disabled=0' peer_get a
	matches '^10.51.0.0/16 via 10.9.0.1' routes
	# What covers the next hop is b's by then, though a comes first among peers.
	granted peer-set ifname=ov0 peer{ name=a route-limit=0 }
	granted route-new+create ifname=ov0 route{ dst=10.0.0.0 prefixlen=8 peer-name=a }
	same $'2\nok' "$({
		route 10.0.0.0 8 peer-name=b
		route 10.52.0.0 16 via=10.1.1.1
	} | one_request route-new+create+replace ifname=ov0 | sed 's/.*applied=//')" "answer"
	matches '^10.52.0.0/16 via 10.9.0.2' routes
	# Or nobody's, if the table has refused it.
	ip -n "$here" route add 172.16.0.0/12 dev wan0 table 220
	defer ip -n "$here" route del 172.16.0.0/12 dev wan0 table 220
	{
		route 172.16.0.0 12 peer-name=a
		route 10.53.0.0 16 via=172.16.1.1
		route 10.54.0.0 16 peer-name=c
	} | one_request route-new+create ifname=ov0 >"$OVLY_OUT/answer"
	same $'0 17\n1 113' "$(refusals <"$OVLY_OUT/answer" | sed -E 's/.*index=([0-9]+) error=([0-9]+) .*/\1 \2/')" "refusals"
}

CASES="
test_thousands_in_one_message			thousands of entries in one message are added, moved, deleted
test_entry_by_entry_result			each refused entry has index, errno and words, the others are applied
test_entries_depend_on_those_before		entries that depend on those before: limits, next hops
test_same_prefix_twice_in_one_batch		the same prefix twice in one batch: in order
test_more_refusals_than_have_text		thousands of refusals: all are named, the first 64 with text
test_answer_that_does_not_fit_says_so		refusals that the asker has no room for: it is told so, and the others are applied
test_malformed_entry_refuses_all		a malformed entry anywhere refuses all, and is named
test_single_entry_gives_an_ordinary_error	a batch of one gives an ordinary error
test_several_owners_refused_count_once		an entry of several owners that is refused counts once and changes nothing
test_device_that_is_down_keeps_what_it_is_told	a device that is down keeps what it is told for later
"
run_cases "$@"
