#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# route-batch.sh: many routes in one message.

# Braces are ovlynl's.
# shellcheck disable=SC1083
# shellcheck source=selftests/control.sh
. "${OVLY_TOP:?}/selftests/control.sh"

suite_setup() { underlay; }

# prefixes N [WORD...]: N entries 10.128.0.0/32, 10.128.0.1/32, ...
prefixes() {
	local n=$1
	shift
	seq 0 $((n - 1)) | awk -v "more=$*" '{
		printf "route{ dst=10.%d.%d.%d prefixlen=32 %s }\n", 128 + $1 / 65536, $1 / 256 % 256, $1 % 256, more }'
}

test_thousands_in_one_message() {
	local n=5000
	three_peers
	same $'route-new applied=5000\nok' "$(prefixes "$n" peer-name=a | one_request route-new+create ifname=ov0 | sed 's/ifindex.*ov0 //')" "answer"
	matches "^end entries=$((n + 3)) " dump route-get
	same $((n + 3)) "$(routes | grep -c 'dev ov0')" "routes in the table"
	# Each of them once, and with the flag.
	same "$n" "$(entries route-get | grep -E ' dst=10.1(28|29).* flags=1 ' | field dst | sort -u | wc -l)" "installed routes"
	same $'route-new applied=5000\nok' "$(prefixes "$n" peer-name=b | one_request route-new+replace ifname=ov0 | sed 's/ifindex.*ov0 //')" "answer"
	same "$n" "$(routes | grep -c 'via 10.9.0.2 dev ov0')" "routes that moved"
	same $'route-del applied=5000\nok' "$(prefixes "$n" | one_request route-del ifname=ov0 | sed 's/ifindex.*ov0 //')" "answer"
	same 3 "$(routes | grep -c 'dev ov0')" "routes in the table"
}

# refusals: the refused nests on stdin, one a line.
refusals() { grep -oE 'refused\{ [^}]* \}'; }

test_entry_by_entry_result() {
	local said
	three_peers
	granted peer-set ifname=ov0 peer{ name=c route-limit=1 }
	ip -n "$here" route add 10.60.0.0/16 dev wan0 table 220
	defer ip -n "$here" route del 10.60.0.0/16 dev wan0 table 220
	said=$({
		route 10.51.0.0 16 peer-name=a
		route 10.51.0.0 16 peer-name=b
		route 10.52.0.0 16 peer-name=nobody
		route 10.53.0.0 16 via=10.99.0.1
		route 10.54.0.0 16 peer-name=c
		route 10.55.0.0 16 peer-name=c
		route 10.9.0.1 32 peer-name=b
		route 10.56.0.1 16 peer-name=a
		route 10.60.0.0 16 peer-name=a
		route 10.57.0.0 16 peer-name=b
	} | one_request route-new+create ifname=ov0)
	note "$said"
	matches ' applied=3( |$)' echo "$said"
	matches '^ok$' echo "$said"
	same "1=17 2=2 3=113 5=28 6=17 7=22 8=17" "$(refusals <<<"$said" |
		sed -E 's/.*index=([0-9]+) error=([0-9]+) .*/\1 \2/' | sort -n | sed 's/ /=/' | paste -sd' ')" "refusals"
	# In words, too.
	same 7 "$(refusals <<<"$said" | grep -cE 'message="ovly: .{10,}"')" "refusals with words"
	matches "index=8 .*somebody else's route" echo "$said"
	same $'10.51.0.0\n10.54.0.0\n10.57.0.0' "$(entries route-get | grep -v 'prefixlen=32' | field dst)" "what is there"
	same 1 "$(routes | grep -c '^10.60.0.0/16')" "routes to the prefix of somebody else"
}

test_same_prefix_twice_in_one_batch() {
	local said
	three_peers
	said=$({
		route 10.51.0.0 16 peer-name=a
		route 10.51.0.0 16 peer-name=b
		route 10.52.0.0 16 peer-name=a
		route 10.51.0.0 16 peer-name=c
	} | one_request route-new+create+replace ifname=ov0)
	matches ' applied=4' echo "$said"
	same "c" "$(owners 10.51.0.0)" "owner"
	same 1 "$(routes | grep -c '^10.51.0.0/16 via 10.9.0.3')" "routes in the table"
	said=$({
		route 10.51.0.0 16
		route 10.51.0.0 16
		route 10.52.0.0 16
	} | one_request route-del ifname=ov0)
	matches ' refused\{ index=1 error=2 .* applied=2' echo "$said"
	lacks '10.5[12]' routes
}

test_more_refusals_than_are_named() {
	local said
	three_peers
	prefixes 100 peer-name=a | one_request route-new+create ifname=ov0
	said=$(prefixes 110 peer-name=b | one_request route-new+create ifname=ov0)
	matches ' applied=10( |$)' echo "$said"
	same "$(seq 0 63)" "$(refusals <<<"$said" | field index)" "those that are named"
	same 110 "$(entries route-get | grep -c ' dst=10.128.*prefixlen=32')" "routes"
	# And when the table refuses them.
	granted route-flush ifname=ov0
	seq 0 99 | awk '{ printf "route add 10.128.0.%d/32 dev wan0 table 220\n", $1 }' | ip -n "$here" -batch -
	said=$(prefixes 110 peer-name=b | one_request route-new+create ifname=ov0)
	matches ' applied=10( |$)' echo "$said"
	same "$(seq 0 63)" "$(refusals <<<"$said" | field index)" "those that are named"
	same 10 "$(entries route-get | grep -c ' dst=10.128.*prefixlen=32')" "routes"
	ip -n "$here" route flush dev wan0 table 220
}

