"""`toolcart archive`: an archive that any ToolsNet station can report to, and what people ask of it.

Exit codes: 0 done; 1 nothing found, or `check` found something, or serving could not begin; 2 the command line or
the database is wrong.
"""

from __future__ import annotations

import asyncio
import csv
import json
import os
import sys
from collections.abc import Iterable
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, NoReturn

import click

from tools.installation import how_to_get, how_to_get_packages
from tools.printable import visible, visible_in, visible_lines

EXIT_NOTHING = 1
EXIT_WRONG = 2
PORT = click.IntRange(0, 65535)
GRAPHS = {0: ("torque", "Nm"), 1: ("angle", "deg")}  # 004:302
STATUSES = ("OK", "NOK", "low", "high")
TABLE = ("Time", "StationName", "VIN", "ProgramName", "Overall", "Torque", "Angle", "Sequence", "TighteningId")


@click.group()
def archive() -> None:
    """Keep what stations report by ToolsNet's protocol, and look at it."""


def _database(command):
    text = "SQLite file, or the URL of a PostgreSQL database such as postgresql://user@host/name."
    return click.option(
        "--database", "place", default="archive.sqlite", show_default=True, envvar="TOOLCART_ARCHIVE", help=text
    )(command)


def _machine(command):
    return click.option("--json", "as_json", is_flag=True, help="For machines.")(command)


def _fail(text: str, exit_code: int = EXIT_WRONG) -> NoReturn:
    click.echo(f"toolcart: {visible_lines(text)}", err=True)
    sys.exit(exit_code)


@contextmanager
def _reading(place: str):
    """A connection for reading; what keeps it from being used is told in words."""
    database = _library()
    try:
        engine = database.connect(place, writes=False)
    except database.Unusable as reason:
        _fail(str(reason))
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def _library():
    try:
        from tools.archive import database
    except ImportError as missing:
        _fail(f"{missing.name} is not installed: {how_to_get('archive')}")
    return database


# -- serve ---------------------------------------------------------------------------------------------------------


@archive.command()
@_database
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--pim-port", type=PORT, default=6575, show_default=True, help="0 takes a free one.")
@click.option("--server-port", type=PORT, default=10111, show_default=True, help="0 takes a free one.")
@click.option("--tell-host", help="Address that stations are sent to, where it is not --host.")
@click.option("--seconds", type=click.FloatRange(min=0, min_open=True), help="End by itself.")
@click.option("--fail-refuse", multiple=True, metavar="CODE:FIELD=PATTERN", help="Refuse what matches: 7:vin=WVW.*")
@click.option("--fail-late-ms", type=click.IntRange(0, 600000), default=0, help="Answer so late.")
@click.option("--fail-silent", multiple=True, metavar="TELEGRAM", help="Never answer these: 04, 06.")
@click.option("--fail-lose", type=click.IntRange(min=0), default=0, metavar="N", help="Lose each n-th answer.")
@click.option("--fail-close", type=click.IntRange(min=0), default=0, metavar="N", help="Close after n telegrams.")
@click.option("--fail-identifier", is_flag=True, help="Answer with a wrong identifier first.")
@click.option("--fail-say-result", type=click.IntRange(0, 99999), help="Latest result that 08 names.")
@click.option("--fail-say-event", type=click.IntRange(0, 99999), help="Latest event that 08 names.")
@click.option("--fail-say-host", help="Address that 08 names, as it is.")
@click.option("--fail-without-12", is_flag=True, help="Say nothing at connect, as an old PIM.")
@click.option("--events-by-10", is_flag=True, help="Answer events by telegram 10.")
def serve(place: str, host: str, pim_port: int, server_port: int, tell_host: str | None, **options: Any) -> None:
    """Be PIM and server until Ctrl-C.

    What is stored is on the disk before its 05 goes out. The --fail options do one thing wrong each, to try a station
    against; `toolcart archive forget` makes an archive that was restored from an old copy.
    """
    database = _library()
    from tools.archive import serving
    from tools.archive.faults import Faults, refusal

    try:
        faults = Faults(
            refuse=[refusal(text) for text in options["fail_refuse"]],
            late_ms=options["fail_late_ms"],
            silent=options["fail_silent"],
            lose_every=options["fail_lose"],
            close_after=options["fail_close"],
            wrong_identifier=options["fail_identifier"],
            say_result=options["fail_say_result"],
            say_event=options["fail_say_event"],
            say_host=options["fail_say_host"],
            without_12=options["fail_without_12"],
            answer_events_by_10=options["events_by_10"],
        )
    except ValueError as wrong:
        _fail(f"--fail-refuse {wrong}")
    where = serving.Place(place, host, pim_port, server_port, tell_host)
    try:
        asyncio.run(serving.run(where, faults, lambda text: click.echo(visible_lines(text)), options["seconds"]))
    except database.Unusable as reason:
        _fail(str(reason))
    except BrokenPipeError:  # whoever read what is told has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(EXIT_NOTHING)
    except OSError as error:
        advice = "Is another one running? Choose free ports with --pim-port and --server-port."
        _fail(f"cannot listen on {host}, ports {pim_port} and {server_port}: {error.strerror or error}. {advice}", 1)


