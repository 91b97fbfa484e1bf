"""A preallocated file as a flash device, written through to the disk before `program` returns.

    octet 0        4096      8192
    | header page | block 0 | block 1 | ...        the header is toolcart.board.linux.spool_header's

Rules
1. Durable means: pwrite, then fdatasync. fdatasync writes the data and every piece of metadata needed to read it back
   (open(2), fdatasync(2)); size and blocks never change once the file is made, so nothing else is needed.
2. `erase` is not synced by itself: the next `program` of the block is, and until then the old content is harmless,
   because a block is erased only when no cursor needs it.
3. `program` returns FLASH_DONE only if the file is still the one under its path, and as long as it was: what is
   durable in a file without a name is gone with this process. If it is not, the answer is FLASH_IO until the next
   start. Reading goes on. After each error the path is looked at as well: another disk may be mounted there by now.
4. Whose file it is, and how it is made: toolcart.board.linux.spool_file. A foreign file is an error, not an empty area.
5. After an error the file may read as what the disk does not hold, and a later sync that succeeds does not write it (a
   failed fdatasync marks the pages clean). So the ring never goes on behind a refused program. An erase before it may
   be undone, too: then the disk has records there whose numbers are passed, and no reader takes those.
6. No error is FLASH_WORN. An error of fdatasync names no block, and by rule 5 reading back shows the cache and not the
   disk: there is no way to tell that only one block is bad. A disk replaces bad sectors by itself when they are
   written; one that answers EIO is out of spares or out of reach, and a result it did not take is not acknowledged.
"""

import errno
import os
import shlex
import time

from toolcart.agent.log.flash import FLASH_DONE, FLASH_IO, REFUSED_GONE, REFUSED_NOTHING
from toolcart.board.linux import spool_content
from toolcart.board.linux.refusal import refusal_of
from toolcart.board.linux.spool_file import FlashInUse as FlashInUse
from toolcart.board.linux.spool_file import FlashUnusable as FlashUnusable
from toolcart.board.linux.spool_file import SpoolFile
from toolcart.board.linux.spool_header import NO_OWNER, PAGE_BYTES

CPYTHON_ONLY = True
PROBE_MS = 2000  # a disk that works again is noticed within that
SPOILT = "%s holds nothing that can be read as a spool, and is not blank; `toolcart spool check %s` tells more"
UNIT_BYTES = 16  # the default: wastes two bytes on a light result; docs/configuration.md says what it risks


