"""Whether an agent runs with this configuration: what answers at its socket, and what systemd says of its service.

Rules
1. It comes first: without an agent nothing is taken from a controller, whatever else works.
2. No agent is no fault where none has run yet: there is no service and no spool.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from toolcart.base.privileges import as_root
from toolcart.spool.image import is_held
from toolcart.tools.config import runner, socket_location
from toolcart.tools.doctor.finding import BAD, GOOD, NOTE, WARN, Finding
from toolcart.tools.messages import attention
from toolcart.tools.messages import status as status_words
from toolcart.tools.messages.durations import span
from toolcart.tools.spool import waiting
from toolcart.tools.status import client, without_socket

SYSTEMCTL_S = 10
SYSTEMD_PROPERTIES = ("LoadState", "ActiveState", "SubState", "UnitFileState", "Result", "ExecMainStatus", "NRestarts")
SUBJECT = "agent"
# Why a service has ended, by its `Result` and the exit code of `toolcart run` (toolcart.base.exit_codes).
_RESULTS = {"watchdog": "it hung, and its watchdog ended it", "oom-kill": "the machine had no memory left"}
_CODES = {"2": "it refuses its configuration", "3": "no spool can be used"}


def ask(config_path: str, numbers: set[int] | None = None) -> tuple[dict | None, client.NoAgent | None]:
    """Return what the agent of this configuration tells, or why none does.

    The service's agent counts if it has the stations `numbers`: its configuration may be a copy of this one.
    """
    error = None
    nearby = os.path.abspath(config_path) + socket_location.SUFFIX  # the file may have become a link since the start
    for path in dict.fromkeys((socket_location.to_ask(config_path), nearby, socket_location.default())):
        try:
            status = client.ask(path)
        except client.NoAgent as no_agent:
            error = error or no_agent
            continue
        if (
            path != socket_location.default()
            or numbers is None
            or {station["number"] for station in status["stations"]} == numbers
        ):
            return status, None
    return None, error


def is_running(config_path: str) -> bool:
    """True if an agent of this configuration answers, or would answer another user."""
    status, no_agent = ask(config_path)
    return status is not None or (no_agent is not None and no_agent.is_forbidden)


def examine(
    config_path: str,
    status: dict | None,
    no_agent: client.NoAgent | None,
    spools: list[Path],
    is_wrong: bool = False,
    names: Sequence[str] = (),
) -> list[Finding]:
    """Say whether an agent runs, given what `ask` has returned; `spools` are those of its stations.

    With `is_wrong` what is wrong with the configuration has findings of its own. `names` are those of the outlets.
    """
    service_unit = runner.unit_of(config_path)
    unit = service_unit[0] if service_unit else ""
    service = state_of(unit) if unit else {}
    boot = _at_boot(unit, service)
    if status is not None:
        agent = status["agent"]
        words = f"process {agent.get('pid', '?')} runs for {span(agent.get('uptime_s', 0))}"
        if agent.get("unit"):
            words += f", as the service {agent['unit']}"
        needs = [
            Finding("configuration", WARN if is_wrong else need.level, need.words, need.hint)
            for need in attention.of_agent(agent)
        ]
        return [Finding(SUBJECT, GOOD, words, "", {"pid": agent.get("pid")}), *boot, *_clock(agent), *needs]
    if no_agent is not None and no_agent.is_forbidden:
        return [Finding(SUBJECT, WARN, str(no_agent), no_agent.hint)]
    held = {spool: is_held(spool) for spool in spools}
    if any(held.values()):
        words = str(no_agent or without_socket.IN_USE)
        if words.startswith(without_socket.IN_USE) or not no_agent:
            return [Finding(SUBJECT, BAD, words, no_agent.hint if no_agent else without_socket.HELD)]
        hint = no_agent.hint if socket_location.process_at(config_path) else without_socket.HELD
        return [Finding(SUBJECT, BAD, f"{without_socket.IN_USE}: {words}", hint)]
    unknown = [spool for spool, is_in_use in held.items() if is_in_use is None]
    if unknown:
        return [Finding(SUBJECT, WARN, *without_socket.unknown_at(unknown[0], config_path))]
    return [_no_agent(config_path, unit, service, spools, names), *boot]


def _clock(agent: dict) -> list[Finding]:
    """Say how our clock compares with ToolsNet's, if the agent compares them; wrong is what it does not put right."""
    compared = agent.get("servers_clock") or {}
    verdict = GOOD if compared.get("outcome") in ("right", "set") else NOTE
    if compared.get("outcome") in ("differs", "time zone", "not allowed"):
        verdict = WARN
    return [Finding("clock", verdict, words, "", compared) for words in status_words.servers_clock(compared)]


