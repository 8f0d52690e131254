#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The Spin models of pvlock: the algorithm must pass, also with interrupts that wait for locks, and
# each broken variant must be caught.
#
# /// suite
# time = "host"
# limit = 1800
# seconds = 30
# groups = ["locks"]
# level = "quick"
# ///
src=$TOP/tests/model
mkdir -p "$BUILD/model"
cd "$BUILD/model" || exit 1
n=0
echo 1..12

model=pvlock.pml cc_flags=

# verify NAME FLAGS...: exit status 0 if Spin found no error in $model.
verify() {
	name=$1
	shift
	mkdir -p "$name"
	# shellcheck disable=SC2086
	(cd "$name" && spin "$@" -a "$src/$model" >spin.log 2>&1 &&
		gcc -O2 -DSAFETY -DCOLLAPSE $cc_flags -DMEMLIM=3000 -w -o pan pan.c &&
		timeout 300 ./pan -m1000000 >pan.log 2>&1) || return 2
	grep -q 'errors: 0' "$name/pan.log" && ! grep -q 'search depth too small\|out of memory\|MEMLIM bound' "$name/pan.log"
}

holds() {
	n=$((n + 1))
	if verify "$@"; then r=ok; else r="not ok"; fi
	echo "$r $n - $1 holds ($(sed -n 's/^ *\([0-9]*\) states, stored.*/\1/p' "$1/pan.log") states)"
}
caught() {
	n=$((n + 1))
	verify "$@"
	if grep -q 'errors: [1-9]' "$1/pan.log"; then r=ok; else r="not ok"; fi
	echo "$r $n - $1 is caught"
}

holds pvlock-3-vcpus -DNV=3 -DROUNDS=1
holds pvlock-2-vcpus-3-rounds -DNV=2 -DROUNDS=3
holds pvlock-2-vcpus-5-rounds -DNV=2 -DROUNDS=5
caught no-kick -DNO_KICK
caught no-barrier -DNO_BARRIER
caught no-lock -DNO_LOCK
caught halt-behind-native -DHALT_BEHIND_NATIVE
caught head-halts -DHEAD_HALTS

# "provided" and partial order reduction exclude each other.
model=nested.pml cc_flags=-DNOREDUCE
holds nested-2-vcpus
caught nested-wait-without-looking-again -DLATE
caught nested-interrupts-on -DIRQS_ON
caught nested-interrupts-off-without-looking -DNO_LOOK
