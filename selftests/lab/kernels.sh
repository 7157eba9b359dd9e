# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Much is set here for the lab's other files.
# shellcheck disable=SC2034
#
# kernels.sh: the other kernels that the module is for. Their headers and images
# come out of Debian's archive into the cache, by an apt configuration of their
# own: the host's packages stay as they are.

# Where the kernels come from; each suite gives the newest it has.
KERNEL_SUITES="bullseye bookworm trixie trixie-backports sid"

# suite_kver SUITE: the kernel its meta package names.
suite_kver() {
	suite_apt "$1" apt-cache depends linux-headers-amd64 2>/dev/null |
		sed -n 's/.*Depends: linux-headers-\([0-9].*-amd64\)$/\1/p' | head -n 1
}

# suite_match SUITE PATTERN: is it that suite, or is its kernel of that version?
# Sets KVER.
suite_match() {
	KVER=
	mkdir -p "$CACHE/log"
	locked "suite-$1" suite_update "$1" || return 1
	KVER=$(suite_kver "$1")
	case "$1 $KVER" in
	"$2 "* | *" $2" | *" $2"[!0-9]*) [ -n "$KVER" ] ;;
	*) return 1 ;;
	esac
}

# suite_closure SUITE PACKAGE...: these packages and all they depend on.
suite_closure() {
	closure_suite=$1
	shift
	suite_apt "$closure_suite" apt-cache depends --recurse --no-recommends --no-suggests \
		--no-conflicts --no-breaks --no-replaces --no-enhances "$@" | grep '^[a-z]' | sort -u
}

# with_own_libc DIR: the programs here that the host's libc is too old for run
# with the one that was unpacked beside them. DIR is where all will lie in the end.
with_own_libc() (
	libs=$1/usr/lib/x86_64-linux-gnu:$1/lib/x86_64-linux-gnu
	loader=$(find . -name ld-linux-x86-64.so.2 -path '*/x86_64-linux-gnu/*' | head -n 1)
	find usr/bin usr/libexec usr/lib/gcc usr/lib/linux-kbuild* -type f -perm -100 2>/dev/null |
		while IFS= read -r p; do
			ldd "$p" 2>&1 | grep -q 'GLIBC_.* not found' || continue
			mv "$p" "$p.elf"
			# shellcheck disable=SC2016 # for the new script to expand
			printf '#!/bin/sh\nexec %s --library-path %s --argv0 "$0" %s "$@"\n' \
				"$1/$loader" "$libs" "$1/$p.elf" >"$p"
			chmod 755 "$p"
		done
)

headers_dir() { echo "$(suite_dir "$1")/headers-$KVER"; }

# unpack_headers SUITE FINAL DIR: headers, the kernel's own compiler if the host has
# it not, and the libraries that their programs want. An older compiler is content
# with the host's assembler, a newer one is not.
# shellcheck disable=SC2046,SC2086 # lists of names
unpack_headers() (
	suite=$1 final=$2
	cd "$3" || exit 1
	packages=$(suite_apt "$suite" apt-cache depends "linux-headers-$KVER" |
		sed -n 's/.*Depends: \(linux-headers-.*-common\|linux-kbuild-.*\)$/\1/p')
	suite_unpack "$suite" "linux-headers-$KVER" $packages || exit 1
	gcc=$(sed -n 's/^CC = .*gcc-\([0-9]*\)$/\1/p' "usr/src/linux-headers-$KVER/.kernelvariables")
	[ -n "$gcc" ] || exit 1
	wanted=$(echo "$packages" | grep kbuild)
	if ! have "gcc-$gcc"; then
		wanted="$wanted cpp-$gcc"
		suite_unpack "$suite" $(suite_closure "$suite" "gcc-$gcc" |
			grep -xE "(gcc|cpp)-$gcc(-x86-64-linux-gnu)?|libgcc-$gcc-dev") || exit 1
		if [ "$gcc" -gt "$(gcc -dumpversion)" ]; then
			wanted="$wanted binutils"
			suite_unpack "$suite" binutils binutils-x86-64-linux-gnu || exit 1
		fi
	fi
	suite_unpack "$suite" $(suite_closure "$suite" $wanted | grep -E '^(lib|zlib)') || exit 1
	sed -i "s,/usr/src/,$final/usr/src/,g" "usr/src/linux-headers-$KVER/Makefile" || exit 1
	# With it, the build would want the pahole of the kernel's own time.
	rm -f "usr/src/linux-headers-$KVER/vmlinux"
	with_own_libc "$final"
)

