# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# `pvkit check --long`: torture for long, 8 vCPUs on 2 pCPUs, while pvlock is
# switched, reloaded and traced.
. /lib.sh
D=/sys/kernel/debug
ROUNDS=20
plan $((ROUNDS + 1))
load pvhyp && load locktorture_pv && load pvlock
i=0
while [ $i -lt $ROUNDS ]; do
	echo 60000 >$D/locktorture_pv/start
	for steal in 0 100 10000; do
		echo $steal >/sys/module/pvlock/parameters/steal_us
		sleep 5
		echo 0 >/sys/module/pvlock/parameters/enabled
		sleep 1
		echo 1 >/sys/module/pvlock/parameters/enabled
		rmmod pvlock
		load pvlock
	done
	eval "$(tr ' ' '\n' <$D/locktorture_pv/result)"
	i=$((i + 1))
	# shellcheck disable=SC2154
	check "round $i: $operations operations, longest $longest_ms ms" [ "$violations" = 0 ]
done
quiet_kernel() { ! dmesg | grep -E "BUG|WARNING|Oops|lockup|rcu:.*stall"; }
check "the kernel has nothing to complain about" quiet_kernel
