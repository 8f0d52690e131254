# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Real programs that take locks. Part of `pvkit bench`.

bench_work_rt() {
	runs=3 loops=100 seconds=5
	[ "$BENCH_QUICK" = no ] || { runs=1 loops=20 seconds=2; }
	root_guest "$BUILD/work-run.cpio" "$TOP/tests/guest/bench-work.sh"
	say "work: hackbench and a rename storm, 8 vCPUs on 2 pCPUs, $runs interleaved runs"
	log=$BUILD/bench-work.log
	guest_run "$log" --timeout 1500 --pcpus 2 --vm "name=work,vcpus=8,mem=1G,$ROOT_ITEMS,append=$KERNEL_ARGS maxcpus=1 pvkit.root=/dev/vda pvkit.runs=$runs pvkit.loops=$loops pvkit.seconds=$seconds"
	how="multi-threaded QEMU, 8 vCPUs on 2 pCPUs, median of $runs interleaved runs"
	record_runs "$log" hackbench.native work.hackbench.native s "hackbench -g 4 -l $loops; $how"
	work_native=$median
	record_runs "$log" hackbench.pv work.hackbench.pv s "the same with pvlock"
	record work.hackbench.speedup "$(ratio "$work_native" "$median")" ratio "$how"
	record_runs "$log" rename.native work.rename.native ops/s "stress-ng --rename 8, $seconds s; $how"
	work_native=$median
	record_runs "$log" rename.pv work.rename.pv ops/s "the same with pvlock"
	record work.rename.speedup "$(ratio "$median" "$work_native")" ratio "$how"
}
