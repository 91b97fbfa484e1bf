"""`toolcart doctor`: checks the whole chain once, each link in plain words, without disturbing a running agent.

Exit codes: 0 everything works, 1 something does not, 2 the configuration or the command line is wrong; 1 for a wrong
configuration beside an agent that runs with an earlier one. What works but could be better (`!`) does not count.
"""

from __future__ import annotations

import json
import re
import shlex
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import import_module
from itertools import chain
from pathlib import Path

import click

from toolcart import catalogue
from toolcart.agent.cart.outlet_places import name_of
from toolcart.base.exit_codes import EXIT_CONFIGURATION, EXIT_FINE, EXIT_OTHER
from toolcart.base.privileges import as_root
from toolcart.base.terminal_safe import visible
from toolcart.board.linux.plurals import agreeing, counted
from toolcart.board.linux.spool_header import NO_OWNER
from toolcart.spool.image import is_held
from toolcart.tools.config import file as config_file
from toolcart.tools.config import files, path_checks, runner, service_check
from toolcart.tools.config.file import SERVICE_CONFIG
from toolcart.tools.doctor import agent, controller, extras, local, outlets, time_server, toolsnet
from toolcart.tools.doctor.finding import BAD, GOOD, MARKS, NOTE, SKIPPED, WARN, Finding
from toolcart.tools.messages import (
    attention,
    connections,
    latched_conditions,
    missed_results,
    outlet_names,
    reasons,
    status,
)
from toolcart.tools.status import without_socket

AT_ONCE = 8  # stations: each mostly waits for its controller and its PIM, and has a thread and a few files open
LATE_IMPORTS = ("encoding", "meanings", "code_lists")  # of the catalogue, when they are needed
MOUNTED_SETTINGS: dict = {"owner": NO_OWNER}  # settings of a spool that an agent has: it knows that it is the station's


