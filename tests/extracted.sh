#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# mmdebstrap's extract hook for a root whose packages are unpacked, but whose
# scripts have not run: tell dpkg that they are installed, so that it looks after
# what depends on them, and make the links that those scripts would have made.
set -eu
root=$1
db=$root/var/lib/dpkg
mkdir -p "$db/info" "$db/updates" "$db/triggers"
for deb in "$root"/var/cache/apt/archives/*.deb; do
	package=$(dpkg-deb -f "$deb" Package)
	dpkg-deb -f "$deb" | awk '{ print } /^Package:/ { print "Status: install ok installed" }'
	echo
	case $(dpkg-deb -f "$deb" Multi-Arch) in same) package=$package:arm64 ;; esac
	dpkg-deb --fsys-tarfile "$deb" | tar -tf - | sed 's,^\.,,; s,/$,,; s,^$,/.,' >"$db/info/$package.list"
done >"$db/status"
: >"$db/available"
ln -sf mawk "$root/usr/bin/awk"
[ -e "$root/bin/sh" ] || ln -s dash "$root/bin/sh"
rm "$root"/var/cache/apt/archives/*.deb
