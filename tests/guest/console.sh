# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Guest side of tests/console.sh: says what it reads, from the PL011 or hvc0.
tty=/dev/console
if grep -q pvkit.hvc /proc/cmdline; then
	modprobe virtio_mmio
	tty=/dev/hvc0
fi
exec 3<>$tty	# what is typed before somebody has it open is lost
echo "READY $tty"
read -r line <&3
echo "GOT $line" >&3
stty -F $tty -echo	# waits until all has been written
