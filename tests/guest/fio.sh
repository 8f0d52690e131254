# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# For guest scripts that run fio in the Debian root. Its JSON goes to /tmp/out.

# fio_json NAME ARGUMENTS...: what fails ends a measurement, and is a failed case of a test
fio_json() {
	fio_name=$1
	shift
	fio --output-format=json --output="/tmp/out/$fio_name.json" "$@" >/tmp/fio.log 2>&1 && return
	{ echo "FAILED $fio_name"; cat /tmp/fio.log "/tmp/out/$fio_name.json"; } 2>&1 | sed "${ktap_planned:+s/^/# /}"
	[ -n "$ktap_planned" ] || exit 1
	return 1
}

# job NAME DEVICE ARGUMENTS...: one job, or some of the same
job() {
	job_name=$1 device=$2
	shift 2
	fio_json "$job_name" --name="$job_name" --filename="$device" --direct=1 "$@"
}

# written DISK: its write requests so far
written() { awk '{ print $5 }' "/sys/block/${1##*/}/stat"; }
under_way() { [ "$(written "$v_disk")" -gt "$v_from" ]; }
# more_written DISK N: when so many more write requests of its have been done
more_written() {
	mw_disk=$1 mw_least=$(($(written "$1") + $2))
	soon enough_written
}
enough_written() { [ "$(written "$mw_disk")" -ge "$mw_least" ]; }
# while_verifying DISK COMMAND...: that with the number of the round, ROUNDS times, while
# fio verifies what it writes
while_verifying() {
	v_disk=$1
	shift
	v_from=$(written "$v_disk")
	fio --name=under --filename="$v_disk" --direct=1 --rw=randwrite --bs=4k --iodepth=16 --ioengine=libaio --size=8M \
		--verify=crc32c --verify_backlog=256 --verify_fatal=1 --time_based --runtime=1000 --eta=never >/tmp/under.log 2>&1 &
	v_pid=$!
	soon under_way
	i=0
	while [ $i -lt "$ROUNDS" ] && kill -0 $v_pid 2>/dev/null; do
		"$@" $i || break
		i=$((i + 1))
	done
	kill $v_pid
	wait $v_pid
	[ $i = "$ROUNDS" ] && ! grep -iE "verify:|error=" /tmp/under.log || { sed 's/^/# /' /tmp/under.log; return 1; }
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

# cells PREFIX ENGINE JOBS REQUESTS PATTERN...: sets cells, fio's options for a job of each
# pattern, depth and number of JOBS, which share the REQUESTS ('': as many as there are).
# One fio for all of them, one after the other: it takes longer to start than a job.
cells() {
	cells=--stonewall c_prefix=$1 c_engine=$2 c_jobs=$3 c_requests=$4
	shift 4
	for pattern; do
		for depth in 1 32; do
			for jobs in $c_jobs; do
				bs=${pattern#*:} n=$c_requests
				[ -z "$n" ] || [ "$bs" = 4k ] || n=$((n / 2))
				[ -z "$n" ] || n=$((n / jobs))
				cells="$cells --name=$c_prefix.${pattern%:*}.$bs.qd$depth.j$jobs.$c_engine --rw=${pattern%:*} --bs=$bs"
				cells="$cells --iodepth=$depth --numjobs=$jobs --group_reporting --ioengine=$c_engine ${n:+--number_ios=$n}"
			done
		done
	done
}

# matrix DEVICE NAME REQUESTS JOBS ENGINE...: patterns (pvkit.patterns, or all), depths,
# jobs. Buffers are in huge pages: else chance decides into how many segments each of them falls.
matrix() {
	device=$1 prefix=$2 ios=$3 all_jobs=$4
	shift 4
	patterns=$(word patterns | tr + ' ')
	case $patterns in '' | all) patterns="randread:4k randwrite:4k read:128k write:128k" ;; esac
	echo 24 >/proc/sys/vm/nr_hugepages
	for engine; do
		# shellcheck disable=SC2086
		cells "$prefix" "$engine" "$all_jobs" "$ios" $patterns
		# shellcheck disable=SC2086
		fio_json "$prefix.$engine" --filename="$device" --direct=1 --size=32M --io_size=64G --norandommap --mem=mmaphuge $cells
		awk '/"jobname"/ { gsub(/[",]/, ""); name = $3 } /^ *"iops" :/ { gsub(",", ""); s[name] += $3 }
			END { for (n in s) printf "RESULT %s.iops %.1f\n", n, s[n] }' "/tmp/out/$prefix.$engine.json"
	done
}

# verify DEVICE NAME ENGINE...: the same, with checksums
verify() {
	verify_device=$1 verify_name=verify.$2 verify_size=$(by_level 2M 2M 6M)
	shift 2
	for engine; do
		cells "$verify_name" "$engine" "1 4" '' randwrite:4k write:128k randrw:4k
		# shellcheck disable=SC2086
		fio_json "$verify_name.$engine" --filename="$verify_device" --direct=1 --size=$verify_size --offset_increment=$verify_size \
			--verify=crc32c --verify_fatal=1 $cells
		awk '/"jobname"/ { gsub(/[",]/, ""); name = $3 } /"error" : 0,/ { print "VERIFIED " name }' "/tmp/out/$verify_name.$engine.json"
	done
}
