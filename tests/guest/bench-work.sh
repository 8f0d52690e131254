# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Guest side of `pvkit bench work`: real programs, native and with pvlock in
# turn. Lower is better for hackbench, higher for stress-ng.
. /lib.sh
P=/sys/module/pvlock/parameters
RUNS=$(word runs)
load pvhyp
load pvlock enabled=0
all_cpus
i=0
while [ $i -lt "$RUNS" ]; do
	for mode in native pv; do
		case $mode in
		native) echo 0 >$P/enabled ;;
		pv) echo 1 >$P/enabled ;;
		esac
		sleep 0.2
		hackbench -g 4 -l "$(word loops)" | sed -n "s/^Time: /RESULT hackbench.$mode /p"
		stress-ng --temp-path /tmp --rename 8 --timeout "$(word seconds)" --metrics-brief 2>&1 |
			awk -v m=$mode '$4 == "rename" { print "RESULT rename." m, $9 }'
	done
	i=$((i + 1))
done
sed 's/^/RESULT stats./' /sys/kernel/debug/pvlock/stats
