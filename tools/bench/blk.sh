# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# fio, by each policy of virtio_pv. Part of `pvkit bench`.

# blk_run LOG ARGUMENTS ITEMS OPTIONS...: guest with /dev/vdb on RAM, and disks in
# ITEMS; ARGUMENTS are pvkit.mode= and what follows it
blk_run() {
	blk_log=$1 blk_mode=$2 blk_items=$3
	shift 3
	root_guest "$BUILD/blk.cpio" "$TOP/tests/guest/bench-blk.sh" "$(root_on "$@")"
	guest_run "$blk_log" --timeout 1500 "$@" --vm "name=blk,vcpus=${BLK_VCPUS:-1},mem=512M,$ROOT_ITEMS,disk=ram:32M:queues=${BLK_VCPUS:-1}$blk_items,append=$KERNEL_ARGS pvkit.root=/dev/vda pvkit.mode=$blk_mode"
	keep "$blk_log" "fio.${blk_mode%% *}"
}

ios=8000	# of a matrix; enough that fio's milliseconds are less than 1 %
rt_ios=4000	# in real time: turns scatter by more than fewer requests do
bench_blk() {
	say "blk: 4 KiB random reads from RAM, depth 1 and 32, by each policy, deterministic"
	log=$BUILD/bench-blk.log
	requests=12000:2000
	[ "$BENCH_QUICK" = no ] || requests=5000:1000
	blk_run "$log" "cost pvkit.requests=$requests pvkit.policies=stock:immediate:piggyback:adaptive" '' --icount
	how="fio libaio 4 KiB random read, RAM-backed; icount, 1 vCPU on 1 pCPU; ${requests%:*} requests less ${requests#*:}"
	for p in stock immediate piggyback adaptive; do
		blk_cost "$log" $p "depth 1; $how"
		exits "$log" qd32.$p 0.001 | record_exits blk.$p.qd32.exits_per_io blk.$p.qd32.exits "depth 32; $how"
	done
	record blk.adaptive.instructions_vs_stock "$(results "$log" | awk '{ v[$1] = $2 } END {
		for (d = 1; d <= 32; d += 31) {
			a = "qd" d ".adaptive."; s = "qd" d ".stock."
			r = (v[a "hypervisor"] + v[a "guest"]) / (v[s "hypervisor"] + v[s "guest"])
			if (r > worst) worst = r
		}
		printf "%.4f", worst }')" ratio "instructions of a request by adaptive / by stock, the more of depth 1 and 32; $how"
	record kick.max_delay_us "$(sed -n 's/^QUEUE.*max_delay_ns=\([0-9]*\).*/\1/p' "$log" | sort -n | tail -1 | awk '{ printf "%.3f\n", $1 / 1000 }')" us \
		"longest that a kick was put off, measured by the hypervisor in all these runs; the bound is 200 us"
	[ "$BENCH_QUICK" = yes ] || bench_blk_host
	bench_blk_poll
	say "blk: fio matrix, deterministic, RAM-backed"
	engines=libaio:io_uring policies=stock:immediate:piggyback:adaptive jobs=1:4 patterns=all
	[ "$BENCH_QUICK" = no ] || { engines=libaio policies=stock:adaptive jobs=1 patterns=randread:4k+write:128k; }
	blk_run "$BUILD/bench-blk-matrix.log" "matrix pvkit.ios=$ios pvkit.engines=$engines pvkit.jobs=$jobs pvkit.patterns=$patterns pvkit.policies=$policies" '' --icount
	blk_matrix "$BUILD/bench-blk-matrix.log" ram $policies '' "icount, 1 vCPU on 1 pCPU, RAM-backed, $ios requests (128 KiB: half)"
}

bench_blk_host() {
	rm -f "$BUILD/bench-disk.img"
	truncate -s 64M "$BUILD/bench-disk.img"
	log=$BUILD/bench-blk-host.log
	blk_run "$log" "host" ",disk=$BUILD/bench-disk.img" --icount
	exits "$log" host 0.01 | record_exits blk.stock.host.exits_per_io blk.stock.host.exits \
		"the same on a host disk; icount, but the host answers in its own time"
}

