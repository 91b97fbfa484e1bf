"""A folder on a disk that loses what was not synced: it stands in for `os` in toolcart.board.linux.lines and flash.

Rules
1. What is written lies in the cache, and on the disk when a sync has succeeded. A sync that fails writes any of the
   pages and leaves all of them clean: they are read as they are, and no later sync writes them (fsync(2)).
2. A cut keeps any of the pages that were dirty, page by page; what lies between and was never written reads as zeros.
3. Names change on the disk in their order, all of them with a sync of the folder.
4. `cut_at` and `fail_at` are numbers of operations that change something, counted from 1. From `fail_at` on the next
   operation of each name in `fails` fails, in their order.
"""

import errno
import os
from stat import S_IFREG
from types import SimpleNamespace

from lab.harness.flash import PowerCut

FOLDER = 3  # its descriptor


def refusing(code):
    """Return what raises this error of the system, whatever it is given."""

    def refuse(*_, **__):
        raise OSError(code, os.strerror(code))

    return refuse


class Inode:
    """One file: what programs see and what the disk has."""

    def __init__(self, number, page_bytes, octets=b""):
        self.number = number
        self.page_bytes = page_bytes
        self.cache = bytearray(octets)
        self.disk = bytearray(octets)
        self.changes = 0  # how often it was changed, for the time of its last change
        self.dirty = set()  # pages
        self.has_failed = False  # pages were written in the background, and that failed

    def touch(self, at, n):
        if n:
            self.dirty |= set(range(at // self.page_bytes, (at + n - 1) // self.page_bytes + 1))

    def reach(self, page):
        """A page gets to the disk."""
        at = page * self.page_bytes
        piece = self.cache[at : at + self.page_bytes]
        self.disk.extend(bytes(max(0, at - len(self.disk))))
        self.disk[at : at + len(piece)] = piece


class Disk:
    """One folder; see the module."""

    strerror = staticmethod(os.strerror)
    O_RDWR, O_CREAT, O_CLOEXEC, O_RDONLY, O_DIRECTORY = os.O_RDWR, os.O_CREAT, os.O_CLOEXEC, os.O_RDONLY, os.O_DIRECTORY
    O_WRONLY, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY = os.O_WRONLY, os.O_NOFOLLOW, os.O_NONBLOCK, os.O_NOCTTY

    def __init__(self, dice, page_bytes):
        self.dice = dice
        self.page_bytes = page_bytes
        self.names = {}
        self.path = SimpleNamespace(
            abspath=os.path.abspath,
            dirname=os.path.dirname,
            exists=lambda path: path in self.names,
            isfile=lambda path: path in self.names,
        )
        self.names_on_disk = [{}]  # as they were after each change since the folder's last sync
        self.opened = {}
        self.operations = self.writes = self.refused = 0
        self.inodes = 0
        self.heal()

    def heal(self):
        """Nothing is cut or fails from now on."""
        self.cut_at = self.fail_at = 0
        self.fails = ()
        for inode in self.names.values():
            inode.has_failed = False

    def restart(self):
        """The power fails here and comes back."""
        kept = self.dice.randrange(len(self.names_on_disk))
        self.names = dict(self.names_on_disk[kept])
        self.names_on_disk = [dict(self.names)]
        self.opened.clear()
        self.heal()
        for inode in set(self.names.values()):
            for page in sorted(inode.dirty):
                if self.dice.randrange(2):
                    inode.reach(page)
            inode.cache[:] = inode.disk
            inode.dirty = set()

    def write_back(self):
        """The system writes some pages by itself, well or not; the next sync tells which."""
        fails = self.dice.randrange(4) == 0
        for inode in self.names.values():
            for page in sorted(inode.dirty):
                if self.dice.randrange(2):
                    inode.dirty.discard(page)
                    if not fails or self.dice.randrange(2):
                        inode.reach(page)
                    inode.has_failed |= fails

    def content(self, name):
        return bytes(self.names[name].cache) if name in self.names else b""

    def make(self, path, octets=b""):
        """Put a new file there that is on the disk."""
        self.inodes += 1
        self.names[path] = Inode(self.inodes, self.page_bytes, octets)
        self.names_on_disk.append(dict(self.names))
        return self.names[path]

    def _changes(self, name):
        """Count an operation; the error that it ends with, if it fails."""
        self.operations += 1
        if self.operations == self.cut_at:
            raise PowerCut(name)
        if self.fail_at and self.operations >= self.fail_at and self.fails and name == self.fails[0]:
            self.fails = self.fails[1:]
            self.refused += 1
            code = errno.ENOSPC if name == "pwrite" else errno.EIO
            return OSError(code, os.strerror(code))
        return None

    # -- as os has them ----------------------------------------------------------------------------------------

    def open(self, path, flags, mode=0o777):
        if flags & os.O_DIRECTORY:
            self.opened[FOLDER] = None
            return FOLDER
        if path not in self.names:
            if not flags & os.O_CREAT:
                raise FileNotFoundError(errno.ENOENT, "No such file or directory")
            self._changes("create")
            self.make(path)
        descriptor = FOLDER + 1 + len(self.opened)
        self.opened[descriptor] = self.names[path]
        return descriptor

    def close(self, descriptor):
        assert descriptor in self.opened

    def fstat(self, descriptor):
        inode = self.opened[descriptor]
        return SimpleNamespace(
            st_mode=S_IFREG | 0o644, st_dev=1, st_ino=inode.number, st_size=len(inode.cache), st_mtime_ns=inode.changes
        )

    def stat(self, path, follow_symlinks=True):
        if path not in self.names:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory")
        return SimpleNamespace(st_mode=S_IFREG | 0o644, st_dev=1, st_ino=self.names[path].number)

    def pread(self, descriptor, count, at):
        return bytes(self.opened[descriptor].cache[at : at + count])

    def preadv(self, descriptor, buffers, at):
        [buf] = buffers
        buf[:] = self.opened[descriptor].cache[at : at + len(buf)]
        return len(buf)

    def pwrite(self, descriptor, octets, at):
        self.writes += 1
        error = self._changes("pwrite")
        if error is not None:
            octets = octets[: self.dice.randrange(len(octets)) // self.page_bytes * self.page_bytes]
        inode = self.opened[descriptor]
        inode.cache.extend(bytes(max(0, at - len(inode.cache))))
        inode.cache[at : at + len(octets)] = octets
        inode.changes += 1
        inode.touch(at, len(octets))
        if error is not None:
            raise error
        return len(octets)

    def ftruncate(self, descriptor, octets):
        error = self._changes("ftruncate")
        if error is not None:
            raise error
        inode = self.opened[descriptor]
        del inode.cache[octets:]
        inode.changes += 1
        inode.dirty = {page for page in inode.dirty if page * self.page_bytes < octets}
        if octets % self.page_bytes and octets < len(inode.disk):
            inode.dirty.add(octets // self.page_bytes)

    def fdatasync(self, descriptor):
        error = self._changes("fdatasync")
        inode = self.opened[descriptor]
        if inode.has_failed and error is None:
            self.refused += 1
            error = OSError(errno.EIO, os.strerror(errno.EIO))
        for page in sorted(inode.dirty):
            if error is None or self.dice.randrange(2):
                inode.reach(page)
        inode.dirty, inode.has_failed = set(), False
        if error is not None:
            raise error
        del inode.disk[len(inode.cache) :]
        inode.disk.extend(bytes(len(inode.cache) - len(inode.disk)))

    def fsync(self, descriptor):
        assert descriptor == FOLDER, "only the folder"
        self._changes("fsync")
        self.names_on_disk = [dict(self.names)]

    def replace(self, old, new):
        self._changes("replace")
        if old not in self.names:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory")
        self.names[new] = self.names.pop(old)
        self.names_on_disk.append(dict(self.names))

    def unlink(self, path):
        self._changes("unlink")
        del self.names[path]
        self.names_on_disk.append(dict(self.names))
