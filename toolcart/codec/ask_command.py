"""`toolcart ask HOST MID [FIELD=VALUE ...]`: one request to a real controller, its answer decoded.

Exit codes: 0 answered, 1 refused (MID 0004), 2 the command line is wrong, 3 no connection, no session or no answer.
"""

from __future__ import annotations

import ipaddress
import json
import sys

import click

from toolcart import catalogue
from toolcart.base.command_group import Amount
from toolcart.base.exit_codes import EXIT_OTHER
from toolcart.base.line_writer import LAST_WORDS_S
from toolcart.base.nonblocking_output import nonblocking_output
from toolcart.base.terminal_safe import visible
from toolcart.catalogue.forms import OF_ENCODE
from toolcart.codec.ask import Asking, Unanswered
from toolcart.codec.commands import HEADER

EXIT_REFUSED = 1
EXIT_WRONG = 2
EXIT_UNANSWERED = 3
_DIGITS_MOST = 20
_CHANGES_SOMETHING = ("C", "C!")
_ACKNOWLEDGEMENT = "A"
_OF_THE_SESSION = (3, 4, 9997, 9998, 9999)  # MID 0001 is sent anyway: asked for, its answer is what is shown


@click.command()
@click.argument("host")
@click.argument("number", metavar="MID", type=click.IntRange(0, 9999))
@click.argument("fields", metavar="[FIELD=VALUE]...", nargs=-1)
@click.option(
    "-r",
    "--revision",
    type=click.IntRange(1, 999),
    help="Revision of the request.  [default: the lowest described one]",
)
@click.option(
    "--port", type=click.IntRange(1, 65535), default=4545, show_default=True, help="Port, if HOST does not name it."
)
@click.option(
    "--wait",
    "wait_s",
    type=Amount(0.1, 600),
    default=5.0,
    show_default=True,
    help="Longest wait for an answer, in seconds.",
)
@click.option("--watch", "watch_s", type=Amount(0, 86400), default=0.0, help="Keep listening for so many seconds.")
@HEADER
@click.option("--spindle", type=click.IntRange(1, 99), help="Spindle of every message.  [default: blank, or 00]")
@click.option("--yes", is_flag=True, help="Send it even if it changes something or moves a tool.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each message.")
def ask(
    host: str,
    number: int,
    fields: tuple[str, ...],
    revision: int | None,
    port: int,
    wait_s: float,
    watch_s: float,
    header: str,
    spindle: int | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Send a controller one request and show the answer.

    For example `toolcart ask 192.0.2.10 0064 tightening_id=0 -r 2`.

    Field names are those of `toolcart mid`. The session takes one of the controller's slots while it lasts; what the
    controller pushes meanwhile is shown and not acknowledged. A command is sent only with --yes.
    """
    host, port = _address(host, port)
    about = catalogue.about(number)
    if number in _OF_THE_SESSION or (about.kind == _ACKNOWLEDGEMENT and "I" in about.sender):
        _end(
            f"MID {number:04d} ({about.name}) is no request: the session that asks is begun with MID 0001, kept alive"
            " and ended by itself, and nothing that is pushed is acknowledged",
            EXIT_WRONG,
        )
    if about.kind in _CHANGES_SOMETHING and not yes:
        _end(f"MID {number:04d} ({about.name}) changes something there; --yes sends it", EXIT_WRONG)
    frame = _request(number, revision, fields)
    code = EXIT_UNANSWERED
    with nonblocking_output(LAST_WORDS_S, ends_with_reader=True) as streams:
        try:
            code = _asked(Asking(host, port, wait_s, header, spindle or 0), number, frame, watch_s, as_json)
        except Unanswered as error:
            _end(str(error), EXIT_UNANSWERED)
    sys.exit(code or (EXIT_OTHER if streams.lost else 0))


def _asked(asking: Asking, number: int, frame: bytes, watch_s: float, as_json: bool) -> int:
    """Ask, print what comes, and return the exit code."""
    refused = False
    try:
        started = asking.start()
        _print_message([started.frame], as_json, is_answer=number == 1)
        for received in asking.ask(frame, watch_s) if number != 1 else ():
            _print_message(received.frames, as_json, received.is_answer)
            refused = refused or (received.is_answer and received.message.mid == 4)
    finally:
        asking.leave()
    return EXIT_REFUSED if refused else 0


def _address(text: str, port: int) -> tuple[str, int]:
    """Read HOST, HOST:PORT, an IPv6 address or [ADDRESS]:PORT."""
    host, colon, after = text.rpartition(":")
    is_bracketed = host[:1] == "[" and host[-1:] == "]"
    if not colon or (":" in host and not is_bracketed):
        host = text
    elif not (after.isascii() and after.isdecimal() and 1 <= int(after) <= 65535):
        _end(f'{text}: "{after}" is no port; ports are 1 to 65535', EXIT_WRONG)
    else:
        port = int(after)
    host = host.removeprefix("[").removesuffix("]")
    try:
        if ":" in host:
            ipaddress.IPv6Address(host)
    except ValueError:
        _end(f"{text}: neither HOST, HOST:PORT, an IPv6 address nor [ADDRESS]:PORT", EXIT_WRONG)
    return host, port


def _request(number: int, revision: int | None, fields: tuple[str, ...]) -> bytes:
    described = catalogue.revisions(number)
    if not described:
        _end(f"the catalogue has no table for MID {number:04d}; `toolcart mid` lists what it has", EXIT_WRONG)
    if "I" not in catalogue.about(number).sender:
        _end(
            f"MID {number:04d} ({catalogue.about(number).name}) is what a controller sends, not what it is asked",
            EXIT_WRONG,
        )
    if revision is not None and revision not in described:
        revisions = ", ".join(str(one) for one in described)
        _end(f"MID {number:04d} has no described revision {revision}; it has {revisions}", EXIT_WRONG)
    given: dict[str, int | str] = {}
    by_name = catalogue.form(number, revision or described[0]).by_name
    for field in fields:
        name, sign, value = field.partition("=")
        if not sign or not name or name in OF_ENCODE:
            _end(f"{field}: a field is given as name=value; `toolcart mid {number:04d}` has the names", EXIT_WRONG)
        is_text = name in by_name and by_name[name].kind in "TDH"
        given[name] = int(value) if value.isdecimal() and len(value) < _DIGITS_MOST and not is_text else value
    try:
        return catalogue.encode(number, revision or described[0], **given)
    except (catalogue.FieldError, catalogue.FrameError, KeyError, TypeError, ValueError) as error:
        _end(f"{error}; `toolcart mid {number:04d}` has the table", EXIT_WRONG)
    raise AssertionError


def _print_message(frames: list[bytes], as_json: bool, is_answer: bool) -> None:
    from toolcart.codec.inputs import CaptureItem
    from toolcart.codec.rendering import as_data, lines_of

    data = as_data(CaptureItem(frames[-1], parts=tuple(frames) if len(frames) > 1 else ()))
    data["is_answer"] = is_answer
    if as_json:
        click.echo(json.dumps(data))
        return
    first, *others = lines_of(data)
    click.secho(first, bold=is_answer)
    click.echo("\n".join([*others, ""]) if is_answer else "\n".join(others[:4]))


def _end(text: str, code: int) -> None:
    click.echo("toolcart: " + visible(text) + ("" if text.endswith("?") else "."), err=True)
    sys.exit(code)
