#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# convergence.sh: whatever happens to a device or to its table, the table comes to
# be what the module's state says.
#
# The hub has a multipoint device with the peers a (which answers), b (hold) and c
# (withdraw), and a p2p device with the peer d.

# shellcheck source=selftests/lib.sh
. "${OVLY_TOP:?}/selftests/lib.sh"
# shellcheck source=selftests/tunnel.sh
. "$OVLY_TOP/selftests/tunnel.sh"
# shellcheck source=selftests/table.sh
. "$OVLY_TOP/selftests/table.sh"

CASE_DEADLINE=$((900 * OVLY_SLOW))
WALK_STEPS=${OVLY_WALK_STEPS:-200}
MANY=500

declare -A NAME=([mp]=ov0 [pp]=p0) IF_ID=([a]=7 [b]=8 [c]=9 [d]=10)
NUMBER[b]=3 NUMBER[c]=4 NUMBER[d]=5

# address KEY FAMILY: of the hub on that device.
address() {
	case $1$2 in
	mp4) inner hub ;;
	mp6) inner hub 6 ;;
	pp4) echo 10.8.0.1 ;;
	pp6) echo fd08::1 ;;
	esac
}

# on_hub WORD...: ip there; h WORD...: ovlyhelper there.
on_hub() { ip -n "$hub" "$@"; }
h() { helper hub "$@"; }

suite_setup() {
	load_ovly
	wan_setup hub a
	on_hub link add red type vrf table 100
	on_hub link set red up
	overlay hub mode multipoint
	overlay a
	connect hub a 7
	h dev add p0 addr "$(address pp 4)" addr "$(address pp 6)" up
	peer hub b dev ov0
	peer hub c dev ov0 on-down withdraw
	h peer add d dev p0 addr 10.8.0.2 addr fd08::2
	path hub b 8 dev ov0
	path hub c 9 dev ov0
	h path add 10 peer d dev p0 endpoint 2001:db8::5
	sas hub b 8
	sas hub c 9
	OUTER=6 sas hub d 10
	settles hub
	# Two of each peer.
	holds hub 220 8
}

# add_routes: of every peer, of both families; taken away when the case ends.
add_routes() {
	local key peer i=0

	for peer in a b c d; do
		key=mp
		[ "$peer" != d ] || key=pp
		i=$((i + 1))
		h route add "10.20$i.0.0/16" peer "$peer" dev "${NAME[$key]}" protocol bird
		h route add "fd20:$i::/32" peer "$peer" dev "${NAME[$key]}" protocol bird
		defer h route flush peer "$peer" dev "${NAME[$key]}"
	done
}

fill() {
	add_routes
	settles hub
	holds hub 220 16
}

readdress() {
	on_hub addr replace "$(address "$1" 4)/32" dev "${NAME[$1]}"
	on_hub addr replace "$(address "$1" 6)/128" dev "${NAME[$1]}" nodad
}

# ---- single changes ------------------------------------------------------------

test_device_down_takes_its_routes_and_up_brings_them_back() {
	fill
	on_hub link set ov0 down
	settles hub
	holds hub 220 4
	on_hub link set p0 down
	settles hub
	holds hub 220 0
	# The rule is for devices that are up; throw routes stay for IKE.
	has_not hub 220 'rule to 220'
	has hub 220 'throw 192.0.2.2/32'
	on_hub link set ov0 up
	settles hub
	holds hub 220 12
	on_hub link set p0 up
	settles hub
	holds hub 220 16
	readdress mp
	readdress pp
	pings hub "$(inner a)"
	pings hub "$(inner a 6)"
}

test_routes_stay_when_the_last_address_goes() {
	fill
	on_hub addr del "$(address mp 4)" dev ov0
	settles hub
	holds hub 220 16
	on_hub addr del "$(address mp 6)" dev ov0
	settles hub
	holds hub 220 16
	readdress mp
	settles hub
	holds hub 220 16
	pings hub "$(inner a)"
}

