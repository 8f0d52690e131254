# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Guest side of `pvkit bench blk`, in the Debian root: fio on /dev/vdb (RAM
# behind the hypervisor) or /dev/vdc (host disk). fio's JSON goes to /tmp/out,
# and from there as a tar archive to the last disk. pvhyp is loaded only for
# the hypervisor's counters. Prints lines: RESULT name value
. /lib.sh
MODE=$(word mode)
LAST=$(find /dev -name 'vd?' | sort | tail -1)
mkdir -p /tmp/out
[ "$MODE" = verify ] || insmod /modules/pvhyp.ko

# job NAME DEVICE ARGUMENTS...
job() {
	job_name=$1 device=$2
	shift 2
	fio --name="$job_name" --filename="$device" --direct=1 --output-format=json \
		--output="/tmp/out/$job_name.json" "$@" >/tmp/fio.log 2>&1 ||
		{ echo "FAILED $job_name"; cat /tmp/fio.log "/tmp/out/$job_name.json"; exit 1; }
}

# iops NAME: summed over jobs, reads and writes
iops() {
	awk '/^  "jobs"/ { on = 1 } on && /^ *"iops" :/ { gsub(",", ""); s += $3 } END { printf "%.1f\n", s }' \
		"/tmp/out/$1.json"
}

# Cost of one request. A first run brings fio into memory.
per_io() {
	for n in 1000 2000 12000; do
		cost $n job "$1.$n" "$2" --rw=randread --bs=4k --iodepth=1 --ioengine=libaio --size=32M \
			--io_size=64G --norandommap --number_ios=$n
	done
	cost_per "$1" 2000 12000 10000
}

matrix() {
	device=$1 prefix=$2 ios=$3
	for engine in libaio io_uring; do
		for pattern in randread:4k randwrite:4k read:128k write:128k; do
			for depth in 1 32; do
				for jobs in 1 4; do
					bs=${pattern#*:} n=$ios
					[ "$bs" = 4k ] || n=$((ios / 8))
					name=$prefix.${pattern%:*}.$bs.qd$depth.j$jobs.$engine
					job "$name" "$device" --rw="${pattern%:*}" --bs="$bs" --iodepth=$depth --numjobs=$jobs \
						--ioengine=$engine --size=32M --io_size=64G --norandommap --number_ios="$n" --group_reporting
					echo "RESULT $name.iops $(iops "$name")"
				done
			done
		done
	done
}

verify() {
	for engine in libaio io_uring; do
		for pattern in randwrite:4k write:128k randrw:4k; do
			for depth in 1 32; do
				for jobs in 1 4; do
					name=verify.${1##*/}.${pattern%:*}.qd$depth.j$jobs.$engine
					job "$name" "$1" --rw="${pattern%:*}" --bs="${pattern#*:}" --iodepth=$depth --numjobs=$jobs \
						--ioengine=$engine --size=6M --offset_increment=6M --verify=crc32c \
						--verify_fatal=1 --group_reporting
					echo "VERIFIED $name"
				done
			done
		done
	done
}

case $MODE in
cost)
	per_io blk.stock /dev/vdb
	per_io host /dev/vdc
	;;
matrix)
	matrix /dev/vdb ram "$(word ios)"
	[ ! -e /dev/vdd ] || matrix /dev/vdc host "$(word ios)"
	;;
verify)
	echo "SERIAL $(cat /sys/block/vdc/serial)"
	verify /dev/vdb
	verify /dev/vdc
	;;
esac
tar -C /tmp/out -cf "$LAST" .
sync