@click.command()
@click.option(
    "--config",
    "config_path",
    type=click.Path(readable=False),
    metavar="FILE",
    help=f"The cart's configuration.  [{SERVICE_CONFIG}]",
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
    if config_path is None and not SERVICE_CONFIG.is_file() and not agent.is_running(str(SERVICE_CONFIG)):
        raise click.UsageError(f"--config FILE is needed: the service's {SERVICE_CONFIG} is not here.")
    config_path = config_path or str(SERVICE_CONFIG)
    findings: list[Finding] = []
    file = _read(config_path)
    for finding in examine(file, ntp_host, offline):
        findings.append(finding)
        if not as_json:
            for line in finding.lines():
                click.echo(visible(line))
    bad_findings = [finding for finding in findings if finding.verdict == BAD]
    agent_runs = any(finding.subject == agent.SUBJECT and finding.verdict == GOOD for finding in findings)
    if as_json:
        counts = {verdict: sum(finding.verdict == verdict for finding in findings) for verdict in MARKS}
        click.echo(
            json.dumps(
                {"good": not bad_findings, "counts": counts, "found": [finding.as_dict() for finding in findings]}
            )
        )
    else:
        warnings = sum(finding.verdict == WARN for finding in findings)
        bad_count = f"{counted(len(bad_findings), 'thing')} {agreeing(len(bad_findings), 'does')} not work"
        has_proven = all(finding.figures.get("is_proven", True) for finding in findings)
        works = "everything works" if has_proven else "everything that was tried works"
        missed = sum(finding.figures.get("open_ids", 0) for finding in findings)
        if missed:
            works = f"what was tried works, at most {counted(missed, 'result')} {agreeing(missed, 'is')} missed"
        good_text = works if agent_runs else "what can be checked without an agent works"
        click.echo(bad_count if bad_findings else good_text, nl=False)
        click.echo(f", {warnings} could be better" if warnings else "")
    is_unusable = file.configuration is None and not agent_runs
    sys.exit(EXIT_CONFIGURATION if is_unusable else EXIT_OTHER if bad_findings else EXIT_FINE)


@dataclass(frozen=True)
class _File:
    """The configuration as it was read; `configuration` is what an agent runs with, None if none would."""

    path: str
    user: runner.User
    checked_as: str
    checked: files.Checked
    configuration: dict | None


def _read(config_path: str) -> _File:
    """Read and check the configuration, as the agent's user if root asks."""
    checked, _, words = service_check.check(config_path)
    configuration = checked.configuration or _configuration_to_run(config_path)
    return _File(config_path, runner.user_of(config_path), words, checked, configuration)


def examine(file: _File, ntp_host: str | None, offline: bool) -> Iterator[Finding]:
    """Check one link after the other, the stations side by side; files as the agent's user, if root asks."""
    config_path, checked, configuration = file.path, file.checked, file.configuration
    stations = configuration["stations"] if configuration else []
    spools = [spool_path(config_path, station) for station in stations]
    agent_status, no_agent = agent.ask(config_path, {station["number"] for station in stations} or None)
    agent_may_run = (no_agent is not None and no_agent.is_forbidden) or any(
        is_held(spool) is not False for spool in spools
    )
    tries_all = agent_status is None and not agent_may_run and not offline
    missing = [  # what no finding of its own says: of a line that is tried, or of what the agent cannot use
        lack
        for lack in checked.lacks
        if not (tries_all and lack[0].endswith(".controller.device"))
        and not _agent_says_so(lack[0], configuration, agent_status)
    ]
    names = [name_of(outlet) for station in stations for outlet in station["outlets"]]
    yield from agent.examine(config_path, agent_status, no_agent, spools, bool(checked.mistakes or missing), names)
    for mistake in [*checked.mistakes, *missing]:
        yield Finding("configuration", BAD, f"{config_path}: {config_file.placed_sentence(mistake)}", "")
    for place, words, cure in checked.later:
        if not _agent_says_so(place, configuration, agent_status):
            yield Finding("configuration", WARN, f"{config_path}: {place}: {words}", cure)
    if configuration is None:
        if agent_status is not None:
            yield from _running_findings(agent_status["stations"], None, config_path, {})
        return
    if not checked.all():
        words = f"{config_path}: {counted(len(stations), 'station')}; checked as {file.checked_as}"
        yield Finding("configuration", GOOD, words)
    lacking = {place: (found, allowed) for place, found, allowed in checked.lacks}
    running = agent_status["stations"] if agent_status is not None else None
    with runner.acting_as(file.user):
        if running is None:
            yield from _spool_findings(configuration, config_path, lacking)
        yield from local.clock()
        if tries_all:
            yield from local.names(configuration)
        for host in () if offline else [ntp_host] if ntp_host else configuration["board"]["ntp_hosts"] or []:
            yield time_server.ask_time(host)
        if running is not None:  # what an agent tells needs no connection
            yield from _running_findings(running, configuration, config_path, lacking)
        elif agent_may_run:
            ask = without_socket.OF_ANOTHER
            if no_agent is not None and no_agent.is_forbidden:
                ask = f"`{as_root(f'toolcart status --config {shlex.quote(config_path)}')}` asks it"
            yield from (_not_asked(station, ask) for station in configuration["stations"])
        elif tries_all:
            yield from _all_stations(configuration, config_path)


def _agent_says_so(setting: str, configuration: dict | None, agent_status: dict | None) -> bool:
    """Return True if this is a line or an outlet's file, and that the agent cannot use it is a fault of its own."""
    place = re.fullmatch(r"stations\[(\d+)\]\.(?:controller\.device|outlets\[(\d+)\]\.path)", setting)
    if place is None or configuration is None:
        return False
    station = configuration["stations"][int(place[1])]
    stations = (agent_status or {}).get("stations", ())
    shown = next((one for one in stations if one["number"] == station["number"]), {})
    if place[2] is None:
        return "controller" in shown and not connections.is_working(shown["controller"])
    name = name_of(station["outlets"][int(place[2])])
    return any(
        outlet["kind"] == "file" and outlet.get("name", "file") == name and attention.level_of(outlet) == BAD
        for outlet in shown.get("outlets", ())
    )


def _configuration_to_run(config_path: str) -> dict | None:
    """Return the configuration that an agent runs with all the same; None if none would."""
    try:
        return config_file.read_to_run(config_path)
    except config_file.ConfigurationError:
        return None


def _all_stations(configuration: dict, config_path: str) -> Iterator[Finding]:
    """Check the stations side by side; what is found comes in their order.

    Those that share a controller's port or a line are checked one after the other.
    """
    _import_for_threads()
    locks = {_controller_address(station): threading.Lock() for station in configuration["stations"]}

    def check_station(station: dict) -> list[Finding]:
        with locks[_controller_address(station)]:
            return list(_one_station(configuration, station, config_path))

    with ThreadPoolExecutor(AT_ONCE, "asking") as pool:
        yield from chain.from_iterable(pool.map(check_station, configuration["stations"]))


def _import_for_threads() -> None:
    """Import what is else imported when it is needed: where few files may be open, threads get half a module."""
    for module in ("_strptime", "encodings.idna", *(f"{catalogue.__name__}.{name}" for name in LATE_IMPORTS)):
        import_module(module)
    catalogue.mids()  # reads each table


def _controller_address(station: dict) -> tuple:
    """Return where its controller is: it may take only one client, and so does a serial line."""
    controller = station["controller"]
    return ("tcp", controller["host"], controller["port"]) if controller["link"] == "tcp" else (controller["device"],)


def _spool_findings(configuration: dict, config_path: str, lacking: dict[str, tuple[str, str]]) -> Iterator[Finding]:
    """Check the spools of a configuration that no agent runs with."""
    for station in configuration["stations"]:
        yield from _spool_as_configured(configuration, station, config_path, lacking)


def _spool_as_configured(
    configuration: dict, station: dict, config_path: str, lacking: dict[str, tuple[str, str]]
) -> list[Finding]:
    """Check a spool; `lacking` is what the check of the configuration has found, which the service may lack alone."""
    without_room = path_checks.spools_without_room(configuration, config_file.folder_of(config_path))
    system = configuration["system"]
    settings = {**station["spool"], "owner": (system["type"], system["number"], station["number"])}
    agent = _agents_user(config_path)
    place = f"stations[{configuration['stations'].index(station)}].spool.path"
    name, path = _station_name(station), spool_path(config_path, station)
    findings = local.spool(name, path, settings, no_room=without_room.get(place, ""), agent=agent)
    if place in lacking and not any(finding.verdict == BAD for finding in findings):
        found, allowed = lacking[place]
        return [Finding(f"{name} spool", BAD, found, f"spool.path names {allowed}.")]
    return findings


def _running_findings(
    running: list[dict], configuration: dict | None, config_path: str, lacking: dict[str, tuple[str, str]]
) -> Iterator[Finding]:
    """Check the spools that an agent runs with, and yield what it tells of its stations; nothing else is asked.

    These are not always those of the configuration, which may have been edited since the start.
    """
    configured = {station["number"]: station for station in configuration["stations"]} if configuration else {}
    for station in running:
        if station["mounted"]:
            spool = station["spool"]
            is_gone = spool.get("refused") == "gone" and not spool.get("is_back")
            name, path = _station_name(station), Path(spool["path"])
            yield from local.spool(name, path, MOUNTED_SETTINGS, True, is_gone, agent=_agents_user(config_path))
        elif configuration and station["number"] in configured:
            yield from _spool_as_configured(configuration, configured[station["number"]], config_path, lacking)
    for station in running:
        yield from _status_findings(station)
    numbers = {station["number"] for station in running}
    for number in sorted(configured.keys() - numbers):
        yield Finding(f"station {number}", NOTE, "is in the configuration, and the running agent does not have it")
    for number in sorted(numbers - configured.keys()) if configuration else ():
        yield Finding(f"station {number}", NOTE, "is one of the running agent, and not in the configuration now")


def _agents_user(config_path: str) -> int:
    return runner.user_of(config_path).uid


def spool_path(config_path: str, station: dict) -> Path:
    """Return where the station's spool is."""
    return config_file.folder_of(config_path) / station["spool"]["path"]


def _station_name(station: dict) -> str:
    return f"station {station['number']}"


def _one_station(configuration: dict, station: dict, config_path: str) -> Iterator[Finding]:
    name = _station_name(station)
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


def _unproven(name: str, outlet: dict) -> Finding:
    """Say that an outlet was not tried, which has no connection without records."""
    words = f"{connections.place_of(outlet)}: nothing has been sent to it since the start, so nothing is proven"
    subject = f"{name} {outlet_names.name_of(outlet)}"
    return Finding(subject, NOTE, f"{words} ({outlet['state']})", figures={"is_proven": False})


def _not_asked(station: dict, ask: str) -> Finding:
    """Say that nothing was asked, as an agent may be connected, and who can ask that one."""
    words = "an agent may be running, and does not tell its state: neither controller nor outlets were asked"
    return Finding(_station_name(station), SKIPPED, words, f"{ask}; or stop it and ask again.")


def _status_findings(station: dict) -> Iterator[Finding]:
    """Yield what the running agent has found at this station; nothing else is asked."""
    name = _station_name(station)
    if not station["mounted"]:
        yield Finding(f"{name} agent", BAD, attention.spool_problem(station))
        return
    for connection in connections.main_connections(station).values():
        connection_name, reason = outlet_names.name_of(connection), connections.reason_of(connection)
        place = connections.place_of(connection)
        if connections.is_working(connection) and not connections.is_proven(connection):
            yield _unproven(name, connection)
        elif connections.is_working(connection):
            yield Finding(
                f"{name} {connection_name}", GOOD, f"{place}: the running agent is connected ({connection['state']})"
            )
        else:
            why_not_connected = "" if "kind" in connection else attention.no_session_reason(station)
            why_not_connected = why_not_connected or f"the running agent is not connected yet ({connection['state']})"
            words = reason.words or f"{place}: {why_not_connected}"
            words = reasons.with_next_try(words, connection)
            yield Finding(f"{name} {connection_name}", BAD, words, reason.hint, {"why": reason.slug})
    for outlet in outlet_names.other_outlets(station):
        if not connections.is_proven(outlet) and attention.of_outlet(outlet) is None:
            yield _unproven(name, outlet)
    in_states = attention.unusable_main_connections(station)
    for need in latched_conditions.all_needs(station):
        level = BAD if need.slug == "outlet" else need.level  # as for the sides above: here it is asked what works
        if need not in in_states:
            yield Finding(f"{name} {need.slug}", level, need.words, need.hint, {"need": need.slug})
    missed = missed_results.of_station(station)
    if missed is not None:
        recovery = station["recovery"]
        level = WARN if recovery.get("off") or recovery.get("needs") else NOTE
        yield Finding(f"{name} {missed.label}", level, missed.words, "", {"open_ids": recovery["open_ids"]})
    yield Finding(f"{name} results", GOOD, status.results(station))
