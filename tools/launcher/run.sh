# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Run guests under the hypervisor in QEMU: describe the VMs in a device tree,
# let QEMU's loader put it and the images into memory, and watch the console.
#
# Memory: the hypervisor at 0x40200000, images from 64 MiB on, each file once,
# then the VM description; guests get what is free.

RAM_BASE=1073741824
IMAGES_AT=$((RAM_BASE + 67108864))
ALIGN=2097152

run_usage() {
	cat <<-'END'
	usage: ./pvkit run [OPTIONS] --vm KEY=VALUE,...  [--vm ...]
	       ./pvkit run [OPTIONS] --config FILE.dts
	  --config      VMs as a device tree (Documentation/bindings), with files in place of
	                what only the loader knows: kernel and initrd as paths, file = PATH for a
	                disk, pass-through-file = PATH for a VM, netdev = QEMU's -netdev for an uplink
	  --vm          name, vcpus (1), mem (512M), kernel (required: Image, gzip'd Image or raw
	                binary; built, built-debug, built-rt: of ./pvkit kernel), initrd, append (kernel command line), affinity (mask of pCPUs),
	                partitioned=yes (pCPUs of its own, which it waits and takes interrupts on
	                without exits), pass=FILE (a disk passed through), reset=stop (a reset ends the VM),
	                console=virtio (hvc0 besides ttyAMA0), rng=yes,
	                disk=FILE or disk=ram:SIZE, each with any of :ro, :snapshot (writes are
	                dropped at the end), :ram (likewise, and FILE is read into RAM before the
	                start), :queues=N, :serial=S; disk= can be repeated,
	                net=NETWORK with any of :queues=N, :mac=525056000001; net= can be repeated,
	                and NICs in networks of the same name reach each other
	  --uplink NETWORK[=NETDEV]  connect a network to the outside; NETDEV as QEMU's -netdev (user)
	  --pcpus N     physical CPUs (1)
	  --slice-us N  scheduling slice (10000)
	  --cpu MODEL   QEMU CPU model (max)
	  --polling     have the last pCPU run no vCPUs, but look after the devices that guests ask it to;
	                the machine has a GICv4 then, whose interrupts need no exits
	  --monitor P   QEMU's monitor, on the named pipes P.in and P.out (mkfifo)
	  --icount      deterministic time: 1 instruction = 1 ns
	  --timeout S   end after S seconds and fail
	  --image       boot the hypervisor as an arm64 Image instead of an ELF
	Exits 0 when every VM powered off in order, 1 when one crashed or time ran out.
	END
}

cmd_run() {
	run_reset
	while [ $# -gt 0 ]; do
		case $1 in
		--vm | --config | --uplink | --pcpus | --slice-us | --cpu | --timeout | --monitor)
			[ $# -ge 2 ] || die_usage "$1 needs a value"
			run_option "$1" "$2"
			shift 2
			;;
		--polling) RUN_POLLING='polling;'; shift ;;
		--icount) RUN_ICOUNT=yes; shift ;;
		--image) RUN_IMAGE=yes; shift ;;
		-h | --help) run_usage; return 0 ;;
		*) die_usage "run: unknown option '$1' (try ./pvkit run --help)" ;;
		esac
	done
	[ "$RUN_VMS" -gt 0 ] || [ -e "$RUN_WORK/config.dtb" ] || die_usage "run: no --vm given"
	mkdir -p "$BUILD"
	if [ "${PVKIT_BUILT:-}" != 1 ]; then	# check has built it, for all its runs
		. "$LAUNCHER/build.sh"
		setup_packages
		build_hypervisor
	fi
	run_start
}

is_number() { case $1 in '' | *[!0-9]*) return 1 ;; esac; }

