"""Debian's Prometheus itself scrapes `toolcart web` of a running agent, and answers what the dashboard asks."""

import contextlib
import json
import re
import shutil
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

from host_tests.support.running import (
    ROOT,
    cart_of,
    free_port,
    page_of,
    running,
    started,
    wait_for,
    written,
)
from host_tests.tools.command.test_web import token_in

SERVER = shutil.which("prometheus") or ROOT / ".cache/prometheus/usr/bin/prometheus"

UNKNOWN = {"toolcart_controller_clock_ahead_seconds", "toolcart_serial_overruns_total"}  # no time was told, and no line
SCRAPED = """
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: toolcart
    authorization: {{credentials_file: {token}}}
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""

_NAMES = re.compile(r"toolcart_\w+")

needs_prometheus = pytest.mark.skipif(not Path(SERVER).exists(), reason="no Prometheus here (Debian: prometheus)")


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory):
    """The address of a server that scrapes an agent of one station, every second."""
    folder = tmp_path_factory.mktemp("prometheus")
    config = written(folder, cart_of(number=7, station={"name": 'Left "door"'}))
    token, port = token_in(folder), free_port()
    with (
        started("run", "--plain", "--config", config),
        started("web", "--port", 0, "--config", config, "--token-file", token) as process,
    ):
        page = page_of(process).rstrip("/").rpartition(":")[2]
        (folder / "prometheus.yml").write_text(SCRAPED.format(token=token, port=page), encoding="utf-8")
        place = f"127.0.0.1:{port}"
        where = [f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/kept"]
        with running(SERVER, *where, f"--web.listen-address={place}", "--log.level=error"):
            yield f"http://{place}"


def _query(address, expression):
    """What the server answers: its samples, or the error."""
    query = urllib.parse.urlencode({"query": expression})
    with urllib.request.urlopen(f"{address}/api/v1/query?{query}", timeout=10) as answer:
        reply = json.load(answer)
    assert reply["status"] == "success", reply
    return reply["data"]["result"]


def _soon(address, expression):
    """The samples once there are some."""
    samples = []

    def looked():
        with contextlib.suppress(OSError):  # it does not listen yet
            samples[:] = _query(address, expression)
        return bool(samples)

    wait_for(f"the server has {expression}", looked)
    return samples


@needs_prometheus
def test_it_stores_what_the_agent_tells(prometheus):
    assert [sample["value"][1] for sample in _soon(prometheus, "up")] == ["1"]
    (state,) = _soon(prometheus, 'toolcart_connected{side="controller"}')
    assert state["value"][1] == "0" and state["metric"]["name"] == 'Left "door"' and state["metric"]["station"] == "7"
    (why,) = _soon(prometheus, 'toolcart_connection_why{side="controller"} == 1')
    assert why["metric"]["why"] == "refused"


@needs_prometheus
def test_it_can_answer_all_that_the_dashboard_asks(prometheus):
    board = json.loads((ROOT / "toolcart/tools/web/dashboard.json").read_text(encoding="utf-8"))
    expressions = [one["expr"].replace("$agent", ".*") for panel in board["panels"] for one in panel["targets"]]
    _soon(prometheus, "rate(toolcart_repeats_total[5m])")  # two samples
    _soon(prometheus, "toolcart_spool_syncs_total")  # the block that is erased ahead of the first result
    empty = {
        name for expression in expressions if not _query(prometheus, expression) for name in _NAMES.findall(expression)
    }
    assert empty == UNKNOWN
