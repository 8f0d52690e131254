# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# The same work with each module alone and with all, by overcommit. Part of `pvkit bench`.

# matrix_run WHAT OVERCOMMIT ARGUMENTS OPTIONS...: sets $log
matrix_run() {
	mr_what=$1 mr_n=$2 mr_args=$3 log=$BUILD/bench-matrix.$1.$2.log
	shift 3
	root_guest "$BUILD/matrix.cpio" "$TOP/tests/guest/bench-matrix.sh" ram
	guest_run "$log" --timeout 1500 "$@" --vm "name=matrix,vcpus=$mr_n,mem=512M,$ROOT_ITEMS,disk=ram:32M,append=$KERNEL_ARGS maxcpus=1 pvkit.root=/dev/vda pvkit.what=$mr_what $mr_args pvkit.modules=$(colons "$modules")"
	! grep FAILED "$log" || die "matrix: see $log"
}

matrix_size() {
	overcommit="1 2 4" modules="pvlock pvclock blk-noop virtio_pv" runs=3
	[ "$BENCH_QUICK" = no ] || { overcommit=2 modules='' runs=1; }
}

bench_matrix() {
	matrix_size
	for n in $overcommit; do
		say "matrix: $n vCPUs on 1 pCPU, as they come, with each module, with all, deterministic"
		matrix_run exits "$n" pvkit.runs=1 --icount
		keep "$log" "fio.matrix.$n"
		how="icount, $n vCPUs on 1 pCPU"
		for m in stock $modules all; do
			record "matrix.${n}x.$m.read_iops" "$(value "$log" "$m".read_iops)" IOPS "fio, 4 KiB random read, depth 1, from RAM; $how"
			record "matrix.${n}x.$m.read_exits" "$(awk "BEGIN { printf \"%.3f\", $(value "$log" "$m".read_exits) / 10000 }")" exits "of each of these, starting fio included; $how"
			record "matrix.${n}x.$m.busy_exits_per_s" "$(awk "BEGIN { printf \"%.1f\", $(value "$log" "$m".busy_exits) / 2 }")" exits/s "a task that computes for 2 s; $how"
		done
	done
}

# What spins, spins in WFE, a hundred times slower to emulate under -icount.
bench_matrix_rt() {
	matrix_size
	loops=12
	for n in $overcommit; do
		say "matrix: $n vCPUs on 1 pCPU, locks in real time, $runs interleaved runs"
		matrix_run locks "$n" "pvkit.runs=$runs pvkit.loops=$loops pvkit.ms=100"
		how="in real time, $n vCPUs on 1 pCPU, median of $runs interleaved runs"
		for m in stock $modules all; do
			record_runs "$log" "$m.hackbench" "matrix.${n}x.$m.hackbench_s" s "hackbench -g 1 -l $loops; $how"
			record_runs "$log" "$m.lock" "matrix.${n}x.$m.lock_rate" sections/s "a thread on each vCPU, 600 instructions inside, 2400 outside of one lock; $how"
		done
	done
}
