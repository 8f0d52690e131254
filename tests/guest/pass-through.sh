# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Guest side of tests/devices.sh: /dev/vda is RAM, /dev/vdb passed through.
modprobe virtio_mmio
modprobe virtio_blk
[ "$(head -1 /dev/vdb)" = "on the host" ] && echo "READS"
echo "from the guest" | dd of=/dev/vdb bs=512 seek=1 conv=sync,fsync 2>/dev/null && echo "WRITES"
grep -q "^40000000-" /proc/iomem || echo "ELSEWHERE"
