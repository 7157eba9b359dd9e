# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# uml.sh: KUnit. A user-mode kernel from Debian's linux-source-6.1 is built once
# into the cache, the module with its suites is built against it, and loading it
# there runs them: native speed, no emulator.

SOURCE_TARBALL=/usr/src/linux-source-6.1.tar.xz

# source_version: what a cached thing made from the tarball depends on.
source_version() { dpkg-query -W -f '${Version}' linux-source-6.1; }

uml_dir() { echo "$CACHE/uml/$(source_version)-$(hash <"$TOP/selftests/kunit.config")"; }

uml_build() (
	cd "$1" || exit 1
	mkdir -p src obj
	tar -C src --strip-components=1 -xf "$SOURCE_TARBALL" || exit 1
	um() { make -s -C "$1/src" ARCH=um O="$1/obj" "$2" -j"$(nproc)"; }
	um "$1" defconfig || exit 1
	(cd obj && ../src/scripts/kconfig/merge_config.sh -m -O . .config "$TOP/selftests/kunit.config") || exit 1
	um "$1" olddefconfig || exit 1
	# An option that silently fell away would make the tests mean less.
	grep '^CONFIG_' "$TOP/selftests/kunit.config" | while IFS= read -r option; do
		grep -qx "$option" obj/.config || {
			echo "the kernel's configuration does not take $option"
			exit 1
		}
	done || exit 1
	um "$1" all || exit 1
	# Only what building modules takes stays: 1 GiB less in the cache.
	find obj -name '*.o' ! -path 'obj/scripts/*' ! -path 'obj/arch/*' -delete
	find src \( -path src/scripts -o -path src/arch -o -path src/include \) -prune -o \
		-name '*.[cS]' -type f -exec rm -f {} +
)

make_uml() (
	dir=$(uml_dir)
	[ ! -d "$dir" ] || exit 0
	mkdir -p "$CACHE/uml"
	# Kbuild writes its own path into what it makes, so this directory cannot be
	# renamed when complete: a link takes the name instead.
	tree=$(mktemp -d "$CACHE/uml/tree.XXXXXX")
	trap 'rm -rf "$tree"' INT TERM
	long "building the KUnit kernel (once, about 5 min on 2 cores)" "$CACHE/log/uml.log" \
		uml_build "$tree" || {
		rm -rf "$tree"
		exit 1
	}
	for old in "$CACHE"/uml/tree.*; do
		[ "$old" = "$tree" ] || rm -rf "$old"
	done
	find "$CACHE/uml" -maxdepth 1 -type l -delete
	ln -s "${tree##*/}" "$dir"
)

# uml_kernel: after it, the kernel is in the cache.
uml_kernel() {
	[ -f "$SOURCE_TARBALL" ] || die "there is no $SOURCE_TARBALL: reinstall the package linux-source-6.1"
	locked uml make_uml || die "the KUnit kernel does not build: see $CACHE/log/uml.log"
}

make_kunit_module() {
	sync_tree "$1" Kbuild kmod uapi &&
		make -C "$(uml_dir)/obj" ARCH=um M="$1" OVLY_KUNIT=1 -j"$(nproc)" modules
}

# kunit_flatten: KUnit's nested KTAP as a flat one, cases named "suite: case".
# Results of parameters (deeper) and of suites (outermost) become remarks.
kunit_flatten() (
	only=$1
	suite='' total=0 shown=0
	while IFS= read -r line || [ -n "$line" ]; do
		case $line in
		"    # Subtest: "*) suite=${line#*Subtest: } ;;
		"    "[0-9]*..[0-9]*)
			if [ -z "$only" ] || [ "$only" = "$suite" ]; then
				total=$((total + ${line##*..}))
			fi
			;;
		"    ok "* | "    not ok "*)
			[ -z "$only" ] || [ "$only" = "$suite" ] || continue
			shown=$((shown + 1))
			# 6.1 prints "ok 1 name", later kernels "ok 1 - name".
			name=${line#*ok }
			name=${name#* }
			printf '%sok %d - %s: %s\n' \
				"$(case $line in *"    not ok "*) printf 'not ' ;; esac)" \
				"$shown" "$suite" "${name#- }"
			;;
		*) printf '# %s\n' "$line" ;;
		esac
	done
	echo "1..$total"
)

# run_kunit [SUITE]: builds, boots and judges.
run_kunit() {
	if ! ls "$TOP"/kmod/tests/*.c >/dev/null 2>&1; then
		result skip kunit "all suites" 0 "there are none in kmod/tests"
		return 0
	fi
	uml_kernel
	dir=$(build_dir kunit)
	locked "build-$(echo "$dir" | hash)" long "building ovly.ko with its KUnit suites" "$dir.log" \
		make_kunit_module "$dir" || {
		result fail kunit "the module builds with its suites" 0 "see $dir.log"
		return 0
	}
	log=$RESULTS/kunit.log
	# UML keeps the guest's memory in a file there, and must be able to map it.
	t0=$(now_ms)
	TMPDIR=${TMPDIR:-/dev/shm} timeout -k 5 "${OVLY_KUNIT_DEADLINE:-300}" \
		"$(uml_dir)/obj/linux" mem=512M rootfstype=hostfs rootflags=/ ro \
		init="$LAB/kunit-init" OVLY_KO="$dir/ovly.ko" con0=null,fd:1 con=null ssl=null \
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
