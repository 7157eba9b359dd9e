#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# events.sh: what listeners of the group "events" get, and that it is all they need.

# Braces are ovlynl's.
# shellcheck disable=SC1083
# shellcheck source=selftests/control.sh
. "${OVLY_TOP:?}/selftests/control.sh"
# shellcheck source=selftests/tunnel.sh
. "${OVLY_TOP:?}/selftests/tunnel.sh"

suite_setup() { underlay; }

# event NAME "WORD...": the last one of that name has the words.
event() { has "$2" grep "event=$1 " "$EVENTS"; }
# Only the last: a name may have come before.
last() { grep "event=$1 " "$EVENTS" | tail -n 1; }
last_has() { has "$2" last "$1"; }

# nests NAME "NEST...": what the last one of that name carries.
nests() { same "$2" "$(last "$1" | grep -oE '[a-z]+\{' | grep -v stats | tr -d '{' | paste -sd' ')" "nests of $1"; }

test_device_events() {
	local index
	listen
	granted link-new+create ifname=ov0 linkinfo{ kind=ovly data{ mode=1 src-valid=1 } }
	wait_for 10 "an event" matches 'event=dev-new ' cat "$EVENTS"
	index=$(in_ns here cat /sys/class/net/ov0/ifindex)
	last_has dev-new "ifindex=$index ifname=ov0 mode=1 table=220 src-valid=1 carrier-follows=0 peers=0"
	nests dev-new "dev"
	ip -n "$here" link set ov0 up
	wait_for 10 "an event" matches 'event=dev-up ' cat "$EVENTS"
	last_has dev-up "ifindex=$index ifname=ov0 mode=1 table=220"
	nests dev-up "dev"
	ip -n "$here" link set ov0 down
	wait_for 10 "an event" matches 'event=dev-down ' cat "$EVENTS"
	nests dev-down "dev"
	ip -n "$here" link del ov0
	wait_for 10 "an event" matches 'event=dev-del ' cat "$EVENTS"
	events dev-new dev-up dev-down dev-del
	last_has dev-del "ifindex=$index ifname=ov0"
	nests dev-del ""
}

test_peer_events() {
	fresh multipoint
	listen
	granted peer-new+create ifname=ov0 peer{ name=a addr=10.9.0.2 addr=fd09::2 route-limit=5 }
	granted peer-set ifname=ov0 peer{ name=a on-down=1 }
	granted peer-del ifname=ov0 peer{ name=a }
	events peer-new peer-set peer-del
	last_has peer-new "ifname=ov0 id=1 name=a addr=10.9.0.2 addr=fd09::2 route-limit=5 on-down=0 state=0"
	nests peer-new "peer"
	last_has peer-set "ifname=ov0 id=1 name=a on-down=1 route-limit=5"
	nests peer-set "peer"
	last_has peer-del "ifname=ov0 id=1 name=a"
	nests peer-del "peer"
}

test_path_and_peer_state_events() {
	fresh multipoint
	peers a=10.9.0.2
	sa_pair 8
	defer sa_pair_del 8
	listen
	granted path-new+create ifname=ov0 path{ if-id-in=7 peer-name=a endpoint=192.0.2.2 priority=10 label=one remote-id=hub }
	sa_pair 7
	wait_for 10 "the peer is up" matches 'event=peer-up ' cat "$EVENTS"
	last_has path-new "ifname=ov0 if-id-in=7 if-id-out=7 peer-id=1 peer-name=a endpoint=192.0.2.2 priority=10 label=one remote-id=hub state=0"
	nests path-new "path"
	last_has peer-up "ifname=ov0 id=1 name=a active-path=7 transitions=1 if-id-in=7 endpoint=192.0.2.2"
	nests peer-up "peer path"
	last_has path-up "ifname=ov0 if-id-in=7 peer-name=a state=2 sa-out=1"
	nests path-up "path"
	# A better one takes over while the peer stays up.
	granted path-new+create ifname=ov0 path{ if-id-in=8 peer-name=a endpoint=192.0.2.2 priority=5 }
	wait_for 10 "the takeover" matches 'event=path-active ' cat "$EVENTS"
	last_has path-active "id=1 name=a active-path=8 if-id-in=8 priority=5"
	nests path-active "peer path"
	granted path-del path{ if-id-in=8 }
	wait_for 10 "the deletion" matches 'event=path-del ' cat "$EVENTS"
	last_has path-del "ifname=ov0 if-id-in=8 peer-id=1 peer-name=a"
	nests path-del "path"
	last_has path-active "active-path=7 if-id-in=7"
	lacks 'event=peer-down ' cat "$EVENTS"
	sa_pair_del 7
	wait_for 10 "the peer is down" matches 'event=peer-down ' cat "$EVENTS"
	last_has peer-down "ifname=ov0 id=1 name=a transitions=1"
	nests peer-down "peer"
	last_has path-down "ifname=ov0 if-id-in=7 peer-name=a state=0 sa-out=0"
	nests path-down "path"
	same 1 "$(grep -c 'event=peer-up ' "$EVENTS")" "times the peer came up"
}

