#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# blk-noop in a guest; prints its KTAP. Arguments: how often to do things under
# load ('': by PVKIT_LEVEL); "pci" for disks of plain QEMU by virtio_pci, without our hypervisor.
#
# /// suite
# time = "real"
# limit = 900
# seconds = 80
# groups = ["modules", "disk"]
# [noop]
# kernels = "any"
# args = "6"
# long = { args = "100", limit = 2100 }
# [noop-pci]
# args = "6 pci"
# long = { args = "100 pci", limit = 2100 }
# ///
. "$LAUNCHER/common.sh"
. "$LAUNCHER/build.sh"
test_kernel
root_guest "$WORK/noop.cpio" "$TOP/tests/guest/ktap-noop.sh"
append="$KERNEL_ARGS pvkit.root=/dev/vda pvkit.rounds=${1:-$(by_level 2 6 100)}"
[ "${2:-}" = pci ] ||
	exec "$TOP/pvkit" run --timeout 2000 --pcpus 2 --vm "name=noop,vcpus=2,mem=384M,$ROOT_ITEMS,disk=ram:64M:queues=2:serial=one,disk=ram:32M:serial=two,disk=ram:8M:ro:serial=ro,append=$append"
image() {
	rm -f "$WORK/noop-$1.img"
	truncate -s "$2" "$WORK/noop-$1.img"
}
image one 64M
image two 32M
image ro 8M
exec timeout -s KILL 2000 qemu-system-aarch64 -M virt,gic-version=3 -cpu max,pauth-impdef=on -smp 2 -m 384M \
	-display none -nic none -no-reboot -serial stdio -monitor none \
	-drive "if=none,id=root,file=$GUEST_ROOT,format=raw,snapshot=on" -device virtio-blk-pci,drive=root,addr=1 \
	-drive "if=none,id=one,file=$WORK/noop-one.img,format=raw,discard=unmap" -device virtio-blk-pci,drive=one,serial=one,num-queues=2,addr=2 \
	-drive "if=none,id=two,file=$WORK/noop-two.img,format=raw,discard=unmap" -device virtio-blk-pci,drive=two,serial=two,num-queues=1,addr=3 \
	-drive "if=none,id=ro,file=$WORK/noop-ro.img,format=raw,readonly=on" -device virtio-blk-pci,drive=ro,serial=ro,addr=4 \
	-kernel "$KIMAGE" -initrd "$WORK/noop.cpio" -append "$append"
