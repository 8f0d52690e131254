# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Measurements. Every figure says how it was got; see Documentation/measuring.md.

bench_usage() {
	cat <<-'END'
	usage: ./pvkit bench WHAT... [--icount] [--quick] [--resume] [--json FILE] [--html FILE] [--markdown FILE]
	                               [--compare FILE] [--peers] [--kernel KERNEL]
	  exits   instructions per hypercall, trapped access, interrupt
	  lock    contended spinlock: native, undirected yield, pvlock
	  size    footprint of the hypervisor
	  boot    time to init, under the hypervisor and without it
	  work    hackbench and a rename storm (stress-ng), native and pvlock, 8 vCPUs on 2 pCPUs
	  blk     fio on a RAM-backed and a host disk, by virtio_mmio and by each policy of
	          virtio_pv: exits and instructions per request, IOPS
	  net     iperf3 between two VMs and through the uplink, likewise: exits per MB, throughput
	  tick    pvclock: interrupts, exits, timer precision, CPU time, by tick divisor
	  noop    blk-noop: guest instructions, IOPS, latency by scheduler and mode
	  matrix  hackbench, a lock, reads, computing: as the guest comes, with each module,
	          with all; 1, 2 and 4 vCPUs on 1 pCPU
	  account  what a 4 KiB read costs the guest, by function, with and without bio mode
	  nic     pvnic: exits, interrupts, throughput, ping-pong, with and without a profile
	  guest   an idle guest: instructions and exits, with and without the guest profile
	  partition  a VM with a pCPU of its own: exits, cyclictest beside a scheduled VM
	  all       all of these but account
	  --peers   and the same under KVM (VHE and not) and Xen of Debian, on the same machine
	  --kernel  of the guests: SERIES/FLAVOUR or built[/FRAGMENT], as for check (6.12/cloud-arm64)
	  --icount  only deterministic runs, no multi-threaded ones
	  --quick   fewer policies, divisors, repetitions
	  --resume  what this build has measured before is not measured again
	  --json    all figures, and what fio and iperf3 said (Documentation/figures.md)
	  --html, --markdown  the same as a page, with plots, and for terminals
	  --compare with the JSON of another run: exits 1 if a deterministic figure is more than
	            2 % worse, 3 if that run is of another kernel, compiler or QEMU
	END
}

. "$LAUNCHER/build.sh"
. "$LAUNCHER/run.sh"
. "$LAUNCHER/results.sh"
. "$LAUNCHER/bench-noop.sh"
. "$LAUNCHER/bench-peers.sh"

BENCH_ALL="exits size boot lock matrix blk net tick noop nic guest partition work"
BENCH_REAL_TIME="lock matrix blk net partition work"	# what has a part bench_*_rt: several pCPUs, in real time

# shellcheck disable=SC2034
cmd_bench() {
	peers='' json='' page='' markdown='' compare='' kernel='' what='' BENCH_QUICK=no BENCH_ICOUNT=no BENCH_RESUME=no
	while [ $# -gt 0 ]; do
		case $1 in
		exits | lock | size | boot | work | blk | net | tick | noop | account | nic | guest | partition | matrix) what="$what $1"; shift ;;
		all) what=$BENCH_ALL; shift ;;
		--icount) BENCH_ICOUNT=yes; shift ;;
		--quick) BENCH_QUICK=yes; shift ;;
		--resume) BENCH_RESUME=yes; shift ;;
		--peers) peers=peers; shift ;;
		--json | --html | --markdown | --compare | --kernel)
			[ $# -ge 2 ] || die_usage "$1 needs a $([ "$1" = --kernel ] || echo "file ")name"
			case $1 in --json) json=$2 ;; --html) page=$2 ;; --markdown) markdown=$2 ;; --kernel) kernel=$2 ;; *) compare=$2 ;; esac
			shift 2
			;;
		-h | --help) bench_usage; return 0 ;;
		*) die_usage "bench: unknown '$1' (try ./pvkit bench --help)" ;;
		esac
	done
	what="$what $peers"
	[ "$what" != " " ] || die_usage "bench: what? $BENCH_ALL, account or all"
	[ -z "$compare" ] || [ -r "$compare" ] || die_usage "bench: --compare: cannot read '$compare'"
	[ -z "$kernel" ] || known_kernel "$kernel" || die_usage "bench: --kernel $kernel: there are $KERNELS"
	[ -z "$page" ] || PACKAGES="$PACKAGES python3-matplotlib"
	build_all
	[ -z "$kernel" ] || build_for "$kernel"
	bench_identity
	bench_all_parts
	bench_print
	bench_json >"$BUILD/results.json"
	[ -z "$json" ] || { cp "$BUILD/results.json" "$json"; say "figures written to $json"; }
	[ -z "$page" ] || { /usr/bin/python3 "$TOP/tools/report/page.py" html "$BUILD/results.json" >"$page"; say "page written to $page"; }
	[ -z "$markdown" ] || /usr/bin/python3 "$TOP/tools/report/page.py" markdown "$BUILD/results.json" >"$markdown"
	[ -z "$compare" ] || /usr/bin/python3 "$TOP/tools/report/figures.py" compare "$BUILD/results.json" "$compare"
}

