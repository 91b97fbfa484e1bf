"""Makes and opens a spool's file: it is complete, ours and locked by us, or refused with a reason and left as it is.

Rules
1. A missing file is made complete before it gets its name (rule 6).
2. An existing one is opened only if it is a plain file, not a link of any kind, and belongs to this user or to root. A
   mode that lets others in is changed to 0600 and noted: the results in it are wanted, and refusing would not undo what
   others did. It is refused only if the mode cannot be changed.
3. One agent at a time: the file is locked (flock); the lock goes with the process, however it ends. An order to a
   stopped agent has it for a moment, so whoever finds it taken waits a little. An agent waits in vain only once
   (`may_wait`): what another one has does not delay its other stations.
4. It must begin with a sound header (toolcart.board.linux.spool_header) that names this system and station. One of an
   older toolcart is not opened: `toolcart run` and `toolcart spool take-over` make a new one of it.
5. It only grows. If the setting is smaller, or the disk has no room, it stays as it is; `notes` say so.
6. A file is made as `<name>.new` (O_EXCL): locked, header, allocated, erased, synced. Then it is linked to its name,
   which replaces nothing, `.new` is removed, and the folder is synced: a half-made one is never taken for a spool.
7. What a power cut leaves under `.new` is removed by the next start: a file of this user that is empty, begins with
   zeros (its size reached the disk, its header did not) or has a header of ours. Anything else is in the way, and
   stays.
8. The folder is locked (flock) during both, so that two agents do not make the same file. The second one waits: the
   files of two agents that start together may be in one folder.
"""

import errno
import fcntl
import os
import shlex
import stat
import time

from toolcart.board.linux import service
from toolcart.board.linux import spool_header as linux_header
from toolcart.board.linux.refusal import another_owner, explanation, not_opened, owner_of, user_name
from toolcart.board.linux.spool_header import BLOCK_BYTES, IDENTITY_BYTES, NO_OWNER, PAGE_BYTES, Header

CPYTHON_ONLY = True

BLOCKS_MOST = 1024  # larger files have larger blocks: looking through all of them must not take long
MODE = 0o600
NEW = ".new"  # behind the name of a file that is being made
FILL_BYTES = 1 << 18  # one write while a file is made: few calls, little memory
FOLDER_WAIT_S = 120  # as long as a spool of 1 GiB takes on a slow card
FOLDER_LOOK_S = 0.05
LOCK_WAIT_S = 3.0  # an order to a stopped agent is done by then
NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS)  # errors of file systems without hard links (FAT)


class FlashUnusable(Exception):
    """The file cannot serve as a spool; the text says why and what to do."""


class FlashInUse(FlashUnusable):
    """Another process has the file."""


IN_USE = (
    "%s is in use by another agent; stop that one first. If it is an order to a stopped agent, or a take-over, that is "
    "not done yet, wait for it"
)


IN_THE_WAY = "%s is in the way, and toolcart did not make it; move it away"


def make(path, header, may_wait=True):
    """Make the file that this header describes; return its descriptor, locked. OSError if that fails."""
    folder = _locked_folder(path, may_wait)
    new_path = path + NEW
    descriptor = -1
    try:
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(new_path, flags, MODE)
        os.fchmod(descriptor, MODE)  # whatever the umask is
        lock(descriptor, path, may_wait)
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


def remove_leftover(path, may_wait=True):
    """Remove what an interrupted start left under the temporary name of `path`, and nothing else."""
    new_path = path + NEW
    if not os.path.lexists(new_path):
        return
    folder = _locked_folder(path, may_wait)
    try:
        if not _is_leftover(new_path):
            raise FlashUnusable(IN_THE_WAY % new_path)
        _forget(new_path)
        os.fsync(folder)
    finally:
        os.close(folder)


def blocking_path(path):
    """Say what keeps a start from opening or making a spool of this path: what others put under its temporary name."""
    new_path = path + NEW
    return IN_THE_WAY % new_path if os.path.lexists(new_path) and not _is_leftover(new_path) else ""


