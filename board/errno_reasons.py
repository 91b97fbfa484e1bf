"""The meaning of a system's error number, for a connection and for a flash.

That is a WHY_ of toolcart.agent.link.port, or a REFUSED_ of toolcart.agent.log.flash.

Linux and lwIP number network errors alike, ESP-IDF differently; `errno` has the numbers of the machine this runs on.
Those that MicroPython's `errno` lacks are listed here for both, or are the same everywhere. The others are names here
and not numbers: then the tables are constants, which take nothing of a chip's heap.
"""

import errno

from toolcart.agent.link.port import (
    WHY_FAILED,
    WHY_IN_USE,
    WHY_NO_DEVICE,
    WHY_NO_NETWORK,
    WHY_NO_PERMISSION,
    WHY_NO_ROUTE,
    WHY_NO_SOCKET,
    WHY_NOT_A_TTY,
    WHY_REFUSED,
    WHY_RESET,
    WHY_TIMED_OUT,
    WHY_UNPLUGGED,
)
from toolcart.agent.log.flash import (
    REFUSED_BROKEN,
    REFUSED_NO_ROOM,
    REFUSED_NOT_ALLOWED,
    REFUSED_OTHER,
    REFUSED_QUOTA,
    REFUSED_READ_ONLY,
)

_KNOWN = (
    ("ECONNREFUSED", WHY_REFUSED),
    ("ETIMEDOUT", WHY_TIMED_OUT),
    ("EHOSTUNREACH", WHY_NO_ROUTE),
    ("ECONNRESET", WHY_RESET),
    ("ECONNABORTED", WHY_RESET),
    (32, WHY_RESET),  # EPIPE: written to a connection that the other side has closed
    ("EADDRINUSE", WHY_IN_USE),
    ("EACCES", WHY_NO_PERMISSION),
    ("EPERM", WHY_NO_PERMISSION),
    ("ENODEV", WHY_NO_DEVICE),
    ("ENOMEM", WHY_NO_SOCKET),
    ("ENOBUFS", WHY_NO_SOCKET),
    (2, WHY_NO_DEVICE),  # ENOENT
    (6, WHY_NO_DEVICE),  # ENXIO
    (5, WHY_UNPLUGGED),  # EIO
    (16, WHY_IN_USE),  # EBUSY
    (23, WHY_NO_SOCKET),  # ENFILE
    (24, WHY_NO_SOCKET),  # EMFILE
    (25, WHY_NOT_A_TTY),  # ENOTTY
    (99, WHY_IN_USE),  # EADDRNOTAVAIL
    (100, WHY_NO_NETWORK),  # ENETDOWN
    (101, WHY_NO_NETWORK),  # ENETUNREACH
)

_REFUSED = (
    (28, REFUSED_NO_ROOM),  # ENOSPC
    (122, REFUSED_QUOTA),  # EDQUOT
    (30, REFUSED_READ_ONLY),  # EROFS
    ("EACCES", REFUSED_NOT_ALLOWED),
    ("EPERM", REFUSED_NOT_ALLOWED),
    (5, REFUSED_BROKEN),  # EIO
    (6, REFUSED_BROKEN),  # ENXIO
    ("ENODEV", REFUSED_BROKEN),
    ("ETIMEDOUT", REFUSED_BROKEN),
    (74, REFUSED_BROKEN),  # EBADMSG: a checksum of the file system
    (84, REFUSED_BROKEN),  # EILSEQ: what littlefs says of spoilt content
    (117, REFUSED_BROKEN),  # EUCLEAN: a structure of the file system is spoilt
    (121, REFUSED_BROKEN),  # EREMOTEIO
    (123, REFUSED_BROKEN),  # ENOMEDIUM
)


def why_of(number):
    """Return the WHY_ of an error number; WHY_FAILED for one that says nothing about connections."""
    return _meaning(_KNOWN, number, WHY_FAILED)


def refusal_of(number):
    """Return the REFUSED_ of an error number that came from a disk or a file system."""
    return _meaning(_REFUSED, number, REFUSED_OTHER)


def _meaning(rows, number, otherwise):
    for name, meaning in rows:
        if number == (getattr(errno, name) if isinstance(name, str) else name):
            return meaning
    return otherwise
