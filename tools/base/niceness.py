"""How far a process stands back where the processor is scarce: whom people wait for lets who takes results go first."""

import os

VARIABLE = "TOOLCART_NICENESS"  # what holds instead: tests, beside others that take all processors, set 0


def stand_back(niceness: int) -> None:
    """Take this niceness, or what the environment says."""
    os.nice(int(os.environ.get(VARIABLE, niceness)))
