#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Three VMs on one UART: lines marked with their VM, input that is switched with
# three times Ctrl-A, to a PL011 and to a virtio console.
#
# /// suite
# time = "icount"
# limit = 400
# seconds = 20
# groups = ["devices"]
# ///
. "$TOP/tests/tap.sh"
. "$LAUNCHER/common.sh"
. "$LAUNCHER/build.sh"
kernel_setup 6.12 cloud-arm64
build_guest_modules
guest_initrd "$WORK/console.cpio" "$TOP/tests/guest/console.sh" "$GUEST_DRIVERS"
log=$WORK/console.log
: >"$log"
vm="vcpus=1,mem=256M,kernel=$KIMAGE,initrd=$WORK/console.cpio,reset=stop"
args="append=$KERNEL_ARGS"
next=$(printf '\001\001\001')	# three times Ctrl-A
said() { grep -q "$1" "$log"; }
# after CONDITION [LINE]: type that when it is so, or when its time is over, and cases fail
after() {
	for _ in $(seq 3000); do
		"$1" && break
		sleep 0.1
	done
	[ -z "$2" ] || printf '%s\n' "$2"
}
all_ready() { [ "$(grep -c READY "$log")" -ge 3 ]; }
got_alpha() { said 'GOT alpha'; }
got_beta() { said 'GOT beta'; }
all_off() { said 'hyp: all VMs off'; }
typist() {
	after all_ready alpha
	after got_alpha "$next"beta
	after got_beta "$next"gamma
	after all_off ''
}
typist | PVKIT_ICOUNT_SHIFT=3 "$TOP/pvkit" run --timeout 400 --icount --vm "name=a,$vm,$args" --vm "name=b,$vm,$args" \
	--vm "name=c,$vm,console=virtio,$args pvkit.hvc" >"$log" 2>&1
status=$?
tr -d '\r' <"$log" >"$log.text"
plan 5
tap $status "all three power off in order"
expect "the first VM has the input" grep -q '^\[a\] GOT alpha$' "$log.text"
expect "the second after Ctrl-A three times" grep -q '^\[b\] GOT beta$' "$log.text"
expect "the third, by its virtio console" grep -q '^\[c\] GOT gamma$' "$log.text"
expect "the switch is said" grep -q 'hyp: vm c: has the console input' "$log.text"
