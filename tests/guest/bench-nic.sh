# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Guest side of `pvkit bench nic`, in the Debian root of two VMs (pvkit.role=server,
# client): a TCP stream, small UDP packets and a ping-pong between them, by each of
# pvkit.modes: stock, the NIC as it comes, or a profile of pvnic on both sides.
# Prints lines: RESULT name value
. /lib.sh
ROLE=$(word role)
MB=$(word mb)
STREAMS=$(word streams)	# tcp or tcp:udp
PINGS=$(word pings | tr : ' ')
MODES=$(word modes | tr : ' ')
insmod /modules/pvhyp.ko
ip link set lo up
[ "$ROLE" = server ] && me=1 || me=2
ip addr add "192.168.7.$me/24" dev eth0
ip link set eth0 up
NAME=$(basename "$(readlink -f /sys/class/net/eth0/device)")
interrupts() { awk -v d="$NAME" '$NF == d || index($NF, d "-") == 1 { for (i = 2; $i ~ /^[0-9]+$/; i++) s += $i } END { print s + 0 }' /proc/interrupts; }

# Both know the order. A port each time, so that the two keep together.
runs() {
	cat <<-END
	$1 warm -n 1M
	$(($1 + 1)) short -n 8M
	$(($1 + 2)) long -n $((MB + 8))M
	END
	[ "$STREAMS" != tcp ] || return 0
	cat <<-END
	$(($1 + 3)) udp_short -u -b 4M -l 64 -n 250000
	$(($1 + 4)) udp -u -b 4M -l 64 -n 750000
	END
}
field() { awk -v s="\"$2\":" -v f="\"$3\":" 'index($0, s) { on = 1 } on && index($0, f) { gsub(/[",]/, ""); print $NF; exit }' "$1"; }

client() {
	runs "$port" | while read -r p name options; do
		i=$(interrupts)
		# shellcheck disable=SC2086
		until cost "$1.$name" iperf3 -c 192.168.7.1 -p "$p" -J $options </dev/null >"/tmp/$name.json"; iperf3_ok "/tmp/$name.json"; do
			grep -q refused "/tmp/$name.json" || { echo "FAILED $1 $name"; cat "/tmp/$name.json"; break; }
			sleep 0.1
			i=$(interrupts)
		done
		i=$(($(interrupts) - i))
		end=sum_received
		grep -q "\"$end\"" "/tmp/$name.json" || end=sum
		echo "RESULT $1.$name.mbit $(field "/tmp/$name.json" $end bits_per_second | awk '{ printf "%.1f", $1 / 1e6 }')"
		echo "RESULT $1.$name.client.interrupts $i"
		echo "RESULT $1.$name.seconds $(field "/tmp/$name.json" $end seconds)"
		echo "RESULT $1.$name.bytes $(field "/tmp/$name.json" $end bytes)"
	done
	for proto in $PINGS; do
		[ "$proto" = tcp ] && { set -- "$1" --tcp -p 11112; } || set -- "$1" -p 11111
		mode=$1
		shift
		sockperf ping-pong -i 192.168.7.1 "$@" -t 1 --full-rtt >/tmp/sockperf 2>&1 || { echo "FAILED sockperf"; cat /tmp/sockperf; }
		for p in 50.000 99.000; do
			echo "RESULT $mode.pingpong.$proto.p${p%.000} $(sed -n "s/.*percentile $p *= *\([0-9.]*\).*/\1/p" /tmp/sockperf)"
		done
		set -- "$mode"
	done
}

server() {
	runs "$port" | while read -r p name options; do
		i=$(interrupts)
		cost "$1.$name" iperf3 -s -1 -p "$p" -J </dev/null >/dev/null
		echo "RESULT $1.$name.server.interrupts $(($(interrupts) - i))"
	done
}

if [ "$ROLE" = server ]; then
	sockperf server -i 192.168.7.1 -p 11111 >/dev/null 2>&1 &
	sockperf server -i 192.168.7.1 -p 11112 --tcp >/dev/null 2>&1 &
else
	until busybox ping -c 1 -W 1 192.168.7.1 >/dev/null 2>&1; do sleep 0.1; done
fi
port=5201
for m in $MODES; do
	[ "$m" = stock ] || busybox sh /bin/pvnic apply -p "$m" eth0 || exit 1
	$ROLE "$m"
	# The client's ping-pongs are of this mode on both sides.
	if [ "$ROLE" = server ]; then
		iperf3 -s -1 -p $((port + 9)) >/dev/null
	else
		until iperf3 -c 192.168.7.1 -p $((port + 9)) -n 1M >/dev/null 2>&1; do sleep 0.1; done
	fi
	port=$((port + 10))
	cost_per "cost.$m.tcp.$ROLE" "$m.short" "$m.long" "$MB"
	[ "$STREAMS" = tcp ] || cost_per "cost.$m.udp.$ROLE" "$m.udp_short" "$m.udp" 0.5	# MB that it sends more
	[ "$m" != stock ] || continue
	busybox sh /bin/pvnic show eth0 | sed 's/^/# /'
	busybox sh /bin/pvnic restore eth0
done