# flush: empties the table and has the module look.
flush() {
	local table

	for table in 220 100; do
		on_hub route flush table "$table" 2>/dev/null || true
		on_hub -6 route flush table "$table" 2>/dev/null || true
	done
	h dev resync "${NAME[mp]}"
	h dev resync "${NAME[pp]}"
}

test_flushed_table_is_filled_by_resync() {
	fill
	on_hub route flush table 220
	on_hub -6 route flush table 220
	h dev resync ov0
	h dev resync p0
	# Done when the request is, but for what a worker does.
	holds hub 220 16
	settles hub
	pings hub "$(inner a)"
}

test_resync_removes_no_route() {
	local pid

	fill
	ip netns exec "$hub" ip monitor route >"$OVLY_OUT/monitor" &
	pid=$!
	defer eval "kill $pid 2>/dev/null"
	wait_for 30 "the monitor runs" monitor_marked
	h dev resync ov0
	h dev resync p0
	on_hub route del 203.0.113.1/32 dev wan
	wait_for 30 "the monitor has seen all" grep -q 'Deleted 203.0.113.1' "$OVLY_OUT/monitor"
	same 1 "$(grep -c Deleted "$OVLY_OUT/monitor")" "routes deleted"
}

monitor_marked() {
	# A replacement by the same would not be reported.
	on_hub route replace 203.0.113.1/32 dev wan mtu $((1000 + ${EPOCHREALTIME/./} % 400))
	grep -q 203.0.113.1 "$OVLY_OUT/monitor"
}

throw_routes() { on_hub "-$1" route show table 220 type throw; }

test_rule_and_throw_routes_come_back() {
	local f

	fill
	for f in 4 6; do
		on_hub "-$f" rule del pref 220
		throw_routes "$f" | sed "s/^/route del table 220 /" | on_hub "-$f" -batch -
	done
	settles hub
	has hub 220 '^4 rule to 220'
	has hub 220 '^6 rule to 220'
	has hub 220 'throw 192.0.2.2/32'
	has hub 220 'throw 2001:db8::5/128'
}

test_mtu_that_would_take_ipv6_is_refused() {
	fill
	# Below it the kernel takes IPv6 from a device, addresses and all.
	never on_hub link set ov0 mtu 1279
	on_hub link set ov0 mtu 1280
	settles hub
	holds hub 220 16
	pings hub "$(inner a 6)"
	on_hub link set ov0 mtu 9196
	settles hub
	holds hub 220 16
}

# A VXLAN names the overlay as the device below it.
on_top() { on_hub link add vx0 type vxlan id 5 dev "${NAME[$1]}" remote "$(inner a)" dstport 4789; }

test_device_on_top_changes_nothing() {
	fill
	kernel_log_mark
	on_top mp || skip "this kernel has no VXLAN"
	defer eval "on_hub link del vx0 2>/dev/null || true"
	for _ in 1 2; do
		settles hub
		holds hub 220 16
		same "" "$(h route list --json | jq -r '.[] | select(.installed | not) | .prefix')" \
			"routes that are said to be missing"
		# What is taken away goes, and what is changed changes.
		h route del 10.201.0.0/16 dev ov0
		settles hub
		holds hub 220 15
		h route add 10.201.0.0/16 peer b dev ov0
		h route replace 10.201.0.0/16 peer a dev ov0 protocol bird
		settles hub
		on_hub link del vx0 2>/dev/null || true
	done
	same "" "$(kernel_log_since | grep 'refuses a route' || true)" "what the module says"
}

ipv6_off() { in_ns hub sysctl -qw "net.ipv6.conf.${NAME[mp]}.disable_ipv6=$1"; }
no_ipv6_routes() { [ -z "$(on_hub -6 route show table "$1" dev ov0 2>/dev/null)" ]; }

missing_ipv6() { h route list dev ov0 family 6 --json | jq '[.[] | select(.installed | not)] | length'; }
misses_ipv6() { [ "$(missing_ipv6)" = "$1" ]; }