# bench_all_parts: of $what. Deterministic ones on all CPUs of this machine at a time,
# which changes nothing; those in real time one by one.
bench_all_parts() {
	# shellcheck disable=SC2034
	DETERMINISTIC=no icount_parts='' rt_parts=''
	for w in $what; do
		case $w in partition | work) ;; *) icount_parts="$icount_parts $w" ;; esac
		case " $BENCH_REAL_TIME " in *" $w "*) rt_parts="$rt_parts ${w}_rt" ;; esac
	done
	[ -z "$peers" ] || rt_parts="$rt_parts projection"
	[ "$BENCH_ICOUNT" = no ] || rt_parts=${peers:+projection}
	# shellcheck disable=SC2086
	bench_parts "$(jobs)" $icount_parts
	# shellcheck disable=SC2086
	bench_parts 1 $rt_parts
	# shellcheck disable=SC2086
	bench_gather $icount_parts $rt_parts
}

# guest_run LOG OPTIONS...: `pvkit run` in a subshell, output to LOG; fails if it did.
# Sets DETERMINISTIC: under icount, unless the host has a part in it.
# shellcheck disable=SC2034
guest_run() {
	gr_log=$1
	shift
	case " $* " in
	*" --uplink "* | *":snapshot"* | *".img,"*) DETERMINISTIC=no ;;
	*" --icount "*) DETERMINISTIC=yes ;;
	*) DETERMINISTIC=no ;;
	esac
	("$TOP/pvkit" run "$@" </dev/null) >"$gr_log" 2>&1 ||
		{ tail -15 "$gr_log" >&2; die "the guest run failed (see $gr_log)"; }
	! grep -q VIOLATIONS "$gr_log" || die "mutual exclusion was violated (see $gr_log)"
}

# results LOG: "name value" of the RESULT lines, of one VM or of several.
results() { tr -d '\r' <"$1" | sed 's/^\[[a-z]*\] //' | awk '$1 == "RESULT" { print $2, $3 }'; }

# value LOG NAME: of one of them.
value() { results "$1" | awk -v n="$2" '$1 == n { print $2 }'; }

# exits LOG PREFIX LEAST: those that are exits, of at least LEAST, and their sum.
exits() {
	results "$1" | awk -v p="$2." -v least="$3" 'index($1, p) == 1 && $1 !~ /\.(hypervisor|guest)$/ {
		s += $2; if ($2 >= least) print substr($1, length(p) + 1), $2 } END { printf "sum %.3f\n", s }'
}

# record_exits TOTAL EACH HOW: what exits() says, as TOTAL and EACH.name
record_exits() {
	while read -r n v; do
		if [ "$n" = sum ]; then record "$1" "$v" exits "$3"; else record "$2.$n" "$v" exits "of these"; fi
	done
}

bench_exits() {
	say "exits: 2 vCPUs on 2 pCPUs, deterministic"
	guest_run "$BUILD/bench-exits.log" --icount --timeout 900 --pcpus 2 \
		--vm "name=exits,vcpus=2,mem=16M,kernel=$BUILD/bare/exits.bin"
	for n in hypercall psci_version hypercall_fast mmio_gicd mmio_device sysreg_id timer self_sgi eoi ipi; do
		v=$(value "$BUILD/bench-exits.log" exits.$n)
		record exits.$n "$(thousandths "$v")" instructions \
			"icount, mean of many, loop overhead taken off"
	done
	record exits.eoi_exits "$(thousandths "$(value "$BUILD/bench-exits.log" exits.eoi_exits)")" \
		exits "exit counters around 1000 self-SGIs, the sending taken off"
}

thousandths() { awk "BEGIN { printf \"%.3f\", $1 / 1000 }" | sed 's/\.\{0,1\}0*$//'; }

# shellcheck disable=SC2034
bench_size() {
	nm=aarch64-linux-gnu-nm elf=$BUILD/hyp-stub/hyp-stub.elf
	text=$((0x$($nm "$elf" | awk '$3 == "__text_end" { print $1 }')))
	ram=$((0x$($nm "$elf" | awk '$3 == "__image_size" { print $1 }')))
	DETERMINISTIC=yes
	record size.text_bytes $text bytes "text and read-only data of hyp-stub.elf"
	record size.ram_bytes $ram bytes "whole image with its static heap, for up to 8 pCPUs"
}

