# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
. /lib.sh
echo "# uname -r; nproc; grep '^cpu ' /proc/stat"
uname -r
nproc
grep '^cpu ' /proc/stat
echo "# insmod pvhyp.ko; insmod pvlock.ko; dmesg | grep pv; cat /sys/kernel/debug/pvlock/hooks"
load pvhyp
load pvlock
dmesg | grep -E 'pv(hyp|lock):' | grep -v taint | grep -v signature
cat /sys/kernel/debug/pvlock/hooks
