# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# For guest scripts: KTAP (Documentation/dev-tools/ktap.rst in Linux), what the
# host has asked for, and what the hypervisor counts.
ktap_n=0
ktap_failed=0

# shellcheck disable=SC2034	# fio.sh asks whether this is a test
plan() { ktap_planned=$1; echo "KTAP version 1"; echo "1..$1"; }

ok() { ktap_n=$((ktap_n + 1)); echo "ok $ktap_n $*"; }
not_ok() { ktap_n=$((ktap_n + 1)); ktap_failed=$((ktap_failed + 1)); echo "not ok $ktap_n $*"; }
skip() { ktap_n=$((ktap_n + 1)); echo "ok $ktap_n $1 # SKIP $2"; }

# check NAME COMMAND...: a test case that passes if the command succeeds.
check() {
	name=$1
	shift
	if "$@"; then ok "$name"; else not_ok "$name"; fi
}

# note TEXT...: a diagnostic line that `pvkit check` shows. What chance decides is noted, not judged.
note() { echo "# note: $*"; }

# spread NUMBER...: of what chance decides, for a note
spread() { printf '%s\n' "$@" | sort -n | awk '{ v[NR] = $1 } END { printf "%s least, %s median, %s most of %d\n", v[1], v[int((NR + 1) / 2)], v[NR], NR }'; }

# by_level QUICK NORMAL LONG: what there is for pvkit.level= of the kernel command line
# (normal if there is none): PVKIT_LEVEL of the host
by_level() { case $(word level) in quick) echo "$1" ;; long) echo "$3" ;; *) echo "$2" ;; esac; }

# until_or SECONDS COMMAND...: COMMAND over and over until it succeeds; fails when the time
# is over. For what must happen sooner or later, and is made likelier by COMMAND itself,
# which has no until_or of its own.
until_or() {
	read -r uo_end _ </proc/uptime
	uo_end=$((${uo_end%.*} + $1))
	shift
	until "$@"; do
		read -r uo_now _ </proc/uptime
		[ "${uo_now%.*}" -lt $uo_end ] || return 1
	done
}

# soon COMMAND...: succeeds within a minute, on a machine that is busy. For what happens by itself.
soon() { for _ in $(seq 600); do "$@" && return; sleep 0.1; done; return 1; }

# Where our files are: at the root of an initramfs of ours, elsewhere by ktap-run.sh
KTAP=${KTAP:-}

# has_kasan: as our debug kernel, which has lockdep, too: all takes some ten times as long
has_kasan() { grep -q " kasan_report$" /proc/kallsyms; }

load() { m=$1; shift; insmod "$KTAP/modules/$m.ko" "$@"; }

# all_cpus: those that maxcpus=1 has kept off: booting with more vCPUs than pCPUs, and
# without pvlock, is what takes long
all_cpus() { for c in /sys/devices/system/cpu/cpu[1-9]*; do [ ! -e "$c/online" ] || echo 1 >"$c/online"; done; }

# save DIRECTORY: its files to the host, which takes them from the console (keep in
# bench.sh): a disk of the host's would answer in its own time.
save() { tar -C "$1" -cf - . | gzip -9 | busybox base64 | sed 's/^/FILES /'; }

# word NAME: of pvkit.NAME= on the kernel command line
word() { sed -n "s/.*pvkit.$1=\([^ ]*\).*/\1/p" /proc/cmdline; }

# The hypervisor's counters, name=value; exits are summed over vCPUs.
counters() {
	cat /sys/kernel/debug/pvhyp/instructions
	awk 'NR > 1 { s = 0; for (i = 2; i <= NF; i++) s += $i; print $1 "=" s }' /sys/kernel/debug/pvhyp/exits
}

# cost NAME COMMAND...: what it cost this VM, to /tmp/cost.NAME
cost() {
	cost_name=$1
	shift
	counters >/tmp/before
	"$@"
	cost_status=$?
	counters >/tmp/after
	awk -F = 'NR == FNR { b[$1] = $2; next } { d = $2 - b[$1]; if (d < 0) d += 4294967296; print $1, d }' \
		/tmp/before /tmp/after >"/tmp/cost.$cost_name"
	return $cost_status
}

# cost_per PREFIX SHORT LONG UNITS: of one of the UNITS that LONG has more than
# SHORT, so that starting the program and reading the counters cancel out.
cost_per() {
	awk -v w="$1" -v n="$4" 'NR == FNR { b[$1] = $2; next } { printf "RESULT %s.%s %.3f\n", w, $1, ($2 - b[$1]) / n }' \
		"/tmp/cost.$2" "/tmp/cost.$3"
}

# iperf3_ok JSON: with -J it exits 0 whatever happened, and says there what.
iperf3_ok() { grep -q '"end":' "$1" && ! grep -q '"error":' "$1"; }

# bind DEVICE DRIVER: have a platform device driven by virtio-mmio or virtio_pv
bind() {
	bind_d=/sys/bus/platform/devices/$1
	[ ! -e "$bind_d/driver" ] || echo "$1" >"$bind_d/driver/unbind"
	echo "$2" >"$bind_d/driver_override"
	echo "$1" >/sys/bus/platform/drivers_probe
	[ "$(basename "$(readlink "$bind_d/driver")")" = "$2" ]
}

# use DEVICE POLICY: "stock" is virtio-mmio, others are of virtio_pv, which is loaded
use() {
	use_now=$(basename "$(readlink "/sys/bus/platform/devices/$1/driver")")
	case $2 in
	stock | '') [ "$use_now" = virtio-mmio ] || bind "$1" virtio-mmio ;;
	*)
		[ "$use_now" = virtio_pv ] || bind "$1" virtio_pv || return 1
		echo "$2" >"/sys/bus/platform/devices/$1/policy"
		;;
	esac
}

# device_of PATH: the platform device behind a block or network device's directory in sysfs
device_of() { basename "$(dirname "$(readlink -f "$1/device")")"; }