bench_boot() {
	say "boot: 1 vCPU on 1 pCPU, deterministic, with and without the hypervisor"
	guest_initrd "$BUILD/boot.cpio" "$TOP/tests/guest/bench-boot.sh"
	guest_run "$BUILD/bench-boot.log" --icount --timeout 900 \
		--vm "name=boot,vcpus=1,mem=512M,kernel=$KIMAGE,initrd=$BUILD/boot.cpio,reset=stop,append=$KERNEL_ARGS"
	dtc -q -O dtb -o "$BUILD/el1.dtb" "$TOP/tests/guest/el1.dts"
	# shellcheck disable=SC2086
	timeout -s KILL 900 qemu-system-aarch64 -M virt,gic-version=3 -cpu max,pauth=off,sve=off,sme=off -smp 1 -m 512M \
		-display none -nic none -no-reboot -serial stdio -monitor none $ICOUNT \
		-dtb "$BUILD/el1.dtb" -kernel "$KIMAGE" -initrd "$BUILD/boot.cpio" \
		-append "$KERNEL_ARGS" >"$BUILD/bench-boot-el1.log" 2>&1 </dev/null ||
		die "booting without the hypervisor failed (see $BUILD/bench-boot-el1.log)"
	with=$(value "$BUILD/bench-boot.log" boot.init_us)
	without=$(value "$BUILD/bench-boot-el1.log" boot.init_us)
	record boot.stub_ms "$(thousandths "$with")" ms "guest clock when init starts, icount, 1 vCPU"
	record boot.el1_ms "$(thousandths "$without")" ms "the same kernel and devices at EL1 without hypervisor"
	record boot.overhead_ratio "$(ratio "$with" "$without")" ratio "boot.stub_ms / boot.el1_ms"
}

ratio() { awk "BEGIN { printf \"%.4f\", $1 / $2 }"; }

bench_lock() {
	ms=1000			# one slice that is lost by chance is 1 %
	# What stands still most of the time: WFE is what is slowest to emulate.
	collapsed="1 2 4 8" collapsed_ms=400
	[ "$BENCH_QUICK" = no ] || { collapsed=${BENCH_COLLAPSED:-4} collapsed_ms=100; }
	say "lock: 1, 2, 4, 8 vCPUs on 1 pCPU, deterministic (some minutes)"
	guest_initrd "$BUILD/lock.cpio" "$TOP/tests/guest/bench-lock.sh"
	log=$BUILD/bench-lock.log
	guest_run "$log" --icount --timeout 1500 --vm "name=lock,vcpus=8,mem=512M,kernel=$KIMAGE,initrd=$BUILD/lock.cpio,reset=stop,append=$KERNEL_ARGS maxcpus=1 pvkit.ms=$ms pvkit.collapsed_ms=$collapsed_ms pvkit.collapsed=$(echo "$collapsed" | tr ' ' :) pvkit.threads=1:2:4:8"
	how="icount, 1 pCPU, $ms ms (native and yield $collapsed_ms), 1000 instructions inside and outside the lock; sections / those of one vCPU alone"
	for n in 1 2 4 8; do
		for m in native yield pv; do
			case "$m $collapsed " in pv* | *" $n "*) ;; *) continue ;; esac
			record lock.$m.${n}x.efficiency "$(value "$log" $m.$n.efficiency)" ratio "$how"
			record lock.$m.${n}x.longest_wait_ms \
				"$(awk "BEGIN { printf \"%.3f\", $(value "$log" $m.$n.longest_ns) / 1e6 }")" ms \
				"longest wait for the lock in that run"
		done
	done
	native=$(value "$log" redirect.native)
	record lock.native_slowpath_instructions "$(thousandths "$native")" instructions "icount, call on a free lock"
	record lock.redirect_instructions "$(thousandths $(($(value "$log" redirect.off) - native)))" \
		instructions "icount, added to a slow path by the redirection, switched off"
	record lock.pv_slowpath_instructions "$(thousandths "$(value "$log" redirect.on)")" instructions \
		"icount, our slow path called on a free lock, redirection included"
	record lock.uncontended_ratio "$(ratio "$(value "$log" alone.after)" "$(value "$log" alone.before)")" ratio \
		"icount, sections of one vCPU with pvlock / before it was loaded"
}

# medians: of lines "name value", each name's median, least and most
medians() {
	sort -k 1,1 -k 2,2n | awk '
		function out() { if (n) print name, n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2, v[1], v[n] }
		$1 != name { out(); n = 0; name = $1 } { v[++n] = $2 } END { out() }'
}

