#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# pack-root.sh ROOT: the last mmdebstrap hook. Packs the finished tree into
# ROOT/root.img, from where mmdebstrap's own "download" hook takes it out; that
# way works as root and in an unprivileged user namespace alike.

set -eu

root=$1
rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/var/log/*.log

# Tools that the guest's scripts start by name. No init system runs there.
mkdir -p "$root/ovly" "$root/usr/local/sbin"
: > "$root/etc/machine-id"
echo guest > "$root/etc/hostname"
printf '127.0.0.1 localhost guest\n::1 localhost\n' > "$root/etc/hosts"

# mmdebstrap has /proc, /sys and /dev mounted in the tree. A bind mount that is
# not recursive shows the tree without them.
tmp=$(mktemp -d)
trap 'umount "$tmp" 2>/dev/null || true; rm -rf "$tmp.img"; rmdir "$tmp"' EXIT
mount --bind "$root" "$tmp"
mib=$(du -sm --one-file-system "$tmp" | cut -f1)
# Read-only in the guest: no journal, no reserve, a little slack for metadata.
mke2fs -q -t ext4 -O ^has_journal -m 0 -d "$tmp" "$tmp.img" "$((mib * 5 / 4 + 32))M"
mv "$tmp.img" "$root/root.img"
