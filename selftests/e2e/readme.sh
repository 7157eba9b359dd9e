#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# readme.sh: the README's configuration works as printed. Its blocks, taken out
# of the file, configure the branch of the reference scenario.

# shellcheck source=selftests/e2e/setup.sh
. "$(dirname "$0")/setup.sh"
# shellcheck source=selftests/e2e/branch-setup.sh
. "$E2E/branch-setup.sh"

# readme_block LANGUAGE: the fenced block of that language.
readme_block() {
	local text
	text=$(sed -n "/^\`\`\`$1\$/,/^\`\`\`\$/{/^\`\`\`/d;p}" "$OVLY_TOP/README.md")
	[ -n "$text" ] || fail "README.md has no block of $1"
	printf '%s\n' "$text"
}

suite_setup() {
	local dir

	setup_env
	load_ovly
	branch_topo
	# The secret that the README prints.
	PSK="change me"
	branch_config 1
	hub_config
	dir=$WORK/branch
	# strongswan.conf includes what the README puts beside it; the log and the
	# short list of plugins are the lab's.
	{
		sed -e '/install_routes/d' -e '/install_virtual_ip/d' -e '/process_route/d' \
			-e '/cisco_flexvpn/d' -e '/make_before_break/d' "$dir/etc/strongswan.conf"
		readme_block strongswan
	} >"$dir/strongswan.conf"
	cp "$dir/strongswan.conf" "$dir/etc/strongswan.conf"
	readme_block swanctl >"$dir/etc/swanctl/swanctl.conf"
	{
		printf 'log "%s" all;\n' "$dir/log/bird.log"
		readme_block bird
	} >"$dir/etc/bird.conf"
	# Not at the same time: charon asks once, and a hub that does not know it yet
	# says no.
	hub_daemons
	branch_daemons branch
}

test_configuration_as_printed_brings_the_overlay_up() {
	wait_for 60 "the peer is up" matches '^state +up$' node branch "$OVLYHELPER" show secure-overlay
	wait_for 90 "BGP session established" bgp_up branch
	wait_table branch 20 "$BR_TABLE"
	node branch ping -c 3 -i 0.2 -W 5 -I "$BR_SYSTEM" 81.81.81.1
	node hub ping -c 3 -i 0.2 -W 5 -I 81.81.81.1 "$BR_SYSTEM"
}

CASES="
test_configuration_as_printed_brings_the_overlay_up	the README's swanctl, strongswan and bird configuration works as printed
"
run_cases "$@"
