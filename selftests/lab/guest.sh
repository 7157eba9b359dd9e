# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# guest.sh: boots one guest for one job and says whether it ended well.

# Something in the guest's log that no run may produce.
KERNEL_TROUBLE='WARNING: |BUG: |Oops|Kernel panic|general protection fault|suspicious RCU|INFO: task .* blocked|rcu_.*stall|unregister_netdevice: waiting|refcount_t: |possible circular locking|kmemleak: [0-9]+ new'

GUEST_MEM=${OVLY_GUEST_MEM:-2G}
GUEST_CPUS=${OVLY_GUEST_CPUS:-2}
# Factor for the tests' deadlines.
GUEST_SLOW=${OVLY_SLOW:-1}

kvm_probe() {
	timeout -k 2 20 qemu-system-x86_64 -machine q35 -accel kvm -cpu host \
		-m 512M -nodefaults -display none -no-reboot -serial stdio \
		-kernel "$(kernel_dir)/boot/vmlinuz-$KVER" -initrd "$(initrd_image)" \
		-append "console=ttyS0 quiet panic=-1 ovly.probe" </dev/null |
		grep -q ovly-probe-ok
}

# accel: prints QEMU's options for the fastest accelerator that works. That
# /dev/kvm exists says nothing: a short boot has to reach its marker. What it
# showed holds until the machine boots again.
accel() {
	if [ -n "${OVLY_ACCEL:-}" ]; then
		echo "$OVLY_ACCEL"
		return
	fi
	known=$CACHE/guest/accel-$(cat /proc/sys/kernel/random/boot_id)
	if [ ! -f "$known" ]; then
		rm -f "$CACHE"/guest/accel-*
		choice="-accel tcg,thread=multi -cpu max,la57=off"
		# In a shell of its own: the broken ones abort, and say so.
		if [ -r /dev/kvm ] && [ -w /dev/kvm ] && (kvm_probe) 2>/dev/null; then
			choice="-accel kvm -cpu host"
		fi
		echo "$choice" >"$known.$$" && mv "$known.$$" "$known"
	fi
	cat "$known"
}

# quoted WORD...: the words as shell text that means the same words again.
quoted() {
	for word in "$@"; do
		printf "'%s' " "$(printf '%s' "$word" | sed "s/'/'\\\\''/g")"
	done
}

# kernel_parameters SCRIPT[:CASE,...]: what the script wants its guest's kernel to be
# started with: a line "# kernel-parameters: WORD..." of it says so.
kernel_parameters() { sed -n 's/^# kernel-parameters: //p' "$TOP/${1%%:*}"; }

# job_prepare DIR SCRIPT ARGS...: lays out the share that the guest gets.
# GUEST_ENV may hold lines NAME=value for the job.
job_prepare() {
	job_dir=$1 job_script=$2
	shift 2
	rm -rf "$job_dir"
	mkdir -p "$job_dir/bin" "$job_dir/out"
	if [ -f "${BUILT_KO:-}" ]; then
		cp "$BUILT_KO" "$job_dir/bin/ovly.ko"
	fi
	if [ -f "${BUILT_KUNIT_KO:-}" ]; then
		cp "$BUILT_KUNIT_KO" "$job_dir/bin/ovly-kunit.ko"
	fi
	if [ -f "${BUILT_HELPER:-}" ]; then
		cp "$BUILT_HELPER" "$job_dir/bin/ovlyhelper"
	fi
	if [ -f "${BUILT_NL:-}" ]; then
		cp "$BUILT_NL" "$job_dir/bin/ovlynl"
	fi
	kernel_parameters "$job_script" >"$job_dir/parameters"
	{
		echo "JOB_SCRIPT=$(quoted "$job_script")"
		echo "JOB_ARGS=( $(quoted "$@"))"
		echo "JOB_TTY=${GUEST_TTY:-0}"
		echo "export OVLY_SLOW=$GUEST_SLOW"
		if [ "${GUEST_TTY:-0}" = 1 ]; then
			# "0 0" is a terminal that does not know its size.
			stty size 2>/dev/null |
				sed -n 's/^\([1-9][0-9]*\) \([1-9][0-9]*\)$/JOB_ROWS=\1 JOB_COLS=\2/p'
		fi
		printf '%s\n' "${GUEST_ENV:-}" | while IFS='=' read -r variable value; do
			[ -z "$variable" ] || echo "export $variable=$(quoted "$value")"
		done
	} >"$job_dir/env"
}

