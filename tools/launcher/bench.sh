# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Measurements: the command, and what its parts, in tools/bench, have in common. Every
# figure says how it was got; see Documentation/measuring.md.

bench_usage() {
	cat <<-'END'
	usage: ./pvkit bench WHAT... [--icount | --real-time] [--quick] [--resume] [--json FILE] [--html FILE] [--markdown FILE]
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
	  --real-time  only the others
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
for part in "$TOP"/tools/bench/*.sh; do . "$part"; done

BENCH_ALL="exits size boot lock matrix blk net tick noop nic guest partition work"
BENCH_REAL_TIME="lock matrix blk net partition work"	# what has a part bench_*_rt: several pCPUs, in real time
BENCH_ONLY_REAL_TIME="work"				# ...and no other
STARTS=5						# of what takes the median of that many, see record_starts

# shellcheck disable=SC2034
cmd_bench() {
	peers='' json='' page='' markdown='' compare='' kernel='' what='' BENCH_QUICK=no BENCH_ICOUNT=no BENCH_RESUME=no real_time=no
	while [ $# -gt 0 ]; do
		case $1 in
		exits | lock | size | boot | work | blk | net | tick | noop | account | nic | guest | partition | matrix) what="$what $1"; shift ;;
		all) what=$BENCH_ALL; shift ;;
		--icount) BENCH_ICOUNT=yes; shift ;;
		--real-time) real_time=yes; shift ;;
		--quick) BENCH_QUICK=yes; shift ;;
		--resume) BENCH_RESUME=yes; shift ;;
		--peers) peers=peers; shift ;;
		--kernel)
			[ $# -ge 2 ] || die_usage "$1 needs a name"
			kernel=$2
			shift 2
			;;
		--json | --html | --markdown | --compare)
			[ $# -ge 2 ] || die_usage "$1 needs a file name"
			case $1 in --json) json=$2 ;; --html) page=$2 ;; --markdown) markdown=$2 ;; *) compare=$2 ;; esac
			shift 2
			;;
		-h | --help) bench_usage; return 0 ;;
		*) die_usage "bench: unknown '$1' (try ./pvkit bench --help)" ;;
		esac
	done
	what="$what $peers"
	[ "$what" != " " ] || die_usage "bench: what? $BENCH_ALL, account or all"
	case $BENCH_ICOUNT$real_time in
	yesyes) die_usage "bench: --icount or --real-time, not both" ;;
	yesno) bench_has "$what" "$BENCH_ALL account" "$BENCH_ONLY_REAL_TIME" "in real time only" ;;
	noyes) bench_has "$what" "$BENCH_REAL_TIME" '' "nothing of it is in real time" ;;
	esac
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

# bench_has WHAT SOME BUT WHY: one of WHAT, at least, is of SOME and not of BUT
bench_has() {
	bh_why=$4
	for w in $1; do
		case " $3 " in *" $w "*) continue ;; esac
		case " $2 peers " in *" $w "*) return 0 ;; esac
	done
	die_usage "bench: $(echo "$1" | xargs): $bh_why"
}

# bench_all_parts: of $what. Deterministic ones on all CPUs of this machine at a time,
# which changes nothing; those in real time one by one.
bench_all_parts() {
	# shellcheck disable=SC2034
	DETERMINISTIC=no icount_parts='' rt_parts=''
	for w in $what; do
		case " $BENCH_ONLY_REAL_TIME " in *" $w "*) ;; *) icount_parts="$icount_parts $w" ;; esac
		case " $BENCH_REAL_TIME " in *" $w "*) rt_parts="$rt_parts ${w}_rt" ;; esac
	done
	[ -z "$peers" ] || rt_parts="$rt_parts projection"
	[ "$BENCH_ICOUNT" = no ] || rt_parts=${peers:+projection}
	[ "$real_time" = no ] || icount_parts=''
	# shellcheck disable=SC2086
	bench_parts "$(cpus)" $icount_parts
	# shellcheck disable=SC2086
	bench_parts any $rt_parts
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

thousandths() { awk "BEGIN { printf \"%.3f\", $1 / 1000 }" | sed 's/\.\{0,1\}0*$//'; }

ratio() { awk "BEGIN { printf \"%.4f\", $1 / $2 }"; }

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

# record_starts LOG RESULT NAME UNIT HOW [DIVISOR]: a tail, which chance decides: the worst
# of several runs with shifted starts as NAME, and their median, which a limit may judge,
# as NAME.median5
record_starts() {
	rs_values=$(results "$1" | awk -v n="$2" -v d="${6:-1}" '$1 == n { printf "%s%.4f", s, $2 / d; s = "," }')
	[ "$(echo "$rs_values" | tr , '\n' | wc -l)" = "$STARTS" ] || die "bench: not $STARTS starts for $3 (see $1)"
	rs_sorted=$(echo "$rs_values" | tr , '\n' | sort -g | tr '\n' ' ')
	# shellcheck disable=SC2086
	set -- "$3" "$4" "$5" $rs_sorted
	record "$1" "$8" "$2" "worst of $STARTS runs with shifted starts; $3"
	record "$1.median5" "$6" "$2" "median of $STARTS runs with shifted starts; $3" "$4" "$8" "$rs_values"
}

# root_on OPTIONS...: where root_guest has the root in a run with these
root_on() { case " $* " in *" --icount "*) echo ram ;; *) echo snapshot ;; esac; }

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
