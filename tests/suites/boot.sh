#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Stock Debian kernels boot to a shell. Arguments: quick, normal or long ('': PVKIT_LEVEL);
# and icount, only those on 1 pCPU, which are deterministic, or smp, only those on 2, in
# real time (none: all).
#
# /// suite
# limit = 900
# groups = ["hypervisor"]
# level = "quick"
# [boot]
# time = "icount"
# seconds = 60
# args = "{level} icount"
# [boot-smp]
# time = "real"
# seconds = 40
# args = "{level} smp"
# ///
. "$TOP/tests/tap.sh"
. "$LAUNCHER/common.sh"
. "$LAUNCHER/build.sh"
kernel_setup 6.12 cloud-arm64
guest_initrd "$WORK/boot-test.cpio" "$TOP/tests/guest/boot-test.sh"

files=$WORK/boot log=$WORK/boot.log

# Overcommitted CPUs wait for each other: an instruction is 8 ns, so that a slice is soon over.
export PVKIT_ICOUNT_SHIFT=3

# boots KERNEL VCPUS PCPUS [OPTIONS...]
boots() {
	kernel=$1 vcpus=$2 pcpus=$3
	shift 3
	[ "$pcpus" != 1 ] || set -- --icount "$@"
	"$TOP/pvkit" run --timeout 400 --pcpus "$pcpus" "$@" --vm "name=boot,vcpus=$vcpus,mem=512M,kernel=$kernel,initrd=$WORK/boot-test.cpio,reset=stop,append=$KERNEL_ARGS" >"$files.log" 2>&1 </dev/null
	status=$?
	[ $status = 0 ] && grep -q "^BOOTED cpus=$vcpus " "$files.log" ||
		return 1
	grep "^BOOTED" "$files.log" | sed 's/^/# /'
}
steal() { grep -q "^BOOTED.* steal=[1-9]" "$files.log"; }
# A kernel of another flavour; it may be missing from the archive only if all are.
flavour() {
	(kernel_setup "$1" "$2" && echo "$KIMAGE" >"$files.image") || return 1
	boots "$(cat "$files.image")" 2 1
}
gzipped() {
	gzip -1c "$KIMAGE" >"$files.gz" && boots "$files.gz" 2 1 --cpu cortex-a72
}

quick() { [ "$level" = quick ]; }
on_one() {
	expect "4 vCPUs on 1 pCPU" boots "$KIMAGE" 4 1
	expect "...and steal time is reported" steal
	! quick || return
	for v in 1 2 8; do
		expect "$v vCPUs on 1 pCPU" boots "$KIMAGE" $v 1
	done
	expect "gzip'd kernel, on cortex-a72" gzipped
	expect "6.12 arm64-16k" flavour 6.12 arm64-16k
	expect "6.12 rt-arm64" flavour 6.12 rt-arm64
	expect "6.1 cloud-arm64" flavour 6.1 cloud-arm64
}
on_two() {
	expect "4 vCPUs on 2 pCPUs" boots "$KIMAGE" 4 2
	! quick || return
	for v in 1 2 8; do
		expect "$v vCPUs on 2 pCPUs" boots "$KIMAGE" $v 2
	done
	expect "hypervisor as arm64 Image" boots "$KIMAGE" 2 2 --image
}
level=${1:-${PVKIT_LEVEL:-normal}}
quick && one=2 two=1 || one=9 two=5
case ${2:-} in
icount) plan "$one"; on_one ;;
smp) plan "$two"; on_two ;;
*) plan $((one + two)); on_one; on_two ;;
esac