# record_runs LOG RESULT NAME UNIT HOW: of several runs in one log; sets $median
record_runs() {
	rr_result=$(results "$1" | awk -v n="$2" '$1 == n' | medians)
	[ -n "$rr_result" ] || die "bench: no figure for $3 (see $1)"
	read -r _ median least most <<-END
		$rr_result
	END
	record "$3" "$median" "$4" "$5" "$least" "$most"
}

bench_lock_rt() {
	ms=1000 runs=5
	[ "$BENCH_QUICK" = no ] || { ms=300; runs=3; }
	say "lock: 8 vCPUs on 2 pCPUs, multi-threaded, $runs interleaved runs"
	guest_initrd "$BUILD/lock-mt.cpio" "$TOP/tests/guest/bench-lock-mt.sh"
	log=$BUILD/bench-lock-mt.log
	guest_run "$log" --timeout 1500 --pcpus 2 --vm "name=lock,vcpus=8,mem=512M,kernel=$KIMAGE,initrd=$BUILD/lock-mt.cpio,reset=stop,append=$KERNEL_ARGS maxcpus=1 pvkit.ms=$ms pvkit.runs=$runs"
	how="multi-threaded QEMU, 2 pCPUs, median of $runs interleaved runs of $ms ms, 600 instructions inside, 2400 outside"
	for m in native pv fit_native fit_pv; do
		record_runs "$log" $m.rate lock.mt.$m.rate sections/s "$how"
		eval "mt_$m=$median"
	done
	record lock.mt.pv_vs_native "$(ratio "$mt_pv" "$mt_native")" ratio "8 vCPUs on 2 pCPUs; $how"
	record lock.mt.pv_vs_fit "$(ratio "$mt_pv" "$mt_fit_native")" ratio "8 vCPUs on 2 pCPUs / 2 on 2 native; $how"
	say "lock: 2 vCPUs on 2 pCPUs, multi-threaded"
	fit=$BUILD/bench-lock-fit.log fit_runs=$((runs * 3))
	[ "$BENCH_QUICK" = no ] || fit_runs=$runs
	guest_run "$fit" --timeout 1500 --pcpus 2 --vm "name=lock,vcpus=2,mem=512M,kernel=$KIMAGE,initrd=$BUILD/lock-mt.cpio,reset=stop,append=$KERNEL_ARGS maxcpus=1 pvkit.ms=$ms pvkit.runs=$fit_runs"
	fit_how="multi-threaded QEMU, a VM of 2 vCPUs on 2 pCPUs, median of $fit_runs interleaved runs of $ms ms"
	record_runs "$fit" fit_native.rate lock.mt.contended.native.rate sections/s "$fit_how"
	fit_native=$median
	record_runs "$fit" fit_pv.rate lock.mt.contended.pv.rate sections/s "$fit_how"
	record lock.mt.contended_ratio "$(ratio "$median" "$fit_native")" ratio "pvlock / native; $fit_how"
	record lock.mt.pv.longest_wait_ms "$(value "$log" pv.longest_ns | sort -n | tail -1 | awk '{ printf "%.1f", $1 / 1e6 }')" \
		ms "worst of all runs; a scheduling round is 40 ms"
	record lock.mt.native.longest_wait_ms "$(value "$log" native.longest_ns | sort -n | tail -1 | awk '{ printf "%.1f", $1 / 1e6 }')" \
		ms "worst of all runs"
}

bench_work_rt() {
	runs=3 loops=100 seconds=5
	[ "$BENCH_QUICK" = no ] || { runs=1 loops=20 seconds=2; }
	root_guest "$BUILD/work-run.cpio" "$TOP/tests/guest/bench-work.sh"
	say "work: hackbench and a rename storm, 8 vCPUs on 2 pCPUs, $runs interleaved runs"
	log=$BUILD/bench-work.log
	guest_run "$log" --timeout 1500 --pcpus 2 --vm "name=work,vcpus=8,mem=1G,$ROOT_ITEMS,append=$KERNEL_ARGS maxcpus=1 pvkit.root=/dev/vda pvkit.runs=$runs pvkit.loops=$loops pvkit.seconds=$seconds"
	how="multi-threaded QEMU, 8 vCPUs on 2 pCPUs, median of $runs interleaved runs"
	record_runs "$log" hackbench.native work.hackbench.native s "hackbench -g 4 -l $loops; $how"
	work_native=$median
	record_runs "$log" hackbench.pv work.hackbench.pv s "the same with pvlock"
	record work.hackbench.speedup "$(ratio "$work_native" "$median")" ratio "$how"
	record_runs "$log" rename.native work.rename.native ops/s "stress-ng --rename 8, $seconds s; $how"
	work_native=$median
	record_runs "$log" rename.pv work.rename.pv ops/s "the same with pvlock"
	record work.rename.speedup "$(ratio "$median" "$work_native")" ratio "$how"
}

