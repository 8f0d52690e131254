#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Bad arguments get one clear line and exit status 2; run's exit status is true.
#
# /// suite
# time = "host"
# limit = 600
# seconds = 15
# groups = ["tools"]
# level = "quick"
# ///
. "$TOP/tests/tap.sh"
BIN=$BUILD/bare/spin.bin

# bad TEXT ARGUMENTS...: status 2, one line that contains TEXT.
bad() {
	text=$1
	shift
	out=$("$TOP/pvkit" "$@" 2>&1)
	status=$?
	[ $status = 2 ] && [ "$(printf '%s\n' "$out" | wc -l)" = 1 ] && case $out in
	*"$text"*) ;;
	*) false ;;
	esac || { echo "# status $status: $out"; return 1; }
}

# An option that Kconfig drops is named; one that a later fragment decides is not.
dropped() {
	. "$LAUNCHER/common.sh"
	. "$LAUNCHER/kernel.sh"
	d=$(mktemp -d)
	printf 'CONFIG_A=y\n# CONFIG_C is not set\n' >"$d/.config"
	printf '# why\nCONFIG_A=y\nCONFIG_B=m\nCONFIG_C=y\n' >"$d/one.config"
	printf '# CONFIG_C is not set\n' >"$d/two.config"
	out=$(kernel_check_config "$d/.config" "$d" "$d/one.config" "$d/two.config" 2>&1)
	status=$?
	rm -rf "$d"
	[ $status = 1 ] && [ "$out" = "pvkit: CONFIG_B: one.config asks for m, the result has n: this kernel has no such option" ] ||
		{ echo "# status $status: $out"; return 1; }
}
# The line above an option is why.
reasons() { ! awk 'FNR == 1 { last = "" } /^(# )?CONFIG_/ && (last !~ /^# / || last ~ /^# (---|CONFIG_)/) { print "# " FILENAME ": " $0 } { last = $0 }' "$TOP"/configs/*.config | grep .; }

# Two files of figures: what got worse fails the comparison, another kernel prevents it.
gate() {
	d=$(mktemp -d)
	figures() { printf '{"schema": 2, "machine": {"qemu": "1"}, "build": {"kernel": "%s", "compiler": "1"}, "options": {"quick": true}, "results": [{"name": "exits.x", "value": %s, "unit": "instructions", "deterministic": true, "part": "exits"}, {"name": "lock.pv.2x.efficiency", "value": %s, "unit": "ratio", "deterministic": true, "part": "lock"}]}' "$@"; }
	figures 6 100 0.99 >"$d/base"
	figures 6 101 0.98 >"$d/same"
	figures 6 104 0.99 >"$d/slow"
	figures 6 100 0.90 >"$d/less"
	figures 7 500 0.1 >"$d/other"
	got=$(for f in same slow less other; do /usr/bin/python3 "$TOP/tools/report/figures.py" compare "$d/$f" "$d/base" >/dev/null; printf %s $?; done)
	rm -rf "$d"
	[ "$got" = 0113 ] || { echo "# exit statuses $got"; return 1; }
}

# Each command says what it does.
helps() {
	for command in demo check run bench ktap kernel package build clean; do
		"$TOP/pvkit" $command --help | grep -q "^usage: ./pvkit $command" || { echo "# $command"; return 1; }
	done
}

plan 39
expect "each command has --help" helps
expect "a command that takes no arguments" bad "build takes no arguments" build now
expect "figures that got worse are seen" gate
expect "an option that Kconfig drops is named" dropped
expect "every option of a fragment has its reason" reasons
expect "unknown command" bad "unknown command 'fly'" fly
expect "unknown check option" bad "unrecognized arguments: --fast" check --fast
expect "no VM" bad "no --vm" run
expect "unknown run option" bad "unknown option '--disk'" run --disk
expect "option without value" bad "needs a value" run --pcpus
expect "too many pCPUs" bad "must be 1 to 8" run --pcpus 9
expect "pCPUs not a number" bad "must be 1 to 8" run --pcpus two
expect "no kernel" bad "no kernel=" run --vm name=a
expect "kernel that is not there" bad "cannot read" run --vm kernel=/nonexistent
expect "bad memory size" bad "mem must be" run --vm "mem=12X,kernel=$BIN"
expect "odd memory size" bad "multiple of 2M" run --vm "mem=3M,kernel=$BIN"
expect "too many vCPUs" bad "vcpus must be" run --vm "vcpus=17,kernel=$BIN"
expect "unknown VM item" bad "unknown item 'colour=red'" run --vm "colour=red,kernel=$BIN"
expect "disk that is not there" bad "cannot read '/nonexistent'" run --vm "kernel=$BIN,disk=/nonexistent"
expect "a kernel that is not built" bad "kernel builds it" run --vm "kernel=built-nothing"
expect "a fragment that is not there" bad "neither configs" kernel --fragment nothing
expect "no such figures to compare with" bad "cannot read" bench size --compare /nothing
expect "a kernel that nothing was made for" bad "there are 6.12/cloud-arm64" bench size --kernel 2.6/vax
expect "unknown disk option" bad "unknown option 'fast'" run --vm "kernel=$BIN,disk=ram:4M:fast"
expect "disk without size" bad "size must be like 64M" run --vm "kernel=$BIN,disk=ram:"
expect "bad MAC address" bad "12 hexadecimal digits" run --vm "kernel=$BIN,net=lan:mac=52:50"
expect "unknown net option" bad "unknown option 'big'" run --vm "kernel=$BIN,net=lan:big"
expect "no such configuration" bad "cannot read '/nonexistent'" run --config /nonexistent
expect "device passed through that is not there" bad "cannot read" run --vm "kernel=$BIN,pass=/nonexistent"
printf '/dts-v1/; / { a { compatible = "pvkit,vm"; kernel = "/nonexistent"; }; };\n' >"$WORK/bad.dts"
expect "configuration with a missing file" bad "kernel: cannot read '/nonexistent'" run --config "$WORK/bad.dts"
cat >"$WORK/vms.dts" <<END
/dts-v1/;
/ { a { compatible = "pvkit,vm"; vcpus = <1>; memory = <0 0x1000000>; kernel = "$BIN";
	disk { compatible = "pvkit,disk"; size = <0 0x100000>; }; }; };
END
expect "VMs from a configuration" "$TOP/pvkit" run --timeout 300 --config "$WORK/vms.dts"
expect "nothing to bench" bad "bench: what" bench
expect "no such kernel for an archive of tests" bad "is no SERIES/FLAVOUR" ktap 7.0
expect "nothing deterministic to bench" bad "work: in real time only" bench work --icount
expect "nothing in real time to bench" bad "tick size: nothing of it is in real time" bench tick size --real-time
expect "bench both and nothing else" bad "not both" bench lock --icount --real-time
expect "unknown bench" bad "unknown 'speed'" bench speed
expect "a guest that powers off" "$TOP/pvkit" run --timeout 300 --vm "mem=16M,kernel=$BIN"
time_out() { ! "$TOP/pvkit" run --timeout 1 --vm "mem=16M,kernel=$BIN"; }
expect "a timeout is a failure" time_out
