#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# completion.bash [PROGRAM]: what bash offers. The program is the real one as far
# as its help goes; listings are canned, as there is no module here. TAP.

here=$(dirname "$0")
real=$(realpath "${1:-$here/../ovlyhelper}")
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp/bin" "$tmp/dir"
: >"$tmp/dir/ovly.conf"

# A name as a peer's own identity could have it.
cat >"$tmp/bin/ovlyhelper" <<EOF
#!/bin/sh
case "\$*" in
"peer list json") printf ' {\n  "name": "%s"\n },\n' hub1 hub2 '\$(touch\${IFS}pwned)' ;;
"peer list dev ovly0 json") printf '  "name": "branch1",\n' ;;
"path list json") printf '  "if-id-in": 42,\n  "if-id-out": 43\n' ;;
"route list json") printf '  "prefix": "%s",\n' 10.0.0.0/8 10.0.0.0/8 fd00:1::/32 fd00:2::/32 ;;
*) exec "$real" "\$@" ;;
esac
EOF
cat >"$tmp/bin/ip" <<'EOF'
#!/bin/sh
case "$*" in
*"type ovly") echo '7: ipsec0: <POINTOPOINT,NOARP,UP> mtu 9196'; echo '8: ovly0@NONE: <UP>' ;;
*"type vrf") echo '9: private-vrf: <UP>' ;;
*) echo '1: lo: <UP>'; echo '2: wan-br: <UP>' ;;
esac
EOF
chmod +x "$tmp/bin/ovlyhelper" "$tmp/bin/ip"
PATH=$tmp/bin:$PATH
cd "$tmp/dir" || exit 1

# shellcheck source=helper/completion/ovlyhelper
. "$(dirname "$real")/completion/ovlyhelper"

# offer LINE: what is offered at its end, sorted, in one line.
offer() {
	COMP_LINE=$1
	COMP_POINT=${#1}
	read -ra COMP_WORDS <<<"$1"
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
	_ovlyhelper 2>>"$tmp/stderr"
	printf '%s\n' "${COMPREPLY[@]}" | LC_ALL=C sort | paste -sd' '
}

n=0 failed=0
# is WORDS LINE
is() {
	local got
	got=$(offer "$2")
	n=$((n + 1))
	if [[ $got == "$1" ]]; then
		echo "ok $n - completion of '$2'"
	else
		echo "not ok $n - completion of '$2'"
		echo "# got '$got', wanted '$1'"
		failed=1
	fi
}

is "path peer" "ovlyhelper p"
is "add del list set" "ovlyhelper peer "
is "add del list set" "ovlyhelper help peer "
is "" "ovlyhelper peer frob "
is "ipsec0 ovly0" "ovlyhelper dev set "
is "ipsec0 ovly0" "ovlyhelper bridge --dev "
is "ipsec0" "ovlyhelper bridge --dev=i"
is "private-vrf" "ovlyhelper show route 10.0.0.1 vrf "
is "lo wan-br" "ovlyhelper path add 7 peer hub1 underlay "
is "hub1 hub2" "ovlyhelper peer set hu"
is "branch1" "ovlyhelper route flush dev ovly0 peer "
is "none" "ovlyhelper peer set hub1 backup n"
is "42" "ovlyhelper path del "
is "10.0.0.0/8" "ovlyhelper route del 1"
is "1::/32" "ovlyhelper route del fd00:1"
is "hold withdraw" "ovlyhelper peer set hub1 on-down "
is "withdraw" "ovlyhelper peer set hub1 --on-down=w"
is "json routes socket summary" "ovlyhelper show bgp "
is "ovly.conf" "ovlyhelper apply o"
is "bird strongswan" "ovlyhelper apply ovly.conf --print "
is "keep" "ovlyhelper bridge --metric "
is "" "ovlyhelper dev add "
is "" "ovlyhelper --version "
is "bgp" "ovlyhelper route list protocol bg"
# a new name is nobody's, and after the name come the options
is "dev" "ovlyhelper peer add hub1 d"
# never expanded, and quoted on the line
is '\$\(touch\$\{IFS\}pwned\)' 'ovlyhelper peer del $'

# Every option of every help, there where it belongs.
missing=''
while read -ra command; do
	help=$("$real" help "${command[@]}")
	line="ovlyhelper ${command[*]}"
	# the first argument, if there has to be one
	case $help in *"usage: $line "[A-Z]*) line+=" x" ;; esac
	got=" $(offer "$line ") "
	while read -r option _; do
		[[ $got == *" $option "* ]] || missing+="${command[*]}: $option; "
	done < <(sed -n '/^options/,/^$/s/^  \(-*[a-z]\)/\1/p' <<<"$help")
done < <("$real" help | sed -n '/^commands/,/^$/s/^  \([a-z]*\) .*/\1/p' | grep -vx help |
	while read -r command; do
		"$real" help "$command" | sed -n "/^commands/,/^\$/s/^  \([a-z-]*\) .*/$command \1/p" |
			grep . || echo "$command"
	done)
n=$((n + 1))
if [[ -z $missing ]]; then
	echo "ok $n - every option of --help is offered"
else
	echo "not ok $n - every option of --help is offered"
	echo "# not offered: $missing"
	echo "# is its line in the form that helper/cmd.h asks for?"
	failed=1
fi

# As here: no module, no program.
rm "$tmp/bin/ovlyhelper" "$tmp/bin/ip"
ln -s "$real" "$tmp/bin/ovlyhelper"
is "" "ovlyhelper peer del "
rm "$tmp/bin/ovlyhelper"
hash -r
PATH=/usr/bin:/bin is "" "no-such-program peer "
n=$((n + 1))
if [[ ! -s $tmp/stderr && ! -e pwned ]]; then
	echo "ok $n - nothing is printed and nothing is run"
else
	echo "not ok $n - nothing is printed and nothing is run"
	sed 's/^/# /' "$tmp/stderr"
	failed=1
fi
echo "1..$n"
exit $failed
