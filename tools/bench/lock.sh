# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# A contended spinlock: native, undirected yield, pvlock. Part of `pvkit bench`.

bench_lock() {
	ms=1000			# one slice that is lost by chance is 1 %
	# What stands still most of the time: WFE is what is slowest to emulate.
	collapsed="1 2 4 8" collapsed_ms=400
	[ "$BENCH_QUICK" = no ] || { collapsed=${BENCH_COLLAPSED:-4} collapsed_ms=100; }
	say "lock: 1, 2, 4, 8 vCPUs on 1 pCPU, deterministic (some minutes)"
	guest_initrd "$BUILD/lock.cpio" "$TOP/tests/guest/bench-lock.sh"
	log=$BUILD/bench-lock.log
	guest_run "$log" --icount --timeout 1500 --vm "name=lock,vcpus=8,mem=512M,kernel=$KIMAGE,initrd=$BUILD/lock.cpio,reset=stop,append=$KERNEL_ARGS maxcpus=1 pvkit.ms=$ms pvkit.collapsed_ms=$collapsed_ms pvkit.collapsed=$(colons "$collapsed") pvkit.threads=1:2:4:8 pvkit.starts=$STARTS"
	how="icount, 1 pCPU, $ms ms (native and yield $collapsed_ms; pv of 4 and 8 $STARTS runs of $((ms / 4))), 1000 instructions inside and outside the lock; sections / those of one vCPU alone"
	for n in 1 2 4 8; do
		for m in native yield pv; do
			case "$m $collapsed " in pv* | *" $n "*) ;; *) continue ;; esac
			record lock.$m.${n}x.efficiency "$(value "$log" $m.$n.efficiency)" ratio "$how"
			if [ "$m.$n" = pv.4 ] || [ "$m.$n" = pv.8 ]; then
				record_starts "$log" $m.$n.longest_ns lock.$m.${n}x.longest_wait_ms ms "longest wait for the lock" 1e6
				continue
			fi
			record lock.$m.${n}x.longest_wait_ms \
				"$(awk "BEGIN { printf \"%.3f\", $(value "$log" $m.$n.longest_ns) / 1e6 }")" ms \
				"longest wait for the lock in that run"
		done
	done
	native=$(value "$log" redirect.native)
	record lock.native_slowpath_instructions "$(thousandths "$native")" instructions "icount, call on a free lock"
	record lock.redirect_instructions "$(thousandths $(($(value "$log" redirect.off) - native)))" \
		instructions "icount, added to a slow path by the redirection, switched off"
	record lock.pv_slowpath_instructions "$(thousandths "$(value "$log" redirect.on)")" instructions \
		"icount, our slow path called on a free lock, redirection included"
	record lock.uncontended_ratio "$(ratio "$(value "$log" alone.after)" "$(value "$log" alone.before)")" ratio \
		"icount, sections of one vCPU with pvlock / before it was loaded"
}

bench_lock_rt() {
	ms=1000 runs=5 fit_runs=15
	[ "$BENCH_QUICK" = no ] || { ms=300; runs=3; fit_runs=3; }
	say "lock: 8 vCPUs on 2 pCPUs, multi-threaded, $runs interleaved runs"
	guest_initrd "$BUILD/lock-mt.cpio" "$TOP/tests/guest/bench-lock-mt.sh"
	log=$BUILD/bench-lock-mt.log
	guest_run "$log" --timeout 1500 --pcpus 2 --vm "name=lock,vcpus=8,mem=512M,kernel=$KIMAGE,initrd=$BUILD/lock-mt.cpio,reset=stop,append=$KERNEL_ARGS maxcpus=1 pvkit.ms=$ms pvkit.runs=$runs"
	how="multi-threaded QEMU, 2 pCPUs, median of $runs interleaved runs of $ms ms, 600 instructions inside, 2400 outside"
	for m in native pv fit_native fit_pv; do
		record_runs "$log" $m.rate lock.mt.$m.rate sections/s "$how"
		eval "mt_$m=$median"
	done
	record lock.mt.pv_vs_native "$(ratio "$mt_pv" "$mt_native")" ratio "8 vCPUs on 2 pCPUs; $how"
	record lock.mt.pv_vs_fit "$(ratio "$mt_pv" "$mt_fit_native")" ratio "8 vCPUs on 2 pCPUs / 2 on 2 native; $how"
	say "lock: 2 vCPUs on 2 pCPUs, multi-threaded"
	fit=$BUILD/bench-lock-fit.log
	guest_run "$fit" --timeout 1500 --pcpus 2 --vm "name=lock,vcpus=2,mem=512M,kernel=$KIMAGE,initrd=$BUILD/lock-mt.cpio,reset=stop,append=$KERNEL_ARGS maxcpus=1 pvkit.ms=$ms pvkit.runs=$fit_runs"
	fit_how="multi-threaded QEMU, a VM of 2 vCPUs on 2 pCPUs, median of $fit_runs interleaved runs of $ms ms"
	record_runs "$fit" fit_native.rate lock.mt.contended.native.rate sections/s "$fit_how"
	fit_native=$median
	record_runs "$fit" fit_pv.rate lock.mt.contended.pv.rate sections/s "$fit_how"
	record lock.mt.contended_ratio "$(ratio "$median" "$fit_native")" ratio "pvlock / native; $fit_how"
	record lock.mt.pv.longest_wait_ms "$(value "$log" pv.longest_ns | sort -n | tail -1 | awk '{ printf "%.1f", $1 / 1e6 }')" \
		ms "worst of all runs; a scheduling round is 40 ms"
	record lock.mt.native.longest_wait_ms "$(value "$log" native.longest_ns | sort -n | tail -1 | awk '{ printf "%.1f", $1 / 1e6 }')" \
		ms "worst of all runs"
}
