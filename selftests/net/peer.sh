#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# peer.sh: peers are made, changed, shown and deleted.

# Braces are ovlynl's.
# shellcheck disable=SC1083
# shellcheck source=selftests/control.sh
. "${OVLY_TOP:?}/selftests/control.sh"

suite_setup() { underlay; }

test_flags_of_new() {
	local before
	fresh multipoint
	refused ENOENT '*' 'no such peer' peer-new ifname=ov0 peer{ name=a }
	refused ENOENT '*' 'no such peer' peer-new+replace ifname=ov0 peer{ name=a }
	refused ENOENT '*' 'no such peer' peer-new+excl ifname=ov0 peer{ name=a }
	same "" "$(entries peer-get)" "peers"
	granted peer-new+create ifname=ov0 peer{ name=a }
	granted peer-new+create+excl ifname=ov0 peer{ name=b }
	granted peer-new+create+replace ifname=ov0 peer{ name=c }
	before=$(state)
	for flags in "" +create +excl +create+excl; do
		refused EEXIST '*' 'has this name' "peer-new$flags" ifname=ov0 peer{ name=a on-down=1 }
	done
	same "$before" "$(state)" "state after refusals"
	granted peer-new+replace ifname=ov0 peer{ name=a on-down=1 }
	has 'on-down=1' peer_get a
	granted peer-new+create+replace ifname=ov0 peer{ name=a on-down=0 }
	has 'on-down=0' peer_get a
	same 3 "$(entries peer-get | wc -l)" "peers"
	# Together they are the flags of a dump, which this is not.
	refused EOPNOTSUPP - '' peer-new+create+excl+replace ifname=ov0 peer{ name=d }
}

test_answer_of_new_names_the_peer() {
	fresh multipoint
	matches '^peer-new .*peer\{ id=[0-9]+ name=a ' granted peer-new+create ifname=ov0 peer{ name=a }
	matches '^peer-new .*peer\{ id=2 name=peer2 ' granted peer-new+create ifname=ov0 peer{ }
	matches '^peer-new .* name=peer2 .*on-down=1' \
		granted peer-new+create+replace ifname=ov0 peer{ name=peer2 on-down=1 }
	# A made-up name may be taken.
	granted peer-new+create ifname=ov0 peer{ name=peer4 }
	refused EEXIST '*' 'has this name' peer-new+create ifname=ov0 peer{ }
}

test_everything_that_is_set_is_shown() {
	local name
	fresh multipoint
	name=$(printf 'n%.0s' {1..63})
	granted peer-new+create ifname=ov0 peer{ "name=$name" addr=10.9.0.2 addr=fd09::2 \
		addr=10.9.0.3 on-down=1 route-limit=15 }
	matches " name=$name addr=10.9.0.2 addr=fd09::2 addr=10.9.0.3 " peer_get "$name"
	has "on-down=1 route-limit=15 state=0 routes=0 paths=0 transitions=0" peer_get "$name"
	matches 'stats\{ rx-packets=0 ' in_ns here ovlynl "do" peer-get ifname=ov0 peer{ "name=$name" }
	# By id, by name and by both it is the same; both have to agree.
	same "$(peer_get "$name")" "$(nl peer-get ifname=ov0 peer{ id=1 })" "by id"
	same "$(peer_get "$name")" "$(nl peer-get ifname=ov0 peer{ id=1 "name=$name" })" "by both"
	granted peer-new+create ifname=ov0 peer{ name=b }
	refused EINVAL peer.name 'two peers' peer-get ifname=ov0 peer{ id=1 name=b }
	refused ENOENT peer.id 'no such peer' peer-get ifname=ov0 peer{ id=77 }
	refused ENOENT peer.name 'no such peer' peer-get ifname=ov0 peer{ name=c }
	same "$(entries peer-get | head -n 1)" "$(peer_get "$name" | head -n 1)" "dump and get"
}

test_set_changes_what_it_names() {
	fresh multipoint
	granted peer-new+create ifname=ov0 peer{ name=a addr=10.9.0.2 on-down=1 route-limit=15 }
	granted peer-set ifname=ov0 peer{ name=a route-limit=16 }
	has 'addr=10.9.0.2 on-down=1 route-limit=16' peer_get a
	granted peer-set ifname=ov0 peer{ id=1 on-down=0 }
	has 'addr=10.9.0.2 on-down=0 route-limit=16' peer_get a
	granted peer-set ifname=ov0 peer{ name=a route-limit=0 }
	has 'addr=10.9.0.2 on-down=0 route-limit=0' peer_get a
	refused ENOENT peer.name 'no such peer' peer-set ifname=ov0 peer{ name=b route-limit=1 }
}

