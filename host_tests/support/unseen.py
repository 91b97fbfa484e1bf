"""A folder in which nothing can be looked at: one of another user's, of a dead server, of a disk that errs."""

import builtins
import io
import os

LOOKS = ("stat", "lstat", "open", "listdir", "scandir", "statvfs", "readlink")


def hide(monkeypatch, folder, number):
    """Let each look at what is inside this folder, and not at itself, end with this error of the system."""
    inside = os.path.join(os.path.realpath(folder), "")

    def refusing(call):
        def look(path, *more, **named):
            if isinstance(path, (str, os.PathLike)) and os.path.abspath(path).startswith(inside):
                raise OSError(number, os.strerror(number), os.fspath(path))
            return call(path, *more, **named)

        return look

    for name in LOOKS:
        monkeypatch.setattr(os, name, refusing(getattr(os, name)))
    for module in (io, builtins):
        monkeypatch.setattr(module, "open", refusing(module.open))
