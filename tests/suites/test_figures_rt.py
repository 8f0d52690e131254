# SPDX-License-Identifier: GPL-2.0
# The parts of `pvkit bench` in real time: what they measure is this machine's, so figures
# are notes. Judged is what holds in any interleaving: each part comes to its end (a guest
# that fails, and a mutual exclusion that is violated, end it), no figure is missing, and a
# VM with a pCPU of its own does not exit.
#
# /// suite
# time = "real"
# limit = 1200
# seconds = 100
# groups = ["figures"]
# level = "long"
# ///
import pytest

from bench_json import bench, by_name, note

PARTS = "lock blk net partition".split()


@pytest.fixture(scope="session")
def document():
    return bench("figures-rt.json", *PARTS, "--real-time", "--quick")


@pytest.mark.parametrize("part", PARTS)
def test_part_is_complete(document, part):
    values = [f["value"] for f in document["results"] if f["part"] == f"{part}_rt"]
    assert values and all(v >= 0 for v in values)


@pytest.mark.parametrize("mode", ["native", "pv", "fit_native", "fit_pv"])
def test_locks_are_taken(document, mode):
    assert by_name(document)[f"lock.mt.{mode}.rate"]["least"] > 0


@pytest.mark.parametrize("load", ["idle", "compute"])
def test_partitioned_vm_does_not_exit(document, load):
    assert by_name(document)[f"partition.mt.exits_per_s.{load}"]["value"] == 0


def test_notes(document, record_property):
    note(document, set(), record_property)
