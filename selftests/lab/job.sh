# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# job.sh: runs the project's test scripts, the demo and a shell in guests.

# A guest that takes longer than this is stuck.
TEST_DEADLINE=${OVLY_TEST_DEADLINE:-600}

# new_results: makes RESULTS, the directory for this run's logs, and keeps the
# last ten runs and those that still go on.
new_results() {
	RESULTS=$CACHE/results/$(date +%Y%m%d-%H%M%S)-$$
	mkdir -p "$RESULTS"
	ln -sfn "$RESULTS" "$CACHE/results/latest"
	TALLY=$RESULTS/tally
	RENDERED=$RESULTS/rendered
	: >"$TALLY"
	for old in $(printf '%s\n' "$CACHE"/results/2* | sort -r | tail -n +11); do
		# Its name ends with the process that fills it.
		kill -0 "${old##*-}" 2>/dev/null || rm -rf "$old"
	done
}

# test_scripts: the paths of all selftests, in the order that check runs them.
# A script is a test if it runs a table of cases.
test_scripts() (
	cd "$TOP" || exit 1
	{
		printf '%s\n' selftests/net/*.sh selftests/smoke.sh selftests/e2e/branch.sh \
			selftests/e2e/hub.sh selftests/e2e/*.sh | awk '!seen[$0]++'
	} | while IFS= read -r f; do
		[ ! -f "$f" ] || ! grep -q '^run_cases' "$f" || echo "$f"
	done
)

# test_path NAME: the script of a test.
test_path() {
	for p in "selftests/e2e/$1.sh" "selftests/net/$1.sh" "selftests/$1.sh" "$1"; do
		if [ -f "$TOP/$p" ]; then
			echo "$p"
			return 0
		fi
	done
	return 1
}

# no_such_test NAME
no_such_test() {
	warn "there is no selftest '$1'; these exist: $(test_scripts | sed 's,.*/,,;s,\.sh$,,' | tr '\n' ' ')"
}

# run_tests NAME[:CASE[,CASE]]...
run_tests() {
	for t in "$@"; do
		test_path "${t%%:*}" >/dev/null || {
			no_such_test "${t%%:*}"
			exit 1
		}
	done
	at_once "$(guests_at_once)" run_test "$@"
}

# run_test NAME[:CASE[,CASE]]: one script in one guest.
run_test() {
	name=${1%%:*} cases=''
	case $1 in *:*) cases=$(echo "${1#*:}" | tr ',' ' ') ;; esac
	script=$(test_path "$name")
	guest_birds "$script"
	# shellcheck disable=SC2086 # several cases are several words
	run_job "$(basename "$script" .sh)" "$script" $cases
}

# guest_job DIR NAME SCRIPT ARGUMENT...: boots one guest for it.
guest_job() {
	dir=$1 name=$2
	shift 2
	job_prepare "$dir" "$@"
	rm -f "$RENDERED"
	t0=$(now_ms)
	guest_boot "$dir" "$TEST_DEADLINE" | tee "$dir/stream.log" | ktap_render "$name"
	t1=$(now_ms)
}

# run_job NAME SCRIPT ARGUMENT...: a script that prints KTAP, in one guest; its
# results and the guest's own count under NAME.
run_job() {
	name=$1 dir=$RESULTS/$1
	shift
	RENDERED=$dir.rendered
	guest_job "$dir" "$name" "$@"
	if emulator_hung "$dir"; then
		say "    $name: QEMU hung (see emulator_hung() in selftests/lab/guest.sh, logs: $dir.hung):" \
			"its results so far do not count, once more in a new guest"
		rm -rf "$dir.hung"
		mv "$dir" "$dir.hung"
		echo "void $name" >>"$TALLY"
		guest_job "$dir" "$name" "$@"
	fi
	why=$(guest_verdict "$dir" "$TEST_DEADLINE")
	# The verdict ran in a subshell; the status is read again here.
	rc=$(sed -n 's/^done //p' "$dir/result" 2>/dev/null)
	read -r count plan <"$RENDERED"
	if [ -z "$why" ] && [ "$rc" = 4 ] && [ "$count" = 0 ]; then
		result skip "$name" "the whole test" $((t1 - t0)) "see $dir/stream.log"
		return 0
	fi
	if [ -z "$why" ] && [ "$count" != "$plan" ]; then
		why="$count results came where the script planned $plan"
	elif [ -z "$why" ] && [ "$rc" != 0 ] && [ "$rc" != 4 ] && ! tally | grep -q "^fail $name:"; then
		why="the script exited with status $rc although no test failed"
	fi
	if [ -n "$why" ]; then
		result fail "$name" "guest ends well, kernel log clean" $((t1 - t0)) "$why"
		together guest_tail "$dir"
		return 0
	fi
	result pass "$name" "guest ends well, kernel log clean" $((t1 - t0)) "boot to power-off"
	# A failure inside the script was shown; say where the rest is.
	! tally | grep -q "^fail $name:" || say "    logs: $dir (console.log, dmesg.log, stream.log, out/)"
}

# run_live SCRIPT: runs a script for a person: its output as it comes.
run_live() {
	dir=$RESULTS/$(basename "$1" .sh)
	job_prepare "$dir" "$@"
	say "    starting the guest: $(accel | sed 's/^-accel \([a-z]*\).*/\1/'), kernel $KVER"
	if [ "${GUEST_TTY:-0}" = 1 ]; then
		saved=$(stty -g)
		guest_boot "$dir" "${OVLY_SHELL_DEADLINE:-86400}"
		stty "$saved"
	else
		guest_boot "$dir" "$TEST_DEADLINE" | tee "$dir/stream.log"
	fi
	why=$(guest_verdict "$dir" "$TEST_DEADLINE")
	rc=$(sed -n 's/^done //p' "$dir/result" 2>/dev/null)
	if [ -z "$why" ] && [ "$rc" != 0 ]; then
		why="$1 exited with status $rc"
	fi
	[ -n "$why" ] || return 0
	# Leaving by Ctrl-A x is no failure.
	if [ "${GUEST_TTY:-0}" = 1 ] && [ -z "$rc" ] && [ "$(cat "$dir/qemu.rc")" = 0 ]; then
		return 0
	fi
	warn "$why"
	guest_tail "$dir"
	return 1
}
