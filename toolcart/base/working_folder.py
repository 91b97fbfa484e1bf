"""The folder that names without a leading slash begin in: it may be gone, and such a name is none then."""

import os

GONE = "the working folder of this command is gone: it was deleted, perhaps made again under the same name"
ADVICE = "`cd` to a folder that is there, or name each file by its whole path."


class Gone(Exception):
    """A name begins in the working folder, and that is gone; no OSError, which many take for the name's own fault."""


def need_for(name: str) -> None:
    """Raise Gone if this name begins in a working folder that is gone."""
    if not os.path.isabs(name) and is_gone():
        raise Gone


def is_gone() -> bool:
    """True if there is none any more."""
    try:
        os.getcwd()
    except FileNotFoundError:
        return True
    return False
