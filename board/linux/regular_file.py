"""Opens a file that an operator named: only a regular one, so that nobody waits for what was put in its place.

Rules
1. Whoever opens a named pipe to read it waits for a writer, and opening a device may already do something: both are
   refused before they are opened. What comes in between is opened without waiting, and refused then.
2. A shell's pipe, `<(...)`, has no name and its writer ends. It may stand for a file in a command's argument, never in
   a configuration: an agent reads that again and again.
3. What cannot be read is an OSError whose `strerror` says why.
"""

import contextlib
import errno
import os
import stat

CPYTHON_ONLY = True
NO_FILE = "a pipe, device or socket, no file"
MODE = 0o600


def opener(path, flags, mode=MODE):
    """Open it as os.open does, for `open(..., opener=opener)`; OSError if it is no regular file."""
    with contextlib.suppress(FileNotFoundError):  # with O_CREAT it is made
        _refuse_endless(os.stat(path, follow_symlinks=not flags & os.O_NOFOLLOW).st_mode)
    return _opened(path, flags, mode)


def argument_opener(path, flags):
    """Do as `opener` for a command's argument, where a pipe without a name is read to its end."""
    if not _is_unnamed_pipe(path):
        return opener(path, flags)
    return os.open(path, flags | os.O_CLOEXEC)


def content_of(path):
    """Return the octets of the file; OSError."""
    with open(path, "rb", opener=opener) as file:
        return file.read()


def argument_content_of(path):
    """Return the octets of the file that a command's argument names; OSError."""
    with open(path, "rb", opener=argument_opener) as file:
        return file.read()


@contextlib.contextmanager
def held(path):
    """Yield the descriptor of the file, open to be read; OSError."""
    descriptor = opener(path, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def name_of(descriptor):
    """Return a name of this open file, for a library that opens files by itself."""
    return "/dev/fd/%d" % descriptor


def _is_unnamed_pipe(path):
    with contextlib.suppress(OSError, ValueError):  # the latter where no file can be named so
        return stat.S_ISFIFO(os.stat(path).st_mode) and not os.path.exists(os.path.realpath(path))
    return False


def _refuse_endless(mode):
    if stat.S_ISFIFO(mode) or stat.S_ISCHR(mode) or stat.S_ISBLK(mode) or stat.S_ISSOCK(mode):
        raise OSError(errno.EINVAL, NO_FILE)


def _opened(path, flags, mode):
    descriptor = os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC, mode)
    try:
        kind = os.fstat(descriptor).st_mode
        _refuse_endless(kind)
        if stat.S_ISDIR(kind):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
