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

# table_wanted NODE TABLE: from devices, peers, paths, routes and links there. Only
# what has a rule that leads to it has throw routes: no VRF has.
table_wanted() {
	{
		helper "$1" dev list --json
		helper "$1" peer list --json
		helper "$1" path list --json
		helper "$1" route list --json
		ip -n "${!1}" -j link show
	} | jq -s -r --argjson table "$2" "$TABLE_JQ"'
	. as [$devs, $peers, $paths, $routes, $links]
	| ([$links[] | {(.ifname): .}] | add) as $link
	| ([$peers[] | {"\(.dev) \(.name)": .}] | add) as $peer
	| [$devs[] | select(.["active-table"] == $table)] as $devs
	| ([$devs[] | {(.dev): .}] | add // {}) as $dev
	| [$devs[] | select($link[.dev].master | not)] as $guarded
	| def up: $link[.].flags | index("UP");
	def wanted:
		$dev[.dev] and (.dev | up) and
		($peer["\(.dev) \(.["peer-name"])"] | .["on-down"] == "hold" or .state == "up");
	def via:
		(.prefix | family) as $f | $peer["\(.dev) \(.["peer-name"])"].addr as $addrs
		| if .system or $dev[.dev].mode == "p2p" then empty
		else [($addrs[] | select(family == $f)), ($addrs[] | select(family == 6))][0] // empty end;
	([$routes[] | select(wanted)] | group_by([.dev, .prefix, .metric])[]
		| unicast(.[0].prefix | family; .[0].prefix; [.[] | via]; .[0].dev; .[0].metric; .[0].protocol)),
	([$paths[] | select(.endpoint and ([.dev] | inside([$guarded[].dev]))) | .endpoint] | unique[]
		| throw(family; prefix; if family == 4 then 0 else 1 end)),
	(select([$guarded[] | select(.dev | up)] != []) | (4, 6) | "\(.) rule to \($table)")
	' | LC_ALL=C sort
}

# table_found NODE TABLE: the kernel puts routes of its own into that of a VRF.
table_found() {
	local f

	# A table that was never used is not there.
	for f in 4 6; do
		printf '%s\n' "rule show" "route show table $2" |
			ip -n "${!1}" "-$f" -j -d -batch - 2>/dev/null || echo '[]'
	done | jq -s -r --arg table "$2" "$TABLE_JQ"'
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
}

table_as_wanted() {
	diff <(table_wanted "$1" "$2") <(table_found "$1" "$2")
}

# settles NODE [TABLE [WHAT]]: the table comes to hold what it has to.
settles() {
	wait_for 30 "${3:-table ${2:-220} as it has to be (< wanted, > found)}" \
		table_as_wanted "$1" "${2:-220}"
}

# holds NODE TABLE COUNT: so many routes to peers there, of both families, so that
# nobody is content with an empty table that is wanted empty.
holds() {
	same "$3" "$(table_found "$1" "$2" | awk '/ unicast / { n++ } END { print n + 0 }')" \
		"number of routes in table $2"
}

# has NODE TABLE REGEX, has_not NODE TABLE REGEX: such a line is found there.
has() { matches "$3" table_found "$1" "$2" >/dev/null || fail "table $2 has no '$3'"; }
has_not() { lacks "$3" table_found "$1" "$2" >/dev/null || fail "table $2 has '$3'"; }
