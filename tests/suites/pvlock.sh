#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# pvhyp and pvlock in a guest of 4 vCPUs on 2 pCPUs; prints its KTAP.
#
# /// suite
# time = "real"
# limit = 900
# seconds = 80
# groups = ["modules", "locks"]
# kernels = "any"
# long = { limit = 3000 }
# ///
. "$LAUNCHER/common.sh"
. "$LAUNCHER/build.sh"
test_kernel
guest_initrd "$WORK/ktap.cpio" "$TOP/tests/guest/ktap-pvlock.sh"
exec "$TOP/pvkit" run --timeout 2900 --pcpus 2 \
	--vm "name=pvlock,vcpus=4,mem=512M,kernel=$KIMAGE,initrd=$WORK/ktap.cpio,reset=stop,append=$KERNEL_ARGS $LEVEL_ARGS maxcpus=1"
