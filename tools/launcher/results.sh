# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# What `pvkit bench` does with figures: one file for each part that it measures, kept
# by what it was built from, so that an interrupted run goes on (--resume) and figures
# of different builds never meet; then a table, JSON, a page, a comparison.

# bench_identity: what the figures are of. Sets BENCH_DIR.
bench_identity() {
	id=$({
		cat "$BUILD/hyp-stub/hyp-stub.elf" "$BASE_INITRAMFS" "$KIMAGE" "$TOP"/tests/guest/*.sh "$TOP"/tools/launcher/*.sh "$TOP"/tools/bench/*.sh
		qemu-system-aarch64 --version
		aarch64-linux-gnu-gcc --version
	} | sha256sum | cut -c 1-12)
	BENCH_DIR=$BUILD/bench/$id
	[ "$BENCH_QUICK" = no ] || BENCH_DIR=$BENCH_DIR-quick
	[ "$BENCH_ICOUNT" = no ] || BENCH_DIR=$BENCH_DIR-icount
	[ "${BENCH_RESUME:-no}" = yes ] || rm -rf "$BENCH_DIR"
	mkdir -p "$BENCH_DIR"
}

# bench_parts CPUS PART...: measures each that is not there yet, the longest first, one on
# each of CPUS at a time and kept there (qemu-icount.sh stays where it is); "any" for one
# after the other. Says how long it will be.
bench_parts() {
	bp_cpus=$1 bp_running='' bp_n=0
	bp_slots=$(echo "$bp_cpus" | wc -w)
	for bp_cpu in $bp_cpus; do eval "bp_on_$bp_cpu="; done
	shift
	# Not by several of them at once
	build_guest_modules
	build_root
	# shellcheck disable=SC2046
	set -- $(for p; do echo "$(bench_seconds "$p") $p"; done | sort -rn | cut -d ' ' -f 2)
	for bp_part; do
		bp_n=$((bp_n + 1))
		if [ -e "$BENCH_DIR/$bp_part.tsv" ]; then
			say "[$bp_n/$#] $bp_part: measured before"
			continue
		fi
		until bench_free; do sleep 0.5; done
		left=$(for p; do [ -e "$BENCH_DIR/$p.tsv" ] || bench_seconds "$p"; done |
			awk -v n="$bp_slots" '{ s += $1; if ($1 > m) m = $1 } END { s /= n; printf "%d", ((s > m ? s : m) + 59) / 60 }')
		say "[$bp_n/$#] $bp_part: about $left minutes left of these"
		bench_part "$bp_part" "$bp_cpu" &
		bp_running="$bp_running $!"
		eval "bp_on_$bp_cpu=$!"
	done
	bp_failed=0
	for p in $bp_running; do wait "$p" || bp_failed=1; done
	[ $bp_failed = 0 ] || die "bench: not all could be measured (see above)"
}

# bench_free: sets bp_cpu to one of $bp_cpus that nothing is measured on
bench_free() {
	for bp_cpu in $bp_cpus; do
		eval "bp_pid=\$bp_on_$bp_cpu"
		[ -n "$bp_pid" ] && kill -0 "$bp_pid" 2>/dev/null || return 0
	done
	return 1
}

# bench_part PART CPU: in a shell of its own
bench_part() {
	[ "$2" = any ] || stay_on "$2"
	PART=$1 bp_began=$(date +%s) RESULTS=$BENCH_DIR/$1.new RAW=$BENCH_DIR/$1.raw
	: >"$RESULTS"
	rm -rf "$RAW"
	"bench_$1"
	echo $(($(date +%s) - bp_began)) >"$BUILD/bench/$PART$(bench_mode).seconds"
	mv "$RESULTS" "$BENCH_DIR/$PART.tsv"
}

# bench_gather PART...: their figures, in RESULTS
bench_gather() {
	RESULTS=$BUILD/results.tsv
	for p; do cat "$BENCH_DIR/$p.tsv"; done >"$RESULTS"
}

# figure NAME [FILE]: of RESULTS, or of a part's
figure() { awk -F '\t' -v n="$1" '$1 == n { print $2 }' "${2:-$RESULTS}"; }

bench_mode() { [ "$BENCH_QUICK" = no ] || printf %s -quick; [ "$BENCH_ICOUNT" = no ] || printf %s -icount; }

# About how long each takes, in seconds, and with --quick; where it has not been measured.
BENCH_SECONDS="exits:4:4 size:0:0 boot:12:12 lock:180:28 matrix:440:60 blk:300:75 net:235:33 tick:325:47 noop:220:40
	nic:390:34 guest:31:31 account:110:110 peers:610:610 lock_rt:80:30 matrix_rt:195:22 blk_rt:205:35
	net_rt:170:28 partition:30:30 partition_rt:90:5 work_rt:215:29 projection:0:0"

# bench_seconds PART: as long as last time, or as BENCH_SECONDS says
bench_seconds() {
	cat "$BUILD/bench/$1$(bench_mode).seconds" 2>/dev/null ||
		echo "$BENCH_SECONDS" | tr -s ' \t\n' '\n' | awk -F : -v part="$1" -v column="$([ "$BENCH_QUICK" = yes ] && echo 3 || echo 2)" '
			$1 == part { print $column }'
}

# record NAME VALUE UNIT HOW [LEAST MOST [RUNS]]. Whether it is the same in each run of a
# build depends on the guest run that it is of, the last one (guest_run). A median of
# several runs comes with the least and the most of them, and RUNS, all of them in order.
record() {
	[ -n "$2" ] || die "bench: no figure for $1"
	printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$4" "${DETERMINISTIC:-no}" "${5:-}" "${6:-}" "$PART" "${7:-}" >>"$RESULTS"
}

bench_print() {
	awk -F '\t' '{ printf "%-36s %12s %-13s %s\n", $1, $2, $3, $4 }' "$RESULTS"
}

# keep LOG NAME [VM]: in build/NAME, and with the part's figures, the files that a guest
# (of several, VM) has put on its console with save.
keep() {
	rm -rf "${BUILD:?}/$2"
	mkdir -p "$BUILD/$2"
	tr -d '\r' <"$1" | sed -n "s/^\(\[${3:-[a-z]*}\] \)\{0,1\}FILES //p" | base64 -d | tar -C "$BUILD/$2" -xzf - ||
		die "the guest has left no results (see $1)"
	[ -z "${RAW:-}" ] || { mkdir -p "$RAW/$2" && cp "$BUILD/$2"/*.json "$RAW/$2/" 2>/dev/null || true; }
}

# bench_json: all figures, what they are of, and what fio and iperf3 said
bench_json() {
	/usr/bin/python3 "$TOP/tools/report/figures.py" json "$RESULTS" "$BENCH_DIR" \
		"cpus=$(jobs)" "arch=$(uname -m)" "qemu=$(qemu-system-aarch64 --version | sed -n '1s/.*version \([0-9.]*\).*/\1/p')" \
		"compiler=$(aarch64-linux-gnu-gcc -dumpfullversion)" "kernel=$KVER" \
		"commit=$(git -C "$TOP" describe --always --dirty 2>/dev/null || echo unknown)" "quick=$BENCH_QUICK" "icount=$BENCH_ICOUNT"
}
