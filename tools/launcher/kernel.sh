# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Guest kernels from source: Debian's linux-source, configured by our fragments.

KERNEL_SERIES=6.12
KERNEL_PACKAGES="flex bison bc libssl-dev"	# besides those of all commands

kernel_usage() {
	cat <<-'END'
	usage: ./pvkit kernel [--fragment NAME|FILE]...
	  Builds a guest kernel from Debian's linux-source package, with configs/pvkit-guest.config
	  and then each fragment in turn: debug, rt (of configs/), or a file.
	  It is kept in build/kernel/built-guest..., and goes by the name of built, built-debug,
	  built-rt in `run --vm kernel=` and `check --kernel`.
	END
}

cmd_kernel() {
	fragments=
	while [ $# -gt 0 ]; do
		case $1 in
		--fragment)
			[ $# -ge 2 ] || die_usage "--fragment needs a name or a file"
			[ -e "$TOP/configs/pvkit-$2.config" ] || [ -r "$2" ] ||
				die_usage "kernel: --fragment $2: neither configs/pvkit-$2.config nor a file that can be read"
			fragments="$fragments $2"
			shift 2
			;;
		-h | --help) kernel_usage; return 0 ;;
		*) die_usage "kernel: unknown '$1' (try ./pvkit kernel --help)" ;;
		esac
	done
	mkdir -p "$BUILD"
	# shellcheck disable=SC2086
	build_kernel $fragments
	say "kernel $KVER: $KIMAGE"
}

# kernel_source: Debian's source, unpacked; sets KSRC
kernel_source() {
	KSRC=$BUILD/linux-source/linux-$KERNEL_SERIES
	[ ! -e "$KSRC" ] || return 0
	unpack linux-source-$KERNEL_SERIES "$BUILD/linux-source"
	say "unpacking the kernel's source"
	rm -rf "$KSRC.tmp"
	mkdir "$KSRC.tmp"
	tar -xJf "$BUILD/linux-source/usr/src/linux-source-$KERNEL_SERIES.tar.xz" -C "$KSRC.tmp" --strip-components=1 ||
		die "linux-source-$KERNEL_SERIES cannot be unpacked"
	mv "$KSRC.tmp" "$KSRC"
}

# build_kernel FRAGMENT...: sets what kernel_setup does
build_kernel() {
	name=guest files=$TOP/configs/pvkit-guest.config
	for f; do
		case $f in
		*[!a-z]*) name=$name-$(basename "$f" .config) files="$files $f" ;;
		*) name=$name-$f files="$files $TOP/configs/pvkit-$f.config" ;;
		esac
	done
	PACKAGES="$PACKAGES $KERNEL_PACKAGES"
	setup_packages
	alone kernel build_kernel_now
	KVER=$(cat "$KOBJ/include/config/kernel.release")
	# shellcheck disable=SC2034
	KFLAVOUR=built
}

build_kernel_now() {
	kernel_source
	KDIR=$BUILD/kernel/built-$name KOBJ=$BUILD/kernel/built-$name/obj
	KIMAGE=$KOBJ/arch/arm64/boot/Image
	mkdir -p "$KOBJ"
	# shellcheck disable=SC2086
	cat $files >"$KDIR/fragments.new"
	if [ ! -e "$KDIR/done" ] || ! cmp -s "$KDIR/fragments.new" "$KDIR/fragments"; then
		rm -f "$KDIR/done"
		# shellcheck disable=SC2086
		kernel_config $files
		kernel_make
		mv "$KDIR/fragments.new" "$KDIR/fragments"
		touch "$KDIR/done"
	fi
}

# kernel_in_tree ARGUMENTS...: make, in the source, for arm64
kernel_in_tree() {
	cc=aarch64-linux-gnu-gcc
	! command -v ccache >/dev/null || cc="ccache $cc"
	make -C "$KSRC" O="$KOBJ" ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- CC="$cc" \
		KBUILD_BUILD_USER=pvkit KBUILD_BUILD_HOST=pvkit KBUILD_BUILD_TIMESTAMP=2026-01-01 \
		LOCALVERSION="-pvkit-$name" -j"$(jobs)" "$@"
}

# kernel_config FILE...: each option of a fragment must be in the result
kernel_config() {
	say "configuring the kernel ($name)"
	(cd "$KSRC" && ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- scripts/kconfig/merge_config.sh -n -O "$KOBJ" "$@") \
		>"$KDIR/merge.log" 2>&1 || { tail -5 "$KDIR/merge.log" >&2; die "merge_config.sh failed (see $KDIR/merge.log)"; }
	kernel_check_config "$KOBJ/.config" "$KSRC" "$@" || die "the fragments ask for what Kconfig does not give (see above)"
}

# kernel_check_config RESULT SOURCE FILE...: names each option that is not as the last
# of the fragments that has it wants it
kernel_check_config() {
	result=$1 source=$2
	shift 2
	awk -v result="$result" '
		function option(line) {
			if (line ~ /^CONFIG_[A-Za-z0-9_]*=/) { o = substr(line, 1, index(line, "=") - 1); v = substr(line, index(line, "=") + 1); return 1 }
			if (line ~ /^# CONFIG_[A-Za-z0-9_]* is not set$/) { split(line, w, " "); o = w[2]; v = "n"; return 1 }
			return 0
		}
		option($0) { want[o] = v; from[o] = FILENAME }
		END {
			while ((getline line <result) > 0) if (option(line)) is[o] = v
			for (o in want) if ((o in is ? is[o] : "n") != want[o]) print o, want[o], (o in is ? is[o] : "n"), from[o]
		}' "$@" | sort >"$result.dropped"
	while read -r option want is from; do
		why="something that it depends on is off, or something else decides it"
		grep -rqE --include='Kconfig*' "^[[:space:]]*(menu)?config[[:space:]]+${option#CONFIG_}$" "$source" || why="this kernel has no such option"
		say "$option: $(basename "$from") asks for $want, the result has $is: $why"
	done <"$result.dropped"
	[ ! -s "$result.dropped" ]
}

# Progress: how many files, every 20 seconds.
kernel_make() {
	say "building the kernel ($name): 5 to 20 minutes"
	kernel_in_tree Image modules >"$KDIR/make.log" 2>&1 &
	pid=$! began=$(date +%s) next=20
	while kill -0 $pid 2>/dev/null; do
		sleep 1
		passed_s=$(($(date +%s) - began))
		[ $passed_s -ge $next ] || continue
		next=$((next + 20))
		say "kernel: $(grep -cE '^ *(CC|AS|LD)' "$KDIR/make.log") files in $passed_s s"
	done
	wait $pid || { grep -E 'error|Error' "$KDIR/make.log" | head -5 >&2; die "building the kernel failed (see $KDIR/make.log)"; }
	rm -rf "${KDIR:?}/lib"
	kernel_in_tree INSTALL_MOD_PATH="$KDIR" modules_install >"$KDIR/install.log" 2>&1 || die "installing its modules failed (see $KDIR/install.log)"
}
