"""`toolcart archive serve` and `web`: the archive itself, and its pages."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import click

from toolcart.archive.options import (
    DAYS,
    EXIT_NOTHING,
    FILE,
    consumer_options,
    consuming,
    database_option,
    fail,
    failing,
    library,
    machine_option,
    option,
    reading,
    say,
    vins_of,
    web_option,
    with_options,
)
from toolcart.archive.server.tls import Tls, TlsFilesError
from toolcart.archive.statistics import spc
from toolcart.archive.statistics.periods import shifts_of
from toolcart.archive.web.serving import HOST, CannotServe, WebSettings, address
from toolcart.archive.web.serving import PORT as WEB_PORT
from toolcart.base import working_folder
from toolcart.base.command_group import seconds_option
from toolcart.base.installation import how_to_get
from toolcart.base.nonblocking_output import nonblocking_output

PORT = click.IntRange(0, 65535)
AGAIN_S = 1.0  # between two looks for an archive
HOST_MOST = 15  # characters of an 08
_PAGES = (
    ("--password-file", "FILE", "The pages' password: a file of mode 0600. TOOLCART_ARCHIVE_PASSWORD does as well."),
    ("--trust-proxy", "ADDRESS,...", "Proxy in front of the pages whose headers are believed."),
    ("--user-header", "NAME", "Header in which a trusted proxy names whom it has let in: X-Forwarded-User."),
    ("--shifts", "NAME=TIME,...", "When shifts begin, for figures by shift: early=06:00,late=14:00,night=22:00."),
    ("--rules", "N,...", "Run rules of the charts, by their numbers (docs/archive.md); 1,2 unless chosen."),
    ("--placeholder-vins", "VIN,...", "VINs that are no car's, such as 0,No BCode; guessed, and shown, unless named."),
    ("--tls-certificate", "FILE", "Certificate (PEM): TLS."),
    ("--tls-key", "FILE", "Its private key (PEM), a file of mode 0600."),
)
_pages_options, password_option = with_options(*_PAGES), with_options(_PAGES[0])


def _tls(certificate: str | None, key: str | None, ca: str | None = None) -> Tls | None:
    """Return the TLS files to use, if any; if something is wrong with them, say so and exit."""
    if not (certificate or key or ca):
        return None
    if not (certificate and key):
        fail("TLS needs both --tls-certificate and --tls-key")
    files = Tls(certificate, key, ca)
    with failing(TlsFilesError):
        files.context()
    return files


def listening(text: str, options: Mapping[str, Any] = MappingProxyType({}), tls: Tls | None = None) -> WebSettings:
    """Return where these options have the pages listen; if something is wrong with that, say so and exit."""
    try:
        from toolcart.archive.web import server  # noqa: F401  # what it needs has to be there
    except ImportError as missing:
        fail(f"{missing.name} is not installed: {how_to_get('archive-web')}")
    with failing(ValueError, CannotServe):
        names = ("password_file", "trust_proxy", "user_header")
        given: dict[str, Any] = {name: options[name] for name in names if options.get(name)}
        if options.get("shifts"):
            given["shifts"] = shifts_of(options["shifts"])
        if options.get("rules"):
            given["rules"] = spc.rules_of(options["rules"])
        if options.get("placeholder_vins"):
            given["placeholders"] = vins_of(options["placeholder_vins"])
        settings = [(name, options.get(name[2:].replace("-", "_"))) for name, *_ in _PAGES]
        words = tuple(word for name, value in settings if value for word in (name, value))
        where = WebSettings(*address(text), tls=tls, words=words, **given)
        where.door()
        where.proxy()
    return where


def _where(place: str, host: str, pim_port: int, server_port: int, tls: Tls | None, options: dict[str, Any]) -> Any:
    """Return where to listen; an 08 needs an address that it has room for, and that stations can reach.

    0.0.0.0 is the PIM's to them: enough for a server that is in its process.
    """
    from toolcart.archive import serving
    from toolcart.archive.database import database
    from toolcart.archive.storage.maintenance import RetentionPeriods

    address, role = options["tell_host"] or host, options["role"]
    is_one = address != "::" and (address != "0.0.0.0" or role != serving.SERVER) and address.isascii()
    if role in (serving.ALL, serving.SERVER) and not (is_one and len(address) <= HOST_MOST):
        fail(
            f"stations cannot be sent to {address}: name this server's address, of {HOST_MOST} characters, "
            "by --tell-host"
        )
    context = tls.context() if tls else None
    days, into = options["keep_days"], options["old_into"]
    if bool(days) != bool(into) or (options["keep_ok_days"] and not days):
        fail("--keep-days and --old-into: both or none of them, and --keep-ok-days only with them")
    if into and "://" not in into:
        working_folder.need_for(into)
    if into and database.is_same(place, into):
        fail(f"--old-into {into}: the archive itself; name another place")
    keeping = RetentionPeriods(into, days, options["keep_ok_days"]) if into else None
    batches = consuming(options["consume"], (), place, options) if options["consume"] else None
    return serving.Place(place, host, pim_port, server_port, address, context, role, keeping, batches)


def serve_until_stopped(where: Any, seconds: float | None, where_pages: WebSettings | None) -> None:
    """Serve; say what is wrong with the database. OSError if a port cannot be opened."""
    from toolcart.archive import serving
    from toolcart.archive.database import database

    with failing(database.DatabaseUnusable), nonblocking_output():
        asyncio.run(serving.run(where, say, seconds, where_pages))


@click.command()
@database_option
@option(
    "--role",
    type=click.Choice(["all", "pim", "server", "pages"]),
    default="all",
    help="What this process does; anything but `all` is for several processes on one PostgreSQL.",
)
@option("--host", default="127.0.0.1", help="Address to listen on.")
@option("--pim-port", type=PORT, default=6575, help="Port of the PIM; 0 takes a free one.")
@option("--server-port", type=PORT, default=10111, help="Port of the server; 0 takes a free one.")
@click.option("--tell-host", help="Server address given to stations, if it is not --host.")
@seconds_option
@click.option("--old-into", metavar="PLACE", help="Move old records into another archive: a file or a URL.")
@click.option("--keep-days", type=DAYS, help="Records are old after so many days.")
@click.option("--keep-ok-days", type=DAYS, help="OK results are old after only so many days.")
@click.option("--consume", metavar="URL", help="Also take batches from a broker, as `archive consume` does.")
@consumer_options
@web_option
@_pages_options
@click.option("--tls-ca", **FILE, help="Certificates (PEM); a station's must be signed by one of them.")
def serve(place: str, host: str, pim_port: int, server_port: int, **options: Any) -> None:
    """Run the archive's PIM and server until Ctrl-C.

    What is stored is on the disk before its 05 goes out. With --role several processes share a PostgreSQL database:
    each PIM sends each station to one of the servers.
    """
    library()
    tls = _tls(options["tls_certificate"], options["tls_key"], options["tls_ca"])
    if options["role"] == "pages":
        _pages(place, listening(options["pages"] or f"{HOST}:{WEB_PORT}", options, tls), options["seconds"])
        return
    where_pages = listening(options["pages"], options, tls) if options["pages"] else None
    where = _where(place, host, pim_port, server_port, tls, options)
    try:
        serve_until_stopped(where, options["seconds"], where_pages)
    except OSError as error:
        advice = "Is another one running? Choose free ports with --pim-port and --server-port."
        fail(f"cannot listen on {host}, ports {pim_port} and {server_port}: {error.strerror or error}. {advice}", 1)


@click.command()
@database_option
@option(
    "--listen",
    "--web",
    "listen",
    default=f"{HOST}:{WEB_PORT}",
    metavar="HOST:PORT",
    help="Address and port to listen on; port 0 takes a free one.",
)
@_pages_options
@seconds_option
@click.option("--dashboard", "printed", flag_value="dashboard.json", help="Print the dashboard for Grafana and end.")
@click.option("--alert-rules", "printed", flag_value="alerts.yml", help="Print alert rules for Prometheus and end.")
@click.option("--with-parent", is_flag=True, hidden=True)
def web(
    place: str, listen: str, seconds: float | None, printed: str | None, with_parent: bool, **options: str | None
) -> None:
    """Show the archive in a browser, until Ctrl-C.

    Results are only shown; control limits and remarks can be added. Beyond the loopback a password is needed. `serve
    --web` does the same beside an archive; this command can run wherever the database can be reached, waits until there
    is an archive, and can be stopped at any time.
    """
    if printed:
        click.echo((Path(__file__).parent / "web" / printed).read_text(encoding="utf-8"), nl=False)
        return
    library()
    tls = _tls(options["tls_certificate"], options["tls_key"])
    _pages(place, listening(listen, options, tls), seconds, with_parent)


def _pages(place: str, where: WebSettings, seconds: float | None, with_parent: bool = False) -> None:
    """Serve the pages until told to end, once there is an archive."""
    database = library()
    from toolcart.archive.web.server import run

    until_s = time.monotonic() + (float("inf") if seconds is None else seconds)
    is_waiting = False
    while True:
        try:
            with nonblocking_output():
                run(place, where, say, seconds, with_parent)
            return
        except database.NotYetThere as reason:
            if with_parent or time.monotonic() >= until_s:
                fail(str(reason))
            if not is_waiting:
                say(f"{reason}; waiting for it")
            is_waiting = True
            time.sleep(min(AGAIN_S, max(0.0, until_s - time.monotonic())))
        except database.DatabaseUnusable as reason:
            fail(str(reason))
        except OSError as error:
            advice = "Choose another address with --listen or --web."
            fail(f"cannot listen on {where.host}:{where.port}: {error.strerror or error}. {advice}", EXIT_NOTHING)


@click.command("servers")
@database_option
@machine_option
def servers_command(place: str, as_json: bool) -> None:
    """List the servers that share a PostgreSQL database."""
    from toolcart.archive.server import servers

    with _served(place) as connection:
        rows = servers.all_of(connection)
    if as_json:
        click.echo(json.dumps(rows, default=float))
        return
    for one in rows:
        state = "takes stations" if one["Silent"] < servers.GONE_S else f"gone for {one['Silent']:.0f} s"
        click.echo(f"{one['Host']}:{one['Port']}  {state}")


@contextmanager
def _served(place: str):
    with reading(place) as connection:
        if connection.dialect.name == "sqlite":
            fail(f"{place}: one process serves an SQLite archive; several need a postgresql:// URL")
        yield connection
