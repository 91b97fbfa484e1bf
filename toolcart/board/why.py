"""The meaning of a system's error number: a WHY_ of agent.link.port for a connection, a REFUSED_ of agent.log.flash.

Linux and lwIP number network errors alike, ESP-IDF differently; `errno` has the numbers of the machine this runs on.
Those that MicroPython's `errno` lacks are listed here for both, or are the same everywhere.
"""

import errno

from toolcart.agent.base.compat import const
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

_ENOENT = const(2)
_EIO = const(5)
_ENXIO = const(6)
_EBUSY = const(16)
_EPIPE = const(32)  # written to a connection that the other side has closed
_ENFILE = const(23)
_EMFILE = const(24)
_ENOTTY = const(25)
_ENOSPC = const(28)
_EROFS = const(30)
_EBADMSG = const(74)  # a checksum of the file system
_EILSEQ = const(84)  # what littlefs says of spoilt content
_EADDRNOTAVAIL = const(99)
_ENETDOWN = const(100)
_ENETUNREACH = const(101)
_ESTALE = const(116)
_EUCLEAN = const(117)  # a structure of the file system is spoilt
_EREMOTEIO = const(121)
_EDQUOT = const(122)
_ENOMEDIUM = const(123)

_KNOWN = (
    (errno.ECONNREFUSED, WHY_REFUSED),
    (errno.ETIMEDOUT, WHY_TIMED_OUT),
    (errno.EHOSTUNREACH, WHY_NO_ROUTE),
    (errno.ECONNRESET, WHY_RESET),
    (errno.ECONNABORTED, WHY_RESET),
    (_EPIPE, WHY_RESET),
    (errno.EADDRINUSE, WHY_IN_USE),
    (errno.EACCES, WHY_NO_PERMISSION),
    (errno.EPERM, WHY_NO_PERMISSION),
    (errno.ENODEV, WHY_NO_DEVICE),
    (errno.ENOMEM, WHY_NO_SOCKET),
    (errno.ENOBUFS, WHY_NO_SOCKET),
    (_ENOENT, WHY_NO_DEVICE),
    (_ENXIO, WHY_NO_DEVICE),
    (_EIO, WHY_UNPLUGGED),
    (_EBUSY, WHY_IN_USE),
    (_ENFILE, WHY_NO_SOCKET),
    (_EMFILE, WHY_NO_SOCKET),
    (_ENOTTY, WHY_NOT_A_TTY),
    (_EADDRNOTAVAIL, WHY_IN_USE),
    (_ENETDOWN, WHY_NO_NETWORK),
    (_ENETUNREACH, WHY_NO_NETWORK),
)

_REFUSED = (
    (_ENOSPC, REFUSED_NO_ROOM),
    (_EDQUOT, REFUSED_QUOTA),
    (_EROFS, REFUSED_READ_ONLY),
    (errno.EACCES, REFUSED_NOT_ALLOWED),
    (errno.EPERM, REFUSED_NOT_ALLOWED),
    (_EIO, REFUSED_BROKEN),
    (_ENXIO, REFUSED_BROKEN),
    (errno.ENODEV, REFUSED_BROKEN),
    (errno.ETIMEDOUT, REFUSED_BROKEN),
    (_EBADMSG, REFUSED_BROKEN),
    (_EILSEQ, REFUSED_BROKEN),
    (_ESTALE, REFUSED_BROKEN),
    (_EUCLEAN, REFUSED_BROKEN),
    (_EREMOTEIO, REFUSED_BROKEN),
    (_ENOMEDIUM, REFUSED_BROKEN),
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
