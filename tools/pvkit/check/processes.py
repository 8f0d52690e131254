# SPDX-License-Identifier: GPL-2.0
"""Ending what a suite has started, and nothing else: all of it inherits a variable that is different
in each run, also where it has made sessions and process groups of its own. What has another
environment and outlives its parent becomes our child (adopt())."""
import ctypes
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


PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36        # linux/prctl.h


def _prctl(option, value):
    ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def adopt():
    """From now on, processes below us whose parents end become our children."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def end_with_parent():
    """In a child, before it executes a program: SIGINT when the parent ends, however."""
    _prctl(PR_SET_PDEATHSIG, signal.SIGINT)


def adopted(own):
    """PIDs of our children besides own, the only one that we have started. Those that have ended are
    waited for."""
    found = []
    for directory in pathlib.Path("/proc").iterdir():
        if not directory.name.isdigit() or int(directory.name) == own:
            continue
        try:
            state, parent = (directory / "stat").read_text(errors="replace").rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if int(parent) != os.getpid():
            continue
        if state == "Z":
            os.waitpid(int(directory.name), os.WNOHANG)
        else:
            found.append(int(directory.name))
    return found


def end_adopted(own):
    """Kills them, and those that become our children by that."""
    while left := adopted(own):
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)
