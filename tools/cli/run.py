"""`toolcart run`: the agent, or the demo.

Exit codes: 0 fine, 1 lost results in the demo, what only this machine lacks or anything unforeseen, 2 the configuration
or the command line is wrong, 3 no spool can be used. Where stdout is for machines, output for people goes to stderr.
"""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from toolcart.base.command_group import Amount, seconds_option
from toolcart.base.exit_codes import EXIT_OTHER, fail
from toolcart.base.installation import how_to_get
from toolcart.base.line_writer import LAST_WORDS_S
from toolcart.base.nonblocking_output import nonblocking_output
from toolcart.base.serial_settings import LINKS

if TYPE_CHECKING:
    from toolcart.archive.web.serving import Child
    from toolcart.tools.config import file as config_file


@click.command()
@click.option(
    "--config",
    "config_path",
    type=click.Path(readable=False),
    metavar="FILE",
    help="Run against the real controller and ToolsNet.",
)
@click.option("--plain", "--headless", "plain", is_flag=True, help="Print lines instead of the live view.")
@click.option(
    "--ascii/--no-ascii",
    "ascii_only",
    default=None,
    help="Draw the live view in ASCII, or not.  [default: by the locale]",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line; the last one is the reconciliation.")
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    help="How a service, without a terminal, logs: with times and levels.  [default: text]",
)
@seconds_option
@click.option("--outage", "outages", multiple=True, metavar="A:B", help="Demo: no ToolsNet from second A to B.")
@click.option(
    "--controller-outage",
    "controller_outages",
    multiple=True,
    metavar="A:B",
    help="Demo: no controller from second A to B.",
)
@click.option("--kill", "kills", multiple=True, type=Amount(min=0), help="Demo: kill the agent at second T.")
@click.option(
    "--kill-archive",
    "archive_kills",
    multiple=True,
    type=Amount(min=0),
    help="Demo: kill ToolsNet's server at second T.",
)
@click.option("--random-faults", is_flag=True, help="Demo: random outages and kills until the time is up.")
@click.option("--link", type=click.Choice(LINKS), help="Demo: the link to the controller.  [default: tcp]")
@click.option("--rate", type=Amount(0.01, 200), help="Demo: results per second.  [default: 5]")
@click.option("--web", metavar="HOST:PORT", help="Demo: serve the archive's pages at this address.")
@click.option("--seed", type=int, help="Demo: seed of the results and the random faults.  [default: 1]")
@click.option(
    "--keep",
    type=click.Path(file_okay=False),
    metavar="DIR",
    help="Demo: keep spool and archive in this folder, and continue with them next time.",
)
def run(
    config_path: str | None,
    plain: bool,
    ascii_only: bool | None,
    as_json: bool,
    log_format: str | None,
    seconds: float | None,
    **demo: Any,
) -> None:
    """Run the agent.

    Without --config this is the demo: the real agent in a process of its own, between a built-in controller and a
    ToolsNet of our own, `toolcart archive` on SQLite, with short waits (reconnects after 0.2 to 2 s, not 1 to 60 s).
    --web shows what arrives.
    Keys in its live view: n cuts ToolsNet's network, c the controller's, k kills the agent as a power cut would, a
    kills the archive, + and - change the rate, q ends in order and prints a reconciliation; ? lists all keys.

    With --config it runs against the real ones; without a terminal it writes plain lines, as a service does: one for
    each change, one a day if nothing changes.

    Options for outages and kills may be repeated; times count from the first result.
    """
    screen = (sys.stdin, sys.stdout, sys.stderr)  # the live view is drawn on the last one
    plain = plain or as_json or not all(stream.isatty() for stream in screen)
    if config_path is not None:
        demo_options = [name for name, value in demo.items() if value not in (None, (), False)]
        if demo_options:
            option = {"outages": "--outage", "controller_outages": "--controller-outage", "kills": "--kill"}
            option["archive_kills"] = "--kill-archive"
            names = ", ".join(option.get(name, "--" + name.replace("_", "-")) for name in demo_options)
            raise click.UsageError(f"{names}: only for the demo, which runs without --config.")
        is_plain = plain or log_format is not None
        code = _run_configuration(config_path, is_plain, ascii_only, as_json, log_format, seconds)
    elif log_format is not None:
        raise click.UsageError("--log-format: only for a service, with --config.")
    else:
        code = _run_demo(plain, ascii_only, as_json, seconds, demo)
    sys.exit(code)


