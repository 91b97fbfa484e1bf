"""Starts the version known to run, gives a new one three tries, and after repeated failed starts enters safe mode.

On a chip this is /safe_mode.mpy beside /main.py (`import safe_mode; safe_mode.start()`), outside the versions that it
chooses between. So it imports nothing of agent/ or board/ before it has chosen.

    /toolcart.state    one line `confirmed trial tries failures rejected`, for instance `a b 3 0 -`
    /a, /b             one version each: agent/ and board/, config.json, and version.json, which is written last
    /toolcart.fault    what the last failed start raised

Rules
1. The line is changed by writing toolcart.new and renaming it: a power cut leaves the old line or the new one.
2. It is changed before a version runs, so that a start that hangs or loses power counts as failed.
3. A version on trial confirms itself when the agent is healthy. After TRIES starts without that the confirmed one runs
   again, whether or not a computer is at the other end of the cable.
4. A start of the confirmed version has failed if not all of its spools came up, or if it raised before it was healthy.
   A reset or a power cut once they are up does not count: what a dead network does to a version is not the version's
   fault. After FAILURES_MAX failed starts in a row the version in the other folder runs in its place, if there is a
   whole one that was not rejected: once, since the one that failed is rejected by that. Else: safe mode. The REPL can
   be reached, no spool is touched; after SAFE_WAIT_S one more start is tried, so that a cart is never lost for good.
5. Ctrl-C is not a failed start.
6. Out of memory is a failed start like any other. If not even this module has enough, main.py restarts the board.
7. A state file that cannot be read or written (full, worn, read-only) keeps no version from starting. But a start that
   cannot be counted is not tried: instead of a version on trial the confirmed one runs. The reason is printed, and kept
   in toolcart.fault if that can be written; a version that cannot be confirmed says so in the board's status.
"""

import gc
import os
import sys
import time

NONE = "-"
FOLDERS = ("a", "b")
TRIES = 3
FAILURES_MAX = 5
SAFE_WAIT_S = 600
RESET_WAIT_S = 5  # long enough to press Ctrl-C
FAULT_BYTES = 1500

PROVEN = 0
ON_TRIAL = 1
SAFE = 2
FALLEN_BACK = 3

STATE_FILE = "/toolcart.state"
NEW_STATE_FILE = "/toolcart.new"
FAULT_FILE = "/toolcart.fault"
VERSION_FILE = "/version.json"  # toolcart.board.console.VERSION_FILE; a test keeps them equal

SAFE_MODE = "toolcart: SAFE MODE"  # how its first line begins: `toolcart flash` waits no longer
SAFE_MODE_BLINKS = 8  # toolcart.agent.cart.led.SAFE_MODE; a test keeps them equal


class State:
    """The line of the state file."""

    __slots__ = ("confirmed", "failures", "rejected", "trial", "tries")

    def __init__(self, confirmed=NONE, trial=NONE, tries=0, failures=0, rejected=NONE):
        self.confirmed = confirmed
        self.trial = trial
        self.tries = tries
        self.failures = failures
        self.rejected = rejected

    def text(self):
        return "%s %s %d %d %s\n" % (self.confirmed, self.trial, self.tries, self.failures, self.rejected)


def parsed(text):
    """Return the State of a line; None if it is not one."""
    words = text.split()
    if len(words) != 5 or not words[2].isdigit() or not words[3].isdigit():
        return None
    for at in (0, 1, 4):
        if words[at] != NONE and words[at] not in FOLDERS:
            return None
    return State(words[0], words[1], int(words[2]), int(words[3]), words[4])


def guessed(complete):
    """Return the State of a board without a line; `complete` lists the folders that have their version.json."""
    if len(complete) == 2:
        return State(complete[1], complete[0], TRIES)
    return State(NONE, complete[0], TRIES) if complete else State()


