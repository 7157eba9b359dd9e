#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# units.sh: the helper's units under a real systemd, which runs as process 1 of a
# container: namespaces of its own for processes, mounts and control groups, and the
# network namespace "here".

CASE_DEADLINE=${CASE_DEADLINE:-240}

# shellcheck source=selftests/lib.sh
. "${OVLY_TOP:?}/selftests/lib.sh"
# shellcheck source=selftests/e2e/daemons.sh
. "$OVLY_TOP/selftests/e2e/daemons.sh"

SYSTEMD=/lib/systemd/systemd
UNITS=/etc/systemd/system

h() { in_ns here ovlyhelper "$@"; }
table() { ip -n "$here" route show table 220; }
stage() { ip -n "$here" route "$1" "$2" via 10.1.0.1 dev ipsec0 onlink proto bird metric 32 table 2220; }

# What a container manager prepares: /proc of the namespace, its part of the control
# groups, an empty /run. Nothing of the guest's hardware is for it to set up.
# shellcheck disable=SC2016 # the inner shell's
BOOT='
	set -e
	mount --make-rprivate /
	mount -t proc proc /proc
	mount -t cgroup2 cgroup2 /sys/fs/cgroup
	mount -t tmpfs tmpfs /run
	exec env -i container=lab PATH="$PATH" "$0" --unit=ovly-test.target \
		--log-target=console --show-status=no </dev/null
'

# boot: systemd of a container, with nothing but what the unit needs.
boot() {
	local unshare
	mkdir -p /etc/systemd/system /sys/fs/cgroup
	cat >/etc/systemd/system/ovly-test.target <<-END
		[Unit]
		Requires=basic.target
		After=basic.target
		AllowIsolate=yes
	END
	# these are for a host, not for a container
	for unit in systemd-sysctl systemd-modules-load systemd-udevd systemd-udev-trigger \
		systemd-random-seed systemd-tmpfiles-setup-dev systemd-sysusers getty@tty1; do
		ln -sf /dev/null "/etc/systemd/system/$unit.service"
	done
	mountpoint -q /sys/fs/cgroup || mount -t cgroup2 cgroup2 /sys/fs/cgroup
	mkdir -p /sys/fs/cgroup/container
	# a control group that is to be divided has no process in it
	(
		echo "$BASHPID" >/sys/fs/cgroup/container/cgroup.procs
		exec ip netns exec "$here" unshare -m -p -C -f bash -c "$BOOT" "$SYSTEMD"
	) >"$OVLY_OUT/systemd.log" 2>&1 &
	unshare=$!
	defer eval "kill -KILL \$(pgrep -P $unshare) 2>/dev/null"
	wait_for 10 "process 1" pgrep -P "$unshare"
	SD=$(pgrep -P "$unshare")
	wait_for 90 "systemd is up" up
}

in_sd() { nsenter -t "$SD" -n -m -p -C -- "$@"; }
sdctl() { in_sd systemctl --no-pager "$@"; }
# of the unit
property() { sdctl show -P "$1" ovly-bridge; }
up() { matches '^(running|degraded)$' sdctl is-system-running; }

# pid: of the bridge, as seen from outside.
pid() {
	local inner
	inner=$(property MainPID)
	[ "$inner" != 0 ] || return 1
	grep -lsE "^NSpid:.*[[:space:]]$inner\$" /proc/[0-9]*/status | sed 's,/proc/\([0-9]*\)/.*,\1,' |
		while read -r p; do
			[ "$(cat "/proc/$p/comm")" != ovlyhelper ] || echo "$p"
		done
}

