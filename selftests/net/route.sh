#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# route.sh: routes and who owns them.

# Braces are ovlynl's.
# shellcheck disable=SC1083
# shellcheck source=selftests/control.sh
. "${OVLY_TOP:?}/selftests/control.sh"

suite_setup() { underlay; }

test_flags_of_new() {
	local flags before
	local -a x=(ifname=ov0 route{ dst=10.20.0.0 prefixlen=16 peer-name=a }) y=(ifname=ov0 route{ dst=10.20.0.0 prefixlen=16 peer-name=b protocol=12 })
	three_peers
	for flags in "" +excl +replace; do
		refused ENOENT '*' 'no peer owns' "route-new$flags" "${x[@]}"
	done
	granted route-new+create "${x[@]}"
	before=$(state)
	for flags in "" +create +excl +create+excl; do
		refused EEXIST '*' 'owns this route already' "route-new$flags" "${x[@]}"
		refused EEXIST '*' 'another peer owns' "route-new$flags" "${y[@]}"
	done
	same "$before" "$(state)" "state after refusals"
	granted route-new+replace "${y[@]}"
	same b "$(owners 10.20.0.0)" "owner"
	matches '^10.20.0.0/16 via 10.9.0.2 dev ov0 proto bird' routes
	granted route-new+create+replace "${x[@]}"
	matches '^10.20.0.0/16 via 10.9.0.1 dev ov0' routes
	granted route-new+create+excl ifname=ov0 route{ dst=10.21.0.0 prefixlen=16 peer-name=a }
	granted route-new+create+replace ifname=ov0 route{ dst=10.22.0.0 prefixlen=16 peer-name=a }
	refused EOPNOTSUPP - '' route-new+create+excl+replace ifname=ov0 route{ dst=10.23.0.0 prefixlen=16 peer-name=a }
}

test_everything_that_is_set_is_shown() {
	three_peers
	granted route-new+create ifname=ov0 route{ dst=10.20.0.0 prefixlen=16 metric=4294967295 protocol=255 peer-id=2 }
	has 'dst=10.20.0.0 prefixlen=16 metric=4294967295 protocol=255 peer-id=2 peer-name=b flags=1' \
		entries route-get ifname=ov0 route{ protocol=255 }
	has 'dst=10.20.0.0 prefixlen=16 metric=4294967295 protocol=255 peer-id=2 peer-name=b flags=1' \
		nl route-get ifname=ov0 route{ dst=10.20.0.0 prefixlen=16 metric=4294967295 }
	refused ENOENT route 'no peer owns' route-get ifname=ov0 route{ dst=10.20.0.0 prefixlen=16 }
	granted route-new+create ifname=ov0 route{ dst=0.0.0.0 prefixlen=0 peer-name=a }
	granted peer-set ifname=ov0 peer{ name=a addr=10.9.0.1 addr=fd09::1 }
	granted route-new+create ifname=ov0 route{ dst=:: prefixlen=0 peer-name=a }
	matches '^default via fd09::1 dev ov0 metric 1024' ip -n "$here" -6 route show table 220
	matches '^default via 10.9.0.1 dev ov0 onlink' routes
	# Without a metric: 0 in IPv4, 1024 in IPv6, which is what 0 means there.
	has 'dst=0.0.0.0 prefixlen=0 metric=0 protocol=3' entries route-get ifname=ov0 route{ peer-name=a family=2 }
	refused EAFNOSUPPORT '*' 'next hop' route-new+create ifname=ov0 route{ dst=fd20:: prefixlen=32 peer-name=b }
	granted peer-set ifname=ov0 peer{ name=c addr=10.9.0.3 addr=fd09::3 }
	granted route-new+create ifname=ov0 route{ dst=fd20:: prefixlen=32 peer-name=c }
	refused EEXIST '*' 'already' route-new+create ifname=ov0 route{ dst=fd20:: prefixlen=32 metric=1024 peer-name=c }
	has 'dst=fd20:: metric=1024 peer-name=c' nl route-get ifname=ov0 route{ dst=fd20:: prefixlen=32 }
	matches '^fd20::/32 via fd09::3 dev ov0 .*metric 1024' ip -n "$here" -6 route show table 220
	# A system address is a route of its peer.
	has 'dst=10.9.0.3 prefixlen=32 peer-name=c flags=3' entries route-get ifname=ov0 route{ peer-name=c family=2 }
}

