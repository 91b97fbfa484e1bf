"""`toolcart doctor`: checks the whole chain once, each link in plain words, without disturbing a running agent.

Exit codes: 0 everything works, 1 something does not, 2 the configuration or the command line is wrong; 1 for a wrong
configuration beside an agent that runs with an earlier one. What works but could be better (`!`) does not count.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path

import click

from toolcart.base.exit_codes import EXIT_CONFIGURATION, EXIT_FINE, EXIT_OTHER
from toolcart.base.terminal_safe import visible
from toolcart.spool.image import is_held
from toolcart.tools.config import file as config_file
from toolcart.tools.config import files, runner
from toolcart.tools.config.file import SERVICE_CONFIG
from toolcart.tools.doctor import agent, controller, extras, local, outlets, time_server, toolsnet
from toolcart.tools.doctor.finding import BAD, GOOD, MARKS, NOTE, SKIPPED, WARN, Finding
from toolcart.tools.messages import attention, connections, reasons, standing_conditions, status
from toolcart.tools.messages.durations import counted

AT_ONCE = 8  # stations


@click.command()
@click.option(
    "--config", "config_path", type=click.Path(), metavar="FILE", help=f"The cart's configuration.  [{SERVICE_CONFIG}]"
)
@click.option("--ntp", "ntp_host", metavar="HOST", help="Also compare our clock with this time server.")
@click.option("--offline", is_flag=True, help="Make no connection: check configuration, spool, disk and clock only.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def doctor(config_path: str | None, ntp_host: str | None, offline: bool, as_json: bool) -> None:
    """Check the whole chain once and say what to do.

    Agent, disk, clock, names, controller, PIM, server, other outlets.

    If an agent is running, its own connections are reported, and neither controller nor outlets are asked, since a
    controller may take only one client.
    """
    if config_path is None and not SERVICE_CONFIG.is_file():
        raise click.UsageError(f"--config FILE is needed: the service's {SERVICE_CONFIG} is not here.")
    config_path = config_path or str(SERVICE_CONFIG)
    told: list[Finding] = []
    for found in examine(config_path, ntp_host, offline):
        told.append(found)
        if not as_json:
            for line in found.lines():
                click.echo(visible(line))
    bad = [found for found in told if found.verdict == BAD]
    runs = any(found.what == agent.WHAT and found.verdict == GOOD for found in told)
    wrong_file = not any(found.what.endswith(" spool") for found in told)  # nothing more could be checked
    if as_json:
        counts = {verdict: sum(found.verdict == verdict for found in told) for verdict in MARKS}
        click.echo(json.dumps({"good": not bad, "counts": counts, "found": [found.as_dict() for found in told]}))
    else:
        warned = sum(found.verdict == WARN for found in told)
        count = f"{len(bad)} thing{' does' if len(bad) == 1 else 's do'} not work"
        well = "everything works" if runs else "what can be checked without an agent works"
        click.echo(count if bad else well, nl=False)
        click.echo(f", {warned} could be better" if warned else "")
    sys.exit(EXIT_CONFIGURATION if wrong_file and not runs else EXIT_OTHER if bad else EXIT_FINE)


def examine(config_path: str, ntp_host: str | None = None, offline: bool = False) -> Iterator[Finding]:
    """Check one link after the other, the stations side by side; files as the agent's user, if root asks."""
    user = runner.user_of(config_path)
    with runner.acting_as(user) as acting:
        found = files.check(config_path)
    configuration = found.configuration or _as_it_would_run(config_path)
    stations = configuration["stations"] if configuration else []
    spools = [spool_path(config_path, station) for station in stations]
    told, why = agent.ask(config_path, {station["number"] for station in stations} or None)
    yield from agent.examine(config_path, told, why, spools)
    for where, what, allowed in [*found.mistakes, *found.lacks]:
        at = config_path if where == "(file)" else f"{config_path}: {where}"
        yield Finding("configuration", BAD, f"{at}: {config_file.sentence(what, allowed)}", "")
    if configuration is None:
        for shown in (told or {}).get("stations", ()):  # the agent goes on with what it has read
            yield from _told_by_agent(_name(shown), shown["number"], told or {})
        return
    if not found.mistakes and not found.lacks:
        words = f"{config_path}: {counted(len(stations), 'station')}; checked as {acting.name}"
        yield Finding("configuration", GOOD, words)
    running = told if told is not None else {} if any(map(is_held, spools)) else None
    with runner.acting_as(user):
        yield from _spools(configuration, config_path, running or {})
        yield from local.clock()
        if running is None and not offline:
            yield from local.names(configuration)
        for host in () if offline else [ntp_host] if ntp_host else configuration["board"]["ntp_hosts"] or []:
            yield time_server.ask_time(host)
        if running is not None or not offline:  # what an agent tells needs no connection
            yield from _stations(configuration, config_path, running)


