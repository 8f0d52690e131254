# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# What all commands share: messages and machine set-up.

say() { printf 'pvkit: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }
die_usage() { say "$*"; exit 2; }

# no_arguments COMMAND WHAT ARGUMENTS...: of a command that has none but --help. Returns 1 if that
# was all.
no_arguments() {
	case ${3:-} in
	'') ;;
	-h | --help) printf 'usage: ./pvkit %s\n  %s\n' "$1" "$2"; return 1 ;;
	*) die_usage "$1 takes no arguments (try ./pvkit $1 --help)" ;;
	esac
}

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		die "need root or sudo for: $*"
	fi
}

# Debian packages that we build and run with.
PACKAGES="make gcc libc6-dev gcc-aarch64-linux-gnu libc6-dev-arm64-cross device-tree-compiler dt-schema
qemu-system-arm libcmocka-dev clang libclang-rt-14-dev libfdt-dev spin xz-utils cpio kmod shellcheck mmdebstrap genext2fs e2fsprogs xfsprogs iperf3 libelf-dev python3 python3-pytest
python3-pytest-xdist python3-pytest-timeout"

setup_packages() {
	missing=
	for p in $PACKAGES; do
		case $(dpkg-query -W -f '${Status}' "$p" 2>/dev/null) in
		*" installed") ;;
		*) missing="$missing $p" ;;
		esac
	done
	foreign=$(dpkg --print-foreign-architectures)
	case $foreign in
	*arm64*) ;;
	*)
		say "adding architecture arm64 to dpkg, to fetch guest packages"
		as_root dpkg --add-architecture arm64
		apt_updated=no
		;;
	esac
	if [ -n "$missing" ] || [ "${apt_updated:-}" = no ] || [ -z "$(newest_kernel 6.12 cloud-arm64)" ]; then
		say "updating package lists"
		as_root apt-get -qq update || die "apt-get update failed"
	fi
	[ -z "$missing" ] && return
	say "installing:$missing"
	# shellcheck disable=SC2086
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install $missing \
		>"$BUILD/apt.log" 2>&1 || { tail -20 "$BUILD/apt.log" >&2; die "apt-get install failed"; }
}

# newest_kernel SERIES FLAVOUR: the newest version that the archive offers, as
# in linux-image-<version>-<flavour>. Remembered until the package lists change: the search
# takes 3 s of CPU time, and each `pvkit run` asks.
newest_kernel() {
	nk_known=$BUILD/newest-$1-$2
	if [ -z "$(find "$nk_known" -size +0 -newer /var/lib/apt/lists 2>/dev/null)" ]; then
		mkdir -p "$BUILD"
		apt-cache search --names-only "^linux-image-$1\.[0-9.]*[-+][a-z0-9]*-$2\$" 2>/dev/null |
			sed -n "s/^linux-image-\(.*\)-$2\(:arm64\)\{0,1\} .*/\1/p" | sort -V | tail -1 >"$nk_known.$$"
		mv "$nk_known.$$" "$nk_known"
	fi
	cat "$nk_known"
}

download() { (cd "$BUILD/dl" && apt-get -qq download "$1" 2>"$BUILD/apt.log"); }

# fetch PACKAGE...: download into build/dl, without installing. Prints nothing.
fetch() {
	mkdir -p "$BUILD/dl"
	for p in "$@"; do
		set -- "$BUILD/dl/${p%%:*}"_*.deb
		[ -e "$1" ] && continue
		say "fetching $p"
		download "$p" || {
			say "the package lists may be old: updating them"
			as_root apt-get -qq update
			download "$p"
		} || { cat "$BUILD/apt.log" >&2; die "cannot download $p"; }
	done
}

# alone WHAT COMMAND...: a function, in this shell, while nobody else does anything of WHAT in this
# tree: suites that run at once build what they share. Inside another: what unpacks only.
alone() {
	alone_fd=$((${alone_fd:-10} - 1))
	mkdir -p "$BUILD"
	eval "exec $alone_fd>\"\$BUILD/.$1.lock\""
	flock $alone_fd
	shift
	"$@"
	set -- $?
	eval "exec $alone_fd>&-"
	alone_fd=$((alone_fd + 1))
	return "$1"
}

