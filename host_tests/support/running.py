"""Commands of ours as processes of their own, for tests of what a person or a server sees from outside."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from click.testing import CliRunner, Result

from toolcart.sim.serve import SimulatedPlant
from toolcart.tools.cli.main import main
from toolcart.tools.config import file as config_file
from toolcart.tools.process.agent import Agent

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = dict(os.environ, PYTHONPATH=str(ROOT), PYTHONUNBUFFERED="1", TERM="dumb")
END_S = 30
DEADLINE_S = 120  # far beyond any machine
# Below those that a system gives to who connects or listens at 0, and other ones in each process of a run
FREE_PORTS = iter(range(20000 + 1000 * (int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % 12), 32768))


def toolcart(*words: object, code: int | None = 0, text: str | bytes | None = None) -> Result:
    """What `toolcart` says to these words, in this process; `code` is how it has to end, None: not looked at."""
    done = CliRunner().invoke(main, [str(word) for word in words], input=text)
    assert code is None or done.exit_code == code, (words, done.output)
    return done


def command_of(*words: object) -> list[str]:
    """The command line that starts `toolcart` with these words."""
    return [sys.executable, "-m", "toolcart.tools.cli.main", *[str(word) for word in words]]


def ran(*words: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    """`toolcart` as a process that has come to its end, with this exit code."""
    options = {"env": ENVIRONMENT, "capture_output": True, "text": True, "stdin": subprocess.DEVNULL}
    done = subprocess.run(command_of(*words), timeout=DEADLINE_S, **options)
    assert done.returncode == code, done.stdout + done.stderr
    return done


def free_port() -> int:
    """A port at which nothing listens; none is given twice, and the system gives it to nobody else."""
    for port in FREE_PORTS:
        with contextlib.suppress(OSError), socket.socket() as taken:
            taken.bind(("127.0.0.1", port))
            return port
    raise OSError("every port is taken")


def wait_for(what: str | Callable[[], object], condition: Callable[[], object], within_s: float = DEADLINE_S) -> None:
    """Until it is so; `what`, or what it returns then, is said if it never is."""
    until = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < until, what if isinstance(what, str) else what()
        time.sleep(0.02)


@contextmanager
def running(*command: object, env: dict = ENVIRONMENT, **pipes: int) -> Iterator[subprocess.Popen[str]]:
    """The process of this command, ended by SIGTERM; what it says can be read."""
    words = [str(word) for word in command]
    with subprocess.Popen(words, env=env, stdout=subprocess.PIPE, text=True, **pipes) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=END_S)


@contextmanager
def started(*arguments: object) -> Iterator[str]:
    """`toolcart` with these arguments, and the first line that it says."""
    with running(*command_of(*arguments)) as process:
        yield process.stdout.readline()


def page_of(line: str) -> str:
    """The address that `toolcart web` has said."""
    return line.split()[2].rstrip(",")


def station_at(
    number: int, port: int | None = None, spool: str | None = None, size_kib: int = 64, **controller: object
) -> dict:
    """A station of a configuration, whose controller is at this port of this machine."""
    side = {"host": "127.0.0.1", "port": port or free_port(), **controller}
    return {"number": number, "controller": side, "spool": {"path": spool or f"{number}.spool", "size_kib": size_kib}}


def cart_of(
    plant: SimulatedPlant | None = None,
    number: int = 1,
    controller: dict | None = None,
    station: dict | None = None,
    toolsnet: dict | bool | None = None,
    **sections: object,
) -> dict:
    """The configuration of a cart of one station at this plant, or at ports of this machine where nothing listens.

    `controller`, `station` and `toolsnet` have settings more; ToolsNet is left out where `toolsnet` is False, with the
    outlets in `station`.
    """
    side = {"port": plant.controller_port if plant else None, **(controller or {})}
    tree = {"stations": [{**station_at(number, spool="cart.spool", **side), **(station or {})}], **sections}
    if toolsnet is not False:
        pim_port = plant.pim_port if plant else free_port()
        tree["toolsnet"] = {"pim_host": "127.0.0.1", "pim_port": pim_port, **(toolsnet or {})}
    return tree


def written(folder: Path, tree: object, name: str = "cart.json") -> Path:
    """The file of this configuration, or of a text as it is, in this folder."""
    path = folder / name
    path.write_text(tree if isinstance(tree, str) else json.dumps(tree, indent=2), encoding="utf-8")
    return path


def run_agent(config: Path, goes_on: Callable[[Agent, list[dict]], object]) -> tuple[int, list[dict]]:
    """An agent in this process for as long as `goes_on`, given what it has told: its exit code, and all its lines."""
    lines: list[dict] = []
    agent = Agent(config_file.read_to_run(config), str(config), 20, lines.append)
    until = time.monotonic() + DEADLINE_S

    def turn() -> bool:
        assert time.monotonic() < until, lines[-1:]
        return bool(goes_on(agent, lines))

    try:
        return agent.run(turn), [*lines, agent.last_line()]
    finally:
        agent.board.close()


def run_agent_while(config: Path, act: Callable[[], object]) -> tuple[int, list[dict]]:
    """The same, of an agent that runs while `act` is done in a thread of its own, and is stopped then."""
    asker: list[threading.Thread] = []

    def ask(agent: Agent) -> None:
        act()
        agent.board.request_stop()

    def goes_on(agent: Agent, _lines: list[dict]) -> bool:
        if agent._controls and not asker:
            asker.append(threading.Thread(target=ask, args=[agent], daemon=True))
            asker[0].start()
        return True

    ended = run_agent(config, goes_on)
    asker[0].join(5)
    return ended
