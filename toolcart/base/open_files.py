"""How many files and connections this process may have open: the limit is raised where that is allowed.

Where too few may be open nothing works as a whole: an import fails in the middle of what it is for, a session stands
and its results cannot be written. So what is needed is asked for before anything begins.
"""

from __future__ import annotations

LEAST = 16  # for a command: its streams, a file, a connection, a look-up, what it imports meanwhile
WANTED = 256
UNLIMITED = 1 << 30
ADVICE = "Raise the limit: `ulimit -n 1024` in the shell, LimitNOFILE=1024 in the unit of a service."


class TooFewFiles(Exception):
    """This process may open `most` files, and `who` needs more."""

    def __init__(self, most: int, who: str, needed: int) -> None:
        super().__init__(f"only {most} files may be open in a process (`ulimit -n`), and {who} {needed}")


def raised_to(count: int) -> int:
    """Raise this process's limit to `count` as far as it may, and never lower it; return what it is then."""
    try:
        import resource
    except ImportError:  # the library runs where there is no such limit
        return UNLIMITED
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = count if hard == resource.RLIM_INFINITY else min(count, hard)
    if soft == resource.RLIM_INFINITY or soft >= allowed:
        return UNLIMITED if soft == resource.RLIM_INFINITY else soft
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return allowed


def require(needed: int, who: str, wanted: int = 0) -> int:
    """Return how many files may be open, at best `wanted`; TooFewFiles if they are fewer than `needed`."""
    most = raised_to(max(needed, wanted))
    if most < needed:
        raise TooFewFiles(most, who, needed)
    return most
