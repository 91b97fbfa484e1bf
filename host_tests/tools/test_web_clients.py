"""Who reads `toolcart web` of a running agent: Debian's Prometheus and a real browser."""

import json
import re
import shutil
import time
import urllib.parse
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest

from host_tests.support.memory import needed
from host_tests.support.running import ROOT, cart_without_sides, free_port, page_of, running, started
from lab.harness.browser import browser as chromium

PHONE, DESK = {"width": 360, "height": 740}, {"width": 1280, "height": 800}
SOON_MS = 60000
TOKEN = "0123456789abcdef"


@pytest.fixture(scope="module")
def browser():
    with needed("browser", chromium()) as made:
        yield made


@pytest.fixture(scope="module")
def cart(tmp_path_factory):
    """The configuration of an agent that runs, and the port where its controller is awaited; ToolsNet stays away."""
    port = free_port()
    folder = tmp_path_factory.mktemp("cart")
    config = cart_without_sides(folder, "Left <b>door</b>", port)
    with started("run", "--plain", "--config", config):
        yield config, port


@contextmanager
def _page(browser, cart, *options, token="", **context):
    """A page that complains about nothing and asks no one else."""
    wrong = []
    credentials = {"username": "plant", "password": token} if token else None
    with started("web", "--port", 0, "--config", cart[0], *options) as said:
        address = page_of(said)
        made = browser.new_context(base_url=address, http_credentials=credentials, **context)
        page = made.new_page()
        page.set_default_timeout(SOON_MS)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
        page.on("request", lambda asked: None if asked.url.startswith(address) else wrong.append(asked.url))
        page.goto("/")
        yield page
        made.close()
    assert [one for one in wrong if "401" not in one] == []  # what is asked for a token at first


def _shown(page, selector):
    from playwright.sync_api import expect

    return expect(page.locator(selector))


def _scrolls_aside(page):
    return page.evaluate(
        "[document.documentElement, ...document.querySelectorAll('.scroll, pre')].some("
        "one => one.scrollWidth > one.clientWidth)"
    )


def test_the_page_says_why_and_is_up_to_date_by_itself(browser, cart):
    with _page(browser, cart, viewport=DESK) as page:
        _shown(page, "tr.why").to_contain_text("refused the connection", timeout=SOON_MS)
        _shown(page, "tr.station td:first-child").to_have_text("7 Left <b>door</b>")
        with started("simulate", "controller", "--port", cart[1], "--rate", 20):
            _shown(page, "td[data-name=Controller]").to_contain_text("ready", timeout=SOON_MS)
            _shown(page, "td[data-name=Waiting]").not_to_have_text("0", timeout=SOON_MS)
        assert not _scrolls_aside(page)
        page.locator("h2 a").click()
        _shown(page, "pre").to_contain_text("station 7")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_nothing_has_to_be_moved_aside(browser, cart, scheme):
    with _page(browser, cart, viewport=PHONE, color_scheme=scheme) as page:
        _shown(page, "tr.why").to_contain_text("refused the connection", timeout=SOON_MS)
        assert not _scrolls_aside(page)
        assert page.locator("td[data-name=Stored]").bounding_box()["x"] < PHONE["width"]
        ground, ink = (
            page.evaluate(f"getComputedStyle(document.body).{name}") for name in ("backgroundColor", "color")
        )
        assert ground != ink
        page.goto("/agent/cart.json")
        assert not _scrolls_aside(page)


def test_a_browser_asks_for_the_token(browser, cart, tmp_path):
    file = tmp_path / "token"
    file.write_text(TOKEN, encoding="utf-8")
    file.chmod(0o600)
    with _page(browser, cart, "--token-file", file, token=TOKEN, viewport=DESK) as page:
        _shown(page, "tr.station").to_have_count(1)
    with _page(browser, cart, "--token-file", file, token="another", viewport=DESK) as page:
        _shown(page, "tr.station").to_have_count(0)


# Debian's Prometheus itself scrapes `toolcart web` of a running agent, and answers what the dashboard asks.

SERVER = shutil.which("prometheus") or ROOT / ".cache/prometheus/usr/bin/prometheus"
SOON_S = 60

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
    config = cart_without_sides(folder, 'Left "door"', free_port())
    token, port = folder / "token", free_port()
    token.write_text(TOKEN, encoding="utf-8")
    token.chmod(0o600)
    with (
        started("run", "--plain", "--config", config),
        started("web", "--port", 0, "--config", config, "--token-file", token) as said,
    ):
        page = page_of(said).rstrip("/").rpartition(":")[2]
        (folder / "prometheus.yml").write_text(SCRAPED.format(token=token, port=page), encoding="utf-8")
        place = f"127.0.0.1:{port}"
        where = [f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/kept"]
        with running(SERVER, *where, f"--web.listen-address={place}", "--log.level=error"):
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
    asked = [one["expr"].replace("$agent", ".*") for panel in board["panels"] for one in panel["targets"]]
    _soon(prometheus, "rate(toolcart_repeats_total[5m])")  # two samples
    _soon(prometheus, "toolcart_spool_syncs_total")  # the block that is erased ahead of the first result
    empty = {name for expression in asked if not _asked(prometheus, expression) for name in _NAMES.findall(expression)}
    assert empty == UNKNOWN