# A listener knows a path by its if-id: the last word is that it is there.
test_path_that_moves_ends_before_it_begins() {
	fresh multipoint
	peers a=10.9.0.2 b=10.9.0.3
	granted path-new+create ifname=ov0 path{ if-id-in=7 peer-name=a endpoint=192.0.2.2 }
	sa_pair 7
	defer sa_pair_del 7
	listen
	granted path-new+replace ifname=ov0 path{ if-id-in=7 peer-name=b endpoint=192.0.2.2 }
	events path-down path-del path-new path-up peer-up peer-down
	last_has path-del "if-id-in=7 peer-id=1 peer-name=a"
	last_has path-up "if-id-in=7 peer-id=2 peer-name=b"
	last_has peer-down "name=a"
}

test_path_with_another_if_id_out_keeps_its_peer_up() {
	fresh multipoint
	peers a=10.9.0.2
	granted path-new+create ifname=ov0 path{ if-id-in=7 peer-name=a endpoint=192.0.2.2 }
	sa_pair 7
	defer sa_pair_del 7
	sa_pair 8
	defer sa_pair_del 8
	listen
	granted path-new+replace ifname=ov0 path{ if-id-in=7 if-id-out=8 peer-name=a endpoint=192.0.2.2 }
	events path-down path-del path-new path-up path-active
	last_has path-active "name=a active-path=7"
}

test_deleting_a_peer_tells_of_its_paths_first() {
	fresh multipoint
	peers a=10.9.0.2
	granted path-new+create ifname=ov0 path{ if-id-in=7 peer-name=a endpoint=192.0.2.2 }
	granted path-new+create ifname=ov0 path{ if-id-in=8 peer-name=a }
	sa_pair 7
	defer sa_pair_del 7
	listen
	granted peer-del ifname=ov0 peer{ name=a }
	wait_for 10 "the end" matches 'event=peer-del ' cat "$EVENTS"
	same peer-del "$(field event <"$EVENTS" | tail -n 1)" "the last event"
	same 2 "$(grep -c 'event=path-del ' "$EVENTS")" "paths that go"
	same 1 "$(grep -c 'event=peer-down ' "$EVENTS")" "peers that go down"
}

test_what_is_refused_is_no_event() {
	fresh multipoint
	peers a=10.9.0.2 b=10.9.0.3
	granted path-new+create ifname=ov0 path{ if-id-in=7 peer-name=a endpoint=192.0.2.2 }
	listen
	refused EEXIST '*' '' peer-new+create ifname=ov0 peer{ name=a }
	refused EEXIST '*' '' peer-set ifname=ov0 peer{ name=b on-down=1 addr=10.9.0.2 }
	refused EEXIST '*' '' path-new+create ifname=ov0 path{ if-id-in=7 peer-name=b }
	refused EINVAL '*' '' path-set path{ if-id-in=7 if-id-out=9 }
	refused ENOENT '*' '' peer-del ifname=ov0 peer{ name=c }
	refused EOPNOTSUPP '*' '' dev-set ifname=ov0 dev{ mode=0 src-valid=1 }
	granted peer-set ifname=ov0 peer{ name=b route-limit=1 }
	events peer-set
}

