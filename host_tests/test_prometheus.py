"""Debian's Prometheus itself scrapes `toolcart web` of a running agent, and answers what the dashboard asks."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SERVER = shutil.which("prometheus") or ROOT / ".cache/prometheus/usr/bin/prometheus"
ENVIRONMENT = dict(os.environ, PYTHONPATH=str(ROOT), PYTHONUNBUFFERED="1", TERM="dumb")
TOKEN = "0123456789abcdef"
SOON_S = 60

# No controller has told a time, and nothing was written.
UNKNOWN = {
    "toolcart_controller_clock_ahead_seconds",
    "toolcart_spool_sync_time_seconds_total",
    "toolcart_spool_syncs_total",
}
SCRAPED = """
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: toolcart
    authorization: {{credentials_file: {token}}}
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""

_NAMES = re.compile(r"toolcart_\w+")

pytestmark = pytest.mark.skipif(not Path(SERVER).exists(), reason="no Prometheus here (Debian: prometheus)")


def _free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@contextmanager
def _running(command, **more):
    with subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, text=True, **more) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=30)


def _toolcart(*arguments):
    return _running([sys.executable, "-m", "tools.cli", *arguments], env=ENVIRONMENT)


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory):
    """The address of a server that scrapes an agent of one station, every second."""
    folder = tmp_path_factory.mktemp("prometheus")
    controller = {"host": "127.0.0.1", "port": _free_port()}
    station = {"number": 7, "name": 'Left "door"', "controller": controller, "spool": {"path": "7.spool"}}
    config, token, port = folder / "cart.json", folder / "token", _free_port()
    toolsnet = {"pim_host": "127.0.0.1", "pim_port": _free_port()}
    config.write_text(json.dumps({"toolsnet": toolsnet, "stations": [station]}), encoding="utf-8")
    token.write_text(TOKEN, encoding="utf-8")
    token.chmod(0o600)
    with (
        _toolcart("run", "--plain", "--config", config),
        _toolcart("web", "--port", 0, "--config", config, "--token-file", token) as web,
    ):
        page = int(web.stdout.readline().split()[2].rstrip(",/").rpartition(":")[2])
        (folder / "prometheus.yml").write_text(SCRAPED.format(token=token, port=page), encoding="utf-8")
        place = f"127.0.0.1:{port}"
        where = [f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/kept"]
        with _running([SERVER, *where, f"--web.listen-address={place}", "--log.level=error"]):
            yield f"http://{place}"


def _asked(address, expression):
    """What the server answers: its samples, or the error."""
    query = urllib.parse.urlencode({"query": expression})
    with urllib.request.urlopen(f"{address}/api/v1/query?{query}", timeout=10) as answer:
        told = json.load(answer)
    assert told["status"] == "success", told
    return told["data"]["result"]


def _soon(address, expression):
    """The samples once there are some."""
    until = time.monotonic() + SOON_S
    while time.monotonic() < until:
        try:
            samples = _asked(address, expression)
        except OSError:
            samples = []  # it does not listen yet
        if samples:
            return samples
        time.sleep(0.2)
    raise AssertionError(f"the server never had {expression}")


def test_it_stores_what_the_agent_tells(prometheus):
    assert [sample["value"][1] for sample in _soon(prometheus, "up")] == ["1"]
    (state,) = _soon(prometheus, 'toolcart_connected{side="controller"}')
    assert state["value"][1] == "0" and state["metric"]["name"] == 'Left "door"' and state["metric"]["station"] == "7"
    (why,) = _soon(prometheus, 'toolcart_connection_why{side="controller"} == 1')
    assert why["metric"]["why"] == "refused"


def test_it_can_answer_all_that_the_dashboard_asks(prometheus):
    board = json.loads((ROOT / "tools/web/dashboard.json").read_text(encoding="utf-8"))
    asked = [one["expr"].replace("$agent", ".*") for panel in board["panels"] for one in panel["targets"]]
    _soon(prometheus, "rate(toolcart_repeats_total[5m])")  # two samples
    empty = {name for expression in asked if not _asked(prometheus, expression) for name in _NAMES.findall(expression)}
    assert empty == UNKNOWN
