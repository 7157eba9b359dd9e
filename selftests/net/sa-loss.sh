#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# sa-loss.sh: SAs and policies that go without a word from the IKE daemon, and come
# again. Nobody touches a path: it follows, and events say so.

# shellcheck source=selftests/lib.sh
. "${OVLY_TOP:?}/selftests/lib.sh"
# shellcheck source=selftests/tunnel.sh
. "$OVLY_TOP/selftests/tunnel.sh"
# shellcheck source=selftests/table.sh
. "$OVLY_TOP/selftests/table.sh"

CASE_DEADLINE=$((300 * OVLY_SLOW))

suite_setup() {
	load_ovly
	wan_setup hub a
	overlay hub mode multipoint
	overlay a
	connect hub a 7
	helper hub route add 10.66.0.0/16 peer a
	pings hub "$(inner a)"
}

# listen: events of the hub, from when it returns.
listen() {
	: >"$OVLY_OUT/events"
	ip netns exec "$hub" ovlyhelper monitor json >"$OVLY_OUT/events" 2>&1 &
	defer eval "kill $! 2>/dev/null"
	wait_for 20 "events are heard" hears_itself
}

hears_itself() {
	helper hub peer set a limit 0
	grep -q peer-set "$OVLY_OUT/events"
}

# heard: the events so far, but for those of listen, one word each.
heard() { jq -r .event "$OVLY_OUT/events" | grep -v peer-set | paste -sd ' '; }

hears() { [ "$(heard)" = "$1" ] || { heard && false; }; }

# home: puts all SAs back as they were.
home() {
	{
		no_sas hub
		no_sas a
		no_policies hub
		no_policies a
		sas hub a 7
		sas a hub 7
	} 2>/dev/null
}

# down_now: the peer is down, and its packets are answered and counted.
down_now() {
	local before

	wait_for 10 "the peer is down" peer_is hub a down
	before=$(drops hub a tx-no-path)
	matches 'Destination Host Unreachable' unanswered hub "$(inner a)"
	[ "$(drops hub a tx-no-path)" = $((before + 2)) ] || fail "tx-no-path did not count"
	settles hub
	# Held, so nothing takes another way.
	has hub 220 '10.66.0.0/16 via 10.9.0.2'
}

up_now() {
	wait_for 10 "the peer is up" peer_is hub a up
	pings hub "$(inner a)"
}

test_flush_takes_the_path_down_and_new_sas_bring_it_back() {
	defer home
	listen
	no_sas hub
	down_now
	wait_for 10 "events" hears "path-down peer-down"
	sa_lines hub a 7 | ip_batch hub
	up_now
	wait_for 10 "events" hears "path-down peer-down path-up peer-up"
}

# outbound NODE PEER IF_ID: the identity of that SA, for ip xfrm state.
outbound() {
	echo "src $(outer "$1") dst $(outer "$2") proto esp spi $(spi "$3" "${NUMBER[$2]}")"
}

# state NODE COMMAND IDENTITY
state() { echo "xfrm state $2 $3" | ip_batch "$1"; }

test_deleted_outbound_sa_takes_the_path_down() {
	defer home
	listen
	state hub delete "$(outbound hub a 7)"
	down_now
	wait_for 10 "events" hears "path-down peer-down"
	sa_lines hub a 7 | head -n 1 | ip_batch hub
	up_now
}

test_deleted_inbound_sa_leaves_the_path_up() {
	defer home
	state hub delete "$(outbound a hub 7)"
	peer_is hub a up
	# What the peer sends has no SA here.
	unanswered hub "$(inner a)"
	sa_lines hub a 7 | tail -n 1 | ip_batch hub
	pings hub "$(inner a)"
}

# limited LIMIT: the hub's outbound SA ends by that.
limited() {
	no_sas hub
	SA_MORE="limit $1" sa_lines hub a 7 | head -n 1 | ip_batch hub
	sa_lines hub a 7 | tail -n 1 | ip_batch hub
}

expiring() {
	limited "$1"
	up_now
}

# exhaust SIZE: pings until one is lost, with which the SA ends. Any more would find no
# SA, and have the module look for itself.
exhaust() {
	local i

	for i in {1..40}; do
		in_ns hub ping -n -q -c 1 -W 8 -s "$1" "$(inner a)" >/dev/null || return 0
	done
	fail "the SA does not end"
}

test_hard_time_limit_takes_the_path_down() {
	defer home
	listen
	expiring "time-hard $((15 * OVLY_SLOW))"
	wait_for 45 "the SA ends" peer_is hub a down
	down_now
	wait_for 10 "events" hears "path-down peer-down path-up peer-up path-down peer-down"
	no_sas hub
	sa_lines hub a 7 | ip_batch hub
	up_now
}

test_hard_time_limit_needs_no_packet() {
	defer home
	limited "time-hard $((15 * OVLY_SLOW))"
	peer_is hub a up
	wait_for 45 "the SA ends" peer_is hub a down
}

