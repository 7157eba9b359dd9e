#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# debug-job.sh SCRIPT[:CASE,...]...: the job of check-debug's guest: the scripts
# one after the other, as one KTAP with cases named "script: case". After each the
# module is unloaded, what it leaked is looked for, and its part of the kernel's
# log. Stops at a script that brought the kernel into trouble: what lockdep and
# KASAN say after their first finding is no longer worth much.

# shellcheck source=selftests/lib.sh
. "${OVLY_TOP:?}/selftests/lib.sh"

KMEMLEAK=/sys/kernel/debug/kmemleak
# kmemleak says nothing of objects younger than this.
KMEMLEAK_AGE=5
# load_ovly notes the module's symbols there, for backtraces after it is gone.
export OVLY_SYMBOLS=/tmp/ovly-symbols

total=0 failed=0

# report ok|"not ok" TEXT
report() {
	total=$((total + 1))
	[ "$1" = ok ] || failed=$((failed + 1))
	echo "$1 $total - $NAME: $2"
}

# relay: a script's KTAP as part of this one's; counts its results.
relay() {
	local line text
	count=0 plan=
	while IFS= read -r line || [ -n "$line" ]; do
		case $line in
		"TAP version "* | "KTAP version "*) ;;
		[0-9]*..[0-9]*)
			plan=${line#*..}
			plan=${plan%% *}
			case $line in *"# SKIP"*) report ok "the whole test # SKIP${line#*# SKIP}" ;; esac
			;;
		"ok "* | "not ok "*)
			count=$((count + 1))
			text=${line#*ok }
			text=${text#* }
			report "${line%%ok *}ok" "${text#- }"
			;;
		*) printf '%s\n' "$line" ;;
		esac
	done
}

# run_script SCRIPT CASE...
run_script() {
	local rc before=$failed

	relay < <(bash "$OVLY_TOP/$1" "${@:2}" 2>&1)
	wait $!
	rc=$?
	[ "$count" = "$plan" ] || report "not ok" "$count results came where the script planned ${plan:-none}"
	case $rc:$((failed - before)) in
	0:* | 1:[1-9]* | "$KSFT_SKIP":*) ;;
	*) report "not ok" "the script ends well, not with status $rc" ;;
	esac
}

# leaks: scans twice, because the first scan only notes the checksums of what
# looks lost; then prints it, addresses of the module by name.
leaks() {
	local unloaded=${EPOCHREALTIME/./}

	echo scan >$KMEMLEAK
	while ((${EPOCHREALTIME/./} - unloaded < KMEMLEAK_AGE * 1100000)); do
		sleep 0.1
	done
	echo scan >$KMEMLEAK
	cat $KMEMLEAK
	echo clear >$KMEMLEAK
}

# by_owner: sorts kmemleak's report into the files ovly and others. Everything but
# ovly is built into this kernel, so an address without a name is ovly's.
by_owner() {
	awk -v symbols=$OVLY_SYMBOLS -v dir="$1" '
	BEGIN {
		while ((getline line < symbols) > 0) {
			split(line, f, " ")
			name[f[1]] = f[3]
		}
	}
	function flush() { if (object != "") printf "%s", object > (dir (mine ? "/ovly" : "/others")); object = ""; mine = 0 }
	function named(address,   a, best) {
		for (a in name)
			if (a <= address && a > best)
				best = a
		return best == "" ? address : name[best] " [ovly]"
	}
	/^unreferenced object/ { flush() }
	/\[ovly\]$/ { mine = 1 }
	/\] 0xffffffff[a-f][0-9a-f]*$/ { mine = 1; sub(/0xffffffff[a-f][0-9a-f]*$/, named(substr($NF, 3))) }
	{ object = object $0 "\n" }
	END { flush() }'
}

# aftermath: no trace of the module may be left.
aftermath() {
	local dir trouble state=ok

	dir=$(mktemp -d)
	unload_ovly || state="not ok"
	leaks | by_owner "$dir"
	if [ -s "$dir/ovly" ]; then
		state="not ok"
		note "kmemleak found what the module left:"
		sed 's/^/# /' "$dir/ovly"
	fi
	if [ -s "$dir/others" ]; then
		note "remark: $NAME: kmemleak found $(grep -c '^unref' "$dir/others") objects that are not the module's"
		sed 's/^/# /' "$dir/others"
	fi
	trouble=$(kernel_log_since | grep -m 1 -E "$KERNEL_TROUBLE")
	if [ -n "$trouble" ]; then
		state="not ok"
		note "the kernel said: $trouble"
	fi
	report "$state" "the module unloads, nothing leaked, kernel log clean"
	[ -z "$trouble" ]
}

echo "TAP version 13"
echo clear >$KMEMLEAK
for job; do
	NAME=$(basename "${job%%:*}" .sh)
	NAME=${NAME#debug-}
	echo "# script $NAME"
	kernel_log_mark
	: >$OVLY_SYMBOLS
	cases=()
	[[ $job != *:* ]] || IFS=, read -ra cases <<<"${job#*:}"
	export OVLY_OUT=/ovly/job/out/$NAME
	mkdir -p "$OVLY_OUT"
	run_script "${job%%:*}" "${cases[@]}"
	aftermath || break
done
echo "1..$total"
[ $failed = 0 ]
