# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Without a pvkit hypervisor: pvhyp loads and offers nothing, the others refuse
# with one line, and nothing stays behind.
. /lib.sh
plan 7
check "pvhyp loads" load pvhyp
check "...and says that there is no hypervisor" sh -c 'dmesg | grep -q "pvhyp: no pvkit hypervisor here"'
refused() {
	insmod "/modules/$1.ko" 2>/tmp/err && return 1
	grep -q "No such device" /tmp/err
}
check "pvlock is refused with ENODEV" refused pvlock
# busybox insmod tries two system calls
check "...with one clear line" sh -c 'dmesg | grep -q "pvlock: no hypervisor with directed yield here"'
check "virtio_pv is refused with ENODEV" refused virtio_pv
check "...with one clear line" sh -c 'dmesg | grep -q "virtio_pv: no hypervisor with doorbells here"'
check "pvhyp unloads" rmmod pvhyp