test_hard_packet_limit_takes_the_path_down() {
	defer home
	expiring "packet-hard 8"
	exhaust 56
	wait_for 10 "the SA ends" peer_is hub a down
	down_now
	no_sas hub
	sa_lines hub a 7 | ip_batch hub
	up_now
}

test_hard_byte_limit_takes_the_path_down() {
	defer home
	expiring "byte-hard 4000"
	exhaust 500
	wait_for 10 "the SA ends" peer_is hub a down
	down_now
}

test_soft_limit_changes_nothing() {
	defer home
	expiring "packet-soft 4 limit packet-hard 1000"
	listen
	in_ns hub ping -n -q -c 10 -i 0.05 -W 5 "$(inner a)"
	peer_is hub a up
	same "" "$(heard)" "events"
}

test_rekey_goes_unnoticed() {
	local transitions before

	defer home
	listen
	transitions=$(transitions)
	before=$(counted)
	# New ones first, at both ends, as IKE does it; then the old ones go.
	rekeyed hub a 7 | ip_batch hub
	rekeyed a hub 7 | ip_batch a
	pings hub "$(inner a)"
	state hub delete "$(outbound hub a 7)"
	state hub delete "$(outbound a hub 7)"
	state a delete "$(outbound hub a 7)"
	state a delete "$(outbound a hub 7)"
	pings hub "$(inner a)"
	same "$transitions" "$(transitions)" "transitions"
	same "" "$(heard)" "events"
	# Twice three packets each way, of 84 bytes, on top of what there was.
	same "$(jq -c 'with_entries(.value += if .key | test("bytes") then 504 else 6 end)' <<<"$before")" \
		"$(counted)" "traffic counters"
}

# counted: what went to and came from a.
counted() {
	helper hub peer list --json | jq -c '.[] | select(.name == "a") | .stats |
		with_entries(select(.key | test("^[rt]x-(packets|bytes)$")))'
}

# times: how long ago things happened to a, in milliseconds.
times() {
	helper hub peer list --json | jq -r '.[] | select(.name == "a") |
		"\(.since) \(."last-rx") \(."last-tx")"'
}

test_times_say_when() {
	local since rx tx t0=${EPOCHREALTIME/./} span before

	defer home
	state hub flush
	wait_for 10 "the peer is down" peer_is hub a down
	sa_lines hub a 7 | ip_batch hub
	wait_for 10 "the peer is up" peer_is hub a up
	pings hub "$(inner a)"
	before=$(times)
	read -r since rx tx <<<"$before"
	span=$(((${EPOCHREALTIME/./} - t0) / 1000))
	[ "$since" -le "$span" ] || fail "up for $since ms, of $span ms that this took"
	[ "$rx" -le "$since" ] || fail "the last packet came before the path"
	[ "$tx" -le "$since" ] || fail "the last packet went before the path"
	# Nothing happens, and it is longer ago.
	wait_for 10 "time passes" longer_ago "$before"
}

longer_ago() {
	local -a before now

	read -ra before <<<"$1"
	read -ra now < <(times)
	((now[0] > before[0] && now[1] > before[1] && now[2] > before[2]))
}

transitions() {
	helper hub peer list --json | jq '.[] | select(.name == "a") | .transitions'
}

# rekeyed NODE PEER IF_ID: SAs like the first, with SPIs of their own.
rekeyed() { sa_lines "$@" | sed 's/ spi 0x1/ spi 0x2/'; }

# migrate NODE OLD NEW: SAs and policy of IPv4 to and from another address of a, as an
# IKE daemon with MOBIKE may have it done. iproute2 has no word for it.
migrate() {
	in_ns "$1" python3 - "$(outer hub)" "$2" "$3" <<-'PROGRAM'
		import socket, struct, sys
		hub, old, new = (socket.inet_aton(a) for a in sys.argv[1:4])
		IF_ID, ANY = 7, bytes(16)

		def moved(before, after):
		    # struct xfrm_user_migrate: daddr, saddr, proto esp, tunnel mode, reqid
		    addresses = b"".join(a.ljust(16, b"\0") for a in before + after)
		    return addresses + struct.pack("=BBHIHH", 50, 1, 0, IF_ID, 2, 2)

		to_a, to_hub = moved((old, hub), (new, hub)), moved((hub, old), (hub, new))
		migrate = to_a + to_hub
		# struct xfrm_userpolicy_id: the selector 0.0.0.0/0 of any protocol, out
		sel = ANY + ANY + struct.pack("=HHHHHBBBxxxiI", 0, 0, 0, 0, 2, 0, 0, 255, 0, 0)
		body = sel + struct.pack("=IBxxx", 0, 1)
		body += struct.pack("=HH", 4 + len(migrate), 17) + migrate
		body += struct.pack("=HHI", 8, 31, IF_ID)
		s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 6)
		# XFRM_MSG_MIGRATE, NLM_F_REQUEST | NLM_F_ACK
		s.send(struct.pack("=IHHII", 16 + len(body), 0x21, 5, 1, 0) + body)
		sys.exit(-struct.unpack_from("=i", s.recv(8192), 16)[0])
	PROGRAM
}

