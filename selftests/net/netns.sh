#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# netns.sh: a device in another network namespace than its SAs, and what becomes of
# both when either of the two goes.
#
# The hub's device is moved to "inner"; its SAs and the underlay stay in "hub".

# shellcheck source=selftests/lib.sh
. "${OVLY_TOP:?}/selftests/lib.sh"
# shellcheck source=selftests/tunnel.sh
. "$OVLY_TOP/selftests/tunnel.sh"
# shellcheck source=selftests/table.sh
. "$OVLY_TOP/selftests/table.sh"

CASE_DEADLINE=$((300 * OVLY_SLOW))
# Seconds between the packets of a flow; a debug kernel is slow.
PACE=0.002
[ -z "${OVLY_SMALL:-}" ] || PACE=0.05
NUMBER[inner]=1

# scene: every case has one of its own, because some take it apart.
scene() {
	load_ovly
	setup_ns inner
	wan_setup hub a
	# Goes when the kernel has really done away with the namespace.
	ip link add trace netns "$inner" type veth peer name to-inner netns "$wan"
	overlay hub mode multipoint
	overlay a
	connect hub a 7
	helper hub route add 10.66.0.0/16 peer a
	helper hub route add fd66::/32 peer a
	settles hub
	holds hub 220 4
	pings hub "$(inner a)"
}

# move FROM TO: the device, with what the kernel takes from it on the way.
move() {
	ip -n "${!1}" link set ov0 netns "${!2}"
	ip -n "${!2}" -batch - <<-LINES
		addr add 10.9.0.1/32 dev ov0
		addr add fd09::1/128 dev ov0 nodad
		link set ov0 up
	LINES
}

flows() {
	pings "$1" "$(inner a)"
	pings "$1" "$(inner a 6)"
	pings a "$(inner hub)"
	pings a "$(inner hub 6)"
}

# bare NODE: nothing of ovly is in its tables.
bare() { [ -z "$(table_found "$1" 220)" ]; }

# gone LINK: the switch has lost it, so the namespace of its other end is gone.
gone() { ! ip -n "$wan" link show "$1"; }

test_moved_device_keeps_its_traffic() {
	scene
	move hub inner
	settles inner
	holds inner 220 4
	has inner 220 'throw 192.0.2.2/32'
	wait_for 20 "nothing is left in the old namespace" bare hub
	flows inner
	never ip -n "$hub" link show ov0
	# Encrypted where the SAs are.
	sniff hub wan moved
	flows inner
	sniff_end moved
	lacks 'ICMP6?,? echo' sniffed moved
	[ "$(sniffed_count moved 'ip proto 50')" = 24 ] || fail "not 24 ESP packets"
}

test_moved_device_follows_the_sas_it_left() {
	scene
	move hub inner
	no_sas hub
	peer_is inner a down
	unanswered inner "$(inner a)"
	sa_lines hub a 7 | ip_batch hub
	peer_is inner a up
	flows inner
}

test_moved_device_takes_requests_in_its_new_namespace() {
	scene
	move hub inner
	helper inner route add 10.67.0.0/16 peer a
	ip -n "$a" addr add 10.67.0.1/32 dev lo
	settles inner
	holds inner 220 5
	pings inner 10.67.0.1
	helper inner path set 7 dev ov0 priority 3
	never helper hub route add 10.68.0.0/16 peer a dev ov0
	sas hub a 8
	sas a hub 8
	path a hub 8
	path inner a 8
	helper inner path del 7 dev ov0
	flows inner
	# The id is taken where the SAs are, wherever the device is.
	helper hub dev add ov1 mode multipoint
	helper hub peer add x dev ov1 addr 10.9.9.9
	never helper hub path add 8 peer x dev ov1
}

# A mark says something in one namespace; the policies are of another.
test_marks_of_the_new_namespace_choose_no_policy() {
	scene
	no_policies hub
	{
		echo "xfrm policy add dir out src 0.0.0.0/0 dst 0.0.0.0/0 if_id 7 mark 5 action block"
		policy_lines hub a 7 | sed 's/ if_id/ priority 10 if_id/'
	} | ip_batch hub
	pings hub "$(inner a)"
	unanswered hub "$(inner a)" -m 5
	move hub inner
	settles inner
	pings inner "$(inner a)" -m 5
	# The peer's own is one of where the SAs are.
	helper inner peer set a mark 5
	unanswered inner "$(inner a)"
}

# Where packets come from say the rules of the device's namespace, by no other's mark.
test_marks_of_the_sas_namespace_choose_no_rule() {
	scene
	move hub inner
	settles inner
	ip -n "$inner" rule add pref 10 fwmark 9 lookup 99
	ip -n "$inner" route add unreachable default table 99
	in_ns hub nft -f - <<-'RULES'
		table ip marked {
			chain incoming {
				type filter hook prerouting priority -150
				ip protocol esp meta mark set 9 counter
			}
		}
	RULES
	pings a "$(inner inner)"
	matches 'counter packets [1-9]' in_ns hub nft list ruleset
	same 0 "$(drops inner a rx-source)" "rx-source"
}

