# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# unit.sh: the helper's cmocka tests, which run on the host.

# cmocka_flatten: cmocka's own words ("[       OK ] name") and its TAP, as KTAP
# without numbers. The plan comes last, from what cmocka says it has run.
cmocka_flatten() (
	n=0 planned=0
	while IFS= read -r line || [ -n "$line" ]; do
		case $line in
		"[ RUN      ] "*) ;;
		"[       OK ] "*)
			n=$((n + 1))
			echo "ok $n - ${line#*] }"
			;;
		"[  SKIPPED ] "*" test(s)"*) ;;
		"[  SKIPPED ] "*)
			n=$((n + 1))
			echo "ok $n - ${line#*] } # SKIP"
			;;
		"[  FAILED  ] "*" test(s)"*) ;;
		"[  FAILED  ] "*)
			# Said once per test when it ends and again in the summary.
			case " ${seen:-} " in *" ${line#*] } "*) continue ;; esac
			seen="${seen:-} ${line#*] }"
			n=$((n + 1))
			echo "not ok $n - ${line#*] }"
			;;
		"[==========] "*"Running "*)
			p=${line#*Running }
			planned=$((planned + ${p%% *}))
			;;
		"ok "[0-9]*" - "* | "not ok "[0-9]*" - "*)
			n=$((n + 1))
			echo "$line"
			;;
		1..[0-9]*) planned=$((planned + ${line#1..})) ;;
		*) printf '# %s\n' "$line" ;;
		esac
	done
	echo "1..$planned"
)

# run_unit: in the build directory, so that the checkout stays as it is.
run_unit() {
	dir=$(build_dir helper)
	log=$RESULTS/helper.log
	t0=$(now_ms)
	{
		make -C "$dir/helper" test 2>&1
		echo $? >"$log.rc"
	} </dev/null | tee "$log" | cmocka_flatten | ktap_render helper
	t1=$(now_ms)
	read -r count plan <"$RENDERED"
	why=''
	if [ "$count" = 0 ]; then
		why="no test ran"
	elif [ "$count" != "$plan" ]; then
		why="$count results came where the tests planned $plan"
	elif [ "$(cat "$log.rc")" != 0 ] && ! grep -q '^fail helper:' "$TALLY"; then
		why="make test failed although no test did"
	fi
	if [ -n "$why" ]; then
		result fail helper "all test programs run" $((t1 - t0)) "$why"
		say "    log: $log"
		tail -n 15 "$log" | sed 's/^/    | /'
	fi
}
