#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Stock Debian kernels boot to a shell. Argument: quick, normal or long.
#
# /// suite
# time = "real"
# limit = 900
# seconds = 90
# groups = ["hypervisor"]
# level = "quick"
# args = "{level}"
# ///
. "$TOP/tests/tap.sh"
. "$LAUNCHER/common.sh"
. "$LAUNCHER/build.sh"
kernel_setup 6.12 cloud-arm64
guest_initrd "$WORK/boot-test.cpio" "$TOP/tests/guest/boot-test.sh"

# boots KERNEL VCPUS PCPUS [OPTIONS...]
boots() {
	kernel=$1 vcpus=$2 pcpus=$3
	shift 3
	"$TOP/pvkit" run --timeout 400 --pcpus "$pcpus" "$@" --vm "name=boot,vcpus=$vcpus,mem=512M,kernel=$kernel,initrd=$WORK/boot-test.cpio,reset=stop,append=$KERNEL_ARGS" >"$WORK/boot.log" 2>&1 </dev/null
	status=$?
	[ $status = 0 ] && grep -q "^BOOTED cpus=$vcpus " "$WORK/boot.log" ||
		{ tail -5 "$WORK/boot.log" | sed 's/^/# /'; return 1; }
	grep "^BOOTED" "$WORK/boot.log" | sed 's/^/# /'
}
steal() { grep -q "^BOOTED.* steal=[1-9]" "$WORK/boot.log"; }
# A kernel of another flavour; it may be missing from the archive only if all are.
flavour() {
	(kernel_setup "$1" "$2" && echo "$KIMAGE" >"$WORK/image") || return 1
	boots "$(cat "$WORK/image")" 2 1
}
gzipped() {
	gzip -1c "$KIMAGE" >"$WORK/Image.gz" && boots "$WORK/Image.gz" 1 1
}

if [ "$1" = quick ]; then
	plan 3
	expect "1 vCPU on 1 pCPU" boots "$KIMAGE" 1 1
	expect "4 vCPUs on 2 pCPUs" boots "$KIMAGE" 4 2
	expect "steal time is reported" steal
	exit
fi
plan 15
for p in 1 2; do
	for v in 1 2 4 8; do
		expect "$v vCPUs on $p pCPUs" boots "$KIMAGE" $v $p
	done
done
expect "steal time is reported" steal
expect "hypervisor as arm64 Image" boots "$KIMAGE" 2 2 --image
expect "gzip'd kernel" gzipped
expect "cortex-a72" boots "$KIMAGE" 2 1 --cpu cortex-a72
expect "6.12 arm64-16k" flavour 6.12 arm64-16k
expect "6.12 rt-arm64" flavour 6.12 rt-arm64
expect "6.1 cloud-arm64" flavour 6.1 cloud-arm64
