# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# daemons.sh: charon, BIRD, FRR and the route bridge in a node, and the commands
# that talk to them. Each start returns when the daemon answers.
#
# Sourced after node.sh; defines functions only.

charon_bin() {
	local f

	for f in /usr/lib/ipsec/charon /usr/libexec/ipsec/charon; do
		[ -x "$f" ] && echo "$f" && return
	done
	command -v charon-systemd
}

frr_dir() {
	local d

	for d in /usr/lib/frr /usr/libexec/frr /usr/sbin; do
		[ -x "$d/zebra" ] && echo "$d" && return
	done
	return 1
}

# charon_start NODE: charon with the node's configuration loaded.
charon_start() {
	local root

	root=$(node_root "$1")
	rm -f "$root/run/charon.pid" "$root/run/charon.vici"
	node_start "$1" charon "$(charon_bin)"
	wait_for 30 "charon of $1 answers" node "$1" swanctl --stats
	charon_load "$1"
}

# charon_load NODE: (re)reads swanctl.conf.
charon_load() { swanctl_q "$1" --load-all --noprompt; }

# swanctl_q NODE ARGUMENT...: output to the log, shown only when it fails.
swanctl_q() {
	local n=$1 out rc=0

	shift
	out=$(node "$n" swanctl "$@" 2>&1) || rc=$?
	printf '# swanctl %s\n%s\n' "$*" "$out" >>"$WORK/$n/log/swanctl.out"
	[ $rc = 0 ] || note "swanctl $*: $(tail -n 5 <<<"$out")"
	return $rc
}

# sa_ids NODE ike|child [CONNECTION]: unique ids of the SAs in use, sorted.
sa_ids() {
	local re='s/^[^ ].*: #\([0-9]*\), ESTABLISHED.*/\1/p'

	[ "$2" = child ] && re='s/^  [^ ].*: #\([0-9]*\), .*, INSTALLED,.*/\1/p'
	node "$1" swanctl --list-sas --ike "${3:-myconn}" 2>/dev/null | sed -n "$re" | sort -n
}

# tunnel_up NODE [CONNECTION]: initiates unless it is up. swanctl returns when the SAs
# are installed, and updown may not have run yet.
tunnel_up() {
	local c=${2:-myconn}

	[ -z "$(sa_ids "$1" child "$c")" ] || return 0
	swanctl_q "$1" --initiate --child "$c" --timeout 60
}

# tunnel_down NODE [CONNECTION]
tunnel_down() { swanctl_q "$1" --terminate --ike "${2:-myconn}" --timeout 30; }

# bird_start NODE, birdc NODE COMMAND...
bird_start() {
	node_start "$1" bird bird -f -c "$WORK/$1/etc/bird.conf" -s /run/bird/bird.ctl
	wait_for 15 "bird of $1 answers" birdc "$1" show status
}

birdc() {
	local n=$1

	shift
	node "$n" birdc -s /run/bird/bird.ctl "$@"
}

# bgp_up NODE: the branch's session is established.
bgp_up() { matches '^bgp_hub .* Established' birdc "$1" show protocols bgp_hub; }

# bridge_start NODE: ovlyhelper moves BIRD's exports into the module.
bridge_start() { node_start "$1" bridge "$OVLYHELPER" bridge --from-table 2220; }

# frr_daemon NODE DAEMON OPTION...
frr_daemon() {
	local n=$1 daemon=$2 socket

	shift 2
	socket=$(node_root "$n")/run/frr/$daemon.vty
	rm -f "$socket"
	node_start "$n" "$daemon" "$(frr_dir)/$daemon" -f /etc/frr/vtysh.conf -P 0 \
		--log "file:$WORK/$n/log/$daemon.log" --log-level informational "$@"
	wait_for 30 "$daemon of $n answers" test -S "$socket"
}

# frr_start NODE [ZEBRA-OPTION]...: zebra, staticd and bgpd with the node's frr.conf.
frr_start() {
	local n=$1

	shift
	frr_daemon "$n" zebra "$@"
	frr_daemon "$n" staticd
	frr_daemon "$n" bgpd
	node "$n" vtysh -b >>"$WORK/$n/log/vtysh.out" 2>&1
}

# frr_conf NODE LINE...: configuration lines for a running FRR.
frr_conf() {
	local n=$1 args=(-c 'configure terminal') line out

	shift
	for line; do
		args+=(-c "$line")
	done
	out=$(node "$n" vtysh "${args[@]}" 2>&1) || fail "vtysh: $out"
	[ -z "$out" ] || fail "vtysh: $out"
}
