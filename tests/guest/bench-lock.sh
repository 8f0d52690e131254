# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Guest side of `pvkit bench lock --icount`. Boots with maxcpus=1, so that
# measurements of one vCPU are undisturbed and booting is quick.
# Prints lines: RESULT name value
. /lib.sh
D=/sys/kernel/debug
P=/sys/module/pvlock/parameters
MS=$(word ms)
COLLAPSED=:$(word collapsed):		# with how many threads native and undirected are measured,
COLLAPSED_MS=$(word collapsed_ms)	# and for how long
STARTS=$(word starts)
WORK=1000

# bench THREADS MS [DELAY]: sets sections, longest, violations; after that many seconds
bench() {
	sleep "${3:-0.02}"
	echo "$1 $WORK $WORK $2" >$D/lockbench/run
	eval "$(tr ' ' '\n' <$D/lockbench/run)"
	# the threads stop a little late: count per time
	rate=$(awk "BEGIN { printf \"%d\", $sections * 1e9 / $elapsed_ns }")
	[ "$violations" = 0 ] || echo "VIOLATIONS $violations"
}

# bench_starts THREADS: a quarter of the time, by each of pvkit.starts that lie
# differently to the ticks; the longest wait of each, and the rate of all
bench_starts() {
	all=0 time=0
	for s in $(seq "$STARTS"); do
		bench "$1" $((MS / 4)) "$(awk "BEGIN { print 0.02 + $s * 0.0008 }")"
		echo "RESULT $mode.$1.longest_ns $longest_wait_ns"
		all=$((all + sections)) time=$((time + elapsed_ns))
	done
	rate=$(awk "BEGIN { printf \"%d\", $all * 1e9 / $time }")
}

load pvhyp
load lockbench
echo "RESULT redirect.native $(cat $D/lockbench/redirect)"
bench 1 "$MS"
echo "RESULT alone.before $rate"
load pvlock enabled=0
echo "RESULT redirect.off $(cat $D/lockbench/redirect)"
echo 1 >$P/enabled
echo "RESULT redirect.on $(cat $D/lockbench/redirect)"
bench 1 "$MS"
alone=$rate
echo "RESULT alone.after $rate"
all_cpus
sleep 0.2

for n in $(word threads | tr : ' '); do
	for mode in native yield pv; do
		ms=$MS
		if [ $mode != pv ]; then
			ms=$COLLAPSED_MS
			case $COLLAPSED in *:$n:*) ;; *) continue ;; esac
		fi
		case $mode in
		native) echo 0 >$P/enabled ;;
		yield) echo undirected >$P/policy; echo 1 >$P/enabled ;;
		pv) echo directed >$P/policy; echo 1 >$P/enabled ;;
		esac
		case $mode.$n in
		pv.4 | pv.8) bench_starts "$n" ;;
		*)
			bench "$n" "$ms"
			echo "RESULT $mode.$n.longest_ns $longest_wait_ns"
			;;
		esac
		echo "RESULT $mode.$n.rate $rate"
		echo "RESULT $mode.$n.efficiency $(awk "BEGIN { printf \"%.4f\", $rate / $alone }")"
	done
done
sed 's/^/RESULT stats./' $D/pvlock/stats