test_addresses_are_replaced_as_a_list() {
	fresh multipoint
	granted peer-new+create ifname=ov0 peer{ name=a addr=10.9.0.2 addr=10.9.0.3 }
	same $'10.9.0.2\n10.9.0.3' "$(routes | cut -d' ' -f1)" "table"
	granted peer-set ifname=ov0 peer{ name=a addr=10.9.0.3 addr=10.9.0.4 }
	same $'10.9.0.3\n10.9.0.4' "$(routes | cut -d' ' -f1)" "table"
	granted peer-set ifname=ov0 peer{ name=a addr=fd09::2 }
	same "" "$(routes)" "IPv4 table"
	matches '^fd09::2 dev ov0' ip -n "$here" -6 route show table 220
	# The addresses that were given up are free.
	granted peer-new+create ifname=ov0 peer{ name=b addr=10.9.0.2 addr=10.9.0.3 }
}

test_refused_set_changes_nothing() {
	local before
	fresh multipoint
	granted peer-new+create ifname=ov0 peer{ name=a addr=10.9.0.2 }
	granted peer-new+create ifname=ov0 peer{ name=b addr=10.9.0.3 }
	granted peer-new+create ifname=ov0 peer{ name=c addr=fd09::4 }
	granted route-new+create ifname=ov0 route{ dst=fd20:: prefixlen=32 peer-name=c }
	# 10.9.0.4 is the system address of nobody, and two know the way to 10.9.0.5.
	granted route-new+create ifname=ov0 route{ dst=10.9.0.4 prefixlen=32 peer-name=b }
	granted route-new+create ifname=ov0 route{ dst=10.9.0.5 prefixlen=32 peer-name=a peer-name=b }
	ip -n "$here" route add 10.9.0.9 dev wan0 table 220
	defer ip -n "$here" route del 10.9.0.9 dev wan0 table 220
	before=$(state)
	# Everything else in these is right.
	refused EEXIST '*' 'another peer' peer-set ifname=ov0 \
		peer{ name=a on-down=1 route-limit=3 addr=10.9.0.4 addr=10.9.0.3 }
	refused EAFNOSUPPORT '*' 'next hop' peer-set ifname=ov0 peer{ name=c addr=10.9.0.5 on-down=1 }
	refused EEXIST '*' "somebody else's route" peer-set ifname=ov0 \
		peer{ name=a on-down=1 addr=10.9.0.4 addr=10.9.0.5 addr=10.9.0.9 }
	refused EEXIST '*' "somebody else's route" peer-new+create ifname=ov0 \
		peer{ name=d addr=10.9.0.4 addr=10.9.0.9 addr=10.9.0.5 }
	same "$before" "$(state)" "state after refusals"
}

test_delete_takes_all_along() {
	fresh multipoint
	granted peer-new+create ifname=ov0 peer{ name=a addr=10.9.0.2 }
	granted peer-new+create ifname=ov0 peer{ name=b addr=10.9.0.3 }
	granted path-new+create ifname=ov0 path{ if-id-in=7 peer-name=a endpoint=192.0.2.2 }
	granted route-new+create ifname=ov0 route{ dst=10.20.0.0 prefixlen=16 peer-name=a }
	granted peer-del ifname=ov0 peer{ name=a }
	same "b" "$(entries peer-get | field name)" "peers"
	same "" "$(entries path-get)" "paths"
	same "10.9.0.3" "$(entries route-get | field dst)" "routes"
	same "" "$(throws)" "throw routes"
	same "10.9.0.3" "$(routes | cut -d' ' -f1)" "table"
	refused ENOENT peer.name 'no such peer' peer-del ifname=ov0 peer{ name=a }
	granted peer-del ifname=ov0 peer{ id=2 }
	# An id is not used again at once: a late request must not hit another peer.
	matches 'id=3 name=a' granted peer-new+create ifname=ov0 peer{ name=a }
}

