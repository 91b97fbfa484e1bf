"""Appends tightenings to a spool file for ever and says each one that is durable: the process that is killed.

    python -m host_tests.support.appender FILE FIRST

Lines on stdout: `A n` after tightening n was durable, `D n` before it is passed over.
It takes what is in the spool when that is half full, so that blocks are erased and used again.
"""

import os
import sys

from toolcart.agent.log.flash import FLASH_DONE
from toolcart.board.linux.flash import FileFlash
from host_tests.support.log import append, ident_in, mounted


def main(path, ident):
    log = mounted(FileFlash(path, 128 * 1024))
    while True:
        while append(log, ident) != FLASH_DONE:
            take(log, 1)
        os.write(1, b"A %d\n" % ident)
        ident += 1
        if log.waits(log.cursors[0]) > 150:
            take(log, 60)


def take(log, count):
    """Deliver some; each is said before the cursor passes it, because then its block may go."""
    cursor = log.cursors[0]
    for _ in range(count):
        if log.peek(cursor) > 0:
            os.write(1, b"D %d\n" % ident_in(log.page, log.at))
            cursor.advance()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
