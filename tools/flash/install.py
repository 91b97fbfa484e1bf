"""Carries out a plan on a board: fill the free folder, verify, switch over in one step, wait for health, or go back.

Rules
1. Until the last rename the board's state names only the old version; every step before it can be cut anywhere and
   repeated. After it the new version is on trial, and the board itself goes back unless that is confirmed.
2. version.json is removed first and written last: a folder that has one is whole.
3. After it was written every file is verified by its hash on the board, and sent again if it differs.
4. Healthy means that the board itself says so, naming this version; silence does not count.
"""

from __future__ import annotations

from collections.abc import Callable

from toolcart.board import safe_mode
from toolcart.tools.flash.link import BoardError, BoardFull, Link, Progress, console_line
from toolcart.tools.flash.package import VERSION_FILE, sha256
from toolcart.tools.flash.plan import COPY, DROP, SEND, Plan, read_state

HEALTHY_S = 90.0  # boot, spool, 20 s of good behaviour, and slow Wi-Fi
VERIFY_TRIES = 3

Report = Callable[[str], None]


class RolledBack(BoardError):
    """The new version did not become healthy; the old one runs again."""


def install(link: Link, plan: Plan, progress: Progress, packages: tuple[str, ...] = ()) -> None:
    """Do everything up to the switch; until `switch` the board would start the old version."""
    _leave_trial(link, plan)
    folder = f"/{plan.folder}"
    try:
        link.remove(f"{folder}/{VERSION_FILE}")
        for name in packages:
            link.install_package(name)
        for step in plan.steps:  # what goes is first: it makes room
            if step.kind == DROP:
                link.remove(step.path)
            elif step.kind == COPY:
                link.copy(step.source, step.path)
                progress(step.octets)
            elif step.kind == SEND:
                link.write(step.path, plan.version.files[step.path.removeprefix(folder + "/")], progress)
        link.remove_empty(folder)
        _verify(link, plan)
        _replace(link, f"{folder}/{VERSION_FILE}", plan.version.manifest(), lambda octets: None)
        for path in plan.foreign:
            link.copy(path, path + ".before")
        for step in plan.root:
            if step.kind == SEND:
                _replace(link, step.path, plan.version.root[step.path], progress)
            elif step.kind == DROP:
                link.remove(step.path)
    except BoardFull:
        raise BoardFull("the board's file system filled up: free some room and repeat the command.") from None


def switch(link: Link, plan: Plan) -> None:
    """Put the new version on trial and restart the board."""
    state = read_state(link)
    state.trial = plan.folder
    state.tries = safe_mode.TRIES
    state.failures = 0
    if state.rejected == plan.folder:
        state.rejected = safe_mode.NONE
    _write_state(link, state)
    link.restart()


def wait_healthy(link: Link, digest: str, report: Report, seconds: float = HEALTHY_S) -> bool:
    """Listen until the board says that this version is healthy.

    False if the time is up, another version answers, or the board is in safe mode: none is tried any more.
    """
    for line in link.lines(seconds):
        answer = console_line(line)
        if answer is not None and answer.get("healthy"):
            return answer.get("version") == digest
        if line.startswith("toolcart:"):
            report(line.removeprefix("toolcart:").strip())
        if line.startswith(safe_mode.SAFE_MODE):
            return False
    return False


def roll_back(link: Link, plan: Plan, report: Report, seconds: float = HEALTHY_S) -> str:
    """Make the board run the old version; return the failed start's error. The caller raises RolledBack."""
    link.hold()
    fault = link.read(safe_mode.FAULT_FILE)
    state = read_state(link)
    if state.confirmed == plan.folder:
        return ""  # it became healthy after all, only its message was lost
    state.trial = safe_mode.NONE
    state.tries = 0
    state.failures = 0
    state.rejected = plan.folder
    _write_state(link, state)
    for path in plan.foreign:
        if state.confirmed == safe_mode.NONE:
            link.copy(path + ".before", path + ".new")
            link.rename(path + ".new", path)
    link.restart()
    text = (fault or b"").decode(errors="replace").strip() or "it said nothing about why"
    if state.confirmed == safe_mode.NONE:
        report("no version of toolcart ran here before; the board is left with what it had")
    elif not wait_healthy(link, plan.running, report, seconds):
        text += "\nThe version before has not reported itself healthy yet; see `toolcart board status`."
    return text


def _leave_trial(link: Link, plan: Plan) -> None:
    """Make sure that the state does not name the folder about to be filled."""
    state = read_state(link)
    if state.trial == plan.folder:
        state.trial = safe_mode.NONE
        state.tries = 0
    elif link.read(safe_mode.STATE_FILE) is not None:
        return
    _write_state(link, state)


def _verify(link: Link, plan: Plan) -> None:
    """Compare every file of the folder on the board; what differs is sent again."""
    files = {f"/{plan.folder}/{name}": content for name, content in plan.version.files.items()}
    wanted = {path: sha256(content) for path, content in files.items()}
    differing: list[str] = []
    for attempt in range(VERIFY_TRIES):
        hashes = link.hashes(list(wanted))
        differing = [path for path, digest in wanted.items() if hashes.get(path) != digest]
        if not differing:
            return
        if attempt < VERIFY_TRIES - 1:
            for path in differing:
                link.write(path, files[path], lambda octets: None)
    raise BoardError(
        f"{len(differing)} files differ on the board after {VERIFY_TRIES} attempts ({differing[0]}): its flash may be "
        "worn or the cable bad."
    )


def _write_state(link: Link, state: safe_mode.State) -> None:
    _replace(link, safe_mode.STATE_FILE, state.text().encode(), lambda octets: None, safe_mode.NEW_STATE_FILE)


def _replace(link: Link, path: str, content: bytes, progress: Progress, temporary_name: str = "") -> None:
    """Write a new file beside the old one, verify it, and rename it over that."""
    new = temporary_name or path + ".new"
    for _ in range(VERIFY_TRIES):
        link.write(new, content, progress)
        if link.hashes([new]).get(new) == sha256(content):
            link.rename(new, path)
            return
    raise BoardError(f"{path} could not be written faithfully.")
