#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# pvhyp and pvlock in a guest of 4 vCPUs on 2 pCPUs; prints its KTAP.
. "$LAUNCHER/common.sh"
. "$LAUNCHER/build.sh"
test_kernel
guest_initrd "$BUILD/ktap.cpio" "$TOP/tests/guest/ktap-pvlock.sh"
exec "$TOP/pvkit" run --timeout 600 --pcpus 2 \
	--vm "name=pvlock,vcpus=4,mem=512M,kernel=$KIMAGE,initrd=$BUILD/ktap.cpio,reset=stop,append=$KERNEL_ARGS $LEVEL_ARGS maxcpus=1"