test_metrics_are_routes_of_their_own() {
	three_peers
	granted route-new+create ifname=ov0 route{ dst=10.20.0.0 prefixlen=16 metric=10 peer-name=a }
	granted route-new+create ifname=ov0 route{ dst=10.20.0.0 prefixlen=16 metric=20 peer-name=b }
	same 2 "$(routes | grep -c '^10.20.0.0/16')" "routes in the table"
	refused ENOENT '*' 'no peer owns' route-del ifname=ov0 route{ dst=10.20.0.0 prefixlen=16 metric=30 peer-name=a }
	granted route-del ifname=ov0 route{ dst=10.20.0.0 prefixlen=16 metric=10 }
	matches '^10.20.0.0/16 via 10.9.0.2 dev ov0 metric 20' routes
}

# In IPv4 the kernel takes metric 0 of a deletion for any.
test_deletion_whose_route_is_gone_takes_no_other_metric() {
	three_peers
	granted peer-set ifname=ov0 peer{ name=b on-down=1 }
	add 10.20.0.0 16 peer-name=a
	add 10.20.0.0 16 metric=5 peer-name=b
	add 10.20.0.0 16 metric=10 peer-name=c
	add 10.20.0.0 16 metric=20 peer-name=c
	# That of b, which is down, is not there, and somebody takes that of a.
	lacks 'metric 5' routes
	ip -n "$here" route del 10.20.0.0/16 via 10.9.0.1 dev ov0 table 220
	granted route-del ifname=ov0 route{ dst=10.20.0.0 prefixlen=16 metric=0 }
	matches '^10.20.0.0/16 via 10.9.0.3 dev ov0 metric 10' routes
	matches '^10.20.0.0/16 via 10.9.0.3 dev ov0 metric 20' routes
	lacks 'metric 5' routes
}

test_delete_means_what_it_names() {
	local before
	three_peers
	granted route-new+create ifname=ov0 route{ dst=10.20.0.0 prefixlen=16 protocol=12 peer-name=a }
	before=$(state)
	refused ENOENT '*' '' route-del ifname=ov0 route{ dst=10.20.0.0 prefixlen=17 }
	refused ENOENT '*' 'another peer|does not own' route-del ifname=ov0 route{ dst=10.20.0.0 prefixlen=16 peer-name=b }
	refused ENOENT '*' 'another protocol' route-del ifname=ov0 route{ dst=10.20.0.0 prefixlen=16 protocol=4 }
	refused ENOENT '*' 'no such peer' route-del ifname=ov0 route{ dst=10.20.0.0 prefixlen=16 peer-name=nobody }
	refused EBUSY '*' 'system address' route-del ifname=ov0 route{ dst=10.9.0.1 prefixlen=32 }
	refused EEXIST '*' 'system address' route-new+create+replace ifname=ov0 route{ dst=10.9.0.1 prefixlen=32 peer-name=b }
	same "$before" "$(state)" "state after refusals"
	granted route-del ifname=ov0 route{ dst=10.20.0.0 prefixlen=16 peer-name=a protocol=12 }
	same "" "$(owners 10.20.0.0)" "owner"
}

test_owner_by_next_hop() {
	three_peers
	peers d=fd09::4
	add 10.9.0.0 24 peer-name=b
	add 10.9.0.64 26 peer-name=c
	add fd09:: 16 peer-name=d
	# The exact system address wins over the prefix that covers it.
	add 10.31.0.0 16 via=10.9.0.1
	add 10.32.0.0 16 via=10.9.0.9
	add 10.33.0.0 16 via=10.9.0.77
	add 10.34.0.0 16 via=fd09::77
	same "a b c d" "$(for i in 1 2 3 4; do owners "10.3$i.0.0"; done | paste -sd' ')" "owners"
	matches '^10.34.0.0/16 via inet6 fd09::4 dev ov0' routes
	# Equally long ones differ by metric: the lowest has the say.
	add 10.10.0.0 16 metric=20 peer-name=a
	add 10.10.0.0 16 metric=10 peer-name=c
	add 10.35.0.0 16 via=10.10.1.1
	same c "$(owners 10.35.0.0)" "owner"
	refused EHOSTUNREACH '*' 'next hop' route-new+create ifname=ov0 route{ dst=10.36.0.0 prefixlen=16 via=10.99.0.1 }
	# The default route covers everything.
	add 0.0.0.0 0 peer-name=b
	add 10.36.0.0 16 via=10.99.0.1
	same b "$(owners 10.36.0.0)" "owner"
}

