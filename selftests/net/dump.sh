#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# dump.sh: dumps come in many small messages, split anywhere, and what exists
# throughout comes exactly once whatever changes meanwhile.

# Braces are ovlynl's.
# shellcheck disable=SC1083
# shellcheck source=selftests/control.sh
. "${OVLY_TOP:?}/selftests/control.sh"

suite_setup() { underlay; }

# many_peers FIRST LAST: pFIRST to pLAST with an address each.
many_peers() {
	seq "$1" "$2" | awk '{ printf "peer-new+create ifname=ov0 peer{ name=p%d addr=10.200.%d.%d }\n",
		$1, $1 / 256, $1 % 256 }' | nl_lines >/dev/null
}

# many_routes FIRST LAST PEER: host routes by number.
many_routes() {
	seq "$1" "$2" | awk -v "peer=$3" '{ printf "route{ dst=10.100.%d.%d prefixlen=32 peer-name=%s }\n",
		$1 / 256, $1 % 256, peer }' | one_request route-new+create ifname=ov0
}

# many_paths FIRST LAST PEER: paths by if-id.
many_paths() {
	seq "$1" "$2" | awk -v "peer=$3" '{ printf "path-new+create ifname=ov0 path{ if-id-in=%d peer-name=%s label=l%d }\n",
		$1, peer, $1 }' | nl_lines >/dev/null
}

# dumped FILE COUNT KEY: the dump in the file has so many entries, whose keys differ.
dumped() {
	same "$2" "$(sed '/^end /d' "$1" | wc -l)" "entries"
	same "$2" "$(field "$3" <"$1" | sort -u | wc -l)" "different entries"
	matches "^end entries=$2 " tail -n 1 "$1"
}

test_thousands_of_peers() {
	local out=$OVLY_OUT/dump
	fresh multipoint
	many_peers 1 1500
	dump peer-get >"$out"
	dumped "$out" 1500 id
	matches 'messages=[0-9]{2,} intr=0' tail -n 1 "$out"
	same "$(seq 1 1500)" "$(field id <"$out")" "order"
	same 1500 "$(field addr <"$out" | sort -u | wc -l)" "addresses"
	# Each has a route, too.
	dump route-get >"$out"
	dumped "$out" 1500 dst
	dump route-get ifname=ov0 route{ peer-name=p777 } >"$out"
	dumped "$out" 1 dst
}

test_one_peer_larger_than_a_message() {
	local out=$OVLY_OUT/dump
	fresh multipoint
	peers before=10.9.0.1 big=10.9.0.2 after=10.9.0.3
	many_paths 1 1 before
	many_paths 100 499 big
	many_paths 2 2 after
	many_routes 1 3000 big
	dump path-get >"$out"
	dumped "$out" 402 if-id-in
	matches 'messages=[0-9]{2,} intr=0' tail -n 1 "$out"
	same "$(echo 1; seq 100 499; echo 2)" "$(field if-id-in <"$out")" "order: by peer, then by if-id"
	dump route-get >"$out"
	dumped "$out" 3003 dst
	matches 'messages=[0-9]{2,} intr=0' tail -n 1 "$out"
	same "$(field dst <"$out" | sort -t. -n -k1,1 -k2,2 -k3,3 -k4,4)" "$(field dst <"$out")" "order"
	dump route-get ifname=ov0 route{ peer-name=big } >"$out"
	dumped "$out" 3001 dst
}

test_many_owners_of_one_prefix() {
	local out=$OVLY_OUT/dump
	fresh multipoint
	many_peers 1 16
	# Owners of one prefix are entries of their own, wherever a message ends.
	seq 1 40 | awk '{ printf "route{ dst=10.100.%d.0 prefixlen=24 ", $1
		for (p = 1; p <= 16; p++) printf "peer-name=p%d ", p
		print "}" }' | one_request route-new+create ifname=ov0
	dump route-get >"$out"
	matches "^end entries=$((16 + 640)) messages=[0-9]{2,} intr=0" tail -n 1 "$out"
	same 640 "$(grep 'prefixlen=24' "$out" | sed -E 's/.*(dst=[^ ]*) .*(peer-name=[^ ]*) .*/\1 \2/' | sort -u | wc -l)" "different entries"
	dump route-get ifname=ov0 route{ peer-name=p9 } >"$out"
	dumped "$out" 41 dst
}