def _as_it_would_run(config_path: str) -> dict | None:
    """Return the configuration that an agent runs with all the same; None if none would."""
    try:
        return config_file.read_to_run(config_path)
    except config_file.ConfigurationError:
        return None


def _stations(configuration: dict, config_path: str, running: dict | None) -> Iterator[Finding]:
    """Check the stations side by side; what is found comes in their order.

    Those that share a controller's port or a line are checked one after the other.
    """
    places = {_place(station): threading.Lock() for station in configuration["stations"]}

    def asked(station: dict) -> list[Finding]:
        with places[_place(station)]:
            return list(_station(configuration, station, config_path, running))

    with ThreadPoolExecutor(AT_ONCE, "asking") as pool:
        yield from chain.from_iterable(pool.map(asked, configuration["stations"]))


def _place(station: dict) -> tuple:
    """Return where its controller is: it may take only one client, and so does a serial line."""
    controller = station["controller"]
    return ("tcp", controller["host"], controller["port"]) if controller["link"] == "tcp" else (controller["device"],)


def _spools(configuration: dict, config_path: str, running: dict) -> Iterator[Finding]:
    up = {shown["number"]: shown["spool"] for shown in running.get("stations", ()) if shown["mounted"]}
    for station in configuration["stations"]:
        system = configuration["system"]
        owner = (system["type"], system["number"], station["number"])
        path = spool_path(config_path, station)
        settings = {**station["spool"], "owner": owner}
        its = up.get(station["number"])
        is_gone = its is not None and its.get("refused") == "gone" and Path(its["path"]).name == path.name
        yield from local.spool(_name(station), path, settings, its is not None, is_gone)


def spool_path(config_path: str, station: dict) -> Path:
    """Return where the station's spool is."""
    return config_file.folder_of(config_path) / station["spool"]["path"]


def _name(station: dict) -> str:
    return f"station {station['number']}"


def _station(configuration: dict, station: dict, config_path: str, running: dict | None) -> Iterator[Finding]:
    name = _name(station)
    if running is not None:
        yield from _told_by_agent(name, station["number"], running)
        return
    folder = str(config_file.folder_of(config_path))
    if station["controller"]["link"] == "tcp":
        yield from controller.over_tcp(name, station["controller"], extras.wanted(configuration, station))
    else:
        yield from controller.over_line(name, station["controller"], folder)
    for outlet in station["outlets"]:
        if outlet["kind"] == "toolsnet":
            yield from toolsnet.examine(
                name, configuration, station["number"], folder, spool_path(config_path, station)
            )
        else:
            yield from outlets.examine(name, outlet)


def _told_by_agent(name: str, number: int, running: dict) -> Iterator[Finding]:
    """Yield what the running agent has found; nothing else is asked."""
    shown = next((shown for shown in running.get("stations", ()) if shown["number"] == number), None)
    if shown is None:
        words = "an agent has the spool and does not tell its state: neither controller nor outlets were asked"
        yield Finding(name, SKIPPED, words, "`sudo toolcart status` asks it; or stop it and ask again.")
        return
    if not shown["mounted"]:
        yield Finding(f"{name} agent", BAD, attention.spool_problem(shown))
        return
    for its in connections.main_connections(shown).values():
        side, reason, where = connections.name_of(its), connections.reason_of(its), connections.place_of(its)
        if connections.is_working(its) and not connections.is_proven(its):
            words = f"{where}: nothing has been sent to it since the start, so nothing is proven ({its['state']})"
            yield Finding(f"{name} {side}", NOTE, words)
        elif connections.is_working(its):
            yield Finding(f"{name} {side}", GOOD, f"{where}: the running agent is connected ({its['state']})")
        else:
            left = "" if "kind" in its else attention.no_session_reason(shown)
            left = left or f"the running agent is not connected yet ({its['state']})"
            words = reason.words or f"{where}: {left}"
            words = reasons.and_next_try(words, its)
            yield Finding(f"{name} {side}", BAD, words, reason.hint, {"why": reason.slug})
    told = attention.unusable_main_connections(shown)
    for need in standing_conditions.all_needs(shown):
        level = BAD if need.slug == "outlet" else need.level  # as for the sides above: here it is asked what works
        if need not in told:
            yield Finding(f"{name} {need.slug}", level, need.words, need.hint, {"need": need.slug})
    yield Finding(f"{name} results", GOOD, status.results(shown))
