# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# pvnic, by profile. Part of `pvkit bench`.

bench_nic() {
	mb=64 streams="tcp udp" pings="udp tcp" modes="stock throughput latency bulk"
	[ "$BENCH_QUICK" = no ] || { mb=16 streams=tcp pings='' modes="stock throughput"; }
	say "nic: two VMs on 1 pCPU, by each of $modes, deterministic"
	log=$BUILD/bench-nic.log
	root_guest "$BUILD/nic.cpio" "$TOP/tests/guest/bench-nic.sh" ram
	vm="vcpus=1,mem=384M,$ROOT_ITEMS,net=lan,append=$KERNEL_ARGS pvkit.root=/dev/vda pvkit.mb=$mb pvkit.streams=$(colons "$streams") pvkit.pings=$(colons "$pings") pvkit.modes=$(colons "$modes")"
	guest_run "$log" --icount --timeout 1800 --vm "name=server,$vm pvkit.role=server" --vm "name=client,$vm pvkit.role=client"
	! grep FAILED "$log" || die "nic: see $log"
	for m in $modes; do nic_record "$log" "$m"; done
}

# nic_record LOG MODE
nic_record() {
	how="icount, two VMs of 1 vCPU on 1 pCPU, both VMs"
	for kind in $streams; do
		[ "$kind" = tcp ] && run=long infix='' what="iperf3 TCP, 1 stream" || { run=udp infix=udp. what="iperf3 UDP, 64 bytes at 4 Mbit/s"; }
		exits "$1" "cost.$2.$kind" 0.1 | record_exits "nic.$2.${infix}exits_per_mb" "nic.$2.${infix}exits" "$what; $how"
		record "nic.$2.${infix}interrupts_per_s" "$(awk "BEGIN { printf \"%.0f\", \
			($(value "$1" "$2.$run.client.interrupts") + $(value "$1" "$2.$run.server.interrupts")) / $(value "$1" "$2.$run.seconds") }")" interrupts/s "$what; of the NICs; $how"
		record "nic.$2.${infix}mbit" "$(value "$1" "$2.$run.mbit")" Mbit/s "$what, received; $how"
	done
	for kind in $pings; do
		for p in p50 p99; do
			record "nic.$2.pingpong.$kind.${p}_us" "$(value "$1" "$2.pingpong.$kind.$p")" us "sockperf ping-pong by $kind, round trip; $how"
		done
	done
}
