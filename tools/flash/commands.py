"""`toolcart flash`: shows the plan with sizes, carries it out, and has one clear sentence for each way it can fail.

Exit codes: 0 the new version runs and is healthy (or was there already), 2 the configuration or the command line is
wrong, 3 the board is not there, busy, wrong or full: nothing changed, 4 it went away in the middle: the old version is
left, 5 the new version was not healthy and the old one runs again.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import click

from toolcart.agent.cart.secrets import redacted
from toolcart.base.command_group import Amount
from toolcart.base.installation import how_to_get
from toolcart.base.sources import Unavailable
from toolcart.base.terminal_safe import visible_lines
from toolcart.board import safe_mode
from toolcart.tools.config import file as config_file
from toolcart.tools.flash import package, plan
from toolcart.tools.flash.link import About, BoardTrouble, Full, Gone, Link, Progress, console_line
from toolcart.tools.flash.package import VERSION_FILE, sha256
from toolcart.tools.flash.plan import COPY, DROP, SEND, Plan, read_state

# Carries out a plan on a board: fill the free folder, verify, switch over in one step, wait for counters, or go back.
#
# Rules
# 1. Until the last rename the board's state names only the old version; every step before it can be cut anywhere and
#    repeated. After it the new version is on trial, and the board itself goes back unless that is confirmed.
# 2. version.json is removed first and written last: a folder that has one is whole.
# 3. After it was written every file is verified by its hash on the board, and sent again if it differs.
# 4. Healthy means that the board itself says so, naming this version; silence does not count.

HEALTHY_S = 90.0  # boot, spool, 20 s of good behaviour, and slow Wi-Fi
VERIFY_TRIES = 3

Tell = Callable[[str], None]


class RolledBack(BoardTrouble):
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
    except Full:
        raise Full(
            "the board's file system filled up. What ran before is untouched and starts again; "
            "free some room and repeat the command."
        ) from None


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


def wait_healthy(link: Link, digest: str, tell: Tell, seconds: float = HEALTHY_S) -> bool:
    """Listen until the board says that this version is healthy; False if the time is up or another version answers."""
    for line in link.lines(seconds):
        told = console_line(line)
        if told is not None and told.get("healthy"):
            return told.get("version") == digest
        if line.startswith("toolcart:"):
            tell(line.removeprefix("toolcart:").strip())
    return False


def roll_back(link: Link, plan: Plan, tell: Tell, seconds: float = HEALTHY_S) -> str:
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
        tell("no version of toolcart ran here before; the board is left with what it had")
    elif not wait_healthy(link, plan.running, tell, seconds):
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
    bad: list[str] = []
    for attempt in range(VERIFY_TRIES):
        found = link.hashes(list(wanted))
        bad = [path for path, digest in wanted.items() if found.get(path) != digest]
        if not bad:
            return
        if attempt < VERIFY_TRIES - 1:
            for path in bad:
                link.write(path, files[path], lambda octets: None)
    raise BoardTrouble(
        f"{len(bad)} files differ on the board after {VERIFY_TRIES} attempts ({bad[0]}): its flash may be worn or the "
        "cable bad. What ran before is untouched."
    )


def _write_state(link: Link, state: safe_mode.State) -> None:
    _replace(link, safe_mode.STATE_FILE, state.text().encode(), lambda octets: None, safe_mode.NEW_STATE_FILE)


def _replace(link: Link, path: str, content: bytes, progress: Progress, beside: str = "") -> None:
    """Write a new file beside the old one, verify it, and rename it over that."""
    new = beside or path + ".new"
    for _ in range(VERIFY_TRIES):
        link.write(new, content, progress)
        if link.hashes([new]).get(new) == sha256(content):
            link.rename(new, path)
            return
    raise BoardTrouble(f"{path} could not be written faithfully. What ran before is untouched.")


EXIT_CONFIGURATION = 2
EXIT_BOARD = 3
EXIT_GONE = 4
EXIT_ROLLED_BACK = 5
_EXIT_CODES: dict[type[Exception], int] = {Gone: EXIT_GONE, RolledBack: EXIT_ROLLED_BACK}


def open_link(port: str) -> Link:
    """Return the board at a port; ClickException if mpremote is missing."""
    try:
        from toolcart.tools.flash.mpremote_link import MpremoteLink
    except ImportError:
        raise click.ClickException(f"boards need mpremote, which is not installed: {how_to_get('flash')}") from None
    return MpremoteLink(port)


PORT_OPTION = click.option(
    "--port",
    required=True,
    type=click.Path(),
    metavar="PORT",
    help="The board's serial port: /dev/ttyACM0, /dev/ttyUSB0, COM3.",
)


@click.command()
@package.BOARD_OPTION
@PORT_OPTION
@package.CONFIG_OPTION
@click.option("--dry-run", is_flag=True, help="Show what would be done, and change nothing.")
@click.option(
    "--wait",
    "healthy_s",
    type=Amount(5, 3600),
    default=HEALTHY_S,
    show_default=True,
    help="Seconds the new version has to report that it is healthy.",
)
@click.option("--json", "as_json", is_flag=True, help="The outcome as one JSON object on stdout.")
def flash(platform: str, port: str, config_path: str, dry_run: bool, healthy_s: float, as_json: bool) -> None:
    """Install the agent and its configuration on a chip.

    Checks the configuration, compiles, copies only what has changed into the folder that is not in use, verifies by
    hash, restarts, and waits until the board says that it is healthy. Until then the old version stays on the board,
    and it runs again if the new one fails, even if the cable is pulled. The spool is never touched.
    """
    sys.exit(run(open_link, platform, port, config_path, dry_run, healthy_s, as_json))


def run(
    opened: Callable[[str], Link],
    platform: str,
    port: str,
    config_path: str,
    dry_run: bool,
    healthy_s: float,
    as_json: bool,
) -> int:
    """Do it; `opened` makes the link, so that a test can pass its own board."""
    try:
        package.checked_config(config_path, platform)
    except config_file.Wrong as wrong:
        say(str(wrong))
        return EXIT_CONFIGURATION
    outcome: dict[str, Any] = {"board": platform, "port": port}
    link = opened(port)
    try:
        code = _flash(link, platform, config_path, dry_run, healthy_s, outcome)
    except (BoardTrouble, Unavailable, ValueError) as trouble:
        # Includes the compiler's errors; none of these texts has a secret in it (toolcart.tools.flash.link rule 4).
        say(str(trouble))
        outcome["error"] = str(trouble)
        code = _EXIT_CODES.get(type(trouble), EXIT_BOARD)
        _let_go_on(link, trouble)
    finally:
        link.close()
    if as_json:
        click.echo(json.dumps(outcome))
    return code


def _flash(
    link: Link, platform: str, config_path: str, dry_run: bool, healthy_s: float, outcome: dict[str, Any]
) -> int:
    say(f"holding {outcome['port']} ...")
    about = link.hold()
    plan.check_board(about, platform)
    say(
        f"{about.machine}, MicroPython {'.'.join(map(str, about.version))}, "
        f"{about.free_bytes // 1024} KiB of files free, {about.heap_bytes // 1024} KiB of heap"
    )
    version = package.build(platform, about.architecture, config_path, about.frozen)
    plan.check_heap(about, version)
    planned = plan.make(link, about, version)
    _show(planned, about, config_path, dry_run)
    outcome.update(version=version.digest, folder=planned.folder, send_bytes=planned.octets(plan.SEND))
    if dry_run:
        link.restart()
        return 0
    if planned.is_there():
        say(f"version {version.digest} runs there already; nothing to do.")
        link.restart()
        return 0
    with click.progressbar(
        length=max(1, planned.octets(plan.SEND) + planned.octets(plan.COPY)), label="copying", file=sys.stderr
    ) as bar:
        install(link, planned, bar.update, package.DEPENDENCIES)
    say(f"every file verified; restarting with version {version.digest} on trial ...")
    switch(link, planned)
    if wait_healthy(link, version.digest, lambda text: say(f"board: {text}"), healthy_s):
        say(f"healthy: version {version.digest} is confirmed and runs from /{planned.folder}.")
        return 0
    say(f"not healthy within {healthy_s:.0f} s: going back ...")
    try:
        fault = roll_back(link, planned, say, healthy_s)
    except BoardTrouble as trouble:
        raise Gone(
            f"{trouble}\nThe new version did not report itself healthy. Left alone, the board tries it at most three "
            "times and then runs the version before."
        ) from None
    if not fault:
        say(f"healthy after all: version {version.digest} is confirmed and runs from /{planned.folder}.")
        link.restart()
        return 0
    raise RolledBack(
        f"version {version.digest} did not become healthy; "
        + (f"version {planned.running} runs again." if planned.running else "no version ran here before.")
        + f"\nWhat the board kept of the failed start:\n{fault}"
    )


def say(text: str) -> None:
    """Print words for the person to stderr: stdout is for the outcome."""
    click.echo(visible_lines(text), err=True)


def _show(planned: plan.Plan, about: About, config_path: str, dry_run: bool) -> None:
    words = {plan.SEND: "through the cable", plan.COPY: "copied on the board", plan.KEEP: "there already"}
    running = planned.running or "none"
    say(f"plan: version {planned.version.digest} into /{planned.folder}; confirmed now: {running}")
    if about.frozen and len(planned.version.files) == 1:
        say("  the firmware has this core frozen: only the configuration is installed")
    steps = [*planned.steps, *planned.root]
    for kind, what in words.items():
        count = sum(step.kind == kind for step in steps)
        say(f"  {count:3} files, {planned.octets(kind):7} bytes {what}")
    dropped = [step for step in steps if step.kind == plan.DROP]
    if dropped:
        say(f"  {len(dropped):3} files of an older version are removed")
    for path in planned.foreign:
        say(f"  {path} is not toolcart's: it is kept as {path}.before")
    if dry_run:
        for step in steps:
            say(f"    {step.kind:5} {step.octets:6} {step.path}")
        shown = redacted(config_file.parse(config_path))
        say("configuration: " + json.dumps(shown, sort_keys=True))


def _let_go_on(link: Link, trouble: BoardTrouble | Unavailable | ValueError) -> None:
    """Let a board that was held but not changed go on with what it did."""
    if isinstance(trouble, (Gone, RolledBack)):
        return
    try:
        link.restart()
    except BoardTrouble:
        pass  # it was never held
