# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# rekey.sh: rekeying and reauthentication under traffic. What each must not do
# is the same: lose a packet, or touch a route.
#
# Sourced after daemons.sh and probe.sh; defines functions only.

# sa_replaced NODE ike|child OLD-IDS: one SA is in use, and it is another one.
sa_replaced() {
	local ids

	ids=$(sa_ids "$1" "$2")
	echo "$2 SAs: ${ids:-none}, before: $3" | tr '\n' ' '
	[ -n "$ids" ] && [ "$(wc -l <<<"$ids")" = 1 ] && [ "$ids" != "$3" ]
}

# replace_sa NODE ike|child SWANCTL-ARGUMENT...: asks charon for a new SA and
# waits until it has replaced the old one. charon may refuse for a moment while
# another exchange of the same SA is under way, and answers "0 rekeyed" then.
replace_sa() {
	local n=$1 kind=$2 old

	shift 2
	old=$(sa_ids "$n" "$kind")
	wait_for 20 "charon starts: $*" swanctl_q "$n" --rekey "$@"
	wait_for 60 "a new $kind SA replaced the old one" sa_replaced "$n" "$kind" "$old"
}

# rekey_case NODE SOURCE DESTINATION ike|child SWANCTL-ARGUMENT...: the same
# under a running ping and with an eye on table 220.
#
# When an IKE_SA is reauthenticated, the responder sends on its new SA as soon as
# it has answered, and the initiator cannot have that SA before the answer
# arrives (rekeying has no such gap, charon delays the switch there). What is lost
# so shows as ESP for an SPI that is only reserved, or as a transmit error of the
# head-end's own XFRM interface; whatever else is lost is a failure.
rekey_case() {
	local n=$1 src=$2 dst=$3 early=0 events drops

	shift 3
	early=$(foreign_losses "$n")
	drops=$(node "$n" "$OVLYHELPER" show drops)
	drop_counters "$n" >"$WORK/drops.before"
	ping_bg "$n" "$src" "$dst"
	monitor_start "$n"
	replace_sa "$n" "$@"
	# Traffic on the new SA, after the old one is gone.
	pings "$n" "$src" "$dst" 5
	events=$(table_events "$n" 220)
	same "" "$events" "events in table 220"
	early=$(($(foreign_losses "$n") - early))
	case $* in
	*--reauth*) ;;
	*) early=0 ;;
	esac
	drop_counters "$n" | diff "$WORK/drops.before" - || note "counters of $n that moved: above"
	ping_end "$n" $early
	same "$drops" "$(node "$n" "$OVLYHELPER" show drops)" "drop counters"
}
