#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Four VMs of 2 vCPUs on 2 pCPUs, all with fio and iperf3 at once, until each has done so
# many requests and sent so many bytes. Who is done sooner is a matter of chance; that
# nobody waits for ever is not. Argument: how many hundred requests (none: by PVKIT_LEVEL).
#
# /// suite
# time = "real"
# limit = 900
# seconds = 80
# groups = ["hypervisor", "disk", "net"]
# long = { limit = 3000 }
# ///
. "$TOP/tests/tap.sh"
. "$LAUNCHER/common.sh"
. "$LAUNCHER/build.sh"
kernel_setup 6.12 cloud-arm64
root_guest "$WORK/crowd.cpio" "$TOP/tests/guest/crowd.sh"
log=$WORK/crowd.log

amount=${1:-$(by_level 20 60 3000)}
requests=$((amount * 100)) bytes=$((amount * 2000000)) limit=$((300 + amount * 2))
set --
for n in 0 1 2 3; do
	set -- "$@" --vm "name=vm$n,vcpus=2,mem=320M,$ROOT_ITEMS,disk=ram:32M:queues=2,net=lan:queues=2,append=$KERNEL_ARGS maxcpus=1 pvkit.root=/dev/vda pvkit.number=$n pvkit.requests=$requests pvkit.bytes=$bytes pvkit.limit=$limit"
done
"$TOP/pvkit" run --timeout $((limit * 2 + 300)) --pcpus 2 "$@" >"$log" 2>&1 </dev/null
status=$?
results() { tr -d '\r' <"$log" | awk -v n="$1" '$2 == "RESULT" && $3 == n { print $4 }'; }
quiet() { ! grep -E "FAILED|COMPLAINT|needs a reset|crashed at" "$log" | sed 's/^/# /' | grep .; }
all_done() { [ "$(grep -c DONE "$log")" = 4 ]; }
# each NAME LEAST: all four VMs have got so far
each() { results "$1" | awk -v least="$2" '$1 >= least { n++ } END { exit n != 4 }'; }
plan 5
tap $status "all four VMs power off in order"
expect "all four are done" all_done
expect "no error anywhere" quiet
for what in fio iperf; do
	echo "# note: $what: done $(results $what | xargs), in $(results ${what}_s | xargs) s"
done
expect "fio: each VM has done its $requests requests, verified" each fio "$requests"
expect "iperf3: each VM has sent its $bytes bytes" each iperf "$bytes"
