"""Makes a spool's file under another name and then gives it its own: a half-made one is never taken for a spool.

Rules
1. It is made as `<name>.new` (O_EXCL): locked, header, allocated, erased, synced. Then it is linked to its name, which
   replaces nothing, `.new` is removed, and the folder is synced.
2. What a power cut leaves under `.new` is removed by the next start: a file of this user that is empty, begins with
   zeros (its size reached the disk, its header did not) or has a header of ours. Anything else is in the way, and
   stays.
3. The folder is locked (flock) during both, so that two agents do not make the same file. The second one waits: the
   files of two agents that start together may be in one folder.
"""

import errno
import fcntl
import os
import stat
import time

from toolcart.board.linux import header as linux_header
from toolcart.board.linux.header import PAGE_BYTES

CPYTHON_ONLY = True
BLOCK_BYTES = 4096  # a page of the cache and a sector of the disk: the least block; every block is a multiple of it
BLOCKS_MOST = 1024  # larger files have larger blocks: looking through all of them must not take long
MODE = 0o600
FILL_BYTES = 1 << 18  # one write while a file is made: few calls, little memory
FOLDER_WAIT_S = 120  # as long as a spool of 1 GiB takes on a slow card
FOLDER_LOOK_S = 0.05
NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS)  # errors of file systems without hard links (FAT)


class FlashUnusable(Exception):
    """The file cannot serve as a spool; the text says why and what to do."""


def make(path, header):
    """Make the file that this header describes; return its descriptor, locked. OSError if that fails."""
    folder = _locked_folder(path)
    new_path = path + ".new"
    descriptor = -1
    try:
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(new_path, flags, MODE)
        os.fchmod(descriptor, MODE)  # whatever the umask is
        lock(descriptor, path)
        _write(descriptor, header.page(), 0)
        fill(descriptor, 0, header.block_count * header.block_bytes)
        os.fsync(descriptor)
        _name(new_path, path)
        os.fsync(folder)
    except (OSError, FlashUnusable):
        if descriptor >= 0:
            os.close(descriptor)
            _forget(new_path)
        raise
    finally:
        os.close(folder)
    return descriptor


def remove_leftover(path):
    """Remove what an interrupted start left under the temporary name of `path`, and nothing else."""
    new_path = path + ".new"
    if not os.path.lexists(new_path):
        return
    folder = _locked_folder(path)
    try:
        if not _is_leftover(new_path):
            raise FlashUnusable("%s is in the way, and toolcart did not make it; move it away" % new_path)
        _forget(new_path)
        os.fsync(folder)
    finally:
        os.close(folder)


def lock(descriptor, path):
    """Lock the spool for this process."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES):
            raise FlashUnusable("%s is in use by another agent; stop that one first" % path)
        raise


def block_bytes_for(size_bytes):
    """Return the size of the blocks of a new file."""
    block_bytes = BLOCK_BYTES
    while block_bytes * BLOCKS_MOST < size_bytes:
        block_bytes *= 2
    return block_bytes


def fill(descriptor, first, end):
    """Allocate and erase the bytes of the blocks from `first` to before `end`."""
    start, stop = PAGE_BYTES + first, PAGE_BYTES + end
    if start == stop:
        return
    os.posix_fallocate(descriptor, start, stop - start)
    for at in range(start, stop, FILL_BYTES):
        _write(descriptor, b"\xff" * min(FILL_BYTES, stop - at), at)


def _write(descriptor, octets, at):
    if os.pwrite(descriptor, octets, at) != len(octets):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _name(new_path, path):
    """Give the complete file its name. A file that got that name meanwhile stays (FileExistsError)."""
    try:
        os.link(new_path, path, follow_symlinks=False)
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        if os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        os.rename(new_path, path)  # the folder is locked: no other agent can interfere
        return
    os.unlink(new_path)


def _locked_folder(path):
    folder = os.path.dirname(path)
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise FlashUnusable("cannot open %s: %s; spool.path names a file in a folder" % (folder, error.strerror))
    until = time.monotonic() + FOLDER_WAIT_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
        except OSError as error:
            if error.errno != errno.EAGAIN or time.monotonic() >= until:
                os.close(descriptor)
            if error.errno != errno.EAGAIN:
                raise
        if time.monotonic() >= until:
            raise FlashUnusable("another agent has made a spool in %s for %d s; try again" % (folder, FOLDER_WAIT_S))
        time.sleep(FOLDER_LOOK_S)


def _is_leftover(new_path):
    try:
        descriptor = os.open(new_path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:  # a link, or it belongs to another user
        return False
    try:
        found = os.fstat(descriptor)
        page = os.pread(descriptor, PAGE_BYTES, 0) if stat.S_ISREG(found.st_mode) else b"?"
    finally:
        os.close(descriptor)
    return found.st_uid == os.geteuid() and (not page.strip(b"\x00") or linux_header.is_ours(page))


def _forget(path):
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