# In IPv6 another route may come before that to a system address.
test_system_address_is_not_shadowed() {
	three_peers
	granted peer-set ifname=ov0 peer{ name=a addr=10.9.0.1 addr=fd09::1 }
	granted peer-set ifname=ov0 peer{ name=b addr=10.9.0.2 addr=fd09::2 }
	refused EEXIST '*' 'system address' route-new+create ifname=ov0 route{ dst=fd09::1 prefixlen=128 metric=10 peer-name=b }
	granted route-new+create ifname=ov0 route{ dst=fd09::1 prefixlen=128 metric=2000 peer-name=b }
	granted route-new+create ifname=ov0 route{ dst=10.9.0.1 prefixlen=32 metric=10 peer-name=b }
	granted route-new+create ifname=ov0 route{ dst=fd09::7 prefixlen=128 metric=10 peer-name=b }
	granted route-new+create ifname=ov0 route{ dst=fd09::7 prefixlen=128 peer-name=b }
	granted peer-set ifname=ov0 peer{ name=a addr=10.9.0.1 addr=fd09::7 }
	same "a 1024" "$(entries route-get | sed -nE 's/.* dst=fd09::7 .*metric=([0-9]*) .*peer-name=([^ ]*) .*/\2 \1/p')" \
		"whose the address is, by which metric"
	same 1 "$(ip -n "$here" -6 route show table 220 | grep -c '^fd09::7 ')" "entries in the table"
}

test_replace_leaves_no_moment_without_a_route() {
	local i key
	three_peers
	add 10.50.0.0 16 peer-name=a
	watch_route 10.50.0.1
	# One by one, in a batch with others, and twice in one.
	key='dst=10.50.0.0 prefixlen=16'
	for i in {1..30}; do
		echo "route-new+replace ifname=ov0 route{ $key peer-name=b }"
		echo "route-new+replace ifname=ov0 route{ $key peer-name=a }"
		echo "route-new+create+replace ifname=ov0 route{ dst=10.51.0.0 prefixlen=16 peer-name=a }" \
			"route{ $key peer-name=b } route{ $key peer-name=c }"
	done | nl_lines | grep -c '^ok$' | { read -r n && same 90 "$n" "granted requests"; }
	watched
	matches '^lookups=[0-9]+ misses=0 changes=[1-9]' cat "$OVLY_OUT/gaps"
	lacks '^Deleted 10.50.0.0/16' route_events "$here" "$OVLY_OUT/monitor"
	matches '^10.50.0.0/16 via 10.9.0.3' routes
}

test_change_of_the_next_hop_leaves_no_gap() {
	local i
	three_peers
	add 10.50.0.0 16 peer-name=a
	watch_route 10.50.0.1
	for i in {1..30}; do
		echo "peer-set ifname=ov0 peer{ name=a addr=10.9.0.11 }"
		echo "peer-set ifname=ov0 peer{ name=a addr=10.9.0.12 addr=10.9.0.11 }"
		echo "peer-set ifname=ov0 peer{ name=a addr=10.9.0.1 }"
	done | nl_lines
	watched
	matches '^lookups=[0-9]+ misses=0 changes=[1-9]' cat "$OVLY_OUT/gaps"
	lacks '^Deleted 10.50.0.0/16' route_events "$here" "$OVLY_OUT/monitor"
}

