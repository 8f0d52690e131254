# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# `pvkit check --long`: torture for long, 8 vCPUs on 2 pCPUs, while pvlock is
# switched, reloaded and traced.
. /lib.sh
D=/sys/kernel/debug
ROUNDS=20
plan $((ROUNDS + 1))
LIMIT=600000 OPERATIONS=50000	# of each CPU, within so many ms
load pvhyp && load locktorture_pv && load pvlock
# soaked STEAL_US: switched and reloaded under torture
soaked() {
	echo $LIMIT >$D/locktorture_pv/start
	echo "$1" >/sys/module/pvlock/parameters/steal_us
	for on in 0 1; do echo $on >/sys/module/pvlock/parameters/enabled; done
	rmmod pvlock && load pvlock || return 1
	echo "stop $OPERATIONS" >$D/locktorture_pv/start
	eval "$(tr ' ' '\n' <$D/locktorture_pv/result)"
	# shellcheck disable=SC2154
	note "$operations operations, $fewest of the slowest CPU, longest $longest_ms ms"
	[ "$violations" = 0 ] && [ "$fewest" -ge $OPERATIONS ]
}
round() { for steal in 0 100 10000; do soaked $steal || return 1; done; }
i=0
while [ $i -lt $ROUNDS ]; do
	check "round $i" round
	i=$((i + 1))
done
quiet_kernel() { ! dmesg | grep -E "BUG|WARNING|Oops|lockup|rcu:.*stall"; }
check "the kernel has nothing to complain about" quiet_kernel
