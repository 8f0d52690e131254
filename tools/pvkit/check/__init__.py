# SPDX-License-Identifier: GPL-2.0
"""`./pvkit check`: which suites there are (suites.py), the command (__main__.py), and what pytest
is extended by: running a suite (run.py, processes.py, slots.py) and reporting it (report.py)."""
