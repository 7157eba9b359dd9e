# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# at-once.sh: several guests at a time. A guest spends most of its life in one
# process, so a machine takes as many as it has cores. What they print comes as it
# happens: every line names its test, and what belongs together comes in one piece.

# guests_at_once [CORES]: prints how many, where each keeps that many cores busy.
guests_at_once() {
	if [ -n "${OVLY_JOBS:-}" ]; then
		echo "$OVLY_JOBS"
		return
	fi
	# 3 GiB each: the guest's memory and QEMU's own.
	awk -v n="$(nproc)" -v each="${1:-1}" '
	BEGIN { n = int(n / each) }
	$1 == "MemAvailable:" { m = int($2 / 3145728); n = n < m ? n : m }
	END { n = n < 4 ? n : 4; print (n > 1 ? n : 1) }' /proc/meminfo
}

# next_of QUEUE: takes the first line of a file away and prints it.
next_of() (
	exec 8>"$1.lock"
	flock 8
	read -r line <"$1" || exit 1
	sed -i 1d "$1"
	echo "$line"
)

# work_off QUEUE COMMAND...: runs COMMAND with each line until there is none.
work_off() {
	queue=$1
	shift
	while item=$(next_of "$queue"); do
		"$@" "$item"
	done
}

# at_once N COMMAND ITEM...: runs "COMMAND ITEM" for each item, N at a time.
at_once() {
	workers=$1 command=$2 queue=$RESULTS/queue
	shift 2
	if [ "$workers" = 1 ] || [ $# = 1 ]; then
		for item in "$@"; do
			"$command" "$item"
		done
		return
	fi
	printf '%s\n' "$@" >"$queue"
	# Deadlines are those of a guest that is alone.
	GUEST_SLOW=$((GUEST_SLOW * 2)) TEST_DEADLINE=$((TEST_DEADLINE * 2))
	# A shell without job control has them ignore the keyboard's signals.
	trap 'trap - INT TERM; kill -s TERM 0; exit 130' INT TERM
	while [ "$workers" -gt 0 ]; do
		work_off "$queue" "$command" &
		workers=$((workers - 1))
	done
	wait
	trap - INT TERM
}

# together COMMAND...: what it prints comes in one piece.
together() {
	pieces=$("$@")
	[ -z "$pieces" ] || printf '%s\n' "$pieces"
}