test_flush_by_peer_protocol_and_family() {
	three_peers
	granted peer-set ifname=ov0 peer{ name=a addr=10.9.0.1 addr=fd09::1 }
	fill() {
		{
			route 10.51.0.0 16 protocol=12 peer-name=a
			route 10.52.0.0 16 protocol=4 peer-name=a
			route 10.53.0.0 16 protocol=12 peer-name=b
			route fd20:: 32 protocol=12 peer-name=a
		} | one_request route-new+create+replace ifname=ov0
	}
	left() { entries route-get | grep -v 'flags=3' | field dst | paste -sd' '; }
	fill
	matches 'applied=3' granted route-flush ifname=ov0 route{ protocol=12 }
	same "10.52.0.0" "$(left)" "after a flush by protocol"
	fill
	matches 'applied=3' granted route-flush ifname=ov0 route{ peer-name=a }
	same "10.53.0.0" "$(left)" "after a flush by peer"
	fill
	matches 'applied=2' granted route-flush ifname=ov0 route{ peer-id=1 protocol=12 }
	same "10.52.0.0 10.53.0.0" "$(left)" "after a flush by both"
	fill
	matches 'applied=1' granted route-flush ifname=ov0 route{ family=10 }
	same "10.51.0.0 10.52.0.0 10.53.0.0" "$(left)" "after a flush by family"
	matches 'applied=0' granted route-flush ifname=ov0 route{ protocol=99 }
	matches 'applied=3' granted route-flush ifname=ov0
	# Those of system addresses are never meant.
	same $'10.9.0.1\n10.9.0.2\n10.9.0.3' "$(routes | cut -d' ' -f1)" "table"
}

# hops: next hops of 10.50.0.0/16 in the table; hops6: those of fd50::/32.
hops() { ip -n "$here" -j "${1:--4}" route show table 220 "${2:-10.50.0.0/16}" | jq -r '.[] | (.gateway // empty), (.nexthops[]?.gateway)' | sort | paste -sd' '; }
hops6() { hops -6 fd50::/32; }

test_several_owners_are_one_multipath_route() {
	local -a r=(dst=10.50.0.0 prefixlen=16)
	three_peers
	same $'1\nok' "$(route 10.50.0.0 16 peer-name=a peer-name=b | one_request route-new+create ifname=ov0 | sed 's/.*applied=//')" "answer"
	same "a b" "$(owners 10.50.0.0 | paste -sd' ')" "owners"
	same "10.9.0.1 10.9.0.2" "$(hops)" "next hops"
	same 2 "$(entries route-get | grep ' dst=10.50.0.0 ' | grep -c ' flags=5')" "entries with the flag"
	has 'routes=1' peer_get a
	has 'routes=1' peer_get b
	same $'a\nb' "$(nl route-get ifname=ov0 route{ "${r[@]}" } | field peer-name)" "owners of the one route"
	# Any of these again, without append or replace, is EEXIST; append adds.
	refused EEXIST '*' 'owns this route already' route-new+create ifname=ov0 route{ "${r[@]}" peer-name=a }
	refused EEXIST '*' 'another peer' route-new+create ifname=ov0 route{ "${r[@]}" peer-name=c }
	refused EEXIST '*' 'owns this route already' route-new+create+append ifname=ov0 route{ "${r[@]}" peer-name=a }
	granted route-new+append ifname=ov0 route{ "${r[@]}" via=10.9.0.3 }
	same "10.9.0.1 10.9.0.2 10.9.0.3" "$(hops)" "next hops after append"
	# Replace says who they are; naming one twice is naming it once.
	granted route-new+replace ifname=ov0 route{ "${r[@]}" peer-id=3 peer-name=c via=10.9.0.3 peer-name=a }
	same "a c" "$(owners 10.50.0.0 | paste -sd' ')" "owners"
	same "10.9.0.1 10.9.0.3" "$(hops)" "next hops after replace"
	has 'routes=0' peer_get b
	# Delete means the owners it names, or all.
	refused ENOENT '*' 'another peer' route-del ifname=ov0 route{ "${r[@]}" peer-name=a peer-name=b }
	same "10.9.0.1 10.9.0.3" "$(hops)" "next hops after a refused delete"
	granted route-del ifname=ov0 route{ "${r[@]}" peer-name=a }
	same "10.9.0.3" "$(hops)" "next hops after delete"
	lacks ' dst=10.50.0.0 .* flags=5' entries route-get
	granted route-new+append ifname=ov0 route{ "${r[@]}" peer-name=b }
	granted route-del ifname=ov0 route{ "${r[@]}" }
	same "" "$(hops)$(owners 10.50.0.0)" "what is left"
	# A peer that goes takes its next hop along.
	granted route-new+create ifname=ov0 route{ "${r[@]}" peer-name=a peer-name=b }
	granted peer-del ifname=ov0 peer{ name=a }
	same "10.9.0.2" "$(hops)" "next hops without the peer"
}

