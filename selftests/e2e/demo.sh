#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# demo.sh: brings the reference scenario up, showing each step as it happens,
# then prints what an operator looks at. With SHELL_IN=branch or SHELL_IN=hub it
# ends in a shell of that host instead of taking everything down.

# shellcheck source=selftests/e2e/setup.sh
. "$(dirname "$0")/setup.sh"
# shellcheck source=selftests/e2e/branch-setup.sh
. "$E2E/branch-setup.sh"

STEP=0

# step TEXT COMMAND...: numbered and timed; the command's own chatter is kept
# for the case that it fails.
step() {
	local text=$1 log=$WORK/step.log

	shift
	STEP=$((STEP + 1))
	printf '%3d s  %2d. %s ... ' $SECONDS $STEP "$text"
	STEP_LOG=$log
	exec 3>&1 4>&2 >"$log" 2>&1
	"$@"
	exec >&3 2>&4 3>&- 4>&-
	STEP_LOG=
	echo "done"
}

# gave_up: the last act if a step fails.
gave_up() {
	[ -z "${STEP_LOG-}" ] || {
		exec >&3 2>&4
		echo FAILED
		sed 's/^/        /' "$STEP_LOG"
	}
	run_deferred >/dev/null
}

# view NODE COMMAND...: what somebody at that host would type, and its output.
view() {
	local n=$1

	shift
	printf '\n%s# %s\n' "$n" "$*"
	node "$n" "$@" 2>&1 | sed 's/^/    /'
}

both_daemons() {
	hub_daemons &
	local hub_pid=$!
	branch_daemons branch
	wait $hub_pid
}

# esp_counters NODE: ip -s xfrm state, two lines an SA instead of twenty.
esp_counters() {
	ip -n "$1" -s xfrm state | awk '
		/^src/ { ends = $2 " -> " $4 }
		/proto esp/ { spi = $4 }
		/lifetime current/ { getline; counted = $1 " " $2 }
		/if_id/ { id = $NF }
		/^\t  *add|add .* use/ { printf "    ESP %-32s spi %s  if_id %s\n         %s\n", ends, spi, id, counted }'
}

bring_up() {
	step "load ovly.ko" load_ovly
	step "hosts: branch 10.88.247.89, hub 10.88.247.84, the WAN between them" branch_topo
	branch_config 220
	hub_config
	step "WAN capture runs, and reports packets leaked on purpose" capture_proof
	capture_start wan >/dev/null
	step "daemons: strongSwan on both, BIRD on the branch, FRR on the hub" both_daemons
	step "IKEv2 and ESP: aes256-sha512-modp4096, pre-shared keys" tunnel_up branch
	step "eBGP through the tunnel: AS 200 to AS 65000" \
		wait_for 40 "BGP session established" bgp_up branch
	step "what BGP taught is in the kernel's table 220" wait_table branch 20 "$BR_TABLE"
}

show_views() {
	view branch ovlyhelper show secure-overlay
	view branch ip route show table 220
	view branch ip -s -d link show ipsec0
	view branch ovlyhelper show bgp
	view branch ovlyhelper show bgp routes
	view branch ping -c 3 -i 0.2 -I "$BR_SYSTEM" 81.81.81.1
	view hub ping -c 3 -i 0.2 -I 81.81.81.1 "$BR_SYSTEM"
	printf '\nbranch# ip -s xfrm state        (condensed)\n'
	esp_counters branch
	printf '\nwan# tcpdump -i wan-sw          (so far)\n'
	printf '    %6d ESP\n' "$(capture_count wan 'ip proto 50')"
	printf '    %6d IKE\n' "$(capture_count wan 'udp port 500 or udp port 4500')"
	printf '    %6d in clear\n' "$(capture_strangers wan | wc -l)"
}

set -eE
trap 'report_error $? "$LINENO" "$BASH_COMMAND"' ERR
trap gave_up EXIT

setup_env
bring_up
show_views
printf '\n%3d s  The scenario is up.\n' $SECONDS
case ${SHELL_IN-} in
branch | hub)
	# What people type there may fail; that is no failure of the demo.
	trap - ERR
	set +eE
	guest_shell "the $SHELL_IN" nsenter -t "$(cat "$WORK/$SHELL_IN/holder")" -n -m --
	;;
esac
step "take it all down" run_deferred
