# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# setup.sh: what all end-to-end scripts share: the parts they are made of, the
# scratch directory, and what must not be left behind.
#
# Environment: OVLY_KO (the module), OVLYHELPER (the helper, default from PATH),
# OVLY_OUT (where logs are kept after the run).
#
# Sourced; defines functions and loads its siblings.

E2E=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
: "${OVLY_TOP:=$(cd "$E2E/../.." && pwd)}"

# shellcheck source=selftests/lib.sh
. "$OVLY_TOP/selftests/lib.sh"
# shellcheck source=selftests/e2e/node.sh
. "$E2E/node.sh"
# shellcheck source=selftests/e2e/topo.sh
. "$E2E/topo.sh"
# shellcheck source=selftests/e2e/probe.sh
. "$E2E/probe.sh"
# shellcheck source=selftests/e2e/capture.sh
. "$E2E/capture.sh"
# shellcheck source=selftests/e2e/daemons.sh
. "$E2E/daemons.sh"
# shellcheck source=selftests/e2e/rekey.sh
. "$E2E/rekey.sh"
# shellcheck source=selftests/e2e/branch-node.sh
. "$E2E/branch-node.sh"

# setup_env: finds the parts and makes the scratch directory.
setup_env() {
	local f missing=()

	OVLYHELPER=${OVLYHELPER:-$(command -v ovlyhelper || true)}
	[ -x "$OVLYHELPER" ] || missing+=(ovlyhelper)
	for f in ip tcpdump swanctl bird birdc vtysh socat nsenter setpriv; do
		command -v "$f" >/dev/null || missing+=("$f")
	done
	charon_bin >/dev/null || missing+=(charon)
	frr_dir >/dev/null || missing+=(zebra)
	[ ${#missing[@]} = 0 ] || skip "not installed: ${missing[*]}"
	WORK=$(mktemp -d)
	defer setup_keep_logs
}

# setup_keep_logs: the nodes' logs and configurations outlive the run.
setup_keep_logs() {
	mkdir -p "$OVLY_OUT/$SUITE"
	cp -r "$WORK"/. "$OVLY_OUT/$SUITE/"
	rm -rf "$WORK"
}

# left_behind NODE: prints what the module must not leave in a namespace. The
# stock rules, and charon's own for table 220, are not the module's.
left_behind() {
	{
		ip -n "$1" route show table 220
		ip -n "$1" -6 route show table 220
		ip -n "$1" rule show
		ip -n "$1" -6 rule show
		ip -n "$1" route show table all proto 220
		ip -n "$1" -o link show type ovly
	} 2>/dev/null | grep -v -e '^0:.*lookup local' -e '^32766:.*lookup main' \
		-e '^32767:.*lookup default' -e '^1000:.*l3mdev-table' -e '^220:[[:space:]]*from all lookup 220 *$' || true
}
