# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# The ends and sleeps of a guest's kernel with all modules loaded, one per boot:
# pvkit.what. Kernels follow each other here, so lines "LIFE ok ..." and "LIFE not ok
# ..." are made a test by the host's side, tests/suites/life.sh; "LIFE done" is the last.
# /dev/vda: Debian root; /dev/vdb: kernel and initrd, or swap; /dev/vdc: data; eth0.
# pvkit.long: fio and hackbench run meanwhile. pvkit.at: where pages were in the
# kernel before, pvkit.sum: checksum of the data.
. /lib.sh
WHAT=$(word what)
ROUNDS=$(word rounds)
ROUND=$(word round)
LONG=$(word long)
DATA=/dev/vdc
SLOT=/sys/block/vdc
: "${ROUND:=0}"

say() { echo "LIFE $*"; }
# expect NAME COMMAND...
expect() {
	e_name=$1
	shift
	if "$@"; then say "ok $WHAT $ROUND: $e_name"; else say "not ok $WHAT $ROUND: $e_name"; fi
}
io_errors="|I/O error, dev vdc"
quiet() {
	! dmesg | grep -E -A25 "BUG|WARNING|Oops|lockup|rcu:.*stall|cannot register$io_errors" | head -60 | sed 's/^/# /' | grep .
}
# within SECONDS COMMAND...: it ends, whatever it says; $status is what it said
within() {
	w_time=$1
	shift
	"$@" &
	w_pid=$!
	while [ "$w_time" -gt 0 ] && kill -0 $w_pid 2>/dev/null; do sleep 1; w_time=$((w_time - 1)); done
	kill -0 $w_pid 2>/dev/null && return 1
	wait $w_pid
	status=$?
}
data_sum() { dd if=$DATA bs=1M count=4 iflag=direct 2>/dev/null | sha256sum | cut -d ' ' -f 1; }
sum_is() { [ "$(data_sum)" = "$1" ]; }

load_all() {
	for m in pvhyp virtio_pv pvlock pvclock; do insmod /modules/$m.ko || return 1; done
	modprobe virtio_net 2>/dev/null
	use "$(device_of "$SLOT")" piggyback || return 1
	[ ! -e /sys/class/net/eth0 ] || bind "$(device_of /sys/class/net/eth0)" virtio_pv || return 1
	[ ! -e /sys/class/net/eth0 ] || ip link set eth0 up
	[ -z "$LONG" ] || insmod /modules/blk-noop.ko
	insmod /modules/pvpages.ko
}
# Each CPU reads in turn: its page, its doorbells, its queue.
each_cpu_reads() {
	for cpu in 0 1; do
		within 10 taskset $((cpu + 1)) dd if=$DATA of=/dev/null bs=4k count=50 skip=$((cpu * 50 + 100)) iflag=direct 2>/tmp/dd || return 1
		[ "$status" = 0 ] || return 1
	done
}
all_have_pages() { [ "$(grep -c 'state=\(running\|blocked\|preempted\)' /sys/kernel/debug/pvhyp/vcpus)" = "$(nproc)" ]; }
busy() {
	[ -n "$LONG" ] || return 0
	fio --name=busy --filename=$DATA --direct=1 --rw=randwrite --bs=4k --iodepth=8 --ioengine=libaio --offset=8M --size=8M \
		--verify=crc32c --verify_backlog=128 --verify_fatal=1 --time_based --runtime=3000 --eta=never >/tmp/busy.log 2>&1 &
	busy_pid=$!
	hackbench -g 1 -l 1000000 >/dev/null 2>&1 &
	hack_pid=$!
	sleep 1
}
still_busy() { [ -z "$LONG" ] || { kill -0 "$busy_pid" && ! grep -iE "verify:|error=" /tmp/busy.log; }; }

# --- kexec, kdump ---

