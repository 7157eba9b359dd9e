#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# path.sh: paths are made, changed, shown and deleted, and one is active.

# Braces are ovlynl's.
# shellcheck disable=SC1083
# shellcheck source=selftests/control.sh
. "${OVLY_TOP:?}/selftests/control.sh"

suite_setup() { underlay; }

# hub: a device with the peers hub and other.
hub() {
	fresh multipoint
	peers hub=10.9.0.2 other=10.9.0.3
}

test_flags_of_new() {
	local before flags
	hub
	for flags in "" +excl +replace; do
		refused ENOENT '*' 'no path' "path-new$flags" ifname=ov0 path{ if-id-in=7 peer-name=hub }
	done
	same "" "$(entries path-get)" "paths"
	granted path-new+create ifname=ov0 path{ if-id-in=7 peer-name=hub }
	granted path-new+create+excl ifname=ov0 path{ if-id-in=8 peer-name=hub }
	granted path-new+create+replace ifname=ov0 path{ if-id-in=9 peer-name=hub }
	before=$(state)
	for flags in "" +create +excl +create+excl; do
		refused EEXIST '*' 'has this if-id' "path-new$flags" ifname=ov0 \
			path{ if-id-in=7 peer-name=hub priority=1 }
	done
	same "$before" "$(state)" "state after refusals"
	granted path-new+replace ifname=ov0 path{ if-id-in=7 peer-name=hub priority=1 }
	has 'priority=1' path_get 7
	granted path-new+create+replace ifname=ov0 path{ if-id-in=7 peer-name=hub priority=2 }
	has 'priority=2' path_get 7
	same 3 "$(entries path-get | wc -l)" "paths"
	refused EOPNOTSUPP - '' path-new+create+excl+replace ifname=ov0 path{ if-id-in=6 peer-name=hub }
}

test_everything_that_is_set_is_shown() {
	local wan0 identity label
	hub
	wan0=$(in_ns here cat /sys/class/net/wan0/ifindex)
	identity=$(printf 'i%.0s' {1..251})
	label=$(printf 'l%.0s' {1..63})
	granted path-new+create ifname=ov0 path{ if-id-in=4294967295 if-id-out=8 peer-name=hub \
		endpoint=192.0.2.2 local=192.0.2.1 "underlay=$wan0" priority=0 "label=$label" \
		"remote-id=C=X%20$identity" }
	has "if-id-in=4294967295 if-id-out=8 peer-id=1 peer-name=hub endpoint=192.0.2.2 local=192.0.2.1
		underlay=$wan0 priority=0 label=$label state=0 sa-in=0 sa-out=0" path_get 4294967295
	matches " remote-id=\"C=X $identity\"" path_get 4294967295
	granted path-new+create ifname=ov0 path{ if-id-in=1 peer-id=1 endpoint=2001:db8::2 local=2001:db8::1 }
	has 'if-id-in=1 if-id-out=1 endpoint=2001:db8::2 local=2001:db8::1 underlay=0 priority=100' path_get 1
	same "$(path_get 1 | head -n 1)" "$(entries path-get | head -n 1)" "dump and get"
	same $'1\n4294967295' "$(entries path-get | field if-id-in)" "dump"
	granted path-del path{ if-id-in=1 }
	granted path-del path{ if-id-in=4294967295 }
}

test_set_changes_what_it_names() {
	hub
	granted path-new+create ifname=ov0 path{ if-id-in=7 peer-name=hub endpoint=192.0.2.2 label=one }
	granted path-set path{ if-id-in=7 priority=5 }
	has 'endpoint=192.0.2.2 underlay=0 priority=5 label=one' path_get 7
	granted path-set ifname=ov0 path{ if-id-in=7 label=two }
	has 'endpoint=192.0.2.2 underlay=0 priority=5 label=two' path_get 7
	granted path-set path{ if-id-in=7 endpoint=192.0.2.3 }
	has 'endpoint=192.0.2.3 underlay=0 priority=5 label=two' path_get 7
	matches '^192.0.2.3$' throws
}