test_several_devices_one_after_the_other() {
	local out=$OVLY_OUT/dump i
	fresh multipoint
	for i in {1..30}; do
		fresh multipoint "ovx$i"
		defer ip -n "$here" link del "ovx$i"
		echo "peer-new+create ifname=ovx$i peer{ name=a addr=10.7.$i.1 }"
		echo "peer-new+create ifname=ovx$i peer{ name=b addr=10.7.$i.2 }"
		echo "path-new+create ifname=ovx$i path{ if-id-in=$i peer-name=a }"
	done >"$OVLY_OUT/requests"
	nl_lines <"$OVLY_OUT/requests" >/dev/null
	dump dev-get >"$out"
	dumped "$out" 31 ifindex
	dump peer-get >"$out"
	dumped "$out" 60 addr
	matches 'messages=([2-9]|[0-9]{2,}) intr=0' tail -n 1 "$out"
	dump path-get >"$out"
	dumped "$out" 30 if-id-in
	dump route-get >"$out"
	dumped "$out" 60 dst
	# Narrowed by name, by index and by peer.
	dump peer-get ifname=ovx7 >"$out"
	dumped "$out" 2 addr
	dump peer-get "ifindex=$(in_ns here cat /sys/class/net/ovx7/ifindex)" >"$out"
	dumped "$out" 2 addr
	dump path-get ifname=ovx7 >"$out"
	dumped "$out" 1 if-id-in
	dump route-get route{ peer-name=b } >"$out"
	dumped "$out" 30 dst
	# Nobody has this peer; of a device by name that is an error.
	matches '^end entries=0' dump route-get route{ peer-name=nobody }
	matches '^ENOENT ' refused_dump route-get ifname=ovx7 route{ peer-name=nobody }
	matches '^ENODEV ' refused_dump peer-get ifname=nothere
}

# refused_dump COMMAND...: what is said of one that fails.
refused_dump() { dump "$@" || true; }

test_filters_of_the_route_dump() {
	local out=$OVLY_OUT/dump
	fresh multipoint
	peers a=10.9.0.1 b=10.9.0.2
	granted peer-set ifname=ov0 peer{ name=a addr=10.9.0.1 addr=fd09::1 }
	many_routes 1 400 a
	{
		echo "route{ dst=10.51.0.0 prefixlen=16 protocol=12 peer-name=a }"
		echo "route{ dst=10.52.0.0 prefixlen=16 protocol=12 peer-name=b }"
		echo "route{ dst=fd20:: prefixlen=32 protocol=12 peer-name=a }"
	} | one_request route-new+create ifname=ov0
	filtered() { dump route-get route{ "$@" } | sed -n 's/^end entries=\([0-9]*\) .*/\1/p'; }
	same 3 "$(filtered protocol=12)" "by protocol"
	same 404 "$(filtered peer-name=a)" "by peer"
	same 2 "$(filtered family=10)" "by family"
	same 1 "$(filtered family=10 protocol=12)" "by two"
	same 1 "$(filtered family=2 protocol=12 peer-id=1)" "by three"
	same 406 "$(filtered)" "by none"
}

# The changes while a dump is under way happen after each of its first messages.

test_change_marks_the_dump() {
	local out=$OVLY_OUT/dump what
	fresh multipoint
	many_peers 1 60
	many_routes 1 400 p1
	many_paths 1 100 p1
	for what in peer route path; do
		matches 'intr=0$' dump -x true "$what-get"
		matches 'intr=1$' dump -x "ovlynl do route-new+create+replace ifname=ov0 route{ dst=10.99.0.0 prefixlen=16 peer-name=p1 } >/dev/null" "$what-get"
		matches 'intr=1$' dump -x "ovlynl do peer-set ifname=ov0 peer{ name=p60 route-limit=9 } >/dev/null" "$what-get"
		matches 'intr=1$' dump -x "ovlynl do path-set path{ if-id-in=5 label=new } >/dev/null" "$what-get"
		matches 'intr=1$' dump -x "ovlynl do dev-set ifname=ov0 dev{ src-valid=1 } >/dev/null" "$what-get"
		# What was refused has changed nothing.
		matches 'intr=0$' dump -x "ovlynl do peer-del ifname=ov0 peer{ name=nobody } >/dev/null; true" "$what-get"
	done
	# An SA that comes takes a path up.
	matches 'intr=1$' dump -x "ip xfrm state add src 192.0.2.1 dst 192.0.2.9 proto esp spi 9 mode tunnel if_id 9 flag af-unspec aead 'rfc4106(gcm(aes))' 0x0123456789abcdef0123456789abcdef01234567 128" path-get
	ip -n "$here" xfrm state flush
}