def choose(state, complete=()):
    """Return (folder, PROVEN, ON_TRIAL, SAFE or FALLEN_BACK), and change `state` to what must be written before that.

    `complete` lists the folders that have their version.json.
    """
    if state.trial != NONE:
        if state.tries > 0:
            state.tries -= 1
            return state.trial, ON_TRIAL
        state.rejected = state.trial
        state.trial = NONE
        state.failures = 0
    if state.confirmed == NONE:
        return NONE, SAFE
    if state.failures >= FAILURES_MAX:
        other = FOLDERS[state.confirmed == FOLDERS[0]]
        if other == state.rejected or other not in complete:
            return state.confirmed, SAFE
        state.rejected = state.confirmed
        state.confirmed = other
        state.failures = 1
        return other, FALLEN_BACK
    state.failures += 1
    return state.confirmed, PROVEN


def confirm(state, folder):
    """Confirm the version in `folder`: it has shown that it is healthy."""
    state.confirmed = folder
    state.trial = NONE
    state.tries = 0
    state.failures = 0
    if state.rejected == folder:
        state.rejected = NONE


def read(root=""):
    """Return the State of this file system."""
    try:
        with open(root + STATE_FILE) as file:
            state = parsed(file.read())
    except (OSError, ValueError):
        state = None
    return guessed(complete_folders(root)) if state is None else state


def complete_folders(root=""):
    """Return the folders that have their version.json, which is written last."""
    return [folder for folder in FOLDERS if _is_there(root + "/" + folder + VERSION_FILE)]


def write(state, root=""):
    """Make the line durable."""
    with open(root + NEW_STATE_FILE, "w") as file:
        file.write(state.text())
    os.rename(root + NEW_STATE_FILE, root + STATE_FILE)


def is_written(state, root=""):
    """Make the line durable; False if that fails: it is reported, and the board goes on without it."""
    try:
        write(state, root)
    except OSError as error:
        reason = "cannot write %s: %s" % (STATE_FILE, error)
        print("toolcart: " + reason)
        _note(root, reason)
        return False
    return True


def start(root="", run=None, wait_s=time.sleep, reset=None):
    """Choose and run; returns only into the REPL. `run`, `wait_s` and `reset` are the board's, except in tests."""
    state = read(root)
    before = state.text()
    folder, mode = choose(state, complete_folders(root))
    if mode == FALLEN_BACK:
        _tell_fallback(root, state)
    confirmation = Confirmation(root, folder, state, before)
    if not confirmation.save() and mode == ON_TRIAL and state.confirmed != NONE:
        folder, mode = state.confirmed, PROVEN
        confirmation.folder = folder
    written = confirmation.saved
    if mode == SAFE and not _keep_still(folder, wait_s):
        return
    try:
        if run is None:
            run = _run
        run(root + "/" + folder, mode, confirmation)
        reason = "the agent ended by itself"
    except KeyboardInterrupt:
        undo(root, before, written)
        print("toolcart: stopped; machine.reset() starts it again")
        return
    except Exception as fault:  # of any kind: the next start has a chance
        if isinstance(fault, MemoryError):
            _make_room()
        reason = _traceback_text(fault)
        confirmation.raised()
    print("toolcart: start of", folder, "failed:", reason)
    _note(root, reason)
    try:
        wait_s(RESET_WAIT_S)
    except KeyboardInterrupt:
        return
    if reset is None:
        reset = _reset
    reset()


def _tell_fallback(root, state):
    """Say that another version runs now, and keep that with what the last start of the one before had raised."""
    reason = "/%s failed %d starts in a row: /%s runs in its place" % (state.rejected, FAILURES_MAX, state.confirmed)
    print("toolcart: " + reason)
    try:
        with open(root + FAULT_FILE) as file:
            reason += ". Its last start:\n" + file.read()
    except (MemoryError, OSError, ValueError):
        pass  # it may have ended without a word
    _note(root, reason)


