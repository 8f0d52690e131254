# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Guest side of tests/pvclock-kselftest.sh: each selftest without pvclock and at
# N=16 must end alike, with as many failures. Prints KTAP.
. /lib.sh
cd /kselftest || exit
set -- *
plan $(($# + 3))
run() {
	"./$1" >"/tmp/$1.$2" 2>&1
	echo "exit status $?, $(grep -cE '^not ok|\[FAIL|FAILED' "/tmp/$1.$2") failures" >"/tmp/$1.$2.end"
}
for t; do run "$t" kernel; done
load pvhyp
check "it loads" load pvclock tick_divisor=16
alike() {
	run "$1" coarse
	echo "# $1: $(cat "/tmp/$1.kernel.end"); at N=16: $(cat "/tmp/$1.coarse.end")"
	cmp -s "/tmp/$1.kernel.end" "/tmp/$1.coarse.end" || { diff "/tmp/$1.kernel" "/tmp/$1.coarse" | head -40 | sed 's/^/# /'; return 1; }
}
for t; do check "kselftest $t ends as without" alike "$t"; done
check "it unloads" rmmod pvclock
quiet() { ! dmesg | grep -E "BUG|WARNING|Oops|soft lockup|rcu:.*stall" | sed 's/^/# /' | grep .; }
check "nothing to complain of" quiet
