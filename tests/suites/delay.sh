#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# How long deferred kicks wait, at most: fio, iperf3 and tasks that compute in two
# VMs, and a third that spins for 3 s, on 1 pCPU, deterministic: in real time the
# machine under QEMU would be measured. Which kick waits longest is chance: these are
# five runs with shifted starts, and the median of their longest is judged. Argument:
# seconds of all runs, of the guests' time.
#
# /// suite
# time = "icount"
# limit = 1500
# groups = ["devices"]
# level = "long"
# args = "30"
# ///
. "$TOP/tests/tap.sh"
. "$LAUNCHER/common.sh"
. "$LAUNCHER/build.sh"
kernel_setup 6.12 cloud-arm64
root_guest "$WORK/delay.cpio" "$TOP/tests/guest/delay.sh" ram
seconds=$((($1 + 4) / 5))
# one START: a run whose VMs begin START and twice that many us later; its log is in $log
one() {
	log=$WORK/delay.$1.log
	set -- "$1"
	for n in 0 1; do
		set -- "$@" --vm "name=vm$n,vcpus=2,mem=320M,$ROOT_ITEMS,disk=ram:16M:queues=2,net=lan,append=$KERNEL_ARGS pvkit.root=/dev/vda pvkit.number=$n pvkit.seconds=$seconds pvkit.start=$(($1 * (n + 1)))"
	done
	shift
	"$TOP/pvkit" run --icount --timeout $((seconds * 30 + 300)) "$@" --vm "name=spin,vcpus=1,mem=16M,kernel=$BUILD/bare/spin.bin" >"$log" 2>&1 </dev/null
}
queues() { tr -d '\r' <"$log" | sed -n 's/^\[vm[01]\] QUEUE //p'; }
done_work() { [ "$(grep -c "DONE" "$log")" = 2 ] && ! grep FAILED "$log" | sed 's/^/# /' | grep .; }
deferred() { queues | awk '{ for (i = 1; i <= NF; i++) if ($i ~ /^drains=/) s += substr($i, 8) } END { print s + 0 }'; }
failed='' idle='' few='' all=''
for start in 300 1100 2300 3700 5300; do
	one $start || failed="$failed $start"
	done_work || idle="$idle $start"
	[ "$(deferred)" -gt $((seconds * 100)) ] || few="$few $start"
	longest=$(queues | sed 's/.*max_delay_ns=\([0-9]*\).*/\1/' | sort -n | tail -1)
	all="$all ${longest:-999999999}"
	echo "# start $start us: $(deferred) kicks deferred, the longest for ${longest:-?} ns; by less than 1, 2, 4, ... us: $(queues | sed 's/.*delays=//' |
		awk -F , '{ for (i = 1; i <= NF; i++) s[i] += $i } END { for (i = 1; i <= NF; i++) printf "%d ", s[i] }')"
done
median=$(echo "$all" | tr ' ' '\n' | grep . | sort -n | sed -n 3p)
plan 4
expect "the VMs power off in order" [ -z "$failed" ]
expect "all have done their work" [ -z "$idle" ]
expect "kicks were deferred in each run" [ -z "$few" ]
expect "the longest waited $median ns of 200000, the median of:$all" [ "$median" -le 200000 ]
