# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# guest-birds.sh: BIRD 1.6 and 3, for guests that ask for them. Beside the guest's
# BIRD 2 they cannot be installed, and Debian 12 has no BIRD 3: they are unpacked
# into the cache, the latter with the libraries and the dynamic linker of the
# release that it was built for. A guest finds them in /ovly/birds:
#	bird1/bird, bird1/bird6, bird3/bird

birds_dir() { echo "$CACHE/guest/birds-$(hash <"$LAB/guest-birds.sh")"; }

# needed_by DIR PROGRAM: the unpacked libraries that the program loads.
needed_by() {
	libs=$1/usr/lib/x86_64-linux-gnu
	"$libs/ld-linux-x86-64.so.2" --library-path "$libs" --list "$2" |
		sed -n 's,.* => \([^ ]*\) .*,\1,p'
}

get_bird1() (
	mkdir -p "$1/tmp1" "$1/bird1" && cd "$1/tmp1" && locked suite-bookworm suite_update bookworm &&
		suite_unpack bookworm bird && cp usr/sbin/bird usr/sbin/bird6 ../bird1
)

get_bird3() (
	locked suite-trixie suite_update trixie || exit 1
	names=$(suite_apt trixie apt-get -s --no-install-recommends install bird3 |
		sed -nE 's/^Inst (bird3|lib[^ ]*|zlib1g) .*/\1/p')
	mkdir -p "$1/tmp3" "$1/bird3/lib" && cd "$1/tmp3" || exit 1
	# shellcheck disable=SC2086 # a list of names
	suite_unpack trixie $names || exit 1
	needed_by . usr/sbin/bird >needed && [ -s needed ] || exit 1
	while IFS= read -r lib; do
		cp -L "$lib" ../bird3/lib/ || exit 1
	done <needed
	cp usr/sbin/bird ../bird3/bird.bin
	cat >../bird3/bird <<-'END'
		#!/bin/sh
		here=${0%/*}
		exec "$here/lib/ld-linux-x86-64.so.2" --library-path "$here/lib" "$here/bird.bin" "$@"
	END
	chmod 755 ../bird3/bird
)

# make_birds: what the archive does not give is left out, the test says so.
make_birds() (
	dir=$(birds_dir)
	[ ! -d "$dir" ] || exit 0
	mkdir -p "$CACHE/guest"
	tmp=$(mktemp -d "$CACHE/guest/tmp.XXXXXX")
	chmod 755 "$tmp"
	trap 'rm -rf "$tmp"' EXIT
	for n in 1 3; do
		long "fetching BIRD $n for the guest" "$CACHE/log/bird$n.log" "get_bird$n" "$tmp" ||
			rm -rf "$tmp/bird$n"
		rm -rf "$tmp/tmp$n"
	done
	# Without any, another run tries again.
	[ -d "$tmp/bird1" ] || [ -d "$tmp/bird3" ] || exit 0
	mv "$tmp" "$dir"
	for old in "$CACHE"/guest/birds-*; do
		[ "$old" = "$dir" ] || rm -rf "$old"
	done
)

# guest_birds SCRIPT...: after it they are in the cache, if a script wants them.
guest_birds() {
	(cd "$TOP" && grep -qs /ovly/birds "$@") || return 0
	locked birds make_birds
}
