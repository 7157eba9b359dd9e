# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# suite-apt.sh: packages of other suites of the archive that the host is configured
# with, by an apt configuration of their own: the host's packages stay as they are.

suite_dir() { echo "$CACHE/kernels/$1"; }

# suite_sources SUITE: apt lines for it, out of those the host has for its own.
suite_sources() (
	release=${1%-backports}
	host_sources | sed -n "s/ bookworm / $release /p"
	[ "$1" = sid ] || host_sources | sed -n "s/ bookworm-security / $release-security /p"
	[ "$1" = "$release" ] || host_sources | sed -n "s/ bookworm / $1 /p"
)

# suite_apt SUITE PROGRAM ARGUMENT...: apt-get or apt-cache that knows this suite
# and no installed package. Proxies and keys are the host's. Snapshots of an
# archive are past the date they are valid until: that check is off.
suite_apt() (
	suite=$1 dir=$(suite_dir "$1")/apt program=$2
	shift 2
	case $suite in *-backports) set -- -o "APT::Default-Release=$suite" "$@" ;; esac
	"$program" -q -o Dir::Etc::sourcelist="$dir/sources.list" -o Dir::Etc::sourceparts=/dev/null \
		-o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null \
		-o Dir::State="$dir/state" -o Dir::State::status="$dir/status" -o Dir::Cache="$dir/cache" \
		-o Acquire::Check-Valid-Until=false -o Acquire::Languages=none -o APT::Sandbox::User= "$@"
)

# suite_update SUITE: reads the suite's lists unless those in the cache are of today.
suite_update() (
	dir=$(suite_dir "$1")/apt
	[ -z "$(find "$dir/fresh" -mmin -1440 2>/dev/null)" ] || exit 0
	rm -rf "$dir"
	mkdir -p "$dir/state/lists/partial" "$dir/cache/archives/partial"
	: >"$dir/status"
	suite_sources "$1" >"$dir/sources.list"
	suite_apt "$1" apt-get update >"$CACHE/log/suite-$1.log" 2>&1 && touch "$dir/fresh"
)

# suite_unpack SUITE PACKAGE...: fetches and unpacks into the directory it runs in.
suite_unpack() {
	unpack_suite=$1
	shift
	suite_apt "$unpack_suite" apt-get download "$@" || return 1
	for deb in *.deb; do
		dpkg -x "$deb" . && rm "$deb" || return 1
	done
}
