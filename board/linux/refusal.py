"""What it means that a disk refuses, and what helps: a read-only card, a dying one, a full one, a wrong owner.

Rules
1. The words are here only: a spool that cannot be opened, status, doctor and `config check` say the same.
2. `{path}` is the file, `{folder}` its folder. A refusal that nobody foresaw is given in the system's own words.
"""

import errno
import os
import pwd
import shlex
import stat

from toolcart.agent.log import flash
from toolcart.board import errno_reasons
from toolcart.board.linux import mounts, service

CPYTHON_ONLY = True

# REFUSED_: that of a file alone, which no chip has.
REFUSED_LIMIT = flash.REFUSED_OTHER + 1
REFUSED_MEMORY = flash.REFUSED_OTHER + 2
_OF_A_FILE = {
    errno.EFBIG: REFUSED_LIMIT,
    errno.ENOMEM: REFUSED_MEMORY,
    errno.ESTALE: flash.REFUSED_GONE,  # of a server that has it no more
}

# REFUSED_: what it means, and what helps.
WORDS = {
    flash.REFUSED_NO_ROOM: ("its file system is full", "free some room: `df -h {folder}` shows how much is left"),
    flash.REFUSED_QUOTA: (
        "the quota of the agent's user is used up",
        "free some of its room in {folder}, or raise its quota",
    ),
    flash.REFUSED_READ_ONLY: (
        "its file system is read-only",
        "look at `dmesg`: a card that wears out becomes read-only, replace it; after an error of the file system end "
        "the agent, unmount it, check it with `fsck` and mount it again; if `dmesg` shows neither, "
        "`mount -o remount,rw` on its mount point, and restart the agent: a service goes on seeing it as at its start",
    ),
    flash.REFUSED_BROKEN: (
        "the disk reports errors",
        "the card or disk is dying or loose: look at `dmesg` and replace it",
    ),
    flash.REFUSED_NOT_ALLOWED: (
        "the agent's user may not write it",
        "look at its owner and attributes: `ls -l {path}`, `lsattr {path}`; it has to belong to the agent's user",
    ),
    flash.REFUSED_GONE: (
        "the file was deleted, replaced or cut while the agent was running",
        "put it back as {path} before the agent is started again, and what the controller kept is fetched; a start "
        "without it makes a new spool, which begins with the results made after its first connection",
    ),
    flash.REFUSED_SUPPLY: ("the chip's supply is below the limit of board.supply", "charge or replace its battery"),
    flash.REFUSED_OTHER: ("it cannot be written", "look at `dmesg` and at the disk"),
    REFUSED_LIMIT: (
        "it is larger than its process, or its file system, lets a file be",
        "set LimitFSIZE=infinity in the unit of the agent's service, or start it where `ulimit -f` is unlimited",
    ),
    REFUSED_MEMORY: ("the machine has no memory left for that", "look at `free -m`, and what else runs on it"),
}

# For a process that goes on; only root raises a limit that was set as a hard one, as `ulimit` and systemd do.
AT_ONCE = {REFUSED_LIMIT: "; at once `%sprlimit --fsize=unlimited --pid %d` does it for the agent that runs"}

_OWNS = stat.S_IRUSR | stat.S_IWUSR  # what a spool's mode gives its owner

RESCUE = "; `toolcart spool rescue {path}` reads what is left"  # of a spool on a disk that reports errors

# Where the file is not there, and may not be made.
IN_FOLDER = "look at its folder: `ls -ld {folder}`, `lsattr -d {folder}`; the agent's user makes a file there"

# By the error number: what helps where no disk is to blame.
NOT_OF_THE_DISK = {
    **dict.fromkeys(
        (errno.EMFILE, errno.ENFILE),
        "too many files are open here: look at `ulimit -n`, and what else runs on this machine",
    ),
    errno.ENAMETOOLONG: "give it a shorter name",
    errno.ELOOP: "links in it lead round: name the folder itself",
}


def meaning(refusal):
    """Return what a REFUSED_ means, without an end."""
    return WORDS[refusal][0]


def refusal_of(number):
    """Return the REFUSED_ of an error number that came from a file."""
    return _OF_A_FILE.get(number) or errno_reasons.refusal_of(number)


