"""News of the connection to a controller."""

from __future__ import annotations

from dataclasses import dataclass

from toolcart.catalogue.message import Message


@dataclass(frozen=True)
class Connection:
    """The connection was made or lost: `reason` says why it was lost, `started` is the MID 0002 it began with.

    >>> import toolcart
    >>> toolcart.Connection(False, "the controller closed the connection").is_found
    False
    """

    is_found: bool
    reason: str = ""
    started: Message | None = None
