# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# pvclock, by divisor. Part of `pvkit bench`.

# tick_ratio LOG N NAME: of divisor N to that of divisor 1
tick_ratio() { ratio "$(value "$1" "n$2.$3")" "$(value "$1" "n1.$3")"; }

bench_tick() {
	divisors=1:2:4:8:16:32:64 seconds=8 wakeups=5000
	[ "$BENCH_QUICK" = no ] || { divisors=1:16 seconds=2 wakeups=1000; }
	say "tick: pvclock at divisors $divisors, deterministic (some minutes)"
	log=$BUILD/bench-tick.log
	root_guest "$BUILD/tick.cpio" "$TOP/tests/guest/bench-tick.sh" ram
	guest_run "$log" --icount --timeout 2400 --vm "name=tick,vcpus=1,mem=384M,$ROOT_ITEMS,append=$KERNEL_ARGS pvkit.root=/dev/vda pvkit.divisors=$divisors pvkit.seconds=$seconds pvkit.wakeups=$wakeups pvkit.starts=$STARTS"
	how="icount, 1 vCPU on 1 pCPU, a task that computes for $seconds s"
	for n in $(echo $divisors | tr : ' '); do
		per_s() { awk "BEGIN { printf \"%.2f\", $(value "$log" "n$n.$1") / $seconds }"; }
		record "tick.n$n.interrupts_per_s" "$(per_s hog.interrupts)" interrupts/s "timer interrupts in the guest; $how"
		record "tick.n$n.exits_per_s" "$(per_s hog.exits)" exits/s "timer exits by the hypervisor's counters; $how"
		record "tick.n$n.tick_instructions_per_s" \
			"$(awk "BEGIN { printf \"%.0f\", $(value "$log" "n$n.hog.lost_us") * 1000 / $seconds }")" instructions/s \
			"the time that the task loses to all else; $how"
		for w in hog.stat hog.rusage duty.stat duty.rusage; do
			record "tick.n$n.$w.ratio" "$(ratio "$(value "$log" "n$n.${w}_us")" "$(value "$log" "n$n.${w%.*}.cpu_us")")" ratio \
				"CPU time by ${w#*.} (/proc/stat, getrusage) / by the scheduler's clock; duty computes for 30 % of $((seconds * 3)) s"
		done
		record "tick.n$n.fairness" "$(value "$log" "n$n.share")" ratio "smaller share of two tasks that compute on one vCPU / half; $how"
		record "tick.n$n.switches_per_s" "$(per_s switches)" switches/s "context switches of one of two that compute; $how"
		tick_sleeps "$n" >"$BUILD/tick.sleeps"
		record_starts "$BUILD/tick.sleeps" worst "tick.n$n.usleep300_worst_ratio" ratio "worst of $wakeups sleeps of 300 us / median of the worst of each run at divisor 1; SCHED_FIFO, the more of idle and beside a task that computes; icount"
		tick_cyclic "$n"
	done
	bench_tick_slack
}

# tick_sleeps N: of each start the worst sleep, to the median of those at divisor 1
tick_sleeps() {
	results "$log" | awk -v n="$1" -v starts="$STARTS" '
		function median(l,   i, j, below) {
			for (i = 1; i <= starts; i++) {
				below = 0
				for (j = 1; j <= starts; j++)
					below += v["1", l, j] < v["1", l, i] || (v["1", l, j] == v["1", l, i] && j < i)
				if (below == int(starts / 2))
					return v["1", l, i]
			}
		}
		/usleep300.*worst / { split($1, w, "."); d = substr(w[1], 2); v[d, w[3], ++c[d, w[3]]] = $2 }
		END {
			for (k = 1; k <= starts; k++) {
				a = v[n, "idle", k] / median("idle"); b = v[n, "loaded", k] / median("loaded")
				print "RESULT worst", (a > b ? a : b)
			}
		}'
}

# cyclictest: percentiles, and the share of wake-ups beyond 1.05 times the 99.9th of divisor 1
tick_cyclic() {
	p50=0 p999=0
	for l in idle loaded; do
		for us in 50 200 1000; do
			a=$(tick_ratio "$log" "$1" cyclic.$l.$us.p50) b=$(tick_ratio "$log" "$1" cyclic.$l.$us.p999)
			p50=$(awk "BEGIN { print ($a > $p50 ? $a : $p50) }") p999=$(awk "BEGIN { print ($b > $p999 ? $b : $p999) }")
		done
	done
	ct="cyclictest -p 90, intervals 50, 200, 1000 us, idle and beside a task that computes, $wakeups wake-ups each; icount"
	record "tick.n$1.cyclictest_p50_ratio" "$p50" ratio "median / of divisor 1, worst of 6 cells; $ct"
	record "tick.n$1.cyclictest_p999_ratio" "$p999" ratio "99.9th percentile / of divisor 1, worst of 6 cells; $ct"
	results "$log" | awk -v p="n$1.cyclic." -v each="$((6 * wakeups / STARTS))" '
		index($1, p) == 1 && /\.late / { late[++n[$1]] += $2 }
		END { for (k = 1; k in late; k++) printf "RESULT late %.4f\n", 100 * late[k] / each }' >"$BUILD/tick.late"
	record_starts "$BUILD/tick.late" late "tick.n$1.cyclictest_late_percent" percent \
		"of all wake-ups, later than 1.05 times the 99.9th percentile of divisor 1; $ct"
}

bench_tick_slack() {
	say "tick: two vCPUs that compute on one pCPU, with and without slack"
	# Few exits are left, and when a run begins decides how many: it takes some seconds.
	seconds=8 sleeps=2000
	[ "$BENCH_QUICK" = no ] || sleeps=1000
	log=$BUILD/bench-tick-slack.log
	guest_initrd "$BUILD/tick-slack.cpio" "$TOP/tests/guest/bench-tick-slack.sh"
	guest_run "$log" --icount --timeout 1500 --vm "name=tick,vcpus=2,mem=256M,kernel=$KIMAGE,initrd=$BUILD/tick-slack.cpio,reset=stop,append=$KERNEL_ARGS maxcpus=1 pvkit.seconds=$seconds pvkit.sleeps=$sleeps"
	for s in N Y; do
		[ $s = N ] && name=pvtimer0 || name=pvtimer1
		record "tick.$name.timer_exits_per_s" "$(value "$log" slack.$s.timer_exits | awk -v s=$seconds '{ print $1 / s }')" exits/s "divisor 16, 2 vCPUs on 1 pCPU, a task that computes on each; icount, $seconds s"
		record "tick.$name.usleep300.median" "$(value "$log" slack.$s.median)" us "$sleeps sleeps of 300 us, SCHED_FIFO, beside these"
	done
}
