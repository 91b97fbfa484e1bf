"""How far a process stands back when CPU is scarce: one that serves people yields to one that takes results."""

from __future__ import annotations

import os

VARIABLE = "TOOLCART_NICENESS"  # overrides it: tests set 0, since they run beside others that use all processors


def stand_back(niceness: int) -> None:
    """Take this niceness, or the one in the environment."""
    os.nice(int(os.environ.get(VARIABLE, niceness)))