# root_on OPTIONS...: where root_guest has the root in a run with these
root_on() { case " $* " in *" --icount "*) echo ram ;; *) echo snapshot ;; esac; }

# blk_run LOG ARGUMENTS ITEMS OPTIONS...: guest with /dev/vdb on RAM, and disks in
# ITEMS; ARGUMENTS are pvkit.mode= and what follows it
blk_run() {
	blk_log=$1 blk_mode=$2 blk_items=$3
	shift 3
	root_guest "$BUILD/blk.cpio" "$TOP/tests/guest/bench-blk.sh" "$(root_on "$@")"
	guest_run "$blk_log" --timeout 1500 "$@" --vm "name=blk,vcpus=${BLK_VCPUS:-1},mem=512M,$ROOT_ITEMS,disk=ram:32M:queues=${BLK_VCPUS:-1}$blk_items,append=$KERNEL_ARGS pvkit.root=/dev/vda pvkit.mode=$blk_mode"
	keep "$blk_log" "fio.${blk_mode%% *}"
}

ios=8000	# of a matrix; enough that fio's milliseconds are less than 1 %
bench_blk() {
	say "blk: 4 KiB random reads from RAM, depth 1 and 32, by each policy, deterministic"
	log=$BUILD/bench-blk.log
	requests=12000:2000
	[ "$BENCH_QUICK" = no ] || requests=5000:1000
	blk_run "$log" "cost pvkit.requests=$requests pvkit.policies=stock:immediate:piggyback:adaptive" '' --icount
	how="fio libaio 4 KiB random read, RAM-backed; icount, 1 vCPU on 1 pCPU; ${requests%:*} requests less ${requests#*:}"
	for p in stock immediate piggyback adaptive; do
		blk_cost "$log" $p "depth 1; $how"
		exits "$log" qd32.$p 0.001 | record_exits blk.$p.qd32.exits_per_io blk.$p.qd32.exits "depth 32; $how"
	done
	record kick.max_delay_us "$(sed -n 's/^QUEUE.*max_delay_ns=\([0-9]*\).*/\1/p' "$log" | sort -n | tail -1 | awk '{ printf "%.3f\n", $1 / 1000 }')" us \
		"longest that a kick was put off, measured by the hypervisor in all these runs; the bound is 200 us"
	[ "$BENCH_QUICK" = yes ] || bench_blk_host
	bench_blk_poll
	say "blk: fio matrix, deterministic, RAM-backed"
	engines=libaio:io_uring policies=stock:immediate:piggyback:adaptive jobs=1:4 patterns=all
	[ "$BENCH_QUICK" = no ] || { engines=libaio policies=stock:adaptive jobs=1 patterns=randread:4k+write:128k; }
	blk_run "$BUILD/bench-blk-matrix.log" "matrix pvkit.ios=$ios pvkit.engines=$engines pvkit.jobs=$jobs pvkit.patterns=$patterns pvkit.policies=$policies" '' --icount
	blk_matrix "$BUILD/bench-blk-matrix.log" ram $policies '' "icount, 1 vCPU on 1 pCPU, RAM-backed, $ios requests (128 KiB: half)"
}

bench_blk_host() {
	rm -f "$BUILD/bench-disk.img"
	truncate -s 64M "$BUILD/bench-disk.img"
	log=$BUILD/bench-blk-host.log
	blk_run "$log" "host" ",disk=$BUILD/bench-disk.img" --icount
	exits "$log" host 0.01 | record_exits blk.stock.host.exits_per_io blk.stock.host.exits \
		"the same on a host disk; icount, but the host answers in its own time"
}

bench_blk_rt() {
	bench_blk_poll_rt
	[ "$BENCH_QUICK" = no ] || return 0
	# In real time one cell scatters by a factor of two: the policies take turns, three
	# times, and medians are compared. No more threads than CPUs: else it is the
	# host's scheduler that is measured.
	policies=stock:immediate:piggyback:adaptive
	turns="$policies:$policies:$policies"
	say "blk: fio matrix, in real time, RAM-backed, 2 vCPUs on 2 pCPUs"
	BLK_VCPUS=2 blk_run "$BUILD/bench-blk-mt.log" "matrix pvkit.ios=$ios pvkit.engines=libaio pvkit.jobs=1:4 pvkit.policies=$turns" '' --pcpus 2
	mt="multi-threaded QEMU on $(jobs) CPUs, medians of 3 turns"
	blk_matrix "$BUILD/bench-blk-mt.log" ram $policies mt. "$mt, 2 vCPUs on 2 pCPUs, RAM-backed, $ios requests (128 KiB: half)"
	say "blk: the same with a pCPU that polls, 1 vCPU on the other"
	blk_run "$BUILD/bench-blk-mt-poll.log" "matrix pvkit.ios=$ios pvkit.engines=libaio pvkit.jobs=1:4 pvkit.policies=stock:poll:stock:poll:stock:poll" '' --pcpus 2 --polling
	blk_matrix "$BUILD/bench-blk-mt-poll.log" ram stock:poll mt.polling. "$mt, 1 vCPU on 1 pCPU, another polls, RAM-backed, $ios requests (128 KiB: half)"
}