test_malformed_entry_refuses_all() {
	local before bad place where said
	three_peers
	before=$(state)
	for bad in "dst=10.52.0.0 prefixlen=129 peer-name=a" "dst:bin=0a prefixlen=8 peer-name=a" \
		"dst:bin=0a00000000 prefixlen=8 peer-name=a" "dst=10.52.0.0 prefixlen=16 via:bin=0a09000100" \
		"dst=10.52.0.0 prefixlen:u8=16 peer-name=a" "dst=10.52.0.0 prefixlen=16 peer-name=a #99:u32=1" \
		"dst=10.52.0.0 prefixlen=16 peer-name=a flags=1" "dst=10.52.0.0 prefixlen=16 protocol=256 peer-name=a"; do
		# First, in the middle and last.
		for place in 0 1 2; do
			said=$({
				[ "$place" != 0 ] || echo "route{ $bad }"
				route 10.51.0.0 16 peer-name=a
				[ "$place" != 1 ] || echo "route{ $bad }"
				route 10.53.0.0 16 peer-name=a
				[ "$place" != 2 ] || echo "route{ $bad }"
			} | one_request route-new+create ifname=ov0 || true)
			note "$said"
			where="\[$place\]"
			[ "$place" != 0 ] || where=
			matches "^E(RANGE|INVAL) attr=route${where}[.][a-z#0-9]+ \".+\"" echo "$said"
		done
	done
	same "$before" "$(state)" "state after refusals"
}

test_single_entry_gives_an_ordinary_error() {
	local said
	three_peers
	said=$(route 10.51.0.0 16 peer-name=nobody | one_request route-new+create ifname=ov0 || true)
	matches '^ENOENT attr=.* "ovly: ' echo "$said"
	said=$(route 10.51.0.0 16 | one_request route-del ifname=ov0 || true)
	matches '^ENOENT attr=.* "ovly: ' echo "$said"
	ip -n "$here" route add 10.60.0.0/16 dev wan0 table 220
	defer ip -n "$here" route del 10.60.0.0/16 dev wan0 table 220
	refused EEXIST '*' "somebody else's route" route-new+create ifname=ov0 route{ dst=10.60.0.0 prefixlen=16 peer-name=a }
	same "" "$(owners 10.60.0.0)" "owner"
}

test_several_owners_refused_count_once() {
	local said before
	three_peers
	granted peer-set ifname=ov0 peer{ name=c route-limit=1 }
	granted route-new+create ifname=ov0 route{ dst=10.40.0.0 prefixlen=16 peer-name=c }
	ip -n "$here" route add 10.60.0.0/16 dev wan0 table 220
	defer ip -n "$here" route del 10.60.0.0/16 dev wan0 table 220
	before=$(state)
	said=$({
		route 10.60.0.0 16 peer-name=a peer-name=b
		route 10.61.0.0 16 peer-name=a peer-name=c
		route 10.62.0.0 16 peer-name=a peer-name=nobody
		route 10.63.0.0 16 peer-name=a via=10.99.0.1
	} | one_request route-new+create ifname=ov0)
	note "$said"
	same "0 1 2 3" "$(refusals <<<"$said" | field index | sort | paste -sd' ')" "refused entries"
	matches ' applied=0( |$)' echo "$said"
	refused EEXIST '*' "somebody else's" route-new+create ifname=ov0 route{ dst=10.60.0.0 prefixlen=16 peer-name=a peer-name=b }
	same "$before" "$(state)" "state after refusals"
}

test_device_that_is_down_keeps_what_it_is_told() {
	three_peers
	ip -n "$here" link set ov0 down
	prefixes 100 peer-name=a | one_request route-new+create ifname=ov0
	has 'routes=103 routes-installed=0' nl dev-get ifname=ov0
	same "" "$(routes)" "table"
	same 103 "$(entries route-get | grep -cE ' flags=[02]( |$)')" "routes not installed"
	ip -n "$here" link set ov0 up
	has 'routes=103 routes-installed=103' nl dev-get ifname=ov0
	same 103 "$(routes | grep -c 'dev ov0')" "routes in the table"
}

CASES="
test_thousands_in_one_message			thousands of entries in one message are added, moved, deleted
test_entry_by_entry_result			each refused entry has index, errno and words, the others are applied
test_same_prefix_twice_in_one_batch		the same prefix twice in one batch: in order
test_more_refusals_than_are_named		more than 64 refusals: 64 are named, all are counted
test_malformed_entry_refuses_all		a malformed entry anywhere refuses all, and is named
test_single_entry_gives_an_ordinary_error	a batch of one gives an ordinary error
test_several_owners_refused_count_once		an entry of several owners that is refused counts once and changes nothing
test_device_that_is_down_keeps_what_it_is_told	a device that is down keeps what it is told for later
"
run_cases "$@"
