#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# routing-daemons.sh: every routing daemon that the bridge is meant for: BIRD 1.6
# (bird and bird6), BIRD 2, BIRD 3 and FRR. Each learns from another instance of
# itself by BGP, IPv4 and IPv6, exports to table 2220, and table 220 has what it
# learned. There is no IPsec: the sessions run beside the overlay, and the next
# hops that they teach are overlay addresses.
#
#     here 192.0.2.1, 192.0.2.4 -- 192.0.2.2, 192.0.2.3 far
#     ovly0: peers a 10.3.0.1, b 10.3.0.2
#
# far teaches, in session "a" with next hop a: 81.81.81.1/32, 10.70.0.0/16 and
# 172.20.0.0/16; in session "b" with next hop b: 10.70.0.0/16 as well.

# Sessions, and graceful restarts with timers of their own, take a while.
CASE_DEADLINE=${CASE_DEADLINE:-240}

# shellcheck source=selftests/e2e/setup.sh
. "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
# shellcheck source=selftests/e2e/routing-conf.sh
. "$E2E/routing-conf.sh"

suite_setup() {
	setup_env
	load_ovly
	node_new here
	node_new far
	ip -n here link add lan type veth peer name lan netns far
	ip -n here addr add 192.0.2.1/24 dev lan
	ip -n here addr add 192.0.2.4/24 dev lan
	ip -n here addr add 2001:db8:ff::1/64 dev lan nodad
	ip -n here addr add 2001:db8:ff::4/64 dev lan nodad
	ip -n far addr add 192.0.2.2/24 dev lan
	ip -n far addr add 192.0.2.3/24 dev lan
	ip -n far addr add 2001:db8:ff::2/64 dev lan nodad
	ip -n far addr add 2001:db8:ff::3/64 dev lan nodad
	ip -n here link set lan up
	ip -n far link set lan up
	h dev add ovly0 mode multipoint up
	# BIRD 1.6 knows its own routes again, after it was killed, only where their next
	# hops are in a subnet of the device.
	ip -n here addr add 10.3.0.100/24 dev ovly0
	ip -n here addr add 2001:db8:3::100/64 dev ovly0 nodad
	h peer add a addr 10.3.0.1 addr 2001:db8:3::1
	h peer add b addr 10.3.0.2 addr 2001:db8:3::2
	node_start here bridge "$OVLYHELPER" bridge
	wait_for 10 "first reconcile" grep -q reconciled "$WORK/here/log/bridge.out"
}

h() { node here "$OVLYHELPER" "$@"; }
table() { ip -n here "$@" route show table 220; }

# ---- a daemon, by its name: bird1, bird2, bird3, frr --------------------------------

bird_dir() { echo "/ovly/birds/$1"; }

# need DAEMON: skips where the lab has none.
need() {
	case $1 in
	bird1 | bird3) [ -x "$(bird_dir "$1")/bird" ] || skip "the archive gave no ${1%?} ${1#bird}" ;;
	esac
}

# bird_programs DAEMON: "NAME PROGRAM" lines; 1.6 has one for each family.
bird_programs() {
	case $1 in
	bird1) printf '%s\n' "bird4 $(bird_dir bird1)/bird" "bird6 $(bird_dir bird1)/bird6" ;;
	bird2) echo "bird $(command -v bird)" ;;
	bird3) echo "bird $(bird_dir bird3)/bird" ;;
	esac
}

# birds NODE DAEMON OPTION...: starts them.
birds() {
	local node=$1 daemon=$2 name program
	shift 2
	while read -r name program; do
		bird_conf "$node" "$daemon" "$name" >"$WORK/$node/etc/$name.conf"
		node_start "$node" "$name" "$program" -f -c "$WORK/$node/etc/$name.conf" \
			-s "/run/bird/$name.ctl" "$@"
		wait_for 15 "$name of $node answers" ask "$node" "$name" show status
	done < <(bird_programs "$daemon")
}

# ask NODE NAME COMMAND...: birdc of BIRD 2 speaks with all of them.
ask() {
	local node=$1 name=$2
	shift 2
	node "$node" birdc -s "/run/bird/$name.ctl" "$@"
}

# end NODE DAEMON [SIGNAL]
end() {
	local node=$1 daemon=$2 name rest
	if [ "$daemon" = frr ]; then
		for name in bgpd staticd zebra; do
			node_stop "$node" "$name" "${3:-TERM}"
		done
		return
	fi
	while read -r name rest; do
		node_stop "$node" "$name" "${3:-TERM}"
	done < <(bird_programs "$daemon")
}

