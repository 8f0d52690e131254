#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# pvclock in a guest, deterministic; prints its KTAP. Arguments: where (pvkit: under our
# hypervisor, 2 vCPUs on 1 pCPU; qemu: at EL1 of plain QEMU, 1 CPU, by the archive that
# `pvkit ktap` makes); how often to do things under load, or "nohz_full"; and "smoke", as with
# PVKIT_SMOKE=1, for only a smoke group of its cases, with 1 vCPU.
#
# /// suite
# time = "icount"
# limit = 1200
# seconds = 150
# groups = ["modules", "clock"]
# [pvclock]
# kernels = "any"
# check = ["6.12/cloud-arm64", "6.1/cloud-arm64"]
# args = "pvkit 6"
# long = { args = "pvkit 100", limit = 2400 }
# [pvclock-qemu]
# seconds = 30
# args = "qemu 6 smoke"
# long = { args = "qemu 100", limit = 2400 }
# [pvclock-nohz-full]
# seconds = 20
# args = "pvkit nohz_full"
# ///
. "$LAUNCHER/common.sh"
. "$LAUNCHER/build.sh"
build_for "${PVKIT_KERNEL:-6.12/cloud-arm64}" hypercall pvclock
initrd=$WORK/pvclock.cpio
script=pvclock args="$KERNEL_ARGS pvkit.rounds=$2" vcpus=2
[ -z "${3:-}${PVKIT_SMOKE:-}" ] || vcpus=1 args="$args pvkit.smoke=1"
# Most of it computes until some seconds have passed: 4 ns per instruction.
export PVKIT_ICOUNT_SHIFT=2
[ "$2" != nohz_full ] || script=nohz-full vcpus=2 args="$KERNEL_ARGS nohz_full=1 rcu_nocbs=1"
case $1 in
pvkit)
	guest_initrd "$initrd" "$TOP/tests/guest/ktap-$script.sh"
	exec "$TOP/pvkit" run --icount --timeout 2300 \
		--vm "name=clock,vcpus=$vcpus,mem=256M,kernel=$KIMAGE,initrd=$initrd,reset=stop,append=$args"
	;;
qemu)
	. "$LAUNCHER/ktap.sh"
	dir=$(mktemp -d "$BUILD/initrd.XXXXXX")
	trap 'rm -rf "$dir"' EXIT
	mkdir "$dir/root"
	ktap_archive "$dir/root/ktap.tar.gz"
	make_cpio "$dir/root" "$dir/cpio"
	# shellcheck disable=SC2016
	echo 'cd /tmp && tar -xzf /ktap.tar.gz && rm -r /modules /lib.sh && sh pvkit-ktap/run pvlock pvclock' >"$dir/run.sh"
	guest_initrd "$initrd" "$dir/run.sh" "$dir/cpio"
	timeout -s KILL 2300 qemu-system-aarch64 -M virt,gic-version=3 -cpu cortex-a72 -smp 1 -m 256M \
		-display none -nic none -no-reboot -serial stdio -monitor none -icount shift=$PVKIT_ICOUNT_SHIFT,sleep=off \
		-kernel "$KIMAGE" -initrd "$initrd" -append "$args"
	;;
esac
