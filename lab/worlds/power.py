"""Power that fails: a fuse that blows at a counted operation, whatever the agent is doing.

A cut derives from BaseException, because whatever runs tasks catches Exception; nothing may survive a cut.
"""

from __future__ import annotations

READ, PROGRAM, ERASE, SEND = 1, 2, 4, 8  # operations that count
ON_FLASH = PROGRAM | ERASE
READS_MAX = 200000  # a mount of the largest flash here takes less than a tenth of it
KINDS = {"flash": ON_FLASH, "any": ON_FLASH | SEND, "read": READ | ON_FLASH | SEND, "send": SEND}


class PowerCut(BaseException):
    """The power is gone."""


class StepHung(BaseException):
    """The agent does not return from a step."""


class Fuse:
    """Blows at the n-th operation of some kinds; each model asks it before it works."""

    def __init__(self) -> None:
        self.left = 0  # operations until it blows; 0: not armed
        self.kinds = 0
        self.reads = 0  # in this step of the agent

    def count_read(self) -> None:
        """Count one read of a flash; a step must stay below READS_MAX reads."""
        self.reads += 1
        if self.reads > READS_MAX:
            raise StepHung

    def arm(self, operations: int, kinds: str) -> None:
        """Blow at this operation from now on, the next being 1."""
        self.left = operations
        self.kinds = KINDS[kinds]

    def disarm(self) -> None:
        """Never blow."""
        self.left = 0

    def burns(self, kind: int) -> bool:
        """Count one operation; True if the power fails during it."""
        if not self.left or not self.kinds & kind:
            return False
        self.left -= 1
        return not self.left
