# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Guest side of `pvkit bench net`, in the Debian root of two VMs: iperf3 between
# them (pvkit.role=server, client), by each of pvkit.policies in turn; or with the
# stock driver through the uplink to the machine that QEMU runs on (pvkit.role=uplink,
# pvkit.port). iperf3's JSON goes to the host. With policy "stock"
# pvhyp is loaded only for the hypervisor's counters.
# Prints lines: RESULT name value
. /lib.sh
ROLE=$(word role)
MB=$(word mb)
POLICIES=$(word policies | tr : ' ')
mkdir -p /tmp/out
insmod /modules/pvhyp.ko
case " ${POLICIES:=stock} " in " stock ") ;; *) insmod /modules/virtio_pv.ko || exit 1 ;; esac
NIC=$(device_of /sys/class/net/eth0)
ip link set lo up

# nic POLICY ADDRESS...: have it driven that way
nic() {
	use "$NIC" "$1" || { echo "FAILED: the NIC cannot use $1"; exit 1; }
	# Where the hypervisor polls, the guest may, too: for 500 us, before it sleeps
	# (50 on a processor, says the kernel; the emulated one is that much slower).
	[ "$1" = poll ] && us=500 || us=0
	echo "$us" >/proc/sys/net/core/busy_read
	echo "$us" >/proc/sys/net/core/busy_poll
	shift
	ip link set eth0 up
	queues=0
	for q in /sys/class/net/eth0/queues/tx-*; do [ -e "$q" ] && queues=$((queues + 1)); done
	[ "$queues" = 1 ] || ethtool -L eth0 combined "$queues"
	for a; do ip addr replace "$a" dev eth0; done
}

# Name and options of each run between the VMs; with pvkit.runs=cost those for exits,
# with pvkit.runs=tcp no UDP.
runs() {
	cat <<-END
	warm -n 1M
	short -n 8M
	long -n $((MB + 8))M
	END
	[ "$(word runs)" != cost ] || return 0
	cat <<-END
	tcp1 -n ${MB}M
	tcp1_reverse -R -n ${MB}M
	tcp4 -P 4 -n ${MB}M
	tcp4_reverse -P 4 -R -n ${MB}M
	END
	[ "$(word runs)" != tcp ] || return 0
	cat <<-END
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

# Both know the order. A port for each run, so that the two keep together.
client() {
	port=5201
	for p in $POLICIES; do
		nic "$p" 192.168.7.2/24
		until busybox ping -c 1 -W 1 192.168.7.1 >/dev/null 2>&1; do sleep 0.1; done
		at=$port
		runs | while read -r name options; do
			# shellcheck disable=SC2086
			until cost "$p.$name" iperf3 -c 192.168.7.1 -p $at -J $options </dev/null >"/tmp/out/$p.$name.json"; iperf3_ok "/tmp/out/$p.$name.json"; do
				grep -q refused "/tmp/out/$p.$name.json" || { echo "FAILED $p $name"; cat "/tmp/out/$p.$name.json"; break; }
				sleep 0.1
			done
			echo "RESULT net.$p.$name.mbit $(rate "$p.$name")"
			case $name in udp*) echo "RESULT net.$p.$name.sent_mbit $(awk '/"sum_sent":/ { on = 1 } on && /"bits_per_second"/ { gsub(",", ""); r = $2; on = 0 } END { printf "%.1f\n", r / 1e6 }' "/tmp/out/$p.$name.json")" ;; esac
			echo "RESULT net.$p.$name.retransmits $(awk '/"retransmits"/ { gsub(",", ""); r = $2 } END { print r + 0 }' "/tmp/out/$p.$name.json")"
			at=$((at + 1))
		done
		port=$((port + 10))
	done
}

uplink() {
	nic stock 10.0.2.16/24
	port=$(word port)
	for name in uplink uplink_reverse; do
		sleep 1
		[ $name = uplink ] && reverse='' || reverse=-R
		# shellcheck disable=SC2086
		iperf3 -c 10.0.2.2 -p "$port" -J $reverse -n 16M </dev/null >"/tmp/out/$name.json"
		iperf3_ok "/tmp/out/$name.json" || { echo "FAILED $name"; cat "/tmp/out/$name.json"; }
		echo "RESULT net.stock.$name.mbit $(rate $name)"
	done
}

server() {
	port=5201
	for p in $POLICIES; do
		nic "$p" 192.168.7.1/24
		at=$port
		runs | while read -r name options; do
			cost "$p.$name" iperf3 -s -1 -p $at -J </dev/null >"/tmp/out/server.$p.$name.json"
			at=$((at + 1))
		done
		port=$((port + 10))
	done
}

$ROLE
[ "$ROLE" = uplink ] || for p in $POLICIES; do
	cost_per "cost.$p.$ROLE" "$p.short" "$p.long" "$MB"
done
save /tmp/out
