# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# virtio_pv in the Debian root, KTAP: devices moved to it and back under load,
# policies, CPUs going and coming, hibernation, the console, what it counts.
# /dev/vdb and /dev/vdc are RAM, the last for swap; eth0 has an uplink.
# pvkit.rounds: how often what is done again and again is done. pvkit.polling: a
# pCPU polls, and the GIC delivers interrupts itself.
. "${KTAP:-}/lib.sh"
. "$KTAP/fio.sh"
ROUNDS=$(word rounds)
POLLING=$(word polling)
POLICIES="immediate adaptive piggyback${POLLING:+ poll}"
mkdir -p /tmp/out
plan 27
B=$(device_of /sys/block/vdb)
NIC=$(device_of /sys/class/net/eth0)
for d in /sys/bus/platform/devices/*.virtio_mmio; do
	[ "$(cat "$d"/virtio*/device)" != 0x0003 ] || CONSOLE=$(basename "$d")
done
exit_sum() { counters | awk -F = -v which="^($1)\$" '$1 ~ which { s += $2 } END { print s }'; }
# counting REASONS: how many of these counting itself makes, which are calls: always as
# many, so it is the least of many goes, as whatever else happens adds to it
counting() {
	[ -e "/tmp/counting.$1" ] || for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		counting_from=$(exit_sum "$1")
		echo $(($(exit_sum "$1") - counting_from))
	done | sort -n | head -1 >"/tmp/counting.$1"
	cat "/tmp/counting.$1"
}
# exits REASONS COMMAND...: how many of these it costs, and whatever else happens meanwhile
exits() {
	exits_which=$1
	shift
	exits_from=$(exit_sum "$exits_which")
	"$@" >/dev/null 2>&1
	exits_to=$(exit_sum "$exits_which")
	echo $((exits_to - exits_from - $(counting "$exits_which")))
}
quiet() { ! dmesg | grep -E "BUG|WARNING|Oops|lockup|rcu:.*stall|I/O error, dev vdb|blk_update.*vdb|virtio.*(broken|failed)" | sed 's/^/# /' | grep .; }
good() { job good /dev/vdb --rw=randwrite --bs=4k --iodepth=8 --ioengine=libaio --size=2M --verify=crc32c --verify_fatal=1; }
pinged() { busybox ping -c 2 -W 2 10.0.2.2 >/dev/null; }
nic_up() { ip link set eth0 up && ip addr replace 10.0.2.15/24 dev eth0 && pinged; }

insmod "$KTAP/modules/pvhyp.ko"
check "it loads" insmod "$KTAP/modules/virtio_pv.ko"
bind "$B" virtio-mmio
check "a disk" bind "$B" virtio_pv
# Whatever else happens meanwhile adds to either, so that the least of several goes count.
stocks='' ours=''
measure_both() {
	bind "$B" virtio-mmio && stocks="$stocks $(exits mmio_virtio bind "$B" virtio-mmio)" || return 0
	bind "$B" virtio_pv && ours="$ours $(exits "mmio_virtio|hvc" bind "$B" virtio_pv)" || return 0
	# shellcheck disable=SC2086
	[ "$(echo $ours | wc -w)" -ge 5 ] && fewer
}
# shellcheck disable=SC2086
least() { printf '%s\n' $1 | sort -n | head -1; }
fewer() { [ "$(least "$ours")" -lt "$(least "$stocks")" ]; }
fewer_exits() {
	until_or 60 measure_both
	# shellcheck disable=SC2086
	note "exits to unbind and bind a disk: by virtio-mmio $(spread $stocks), by virtio_pv $(spread $ours)"
	fewer
}
check "...is set up with fewer exits" fewer_exits
check "...works" good
check "a NIC" bind "$NIC" virtio_pv
check "...works" nic_up

# 4,000 bytes at once: to the PL011, and to the virtio console. The terminals do
# not add carriage returns, for which they would cut each line into three writes.
seq 100000 100443 | sed 's/^/# /' >/tmp/text
stty -F /dev/ttyAMA0 -opost
# shellcheck disable=SC2016	# $1 is of the inner shell
drained() { sh -c 'cat /tmp/text >"$1"; stty -F "$1" -echo' sh "$1"; }	# stty waits until all is out
pl011=$(exits mmio_uart drained /dev/ttyAMA0)
check "a console" bind "$CONSOLE" virtio_pv
exec 3>/dev/hvc0		# else it forgets
stty -F /dev/hvc0 -opost
echo immediate >"/sys/bus/platform/devices/$CONSOLE/policy"
all=$(wc -c </tmp/text)
# Kicks of its queues: at most one per buffer, and a buffer has 16 bytes and more.
console_kicks() { awk '{ for (i = 1; i <= NF; i++) if ($i ~ /^sent=/) { sub("sent=", "", $i); s += $i } } END { print s + 0 }' /sys/kernel/debug/virtio_pv/"$(basename /sys/bus/platform/devices/"$CONSOLE"/virtio*)"/queues; }
few_kicks() {
	kicks_before=$(console_kicks)
	hvc=$(exits "mmio_.*|hvc|notify" drained /dev/hvc0)
	kicks=$(($(console_kicks) - kicks_before))
	note "$all bytes: $pl011 exits by the PL011, $hvc by the virtio console, $kicks kicks"
	[ $kicks -gt 0 ] && [ $kicks -le $((all / 16)) ]
}
check "...writes 4,000 bytes with a few exits" few_kicks
stty -F /dev/ttyAMA0 opost echo
exec 3>&-

