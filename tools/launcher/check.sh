# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# All tests. Each suite writes TAP or KTAP; its result lines are counted, a
# plan that is not fulfilled is a failure, and the last line is the sum.

. "$LAUNCHER/build.sh"
. "$LAUNCHER/bench.sh"

cmd_check() {
	CHECK=normal
	case ${1:-} in
	'') ;;
	--kernel)
		[ $# -ge 2 ] || die_usage "check: --kernel needs SERIES/FLAVOUR, built[/FRAGMENT] or all"
		shift
		check_kernels "$@"
		return
		;;
	--quick) CHECK=quick ;;
	--long) CHECK=long ;;
	*) die_usage "check: unknown option '$1'" ;;
	esac
	mkdir -p "$BUILD"
	passed=0 failed=0 skipped=0
	build_all
	rm -rf "$BUILD/check"
	mkdir -p "$BUILD/check"

	suite unit 400 make -s -C "$TOP/tests/unit" O="$BUILD/unit" check
	suite model 1800 make -s -C "$TOP/tests/model" O="$BUILD/model" check
	suite launcher 900 sh "$TOP/tests/launcher.sh"
	suite style 400 sh "$TOP/tests/style.sh"
	if [ $CHECK = long ]; then
		suite icount 3000 sh "$TOP/tests/icount.sh" 20
	else
		suite icount 600 sh "$TOP/tests/icount.sh" 1
	fi
	suite hostile 700 "$TOP/pvkit" run --timeout 600 \
		--vm "name=hostile,vcpus=2,mem=16M,kernel=$BUILD/bare/hostile.bin"
	suite hostile-virtio 700 sh "$TOP/tests/hostile-virtio.sh"
	suite fuzz 1200 sh "$TOP/tests/fuzz/run.sh" $CHECK
	suite boot 1800 sh "$TOP/tests/boot.sh" $CHECK
	suite no-hypervisor 500 sh "$TOP/tests/no-hypervisor.sh"
	if [ $CHECK = long ]; then
		suite powercut 1800 sh "$TOP/tests/powercut.sh" 50
		suite powercut-xfs 1800 sh "$TOP/tests/powercut.sh" 25 xfs
	else
		suite powercut 900 sh "$TOP/tests/powercut.sh" 3
		suite powercut-xfs 900 sh "$TOP/tests/powercut.sh" 3 xfs
	fi
	suite isolation 900 sh "$TOP/tests/isolation.sh"
	if [ $CHECK != quick ]; then
		crowd=30 rounds=6 policies="stock piggyback:io_uring"
		[ $CHECK = normal ] || { crowd=600 rounds=100; policies="stock immediate piggyback adaptive poll"; }
		suite pvlock 2200 sh "$TOP/tests/pvlock.sh"
		suite pvclock 2400 sh "$TOP/tests/pvclock.sh" pvkit 6.12 $rounds
		suite pvclock-qemu 2400 sh "$TOP/tests/pvclock.sh" qemu 6.12 $rounds
		suite pvclock-6.1 2400 sh "$TOP/tests/pvclock.sh" pvkit 6.1 $rounds
		suite pvclock-nohz-full 1000 sh "$TOP/tests/pvclock.sh" pvkit 6.12 nohz_full
		suite noop 2100 sh "$TOP/tests/noop.sh" $rounds
		suite noop-pci 2100 sh "$TOP/tests/noop.sh" $rounds pci
		suite package 600 sh "$TOP/tests/package.sh"
		suite nic 800 sh "$TOP/tests/nic.sh"
		suite nic-systemd 800 sh "$TOP/tests/nic.sh" systemd
		suite console 500 sh "$TOP/tests/console.sh"
		suite devices 1000 sh "$TOP/tests/devices.sh"
		# shellcheck disable=SC2086
		suite blk 3000 sh "$TOP/tests/blk.sh" $policies
		suite virtio_pv 2400 sh "$TOP/tests/virtio_pv.sh" $rounds
		suite virtio_pv-polling 2400 sh "$TOP/tests/virtio_pv.sh" $rounds polling
		suite crowd 3000 sh "$TOP/tests/crowd.sh" $crowd
		suite figures 3600 sh "$TOP/tests/figures.sh"
	fi
	if [ $CHECK = long ]; then
		suite delay 1500 sh "$TOP/tests/delay.sh" 30
		suite pvclock-stress 3600 sh "$TOP/tests/pvclock-stress.sh" 600 100
		suite pvclock-kselftest 3600 sh "$TOP/tests/pvclock-kselftest.sh"
		suite page 600 sh "$TOP/tests/page.sh" "$BUILD/check/figures.json"
		suite package-guest 3600 sh "$TOP/tests/package.sh" guest
		suite kselftest 3600 sh "$TOP/tests/kselftest.sh"
		suite torture 7200 sh "$TOP/tests/torture.sh" 260
		suite pvclock-kvm 2400 sh "$TOP/tests/pvclock-kvm.sh" 6
		guest_initrd "$BUILD/soak.cpio" "$TOP/tests/guest/soak.sh"
		suite soak 7200 "$TOP/pvkit" run --timeout 7000 --pcpus 2 \
			--vm "name=soak,vcpus=8,mem=512M,kernel=$KIMAGE,initrd=$BUILD/soak.cpio,reset=stop,append=$KERNEL_ARGS"
	fi
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" = 0 ]
}

