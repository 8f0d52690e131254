# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Guest side of tests/console.sh: says what it reads, from the PL011 or hvc0.
tty=/dev/console
if grep -q pvkit.hvc /proc/cmdline; then
	modprobe virtio_mmio
	tty=/dev/hvc0
fi
echo "READY $tty"
read -r line <$tty
echo "GOT $line" >$tty
sleep 0.5
