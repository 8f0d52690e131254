# SPDX-License-Identifier: GPL-2.0
"""Ending what a suite has started, and nothing else: all of it inherits a variable that is different
in each run, also where it has made sessions and process groups of its own."""
import os
import pathlib
import signal
import time

VARIABLE = "PVKIT_CHECK_RUN"


def marked(value):
    """PIDs of the processes whose environment has the variable with a value that begins so."""
    wanted = f"{VARIABLE}={value}".encode()
    found = []
    for directory in pathlib.Path("/proc").iterdir():
        if not directory.name.isdigit():
            continue
        try:
            variables = (directory / "environ").read_bytes().split(b"\0")
        except OSError:         # has ended, or is not ours
            continue
        if any(v.startswith(wanted) for v in variables):
            found.append(int(directory.name))
    return found


def end(value, seconds=10):
    """Kills them, but for ourselves; again where one starts another meanwhile."""
    until = time.monotonic() + seconds
    while (left := [pid for pid in marked(value) if pid != os.getpid()]) and time.monotonic() < until:
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.05)