test_p2p_has_one_peer() {
	local before
	fresh p2p
	granted peer-new+create ifname=ov0 peer{ name=a addr=10.9.0.2 }
	before=$(state)
	refused EEXIST '*' 'one peer.*multipoint' peer-new+create ifname=ov0 peer{ name=b addr=10.9.0.3 }
	refused EEXIST '*' 'one peer.*multipoint' peer-new+create+replace ifname=ov0 peer{ name=b }
	same "$before" "$(state)" "state after refusals"
	granted peer-new+create+replace ifname=ov0 peer{ name=a on-down=1 }
	granted peer-del ifname=ov0 peer{ name=a }
	granted peer-new+create ifname=ov0 peer{ name=b addr=10.9.0.3 }
}

test_limit_refuses_and_what_is_there_stays() {
	fresh multipoint
	granted peer-new+create ifname=ov0 peer{ name=a addr=10.9.0.2 route-limit=2 }
	granted route-new+create ifname=ov0 route{ dst=10.20.0.0 prefixlen=16 peer-name=a }
	granted route-new+create ifname=ov0 route{ dst=10.21.0.0 prefixlen=16 peer-name=a }
	refused ENOSPC '*' 'limit' route-new+create ifname=ov0 route{ dst=10.22.0.0 prefixlen=16 peer-name=a }
	# One that exists counts once.
	granted route-new+replace ifname=ov0 route{ dst=10.21.0.0 prefixlen=16 peer-name=a }
	has 'routes=2' peer_get a
	granted peer-set ifname=ov0 peer{ name=a route-limit=1 }
	same 3 "$(routes | grep -c .)" "routes in the table"
	refused ENOSPC '*' 'limit' route-new+create ifname=ov0 route{ dst=10.22.0.0 prefixlen=16 peer-name=a }
	granted route-del ifname=ov0 route{ dst=10.20.0.0 prefixlen=16 }
	granted peer-set ifname=ov0 peer{ name=a route-limit=0 }
	granted route-new+create ifname=ov0 route{ dst=10.22.0.0 prefixlen=16 peer-name=a }
}

test_limit_disables_until_it_is_set_again() {
	fresh multipoint
	granted peer-new+create ifname=ov0 peer{ name=a addr=10.9.0.2 route-limit=2 limit-action=1 }
	granted peer-new+create ifname=ov0 peer{ name=b addr=10.9.0.3 }
	has 'limit-action=1 routes-disabled=0' peer_get a
	granted route-new+create ifname=ov0 route{ dst=10.20.0.0 prefixlen=16 protocol=12 peer-name=a }
	granted route-new+create ifname=ov0 route{ dst=10.21.0.0 prefixlen=16 protocol=186 peer-name=a }
	granted route-new+create ifname=ov0 route{ dst=10.31.0.0 prefixlen=16 protocol=12 peer-name=b }
	refused ENOSPC '*' 'limit' route-new+create ifname=ov0 route{ dst=10.22.0.0 prefixlen=16 peer-name=a }
	# Those of this peer go, but for its system address; it owns them still.
	wait_for 10 "its routes leave the table" lacks '^10.2[0-9].0.0' routes
	same $'10.9.0.2\n10.9.0.3\n10.31.0.0/16' "$(routes | cut -d' ' -f1)" "table"
	has 'routes=2 routes-disabled=1' peer_get a
	has 'dst=10.20.0.0 flags=0' entries route-get ifname=ov0 route{ peer-name=a }
	refused ENOSPC '*' 'limit' route-new+create ifname=ov0 route{ dst=10.22.0.0 prefixlen=16 peer-name=a }
	# A daemon that repeats itself does not decide that it is over.
	granted peer-new+create+replace ifname=ov0 peer{ name=a route-limit=2 limit-action=1 }
	granted peer-set ifname=ov0 peer{ name=a on-down=0 }
	has 'routes-disabled=1' peer_get a
	granted peer-set ifname=ov0 peer{ name=a route-limit=3 }
	has 'routes-disabled=0' peer_get a
	wait_for 10 "its routes are back" matches '^10.21.0.0/16 via 10.9.0.2' routes
	granted route-new+create ifname=ov0 route{ dst=10.22.0.0 prefixlen=16 peer-name=a }
	same 3 "$(routes | grep -c '^10.2[0-9].0.0')" "routes in the table"
}