policies() {
	for p in $POLICIES; do
		use "$B" "$p" && grep -q "\[$p\]" "/sys/bus/platform/devices/$B/policy" && good || return 1
	done
}
check "each policy" policies
# Interrupts without exits: many are counted, few exits are made for them.
lpi_count() { awk -v d="$1" '$0 ~ d { s = 0; for (i = 2; i <= 1 + '"$(nproc)"'; i++) s += $i; print s; exit }' /proc/interrupts; }
DISK_IRQ="pvkit .*$(basename "$(readlink -f /sys/block/vdb/device)")"
# Where an interrupt takes an exit, there are as many exits by IPIs as interrupts, or more;
# there are others, so that a good run may have some, too.
lpi_run() {
	lpi_before=$(lpi_count "$DISK_IRQ")
	ipis=$(exits irq_ipi job lpi /dev/vdb --rw=randread --bs=4k --iodepth=4 --ioengine=libaio --size=8M --io_size=16M --norandommap)
	lpis=$(($(lpi_count "$DISK_IRQ") - lpi_before))
	note "$lpis interrupts of the disk, $ipis exits by IPIs"
	[ "$lpis" -gt 0 ] && [ "$ipis" -lt "$lpis" ]
}
by_lpi() {
	use "$B" poll || return 1
	busybox sh -c 'while :; do :; done' &	# so that it is busy when they come
	hog=$!
	until_or 60 lpi_run
	lpi_status=$?
	kill $hog
	return $lpi_status
}
# Each CPU in turn takes the disk's interrupts, all of them.
lpi_of() { awk -v i="$irq:" -v c=$(($1 + 2)) '$1 == i { print $c }' /proc/interrupts; }
lpi_moves() {
	irq=$(sed -n "s/^ *\([0-9]*\):.*$DISK_IRQ\$/\1/p" /proc/interrupts)
	for cpu in 1 0 1; do
		echo $cpu >"/proc/irq/$irq/smp_affinity_list" || return 1
		here=$(lpi_of $cpu) there=$(lpi_of $((1 - cpu)))
		good || return 1
		[ "$(lpi_of $cpu)" -gt "$here" ] && [ "$(lpi_of $((1 - cpu)))" = "$there" ] || return 1
	done
}
if [ -n "$POLLING" ]; then
	check "the GIC delivers interrupts without exits" by_lpi
	check "...to the CPU that is to have them" lpi_moves
else
	skip "the GIC delivers interrupts without exits" "no GICv4"
	skip "...to the CPU that is to have them" "no GICv4"
fi
[ -n "$POLLING" ] || check "polling is refused where no pCPU polls" sh -c "! echo poll >/sys/bus/platform/devices/$B/policy 2>/tmp/err && grep -q 'not supported' /tmp/err"
[ -z "$POLLING" ] || check "polling can be chosen" grep -q "\[poll\]" "/sys/bus/platform/devices/$B/policy"
check "nonsense is refused" sh -c "! echo nonsense >/sys/bus/platform/devices/$B/policy 2>/dev/null && ! echo 5 >/sys/module/virtio_pv/parameters/max_delay_us 2>/dev/null"

