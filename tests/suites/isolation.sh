#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# VMs do not harm each other: four on one pCPU, of which one runs away with
# interrupts masked, one crashes by a wild jump, and one panics. Deterministic.
#
# /// suite
# time = "icount"
# limit = 600
# seconds = 20
# groups = ["hypervisor", "hostile"]
# level = "quick"
# ///
. "$TOP/tests/tap.sh"
. "$LAUNCHER/common.sh"
. "$LAUNCHER/build.sh"
kernel_setup 6.12 cloud-arm64
guest_initrd "$WORK/boot-test.cpio" "$TOP/tests/guest/boot-test.sh"
guest_initrd "$WORK/panic.cpio" "$TOP/tests/guest/panic.sh"
log=$WORK/isolation.log
args="console=ttyAMA0 quiet panic=-1"

PVKIT_ICOUNT_SHIFT=3 "$TOP/pvkit" run --timeout 600 --icount \
	--vm "name=good,vcpus=2,mem=512M,kernel=$KIMAGE,initrd=$WORK/boot-test.cpio,reset=stop,append=$args" \
	--vm "name=panics,vcpus=2,mem=256M,kernel=$KIMAGE,initrd=$WORK/panic.cpio,reset=stop,append=$args" \
	--vm "name=wild,vcpus=1,mem=16M,kernel=$BUILD/bare/wild.bin" \
	--vm "name=spins,vcpus=1,mem=16M,kernel=$BUILD/bare/spin.bin" >"$log" 2>&1 </dev/null
status=$?
has() { tr -d '\r' <"$log" | grep -q "$1"; }
plan 7
expect "run reports the crash" [ $status = 1 ]
expect "the good VM booted and powered off" has '^hyp: vm good: powered off'
expect "...with its vCPUs" has '^\[good\] BOOTED cpus=2 '
expect "the panicking VM was stopped at its reset" has '^hyp: vm panics: stopped: it asked for a reset'
expect "the wild VM was stopped, with VM, vCPU, PC and reason" \
	has '^hyp: vm wild vcpu 0: crashed at pc 0x[0-9a-f]*: exception vector'
expect "a VM that masks interrupts was preempted" has '^hyp: vm spins: powered off'
expect "the sum is right" has '^hyp: all VMs off: 2 in order, 2 crashed'
