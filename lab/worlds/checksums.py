"""Checksums of records and snapshots, remembered by their bytes, for simulations and proofs on a PC.

They read the same records thousands of times, and the loop of agent/base/crc.py took half of their time. A
remembered checksum is a pure function of the bytes, so no answer changes. The agent itself never uses this: on a cart
hardly any record is read twice.
"""

from __future__ import annotations

from toolcart.agent.base.crc import crc30
from toolcart.agent.log import framing, snapshot

MOST = 1 << 17  # entries; with records of 160 bytes some 30 MB

_known: dict[bytes, int] = {}


def checksum(buf, start: int, end: int) -> int:
    """Return the CRC of buf[start:end] as toolcart.agent.base.crc.crc30 does."""
    octets = bytes(buf[start:end])
    crc = _known.get(octets)
    if crc is None:
        if len(_known) >= MOST:
            _known.clear()
        crc = _known[octets] = crc30(octets, 0, len(octets))
    return crc


def remember_checksums() -> None:
    """Check and seal the records and snapshots of this process with `checksum`."""
    framing.crc30 = snapshot.crc30 = checksum  # type: ignore
