#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# run.sh PROGRAM...: runs the test programs, one TAP line per test. Fails when
# one fails, and when a program ends early.

fail=0
for t in "$@"; do
	case $t in
	*.sh) set -- sh "$t" ;;
	*.bash) set -- bash "$t" ;;
	*) set -- "$t" ;;
	esac
	if ! CMOCKA_MESSAGE_OUTPUT=TAP ASAN_OPTIONS=detect_leaks=1 "$@"; then
		echo "# ${t##*/} failed" >&2
		fail=1
	fi
done
exit $fail
