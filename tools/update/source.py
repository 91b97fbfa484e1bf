"""Reads a package and its signature, FILE and FILE.minisig, from this machine or a web server, within bounds."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from http.client import HTTPException
from pathlib import Path

SUFFIX = ".minisig"
PACKAGE_BYTES_MAX = 32 << 20  # ours is about 1 MB
SILENCE_S = 30
WHOLE_S = 900  # for a package over a slow mobile network
PIECE = 1 << 16


class Missing(Exception):
    """It cannot be read; str() says what and why."""


def is_address(source: str) -> bool:
    """True if it has to be fetched from a server."""
    return source.startswith(("http://", "https://"))


def read(source: str, limit: int = PACKAGE_BYTES_MAX) -> bytes:
    """Return the bytes of a file or of what a server has at this address, `limit` at most."""
    until = time.monotonic() + WHOLE_S
    try:
        if is_address(source):
            with urllib.request.urlopen(source, timeout=SILENCE_S) as answer:
                pieces, size = [], 0
                while piece := answer.read1(PIECE):
                    pieces.append(piece)
                    size += len(piece)
                    if size > limit:
                        break
                    if time.monotonic() > until:
                        raise Missing(f"{source} did not come whole within {WHOLE_S} s")
                length = answer.headers["Content-Length"]
                if length is not None and length.isdigit() and size < int(length):
                    raise Missing(f"{source} ended after {size} of {length} bytes")
                octets = b"".join(pieces)
        else:
            with Path(source).open("rb") as file:
                octets = file.read(limit + 1)
    except urllib.error.HTTPError as error:
        raise Missing(f"{source}: the server answers {error.code} {error.reason}") from None
    except (OSError, HTTPException, ValueError) as error:
        why = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
        raise Missing(f"{source}: {why}") from None
    if len(octets) > limit:
        raise Missing(f"{source} has more than {limit:,} bytes")
    return octets
