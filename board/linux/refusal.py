"""What it means that a disk refuses, and what helps: a read-only card, a dying one, a full one, a wrong owner.

Rules
1. The words are here only: a spool that cannot be opened, status, doctor and `config check` say the same.
2. `{path}` is the file, `{folder}` its folder. A refusal that nobody foresaw is given in the system's own words.
"""

import os
import pwd
import re
import shlex

from toolcart.agent.log import flash
from toolcart.board.errno_reasons import refusal_of

CPYTHON_ONLY = True

# REFUSED_: what it means, and what helps.
WORDS = {
    flash.REFUSED_NO_ROOM: ("its file system is full", "free some room: `df -h {folder}` shows how much is left"),
    flash.REFUSED_QUOTA: (
        "the quota of the agent's user is used up",
        "free some of its room in {folder}, or raise its quota",
    ),
    flash.REFUSED_READ_ONLY: (
        "its file system is read-only",
        "a card that wears out becomes read-only: look at `dmesg`, replace the card; if it is sound, "
        "`mount -o remount,rw` on its mount point",
    ),
    flash.REFUSED_BROKEN: (
        "the disk reports errors",
        "the card or disk is dying or loose: look at `dmesg` and replace it; `toolcart spool rescue {path}` reads what "
        "is left",
    ),
    flash.REFUSED_NOT_ALLOWED: (
        "the agent's user may not write it",
        "look at its owner and attributes: `ls -l {path}`, `lsattr {path}`; it has to belong to the agent's user",
    ),
    flash.REFUSED_GONE: (
        "the file was deleted, replaced or cut while the agent was running",
        "start the agent again: it says what is there now",
    ),
    flash.REFUSED_SUPPLY: ("the chip's supply is below the limit of board.supply", "charge or replace its battery"),
    flash.REFUSED_OTHER: ("it cannot be written", "look at `dmesg` and at the disk"),
}


def meaning(refusal):
    """Return what a REFUSED_ means, without an end."""
    return WORDS[refusal][0]


def advice(refusal, path):
    """Return what helps."""
    path = path or "FILE"
    return WORDS[refusal][1].format(path=shlex.quote(path), folder=shlex.quote(os.path.dirname(path) or "."))


def told(error, path):
    """Return an OSError's own words and what helps, in one line."""
    return "%s; %s" % (error.strerror or error, advice(refusal_of(error.errno), path))


def owner_of(path):
    """Return whose this file or folder is."""
    try:
        return user_name(os.stat(path).st_uid)
    except OSError:
        return "another user"


def user_name(number):
    """Return a user as people know it."""
    try:
        return pwd.getpwuid(number).pw_name
    except (KeyError, OSError):  # a user without a name, as in a container
        return "user %d" % number


# Whether what is written to a path outlives a restart: the type of its file system, by /proc/self/mountinfo (proc(5)).
#
# A spool on one that does not is warned of and not refused: a container's layer may be kept, and a test needs no disk.

MOUNTS = "/proc/self/mountinfo"
ESCAPED = re.compile(rb"\\([0-7]{3})")  # a blank, a tab, a line feed, a backslash
FLEETING = {
    "tmpfs": "memory (tmpfs): a restart of the machine empties it",
    "ramfs": "memory (ramfs): a restart of the machine empties it",
    "overlay": "a layer (overlay): it is gone with its container, or after a restart where the layer is memory",
}


def fleeting(path):
    """Say what the path lies in if that does not last, else ""."""
    folder = os.path.realpath(path)
    while not os.path.exists(folder):
        folder = os.path.dirname(folder)
    return FLEETING.get(_type_of(folder), "")


def _type_of(path):
    """Return the type of the file system that the real path is on; "" if that cannot be told."""
    try:
        with open(MOUNTS, "rb") as lines:
            rows = [line.split() for line in lines]
    except OSError:
        return ""
    longest, found = -1, ""
    for row in rows:
        point = os.fsdecode(ESCAPED.sub(lambda found: bytes([int(found[1], 8)]), row[4]))
        inside = path == point or path.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= longest and b"-" in row:  # of two at one point the later one is seen
            longest, found = len(point), row[row.index(b"-") + 1].decode("ascii", "replace")
    return found
