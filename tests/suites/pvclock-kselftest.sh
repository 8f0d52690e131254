#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The kernel's own selftests for timers, at N=1 by the kernel and at N=16, in one
# boot, deterministic; prints the guest's KTAP.
#
# /// suite
# time = "icount"
# limit = 3600
# groups = ["modules", "clock"]
# level = "long"
# ///
. "$LAUNCHER/common.sh"
. "$LAUNCHER/build.sh"
build_for 6.12/cloud-arm64 hypercall pvclock
unpack linux-source-6.12 "$BUILD/linux-source"
src=$BUILD/selftests
if [ ! -e "$src/done" ]; then
	mkdir -p "$src"
	tar -xJf "$BUILD/linux-source/usr/src/linux-source-6.12.tar.xz" -C "$src" --strip-components=1 --wildcards \
		'*/tools/testing/selftests/timers' '*/tools/testing/selftests/*.h' '*/include/vdso/*' || die "no selftests in linux-source"
	touch "$src/done"
fi
dir=$(mktemp -d "$BUILD/kselftest.XXXXXX")
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/kselftest"
for t in posix_timers nanosleep nsleep-lat inconsistency-check mqueue-lat set-timer-lat threadtest raw_skew; do
	aarch64-linux-gnu-gcc -O2 -w -static -pthread -I"$src" -I"$src/tools/testing/selftests" \
		-o "$dir/kselftest/$t" "$src/tools/testing/selftests/timers/$t.c" -lrt -lm || die "cannot build the selftest $t"
done
make_cpio "$dir" "$WORK/kselftest.cpio"
guest_initrd "$WORK/pvclock-kselftest.cpio" "$TOP/tests/guest/pvclock-kselftest.sh" "$WORK/kselftest.cpio"
"$TOP/pvkit" run --icount --timeout 3000 \
	--vm "name=k,vcpus=2,mem=256M,kernel=$KIMAGE,initrd=$WORK/pvclock-kselftest.cpio,reset=stop,append=$KERNEL_ARGS"
