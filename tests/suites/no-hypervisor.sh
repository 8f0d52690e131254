#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The modules in the same kernel at EL1 of plain QEMU; prints the guest's KTAP. Deterministic.
#
# /// suite
# time = "icount"
# limit = 400
# seconds = 15
# groups = ["modules"]
# level = "quick"
# ///
. "$LAUNCHER/common.sh"
. "$LAUNCHER/build.sh"
kernel_setup 6.12 cloud-arm64
guest_initrd "$WORK/no-hypervisor.cpio" "$TOP/tests/guest/no-hypervisor.sh"
exec timeout -s KILL 400 "$LAUNCHER/qemu-icount.sh" -M virt,gic-version=3 -cpu cortex-a72 -smp 2 -m 512M \
	-display none -nic none -no-reboot -serial stdio -monitor none \
	-kernel "$KIMAGE" -initrd "$WORK/no-hypervisor.cpio" -append "console=ttyAMA0 quiet panic=-1"