# unpack PACKAGE DIRECTORY
unpack() {
	stamp=$2/.unpacked-${1%%:*}
	[ -e "$stamp" ] && return
	alone unpack unpack_now "$1" "$2"
}

unpack_now() {
	[ -e "$stamp" ] && return
	fetch "$1"
	mkdir -p "$2"
	dpkg -x "$BUILD/dl/${1%%:*}"_*.deb "$2"
	touch "$stamp"
}

# kernel_setup SERIES FLAVOUR: fetch and unpack; sets KVER, KIMAGE, and KDIR, which
# has its files. "built", "built FRAGMENT": one from source, likewise (kernel.sh).
kernel_setup() {
	if [ "$1" = built ]; then
		. "$LAUNCHER/kernel.sh"
		build_kernel ${2:+"$2"}
		return
	fi
	KVER=$(newest_kernel "$1" "$2")
	[ -n "$KVER" ] || die "the package archive has no linux-image-$1.*-$2 (is arm64 in its lists?)"
	KVER=$KVER-$2 KFLAVOUR=$2
	KDIR=$BUILD/kernel/$KVER
	unpack "linux-image-$KVER:arm64" "$KDIR"
	KIMAGE=$KDIR/boot/Image-$KVER
	[ -e "$KIMAGE" ] || unpack_image "$KDIR/boot/vmlinuz-$KVER" "$KIMAGE"
}

# unpack_image FROM TO: a gzip'd Image is unpacked, anything else is copied.
unpack_image() {
	if gzip -t "$1" 2>/dev/null; then
		gzip -dc "$1" >"$2.$$"
	else
		cp "$1" "$2.$$"
	fi
	mv "$2.$$" "$2"
}

# What modules are built against, KSRC and KOBJ: never installed (see
# Documentation/building.md).
headers_setup() {
	[ "$KFLAVOUR" != built ] || return 0
	base=${KVER%-"$KFLAVOUR"}
	unpack "linux-headers-$KVER:arm64" "$KDIR"
	unpack "linux-headers-$base-common" "$KDIR"
	case $base in
	6.1.*) unpack linux-kbuild-6.1 "$KDIR" ;;	# one for all of that series
	*) unpack "linux-kbuild-$base" "$KDIR" ;;
	esac
	# shellcheck disable=SC2034
	KSRC=$KDIR/usr/src/linux-headers-$base-common KOBJ=$KDIR/usr/src/linux-headers-$KVER
}

# What our guests' kernels are started with.
# shellcheck disable=SC2034
KERNEL_ARGS="console=ttyAMA0 quiet panic=-1"

# How much a test does over and over: quick, normal or long. Its guests take it from the
# command line (by_level in tests/guest/lib.sh).
# shellcheck disable=SC2034
LEVEL_ARGS="pvkit.level=${PVKIT_LEVEL:-normal}"

# by_level QUICK NORMAL LONG
by_level() { case ${PVKIT_LEVEL:-} in quick) echo "$1" ;; long) echo "$3" ;; *) echo "$2" ;; esac; }

# colons LIST: its words as one, for the command line of a guest
colons() { echo "$1" | tr ' ' :; }

jobs() { getconf _NPROCESSORS_ONLN; }

# cpus: the numbers of those that we may run on
cpus() {
	awk '/^Cpus_allowed_list:/ { n = split($2, r, ",")
		for (i = 1; i <= n; i++) { last = split(r[i], e, "-"); for (c = e[1]; c <= e[last] + 0; c++) print c } }' /proc/self/status
}

# stay_on CPU: this shell and what it starts
stay_on() {
	read -r so_pid _ </proc/self/stat
	taskset -cp "$1" "$so_pid" >/dev/null
}
