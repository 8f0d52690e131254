#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# virtio_pv in a guest; prints its KTAP. Arguments: how often to do things under
# load ('': by PVKIT_LEVEL); "polling": with a pCPU that polls, and a GICv4.
#
# /// suite
# time = "real"
# limit = 900
# seconds = 80
# groups = ["modules", "devices"]
# [virtio_pv]
# kernels = "any"
# args = "6"
# long = { args = "100", limit = 3000 }
# [virtio_pv-polling]
# args = "6 polling"
# long = { args = "100 polling", limit = 3000 }
# ///
. "$LAUNCHER/common.sh"
. "$LAUNCHER/build.sh"
test_kernel
root_guest "$WORK/virtio_pv.cpio" "$TOP/tests/guest/ktap-virtio_pv.sh"
# With 52 bits of virtual address (-cpu max) this kernel cannot resume from
# hibernation, on any device: trans_pgd_create_copy() faults.
pcpus=2
[ -z "${2:-}" ] || pcpus='3 --polling'
# shellcheck disable=SC2086
exec "$TOP/pvkit" run --timeout 2900 --pcpus $pcpus --cpu neoverse-n1 --uplink lan --vm "name=v,vcpus=2,mem=384M,$ROOT_ITEMS,disk=ram:32M:queues=2,disk=ram:512M,net=lan:queues=2,console=virtio,append=$KERNEL_ARGS pvkit.root=/dev/vda pvkit.rounds=${1:-$(by_level 3 6 100)} ${2:+pvkit.polling=1}"