# -- query ---------------------------------------------------------------------------------------------------------


def _station(text: str | None) -> tuple[int, int, int] | None:
    if text is None:
        return None
    parts = text.split("/")
    if len(parts) == 1:
        parts = ["3", "1", *parts]
    if len(parts) != 3 or not all(part.isdigit() for part in parts):
        _fail(f"--station {text!r}: the number of a station, or type/system/station such as 3/1/10")
    return (int(parts[0]), int(parts[1]), int(parts[2]))


def _time(name: str, text: str | None) -> str | None:
    digits = "".join(c for c in text or "" if c.isdigit())
    if text is None:
        return None
    if not 4 <= len(digits) <= 14 or any(c not in "0123456789-:T ." for c in text):
        _fail(f"{name} {text!r}: a time such as 2026-11-21 or '2026-11-21 14:30'")
    return digits


@archive.command()
@_database
@click.option("--vin", help="All screws of this car, by its main or an additional number.")
@click.option("--station", help="Its number, or type/system/station.")
@click.option("--from", "from_time", metavar="TIME", help="Not before: 2026-11-21 or '2026-11-21 14:30'.")
@click.option("--to", "to_time", metavar="TIME", help="Before this time.")
@click.option("--nok", is_flag=True, help="Only those that are not OK.")
@click.option("--id", "tightening_id", type=click.IntRange(0), help="The controller's tightening ID.")
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True, help="The newest so many.")
@click.option("--all", "no_limit", is_flag=True, help="All of them.")
@click.option("--csv", "as_csv", is_flag=True, help="Comma-separated, with a header.")
@click.option("--parquet", "parquet", type=click.Path(), metavar="FILE", help="Into this file; needs pyarrow.")
@_machine
def query(place: str, as_json: bool, as_csv: bool, parquet: str | None, **options: Any) -> None:
    """Results by car, station, time and verdict, newest first."""
    _library()
    from tools.archive import queries

    wanted = queries.Wanted(
        vin=options["vin"],
        station=_station(options["station"]),
        from_time=_time("--from", options["from_time"]),
        to_time=_time("--to", options["to_time"]),
        nok=options["nok"],
        tightening_id=options["tightening_id"],
    )
    limit = None if options["no_limit"] else options["limit"]
    with _reading(place) as connection:
        rows: Iterable[dict] = queries.results(connection, wanted, limit)
        if parquet:
            found = _write_parquet(rows, parquet)
        elif as_csv:
            found = _write_csv(rows)
        elif as_json:
            found = _write_json(rows)
        else:
            found = _write_table(rows)
    if not found:
        click.echo("toolcart: no such result", err=True)
        sys.exit(EXIT_NOTHING)


def _write_json(rows: Iterable[dict]) -> int:
    count = 0
    for row in rows:
        click.echo(json.dumps(row))
        count += 1
    return count


def _write_csv(rows: Iterable[dict]) -> int:
    writer = None
    count = 0
    for row in rows:
        if writer is None:
            writer = csv.DictWriter(sys.stdout, list(row))
            writer.writeheader()
        writer.writerow(row)
        count += 1
    return count


def _write_parquet(rows: Iterable[dict], path: str) -> int:
    try:
        from pyarrow import Table, parquet  # type: ignore
    except ImportError:
        _fail(f"--parquet needs pyarrow: {how_to_get_packages('pyarrow')}")
    found = list(rows)
    if found:
        try:
            parquet.write_table(Table.from_pylist(found), path)
        except OSError as error:
            _fail(f"{path}: {error.strerror or error}")
    return len(found)