# check_kernels KERNEL|all [SUITE...]: the modules' tests in guests with that kernel,
# and a table of what was last run with each
check_kernels() {
	kernels=$1
	# shellcheck disable=SC2153	# of build.sh
	[ "$1" != all ] || kernels=$KERNELS
	shift
	for k in $kernels; do
		known_kernel "$k" || die_usage "check: --kernel $k: there are $KERNELS, and all"
	done
	for s in "$@"; do
		case " $MODULE_SUITES " in *" $s "*) ;; *) die_usage "check: --kernel: no suite $s: there are $MODULE_SUITES" ;; esac
	done
	# shellcheck disable=SC2086
	[ $# -gt 0 ] || set -- $MODULE_SUITES
	passed=0 failed=0 skipped=0
	build_all
	mkdir -p "$BUILD/check" "$BUILD/check-kernels"
	for k in $kernels; do
		export PVKIT_KERNEL="$k"
		id=$(echo "$k" | tr / -)
		for ks_name; do
			case $ks_name in
			pvlock) kernel_suite 2200 ;;
			pvclock) kernel_suite 2400 pvkit 6.12 6 ;;
			noop) kernel_suite 2100 6 ;;
			nic) kernel_suite 800 ;;
			virtio_pv) kernel_suite 2400 6 ;;
			esac
		done
	done
	kernels_table | tee "$BUILD/check/kernels.md"
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" = 0 ]
}

# kernel_suite SECONDS ARGUMENTS...: tests/$ks_name.sh; keeps its cell of the table,
# then what it skipped and why
kernel_suite() {
	ks_limit=$1
	shift
	suite "$ks_name-$id" "$ks_limit" sh "$TOP/tests/$ks_name.sh" "$@"
	cell="$p passed"
	[ "$s" = 0 ] || cell="$cell, $s skipped"
	[ "$f" = 0 ] || cell="$cell, **$f failed**"
	{
		echo "$cell"
		sed -n 's/^ok [0-9]* -* *\(.*\) # SKIP */\1: /p' "$out"
	} >"$(cell_of "$k" "$ks_name")"
}

# cell_of KERNEL SUITE: the file that has its result
cell_of() { echo "$BUILD/check-kernels/$(echo "$1" | tr / -).$2"; }

kernels_table() {
	echo "| kernel | $(echo "$MODULE_SUITES" | sed 's/ / | /g') |"
	echo "|---|$(echo "$MODULE_SUITES" | sed 's/[a-z_]* */---|/g')"
	for k in $KERNELS; do
		row="| $k |"
		for s in $MODULE_SUITES; do
			cell=$(cell_of "$k" "$s")
			[ -e "$cell" ] && row="$row $(head -1 "$cell") |" || row="$row not run |"
		done
		echo "$row"
	done
	echo
	for k in $KERNELS; do
		for s in $MODULE_SUITES; do
			cell=$(cell_of "$k" "$s")
			[ ! -e "$cell" ] || sed "1d; s,^,- $k $s: ," "$cell"
		done
	done
}

# suite NAME SECONDS COMMAND...: at most so long, which is several times what a quiet
# machine takes: it is for what hangs.
suite() {
	name=$1 limit=$2
	shift 2
	out=$BUILD/check/$name.tap
	began=$(date +%s)
	say "check: $name"
	status=0
	timeout -s KILL "$limit" "$@" </dev/null >"$out.raw" 2>&1 || status=$?
	tr -d '\r' <"$out.raw" >"$out"
	plan=$(sed -n 's/^1\.\.\([0-9]*\)$/\1/p' "$out" | awk '{ n += $1 } END { print n + 0 }')
	s=$(grep -c '^ok .*# SKIP' "$out") || true
	p=$(($(grep -c '^ok ' "$out" || true) - s))
	f=$(grep -c '^not ok ' "$out") || true
	if [ $((p + f + s)) -ne "$plan" ] || [ "$plan" -eq 0 ]; then
		echo "not ok - $name: $((p + f + s)) results of $plan planned (status $status, see $out)"
		tail -15 "$out"
		f=$((f + 1))
	elif [ "$status" -ne 0 ] && [ "$f" -eq 0 ]; then
		echo "not ok - $name: exit status $status (see $out)"
		tail -15 "$out"
		f=$((f + 1))
	fi
	sed "s/^/$name: /" "$out" | grep -E "^$name: not ok" || true
	echo "# $name: $p passed, $f failed, $s skipped, $(($(date +%s) - began)) s"
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}
