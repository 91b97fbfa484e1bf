"""A folder on a disk that loses what was not synced: it stands in for `os` in toolcart.board.linux.lines.

Rules
1. What is written lies in the cache, and on the disk when a sync has succeeded. A sync that fails leaves the pages
   clean: they are read as they are, and no later sync writes them (fsync(2)).
2. A cut keeps any of the pages that were dirty, page by page; what lies between and was never written reads as zeros.
   Names change on the disk in their order, all of them with a sync of the folder.
3. `cut_at` and `fail_at` are numbers of operations that change something, counted from 1. From `fail_at` on the next
   operation of each name in `fails` fails, in their order.
"""

import errno
import os
from types import SimpleNamespace

PAGE_BYTES = 64  # small, so that a line lies on several


class PowerCut(Exception):
    """The supply is gone."""


class Inode:
    """One file: what programs see and what the disk has."""

    def __init__(self, number):
        self.number = number
        self.cache = bytearray()
        self.disk = b""
        self.dirty = set()  # pages


class Disk:
    """One folder. `restart` gives the power back, `content` is what programs read."""

    path = os.path
    strerror = staticmethod(os.strerror)
    O_RDWR, O_CREAT, O_CLOEXEC, O_RDONLY, O_DIRECTORY = os.O_RDWR, os.O_CREAT, os.O_CLOEXEC, os.O_RDONLY, os.O_DIRECTORY

    def __init__(self, dice):
        self.dice = dice
        self.names = {}
        self.names_on_disk = [{}]  # as they were after each change since the folder's last sync
        self.opened = {}
        self.operations = 0
        self.inodes = 0
        self.cut_at = 0
        self.fail_at = 0
        self.fails = ("fdatasync",)

    def restart(self):
        """The power fails here and comes back."""
        kept = self.dice.randrange(len(self.names_on_disk))
        self.names = dict(self.names_on_disk[kept])
        self.names_on_disk = [dict(self.names)]
        self.opened = {}
        self.cut_at = self.fail_at = 0
        for inode in set(self.names.values()):
            octets = bytearray(inode.disk)
            for page in sorted(inode.dirty):
                if self.dice.randrange(2):
                    piece = bytes(inode.cache[page * PAGE_BYTES : (page + 1) * PAGE_BYTES])
                    octets.extend(bytes(max(0, page * PAGE_BYTES - len(octets))))
                    octets[page * PAGE_BYTES : page * PAGE_BYTES + len(piece)] = piece
            inode.cache, inode.disk, inode.dirty = octets, bytes(octets), set()

    def content(self, name):
        return bytes(self.names[name].cache) if name in self.names else b""

    def _changes(self, name):
        self.operations += 1
        if self.operations == self.cut_at:
            raise PowerCut(name)
        if self.fail_at and self.operations >= self.fail_at and self.fails and name == self.fails[0]:
            self.fails = self.fails[1:]
            return OSError(errno.EIO, "Input/output error")
        return None

    def _named(self):
        self.names_on_disk.append(dict(self.names))

    # -- as os has them ----------------------------------------------------------------------------------------

    def open(self, path, flags, mode=0o777):
        if flags & os.O_DIRECTORY:
            self.opened[3] = None
            return 3
        if path not in self.names:
            if not flags & os.O_CREAT:
                raise FileNotFoundError(errno.ENOENT, "No such file or directory")
            self._changes("create")
            self.inodes += 1
            self.names[path] = Inode(self.inodes)
            self._named()
        descriptor = 4 + len(self.opened)
        self.opened[descriptor] = self.names[path]
        return descriptor

    def close(self, descriptor):
        assert descriptor in self.opened

    def fstat(self, descriptor):
        inode = self.opened[descriptor]
        return SimpleNamespace(st_dev=1, st_ino=inode.number, st_size=len(inode.cache))

    def stat(self, path):
        if path not in self.names:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory")
        return SimpleNamespace(st_dev=1, st_ino=self.names[path].number)

    def pread(self, descriptor, count, at):
        return bytes(self.opened[descriptor].cache[at : at + count])

    def pwrite(self, descriptor, octets, at):
        error = self._changes("pwrite")
        if error is not None:
            raise error
        inode = self.opened[descriptor]
        inode.cache.extend(bytes(max(0, at - len(inode.cache))))
        inode.cache[at : at + len(octets)] = octets
        inode.dirty |= set(range(at // PAGE_BYTES, (at + len(octets) - 1) // PAGE_BYTES + 1))
        return len(octets)

    def ftruncate(self, descriptor, octets):
        error = self._changes("ftruncate")
        if error is not None:
            raise error
        inode = self.opened[descriptor]
        del inode.cache[octets:]
        inode.dirty = {page for page in inode.dirty if page * PAGE_BYTES < octets}
        if octets % PAGE_BYTES and octets < len(inode.disk):
            inode.dirty.add(octets // PAGE_BYTES)

    def fdatasync(self, descriptor):
        error = self._changes("fdatasync")
        inode = self.opened[descriptor]
        if error is not None:
            inode.dirty = set()
            raise error
        octets = bytearray(inode.disk[: len(inode.cache)])
        octets.extend(bytes(len(inode.cache) - len(octets)))
        for page in inode.dirty:
            octets[page * PAGE_BYTES : (page + 1) * PAGE_BYTES] = inode.cache[
                page * PAGE_BYTES : (page + 1) * PAGE_BYTES
            ]
        inode.disk = bytes(octets)
        inode.dirty = set()

    def fsync(self, descriptor):
        assert descriptor == 3, "only the folder"
        self._changes("fsync")
        self.names_on_disk = [dict(self.names)]

    def replace(self, old, new):
        self._changes("replace")
        if old not in self.names:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory")
        self.names[new] = self.names.pop(old)
        self._named()

    def unlink(self, path):
        self._changes("unlink")
        del self.names[path]
        self._named()
