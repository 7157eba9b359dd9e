# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# common.sh: messages, progress, the cache and its locks. Sourced by
# selftests/run before every other part of the lab. POSIX sh: it is the first
# thing that runs on a machine that has nothing but a shell.
#
# Functions that need variables of their own run in a subshell, f() ( ... ).

# TOP is the checkout; selftests/run sets it.
LAB=$TOP/selftests/lab
CACHE=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/ovly
VERBOSE=${VERBOSE:-0}

# depmod, modprobe and mke2fs are not on every user's path.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
export PATH

say() { printf '%s\n' "$*"; }
step() { printf '==> %s\n' "$*"; }
warn() { printf '%s\n' "ovly: $*" >&2; }
die() {
	warn "$*"
	exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }
now_ms() { echo "$(($(date +%s%N) / 1000000))"; }

# seconds MS: milliseconds as seconds with one decimal.
seconds() { printf '%d.%d' "$(($1 / 1000))" "$(($1 % 1000 / 100))"; }

# long DESCRIPTION LOG COMMAND...: runs a command that may take long, its
# output in LOG, and shows that it is alive. Shows the end of LOG if it fails.
long() (
	what=$1 log=$2
	shift 2
	mkdir -p "${log%/*}"
	t0=$(date +%s)
	if [ "$VERBOSE" != 0 ]; then
		step "$what"
		# A pipe would hide the status of its first part: leave it in a file.
		{ "$@" 2>&1 && echo 0 >"$log.rc" || echo 1 >"$log.rc"; } | tee "$log"
		exit "$(cat "$log.rc")"
	fi
	tty=0
	[ -t 1 ] && tty=1
	[ $tty = 1 ] || step "$what ..."
	"$@" >"$log" 2>&1 </dev/null &
	pid=$!
	trap 'kill $pid 2>/dev/null; exit 130' INT TERM
	shown=0
	while kill -0 $pid 2>/dev/null; do
		el=$(($(date +%s) - t0))
		if [ $tty = 1 ]; then
			printf '\r==> %s ... %ds ' "$what" "$el"
		elif [ $((el - shown)) -ge 30 ]; then
			step "$what ... ${el}s"
			shown=$el
		fi
		sleep 0.2
	done
	rc=0
	wait $pid || rc=$?
	el=$(($(date +%s) - t0))
	[ $tty = 1 ] && printf '\r'
	if [ $rc = 0 ]; then
		if [ $tty = 1 ]; then
			printf '==> %s: done in %ds      \n' "$what" "$el"
		elif [ "$el" -ge 5 ]; then
			step "$what: done in ${el}s"
		fi
	else
		step "$what: FAILED after ${el}s; the end of $log:"
		tail -n 25 "$log" | sed 's/^/    /'
	fi
	exit $rc
)

# locked NAME COMMAND...: one process at a time per name, across checkouts,
# because they share the cache.
locked() (
	mkdir -p "$CACHE/locks"
	lock=$CACHE/locks/$1
	shift
	exec 9>"$lock"
	if ! flock -n 9; then
		step "waiting for another run that holds ${lock##*/}"
		flock 9
	fi
	"$@" 9>&-
)

# hash: a short key of what comes on stdin.
hash() { sha256sum | cut -c1-16; }

# sync_tree DEST PATH...: copies project paths into a build directory. Only a
# file whose content differs is written, so a build there is incremental
# whatever the times in the checkout say; a source that is gone goes there too.
sync_tree() (
	dest=$1
	shift
	mkdir -p "$dest"
	cd "$TOP" || exit 1
	list=$dest/.sources
	find "$@" -type f ! -name '*.o' ! -name '*.ko' ! -name '*.cmd' ! -name '*.mod' \
		! -name '*.mod.c' ! -name '*.d' ! -name '*~' | sort >"$list.new"
	if [ -f "$list" ]; then
		sort "$list.new" "$list.new" "$list" | uniq -u | while IFS= read -r f; do
			rm -f "$dest/$f"
		done
	fi
	while IFS= read -r f; do
		cmp -s "$f" "$dest/$f" && continue
		mkdir -p "$dest/$(dirname "$f")"
		cp "$f" "$dest/$f" || exit 1
	done <"$list.new"
	mv "$list.new" "$list"
)
