#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# debug-job.sh SCRIPT[:CASE,...]...: the job of check-debug's guest: the scripts
# one after the other, as one KTAP with cases named "script: case". After each the
# module is unloaded and the kernel's log looked at; stops at a script that brought
# the kernel into trouble, because what lockdep and KASAN say after their first
# finding is no longer worth much. Leaks are looked for at the end: a scan takes as
# long as a script, and kmemleak knows when each lost object was made.

# shellcheck source=selftests/lib.sh
. "${OVLY_TOP:?}/selftests/lib.sh"

KMEMLEAK=/sys/kernel/debug/kmemleak
# kmemleak says nothing of objects younger than this.
KMEMLEAK_AGE=5
# "jiffies script" for each script that ran, and per script the module's symbols
# (load_ovly notes them, for backtraces after it is gone) and its leaks.
LEAKS=$(mktemp -d)

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

# scan: prints what looks lost. Scans twice, because the first scan only notes the
# checksums of such objects.
scan() {
	local unloaded=${EPOCHREALTIME/./}

	# Nothing of the module runs, and its many lock operations are not news.
	echo 0 >/proc/sys/kernel/prove_locking
	echo scan >$KMEMLEAK
	while ((${EPOCHREALTIME/./} - unloaded < KMEMLEAK_AGE * 1100000)); do
		sleep 0.1
	done
	echo scan >$KMEMLEAK
	echo 1 >/proc/sys/kernel/prove_locking
	cat $KMEMLEAK
}

# by_owner: sorts kmemleak's report into LEAKS: files ovly-SCRIPT, and others.
# Everything but ovly is built into this kernel, so an address without a name is
# the module's.
by_owner() {
	awk -v dir="$LEAKS" '
	BEGIN {
		while ((getline line < (dir "/scripts")) > 0) {
			split(line, f, " ")
			from[++n] = f[1] + 0
			script[n] = f[2]
		}
	}
	function made_by(jiffies,   i) {
		for (i = n; i > 1 && from[i] > jiffies; i--)
			;
		return script[i]
	}
	function flush() {
		if (object != "")
			printf "%s", object > (dir (mine ? "/ovly-" owner : "/others"))
		object = ""
		mine = 0
	}
	function load(s,   line, f) {
		if (s in addresses)
			return
		addresses[s] = ""
		while ((getline line < (dir "/symbols-" s)) > 0) {
			split(line, f, " ")
			name[s, f[1]] = f[3]
			addresses[s] = addresses[s] " " f[1]
		}
	}
	function named(s, address,   list, i, best) {
		load(s)
		best = ""
		for (i = split(addresses[s], list, " "); i > 0; i--)
			if (list[i] "" <= address "" && list[i] "" > best "")
				best = list[i]
		return best == "" ? address : name[s, best] " [ovly]"
	}
	/^unreferenced object/ { flush() }
	/^  comm .* jiffies / {
		match($0, /jiffies [0-9]+/)
		owner = made_by(substr($0, RSTART + 8, RLENGTH - 8) + 0)
	}
	/\[ovly\]$/ { mine = 1 }
	/\] 0xffffffff[a-f][0-9a-f]*$/ {
		mine = 1
		sub(/0xffffffff[a-f][0-9a-f]*$/, named(owner, substr($NF, 3)))
	}
	{ object = object $0 "\n" }
	END { flush() }'
}

# aftermath: the module goes, and the kernel had nothing to complain of.
aftermath() {
	local trouble state=ok

	unload_ovly || state="not ok"
	trouble=$(kernel_log_since | grep -m 1 -E "$KERNEL_TROUBLE")
	if [ -n "$trouble" ]; then
		state="not ok"
		note "the kernel said: $trouble"
	fi
	report "$state" "the module unloads, kernel log clean"
	[ -z "$trouble" ]
}

# look_for_leaks: a result for each script that ran.
look_for_leaks() {
	scan | by_owner
	if [ -s "$LEAKS/others" ]; then
		note "remark: kmemleak found $(grep -c '^unref' "$LEAKS/others") objects that are not the module's"
		sed 's/^/# /' "$LEAKS/others"
	fi
	while read -r _ NAME; do
		if [ -s "$LEAKS/ovly-$NAME" ]; then
			sed 's/^/# /' "$LEAKS/ovly-$NAME"
			report "not ok" "the module leaks nothing"
		else
			report ok "the module leaks nothing"
		fi
	done <"$LEAKS/scripts"
}

echo "TAP version 13"
echo clear >$KMEMLEAK
for job; do
	NAME=$(basename "${job%%:*}" .sh)
	NAME=${NAME#debug-}
	echo "# script $NAME"
	kernel_log_mark
	awk -v name="$NAME" '/^jiffies: / { print $2, name; exit }' /proc/timer_list >>"$LEAKS/scripts"
	export OVLY_SYMBOLS=$LEAKS/symbols-$NAME
	cases=()
	[[ $job != *:* ]] || IFS=, read -ra cases <<<"${job#*:}"
	export OVLY_OUT=/ovly/job/out/$NAME
	mkdir -p "$OVLY_OUT"
	run_script "${job%%:*}" "${cases[@]}"
	aftermath || break
done
look_for_leaks
echo "1..$total"
[ $failed = 0 ]
