#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# guest-job.sh: process 1 of the guest. Makes the root usable, runs the one job
# that /ovly/job/env names, leaves its exit status in /ovly/job/result (the
# success marker that the runner insists on) and powers off.

export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export HOME=/root LANG=C.UTF-8 TERM=${TERM:-linux}

power_off() {
	sync
	# Off by ACPI takes a moment; -no-reboot turns a reset into an exit of QEMU.
	echo b >/proc/sysrq-trigger
	while :; do sleep 1; done
}
trap power_off EXIT

mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /tmp
mount -t debugfs debugfs /sys/kernel/debug
mount -t tracefs tracefs /sys/kernel/tracing
mkdir -p /run/lock /run/netns
ln -sf /proc/self/fd /dev/fd
ln -sf fd/0 /dev/stdin
ln -sf fd/1 /dev/stdout
ln -sf fd/2 /dev/stderr
hostname guest
ip link set lo up
# What the module says must be in the console's log even if the guest dies.
dmesg -n 7
# A socket that wants the time of packets makes the kernel patch its receive path,
# and every ping is such a one. This one keeps it as it is: see emulator_hung().
python3 -c 'import signal, socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, 29, 1)  # SO_TIMESTAMP
signal.pause()' &

export OVLY_TOP=/ovly/top OVLY_OUT=/ovly/job/out OVLY_KO=/ovly/job/bin/ovly.ko
# shellcheck source=/dev/null
. /ovly/job/env
mkdir -p "$OVLY_OUT"
for program in ovlyhelper ovlynl; do
	[ ! -e /ovly/job/bin/$program ] || install -m 755 /ovly/job/bin/$program /usr/local/sbin/
done
# Other releases of BIRD, where the job wants them.
mkdir -p /ovly/birds
mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144,ro birds /ovly/birds 2>/dev/null
# The name of protocol 220 for people who read `ip route`.
if [ -e "$OVLY_TOP/dist/rt_protos.d/ovly.conf" ]; then
	install -D -m 644 "$OVLY_TOP/dist/rt_protos.d/ovly.conf" /etc/iproute2/rt_protos.d/ovly.conf
fi

if [ "${JOB_TTY:-0}" = 1 ]; then
	# Somebody sits at the second serial line.
	stty -F /dev/ttyS1 sane rows "${JOB_ROWS:-24}" cols "${JOB_COLS:-80}"
	setsid -w bash -c 'exec </dev/ttyS1 >/dev/ttyS1 2>&1; exec setsid -c -w bash "$@"' \
		job "$OVLY_TOP/$JOB_SCRIPT" "${JOB_ARGS[@]}"
	rc=$?
else
	out=/dev/null
	for port in /sys/class/virtio-ports/*; do
		[ "$(cat "$port/name")" = ovly.out ] && out=/dev/${port##*/}
	done
	cd / || exit 1
	bash "$OVLY_TOP/$JOB_SCRIPT" "${JOB_ARGS[@]}" </dev/null >"$out" 2>&1
	rc=$?
fi

dmesg >/ovly/job/dmesg.log
echo "done $rc" >/ovly/job/result