# churned COMMAND KEY EXPECTED: a dump with the changes between its first messages has
# each of these values of the key once.
churned() {
	local what=$1 key=$2 expected=$3 out=$OVLY_OUT/dump
	# All that is left of it then comes as it is.
	dump -n 20 -x "bash $OVLY_OUT/changes" "$what" >"$out"
	matches 'intr=1$' tail -n 1 "$out"
	same "$expected" "$(field "$key" <"$out" | grep -xFf <(echo "$expected"))" "what was there all the time"
}

test_routes_that_exist_throughout_come_once() {
	fresh multipoint
	peers a=10.9.0.1 b=10.9.0.2
	many_routes 0 1499 a
	# Deletes routes with odd numbers, adds others again, and moves even ones.
	cat >"$OVLY_OUT/changes" <<'CHANGES'
awk -v seed=$$ '
	function route(n, more) { return "route{ dst=10.100." int(n / 256) "." n % 256 " prefixlen=32 " more " }" }
	function odd() { return int(rand() * 750) * 2 + 1 }
	BEGIN {
		srand(seed)
		for (i = 0; i < 10; i++) {
			print "route-del ifname=ov0 " route(odd())
			print "route-new+create ifname=ov0 " route(odd(), "peer-name=b")
			print "route-new+replace ifname=ov0 " route(odd() - 1, "peer-name=b")
		}
	}' | ovlynl do - >/dev/null
true
CHANGES
	churned route-get dst "$(seq 0 2 1499 | awk '{ printf "10.100.%d.%d\n", $1 / 256, $1 % 256 }')"
}

test_peers_that_exist_throughout_come_once() {
	fresh multipoint
	many_peers 0 399
	cat >"$OVLY_OUT/changes" <<'CHANGES'
for i in 1 2 3 4 5; do
	n=$((RANDOM % 200 * 2 + 1))
	echo "peer-del ifname=ov0 peer{ name=p$((RANDOM % 200 * 2 + 1)) }"
	echo "peer-new+create ifname=ov0 peer{ name=p$n addr=10.200.$((n / 256)).$((n % 256)) }"
done | ovlynl do - >/dev/null || true
CHANGES
	churned peer-get name "$(seq 0 2 399 | sed 's/^/p/')"
}

test_paths_that_exist_throughout_come_once() {
	fresh multipoint
	peers a=10.9.0.1 b=10.9.0.2 c=10.9.0.3
	many_paths 1000 1149 a
	many_paths 2000 2149 b
	many_paths 3000 3149 c
	cat >"$OVLY_OUT/changes" <<'CHANGES'
for i in 1 2 3 4 5; do
	for at in 1000:a 2000:b 3000:c; do
		echo "path-del path{ if-id-in=$((${at%:*} + RANDOM % 75 * 2 + 1)) }"
		echo "path-new+create ifname=ov0 path{ if-id-in=$((${at%:*} + RANDOM % 75 * 2 + 1)) peer-name=${at#*:} }"
	done
done | ovlynl do - >/dev/null || true
CHANGES
	churned path-get if-id-in "$(seq 1000 2 1149; seq 2000 2 2149; seq 3000 2 3149)"
}

test_what_the_dump_stands_on_goes() {
	local out=$OVLY_OUT/dump
	fresh multipoint
	peers a=10.9.0.1 b=10.9.0.2
	many_paths 1000 1099 a
	many_paths 2000 2099 b
	many_routes 0 99 a
	many_routes 100 199 b
	dump -x 'ovlynl do peer-del ifname=ov0 peer{ name=a }' path-get >"$out"
	matches 'intr=1$' tail -n 1 "$out"
	same "$(seq 2000 2099)" "$(field if-id-in <"$out" | grep '^2')" "paths of the other peer"
	# The device itself: named, and one of several.
	fresh multipoint
	many_peers 1 100
	fresh multipoint ov1
	defer ip -n "$here" link del ov1
	granted peer-new+create ifname=ov1 peer{ name=other addr=10.9.1.1 }
	dump -x 'ip link del ov0' peer-get >"$out"
	same other "$(field name <"$out" | tail -n 1)" "the last peer"
	matches 'intr=1$' tail -n 1 "$out"
	fresh multipoint
	many_peers 1 100
	matches '^ENODEV ' refused_dump -x 'ip link del ov0' peer-get ifname=ov0
	# Renamed: an index goes on, a name is nobody's.
	fresh multipoint
	many_peers 1 100
	dump -x 'ip link set ov0 down; ip link set ov0 name ov7' peer-get \
		"ifindex=$(in_ns here cat /sys/class/net/ov0/ifindex)" >"$out"
	dumped "$out" 100 id
	matches 'intr=1$' tail -n 1 "$out"
	ip -n "$here" link del ov7
	# Gone to another namespace, and come back.
	fresh multipoint
	many_peers 1 100
	setup_ns there
	dump -x "ip link set ov0 netns $there" peer-get >"$out"
	matches 'intr=1$' tail -n 1 "$out"
	in_ns there ovlynl dump -x "ip -n $there link del ov0" peer-get >"$out"
	matches 'intr=1$' tail -n 1 "$out"
}

