#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The kernel's own locktorture with pvlock going on and off, and rcutorture with
# pvclock, on a kernel built with everything that watches; 8 vCPUs on 2 pCPUs.
# Arguments: seconds for each kind of lock, and which. Prints KTAP.
#
# /// suite
# time = "real"
# limit = 7200
# groups = ["modules", "locks"]
# level = "long"
# args = "260"
# ///
. "$LAUNCHER/common.sh"
. "$LAUNCHER/build.sh"
build_for built/debug hypercall pvlock pvclock
# shellcheck disable=SC2034
GUEST_MODULES="locktorture rcutorture"
build_guest_modules
guest_initrd "$WORK/torture.cpio" "$TOP/tests/guest/ktap-torture.sh" "$GUEST_DRIVERS"
"$TOP/pvkit" run --timeout $((900 + $1 * 20)) --pcpus 2 --vm "name=torture,vcpus=8,mem=1G,kernel=$KIMAGE,initrd=$WORK/torture.cpio,reset=stop,append=$KERNEL_ARGS pvkit.seconds=$1 pvkit.locks=${2-spin_lock:spin_lock_irq:raw_spin_lock:rw_lock:rw_lock_irq:mutex_lock:rwsem_lock}"