test_lower_limit_disables_at_once() {
	local i
	fresh multipoint
	granted peer-new+create ifname=ov0 peer{ name=a addr=10.9.0.2 route-limit=4 limit-action=1 }
	granted peer-new+create ifname=ov0 peer{ name=b addr=10.9.0.3 }
	for i in 20 21 22; do
		granted route-new+create ifname=ov0 route{ "dst=10.$i.0.0" prefixlen=16 protocol=12 peer-name=a }
	done
	granted route-new+create ifname=ov0 route{ dst=10.40.0.0 prefixlen=16 protocol=12 peer-name=a peer-name=b }
	# As many as there are is not below.
	granted peer-set ifname=ov0 peer{ name=a route-limit=4 }
	has 'routes=4 routes-disabled=0' peer_get a
	# Nobody has to ask for one too many.
	granted peer-set ifname=ov0 peer{ name=a route-limit=3 }
	has 'routes=4 route-limit=3 routes-disabled=1' peer_get a
	wait_for 10 "its routes leave the table" lacks '^10.2[0-9].0.0|via 10.9.0.2 ' routes
	same $'10.9.0.2\n10.9.0.3\n10.40.0.0/16' "$(routes | cut -d' ' -f1)" "table"
	# The action alone ends it, with the limit as it was.
	granted peer-set ifname=ov0 peer{ name=a limit-action=0 }
	has 'routes=4 route-limit=3 limit-action=0 routes-disabled=0' peer_get a
	wait_for 10 "its routes are back" taught_routes_are 3 2
	refused ENOSPC '*' 'limit' route-new+create ifname=ov0 route{ dst=10.23.0.0 prefixlen=16 protocol=12 peer-name=a }
	has 'routes=4 routes-disabled=0' peer_get a
	# And alone begins it.
	granted peer-set ifname=ov0 peer{ name=a limit-action=1 }
	has 'routes=4 routes-disabled=1' peer_get a
	wait_for 10 "its routes leave the table again" taught_routes_are 0 1
}

# taught_routes_are N HOPS: so many routes of a alone in the table, and so many next
# hops of the one that it shares.
taught_routes_are() {
	local table
	table=$(routes)
	echo "$table"
	[ "$(grep -c '^10.2[0-9].0.0/16 via 10.9.0.2 ' <<<"$table")" = "$1" ] &&
		[ "$(sed -n '/^10.40.0.0/,$p' <<<"$table" | grep -c ' via ')" = "$2" ]
}

test_limit_disables_only_what_protocols_taught() {
	fresh multipoint
	granted peer-new+create ifname=ov0 peer{ name=a addr=10.9.0.2 route-limit=3 limit-action=1 }
	granted route-new+create ifname=ov0 route{ dst=10.20.0.0 prefixlen=16 peer-name=a }
	granted route-new+create ifname=ov0 route{ dst=10.21.0.0 prefixlen=16 protocol=4 peer-name=a }
	granted route-new+create ifname=ov0 route{ dst=10.22.0.0 prefixlen=16 protocol=5 peer-name=a }
	refused ENOSPC '*' 'limit' route-new+create ifname=ov0 route{ dst=10.23.0.0 prefixlen=16 protocol=12 peer-name=a }
	wait_for 10 "what was taught leaves the table" lacks '^10.22' routes
	same $'10.9.0.2\n10.20.0.0/16\n10.21.0.0/16' "$(routes | cut -d' ' -f1)" "table"
	# Nor does a look at the whole table take them away.
	granted dev-resync ifname=ov0
	same $'10.9.0.2\n10.20.0.0/16\n10.21.0.0/16' "$(routes | cut -d' ' -f1)" "table after a resync"
}

test_address_that_the_table_refuses_says_why() {
	fresh multipoint
	ip -n "$here" link set ov0 up
	in_ns here sysctl -qw net.ipv6.conf.ov0.disable_ipv6=1
	refused EACCES '*' 'IPv6 is disabled' peer-new+create ifname=ov0 peer{ name=a addr=10.9.0.2 addr=fd09::2 }
	lacks 'name=a' entries peer-get
	in_ns here sysctl -qw net.ipv6.conf.ov0.disable_ipv6=0
	granted peer-new+create ifname=ov0 peer{ name=a addr=10.9.0.2 addr=fd09::2 }
	ip -n "$here" route add 10.9.0.3 dev wan0 table 220
	defer ip -n "$here" route del 10.9.0.3 dev wan0 table 220
	refused EEXIST '*' "somebody else's" peer-new+create ifname=ov0 peer{ name=b addr=10.9.0.3 }
}

