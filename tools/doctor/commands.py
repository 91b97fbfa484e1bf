"""`toolcart doctor`: checks the whole chain once, each link in plain words, without disturbing a running agent.

Exit codes: 0 everything works, 1 something does not, 2 the configuration or the command line is wrong. What works but
could be better (`!`) does not count.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import click

from tools.base.exit_codes import EXIT_CONFIGURATION, EXIT_FINE, EXIT_OTHER
from tools.base.parallel import side_by_side
from tools.base.printable import visible
from tools.config import file as config_file
from tools.config.file import SERVICE_CONFIG
from tools.doctor import controller, extras, local, ntp, toolsnet
from tools.doctor.found import BAD, GOOD, MARKS, NOTE, SKIPPED, WARN, Found
from tools.spool.image import is_held
from tools.status import asking, place
from tools.words import attention, lasting, reasons


@click.command()
@click.option(
    "--config", "config_path", type=click.Path(), metavar="FILE", help=f"The cart's configuration.  [{SERVICE_CONFIG}]"
)
@click.option("--ntp", "ntp_host", metavar="HOST", help="Also compare our clock with this time server.")
@click.option("--offline", is_flag=True, help="Make no connection: check configuration, spool, disk and clock only.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def doctor(config_path: str | None, ntp_host: str | None, offline: bool, as_json: bool) -> None:
    """Say what works, what does not and what to do: disk, clock, names, controller, PIM, server.

    If an agent is running, its own connections are reported, and neither controller nor ToolsNet is asked, since a
    controller may take only one client.
    """
    if config_path is None and not SERVICE_CONFIG.is_file():
        raise click.UsageError(f"--config FILE is needed: the service's {SERVICE_CONFIG} is not here.")
    config_path = config_path or str(SERVICE_CONFIG)
    told: list[Found] = []
    for found in examine(config_path, ntp_host, offline):
        told.append(found)
        if not as_json:
            for line in found.lines():
                click.echo(visible(line))
    bad = [found for found in told if found.verdict == BAD]
    wrong_file = bool(told) and told[0].verdict == BAD and told[0].what == "configuration"
    if as_json:
        counts = {verdict: sum(found.verdict == verdict for found in told) for verdict in MARKS}
        click.echo(json.dumps({"good": not bad, "counts": counts, "found": [found.as_dict() for found in told]}))
    else:
        warned = sum(found.verdict == WARN for found in told)
        count = f"{len(bad)} thing{' does' if len(bad) == 1 else 's do'} not work"
        click.echo(count if bad else "everything works", nl=False)
        click.echo(f", {warned} could be better" if warned else "")
    sys.exit(EXIT_CONFIGURATION if wrong_file else EXIT_OTHER if bad else EXIT_FINE)


def examine(config_path: str, ntp_host: str | None = None, offline: bool = False) -> Iterator[Found]:
    """Check one link after the other, the stations side by side."""
    try:
        configuration = config_file.read_to_run(config_path)
    except config_file.Wrong as wrong:
        for where, found, allowed in wrong.mistakes:
            place = config_path if where == "(file)" else f"{config_path}: {where}"
            yield Found("configuration", BAD, f"{place}: found {found}", f"Allowed: {allowed}")
        return
    count = len(configuration["stations"])
    yield Found("configuration", GOOD, f"{config_path}: {count} station{'' if count == 1 else 's'}")
    yield from _spools(configuration, config_path)
    yield from local.clock()
    running = _running(configuration, config_path)
    if offline:
        return
    if running is None:
        yield from local.names(configuration)
    for host in [ntp_host] if ntp_host else configuration["board"]["ntp_hosts"] or []:
        yield ntp.examine(host)
    yield from _stations(configuration, config_path, running)


def _stations(configuration: dict, config_path: str, running: dict | None) -> Iterator[Found]:
    """Check the stations side by side; those that share a controller's port or a line, one after the other."""

    def asked(station: dict) -> list[Found]:
        return list(_station(configuration, station, config_path, running))

    return chain.from_iterable(side_by_side(configuration["stations"], _place, asked))


