"""The `toolcart` command: run the agent or the demo, check a configuration, simulate a plant, measure.

Exit codes of `run`: 0 fine, 1 lost results in the demo or anything unforeseen, 2 the configuration or the command line
is wrong, 3 no spool can be used. Where stdout is for machines, output for people goes to stderr.
"""

from __future__ import annotations

import importlib
import json
import socket
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

import click

from tools.base.command_group import LazyGroup
from tools.base.exit_codes import EXIT_CONFIGURATION, EXIT_OTHER

if TYPE_CHECKING:
    from tools.config import file as config_file

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
# Imported only when needed (tools.base.command_group): `toolcart status` is run often, and has to be quick.
PLACES = {
    "archive": "tools.archive.commands:archive",
    "ask": "tools.codec.ask_command:ask",
    "board": "tools.flash.board_commands:board",
    "command": "tools.command.commands:command",
    "config": "tools.config.commands:config",
    "decode": "tools.codec.commands:decode",
    "doctor": "tools.doctor.commands:doctor",
    "flash": "tools.flash.commands:flash",
    "image": "tools.flash.image_command:image",
    "install-service": "tools.service.commands:install_service",
    "line": "tools.line.commands:line",
    "man": "tools.cli.manual:man",
    "mid": "tools.codec.commands:mid",
    "mip": "tools.flash.mip:mip",
    "quarantine": "tools.spool.quarantine_commands:quarantine",
    "simulate": "tools.cli.simulate:simulate",
    "spool": "tools.spool.commands:spool",
    "status": "tools.status.commands:status",
    "trace": "tools.trace.commands:trace",
    "web": "tools.web.commands:web",
}


@click.group(cls=LazyGroup, places=PLACES, context_settings=CONTEXT)
@click.version_option(package_name="toolcart")
def main() -> None:
    """Keep every tightening result on flash and deliver it to ToolsNet when the network is up."""


# -- run -----------------------------------------------------------------------------------------------------------


@main.command()
@click.option(
    "--config", "config_path", type=click.Path(), metavar="FILE", help="Run against the real controller and ToolsNet."
)
@click.option("--plain", "--headless", "plain", is_flag=True, help="Print lines instead of the live view.")
@click.option(
    "--ascii/--no-ascii",
    "ascii_only",
    default=None,
    help="Draw the live view in ASCII, or not.  [default: by the locale]",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line; the last one is the account.")
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    help="How a service, without a terminal, logs: with times and levels.  [default: text]",
)
@click.option("--seconds", type=click.FloatRange(min=0, min_open=True), help="End after this time.")
@click.option("--outage", "outages", multiple=True, metavar="A:B", help="Demo: no ToolsNet from second A to B.")
@click.option(
    "--controller-outage",
    "controller_outages",
    multiple=True,
    metavar="A:B",
    help="Demo: no controller from second A to B.",
)
@click.option("--kill", "kills", multiple=True, type=click.FloatRange(min=0), help="Demo: kill the agent at second T.")
@click.option(
    "--kill-archive",
    "archive_kills",
    multiple=True,
    type=click.FloatRange(min=0),
    help="Demo: kill ToolsNet's server at second T.",
)
@click.option("--random-faults", is_flag=True, help="Demo: random outages and kills until the time is up.")
@click.option(
    "--link", type=click.Choice(["tcp", "ascii", "3964r"]), help="Demo: the link to the controller.  [default: tcp]"
)
@click.option("--rate", type=click.FloatRange(0.01, 200), help="Demo: results per second.  [default: 5]")
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
    --web shows what arrives. Without the archive's libraries ToolsNet is a simulated one, and the run says so.
    Keys in its live view: n cuts ToolsNet's network, c the controller's, k kills the agent as a power cut would, a
    kills the archive, + and - change the rate, q ends in order and prints the account; ? lists all keys.

    With --config it runs against the real ones; without a terminal it writes plain lines, as a service does: one for
    each change, one a day if nothing changes.

    Options for outages and kills may be repeated; times count from the first result.
    """
    plain = plain or as_json or not (sys.stdout.isatty() and sys.stdin.isatty())
    if config_path is not None:
        given = [name for name, value in demo.items() if value not in (None, (), False)]
        if given:
            option = {"outages": "--outage", "controller_outages": "--controller-outage", "kills": "--kill"}
            option["archive_kills"] = "--kill-archive"
            names = ", ".join(option.get(name, "--" + name.replace("_", "-")) for name in given)
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
    from tools.config import file as config_file

    try:
        config_file.read_to_run(path)
        if plain and (log_format or not sys.stdout.isatty()):
            from tools.live.log import LogLines
            from tools.live.plain import InProcess, PlainLines

            lines = PlainLines(sys.stdout, as_json) if as_json else LogLines(sys.stdout, log_format or "text")
            return InProcess(path, seconds, lines).run()
    except config_file.Wrong as wrong:
        _tell_mistakes(wrong, as_json)
        return EXIT_CONFIGURATION
    from tools.live.watch import Watch

    return _show(Watch(path, seconds), plain, ascii_only, as_json)


def _run_demo(plain: bool, ascii_only: bool | None, as_json: bool, seconds: float | None, options: dict) -> int:
    from tools.config import file as config_file
    from tools.demo.faults import Faults, Span
    from tools.demo.plant import RATE_PER_S, Demo

    if options["link"] not in (None, "tcp") and not config_file.has_serial_lines():
        raise click.UsageError(f"--link {options['link']}: {config_file.serial_missing()}.")
    seed = 1 if options["seed"] is None else options["seed"]
    try:
        faults = Faults(
            [Span.parse(text) for text in options["outages"]],
            [Span.parse(text) for text in options["controller_outages"]],
            options["kills"],
            options["archive_kills"],
            seed if options["random_faults"] else None,
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    if seconds is not None and faults.last_s() > seconds:
        raise click.UsageError(f"a fault at {faults.last_s():g} s would come after the end, --seconds {seconds:g}.")
    try:
        show = _pages(options["web"]) if options["web"] else None
        rate = options["rate"] or RATE_PER_S
        demo = Demo(options["keep"], seconds, rate, faults, seed, options["link"] or "tcp", show)
    except OSError as error:
        where = options["keep"] or "a temporary folder and free ports on 127.0.0.1"
        click.echo(f"toolcart: the demo cannot begin in {where}: {error}", err=True)
        return EXIT_OTHER
    return _show(demo, plain, ascii_only, as_json)


def _pages(text: str):
    """Return what starts the archive's pages for the demo; they print nothing, since the demo has the terminal."""
    from tools.archive.serve_commands import listening
    from tools.archive.web.serving import Child

    where = listening(text)
    family = socket.AF_INET6 if ":" in where.host else socket.AF_INET
    try:  # they would not report an error, so it is tried here
        socket.create_server((where.host, where.port), family=family).close()
    except OSError as error:
        raise click.UsageError(f"--web {text}: nothing can listen there: {error.strerror or error}.") from None
    return lambda place: Child(place, where, is_quiet=True)


