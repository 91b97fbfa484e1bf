"""Power that fails: a fuse that burns through at a counted operation, whatever the agent is doing then.

A cut derives from BaseException, because whoever runs tasks catches Exception; no one may survive a cut.
"""

from __future__ import annotations

READ, PROGRAM, ERASE, SEND = 1, 2, 4, 8  # operations that count
ON_FLASH = PROGRAM | ERASE
READS_MAX = 200000  # a mount of the largest flash here takes less than a tenth
KINDS = {"flash": ON_FLASH, "any": ON_FLASH | SEND, "read": READ | ON_FLASH | SEND, "send": SEND}


class PowerCut(BaseException):
    """There is no power any more."""


class Hung(BaseException):
    """The agent does not come back from one step."""


class Fuse:
    """Burns through at the n-th operation of some kinds; each model asks it before it does its work."""

    def __init__(self) -> None:
        self.left = 0  # operations until it burns; 0: not armed
        self.kinds = 0
        self.reads = 0  # in this step of the agent

    def count_read(self) -> None:
        """Count one read of a flash; no step reads as often as READS_MAX times."""
        self.reads += 1
        if self.reads > READS_MAX:
            raise Hung

    def arm(self, operations: int, kinds: str) -> None:
        """Burn through at this operation from now on, the next being 1."""
        self.left = operations
        self.kinds = KINDS[kinds]

    def disarm(self) -> None:
        """Hold for ever."""
        self.left = 0

    def burns(self, kind: int) -> bool:
        """Count one operation; tell whether the power goes during it."""
        if not self.left or not self.kinds & kind:
            return False
        self.left -= 1
        return not self.left