# guest_boot DIR DEADLINE: runs the prepared job; its output goes to stdout.
guest_boot() {
	if [ "${GUEST_TTY:-0}" = 1 ]; then
		# The second serial line is the user's terminal, and QEMU's monitor
		# key Ctrl-A works on it.
		set -- "$1" "$2" -chardev stdio,id=user,mux=on,signal=off \
			-serial chardev:user -mon chardev=user
	else
		set -- "$1" "$2" -device virtio-serial-pci \
			-chardev file,id=out,path=/proc/self/fd/1 \
			-device virtserialport,chardev=out,name=ovly.out
	fi
	guest_dir=$1 guest_deadline=$2
	shift 2
	if [ -d "$(birds_dir)" ]; then
		set -- "$@" -virtfs "local,path=$(birds_dir),mount_tag=birds,security_model=none,readonly=on,multidevs=remap"
	fi
	# shellcheck disable=SC2046 # accel prints several options
	timeout --foreground -k 5 "$guest_deadline" qemu-system-x86_64 \
		-machine q35 $(accel) -smp "$GUEST_CPUS" -m "$GUEST_MEM" \
		-nodefaults -display none -no-reboot \
		-kernel "$(kernel_dir)/boot/vmlinuz-$KVER" -initrd "$(initrd_image)" \
		-append "console=ttyS0 loglevel=5 panic=-1 oops=panic panic_on_warn=1 softlockup_panic=1 watchdog_thresh=15 mitigations=off no_timer_check random.trust_cpu=on hung_task_panic=1 $(cat "$guest_dir/parameters") ${OVLY_GUEST_APPEND:-}" \
		-chardev "file,id=console,path=$guest_dir/console.log" -serial chardev:console \
		-drive "file=$(root_image),if=virtio,format=raw,readonly=on" \
		-virtfs "local,path=$TOP,mount_tag=top,security_model=none,readonly=on,multidevs=remap" \
		-virtfs "local,path=$guest_dir,mount_tag=job,security_model=none,multidevs=remap" \
		-virtfs "local,path=$(kernel_dir)/lib/modules/$KVER,mount_tag=modules,security_model=none,readonly=on,multidevs=remap" \
		-device virtio-rng-pci "$@" 2>"$guest_dir/qemu.log"
	echo $? >"$guest_dir/qemu.rc"
}

# emulator_hung DIR: it was QEMU, not what the guest ran. Where the kernel patches
# its own code (static keys), QEMU's TCG before 8.1 may go on running the breakpoint
# that stands there for a moment, although it is gone from memory: "accel/tcg: Always
# lock pages before translation" mended that. The CPU then stands, however often the
# kernel looks, at one instruction, and that is a nop or a jump of a static key.
emulator_hung() {
	case $(accel) in *tcg*) ;; *) return 1 ;; esac
	! dpkg --compare-versions "$(qemu-system-x86_64 --version |
		sed -n 's/.*version \([0-9.]*\).*/\1/p')" ge 8.1 || return 1
	tr -d '\r' <"$1/console.log" | awk '
	/self-detected stall|BUG: soft lockup/ { looks++; want = 1 }
	want && /RIP: 0010:/ { sub(/.*RIP: /, ""); places[$0]++ }
	want && /Code: / {
		want = 0
		if (/<(0f> 1f 44 00 00|66> 90|e9|eb)/) patched++
	}
	END {
		for (place in places) n++
		exit !(looks >= 2 && n == 1 && patched == looks)
	}'
}

# guest_verdict DIR DEADLINE: prints why the guest did not end well, nothing if
# it did. The job's own exit status is in JOB_RC.
guest_verdict() {
	JOB_RC=
	if [ -f "$1/result" ]; then
		read -r marker JOB_RC <"$1/result"
		[ "$marker" = "done" ] || JOB_RC=
	fi
	trouble=$(cat "$1/console.log" "$1/dmesg.log" 2>/dev/null |
		grep -a -m 1 -E "$KERNEL_TROUBLE" | tr -d '\r')
	if [ -n "$trouble" ]; then
		echo "the guest's kernel said: $trouble"
		return
	fi
	[ -z "$JOB_RC" ] || return 0
	case $(cat "$1/qemu.rc" 2>/dev/null) in
	124 | 137) echo "the guest did not finish within $2 s" ;;
	0) echo "the guest ended without its success marker" ;;
	*) echo "QEMU failed: $(head -n 1 "$1/qemu.log" 2>/dev/null)" ;;
	esac
}

# guest_tail DIR: the part of the guest's log that a person wants to see.
guest_tail() {
	say "    logs: $1 (console.log, dmesg.log, stream.log, out/)"
	if grep -a -q -E "$KERNEL_TROUBLE" "$1/console.log" 2>/dev/null; then
		grep -a -m 1 -A 25 -E "$KERNEL_TROUBLE" "$1/console.log" | tr -d '\r' | sed 's/^/    | /'
	else
		tail -n 12 "$1/console.log" 2>/dev/null | tr -d '\r' | sed 's/^/    | /'
	fi
}
