# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Guest side of tests/kselftest.sh, in the Debian root. Prints KTAP, and each
# selftest's end without and with the modules.
. /lib.sh
cd /modules/kselftest || exit
list=$(cat kselftest-list.txt)
# shellcheck disable=SC2086
plan $(($(set -- $list; echo $#) + 4))
ip link set lo up
# What the root has not, like grep, is busybox's.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin:/tmp/busybox
mkdir /tmp/busybox
[ -e /bin/sh ] || ln -s bash /bin/sh
busybox --install -s /tmp/busybox
failures() { grep -E '^(# *)*(not ok|Bail out)|\.\.not ok|\[FAIL' "$1" | grep -v 'selftests:' | sed 's/.*\.\.not ok/not ok/; s/^[# ]*//; s/[[:space:]]\{1,\}/ /g' | tr '\n' ';'; }
# ends FILE: "collection:test ok|not ok|skip" of each
ends() {
	for t in $list; do
		began=$(date +%s)
		bash ./run_kselftest.sh -o 600 -t "$t" >"/tmp/$1.$t" 2>&1
		case $(grep -E '^(not )?ok [0-9]+ selftests:' "/tmp/$1.$t" | tail -1) in
		"not ok"*SKIP* | ok*SKIP*) e=skip ;;
		"not ok"*TIMEOUT*) e=timeout ;;
		"not ok"*) e="not ok: $(failures "/tmp/$1.$t")" ;;
		ok*) e=ok ;;
		*) e=nothing ;;
		esac
		# The output of some does not come through the runner.
		if [ "$e" = "not ok: " ]; then
			(cd "${t%%:*}" && "./${t#*:}") >"/tmp/$1.$t" 2>&1
			e="not ok: $(failures "/tmp/$1.$t")"
		fi
		echo "$t $e"
		echo "# $1: $t: $e $(($(date +%s) - began)) s" >/dev/console
	done >"/tmp/$1"
}
ends stock
all() {
	insmod /modules/pvhyp.ko && insmod /modules/pvlock.ko && insmod /modules/pvclock.ko tick_divisor=16 &&
		insmod /modules/virtio_pv.ko && insmod /modules/blk-noop.ko disks=vdb
}
check "all modules load" all
use "$(device_of /sys/class/net/eth0)" adaptive
ends pvkit
end() { sed -n "s/^$2 //p" "/tmp/$1"; }
# no_worse TEST: it ends as without, or of what fails without, some does not: ITIMER_PROF's
# limit is one of real time, which four vCPUs on a pCPU meet or not.
no_worse() {
	case $(end pvkit "$1") in
	"$(end stock "$1")") return 0 ;;
	"not ok: "?*) ;;
	*) return 1 ;;
	esac
	end pvkit "$1" | sed 's/^not ok: //' | tr ';' '\n' | while read -r f; do
		[ -z "$f" ] || end stock "$1" | grep -qF "$f;" || exit 1
	done
}
alike() {
	echo "# $1: $(end stock "$1"); with the modules: $(end pvkit "$1")"
	[ "$(end stock "$1")" != nothing ] && no_worse "$1" ||
		{ tail -3 "/tmp/pvkit.$1" | sed 's/^/# /'; diff "/tmp/stock.$1" "/tmp/pvkit.$1" | head -30 | sed 's/^/# /'; return 1; }
}
for t in $list; do check "kselftest $t ends as without" alike "$t"; done
pass() { n=$(grep -c ' ok$' /tmp/stock) all=$(wc -l </tmp/stock); echo "# $n of $all pass"; [ $((n * 100)) -ge $((all * 55)) ]; }
check "most pass" pass
unload() { rmmod blk-noop && use "$(device_of /sys/class/net/eth0)" stock && rmmod virtio_pv && rmmod pvclock && rmmod pvlock && rmmod pvhyp; }
check "they unload" unload
quiet() { ! dmesg | grep -E "BUG|WARNING|Oops|soft lockup|rcu:.*stall|KASAN" | sed 's/^/# /' | grep .; }
check "nothing to complain of" quiet
