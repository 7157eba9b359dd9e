# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# style.sh: the gates that look at the source. Each has to find nothing; its
# findings are shown and the command fails.

STYLE_TOOLS="scripts/checkpatch.pl scripts/spelling.txt scripts/const_structs.checkpatch scripts/kernel-doc"

style_dir() { echo "$CACHE/style/$(source_version)"; }

unpack_style() (
	cd "$1" || exit 1
	# shellcheck disable=SC2046 # a list of names
	tar --strip-components=1 --wildcards -xf "$SOURCE_TARBALL" \
		$(for f in $STYLE_TOOLS; do echo "*/$f"; done)
)

# make_style_tools: the kernel's own checkers, which Debian ships only inside
# the source package.
make_style_tools() (
	dir=$(style_dir)
	[ ! -d "$dir" ] || exit 0
	mkdir -p "${dir%/*}"
	tmp=$(mktemp -d "${dir%/*}/tmp.XXXXXX")
	trap 'rm -rf "$tmp"' EXIT
	long "unpacking checkpatch and kernel-doc" "$CACHE/log/style.log" unpack_style "$tmp" || exit 1
	mv "$tmp" "$dir"
)

c_files() { (cd "$TOP" && find "$@" -name '*.[ch]' -type f | sort); }

# shell_scripts: everything of the project that a shell runs. Parts that
# selftests/run sources are checked through it.
shell_scripts() {
	(cd "$TOP" && git ls-files --cached --others --exclude-standard |
		while IFS= read -r f; do
			[ -f "$f" ] || continue
			case $(head -c 40 "$f" | head -n 1 | tr -d '\0') in
			'#!'*sh | '#!'*sh' '*) echo "$f" ;;
			*)
				case $f in
				*.sh) grep -q "lab/${f##*/}\"" selftests/run || echo "$f" ;;
				esac
				;;
			esac
		done)
}

# gate NAME COMMAND...: finds nothing and succeeds, or has failed.
gate() {
	gate_name=$1
	shift
	t0=$(now_ms)
	out=$RESULTS/$(echo "$gate_name" | tr ' /' '--').log
	rc=0
	(cd "$TOP" && "$@") >"$out" 2>&1 </dev/null || rc=$?
	t1=$(now_ms)
	if [ $rc = 0 ]; then
		result pass style "$gate_name" $((t1 - t0))
	else
		result fail style "$gate_name" $((t1 - t0))
		head -n 60 "$out" | sed 's/^/      | /'
		say "    log: $out"
	fi
}

checkpatch() {
	"$(style_dir)/scripts/checkpatch.pl" --no-tree --strict --terse --quiet --show-types \
		--max-line-length=100 "$@"
}

# Headers of tracepoints have a form of their own, which checkpatch does not know.
# shellcheck disable=SC2046 # lists of names, and none has a space
gate_checkpatch() {
	checkpatch --ignore FILE_PATH_CHANGES \
		--file $(c_files kmod uapi | grep -v '/trace\.h$') &&
		checkpatch --ignore FILE_PATH_CHANGES,COMPLEX_MACRO,PARENTHESIS_ALIGNMENT,OPEN_ENDED_LINE \
			--file kmod/trace.h
}

# kernel_doc's exit status does not count warnings in 6.1.
gate_kernel_doc() {
	# shellcheck disable=SC2046
	"$(style_dir)/scripts/kernel-doc" -none $(c_files kmod uapi) 2>&1 | tee "$RESULTS/kdoc"
	! grep -qiE 'warning|error' "$RESULTS/kdoc"
}

# module_clean_build KIND ARGUMENT...: a fresh build whose every warning counts.
module_clean_build() {
	dir=$(build_dir "$1")
	shift
	rm -rf "$dir"
	sync_tree "$dir" Kbuild kmod uapi || return 1
	PATH=$MODULE_PATH$PATH make -C "$(module_kdir)" M="$dir" -j"$(nproc)" "$@" >"$dir.log" 2>&1
	made=$?
	grep -E '(warning|error|WARNING|ERROR)(:| )' "$dir.log" && return 1
	[ $made = 0 ] || tail -n 20 "$dir.log"
	return $made
}

gate_w1() { module_clean_build style W=1 modules; }
gate_sparse() { module_clean_build style C=2 CF="-D__CHECK_ENDIAN__" modules; }

# The KUnit suites as objects only: Debian's kernel has no KUnit to link with.
gate_kunit_w1() {
	# shellcheck disable=SC2046
	module_clean_build style W=1 C=2 CF="-D__CHECK_ENDIAN__" OVLY_KUNIT=1 \
		$(cd "$TOP" && printf '%s\n' kmod/tests/*.c | sed 's/c$/o/')
}

gate_helper() {
	dir=$(build_dir style-helper)
	rm -rf "$dir"
	sync_tree "$dir" helper uapi || return 1
	make -C "$dir/helper" -j"$(nproc)" EXTRA_CFLAGS="-Wall -Wextra -Werror" all
}

gate_nl() {
	dir=$(build_dir style-nl)
	rm -rf "$dir"
	sync_tree "$dir" selftests/nl uapi || return 1
	make -C "$dir/selftests/nl" -j"$(nproc)" EXTRA_CFLAGS=-Werror all
}

# shellcheck disable=SC2046
gate_shellcheck() {
	shellcheck -x -a selftests/run && shellcheck -x $(shell_scripts | grep -vx selftests/run)
}

gate_codespell() {
	git ls-files --cached --others --exclude-standard -z |
		grep -zvE '^COPYING$|\.(png|svg|pcap)$' |
		xargs -0 codespell --ignore-words-list="ue,nd,te,fo,ot,ser,inout,numer,ect,lsit,brige"
}

# Every file that can carry one says its licence on its first lines.
gate_spdx() {
	git ls-files --cached --others --exclude-standard |
		grep -E '(\.[chsS]|\.sh|\.yaml|\.config|Makefile|Kbuild|^selftests/run|^\.ci/run)$' |
		while IFS= read -r f; do
			[ ! -f "$f" ] || head -n 3 "$f" | grep -q SPDX-License-Identifier || echo "$f: no SPDX line"
		done >"$RESULTS/spdx"
	cat "$RESULTS/spdx"
	[ ! -s "$RESULTS/spdx" ]
}

run_style() {
	locked style make_style_tools || die "cannot unpack the kernel's style tools: see $CACHE/log/style.log"
	gate "checkpatch --strict" gate_checkpatch
	gate "kernel-doc" gate_kernel_doc
	gate "compiler at W=1" gate_w1
	! ls "$TOP"/kmod/tests/*.c >/dev/null 2>&1 || gate "compiler at W=1 and sparse, KUnit suites" gate_kunit_w1
	gate "sparse" gate_sparse
	gate "helper at -Wall -Wextra -Werror" gate_helper
	gate "netlink tool at -Wall -Wextra -Werror" gate_nl
	gate "shellcheck" gate_shellcheck
	gate "codespell" gate_codespell
	gate "SPDX lines" gate_spdx
	tally_total
}
