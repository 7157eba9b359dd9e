#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# docs.sh [PROGRAM]: do the manual pages and --help say what the program has? It
# is asked, or its source is read; a failure names what to write and where. TAP.

helper=$(cd "$(dirname "$0")/.." && pwd) || exit 1
program=${1:-$helper/ovlyhelper}
man=$helper/man
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
n=0 failed=0

# result NAME: passes if nothing was written to $tmp/bad.
result() {
	n=$((n + 1))
	if [ -s "$tmp/bad" ]; then
		failed=1
		echo "not ok $n - $1"
		sed 's/^/# /' "$tmp/bad"
	else
		echo "ok $n - $1"
	fi
	: >"$tmp/bad"
}
bad() { echo "$*" >>"$tmp/bad"; }
: >"$tmp/bad"

# text PAGE...: as it is read, wide enough that no line is broken; the source
# without its macros, where there is no groff.
text() {
	if command -v groff >/dev/null; then
		(cd "$man" && groff -man -Tascii -P-cbou -rLL=4000n "$@")
	else
		(cd "$man" && sed -e 's/\\f.//g' -e 's/\\-/-/g' -e 's/^\.[A-Z]* *//' "$@")
	fi
}
for page in "$man"/*.[1-9]; do
	text "${page##*/}" >"$tmp/${page##*/}"
done

# says WORD FILE...: one of the pages has it as a word of its own.
says() {
	word=$1
	shift
	(cd "$tmp" && grep -qE -- "(^|[^A-Za-z0-9_.-])$(printf %s "$word" | sed 's/[.]/[.]/g')($|[^A-Za-z0-9_-])" "$@" 2>/dev/null)
}

# every_command: "peer", "peer set", ... a line each, from the program's help.
every_command() {
	"$program" help | section commands | while read -r command _; do
		[ "$command" != help ] || continue
		echo "$command"
		"$program" help "$command" | section commands | sed "s/^\([a-z-]*\) .*/$command \1/"
	done
}
# section NAME: those lines of a help that begin with two blanks and a word.
section() { sed -n "/^$1/,/^\$/s/^  \([a-z-]\)/\1/p"; }

every_command >"$tmp/commands"
[ "$(wc -l <"$tmp/commands")" -gt 25 ] || bad "the help of $program lists $(wc -l <"$tmp/commands") commands only"

# ---- pages ----

grep -o '&cmd_[a-z]*,' "$helper/main.c" | sed 's/&cmd_\(.*\),/\1/' | sort -u >"$tmp/table"
[ "$(wc -l <"$tmp/table")" -gt 8 ] || bad "main.c has $(wc -l <"$tmp/table") commands only"
while read -r command; do
	page=ovlyhelper-$command.8
	if [ ! -f "$man/$page" ]; then
		bad "write helper/man/$page: main.c has the command '$command'"
		continue
	fi
	grep -qF "ovlyhelper-$command(8)" "$tmp/ovlyhelper.8" ||
		bad "name $page in COMMANDS of helper/man/ovlyhelper.8"
	grep -qx "$command" "$tmp/commands" || bad "'ovlyhelper help' does not list '$command' of main.c"
	for title in NAME SYNOPSIS DESCRIPTION OPTIONS OUTPUT "EXIT STATUS" EXAMPLES FILES "SEE ALSO"; do
		grep -qxE "\\.SH \"?$title\"?" "$man/$page" || bad "helper/man/$page: there is no section '$title'"
	done
done <"$tmp/table"
for page in ovly.7 ovly.conf.5 ovlyhelper.8; do
	[ -f "$man/$page" ] || bad "write helper/man/$page"
done
result "every command of main.c has its page"

if command -v groff >/dev/null; then
	for page in "$man"/*; do
		groff -man -Tutf8 -ww -z "$page" 2>&1 | sed 's/^/groff: /' >>"$tmp/bad"
		groff -man -Tutf8 -P-cbou -rLL=78n "$page" |
			awk -v page="${page##*/}" 'length($0) > 80 {
				print "helper/man/" page ": wider than 80 columns:" $0 }' >>"$tmp/bad"
	done
	result "pages have no warnings of groff and fit 80 columns"
else
	n=$((n + 1))
	echo "ok $n - pages have no warnings of groff # SKIP there is no groff"
fi

# What a page refers to is there, or somebody else's.
for page in "$man"/*; do
	grep -oE '(ovly|ovlyhelper)[a-z.-]*\([1-9]\)' "$tmp/${page##*/}" | sort -u | tr '()' '. ' |
		while read -r other; do
			[ -f "$man/$other" ] || bad "helper/man/${page##*/} refers to $other, which is not there"
		done
done
result "pages refer to pages that are there"

# ---- help ----

