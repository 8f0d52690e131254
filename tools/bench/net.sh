# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# iperf3, by each policy of virtio_pv. Part of `pvkit bench`.

# net_run LOG MB VCPUS POLICIES OPTIONS...: two VMs, with NET_ITEMS
net_run() {
	net_log=$1 net_mb=$2 net_n=$3 net_policies=$4
	shift 4
	root_guest "$BUILD/net.cpio" "$TOP/tests/guest/bench-net.sh" "$(root_on "$@")"
	net_args="${NET_ITEMS:-}append=$KERNEL_ARGS pvkit.root=/dev/vda pvkit.mb=$net_mb pvkit.policies=$net_policies"
	guest_run "$net_log" --timeout 900 "$@" \
		--vm "name=server,vcpus=$net_n,mem=512M,$ROOT_ITEMS,net=lan:queues=$net_n,$net_args pvkit.role=server" \
		--vm "name=client,vcpus=$net_n,mem=512M,$ROOT_ITEMS,net=lan:queues=$net_n,$net_args pvkit.role=client"
	keep "$net_log" iperf3.client client
	keep "$net_log" iperf3.server server
	! grep FAILED "$net_log" || die "iperf3 failed (see $net_log)"
}

# net_cost LOG POLICY MB HOW: exits and instructions of a MB
net_cost() {
	exits "$1" "cost.$2" 0.1 | record_exits "net.$2.exits_per_mb" "net.$2.exits" "$4"
	for w in hypervisor guest; do
		record "net.$2.${w}_instructions_per_mb" "$(value "$1" "cost.$2.client.$w" | awk '{ printf "%.0f", $1 }')" \
			instructions "counted by the PMU; $4"
	done
}

# net_rates LOG POLICIES INFIX HOW: throughput, and each policy's worst against stock
net_rates() {
	nr_log=$1 nr_infix=$3 nr_how=$4
	for p in $(echo "$2" | tr : ' '); do
		results "$nr_log" | awk -v p="net.$p." 'index($1, p) == 1 && /\.(sent_)?mbit / && !/\.(warm|short|long)\./ { print substr($1, length(p) + 1), $2 }' |
			medians >"$BUILD/net.$p"
		while read -r n v least most; do
			record "net.$p.$nr_infix$n" "$v" Mbit/s "iperf3, received unless sent_; $nr_how" "$least" "$most"
		done <"$BUILD/net.$p"
		record "net.$p.${nr_infix}retransmits" "$(results "$nr_log" | awk -v p="net.$p.tcp" 'index($1, p) == 1 && /retransmits / { s += $2 } END { print s + 0 }')" \
			segments "all TCP runs between the VMs; $nr_how"
		[ "$p" = stock ] || record_ratios net "$p" "$nr_infix" '^tcp' "received / by stock, of the TCP runs; $nr_how"
	done
}

bench_net() {
	mb=64 policies=stock:immediate:piggyback:adaptive runs=all
	[ "$BENCH_QUICK" = no ] || { mb=16 policies=stock:adaptive runs=tcp; }
	say "net: iperf3, two VMs on 1 pCPU, by each policy, deterministic"
	log=$BUILD/bench-net.log
	net_run "$log" $mb 1 "$policies pvkit.runs=$runs" --icount
	how="iperf3 TCP, 1 stream, VM to VM; icount, two VMs of 1 vCPU on 1 pCPU, both VMs' exits; $((mb + 8)) MB less 8 MB"
	for p in $(echo $policies | tr : ' '); do
		net_cost "$log" "$p" $mb "$how"
	done
	net_rates "$log" $policies '' "icount, two VMs of 1 vCPU on 1 pCPU, $mb MB or 2 s"
	[ "$BENCH_QUICK" = yes ] || bench_net_uplink
}

bench_net_rt() {
	say "net: by a pCPU that polls, in real time"
	log=$BUILD/bench-net-poll.log
	bench_net_partitioned
	[ "$BENCH_QUICK" = no ] || return 0
	mb=64 policies=stock:immediate:piggyback:adaptive
	net_run "$log" 64 1 stock:poll --pcpus 3 --polling
	how="iperf3 TCP, 1 stream, VM to VM; multi-threaded QEMU, two VMs of 1 vCPU on 2 pCPUs and a third that polls, on $(jobs) CPUs; both VMs' exits; 72 MB less 8 MB"
	exits "$log" cost.stock 0.1 | record_exits net.stock.mt.exits_per_mb net.stock.mt.exits "$how"
	exits "$log" cost.poll 0.1 | record_exits net.poll.exits_per_mb net.poll.exits "$how; guests busy-poll for up to 500 us"
	say "net: iperf3, two VMs of 1 vCPU on 2 pCPUs, in real time"
	net_run "$BUILD/bench-net-mt.log" $mb 1 "$policies:$policies:$policies pvkit.runs=tcp" --pcpus 2
	net_rates "$BUILD/bench-net-mt.log" $policies mt. "multi-threaded QEMU, two VMs of 1 vCPU on 2 pCPUs, on $(jobs) CPUs; medians of 3 turns of $mb MB"
}

# To an iperf3 server on this machine
bench_net_uplink() {
	root_guest "$BUILD/net.cpio" "$TOP/tests/guest/bench-net.sh"
	port=$((20000 + $$ % 20000)) log=$BUILD/bench-net-uplink.log
	iperf3 -s -p $port >"$BUILD/iperf3.log" 2>&1 &
	iperf3_pid=$!
	guest_run "$log" --timeout 900 --icount --uplink lan \
		--vm "name=client,vcpus=1,mem=512M,$ROOT_ITEMS,net=lan,append=$KERNEL_ARGS pvkit.root=/dev/vda pvkit.role=uplink pvkit.port=$port"
	kill $iperf3_pid
	keep "$log" iperf3.uplink
	! grep FAILED "$log" || die "iperf3 failed (see $log)"
	for name in uplink uplink_reverse; do
		record net.stock.$name.mbit "$(value "$log" net.stock.$name.mbit)" Mbit/s \
			"iperf3 with a server on this machine, 16 MB, received; icount, but the host answers in its own time"
	done
}

# Long: what starting costs varies by a hundred exits, and is not of the transfer.
bench_net_partitioned() {
	NET_ITEMS=partitioned=yes, net_run "$log" 1024 1 "poll pvkit.runs=cost" --pcpus 3 --polling
	exits "$log" cost.poll 0.1 | record_exits net.poll.partitioned.exits_per_mb net.poll.partitioned.exits \
		"iperf3 TCP, 1 stream, VM to VM; multi-threaded QEMU, two partitioned VMs of 1 vCPU, a third pCPU polls; both VMs' exits; 1032 MB less 8 MB"
}