# begin NODE DAEMON
begin() {
	if [ "$2" = frr ]; then
		frr_file "$1" >"$WORK/$1/etc/frr/frr.conf"
		frr_start "$1"
	else
		birds "$1" "$2"
	fi
	defer end "$1" "$2"
}

# withdraw DAEMON, announce DAEMON: far teaches 172.20.0.0/16 and 2001:db8:20::/48 no
# more, and again.
withdraw() { teach "$1" disable no; }
announce() { teach "$1" enable ''; }
teach() {
	local name rest
	if [ "$1" = frr ]; then
		frr_conf far 'router bgp 65000' 'address-family ipv4 unicast' \
			"$3 network 172.20.0.0/16" 'exit-address-family' \
			'address-family ipv6 unicast' "$3 network 2001:db8:20::/48"
		return
	fi
	while read -r name rest; do
		ask far "$name" "$2" '"extra*"'
	done < <(bird_programs "$1")
}

# ---- what table 220 has ---------------------------------------------------------------

# Routes with a number of FRR's would be zebra's, in any table.
proto_of() { [ "$1" = frr ] && echo ovly-bridge || echo bird; }

steady4() { matches "^81.81.81.1 via 10.3.0.1 dev ovly0 proto $1 " table; }
steady6() { matches "^2001:db8:81::/48 via 2001:db8:3::1 dev ovly0 proto $1 " table -6; }
extra4() { matches "^172.20.0.0/16 via 10.3.0.1 dev ovly0 proto $1 " table; }
extra6() { matches "^2001:db8:20::/48 via 2001:db8:3::1 dev ovly0 proto $1 " table -6; }
extra_gone() { lacks '^(172.20.0.0|2001:db8:20:)' eval 'table; table -6'; }

learned() {
	local proto
	proto=$(proto_of "$1")
	wait_for 60 "an IPv4 route" steady4 "$proto"
	wait_for 60 "an IPv6 route" steady6 "$proto"
	wait_for 20 "another IPv4 route" extra4 "$proto"
	wait_for 20 "another IPv6 route" extra6 "$proto"
	wait_for 30 "both next hops, IPv4" owners_are here 10.70.0.0/16 "a b"
	wait_for 30 "both next hops, IPv6" owners_are here 2001:db8:70::/48 "a b"
}

nothing_left() { lacks 'proto (bird|bgp|ovly-bridge) ' eval 'table; table -6'; }

# ---- what each of them has to do ---------------------------------------------------------

# carries DAEMON: routes come, become multipath, are withdrawn, and go with the daemon.
carries() {
	need "$1"
	begin far "$1"
	begin here "$1"
	learned "$1"
	matches 'nexthop via 10.3.0.2 dev ovly0' table
	withdraw "$1"
	wait_for 20 "what is withdrawn goes" extra_gone
	steady4 "$(proto_of "$1")"
	steady6 "$(proto_of "$1")"
	announce "$1"
	wait_for 20 "and comes again" extra4 "$(proto_of "$1")"
	end here "$1"
	wait_for 20 "the daemon's end takes its routes along" nothing_left
}

# restarts DAEMON: killed and started again, with graceful restart; what stays stays in
# the table all the time, what went meanwhile goes.
restarts() {
	local events
	need "$1"
	begin far "$1"
	begin here "$1"
	learned "$1"
	monitor_routes here "$OVLY_OUT/routes-$1"
	dies here "$1"
	withdraw "$1"
	# nobody is there to withdraw it here
	extra4 "$(proto_of "$1")"
	again here "$1"
	wait_for 90 "what went meanwhile goes" extra_gone
	steady4 "$(proto_of "$1")"
	steady6 "$(proto_of "$1")"
	wait_for 20 "both next hops, IPv4" owners_are here 10.70.0.0/16 "a b"
	wait_for 20 "both next hops, IPv6" owners_are here 2001:db8:70::/48 "a b"
	events=$(route_events here "$OVLY_OUT/routes-$1")
	same "" "$(sed -n '/^Deleted .*table 220 /p' <<<"$events" |
		grep -vE '^Deleted (172.20.0.0|2001:db8:20:)' || true)" "routes that left table 220"
}

dies() { end "$1" "$2" KILL; }

# zebra, too: it takes over what it finds, and after a time ends what nobody wants. The
# routes of a bgpd that alone was killed it looks for in its own tables only.
again() {
	local name rest
	if [ "$2" = frr ]; then
		frr_start "$1" -K 20
		return
	fi
	while read -r name rest; do
		rm -f "$(node_root "$1")/run/bird/$name.ctl"
	done < <(bird_programs "$2")
	birds "$1" "$2" -R
}

