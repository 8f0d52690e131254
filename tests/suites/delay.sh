#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# How long deferred kicks wait, at most: fio, iperf3 and tasks that compute in two
# VMs, and a third that spins for 3 s, on 1 pCPU, deterministic: in real time the
# machine under QEMU would be measured. Argument: seconds, of the guests' time.
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
root_guest "$WORK/delay.cpio" "$TOP/tests/guest/delay.sh"
log=$WORK/delay.log
seconds=$1
set --
for n in 0 1; do
	set -- "$@" --vm "name=vm$n,vcpus=2,mem=320M,$ROOT_ITEMS,disk=ram:16M:queues=2,net=lan,append=$KERNEL_ARGS pvkit.root=/dev/vda pvkit.number=$n pvkit.seconds=$seconds"
done
"$TOP/pvkit" run --icount --timeout $((seconds * 30 + 300)) "$@" --vm "name=spin,vcpus=1,mem=16M,kernel=$BUILD/bare/spin.bin" >"$log" 2>&1 </dev/null
status=$?
queues() { tr -d '\r' <"$log" | sed -n 's/^\[vm[01]\] QUEUE //p'; }
both_done() { [ "$(grep -c "DONE" "$log")" = 2 ] && ! grep FAILED "$log"; }
longest=$(queues | sed 's/.*max_delay_ns=\([0-9]*\).*/\1/' | sort -n | tail -1)
deferred=$(queues | awk '{ for (i = 1; i <= NF; i++) if ($i ~ /^drains=/) s += substr($i, 8) } END { print s + 0 }')
echo "# delays of all queues, by less than 1, 2, 4, ... us: $(queues | sed 's/.*delays=//' |
	awk -F , '{ for (i = 1; i <= NF; i++) s[i] += $i } END { for (i = 1; i <= NF; i++) printf "%d ", s[i] }')"
plan 4
tap $status "the VMs power off in order"
expect "both have done their work" both_done
expect "kicks were deferred ($deferred)" [ "$deferred" -gt $((seconds * 100)) ]
expect "the longest waited ${longest:-?} ns of 200000" [ "${longest:-999999}" -le 200000 ]
