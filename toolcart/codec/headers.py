"""Headers with the spindle in front of the revision, for whole messages; toolcart.agent.link.headers has the layout.

Rules
1. Everything behind `usual` reads the usual header; `other` is what goes out.
2. An answer to MID 0001 has a revision of 1 to 7. Read as a usual header, one with the spindle first has a revision of
   10 or more, or revision 000 with a station of two digits in front of octets that nobody fills in.
"""

from __future__ import annotations

import re

from toolcart.agent.link.headers import HEADERS, header_of

NAMES = ("standard", *HEADERS)
_SPINDLE = slice(14, 16)
_FIRST = re.compile(rb"\d\d00[1-7]")  # of spindle and revision
_UNUSED = re.compile(rb"0*| *|\0*")


def usual(frame: bytes, name: str) -> bytes:
    """Return a message that came as one with the usual header."""
    return _turned(frame, name, "read")


def other(frame: bytes, name: str, spindle: int = 0) -> bytes:
    """Return a message as it goes out; its spindle is this one unless it names its own."""
    if header_of(name) is not None and spindle and not frame[_SPINDLE].strip():
        frame = frame[: _SPINDLE.start] + b"%02d" % spindle + frame[_SPINDLE.stop :]
    return _turned(frame, name, "write")


def _turned(frame: bytes, name: str, how: str) -> bytes:
    header = header_of(name)
    if header is None:
        return frame
    turned = bytearray(frame)
    getattr(header, how)(turned, 0)
    return bytes(turned)


def is_laid_out_so(frame: bytes, name: str) -> bool:
    """True unless the header of this answer to MID 0001 shows that it is not the one of this name."""
    found = _FIRST.match(frame[8:20])
    if header_of(name) is not None:
        return bool(found)
    return not found or (frame[8:11] == b"000" and not _UNUSED.fullmatch(frame[13:20]))
