#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# blk-noop in a guest; prints its KTAP. Argument: how often to do things under load.
. "$LAUNCHER/common.sh"
. "$LAUNCHER/build.sh"
kernel_setup 6.12 cloud-arm64
root_guest "$BUILD/noop.cpio" "$TOP/tests/guest/ktap-noop.sh"
exec "$TOP/pvkit" run --timeout 900 --pcpus 2 --vm "name=noop,vcpus=2,mem=384M,$ROOT_ITEMS,disk=ram:64M:queues=2:serial=one,disk=ram:32M:serial=two,disk=ram:8M:ro:serial=ro,append=$KERNEL_ARGS pvkit.root=/dev/vda pvkit.rounds=$1"