# off_and_on TABLE [PING-OPTION...]
off_and_on() {
	local table=$1

	shift
	ipv6_off 1
	defer ipv6_off 0
	wait_for 10 "the kernel took the IPv6 routes away" no_ipv6_routes "$table"
	wait_for 20 "the module says so" misses_ipv6 6
	pings hub "$(inner a)" "$@"
	ipv6_off 0
	readdress mp
	settles hub "$table"
	misses_ipv6 0
	pings hub "$(inner a 6)" "$@"
}

test_ipv6_switched_off_and_on() {
	fill
	off_and_on 220
	holds hub 220 16
	on_hub link set ov0 master red
	defer on_hub link set ov0 nomaster
	settles hub 100
	readdress mp
	off_and_on 100 -I red
	holds hub 100 12
}

unexplained() { echo "$(drops hub - tx-no-peer) $(drops hub a rx-source)"; }

test_new_addresses_of_a_peer_cost_no_packet() {
	local i pid before

	many a
	in_ns a ip addr add 10.66.0.1/32 dev lo
	defer in_ns a ip addr del 10.66.0.1/32 dev lo
	h route add 10.66.0.0/24 peer a dev ov0
	settles hub
	before=$(unexplained)
	pings hub 10.66.0.1 -c 200 -i 0.02 &
	pid=$!
	defer h peer set a dev ov0 addr "$(inner a)" addr "$(inner a 6)"
	for i in 1 2 3; do
		h peer set a dev ov0 addr 10.9.0.77 addr fd09::77
		h peer set a dev ov0 addr "$(inner a)" addr "$(inner a 6)"
	done
	wait "$pid"
	same "$before" "$(unexplained)" "packets for nobody, and from nobody"
	settles hub
}

# rename KEY NAME: down for it, as kernels before 6.2 want.
rename() {
	local up=

	[ -z "$(on_hub -o link show "${NAME[$1]}" up)" ] || up=up
	on_hub link set "${NAME[$1]}" down
	on_hub link set "${NAME[$1]}" name "$2"
	NAME[$1]=$2
	[ -z "$up" ] || on_hub link set "$2" up
}

test_routes_follow_a_rename() {
	fill
	rename mp ovly7
	settles hub
	holds hub 220 16
	has hub 220 'dev ovly7 '
	has_not hub 220 'dev ov0 '
	rename mp ov0
	readdress mp
	settles hub
	holds hub 220 16
	pings hub "$(inner a)"
}

test_routes_added_while_down_come_with_up() {
	on_hub link set ov0 down
	on_hub link set p0 down
	add_routes
	settles hub
	holds hub 220 0
	on_hub link set p0 up
	on_hub link set ov0 up
	settles hub
	holds hub 220 16
	readdress mp
	readdress pp
}

outer_family() { if [ "$1" = d ]; then echo 6; else echo 4; fi; }

all_sa_lines() {
	local peer

	for peer in a b c d; do
		OUTER=$(outer_family "$peer") sa_lines hub "$peer" "${IF_ID[$peer]}"
	done
}

# sas_home: puts back what SAs a case has left out.
sas_home() { all_sa_lines | ip -n "$hub" -force -batch - 2>/dev/null; }

# many_lines PEER: a request with routes of both families.
many_lines() {
	local i

	echo "route-new+create+replace ifname=ov0"
	for ((i = 0; i < MANY; i++)); do
		echo "route{ peer-name=$1 dst=10.$((NUMBER[$1] + 100)).$((i >> 8)).$((i & 255)) prefixlen=32 }"
		echo "route{ peer-name=$1 dst=fd$((NUMBER[$1] + 10))::$i prefixlen=128 }"
	done
}

many() {
	many_lines "$1" | tr '\n' ' ' | in_ns hub ovlynl "do" -
	defer h route flush peer "$1" dev ov0
}

test_many_routes_are_withdrawn_with_their_peer_and_held_with_another() {
	many b
	many c
	settles hub
	holds hub 220 $((8 + 4 * MANY))
	no_sas hub 8
	no_sas hub 9
	defer sas_home
	peer_is hub b down
	peer_is hub c down
	settles hub
	holds hub 220 $((6 + 2 * MANY))
	sa_lines hub b 8 | ip_batch hub
	settles hub
	holds hub 220 $((6 + 2 * MANY))
	sa_lines hub c 9 | ip_batch hub
	settles hub
	holds hub 220 $((8 + 4 * MANY))
}