next_policy() {
	# shellcheck disable=SC2086
	set -- "$1" $POLICIES
	shift $(($1 % ($# - 1) + 1))
	use "$B" "$1" && more_written /dev/vdb 50
}
check "policies change under load" while_verifying /dev/vdb next_policy
cpus() { echo 0 >/sys/devices/system/cpu/cpu1/online && more_written /dev/vdb 50 && echo 1 >/sys/devices/system/cpu/cpu1/online && more_written /dev/vdb 50; }
use "$B" piggyback
check "CPUs go and come under load" while_verifying /dev/vdb cpus
delays() { echo $((20 + $1 * 37 % 9000)) >/sys/module/virtio_pv/parameters/max_delay_us && more_written /dev/vdb 50; }
check "the bound changes under load" while_verifying /dev/vdb delays
echo 200 >/sys/module/virtio_pv/parameters/max_delay_us
# Kicks are deferred now: from each CPU, so to each queue.
each_cpu() {
	for cpu in 0 1; do
		job each /dev/vdb --rw=randread --bs=4k --iodepth=4 --ioengine=libaio --size=1M --cpus_allowed=$cpu || return 1
	done
}
counted() {
	awk '{ for (i = 1; i <= NF; i++) { split($i, a, "="); v[a[1]] = a[2] }
		n = split(v["delays"], d, ","); s = 0; for (i = 1; i <= n; i++) s += d[i]
		if (v["name"] != "req.0" && v["name"] != "req.1") next
		seen++
		if (v["sent"] > v["asked"] || s != v["drains"] || !v["asked"] || !v["drains"]) bad = 1 }
		END { exit !(seen == 2 && !bad) }' /sys/kernel/debug/virtio_pv/*/queues
}
# Soon: requests of what has just been ended may still be under way.
sums() {
	each_cpu && soon counted && return
	sed 's/^/# /' /sys/kernel/debug/virtio_pv/*/queues
	return 1
}
check "kicks and delays are counted" sums
check "nothing to complain of so far" quiet

# pvstat, while something goes on. There is no /bin/sh in this root.
pvstat() { busybox sh /bin/pvstat "$@"; }
pvstat_with() {
	fio --name=busy --filename=/dev/vdb --direct=1 --rw=randread --bs=4k --iodepth=4 --ioengine=libaio --size=8M \
		--time_based --runtime=600 >/dev/null 2>&1 &
	busy_from=$(awk '{ print $1 }' "/sys/block/vdb/stat")
	until [ "$(awk '{ print $1 }' "/sys/block/vdb/stat")" -gt $((busy_from + 1000)) ]; do sleep 0.1; done
	pvstat "$@" >/tmp/pvstat
	pkill fio
	wait
}
use "$B" immediate
text() { pvstat_with --once && awk '/^notify / && $2 > 0 { n = 1 } /^total/ { t = 1 } /req.[01]/ && $2 > 0 && / immediate$/ { q = 1 } END { exit !(n && t && q) }' /tmp/pvstat; }
check "pvstat shows exits and kicks" until_or 60 text
sed 's/^/# /' /tmp/pvstat
json() { pvstat_with --once --json --interval 0.5 && grep -q '^{"seconds": .*"exits": {"hvc_fast": .*"notify": [1-9].*"queues": {.*"asked": [1-9].*}}$' /tmp/pvstat; }
check "...as JSON" until_or 60 json
two_lines() { [ "$(wc -l </tmp/pvstat)" -ge 2 ]; }
follow() {
	busybox sh /bin/pvstat --json >/tmp/pvstat &
	soon two_lines
	f=$?
	kill $!
	return $f
}
check "...again and again" follow
check "...and refuses what it does not know" sh -c "! busybox sh /bin/pvstat --twice 2>/dev/null"

# Devices that go while they are used: those who use them get errors, nobody else.
under_load() { [ "$(written /dev/vdb)" -gt "$load_from" ]; }
rebind() {
	i=0
	while [ $i -lt "$ROUNDS" ]; do
		load_from=$(written /dev/vdb)
		fio --name=lost --filename=/dev/vdb --direct=1 --rw=randrw --bs=4k --iodepth=16 --ioengine=libaio --size=8M \
			--time_based --runtime=60 >/dev/null 2>&1 &
		fio_pid=$!
		busybox ping -i 0.02 10.0.2.2 >/dev/null 2>&1 &
		ping_pid=$!
		soon under_load || return 1
		case $((i % 3)) in
		0) bind "$B" virtio-mmio && bind "$B" virtio_pv && use "$B" "${POLICIES##* }" || return 1 ;;
		1) bind "$NIC" virtio-mmio && bind "$NIC" virtio_pv || return 1 ;;
		2)
			rmmod virtio_pv && [ ! -e /sys/kernel/debug/virtio_pv ] && insmod "$KTAP/modules/virtio_pv.ko" || return 1
			for d in "$B" "$NIC" "$CONSOLE"; do bind "$d" virtio_pv || return 1; done
			;;
		esac
		kill $ping_pid
		kill $fio_pid 2>/dev/null
		wait
		i=$((i + 1))
	done
}
check "bound, unbound, removed $ROUNDS times under load" rebind
check "...and the disk works" good
check "...and the NIC" nic_up
hibernate() {
	mkswap /dev/vdc >/dev/null 2>&1 && swapon /dev/vdc && cat /sys/block/vdc/dev >/sys/power/resume 2>/dev/null
	echo 0 >/sys/power/image_size
	echo test_resume >/sys/power/disk && echo disk >/sys/power/state && dmesg | grep -q "hibernation exit" && good && pinged
}
if [ ! -e /sys/power/disk ] || ! grep -q test_resume /sys/power/disk; then
	skip "it survives hibernation" "no test_resume in this kernel"
else
	case $(uname -r) in
	# Linux 5904de0d735b: it opened the swap device exclusively, which swapon has.
	[1-5].* | 6.[0-3].*) skip "it survives hibernation" "test_resume does not work before Linux 6.4" ;;
	*) check "it survives hibernation" hibernate ;;
	esac
fi
back() { bind "$B" virtio-mmio && bind "$NIC" virtio-mmio && bind "$CONSOLE" virtio-mmio && rmmod virtio_pv && good && nic_up; }
check "all go back to virtio-mmio, and it unloads" back