def advice(refusal, path, is_spool=True, pid=None):
    """Return what helps; `pid` is the agent's process, if it goes on."""
    path = path or "FILE"
    words = WORDS[refusal][1]
    if refusal == flash.REFUSED_NOT_ALLOWED and os.path.isabs(path) and not os.path.lexists(path):
        words = IN_FOLDER
    elif refusal == flash.REFUSED_BROKEN and is_spool:
        words += RESCUE
    elif refusal == flash.REFUSED_READ_ONLY and pid in (None, os.getpid()) and (of_mount := read_only_mount(path)):
        return of_mount
    if pid is not None and refusal in AT_ONCE:
        words += AT_ONCE[refusal] % ("sudo " if os.getuid() else "", pid)
    return words.format(path=shlex.quote(path), folder=shlex.quote(os.path.dirname(path) or "."))


def read_only_mount(path):
    """Return what helps where a mount is read-only and its file system is not, "" otherwise.

    That is no matter of a card: the unit of a service keeps its process from writing there, or a container does.
    """
    mount = mounts.of(path)
    if mount is None or not mount.is_read_only or mount.is_file_system_read_only:
        return ""
    states, unit = service.state_folders(), service.unit()
    if not states or not unit:
        return (
            "its file system can be written, but is mounted read-only here: `mount -o remount,rw` on its mount point; "
            "of a container, start it again with that volume writable"
        )
    words = "its file system can be written, but not by the service %s: " % unit
    folder = service.folder_of(path)
    if any(service.is_below(folder, state) for state in states):
        return "%sit sees it as at its start; `%ssystemctl restart %s`" % (words, "sudo " if os.getuid() else "", unit)
    return "%sname a file below %s, or put %s" % (words, states[0], service.allowing(folder, unit))


def of_number(number, path, is_of_folder=False):
    """Return what helps against this error of an outlet at its file, or in its folder; "" if nothing is known."""
    if number in NOT_OF_THE_DISK:
        return NOT_OF_THE_DISK[number]
    refusal = refusal_of(number or 0)
    if refusal in (flash.REFUSED_OTHER, flash.REFUSED_GONE):
        return ""
    if refusal == flash.REFUSED_NOT_ALLOWED and is_of_folder:
        return IN_FOLDER.format(folder=shlex.quote(os.path.dirname(path) or "."))
    return advice(refusal, path, False, os.getpid())


def of_file(path):
    """Return the REFUSED_ that writing into this file will meet, as far as its file system says so itself.

    A file may be a mount of its own, beside which nothing can be made, or the other way round.
    """
    try:
        return flash.REFUSED_READ_ONLY if os.statvfs(path).f_flag & os.ST_RDONLY else flash.REFUSED_NOTHING
    except OSError:
        return flash.REFUSED_NOTHING


def of_folder(path):
    """Return the REFUSED_ that a new file beside this one will meet, if its file system is full."""
    try:
        usage = os.statvfs(os.path.dirname(path) or ".")
    except OSError:
        return flash.REFUSED_NOTHING
    free = usage.f_bavail if os.geteuid() else usage.f_bfree
    return flash.REFUSED_NO_ROOM if usage.f_blocks and not free else flash.REFUSED_NOTHING


def explanation(error, path):
    """Return an OSError's own words and what helps, in one line."""
    return "%s; %s" % (error.strerror or error, advice_for(error, path))


def advice_for(error, path):
    """Return what helps against an OSError at this path."""
    if error.errno in NOT_OF_THE_DISK:
        return NOT_OF_THE_DISK[error.errno]
    return advice(refusal_of(error.errno or 0), path)


def blocking_path(path):
    """Say why no file of this path can be there, "" if what is there now keeps none from it.

    Of a link that leads to nothing it is said of where it leads, as the file is made there.
    """
    if os.path.islink(path) and not os.path.exists(path):
        real = os.path.realpath(path)
        words = "" if os.path.islink(real) else blocking_path(real)
        return "it leads to %s: %s" % (real, words) if words else ""
    folder = os.path.dirname(path) or "."
    if os.path.isdir(path):
        return "that is a folder"
    if os.path.isdir(folder):
        return ""
    if os.path.lexists(folder):
        return "%s is no folder" % folder
    first = folder
    while not os.path.lexists(os.path.dirname(first) or "."):
        first = os.path.dirname(first)
    if ".." in folder[len(first) :].split("/"):  # then people would not know that name
        folder = first
    return "the folder %s is not there (mkdir -p %s)" % (folder, shlex.quote(folder))


