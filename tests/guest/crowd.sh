# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Guest side of tests/crowd.sh, in the Debian root of four VMs at once: fio with
# verification on a disk, and iperf3 to the next VM and from the one before, until
# pvkit.requests and pvkit.bytes are done. Prints: RESULT name value
. /lib.sh
all_cpus
N=$(word number)
REQUESTS=$(word requests)
BYTES=$(word bytes)
LIMIT=$(word limit)
address() { echo "192.168.8.$(($1 % 4 + 1))"; }
ip link set lo up
ip link set eth0 up
ethtool -L eth0 combined 2
ip addr add "$(address "$N")/24" dev eth0
iperf3 -s -1 >/tmp/server.log 2>&1 &
# It is a crowd when all are there.
answers() { busybox ping -c 1 -W 1 "$1" >/dev/null 2>&1; }
for other in 1 2 3; do
	until_or "$LIMIT" answers "$(address $((N + other)))" || echo "FAILED: VM $(((N + other) % 4)) does not answer"
done

# took COMMAND...: sets took, in seconds
took() {
	read -r took_from _ </proc/uptime
	"$@"
	took_status=$?
	read -r took_to _ </proc/uptime
	took=$((${took_to%.*} - ${took_from%.*}))
	return $took_status
}
requests() {
	timeout -s KILL "$LIMIT" fio --name=crowd --filename=/dev/vdb --direct=1 --rw=randrw --bs=4k --iodepth=8 --ioengine=libaio \
		--size=32M --io_size=64G --norandommap --number_ios="$REQUESTS" --verify=crc32c --verify_backlog=64 --verify_fatal=1 --eta=never \
		--output=/tmp/fio.json --output-format=json
}
disk() {
	took requests || { echo "FAILED fio"; tail -5 /tmp/fio.json; }
	echo "RESULT fio $(awk '/"total_ios"/ { gsub(",", ""); s += $3 } END { print s + 0 }' /tmp/fio.json)"
	echo "RESULT fio_s $took"
}
# The next one's server may not listen yet.
sent() {
	timeout -s KILL "$LIMIT" iperf3 -c "$(address $((N + 1)))" -n "$BYTES" -J >/tmp/iperf.json
	iperf3_ok /tmp/iperf.json
}
network() {
	took until_or "$LIMIT" sent || { echo "FAILED iperf3"; cat /tmp/iperf.json; }
	echo "RESULT iperf $(awk '/"sum_sent"/ { on = 1 } on && /"bytes"/ { gsub(",", ""); print $2; exit }' /tmp/iperf.json)"
	echo "RESULT iperf_s $took"
}
disk &
network
wait
dmesg | grep -E "I/O error|BUG|WARNING|Oops|lockup|rcu:.*stall|virtio.*broken" | sed 's/^/COMPLAINT /'
echo "DONE"
