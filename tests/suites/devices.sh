#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What the stock drivers find in the devices, and a disk passed through to a
# scheduled and to a partitioned VM.
#
# /// suite
# time = "real"
# limit = 600
# seconds = 30
# groups = ["devices"]
# ///
. "$TOP/tests/tap.sh"
. "$LAUNCHER/common.sh"
. "$LAUNCHER/build.sh"
kernel_setup 6.12 cloud-arm64
root_guest "$WORK/devices.cpio" "$TOP/tests/guest/devices.sh"
disk=$WORK/devices.img
echo "on the host" >"$disk"
truncate -s 1M "$disk"
args="append=$KERNEL_ARGS"
"$TOP/pvkit" run --timeout 500 --pcpus 2 --uplink lan --vm "name=d,vcpus=2,mem=384M,$ROOT_ITEMS,disk=ram:4M:queues=2:serial=12345678901234567890,disk=$disk:ro,net=lan:queues=2:mac=525056aabbcc,rng=yes,$args pvkit.root=/dev/vda" </dev/null 2>&1 | tr -d '\r'

guest_initrd "$WORK/pass.cpio" "$TOP/tests/guest/pass-through.sh" "$GUEST_DRIVERS"
log=$WORK/pass-through.log
plan 6
for partitioned in no yes; do
	echo "on the host" >"$disk"
	truncate -s 1M "$disk"
	"$TOP/pvkit" run --timeout 300 --pcpus 2 --vm "name=p,mem=128M,partitioned=$partitioned,kernel=$KIMAGE,initrd=$WORK/pass.cpio,pass=$disk,disk=ram:1M,reset=stop,$args" >"$log" 2>&1 </dev/null
	expect "passed through, partitioned=$partitioned: reads" grep -q "^READS" "$log"
	expect "passed through, partitioned=$partitioned: writes" grep -q "^WRITES" "$log"
	arrived() { dd if="$disk" bs=512 skip=1 count=1 2>/dev/null | grep -qa "^from the guest"; }
	expect "passed through, partitioned=$partitioned: it is on the disk" arrived
done