run_option() {
	case $1 in
	--vm) run_vm "$2" ;;
	--config) run_config "$2" ;;
	--uplink) run_uplink "$2" ;;
	--pcpus)
		is_number "$2" && [ "$2" -ge 1 ] && [ "$2" -le 8 ] || die_usage "run: --pcpus must be 1 to 8, not '$2'"
		RUN_PCPUS=$2
		;;
	--slice-us)
		is_number "$2" && [ "$2" -ge 100 ] && [ "$2" -le 1000000 ] ||
			die_usage "run: --slice-us must be 100 to 1000000, not '$2'"
		RUN_SLICE=$2
		;;
	--timeout)
		case $2 in
		*[!0-9.]* | *.*.* | '' | . | 0 | 0.0) die_usage "run: --timeout must be a number of seconds, not '$2'" ;;
		esac
		RUN_TIMEOUT=$2
		;;
	--cpu) RUN_CPU=$2 ;;
	--monitor)
		[ -p "$2.in" ] && [ -p "$2.out" ] || die_usage "run: --monitor: $2.in and $2.out must be named pipes"
		RUN_MONITOR=pipe:$2
		;;
	esac
}

run_reset() {
	RUN_PCPUS=1 RUN_SLICE=10000 RUN_CPU=max,pauth-impdef=on RUN_ICOUNT=no RUN_TIMEOUT='' RUN_IMAGE=no RUN_POLLING='' RUN_MONITOR=none
	RUN_HOST=0 RUN_PASS=16 RUN_VMS=0 RUN_MEM=0 RUN_AT=$IMAGES_AT
	RUN_WORK=$(mktemp -d "${TMPDIR:-/tmp}/pvkit.XXXXXX")
	trap 'rm -rf "$RUN_WORK"' EXIT
	: >"$RUN_WORK/vms.dts"
	: >"$RUN_WORK/files"
	: >"$RUN_WORK/host"
	: >"$RUN_WORK/drives"
	: >"$RUN_WORK/netdevs"
	: >"$RUN_WORK/uplinks"
}

# to_bytes 512M
to_bytes() {
	case $1 in
	*[!0-9]*[!MG]* | *[!0-9MG]* | '' | [MG]) return 1 ;;
	*G) echo $((${1%G} * 1073741824)) ;;
	*M) echo $((${1%M} * 1048576)) ;;
	*) return 1 ;;
	esac
}

cells64() { printf '0x%x 0x%x' $(($1 >> 32)) $(($1 & 0xffffffff)); }

# place FILE: have QEMU load it, once; sets PLACED to "address size" in cells.
place() {
	PLACED=$(awk -F '\t' -v f="$1" '$1 == f { print $2 }' "$RUN_WORK/files")
	[ -n "$PLACED" ] && return
	load "$1"
	printf '%s\t%s\n' "$1" "$PLACED" >>"$RUN_WORK/files"
}

load() {
	case $1 in *,*) die_usage "run: file name with a comma: $1" ;; esac
	size=$(($(wc -c <"$1")))
	PLACED="$(cells64 "$RUN_AT") $(cells64 "$size")"
	printf 'file=%s,addr=%s,force-raw=on\n' "$1" "$RUN_AT" >>"$RUN_WORK/loaders"
	RUN_AT=$(((RUN_AT + size + ALIGN - 1) / ALIGN * ALIGN))
}

quote_dts() { printf '%s' "$1" | sed 's/[\\"]/\\&/g'; }

# host_device DRIVER,OPTIONS: a device of the machine; sets HOST_DEVICE to its
# path in QEMU's device tree.
host_device() {
	[ "$RUN_HOST" -lt 32 ] || die_usage "run: more than 32 host devices"
	HOST_DEVICE=$(printf '/virtio_mmio@%x' $((0xa000000 + RUN_HOST * 0x200)))
	echo "$1,bus=virtio-mmio-bus.$RUN_HOST" >>"$RUN_WORK/host"
	RUN_HOST=$((RUN_HOST + 1))
}