test_on_down_changed_while_down_takes_effect() {
	fill
	no_sas hub 8
	defer sas_home
	settles hub
	holds hub 220 16
	h peer set b dev ov0 on-down withdraw
	settles hub
	holds hub 220 12
	h peer set b dev ov0 on-down hold
	settles hub
	holds hub 220 16
	sa_lines hub b 8 | ip_batch hub
	settles hub
}

# ---- any order -----------------------------------------------------------------

OPS=(down up unaddress readdress flush unrule unthrow small_mtu large_mtu rename add del
	peer_down peer_up on_down enslave release on_top)

# pick ITEM...: one of them as PICKED. Not in a subshell, where RANDOM starts anew.
pick() { PICKED=${*:RANDOM % $# + 1:1}; }

pick_peer() {
	case $1 in
	mp) pick a b c ;;
	pp) pick d ;;
	*) pick a b c d ;;
	esac
}

# SAs that are there, by peer; routes that are wanted, "KEY PREFIX METRIC" to peer.
declare -A HAS_SAS OWNED

route_key() {
	local n=1

	[ "$1" = mp ] || n=2
	pick "10.10$n.%d.0/24" "10.10$n.0.%d/32" "fd1$n::%d:0/112" "fd1$n::%d/128"
	# shellcheck disable=SC2059 # the form is what was picked
	printf -v ROUTE "$PICKED" $((RANDOM % 8 + 1))
	pick 10 10 10 17
	METRIC=$PICKED
}

op_down() { on_hub link set "${NAME[$1]}" down; }
op_up() { on_hub link set "${NAME[$1]}" up; }
op_unaddress() { on_hub addr flush dev "${NAME[$1]}"; }
op_readdress() { readdress "$1"; }
op_flush() { flush; }
op_unrule() { on_hub rule del pref 220 2>/dev/null || on_hub -6 rule del pref 220 2>/dev/null || true; }
op_unthrow() {
	on_hub route del throw 192.0.2.2 table 220 2>/dev/null || true
	on_hub -6 route del throw 2001:db8::5 table 220 2>/dev/null || true
}
op_small_mtu() { on_hub link set "${NAME[$1]}" mtu 1280; }
op_large_mtu() { on_hub link set "${NAME[$1]}" mtu 9196; }
op_rename() { rename "$1" "$1-$RANDOM"; }
op_enslave() { on_hub link set "${NAME[$1]}" master red; }
op_release() { on_hub link set "${NAME[$1]}" nomaster; }
op_on_top() { on_hub link del vx0 2>/dev/null || on_top "$1" 2>/dev/null || true; }

op_add() {
	local peer

	pick_peer "$1"
	peer=$PICKED
	route_key "$1"
	h route replace "$ROUTE" metric "$METRIC" peer "$peer" dev "${NAME[$1]}"
	OWNED["$1 $ROUTE $METRIC"]=$peer
}

