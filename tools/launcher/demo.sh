# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# The demonstration: a stock kernel, more vCPUs than pCPUs, and its spinlocks
# made paravirtual by insmod.

. "$LAUNCHER/build.sh"
. "$LAUNCHER/bench.sh"

cmd_demo() {
	no_arguments demo "Boots a stock Debian kernel, makes its spinlocks paravirtual, and measures what that brings." "$@" || return 0
	mkdir -p "$BUILD"
	say "step 1 of 4: tools, hypervisor, newest stock kernel, modules"
	build_all
	say "step 2 of 4: Debian kernel $KVER, 4 vCPUs on 2 pCPUs, insmod pvhyp pvlock"
	guest_initrd "$BUILD/demo.cpio" "$TOP/tests/guest/demo.sh"
	guest_run "$BUILD/demo.log" --timeout 900 --pcpus 2 --vm "name=demo,vcpus=4,mem=512M,kernel=$KIMAGE,initrd=$BUILD/demo.cpio,reset=stop,append=$KERNEL_ARGS"
	tr -d '\r' <"$BUILD/demo.log" | sed 's/^/    /'
	# shellcheck disable=SC2034
	BENCH_QUICK=yes BENCH_ICOUNT=no BENCH_COLLAPSED="1 2 4 8"
	bench_identity
	say "step 3 of 4: deterministic: a contended spinlock, 1 to 8 vCPUs on 1 pCPU; a Debian root, fio and iperf3 (5 minutes)"
	bench_parts "$(cpus)" lock blk net
	say "step 4 of 4: the lock in real time, 8 vCPUs on 2 pCPUs (1 minute)"
	bench_parts any lock_rt
	bench_gather lock blk net lock_rt
	demo_table
	demo_io_table
	bench_json >"$BUILD/demo.json"
	say "all figures: $BUILD/demo.json; how they were got: Documentation/measuring.md"
}

percent() { awk "BEGIN { printf \"%.1f %%\", 100 * $(figure "$1") }"; }

demo_table() {
	cat <<-END

	Lock throughput, as a share of what one vCPU alone reaches (icount, 1 pCPU,
	half of the time inside the lock)

	  vCPUs : pCPUs      native   undirected yield      pvlock
	END
	for n in 1 2 4 8; do
		printf '  %5s : 1      %10s   %16s  %10s\n' $n "$(percent lock.native.${n}x.efficiency)" \
			"$(percent lock.yield.${n}x.efficiency)" "$(percent lock.pv.${n}x.efficiency)"
	done
	cat <<-END

	(undirected yield: what trapping WFE gives on hardware; QEMU cannot trap it,
	so the waiter makes the yield call where hardware would trap)

	In real time, 8 vCPUs on 2 pCPUs: pvlock $(figure lock.mt.pv_vs_native) times native,
	$(figure lock.mt.pv_vs_fit) of what 2 vCPUs on 2 pCPUs reach; longest wait $(figure lock.mt.pv.longest_wait_ms) ms
	(native: $(figure lock.mt.native.longest_wait_ms) ms).

	END
}

demo_io_table() {
	cat <<-END
	Stock virtio drivers on the hypervisor's devices (icount, 1 pCPU)

	  fio, 4 KiB random read, depth 1, RAM-backed
	    instructions per read             $(figure blk.stock.instructions_per_io)
	    of these, in the hypervisor       $(figure blk.stock.hyp_instructions_per_io)
	    exits per read                    $(figure blk.stock.exits_per_io)
	  iperf3, TCP, 1 stream, VM to VM
	    Mbit/s, at 1 instruction per ns   $(figure net.stock.tcp1.mbit)
	    exits per MB                      $(figure net.stock.exits_per_mb)

	END
}