def undo(root, before, written):
    """Undo the count of a start ended by hand, unless it became healthy: that has changed the line."""
    if before != written and read(root).text() == written:
        is_written(parsed(before), root)


class Confirmation:
    """What the agent calls when its spools are up, and once when it is healthy.

    The line is not read again then: an open file takes 1,148 bytes of heap in one piece.
    """

    __slots__ = ("folder", "forgiven", "root", "saved", "state")

    def __init__(self, root, folder, state, saved):
        self.root = root
        self.folder = folder
        self.state = state
        self.saved = saved  # the line that is durable
        self.forgiven = 0  # failed starts that count again if this one raises

    def save(self):
        """Make the line durable; False if that fails."""
        line = self.state.text()
        if line != self.saved:
            if not is_written(self.state, self.root):
                return False
            self.saved = line
        return True

    def came_up(self):
        """The spools are up: this start has not failed. A version on trial has still to become healthy."""
        state = self.state
        if state.trial == NONE and state.failures:
            self.forgiven = state.failures
            state.failures = 0
            self.save()

    def raised(self):
        """The version has raised: unless it was healthy, the start has failed after all."""
        if self.forgiven:
            self.state.failures = self.forgiven
            self.save()

    def healthy(self):
        """Confirm this version, the one to run from now on; True when that is durable, else call again later."""
        self.forgiven = 0
        confirm(self.state, self.folder)
        if not self.save():
            return False
        self.state = None  # of no more use
        return True


def _run(path, mode, confirmation):
    forget_modules()
    sys.path.insert(0, path)
    from toolcart.board import main

    main.start(path, mode, confirmation)


def forget_modules():
    """Unload what our image's frozen _boot loaded of the frozen program: a version must not get those."""
    for name in list(sys.modules):
        if name.split(".")[0] == "toolcart":
            del sys.modules[name]


def _keep_still(folder, wait_s):
    """Wait in safe mode; True when its time is up and there is something to start."""
    print(SAFE_MODE + ". The agent does not run, the spool is untouched. Ctrl-C gives the REPL;")
    if folder == NONE:
        print("toolcart: there is no version that ever ran. `toolcart flash` installs one.")
        return False
    print("toolcart: one more start is tried in %d s. `toolcart board status --hold` tells what failed." % SAFE_WAIT_S)
    lamp = _lamp()
    try:
        for _ in range(SAFE_WAIT_S // 5):
            _blink(lamp, wait_s)
    except KeyboardInterrupt:
        return False
    return True


def _blink(lamp, wait_s):
    """Blink the code of safe mode for five seconds."""
    if lamp is None:
        wait_s(5)
        return
    for _ in range(SAFE_MODE_BLINKS):
        lamp.on()
        wait_s(0.15)
        lamp.off()
        wait_s(0.25)
    wait_s(5 - 0.4 * SAFE_MODE_BLINKS)


def _lamp():
    try:
        from machine import Pin

        return Pin("LED", Pin.OUT)
    except Exception:  # no such pin, or no such module: then there is no lamp
        return None


def _reset():
    import machine

    machine.reset()


def _make_room():
    """Unload all that is of no use any more: there must be memory to say what failed."""
    gc.collect()
    forget_modules()
    gc.collect()


def _traceback_text(fault):
    try:
        import io

        text = io.StringIO()
        sys.print_exception(fault, text)  # type: ignore - CPython has none
        return text.getvalue()[-FAULT_BYTES:]
    except MemoryError:
        return "MemoryError"  # and none left to say where
    except Exception:  # CPython: the name must do
        return "%s: %s" % (type(fault).__name__, fault)


def _note(root, reason):
    try:
        with open(root + FAULT_FILE, "w") as file:
            file.write(reason)
    except (MemoryError, OSError):
        pass  # neither a full file system nor a full heap keeps the board from restarting


def _is_there(path):
    try:
        os.stat(path)
    except OSError:
        return False
    return True