# burst: a process each would take too long for a rate to show.
test_route_limit_event_and_its_rate() {
	local t0 seconds n
	fresh multipoint
	granted peer-new+create ifname=ov0 peer{ name=a addr=10.9.0.2 route-limit=1 }
	granted route-new+create ifname=ov0 route{ dst=10.20.0.0 prefixlen=16 peer-name=a }
	listen
	t0=$SECONDS
	for n in {1..200}; do
		echo "route-new+create ifname=ov0 route{ dst=10.21.$n.0 prefixlen=24 peer-name=a }"
	done | nl_lines | grep -c '^ENOSPC ' | { read -r n && same 200 "$n" "refusals"; }
	seconds=$((SECONDS - t0 + 1))
	granted peer-set ifname=ov0 peer{ name=a on-down=1 }
	wait_for 10 "the last event" matches 'event=peer-set ' cat "$EVENTS"
	last_has route-limit "ifname=ov0 id=1 name=a route-limit=1 routes=1"
	nests route-limit "peer"
	n=$(grep -c 'event=route-limit ' "$EVENTS")
	note "$n events in less than $seconds s"
	[ "$n" -le $((seconds + 1)) ] || fail "$n events in $seconds s"
}

test_endpoint_moved_event() {
	fresh multipoint
	peers a=10.9.0.2
	granted path-new+create ifname=ov0 path{ if-id-in=7 peer-name=a endpoint=192.0.2.2 }
	listen
	granted path-set path{ if-id-in=7 endpoint=192.0.2.3 }
	wait_for 10 "an event" matches 'event=endpoint-moved ' cat "$EVENTS"
	last_has endpoint-moved "ifname=ov0 if-id-in=7 peer-name=a endpoint=192.0.2.3 previous-endpoint=192.0.2.2"
	nests endpoint-moved "path"
	# Where it is already, it does not move.
	granted path-set path{ if-id-in=7 endpoint=192.0.2.3 }
	granted path-set path{ if-id-in=7 endpoint=2001:db8::2 }
	wait_for 10 "another event" matches 'event=endpoint-moved .* previous-endpoint=192.0.2.3' cat "$EVENTS"
	same 2 "$(grep -c 'event=endpoint-moved ' "$EVENTS")" "moves"
}

test_routes_disabled_and_enabled_events() {
	fresh multipoint
	granted peer-new+create ifname=ov0 peer{ name=a addr=10.9.0.2 route-limit=1 limit-action=1 }
	granted route-new+create ifname=ov0 route{ dst=10.20.0.0 prefixlen=16 peer-name=a }
	listen
	refused ENOSPC '*' '' route-new+create ifname=ov0 route{ dst=10.21.0.0 prefixlen=16 peer-name=a }
	wait_for 10 "an event" matches 'event=routes-disabled ' cat "$EVENTS"
	last_has routes-disabled "ifname=ov0 id=1 name=a routes-disabled=1 route-limit=1 limit-action=1"
	nests routes-disabled "peer"
	granted peer-set ifname=ov0 peer{ name=a route-limit=2 }
	wait_for 10 "an event" matches 'event=routes-enabled ' cat "$EVENTS"
	last_has routes-enabled "name=a routes-disabled=0 route-limit=2"
	nests routes-enabled "peer"
	events route-limit routes-disabled routes-enabled peer-set
}

test_source_violation_event_and_its_rate() {
	local t0 seconds n
	wan_setup left right
	overlay left
	overlay right
	connect left right 7
	ip -n "$left" addr add 10.66.0.1/32 dev lo
	ip -n "$left" -6 addr add fd66::1/128 dev lo
	listen right
	t0=$SECONDS
	unanswered left 10.9.0.2 -I 10.66.0.1 -c 30 -i 0.02
	wait_for 10 "an event" matches 'event=source-violation ' cat "$EVENTS"
	seconds=$((SECONDS - t0 + 1))
	last_has source-violation "ifname=ov0 id=1 name=left dst=10.66.0.1 prefixlen=32"
	nests source-violation "peer route"
	n=$(grep -c 'event=source-violation ' "$EVENTS")
	[ "$n" -le $((seconds + 1)) ] || fail "$n events in $seconds s"
	v6() { in_ns left ping -6 -c 1 -W 1 -I fd66::1 fd09::2 >/dev/null || true; matches 'event=source-violation .*dst=fd66::1 prefixlen=128' cat "$EVENTS"; }
	wait_for 10 "one of IPv6" v6
}