test_refused_set_changes_nothing() {
	local before
	hub
	granted path-new+create ifname=ov0 path{ if-id-in=7 peer-name=hub endpoint=192.0.2.2 }
	granted path-new+create ifname=ov0 path{ if-id-in=8 peer-name=other endpoint=192.0.2.3 }
	ip -n "$here" route add 192.0.2.9 dev wan0 table 220
	defer ip -n "$here" route del 192.0.2.9 dev wan0 table 220
	before=$(state)
	refused EINVAL '*' 'does not change' path-set path{ if-id-in=7 peer-name=other priority=1 }
	refused EINVAL '*' 'does not change' path-set path{ if-id-in=7 peer-id=2 priority=1 }
	refused EINVAL '*' 'if-ids.*not change' path-set path{ if-id-in=7 if-id-out=9 priority=1 }
	refused ENOENT '*' 'no path' path-set path{ if-id-in=9 priority=1 }
	refused ENOENT '*' 'no path' path-del path{ if-id-in=9 }
	refused ENOENT '*' 'no path' path-get path{ if-id-in=9 }
	refused EEXIST '*' 'another path has the if-id' path-new+create ifname=ov0 \
		path{ if-id-in=9 if-id-out=8 peer-name=hub endpoint=192.0.2.4 }
	refused EEXIST '*' 'another path has the if-id' path-new+replace ifname=ov0 \
		path{ if-id-in=7 if-id-out=8 peer-name=hub endpoint=192.0.2.4 }
	refused EEXIST '*' "somebody else's route to the endpoint" path-set path{ if-id-in=7 endpoint=192.0.2.9 priority=1 }
	refused EEXIST '*' "somebody else's route to the endpoint" path-new+create ifname=ov0 \
		path{ if-id-in=9 peer-name=hub endpoint=192.0.2.9 }
	refused EEXIST '*' "somebody else's route to the endpoint" path-new+replace ifname=ov0 \
		path{ if-id-in=7 peer-name=other endpoint=192.0.2.9 }
	refused EINVAL '*' 'peer of a path does not change' path-set path{ if-id-in=7 peer-name=other priority=1 }
	refused ENOENT '*' 'no such peer' path-set path{ if-id-in=7 peer-name=nobody priority=1 }
	same "$before" "$(state)" "state after refusals"
	# Its own may be named.
	granted path-set path{ if-id-in=7 peer-name=hub priority=9 }
	has 'priority=9' path_get 7
}

test_replace_moves_an_if_id_to_another_peer() {
	hub
	granted path-new+create ifname=ov0 path{ if-id-in=7 peer-name=hub endpoint=192.0.2.2 }
	sa_pair 7
	defer sa_pair_del 7
	has 'state=1 active-path=7' peer_get hub
	granted path-new+replace ifname=ov0 path{ if-id-in=7 peer-name=other endpoint=192.0.2.2 }
	same "other" "$(entries path-get | field peer-name)" "the path's peer"
	has 'state=0' peer_get hub
	has 'state=1 active-path=7' peer_get other
	same "192.0.2.2" "$(throws)" "throw routes"
}

test_a_peer_has_so_many_paths_and_no_more() {
	local id
	hub
	for id in {1..1024}; do
		echo "path-new+create ifname=ov0 path{ if-id-in=$id peer-name=hub }"
	done | nl_lines | grep -c '^ok' | { read -r id && same 1024 "$id" "paths made"; }
	refused E2BIG '*' 'as many paths as it can' path-new+create ifname=ov0 path{ if-id-in=2000 peer-name=hub }
	granted path-new+create ifname=ov0 path{ if-id-in=2000 peer-name=other }
	granted path-del path{ if-id-in=7 }
	granted path-new+create ifname=ov0 path{ if-id-in=2001 peer-name=hub }
	granted peer-del ifname=ov0 peer{ name=hub }
	same 2000 "$(entries path-get | field if-id-in)" "paths"
}

