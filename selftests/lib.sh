# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# lib.sh: what every selftest script sources. Needs bash. A script looks so:
#
#	. "${OVLY_TOP:?}/selftests/lib.sh"
#
#	suite_setup() { setup_ns left right; ...; }	# optional, once
#	suite_teardown() { ...; }			# optional, once
#	test_peer_up_pings() { in_ns left ping -c1 ...; }
#
#	CASES="
#	test_peer_up_pings	a peer that is up answers ping
#	"
#	run_cases "$@"
#
# Each case runs in a subshell of its own under `set -eE`: the first command
# that fails ends it and is named. What it prints is shown only if it fails.
# Arguments of the script select cases by function name, with or without the
# leading test_, or by the text. Exit status: 0 good, 1 failed, 4 skipped.

KSFT_SKIP=4
# Deadlines are written for an ordinary kernel; a debug kernel gets a multiple.
OVLY_SLOW=${OVLY_SLOW:-1}
# Seconds one case may take before it counts as hung.
CASE_DEADLINE=$((${CASE_DEADLINE:-120} * OVLY_SLOW))
: "${OVLY_TOP:=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)}"
: "${OVLY_OUT:=$(mktemp -d)}"
SUITE=$(basename "$0" .sh)

# What hosts say to find neighbours and groups on a link, as a filter of tcpdump's:
# ARP, ND, and MLDv2, which comes behind a hop-by-hop header.
# shellcheck disable=SC2034 # for who captures
LINK_CHATTER='arp or (icmp6 and ip6[40] >= 133 and ip6[40] <= 136) or (ip6[6] = 0 and dst host ff02::16)'

# ---- messages ----------------------------------------------------------------

# note TEXT: a line that people see when the case fails (or with -v).
note() { printf '# %s\n' "$*"; }

# fail TEXT: ends the case as failed.
fail() {
	trap - ERR
	note "FAILED: $*"
	exit 1
}

# skip TEXT: ends the case as skipped.
skip() {
	trap - ERR
	note "SKIP: $*"
	printf '%s' "$*" >"${CASE_SKIP_FILE:-/dev/null}"
	exit $KSFT_SKIP
}

skip_all() {
	echo "TAP version 13"
	echo "1..0 # SKIP $*"
	exit $KSFT_SKIP
}

report_error() {
	local rc=$1 line=$2 command=$3
	note "FAILED: line $line: '$command' returned $rc"
}

# ---- cleanup: what was made is unmade, last first ------------------------------

# defer COMMAND...: runs when this case ends, or the script if a case does not
# run.
DEFERRED=()
defer() { DEFERRED+=("$(printf '%q ' "$@")"); }