def _place(station: dict) -> tuple:
    """Return where its controller is: it may take only one client, and so does a serial line."""
    controller = station["controller"]
    return ("tcp", controller["host"], controller["port"]) if controller["link"] == "tcp" else (controller["device"],)


def _spools(configuration: dict, config_path: str) -> Iterator[Found]:
    for station in configuration["stations"]:
        system = configuration["system"]
        owner = (system["type"], system["number"], station["number"])
        path = spool_path(config_path, station)
        yield from local.spool(_name(station), path, {**station["spool"], "owner": owner})


def spool_path(config_path: str, station: dict) -> Path:
    """Return where the station's spool is."""
    return config_file.folder_of(config_path) / station["spool"]["path"]


def _name(station: dict) -> str:
    return f"station {station['number']}"


def _running(configuration: dict, config_path: str) -> dict | None:
    """Return the state of the agent that serves this configuration; {} if it does not answer, None if there is none."""
    numbers = {station["number"] for station in configuration["stations"]}
    for path in dict.fromkeys((place.to_ask(config_path), place.default())):
        try:
            told = asking.ask(path)
        except asking.Trouble:
            continue
        if path != place.default() or {station["number"] for station in told["stations"]} == numbers:
            return told
    held = any(is_held(spool_path(config_path, station)) for station in configuration["stations"])
    return {} if held else None


def _station(configuration: dict, station: dict, config_path: str, running: dict | None) -> Iterator[Found]:
    name = _name(station)
    if running is not None:
        yield from _told_by_agent(name, station["number"], running)
        return
    folder = str(config_file.folder_of(config_path))
    if station["controller"]["link"] == "tcp":
        yield from controller.over_tcp(name, station["controller"], extras.wanted(configuration, station))
    else:
        yield from controller.over_line(name, station["controller"], folder)
    yield from toolsnet.examine(name, configuration, station["number"], folder, spool_path(config_path, station))


def _told_by_agent(name: str, number: int, running: dict) -> Iterator[Found]:
    """Yield what the running agent has found; nothing else is asked."""
    shown = next((shown for shown in running.get("stations", ()) if shown["number"] == number), None)
    if shown is None:
        words = "an agent has the spool and does not tell its state: neither controller nor ToolsNet was asked"
        yield Found(name, SKIPPED, words, "`sudo toolcart status` asks it; or stop it and ask again.")
        return
    if not shown["mounted"]:
        yield Found(f"{name} agent", BAD, attention.not_up(shown))
        return
    sides = [("controller", shown["controller"], reasons.of_controller, "ready")]
    toolsnets = [outlet for outlet in shown["outlets"] if outlet["kind"] == "toolsnet"]
    sides += [("ToolsNet", outlet, reasons.of_toolsnet, "streaming") for outlet in toolsnets]
    for side, its, reason_of, good in sides:
        reason = reason_of(its)
        where = f"{its['host']}:{its['port']}"
        if its["state"] == good:
            yield Found(f"{name} {side}", GOOD, f"{where}: the running agent is connected ({good})")
        else:
            words = reason.words or f"{where}: the running agent is not connected yet ({its['state']})"
            words = reasons.and_next_try(words, its)
            yield Found(f"{name} {side}", BAD, words, reason.hint, {"why": reason.slug})
    for need in lasting.everything(shown):
        verdict = {attention.BAD: BAD, attention.WARN: WARN, attention.NOTE: NOTE}[need.level]
        yield Found(f"{name} {need.slug}", verdict, need.words, need.hint, {"need": need.slug})
    for outlet in shown["outlets"]:
        if outlet["kind"] != "toolsnet" and not outlet["is_up"]:
            yield Found(f"{name} {outlet['kind']}", BAD, f"{outlet['place']} cannot be used: {outlet['why']}")
    waiting = f"{shown['stored']} stored, {shown['delivered']} delivered, {shown['backlog']} waiting"
    yield Found(f"{name} results", GOOD, waiting)
