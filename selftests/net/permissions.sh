#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# permissions.sh: who may ask for what. Everything needs CAP_NET_ADMIN over the
# network namespace; who owns one may do everything in it, and nothing elsewhere.

# Braces are ovlynl's.
# shellcheck disable=SC1083
# shellcheck source=selftests/control.sh
. "${OVLY_TOP:?}/selftests/control.sh"

suite_setup() {
	underlay
	fresh multipoint
	peers hub=10.9.0.2
	granted path-new+create ifname=ov0 path{ if-id-in=7 peer-name=hub endpoint=192.0.2.2 }
	granted route-new+create ifname=ov0 route{ dst=10.20.0.0 prefixlen=16 peer-name=hub }
	sa_pair 7
}

# unprivileged COMMAND...: in "here", as nobody and without a capability.
unprivileged() { in_ns here setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set -all --inh-caps -all "$@"; }
# almost_root COMMAND...: root with all capabilities but that one.
almost_root() { in_ns here setpriv --bounding-set -net_admin --inh-caps -net_admin "$@"; }

# request COMMAND: one that the owner of the namespace would be granted.
request() {
	case $1 in
	dev-get | dev-resync | sync-begin | route-flush) echo "$1 ifname=ov0" ;;
	dev-set) echo "$1 ifname=ov0 dev{ src-valid=1 }" ;;
	peer-new) echo "$1+create ifname=ov0 peer{ name=x }" ;;
	peer-set) echo "$1 ifname=ov0 peer{ name=hub on-down=1 }" ;;
	peer-get | peer-del) echo "$1 ifname=ov0 peer{ name=hub }" ;;
	path-new) echo "$1+create ifname=ov0 path{ if-id-in=8 peer-name=hub }" ;;
	path-set) echo "$1 path{ if-id-in=7 priority=1 }" ;;
	path-get | path-del) echo "$1 path{ if-id-in=7 }" ;;
	route-new) echo "$1+create ifname=ov0 route{ dst=10.21.0.0 prefixlen=16 peer-name=hub }" ;;
	route-del) echo "$1 ifname=ov0 route{ dst=10.20.0.0 prefixlen=16 }" ;;
	route-get) echo "$1 ifname=ov0 route{ dst=10.20.0.0 prefixlen=16 }" ;;
	sync-end) echo "$1 ifname=ov0 cookie=1" ;;
	*) fail "this test does not know the command $1" ;;
	esac
}

# said COMMAND...: what it says, whatever its status.
said() { "$@" || true; }

# may_nothing PREFIX...: every command is EPERM, also as a dump, and so is the group.
may_nothing() {
	local before command
	before=$(state)
	for command in $(ovlynl commands | grep -vx event); do
		request "$command"
	done >"$OVLY_OUT/requests"
	said "$@" ovlynl 'do' - <"$OVLY_OUT/requests" | tee "$OVLY_OUT/answers"
	same "$(wc -l <"$OVLY_OUT/requests")" "$(grep -c '^EPERM attr=- ' "$OVLY_OUT/answers")" "refused commands"
	for command in dev-get peer-get path-get route-get; do
		matches '^EPERM attr=- ' said "$@" ovlynl dump "$command"
		matches '^EPERM attr=- ' said "$@" ovlynl dump "$command" ifname=ov0
	done
	matches '^EPERM ' said "$@" ovlynl listen -n 1
	matches '^EPERM ' said "$@" ovlynl 'do' link-new+create ifname=ov5 linkinfo{ kind=ovly }
	matches '^EPERM ' said "$@" ovlynl 'do' link-new ifname=ov0 linkinfo{ kind=ovly data{ src-valid=1 } }
	same "$before" "$(state)" "state after what was refused"
}

test_nobody_may_nothing() { may_nothing unprivileged; }

test_all_capabilities_but_net_admin_are_not_enough() { may_nothing almost_root; }

# A user namespace of somebody who is nobody outside, with a network of its own.
# its COMMAND...: runs there; own_namespace starts it.
own_namespace() {
	: >"$OVLY_OUT/owner"
	# Not in_ns: $! has to be the owner itself.
	ip netns exec "$here" setpriv --reuid 65534 --regid 65534 --clear-groups \
		unshare -Urn sh -c 'echo ready; exec sleep 1000' >"$OVLY_OUT/owner" &
	OWNER=$!
	defer eval "kill $OWNER 2>/dev/null"
	wait_for 10 "the namespace is there" grep ready "$OVLY_OUT/owner"
	# Without any address IPv4 knows no gateway there.
	its ip link set lo up
}

