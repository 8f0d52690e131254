# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# A VM with a pCPU of its own. Part of `pvkit bench`.

# partition_exits NAME HOW OPTIONS...
partition_exits() {
	pe_name=$1 pe_how=$2 log=$BUILD/bench-partition.log
	shift 2
	root_guest "$BUILD/partition.cpio" "$TOP/tests/guest/bench-partition.sh" "$(root_on "$@")"
	args="append=$KERNEL_ARGS pvkit.root=/dev/vda"
	guest_run "$log" --timeout 800 "$@" --pcpus 2 --vm "name=p,vcpus=1,mem=384M,partitioned=yes,$ROOT_ITEMS,$args pvkit.role=exits pvkit.name=partitioned pvkit.seconds=$seconds"
	for w in idle compute; do
		record "partition.$pe_name.$w" "$(awk "BEGIN { print $(value "$log" partitioned.$w) / $seconds }")" exits/s \
			"exit counters around $seconds s, but for hypercalls and TRNG calls that the guest makes; $pe_how, 1 vCPU with a pCPU of its own"
	done
}

bench_partition() {
	say "partition: exits of a partitioned VM, idle and computing, deterministic"
	seconds=10
	[ "$BENCH_QUICK" = no ] || seconds=2
	partition_exits exits_per_s icount --icount
}

bench_partition_rt() {
	say "partition: the same in real time"
	seconds=10
	[ "$BENCH_QUICK" = no ] || seconds=2
	partition_exits mt.exits_per_s "multi-threaded QEMU"
	[ "$BENCH_QUICK" = no ] || return 0
	say "partition: cyclictest, in real time: QEMU runs several pCPUs by turns when it is deterministic"
	log=$BUILD/bench-latency.log
	guest_run "$log" --timeout 1500 --pcpus 2 \
		--vm "name=p,vcpus=1,mem=384M,partitioned=yes,$ROOT_ITEMS,$args pvkit.role=latency pvkit.name=partitioned" \
		--vm "name=s,vcpus=1,mem=384M,$ROOT_ITEMS,$args pvkit.role=latency pvkit.name=scheduled"
	guest_run "$log.crowded" --timeout 1500 --pcpus 2 \
		--vm "name=p,vcpus=1,mem=384M,partitioned=yes,$ROOT_ITEMS,$args pvkit.role=latency pvkit.name=beside" \
		--vm "name=s,vcpus=1,mem=384M,$ROOT_ITEMS,$args pvkit.role=latency pvkit.name=crowded" \
		--vm "name=spin,vcpus=1,mem=384M,$ROOT_ITEMS,$args pvkit.role=spin pvkit.seconds=15"
	cat "$log.crowded" >>"$log"
	for n in partitioned scheduled beside crowded; do
		case $n in
		partitioned) what="partitioned VM, a scheduled VM on the other pCPU" ;;
		scheduled) what="that scheduled VM" ;;
		beside) what="partitioned VM, a scheduled and a spinning VM on the other pCPU" ;;
		crowded) what="that scheduled VM" ;;
		esac
		for w in Avg Max; do
			record "partition.latency.$n.$(echo $w | tr AM am)_us" "$(value "$log" $n.$w)" us \
				"cyclictest -p 90 -i 1000 -l 3000, multi-threaded QEMU, this machine's noise included; $what"
		done
	done
}
