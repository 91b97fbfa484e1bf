"""`toolcart archive`: an archive that any ToolsNet station can report to, and commands to query it.

Exit codes: 0 done; 1 nothing found, or `check` found something, or serving could not start; 2 the command line or the
database is wrong.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click

from toolcart.archive.consume_command import consume
from toolcart.archive.file_formats import export
from toolcart.archive.mail_commands import report
from toolcart.archive.options import (
    DAYS,
    EXIT_NOTHING,
    NUMBER,
    NUMBER_MOST,
    database_option,
    fail,
    failing,
    format_of,
    format_options,
    library,
    machine_option,
    option,
    reading,
)
from toolcart.archive.serve_commands import serve, servers_command, web
from toolcart.base.installation import how_to_get_packages
from toolcart.base.terminal_safe import visible, visible_in

_SET_ASIDE = "taken {taken}, there already {again}, unreadable frames {unreadable}, not stored {failed}"
_IMPORTED = "taken {taken}, there already {again}; events {events}, curves {graphs}; left out {failed}"
_MOVED = "moved {taken} results, {events} events, {graphs} curves; deleted {breaches} breaches"
CARS_MOST = 50
TABLE = ("Time", "StationName", "VIN", "ProgramName", "Overall", "Torque", "Angle", "Sequence", "TighteningId")


@click.group()
def archive() -> None:
    """Run a ToolsNet of your own, and query it."""


archive.add_command(serve)
archive.add_command(web)
archive.add_command(consume)
archive.add_command(servers_command)
archive.add_command(report)


# -- query ---------------------------------------------------------------------------------------------------------


def _station(text: str | None, name: str = "--station") -> tuple[int, int, int] | None:
    from toolcart.archive.database.queries import station_of

    station = None if text is None else station_of(text)
    if text is not None and station is None:
        fail(f"{name} {text!r}: the number of a station, or type/system/station such as 3/1/10")
    return station


def _text(name: str, text: str | None) -> str | None:
    """Return a text that the database can be asked for."""
    try:
        (text or "").encode()
    except UnicodeEncodeError:
        fail(f"{name} {text}: not UTF-8, which all texts of an archive are")
    return text


def _time(name: str, text: str | None) -> str | None:
    from toolcart.archive.database.queries import digits_of

    digits = None if text is None else digits_of(text)
    if text is not None and digits is None:
        fail(f"{name} {text!r}: a time such as 2026-11-21 or '2026-11-21 14:30'")
    return digits


@archive.command()
@database_option
@click.option("--vin", help="All tightenings of this car, by its main or an additional identifier.")
@click.option(
    "--vin-part", metavar="TEXT", help="All tightenings of cars, 50 at most, whose number begins or ends with this."
)
@click.option("--station", help="Station: its number, or type/system/station.")
@click.option("--from", "from_time", metavar="TIME", help="From this time on: 2026-11-21 or '2026-11-21 14:30'.")
@click.option("--to", "to_time", metavar="TIME", help="Before this time.")
@click.option("--nok", is_flag=True, help="Only those that are not OK.")
@click.option("--id", "tightening_id", type=click.IntRange(0, NUMBER_MOST), help="The controller's tightening ID.")
@option("--limit", type=NUMBER, default=100, help="At most this many, the newest.")
@click.option("--all", "no_limit", is_flag=True, help="No limit.")
@format_options
@machine_option
def query(place: str, **options: Any) -> None:
    """Find results by car, station, time or verdict.

    Newest first. Time is by the station's own clock, Arrived is UTC.
    """
    database = library()
    from toolcart.archive.database import queries, vehicle_numbers

    part = _text("--vin-part", options["vin_part"])
    wanted = queries.ResultFilter(
        vin=_text("--vin", options["vin"]),
        station=_station(options["station"]),
        from_time=_time("--from", options["from_time"]),
        to_time=_time("--to", options["to_time"]),
        nok=options["nok"],
        tightening_id=options["tightening_id"],
    )
    limit_source = click.get_current_context().get_parameter_source("limit")
    if options["no_limit"] and limit_source is click.core.ParameterSource.COMMANDLINE:
        fail("--all and --limit: one of them")
    limit = None if options["no_limit"] else options["limit"]
    form, path = format_of(options)
    with reading(place) as connection:
        if part is not None:
            wanted = replace(wanted, vins=tuple(vehicle_numbers.matching(connection, part, CARS_MOST)))
        rows: Iterable[dict] = queries.results(connection, wanted, limit)
        if form is None:
            count = _write_table(rows)
        elif form.write_text is not None:
            count = form.write_text(rows, sys.stdout)
        elif database.is_same(place, path):
            fail(f"{path}: this is the archive; name another file")
        else:
            count = _write_file(form, rows, path)
    if not count:
        click.echo("toolcart: no such result", err=True)
        sys.exit(EXIT_NOTHING)


def _write_file(form: export.FileFormat, rows: Iterable[dict], path: str) -> int:
    try:
        return form.write(rows, path)
    except ImportError:
        fail(f"--{form.name} needs {form.needs}: {how_to_get_packages(form.needs)}")
    except OSError as error:
        fail(f"{path}: {error.strerror or error}")


def _write_table(rows: Iterable[dict]) -> int:
    lines: list[tuple[str, ...]] = [("Time", "Station", "VIN", "Program", "Verdict", "Torque", "Angle", "Seq.", "ID")]
    for row in rows:
        row["Time"] = export.readable_time(row["Time"])
        row["Overall"] = "OK" if row["Overall"] == 0 else "NOK"
        row["Torque"] = _with_status(row["Torque"], row["TorqueStatus"], 2, row["TorqueUnit"])
        row["Angle"] = _with_status(row["Angle"], row["AngleStatus"], 1, row["AngleUnit"])
        lines.append(tuple("" if row[name] is None else visible(row[name]) for name in TABLE))
    if len(lines) == 1:
        return 0
    widths = [max(len(line[column]) for line in lines) for column in range(len(TABLE))]
    for line in lines:
        click.echo("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())
    return len(lines) - 1


def _with_status(value: float | None, status: int | None, decimals: int, unit: str) -> str:
    number = "" if value is None else f"{value:.{decimals}f} {unit}"
    return f"{number} {export.status(status)}" if status else number


# -- check, forget, move, import -----------------------------------------------------------------------------------


@archive.command()
@database_option
@machine_option
def check(place: str, as_json: bool) -> None:
    """Find gaps, late arrivals, repeats and damage.

    Gaps are those of the sequences that ToolsNet has of a station's results and events.

    A gap is not always a loss: a station that has passed over a refused result leaves one, and so do OK results that
    were moved out earlier. Exit code 1 if there is a gap, something that came behind a later one, or damage; repeats
    are listed but do not count.
    """
    database = library()
    from toolcart.archive.database import sequence_gaps

    counts: dict[str, int] = {"missing": 0, "behind": 0, "again": 0}
    with reading(place) as connection:
        damaged = database.damage(connection)
        for line in damaged:
            click.echo(json.dumps({"damage": line}) if as_json else visible(f"damaged: {line}"), err=not as_json)
        if damaged:
            fail(f"{place}: the database is damaged; docs/archive.md, Damage, says what to do", EXIT_NOTHING)
        for gap in sequence_gaps.check(connection):
            counts[gap.kind] += gap.count
            if as_json:
                click.echo(json.dumps(asdict(gap)))
            else:
                where = "/".join(str(number) for number in gap.station)
                span = f"{gap.first:05d}" + (f" to {gap.last:05d}" if gap.last != gap.first else "")
                what = "" if gap.of == "result" else f"{gap.of} "
                arrived = export.readable_time(gap.arrived)
                click.echo(f"station {where}: {what}{span} {gap.kind}, {gap.count}, arrived {arrived} UTC")
    if not as_json:
        click.echo(f"missing {counts['missing']}, behind {counts['behind']}, again {counts['again']}")
    if counts["missing"] or counts["behind"]:
        sys.exit(EXIT_NOTHING)


@archive.command()
@database_option
@click.option("--newest", type=NUMBER, required=True, help="How many results, over all stations.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def forget(place: str, newest: int, yes: bool) -> None:
    """Delete the newest results, to test stations.

    It is then like a database restored from an old copy.

    The events and curves that came since go with them. The archive must not be served meanwhile. After that its 08
    names the latest that are left.
    """
    database = library()
    from toolcart.archive.storage.maintenance import forget_newest

    if not yes and not (sys.stdin.isatty() and click.confirm(f"Lose {newest} results of {place} for good?")):
        fail("nothing is changed; --yes does it without a question")
    with failing(database.DatabaseUnusable):
        lost = forget_newest(place, newest)
    click.echo(f"{lost} result{' is' if lost == 1 else 's are'} gone")


@archive.command("station")
@database_option
@click.argument("station", metavar="STATION")
@click.option("--watch", "watched", flag_value=1, type=int, help="Alert from now on when it is silent.")
@click.option("--remove", "watched", flag_value=-1, type=int, help="Take it off the map; its results stay.")
def station_command(place: str, station: str, watched: int | None) -> None:
    """Watch a station at once, or take one off the map.

    A station is watched, and missed when it is silent, after it has reported for an hour; one telegram with a wrong
    number is none. One that was removed comes back once it has. The archive may be served meanwhile.
    """
    library()
    from toolcart.archive.database.database import DatabaseUnusable
    from toolcart.archive.storage.maintenance import set_watched

    key = _station(station, "station")
    assert key is not None
    if watched is None:
        fail("what about it? --watch or --remove")
    with failing(DatabaseUnusable):
        is_there = set_watched(place, key, watched)
    name = "/".join(map(str, key))
    if not is_there:
        fail(f"station {name} has never reported", EXIT_NOTHING)
    click.echo(f"station {name} is {'watched' if watched == 1 else 'off the map until it has reported for an hour'}")


@archive.command("move-old")
@database_option
@click.option("--keep-days", type=DAYS, required=True, help="Keep what arrived in the last so many days.")
@click.option("--keep-ok-days", type=DAYS, help="Keep OK results for only so many days.")
@click.option(
    "--into", type=click.Path(), required=True, metavar="PLACE", help="Move it into another archive: a file or a URL."
)
@machine_option
def move_old(place: str, keep_days: int, keep_ok_days: int | None, into: str, as_json: bool) -> None:
    """Move old results and events into another archive.

    With parameters, VINs and curves; old breaches are deleted.

    Each row is on the disk there before it is deleted here. The archive must not be served meanwhile; `serve
    --old-into` does the same while serving. What an 08 names stays as it is. Every command and page works on PLACE too,
    and `import` brings it back.
    """
    database = library()
    from toolcart.archive.storage import maintenance
    from toolcart.base.command_group import progress_bar

    with failing(database.DatabaseUnusable), progress_bar(os.path.basename(into)) as bar:
        counts = maintenance.move_old(place, into, maintenance.old(keep_days, keep_ok_days), bar)
    click.echo(json.dumps(counts) if as_json else _MOVED.format(**counts))


@archive.command("import")
@database_option
@click.argument("source", type=click.Path())
@click.option("--station", help="Station whose quarantine it is (type/system/station), if the spool does not say so.")
@machine_option
def import_results(place: str, source: str, station: str | None, as_json: bool) -> None:
    """Import another archive or a station's quarantine.

    Each result once.

    SOURCE is an SQLite file, the URL of a database, or a spool file, which is only read. What this archive already has
    is counted and left as it is, also if it came the other way. The sequences that an 08 names never go back.
    """
    database = library()
    from toolcart.archive.storage.maintenance import take_from
    from toolcart.archive.storage.quarantine import NoQuarantine, take_quarantine
    from toolcart.base.command_group import progress_bar

    counts: dict[str, Any]
    of_station = _station(station)
    with failing(database.DatabaseUnusable, NoQuarantine):
        if _is_spool(source):
            counts = take_quarantine(place, Path(source), of_station, lambda text: click.echo(text, err=True))
            words = _SET_ASIDE
        else:
            with progress_bar(os.path.basename(source)) as bar:
                counts, words = take_from(place, source, bar), _IMPORTED
    for one in counts.pop("left", []):
        click.echo(f"left out: {visible(one)}", err=True)
    click.echo(json.dumps(counts) if as_json else words.format(**counts))
    if counts.get("failed"):
        sys.exit(EXIT_NOTHING)


def _is_spool(source: str) -> bool:
    """True if the file begins like a spool, not like a database."""
    if "://" in source or not os.path.exists(source):
        return False
    if not os.path.isfile(source):
        return True
    with open(source, "rb") as file:
        return not b"SQLite format 3".startswith(file.read(15))


@archive.command()
@database_option
@click.argument("result", type=NUMBER)
@click.option("--bolt", type=NUMBER, help="Of this bolt, where the result has no row for it.")
@machine_option
def curves(place: str, result: int, bolt: int | None, as_json: bool) -> None:
    """Print the curves of a result as CSV, a row for each sample.

    RESULT is its number from `query --json`; its page draws them.
    """
    library()
    from toolcart.archive.database import queries

    with reading(place) as connection:
        details = queries.result(connection, result, bolt)
    if details is None:
        fail(f"{visible(place)}: there is no result {result}; `toolcart archive query --json` tells ResultId", 1)
    if not details["Graphs"]:
        of = "" if bolt is None else f" of bolt {bolt}"
        others = ", ".join(str(one) for one in details["Bolts"])
        fail(f"result {result} came without a graph{of}{others and f'; with --bolt: {others}'}", EXIT_NOTHING)
    if as_json:
        for graph in details["Graphs"]:
            graph["TimesMs"], graph["Values"] = queries.samples(graph)
            del graph["Samples"]
        click.echo(json.dumps(visible_in(details)))
        return
    from toolcart.trace.csv_rows import write_csv

    write_csv([_tightening(details, bolt)])


def _tightening(details: dict, bolt: int | None = None):
    """Return a result with its graphs in the form that `toolcart trace` prints."""
    from toolcart.archive.database import queries
    from toolcart.trace.curves import Tightening

    program = details["ProgramName"] or str(details["Program"])
    ident, time = str(details["TighteningId"] or ""), export.readable_time(details["Time"])
    part = "" if bolt is None else f"bolt {bolt}"
    return Tightening(ident, time, details["Station"], program, part, queries.curves(details))
