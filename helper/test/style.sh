#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# style.sh: rules about the text of the sources, run in helper/.

bad=0
say() {
	echo "$1" >&2
	bad=1
}

for f in *.[ch] test/*.[ch]; do
	head -n 1 "$f" | grep -q 'SPDX-License-Identifier: GPL-2.0-only' ||
		say "$f: no SPDX line"
	[ "$(wc -l <"$f")" -le 800 ] || say "$f: more than 800 lines"
	# a message that people search for stays in one piece
	long=$(expand "$f" | grep -nE '^.{101}' | grep -vE '^[0-9]+: *"' |
		cut -d: -f1 | tr '\n' ' ')
	[ -z "$long" ] || say "$f: more than 100 columns in line $long"
	grep -nE '[[:blank:]]+$' "$f" && say "$f: blanks at the end of a line"
	grep -nE '(^|[^A-Za-z0-9_.])/(root|work|home)/' "$f" &&
		say "$f: a path of one machine"
done
exit $bad
