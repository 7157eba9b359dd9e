#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# backup.sh: a peer that stands in for another. The branch has two head-ends; a
# has the routes, b is its backup. Both lead to the same LAN.
#
#	branch (1) --- a (2), b (3): both have 10.66.0.1, fd66::1

# shellcheck source=selftests/lib.sh
. "${OVLY_TOP:?}/selftests/lib.sh"
# shellcheck source=selftests/tunnel.sh
. "$OVLY_TOP/selftests/tunnel.sh"

suite_setup() {
	local node

	load_ovly
	wan_setup branch a b
	overlay branch mode multipoint
	for node in a b; do
		overlay "$node"
		connect branch "$node" "1${NUMBER[$node]}"
		ip -n "${!node}" addr add 10.66.0.1/32 dev lo
		ip -n "${!node}" addr add fd66::1/128 dev lo
	done
	helper branch route add 10.66.0.0/16 peer a
	helper branch route add fd66::/32 peer a
	helper branch peer set a backup b
}

# fall NODE, rise NODE: the branch's tunnel to it is gone, and comes back.
fall() { no_sas branch "1${NUMBER[$1]}"; }

rise() {
	# Also after a case that has done so itself.
	peer_is branch "$1" up || sa_lines branch "$1" "1${NUMBER[$1]}" | ip_batch branch
	wait_for 20 "$1 is up" peer_is branch "$1" up
}

# fallen NODE: until the case ends.
fallen() {
	fall "$1"
	defer rise "$1"
	wait_for 20 "$1 is down" peer_is branch "$1" down
}

# goes_to NODE ADDRESS: packets to it are received by that node.
goes_to() {
	local before after

	before=$(traffic "$1" branch rx-packets)
	pings branch "$2"
	after=$(traffic "$1" branch rx-packets)
	same 3 $((after - before)) "packets to $2 that came to $1"
}

via_backup() {
	helper branch peer list --json | jq -r --arg peer "$1" '.[] | select(.name == $peer) | ."via-backup"'
}

test_up_takes_its_own_path() {
	goes_to a 10.66.0.1
	goes_to a fd66::1
}

test_down_takes_the_backups_path() {
	fallen a
	goes_to b 10.66.0.1
	goes_to b fd66::1
}

test_peer_says_that_its_backup_stands_in() {
	fallen a
	matches 'true|1' via_backup a
	lacks 'true|1' via_backup b
}

# answers LOG: how many there are; answered LOG N: so many.
answers() { grep -c 'bytes from' "$1" || true; }
answered() { [ "$(answers "$1")" -ge "$2" ]; }

# The outbound SA alone: answers that are under way still come in by the other.
out_sa() { sa_lines branch "$1" "1${NUMBER[$1]}" | head -n 1; }
out_fall() { out_sa "$1" | awk '{ print $1, $2, "delete", $4, $5, $6, $7, $8, $9, $10, $11 }' | ip_batch branch; }
out_rise() { peer_is branch "$1" up || out_sa "$1" | ip_batch branch; }

test_failover_takes_one_packet() {
	local log=$OVLY_OUT/failover pid lost under_way

	ip netns exec "$branch" ping -n -i 0.02 -W 5 10.66.0.1 >"$log" &
	pid=$!
	defer eval "kill $pid 2>/dev/null"
	wait_for 20 "the first answers" answered "$log" 5
	out_fall a
	defer out_rise a
	wait_for 20 "answers by way of b" answered "$log" $(($(answers "$log") + 20))
	out_rise a
	wait_for 20 "answers by way of a" answered "$log" $(($(answers "$log") + 20))
	kill -INT "$pid"
	wait "$pid" || true
	lost=$(lost_pings "$log")
	# Only what is under way when its SA goes: one every 20 ms. The first had to find
	# neighbours.
	under_way=$(sed -n 's/.*time=\([0-9.]*\) ms.*/\1/p' "$log" | tail -n +6 |
		awk '$1 > max { max = $1 } END { print 1 + int(max / 20) }')
	[ "$lost" -le "$under_way" ] || fail "$lost packets were lost, of $under_way under way"
	# XFRM has no SA a moment before it tells anybody.
	[ "$(grep -c nreachable "$log")" -le "$lost" ] || fail "$(grep nreachable "$log")"
}

# plenty: 2,000 routes more, of a and b in turns, until the case ends.
plenty() {
	seq 0 1999 | awk '{ printf "route-new+create ifname=ov0 route{ dst=10.%d.%d.0 prefixlen=24 protocol=99 peer-name=%s }\n",
		128 + $1 / 256, $1 % 256, $1 % 2 ? "b" : "a" }' | in_ns branch ovlynl "do" - | grep -c '^ok$' | grep -qx 2000
	defer in_ns branch ovlynl "do" route-flush ifname=ov0 'route{' protocol=99 '}'
}

