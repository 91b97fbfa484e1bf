"""A file of lines on Linux: whole lines or none, durable when asked, a new file when one is full.

Rules
1. Nothing that was in the file at `open` is relied on before a sync has succeeded in this run. Before that sync, what a
   power cut can leave is removed: half a line at the end, and everything from the first bad one of the last lines on
   (pages reach the disk in any order). A file that holds something else is left alone.
2. A line that could not be written whole is taken back at once; if that fails as well, the next `open` does it. None
   is written into a file that others have emptied or changed: behind what is not there it would be lost to readers.
   Its length tells that, and the time of its last change: another one may have the same length.
3. `sync` is True only when the bytes are on the disk and the file still has the name: one that was deleted or moved
   takes bytes without complaint. After a failed sync the cache shows what the disk may never get, and another sync
   does not report it (fsync(2)): all behind the last successful one is taken back, to be written again.
4. A full file becomes `<path>.1`, and `.1` becomes `.2`; `keep` of them stay. That is done between two lines, when
   the contents of the full one are durable. No file is ever deleted except the one beyond `keep`.
   What is seen to keep one from that (`not_renamed`) is said by `config check` already, in the same words. A folder, or
   what else is no file, is never moved.
5. Every error is returned, none is raised; `why` has it in words, `cure` what helps, "" where the words say it.
"""

import errno
import os
import shlex
import stat

from toolcart.agent.linux.file import BATCH
from toolcart.board.linux import mounts, refusal, regular_file, service

CPYTHON_ONLY = True
BEGINS = b'{"schema":'  # every line that toolcart.agent.linux.json_line makes
ENDS = b"}\n"
PIECE_BYTES = 4096  # the last line is looked for in the last piece of this size, then in one twice as long
ROTATE_BYTES = 10485760  # of a full file: some 20,000 results, which an editor still opens
UNSYNCED_MOST = BATCH + 1  # lines that there may be between two syncs
OF_THE_NAME = (errno.ENOENT, errno.ENOTDIR, errno.EISDIR)
READABLE = 0o644  # by whoever evaluates it
HOLDS_OTHER = "holds something else than the agent's lines"
OF_RENAMING = (errno.EACCES, errno.EPERM, errno.EROFS, errno.EBUSY, errno.EISDIR, errno.ENOTDIR)


def is_foreign(begin):
    """True if no file of the agent's lines begins so; zeros are what a power cut leaves."""
    begin = begin[: len(BEGINS)]
    return begin != BEGINS[: len(begin)] and bool(begin.strip(b"\0"))


def not_renamed(path, keep):
    """Say what keeps a full file of this path from making room for a new one, and what helps; two "" if nothing does.

    What this user may not do, and what is in the way: some things only the attempt shows.
    """
    names = _names(path, keep)
    folder = os.path.dirname(path) or "."
    words, cure = _no_files(names[1:])
    if words:
        return words, cure
    for name in names:
        real = os.path.join(os.path.realpath(folder), os.path.basename(name))
        if mounts.is_mounted(real):
            cure = "mount its folder in place of the file, or name a file in a folder that the agent's user may write"
            return "%s is a mount of its own" % real, cure
    try:
        owned = os.stat(folder)
        if not os.access(folder, os.W_OK | os.X_OK, effective_ids=True):
            return refusal.no_file_in(folder, "rename")
        for name in names:
            owner = os.lstat(name).st_uid
            if owned.st_mode & stat.S_ISVTX and os.geteuid() not in (0, owner, owned.st_uid):
                user = refusal.user_name(os.geteuid())
                words = "%s is not %s's, and its folder has the sticky bit" % (name, user)
                return words, "`chown -h %s %s`" % (refusal.user_in_command(), shlex.quote(name))
    except OSError:
        pass  # what is not there is said elsewhere
    return "", ""


def asked_of_full(path, keep):
    """Return what is done to a full file, behind "cannot be"."""
    return "renamed to %s.1" % path if keep else "removed"


