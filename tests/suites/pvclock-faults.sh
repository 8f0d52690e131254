#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What pvclock got wrong once, in a guest of 2 vCPUs on 2 pCPUs, in real time;
# prints its KTAP. Argument: how often it is unloaded while parameters are written.
#
# /// suite
# time = "real"
# limit = 900
# seconds = 60
# groups = ["modules", "clock"]
# kernels = "any"
# long = { args = "100", limit = 3000 }
# ///
. "$LAUNCHER/common.sh"
. "$LAUNCHER/build.sh"
test_kernel
guest_initrd "$WORK/pvclock-faults.cpio" "$TOP/tests/guest/ktap-pvclock-faults.sh"
exec "$TOP/pvkit" run --timeout 2900 --pcpus 2 \
	--vm "name=clock,vcpus=2,mem=256M,kernel=$KIMAGE,initrd=$WORK/pvclock-faults.cpio,reset=stop,append=$KERNEL_ARGS pvkit.rounds=${1:-10}"
