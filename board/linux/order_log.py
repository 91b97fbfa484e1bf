"""Orders of operators in the agent's log: who gave which, and what became of it.

    anna ordered `drop 3-5` at station 10: 3 dropped, 9 are left in the quarantine

Rules
1. An order that only looks, or tries, is none. One that is refused is told too.
2. Who: the user whose process gave it, from the kernel.
3. What is done to the spool of a stopped agent is written to `<spool>.orders`. The next agent of that spool tells it,
   and removes the file. A spool that is made of this one gets them, too.
"""

import os
import re
import time

from toolcart.board.linux import regular_file
from toolcart.board.linux.plurals import agreeing, counted

CPYTHON_ONLY = True
SUFFIX = ".orders"
LOOKING = ("list", "show", "status", "reload-faults")
DRY = "dry"
LINE_MAX = 2000
LINE_OCTETS_MAX = 4 * (LINE_MAX + 100)  # of a line with its time; what is longer is no order
_BEGIN = "%s, while no agent ran: "
_IS_ORDER = re.compile(re.escape(_BEGIN) % r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")


class NotDone(Exception):
    """What keeps an order from being carried out, in words for people."""


def words_of(error):
    """Return in words for people why an order ended so."""
    if isinstance(error, NotDone):
        return str(error)
    if isinstance(error, OSError):
        return error.strerror or str(error) or "the disk refuses"
    if isinstance(error, MemoryError):
        return "there is not enough memory for it"
    return "a fault of toolcart, please report it (%s: %s)" % (type(error).__name__, error)


def user_of(uid):
    """Return the user's name from /etc/passwd (a directory service may be slow), else its number."""
    try:
        with open("/etc/passwd", encoding="utf-8", errors="replace") as users:
            for line in users:
                fields = line.split(":")
                if len(fields) > 2 and fields[2] == str(uid):
                    return "".join([letter if " " < letter <= "~" else "?" for letter in fields[0]])
    except OSError:
        pass
    return "uid %d" % uid


def is_looking(words):
    """True if this order changes nothing."""
    return words[0] in LOOKING or words[-1] == DRY


def outcome_of(lines):
    """Say what became of an order, from the last lines of its answer."""
    for line in lines:
        if "error" in line:
            return "not done: %s" % line["error"]
    last = lines[-1] if lines else {}
    if "outcome" in last:
        why = " (%s)" % last["why"] if last.get("why") else ""
        return last["outcome"] + why
    if "left" in last:
        left = last["left"]
        return "up to %s that ToolsNet lacks %s left" % (counted(left, "result"), agreeing(left, "is"))
    if "from" in last:
        begins = "" if last.get("configured", True) else " when ToolsNet is configured again"
        lacks = ", up to %d %s in doubt" % (last["lacks"], agreeing(last["lacks"], "stays")) if last["lacks"] else ""
        out = ", up to %d more may be stored twice" % last["out"] if last.get("out") else ""
        count = last["count"]
        again = "%s from number %d on %s sent again" % (counted(count, "result"), last["from"], agreeing(count, "is"))
        return again + begins + out + lacks
    if last.get("soon"):
        return "the first is dropped as soon as it is known what became of it, unless the agent restarts first"
    if "count" in last:
        done = "to be offered again" if "running" in last else "dropped"
        count = last.get("again")
        again = (
            ", %d of them %s out all the same with what is sent again" % (count, agreeing(count, "goes"))
            if count
            else ""
        )
        if last.get("given_up"):
            done += ", up to %d that cannot be read given up" % last["given_up"]
        left = "%d %s left in the quarantine" % (last["parked"], agreeing(last["parked"], "is"))
        return "%d %s, %s%s" % (last["count"], done, left, again)
    return "done"


def line_of(who, words, station, outcome):
    """Return an order as a line of the log."""
    return ("%s ordered `%s` at station %s: %s" % (who, " ".join(words), station, outcome))[:LINE_MAX]


def carried_out(job, words, who, station, tell):
    """Yield what the order's generator yields; when it has ended, `tell` gets the line of the log."""
    lines = []
    outcome = None
    try:
        for line in job:
            if isinstance(line, dict):
                lines = [one for one in lines if "error" in one] + [line]
            yield line
    except GeneratorExit:
        outcome = "the agent ended before it was done"
        raise
    except Exception as error:
        outcome = "not done: %s" % words_of(error)
        raise
    finally:
        tell(line_of(who, words, station, outcome or outcome_of(lines)))


def keep(spool, line):
    """Write down what was done to the spool of a stopped agent. OSError if that cannot be."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
    file = regular_file.opener(spool + SUFFIX, flags)
    try:
        owner = os.stat(spool)
        if os.fstat(file).st_uid != owner.st_uid:
            os.fchown(file, owner.st_uid, owner.st_gid)  # the agent has to read it, whoever gave the order
        moment = time.strftime("%Y-%m-%d %H:%M:%S")
        os.write(file, (_BEGIN % moment + line + "\n").encode())
        os.fsync(file)
    finally:
        os.close(file)


def kept(spool):
    """Return the lines of what was done to this spool while no agent ran, as octets. OSError if they cannot be read."""
    try:
        return regular_file.content_of(spool + SUFFIX)
    except FileNotFoundError:
        return b""


def hand_on(lines, new):
    """Give the new spool these lines of the one that it is made of. OSError if that cannot be."""
    if not lines:
        return
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
    with open(regular_file.opener(new + SUFFIX, flags), "ab", buffering=0) as file:
        file.write(lines)
        os.fsync(file.fileno())


def take(spool, tell):
    """Tell what was done to this spool while no agent ran, once, and in one line that the file held something else."""
    path = spool + SUFFIX
    count, is_foreign = 0, False
    try:
        with open(path, "rb", opener=regular_file.opener) as file:
            while octets := file.readline(LINE_OCTETS_MAX):
                line = octets.decode("utf-8", "replace").rstrip("\n")
                if _IS_ORDER.match(line):
                    tell(line[:LINE_MAX])
                    count += 1
                else:
                    is_foreign = True
    except FileNotFoundError:
        return
    os.unlink(path)
    if is_foreign:
        tell("%s held %s and was removed" % (path, "something else than orders, too," if count else "no order"))