# blk_cost LOG POLICY HOW: exits and instructions of a request at depth 1
blk_cost() {
	hyp=$(value "$1" "qd1.$2.hypervisor") guest=$(value "$1" "qd1.$2.guest")
	exits "$1" "qd1.$2" 0.001 | record_exits "blk.$2.exits_per_io" "blk.$2.exits" "$3"
	record "blk.$2.hyp_instructions_per_io" "$hyp" instructions "counted by the PMU at EL2; $3"
	record "blk.$2.instructions_per_io" "$(awk "BEGIN { printf \"%.3f\", $hyp + $guest }")" instructions \
		"counted by the PMU at EL0, EL1 and EL2; $3"
}

bench_blk_poll() {
	say "blk: the same by a pCPU that polls"
	log=$BUILD/bench-blk-poll.log
	blk_run "$log" "cost pvkit.requests=$requests pvkit.policies=poll" ",partitioned=yes" --icount --pcpus 2 --polling
	how="fio libaio 4 KiB random read, RAM-backed; ${requests%:*} requests less ${requests#*:}; partitioned VM of 1 vCPU, another pCPU polls, its instructions not counted"
	blk_cost "$log" poll "depth 1; icount, $how"
	exits "$log" qd32.poll 0.001 | record_exits blk.poll.qd32.exits_per_io blk.poll.qd32.exits "depth 32; icount, $how"
}

# A guest that polls keeps QEMU's other pCPUs from running when it is deterministic.
bench_blk_poll_rt() {
	requests=12000:2000
	[ "$BENCH_QUICK" = no ] || requests=5000:1000
	say "blk: by a pCPU that polls, in real time"
	log=$BUILD/bench-blk-poll-rt.log
	BLK_VCPUS=2 blk_run "$log" "cost pvkit.requests=$requests pvkit.policies=poll maxcpus=1" '' --pcpus 2 --polling
	how="fio libaio 4 KiB random read, RAM-backed; multi-threaded QEMU, scheduled VM of 1 vCPU, another pCPU polls; interrupts by the GIC (GICv4)"
	exits "$log" qd32.poll 0.001 | record_exits blk.poll.scheduled.qd32.exits_per_io blk.poll.scheduled.qd32.exits "depth 32; $how"
	BLK_VCPUS=2 blk_run "$log" "iopoll pvkit.requests=$requests pvkit.policies=poll virtio_blk.poll_queues=1 maxcpus=1" '' --pcpus 2 --polling
	how="fio io_uring --hipri, depth 1, virtio_blk with a poll queue; multi-threaded QEMU, scheduled VM of 1 vCPU, another pCPU polls"
	exits "$log" iopoll.poll 0.001 | record_exits blk.poll.iopoll.exits_per_io blk.poll.iopoll.exits "$how"
	v=$(results "$log" | awk '$1 ~ /^iopoll.poll\./ && $1 !~ /\.(hypervisor|guest|irq_timer|irq_slice)$/ { s += $2 } END { printf "%.3f\n", s }')
	record blk.poll.iopoll.exits_per_io_less_ticks "$v" exits "without the guest's timer tick, 250 per second at any rate; $how"
}

# record_ratios WHAT POLICY INFIX PATTERN HOW: of the figures in build/WHAT.POLICY to
# those in build/WHAT.stock whose names match: the least, and the geometric mean
record_ratios() {
	awk -v pattern="$4" '$1 !~ pattern { next } NR == FNR { s[$1] = $2; next }
		{ r = $2 / s[$1]; if (!n++ || r < least) least = r; sum += log(r) } END { printf "%.3f %.3f\n", least, exp(sum / n) }' \
		"$BUILD/$1.stock" "$BUILD/$1.$2" >"$BUILD/ratios"
	read -r least mean <"$BUILD/ratios"
	record "$1.$2.$3worst_ratio" "$least" ratio "least; $5"
	record "$1.$2.$3mean_ratio" "$mean" ratio "geometric mean; $5"
}

