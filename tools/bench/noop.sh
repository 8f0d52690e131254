# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# blk-noop, by scheduler and mode, and what a read goes through. Part of `pvkit bench`.

bench_noop() {
	say "noop: 4 KiB requests by each scheduler and mode, deterministic (some minutes)"
	log=$BUILD/bench-noop.log
	modes="mq-deadline bfq kyber none request bio pv.none pv.request pv.bio" kinds="read write" requests=12000:2000
	[ "$BENCH_QUICK" = no ] || { modes="mq-deadline none bio" kinds=read requests=5000:1000; }
	noop_run "$log" "pvkit.requests=$requests pvkit.modes=$(colons "$modes") pvkit.kinds=$(colons "$kinds")"
	keep "$log" fio.noop
	for m in $modes; do
		for rw in $kinds; do
			for d in 1 32; do
				n=$m.$rw.qd$d how="fio $([ $d = 1 ] && echo psync || echo libaio), RAM-backed, 4 KiB, random; icount, 1 vCPU; ${requests%:*} requests"
				record "noop.$n.guest_instructions_per_io" "$(value "$log" "$n.guest")" instructions "PMU at EL0 and EL1; $how less ${requests#*:}"
				record "noop.$n.iops" "$(value "$log" "$n.iops")" IOPS "1 instruction per ns; $how"
				for p in p50 p99 p99.9; do
					record "noop.$n.${p}_us" "$(value "$log" "$n.$p")" us "completion latency by fio; $how"
				done
			done
		done
	done
	for o in none mq-deadline; do
		record "noop.bio_vs_$o" "$(ratio "$(value "$log" bio.read.qd1.guest)" "$(value "$log" $o.read.qd1.guest)")" ratio \
			"guest instructions of a read at depth 1 in bio mode / those of $o"
	done
}

# noop_run LOG ARGUMENTS OPTIONS...
noop_run() {
	noop_log=$1 noop_args=$2
	shift 2
	root_guest "$BUILD/noop.cpio" "$TOP/tests/guest/bench-noop.sh" ram
	guest_run "$noop_log" --icount --timeout 1500 "$@" --vm "name=noop,vcpus=1,mem=384M,$ROOT_ITEMS,disk=ram:32M${noop_disk:-},append=$KERNEL_ARGS pvkit.root=/dev/vda nokaslr $noop_args"
}

# Which functions a read at depth 1 goes through: QEMU's log of each instruction
# of some hundred of them.
bench_account() {
	for m in none bio; do
		say "account: every instruction of reads at depth 1, $m"
		account_run $m
		account_sum $m
		for p in fio call pages block ring driver interrupt wait other; do
			record "account.$m.$p" "$(awk -v p=$p '$1 == p { s += $2 } END { printf "%.0f\n", s }' "$BUILD/account.$m")" instructions \
				"of a 4 KiB read at depth 1, by QEMU's log of 8 million instructions; functions are in build/account.$m"
		done
	done
}

account_run() {
	mon=$BUILD/monitor
	rm -f "$mon.in" "$mon.out" "$BUILD/trace"
	mkfifo "$mon.in" "$mon.out" "$BUILD/trace"
	log=$BUILD/bench-account.log
	rm -f "$log"		# of the last run
	rm -f "$BUILD/out.img"
	truncate -s 32M "$BUILD/out.img"
	(noop_disk=,disk=$BUILD/out.img noop_run "$log" "pvkit.account=$1" --monitor "$mon") >/dev/null 2>&1 &
	pid=$!
	cat "$mon.out" >/dev/null &
	until grep -q "^LOOK" "$log" 2>/dev/null; do
		kill -0 $pid 2>/dev/null || { tail "$log" >&2; die "account: the guest has ended too early"; }
		sleep 1
	done
	sleep 2			# past fio's start
	printf 'singlestep on\nlogfile %s\nlog exec,nochain\n' "$BUILD/trace" >"$mon.in" &
	# Trace 0: 0x7f... [cs_base/pc/flags/cflags] symbol
	awk -F / '/^Trace/ { n[$2]++; if (++lines == 8000000) exit } END { for (a in n) print a, n[a] }' "$BUILD/trace" >"$BUILD/account.pcs"
	printf 'quit\n' >"$mon.in" &
	wait $pid || true	# it did not end by itself
	rm -f "$mon.in" "$mon.out" "$BUILD/trace"
	rm -rf "${BUILD:?}/account"
	mkdir -p "$BUILD/account"
	tar -C "$BUILD/account" -xf "$BUILD/out.img" || die "account: the guest has left no kallsyms"
}

# account_sum MODE: lines "purpose instructions function", per read
account_sum() {
	{
		awk '$2 ~ /^[tTwW]$/ && $3 !~ /^\$/ { print $1, 0, $3 $4 }' "$BUILD/account/kallsyms"
		awk '{ print substr("0000000000000000" $1, length($1) + 1), 1, $2 }' "$BUILD/account.pcs"
	} | LC_ALL=C sort | awk '
		$2 == 0 { f = $3; at = $1; next }
		$1 < "0000000100000000" { next }		# EL2
		$1 < "ffff000000000000" { n["user"] += $3; next }
		{ n[f] += $3; if (f == "__arm64_sys_pread64" && $1 == at) reads = $3 }
		END { if (!reads) exit 1; for (f in n) if (n[f] / reads >= 0.5) printf "%s %.1f\n", f, n[f] / reads }' >"$BUILD/account.functions" ||
		die "account: no reads were seen"
	awk '
		function purpose(f) {
			if (f == "user") return "fio"
			if (f ~ /\[(virtio_blk|blk_noop)\]/) return "driver"
			if (f ~ /vring|virtqueue|\[virtio|detach_buf|vm_notify|vp_notify/) return "ring"
			if (f ~ /iov_iter|gup|pin_|follow|folio|pgtable|bio_iov|bio_release|page|try_grab|lru|should_skip|pte_|pmd_|pud_|p4d_|find_vma|mt_|mas_|mas/) return "pages"
			if (f ~ /blk|bio|bvec|mempool|sbitmap|elv_|elevator|plug|kmem_cache|kmalloc|kfree|slab|___cache|rq_|disk|req_/) return "block"
			if (f ~ /irq|gic|el1h|el1_|handle_|arch_timer|softirq|generic_handle|vm_interrupt|gro|IPI/) return "interrupt"
			if (f ~ /sched|ktime|time|clock|hrtimer|wake|wait|pick_|enqueue|dequeue|update_|put_prev|set_next|context|switch|idle|rq|complete|cpu_|rcu|tick|avg|load/) return "wait"
			if (f ~ /el0|syscall|svc|vfs|pread|read_iter|file|fget|fput|fdget|vectors|ret_to|exit_to|rw_|security|fsnotify|inode|direct_IO|invoke|ptrace|audit|seccomp|fpsimd|uaccess|copy_/) return "call"
			return "other"
		}
		{ print purpose($1), $2, $1 }' "$BUILD/account.functions" | sort -k 2,2nr >"$BUILD/account.$1"
}
