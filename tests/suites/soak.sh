#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Locks tortured for long in 8 vCPUs on 2 pCPUs, while pvlock is switched, reloaded and traced.
#
# /// suite
# time = "real"
# limit = 7200
# groups = ["modules", "locks"]
# level = "long"
# ///
. "$LAUNCHER/common.sh"
. "$LAUNCHER/build.sh"
kernel_setup 6.12 cloud-arm64
guest_initrd "$WORK/soak.cpio" "$TOP/tests/guest/soak.sh"
exec "$TOP/pvkit" run --timeout 7000 --pcpus 2 \
	--vm "name=soak,vcpus=8,mem=512M,kernel=$KIMAGE,initrd=$WORK/soak.cpio,reset=stop,append=$KERNEL_ARGS"