test_mark_and_priority() {
	fresh multipoint
	granted peer-new+create ifname=ov0 peer{ name=a mark=4294967295 priority=7 }
	has 'mark=4294967295 priority=7' peer_get a
	granted peer-set ifname=ov0 peer{ name=a mark=0 }
	has 'mark=0 priority=7' peer_get a
}

test_backup_is_set_shown_and_forgotten() {
	local before
	fresh multipoint
	peers a=10.9.0.1 b=10.9.0.2 c=10.9.0.3
	has 'backup-id=0 via-backup=0' peer_get a
	granted peer-set ifname=ov0 peer{ name=a backup-name=b }
	has 'backup-id=2 backup-name=b via-backup=0' peer_get a
	granted peer-set ifname=ov0 peer{ name=b backup-id=1 }
	has 'backup-id=1 backup-name=a' peer_get b
	granted peer-new+create ifname=ov0 peer{ name=d backup-id=3 backup-name=c }
	has 'backup-id=3 backup-name=c' peer_get d
	before=$(state)
	refused EINVAL '*' 'its own backup' peer-set ifname=ov0 peer{ name=a backup-name=a on-down=1 }
	refused ENOENT peer.backup-name 'no such peer' peer-set ifname=ov0 peer{ name=a backup-name=x on-down=1 }
	refused ENOENT peer.backup-id 'no such peer' peer-set ifname=ov0 peer{ name=a backup-id=99 on-down=1 }
	refused EINVAL '*' 'two peers' peer-set ifname=ov0 peer{ name=a backup-id=2 backup-name=c on-down=1 }
	refused ENOENT '*' 'no such peer' peer-new+create ifname=ov0 peer{ name=e backup-name=e }
	same "$before" "$(state)" "state after refusals"
	# The backup takes over while it is up and the other is down.
	granted path-new+create ifname=ov0 path{ if-id-in=7 peer-name=b }
	sa_pair 7
	has 'state=0 backup-id=2 via-backup=1' peer_get a
	sa_pair_del 7
	has 'state=0 backup-id=2 via-backup=0' peer_get a
	# Cleared, and gone with the other.
	granted peer-set ifname=ov0 peer{ name=a backup-id=0 }
	has 'backup-id=0' peer_get a
	lacks 'backup-name' peer_get a
	granted peer-del ifname=ov0 peer{ name=c }
	has 'backup-id=0' peer_get d
	lacks 'backup-name' peer_get d
	fresh p2p
	granted peer-new+create ifname=ov0 peer{ name=a }
	refused EOPNOTSUPP peer.backup-name 'p2p' peer-set ifname=ov0 peer{ name=a backup-name=a }
}

test_names_are_per_device() {
	fresh multipoint
	fresh multipoint ov1
	defer ip -n "$here" link del ov1
	granted peer-new+create ifname=ov0 peer{ name=a }
	granted peer-new+create ifname=ov1 peer{ name=a }
	granted peer-del ifname=ov0 peer{ name=a }
	same "ov1" "$(entries peer-get | field ifname)" "devices with a peer"
	same "" "$(entries peer-get ifname=ov0)" "peers of ov0"
}

CASES="
test_flags_of_new				new: every combination of flags, for a peer that exists and one that does not
test_answer_of_new_names_the_peer		the answer to new has the id and the name, also a made-up one
test_everything_that_is_set_is_shown		everything that is set is shown, by id, name, both and in dumps
test_set_changes_what_it_names			set changes what it names, and nothing else
test_addresses_are_replaced_as_a_list		system addresses are replaced as a list, and the table follows
test_refused_set_changes_nothing		a set that is refused for one reason changes nothing
test_delete_takes_all_along			delete takes paths and routes along, and the id is not used again
test_p2p_has_one_peer				a p2p device has one peer
test_limit_refuses_and_what_is_there_stays	the route limit refuses, and what is there stays
test_limit_disables_until_it_is_set_again	a limit that disables: routes leave the table until it is set again
test_lower_limit_disables_at_once		a limit below what is there disables at once, until the action changes
test_limit_disables_only_what_protocols_taught	limit action disable leaves what an administrator gave the peer
test_address_that_the_table_refuses_says_why	an address that the table refuses says why
test_mark_and_priority				mark and priority are set and shown
test_backup_is_set_shown_and_forgotten		a backup is set by id and name, shown, refused, cleared, and goes with its peer
test_names_are_per_device			names are per device
"
run_cases "$@"
