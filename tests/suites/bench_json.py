# SPDX-License-Identifier: GPL-2.0
"""Figures of `pvkit bench` for the tests that judge them or print them."""
import importlib.util
import json
import os
import pathlib
import subprocess

TOP = next(p for p in pathlib.Path(__file__).resolve().parents if (p / "pvkit").exists())
BUILD = pathlib.Path(os.environ.get("BUILD", TOP / "build"))
BASELINE = TOP / "tests" / "baseline.json"

_spec = importlib.util.spec_from_file_location("pvkit_figures", TOP / "tools/report/figures.py")
figures = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(figures)


def bench(out, *arguments):
    """Measures, and returns the document. PVKIT_FIGURES=FILE: takes that one instead."""
    ready = os.environ.get("PVKIT_FIGURES")
    if not ready:
        ready = BUILD / out
        ready.unlink(missing_ok=True)
        subprocess.run([TOP / "pvkit", "bench", *arguments, "--json", ready], check=True, stdin=subprocess.DEVNULL)
    return json.loads(pathlib.Path(ready).read_text())


def by_name(document):
    return {f["name"]: f for f in document["results"]}


def spread(figure):
    """Its value, and what it is the median of, or the least and the most of them."""
    text = f'{figure["name"]} = {figure["value"]} {figure["unit"]}'
    if "runs" in figure:
        return f'{text} (five starts: {", ".join(map(str, figure["runs"]))})'
    if "least" in figure:
        return f'{text} (least {figure["least"]}, most {figure["most"]})'
    return text


def note(document, judged, record_property):
    """Prints what chance decides and nothing judges; the runner finds it in the report, too."""
    for figure in document["results"]:
        if figure["name"] in judged or (figure["deterministic"] and not figures.by_chance(figure["name"])):
            continue
        print("# note:", spread(figure))
        record_property("note", spread(figure))
