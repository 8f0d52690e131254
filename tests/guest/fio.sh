# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# For guest scripts that run fio in the Debian root. Its JSON goes to /tmp/out.

# fio_json NAME ARGUMENTS...
fio_json() {
	fio_name=$1
	shift
	fio --output-format=json --output="/tmp/out/$fio_name.json" "$@" >/tmp/fio.log 2>&1 ||
		{ echo "FAILED $fio_name"; cat /tmp/fio.log "/tmp/out/$fio_name.json"; exit 1; }
}

# job NAME DEVICE ARGUMENTS...: one job, or some of the same
job() {
	job_name=$1 device=$2
	shift 2
	fio_json "$job_name" --name="$job_name" --filename="$device" --direct=1 "$@"
}

# iops NAME: summed over jobs, reads and writes
iops() {
	awk '/^  "jobs"/ { on = 1 } on && /^ *"iops" :/ { gsub(",", ""); s += $3 } END { printf "%.1f\n", s }' \
		"/tmp/out/$1.json"
}

# per_io NAME DEVICE DEPTH OPTIONS...: cost of one 4 KiB random read, of pvkit.requests
# (LONG:SHORT) less those of the shorter run. The very first run brings fio into memory.
per_warm=1000
per_requests=$(word requests)
: "${per_requests:=12000:2000}"
per_io() {
	per_name=$1 per_device=$2 per_depth=$3
	shift 3
	per_long=${per_requests%:*} per_short=${per_requests#*:}
	for n in $per_warm $per_short $per_long; do
		per_warm=
		cost "$n" job "$per_name.$n" "$per_device" --rw=randread --bs=4k --iodepth="$per_depth" --size=32M \
			--io_size=64G --norandommap --number_ios="$n" "$@"
	done
	cost_per "$per_name" "$per_short" "$per_long" $((per_long - per_short))
}

# matrix DEVICE NAME REQUESTS JOBS ENGINE...: patterns (pvkit.patterns, or all), depths,
# jobs, which share the requests. Buffers are in huge pages: else chance decides into how many segments each of them falls.
matrix() {
	device=$1 prefix=$2 ios=$3 all_jobs=$4
	shift 4
	patterns=$(word patterns | tr + ' ')
	case $patterns in '' | all) patterns="randread:4k randwrite:4k read:128k write:128k" ;; esac
	echo 24 >/proc/sys/vm/nr_hugepages
	for engine; do
		# One fio for all of them, one after the other: it takes longer to start than a cell.
		cells=
		for pattern in $patterns; do
			for depth in 1 32; do
				for jobs in $all_jobs; do
					bs=${pattern#*:} n=$ios
					[ "$bs" = 4k ] || n=$((ios / 2))
					n=$((n / jobs))
					cells="$cells --name=$prefix.${pattern%:*}.$bs.qd$depth.j$jobs.$engine --rw=${pattern%:*} --bs=$bs"
					cells="$cells --iodepth=$depth --numjobs=$jobs --number_ios=$n"
				done
			done
		done
		# shellcheck disable=SC2086
		fio_json "$prefix.$engine" --filename="$device" --direct=1 --ioengine="$engine" --size=32M --io_size=64G \
			--norandommap --mem=mmaphuge --group_reporting --stonewall $cells
		awk '/"jobname"/ { gsub(/[",]/, ""); name = $3 } /^ *"iops" :/ { gsub(",", ""); s[name] += $3 }
			END { for (n in s) printf "RESULT %s.iops %.1f\n", n, s[n] }' "/tmp/out/$prefix.$engine.json"
	done
}

# verify DEVICE NAME ENGINE...: the same, with checksums
verify() {
	verify_device=$1 verify_name=$2
	shift 2
	for engine; do
		for pattern in randwrite:4k write:128k randrw:4k; do
			for depth in 1 32; do
				for jobs in 1 4; do
					name=verify.$verify_name.${pattern%:*}.qd$depth.j$jobs.$engine
					job "$name" "$verify_device" --rw="${pattern%:*}" --bs="${pattern#*:}" --iodepth=$depth --numjobs="$jobs" \
						--ioengine="$engine" --size=6M --offset_increment=6M --verify=crc32c \
						--verify_fatal=1 --group_reporting
					echo "VERIFIED $name"
				done
			done
		done
	done
}
