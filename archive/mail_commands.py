"""`toolcart archive report`, and the mail by SMTP that it can send."""

from __future__ import annotations

import smtplib
import ssl
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from email import policy
from email.message import EmailMessage
from email.utils import localtime, make_msgid
from pathlib import Path
from typing import Any

import click

from toolcart.archive import options
from toolcart.archive.file_formats import export
from toolcart.archive.statistics import spc
from toolcart.archive.web.serving import address
from toolcart.base import private_files
from toolcart.base.atomic_file import whole
from toolcart.base.installation import how_to_get

DEADLINE_S = 10.0  # for each step of the talk with the server

_OPTIONS = (
    click.option("--smtp", metavar="HOST:PORT", help="Mail server."),
    options.option("--smtp-tls", type=click.Choice(["starttls", "tls", "none"]), default="starttls"),
    click.option("--smtp-user", help="User at the mail server; needs --smtp-password-file."),
    click.option("--smtp-password-file", **options.FILE, help="The user's password, in a file of mode 0600."),
    click.option("--mail-from", metavar="ADDRESS", help="Sender."),
    click.option("--mail-to", multiple=True, metavar="ADDRESS", help="Recipient; repeatable."),
)


@dataclass(frozen=True)
class Mail:
    """A message by SMTP; TLS by STARTTLS, or from the first byte on."""

    host: str
    port: int
    sender: str
    to: tuple[str, ...]
    tls: str = "starttls"  # "none", "tls"
    user: str | None = None
    password: str | None = None

    def send(
        self,
        subject: str,
        text: str,
        files: Sequence[tuple[str, str, bytes]] = (),
    ) -> bool:
        """Send a message with files: name, media type, content; any exception means that it failed.

        True if one of several does not get it, which is said.
        """
        message = EmailMessage(policy.SMTP.clone(cte_type="7bit"))  # as every server takes it
        message["Subject"], message["From"], message["To"] = " ".join(subject.split()), self.sender, ", ".join(self.to)
        message["Date"] = localtime()
        message["Message-ID"] = make_msgid(domain=message["From"].addresses[0].domain or "localhost")
        message.set_content(text + "\n")
        for name, media, content in files:
            main, _, sub = media.partition("/")
            message.add_attachment(content, maintype=main, subtype=sub, filename=name)
        context = ssl.create_default_context()
        client: smtplib.SMTP
        if self.tls == "tls":
            client = smtplib.SMTP_SSL(self.host, self.port, timeout=DEADLINE_S, context=context)
        else:
            client = smtplib.SMTP(self.host, self.port, timeout=DEADLINE_S)
        with client as server:
            if self.tls == "starttls":
                server.starttls(context=context)
            if self.user:
                server.login(self.user, self.password or "")
            refused = server.send_message(message)
        for one, (code, why) in refused.items():
            options.say(f"{self.host}:{self.port} does not take mail for {one}: {code} {why.decode(errors='replace')}")
        return bool(refused)


