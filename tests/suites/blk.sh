#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# fio's own verification on a RAM-backed and a host disk: every combination of
# engine, pattern, depth and jobs, by each of the policies that are named as
# arguments: stock is virtio-mmio, with no module of ours. POLICY:ENGINE, only
# with that engine.
#
# /// suite
# time = "real"
# limit = 600
# seconds = 100
# groups = ["disk", "devices"]
# args = "stock piggyback:io_uring"
# long = { args = "stock immediate piggyback adaptive poll", limit = 3000 }
# ///
. "$TOP/tests/tap.sh"
. "$LAUNCHER/common.sh"
. "$LAUNCHER/build.sh"
test_kernel
root_guest "$WORK/blk-verify.cpio" "$TOP/tests/guest/bench-blk.sh"
for policy; do
	engines='libaio io_uring'
	case $policy in *:*) engines=${policy#*:} policy=${policy%:*} ;; esac
	# shellcheck disable=SC2086
	plan $(($(set -- $engines; echo $#) * 24 + 2))
	log=$WORK/blk.$policy.log
	rm -f "$WORK/verify.img"
	truncate -s 32M "$WORK/verify.img"
	case $policy in
	stock) policies='' pcpus=2 ;;
	poll) policies=pvkit.policies=poll pcpus='3 --polling' ;;
	*) policies=pvkit.policies=$policy pcpus=2 ;;
	esac
	# shellcheck disable=SC2086
	"$TOP/pvkit" run --timeout 1500 --pcpus $pcpus --vm "name=blk,vcpus=2,mem=512M,$ROOT_ITEMS,disk=ram:32M:queues=2,disk=$WORK/verify.img:queues=2:serial=verify-me,append=$KERNEL_ARGS $LEVEL_ARGS pvkit.root=/dev/vda pvkit.mode=verify pvkit.engines=$(colons "$engines") $policies" >"$log" 2>&1 </dev/null
	tap $? "$policy: the guest runs to its end"
	for disk in vdb vdc; do
		for engine in $engines; do
			for pattern in randwrite.4k write.128k randrw.4k; do
				for depth in 1 32; do
					for jobs in 1 4; do
						grep -q "^VERIFIED verify.$policy.$disk.$pattern.qd$depth.j$jobs.$engine" "$log"
						tap $? "$policy: $disk $pattern $engine depth $depth jobs $jobs"
					done
				done
			done
		done
	done
	expect "$policy: the disk's serial number" grep -q "^SERIAL verify-me" "$log"
done