make_headers() (
	dir=$(headers_dir "$1")
	[ ! -d "$dir" ] || exit 0
	tmp=$(mktemp -d "$(suite_dir "$1")/tmp.XXXXXX")
	trap 'rm -rf "$tmp"' EXIT
	long "fetching the headers of $KVER" "$CACHE/log/headers-$1.log" unpack_headers "$1" "$dir" "$tmp" || exit 1
	for old in "$(suite_dir "$1")"/headers-*; do
		[ ! -d "$old" ] || rm -rf "$old"
	done
	mv "$tmp" "$dir"
)

# use_headers SUITE: after it, modules are built for KVER with the suite's
# headers and its compiler, which the headers name.
# shellcheck disable=SC2034 # for build.sh
use_headers() {
	locked "headers-$1" make_headers "$1" || return 1
	MODULE_KDIR=$(headers_dir "$1")/usr/src/linux-headers-$KVER
	MODULE_ARGS="PAHOLE=none CONFIG_PAHOLE_VERSION=0"
	MODULE_PATH=$(headers_dir "$1")/usr/bin:
}

# use_kernel PATTERN: after it, guests boot that kernel and modules are built for
# it. PATTERN is how the version begins (6.12), or a suite.
use_kernel() {
	archive_known
	for suite in $KERNEL_SUITES; do
		suite_match "$suite" "$1" || continue
		use_headers "$suite" || die "no headers of $KVER: see $CACHE/log/headers-$suite.log"
		# shellcheck disable=SC2034 # for guest-image.sh
		KERNEL_SUITE=$suite
		return 0
	done
	die "no suite of Debian ($KERNEL_SUITES) has a kernel '$1'"
}

# kernel_builds SUITE: a clean build, at W=1 and through sparse.
kernel_builds() {
	t0=$(now_ms)
	if ! use_headers "$1"; then
		result fail kernels "headers of $KVER ($1)" $(($(now_ms) - t0)) "see $CACHE/log/headers-$1.log"
		return
	fi
	log=$RESULTS/kernels-$KVER.log rc=0
	# shellcheck disable=SC2086 # a list of words
	module_clean_build "kernels-$1" W=1 C=2 CF="-D__CHECK_ENDIAN__" $MODULE_ARGS modules >"$log" 2>&1 || rc=1
	remark=
	# The newest headers have words that sparse is to learn yet.
	grep -q '^ *CHECK ' "$(build_dir "kernels-$1").log" || remark="without sparse"
	if [ $rc = 0 ]; then
		result pass kernels "builds for $KVER ($1)" $(($(now_ms) - t0)) "$remark"
	else
		result fail kernels "builds for $KVER ($1)" $(($(now_ms) - t0)) "$remark"
		head -n 60 "$log" | sed 's/^/      | /'
		say "    log: $log"
	fi
}

# run_kernels [PATTERN]
run_kernels() {
	archive_known
	for suite in $KERNEL_SUITES; do
		if suite_match "$suite" "${1:-$suite}"; then
			kernel_builds "$suite"
		elif [ -z "${1:-}" ] || [ "$1" = "$suite" ]; then
			result skip kernels "the kernel of $suite" 0 \
				"the archive has no such suite, or no kernel in it: see $CACHE/log/suite-$suite.log"
		fi
	done
}
