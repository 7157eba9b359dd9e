# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# build.sh: builds module and helper in the cache, beside the checkout, so that
# the user's own builds there are left alone.

# build_dir KIND: one per checkout and kind of build.
build_dir() { echo "$CACHE/build/$(echo "$TOP" | hash)/$1"; }

# make_module DIR KDIR [VARIABLE=VALUE...]
make_module() {
	make_dir=$1 make_kdir=$2
	shift 2
	sync_tree "$make_dir" Kbuild kmod uapi &&
		make -C "$make_kdir" M="$make_dir" "$@" -j"$(nproc)" modules
}

# Headers other than the host's own to build modules with, what make has to know
# with those, and where it finds their compiler ("DIRECTORY:").
MODULE_KDIR='' MODULE_ARGS='' MODULE_PATH=''

module_kdir() { echo "${MODULE_KDIR:-/lib/modules/$KVER/build}"; }

# build_module: sets BUILT_KO.
build_module() {
	[ -f "$TOP/Kbuild" ] || die "there is no Kbuild in $TOP: nothing to build a module from"
	dir=$(build_dir "module-$KVER")
	# shellcheck disable=SC2086 # a list of words
	(PATH=$MODULE_PATH$PATH locked "build-$(echo "$dir" | hash)" \
		long "building ovly.ko for $KVER" "$dir.log" \
		make_module "$dir" "$(module_kdir)" $MODULE_ARGS) || die "the module does not build: see $dir.log"
	BUILT_KO=$dir/ovly.ko
	[ -f "$BUILT_KO" ] || die "the build made no ovly.ko: see $dir.log"
}

make_helper() { sync_tree "$1" helper uapi && make -C "$1/helper" -j"$(nproc)" all; }

# build_helper: sets BUILT_HELPER.
build_helper() {
	[ -f "$TOP/helper/Makefile" ] || die "there is no helper/Makefile in $TOP: nothing to build ovlyhelper from"
	dir=$(build_dir helper)
	locked "build-$(echo "$dir" | hash)" long "building ovlyhelper" "$dir.log" \
		make_helper "$dir" || die "ovlyhelper does not build: see $dir.log"
	BUILT_HELPER=$dir/helper/ovlyhelper
	[ -x "$BUILT_HELPER" ] || die "the build made no ovlyhelper: see $dir.log"
}

make_nl() { sync_tree "$1" selftests/nl uapi && make -C "$1/selftests/nl" -j"$(nproc)" all; }

# build_nl: the netlink tool of the tests; sets BUILT_NL.
build_nl() {
	dir=$(build_dir nl)
	locked "build-$(echo "$dir" | hash)" long "building ovlynl" "$dir.log" \
		make_nl "$dir" || die "ovlynl does not build: see $dir.log"
	# shellcheck disable=SC2034 # for job.sh
	BUILT_NL=$dir/selftests/nl/ovlynl
}

build_all() {
	if [ "${OVLY_NO_BUILD:-0}" = 1 ]; then
		step "no build (OVLY_NO_BUILD=1): the guest gets no module and no helper"
		return 0
	fi
	build_module
	build_helper
	build_nl
}