def mail_options(command):
    """--smtp and what belongs to it."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def mail_of(settings: dict[str, Any]) -> Mail | None:
    """Return who sends mail by these options, None for no one; if they are wrong, say so and exit."""
    if not settings["smtp"]:
        return None
    if not (settings["mail_from"] and settings["mail_to"]):
        options.fail("--smtp needs --mail-from and --mail-to")
    for one in (settings["mail_from"], *settings["mail_to"]):
        if not _is_address(one):
            options.fail(f"--mail-from and --mail-to each take an address in one line, and {one!r} is none")
    with options.failing(ValueError, private_files.PrivateFileError):
        password = (
            private_files.text_of(settings["smtp_password_file"]).strip() if settings["smtp_password_file"] else None
        )
        server = address(settings["smtp"])
    if not f"{settings['smtp_user']}{password}".isascii():
        options.fail("the user and the password for a mail server have to be ASCII: no other characters can be sent")
    how = (settings["smtp_tls"], settings["smtp_user"], password)
    return Mail(*server, settings["mail_from"], settings["mail_to"], *how)


def _is_address(text: str) -> bool:
    """True if a mail can go to this, or come from it."""
    try:
        head = EmailMessage()
        head["To"] = text
        addresses = head["To"].addresses
    except Exception:  # the standard library ends in many ways over what it cannot read
        return False
    return bool(addresses) and all(one.username for one in addresses)


@click.command()
@options.database_option
@options.option("--period", type=click.Choice(("day", "week", "month")), default="week")
@click.option(
    "--of",
    "day",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DAY",
    help="The period that has this day, such as 2026-11-18; otherwise the last one that is over.",
)
@options.option(
    "--into",
    type=click.Path(file_okay=False),
    default="reports",
    metavar="FOLDER",
    help="Gets report-2026-W47.html and .csv; made if it does not exist.",
)
@click.option("--csv-semicolon", is_flag=True, help="CSV with semicolons and decimal commas.")
@options.option("--rules", default=",".join(map(str, spc.USUAL)), help="Run rules of charts, as of `serve`.")
@click.option("--placeholder-vins", "no_car", metavar="VIN,...", help="VINs that are no car's, as of `serve`.")
@mail_options
def report(
    place: str,
    period: str,
    day: datetime | None,
    into: str,
    csv_semicolon: bool,
    rules: str,
    no_car: str | None,
    **settings: Any,
) -> None:
    """Report a day, a week or a month.

    NOK rate, screws OK at the first attempt, causes, Cpk and signals by program: HTML in one file and CSV, and both by
    mail if --smtp is given. Made again, a report replaces its files.
    """
    options.library()
    try:
        from toolcart.archive.reports import report as reports
    except ImportError as missing:
        options.fail(f"{missing.name} is not installed: {how_to_get('archive-web')}")
    try:
        chosen = spc.rules_of(rules)
    except ValueError as wrong:
        options.fail(f"--rules {wrong}")
    if day and not 1000 <= day.year < 9999:
        options.fail(f"--of {day:%Y-%m-%d}: a day of the years 1000 to 9998")
    mail = mail_of(settings)
    span = reports.span_of(period, day.date()) if day else reports.last_over(period, date.today())
    with options.reading(place) as connection:
        content = reports.report(connection, span, chosen, options.vins_of(no_car) if no_car else None)
    kind = "csv-semicolon" if csv_semicolon else "csv"
    files = _write(Path(into), f"report-{span.name}", reports.page(content), reports.rows(content), kind)
    options.say(f"{files[0]}, {files[1].suffix[1:]}: {content['all']['of']} results")
    if mail:
        _send(mail, *reports.summary(content), files)


def _write(folder: Path, name: str, page: str, rows: list[dict], kind: str) -> list[Path]:
    """Write both files, each complete at every moment; what fails is said."""
    files = [folder / f"{name}.html", folder / f"{name}.csv"]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with whole(str(files[0])) as html, whole(str(files[1])) as sheet:
            Path(html).write_text(page, encoding="utf-8")
            export.FORMATS[kind].write(rows, sheet)
    except OSError as error:
        options.fail(f"{error.filename or folder}: {error.strerror}", options.EXIT_NOTHING)
    return files


def _send(mail: Any, subject: str, text: str, files: list[Path]) -> None:
    attachments = [(file.name, f"text/{file.suffix[1:]}", file.read_bytes()) for file in files]
    try:
        refused = mail.send(subject, text, files=attachments)
    except (OSError, smtplib.SMTPException) as wrong:
        options.fail(f"{mail.host}:{mail.port}: the report was not sent: {wrong}", options.EXIT_NOTHING)
    options.say("sent to the others" if refused else f"sent to {', '.join(mail.to)}")
    if refused:
        sys.exit(options.EXIT_NOTHING)