# pass_device FILE WHO: a disk for a VM alone. It needs a 4 KiB page of its own,
# and so gets one of the last two groups of eight devices; sets HOST_DEVICE.
pass_device() {
	[ -r "$1" ] || die_usage "run: $2: cannot read '$1'"
	[ "$RUN_PASS" -lt 32 ] || die_usage "run: more than 2 devices passed through"
	[ "$RUN_HOST" -le 16 ] || die_usage "run: more than 16 host devices besides those passed through"
	HOST_DEVICE=$(printf '/virtio_mmio@%x' $((0xa000000 + RUN_PASS * 0x200)))
	echo "if=none,id=pass$RUN_PASS,file=$1,format=raw" >>"$RUN_WORK/drives"
	echo "virtio-blk-device,drive=pass$RUN_PASS,bus=virtio-mmio-bus.$RUN_PASS" >>"$RUN_WORK/host"
	RUN_PASS=$((RUN_PASS + 8))
}

# drive FILE RO SNAPSHOT WHO: a host disk; sets HOST_DEVICE.
drive() {
	[ -r "$1" ] || die_usage "run: $4: cannot read '$1'"
	[ "$2" = on ] || [ "$3" = on ] || [ -w "$1" ] || die_usage "run: $4: cannot write '$1' (read-only? snapshot?)"
	echo "if=none,id=drive$RUN_HOST,file=$1,format=raw,discard=unmap,snapshot=$3,readonly=$2" >>"$RUN_WORK/drives"
	host_device "virtio-blk-device,drive=drive$RUN_HOST"
	RUN_MEM=$((RUN_MEM + 2 * ALIGN))
}

# run_disk VM SPEC: of --vm disk=
run_disk() {
	file=${2%%:*} opts=${2#"${2%%:*}"}:
	[ "$file" != ram ] || { opts=${opts#:} size=${opts%%:*} opts=:${opts#*:}; }
	ro='' snapshot=off serial='' queues='' in_ram=no
	opts=${opts#:}
	while [ -n "$opts" ]; do
		o=${opts%%:*}
		opts=${opts#*:}
		case $o in
		'') ;;
		ro) ro=yes ;;
		snapshot) snapshot=on ;;
		ram) in_ram=yes ;;
		queues=*) queues=${o#*=} ;;
		serial=*) serial=${o#*=} ;;
		*) die_usage "run: --vm $1: disk=$2: unknown option '$o'" ;;
		esac
	done
	echo "disk@$vm_devices { compatible = \"pvkit,disk\";" >>"$RUN_WORK/devices"
	if [ "$file" = ram ]; then
		bytes=$(to_bytes "$size") || die_usage "run: --vm $1: disk=$2: size must be like 64M or 1G, not '$size'"
		echo "size = <$(cells64 "$bytes")>;" >>"$RUN_WORK/devices"
		RUN_MEM=$((RUN_MEM + bytes + 2 * ALIGN))
	elif [ $in_ram = yes ]; then
		[ -r "$file" ] || die_usage "run: --vm $1: cannot read '$file'"
		load "$file"	# not place: a VM writes into it
		echo "image = <$PLACED>;" >>"$RUN_WORK/devices"
	else
		qro=off
		[ "$ro" != yes ] || { qro=on; snapshot=off; }
		drive "$file" $qro $snapshot "--vm $1"
		echo "host-device = \"$HOST_DEVICE\";" >>"$RUN_WORK/devices"
	fi
	{
		[ -z "$ro" ] || echo "read-only;"
		[ -z "$queues" ] || { is_number "$queues" || die_usage "run: --vm $1: disk=$2: queues must be a number"; echo "queues = <$queues>;"; }
		[ -z "$serial" ] || echo "serial = \"$(quote_dts "$serial")\";"
		echo "};"
	} >>"$RUN_WORK/devices"
	vm_devices=$((vm_devices + 1))
}