# untouched NAME COMMAND...: that changes no route to a peer: the table looks the
# same, and nobody hears of it.
untouched() {
	local name=$1 before

	shift
	before=$(routes_to_peers)
	watch_routes branch "$name"
	"$@"
	routes_still branch "$name"
	same "$before" "$(routes_to_peers)" "table"
}

routes_to_peers() {
	{ ip -n "$branch" route show table 220; ip -n "$branch" -6 route show table 220; } |
		grep 'dev ov0' | sha256sum
}

# there_and_back NODE OTHER: its tunnel falls, and rises.
there_and_back() {
	fall "$1"
	defer rise "$1"
	goes_to "$2" 10.66.0.1
	rise "$1"
	goes_to a 10.66.0.1
}

test_no_route_is_touched() {
	plenty
	untouched failover there_and_back a b
}

test_no_route_is_touched_among_mutual_backups() {
	helper branch peer set b backup a
	defer helper branch peer set b backup none
	plenty
	untouched failover-a there_and_back a b
	untouched failover-b there_and_back b a
	untouched both both_fall
}

both_fall() {
	fall a
	defer rise a
	fall b
	defer rise b
	unanswered branch 10.66.0.1
	# The one that stands in is back first.
	rise b
	goes_to b 10.66.0.1
	rise a
	goes_to a 10.66.0.1
}

# moves FROM TO SPI: a's end of its tunnel, to another address, as MOBIKE moves it: the
# branch's outbound SA keeps its SPI. Inbound ones are known by ours alone, and get
# this one. The new ones come beside the old ones, then those go.
moves() {
	local node other=branch

	for node in a branch; do
		{
			sa 192.0.2.1 "$2" "$(spi 12 2)" 12
			sa "$2" 192.0.2.1 "$3" 12
			policy_lines "$node" "$other" 12 |
				sed "s/policy add/policy update/; s/\b192\.0\.2\.2\b/$2/g"
		} | ip_batch "$node"
		other=a
	done
	for node in a branch; do
		ip -n "${!node}" xfrm state deleteall src 192.0.2.1 dst "$1"
		ip -n "${!node}" xfrm state deleteall src "$1" dst 192.0.2.1
	done
	same "$2" "$(endpoint_of_a)" "endpoint of a"
	peer_is branch a up
	goes_to a 10.66.0.1
}

endpoint_of_a() { helper branch path list --json | jq -r '.[] | select(.["if-id-in"] == 12) | .endpoint'; }

home() { moves 192.0.2.12 192.0.2.2 "$(spi 12 1)"; }

move_and_home() {
	moves 192.0.2.2 192.0.2.12 0x9991
	home
}

# settle_home: also after a case that has not got there.
settle_home() {
	no_sas branch 12
	no_sas a 12
	home
}

test_no_route_is_touched_when_an_endpoint_moves() {
	helper branch peer set b backup a
	defer helper branch peer set b backup none
	ip -n "$a" addr add 192.0.2.12/24 dev wan
	defer ip -n "$a" addr del 192.0.2.12/24 dev wan
	defer settle_home
	plenty
	untouched move move_and_home
	# Also that of the one that stands in.
	fallen b
	untouched move-for-b move_and_home
}

test_no_way_without_path_and_backup() {
	local before

	fallen a
	fallen b
	before=$(drops branch a tx-no-path)
	matches 'Destination Host Unreachable' unanswered branch 10.66.0.1
	matches 'Address unreachable' unanswered branch fd66::1
	[ "$(drops branch a tx-no-path)" -ge $((before + 4)) ] || fail "tx-no-path did not count"
}

test_the_backups_own_backup_is_not_asked() {
	# One step: else two that back each other up would be a loop.
	helper branch peer set b backup a
	defer helper branch peer set b backup none
	fallen a
	fallen b
	unanswered branch 10.66.0.1
	rise b
	goes_to b 10.66.0.1
	# Nor in a chain: b is up, but it stands in for a only.
	helper branch peer add c dev ov0 addr 10.9.0.9 backup a
	defer helper branch peer del c
	helper branch route add 10.68.0.0/16 peer c
	ip -n "$b" addr add 10.68.0.1/32 dev lo
	defer ip -n "$b" addr del 10.68.0.1/32 dev lo
	matches 'Destination Host Unreachable' unanswered branch 10.68.0.1
	same 2 "$(drops branch c tx-no-path)" "packets of c without a path"
}