run_deferred() {
	local i
	trap - ERR
	set +e
	for ((i = ${#DEFERRED[@]} - 1; i >= 0; i--)); do
		eval "${DEFERRED[i]}" 2>&1
	done
	DEFERRED=()
}

# ---- conditions --------------------------------------------------------------

# wait_for SECONDS DESCRIPTION COMMAND...: until the command succeeds; fails the
# case if it does not within that time (20 s at least, as a guest may stand still for
# some, times OVLY_SLOW), and shows what it said last.
wait_for() {
	local deadline=$((($1 < 20 ? 20 : $1) * OVLY_SLOW)) what=$2 t0=${EPOCHREALTIME/./} said late=''
	shift 2
	while ! said=$("$@" 2>&1); do
		# An attempt begun too late is the one that counts: it may have stood still itself.
		if [ -n "$late" ]; then
			[ -z "$said" ] || note "last: ${said//$'\n'/$'\n'# }"
			fail "$what: not within $deadline s ($*)"
		fi
		((${EPOCHREALTIME/./} - t0 <= deadline * 1000000)) || late=yes
		sleep 0.1
	done
	note "$what: after $(((${EPOCHREALTIME/./} - t0) / 1000)) ms"
}

# lost_pings FILE: how many are missing between the answers that ping wrote there.
# What ping counts itself as lost may only be under way.
lost_pings() {
	sed -n 's/.*bytes from.*icmp_seq=\([0-9]*\).*/\1/p' "$1" | sort -nu |
		awk 'NR > 1 { lost += $1 - prev - 1 } { prev = $1 } END { print lost + 0 }'
}

# never COMMAND...: the opposite; for wait_for and under set -e.
never() { ! "$@"; }

# matches PATTERN COMMAND...: the command's output has a line with the extended
# regular expression.
matches() {
	local pattern=$1 out
	shift
	out=$("$@" 2>&1)
	printf '%s\n' "$out"
	# Not in a pipe: with grep -q the writer could die of SIGPIPE.
	grep -qE -- "$pattern" <<<"$out"
}

# lacks PATTERN COMMAND...: no line has it.
lacks() {
	local pattern=$1 out
	shift
	out=$("$@" 2>&1)
	printf '%s\n' "$out"
	! grep -qE -- "$pattern" <<<"$out"
}

# same EXPECTED ACTUAL DESCRIPTION: two texts are equal.
same() {
	[ "$1" = "$2" ] && return 0
	diff <(printf '%s\n' "$1") <(printf '%s\n' "$2") | sed 's/^/# /'
	fail "$3: not as expected (< expected, > found)"
}

# ---- route events --------------------------------------------------------------

# monitor_routes NETNS FILE [OBJECT...]: writes down what happens to its routes, and
# to other objects of ip's, until the case ends.
monitor_routes() {
	: >"$2"
	ip netns exec "$1" stdbuf -oL ip -o monitor route "${@:3}" >>"$2" &
	defer eval "kill $! 2>/dev/null"
	monitor_has_all "$1" "$2"
}

# route_events NETNS FILE: prints what has happened so far.
route_events() {
	monitor_has_all "$@" >&2
	sed '/^\(Deleted \)\?blackhole 192\.0\.2\.250 /d' "$2"
}

# monitor_has_all NETNS FILE: that is proved: a route in a table that was not used
# before must show.
monitor_has_all() {
	wait_for 20 "the route monitor has seen all" route_shows "$@" $((${EPOCHREALTIME/./} % 1000000 + 10000))
}

route_shows() {
	ip -n "$1" route replace blackhole 192.0.2.250 table "$3"
	ip -n "$1" route flush table "$3"
	grep -q "table $3 " "$2"
}

# ---- network namespaces --------------------------------------------------------

# setup_ns NAME...: makes namespaces; the variable NAME then holds the real
# name, which has a random suffix so that two runs never meet.
setup_ns() {
	local name real
	for name in "$@"; do
		real=$name-$(printf '%04x%04x' $RANDOM $RANDOM)
		ip netns add "$real"
		defer remove_ns "$real"
		ip -n "$real" link set lo up
		declare -g "$name=$real"
	done
}

remove_ns() {
	local pid
	for pid in $(ip netns pids "$1" 2>/dev/null); do
		kill -9 "$pid" 2>/dev/null
	done
	ip netns del "$1"
}

# in_ns NAME COMMAND...: runs in the namespace that setup_ns made as NAME.
in_ns() {
	local real=${!1}
	shift
	ip netns exec "$real" "$@"
}

# ---- the module ----------------------------------------------------------------

load_ovly() {
	[ -e /sys/module/ovly ] && return 0
	[ -f "${OVLY_KO:-}" ] || fail "there is no ovly.ko: OVLY_KO='${OVLY_KO:-}'"
	local dep
	# insmod does not look at dependencies: take them from the file itself.
	for dep in $(modinfo -F depends "$OVLY_KO" | tr ',' ' '); do
		modprobe "$dep"
	done
	insmod "$OVLY_KO"
	# For backtraces that are read after the module is gone.
	[ -z "${OVLY_SYMBOLS:-}" ] || grep '\[ovly\]$' /proc/kallsyms >>"$OVLY_SYMBOLS"
}

# Whoever lists something, as a bridge may at any time, holds the module for as long as
# that takes.
unload_ovly() { [ ! -e /sys/module/ovly ] || wait_for 20 "the module goes" rmmod ovly; }

# kernel_log_mark / kernel_log_since: what the kernel said from here on.
kernel_log_mark() { KERNEL_LOG_MARK=$(dmesg | wc -l); }
kernel_log_since() { dmesg | tail -n "+$((${KERNEL_LOG_MARK:-0} + 1))"; }

# ---- a shell for people ----------------------------------------------------------

# guest_shell TITLE [PREFIX...]: an interactive shell, started through PREFIX
# (say: ip netns exec X nsenter ...). For jobs that sit on a terminal.
guest_shell() {
	local title=$1
	shift
	printf '\nA shell in %s. "exit" powers the guest off; Ctrl-A x ends it at once.\n' "$title"
	"$@" env PS1="[${title##* }] \\w # " bash --norc -i
	return 0
}

# ---- running cases -------------------------------------------------------------

case_wanted() {
	local name=$1 text=$2 want
	shift 2
	[ $# = 0 ] && return 0
	for want in "$@"; do
		case $want in
		"$name" | "${name#test_}" | "$text") return 0 ;;
		esac
	done
	return 1
}

# guarded COMMAND...: in a subshell that ends at the first error, cleans up
# after itself and is killed when it takes too long.
guarded() {
	local pid watchdog rc
	# Job control gives the case a process group, so that a case that hangs
	# goes with all its children.
	set -m
	(
		set +m
		DEFERRED=()
		set -eE
		trap 'report_error $? "$LINENO" "$BASH_COMMAND"' ERR
		trap run_deferred EXIT
		"$@"
	) &
	pid=$!
	set +m
	(
		trap 'kill $sleeper; exit' TERM
		sleep "$CASE_DEADLINE" &
		sleeper=$!
		wait $sleeper
		note "FAILED: still running after $CASE_DEADLINE s"
		kill -TERM -- -$pid
		# Time for its clean-up.
		sleep 5 &
		sleeper=$!
		wait $sleeper
		kill -KILL -- -$pid
	) 2>/dev/null &
	watchdog=$!
	wait $pid 2>/dev/null
	rc=$?
	kill $watchdog 2>/dev/null
	wait $watchdog 2>/dev/null
	return $rc
}

# suite_ends STATUS: the script's last act. A set-up that did not get through
# counts as one failed test, or as none if it said skip.
suite_ends() {
	if [ "${SUITE_SETUP:-0}" = 1 ]; then
		SUITE_SETUP=0
		if [ "$1" = $KSFT_SKIP ]; then
			echo "ok 1 - set-up of the scenario # SKIP $(cat "$CASE_SKIP_FILE")"
		else
			echo "not ok 1 - set-up of the scenario"
		fi
	fi
	run_deferred
}

run_cases() {
	local -a names=() texts=() picked=()
	local name text i rc failed=0 skipped=0 log want
	while read -r name text; do
		[ -n "$name" ] || continue
		names+=("$name")
		texts+=("$text")
	done <<<"$CASES"
	for i in "${!names[@]}"; do
		case_wanted "${names[i]}" "${texts[i]}" "$@" && picked+=("$i")
	done
	for want in "$@"; do
		for i in "${!names[@]}"; do
			case_wanted "${names[i]}" "${texts[i]}" "$want" && continue 2
		done
		echo "Bail out! $SUITE has no case '$want'; it has: ${names[*]}"
		exit 1
	done

	log=$(mktemp)
	CASE_SKIP_FILE=$(mktemp)
	# What ends the script may have its output elsewhere.
	exec {KTAP}>&1
	# Not in a subshell that is killed before it has traps of its own.
	trap 'rc=$?; [ "$BASHPID" != "$$" ] ||
		{ suite_ends $rc >&$KTAP; rm -f "$log" "$CASE_SKIP_FILE"; }' EXIT
	echo "TAP version 13"
	echo "1..${#picked[@]}"

	if declare -F suite_setup >/dev/null; then
		# In this shell, because the cases use what it makes.
		SUITE_SETUP=1
		trap 'report_error $? "$LINENO" "$BASH_COMMAND" >&$KTAP; exit 1' ERR
		set -eE
		suite_setup
		set +eE
		SUITE_SETUP=0
		trap - ERR
	fi

	for i in "${!picked[@]}"; do
		name=${names[picked[i]]} text=${texts[picked[i]]}
		: >"$CASE_SKIP_FILE"
		echo "# case $name"
		CASE=$name guarded "$name" >"$log" 2>&1
		rc=$?
		sed 's/^\([^#]\)/# \1/' "$log"
		case $rc in
		0) echo "ok $((i + 1)) - $text" ;;
		"$KSFT_SKIP")
			skipped=$((skipped + 1))
			echo "ok $((i + 1)) - $text # SKIP $(cat "$CASE_SKIP_FILE")"
			;;
		*)
			failed=$((failed + 1))
			echo "not ok $((i + 1)) - $text"
			;;
		esac
	done

	if declare -F suite_teardown >/dev/null; then
		suite_teardown 2>&1 | sed 's/^/# /'
	fi
	[ "$failed" = 0 ] || exit 1
	[ "$skipped" != "${#picked[@]}" ] || exit $KSFT_SKIP
	exit 0
}
