#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Four VMs of 2 vCPUs on 2 pCPUs, all with fio and iperf3 at once. Argument: seconds.
#
# /// suite
# time = "real"
# limit = 900
# seconds = 80
# groups = ["hypervisor", "disk", "net"]
# args = "30"
# long = { args = "600", limit = 3000 }
# ///
. "$TOP/tests/tap.sh"
. "$LAUNCHER/common.sh"
. "$LAUNCHER/build.sh"
kernel_setup 6.12 cloud-arm64
root_guest "$WORK/crowd.cpio" "$TOP/tests/guest/crowd.sh"
log=$WORK/crowd.log

seconds=$1
shift
for n in 0 1 2 3; do
	set -- "$@" --vm "name=vm$n,vcpus=2,mem=320M,$ROOT_ITEMS,disk=ram:32M:queues=2,net=lan:queues=2,append=$KERNEL_ARGS pvkit.root=/dev/vda pvkit.number=$n pvkit.seconds=$seconds"
done
"$TOP/pvkit" run --timeout $((seconds * 2 + 900)) --pcpus 2 "$@" >"$log" 2>&1 </dev/null
status=$?
results() { tr -d '\r' <"$log" | awk -v n="$1" '$2 == "RESULT" && $3 == n { print $4 }'; }
quiet() { ! grep -E "FAILED|COMPLAINT|needs a reset|crashed at" "$log" | sed 's/^/# /' | grep .; }
all_done() { [ "$(grep -c DONE "$log")" = 4 ]; }
# share NAME: of the slowest, of the mean
share() { results "$1" | awk '{ s += $1; if (NR == 1 || $1 < m) m = $1 } END { printf "%.2f\n", NR == 4 && s ? m * 4 / s : 0 }'; }
# In a short run the VMs' different starts weigh more.
[ "$seconds" -ge 300 ] && least=0.70 || least=0.50
fair() { awk "BEGIN { exit !($1 >= $least) }"; }
plan 5
tap $status "all four VMs power off in order"
expect "all four are done" all_done
expect "no error anywhere" quiet
fio=$(share fio) net=$(share iperf)
echo "# fio requests: $(results fio | tr '\n' ' '); iperf3 bytes: $(results iperf | tr '\n' ' ')"
expect "fio: the slowest VM has $fio of the mean" fair "$fio"
expect "iperf3: the slowest VM has $net of the mean" fair "$net"