its() { nsenter -t "$OWNER" -U -n "$@"; }
its_listener() {
	: >"$OVLY_OUT/its-events"
	nsenter -t "$OWNER" -U -n ovlynl listen >"$OVLY_OUT/its-events" &
	defer eval "kill $! 2>/dev/null"
	wait_for 10 "its listener is there" grep listening "$OVLY_OUT/its-events"
}
its_nl() { its ovlynl 'do' -s "$@"; }

test_owner_of_a_namespace_may_everything_in_it() {
	local command
	own_namespace
	its ip link add ov0 type ovly
	its ip link set ov0 up
	its_nl peer-new+create ifname=ov0 peer{ name=hub addr=10.9.0.2 }
	its_nl path-new+create ifname=ov0 path{ if-id-in=7 peer-name=hub endpoint=198.51.100.9 }
	its_nl route-new+create ifname=ov0 route{ dst=10.20.0.0 prefixlen=16 peer-name=hub }
	matches '^10.20.0.0/16 dev ov0' its ip route show table 220
	matches '^throw 198.51.100.9' its ip route show table 220
	matches '^220:.*lookup 220' its ip rule
	its_listener
	# Every command; those that delete come last.
	for command in dev-get dev-set dev-resync peer-get peer-set path-new path-set path-get route-new route-get \
		sync-begin sync-end route-flush path-del peer-del; do
		request "$command" | its ovlynl 'do' -s - | tail -n 1 | {
			read -r answer
			case $answer in
			ok) ;;
			*) fail "$command: $answer" ;;
			esac
		}
	done
	wait_for 10 "its events" grep event=peer-del "$OVLY_OUT/its-events"
	its ip link del ov0
}

test_owner_of_a_namespace_sees_nothing_of_others() {
	local before
	own_namespace
	its ip link add ov1 type ovly
	its_nl peer-new+create ifname=ov1 peer{ name=mine addr=10.9.0.2 }
	its_listener
	before=$(state)
	same ov1 "$(its ovlynl dump dev-get | field ifname)" "devices"
	same mine "$(its ovlynl dump -s peer-get | field name)" "peers"
	same "" "$(its ovlynl dump path-get | field if-id-in)" "paths"
	same 10.9.0.2 "$(its ovlynl dump route-get | field dst)" "routes"
	matches '^ENODEV' said its_nl dev-get ifname=ov0
	matches '^ENOENT' said its_nl path-get path{ if-id-in=7 }
	matches '^ENOENT' said its_nl path-del path{ if-id-in=7 }
	# An if-id of others is free here.
	its_nl path-new+create ifname=ov1 path{ if-id-in=7 peer-name=mine }
	has 'state=0 sa-in=0 sa-out=0' its_nl path-get path{ if-id-in=7 }
	same "$before" "$(state)" "state of the others"
	granted peer-set ifname=ov0 peer{ name=hub on-down=0 }
	its_nl peer-set ifname=ov1 peer{ name=mine on-down=0 }
	wait_for 10 "its event" grep 'event=peer-set .*name=mine' "$OVLY_OUT/its-events"
	lacks 'name=hub' cat "$OVLY_OUT/its-events"
}