test_dump_of_devices_is_marked() {
	local out=$OVLY_OUT/dump i
	fresh multipoint
	for i in {1..60}; do
		ip -n "$here" link add "ovx$i" type ovly
		defer ip -n "$here" link del "ovx$i"
	done
	matches 'messages=([2-9]|[0-9]{2,}) intr=0$' dump -x true dev-get
	dump -x 'ip link set ovx1 name ovy1; ip link set ovy1 name ovx1' dev-get >"$out"
	matches 'intr=1$' tail -n 1 "$out"
	dump -x 'ip link add ovnew type ovly; ip link del ovnew' dev-get >"$out"
	matches 'intr=1$' tail -n 1 "$out"
}

test_dump_takes_nothing_that_names_one() {
	fresh multipoint
	peers a=10.9.0.1
	# Kernels before 6.9 keep the attribute to themselves.
	matches '^EINVAL attr=(peer|-) "ovly: a dump' refused_dump peer-get peer{ name=a }
	matches '^EINVAL attr=(path|-) "ovly: a dump' refused_dump path-get path{ if-id-in=7 }
	matches '^EINVAL attr=(cookie|-) "ovly: a dump' refused_dump route-get cookie=1
	matches '^EINVAL attr=(route.dst|-) ' refused_dump route-get route{ dst=10.9.0.1 prefixlen=32 }
	matches '^ENODEV attr=(ifname|-) "ovly: no such' refused_dump peer-get ifname=nothere
}

# Behind it the numbers turn negative.
test_device_of_the_highest_index() {
	local command
	fresh multipoint
	peers a=10.9.0.1
	ip -n "$here" link add ovmax index 2147483647 type ovly
	defer ip -n "$here" link del ovmax
	for command in dev-get peer-get path-get route-get; do
		in_ns here timeout 20 ovlynl dump -s "$command" >"$OVLY_OUT/dump"
		matches '^end entries=[012] messages=[12] ' tail -n 1 "$OVLY_OUT/dump"
	done
	same $'ov0\novmax' "$(entries dev-get | field ifname)" "devices"
	granted peer-new+create ifname=ovmax peer{ name=b addr=10.9.1.1 }
	same $'a\nb' "$(in_ns here timeout 20 ovlynl dump -s peer-get | sed '/^end/d' | field name)" "peers"
	same 1 "$(dump peer-get ifname=ovmax | sed '/^end/d' | wc -l)" "peers of the device"
}

CASES="
test_thousands_of_peers				thousands of peers: each once, in order, in many messages
test_device_of_the_highest_index		a device of the highest index there is
test_one_peer_larger_than_a_message		one peer whose paths and routes exceed a message
test_many_owners_of_one_prefix			many owners of one prefix: each an entry, once
test_several_devices_one_after_the_other	several devices, and a dump narrowed to one
test_filters_of_the_route_dump			filters of the route dump, each and together
test_change_marks_the_dump			a change that overlaps marks the dump, a refused one does not
test_routes_that_exist_throughout_come_once	routes that exist throughout come once, whatever changes
test_peers_that_exist_throughout_come_once	peers that exist throughout come once, whatever changes
test_paths_that_exist_throughout_come_once	paths that exist throughout come once, whatever changes
test_dump_of_devices_is_marked			a device that comes, goes or is renamed marks the dump of devices
test_dump_takes_nothing_that_names_one		a dump refuses what names one object, and says so
test_what_the_dump_stands_on_goes		the peer or device that a dump stands on goes, or is renamed
"
run_cases "$@"