# run_net VM SPEC: of --vm net=
run_net() {
	network=${2%%:*} opts=${2#"${2%%:*}"}:
	opts=${opts#:}
	{
		echo "nic@$vm_devices { compatible = \"pvkit,nic\"; network = \"$(quote_dts "$network")\";"
		while [ -n "$opts" ]; do
			o=${opts%%:*}
			opts=${opts#*:}
			case $o in
			'') ;;
			queues=*)
				is_number "${o#*=}" || die_usage "run: --vm $1: net=$2: queues must be a number"
				echo "queues = <${o#*=}>;"
				;;
			mac=*)
				case ${o#*=} in
				*[!0-9a-fA-F]*) die_usage "run: --vm $1: net=$2: mac must be 12 hexadecimal digits" ;;
				????????????) echo "mac-address = [${o#*=}];" ;;
				*) die_usage "run: --vm $1: net=$2: mac must be 12 hexadecimal digits" ;;
				esac
				;;
			*) die_usage "run: --vm $1: net=$2: unknown option '$o'" ;;
			esac
		done
		echo "};"
	} >>"$RUN_WORK/devices"
	vm_devices=$((vm_devices + 1))
	RUN_MEM=$((RUN_MEM + 2 * ALIGN))
}

# run_uplink NETWORK[=NETDEV]
run_uplink() {
	network=${1%%=*} netdev=user
	[ "$network" = "$1" ] || netdev=${1#*=}
	run_netdev "$netdev"
	echo "uplink$RUN_HOST { compatible = \"pvkit,uplink\"; host-device = \"$HOST_DEVICE\"; network = \"$(quote_dts "$network")\"; };" >>"$RUN_WORK/uplinks"
}

# run_netdev NETDEV: a host NIC; sets HOST_DEVICE.
run_netdev() {
	echo "$1,id=net$RUN_HOST" >>"$RUN_WORK/netdevs"
	host_device "virtio-net-device,netdev=net$RUN_HOST"
	RUN_MEM=$((RUN_MEM + 2 * ALIGN))
}

run_vm() {
	vm_name=vm$RUN_VMS vm_vcpus=1 vm_mem=512M vm_kernel='' vm_initrd='' vm_append='' vm_affinity=''
	vm_partitioned='' vm_reset='' vm_console='' vm_rng='' vm_pass='' vm_devices=0
	: >"$RUN_WORK/devices"
	rest=$1,
	while [ -n "$rest" ]; do
		item=${rest%%,*}
		rest=${rest#*,}
		# shellcheck disable=SC2034
		value=${item#*=}
		case $item in
		name=* | vcpus=* | mem=* | kernel=* | initrd=* | append=* | affinity=* | partitioned=* | reset=* | console=* | rng=* | pass=*)
			eval "vm_${item%%=*}=\$value" ;;
		disk=*) run_disk "$vm_name" "$value" ;;
		net=*) run_net "$vm_name" "$value" ;;
		*) die_usage "run: --vm: unknown item '$item'" ;;
		esac
	done
	is_number "$vm_vcpus" && [ "$vm_vcpus" -ge 1 ] && [ "$vm_vcpus" -le 16 ] ||
		die_usage "run: --vm $vm_name: vcpus must be 1 to 16, not '$vm_vcpus'"
	mem=$(to_bytes "$vm_mem") || die_usage "run: --vm $vm_name: mem must be like 512M or 1G, not '$vm_mem'"
	[ $((mem % ALIGN)) -eq 0 ] && [ "$mem" -gt 0 ] || die_usage "run: --vm $vm_name: mem must be a multiple of 2M"
	[ -n "$vm_kernel" ] || die_usage "run: --vm $vm_name: no kernel="
	case $vm_kernel in
	built | built-*)
		built=$BUILD/kernel/built-guest${vm_kernel#built}/obj/arch/arm64/boot/Image
		[ -r "$built" ] || die_usage "run: --vm $vm_name: kernel=$vm_kernel is not there: ./pvkit kernel builds it"
		vm_kernel=$built
		;;
	esac
	for f in "$vm_kernel" "$vm_initrd"; do
		[ -z "$f" ] || [ -r "$f" ] || die_usage "run: --vm $vm_name: cannot read '$f'"
	done
	if gzip -t "$vm_kernel" 2>/dev/null; then
		unpack_image "$vm_kernel" "$RUN_WORK/kernel$RUN_VMS"
		vm_kernel=$RUN_WORK/kernel$RUN_VMS
	fi
	{
		echo "vm$RUN_VMS {"
		echo 'compatible = "pvkit,vm";'
		echo "label = \"$(quote_dts "$vm_name")\";"
		echo "vcpus = <$vm_vcpus>;"
		echo "memory = <$(cells64 "$mem")>;"
		echo "bootargs = \"$(quote_dts "$vm_append")\";"
		place "$vm_kernel"
		echo "kernel = <$PLACED>;"
		[ -z "$vm_affinity" ] || echo "affinity = <$vm_affinity>;"
		[ "$vm_partitioned" != yes ] || echo "partitioned;"
		[ "$vm_reset" != stop ] || echo "stop-on-reset;"
		[ "$vm_console" != virtio ] || echo "virtio-console;"
		[ -z "$vm_pass" ] || { pass_device "$vm_pass" "--vm $vm_name"; echo "pass-through = \"$HOST_DEVICE\";"; }
		[ "$vm_rng" != yes ] || echo "virtio-rng;"
		[ -z "$vm_initrd" ] || { place "$vm_initrd"; echo "initrd = <$PLACED>;"; }
		cat "$RUN_WORK/devices"
		echo "};"
	} >>"$RUN_WORK/vms.dts"
	RUN_VMS=$((RUN_VMS + 1))
	RUN_MEM=$((RUN_MEM + mem + ALIGN))
}