op_del() {
	local route words

	[ ${#OWNED[@]} != 0 ] || return 0
	pick "${!OWNED[@]}"
	route=$PICKED
	read -ra words <<<"$route"
	h route del "${words[1]}" metric "${words[2]}" dev "${NAME[${words[0]}]}"
	unset "OWNED[$route]"
}

op_peer_down() {
	pick_peer any
	[ -n "${HAS_SAS[$PICKED]}" ] || return 0
	no_sas hub "${IF_ID[$PICKED]}"
	HAS_SAS[$PICKED]=
}

sas_back() {
	[ -z "${HAS_SAS[$1]}" ] || return 0
	OUTER=$(outer_family "$1") sa_lines hub "$1" "${IF_ID[$1]}" | ip_batch hub
	HAS_SAS[$1]=yes
}

op_peer_up() {
	pick_peer any
	sas_back "$PICKED"
}

op_on_down() {
	local peer

	pick_peer "$1"
	peer=$PICKED
	pick hold withdraw
	h peer set "$peer" dev "${NAME[$1]}" on-down "$PICKED"
}

# owned: what the walk has asked for, and the module says it has.
owned() {
	local key dev

	for key in "${!OWNED[@]}"; do
		dev=${NAME[${key%% *}]}
		echo "$dev ${key#* } ${OWNED[$key]}"
	done | LC_ALL=C sort
}

listed() {
	h route list --json |
		jq -r '.[] | select(.system | not) | "\(.dev) \(.prefix) \(.metric) \(.["peer-name"])"' |
		LC_ALL=C sort
}

# next_op: one that has not followed the last one yet, if there is any.
declare -A FOLLOWED
next_op() {
	local op fresh=()

	for op in "${OPS[@]}"; do
		[ -n "${FOLLOWED[$OP $op]:-}" ] || fresh+=("$op")
	done
	[ ${#fresh[@]} != 0 ] || fresh=("${OPS[@]}")
	pick "${fresh[@]}"
	FOLLOWED[$OP $PICKED]=1
	OP=$PICKED
}

walk_settles() {
	settles hub 220 "step $1, table 220"
	settles hub 100 "step $1, table 100"
	same "$(owned)" "$(listed)" "step $1: routes of the module"
}

# walk_home: all that may be missing for traffic.
walk_home() {
	local key peer

	for peer in a b c d; do
		sas_back "$peer"
	done
	on_hub link del vx0 2>/dev/null || true
	for key in mp pp; do
		op_release "$key"
		op_large_mtu "$key"
		op_up "$key"
		op_readdress "$key"
	done
	rename mp ov0
	rename pp p0
	readdress mp
	readdress pp
}

test_random_walk_over_all_changes_settles_as_wanted() {
	local seed=${OVLY_SEED:-$RANDOM} step=0 burst key

	note "seed $seed (OVLY_GUEST_APPEND=OVLY_SEED=$seed repeats the walk)"
	RANDOM=$seed
	HAS_SAS=([a]=yes [b]=yes [c]=yes [d]=yes)
	OP=none
	while ((step < WALK_STEPS)); do
		# So many at once, with the module at work meanwhile.
		pick 1 2 4 8 8 12
		for ((burst = PICKED; burst > 0 && step < WALK_STEPS; burst--, step++)); do
			next_op
			pick mp pp
			key=$PICKED
			note "step $step: $OP $key"
			"op_$OP" "$key"
		done
		walk_settles "$step"
	done
	walk_home
	walk_settles "$step, at home"
	note "${#FOLLOWED[@]} of $((${#OPS[@]} * ${#OPS[@]})) pairs of changes in that order"
	pings hub "$(inner a)"
	pings hub "$(inner a 6)"
}

CASES="
test_device_down_takes_its_routes_and_up_brings_them_back	device down takes its routes, up brings them back
test_routes_stay_when_the_last_address_goes		routes stay when the last address goes
test_flushed_table_is_filled_by_resync			a table flushed by hand is filled by resync
test_resync_removes_no_route				resync of a table that is right removes no route
test_rule_and_throw_routes_come_back			rule and throw routes come back when deleted by hand
test_mtu_that_would_take_ipv6_is_refused		an MTU that would take IPv6 from the device is refused
test_device_on_top_changes_nothing			a device on top, as a VXLAN is, changes nothing
test_ipv6_switched_off_and_on				IPv6 switched off and on again, in a VRF and outside
test_new_addresses_of_a_peer_cost_no_packet		new addresses of a peer cost no packet
test_routes_follow_a_rename				routes follow a rename
test_routes_added_while_down_come_with_up		routes added while the device is down come with up
test_many_routes_are_withdrawn_with_their_peer_and_held_with_another	many routes are withdrawn with their peer, or held
test_on_down_changed_while_down_takes_effect		on-down changed while the peer is down takes effect
test_random_walk_over_all_changes_settles_as_wanted	a random walk over all changes settles as wanted
"
run_cases "$@"