test_several_owners_in_ipv6() {
	local -a r=(dst=fd50:: prefixlen=32)
	fresh multipoint
	peers a=fd09::1 b=fd09::2 c=fd09::3
	granted route-new+create ifname=ov0 route{ "${r[@]}" peer-name=a peer-name=b }
	same "fd09::1 fd09::2" "$(hops6)" "next hops"
	granted route-new+append ifname=ov0 route{ "${r[@]}" peer-name=c }
	same "fd09::1 fd09::2 fd09::3" "$(hops6)" "next hops after append"
	granted route-new+replace ifname=ov0 route{ "${r[@]}" peer-name=b peer-name=c }
	same "fd09::2 fd09::3" "$(hops6)" "next hops after replace"
	granted route-new+replace ifname=ov0 route{ "${r[@]}" peer-name=a }
	same "fd09::1" "$(hops6)" "next hops after replace by one"
	granted route-new+replace ifname=ov0 route{ "${r[@]}" peer-name=a peer-name=b peer-name=c protocol=12 }
	same "fd09::1 fd09::2 fd09::3" "$(hops6)" "next hops after replace by three"
	granted route-del ifname=ov0 route{ "${r[@]}" peer-name=b }
	same "fd09::1 fd09::3" "$(hops6)" "next hops after delete"
	granted route-del ifname=ov0 route{ "${r[@]}" }
	same "" "$(hops6)" "next hops after delete"
}

test_owners_up_to_the_maximum() {
	local -a r=(dst=10.50.0.0 prefixlen=16) all
	local i
	fresh multipoint
	for i in {1..17}; do
		echo "peer-new+create ifname=ov0 peer{ name=p$i addr=10.9.0.$i }"
	done | nl_lines >/dev/null
	all=(peer-name=p{1..16})
	refused E2BIG '*' '16 owners' route-new+create ifname=ov0 route{ "${r[@]}" "${all[@]}" peer-name=p17 }
	granted route-new+create ifname=ov0 route{ "${r[@]}" "${all[@]}" }
	same 16 "$(hops | wc -w)" "next hops"
	refused E2BIG '*' 'as many owners' route-new+append ifname=ov0 route{ "${r[@]}" peer-name=p17 }
	same 16 "$(hops | wc -w)" "next hops"
	granted route-new+replace ifname=ov0 route{ "${r[@]}" peer-name=p17 }
	same "10.9.0.17" "$(hops)" "next hops"
}

test_changes_of_owners_leave_no_gap() {
	local i key='dst=10.50.0.0 prefixlen=16'
	three_peers
	add 10.50.0.0 16 peer-name=a
	watch_route 10.50.0.1
	for i in {1..20}; do
		echo "route-new+append ifname=ov0 route{ $key peer-name=b }"
		echo "route-new+append ifname=ov0 route{ $key peer-name=c }"
		echo "route-del ifname=ov0 route{ $key peer-name=a }"
		echo "route-new+replace ifname=ov0 route{ $key peer-name=a peer-name=c }"
		echo "route-new+replace ifname=ov0 route{ $key peer-name=a }"
	done | nl_lines | grep -c '^ok$' | { read -r n && same 100 "$n" "granted requests"; }
	watched
	matches '^lookups=[0-9]+ misses=0 changes=[1-9]' cat "$OVLY_OUT/gaps"
	lacks '^Deleted 10.50.0.0/16' route_events "$here" "$OVLY_OUT/monitor"
}

