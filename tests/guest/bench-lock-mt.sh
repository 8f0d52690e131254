# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Guest side of the multi-threaded part of `pvkit bench lock`: 8 vCPUs on 2
# pCPUs, real time. Native, pv and "fit" (2 threads: a vCPU per pCPU) in turn.
. /lib.sh
D=/sys/kernel/debug
P=/sys/module/pvlock/parameters
MS=$(word ms)
RUNS=$(word runs)

bench() {	# NAME THREADS
	sleep 0.1
	echo "$2 600 2400 $MS" >$D/lockbench/run
	eval "$(tr ' ' '\n' <$D/lockbench/run)"
	awk "BEGIN { printf \"RESULT $1.rate %d\n\", $sections * 1e9 / $elapsed_ns }"
	echo "RESULT $1.longest_ns $longest_wait_ns"
	[ "$violations" = 0 ] || echo "VIOLATIONS $violations"
}

load pvhyp
load lockbench
load pvlock enabled=0
all_cpus
CPUS=$(nproc)	# a VM with 2 measures the fit only
i=0
while [ $i -lt "$RUNS" ]; do
	echo 0 >$P/enabled
	bench fit_native 2
	[ "$CPUS" = 2 ] || bench native 8
	echo 1 >$P/enabled
	bench fit_pv 2
	[ "$CPUS" = 2 ] || bench pv 8
	i=$((i + 1))
done
sed 's/^/RESULT stats./' $D/pvlock/stats
