"""`toolcart command`: makes the controller do something while the agent holds its only slot.

Exit codes: 0 the controller accepted it, 1 it rejected it, 2 the command line is wrong, the value does not fit, or the
command is not allowed, 3 no agent answers, and nothing is sent, 4 nothing was sent (the controller is away, or busy
with another command), 5 unknown: it was sent, or the agent had read it and did not answer, and it is not known whether
the controller did it.
"""

from __future__ import annotations

import inspect
import json
import os
import sys
from urllib.parse import quote

import click

from toolcart.agent.openprotocol.commands import COMMANDS
from toolcart.agent.station.command_orders import NAME_MOST, WAIT_MOST_S
from toolcart.base.command_group import say_done
from toolcart.base.terminal_safe import visible
from toolcart.board.linux.control import SEE_LOG, WITHDRAWN
from toolcart.tools.status import client, options
from toolcart.tools.status.options import agent_options

EXIT_CODES = {"accepted": 0, "refused": 1, "wrong": 2, "not allowed": 2, "not sent": 4, "unknown": 5}
EXIT_WRONG = 2
EXIT_NO_AGENT = 3
ANSWER_S = 90.0  # waiting for its turn, the controller's answer, and waiting for room in the log


def _usage(name: str, values: tuple) -> str:
    return " ".join([name, *(word.upper().replace(" ", "-") for word, _ in values)])


COMMAND_LIST = "\n".join("  " + _usage(name, values) for name, values, _ in COMMANDS)


@click.command()
@click.argument("station", type=click.IntRange(1, 9999))
@click.argument("name", type=click.Choice([name for name, _, _ in COMMANDS]), metavar="COMMAND")
@click.argument("values", nargs=-1, metavar="[VALUE]...")
@agent_options
@click.option(
    "--wait",
    "wait_s",
    type=click.IntRange(0, WAIT_MOST_S),
    default=0,
    metavar="SECONDS",
    help="Wait up to SECONDS for a controller that is away, and for other commands.  [default: fail at once]",
)
@click.option("--as", "as_name", metavar="NAME", help="Who gives the command, for the log.  [default: who called sudo]")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def command(
    station: int,
    name: str,
    values: tuple[str, ...],
    config_path: str | None,
    socket_path: str | None,
    port: str | None,
    wait_s: int,
    as_name: str | None,
    as_json: bool,
) -> None:
    """Send a command to a station's controller.

    It goes through the running agent, and is logged.

    The station's setting `controller.commands` says which of these are allowed; by default none is.
    """
    path = options.path_of(config_path, socket_path, port)
    caller = (as_name if as_name is not None else os.environ.get("SUDO_USER", ""))[:NAME_MOST]
    order = ["command", str(station), f"wait={wait_s}", *([f"as={quote(caller)}"] if caller else []), name]
    line = " ".join([*order, *(quote(value) for value in values)])
    if port is not None:
        from toolcart.tools.flash.board_commands import command_lines  # only to ask a board: it needs the extra `flash`

        _print_outcome(command_lines(port, line, ANSWER_S + wait_s), as_json)
        return
    try:
        answer = client.lines_of(path, line, ANSWER_S + wait_s)
        if not any("outcome" in said for said in answer):
            options.refuse_no_configuration(config_path)  # a spool's own socket takes other orders
        _print_outcome(answer, as_json)
    except client.NoAgent as error:
        options.refuse_no_configuration(config_path)
        if error.was_read:
            _fail({"outcome": "unknown", "why": f"{error}; {SEE_LOG}"}, as_json, EXIT_CODES["unknown"])
        why = f"{error}; {WITHDRAWN}" if error.is_late else str(error)
        _fail({"outcome": "no agent", "why": why, "hint": error.hint}, as_json, EXIT_NO_AGENT)


command.help = f"{inspect.cleandoc(command.help or '')}\n\n\b\n{COMMAND_LIST}\n"


def _print_outcome(answer: list[dict], as_json: bool) -> None:
    """Say what became of it, and exit with the matching code."""
    outcomes = [line for line in answer if "outcome" in line]
    errors = [line["error"] for line in answer if "error" in line]
    if errors and not outcomes:
        _fail({"outcome": "not allowed", "why": errors[0]}, as_json, EXIT_WRONG)
    if not outcomes:
        explanation = "the agent broke off its answer; `sent` in its log, without more, would mean the same"
        _fail({"outcome": "unknown", "why": explanation}, as_json, EXIT_CODES["unknown"])
    outcome = outcomes[-1]
    code = EXIT_CODES.get(outcome["outcome"], EXIT_WRONG)
    if code:
        _fail(outcome, as_json, code)
    say_done(json.dumps(outcome) if as_json else visible(f"{outcome['command']}: {outcome_text(outcome)}"))


def outcome_text(outcome: dict) -> str:
    """Say what became of a command, for people."""
    from toolcart.catalogue.meanings import names_of

    text = str(outcome["outcome"])
    if text == "unknown":
        text = "unknown whether the controller did it"
    if outcome.get("code"):
        meaning = names_of("ERROR_CODE").get(outcome["code"], "of which no document says what it means")
        text += f" by the controller with code {outcome['code']:02d}, {meaning}"
    if outcome.get("why"):
        text += f": {outcome['why']}"
    if outcome.get("mid") and not outcome.get("logged"):
        text += "; the log does not say so yet"
    return text


def _fail(outcome: dict, as_json: bool, code: int) -> None:
    if as_json:
        click.echo(json.dumps(outcome))
    else:
        click.echo(visible(f"toolcart: {outcome_text(outcome)}"), err=True)
        if outcome.get("hint"):
            click.echo(visible(f"  {outcome['hint']}"), err=True)
    sys.exit(code)
