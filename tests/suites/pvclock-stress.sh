#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# pvclock under stress-ng, 4 vCPUs on 2 pCPUs, in real time; prints the guest's
# KTAP. Arguments: seconds, and how often to change things.
#
# /// suite
# time = "real"
# limit = 3600
# groups = ["modules", "clock"]
# level = "long"
# args = "600 100"
# ///
. "$LAUNCHER/common.sh"
. "$LAUNCHER/build.sh"
kernel_setup 6.12 cloud-arm64
root_guest "$WORK/pvclock-stress.cpio" "$TOP/tests/guest/pvclock-stress.sh"
exec "$TOP/pvkit" run --timeout $(($1 * 2 + 1500)) --pcpus 2 --vm "name=s,vcpus=4,mem=512M,$ROOT_ITEMS,append=$KERNEL_ARGS pvkit.root=/dev/vda pvkit.seconds=$1 pvkit.rounds=$2"
