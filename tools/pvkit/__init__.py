# SPDX-License-Identifier: GPL-2.0
"""Host tools of pvkit."""
