#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# virtio_pv in a guest; prints its KTAP. Argument: how often to do things under load.
. "$LAUNCHER/common.sh"
. "$LAUNCHER/build.sh"
kernel_setup 6.12 cloud-arm64
root_guest "$BUILD/virtio_pv.cpio" "$TOP/tests/guest/ktap-virtio_pv.sh"
# With 52 bits of virtual address (-cpu max) this kernel cannot resume from
# hibernation, on any device: trans_pgd_create_copy() faults.
exec "$TOP/pvkit" run --timeout 1500 --pcpus 2 --cpu neoverse-n1 --uplink lan --vm "name=v,vcpus=2,mem=384M,$ROOT_ITEMS,disk=ram:32M:queues=2,disk=ram:512M,net=lan:queues=2,console=virtio,append=$KERNEL_ARGS pvkit.root=/dev/vda pvkit.rounds=$1"
