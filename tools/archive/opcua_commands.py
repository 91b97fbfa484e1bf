"""`toolcart archive opcua`: the archive over OPC UA for joining, in a process of its own."""

from __future__ import annotations

import asyncio
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from tools.archive.options import EXIT_NOTHING, database_option, fail, library, say
from tools.archive.web.serving import address
from tools.base.exit_codes import reader_has_gone
from tools.base.installation import how_to_get

BIND = "127.0.0.1:4840"
_FILE = click.Path()


@click.command()
@database_option
@click.option(
    "--bind",
    default=BIND,
    show_default=True,
    metavar="HOST:PORT",
    help="Address and port to listen on; port 0 takes a free one.",
)
@click.option("--certificate", type=_FILE, metavar="FILE", help="The server's certificate (PEM or DER); needs --key.")
@click.option("--key", type=_FILE, metavar="FILE", help="The server's private key, in a file of mode 0600.")
@click.option("--self-signed", is_flag=True, help="Make both files if they do not exist.")
@click.option(
    "--trusted", type=_FILE, metavar="DIR", help="Folder of certificates; a client's must be in it or signed by one."
)
@click.option(
    "--users-file", type=_FILE, metavar="FILE", help="Users and their roles, made by `toolcart archive user`."
)
@click.option("--anonymous", type=click.Choice(["view", "export"]), help="What a client without a name may do.")
@click.option(
    "--state",
    default="opcua.sqlite",
    show_default=True,
    type=_FILE,
    metavar="FILE",
    help="File that keeps the acknowledgements.",
)
@click.option("--metrics", metavar="HOST:PORT", help="Serve figures for Prometheus here, under /metrics; no results.")
@click.option(
    "--zone",
    metavar="NAME",
    help="Time zone of the stations' clocks, such as Europe/Berlin.  [default: this machine's]",
)
@click.option("--seconds", type=click.FloatRange(min=0, min_open=True), help="End after this time.")
def opcua(
    place: str,
    bind: str,
    self_signed: bool,
    metrics: str | None,
    zone: str | None,
    seconds: float | None,
    **options: Any,
) -> None:
    """Serve the archive over OPC UA for joining (OPC 40450-1, 40451-1), until Ctrl-C.

    It only reads the database, so it can run wherever that can be reached. `view` may read; `export` may also
    acknowledge results and have them sent again. Beyond the loopback, users or --anonymous are needed.
    """
    database = library()
    try:
        from tools.archive.opcua import serving
        from tools.archive.opcua.certificate import make
        from tools.archive.opcua.taken import Unusable
    except ImportError as missing:
        fail(f"{missing.name} is not installed: {how_to_get('archive-opcua')}")
    try:
        host, port = address(bind)
        listens = address(metrics) if metrics else None
        where = serving.Where(host, port, zone=ZoneInfo(zone) if zone else None, metrics=listens, **options)
        where = where.checked()
        if self_signed:
            _make(make, where.certificate, where.key, host)
        asyncio.run(serving.run(place, where, say, seconds))
    except (ZoneInfoNotFoundError, ValueError) as wrong:
        fail(f"--zone {zone}: there is no such zone" if isinstance(wrong, ZoneInfoNotFoundError) else str(wrong))
    except (serving.CannotServe, Unusable, database.Unusable) as reason:
        fail(str(reason))
    except BrokenPipeError:
        reader_has_gone()
    except OSError as error:
        there, option = (f"{bind} or {metrics}", "--bind or --metrics") if metrics else (bind, "--bind")
        fail(f"cannot listen on {there}: {error.strerror or error}. Choose another port with {option}", EXIT_NOTHING)


def _make(make: Any, certificate: str | None, key: str | None, host: str) -> None:
    if not (certificate and key):
        fail("--self-signed needs --certificate and --key, the files that it makes")
    try:
        if make(certificate, key, host):
            say(f"made {certificate} and {key}, good for ten years")
    except OSError as error:
        fail(f"{certificate}, {key}: {error.strerror}")
