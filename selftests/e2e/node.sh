# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# node.sh: a node is a network namespace plus a private mount namespace, kept
# alive by a holder process. Each node has its own /etc/swanctl,
# /etc/strongswan.conf, /etc/frr and /run, so several instances of a daemon
# that knows only one place for its files run side by side.
#
# Needs WORK, a scratch directory, and lib.sh. Sourced; defines functions only.

# Pids are kept in files, WORK/<node>/pid/<program>, because a test case runs in a
# subshell and the next one has to know what it started.

# Runs in the mount namespace of a new node: $1 is the node's directory.
# shellcheck disable=SC2016 # the inner shell expands it
node_mounts='
	set -e
	mount --make-rprivate /
	mkdir -p /etc/swanctl /etc/frr
	mount --bind "$1/etc/swanctl" /etc/swanctl
	mount --bind "$1/etc/strongswan.conf" /etc/strongswan.conf
	mount --bind "$1/etc/frr" /etc/frr
	mount -t tmpfs run /run
	mkdir -p /run/frr /run/bird
	chown frr:frr /run/frr
	touch "$1/ready"
	exec sleep infinity
'

# node_new NAME: creates the node, with nothing but a loopback device.
node_new() {
	local name=$1 dir=$WORK/$1

	mkdir -p "$dir/etc/swanctl" "$dir/etc/frr" "$dir/log" "$dir/pid"
	# bgpd and zebra run as user frr and write their logs themselves.
	chmod 755 "$WORK" "$dir"
	chmod 777 "$dir/log"
	: >"$dir/etc/strongswan.conf"
	: >"$dir/etc/frr/vtysh.conf"
	ip netns add "$name"
	defer node_del "$name"
	ip netns exec "$name" sysctl -qw net.ipv4.ip_forward=1
	ip netns exec "$name" unshare -m bash -c "$node_mounts" holder "$dir" \
		</dev/null >>"$dir/log/holder.out" 2>&1 &
	echo $! >"$dir/holder"
	wait_for 10 "node $name" test -e "$dir/ready"
	ip -n "$name" link set lo up
}

# node NAME COMMAND...: runs a command as if logged in there.
node() {
	local name=$1

	shift
	nsenter -t "$(cat "$WORK/$name/holder")" -n -m -- "$@"
}

# node_root NAME: its root directory, as seen from outside.
node_root() { echo "/proc/$(cat "$WORK/$1/holder")/root"; }

# node_start NAME PROGRAM COMMAND...: starts a daemon that stays in the
# foreground, under a name of our own; its output goes to the node's log.
node_start() {
	local name=$1 program=$2

	shift 2
	# nsenter does not fork, so this is the pid of the program itself.
	nsenter -t "$(cat "$WORK/$name/holder")" -n -m -- "$@" \
		</dev/null >>"$WORK/$name/log/$program.out" 2>&1 &
	echo $! >"$WORK/$name/pid/$program"
}

# alive PID: exists and is no zombie (another shell may be its parent).
alive() {
	local state

	state=$(sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null) || true
	[ -n "$state" ] && [ "$state" != Z ]
}

# node_alive NAME PROGRAM
node_alive() {
	[ -e "$WORK/$1/pid/$2" ] && alive "$(cat "$WORK/$1/pid/$2")"
}

# node_stop NAME PROGRAM [SIGNAL]: ends what node_start started, and waits.
node_stop() {
	local pid file=$WORK/$1/pid/$2

	[ -e "$file" ] || return 0
	pid=$(cat "$file")
	rm -f "$file"
	kill -"${3:-TERM}" "$pid" 2>/dev/null || return 0
	wait_for 20 "$2 on $1 ends" never alive "$pid" >/dev/null
}

# node_del NAME: programs, holder and namespace go.
node_del() {
	local name=$1 file

	for file in "$WORK/$name/pid"/*; do
		[ -e "$file" ] || continue
		# A subshell, because giving up on one must not keep the others.
		(node_stop "$name" "${file##*/}") || note "$name: ${file##*/} did not end"
	done
	kill "$(cat "$WORK/$name/holder")" 2>/dev/null
	ip netns del "$name"
}

# render TEMPLATE FILE NAME=VALUE...: fills in @NAME@. A name that is left over
# is a mistake in the test.
render() {
	local in=$E2E/conf/$1 out=$2 args=(-e '') pair

	shift 2
	for pair; do
		args+=(-e "s|@${pair%%=*}@|${pair#*=}|g")
	done
	sed "${args[@]}" "$in" >"$out"
	[ -z "$(sed -n '/@[A-Z_]*@/p' "$out")" ] ||
		fail "$in: unfilled names: $(grep -o '@[A-Z_]*@' "$out" | tr '\n' ' ')"
}