# --- --config ---
get() { fdtget -t "$1" "$RUN_WORK/config.dtb" "$2" "$3" 2>/dev/null; }
put() { fdtput -t "$1" "$RUN_WORK/config.dtb" "$2" "$3" ${4:+$4}; }
drop() { fdtput -d "$RUN_WORK/config.dtb" "$1" "$2"; }
# bytes NODE PROPERTY: of a 64-bit number
bytes() { get x "$1" "$2" | awk 'NF == 2 { print "0x" $1, "0x" $2 }' | { read -r hi lo && echo $(((hi << 32) + lo)) || echo 0; }; }

run_config() {
	[ -r "$1" ] || die_usage "run: cannot read '$1'"
	dtc -q -I dts -O dtb -p 4096 -o "$RUN_WORK/config.dtb" "$1" || die_usage "run: $1 is not a device tree (see above)"
	for n in $(fdtget -l "$RUN_WORK/config.dtb" /); do
		case $(get s "/$n" compatible) in
		pvkit,vm) config_vm "/$n" ;;
		pvkit,uplink)
			netdev=$(get s "/$n" netdev) || netdev=user
			run_netdev "$netdev"
			put s "/$n" host-device "$HOST_DEVICE"
			drop "/$n" netdev 2>/dev/null || true
			;;
		*) die_usage "run: $1: node $n: compatible is not pvkit,vm or pvkit,uplink" ;;
		esac
	done
}

config_vm() {
	for p in kernel initrd; do
		path=$(get s "$1" $p) || continue
		[ -r "$path" ] || die_usage "run: node $1: $p: cannot read '$path'"
		if gzip -t "$path" 2>/dev/null && [ $p = kernel ]; then
			unpack_image "$path" "$RUN_WORK/kernel$(basename "$1")"
			path=$RUN_WORK/kernel$(basename "$1")
		fi
		place "$path"
		put x "$1" $p "$PLACED"
	done
	RUN_MEM=$((RUN_MEM + $(bytes "$1" memory) + ALIGN))
	if path=$(get s "$1" pass-through-file); then
		pass_device "$path" "node $1"
		put s "$1" pass-through "$HOST_DEVICE"
		drop "$1" pass-through-file
	fi
	for d in $(fdtget -l "$RUN_WORK/config.dtb" "$1"); do
		RUN_MEM=$((RUN_MEM + $(bytes "$1/$d" size) + 2 * ALIGN))
		path=$(get s "$1/$d" file) || continue
		ro=off
		! fdtget "$RUN_WORK/config.dtb" "$1/$d" read-only >/dev/null 2>&1 || ro=on
		drive "$path" $ro off "node $1/$d"
		put s "$1/$d" host-device "$HOST_DEVICE"
		drop "$1/$d" file
	done
}

