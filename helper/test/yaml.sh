#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# yaml.sh [HEADER SPEC]: does the netlink specification say what the header
# says?  Both are turned into lines "CONSTANT VALUE [TYPE]" and compared.  TAP.

here=$(dirname "$0")
header=${1:-$here/../../uapi/linux/ovly.h}
spec=${2:-$here/../../uapi/ovly.yaml}
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

# The type of an attribute is the first word of its comment; counters have
# none and are u64.
from_header() {
	awk '
	function type(set, line) {
		if (set !~ /_attr$/) return ""
		if (line ~ /_PAD,/) return "pad"
		if (set == "ovly_stats_attr") return "u64"
		if (match(line, /\/\* *[a-z0-9]+/)) {
			line = substr(line, RSTART, RLENGTH)
			sub(/\/\* */, "", line)
			return line
		}
		return "?"
	}
	/^enum ovly_[a-z_]+ \{/ { set = $2; value = 0; next }
	/^\};/ { set = "" }
	set && /^\tOVLY_[A-Z0-9_]+,/ {
		name = $1
		sub(/,.*/, "", name)
		if (!(set ~ /_attr$|_cmd$/ && name ~ /_UNSPEC$/))
			print name, value, type(set, $0)
		value++
	}
	/^#define OVLY_[A-Z_]+[ \t]+[0-9]+([ \t]|$)/ { print $2, $3, "" }
	# flags are bits in the header and their numbers in the specification
	/^#define OVLY_ROUTE_F_[A-Z]+[ \t]+0x[1248]([ \t]|$)/ {
		print $2, index("1248", substr($3, 3)) - 1, ""
	}
	/^#define OVLY_(GENL_NAME|MCGRP_EVENTS)/ { print $2, $3, "" }
	' "$header" | sed 's/ *$//' | sort
}

# Knows the layout of this one file: two blanks a level, "-" on its own line.
from_spec() {
	awk '
	function constant(s) {
		gsub(/"/, "", s)
		gsub(/-/, "_", s)
		return toupper(s)
	}
	function flush_item() {
		if (item == "") return
		if (section == "definitions" && kind == "const")
			print constant("ovly-" item), number, ""
		if (section == "attribute-sets" || section == "operations")
			print constant(prefix item), value++, attr
		if (section == "definitions" && kind != "const" && depth)
			print constant(prefix item), value++, ""
		item = ""
		attr = ""
	}
	/^name: / { print "OVLY_GENL_NAME", "\"" $2 "\"", "" }
	/^version: / { print "OVLY_GENL_VERSION", $2, "" }
	/^[a-z-]+:$/ {
		flush_item()
		section = $1
		sub(/:/, "", section)
		depth = 0
		next
	}
	section == "mcast-groups" && /name:/ {
		print "OVLY_MCGRP_EVENTS", "\"" $2 "\"", ""
	}
	# a definition or a set
	section != "operations" && /^  -$/ { flush_item(); depth = 0; next }
	section == "operations" && /^  name-prefix: / {
		prefix = $2
		value = 1
	}
	section == "operations" && /^      name: / { flush_item(); item = $2 }
	/^    name: / && section != "operations" { title = $2 }
	/^    type: / { kind = $2 }
	/^    value: / { number = $2; item = title; flush_item() }
	/^    name-prefix: / { prefix = $2 }
	/^    entries:/ { depth = 1; value = 0 }
	/^    attributes:/ { depth = 1; value = 1 }
	/^        name: / && depth { flush_item(); item = $2 }
	/^        type: / && depth { attr = $2 }
	END { flush_item() }
	' "$spec" | sed 's/ *$//' | sort
}

from_header >"$tmp/header"
from_spec >"$tmp/spec"
echo 1..2
if [ "$(wc -l <"$tmp/header")" -gt 100 ]; then
	echo "ok 1 - the header's constants are read"
else
	echo "not ok 1 - the header's constants are read"
fi
if diff -u "$tmp/header" "$tmp/spec" >"$tmp/diff"; then
	echo "ok 2 - uapi/ovly.yaml agrees with uapi/linux/ovly.h"
	[ "$(wc -l <"$tmp/header")" -gt 100 ]
else
	echo "not ok 2 - uapi/ovly.yaml agrees with uapi/linux/ovly.h"
	sed 's/^/# /' "$tmp/diff"
	exit 1
fi