# shows DAEMON: "show bgp" by its control socket, and generated files that it accepts.
shows() {
	local name rest program
	need "$1"
	begin far "$1"
	begin here "$1"
	learned "$1"
	while read -r name program; do
		bgp_view "$name"
		[ "$1" = bird1 ] || bgp_view6 "$name"
		generated "$1" "$name" "$program"
	done < <(bird_programs "$1")
}

# bgp NAME ...: of the daemon with that socket.
bgp() {
	local name=$1
	shift
	h show bgp "$@" socket "/run/bird/$name.ctl"
}

bgp_view() {
	local family=4 said next=10.3.0.1 net=81.81.81.1/32
	if [ "$1" = bird6 ]; then
		family=6 next=2001:db8:3::1 net=2001:db8:81::/48
	fi
	said=$(bgp "$1" summary --json)
	note "$said"
	# 1.6 does not tell its own AS
	matches '^192.0.2.1 (200|null)$' jq -r '"\(."router-id") \(."local-as")"' <<<"$said"
	same "Established 65000 3" "$(jq -r --arg n "a$family" '.neighbors[] | select(.name == $n) |
		[.state, ."remote-as", .routes] | join(" ")' <<<"$said")" "session a"
	same "ipv$family" "$(jq -r --arg n "a$family" '.neighbors[] | select(.name == $n) |
		.channels[0].name' <<<"$said")" "its channel"
	matches "^192.0.2.2 +65000 +Established|^2001:db8:ff::2 +65000 +Established" bgp "$1"
	matches "^$net +$next +0 +100 +65000 [i?]" bgp "$1" routes
	same "$next" "$(bgp "$1" routes --json | jq -r --arg p "$net" \
		'[.routes[] | select(.network == $p)][0]."next-hop"')" "next hop of $net"
	same 2 "$(bgp "$1" routes --json | jq --argjson f "$family" '[.routes[] |
		select(.network == (if $f == 4 then "10.70.0.0/16" else "2001:db8:70::/48" end))] | length')" \
		"routes to what both teach"
}

# BIRD 2 and 3 have both families.
bgp_view6() {
	same "Established" "$(bgp "$1" --json | jq -r '.neighbors[] | select(.name == "a6").state')" "IPv6"
	same "2001:db8:3::1" "$(bgp "$1" routes --json |
		jq -r '[.routes[] | select(.network == "2001:db8:81::/48")][0]."next-hop"')" "IPv6 next hop"
}

# What "apply" writes for this release is what it understands. For 1.6 it prints two
# files, each with a line about its log.
generated() {
	local version=${1#bird} file=$OVLY_OUT/generated-$2.conf part=1
	[ "$2" != bird6 ] || part=2
	sed 's/^ *router-id.*/&\n  maximum-paths 4\n  bgp graceful-restart/' \
		"$OVLY_TOP/helper/examples/ovly.conf" >"$WORK/example.conf"
	h apply "$WORK/example.conf" --print bird --bird-version "$version" |
		awk -v part="$part" '/^log / { n++ } n == part' >"$file"
	[ "$part" = 2 ] || matches '^	merge paths on limit 4;' cat "$file"
	[ "$part" = 2 ] || same 2 "$(grep -c '^	graceful restart on;' "$file")" "bgp and kernel"
	node here "$3" -p -c "$file"
}

for daemon in bird1 bird2 bird3 frr; do
	eval "
	test_${daemon}_carries() { carries $daemon; }
	test_${daemon}_restarts() { restarts $daemon; }
	test_${daemon}_shows() { shows $daemon; }"
done

# shellcheck disable=SC2034 # run_cases reads it
CASES="
test_bird1_carries	BIRD 1.6: routes, withdrawal, multipath, both families
test_bird1_restarts	BIRD 1.6: killed and restarted, no route leaves table 220
test_bird1_shows	BIRD 1.6: show bgp, generated configuration
test_bird2_carries	BIRD 2: routes, withdrawal, multipath, both families
test_bird2_restarts	BIRD 2: killed and restarted, no route leaves table 220
test_bird2_shows	BIRD 2: show bgp, generated configuration
test_bird3_carries	BIRD 3: routes, withdrawal, multipath, both families
test_bird3_restarts	BIRD 3: killed and restarted, no route leaves table 220
test_bird3_shows	BIRD 3: show bgp, generated configuration
test_frr_carries	FRR: routes, withdrawal, multipath, both families
test_frr_restarts	FRR: killed and restarted, no route leaves table 220
"
run_cases "$@"