endpoint_is() {
	same "$1" "$(helper hub path list --json | jq -r '.[] | .endpoint')" "endpoint"
}

# The last case: the peer remembers the address, and its throw route stays.
test_migrated_sas_take_the_path_along() {
	defer home
	defer helper hub path set 7 endpoint "$(outer a)"
	listen
	ip -n "$a" addr add 192.0.2.22/24 dev wan
	defer ip -n "$a" addr del 192.0.2.22/24 dev wan
	migrate hub 192.0.2.2 192.0.2.22
	# No packet has told.
	wait_for 20 "the path leads there" endpoint_is 192.0.2.22
	peer_is hub a up
	wait_for 10 "its throw route" has hub 220 'throw 192.0.2.22/32'
	migrate a 192.0.2.2 192.0.2.22
	pings hub "$(inner a)"
	pings a "$(inner hub)"
	wait_for 10 "events" hears endpoint-moved
}

test_sa_of_an_offload_device_goes_with_it() {
	local dev

	modprobe netdevsim 2>/dev/null || [ -d /sys/bus/netdevsim ] ||
		skip "this kernel has no netdevsim, and nothing else here offloads ESP"
	defer home
	in_ns hub sh -c 'echo "9 1" >/sys/bus/netdevsim/new_device'
	defer eval "echo 9 >/sys/bus/netdevsim/del_device"
	dev=$(in_ns hub ls /sys/bus/netdevsim/devices/netdevsim9/net)
	ip -n "$hub" link set "$dev" up
	state hub delete "$(outbound hub a 7)"
	SA_MORE="offload dev $dev dir out" sa_lines hub a 7 | head -n 1 | ip_batch hub
	wait_for 10 "the peer is up" peer_is hub a up
	# No packet is sent.
	ip -n "$hub" link set "$dev" down
	wait_for 20 "the path goes down" peer_is hub a down
}

test_lost_and_found_is_counted() {
	local before

	defer home
	before=$(transitions)
	no_sas hub
	peer_is hub a down
	sa_lines hub a 7 | ip_batch hub
	peer_is hub a up
	same $((before + 1)) "$(transitions)" "transitions"
	matches '"sa-in": *1' helper hub path list --json
	matches '"sa-out": *1' helper hub path list --json
}

test_deleted_policy_prohibits() {
	local before

	defer home
	before=$(drops hub a tx-no-policy)
	no_policies hub
	peer_is hub a up
	sniff hub wan no-policy "not ($LINK_CHATTER)"
	matches 'filtered|[Pp]rohibited' unanswered hub "$(inner a)"
	matches '[Pp]rohibited' unanswered hub "$(inner a 6)"
	sniff_end no-policy
	same 0 "$(sniffed_count no-policy)" "packets on the wire"
	[ "$(drops hub a tx-no-policy)" = $((before + 4)) ] || fail "tx-no-policy did not count"
	policy_lines hub a 7 | ip_batch hub
	pings hub "$(inner a)"
	pings hub "$(inner a 6)"
}

test_sa_of_another_if_id_is_not_taken() {
	defer home
	no_sas hub
	sa_lines hub a 8 | ip_batch hub
	peer_is hub a down
	down_now
}

test_lost_sa_withdraws_where_that_is_wanted() {
	defer home
	defer helper hub peer set a on-down hold
	helper hub peer set a on-down withdraw
	settles hub
	holds hub 220 3
	no_sas hub
	settles hub
	holds hub 220 0
	# IKE has to get there all the same.
	has hub 220 'throw 192.0.2.2/32'
	sa_lines hub a 7 | ip_batch hub
	settles hub
	holds hub 220 3
}

CASES="
test_flush_takes_the_path_down_and_new_sas_bring_it_back	a flush takes the path down, new SAs bring it back
test_deleted_outbound_sa_takes_the_path_down		a deleted outbound SA takes the path down
test_deleted_inbound_sa_leaves_the_path_up		a deleted inbound SA leaves the path up
test_hard_time_limit_takes_the_path_down		a hard time limit takes the path down
test_hard_time_limit_needs_no_packet			a hard time limit needs no packet to be noticed
test_hard_packet_limit_takes_the_path_down		a hard packet limit takes the path down
test_hard_byte_limit_takes_the_path_down		a hard byte limit takes the path down
test_soft_limit_changes_nothing				a soft limit changes nothing
test_rekey_goes_unnoticed				a rekey goes unnoticed, and counters go on
test_times_say_when					since when a peer is up, and when its last packets were
test_sa_of_an_offload_device_goes_with_it		an SA of a device with crypto offload goes with the device
test_lost_and_found_is_counted				an SA lost and added again with the same if_id is one transition
test_deleted_policy_prohibits				a deleted policy: prohibited, counted, nothing in clear
test_sa_of_another_if_id_is_not_taken			an SA of another if_id is not taken for the lost one
test_lost_sa_withdraws_where_that_is_wanted		a lost SA withdraws the routes where that is wanted
test_migrated_sas_take_the_path_along			migrated SAs take the path along
"
run_cases "$@"
