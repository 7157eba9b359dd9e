# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# guest-image.sh: what a guest boots, made once and kept in the cache: the root
# file system, Debian's stock kernel and the small initramfs that joins them.
# Everything is made under a temporary name and renamed when complete.

# Modules the initramfs loads to reach its disk and its shares.
BOOT_MODULES="virtio_pci virtio_blk virtio_console virtio_rng 9p 9pnet_virtio overlay ext4"

# host_sources: apt lines of the Debian archive the host is configured with.
# shellcheck disable=SC2016 # apt's own variables
host_sources() {
	apt-get indextargets --format '$(ORIGIN) deb $(REPO_URI) $(RELEASE) $(COMPONENT)' \
		'Created-By: Packages' | sed -n 's/^Debian deb /deb /p' |
		grep -E ' bookworm(-updates|-security)? ' | sort -u
}

# archive_known: after it, host_sources has something to say.
archive_known() {
	[ -z "$(host_sources)" ] || return 0
	[ "$(id -u)" != 0 ] || apt_update
	[ -n "$(host_sources)" ] ||
		die "apt has no lists of Debian's archive yet: run apt-get update as root, then start again"
}

# host_aptopts: how the host reaches that archive (proxies, its view of dates).
host_aptopts() {
	apt-config dump | grep -E \
		'^Acquire::((https?|ftp)::[Pp]roxy|Check-Valid-Until|Check-Date|Retries)' |
		grep -v ' "";$' || true
}

root_image() {
	echo "$CACHE/guest/root-$(cat "$LAB/guest-packages" "$LAB/pack-root.sh" | hash).img"
}

make_root() (
	img=$(root_image)
	[ ! -f "$img" ] || exit 0
	mkdir -p "$CACHE/guest"
	tmp=$(mktemp -d "$CACHE/guest/tmp.XXXXXX")
	trap 'rm -rf "$tmp"' EXIT
	archive_known
	host_sources >"$tmp/sources.list"
	host_aptopts >"$tmp/apt.conf"
	packages=$(grep -v '^#' "$LAB/guest-packages" | paste -sd, -)
	# Without root, mmdebstrap works in a user namespace whose root is nobody
	# outside: the cache must not be needed in there, "download" brings it out.
	long "building the guest's root file system" "$CACHE/log/root.log" \
		mmdebstrap --variant=essential --include="$packages" --format=null \
		--aptopt="$tmp/apt.conf" --aptopt='APT::Install-Recommends "false"' \
		--dpkgopt='path-exclude=/usr/share/doc/*' \
		--dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		--customize-hook="sh -s -- \"\$1\" <<'PACK'
$(cat "$LAB/pack-root.sh")
PACK" \
		--customize-hook="download /root.img $tmp/root.img" \
		bookworm /dev/null "$tmp/sources.list" || exit 1
	mv "$tmp/root.img" "$img"
	# Older roots are of no use to anybody any more.
	for old in "$CACHE"/guest/root-*.img; do
		[ "$old" = "$img" ] || rm -f "$old"
	done
)

# kernel_dir: boot/vmlinuz-$KVER and lib/modules/$KVER of what the guest boots.
kernel_dir() { echo "${GUEST_KERNEL:-$CACHE/guest/kernel-$KVER}"; }

# The suite that KVER comes from, if it is none of the host's.
KERNEL_SUITE=''

# kernel_apt PROGRAM ARGUMENT...: apt-get or apt-cache where KVER comes from.
kernel_apt() {
	if [ -n "$KERNEL_SUITE" ]; then
		suite_apt "$KERNEL_SUITE" "$@"
	else
		kernel_apt_program=$1
		shift
		"$kernel_apt_program" -q -o APT::Sandbox::User= "$@"
	fi
}

# unpack_kernel DIR: 6.12 has its modules below /usr, and 7.x all that it has,
# in parts.
unpack_kernel() (
	cd "$1" || exit 1
	parts=$(kernel_apt apt-cache depends "linux-image-$KVER" |
		sed -n 's/.*Depends: \(linux-\(base\|binary\|modules\)-[0-9].*\)$/\1/p')
	# shellcheck disable=SC2086 # a list of names
	kernel_apt apt-get download "linux-image-$KVER" $parts || exit 1
	for deb in *.deb; do
		dpkg -x "$deb" . && rm "$deb" || exit 1
	done
	if [ ! -d lib/modules ]; then
		mkdir -p lib && mv usr/lib/modules lib/modules || exit 1
	fi
	if [ ! -d boot ]; then
		mkdir boot && mv "lib/modules/$KVER/vmlinuz" "boot/vmlinuz-$KVER" || exit 1
	fi
	depmod -b "$1" "$KVER"
)

make_kernel() (
	[ ! -d "$(kernel_dir)" ] || exit 0
	mkdir -p "$CACHE/guest"
	tmp=$(mktemp -d "$CACHE/guest/tmp.XXXXXX")
	chmod 755 "$tmp"
	trap 'rm -rf "$tmp"' EXIT
	long "fetching kernel $KVER for the guest" "$CACHE/log/kernel.log" unpack_kernel "$tmp" ||
		die "Debian's archive gave no linux-image-$KVER: run apt-get update as root, then start again"
	mv "$tmp" "$(kernel_dir)"
)

initrd_image() {
	echo "$CACHE/guest/initrd-$KVER-$(
		{
			echo "$BOOT_MODULES"
			cat "$LAB/guest-init"
		} | hash
	).gz"
}

make_initrd() (
	img=$(initrd_image)
	[ ! -f "$img" ] || exit 0
	tmp=$(mktemp -d "$CACHE/guest/tmp.XXXXXX")
	trap 'rm -rf "$tmp"' EXIT
	mkdir -p "$tmp/t/bin" "$tmp/t/mod"
	cp "$(command -v busybox)" "$tmp/t/bin/busybox"
	cp "$LAB/guest-init" "$tmp/t/init"
	chmod 755 "$tmp/t/init"
	# Not in a pipe, which would go on without the module.
	for m in $BOOT_MODULES; do
		modprobe -d "$(kernel_dir)" -S "$KVER" --show-depends "$m" ||
			die "kernel $KVER has no module $m"
	done >"$tmp/needed"
	sed -n 's/^insmod \([^ ]*\).*/\1/p' "$tmp/needed" | awk '!seen[$0]++' |
		while IFS= read -r ko; do
			m=${ko##*/}
			case $m in
			*.xz) m=${m%.xz} && xz -dc "$ko" >"$tmp/t/mod/$m" ;;
			*) cp "$ko" "$tmp/t/mod/$m" ;;
			esac && echo "$m"
		done >"$tmp/t/mod/order"
	(cd "$tmp/t" && find . | cpio -o -H newc -R 0:0 --quiet | gzip -1) >"$tmp/initrd" || exit 1
	mv "$tmp/initrd" "$img"
)

# guest_root: after it, the guest's root file system is in the cache.
guest_root() {
	# Without root, mmdebstrap works as root of a user namespace.
	[ "$(id -u)" = 0 ] || grep -q "^$(id -un):" /etc/subuid 2>/dev/null ||
		die "user $(id -un) has no subordinate ids to build the guest's root with: add them (usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $(id -un)), or run this as root"
	locked root make_root || die "no root file system for the guest: see $CACHE/log/root.log"
}

guest_initrd() { locked "initrd-$KVER" make_initrd || exit 1; }

# guest_images: after it, everything a guest boots is in the cache.
guest_images() {
	[ -z "$KERNEL" ] || use_kernel "$KERNEL"
	guest_root
	locked "kernel-$KVER" make_kernel || exit 1
	guest_initrd
}