# More SAs of an if-id than are looked at: those that are do not make the path go down.
test_sas_beyond_those_that_count_change_nothing() {
	local i
	hub
	granted path-new+create ifname=ov0 path{ if-id-in=7 peer-name=hub }
	for ((i = 0; i < 1100; i++)); do
		printf 'xfrm state add src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x%x reqid 7 mode tunnel if_id 7 flag af-unspec %s\n' \
			$((0x1000 + i)) 'aead rfc4106(gcm(aes)) 0x0123456789abcdef0123456789abcdef01234567 128'
	done | ip -n "$here" -batch -
	defer ip -n "$here" xfrm state flush
	has 'state=2 .*sa-out=1024' path_get 7
	ip -n "$here" xfrm state flush
	wait_for 10 "the path is down" matches 'state=0 .*sa-out=0' path_get 7
	out_sa add 0x101 192.0.2.2
	has 'state=2 .*sa-out=1' path_get 7
	out_sa delete 0x101 192.0.2.2
}

test_if_id_is_unique_in_the_namespace() {
	hub
	fresh multipoint ov1
	defer ip -n "$here" link del ov1
	granted peer-new+create ifname=ov1 peer{ name=hub addr=10.9.1.2 }
	granted path-new+create ifname=ov0 path{ if-id-in=7 peer-name=hub }
	refused EEXIST '*' 'another path has the if-id' path-new+create ifname=ov1 path{ if-id-in=7 peer-name=hub }
	refused EEXIST '*' 'another path has the if-id' path-new+create+replace ifname=ov1 path{ if-id-in=7 peer-name=hub }
	refused ENOENT '*' 'no path of the device' path-del ifname=ov1 path{ if-id-in=7 }
	# In another namespace it is another one.
	setup_ns there
	ip netns exec "$there" ovlyhelper dev add ov0 mode multipoint up
	ip netns exec "$there" ovlynl "do" peer-new+create ifname=ov0 peer{ name=hub addr=10.9.0.2 }
	ip netns exec "$there" ovlynl "do" path-new+create ifname=ov0 path{ if-id-in=7 peer-name=hub }
	granted path-del path{ if-id-in=7 }
	same 7 "$(ip netns exec "$there" ovlynl dump path-get | field if-id-in)" "the other one's"
}

# out_sa add SPI PEER-ADDRESS, out_sa delete SPI PEER-ADDRESS
out_sa() {
	local words="src 192.0.2.1 dst $3 proto esp spi $2"
	[ "$1" = delete ] || words+=" reqid 7 mode tunnel if_id 7 flag af-unspec \
		aead rfc4106(gcm(aes)) 0x0123456789abcdef0123456789abcdef01234567 128"
	echo "xfrm state $1 $words" | tr -d '\t' | ip -n "$here" -batch -
}

# As an IKE daemon moves two CHILD_SAs: one after the other, each gone for a moment.
test_sas_that_move_one_after_the_other_count() {
	local spi
	hub
	granted path-new+create ifname=ov0 path{ if-id-in=7 peer-name=hub endpoint=192.0.2.2 }
	out_sa add 0x101 192.0.2.2
	out_sa add 0x102 192.0.2.2
	has 'endpoint=192.0.2.2 .*sa-out=2' path_get 7
	for spi in 0x101 0x102; do
		out_sa delete "$spi" 192.0.2.2
		out_sa add "$spi" 192.0.2.3
		defer out_sa delete "$spi" 192.0.2.3
	done
	has 'endpoint=192.0.2.3 .*sa-out=2' path_get 7
}