test_device_that_moved_keeps_its_sas_protected() {
	local before request
	own_namespace
	granted link-new+create ifname=ov5 linkinfo{ kind=ovly data{ mode=1 } }
	granted peer-new+create ifname=ov5 peer{ name=far addr=10.5.0.2 }
	granted path-new+create ifname=ov5 path{ if-id-in=5 peer-name=far }
	sa_pair 5
	defer sa_pair_del 5
	ip -n "$here" link set ov5 netns "$OWNER"
	its ip link set ov5 up
	# The SAs stay behind, and they are not for the new owner to give and take.
	before=$(its ovlynl dump -s dev-get; its ovlynl dump -s peer-get)
	matches 'state=1 .*active-path=5' echo "$before"
	for request in "path-new+create ifname=ov5 path{ if-id-in=6 peer-name=far }" \
		"path-new+create+replace ifname=ov5 path{ if-id-in=5 peer-name=far }" \
		"path-set ifname=ov5 path{ if-id-in=5 priority=1 }" "path-del ifname=ov5 path{ if-id-in=5 }" \
		"path-get ifname=ov5 path{ if-id-in=5 }"; do
		# shellcheck disable=SC2086 # words
		matches '^EPERM attr=path "ovly: ' said its_nl $request
	done
	# Nor their marks, nor the peer with its paths.
	matches '^EPERM attr=peer.mark "ovly: ' said its_nl peer-set ifname=ov5 peer{ name=far mark=7 }
	matches '^EPERM attr=peer.priority "ovly: ' said its_nl peer-new+create+replace ifname=ov5 peer{ name=far priority=7 }
	matches '^EPERM attr=peer "ovly: ' said its_nl peer-del ifname=ov5 peer{ name=far }
	matches '^EPERM attr=dev "ovly: ' said its_nl dev-set ifname=ov5 dev{ src-valid=2 }
	matches '^EPERM ' said its_nl link-new ifname=ov5 linkinfo{ kind=ovly data{ src-valid=2 } }
	same "end entries=0 messages=1 intr=0" "$(its ovlynl dump path-get)" "paths that it sees"
	same "$before" "$(its ovlynl dump -s dev-get; its ovlynl dump -s peer-get)" "state"
	# Its routes are.
	its_nl route-new+create ifname=ov5 route{ dst=10.55.0.0 prefixlen=16 peer-name=far }
	matches '^10.55.0.0/16 via 10.5.0.2 dev ov5' its ip route show table 220
	# Root may, from there.
	has 'if-id-in=5 state=2' nsenter -t "$OWNER" -n ovlynl 'do' -s path-get ifname=ov5 path{ if-id-in=5 }
	nsenter -t "$OWNER" -n ovlynl 'do' path-set ifname=ov5 path{ if-id-in=5 priority=1 }
	its ip link del ov5
	refused ENOENT '*' '' path-get path{ if-id-in=5 }
}

# its_socket: the owner opens a netlink socket, and gives it to who comes for it.
its_socket() {
	# Not its: $! has to be the one that ends.
	nsenter -t "$OWNER" -U -n python3 -u -c 'import socket
opened = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16)  # NETLINK_GENERIC
door = socket.socket(socket.AF_UNIX)
door.bind("/tmp/its-socket")
door.listen()
print("open")
while True:
    socket.send_fds(door.accept()[0], [b"0"], [opened.fileno()])' >"$OVLY_OUT/its-socket" &
	defer eval "kill $! 2>/dev/null; rm -f /tmp/its-socket"
	wait_for 10 "its socket is open" matches open cat "$OVLY_OUT/its-socket"
}

# by_its_socket ARGUMENT...: root asks by it.
by_its_socket() {
	nsenter -t "$OWNER" -n python3 -c 'import os, socket, sys
door = socket.socket(socket.AF_UNIX)
door.connect("/tmp/its-socket")
fd = socket.recv_fds(door, 1, 1)[1][0]
os.set_inheritable(fd, True)
os.execvp("ovlynl", ["ovlynl", "do", "-f", str(fd)] + sys.argv[1:])' "$@"
}

# What counts is who opened it, too: it may be somebody's standard output.
test_root_by_a_socket_of_the_owner_may_what_the_owner_may() {
	own_namespace
	granted link-new+create ifname=ov5 linkinfo{ kind=ovly data{ mode=1 } }
	granted peer-new+create ifname=ov5 peer{ name=far addr=10.5.0.2 }
	granted path-new+create ifname=ov5 path{ if-id-in=5 peer-name=far }
	ip -n "$here" link set ov5 netns "$OWNER"
	its_socket
	has 'name=far' by_its_socket peer-get ifname=ov5 peer{ name=far }
	matches '^EPERM attr=path "ovly: ' said by_its_socket path-set ifname=ov5 path{ if-id-in=5 priority=1 }
	matches '^EPERM attr=dev "ovly: ' said by_its_socket dev-set ifname=ov5 dev{ src-valid=2 }
	its ip link del ov5
}

# asleep NAME: the only process of that name waits in the kernel.
asleep() { grep -q '^State:.D' "/proc/$(pgrep -x -n "$1")/status"; }

asleep_or_answered() { asleep "$1" || [ -s "$OVLY_OUT/answer" ]; }

