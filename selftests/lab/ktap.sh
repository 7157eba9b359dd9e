# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# ktap.sh: turns KTAP as it arrives into one line per test, keeps the score in
# the file TALLY ("pass|fail|skip suite: name" a line, or "void suite": what was
# said of it before does not count), and prints the total.

# result pass|fail|skip SUITE NAME MILLISECONDS [REMARK]
result() {
	printf '%s %s: %s\n' "$1" "$2" "$3" >>"$TALLY"
	case $1 in
	pass) word=ok ;;
	fail) word=FAIL ;;
	*) word=skip ;;
	esac
	printf '%-5s %s: %s (%s s)%s\n' "$word" "$2" "$3" "$(seconds "$4")" "${5:+ - $5}"
}

# tally: the lines that count.
tally() {
	awk '$1 == "void" { void[$2 ":"] = NR }
	{ line[NR] = $0; of[NR] = $2 }
	END {
		for (i = 1; i <= NR; i++)
			if (line[i] !~ /^void / && i >= void[of[i]] + 0)
				print line[i]
	}' "$TALLY"
}

# ktap_result: a test's line, and what it printed if it failed; for ktap_render.
ktap_result() {
	result "$state" "$suite" "$name" $((now - last)) "$remark"
	[ "$state" != fail ] || [ "$VERBOSE" != 0 ] || tail -n 40 "$buffer" | sed 's/^/      | /'
}

# ktap_render SUITE: reads KTAP on stdin. What a test printed before its result
# is shown below the line of a test that failed, or as it comes with -v.
# Leaves "N of M" in the file RENDERED for the caller to judge.
ktap_render() (
	suite=$1
	plan='' count=0
	buffer=$(mktemp)
	trap 'rm -f "$buffer"' EXIT
	last=$(now_ms)
	while IFS= read -r line || [ -n "$line" ]; do
		case $line in
		"TAP version "* | "KTAP version "*) continue ;;
		[0-9]*..[0-9]*)
			plan=${line#*..}
			plan=${plan%% *}
			last=$(now_ms)
			continue
			;;
		"ok "* | "not ok "*) ;;
		*)
			printf '%s\n' "$line" >>"$buffer"
			[ "$VERBOSE" = 0 ] || printf '      | %s\n' "$line"
			continue
			;;
		esac
		state=pass name=${line#*ok } remark=''
		case $line in "not ok "*) state=fail ;; esac
		# "3 - name # SKIP reason": the number and the dash go, those of a name stay.
		name=${name#"${name%%[!0-9]*}"}
		name=${name# } name=${name#- }
		case $name in
		*"# SKIP"*)
			state=skip
			remark=${name#*# SKIP}
			remark=${remark# }
			name=${name%%# SKIP*}
			name=${name% }
			;;
		esac
		now=$(now_ms)
		together ktap_result
		last=$now count=$((count + 1))
		: >"$buffer"
	done
	# The stream broke off: what the script did last.
	if { [ -z "$plan" ] || [ "$count" -lt "$plan" ]; } && [ "$VERBOSE" = 0 ]; then
		tail -n 40 "$buffer" | sed 's/^/      | /'
	fi
	echo "$count ${plan:-none}" >"$RENDERED"
)

# kunit_flatten: KUnit's nested KTAP as a flat one, cases named "suite: case".
# Results of parameters (deeper) and of suites (outermost) become remarks.
kunit_flatten() (
	only=$1
	suite='' total=0 shown=0
	while IFS= read -r line || [ -n "$line" ]; do
		case $line in
		"    # Subtest: "*) suite=${line#*Subtest: } ;;
		"    "[0-9]*..[0-9]*)
			if [ -z "$only" ] || [ "$only" = "$suite" ]; then
				total=$((total + ${line##*..}))
			fi
			;;
		"    ok "* | "    not ok "*)
			[ -z "$only" ] || [ "$only" = "$suite" ] || continue
			shown=$((shown + 1))
			# 6.1 prints "ok 1 name", later kernels "ok 1 - name".
			name=${line#*ok }
			name=${name#* }
			printf '%sok %d - %s: %s\n' \
				"$(case $line in *"    not ok "*) printf 'not ' ;; esac)" \
				"$shown" "$suite" "${name#- }"
			;;
		*) printf '# %s\n' "$line" ;;
		esac
	done
	echo "1..$total"
)

# tally_total: the closing line; fails if a test did, or if none ran.
tally_total() {
	passed=$(tally | grep -c '^pass ')
	failed=$(tally | grep -c '^fail ')
	skipped=$(tally | grep -c '^skip ')
	if [ "$failed" != 0 ]; then
		say ""
		say "failed:"
		tally | sed -n 's/^fail /    /p'
	fi
	say ""
	say "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" = 0 ] && [ "$passed" != 0 ]
}
