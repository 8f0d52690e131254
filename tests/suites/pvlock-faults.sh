#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What pvlock got wrong once, in a guest of 6 vCPUs on 2 pCPUs; prints its KTAP.
#
# /// suite
# time = "real"
# limit = 900
# seconds = 60
# groups = ["modules", "locks"]
# kernels = "any"
# ///
. "$LAUNCHER/common.sh"
. "$LAUNCHER/build.sh"
test_kernel
headers_setup
# Building for a kernel with larger queue nodes must end with an error that names the option.
dir=$(mktemp -d "$BUILD/paravirt.XXXXXX")
trap 'rm -rf "$dir"' EXIT
cp -r "$TOP/Kbuild" "$TOP/hypercall" "$TOP/pvlock" "$dir/"
if make -s -C "$KSRC" O="$KOBJ" M="$dir" PVKIT_DIRS=pvlock ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- \
	KCFLAGS=-DCONFIG_PARAVIRT_SPINLOCKS=1 pvlock/spinlock.o >"$dir/log" 2>&1; then
	built=built
elif grep -q '#error "CONFIG_PARAVIRT_SPINLOCKS' "$dir/log"; then
	built=refused
else
	built=failed
	tail -5 "$dir/log" >&2
fi
guest_initrd "$WORK/pvlock-faults.cpio" "$TOP/tests/guest/ktap-pvlock-faults.sh"
"$TOP/pvkit" run --timeout 2900 --pcpus 2 \
	--vm "name=pvlock,vcpus=6,mem=512M,kernel=$KIMAGE,initrd=$WORK/pvlock-faults.cpio,reset=stop,append=$KERNEL_ARGS pvkit.paravirt_spinlocks=$built"