# blk_matrix LOG PREFIX POLICIES INFIX HOW: each figure, and each policy's worst against stock
blk_matrix() {
	bm_log=$1 bm_prefix=$2 bm_infix=$4 bm_how=$5
	for p in $(echo "$3" | tr : ' '); do
		results "$bm_log" | awk -v p="$bm_prefix.$p." 'index($1, p) == 1 { print substr($1, length(p) + 1), $2 }' | medians >"$BUILD/blk.$p"
		while read -r n v least most; do
			record "blk.$p.$bm_infix$n" "$v" IOPS "fio $bm_how" "$least" "$most"
		done <"$BUILD/blk.$p"
		[ "$p" = stock ] || record_ratios blk "$p" "$bm_infix" '' "IOPS / those of stock, of the matrix; $bm_how"
	done
}

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
	net_run "$BUILD/bench-net-mt.log" $mb 1 $policies:$policies:$policies --pcpus 2
	net_rates "$BUILD/bench-net-mt.log" $policies mt. "multi-threaded QEMU, two VMs of 1 vCPU on 2 pCPUs, on $(jobs) CPUs; medians of 3 turns of $mb MB or 2 s"
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

bench_partition_rt() {
	say "partition: exits of a partitioned VM, idle and computing"
	root_guest "$BUILD/partition.cpio" "$TOP/tests/guest/bench-partition.sh"
	args="append=$KERNEL_ARGS pvkit.root=/dev/vda"
	log=$BUILD/bench-partition.log seconds=10
	[ "$BENCH_QUICK" = no ] || seconds=4
	guest_run "$log" --timeout 800 --pcpus 2 --vm "name=p,vcpus=1,mem=384M,partitioned=yes,$ROOT_ITEMS,$args pvkit.role=exits pvkit.name=partitioned pvkit.seconds=$seconds"
	for w in idle compute; do
		record partition.exits_per_s.$w "$(awk "BEGIN { print $(value "$log" partitioned.$w) / $seconds }")" exits/s \
			"exit counters around $seconds s, but for hypercalls and TRNG calls that the guest makes; multi-threaded QEMU, 1 vCPU with a pCPU of its own"
	done
	[ "$BENCH_QUICK" = no ] || return 0
	say "partition: cyclictest, in real time: QEMU runs several pCPUs by turns when it is deterministic"
	log=$BUILD/bench-latency.log
	guest_run "$log" --timeout 1500 --pcpus 2 \
		--vm "name=p,vcpus=1,mem=384M,partitioned=yes,$ROOT_ITEMS,$args pvkit.role=latency pvkit.name=partitioned" \
		--vm "name=s,vcpus=1,mem=384M,$ROOT_ITEMS,$args pvkit.role=latency pvkit.name=scheduled"
	guest_run "$log.crowded" --timeout 1500 --pcpus 2 \
		--vm "name=p,vcpus=1,mem=384M,partitioned=yes,$ROOT_ITEMS,$args pvkit.role=latency pvkit.name=beside" \
		--vm "name=s,vcpus=1,mem=384M,$ROOT_ITEMS,$args pvkit.role=latency pvkit.name=crowded" \
		--vm "name=spin,vcpus=1,mem=384M,$ROOT_ITEMS,$args pvkit.role=spin pvkit.seconds=15"
	cat "$log.crowded" >>"$log"
	for n in partitioned scheduled beside crowded; do
		case $n in
		partitioned) what="partitioned VM, a scheduled VM on the other pCPU" ;;
		scheduled) what="that scheduled VM" ;;
		beside) what="partitioned VM, a scheduled and a spinning VM on the other pCPU" ;;
		crowded) what="that scheduled VM" ;;
		esac
		for w in Avg Max; do
			record "partition.latency.$n.$(echo $w | tr AM am)_us" "$(value "$log" $n.$w)" us \
				"cyclictest -p 90 -i 1000 -l 3000, multi-threaded QEMU, this machine's noise included; $what"
		done
	done
}

# tick_ratio LOG N NAME: of divisor N to that of divisor 1
tick_ratio() { ratio "$(value "$1" "n$2.$3")" "$(value "$1" "n1.$3")"; }