class FileFlash:
    """The flash device over one file of `size_bytes`, rounded down to whole blocks, and its header page.

    `owner` has the numbers of system type, system and station; with NO_OWNER any spool is opened. A file that another
    process has is waited for a little if it `may_wait`.
    """

    wears = False  # rule 6

    def __init__(self, path, size_bytes, unit_bytes=UNIT_BYTES, owner=NO_OWNER, may_wait=True):
        self.path = path
        self.last_error = ""  # what was refused, while something is
        self.is_gone = False
        self._refusal = REFUSED_NOTHING  # of writing
        self._unread = REFUSED_NOTHING  # of reading what lies at `_unread_at`
        self._unread_at = 0
        self._file = SpoolFile(path, size_bytes, unit_bytes, owner, may_wait)
        self._descriptor = self._file.descriptor
        self.note = "; ".join(self._file.notes)
        self.is_new = self._file.is_new
        self.station = owner[2]
        self.unit_bytes = self._file.header.unit_bytes
        self.block_bytes = self._file.header.block_bytes
        self._blank = b"\xff" * self.block_bytes
        self.block_count = self._file.block_count
        self._syncs = 0
        self._sync_ns = 0  # of all syncs
        self._sync_most_ns = 0
        if not self.is_new and spool_content.kind_of(self) == spool_content.SPOILT:
            self.close()
            raise FlashUnusable(SPOILT % (path, shlex.quote(path)))

    def sync_times(self):
        """Return how many syncs there were and how long they took, in ms: a worn card first becomes slow."""
        if not self._syncs:
            return {"syncs": 0, "sync_ms_mean": None, "sync_ms_most": None}
        mean_ms = round(self._sync_ns / self._syncs / 1e6, 3)
        return {"syncs": self._syncs, "sync_ms_mean": mean_ms, "sync_ms_most": round(self._sync_most_ns / 1e6, 3)}

    def read_into(self, address, buf, n):
        try:
            got = os.preadv(self._descriptor, [memoryview(buf)[:n]], PAGE_BYTES + address)
        except OSError as error:
            return self._not_read(refusal_of(error.errno), error.strerror, address)
        if got != n:
            return self._not_read(REFUSED_GONE, "the file ends before that", address)
        if self._unread and address <= self._unread_at < address + n:
            self._unread = REFUSED_NOTHING
            self._forget()
        return FLASH_DONE

    def program(self, address, buf, n):
        """Write buf[0:n] to `address` and through to the disk."""
        if self.is_gone:
            return FLASH_IO
        doing = "writing to"
        try:
            self._write(memoryview(buf)[:n], address)
            doing = "syncing"
            begun_ns = time.monotonic_ns()
            os.fdatasync(self._descriptor)
            self._count_sync(time.monotonic_ns() - begun_ns)
            doing = "looking at"
            in_place = self._file.is_in_place()
        except OSError as error:
            return self._failed(doing, error)
        if not in_place:
            return self._put_gone()
        if self._refusal:
            self._refusal = REFUSED_NOTHING
            self._forget()
        return FLASH_DONE

    def erase(self, block):
        """Make every byte of the block 0xFF; durable with the next `program`."""
        if self.is_gone:
            return FLASH_IO
        try:
            self._write(self._blank, block * self.block_bytes)
        except OSError as error:
            return self._failed("writing to", error)
        return FLASH_DONE

    def refusal(self):
        """Return why the file cannot be written, else why a part of it cannot be read."""
        return self._refusal or self._unread

    def probe_ms(self):
        """Return PROBE_MS: what a disk refuses wears nothing, and what it takes is a block of the file."""
        return PROBE_MS

    def close(self):
        """Close the file and give up the lock."""
        self._file.close()

    def _count_sync(self, ns):
        self._syncs += 1
        self._sync_ns += ns
        if ns > self._sync_most_ns:
            self._sync_most_ns = ns

    def _write(self, octets, address):
        """Write all of it; a disk that takes a part is asked again, and then says why."""
        at = PAGE_BYTES + address
        put = os.pwrite(self._descriptor, octets, at)
        while put < len(octets):
            more = os.pwrite(self._descriptor, octets[put:], at + put)
            if not more:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            put += more

    def _failed(self, doing, error):
        # What failed is a disk that was taken out, or a server that has the file no more.
        if error.errno == errno.ESTALE or self.is_exchanged():
            return self._put_gone()
        number = errno.EROFS if error.errno == errno.EIO and self._is_read_only() else error.errno
        self._refusal = refusal_of(number)
        self.last_error = "%s %s: %s" % (doing, self.path, os.strerror(number))
        return FLASH_IO

    def is_back(self):
        """True if the file was away, and lies under its path again: the next start can use it."""
        try:
            return self.is_gone and self._file.is_in_place()
        except OSError:
            return False

    def _put_gone(self):
        self.is_gone = True
        self._refusal = REFUSED_GONE
        self.last_error = "%s was deleted, replaced or cut while the agent was running" % self.path
        return FLASH_IO

    def is_exchanged(self):
        """True if another file, or none, is under its path, or it was cut; False if that cannot be told."""
        try:
            return not self._file.is_in_place()
        except OSError:
            return False

    def _is_read_only(self):
        """True if the file can be opened for writing no more: a file system in trouble says EIO to one that is open."""
        try:
            os.close(os.open(self.path, os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC))
        except OSError as error:
            return error.errno == errno.EROFS
        return False

    def _not_read(self, refusal, words, address):
        self._unread = refusal
        self._unread_at = address
        if not self._refusal:
            self.last_error = "reading %s at byte %d: %s" % (self.path, PAGE_BYTES + address, words)
        return FLASH_IO

    def _forget(self):
        if not self.refusal():
            self.last_error = ""
