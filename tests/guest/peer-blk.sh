# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Guest side of `pvkit bench --peers`, in the Debian root under KVM: the requests of
# bench-blk.sh, with a mark for the host before and after each run of fio.
. /lib.sh
. /fio.sh
mkdir -p /tmp/out
for n in 1000 2000 12000; do
	echo "MARK begin.$n"
	job "qd1.$n" /dev/vdb --rw=randread --bs=4k --iodepth=1 --size=32M --io_size=64G --norandommap \
		--number_ios="$n" --ioengine=libaio
	echo "MARK end.$n"
done