# A request has found its device and waits for it, while the device goes where the owner
# of the namespace has no say.
test_request_that_waits_while_its_device_leaves_is_refused() {
	local batch other attempt
	own_namespace
	granted link-new+create ifname=ov5 linkinfo{ kind=ovly data{ mode=1 } }
	defer ip -n "$here" link del ov5
	granted peer-new+create ifname=ov5 peer{ name=far addr=10.5.0.2 }
	ip -n "$here" link set ov5 netns "$OWNER"
	its ip link set ov5 up
	seq 0 19999 | awk 'BEGIN { printf "route-new+create ifname=ov5" }
		{ printf " route{ dst=10.%d.%d.0 prefixlen=24 peer-name=far }", 128 + $1 / 256, $1 % 256 }
		END { print "" }' >"$OVLY_OUT/batch"
	for attempt in {1..8}; do
		: >"$OVLY_OUT/answer"
		# By root, who may send so much at once.
		nsenter -t "$OWNER" -n ovlynl 'do' - <"$OVLY_OUT/batch" >"$OVLY_OUT/batch-answer" &
		batch=$!
		wait_for 60 "the batch is being applied" matches . its ip route show 10.129.0.0/24 table 220
		its ovlynl 'do' dev-set ifname=ov5 dev{ src-valid=2 } >"$OVLY_OUT/answer" &
		other=$!
		wait_for 20 "the other request waits, or came too late" asleep_or_answered ovlynl
		[ -s "$OVLY_OUT/answer" ] || {
			nsenter -t "$OWNER" -n ip link set ov5 netns "$here"
			break
		}
		wait "$batch" "$other" || true
		note "attempt $attempt: the batch was done before"
		nsenter -t "$OWNER" -n ovlynl 'do' route-flush ifname=ov5
	done
	wait "$batch" "$other" || true
	matches '^(ENODEV|EPERM) ' cat "$OVLY_OUT/answer"
	has 'src-valid=0' nl dev-get ifname=ov5
	# And the table there is the worker's, not what the other may do.
	ip -n "$here" link set ov5 up
	wait_for 20 "its routes are there" matches 'dev ov5' ip -n "$here" route show 10.129.0.0/24 table 220
}

# forge: sends every rtnetlink socket of the namespace errors that no kernel has, for all
# requests to come; prints how many got there.
forge() {
	in_ns here python3 - <<-'PROGRAM'
		import socket, struct
		ERROR = 2
		s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
		s.bind((0, 0))
		taken = refused = 0
		for line in open("/proc/net/netlink"):
		    words = line.split()
		    if words[1] != "0" or int(words[2]) in (0, s.getsockname()[0]):
		        continue
		    for seq in range(4000):
		        message = struct.pack("=IHHIIi16s", 36, ERROR, 0, seq, 0, 0x41414140, bytes(16))
		        try:
		            s.sendto(message, socket.MSG_DONTWAIT, (int(words[2]), 0))
		            taken += 1
		        except ConnectionRefusedError:
		            refused += 1
		            break
		        except BlockingIOError:
		            break
		print(f"{taken} taken, {refused} refused")
	PROGRAM
}

test_nobody_answers_for_the_kernel() {
	matches '^0 taken, [1-9][0-9]* refused' forge
	granted path-new+create ifname=ov0 path{ if-id-in=9 peer-name=hub endpoint=192.0.2.77 }
	defer nl path-del path{ if-id-in=9 }
	matches '192.0.2.77' throws
	refused EEXIST '*' 'another path|a path' path-new+create ifname=ov0 path{ if-id-in=9 peer-name=hub endpoint=192.0.2.78 }
}

CASES="
test_nobody_may_nothing				without capabilities everything is EPERM: each command, dump and the group
test_all_capabilities_but_net_admin_are_not_enough	all capabilities but CAP_NET_ADMIN are not enough
test_owner_of_a_namespace_may_everything_in_it	the owner of a network namespace may everything in it
test_owner_of_a_namespace_sees_nothing_of_others	and sees and changes nothing of others
test_request_that_waits_while_its_device_leaves_is_refused	a request that waits while its device leaves is refused
test_root_by_a_socket_of_the_owner_may_what_the_owner_may	root by a socket of the owner may what the owner may
test_nobody_answers_for_the_kernel		nobody answers for the kernel on the module's own socket
test_device_that_moved_keeps_its_sas_protected	a device that moved there keeps its SAs protected
"
run_cases "$@"