def in_use(path, pid):
    """Say that another process than this one has the spool; "" also where that cannot be told."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        lock(descriptor, path, may_wait=False, how=fcntl.LOCK_SH)
    except FlashInUse as reason:
        return str(reason) if _has_open(pid, descriptor) is False else ""
    except OSError:
        return ""
    finally:
        os.close(descriptor)
    return ""


def _has_open(pid, descriptor):
    """Return whether this process has the file open that `descriptor` is of; None if it may not be asked."""
    folder, wanted = "/proc/%d/fd" % pid, os.fstat(descriptor)
    try:
        names = os.listdir(folder)
    except OSError:
        return None
    for name in names:
        if pid == os.getpid() and name == str(descriptor):
            continue
        try:
            if os.path.samestat(os.stat("%s/%s" % (folder, name)), wanted):
                return True
        except PermissionError:  # the folder may be listed by the same user, its links not by one of another group
            return None
        except OSError:  # it was closed meanwhile
            pass
    return False


def lock(descriptor, path, may_wait=True, how=fcntl.LOCK_EX):
    """Lock the spool for this process; with LOCK_SH to read it."""
    until = time.monotonic() + (LOCK_WAIT_S if may_wait else 0)
    while True:
        try:
            fcntl.flock(descriptor, how | fcntl.LOCK_NB)
            return
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                raise
        if time.monotonic() >= until:
            raise FlashInUse(IN_USE % path)
        time.sleep(FOLDER_LOOK_S)


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


def _locked_folder(path, may_wait):
    folder = os.path.dirname(path)
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise FlashUnusable("cannot open %s: %s; spool.path names a file in a folder" % (folder, error.strerror))
    until = time.monotonic() + (FOLDER_WAIT_S if may_wait else 0)
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
            raise FlashInUse("another agent is making a spool in %s; try again" % folder)
        time.sleep(FOLDER_LOOK_S)


def _is_leftover(new_path):
    try:
        descriptor = os.open(new_path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:  # a link, or it belongs to another user
        return False
    try:
        status = os.fstat(descriptor)
        page = os.pread(descriptor, PAGE_BYTES, 0) if stat.S_ISREG(status.st_mode) else b"?"
    finally:
        os.close(descriptor)
    return status.st_uid == os.geteuid() and (not page.strip(b"\x00") or linux_header.is_ours(page))


def _forget(path):
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


OTHERS = 0o077
KINDS = ((stat.S_ISLNK, "a symbolic link"), (stat.S_ISDIR, "a folder"))


def refuse_kind(path, mode):
    """Raise FlashUnusable if this is no plain file."""
    if not stat.S_ISREG(mode):
        kind = [words for is_kind, words in KINDS if is_kind(mode)] or ["a device, pipe or socket"]
        raise FlashUnusable("%s is %s, not a spool; name the path of a file" % (path, kind[0]))


def sound_header(path, page, status, owner):
    """Return the Header of a file that begins with this page; FlashUnusable if no agent of the owner takes it."""
    why, to_do = linux_header.refusal(page, status, owner, "toolcart spool rescue " + shlex.quote(path))
    header = linux_header.read(page)
    if why or header is None:
        raise FlashUnusable("%s %s; %s" % (path, why, to_do))
    return header


class SpoolFile:
    """One open spool: `descriptor`, `header`, `block_count`, `notes` for people, and whether it `is_new`."""

    def __init__(self, path, size_bytes, unit_bytes, owner=NO_OWNER, may_wait=True):
        self.path = os.path.abspath(path)
        self._may_wait = may_wait  # for another process
        self._is_agent = size_bytes > 0  # else an order, to the spool of one that is stopped
        self.notes = []
        self.is_new = False
        self.descriptor = -1
        block_bytes = block_bytes_for(size_bytes)
        kept_from = service.kept_from(self.path)
        if kept_from:
            raise FlashUnusable("%s: %s; name %s in spool.path" % (self.path, kept_from, service.instead()))
        try:
            self._remove_leftover()
            if self._is_there():
                self._open()
            else:
                header = Header(unit_bytes, block_bytes, size_bytes // block_bytes, owner, os.urandom(IDENTITY_BYTES))
                self.descriptor = make(self.path, header, may_wait)
                self.is_new = True
            self._own()
            self._read_header(owner)
            self._tighten()  # not before it is known to be a spool: the mode of another file is none of ours
            self._fit(size_bytes, unit_bytes)
        except FlashUnusable:
            self.close()
            raise
        except OSError as error:
            self.close()
            raise FlashUnusable(self._not_prepared(error, size_bytes))

    def close(self):
        """Close the file and give up the lock."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def is_in_place(self):
        """True if the open file is still the one under its path, as long as it was; OSError if that cannot be told.

        The inode of an open file is not used for another file, so one look at the path is enough.
        """
        try:
            now = os.stat(self.path, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return (now.st_ino, now.st_dev, now.st_size) == self._place

    def _not_prepared(self, error, size_bytes):
        """Say why the file could be neither made nor got ready."""
        folder = os.path.dirname(self.path)
        kib = size_bytes // 1024
        if isinstance(error, PermissionError) and not os.path.exists(self.path):
            why = "%s may make no file in %s, which belongs to %s; chown the folder, or name another one in spool.path"
            return why % (user_name(os.geteuid()), folder, owner_of(folder))
        return "cannot prepare %s (%d KiB): %s" % (self.path, kib, explanation(error, self.path))

    def _remove_leftover(self):
        """Remove what an interrupted start left; beside a spool that is there it may stay."""
        try:
            remove_leftover(self.path, self._may_wait)
        except OSError as error:
            if not self._is_there():
                raise
            self.notes.append("%s cannot be removed: %s" % (self.path + NEW, error.strerror))

    def _of_another(self, found):
        if not self._is_agent:
            user = user_name(found.st_uid)
            return "%s belongs to %s: give the order as %s, the user of its agent" % (self.path, user, user)
        cure = another_owner(self.path, found, os.geteuid())
        why = "%s belongs to %s, and the agent runs as %s; %s"
        return why % (self.path, user_name(found.st_uid), user_name(os.geteuid()), cure)

    # -- an existing file --------------------------------------------------------------------------------------

    def _is_there(self):
        try:
            mode = os.stat(self.path, follow_symlinks=False).st_mode
        except FileNotFoundError:
            return False
        refuse_kind(self.path, mode)  # before it is opened: opening a device may already do something
        return True

    def _open(self):
        flags = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
        try:
            self.descriptor = os.open(self.path, flags)
        except OSError as error:
            if error.errno == errno.EACCES:
                raise FlashUnusable("%s; %s" % not_opened(self.path))
            raise FlashUnusable("cannot open %s: %s" % (self.path, explanation(error, self.path)))
        lock(self.descriptor, self.path, self._may_wait)

    def _own(self):
        """Refuse a file that others may change."""
        status = os.fstat(self.descriptor)
        refuse_kind(self.path, status.st_mode)
        self._place = (status.st_ino, status.st_dev, status.st_size)
        if not self.is_in_place():
            raise FlashUnusable("%s was replaced while it was opened; try again" % self.path)
        if status.st_uid not in (os.geteuid(), 0):
            raise FlashUnusable(self._of_another(status))

    def _tighten(self):
        mode = stat.S_IMODE(os.fstat(self.descriptor).st_mode)
        if not mode & OTHERS:
            return
        try:
            os.fchmod(self.descriptor, MODE)
            now = stat.S_IMODE(os.fstat(self.descriptor).st_mode)
        except OSError:
            now = mode
        if now & OTHERS:
            why = "%s has mode %04o, and others could change it; chmod 600 it, or use a file system that knows modes"
            raise FlashUnusable(why % (self.path, now))
        self.notes.append("%s had mode %04o and has %04o now" % (self.path, mode, now))

    def _read_header(self, owner):
        status = os.fstat(self.descriptor)
        header = sound_header(self.path, os.pread(self.descriptor, PAGE_BYTES, 0), status, owner)
        if header.copies == 1:
            self.notes.append("%s: one of the two copies of its header is damaged; the other one is used" % self.path)
        self.header = header

    def _fit(self, wanted_bytes, unit_bytes):
        """Enlarge the file if the setting says so; note every setting that has no effect."""
        block_bytes = self.header.block_bytes
        have = (os.fstat(self.descriptor).st_size - PAGE_BYTES) // block_bytes
        wanted = wanted_bytes // block_bytes
        kib = have * block_bytes // 1024
        if wanted < have:
            kept = (
                "%s keeps its %d KiB: a spool does not shrink; `toolcart spool take-over` moves it into a smaller one"
            )
            self.notes.append(kept % (self.path, kib))
        elif wanted > have:
            try:
                fill(self.descriptor, have * block_bytes, wanted * block_bytes)
                have = wanted
            except OSError as error:
                os.ftruncate(self.descriptor, PAGE_BYTES + have * block_bytes)
                kept = "%s keeps its %d KiB: it cannot grow to %d KiB: %s"
                self.notes.append(kept % (self.path, kib, wanted * block_bytes // 1024, error.strerror))
            os.fsync(self.descriptor)
        if unit_bytes != self.header.unit_bytes:
            kept = "%s keeps its unit of %d bytes; spool.unit takes effect with a new spool"
            self.notes.append(kept % (self.path, self.header.unit_bytes))
        self.block_count = have
        status = os.fstat(self.descriptor)
        self._place = (status.st_ino, status.st_dev, status.st_size)
