#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# fio's own verification on a RAM-backed and a host disk, by the stock drivers
# with no module of ours: every combination of engine, pattern, depth and jobs.
. "$TOP/tests/tap.sh"
. "$LAUNCHER/common.sh"
. "$LAUNCHER/build.sh"
kernel_setup 6.12 cloud-arm64
root_guest "$BUILD/blk-verify.cpio" "$TOP/tests/guest/bench-blk.sh"
log=$BUILD/check/blk.log
rm -f "$BUILD/verify.img" "$BUILD/verify-out.img"
truncate -s 32M "$BUILD/verify.img"
truncate -s 16M "$BUILD/verify-out.img"
"$TOP/pvkit" run --timeout 500 --pcpus 2 --vm "name=blk,vcpus=2,mem=512M,$ROOT_ITEMS,disk=ram:32M:queues=2,disk=$BUILD/verify.img:queues=2:serial=verify-me,disk=$BUILD/verify-out.img,append=$KERNEL_ARGS pvkit.root=/dev/vda pvkit.mode=verify" >"$log" 2>&1 </dev/null
status=$?
plan 50
tap $status "the guest runs to its end"
for disk in vdb vdc; do
	for engine in libaio io_uring; do
		for pattern in randwrite write randrw; do
			for depth in 1 32; do
				for jobs in 1 4; do
					grep -q "^VERIFIED verify.$disk.$pattern.qd$depth.j$jobs.$engine" "$log"
					tap $? "$disk $pattern $engine depth $depth jobs $jobs"
				done
			done
		done
	done
done
expect "the disk's serial number" grep -q "^SERIAL verify-me" "$log"
