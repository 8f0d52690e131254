# SPDX-License-Identifier: GPL-2.0
"""What may run at once. Each of pytest's workers has a slot, which is a CPU; a suite runs in its
worker's, or, if nothing may run beside it, in all of them."""
import contextlib
import fcntl
import os


@contextlib.contextmanager
def held(directory, own, count, every):
    """Waits for slot own of count, or for every one of them, and keeps it. Locks are taken in one
    order by all, and nobody waits who holds a later one."""
    files = []
    try:
        for n in range(count) if every else [own]:
            files.append(open(directory / f"slot{n}", "w", encoding="ascii"))
            fcntl.flock(files[-1], fcntl.LOCK_EX)
        yield
    finally:
        for file in files:
            file.close()


@contextlib.contextmanager
def on_cpu(own, every):
    """This process and what it starts stay on the slot's CPU: two deterministic QEMUs, each of
    which is one busy thread, would else meet on one CPU."""
    cpus = sorted(os.sched_getaffinity(0))
    if not every:
        os.sched_setaffinity(0, {cpus[own % len(cpus)]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cpus)
