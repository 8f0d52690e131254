#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The hypervisor's portable part on a fake arch, under address and undefined-behaviour sanitizers:
# unit tests, and random guests.
#
# /// suite
# time = "host"
# limit = 600
# seconds = 40
# groups = ["hypervisor"]
# level = "quick"
# ///
exec make -s -C "$TOP/tests/unit" O="$BUILD/unit" check