test_device_made_with_its_sas_elsewhere() {
	scene
	ip -n "$hub" link del ov0
	ip -n "$inner" link add ov0 link-netns "$hub" type ovly
	ip -n "$inner" -batch - <<-LINES
		addr add 10.9.0.1/32 dev ov0
		addr add fd09::1/128 dev ov0 nodad
		link set ov0 up
	LINES
	peer inner a
	path inner a 7
	peer_is inner a up
	settles inner
	flows inner
	matches 'link-netns' ip -n "$inner" -d link show ov0
}

test_device_moved_back_and_forth() {
	local i

	scene
	for i in 1 2 3; do
		move hub inner
		settles inner
		holds inner 220 4
		move inner hub
		settles hub
		holds hub 220 4
		wait_for 20 "nothing is left in the other namespace, round $i" bare inner
	done
	flows hub
}

test_device_moved_down_brings_nothing_until_it_is_up() {
	scene
	ip -n "$hub" link set ov0 down
	ip -n "$hub" link set ov0 netns "$inner"
	settles inner
	holds inner 220 0
	has_not inner 220 'rule to 220'
	wait_for 20 "nothing is left in the old namespace" bare hub
	ip -n "$inner" addr add 10.9.0.1/32 dev ov0
	ip -n "$inner" link set ov0 up
	settles inner
	holds inner 220 4
	pings inner "$(inner a)"
}

# again: the hub can have another device with the same if_id.
again() {
	overlay hub mode multipoint
	peer hub a
	path hub a 7
	settles hub
	flows hub
}

test_namespace_of_the_device_goes_first() {
	scene
	move hub inner
	settles inner
	ip netns del "$inner"
	wait_for 60 "its namespace is gone" gone to-inner
	wait_for 20 "nothing is left where the SAs are" bare hub
	[ -n "$(ip -n "$hub" xfrm state)" ] || fail "the SAs went along"
	again
	rmmod ovly
}

test_namespace_of_the_sas_goes_first() {
	scene
	move hub inner
	settles inner
	ip netns del "$hub"
	wait_for 60 "the namespace of the SAs is gone" gone to-1
	# A device without a place for SAs is none.
	never ip -n "$inner" link show ov0
	wait_for 20 "nothing is left where the device was" bare inner
	overlay inner
	peer inner a
	settles inner
	rmmod ovly
}

test_both_namespaces_go_at_once() {
	scene
	move hub inner
	settles inner
	ip netns del "$hub" &
	ip netns del "$inner" &
	wait
	wait_for 60 "the namespace of the SAs is gone" gone to-1
	wait_for 60 "the namespace of the device is gone" gone to-inner
	rmmod ovly
}

received() { [ "$(traffic inner a rx-packets)" -gt "$1" ]; }

test_namespaces_go_under_traffic() {
	local doomed pid link

	for doomed in inner hub; do
		scene
		move hub inner
		settles inner
		ip netns exec "$a" ping -q -f -i "$PACE" "$(inner hub)" >/dev/null 2>&1 &
		pid=$!
		defer eval "kill $pid 2>/dev/null"
		ip netns exec "$inner" ping -q -f -i "$PACE" "$(inner a)" >/dev/null 2>&1 &
		defer eval "kill $! 2>/dev/null"
		wait_for 20 "traffic flows" received 20
		# A process in a namespace keeps it: this one goes with it.
		kill $!
		ip netns del "${!doomed}"
		link="to-1"
		[ "$doomed" = hub ] || link="to-inner"
		wait_for 60 "'$doomed' is gone" gone "$link"
		kill "$pid"
	done
	rmmod ovly
}

CASES="
test_moved_device_keeps_its_traffic			a moved device keeps its traffic; its table is the new namespace's
test_moved_device_follows_the_sas_it_left		a moved device follows the SAs it left behind
test_moved_device_takes_requests_in_its_new_namespace	a moved device takes requests in its new namespace
test_marks_of_the_new_namespace_choose_no_policy	marks of the new namespace choose no policy, the peer's does
test_marks_of_the_sas_namespace_choose_no_rule		marks of where the SAs are choose no rule
test_device_made_with_its_sas_elsewhere			a device made with link-netns has its SAs there
test_device_moved_back_and_forth			a device moved back and forth leaves nothing behind
test_device_moved_down_brings_nothing_until_it_is_up	a device moved while it is down brings nothing until it is up
test_namespace_of_the_device_goes_first			the namespace of the device goes first
test_namespace_of_the_sas_goes_first			the namespace of the SAs goes first, and the device with it
test_both_namespaces_go_at_once				both namespaces go at once
test_namespaces_go_under_traffic			namespaces go under traffic
"
run_cases "$@"
