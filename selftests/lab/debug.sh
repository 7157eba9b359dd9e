# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Much is set here for the lab's other files.
# shellcheck disable=SC2034
#
# debug.sh: the selftests in a kernel that looks for memory errors, leaks, wrong
# locking and lost references (debug.config). It is built once into the cache.
# As many scripts as possible share a guest: booting such a kernel takes time, and
# lockdep learns from all of them. After trouble the rest gets a fresh one.

DEBUG_CONFIG=$TOP/selftests/debug.config

debug_dir() { kernel_tree debug "$DEBUG_CONFIG"; }

debug_build() {
	kernel_build "$1" x86_64 allnoconfig "$DEBUG_CONFIG" && debug_install "$1" && kernel_trim "$1"
}

# debug_install DIR: lays the kernel out as a guest's kernel_dir is.
debug_install() (
	cd "$1" || exit 1
	release=$(cat obj/include/config/kernel.release)
	# There are no modules, but modprobe wants to know what is built in.
	make -s -C src ARCH=x86_64 O="$1/obj" INSTALL_MOD_PATH="$1/root" modules_install || exit 1
	rm -f "root/lib/modules/$release/build" "root/lib/modules/$release/source"
	mkdir -p root/boot
	cp obj/arch/x86/boot/bzImage "root/boot/vmlinuz-$release" || exit 1
	rm -f obj/vmlinux* obj/.tmp_vmlinux* obj/arch/x86/boot/vmlinux* obj/arch/x86/boot/compressed/vmlinux*
)

# debug_kernel: after it, guests boot this kernel.
debug_kernel() {
	kernel_cached debug "$DEBUG_CONFIG" "building the debug kernel (once, about 8 min on 2 cores)" debug_build
	GUEST_KERNEL=$(debug_dir)/root
	KVER=$(cat "$(debug_dir)/obj/include/config/kernel.release")
	guest_initrd
}

# debug_module KIND [VARIABLE=VALUE]: prints where ovly.ko is.
debug_module() {
	dir=$(build_dir "$1")
	shift
	locked "build-$(echo "$dir" | hash)" long "building ovly.ko for $KVER${1:+, $1}" "$dir.log" \
		make_module "$dir" "$(debug_dir)/obj" "$@" >&2 || die "the module does not build: see $dir.log"
	echo "$dir/ovly.ko"
}

# debug_scripts [NAME[:CASE,...]]...: the scripts to run, one a line, KUnit first.
# shellcheck disable=SC2046 # lists of names, and none has a space
debug_scripts() {
	if [ $# = 0 ]; then
		set -- kunit $(test_scripts | grep '/net/')
	elif [ "$*" = all ]; then
		set -- kunit $(test_scripts)
	fi
	for t in "$@"; do
		if [ "$t" = kunit ]; then
			script=selftests/lab/debug-kunit.sh
		else
			script=$(test_path "${t%%:*}") || {
				no_such_test "${t%%:*}"
				return 1
			}
		fi
		case $t in
		*:*) echo "$script:${t#*:}" ;;
		*) echo "$script" ;;
		esac
	done
}

# run_debug [NAME[:CASE,...]]...
run_debug() {
	scripts=$(debug_scripts "$@") || exit 1
	# shellcheck disable=SC2046 # a list of names
	guest_birds $(printf '%s\n' "$scripts" | sed 's/:.*//')
	debug_kernel
	BUILT_KO=$(debug_module "debug-$KVER") || exit 1
	BUILT_KUNIT_KO=$(debug_module "debug-kunit-$KVER" OVLY_KUNIT=1) || exit 1
	build_helper
	build_nl
	# Leaks are judged in the guest, by whose they are.
	KERNEL_TROUBLE="${KERNEL_TROUBLE%|kmemleak*}|ODEBUG: |UBSAN: |leaked reference"
	GUEST_SLOW=${OVLY_SLOW:-4}
	GUEST_ENV="OVLY_SMALL=1
KERNEL_TROUBLE=$KERNEL_TROUBLE"
	# Tunnel types would put a device of theirs into each namespace.
	OVLY_GUEST_APPEND="fb_tunnels=none dummy.numdummies=0 ${OVLY_GUEST_APPEND:-}"
	# Its CPUs wait for each other all the time: with two guests on two cores a case
	# takes three times as long or more, not twice.
	jobs=$(guests_at_once "$GUEST_CPUS")
	echo "$scripts" | awk -v n="$jobs" -v to="$RESULTS/share-" '{ print > (to NR % n) }'
	# shellcheck disable=SC2046 # a list of words
	at_once "$jobs" run_debug_share $(cd "$RESULTS" && printf '%s\n' share-[0-9]*)
}

# run_debug_share SHARE: the scripts that the file lists, in guest after guest until
# every one has had its turn.
run_debug_share() {
	share=${1#share-}
	# shellcheck disable=SC2046 # a list of words
	set -- $(cat "$RESULTS/$1")
	guest_number=0 append=${OVLY_GUEST_APPEND:-}
	while [ $# != 0 ]; do
		guest_number=$((guest_number + 1))
		# As many as want the same kernel.
		alike=0
		for script in "$@"; do
			[ "$(kernel_parameters "$script")" = "$(kernel_parameters "$1")" ] || break
			alike=$((alike + 1))
		done
		guest=debug-$share-$guest_number
		stream=$RESULTS/$guest/stream.log
		TEST_DEADLINE=${OVLY_TEST_DEADLINE:-$((1800 * $#))}
		OVLY_GUEST_APPEND="$append $(kernel_parameters "$1")"
		# shellcheck disable=SC2046 # names without spaces
		run_job "$guest" selftests/lab/debug-job.sh $(printf '%s\n' "$@" | head -n "$alike")
		grep -a '^# remark: ' "$stream" | sed 's/^# /    /'
		started=$(grep -a -c '^# script ' "$stream")
		[ "$started" != 0 ] || return 0
		shift "$started"
		[ $# = 0 ] || say "    the remaining $# get a new guest"
	done
}