bench_blk_rt() {
	bench_blk_poll_rt
	[ "$BENCH_QUICK" = no ] || return 0
	# In real time one cell scatters by a factor of two: the policies take turns, three
	# times, and medians are compared. No more threads than CPUs: else it is the
	# host's scheduler that is measured.
	policies=stock:immediate:piggyback:adaptive
	turns="$policies:$policies:$policies"
	cells="pvkit.ios=$rt_ios pvkit.engines=libaio pvkit.jobs=1 pvkit.patterns=randread:4k+write:128k"
	say "blk: fio matrix, in real time, RAM-backed, 2 vCPUs on 2 pCPUs"
	BLK_VCPUS=2 blk_run "$BUILD/bench-blk-mt.log" "matrix $cells pvkit.policies=$turns" '' --pcpus 2
	mt="multi-threaded QEMU on $(jobs) CPUs, medians of 3 turns" size="RAM-backed, $rt_ios requests (128 KiB: half)"
	blk_matrix "$BUILD/bench-blk-mt.log" ram $policies mt. "$mt, 2 vCPUs on 2 pCPUs, $size"
	say "blk: the same with a pCPU that polls, 1 vCPU on the other"
	blk_run "$BUILD/bench-blk-mt-poll.log" "matrix $cells pvkit.policies=stock:poll:stock:poll:stock:poll" '' --pcpus 2 --polling
	blk_matrix "$BUILD/bench-blk-mt-poll.log" ram stock:poll mt.polling. "$mt, 1 vCPU on 1 pCPU, another polls, $size"
}

# blk_cost LOG POLICY HOW: exits and instructions of a request at depth 1
blk_cost() {
	hyp=$(value "$1" "qd1.$2.hypervisor") guest=$(value "$1" "qd1.$2.guest")
	exits "$1" "qd1.$2" 0.001 | record_exits "blk.$2.exits_per_io" "blk.$2.exits" "$3"
	record "blk.$2.hyp_instructions_per_io" "$hyp" instructions "counted by the PMU at EL2; $3"
	record "blk.$2.instructions_per_io" "$(awk "BEGIN { printf \"%.3f\", $hyp + $guest }")" instructions \
		"counted by the PMU at EL0, EL1 and EL2; $3"
}

bench_blk_poll() {
	say "blk: the same by a pCPU that polls"
	log=$BUILD/bench-blk-poll.log
	blk_run "$log" "cost pvkit.requests=$requests pvkit.policies=poll" ",partitioned=yes" --icount --pcpus 2 --polling
	how="fio libaio 4 KiB random read, RAM-backed; ${requests%:*} requests less ${requests#*:}; partitioned VM of 1 vCPU, another pCPU polls, its instructions not counted"
	blk_cost "$log" poll "depth 1; icount, $how"
	exits "$log" qd32.poll 0.001 | record_exits blk.poll.qd32.exits_per_io blk.poll.qd32.exits "depth 32; icount, $how"
}

# A guest that polls keeps QEMU's other pCPUs from running when it is deterministic.
bench_blk_poll_rt() {
	requests=12000:2000
	[ "$BENCH_QUICK" = no ] || requests=5000:1000
	say "blk: by a pCPU that polls, in real time"
	log=$BUILD/bench-blk-poll-rt.log
	BLK_VCPUS=2 blk_run "$log" "cost pvkit.requests=$requests pvkit.policies=poll maxcpus=1" '' --pcpus 2 --polling
	how="fio libaio 4 KiB random read, RAM-backed; multi-threaded QEMU, scheduled VM of 1 vCPU, another pCPU polls; interrupts by the GIC (GICv4)"
	exits "$log" qd32.poll 0.001 | record_exits blk.poll.scheduled.qd32.exits_per_io blk.poll.scheduled.qd32.exits "depth 32; $how"
	BLK_VCPUS=2 blk_run "$log" "iopoll pvkit.requests=$requests pvkit.policies=poll virtio_blk.poll_queues=1 maxcpus=1" '' --pcpus 2 --polling
	how="fio io_uring --hipri, depth 1, virtio_blk with a poll queue; multi-threaded QEMU, scheduled VM of 1 vCPU, another pCPU polls"
	exits "$log" iopoll.poll 0.001 | record_exits blk.poll.iopoll.exits_per_io blk.poll.iopoll.exits "$how"
	v=$(results "$log" | awk '$1 ~ /^iopoll.poll\./ && $1 !~ /\.(hypervisor|guest|irq_timer|irq_slice)$/ { s += $2 } END { printf "%.3f\n", s }')
	record blk.poll.iopoll.exits_per_io_less_ticks "$v" exits "without the guest's timer tick, 250 per second at any rate; $how"
}

# blk_matrix LOG PREFIX POLICIES INFIX HOW: each figure, and each policy's worst against stock
blk_matrix() {
	bm_log=$1 bm_prefix=$2 bm_infix=$4 bm_how=$5
	for p in $(echo "$3" | tr : ' '); do
		results "$bm_log" | awk -v p="$bm_prefix.$p." 'index($1, p) == 1 { print substr($1, length(p) + 1), $2 }' | medians >"$BUILD/blk.$p"
		while read -r n v least most; do
			record "blk.$p.$bm_infix$n" "$v" IOPS "fio $bm_how" "$least" "$most"
		done <"$BUILD/blk.$p"
		[ "$p" = stock ] || record_ratios blk "$p" "$bm_infix" '' "IOPS / those of stock, of the matrix; $bm_how"
	done
}
