"""`toolcart archive report`: a day, a week or a month in figures, as files and by mail."""

from __future__ import annotations

import smtplib
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click

from toolcart.archive import export, options, spc
from toolcart.archive.mailing import mail_of, mail_options
from toolcart.base.installation import how_to_get


@click.command()
@options.database_option
@click.option("--period", type=click.Choice(("day", "week", "month")), default="week", show_default=True)
@click.option(
    "--of",
    "day",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DAY",
    help="The period that has this day, such as 2026-11-18; otherwise the last one that is over.",
)
@click.option(
    "--into",
    type=click.Path(file_okay=False),
    default="reports",
    show_default=True,
    metavar="FOLDER",
    help="Gets report-2026-W47.html and .csv; made if it does not exist.",
)
@click.option("--csv-semicolon", is_flag=True, help="CSV with semicolons and decimal commas.")
@click.option(
    "--rules", default=",".join(map(str, spc.USUAL)), show_default=True, help="Run rules of charts, as of `serve`."
)
@mail_options
def report(
    place: str, period: str, day: datetime | None, into: str, csv_semicolon: bool, rules: str, **told: Any
) -> None:
    """Report a day, a week or a month.

    NOK rate, screws OK at the first attempt, causes, Cpk and signals by program: HTML in one file and CSV, and both by
    mail if --smtp is given. Made again, a report replaces its files.
    """
    options.library()
    try:
        from toolcart.archive import report as made
    except ImportError as missing:
        options.fail(f"{missing.name} is not installed: {how_to_get('archive-web')}")
    try:
        chosen = spc.rules_of(rules)
    except ValueError as wrong:
        options.fail(f"--rules {wrong}")
    mail = mail_of(told)
    span = made.span_of(period, day.date()) if day else made.last_over(period, date.today())
    with options.reading(place) as connection:
        found = made.report(connection, span, chosen)
    kind = "csv-semicolon" if csv_semicolon else "csv"
    files = _write(Path(into), f"report-{span.name}", made.page(found), made.rows(found), kind)
    options.say(f"{files[0]}, {files[1].suffix[1:]}: {found['all']['of']} results")
    if mail:
        _send(mail, *made.summary(found), files)


def _write(folder: Path, name: str, page: str, rows: list[dict], kind: str) -> list[Path]:
    """Write both files, each complete at every moment; what fails is said."""
    files = [folder / f"{name}.html", folder / f"{name}.csv"]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        new = [file.with_name(f"{file.name}.new") for file in files]
        new[0].write_text(page, encoding="utf-8")
        export.write(kind, rows, str(new[1]))
        for made, file in zip(new, files, strict=True):
            made.replace(file)
    except OSError as error:
        options.fail(f"{error.filename or folder}: {error.strerror}", options.EXIT_NOTHING)
    return files


def _send(mail: Any, subject: str, text: str, files: list[Path]) -> None:
    found = [(file.name, f"text/{file.suffix[1:]}", file.read_bytes()) for file in files]
    try:
        mail.send(subject, text, files=found)
    except (OSError, smtplib.SMTPException) as wrong:
        options.fail(f"{mail.host}:{mail.port}: the report was not sent: {wrong}", options.EXIT_NOTHING)
    options.say(f"sent to {', '.join(mail.to)}")
