# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# uml.sh: KUnit. A user-mode kernel from Debian's linux-source-6.1 is built once
# into the cache, the module with its suites is built against it, and loading it
# there runs them: native speed, no emulator.

UML_CONFIG=$TOP/selftests/kunit.config

uml_dir() { kernel_tree uml "$UML_CONFIG"; }

# uml_mend: the FPU's state that it hands to the host is as long as it was when it was
# written, and a host with AMX takes all or nothing. The old 512 bytes (FXSAVE) go
# everywhere. They hold no AVX registers, so programs in there are told to use none.
uml_mend() {
	sed -i 's/have_xstate_support = 1/have_xstate_support = 0/' "$1/arch/x86/um/os-Linux/registers.c" &&
		grep -q 'have_xstate_support = 0' "$1/arch/x86/um/os-Linux/registers.c"
}

UML_NO_AVX=glibc.cpu.hwcaps=-AVX,-AVX2,-AVX512F,-AVX512VL,-AVX512BW,-AVX512CD,-AVX512DQ,-AVX_Fast_Unaligned_Load,-ERMS,-FSRM,-BMI2,-XSAVEC

uml_build() { kernel_build "$1" um defconfig "$UML_CONFIG" uml_mend && kernel_trim "$1"; }

# uml_kernel: after it, the kernel is in the cache.
uml_kernel() {
	kernel_cached uml "$UML_CONFIG" "building the KUnit kernel (once, about 5 min on 2 cores)" uml_build
}

# run_kunit [SUITE]: builds, boots and judges.
run_kunit() {
	if ! ls "$TOP"/kmod/tests/*.c >/dev/null 2>&1; then
		result skip kunit "all suites" 0 "there are none in kmod/tests"
		return 0
	fi
	uml_kernel
	dir=$(build_dir kunit)
	locked "build-$(echo "$dir" | hash)" long "building ovly.ko with its KUnit suites" "$dir.log" \
		make_module "$dir" "$(uml_dir)/obj" ARCH=um OVLY_KUNIT=1 || {
		result fail kunit "the module builds with its suites" 0 "see $dir.log"
		return 0
	}
	log=$RESULTS/kunit.log
	# UML keeps the guest's memory in a file there, and must be able to map it.
	t0=$(now_ms)
	TMPDIR=${TMPDIR:-/dev/shm} timeout -k 5 "${OVLY_KUNIT_DEADLINE:-300}" \
		"$(uml_dir)/obj/linux" mem=512M rootfstype=hostfs rootflags=/ ro \
		init="$LAB/kunit-init" OVLY_KO="$dir/ovly.ko" GLIBC_TUNABLES="$UML_NO_AVX" con0=null,fd:1 con=null ssl=null \
		printk.time=0 quiet panic=-1 panic_on_warn=1 </dev/null 2>&1 |
		tr -d '\r' | tee "$log" | kunit_flatten "$1" | ktap_render kunit
	t1=$(now_ms)
	why='' count=0 plan=none
	[ ! -f "$RENDERED" ] || read -r count plan <"$RENDERED"
	if grep -q -E "$KERNEL_TROUBLE" "$log"; then
		why="the kernel said: $(grep -m 1 -E "$KERNEL_TROUBLE" "$log")"
	elif ! grep -q '^ovly-kunit-done' "$log"; then
		why="the kernel ended without its success marker"
	elif [ "$count" = 0 ]; then
		why="no suite ran"
		[ -z "$1" ] || why="no suite ran: there may be none named '$1'"
	elif [ "$count" != "$plan" ]; then
		why="$count results came where the suites planned $plan"
	fi
	if [ -n "$why" ]; then
		result fail kunit "kernel ends well, its log clean" $((t1 - t0)) "$why"
		say "    log: $log"
		tail -n 25 "$log" | sed 's/^/    | /'
	else
		result pass kunit "kernel ends well, its log clean" $((t1 - t0)) "boot to power-off"
	fi
}
