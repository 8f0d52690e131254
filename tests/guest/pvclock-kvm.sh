# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Host side of tests/pvclock-kvm.sh: start the inner guest under KVM.
[ -e /dev/kvm ] || echo "Bail out! this kernel has no /dev/kvm"
qemu-system-aarch64 -accel kvm -M virt,gic-version=host -cpu host -smp 1 -m 512M -display none -nic none -no-reboot \
	-serial stdio -monitor none -kernel /modules/inner/Image -initrd /modules/inner/initrd \
	-append "console=ttyAMA0 quiet panic=-1 $(tr ' ' '\n' </proc/cmdline | grep pvkit.rounds)" </dev/null
