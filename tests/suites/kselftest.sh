#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The kernel's own selftests, built from Debian's source, in a guest of 4 vCPUs on 1
# pCPU: each must end with all our modules loaded as it does without; prints KTAP.
# Deterministic: many of them measure how late a timer is, which in real time is as
# late as this machine is busy. Arguments: of them all, these (collection:test).
#
# /// suite
# time = "icount"
# limit = 3600
# groups = ["modules"]
# level = "long"
# ///
. "$LAUNCHER/common.sh"
. "$LAUNCHER/kernel.sh"
. "$LAUNCHER/build.sh"
COLLECTIONS="timers futex locking cpu-hotplug rseq membarrier ftrace"
NET="socket reuseaddr_conflict reuseport_dualstack sk_so_peek_off so_netns_cookie"
PACKAGES="$PACKAGES $KERNEL_PACKAGES rsync"
setup_packages
test_kernel
kernel_source
out=$BUILD/kselftest
selftests=$KSRC/tools/testing/selftests
if [ ! -e "$out/install/done" ]; then
	say "building the kernel's selftests"
	rm -rf "$out"
	mkdir -p "$out"
	make -s -C "$KSRC" O="$out/headers" ARCH=arm64 headers >"$out/log" 2>&1 &&
		make -s -C "$selftests" O="$out/obj" ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- TARGETS="$COLLECTIONS" \
			KHDR_INCLUDES="-isystem $out/headers/usr/include" FORCE_TARGETS=1 install INSTALL_PATH="$out/install" >>"$out/log" 2>&1 ||
		{ tail "$out/log" >&2; die "building the selftests failed"; }
	# Of net, whose programs want a dozen libraries, those that need none.
	mkdir -p "$out/install/net"
	for t in $NET; do
		aarch64-linux-gnu-gcc -O2 -w -I"$KSRC/tools/include" -isystem "$out/headers/usr/include" \
			-o "$out/install/net/$t" "$selftests/net/$t.c" -lpthread || die "building selftest net:$t failed"
		echo "net:$t" >>"$out/install/kselftest-list.txt"
	done
	# Of ftrace the basic ones; of rseq not those that compute for 100 G instructions
	# (200 threads that spin) or, run_param_test.sh, for an hour.
	sed -i '/^ftrace:/d; /^rseq:.*param_test/d; /^rseq:basic_percpu/d' "$out/install/kselftest-list.txt"
	echo "ftrace:basic.sh" >>"$out/install/kselftest-list.txt"
	printf '#!/bin/bash\nexec ./ftracetest -K test.d/00basic\n' >"$out/install/ftrace/basic.sh"
	chmod +x "$out/install/ftrace/basic.sh"
	touch "$out/install/done"
fi
dir=$(mktemp -d "$BUILD/kselftest.XXXXXX")
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/modules"
cp -r "$out/install" "$dir/modules/kselftest"
[ $# -eq 0 ] || printf '%s\n' "$@" >"$dir/modules/kselftest/kselftest-list.txt"
make_cpio "$dir" "$WORK/kselftest.cpio"
GUEST_MODULES="$GUEST_MODULES test-ww_mutex"
root_guest "$WORK/kselftest-run.cpio" "$TOP/tests/guest/ktap-kselftest.sh" ram
cat "$WORK/kselftest.cpio" >>"$WORK/kselftest-run.cpio"
# Some compute for minutes: instructions are as long as they take here to execute.
PVKIT_ICOUNT_SHIFT=3 "$TOP/pvkit" run --timeout 3500 --icount --vm "name=k,vcpus=4,mem=1G,$ROOT_ITEMS,disk=ram:32M,net=lan,append=$KERNEL_ARGS pvkit.root=/dev/vda"
