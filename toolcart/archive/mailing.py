"""Mail by SMTP, and the options that say who sends it to whom."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any

import click

from toolcart.archive import options
from toolcart.archive.web.serving import address
from toolcart.base import private

DEADLINE_S = 10.0  # for each step of the talk with the server

_OPTIONS = (
    click.option("--smtp", metavar="HOST:PORT", help="Mail server."),
    click.option("--smtp-tls", type=click.Choice(["starttls", "tls", "none"]), default="starttls", show_default=True),
    click.option("--smtp-user", help="User at the mail server; needs --smtp-password-file."),
    click.option(
        "--smtp-password-file", type=click.Path(), metavar="FILE", help="The user's password, in a file of mode 0600."
    ),
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
        _causes: dict[str, str] | None = None,
        files: Sequence[tuple[str, str, bytes]] = (),
    ) -> None:
        """Send a message with files: name, media type, content; any exception means that it failed."""
        told = EmailMessage()
        told["Subject"], told["From"], told["To"] = " ".join(subject.split()), self.sender, ", ".join(self.to)
        told.set_content(text + "\n")
        for name, media, content in files:
            main, _, sub = media.partition("/")
            told.add_attachment(content, maintype=main, subtype=sub, filename=name)
        context = ssl.create_default_context()
        made: smtplib.SMTP
        if self.tls == "tls":
            made = smtplib.SMTP_SSL(self.host, self.port, timeout=DEADLINE_S, context=context)
        else:
            made = smtplib.SMTP(self.host, self.port, timeout=DEADLINE_S)
        with made as server:
            if self.tls == "starttls":
                server.starttls(context=context)
            if self.user:
                server.login(self.user, self.password or "")
            server.send_message(told)


def mail_options(command):
    """--smtp and what belongs to it."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def mail_of(told: dict[str, Any]) -> Mail | None:
    """Return who sends mail by these options, None for no one; if they are wrong, say so and exit."""
    if not told["smtp"]:
        return None
    if not (told["mail_from"] and told["mail_to"]):
        options.fail("--smtp needs --mail-from and --mail-to")
    try:
        password = private.text_of(told["smtp_password_file"]).strip() if told["smtp_password_file"] else None
        server = address(told["smtp"])
    except (ValueError, private.Wrong) as wrong:
        options.fail(str(wrong))
    how = (told["smtp_tls"], told["smtp_user"], password)
    return Mail(*server, told["mail_from"], told["mail_to"], *how)
