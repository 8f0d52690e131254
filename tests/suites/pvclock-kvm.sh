#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# pvclock in a guest of stock KVM: Debian's kernel at EL2 with Debian's QEMU, and
# the same kernel as its guest, all in QEMU, deterministic; prints the inner
# guest's KTAP. Argument: how often to do things under load.
#
# /// suite
# time = "icount"
# limit = 2400
# groups = ["modules", "clock"]
# level = "long"
# args = "6"
# ///
. "$LAUNCHER/common.sh"
. "$LAUNCHER/build.sh"
build_for 6.12/cloud-arm64
build_guest_modules
root=$BUILD/kvm.ext2
make_root "$root" qemu-system-arm,busybox-static QEMU
inner=$(mktemp -d "$BUILD/kvm.XXXXXX")
trap 'rm -rf "$inner"' EXIT
mkdir -p "$inner/modules/inner"
guest_initrd "$inner/modules/inner/initrd" "$TOP/tests/guest/ktap-pvclock.sh"
gzip -1 <"$KIMAGE" >"$inner/modules/inner/Image"
make_cpio "$inner" "$WORK/kvm-inner.cpio"
guest_initrd "$WORK/pvclock-kvm.cpio" "$TOP/tests/guest/pvclock-kvm.sh" "$GUEST_DRIVERS" "$WORK/kvm-inner.cpio"
timeout -s KILL 2300 qemu-system-aarch64 -M virt,virtualization=on,gic-version=3 -cpu max,pauth-impdef=on -smp 1 -m 1536M \
	-display none -nic none -no-reboot -serial stdio -monitor none -icount shift=0,sleep=off -global virtio-mmio.force-legacy=false \
	-drive "if=none,id=root,file=$root,format=raw,snapshot=on" -device virtio-blk-device,drive=root \
	-kernel "$KIMAGE" -initrd "$WORK/pvclock-kvm.cpio" -append "$KERNEL_ARGS pvkit.root=/dev/vda pvkit.rounds=$1"
