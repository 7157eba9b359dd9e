#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# apply.sh: "ovlyhelper apply" on both ends: up, nothing twice, only what differs, and
# gone again; and what it says when something is wrong.

# shellcheck source=selftests/e2e/setup.sh
. "$(dirname "$0")/setup.sh"
# shellcheck source=selftests/e2e/apply-setup.sh
. "$E2E/apply-setup.sh"

suite_setup() { apply_setup; }

# written NODE: names, times and contents of all that apply writes.
written() {
	(cd "$WORK/$1/etc" && stat -c '%n %a %i %Y' swanctl/conf.d/* bird.conf charon-ovly.conf &&
		sha256sum swanctl/conf.d/* bird.conf charon-ovly.conf)
}

test_file_of_somebody_else_is_refused_and_nothing_changed() {
	local before

	conf branch
	before=$(find "$WORK/branch/etc" -type f -exec sha256sum {} + | sort)
	! apply branch >"$WORK/said" || fail "bird.conf was overwritten: $(cat "$WORK/said")"
	matches 'bird.conf was not written by .* --force' cat "$WORK/said"
	same "$before" "$(find "$WORK/branch/etc" -type f -exec sha256sum {} + | sort)" "files"
	same "" "$(ip -n branch -o link show type ovly)" "devices"
}

test_bad_file_is_refused_with_its_place() {
	local rc=0

	conf branch 's/local-bridge/local-brigde/'
	apply branch --force >"$WORK/said" || rc=$?
	same 2 "$rc" "exit status"
	matches "ovly.conf:3:3: 'local-brigde' is not .* did you mean 'local-bridge'" cat "$WORK/said"
	same "" "$(ls "$WORK/branch/etc/swanctl/conf.d")" "files"
}

test_two_files_bring_overlay_and_bgp_up() {
	both_up
	matches 'myconn +up after' cat "$WORK/branch/log/apply.out"
	matches '^state +up' node branch "$OVLYHELPER" show secure-overlay
	matches 'router id 192.0.2.1' cat "$WORK/branch/etc/bird.conf.before-ovly"
	pings branch "$BR_SYSTEM" 81.81.81.1
	pings hub 81.81.81.1 192.168.1.1
}

test_secrets_are_hidden() {
	local out opt

	both_up
	same 600 "$(stat -c %a "$WORK/branch/etc/swanctl/conf.d/ovly-secrets.conf")" "mode"
	lacks "$KEY" apply branch --print strongswan
	conf branch 's/local-psk [^ ]*/local-psk another-one/' 's/remote-psk .*/remote-psk another-one/' \
		"s/neighbor.*/&\n neighbor $HUB_SYSTEM password another-one/"
	out=$(apply branch --diff)
	matches 'secrets' echo "$out"
	matches '^\+.*password \(not shown\)' echo "$out"
	for opt in '--diff' '--diff --json' '--dry-run' '--check' '--check --json' '--print strongswan' '--print bird'; do
		# shellcheck disable=SC2086 # one or two words
		lacks "$KEY|another-one" apply branch $opt
	done
	lacks "$KEY|another-one" cat "$WORK/branch/log/apply.out"
	# BIRD's file has a key now, and BIRD's group reads it
	apply branch --force --no-wait
	same 600 "$(stat -c %a "$WORK/branch/etc/swanctl/conf.d/ovly-secrets.conf")" "mode"
	both_up
}

test_second_apply_changes_nothing() {
	local n before ids events

	both_up
	monitor_start branch
	ids=$(sa_ids branch child)
	for n in branch hub; do
		before=$(written "$n")
		matches 'nothing to change' apply "$n" --dry-run
		matches '"changed": false' apply "$n" --diff --json
		matches 'nothing to change' apply "$n"
		same "$before" "$(written "$n")" "files of $n"
	done
	same "$ids" "$(sa_ids branch child)" "SAs"
	events=$(table_events branch 220)
	same "" "$events" "events in table 220"
}

test_edited_file_changes_only_what_differs() {
	local ids before

	both_up
	ids=$(sa_ids branch child)
	before=$(sha256sum "$WORK"/hub/etc/swanctl/conf.d/*)
	conf hub 's/network 81.*/&\nnetwork 198.51.100.0\/24/'
	matches '\+.*route 198.51.100.0/24' apply hub --diff
	apply hub
	wait_for 30 "the branch has learned it" has_route branch 198.51.100.0/24
	same "$before" "$(sha256sum "$WORK"/hub/etc/swanctl/conf.d/*)" "strongSwan's files of the hub"
	conf branch 's/psk local/mtu 1400\n&/'
	matches 'ipsec0: set mtu 1400' apply branch --dry-run
	conf hub
	apply hub
	wait_for 30 "it is withdrawn" no_route branch 198.51.100.0/24
	same "$ids" "$(sa_ids branch child)" "SAs"
}

test_deleted_device_comes_back() {
	both_up
	ip -n branch link del ipsec0
	matches 'ipsec0: create the device' apply branch
	wait_table branch 60 "$BR_TABLE"
	pings branch "$BR_SYSTEM" 81.81.81.1
}

# A daemon that waits for the own address and calls the neighbour, as BIRD does.
# shellcheck disable=SC2016 # the inner shell expands it
caller='while :; do socat -u /dev/null "TCP4:$2:179,bind=$1,connect-timeout=1"; sleep 0.02; done'

# what_is_said PEER: what is no state of the branch's peer.
what_is_said() { peer_json branch "$1" | jq -c '[.id, .addr, ."on-down", ."route-limit", ."limit-action", .mark, .priority]'; }

test_nothing_leaves_in_clear_before_the_tunnel_is_up() {
	local events=$WORK/early.events before said
	local other=('s/overlay myconn/overlay other/' 's/psk local/route-limit 99 action disable\npacket-mark 7\n&/')
	# Nobody has this outer address.
	local absent="s/$HUB_WAN/10.88.247.70/"

	both_up
	ip -n branch link del ipsec0
	conf branch "$absent" "${other[@]}"
	matches "^device +ipsec0: add peer other $HUB_SYSTEM, limit 99, limit-action disable, mark 7" apply branch --dry-run
	capture_start early
	monitor_routes branch "$events" address
	node_start branch caller bash -c "$caller" caller "$BR_SYSTEM" "$HUB_SYSTEM"
	defer node_stop branch caller
	! apply branch --timeout 5 >"$WORK/said" || fail "it came up: $(cat "$WORK/said")"
	same down "$(peer_json branch other | jq -r .state)" "the peer's state"
	said=$(what_is_said other)
	matches '"disable",7,' echo "$said"
	matches "^$HUB_SYSTEM from $BR_SYSTEM dev ipsec0" ip -n branch route get "$HUB_SYSTEM" from "$BR_SYSTEM"
	before=$(route_events branch "$events" | sed -n "/inet $BR_SYSTEM/q;p")
	matches "inet $BR_SYSTEM" route_events branch "$events"
	matches "^$HUB_SYSTEM dev ipsec0 table 220" echo "$before"
	wait_for 20 "the caller is refused" matches 'No route to host' cat "$WORK/branch/log/caller.out"
	node_stop branch caller
	capture_stop early
	same "" "$(capture_strangers early)" "on the WAN"
	# What is changed in the file does not wait for a tunnel either.
	conf branch "$absent" "${other[@]}" "s/$HUB_SYSTEM/166.34.121.113/"
	! apply branch --timeout 5 >"$WORK/said" || fail "it came up: $(cat "$WORK/said")"
	matches 'ipsec0: set peer other to 166.34.121.113' cat "$WORK/said"
	has_route branch 166.34.121.113
	no_route branch "$HUB_SYSTEM"
	conf branch "$absent" "${other[@]}"
	! apply branch --timeout 5 >"$WORK/said" || fail "it came up: $(cat "$WORK/said")"
	# The first updown finds the peer as it is to be.
	conf branch "${other[@]}"
	lacks ' peer other' apply branch
	same "$said" "$(what_is_said other)" "the peer"
	same up "$(peer_json branch other | jq -r .state)" "its state"
	wait_table branch 60 "$BR_TABLE"
	pings branch "$BR_SYSTEM" 81.81.81.1
	both_up
}

test_wrong_key_is_told() {
	both_up
	conf branch 's/local-psk [^ ]*/local-psk wrong/' 's/remote-psk .*/remote-psk wrong/' \
		's/overlay myconn/overlay other/'
	! apply branch >"$WORK/said" || fail "it came up: $(cat "$WORK/said")"
	matches 'other +not up' cat "$WORK/said"
	matches 'hint: the other end does not accept our psk' cat "$WORK/said"
}

test_silent_head_end_is_told() {
	both_up
	conf branch "s/$HUB_WAN/10.88.247.70/" 's/overlay myconn/overlay other/'
	! apply branch --timeout 15 >"$WORK/said" || fail "it came up: $(cat "$WORK/said")"
	matches 'other +not up: the other end does not answer' cat "$WORK/said"
	# one that never had a tunnel goes, too, and makes room
	conf branch
	apply branch >"$WORK/said"
	matches 'ipsec0: delete peer other' cat "$WORK/said"
	matches "ipsec0: add peer myconn $HUB_SYSTEM" cat "$WORK/said"
}

test_removed_overlay_leaves_nothing() {
	both_up
	sed '/^!$/,$d; /^secure/,$d' "$WORK/branch.in" >"$WORK/branch/etc/ovly.conf"
	matches 'ipsec0: delete the device' apply branch
	same "" "$(ip -n branch -o link show type ovly)" "devices"
	same "" "$(sa_names branch)" "connections"
	same "" "$(node branch swanctl --list-conns)" "configured connections"
	lacks 'bgp' birdc branch show protocols
	same "" "$(left_behind branch)" "left behind"
	matches 'nothing to change' apply branch
	both_up
}

# tells STATUS PATTERN COMMAND...: it ends so, and says that in its last line.
tells() {
	local status=$1 want=$2 rc=0 out

	shift 2
	out=$("$@" 2>&1) || rc=$?
	same "$status" "$rc" "exit status; it says: $out"
	matches "$want" tail -n 1 <<<"$out"
}

test_what_people_get_wrong_is_told() {
	local f=$WORK/branch/etc/ovly.conf other=(setpriv --reuid=65534 --regid=65534 --clear-groups) swanctl

	both_up
	: >"$f"
	tells 2 'ovly.conf: 1 error, nothing was changed' apply branch
	matches 'ovly.conf: the file is empty: .* leave a comment in it' said apply branch
	cp /bin/true "$f"
	matches 'ovly.conf:1:[0-9]+: there is a NUL byte, this is no text file' said apply branch
	rm "$f"
	tells 2 'there is no file .*/ovly.conf' apply branch
	conf branch
	chmod 600 "$f"
	tells 4 'cannot read .*/ovly.conf: Permission denied: run this as root' \
		node branch "${other[@]}" "$OVLYHELPER" apply "$f"
	chmod 644 "$f"
	tells 4 'ovly-secrets.conf: Permission denied: run this as root' \
		node branch "${other[@]}" "$OVLYHELPER" apply "$f" --bird-version 2
	swanctl=$(command -v swanctl)
	mv "$swanctl" "$swanctl.away"
	defer mv "$swanctl.away" "$swanctl"
	tells 3 'strongSwan is not installed: apt-get install' apply branch
}

test_daemons_that_do_not_run_are_told() {
	both_up
	node_stop branch charon
	tells 3 'strongSwan does not answer: start it \(systemctl start strongswan\)' apply branch
	charon_start branch
	node_stop branch bird
	tells 3 'BIRD does not answer: .*start it \(systemctl start bird\)' apply branch
	bird_start branch
	both_up
}

test_module_that_is_not_loaded_is_told() {
	local before

	both_up
	rmmod ovly
	defer load_ovly
	conf branch 's/psk local/mtu 1400\n&/'
	before=$(written branch)
	tells 3 "module ovly is not loaded, load it with 'modprobe ovly'" apply branch
	same "$before" "$(written branch)" "files"
	load_ovly
	both_up
	pings branch "$BR_SYSTEM" 81.81.81.1
}

refusals() { grep -c 'received NO_PROPOSAL_CHOSEN' "$WORK/branch/log/charon.log"; }
more_refusals() { [ "$(refusals)" -gt "$1" ]; }
asleep() { [ -z "$(sa_names branch)" ]; }

# A head-end whose strongSwan runs and has not read its file yet: its refusal is final.
test_overlay_that_was_refused_is_asleep_until_woken() {
	local file=$WORK/hub/etc/swanctl/conf.d/ovly.conf before

	both_up
	before=$(refusals) || true
	mv "$file" "$file.away"
	defer eval "mv '$file.away' '$file' 2>/dev/null || true"
	node hub swanctl --load-conns
	node hub swanctl --terminate --ike branch1 --force
	wait_for 60 "the branch is refused" more_refusals "$before"
	wait_for 10 "strongSwan gives up" asleep
	mv "$file.away" "$file"
	node hub swanctl --load-conns
	same "" "$(sa_names branch)" "SAs"
	# what else the file says is not done
	conf branch 's/psk local/mtu 1400\n&/'
	before=$(written branch)
	same "myconn      was asleep, strongSwan is told to connect" "$(apply branch --wake)" "what is woken"
	same "$before" "$(written branch)" "files"
	conf branch
	wait_table branch 60 "$BR_TABLE"
	pings branch "$BR_SYSTEM" 81.81.81.1
	same "" "$(apply branch --wake)" "what is woken when all is up"
	conf branch 's/overlay myconn/overlay other/'
	tells 1 'strongSwan has no connection other: apply the file first' apply branch --wake
	node_stop branch charon
	tells 3 'strongSwan does not answer' apply branch --wake
	charon_start branch
	both_up
}

# shellcheck disable=SC2034 # run_cases reads it
CASES="
test_file_of_somebody_else_is_refused_and_nothing_changed	a file that apply did not write is refused, nothing is changed
test_bad_file_is_refused_with_its_place	a bad file is refused with line, column and a suggestion
test_two_files_bring_overlay_and_bgp_up	one file on each end brings tunnel, BGP and routes up
test_secrets_are_hidden	secrets are in a file of mode 0600 and in no output
test_second_apply_changes_nothing	the same file again changes no file, SA or route
test_edited_file_changes_only_what_differs	an edited file changes only what differs
test_deleted_device_comes_back	a device that was deleted by hand comes back with its peer
test_nothing_leaves_in_clear_before_the_tunnel_is_up	nothing leaves in clear before the tunnel is up, which finds its peer
test_wrong_key_is_told	a wrong key is told with the way out
test_silent_head_end_is_told	a head-end that does not answer is told
test_what_people_get_wrong_is_told	an empty, binary, missing or forbidden file, and no strongSwan: one sentence each
test_daemons_that_do_not_run_are_told	daemons that do not run are told
test_module_that_is_not_loaded_is_told	a module that is not loaded is told, and nothing is changed
test_overlay_that_was_refused_is_asleep_until_woken	an overlay that strongSwan gave up is woken, and no more than that
test_removed_overlay_leaves_nothing	an overlay that is removed leaves nothing behind
"
run_cases "$@"