def no_file_in(folder, doing="make"):
    """Say that this user may make, or rename, no file in this folder, and the command that changes it."""
    words = "%s may %s no file in %s, which belongs to %s" % (user_name(os.geteuid()), doing, folder, owner_of(folder))
    if os.statvfs(folder).f_flag & os.ST_RDONLY:
        return "%s is on a file system that is read-only" % folder, advice(flash.REFUSED_READ_ONLY, folder + "/")
    if os.stat(folder).st_uid == os.geteuid():
        return words, "`chmod u+wx %s`" % shlex.quote(folder)
    command = "`chown %s %s`" % (user_in_command(), shlex.quote(folder))
    return words, command + ", or name another one, of that user"


def move_away(path):
    """Say how what is in the way at this path is moved, and kept."""
    return "move it away: `mv %s %s`" % (shlex.quote(path), shlex.quote(path + ".away"))


def not_readable(path, mode="600"):
    """Say that this user may not read the file, and what helps."""
    user = user_name(os.geteuid())
    try:
        os.stat(path)
    except OSError:
        return "cannot be looked at: %s" % not_entered(path)
    return "%s may not read; %s" % (user, reading_command(path, mode))


def not_opened(path, agent=None):
    """Say why this user may not open a spool, and what helps; `agent` has the user that its agent has, None: this one.

    A spool is for that user alone: it owns the file, with a mode that lets it read and write.
    """
    user = os.geteuid()
    agent = user if agent is None else agent
    try:
        found = os.stat(path)
    except OSError as error:
        return "%s cannot be opened: %s" % (path, error.strerror), "ask with sudo"
    mode = stat.S_IMODE(found.st_mode)
    words = "%s may not open %s, which belongs to %s and has mode %03o"
    words = words % (user_name(user), path, user_name(found.st_uid), mode)
    if found.st_uid != agent:
        return words, another_owner(path, found, agent)
    if mode & _OWNS != _OWNS:
        return words, "`%s`" % _change("chmod 600", path, found.st_uid)
    if user != agent:
        return words, "ask as %s, the user of its agent, or with sudo" % user_name(agent)
    return words, "look at `lsattr %s`, and at `dmesg`" % shlex.quote(str(path))


def another_owner(path, found, agent):
    """Return what helps where a spool belongs to another user than its agent has; `found` is its stat."""
    command = _change("chown %s" % user_name(agent, "%d"), path)
    if stat.S_IMODE(found.st_mode) & _OWNS != _OWNS:
        command += " && " + _change("chmod 600", path)
    return "run the agent as %s, or `%s`" % (user_name(found.st_uid), command)


def _change(command, path, may=0):
    """Return a command for a path; who is not root, and not the one who may give it, needs sudo."""
    return "%s%s %s" % ("" if os.getuid() in (0, may) else "sudo ", command, shlex.quote(str(path)))


def not_entered(path):
    """Say why this user may not look at the path: the unit of its service, or a folder on the way there."""
    folder, user = _closed_folder(os.path.realpath(path)), user_name(os.geteuid())
    kept_from, owner = service.kept_from(path), owner_of(folder)
    if kept_from:
        return kept_from
    if owner == user and not os.stat(folder).st_mode & stat.S_IXUSR:
        return "%s may not enter %s, by its mode: `chmod u+rwx %s`" % (user, folder, shlex.quote(folder))
    return "%s may not enter %s, which belongs to %s" % (user, folder, owner)


def _closed_folder(real):
    """Return the folder that keeps this user from looking at the path."""
    inside = "/"
    for name in real.split("/")[1:]:
        folder, inside = inside, os.path.join(inside, name)
        try:
            os.stat(inside)
        except PermissionError:
            return folder
        except OSError:
            break
    return os.path.dirname(real)


def reading_command(path, mode="600"):
    """Return the command that lets this user read a file that is there: its own by the mode, else by the owner."""
    is_own = os.stat(path).st_uid == os.geteuid()
    change = "chmod %s" % mode if is_own else "chown %s" % user_in_command()
    return "%s %s" % (change, shlex.quote(str(path)))


def owner_of(path):
    """Return whose this file or folder is."""
    try:
        return user_name(os.stat(path).st_uid)
    except OSError:
        return "another user"


def user_in_command():
    """Return this user as a command takes it: by the name, else by the number alone."""
    return user_name(os.geteuid(), "%d")


def user_name(number, nameless="user %d"):
    """Return a user as people know it."""
    try:
        return pwd.getpwuid(number).pw_name
    except (KeyError, OSError):  # a user without a name, as in a container
        return nameless % number
