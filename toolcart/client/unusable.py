"""Says what the other side sent in place of an answer to MID 0001: it may be no controller at all."""

from __future__ import annotations

from toolcart.catalogue.errors import quoted

KEPT_BYTES = 256  # of what came before a session stands
_HEADER_BYTES = 20
_LEAST = 57  # octets of a MID 0002 with all the fields of revision 1


def described(came: bytes, sent: bytes) -> str:
    """Return the words for what came, empty where nothing did; `sent` is the last request."""
    if not came:
        return ""
    rest = came.lstrip(b"\0")
    if not rest:
        return "only NULs came, and no message: is it a controller?"
    if sent and rest.startswith(sent[:_HEADER_BYTES]):
        return "what is sent comes back: an echo, not a controller"
    head = rest[:8]
    if not head.isdigit() or int(head[:4]) < _HEADER_BYTES:
        return f"what came is no message of Open Protocol: {quoted(rest[:20])}"
    length, mid = int(head[:4]), int(head[4:])
    if len(rest) < min(length, KEPT_BYTES):
        return f"MID {mid:04d} came short: {len(rest)} of the {length} bytes that it says"
    return f"MID {mid:04d} came, and no answer to MID 0001"


def is_short_start(frame: bytes) -> bool:
    """True if a MID 0002 has not even the fields of revision 1."""
    return len(frame) < _LEAST
