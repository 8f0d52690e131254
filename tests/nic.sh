#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# pvnic in a guest of 2 vCPUs, whose NIC has 2 queue pairs; prints its KTAP.
. "$LAUNCHER/common.sh"
. "$LAUNCHER/build.sh"
kernel_setup 6.12 cloud-arm64
root_guest "$BUILD/ktap-nic.cpio" "$TOP/tests/guest/ktap-nic.sh"
exec "$TOP/pvkit" run --timeout 250 --pcpus 2 --uplink lan --vm "name=nic,vcpus=2,mem=256M,$ROOT_ITEMS,net=lan:queues=2,append=$KERNEL_ARGS pvkit.root=/dev/vda"
