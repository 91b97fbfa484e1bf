"""What was missed in the controller, in words: how many are left is known once it was asked what it has.

Rules
1. `open_ids` of the status is a bound of what is known to be missing. While a controller is not connected, or is still
   asked what it has, it may have made more: then the number is called that of before.
2. The agent fetches hundreds a second: a number seen while it does is what is left at that moment, never all of it.
"""

from __future__ import annotations

from typing import NamedTuple

from toolcart.agent.openprotocol.recovery_phases import PHASE_FILL, PHASE_NAMES, PHASE_OWN_IDS
from toolcart.board.linux.plurals import counted

_ASKED = (PHASE_NAMES[PHASE_OWN_IDS], PHASE_NAMES[PHASE_FILL])  # it has said what it has


class Missed(NamedTuple):
    """`is_known`: so many are left at most; else there may be more. `label` is the word at the beginning of a line."""

    label: str
    words: str
    is_known: bool


def of_station(station: dict) -> Missed | None:
    """Return what is missing of this station; None if nothing is known to be."""
    recovery = station.get("recovery", {})
    open_ids = recovery.get("open_ids")
    if not open_ids:
        return None
    results = counted(open_ids, "missed result")
    if recovery.get("off") or recovery.get("needs"):
        return Missed("missing", f"at most {results} so far, not fetched now", True)
    if recovery.get("phase") in _ASKED and station.get("controller", {}).get("state") == "ready":
        return Missed("fetching", f"at most {results} left in the controller", True)
    return Missed("missing", f"at most {results} from before, and what the controller has made since", False)