N_SLOW=100

slow_hears_again() {
	granted peer-set ifname=ov0 peer{ name=a1 on-down=1 }
	matches 'event=peer-set ' cat "$OVLY_OUT/events-slow"
}

heard_all() { same "$N_SLOW" "$(grep -c 'event=peer-new ' "$EVENTS")" "peers that came"; }

test_slow_listener_knows_that_it_missed_some() {
	local n said slow=$OVLY_OUT/events-slow pid

	fresh multipoint
	ip netns exec "$here" ovlynl listen -b 4096 >"$slow" &
	pid=$!
	defer eval "kill -CONT $pid; kill $pid 2>/dev/null"
	wait_for 10 "the slow listener is there" grep listening "$slow"
	kill -STOP "$pid"
	listen
	# Nobody waits for it: not who asks, not who else listens.
	said=$(for ((n = 1; n <= N_SLOW; n++)); do
		echo "peer-new+create ifname=ov0 peer{ name=a$n addr=10.9.1.$n }"
	done | nl_lines | grep -c '^ok$')
	same "$N_SLOW" "$said" "peers made"
	wait_for 10 "the other one hears of all" heard_all
	lacks overrun cat "$EVENTS"
	same "$N_SLOW" "$(entries peer-get | wc -l)" "peers"
	kill -CONT "$pid"
	wait_for 10 "the slow one learns of it" grep '^overrun$' "$slow"
	# And hears what comes from then on.
	wait_for 10 "one of the next events" slow_hears_again
	n=$(grep -c 'event=peer-new ' "$slow")
	note "the slow one got $n events of $N_SLOW"
	[ "$n" -lt "$N_SLOW" ] || fail "it missed none"
}

test_events_are_of_their_namespace() {
	fresh multipoint
	setup_ns there
	listen there
	granted peer-new+create ifname=ov0 peer{ name=a addr=10.9.0.2 }
	# A device that moves goes here and comes there.
	ip -n "$here" link add ov9 type ovly
	ip -n "$here" link set ov9 netns "$there"
	wait_for 10 "the device comes" matches 'event=dev-new .* ifname=ov9 ' cat "$EVENTS"
	ip netns exec "$there" ovlynl 'do' peer-new+create ifname=ov9 peer{ name=b }
	wait_for 10 "its peer comes" matches 'event=peer-new .* name=b ' cat "$EVENTS"
	lacks 'ifname=ov0|name=a ' cat "$EVENTS"
	listen
	ip -n "$there" link set ov9 netns "$here"
	wait_for 10 "the device comes back" matches 'event=dev-new .* ifname=ov9 ' cat "$EVENTS"
	matches 'event=dev-del .* ifname=ov9' cat "$OVLY_OUT/events-there"
	ip -n "$here" link del ov9
}

CASES="
test_device_events				device created, up, down and deleted
test_peer_events				peer created, changed and deleted
test_path_and_peer_state_events			path created and deleted, another takes over, peer up and down
test_path_that_moves_ends_before_it_begins	a path that moves ends before it begins
test_path_with_another_if_id_out_keeps_its_peer_up	a path with another if-id-out keeps its peer up
test_deleting_a_peer_tells_of_its_paths_first	deleting a peer tells of its paths, and of the peer last
test_what_is_refused_is_no_event		what is refused is no event
test_route_limit_event_and_its_rate		the route limit was hit, at most once a second
test_endpoint_moved_event			a path leads elsewhere, with the endpoint before
test_routes_disabled_and_enabled_events		routes disabled by the limit, and enabled again
test_source_violation_event_and_its_rate	a source violation has peer and source, at most once a second
test_slow_listener_knows_that_it_missed_some	a listener that is too slow learns that it missed events, and nobody else notices
test_events_are_of_their_namespace		events are of their namespace, also when a device moves
"
run_cases "$@"
