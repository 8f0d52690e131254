# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Guest side of `pvkit bench net`, in the Debian root of two VMs: iperf3 between
# them (pvkit.role=server, client), and from the client through the uplink to
# the machine that QEMU runs on. iperf3's JSON goes to the last disk, as a tar
# archive. pvhyp is loaded only for the hypervisor's counters.
# Prints lines: RESULT name value
. /lib.sh
ROLE=$(word role)
MB=$(word mb)
LAST=$(find /dev -name 'vd?' | sort | tail -1)
mkdir -p /tmp/out
insmod /modules/pvhyp.ko
ip link set lo up
ip link set eth0 up
for q in /sys/class/net/eth0/queues/tx-*; do [ -e "$q" ]; queues=$((${queues:-0} + 1)); done
[ "$queues" = 1 ] || ethtool -L eth0 combined "$queues"

# Name and options of each run between the VMs.
runs() {
	cat <<-END
	warm -n 1M
	short -n 8M
	long -n $((MB + 8))M
	tcp1 -n ${MB}M
	tcp1_reverse -R -n ${MB}M
	tcp4 -P 4 -n ${MB}M
	tcp4_reverse -P 4 -R -n ${MB}M
	udp64 -u -b 0 -l 64 -t 2
	udp64_reverse -u -R -b 0 -l 64 -t 2
	END
}

# rate NAME: received Mbit/s of a run that has ended
rate() {
	awk -v end="$(grep -q '"sum_received"' "/tmp/out/$1.json" && echo sum_received || echo sum)" '
		index($0, "\"" end "\":") { on = 1 } on && /"bits_per_second"/ { gsub(",", ""); r = $2; on = 0 }
		END { printf "%.1f\n", r / 1e6 }' "/tmp/out/$1.json"
}

client() {
	ip addr add 10.0.2.16/24 dev eth0
	ip addr add 192.168.7.2/24 dev eth0
	until ping -c 1 -W 1 192.168.7.1 >/dev/null 2>&1 || busybox ping -c 1 -W 1 192.168.7.1 >/dev/null 2>&1; do
		sleep 0.1
	done
	runs | while read -r name options; do
		sleep 1
		# shellcheck disable=SC2086
		cost "$name" iperf3 -c 192.168.7.1 -J $options </dev/null >"/tmp/out/$name.json" ||
			{ echo "FAILED $name"; cat "/tmp/out/$name.json"; }
		echo "RESULT net.stock.$name.mbit $(rate "$name")"
		echo "RESULT net.stock.$name.retransmits $(awk '/"retransmits"/ { gsub(",", ""); r = $2 } END { print r + 0 }' "/tmp/out/$name.json")"
	done
	port=$(word uplink)
	[ -n "$port" ] || return
	for name in uplink uplink_reverse; do
		sleep 1
		[ $name = uplink ] && reverse='' || reverse=-R
		# shellcheck disable=SC2086
		iperf3 -c 10.0.2.2 -p "$port" -J $reverse -n 16M </dev/null >"/tmp/out/$name.json" ||
			{ echo "FAILED $name"; cat "/tmp/out/$name.json"; }
		echo "RESULT net.stock.$name.mbit $(rate $name)"
	done
}

server() {
	ip addr add 192.168.7.1/24 dev eth0
	runs | while read -r name options; do
		cost "$name" iperf3 -s -1 -J </dev/null >"/tmp/out/server.$name.json"
	done
}

$ROLE
cost_per "cost.$ROLE" short long "$MB"
tar -C /tmp/out -cf "$LAST" .
sync