bench_tick() {
	divisors=1:2:4:8:16:32:64 seconds=8 wakeups=5000
	[ "$BENCH_QUICK" = no ] || { divisors=1:16 seconds=2 wakeups=1000; }
	say "tick: pvclock at divisors $divisors, deterministic (some minutes)"
	log=$BUILD/bench-tick.log
	root_guest "$BUILD/tick.cpio" "$TOP/tests/guest/bench-tick.sh" ram
	guest_run "$log" --icount --timeout 2400 --vm "name=tick,vcpus=1,mem=384M,$ROOT_ITEMS,append=$KERNEL_ARGS pvkit.root=/dev/vda pvkit.divisors=$divisors pvkit.seconds=$seconds pvkit.wakeups=$wakeups"
	how="icount, 1 vCPU on 1 pCPU, a task that computes for $seconds s"
	for n in $(echo $divisors | tr : ' '); do
		per_s() { awk "BEGIN { printf \"%.2f\", $(value "$log" "n$n.$1") / $seconds }"; }
		record "tick.n$n.interrupts_per_s" "$(per_s hog.interrupts)" interrupts/s "timer interrupts in the guest; $how"
		record "tick.n$n.exits_per_s" "$(per_s hog.exits)" exits/s "timer exits by the hypervisor's counters; $how"
		record "tick.n$n.tick_instructions_per_s" \
			"$(awk "BEGIN { printf \"%.0f\", $(value "$log" "n$n.hog.lost_us") * 1000 / $seconds }")" instructions/s \
			"the time that the task loses to all else; $how"
		for w in hog.stat hog.rusage duty.stat duty.rusage; do
			record "tick.n$n.$w.ratio" "$(ratio "$(value "$log" "n$n.${w}_us")" "$(value "$log" "n$n.${w%.*}.cpu_us")")" ratio \
				"CPU time by ${w#*.} (/proc/stat, getrusage) / by the scheduler's clock; duty computes for 30 % of $((seconds * 3)) s"
		done
		record "tick.n$n.fairness" "$(value "$log" "n$n.share")" ratio "smaller share of two tasks that compute on one vCPU / half; $how"
		record "tick.n$n.switches_per_s" "$(per_s switches)" switches/s "context switches of one of two that compute; $how"
		worst=0
		for l in idle loaded; do
			r=$(tick_ratio "$log" "$n" usleep300.$l.worst)
			worst=$(awk "BEGIN { print ($r > $worst ? $r : $worst) }")
		done
		record "tick.n$n.usleep300_worst_ratio" "$worst" ratio "worst of $wakeups sleeps of 300 us, median of 3 times that, / the same at divisor 1; SCHED_FIFO, idle and beside a task that computes; icount"
		tick_cyclic "$n"
	done
	bench_tick_slack
}

# cyclictest: percentiles, and the share of wake-ups beyond 1.05 times the 99.9th of divisor 1
tick_cyclic() {
	p50=0 p999=0
	for l in idle loaded; do
		for us in 50 200 1000; do
			a=$(tick_ratio "$log" "$1" cyclic.$l.$us.p50) b=$(tick_ratio "$log" "$1" cyclic.$l.$us.p999)
			p50=$(awk "BEGIN { print ($a > $p50 ? $a : $p50) }") p999=$(awk "BEGIN { print ($b > $p999 ? $b : $p999) }")
		done
	done
	ct="cyclictest -p 90, intervals 50, 200, 1000 us, idle and beside a task that computes, $wakeups wake-ups each; icount"
	record "tick.n$1.cyclictest_p50_ratio" "$p50" ratio "median / of divisor 1, worst of 6 cells; $ct"
	record "tick.n$1.cyclictest_p999_ratio" "$p999" ratio "99.9th percentile / of divisor 1, worst of 6 cells; $ct"
	record "tick.n$1.cyclictest_late_percent" "$(results "$log" | awk -v p="n$1.cyclic." -v all="$((6 * wakeups))" '
		index($1, p) == 1 && /\.late / { late += $2 } END { printf "%.4f\n", 100 * late / all }')" percent \
		"of all wake-ups, later than 1.05 times the 99.9th percentile of divisor 1; $ct"
}

bench_tick_slack() {
	say "tick: two vCPUs that compute on one pCPU, with and without slack"
	seconds=4 sleeps=2000
	[ "$BENCH_QUICK" = no ] || { seconds=2 sleeps=1000; }
	log=$BUILD/bench-tick-slack.log
	guest_initrd "$BUILD/tick-slack.cpio" "$TOP/tests/guest/bench-tick-slack.sh"
	guest_run "$log" --icount --timeout 1500 --vm "name=tick,vcpus=2,mem=256M,kernel=$KIMAGE,initrd=$BUILD/tick-slack.cpio,reset=stop,append=$KERNEL_ARGS maxcpus=1 pvkit.seconds=$seconds pvkit.sleeps=$sleeps"
	for s in N Y; do
		[ $s = N ] && name=pvtimer0 || name=pvtimer1
		record "tick.$name.timer_exits_per_s" "$(value "$log" slack.$s.timer_exits | awk -v s=$seconds '{ print $1 / s }')" exits/s "divisor 16, 2 vCPUs on 1 pCPU, a task that computes on each; icount, $seconds s"
		record "tick.$name.usleep300.median" "$(value "$log" slack.$s.median)" us "$sleeps sleeps of 300 us, SCHED_FIFO, beside these"
	done
}
