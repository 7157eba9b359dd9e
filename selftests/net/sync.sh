#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# sync.sh: mark and sweep: begin, adds, end removes what was not named again.

# Braces are ovlynl's.
# shellcheck disable=SC1083
# shellcheck source=selftests/control.sh
. "${OVLY_TOP:?}/selftests/control.sh"

suite_setup() { underlay; }

ENOSPC=28

# confirm PREFIX/16 PEER PROTOCOL...: as a daemon confirms its routes, WITHIN the sweep
# with that cookie if it says so.
confirm() {
	while [ $# -gt 0 ]; do
		echo "route{ dst=$1 prefixlen=16 peer-name=$2 protocol=$3 }"
		shift 3
	done | one_request route-new+create+replace ifname=ov0 ${WITHIN:+cookie=$WITHIN}
}

# begin, end COOKIE [FILTER...]
begin() { granted sync-begin ifname=ov0 | field cookie; }
end() {
	local cookie=$1
	shift
	[ $# = 0 ] || set -- route{ "$@" }
	granted sync-end ifname=ov0 "cookie=$cookie" "$@" | field applied
}

# left: the prefixes that are owned, but the system addresses.
left() { entries route-get | sed '/prefixlen=32/d' | field dst | paste -sd' '; }

six_routes() {
	fresh multipoint
	peers a=10.9.0.1 b=10.9.0.2
	granted path-new+create ifname=ov0 path{ if-id-in=7 peer-name=a endpoint=192.0.2.2 }
	confirm 10.51.0.0 a 12 10.52.0.0 a 12 10.53.0.0 a 4 10.61.0.0 b 12 10.62.0.0 b 12 10.63.0.0 b 4
}

test_end_removes_what_was_not_named_again() {
	local cookie
	six_routes
	cookie=$(begin)
	confirm 10.51.0.0 a 12 10.61.0.0 b 12 10.71.0.0 a 12
	same "10.51.0.0 10.52.0.0 10.53.0.0 10.61.0.0 10.62.0.0 10.63.0.0 10.71.0.0" "$(left)" "before the end"
	same 4 "$(end "$cookie")" "removed"
	same "10.51.0.0 10.61.0.0 10.71.0.0" "$(left)" "after the end"
	# The table agrees; system addresses and throw routes are nobody's to sweep.
	same $'10.9.0.1\n10.9.0.2\n10.51.0.0/16\n10.61.0.0/16\n10.71.0.0/16' "$(routes | cut -d' ' -f1)" "table"
	same 192.0.2.2 "$(throws)" "throw routes"
	same 0 "$(end "$cookie")" "removed by another end"
}

test_end_means_what_its_filter_says() {
	local cookie
	six_routes
	cookie=$(begin)
	confirm 10.51.0.0 a 12
	same 1 "$(end "$cookie" peer-name=a protocol=12)" "removed"
	same "10.51.0.0 10.53.0.0 10.61.0.0 10.62.0.0 10.63.0.0" "$(left)" "peer and protocol"
	same 0 "$(end "$cookie" family=10)" "removed"
	same 2 "$(end "$cookie" protocol=4)" "removed"
	same "10.51.0.0 10.61.0.0 10.62.0.0" "$(left)" "protocol"
	same 2 "$(end "$cookie" peer-id=2)" "removed"
	same "10.51.0.0" "$(left)" "peer"
	# Confirmed under this cookie, not under the next one.
	cookie=$(begin)
	same 1 "$(end "$cookie")" "removed"
}

test_what_stays_is_not_touched() {
	local cookie
	six_routes
	monitor_routes "$here" "$OVLY_OUT/monitor"
	cookie=$(begin)
	confirm 10.51.0.0 a 12 10.52.0.0 a 12 10.53.0.0 a 4 10.61.0.0 b 12 10.62.0.0 b 12
	end "$cookie"
	lacks '^(Deleted )?10[.](5|61|62|9)' route_events "$here" "$OVLY_OUT/monitor"
	grep '^Deleted 10.63.0.0' "$OVLY_OUT/monitor"
}

test_killed_between_begin_and_end_removes_nothing() {
	local before pid orders=/tmp/orders
	six_routes
	before=$(state)
	mkfifo "$orders"
	defer rm -f "$orders"
	ip netns exec "$here" ovlynl 'do' - <"$orders" >"$OVLY_OUT/answers" &
	pid=$!
	defer eval "kill $pid 2>/dev/null"
	exec 8>"$orders"
	echo "sync-begin ifname=ov0" >&8
	echo "route-new+create+replace ifname=ov0 route{ dst=10.51.0.0 prefixlen=16 peer-name=a protocol=12 }" >&8
	wait_for 10 "the add is answered" matches '^2$' grep -c '^ok' "$OVLY_OUT/answers"
	kill -KILL "$pid"
	wait "$pid" || true
	exec 8>&-
	same "$before" "$(state)" "state after the death"
	# Its successor's end is not disturbed by that.
	same 6 "$(end "$(begin)")" "removed"
}

test_two_sweeps_at_once() {
	local one two
	six_routes
	# Of two protocols: neither removes what the other confirms or forgets.
	one=$(begin)
	two=$(begin)
	[ "$one" != 0 ] || fail "a cookie is 0"
	[ "$two" -gt "$one" ] || fail "cookies $one and $two"
	confirm 10.51.0.0 a 12 10.53.0.0 a 4
	confirm 10.61.0.0 b 12
	same 2 "$(end "$one" protocol=12)" "removed by the first"
	same "10.51.0.0 10.53.0.0 10.61.0.0 10.63.0.0" "$(left)" "after the first"
	same 1 "$(end "$two" protocol=4)" "removed by the second"
	same "10.51.0.0 10.53.0.0 10.61.0.0" "$(left)" "after the second"
	# Of one: what was confirmed after a begin survives its end, in any order.
	one=$(begin)
	confirm 10.51.0.0 a 12
	two=$(begin)
	confirm 10.61.0.0 b 12 10.53.0.0 a 4
	same 0 "$(end "$one")" "removed by the first"
	same 1 "$(end "$two")" "removed by the second"
	same "10.53.0.0 10.61.0.0" "$(left)" "after both"
}

test_what_is_refused_is_not_confirmed() {
	local cookie
	six_routes
	cookie=$(begin)
	# Without replace it says only that the route is there.
	refused EEXIST '*' 'already' route-new+create ifname=ov0 route{ dst=10.51.0.0 prefixlen=16 peer-name=a protocol=12 }
	refused ENOENT '*' 'no such peer' route-new+create+replace ifname=ov0 route{ dst=10.52.0.0 prefixlen=16 peer-name=c }
	confirm 10.53.0.0 a 4
	same 5 "$(end "$cookie")" "removed"
	same "10.53.0.0" "$(left)" "after the end"
}

# disabled IS: 1 if the limit keeps the routes of a out of the table.
disabled() { same "$1" "$(peer_get a | field routes-disabled)" "routes-disabled of a"; }

# The routes that are yet to be removed count, and are not held against the peer.
test_limit_only_refuses_within_a_sweep() {
	local WITHIN cookie

	six_routes
	granted peer-set ifname=ov0 peer{ name=a route-limit=3 limit-action=1 }
	listen here
	cookie=$(begin)
	WITHIN=$cookie has "error=$ENOSPC message=\"ovly: the peer's route limit is reached\"" \
		confirm 10.71.0.0 a 12 10.51.0.0 a 12 10.53.0.0 a 4
	disabled 0
	same 4 "$(end "$cookie")" "removed"
	disabled 0
	# There is room now.
	confirm 10.71.0.0 a 12
	same "10.51.0.0 10.53.0.0 10.71.0.0" "$(left)" "after the end"
	# Nobody has heard of it.
	granted peer-set ifname=ov0 peer{ name=b on-down=1 }
	events peer-set
	# What is asked for outside is judged, also while another one sweeps.
	begin
	granted peer-set ifname=ov0 peer{ name=b on-down=0 }
	confirm 10.51.0.0 a 12 10.72.0.0 a 12
	disabled 1
	events peer-set peer-set route-limit routes-disabled
}

test_cookie_of_no_begin_refuses_a_batch() {
	six_routes
	refused EINVAL cookie 'no begin' route-new+create ifname=ov0 cookie=0 route{ dst=10.71.0.0 prefixlen=16 peer-name=a }
	refused EINVAL cookie 'no begin' route-new+create ifname=ov0 cookie=99 route{ dst=10.71.0.0 prefixlen=16 peer-name=a }
	refused EINVAL cookie '' route-del ifname=ov0 cookie=1 route{ dst=10.51.0.0 prefixlen=16 }
	same "10.51.0.0 10.52.0.0 10.53.0.0 10.61.0.0 10.62.0.0 10.63.0.0" "$(left)" "routes"
}

test_confirming_moves_owner_and_protocol() {
	local cookie
	six_routes
	cookie=$(begin)
	confirm 10.51.0.0 b 4
	same 5 "$(end "$cookie")" "removed"
	has 'dst=10.51.0.0 protocol=4 peer-name=b flags=1' entries route-get ifname=ov0 route{ protocol=4 }
	matches '^10.51.0.0/16 via 10.9.0.2 dev ov0 proto static' routes
}

test_cookies_are_of_their_device() {
	local cookie
	six_routes
	fresh multipoint ov1
	defer ip -n "$here" link del ov1
	granted peer-new+create ifname=ov1 peer{ name=a addr=10.9.1.1 }
	granted route-new+create ifname=ov1 route{ dst=10.81.0.0 prefixlen=16 peer-name=a }
	cookie=$(begin)
	same 6 "$(end "$cookie")" "removed"
	same "10.81.0.0" "$(left)" "routes of the other device"
}

CASES="
test_end_removes_what_was_not_named_again	end removes what was not named since begin, and nothing else
test_end_means_what_its_filter_says		end narrowed by peer, protocol and family; a cookie serves several
test_what_stays_is_not_touched			what stays is not touched: no notification
test_killed_between_begin_and_end_removes_nothing	a process killed between begin and end removes nothing
test_two_sweeps_at_once				two sweeps at once, of two protocols and of one
test_what_is_refused_is_not_confirmed		what is refused is not confirmed
test_limit_only_refuses_within_a_sweep		within a sweep a limit refuses, and does no more
test_cookie_of_no_begin_refuses_a_batch		a batch with the cookie of no begin is refused
test_confirming_moves_owner_and_protocol	confirming moves owner and protocol
test_cookies_are_of_their_device		a sweep is of its device only
"
run_cases "$@"