test_best_priority_then_newest_is_active() {
	local id
	hub
	for id in 5 6 7; do
		sa_pair "$id"
		defer sa_pair_del "$id"
	done
	granted path-new+create ifname=ov0 path{ if-id-in=5 peer-name=hub priority=10 }
	granted path-new+create ifname=ov0 path{ if-id-in=6 peer-name=hub priority=20 }
	has 'paths=2 active-path=5 transitions=1' peer_get hub
	has 'state=2' path_get 5
	has 'state=1' path_get 6
	# Equal priority: the newest. To say how it is preferred makes new, a label does not.
	granted path-new+create ifname=ov0 path{ if-id-in=7 peer-name=hub priority=10 }
	has 'paths=3 active-path=7' peer_get hub
	granted path-set path{ if-id-in=5 label=again }
	has 'active-path=7' peer_get hub
	granted path-set path{ if-id-in=5 priority=10 }
	has 'active-path=5' peer_get hub
	granted path-set path{ if-id-in=6 priority=1 }
	has 'active-path=6' peer_get hub
	granted path-del path{ if-id-in=6 }
	has 'paths=2 active-path=5' peer_get hub
	granted path-del path{ if-id-in=5 }
	granted path-del path{ if-id-in=7 }
	# Never down on the way.
	has 'state=0 routes=0 paths=0 transitions=1' peer_get hub
}

test_path_follows_its_sas() {
	hub
	granted path-new+create ifname=ov0 path{ if-id-in=7 peer-name=hub endpoint=192.0.2.2 }
	has 'state=0 sa-in=0 sa-out=0' path_get 7
	sa_pair 7
	has 'state=2 sa-in=1 sa-out=1' path_get 7
	has 'state=1 routes=0 paths=1 active-path=7 transitions=1' peer_get hub
	# One to somebody else under the same id does not lead to the endpoint.
	sa_pair 7 192.0.2.66
	has 'state=2 sa-in=2 sa-out=1' path_get 7
	sa_pair_del 7
	has 'state=0 sa-in=1 sa-out=0' path_get 7
	sa_pair_del 7 192.0.2.66
	has 'state=0 sa-in=0 sa-out=0' path_get 7
	has 'state=0 routes=0 paths=1 transitions=1' peer_get hub
	sa_pair 7
	has 'transitions=2' peer_get hub
	in_ns here ip xfrm state flush
	has 'state=0 sa-in=0 sa-out=0' path_get 7
}

test_throw_route_is_one_for_all_paths_to_an_endpoint() {
	hub
	granted path-new+create ifname=ov0 path{ if-id-in=7 peer-name=hub endpoint=192.0.2.2 }
	granted path-new+create ifname=ov0 path{ if-id-in=8 peer-name=hub endpoint=192.0.2.2 }
	granted path-new+create ifname=ov0 path{ if-id-in=9 peer-name=other endpoint=192.0.2.2 }
	same "192.0.2.2" "$(throws)" "throw routes"
	granted path-del path{ if-id-in=7 }
	granted path-del path{ if-id-in=9 }
	same "192.0.2.2" "$(throws)" "throw routes"
	granted path-del path{ if-id-in=8 }
	# It outlives its paths, because IKE has to get there.
	same "192.0.2.2" "$(throws)" "throw routes"
	granted peer-del ifname=ov0 peer{ name=hub }
	same "192.0.2.2" "$(throws)" "throw routes"
	granted peer-del ifname=ov0 peer{ name=other }
	same "" "$(throws)" "throw routes"
}

test_peer_remembers_few_endpoints() {
	local i
	hub
	for i in {11..20}; do
		echo "path-new+create+replace ifname=ov0 path{ if-id-in=7 peer-name=hub endpoint=192.0.2.$i }"
	done | nl_lines
	same "$(printf '192.0.2.%d\n' {16..20})" "$(throws)" "throw routes"
	granted path-del path{ if-id-in=7 }
	same "$(printf '192.0.2.%d\n' {17..20})" "$(throws)" "throw routes"
}