while read -r command; do
	# shellcheck disable=SC2086 # its words
	"$program" $command --help >"$tmp/help" 2>&1 || bad "'ovlyhelper $command --help' fails"
	awk -v c="$command" 'length($0) > 80 { print "--help of " c ": wider than 80 columns: " $0 }' "$tmp/help" >>"$tmp/bad"
	# shellcheck disable=SC2086
	[ "$("$program" help $command)" = "$(cat "$tmp/help")" ] || bad "'help $command' is not '$command --help'"
	for part in usage: manual:; do
		grep -q "^$part ." "$tmp/help" || bad "--help of $command: no '$part'"
	done
	grep -q '^commands:' "$tmp/help" || for part in examples: "exit status:"; do
		grep -q "^$part" "$tmp/help" || bad "--help of $command: no '$part' (fill it in where helper/cmd_${command%% *}.c has its struct command)"
	done
	head -n 1 "$tmp/help" | grep -q ': .' || bad "--help of $command: no summary"
done <"$tmp/commands"
result "every command has a complete --help that fits 80 columns"

# The section only: a JSON key may have the name of an option.
for page in "$tmp"/ovlyhelper-*.8; do
	sed -n '/^OPTIONS/,/^OUTPUT/p' "$page" >"$page.options"
done
while read -r command; do
	# shellcheck disable=SC2086
	"$program" help $command | section options | while read -r option _; do
		says "$option" "ovlyhelper-${command%% *}.8.options" ||
			bad "add '$option' to OPTIONS of helper/man/ovlyhelper-${command%% *}.8: --help of '$command' has it"
	done
done <"$tmp/commands"
result "every option of --help is in the page"

# options_of FILE: the names in its ARG() tables.
options_of() { grep -oE 'ARG\((adding \? |append \? )?"[a-z0-9-]+"' "$1" | sed 's/.*"\(.*\)"/\1/' | sort -u; }
for file in "$helper"/cmd_*.c "$helper"/show_*.c; do
	command=$(basename "$file" .c | sed -e 's/^cmd_//' -e 's/^show_.*/show/')
	grep "^$command" "$tmp/commands" | while read -r words; do
		# shellcheck disable=SC2086
		"$program" help $words | section options
	done | sed -e 's/^--//' -e 's/ .*//' >"$tmp/options"
	options_of "$file" | while read -r option; do
		grep -qx -- "$option" "$tmp/options" ||
			bad "add '$option' to the usage text of '$command': ${file##*/} takes it, and no --help has it"
	done
done
result "every option that is taken is in a --help"

# ---- examples ----

# What is about objects of the module only: without it, it cannot do harm, and in
# a network namespace of its own it does not with it.  2 is "not understood".
{
	while read -r command; do
		# shellcheck disable=SC2086
		"$program" help $command | sed -n '/^examples/,/^$/s/^  \(ovlyhelper .*\)/\1/p'
	done <"$tmp/commands"
	cat "$tmp"/*.[1-9] | sed -n 's/^ *\(ovlyhelper .*\)/\1/p'
} | sed -e 's/ [|].*//' -e 's/   .*//' | grep -E '^ovlyhelper (dev|peer|path|route|show) [a-z-]+ ?[a-z0-9:./ -]*$' |
	grep -vF ' - ' | sort -u >"$tmp/examples"
[ "$(wc -l <"$tmp/examples")" -gt 30 ] || bad "there are $(wc -l <"$tmp/examples") examples only"
if unshare --net true 2>/dev/null; then
	while read -r _ line; do
		rc=0
		# shellcheck disable=SC2086
		timeout 10 unshare --net "$program" $line >"$tmp/out" 2>&1 </dev/null || rc=$?
		[ $rc -le 1 ] || [ $rc = 3 ] || bad "an example does not work: 'ovlyhelper $line': $(cat "$tmp/out")"
	done <"$tmp/examples"
	result "examples of pages and help are understood"
else
	n=$((n + 1))
	echo "ok $n - examples are understood # SKIP needs a network namespace, be root"
fi

# ---- output ----

# keys FILE: what it may put into JSON. In json_pack() words count as keys that are
# values; those belong into the page as well.
keys() {
	tr '\n\t' '  ' <"$1" >"$tmp/flat"
	grep -oE '(json_object_set(_new)?|explain_set_[a-z]+|set_(str|addr|text|ago)) ?\([^,;]*, *"[a-z][a-z0-9-]*"' "$tmp/flat" |
		sed 's/.*"\(.*\)"/\1/'
	grep -oE 'json_pack ?\([^;]*;' "$tmp/flat" | grep -oE '"[a-z][a-z0-9-]+"' | tr -d '"'
}
# rows NAME: the keys of fields.c in "NAME_rows".
rows() {
	sed -n "/ $1_rows\[\]/,/^};/p" "$helper/fields.c" | tr '\n\t' '  ' |
		grep -oE '(ROW|WORDS)\([^"]*"[a-z-]+"' | sed 's/.*"\(.*\)"/\1/'
}
# keys_in PAGES SOURCE: those on stdin are in one of the pages.
keys_in() {
	while read -r key; do
		# shellcheck disable=SC2086
		says "$key" $1 || bad "add the JSON key '$key' with type and unit to OUTPUT of helper/man/${1%% *}: $2 prints it"
	done
}
objects="ovlyhelper-dev.8 ovlyhelper-peer.8 ovlyhelper-path.8 ovlyhelper-route.8"
grep -lE 'json_object_set|json_pack' "$helper"/*.c | sed 's,.*/,,' | while read -r file; do
	case $file in
	view.c) pages=$objects ;;
	show*.c | explain*.c) pages="ovlyhelper-show.8 $objects" ;;
	cmd_*.c) pages=ovlyhelper-$(basename "$file" .c | sed 's/^cmd_//').8 ;;
	doctor*.c) pages=ovlyhelper-doctor.8 ;;
	bridge*.c) pages=ovlyhelper-show.8 ;;
	apply*.c | conf*.c) pages=ovlyhelper-apply.8 ;;
	out.c) continue ;;
	*)
		bad "helper/$file makes JSON: say in helper/test/docs.sh which page has its keys"
		continue
		;;
	esac
	# "running" is for people only
	keys "$helper/$file" | grep -vx running | sort -u | keys_in "$pages" "helper/$file"
