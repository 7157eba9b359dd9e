# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# kernel-tree.sh: kernels from Debian's linux-source-6.1, each built once into
# the cache and kept there in the form that builds modules against it.

SOURCE_TARBALL=/usr/src/linux-source-6.1.tar.xz

# source_version: what a cached thing made from the tarball depends on.
source_version() { dpkg-query -W -f '${Version}' linux-source-6.1; }

# kernel_tree KIND CONFIG: where the kernel is, with src and obj in it.
kernel_tree() { echo "$CACHE/$1/$(source_version)-$(hash <"$2")"; }

# kernel_build DIR ARCH BASE CONFIG [MEND]: unpacks and builds BASE (a make target
# such as defconfig) plus CONFIG; the command MEND may change the sources before.
kernel_build() (
	cd "$1" || exit 1
	tree=$1 arch=$2 base=$3 config=$4 mend=${5:-true}
	mkdir -p src obj
	tar -C src --strip-components=1 -xf "$SOURCE_TARBALL" || exit 1
	"$mend" src || exit 1
	kbuild() { make -s -C "$tree/src" ARCH="$arch" O="$tree/obj" "$1" -j"$(nproc)"; }
	kbuild "$base" || exit 1
	(cd obj && ../src/scripts/kconfig/merge_config.sh -m -O . .config "$config") || exit 1
	kbuild olddefconfig || exit 1
	# An option that silently fell away would make the tests mean less.
	grep '^CONFIG_' "$config" | while IFS= read -r option; do
		grep -qxF "$option" obj/.config || {
			echo "the kernel's configuration does not take $option"
			exit 1
		}
	done || exit 1
	kbuild all
)

# kernel_trim DIR: only what building modules takes stays: 1 GiB less in the cache.
kernel_trim() (
	cd "$1" || exit 1
	find obj -name '*.o' ! -path 'obj/scripts/*' ! -path 'obj/arch/*' -delete
	find src \( -path src/scripts -o -path src/arch -o -path src/include \) -prune -o \
		-name '*.[cS]' -type f -exec rm -f {} +
)

# make_kernel_tree KIND CONFIG DESCRIPTION COMMAND...: runs COMMAND with a new
# directory unless the kernel is there.
make_kernel_tree() (
	kind=$1 dir=$(kernel_tree "$1" "$2") what=$3
	shift 3
	[ ! -d "$dir" ] || exit 0
	mkdir -p "$CACHE/$kind"
	# Kbuild writes its own path into what it makes, so this directory cannot be
	# renamed when complete: a link takes the name instead.
	tree=$(mktemp -d "$CACHE/$kind/tree.XXXXXX")
	trap 'rm -rf "$tree"' INT TERM
	long "$what" "$CACHE/log/$kind.log" "$@" "$tree" || {
		rm -rf "$tree"
		exit 1
	}
	for old in "$CACHE/$kind"/tree.*; do
		[ "$old" = "$tree" ] || rm -rf "$old"
	done
	find "$CACHE/$kind" -maxdepth 1 -type l -delete
	ln -s "${tree##*/}" "$dir"
)

# kernel_cached KIND CONFIG DESCRIPTION COMMAND...: after it, the kernel is in
# the cache.
kernel_cached() {
	[ -f "$SOURCE_TARBALL" ] || die "there is no $SOURCE_TARBALL: reinstall the package linux-source-6.1"
	locked "$1" make_kernel_tree "$@" || die "the kernel for $1 does not build: see $CACHE/log/$1.log"
}
