# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# The modules' KTAP tests as an archive, for guests that have nothing of ours.

. "$LAUNCHER/build.sh"

ktap_usage() {
	cat <<-'END'
	usage: ./pvkit ktap [KERNEL]
	  Makes build/pvkit-ktap-VERSION.tar.gz: the modules for that kernel (SERIES/FLAVOUR of
	  Debian, built[/FRAGMENT]; 6.12/cloud-arm64 if none is named), test modules, programs,
	  and the tests. In any guest with that kernel:
	    tar -xzf pvkit-ktap-VERSION.tar.gz && sh pvkit-ktap/run [SUITE...]
	END
}

cmd_ktap() {
	case ${1:-} in -h | --help) ktap_usage; return 0 ;; esac
	[ $# -le 1 ] || die_usage "ktap: one kernel (try ./pvkit ktap --help)"
	case ${1:-6.12/} in 6.*/* | built | built/*) ;; *) die_usage "ktap: '$1' is no SERIES/FLAVOUR, nor built[/FRAGMENT]" ;; esac
	mkdir -p "$BUILD"
	setup_packages
	build_programs
	build_for "${1:-6.12/cloud-arm64}"
	ktap_archive "$BUILD/pvkit-ktap-$KVER.tar.gz"
	ls "$BUILD/pvkit-ktap-$KVER.tar.gz"
}

# ktap_archive OUT: after build_for
ktap_archive() {
	ka_dir=$(mktemp -d "$BUILD/ktap.XXXXXX")
	mkdir -p "$ka_dir/pvkit-ktap/modules" "$ka_dir/pvkit-ktap/bin"
	cp "$TOP"/tests/guest/lib.sh "$TOP"/tests/guest/fio.sh "$ka_dir/pvkit-ktap/"
	for s in $MODULE_SUITES; do cp "$TOP/tests/guest/ktap-$s.sh" "$ka_dir/pvkit-ktap/"; done
	cp "$TOP/tests/guest/ktap-run.sh" "$ka_dir/pvkit-ktap/run"
	cp "$BUILD"/prog/* "$TOP/tools/pvstat" "$TOP/tools/nic/pvnic" "$ka_dir/pvkit-ktap/bin/"
	find "$BUILD/modules-$KVER" -name '*.ko' -exec cp {} "$ka_dir/pvkit-ktap/modules/" \;
	aarch64-linux-gnu-strip --strip-debug "$ka_dir"/pvkit-ktap/modules/*.ko
	tar -C "$ka_dir" -czf "$1" pvkit-ktap
	rm -rf "$ka_dir"
}