def _names(path, keep):
    """Return the file and the full ones up to the first that is not there; each is renamed to the next."""
    names = [path]
    while len(names) <= keep and os.path.exists("%s.%d" % (path, len(names))):
        names.append("%s.%d" % (path, len(names)))
    return names


def _no_files(names):
    """Say which of these is no file, and how it is moved away; two "" if all are."""
    for name in names:
        if not os.path.isfile(name):
            kind = "a folder" if os.path.isdir(name) else regular_file.NO_FILE
            return "%s is %s" % (name, kind), refusal.move_away(name)
    return "", ""


class _CannotUse(OSError):
    """An error that says itself what helps."""

    def __init__(self, number, words, cure):
        OSError.__init__(self, number, words)
        self.cure = cure


class LineFile:
    """The file at `path`; a new one is begun at `rotate_bytes`, `keep` full ones stay."""

    def __init__(self, path, rotate_bytes, keep):
        self.path = path
        self.rotate_bytes = rotate_bytes
        self.keep = keep
        self.is_begun = False
        self.why = ""
        self.cure = ""
        self._file = -1
        self._octets = 0  # of whole lines in the file
        self._durable = 0  # how many of them are known to be on the disk
        self._changed_ns = 0  # when the file was changed last, as far as we did it: while all of them are
        # Device and inode of a file that a failed sync left with more than is durable, and how much of it is.
        self._not_taken_back: tuple[int, ...] = ()

    def open(self):
        """Use the file, or make it; False if that is not possible."""
        self.close()
        try:
            self._open()
        except OSError as error:
            self.close()
            return self._fail(error)
        return True

    def backwards(self):
        """Yield the lines of this file and of the latest full one, the newest first; b"" if one cannot be read now."""
        for path in (self.path, self.path + ".1"):
            try:
                file = regular_file.opener(path, os.O_RDONLY)
            except FileNotFoundError:
                continue
            except OSError as error:
                self._fail(error, path)
                yield b""
                return
            try:
                if path != self.path:  # rule 1; `open` did it with this file
                    os.fdatasync(file)
                end = os.fstat(file).st_size
                while end > 0:
                    end, line = _last_line(file, end)
                    if line:
                        yield line
                    end -= len(line)
            except OSError as error:
                self._fail(error, path)
                yield b""
                return
            finally:
                os.close(file)

    def add(self, line):
        """Append a line, with its line end; True if all of it was taken."""
        if self._file < 0:
            return False
        try:
            status = os.fstat(self._file)
            is_other = self._octets == self._durable and status.st_mtime_ns != self._changed_ns
            if is_other or status.st_size != self._octets:
                return self._fail(OSError(errno.ESTALE, "others have changed it"))
            if self._octets and self._octets + len(line) > self.rotate_bytes:
                self._rotate()
            done = 0
            while done < len(line):
                done += os.pwrite(self._file, line[done:], self._octets + done)
        except OSError as error:
            self._take_back(self._octets)
            return self._fail(error)
        self._octets += len(line)
        return True

    def sync(self):
        """Make every line durable; True if they are, under the file's name."""
        if self._file < 0:
            return False
        try:
            os.fdatasync(self._file)
            status = os.fstat(self._file)
            if _identity(status) != _identity(os.stat(self.path)):
                raise OSError(errno.ESTALE, "another file has its name now")
        except OSError as error:
            if not self._take_back(self._durable):
                self._not_taken_back = (*_identity(os.fstat(self._file)), self._durable)
            return self._fail(error)
        self._durable = self._octets
        self._changed_ns = status.st_mtime_ns
        return True

    def close(self):
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _open(self):
        kept_from = service.kept_from(self.path)
        if kept_from:
            raise _CannotUse(errno.EACCES, kept_from, "name " + service.instead())
        self._file = regular_file.opener(self.path, os.O_RDWR | os.O_CREAT, READABLE)
        status = os.fstat(self._file)
        size = status.st_size
        if is_foreign(os.pread(self._file, len(BEGINS), 0)):
            raise OSError(errno.EEXIST, "it " + HOLDS_OTHER)
        identity = _identity(status)
        readable = self._not_taken_back[2] if self._not_taken_back[:2] == identity else size
        self._octets = self._sound_octets(_last_line(self._file, min(size, readable))[0])
        if self._octets < size:
            os.ftruncate(self._file, self._octets)
        self._not_taken_back = ()
        os.fdatasync(self._file)
        self._durable = self._octets
        self._changed_ns = os.fstat(self._file).st_mtime_ns
        self.is_begun = self._octets > 0
        _sync_folder(self.path)

    def _sound_octets(self, end):
        """Return how many bytes in front of `end` are good lines; looks at those a power cut may have spoilt.

        Where even the first of these is bad, at as many more.
        """
        while True:
            at = sound = end
            for _ in range(UNSYNCED_MOST):
                _, line = _last_line(self._file, at)
                if not line:
                    return sound
                at -= len(line)
                if not line.startswith(BEGINS) or not line.endswith(ENDS) or not line[:-1].isascii() or b"\0" in line:
                    sound = at
            if sound > at:
                return sound
            end = at

    def _rotate(self):
        if not self.sync():
            raise OSError(errno.EIO, self.why)
        names = _names(self.path, self.keep)  # not all yet, or a power cut or a failure came between two of these
        words, cure = _no_files(names[1:])
        if words:
            raise self._not_renamed(errno.EISDIR, words, cure)
        self.close()
        try:
            if not self.keep:
                os.unlink(self.path)
            for index in range(min(len(names), self.keep), 0, -1):
                os.replace(names[index - 1], "%s.%d" % (self.path, index))
        except OSError as error:
            words, cure = not_renamed(self.path, self.keep) if error.errno in OF_RENAMING else ("", "")
            cure = cure or refusal.of_number(error.errno, self.path, is_of_folder=True)
            raise self._not_renamed(error.errno, words or error.strerror, cure)
        self._file = regular_file.opener(self.path, os.O_RDWR | os.O_CREAT, READABLE)
        self._octets = self._durable = 0
        self._changed_ns = os.fstat(self._file).st_mtime_ns
        _sync_folder(self.path)

    def _take_back(self, octets):
        """Leave so many bytes in the file; True if that worked."""
        if self._file >= 0:
            self._octets = octets
            try:
                os.ftruncate(self._file, octets)
            except OSError:
                return False
        return True

    def _not_renamed(self, number, words, cure):
        asked = asked_of_full(self.path, self.keep)
        return _CannotUse(number, "it is full, and cannot be %s: %s" % (asked, words), cure)

    def _fail(self, error, path=""):
        """Keep why it cannot be used, and what helps; the error is of the full file at `path`, if one is named."""
        words, cure = error.strerror or type(error).__name__, getattr(error, "cure", "")
        is_of_the_disk = error.errno is not None and words == os.strerror(error.errno)
        if path not in ("", self.path):
            no_file, cure = _no_files([path])
            words = no_file or "%s: %s" % (path, words)
        elif error.errno in OF_THE_NAME and not cure:
            words = refusal.blocking_path(self.path) or words
            is_of_the_disk = False
        if is_of_the_disk and not cure:
            cure = refusal.of_number(error.errno, path or self.path)
        if words != self.why:  # else it says again what a step before it has said
            self.cure = cure
        self.why = words
        return False


def _last_line(file, size):
    """Return where the last line end of the file is, and the line in front of it."""
    tail = b""
    begin = size
    piece = PIECE_BYTES
    while begin > 0:
        begin = max(0, begin - piece)
        piece *= 2  # so that a long line is read twice at most
        tail = os.pread(file, size - begin, begin)
        end = tail.rfind(b"\n")
        if end < 0:
            continue
        start = tail.rfind(b"\n", 0, end) + 1
        if start or begin == 0:
            return begin + end + 1, tail[start : end + 1]
    return 0, b""


def _identity(status):
    return status.st_dev, status.st_ino


def _sync_folder(path):
    """Make the file's name durable."""
    folder = os.open(os.path.dirname(path) or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