# Whoever taught a route to exactly the endpoint: the tunnel comes first.
test_endpoint_takes_the_place_of_a_route_to_it() {
	fresh multipoint
	granted peer-new+create ifname=ov0 peer{ name=hub addr=10.9.0.2 addr=fd09::2 }
	granted route-new+create ifname=ov0 route{ dst=192.0.2.77 prefixlen=32 peer-name=hub }
	granted route-new+create ifname=ov0 route{ dst=2001:db8::77 prefixlen=128 metric=1 peer-name=hub }
	granted path-new+create ifname=ov0 path{ if-id-in=7 peer-name=hub endpoint=192.0.2.77 }
	granted path-new+create ifname=ov0 path{ if-id-in=8 peer-name=hub endpoint=2001:db8::77 }
	lacks '77' entries route-get
	matches '^throw 192.0.2.77 ' ip -n "$here" route show table 220
	matches '^throw 2001:db8::77 .*metric 1 ' ip -n "$here" -6 route show table 220
}

# Somebody else's route is there, and that of a peer only wanted: it is in nobody's way.
test_refused_endpoint_takes_no_route_away() {
	local before
	hub
	ip -n "$here" link set ov0 down
	granted route-new+create ifname=ov0 route{ dst=192.0.2.77 prefixlen=32 peer-name=hub }
	ip -n "$here" route add 192.0.2.77/32 dev wan0 table 220
	defer ip -n "$here" route del 192.0.2.77/32 dev wan0 table 220
	before=$(state)
	refused EEXIST '*' '' path-new+create ifname=ov0 path{ if-id-in=7 peer-name=hub endpoint=192.0.2.77 }
	same "$before" "$(state)" "state"
}

# An administrator's, which a deletion is not to take for the throw route.
test_route_that_displaced_a_throw_stays() {
	hub
	granted path-new+create ifname=ov0 path{ if-id-in=7 peer-name=hub endpoint=2001:db8::77 }
	granted path-new+create ifname=ov0 path{ if-id-in=8 peer-name=hub endpoint=192.0.2.77 }
	ip -n "$here" -6 route replace 2001:db8::77/128 dev wan0 metric 1 table 220
	ip -n "$here" route replace 192.0.2.77/32 dev wan0 table 220
	lacks '^throw 2001' ip -n "$here" -6 route show table 220
	granted peer-del ifname=ov0 peer{ name=hub }
	matches '^2001:db8::77 dev wan0' ip -n "$here" -6 route show table 220
	matches '^192.0.2.77 dev wan0' ip -n "$here" route show table 220
	ip -n "$here" -6 route del 2001:db8::77/128 dev wan0 metric 1 table 220
	ip -n "$here" route del 192.0.2.77/32 dev wan0 table 220
}

CASES="
test_flags_of_new				new: every combination of flags, for a path that exists and one that does not
test_everything_that_is_set_is_shown		everything that is set is shown, also the longest and the largest
test_set_changes_what_it_names			set changes what it names, and the throw route follows the endpoint
test_refused_set_changes_nothing		what is refused for one reason changes nothing
test_replace_moves_an_if_id_to_another_peer	replace moves an if-id to another peer
test_a_peer_has_so_many_paths_and_no_more	a peer has 1024 paths and no more
test_sas_beyond_those_that_count_change_nothing	SAs beyond the 1024 that count change nothing
test_if_id_is_unique_in_the_namespace		an if-id is one path's in a namespace, whatever the device
test_sas_that_move_one_after_the_other_count	SAs that move one after the other count, all of them
test_best_priority_then_newest_is_active	the best priority is active, the newest among equals, without a gap
test_path_follows_its_sas			a path is up while its own SAs are there
test_throw_route_is_one_for_all_paths_to_an_endpoint	one throw route for all paths to an endpoint, until their peers go
test_endpoint_takes_the_place_of_a_route_to_it	an endpoint takes the place of a route to it, in both families
test_route_that_displaced_a_throw_stays		a route that displaced a throw route stays when the endpoint goes
test_refused_endpoint_takes_no_route_away	an endpoint that is refused takes no route away
test_peer_remembers_few_endpoints		a peer remembers its last endpoints, and only few
"
run_cases "$@"
