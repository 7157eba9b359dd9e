#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# random-walk.sh: whatever happens to two devices, in any order, their tables come to be
# what the module's state says.

# shellcheck source=selftests/lib.sh
. "${OVLY_TOP:?}/selftests/lib.sh"
# shellcheck source=selftests/tunnel.sh
. "$OVLY_TOP/selftests/tunnel.sh"
# shellcheck source=selftests/table.sh
. "$OVLY_TOP/selftests/table.sh"
# shellcheck source=selftests/two-devices.sh
. "$OVLY_TOP/selftests/two-devices.sh"

CASE_DEADLINE=$((900 * OVLY_SLOW))
WALK_STEPS=${OVLY_WALK_STEPS:-200}

OPS=(down up unaddress readdress flush unrule unthrow small_mtu large_mtu rename add join del
	peer_down peer_up on_down back unback second_path enslave release on_top
	move new_addresses endpoint again limit unlimit)

# pick ITEM...: one of them as PICKED. Not in a subshell, where RANDOM starts anew.
pick() { PICKED=${*:RANDOM % $# + 1:1}; }

pick_peer() {
	case $1 in
	mp) pick a b c ;;
	pp) pick d ;;
	*) pick a b c d ;;
	esac
}

# A device has been in the other namespace.
MOVED=

# SAs that are there, by peer; routes that are wanted, "KEY PREFIX METRIC" to peers; by
# peer its limit, where it is away from home, and where it was since it was made.
declare -A HAS_SAS OWNED LIMITED AWAY ENDPOINTS

key_of() { if [ "$1" = d ]; then echo pp; else echo mp; fi; }

# endpoint_of PEER: its outer address, which the walk moves.
endpoint_of() {
	local home

	home=$(OUTER=$(outer_family "$1") outer "$1")
	echo "$home${AWAY[$1]:+5}"
}

# walk_sa_lines PEER: its SAs, to where it is.
walk_sa_lines() {
	local home

	home=$(OUTER=$(outer_family "$1") outer "$1")
	OUTER=$(outer_family "$1") sa_lines hub "$1" "${IF_ID[$1]}" |
		sed "s/\b$home /$(endpoint_of "$1") /"
}

# own_addresses PEER: words for ovlyhelper.
own_addresses() {
	case $1 in
	d) echo addr 10.8.0.2 addr fd08::2 ;;
	*) echo addr "$(inner "$1")" addr "$(inner "$1" 6)" ;;
	esac
}

# other_addresses PEER: some more, and those that leave IPv4 routes an IPv6 next hop.
other_addresses() {
	local own

	own=$(own_addresses "$1")
	pick "${own/ fd0/ fd7}" "${own/.0./.77.}" "${own#* * }"
}

