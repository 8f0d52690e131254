# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# An idle guest, and its profile. Part of `pvkit bench`.

bench_guest() {
	say "guest: 2 vCPUs that are idle, without each thing that they do then, deterministic"
	seconds=240
	[ "$BENCH_QUICK" = no ] || seconds=60
	log=$BUILD/bench-guest.log
	guest_initrd "$BUILD/guest.cpio" "$TOP/tests/guest/bench-guest.sh"
	guest_run "$log" --icount --timeout 900 --vm "name=guest,vcpus=2,mem=512M,kernel=$KIMAGE,initrd=$BUILD/guest.cpio,reset=stop,append=$KERNEL_ARGS maxcpus=1 pvkit.seconds=$seconds"
	counting=$(value "$log" counting.instructions)
	how="icount, 2 vCPUs on 1 pCPU, $seconds s in an initramfs"
	for w in stock compaction watchdog vmstat writeback khugepaged timer_migration again profile profile_but_vmstat; do
		record "guest.$w.instructions_per_s" "$(awk "BEGIN { printf \"%.0f\", ($(value "$log" $w.instructions) - $counting) / $seconds }")" \
			instructions/s "PMU at EL0 and EL1, reading it taken off; $how"
		record "guest.$w.exits_per_s" "$(awk "BEGIN { printf \"%.2f\", $(value "$log" $w.exits) / $seconds }")" exits/s "exit counters; $how"
	done
}