def _show(watch, plain: bool, ascii_only: bool | None, as_json: bool) -> int:
    from tools.live.plain import run_plain

    if plain:
        return run_plain(watch, as_json)
    try:
        from tools.live.view import run_view
    except ImportError:
        from tools.base import installation

        click.echo(f"toolcart: plain lines; the live view needs textual: {installation.how_to_get('view')}", err=True)
        return run_plain(watch, as_json)
    return run_view(watch, ascii_only)


def _tell_mistakes(wrong: config_file.Wrong, as_json: bool) -> None:
    if as_json:
        from tools.config import file as config_file

        click.echo(json.dumps({"kind": "configuration", **config_file.as_object(wrong)}))
    else:
        click.echo(f"toolcart: {wrong}", err=True)


# -- bench ---------------------------------------------------------------------------------------------------------


@main.group(cls=LazyGroup, places={"worlds": "tools.worlds.commands:worlds"})
def bench() -> None:
    """Measure on this machine."""


@bench.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def path(as_json: bool) -> None:
    """Measure the path of a result from the controller's bytes to ToolsNet's acknowledgement."""
    _measure("path", as_json)


@bench.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def serial(as_json: bool) -> None:
    """Measure the serial links over a line simulated byte by byte, and what the block check misses."""
    _measure("serial", as_json)


@bench.command("spool")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def bench_spool(as_json: bool) -> None:
    """Measure the spool's wear, start-up and durable appends, compared with littlefs and SQLite."""
    _measure("spool", as_json)


@bench.command("toolsnet")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def bench_toolsnet(as_json: bool) -> None:
    """Measure building telegrams, backlogs over slow lines, an archive with 1000 stations and ten million results."""
    _measure("toolsnet", as_json)


@bench.command("board")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def bench_chip(as_json: bool) -> None:
    """Measure what the agent needs on a chip: instructions by stage on a Cortex-M3, flash and heap of an RP2040."""
    _measure("board", as_json)


@bench.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def codec(as_json: bool) -> None:
    """Measure the catalogue of Open Protocol against plain slicing, and what importing it costs."""
    _measure("codec", as_json)


@bench.command("stations")
@click.option("--stations", type=click.IntRange(1, 250), default=50, show_default=True)
@click.option("--seconds", type=click.FloatRange(1, 600), default=20.0, show_default=True, help="For each of two runs.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def bench_stations(stations: int, seconds: float, as_json: bool) -> None:
    """Measure CPU and memory of an agent with many stations, a result a second from each, and of the live view."""
    _measure("stations", as_json, stations=stations, seconds=seconds)


@bench.command("causes")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--seconds", type=click.IntRange(5, 36000), default=120, show_default=True, help="For each, at most.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def bench_causes(names: tuple[str, ...], seconds: int, as_json: bool) -> None:
    """Break each rule of the core once, and check that worlds or an exhaustive run find it; exit code 1 if not.

    docs/worlds.md lists the names, and what found each.
    """
    from tools.base.progress import progress_bar

    causes = _laboratory("causes", "causes")
    try:
        with progress_bar("causes") as progress:
            found = causes.run(names, seconds, progress)
    except ValueError as reason:
        raise click.UsageError(str(reason)) from None
    click.echo(json.dumps({"causes": [vars(one) for one in found]}) if as_json else causes.table(found))
    sys.exit(0 if all(one.what for one in found) else 1)


def _measure(name: str, as_json: bool, **options: float) -> None:
    """Run one of the laboratory's benchmarks and print its figures."""
    from tools.base.cache import Unavailable
    from tools.base.progress import progress_bar
    from tools.base.report import table

    benchmark = _laboratory(name, name)
    try:
        with progress_bar("measuring") as progress:
            report = benchmark.run(progress, **options)
    except Unavailable as reason:
        click.echo(f"toolcart: bench {name}: {reason}", err=True)
        sys.exit(EXIT_OTHER)
    click.echo(json.dumps(report) if as_json else table(report))


def _laboratory(command: str, module: str) -> ModuleType:
    """Return a module of the laboratory (tools/bench); an installation does not have it: then say so and exit."""
    try:
        return importlib.import_module(f"tools.bench.{module}")
    except ModuleNotFoundError as missing:
        if missing.name not in ("tools.bench", f"tools.bench.{module}"):
            raise
        click.echo(
            f"toolcart: `bench {command}` needs a checkout of toolcart, an installation does not have it.", err=True
        )
        sys.exit(EXIT_CONFIGURATION)


if __name__ == "__main__":
    main()
