# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Guest side of `pvkit bench --peers`, under another hypervisor: how a contended
# spinlock fares on one pCPU, as bench-lock.sh has it with ours and without pvlock.
. /lib.sh
load lockbench
all_cpus
for n in 1 2 4; do
	sleep 0.02
	echo "$n 1000 1000 $(word ms)" >/sys/kernel/debug/lockbench/run
	eval "$(tr ' ' '\n' </sys/kernel/debug/lockbench/run)"
	[ "$violations" = 0 ] || echo "VIOLATIONS $violations"
	rate=$(awk "BEGIN { printf \"%d\", $sections * 1e9 / $elapsed_ns }")
	[ "$n" != 1 ] || alone=$rate
	echo "RESULT native.$n.efficiency $(awk "BEGIN { printf \"%.4f\", $rate / $alone }")"
	echo "RESULT native.$n.longest_ns $longest_wait_ns"
done