# not_ours: of pvkit.at, without what has become this kernel's own data
not_ours() {
	range=$(sed -n 's/^ *\([0-9a-f]*\)-\([0-9a-f]*\) : Kernel data$/0x\1 0x\2/p' /proc/iomem)
	for a in $(word at | tr ',' ' '); do
		[ $((a)) -ge $((${range% *})) ] && [ $((a)) -le $((${range#* })) ] || printf '%s,' "$a"
	done
}
watch() {
	echo 3 >/proc/sys/vm/drop_caches
	at=$(not_ours)
	insmod /modules/canary.ko "at=${at%,}" spare_mb="$1" || return 1
	sleep 3
	bad=$(cat /sys/module/canary/parameters/bad)
	echo "# $(word at)"
	echo "# of these pages $(cat /sys/module/canary/parameters/watched) watched, $(cat /sys/module/canary/parameters/busy) in use here; $(cat /sys/module/canary/parameters/taken_mb) MB taken: $bad words changed"
	dmesg | grep canary: | head -5 | sed 's/^/# /'
	# A few may be what this kernel had its init code in, which is free memory now.
	watched=$(cat /sys/module/canary/parameters/watched) busy_pages=$(cat /sys/module/canary/parameters/busy)
	rmmod canary && [ "$watched" -gt "$busy_pages" ] && [ "$bad" = 0 ]
}
arguments() {
	echo "console=ttyAMA0 quiet panic=-1 pvkit.root=/dev/vda pvkit.what=$WHAT pvkit.rounds=$ROUNDS pvkit.round=$((ROUND + 1)) pvkit.sum=$SUM pvkit.at=$(cat /sys/module/pvpages/parameters/at) ${LONG:+pvkit.long=1}"
}
# reserve: our device tree, with the pages in question reserved, so that nobody else uses them
reserve() {
	dtc -q -I dtb -O dts /sys/firmware/fdt >/tmp/old.dts || return 1
	{
		echo "/dts-v1/;"
		for a in $(tr ',' ' ' </sys/module/pvpages/parameters/at); do echo "/memreserve/ $a 0x1000;"; done
		grep -vE '^/dts-v1/|^/memreserve/' /tmp/old.dts
	} >/tmp/new.dts
	dtc -q -I dts -O dtb -o /tmp/new.dtb /tmp/new.dts
}
# next_kernel OPTION [ARGUMENTS]: load it
next_kernel() {
	reserve || return 1
	mkdir -p /tmp/p
	mount -o ro /dev/vdb /tmp/p || return 1
	nk_option=$1
	shift
	nk_dtb=
	[ "$nk_option" = -p ] || nk_dtb=--dtb=/tmp/new.dtb
	# shellcheck disable=SC2086
	kexec -c -i "$nk_option" /tmp/p/Image $nk_dtb --initrd=/tmp/p/initrd --command-line="$(arguments) $*" || return 1
	umount /tmp/p
}
came_back() {
	# Not of the boot: on a busy host jitterentropy's self-test stalls a CPU for a minute.
	dmesg -c >/dev/null
	expect "nothing writes to what was the last kernel's" watch "$1"
	expect "all modules load" load_all
	echo "# $(cut -d ' ' -f 1 /proc/uptime) s after the start; exits that took place: $(counters | grep -E "=[0-9]{4,}$" | tr '\n' ' ')"
	expect "every CPU has a page" all_have_pages
	expect "the data are there" sum_is "$(word sum)"
	expect "each CPU reads" each_cpu_reads
	expect "nothing to complain of" quiet
}
first() {
	expect "all modules load" load_all
	dd if=/dev/urandom of=$DATA bs=1M count=4 oflag=direct 2>/dev/null
}
run_kexec() {
	if [ "$ROUND" = 0 ]; then first; else came_back 96; fi
	[ "$ROUND" -lt "$ROUNDS" ] || return
	SUM=$(data_sum)
	next_kernel -l || { say "not ok $WHAT $ROUND: the kernel is loaded"; return; }
	busy
	sync
	mount -o remount,ro /
	kexec -e
}
run_kdump() {
	if [ "$ROUND" != 0 ]; then
		expect "it was a crash" test -s /proc/vmcore
		came_back 24
		return
	fi
	first
	SUM=$(data_sum)
	# the module parameter of the same name: notifiers come before the crash kernel
	[ -z "$(word post)" ] || echo Y >/sys/module/kernel/parameters/crash_kexec_post_notifiers
	[ -z "$(word noftrace)" ] || echo 0 >/proc/sys/kernel/ftrace_enabled
	next_kernel -p nr_cpus=1 reset_devices || { say "not ok $WHAT: the crash kernel is loaded"; return; }
	busy
	sync
	taskset -c "$(word cpu)" sh -c 'echo c >/proc/sysrq-trigger'
}

# --- suspend and hibernation ---

asleep() {
	soon test -e /sys/power/state
	ROUND=1
	while [ $ROUND -le "$ROUNDS" ]; do
		expect "it sleeps and comes back" sh -c "echo $1 >/sys/power/state"
		expect "every CPU has a page" all_have_pages
		expect "each CPU reads" each_cpu_reads
		expect "the data are there" sum_is "$SUM"
		expect "who was busy still is" still_busy
		ROUND=$((ROUND + 1))
	done
	expect "nothing to complain of" quiet
}
run_hibernate() {
	first
	SUM=$(data_sum)
	use "$(device_of /sys/block/vdb)" piggyback
	mkswap /dev/vdb >/dev/null && swapon /dev/vdb
	echo shutdown >/sys/power/disk
	echo 0 >/sys/power/image_size
	busy
	asleep disk
	[ -z "$LONG" ] || kill "$busy_pid" "$hack_pid"
}
# The same rounds without power-off: woken by the clock that pvkit's guests have not: by pm_test.
run_idle() {
	first
	SUM=$(data_sum)
	echo devices >/sys/power/pm_test 2>/dev/null || { say "ok $WHAT: # SKIP no pm_test in this kernel"; return; }
	busy
	asleep freeze
	[ -z "$LONG" ] || kill "$busy_pid" "$hack_pid"
}
# Resumed where the device is not: requests end with errors, and the rest works.
ends_with_error() { within 10 dd if=$DATA of=/dev/null bs=4k count=1 iflag=direct 2>/tmp/dd && [ "$status" != 0 ]; }
run_lost() {
	io_errors=	# they are wanted
	expect "all modules load" load_all
	mkswap /dev/vdb >/dev/null && swapon /dev/vdb
	d=$(device_of "$SLOT")
	echo shutdown >/sys/power/disk
	echo 0 >/sys/power/image_size
	echo disk >/sys/power/state
	say "resumed"
	dmesg | grep -E "pvhyp|pvlock|pvclock|virtio_pv|virtio2" | tail -8 | sed 's/^/# /'
	expect "it says that the device is lost" sh -c "dmesg | grep -q 'device is lost'"
	expect "a read of a lost disk ends with an error" ends_with_error
	expect "its policy cannot be set" sh -c "! echo immediate >/sys/bus/platform/devices/$d/policy 2>/dev/null"
	[ -z "$(word none)" ] || expect "pvlock is off" sh -c "dmesg | grep -q 'pvlock: .*switched off'"
	[ -n "$(word none)" ] || expect "every CPU has a page" all_have_pages
	expect "it can be unbound" within 20 sh -c "echo $d >/sys/bus/platform/drivers/virtio_pv/unbind"
	expect "pvlock and virtio_pv unload" within 20 sh -c "rmmod pvpages virtio_pv pvlock pvclock pvhyp"
	expect "nothing to complain of" quiet
}

# --- races ---

run_races() {
	first
	SUM=$(data_sum)
	d=$(device_of "$SLOT")
	echo devices >/sys/power/pm_test 2>/dev/null
	while :; do echo 0 >/sys/devices/system/cpu/cpu1/online; echo 1 >/sys/devices/system/cpu/cpu1/online; done 2>/dev/null &
	a=$!
	while :; do for p in piggyback immediate adaptive; do echo $p >"/sys/bus/platform/devices/$d/policy"; done; done 2>/dev/null &
	b=$!
	while :; do dd if=$DATA of=/dev/null bs=4k count=20 iflag=direct 2>/dev/null; done &
	c=$!
	ROUND=1
	while [ $ROUND -le "$ROUNDS" ]; do
		( echo freeze >/sys/power/state ) 2>/dev/null &
		e=$!
		rmmod pvpages virtio_pv pvlock pvclock 2>/dev/null
		rmmod pvhyp 2>/dev/null
		insmod /modules/pvhyp.ko 2>/dev/null
		for m in virtio_pv pvlock pvclock pvpages; do insmod /modules/$m.ko 2>/dev/null; done
		use "$d" piggyback 2>/dev/null
		wait $e
		expect "suspend, rmmod, CPU off and policies at once" quiet
		ROUND=$((ROUND + 1))
	done
	kill $a $b $c
	wait
	echo 1 >/sys/devices/system/cpu/cpu1/online 2>/dev/null
	use "$d" piggyback
	expect "every CPU has a page" all_have_pages
	expect "each CPU reads" each_cpu_reads
	expect "the data are there" sum_is "$SUM"
}
# The domain of the device's interrupt cannot be had once the device has an LPI.
run_lpi() {
	insmod /modules/fail_call.ko function=irq_domain_alloc_irqs_parent
	first
	expect "the interrupt could not be had" [ "$(cat /sys/module/fail_call/parameters/calls)" -gt 0 ]
	SUM=$(data_sum)
	expect "a disk works by its wire" each_cpu_reads
	expect "the data are there" sum_is "$SUM"
	rmmod fail_call
	use "$(device_of "$SLOT")" stock
	use "$(device_of "$SLOT")" poll
	expect "...and without the fault by an LPI" grep -q "pvkit .*virtio" /proc/interrupts
	expect "...which works" each_cpu_reads
	expect "nothing to complain of" quiet
}

[ -e "$SLOT" ] || { modprobe virtio_mmio; modprobe virtio_blk; sleep 1; }
if [ -n "$(word resume)" ]; then
	cat /sys/block/vdb/dev >/sys/power/resume
	say "not ok $WHAT: the image is resumed"
	dmesg | tail -5
	exit
fi
run_"$WHAT"
say "done"