# watch_route6 ADDRESS: as watch_route. Who finds an IPv6 route that is replaced before
# it is held may be told that there is none, by RTM_GETROUTE until it is shown. So it
# is UDP's connect() that looks it up, and a miss is two in a row.
watch_route6() {
	: >"$OVLY_OUT/gaps"
	ip netns exec "$here" python3 -u - "$1" >"$OVLY_OUT/gaps" <<-'PROGRAM' &
		import signal, socket, sys
		stopped, lookups, alone, misses, before = [], 0, 0, 0, True
		signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
		s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
		print("watching")
		while not stopped:
		    found = s.connect_ex((sys.argv[1], 9)) == 0
		    lookups += 1
		    alone += before and not found
		    misses += not before and not found
		    before = found
		print(f"{lookups=} {misses=} {alone=}")
	PROGRAM
	WATCHER=$!
	defer eval "kill $WATCHER 2>/dev/null"
	wait_for 20 "the watcher runs" grep watching "$OVLY_OUT/gaps"
	monitor_routes "$here" "$OVLY_OUT/monitor"
}

# replaces6 OWNERS...: 30 times fd50::/32 becomes theirs, each argument in its turn,
# with the route watched. Ends with the last of them.
replaces6() {
	local i owners key='dst=fd50:: prefixlen=32'
	fresh multipoint
	# A source for who looks the route up.
	ip -n "$here" addr add fd09::9/128 dev ov0 nodad
	peers a=fd09::1 b=fd09::2 c=fd09::3
	add fd50:: 32 "${!#}"
	watch_route6 fd50::1
	for i in {1..30}; do
		for owners; do
			echo "route-new+replace ifname=ov0 route{ $key $owners }"
		done
	done | nl_lines | grep -c '^ok$' | { read -r n && same $((30 * $#)) "$n" "granted requests"; }
	watched
	matches '^lookups=[0-9]{3,} misses=0' cat "$OVLY_OUT/gaps"
	same $((30 * $#)) "$(route_events "$here" "$OVLY_OUT/monitor" | grep -c '^fd50::/32 ')" "replaced"
	lacks '^Deleted fd50::/32' route_events "$here" "$OVLY_OUT/monitor"
}

test_replace_from_peer_to_peer_leaves_no_gap_in_ipv6() {
	replaces6 peer-name=a peer-name=b
	same "fd09::2" "$(hops6)" "next hops"
}

# The kernel replaces by the first next hop, and appends the others.
test_replace_from_one_to_several_leaves_no_gap_in_ipv6() {
	replaces6 peer-name=a "peer-name=a peer-name=b" peer-name=c \
		"peer-name=a peer-name=b peer-name=c" peer-name=b "peer-name=a peer-name=c"
	same "fd09::1 fd09::3" "$(hops6)" "next hops"
}

test_replace_from_several_to_one_leaves_no_gap_in_ipv6() {
	replaces6 "peer-name=a peer-name=b peer-name=c" peer-name=b \
		"peer-name=b peer-name=c" "peer-name=a peer-name=b" peer-name=c
	same "fd09::3" "$(hops6)" "next hops"
}

CASES="
test_flags_of_new				new: every combination of flags, for a route that exists and one that does not
test_everything_that_is_set_is_shown		everything that is set is shown, in the dump and in the table
test_metrics_are_routes_of_their_own		a prefix with another metric is another route
test_deletion_whose_route_is_gone_takes_no_other_metric	a deletion whose route is gone takes no other metric
test_delete_means_what_it_names			delete means prefix, metric, and the owner and protocol if named
test_owner_by_next_hop				an owner by next hop: exact address first, then the longest prefix
test_replace_leaves_no_moment_without_a_route	replace moves a prefix without a moment without a route
test_system_address_is_not_shadowed		no route comes before that to another peer's system address
test_change_of_the_next_hop_leaves_no_gap	a new system address changes next hops without a gap
test_flush_by_peer_protocol_and_family		flush by peer, protocol, family and all
test_several_owners_are_one_multipath_route	several owners are one multipath route: append, replace, delete
test_several_owners_in_ipv6			the same in IPv6
test_owners_up_to_the_maximum			a route has up to 16 owners
test_changes_of_owners_leave_no_gap		owners come and go without a moment without a route
test_replace_from_peer_to_peer_leaves_no_gap_in_ipv6	replace from peer to peer leaves no gap in IPv6
test_replace_from_one_to_several_leaves_no_gap_in_ipv6	replace by several owners leaves no gap in IPv6
test_replace_from_several_to_one_leaves_no_gap_in_ipv6	replace of several owners leaves no gap in IPv6
"
run_cases "$@"