route_key() {
	local n=1

	[ "$1" = mp ] || n=2
	pick "10.10$n.%d.0/24" "10.10$n.0.%d/32" "fd1$n::%d:0/112" "fd1$n::%d/128"
	# shellcheck disable=SC2059 # the form is what was picked
	printf -v ROUTE "$PICKED" $((RANDOM % 8 + 1))
	pick 10 10 10 17
	METRIC=$PICKED
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

# granted COMMAND...: fails if the peer's limit refuses the route, which its limit may.
granted() {
	local said

	said=$("$@" 2>&1) && return
	grep -q 'route limit' <<<"$said" || fail "$*: $said"
	note "refused: $said"
	return 1
}

# teach KEY PEER
teach() {
	route_key "$1"
	# Some are above those that a limit takes away, some are not.
	pick boot static bird bgp
	if granted h route replace "$ROUTE" metric "$METRIC" protocol "$PICKED" peer "$2" \
		dev "${NAME[$1]}"; then
		OWNED["$1 $ROUTE $METRIC"]=$2
	else
		[ -n "${LIMITED[$2]:-}" ] || fail "a limit of $2 that nobody has set"
	fi
}

op_add() {
	pick_peer "$1"
	teach "$1" "$PICKED"
}

# op_join: one more owner of a route on the multipoint device.
op_join() {
	local key peer words

	for key in "${!OWNED[@]}"; do
		[ "${key%% *}" = mp ] || continue
		pick a b c
		[[ " ${OWNED[$key]} " != *" $PICKED "* ]] || continue
		read -ra words <<<"$key"
		peer=$PICKED
		pick boot bird
		if granted h route add "${words[1]}" metric "${words[2]}" protocol "$PICKED" \
			peer "$peer" dev "${NAME[mp]}" append; then
			OWNED[$key]+=" $peer"
		else
			[ -n "${LIMITED[$peer]:-}" ] || fail "a limit of $peer that nobody has set"
		fi
		return
	done
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
	walk_sa_lines "$1" | ip_batch hub
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

op_back() { h peer set c dev "${NAME[mp]}" backup b; }
op_unback() { h peer set c dev "${NAME[mp]}" backup none; }

# op_second_path: comes, to where the first one leads, or goes.
op_second_path() {
	h path del 28 2>/dev/null && return
	h path add 28 peer b dev "${NAME[mp]}" endpoint "$(outer b)"
	ENDPOINTS[b]+=" $(outer b)"
}

# op_move: to another namespace, up or not, and back. The kernel takes its addresses and
# its VRF on the way, and what is on top of it.
op_move() {
	local up=

	[ -z "$(on_hub -o link show "${NAME[$1]}" up)" ] || up=up
	on_hub link set "${NAME[$1]}" netns "$inner"
	pick there not_there
	if [ "$PICKED" = there ]; then
		ip -n "$inner" addr add "$(address "$1" 4)/32" dev "${NAME[$1]}"
		ip -n "$inner" link set "${NAME[$1]}" up
	fi
	ip -n "$inner" link set "${NAME[$1]}" netns "$hub"
	readdress "$1"
	[ -z "$up" ] || on_hub link set "${NAME[$1]}" up
	MOVED=yes
}

op_new_addresses() {
	local peer words

	pick_peer "$1"
	peer=$PICKED
	PICKED=$(own_addresses "$peer")
	# Back, if it has others.
	! has_own_addresses "$peer" || other_addresses "$peer"
	note "$peer: $PICKED"
	read -ra words <<<"$PICKED"
	h peer set "$peer" dev "${NAME[$1]}" "${words[@]}"
}

has_own_addresses() {
	[ "$(h peer list --json | jq -r --arg peer "$1" \
		'.[] | select(.name == $peer) | .addr | map("addr " + .) | join(" ")')" = "$(own_addresses "$1")" ]
}

# op_endpoint: of a path, which is told or follows the SAs that it has.
op_endpoint() {
	pick_peer "$1"
	turn_endpoint "$1" "$PICKED"
}

turn_endpoint() {
	local peer=$2 before

	before=$(walk_sa_lines "$peer")
	if [ -n "${AWAY[$peer]}" ]; then AWAY[$peer]=; else AWAY[$peer]=yes; fi
	ENDPOINTS[$peer]+=" $(endpoint_of "$peer")"
	pick told follows
	[ -n "${HAS_SAS[$peer]}" ] || PICKED=told
	[ "$PICKED" = follows ] ||
		h path set "${IF_ID[$peer]}" dev "${NAME[$1]}" endpoint "$(endpoint_of "$peer")"
	[ -n "${HAS_SAS[$peer]}" ] || return 0
	# The inbound SA is known by its destination, which stays: it goes first.
	{
		sed -n '2s/.*\(src .* spi 0x[0-9a-f]*\) .*/xfrm state delete \1/p' <<<"$before"
		walk_sa_lines "$peer"
		sed -n '1s/.*\(src .* spi 0x[0-9a-f]*\) .*/xfrm state delete \1/p' <<<"$before"
	} | ip_batch hub
}

# op_again: a peer goes with all that it has, and one of the same name and path comes.
op_again() {
	local peer words key left other

	pick_peer "$1"
	peer=$PICKED
	h peer del "$peer" dev "${NAME[$1]}"
	for key in "${!OWNED[@]}"; do
		left=
		for other in ${OWNED[$key]}; do
			[ "$other" = "$peer" ] || left+="${left:+ }$other"
		done
		if [ -n "$left" ]; then OWNED[$key]=$left; else unset "OWNED[$key]"; fi
	done
	LIMITED[$peer]=
	ENDPOINTS[$peer]=$(endpoint_of "$peer")
	read -ra words <<<"$(own_addresses "$peer")"
	h peer add "$peer" dev "${NAME[$1]}" "${words[@]}"
	h path add "${IF_ID[$peer]}" peer "$peer" dev "${NAME[$1]}" endpoint "$(endpoint_of "$peer")"
}

# op_limit: which a peer exceeds at once, if it has routes.
op_limit() {
	local peer

	pick_peer "$1"
	peer=$PICKED
	teach "$1" "$peer"
	LIMITED[$peer]=yes
	h peer set "$peer" dev "${NAME[$1]}" limit 1 limit-action disable
	teach "$1" "$peer"
}

op_unlimit() {
	pick_peer "$1"
	h peer set "$PICKED" dev "${NAME[$1]}" limit 0
	LIMITED[$PICKED]=
}

# remembered: where peers were and are not.
remembered() {
	local peer ip

	for peer in a b c d; do
		for ip in ${ENDPOINTS[$peer]}; do
			echo "${NAME[$(key_of "$peer")]} $ip"
		done
	done | sort -u
}

# owned: what the walk has asked for, and the module says it has.
owned() {
	local key dev peer

	for key in "${!OWNED[@]}"; do
		dev=${NAME[${key%% *}]}
		for peer in ${OWNED[$key]}; do
			echo "$dev ${key#* } $peer"
		done
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
	REMEMBERED=$(remembered)
	settles hub 220 "step $1, table 220"
	settles hub 100 "step $1, table 100"
	if [ -n "$MOVED" ]; then
		settles inner 220 "step $1, the other namespace"
		MOVED=
	fi
	same "$(owned)" "$(listed)" "step $1: routes of the module"
}

# walk_home: all that may be missing for traffic.
walk_home() {
	local key peer words

	for peer in a b c d; do
		[ -z "${AWAY[$peer]}" ] || turn_endpoint "$(key_of "$peer")" "$peer"
		sas_back "$peer"
		read -ra words <<<"$(own_addresses "$peer")"
		h peer set "$peer" dev "${NAME[$(key_of "$peer")]}" limit 0 "${words[@]}"
	done
	on_hub link del vx0 2>/dev/null || true
	h path del 28 2>/dev/null || true
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
	for key in a b c d; do
		ENDPOINTS[$key]=$(endpoint_of "$key") AWAY[$key]='' LIMITED[$key]=''
	done
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
test_random_walk_over_all_changes_settles_as_wanted	a random walk over all changes settles as wanted
"
run_cases "$@"
