#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The modules' tests in any guest, by themselves (./pvkit ktap makes an archive of them).
# usage: run [SUITE...]
#   pvlock     wants our hypervisor and 2 CPUs; skipped elsewhere
#   pvclock    anywhere; its figures are exact only under QEMU's -icount
#   nic        our hypervisor, eth0, and Debian's ethtool, iproute2
#   noop       OVERWRITES virtio disks with the serial numbers one, two and ro
#   virtio_pv  our hypervisor; OVERWRITES /dev/vdb and /dev/vdc
# Without SUITE: pvlock and pvclock. As root. Prints KTAP, each suite's indented; exits 1
# if a test fails, 2 if it cannot run.
KTAP=$(cd "$(dirname "$0")" && pwd)
export KTAP PATH="$KTAP/bin:$PATH:/usr/sbin:/sbin"
die() { echo "Bail out! $*"; exit 2; }
case ${1:-} in -h | --help) sed -n '/^# usage/,/^KTAP/s/^# \{0,1\}//p' "$0"; exit 0 ;; esac
[ $# -gt 0 ] || set -- pvlock pvclock
for suite; do
	[ -e "$KTAP/ktap-$suite.sh" ] || die "there is no suite $suite (--help lists them)"
done
[ "$(id -u)" = 0 ] || die "root only: it loads modules"
kernel=$(tr '\0' '\n' <"$KTAP/modules/pvhyp.ko" | sed -n 's/^vermagic=\([^ ]*\) .*/\1/p')	# busybox's modinfo wants them installed
[ "$kernel" = "$(uname -r)" ] || die "these modules are for kernel $kernel, this is $(uname -r): ./pvkit ktap makes others"
! grep -qE '^(pvlock|pvclock|virtio_pv|blk_noop|pvhyp) ' /proc/modules || die "our modules are loaded: unload them first"
grep -q ' /sys/kernel/debug ' /proc/mounts || mount -t debugfs debugfs /sys/kernel/debug || die "no debugfs"

# Do they find the hypervisor here?
insmod "$KTAP/modules/pvhyp.ko" 2>/dev/null
[ -e /sys/kernel/debug/pvhyp/exits ] && ours=yes || ours=no
rmmod pvhyp 2>/dev/null

echo "KTAP version 1"
echo "1..$#"
n=0 failed=0
for suite; do
	n=$((n + 1))
	case $suite:$ours in
	pvclock:* | noop:* | *:yes) ;;
	*) echo "ok $n $suite # SKIP no hypervisor of pvkit's here"; continue ;;
	esac
	sh "$KTAP/ktap-$suite.sh" 2>&1 </dev/null | sed 's/^/    /' | tee "$KTAP/$suite.log"
	planned=$(sed -n 's/^ *1\.\.//p' "$KTAP/$suite.log")
	if [ "$(grep -c '^ *ok ' "$KTAP/$suite.log")" = "${planned:-none}" ]; then
		echo "ok $n $suite"
	else
		echo "not ok $n $suite"
		failed=1
	fi
done
exit $failed