# The description from --vm options, unless --config has given it.
describe_vms() {
	if [ -e "$RUN_WORK/config.dtb" ]; then
		[ "$RUN_VMS" = 0 ] || die_usage "run: --vm and --config exclude each other"
		return
	fi
	{
		echo "/dts-v1/; / { compatible = \"pvkit,config\"; slice-us = <$RUN_SLICE>; $RUN_POLLING"
		cat "$RUN_WORK/vms.dts" "$RUN_WORK/uplinks"
		echo "};"
	} >"$RUN_WORK/config.dts"
	dtc -q -O dtb -o "$RUN_WORK/config.dtb" "$RUN_WORK/config.dts" 2>"$RUN_WORK/dtc" ||
		{ cat "$RUN_WORK/dtc" >&2; die "run: cannot describe the VMs (see above)"; }
}

run_start() {
	describe_vms
	config=$RUN_AT
	printf 'file=%s,addr=%s,force-raw=on\n' "$RUN_WORK/config.dtb" "$config" >>"$RUN_WORK/loaders"
	mem=$(((config - RAM_BASE + RUN_MEM) / 1048576 + 66))

	# Where a pCPU polls, the GIC can save the exits of its interrupts, too.
	[ -n "$RUN_POLLING" ] && gic=4 || gic=3
	set -- -M virt,virtualization=on,gic-version="$gic" -cpu "$RUN_CPU" -smp "$RUN_PCPUS" -m "${mem}M" \
		-display none -nic none -no-reboot -serial stdio -monitor "$RUN_MONITOR" -append "pvkit.config=$config"
	if [ "$RUN_IMAGE" = yes ]; then
		set -- "$@" -kernel "$BUILD/hyp-stub/hyp-stub.img"
	else
		set -- "$@" -kernel "$BUILD/hyp-stub/hyp-stub.elf"
	fi
	while read -r l; do
		set -- "$@" -device "loader,$l"
	done <"$RUN_WORK/loaders"
	[ $((RUN_HOST + RUN_PASS)) = 16 ] || set -- "$@" -global virtio-mmio.force-legacy=false
	while read -r l; do
		set -- "$@" -drive "$l"
	done <"$RUN_WORK/drives"
	while read -r l; do
		set -- "$@" -netdev "$l"
	done <"$RUN_WORK/netdevs"
	while read -r l; do
		set -- "$@" -device "$l"
	done <"$RUN_WORK/host"
	[ "$RUN_ICOUNT" = no ] && qemu="qemu-system-aarch64" || qemu=$LAUNCHER/qemu-icount.sh
	[ -z "$RUN_TIMEOUT" ] || limit="timeout --foreground -s KILL $RUN_TIMEOUT"
	# shellcheck disable=SC2086
	# Huge pages: QEMU reads each image into its heap first, and page faults were half of that.
	{ GLIBC_TUNABLES=glibc.malloc.hugetlb=1 ${limit:-} "$qemu" "$@" && echo ok >"$RUN_WORK/ended"; } | tee "$RUN_WORK/log"
	if [ ! -e "$RUN_WORK/ended" ]; then
		say "run: time ran out (or QEMU failed)"
		return 1
	fi
	# The hypervisor's last word, written when no guest can write any more.
	case $(tail -1 "$RUN_WORK/log" | tr -d '\r') in
	"hyp: all VMs off: "*" in order, 0 crashed") return 0 ;;
	esac
	say "run: a VM crashed or did not start"
	return 1
}
