# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# table.sh: a routing table as a function of the module's state: what it has to
# hold, worked out from the listings, and what it holds. Both as sorted lines that
# mean the same in both families:
#
#	4 unicast 10.77.0.0/16 via 10.9.0.2 onlink dev ov0 metric 0 proto bird
#	4 throw 192.0.2.2/32 metric 0 proto ovly
#	4 rule to 220
#
# Sourced after lib.sh and tunnel.sh; defines functions only.

# The words that both programs have in common.
# shellcheck disable=SC2016 # jq's variables
TABLE_JQ='
def family: if contains(":") then 6 else 4 end;
def prefix: if contains("/") then . elif family == 4 then . + "/32" else . + "/128" end;
def default_of($f): if . == "default" then (if $f == 4 then "0.0.0.0/0" else "::/0" end) else . end;
def nexthops: map("via \(.) onlink ") | sort | join("");
def unicast($f; $dst; $via; $dev; $metric; $proto):
	"\($f) unicast \($dst) \($via | nexthops)dev \($dev) metric \($metric) proto \($proto)";
def throw($f; $dst; $metric): "\($f) throw \($dst) metric \($metric) proto ovly";
'

# Endpoints that no path leads to any more and that peers remember, "DEVICE ADDRESS"
# a line: no listing has them. For whoever moves endpoints.
REMEMBERED=

# table_wanted NODE TABLE: from devices, peers, paths, routes and links there. Only
# what has a rule that leads to it has throw routes: no VRF has. Fails if any of the
# listings does, as table_found does: an empty table is not one that nobody could read.
table_wanted() (
	set -o pipefail
	{
		helper "$1" dev list --json &&
			helper "$1" peer list --json &&
			helper "$1" path list --json &&
			helper "$1" route list --json &&
			ip -n "${!1}" -j link show
	} | jq -s -r --argjson table "$2" --arg remembered "$REMEMBERED" "$TABLE_JQ"'
	. as [$devs, $peers, $paths, $routes, $links]
	| ([$links[] | {(.ifname): .}] | add) as $link
	| ([$peers[] | {"\(.dev) \(.name)": .}] | add) as $peer
	| [$devs[] | select(.["active-table"] == $table)] as $devs
	| ([$devs[] | {(.dev): .}] | add // {}) as $dev
	| [$devs[] | select($link[.dev].master | not)] as $guarded
	| def up: $link[.].flags | index("UP");
	# What somebody taught of a peer that has exceeded its limit is not.
	def taught: (.system | not) and
		(.protocol | IN("unspec", "redirect", "kernel", "boot", "static") | not);
	def wanted:
		taught as $taught
		| $dev[.dev] and (.dev | up) and
		($peer["\(.dev) \(.["peer-name"])"]
			| (.["on-down"] == "hold" or .state == "up" or .["via-backup"]) and
			(.["routes-disabled"] and $taught | not));
	def via:
		(.prefix | family) as $f | $peer["\(.dev) \(.["peer-name"])"].addr as $addrs
		| if .system or $dev[.dev].mode == "p2p" then empty
		else [($addrs[] | select(family == $f)), ($addrs[] | select(family == 6))][0] // empty end;
	([$routes[] | select(wanted)] | group_by([.dev, .prefix, .metric])[]
		| unicast(.[0].prefix | family; .[0].prefix; [.[] | via]; .[0].dev; .[0].metric; .[0].protocol)),
	([($paths[], ($remembered | split("\n")[] | split(" ") | {dev: .[0], endpoint: .[1]}))
		| select(.endpoint and (.dev | IN($guarded[].dev))) | .endpoint] | unique[]
		| throw(family; prefix; if family == 4 then 0 else 1 end)),
	(select([$guarded[] | select(.dev | up)] != []) | (4, 6) | "\(.) rule to \($table)")
	' | LC_ALL=C sort
)

# table_dump NODE FAMILY TABLE: rules and routes. A table that was never used is not
# there.
table_dump() {
	local said

	{
		said=$(ip -n "${!1}" "-$2" -j -d -batch - 2>&1 >&3 \
			<<<"rule show"$'\n'"route show table $3") && return
	} 3>&1
	[[ $said == *"FIB table does not exist"* ]] || { echo "$said" >&2 && return 1; }
	echo '[]'
}

# table_found NODE TABLE: the kernel puts routes of its own into that of a VRF.
table_found() {
	table_lines "$@" && return
	# For those who want it empty.
	echo "table $2 cannot be read"
	return 1
}

table_lines() (
	set -o pipefail
	{ table_dump "$1" 4 "$2" && table_dump "$1" 6 "$2"; } |
		jq -s -r --arg table "$2" "$TABLE_JQ"'
	. as [$rules4, $routes4, $rules6, $routes6]
	| def proto: if . == "220" then "ovly" else . end;
	def route($f):
		(.dst | default_of($f) | prefix) as $dst
		| if .type == "throw" then throw($f; $dst; .metric // 0)
		elif .type == "unicast" then
			unicast($f; $dst;
				[.gateway, .via.host, (.nexthops // [] | .[] | .gateway, .via.host) | values];
				.dev // .nexthops[0].dev; .metric // 0; .protocol | proto)
		else "\($f) \(tojson)" end;
	def rule($f): select(.priority == 220 and .table == $table) | "\($f) rule to \(.table)";
	($rules4[] | rule(4)), ($rules6[] | rule(6)),
	($routes4[] | select(.protocol != "kernel") | route(4)),
	($routes6[] | select(.protocol != "kernel") | route(6))
	' | LC_ALL=C sort
)

table_as_wanted() {
	local wanted found

	wanted=$(table_wanted "$1" "$2") && found=$(table_found "$1" "$2") || return
	diff <(echo "$wanted") <(echo "$found")
}

# settles NODE [TABLE [WHAT]]: the table comes to hold what it has to.
settles() {
	wait_for 30 "${3:-table ${2:-220} as it has to be (< wanted, > found)}" \
		table_as_wanted "$1" "${2:-220}"
}

# table_read NODE TABLE: sets FOUND to what is there.
table_read() { FOUND=$(table_found "$1" "$2") || fail "$FOUND"; }

# holds NODE TABLE COUNT: so many routes to peers there, of both families, so that
# nobody is content with an empty table that is wanted empty.
holds() {
	table_read "$1" "$2"
	same "$3" "$(awk '/ unicast / { n++ } END { print n + 0 }' <<<"$FOUND")" \
		"number of routes in table $2"
}

# has NODE TABLE REGEX, has_not NODE TABLE REGEX: such a line is found there.
has() {
	table_read "$1" "$2"
	grep -qE -- "$3" <<<"$FOUND" || fail "table $2 has no '$3'"
}

has_not() {
	table_read "$1" "$2"
	! grep -qE -- "$3" <<<"$FOUND" || fail "table $2 has '$3'"
}

# refuses REGEX COMMAND...: the command fails and says why.
refuses() {
	local why=$1 said

	shift
	! said=$("$@" 2>&1) || fail "granted: $*"
	note "$* -> $said"
	grep -qE -- "$why" <<<"$said" || fail "expected '$why' of: $*"
}