suite_setup() {
	[ -x $SYSTEMD ] || skip_all "there is no systemd here"
	load_ovly
	setup_ns here
	h dev add ipsec0 addr 10.1.0.100 up
	h peer add one addr 10.1.0.1
	mkdir -p "$UNITS/ovly-bridge.service.d"
	for unit in "$OVLY_TOP"/helper/systemd/*.in; do
		sed 's,@SBINDIR@,/usr/local/sbin,' "$unit" >"$UNITS/$(basename "$unit" .in)"
	done
	# the same watchdog, sooner
	printf '[Service]\nWatchdogSec=5\n' >"$UNITS/ovly-bridge.service.d/sooner.conf"
	boot
}

test_units_are_well_formed() {
	same "" "$(systemd-analyze verify --man=no "$UNITS"/ovly-*.service "$UNITS"/ovly-*.timer 2>&1)" \
		"what systemd-analyze says"
	systemd-analyze --no-pager security --offline=yes --threshold=20 "$UNITS/ovly-bridge.service"
	# root, as charon's socket is root's
	systemd-analyze --no-pager security --offline=yes --threshold=45 "$UNITS/ovly-wake.service"
}

test_start_waits_until_the_table_was_read() {
	stage add 10.60.0.0/16
	defer stage del 10.60.0.0/16
	sdctl start ovly-bridge
	# Type=notify: it has been read when start returns
	matches '^10.60.0.0/16 dev ipsec0 proto bird' table
	same active "$(property ActiveState)" "state"
	same "following the table" "$(property StatusText)" "status"
	stage add 10.61.0.0/16
	wait_for 5 "it follows" matches '^10.61.0.0/16' table
	stage del 10.61.0.0/16
	wait_for 5 "it follows" lacks 10.61.0.0 table
}

test_bridge_is_confined() {
	local p status rc=0
	sdctl start ovly-bridge
	p=$(pid)
	status=$(cat "/proc/$p/status")
	note "${status//$'\n'/$'\n'# }"
	# CAP_NET_ADMIN is number 12
	for set in Prm Eff Bnd Amb; do
		matches "^Cap$set:[[:space:]]*0*1000\$" echo "$status"
	done
	matches '^NoNewPrivs:[[:space:]]*1' echo "$status"
	matches '^Seccomp:[[:space:]]*2' echo "$status"
	lacks '^Uid:[[:space:]]*0' echo "$status"
	# what it sees of the host is read-only
	matches ' / / ro' cat "/proc/$p/mountinfo"
	never nsenter -t "$p" -m -- sh -c ': >/etc/x || : >/usr/local/sbin/x || : >/sys/x'
	lacks '[0-9]' nsenter -t "$p" -m -- sh -c 'ls /home /root 2>/dev/null'
	# it answers, and only those who may ask
	same "$(property MainPID)" "$(in_sd ovlyhelper show bridge --json | jq '.[0].pid')" "pid"
	matches '^srwx------' in_sd ls -l /run/ovly-bridge
	in_sd setpriv --reuid 65534 --clear-groups ovlyhelper show bridge || rc=$?
	same 4 "$rc" "exit status for others"
}

test_watchdog_restarts_what_hangs() {
	local p main before
	sdctl start ovly-bridge
	before=$(property NRestarts)
	stage add 10.62.0.0/16
	defer stage del 10.62.0.0/16
	wait_for 5 "it follows" matches '^10.62.0.0/16' table
	monitor_routes "$here" "$OVLY_OUT/routes"
	# fed, it lives on
	main=$(property MainPID)
	local until=$(($(date +%s) + 12))
	wait_for 30 "twice the watchdog's time" eval "[ \$(date +%s) -ge $until ]"
	same "$main $before" "$(property MainPID) $(property NRestarts)" "pid and restarts"
	p=$(pid)
	kill -STOP "$p"
	wait_for 60 "another one runs" eval "[ \"\$(property MainPID)\" != '$main' ] && [ \"\$(property MainPID)\" != 0 ]"
	wait_for 30 "it is ready" matches '^active$' property ActiveState
	same $((before + 1)) "$(property NRestarts)" "restarts"
	stage add 10.63.0.0/16
	wait_for 10 "it follows again" matches '^10.63.0.0/16' table
	stage del 10.63.0.0/16
	wait_for 10 "it follows again" lacks 10.63.0.0 table
	lacks '^Deleted 10.62.0.0' route_events "$here" "$OVLY_OUT/routes"
	matches '^10.62.0.0/16' table
}

test_reload_and_stop() {
	local n
	sdctl start ovly-bridge
	stage add 10.64.0.0/16
	defer stage del 10.64.0.0/16
	wait_for 5 "it follows" matches '^10.64.0.0/16' table
	n=$(in_sd ovlyhelper show bridge --json | jq '.[0].reconciles')
	sdctl reload ovly-bridge
	wait_for 10 "it reconciles" eval "[ \$(in_sd ovlyhelper show bridge --json | jq '.[0].reconciles') -gt $n ]"
	sdctl stop ovly-bridge
	same inactive "$(property ActiveState)" "state"
	same success "$(property Result)" "result"
	matches '^10.64.0.0/16 dev ipsec0 proto bird' table
	never in_sd ls /run/ovly-bridge
}

test_killed_it_comes_again() {
	local main
	sdctl start ovly-bridge
	sdctl reset-failed ovly-bridge
	stage add 10.65.0.0/16
	defer stage del 10.65.0.0/16
	wait_for 5 "it follows" matches '^10.65.0.0/16' table
	main=$(property MainPID)
	kill -KILL "$(pid)"
	wait_for 30 "another one runs" eval "[ \"\$(property MainPID)\" != '$main' ] && [ \"\$(property ActiveState)\" = active ]"
	same "$(property MainPID)" "$(in_sd ovlyhelper show bridge --json | jq '.[].pid')" "who answers"
	matches '^10.65.0.0/16' table
}

woken() { sdctl show -P Result -P ExecMainStatus --value ovly-wake.service | paste -sd ' '; }

test_timer_wakes_what_is_asleep() {
	ip -n "$here" link add wan0 type dummy
	defer ip -n "$here" link del wan0
	ip -n "$here" addr add 192.0.2.1/24 dev wan0
	ip -n "$here" link set wan0 up
	defer rm -f /etc/ovly.conf
	install -m 600 /dev/stdin /etc/ovly.conf <<-END
		secure-overlay myconn
		remote-interface-ip-addr 192.0.2.9
		local-system-ip-addr 10.1.0.100
		psk local-psk k remote-psk k
	END
	# nobody is there to be told, which is no failure
	sdctl start ovly-wake.service
	matches 'strongSwan does not answer' in_sd journalctl --no-pager -u ovly-wake.service
	in_sd "$(charon_bin)" >"$OVLY_OUT/charon.log" 2>&1 &
	defer kill $!
	wait_for 30 "charon answers" in_sd swanctl --stats
	cat >"$OVLY_OUT/swanctl.conf" <<-END
		connections {
			myconn {
				remote_addrs = 192.0.2.9
				local { auth = psk }
				remote { auth = psk }
				children { myconn { } }
			}
		}
	END
	in_sd swanctl --load-conns --file "$OVLY_OUT/swanctl.conf"
	same "" "$(in_sd swanctl --list-sas)" "SAs"
	sdctl start ovly-wake.timer
	defer sdctl stop ovly-wake.timer
	wait_for 60 "it connects" matches '^myconn: #.* CONNECTING' in_sd swanctl --list-sas
	wait_for 20 "that is all" matches '^success 0$' woken
}

# shellcheck disable=SC2034 # run_cases reads it
CASES="
test_units_are_well_formed	the units are well-formed and confined, says systemd-analyze
test_start_waits_until_the_table_was_read	start returns when the table was read
test_bridge_is_confined	CAP_NET_ADMIN and nothing else, nothing to write to
test_watchdog_restarts_what_hangs	a bridge that hangs is restarted, the routes stay
test_killed_it_comes_again	a bridge that is killed is started again
test_reload_and_stop	reload reconciles, stop leaves the routes
test_timer_wakes_what_is_asleep	the timer has strongSwan connect what is asleep
"
run_cases "$@"