test_mutual_backups() {
	helper branch peer set b backup a
	defer helper branch peer set b backup none
	helper branch route add 10.67.0.0/16 peer b
	defer helper branch route del 10.67.0.0/16
	ip -n "$a" addr add 10.67.0.1/32 dev lo
	defer ip -n "$a" addr del 10.67.0.1/32 dev lo
	fallen b
	goes_to a 10.67.0.1
	goes_to a 10.66.0.1
}

test_validation_follows() {
	local before

	fallen a
	before=$(drops branch b rx-source)
	pings b 10.9.0.1 -I 10.66.0.1
	pings b fd09::1 -I fd66::1
	same "$before" "$(drops branch b rx-source)" "packets refused from b"
}

test_backup_may_send_before_we_notice() {
	local before

	# The other end may have failed over already. The answers go to a.
	before=$(traffic branch b rx-packets)
	unanswered b 10.9.0.1 -I 10.66.0.1
	wait_for 20 "both came" taken_from branch b $((before + 2))
	same $((before + 2)) "$(traffic branch b rx-packets)" "packets taken from b"
}

test_backup_is_one_way() {
	local before

	helper branch route add 10.67.0.0/16 peer b
	defer helper branch route del 10.67.0.0/16
	ip -n "$a" addr add 10.67.0.1/32 dev lo
	defer ip -n "$a" addr del 10.67.0.1/32 dev lo
	before=$(drops branch a rx-source)
	unanswered a 10.9.0.1 -I 10.67.0.1
	wait_for 20 "both came" drops_reach branch a rx-source $((before + 2))
	same $((before + 2)) "$(drops branch a rx-source)" "packets refused from a"
}

test_withdrawn_routes_stay_while_the_backup_is_up() {
	helper branch peer set a on-down withdraw
	defer helper branch peer set a on-down hold
	fallen a
	goes_to b 10.66.0.1
	fallen b
	wait_for 20 "the route is withdrawn" lacks '^10.66.0.0/16' ip -n "$branch" route show table 220
	rise b
	wait_for 20 "the route is back" matches '^10.66.0.0/16' ip -n "$branch" route show table 220
}

# hops PREFIX: of its route in the table.
hops() {
	ip -n "$branch" -j route show table 220 "$1" |
		jq -r '.[] | (.gateway // empty), (.nexthops[]?.gateway)' | sort | paste -sd' '
}
hops_are() { same "$2" "$(hops "$1")" "next hops of $1"; }

test_withdrawn_routes_of_several_owners_follow_their_backup() {
	local node

	for node in c:11 d:12; do
		helper branch peer add "${node%:*}" dev ov0 addr "10.9.0.${node#*:}" backup b on-down withdraw
		defer helper branch peer del "${node%:*}"
	done
	in_ns branch ovlynl "do" route-new+create ifname=ov0 \
		'route{' dst=10.68.0.0 prefixlen=16 peer-name=c peer-name=d '}'
	hops_are 10.68.0.0/16 "10.9.0.11 10.9.0.12"
	fallen b
	wait_for 20 "neither has a way" hops_are 10.68.0.0/16 ""
	rise b
	wait_for 20 "both have one again" hops_are 10.68.0.0/16 "10.9.0.11 10.9.0.12"
}

test_deleted_backup_is_none() {
	helper branch peer add c dev ov0 addr 10.9.0.9
	helper branch peer set a backup c
	defer helper branch peer set a backup b
	helper branch peer del c
	fallen a
	unanswered branch 10.66.0.1
}

test_a_peer_does_not_back_itself_up() {
	never helper branch peer set a backup a
	never helper branch peer set a backup nobody
	goes_to a 10.66.0.1
}

CASES="
test_up_takes_its_own_path		a peer that is up takes its own path
test_down_takes_the_backups_path	a peer that is down takes its backup's, both families
test_peer_says_that_its_backup_stands_in	a peer says that its backup stands in
test_failover_takes_one_packet		failing over and back loses no more than what is under way
test_no_route_is_touched		failing over and back touches no route
test_no_route_is_touched_among_mutual_backups	nor among two that back each other up
test_no_route_is_touched_when_an_endpoint_moves	nor does an endpoint that moves touch one
test_no_way_without_path_and_backup	without either there is no way, and ICMP says so
test_the_backups_own_backup_is_not_asked	the backup's own backup is not asked
test_mutual_backups			two peers back each other up
test_validation_follows			source validation follows
test_backup_may_send_before_we_notice	a backup may send before this end has noticed
test_backup_is_one_way			whom a backup stands in for may not send in its name
test_withdrawn_routes_stay_while_the_backup_is_up	withdraw waits until the backup is down too
test_withdrawn_routes_of_several_owners_follow_their_backup	a withdrawn route of several owners follows their backup
test_deleted_backup_is_none		a backup that is deleted is none
test_a_peer_does_not_back_itself_up	a peer is not its own backup
"
run_cases "$@"