def _write_table(rows: Iterable[dict]) -> int:
    lines: list[tuple[str, ...]] = [
        ("Time", "Station", "VIN", "Program", "Verdict", "Torque Nm", "Angle", "Seq.", "ID")
    ]
    for row in rows:
        row["Time"] = shown_time(row["Time"])
        row["Overall"] = "OK" if row["Overall"] == 0 else "NOK"
        row["Torque"] = _with_status(row["Torque"], row["TorqueStatus"], 2)
        row["Angle"] = _with_status(row["Angle"], row["AngleStatus"], 1)
        lines.append(tuple("" if row[name] is None else visible(row[name]) for name in TABLE))
    if len(lines) == 1:
        return 0
    widths = [max(len(line[column]) for line in lines) for column in range(len(TABLE))]
    for line in lines:
        click.echo("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())
    return len(lines) - 1


def shown_time(digits: str) -> str:
    """14 digits as people write them."""
    d = digits
    return f"{d[:4]}-{d[4:6]}-{d[6:8]} {d[8:10]}:{d[10:12]}:{d[12:14]}"


def _with_status(value: float | None, status: int | None, decimals: int) -> str:
    told = "" if value is None else f"{value:.{decimals}f}"
    return told if not status else f"{told} {STATUSES[status] if status < len(STATUSES) else status}"


# -- check, forget, import -----------------------------------------------------------------------------------------


@archive.command()
@_database
@_machine
def check(place: str, as_json: bool) -> None:
    """Holes in the stations' sequences, results behind later ones, and what came more than once.

    A hole is not always a loss: a station that passed a refused result leaves one. Exit code 1 if there is a hole or a
    result behind a later one; what came again is told and is none.
    """
    _library()
    from tools.archive import queries

    found: dict[str, int] = {"missing": 0, "behind": 0, "again": 0}
    with _reading(place) as connection:
        for hole in queries.check(connection):
            found[hole.kind] += hole.count
            if as_json:
                click.echo(json.dumps(asdict(hole)))
            else:
                where = "/".join(str(number) for number in hole.station)
                span = f"{hole.first:05d}" + (f" to {hole.last:05d}" if hole.last != hole.first else "")
                click.echo(f"station {where}: {span} {hole.kind}, {hole.count}, arrived {shown_time(hole.arrived)} UTC")
    if not as_json:
        click.echo(f"missing {found['missing']}, behind {found['behind']}, again {found['again']}")
    if found["missing"] or found["behind"]:
        sys.exit(EXIT_NOTHING)


@archive.command()
@_database
@click.option("--newest", type=click.IntRange(min=1), required=True, help="So many results, of all stations.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def forget(place: str, newest: int, yes: bool) -> None:
    """Lose the newest results, as a database that was restored from an old copy has. For tests of stations.

    The archive must not be served meanwhile. Its 08 names what is the latest then.
    """
    database = _library()
    from tools.archive.changes import forget_newest

    if not yes and not (sys.stdin.isatty() and click.confirm(f"Lose {newest} results of {place} for good?")):
        _fail("nothing is changed; --yes does it without a question")
    try:
        lost = forget_newest(place, newest)
    except database.Unusable as reason:
        _fail(str(reason))
    click.echo(f"{lost} results are gone")


@archive.command("import")
@_database
@click.argument("source", type=click.Path(exists=True, dir_okay=False))
@_machine
def import_results(place: str, source: str, as_json: bool) -> None:
    """Take results from another archive (an SQLite file), each once.

    What this archive has already, by station, sequence and time, is counted and left as it is.
    """
    database = _library()
    from tools.archive.changes import take_from
    from tools.progress import progress_bar

    try:
        with progress_bar(os.path.basename(source)) as bar:
            told = take_from(place, source, bar)
    except database.Unusable as reason:
        _fail(str(reason))
    click.echo(json.dumps(told) if as_json else "taken {taken}, there already {again}".format(**told))


@archive.command()
@_database
@click.argument("result", type=click.IntRange(min=1))
@click.option("--png", type=click.Path(), metavar="FILE", help="A picture in place of the terminal; needs matplotlib.")
@_machine
def plot(place: str, result: int, png: str | None, as_json: bool) -> None:
    """Torque and angle of a result over time, and torque over angle. RESULT is the number that `query --json` tells."""
    _library()
    from tools.archive import queries

    with _reading(place) as connection:
        told = queries.result(connection, result)
    if told is None:
        _fail(f"{visible(place)}: there is no result {result}; `toolcart archive query --json` tells ResultId", 1)
    if not told["Graphs"]:
        _fail(f"result {result} came without a graph", EXIT_NOTHING)
    if as_json:
        for graph in told["Graphs"]:
            graph["TimesMs"], graph["Values"] = queries.samples(graph)
            del graph["Samples"]
        click.echo(json.dumps(visible_in(told)))
        return
    from tools.trace.commands import show

    show(_tightening(told), png)


def _tightening(told: dict):
    """A result with its graphs as `toolcart trace` draws it."""
    from tools.archive.queries import samples
    from tools.trace.curves import Curve, Tightening

    program = told["ProgramName"] or str(told["Program"])
    one = Tightening(str(told["TighteningId"] or ""), shown_time(told["Time"]), told["Station"], program)
    for graph in told["Graphs"]:
        times_ms, values = samples(graph)
        name, unit = GRAPHS.get(graph["GraphType"], ("another", ""))
        one.curves[name] = Curve(name, unit, values, times_ms, graph["LimitMin"], graph["LimitMax"])
    return one
