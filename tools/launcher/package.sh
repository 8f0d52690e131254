# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Debian packages: the modules for DKMS, the tools, the hypervisor's images.

PACKAGES="$PACKAGES dpkg-dev fakeroot debhelper dh-dkms lintian"

cmd_package() {
	no_arguments package "Builds Debian packages in build/packages: the modules for DKMS, the tools, the hypervisor." "$@" || return 0
	mkdir -p "$BUILD"
	setup_packages
	build_packages
	ls "$BUILD"/packages/*.deb
}

# build_packages: build/packages/*.deb, from a copy of what git knows (or, without
# git, of all but build)
build_packages() {
	unpack libfdt-dev:arm64 "$BUILD/sysroot"
	rm -rf "$BUILD/packages"
	mkdir -p "$BUILD/packages/pvkit"
	(cd "$TOP" && { git ls-files -z --cached --others --exclude-standard 2>/dev/null || find . -path ./build -prune -o -type f -print0; } |
		xargs -0 tar -cf - 2>/dev/null) | tar -C "$BUILD/packages/pvkit" -xf -
	say "building the packages"
	# Not what the build depends on by name: libfdt for arm64 is unpacked, not installed.
	(cd "$BUILD/packages/pvkit" &&
		SYSROOT=$BUILD/sysroot dpkg-buildpackage -us -uc -d -aarm64 -Pcross,nocheck) >"$BUILD/packages/log" 2>&1 ||
		{ tail -20 "$BUILD/packages/log" >&2; die "dpkg-buildpackage failed (see $BUILD/packages/log)"; }
}
