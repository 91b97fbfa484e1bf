"""The meaning of a system's error number: a WHY_ of agent.link.port for a connection, a REFUSED_ of agent.log.flash.

Linux and lwIP number network errors alike, ESP-IDF differently; `errno` has the numbers of the machine this runs on.
Those that MicroPython's `errno` lacks are listed here for both, or are the same everywhere.
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
    (errno.ECONNREFUSED, WHY_REFUSED),
    (errno.ETIMEDOUT, WHY_TIMED_OUT),
    (errno.EHOSTUNREACH, WHY_NO_ROUTE),
    (errno.ECONNRESET, WHY_RESET),
    (errno.ECONNABORTED, WHY_RESET),
    (32, WHY_RESET),  # EPIPE: written to a connection that the other side has closed
    (errno.EADDRINUSE, WHY_IN_USE),
    (errno.EACCES, WHY_NO_PERMISSION),
    (errno.EPERM, WHY_NO_PERMISSION),
    (errno.ENODEV, WHY_NO_DEVICE),
    (errno.ENOMEM, WHY_NO_SOCKET),
    (errno.ENOBUFS, WHY_NO_SOCKET),
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
    (errno.EACCES, REFUSED_NOT_ALLOWED),
    (errno.EPERM, REFUSED_NOT_ALLOWED),
    (5, REFUSED_BROKEN),  # EIO
    (6, REFUSED_BROKEN),  # ENXIO
    (errno.ENODEV, REFUSED_BROKEN),
    (errno.ETIMEDOUT, REFUSED_BROKEN),
    (74, REFUSED_BROKEN),  # EBADMSG: a checksum of the file system
    (84, REFUSED_BROKEN),  # EILSEQ: what littlefs says of spoilt content
    (116, REFUSED_BROKEN),  # ESTALE
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
    for known, meaning in rows:
        if known == number:
            return meaning
    return otherwise
