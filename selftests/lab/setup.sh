# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# setup.sh: installs what is missing on the host, or says how to.

# host_is_debian12: the lab takes kernel, sources and daemons from that release.
host_is_debian12() {
	have apt-get || die "this needs Debian 12: there is no apt-get here"
	codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release 2>/dev/null)
	[ "$codename" = bookworm ] ||
		die "this needs Debian 12 (bookworm), not '${codename:-unknown}': use a Debian 12 machine or container"
	[ "$(dpkg --print-architecture)" = amd64 ] || die "this needs an amd64 machine"
}

is_installed() {
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# is_available PACKAGE: apt's lists name a version to install.
is_available() {
	apt-cache policy "$1" 2>/dev/null | grep -q '^  Candidate: [0-9]'
}

# meta_kver: the kernel version that Debian's meta package names today.
meta_kver() {
	apt-cache depends --no-recommends linux-headers-amd64 2>/dev/null |
		sed -n 's/.*Depends: linux-headers-\(6\.1\.0-[0-9]*-amd64\)$/\1/p' | head -n 1
}

# choose_kver: sets KVER, the kernel that the guest boots and the module is
# built for: the newest of 6.1 whose headers are here and whose image is in the
# cache or in the archive; else what the meta package names.
choose_kver() {
	KVER=${OVLY_GUEST_KVER:-}
	[ -z "$KVER" ] || return 0
	for dir in $(printf '%s\n' /usr/src/linux-headers-6.1.0-*-amd64 | sort -rV); do
		case $dir in *cloud* | *rt* | *'*'*) continue ;; esac
		v=${dir#/usr/src/linux-headers-}
		if [ -d "$CACHE/guest/kernel-$v" ] || is_available "linux-image-$v"; then
			KVER=$v
			return 0
		fi
	done
	KVER=$(meta_kver)
}

group_packages() {
	for group in "$@"; do
		sed -n "s/^$group //p" "$LAB/host-packages"
	done | sort -u
}

missing_packages() {
	for p in $(group_packages "$@") ${KVER:+linux-headers-$KVER}; do
		is_installed "$p" || echo "$p"
	done
}

apt() {
	DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 "$@"
}

apt_update() {
	# Apt has no patience with whoever else reads the lists, as new machines do by
	# themselves.
	for pause in 5 20; do
		! long "apt-get update" "$CACHE/log/apt-update.log" apt update || return 0
		sleep $pause
	done
	long "apt-get update" "$CACHE/log/apt-update.log" apt update ||
		die "apt-get update failed: check this machine's apt sources and network"
}

# lab_setup GROUP...: after it, the host has every package of the groups and
# KVER is set.
lab_setup() {
	host_is_debian12
	choose_kver
	updated=0
	if [ -z "$KVER" ] && [ "$(id -u)" = 0 ]; then
		apt_update
		updated=1
		choose_kver
	fi
	missing=$(missing_packages "$@" | tr '\n' ' ')
	missing=${missing% }
	if [ -z "$missing" ]; then
		[ -n "$KVER" ] || die "apt knows no linux-headers-amd64 for 6.1: check this machine's apt sources"
		return 0
	fi
	if [ "$(id -u)" != 0 ]; then
		warn "some packages are missing. Run this once, then start again:"
		[ -n "$KVER" ] || missing="$missing linux-headers-amd64"
		say "sudo sh -c 'apt-get update && apt-get install -y --no-install-recommends $missing'" >&2
		exit 1
	fi
	for p in $missing; do
		if [ $updated = 0 ] && ! is_available "$p"; then
			apt_update
			updated=1
			choose_kver
		fi
	done
	[ -n "$KVER" ] || die "apt knows no linux-headers-amd64 for 6.1: check this machine's apt sources"
	missing=$(missing_packages "$@" | tr '\n' ' ')
	say "    to install: $missing"
	# shellcheck disable=SC2086 # a list of words on purpose
	if long "installing build tools" "$CACHE/log/apt-install.log" \
		apt install -y --no-install-recommends $missing; then
		return 0
	fi
	# Stale lists name files that the archive no longer has: refresh them once.
	[ $updated = 0 ] || die "apt-get install failed: see $CACHE/log/apt-install.log"
	apt_update
	choose_kver
	missing=$(missing_packages "$@" | tr '\n' ' ')
	# shellcheck disable=SC2086
	long "installing build tools" "$CACHE/log/apt-install.log" \
		apt install -y --no-install-recommends $missing ||
		die "apt-get install failed: see $CACHE/log/apt-install.log"
}