done
# what view.c takes out again, or asks with only
rows dev | keys_in ovlyhelper-dev.8 fields.c
rows peer | keys_in ovlyhelper-peer.8 fields.c
rows path | grep -vx underlay-name | grep -vx previous-endpoint | keys_in ovlyhelper-path.8 fields.c
rows route | grep -vxE 'dst|prefixlen|flags|via|family' | keys_in ovlyhelper-route.8 fields.c
result "every JSON key is in the page"

stats=$(sed -n '/ stats_names\[.*= {/,/^};/s/.*"\([a-z-]*\)".*/\1/p' "$helper/fields.c")
for key in $stats; do
	says "$key" ovlyhelper-dev.8 || bad "add the counter '$key' to OUTPUT of helper/man/ovlyhelper-dev.8"
	case $key in *-packets | *-bytes) continue ;; esac
	says "$key" ovly.7 || bad "add the drop reason '$key' to COUNTERS of helper/man/ovly.7: what it means, what to do"
done
sed -n '/ event_words\[\]/,/};/p' "$helper/fields.c" | grep -oE '"[a-z-]+"' | tr -d '"' | grep -vx unspec |
	while read -r event; do
		says "$event" ovlyhelper-monitor.8 || bad "add the event '$event' to Events in helper/man/ovlyhelper-monitor.8"
	done
grep -oE '^	\{ "[a-z-]+", check_' "$helper/doctor.c" | sed 's/.*"\(.*\)".*/\1/' | while read -r check; do
	says "$check" ovlyhelper-doctor.8 || bad "add the check '$check' to DESCRIPTION of helper/man/ovlyhelper-doctor.8"
done
{
	grep -oE '\.name = "[a-z_]+"' "$helper/metrics.c" | sed 's/.*"\(.*\)"/\1/'
	grep -oE 'prefix "_[a-z_]+"' "$helper/metrics.c" | sed 's/.*"\(.*\)"/device\1 peer\1/' | tr ' ' '\n'
} | while read -r family; do
	says "ovly_$family" ovlyhelper-metrics.8 || says "ovly_${family}_total" ovlyhelper-metrics.8 ||
		bad "add the metric 'ovly_$family' with its unit to OUTPUT of helper/man/ovlyhelper-metrics.8"
done
grep -oE 'TRACE_EVENT\(ovly_[a-z_]+' "$helper/../kmod/trace.h" 2>/dev/null | sed 's/.*(//' | while read -r event; do
	says "ovly:$event" ovly.7 || bad "add the tracepoint '$event' to helper/man/ovly.7"
done
result "counters, events, checks, metrics and tracepoints are in their pages"

# keywords of ovly.conf
{
	grep -oE '\[CI_[A-Z_]+\] = \{ "[a-z-]+"' "$helper/conf_parse_overlay.c"
	sed -n '/_words\[\] = {/,/};/p' "$helper/conf_parse_bgp.c"
} | grep -oE '"[a-z-]+"' | tr -d '"' | sort -u | while read -r word; do
	says "$word" ovly.conf.5 || bad "add the keyword '$word' to helper/man/ovly.conf.5"
done
result "every keyword of ovly.conf is in its page"

# What a new user types first.
sed -n "/^\`\`\`ovly\$/,/^\`\`\`\$/{/^\`\`\`/d;p}" "$helper/../README.md" >"$tmp/README" 2>/dev/null
[ -s "$tmp/README" ] || rm "$tmp/README"
sed -n '/^secure/,/^\.fi/p' "$man/ovly.conf.5" | sed -e 's/\\-/-/g' -e '/^\.fi/d' >"$tmp/page"
[ -s "$tmp/page" ] || bad "helper/man/ovly.conf.5 has no example that begins with 'secure-overlay'"
for conf in "$tmp"/README "$tmp/page" "$helper"/examples/ovly.conf*; do
	[ ! -f "$conf" ] || "$program" apply "$conf" --check >"$tmp/out" 2>&1 ||
		bad "${conf##*/}: 'apply --check' refuses its ovly.conf: $(cat "$tmp/out")"
done
result "every ovly.conf that is shown is right"

echo "1..$n"
exit $failed