def _no_agent(
    config_path: str, unit: str, service: dict[str, str], spools: list[Path], names: Sequence[str]
) -> Finding:
    """Say that no agent runs, why, and what waits for one."""
    words = f"no agent runs{_service_text(unit, service)}"
    file = shlex.quote(config_path)
    as_service = as_root(f"toolcart install-service --config {file}")
    hint = f"`toolcart run --config {file}` runs it here, `{as_service}` as a service."
    if unit:
        restart = as_root(f"systemctl restart {unit}")
        hint = f"`{restart}` starts it, `journalctl -u {unit} -n 20` shows its last messages."
    if not spools:  # no agent runs with a configuration that nothing can be read from
        hint = f"Correct the configuration; then {hint}"
    if not unit and not any(spool.exists() for spool in spools):
        return Finding(SUBJECT, NOTE, f"{words} with this configuration yet", hint)
    needed = waiting.together(waiting.needed_of(spool, names) for spool in spools)
    needed_text = needed.words()
    words = f"{words}: {f'{needed_text}, and ' if needed_text else ''}nothing is taken from a controller"
    figures = {"waiting": needed.highest(), "waiting_for": needed.by_name()}
    return Finding(SUBJECT, BAD, words, hint, {**figures, **service})


def _service_text(unit: str, service: dict[str, str]) -> str:
    """Say what systemd knows of the service, if anything."""
    state = service.get("ActiveState", "")
    if not state:
        return f" (service {unit})" if unit else ""
    code, result = service.get("ExecMainStatus", "0"), service.get("Result", "")
    ending = _RESULTS.get(result) or (f"exit code {code}" if code != "0" else "")
    if result == "exit-code" and code in _CODES:
        ending += f", {_CODES[code]}"
    if state == "failed":
        return f": the service {unit} has failed{f' ({ending})' if ending else ''}"
    if state == "activating":
        return f": the service {unit} is being started{f' again ({ending})' if ending else ''}"
    if state == "inactive":
        return f": the service {unit} is stopped"
    return f": the service {unit} is {state}, and does not answer"


def _at_boot(unit: str, service: dict[str, str]) -> list[Finding]:
    """Warn of a service that does not start with the machine."""
    state = service.get("UnitFileState", "")
    if state in ("", "enabled", "enabled-runtime", "static", "alias", "generated"):
        return []
    words = f"the service {unit} is {state}: it does not start with the machine"
    return [Finding("service", WARN, words, f"`{as_root(f'systemctl enable {unit}')}` changes that.")]


def state_of(unit: str) -> dict[str, str]:
    """Return what systemd says of this service; {} if it cannot be asked."""
    if shutil.which("systemctl") is None:
        return {}
    command = ["systemctl", "show", f"{unit}.service", *[f"--property={name}" for name in SYSTEMD_PROPERTIES]]
    try:
        process = subprocess.run(command, capture_output=True, text=True, timeout=SYSTEMCTL_S)
    except (OSError, subprocess.TimeoutExpired):
        return {}
    if process.returncode != 0:
        return {}
    return dict(line.split("=", 1) for line in process.stdout.splitlines() if "=" in line)
