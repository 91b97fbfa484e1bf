"""`toolcart archive alert`: checks the archive at intervals, and tells people."""

from __future__ import annotations

import signal
import threading
from datetime import UTC, datetime
from typing import Any

import click

from toolcart.archive import options
from toolcart.archive.mailing import mail_of, mail_options

WEBHOOK_VARIABLE = "TOOLCART_ARCHIVE_WEBHOOK"
_SECONDS = click.FloatRange(min=1)


@click.command()
@options.database_option
@click.option(
    "--webhook",
    envvar=WEBHOOK_VARIABLE,
    metavar="URL",
    help=f"POST alerts as JSON to this URL; also {WEBHOOK_VARIABLE}.",
)
@mail_options
@click.option(
    "--silent", type=_SECONDS, default=600, show_default=True, metavar="S", help="How long a station may send nothing."
)
@click.option(
    "--nok-percent", type=click.FloatRange(0, 100), help="Largest share of NOK among a station's newest results."
)
@click.option(
    "--nok-of",
    type=click.IntRange(5, 10000),
    default=100,
    show_default=True,
    help="How many of the newest results that share is of.",
)
@click.option("--drift", type=_SECONDS, default=120, show_default=True, metavar="S", help="How far a clock may be off.")
@click.option("--every", type=_SECONDS, default=60, show_default=True, metavar="S", help="How often to check.")
@click.option("--once", is_flag=True, help="Check once and end, for a timer.")
@click.option(
    "--kept",
    type=click.Path(),
    default="alerts.json",
    show_default=True,
    metavar="FILE",
    help="File that remembers which alerts were sent.",
)
def alert(place: str, every: float, once: bool, kept: str, **told: Any) -> None:
    """Send alerts by webhook and mail.

    Silent stations, too many NOK, wrong clocks; each once.
    """
    options.library()
    from toolcart.archive.alerts import Alerting, Limits, causes
    from toolcart.archive.web.reading import Away, Reading, TooLong

    limits = Limits(told["silent"], told["nok_percent"], told["nok_of"], told["drift"])
    channels = _channels(told)
    with options.reading(place):
        reading = Reading(place)
    try:
        watch = Alerting(channels, kept, options.say)
    except (OSError, ValueError, AttributeError) as wrong:
        options.fail(f"{kept}: {getattr(wrong, 'strerror', None) or 'was not written by this command; remove it'}")
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    while not stop.is_set():
        try:
            watch.tell(reading.ask(causes, limits, watch.told(), datetime.now(UTC)))
        except (Away, TooLong) as why:
            options.say(f"the database does not answer: {why}")
        except OSError as error:
            options.fail(f"{kept}: {error.strerror}", options.EXIT_NOTHING)
        if once or stop.wait(every):
            break
    reading.close()


def _channels(told: dict[str, Any]) -> dict[str, Any]:
    from toolcart.archive.alerts import Webhook

    made: dict[str, Any] = {}
    if told["webhook"]:
        if not told["webhook"].startswith(("http://", "https://")):
            options.fail("--webhook: an address that begins with http:// or https://")
        made["webhook"] = Webhook(told["webhook"])
    mail = mail_of(told)
    if mail:
        made["mail"] = mail
    if not made:
        options.fail("no one is told: give --webhook URL, or --smtp HOST:PORT with --mail-from and --mail-to")
    return made