def _run_configuration(
    path: str, plain: bool, ascii_only: bool | None, as_json: bool, log_format: str | None, seconds: float | None
) -> int:
    from toolcart.tools.config import file as config_file
    from toolcart.tools.config import files

    try:
        files.read_to_run(path)
        if plain and (log_format or not sys.stdout.isatty()):
            from toolcart.base.line_writer import LineWriter
            from toolcart.tools.live.lines import Lines
            from toolcart.tools.live.log_lines import LogLines
            from toolcart.tools.live.plain import InProcess

            writer = LineWriter(sys.stdout.fileno(), sys.stdout.encoding)
            lines = Lines(writer, as_json) if as_json else LogLines(writer, log_format or "text")
            with nonblocking_output():
                return InProcess(path, seconds, lines).run()
    except config_file.ConfigurationError as error:
        _print_mistakes(error, as_json)
        return error.exit_code
    from toolcart.tools.live.watch import Watch

    return _run_watch(Watch(path, seconds), plain, ascii_only, as_json)


def _run_demo(plain: bool, ascii_only: bool | None, as_json: bool, seconds: float | None, options: dict) -> int:
    from toolcart.archive.server import demo_server
    from toolcart.tools.config import file as config_file
    from toolcart.tools.demo.faults import Faults, Outage
    from toolcart.tools.demo.plant import RATE_PER_S, Demo

    if options["link"] not in (None, "tcp") and not config_file.has_serial_lines():
        raise click.UsageError(f"--link {options['link']}: {config_file.serial_missing()}.")
    seed = 1 if options["seed"] is None else options["seed"]
    try:
        faults = Faults(
            [Outage.parse(text) for text in options["outages"]],
            [Outage.parse(text) for text in options["controller_outages"]],
            options["kills"],
            options["archive_kills"],
            seed if options["random_faults"] else None,
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    if seconds is not None and faults.last_s() > seconds:
        raise click.UsageError(f"a fault at {faults.last_s():g} s would come after the end, --seconds {seconds:g}.")
    if missing := demo_server.missing():
        fail(f"the demo's ToolsNet is `toolcart archive`, which needs {missing}.", how_to_get("archive"))
    try:
        start_pages = _pages(options["web"]) if options["web"] else None
        rate = options["rate"] or RATE_PER_S
        demo = Demo(options["keep"], seconds, rate, faults, seed, options["link"] or "tcp", start_pages)
    except OSError as error:
        location = options["keep"] or "a temporary folder and free ports on 127.0.0.1"
        click.echo(f"toolcart: the demo cannot begin in {location}: {error}", err=True)
        return EXIT_OTHER
    return _run_watch(demo, plain, ascii_only, as_json)


def _pages(text: str) -> Callable[[str], Child]:
    """Return what starts the archive's pages for the demo; they print nothing, since the demo has the terminal."""
    from toolcart.archive.serve_commands import listening
    from toolcart.archive.web.serving import Child

    address = listening(text)
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:  # they would not report an error, so it is tried here; and a free port is chosen here, if any will do
        with socket.create_server((address.host, address.port), family=family) as probe:
            address = replace(address, port=probe.getsockname()[1])
    except OSError as error:
        raise click.UsageError(f"--web {text}: nothing can listen there: {error.strerror or error}.") from None
    return lambda place: Child(place, address, is_quiet=True)


def _run_watch(watch, plain: bool, ascii_only: bool | None, as_json: bool) -> int:
    from toolcart.tools.live.plain import run_plain

    if not plain:
        try:
            from toolcart.tools.live.view import run_view
        except ImportError:
            from toolcart.base import installation

            advice = installation.how_to_get("view")
            click.echo(f"toolcart: plain lines; the live view needs textual: {advice}", err=True)
        else:
            with nonblocking_output(LAST_WORDS_S):
                return run_view(watch, ascii_only)
    with nonblocking_output():
        return run_plain(watch, as_json)


def _print_mistakes(error: config_file.ConfigurationError, as_json: bool) -> None:
    if as_json:
        from toolcart.tools.config import file as config_file

        click.echo(json.dumps({"kind": "configuration", **config_file.as_object(error)}))
    else:
        click.echo(f"toolcart: {error}", err=True)
