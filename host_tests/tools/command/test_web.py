"""`toolcart web`: pages only to be read, /metrics, no one who may not look; a browser reads it."""

import contextlib
import itertools
import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from toolcart.base.prometheus import CONTENT_TYPE, COUNTER
from toolcart.tools.config import socket_location
from toolcart.tools.messages import latched_conditions
from toolcart.tools.status import client
from toolcart.tools.web import app, commands, metrics, page
from toolcart.tools.web.page import AgentState, WatchedAgents
from host_tests.support.needed import needed
from host_tests.support.running import (
    ROOT,
    cart_of,
    command_of,
    free_port,
    page_of,
    running,
    started,
    toolcart,
    written,
)
from host_tests.tools.command.test_status_command import _station
from lab.harness.browser import browser as chromium

NASTY = '<script>alert("x")</script>\\\n"'
TOKEN = "0123456789abcdef"


def _whole(**changed):
    """A station with everything that a status has."""
    station = _station(parked=1, overwritten=0, counters={"duplicates": 2, "server connects": 3}, **changed)
    station["outlets"][0].setdefault("waiting", 4)
    station["spool"].update(erases_ever=77, syncs=10, sync_ms_mean=2.0, sync_ms_most=9.0)
    return station


def _away_from_its_controller(**changed):
    station = _whole(**changed)
    station["controller"].update(state="closed", why="refused")
    return station


def _answer(*stations, **about):
    clock = {"now": "t", "zone": "CET", "kept": True, "error_s": 0.01}
    agent = {"version": "1.2", "pid": 7, "started_s": 1000.5, "memory_kib": 20000, "faults": 0, "clock": clock}
    agent["servers_clock"] = {"ahead_s": -3, "error_s": 1.0, "outcome": "differs", "times_set": 0}
    return {"agent": {**agent, "uptime_s": 5, "started": "t", **about}, "stations": list(stations)}


def _away(_path, _patience_s):
    raise client.NoAgent("no agent runs here", "start it")


def _client(ask, paths=("/x/cart.json.sock",), **options):
    watch = WatchedAgents(list(paths), ask)
    return TestClient(app.make(watch, **options), base_url="http://localhost")


# -- /metrics ------------------------------------------------------------------------------------------------------


def test_prometheus_own_parser_reads_every_figure():
    cart = metrics.Agent("cart", _answer(_away_from_its_controller(name=NASTY)), 2)
    text = metrics.text_of([cart, metrics.Agent("gone", None)])
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    figures = {(one.name, one.labels.get("side", "")): one for one in samples}
    assert figures["toolcart_results_stored_total", ""].value == 5
    assert figures["toolcart_results_stored_total", ""].labels == {"agent": "cart", "station": "10", "name": NASTY}
    assert figures["toolcart_results_waiting", ""].value == 2 and figures["toolcart_results_parked", ""].value == 1
    assert figures["toolcart_oldest_waiting_seconds", ""].value == 60
    assert (
        figures["toolcart_connected", "controller"].value == 0 and figures["toolcart_connected", "toolsnet"].value == 1
    )
    assert figures["toolcart_connection_why", "controller"].labels["why"] == "refused"
    assert figures["toolcart_repeats_total", "controller"].value == 2
    assert figures["toolcart_flash_erases_rated", ""].value == 16 * metrics.RATED_ERASES
    assert figures["toolcart_spool_sync_time_seconds_total", ""].value == pytest.approx(0.02)
    assert figures["toolcart_agent_memory_bytes", ""].value == 20000 * 1024
    assert figures["toolcart_agent_restarts_total", ""].value == 0 and 'restarts_total{agent="cart"} 2' in text
    ups = {one.labels["agent"]: one.value for one in samples if one.name == "toolcart_up"}
    assert ups == {"cart": 1, "gone": 0}


def test_every_family_is_there_for_a_whole_station_and_has_help_and_type():
    station = _away_from_its_controller(needs_operator={"why": "it is full"})
    station["controller"]["line"] = {"overruns": 2}
    station["dropped"] = 1
    station["outlets"][0].update(lost_there=3, sent_again=2, sent_again_done=1, given_up=9)
    easy = {"kind": "file", "name": "easy", "durable": False, "is_up": True, "state": "open", "place": "a.jsonl"}
    station["outlets"].append({**easy, "waiting": 0, "given_up": 0})
    text = metrics.text_of([metrics.Agent("cart", _answer(station))])
    assert 'toolcart_needs{agent="cart",station="10",name="Cart",what="operator",level="bad"} 1' in text
    for name, (kind, help_text) in metrics.FAMILIES.items():
        assert f"# TYPE {name} {kind}\n" in text and f"# HELP {name} {help_text}\n" in text, name
        assert kind != COUNTER or name.endswith("_total"), name


def test_what_is_not_known_is_left_out():
    station = _whole(mounted=False)
    answer = _answer(station, memory_kib=None, clock={"kept": None}, servers_clock=None)
    text = metrics.text_of([metrics.Agent("cart", answer)])
    assert "toolcart_spool_up{" in text and "stored" not in text and "memory" not in text and "clock" not in text
    waiting = _whole(oldest_waiting_s=None)
    assert "oldest" not in metrics.text_of([metrics.Agent("cart", _answer(waiting))])


def test_debians_promtool_has_nothing_to_say():
    promtool = shutil.which("promtool") or ROOT / ".cache/prometheus/usr/bin/promtool"
    if not Path(promtool).exists():
        pytest.skip("promtool is not installed (Debian: prometheus)")
    text = metrics.text_of([metrics.Agent("cart", _answer(_whole()), 2), metrics.Agent("gone", None)])
    done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True, timeout=20)
    assert done.returncode == 0 and done.stderr == "", done.stderr


def test_the_dashboard_asks_for_figures_that_there_are():
    board = json.loads((ROOT / "toolcart/tools/web/dashboard.json").read_text(encoding="utf-8"))
    wanted = [one["expr"] for panel in board["panels"] for one in panel["targets"]]
    families = {name for expression in wanted for name in re.findall(r"toolcart_\w+", expression)}
    assert families and families <= set(metrics.FAMILIES)
    assert json.loads(toolcart("web", "--dashboard").output) == board


# -- pages ---------------------------------------------------------------------------------------------------------


def test_every_doubt_about_toolsnet_has_an_alert_and_every_alert_asks_for_figures_that_there_are():
    text = (ROOT / "docs/watching.md").read_text(encoding="utf-8")
    alerts = re.findall(r"^\| `([^`]*toolcart_[^`]*)` \|", text, re.MULTILINE)
    assert len(alerts) > 8 and {name for alert in alerts for name in re.findall(r"toolcart_\w+", alert)} <= set(
        metrics.FAMILIES
    )
    doubts = {"lost_there": 3, "unknown_sequence": 7, "events_doubt": "Were they emptied?", "events_perhaps_there": 2}
    asked = [match[1] for alert in alerts if (match := re.search(r'what=~?"([^"]*)"', alert))]
    asked += ["lost there"] if "toolcart_results_in_doubt > 0" in alerts else []
    for name, value in doubts.items():
        station = _whole()
        before = latched_conditions.all_needs(station)
        station["outlets"][0][name] = value
        [need] = [need for need in latched_conditions.all_needs(station) if need not in before]
        assert need.label == "DOUBT" and any(re.fullmatch(slug, need.slug) for slug in asked), need


def test_the_overview_says_what_waits_for_each_outlet():
    station = _whole(backlog=0)
    station["outlets"][0]["waiting"] = 0
    mqtt = {"kind": "mqtt", "name": "mqtt", "durable": False, "is_up": False, "state": "closed", "why": ""}
    station["outlets"].append({**mqtt, "place": "mqtt://broker:1883", "waiting": 1459, "given_up": 0})
    assert "1459 for MQTT, 0 for ToolsNet" in page.row(station)


def test_the_overview_says_what_is_connected_and_why_not():
    with _client(lambda _path, _patience_s: _answer(_away_from_its_controller(name=NASTY))) as client:
        response = client.get("/")
        assert response.status_code == 200 and "<script>" not in response.text
        expected = ("refused the connection", "Is Open Protocol switched on", "streaming", "toolcart quarantine list")
        assert [words for words in expected if words not in response.text] == []
        assert "refused the connection" in client.get("/agent/x-cart.json").text
        assert client.get("/status.json").json()["agents"][0]["status"]["stations"][0]["stored"] == 5
        assert client.get("/metrics").headers["content-type"] == CONTENT_TYPE
        assert client.get("/agent/other").status_code == 404 and client.get("/etc").status_code == 404
        assert client.get("/static/style.css").headers["content-type"].startswith("text/css")


def test_a_missing_agent_and_a_missing_spool_are_reported():
    with _client(_away) as client:
        assert "no agent runs here" in client.get("/").text and "start it" in client.get("/agent/x-cart.json").text
        for page in ("/", "/agent/x-cart.json"):  # whether it runs is not known
            assert "no answer" in client.get(page).text and "not running" not in client.get(page).text
        assert "toolcart_up" in client.get("/metrics").text and client.get("/health").text == "ok\n"
    with _client(lambda _p, _s: _answer(_whole(mounted=False, spool_problem="it is a folder"))) as client:
        assert "the spool is not up: it is a folder" in client.get("/").text


def test_a_wrong_configuration_is_reported_on_the_page_until_mended(tmp_path, monkeypatch):
    monkeypatch.setattr(page, "HOLD_S", 0.0)
    good, wrong = written(tmp_path, cart_of(), "good.json"), written(tmp_path, cart_of(stations=[]), "my wrong.json")
    configs = {socket_location.to_ask(path): str(path) for path in (good, wrong, tmp_path / "none.json")}
    with _client(page.ask_or_check(configs), tuple(configs)) as client:
        page_text = unescape(client.get("/").text)
        assert "my wrong.json: 1 mistake" in page_text and f"`toolcart config check '{wrong}'`" in page_text
        assert "none.json: 1 mistake" in page_text and "file not found" in page_text
        assert page_text.count("no agent runs here: there is no") == 1, "of the good one"
        written(tmp_path, cart_of(), wrong.name)
        assert "my wrong.json: 1 mistake" not in unescape(client.get("/").text)


def test_configurations_that_are_all_wrong_end_it_as_they_end_run(tmp_path):
    wrong, good = written(tmp_path, cart_of(stations=[]), "wrong.json"), written(tmp_path, cart_of(), "good.json")
    serve = ["web", "--port", 0, "--seconds", 0.2, "--config", wrong]
    output = toolcart("run", "--plain", "--config", wrong, code=2).output.strip()
    for more in ((), ("--config", tmp_path / "none.json")):
        assert output in toolcart(*serve, *more, code=2).output
    assert "wrong.json: 1 mistake" in toolcart(*serve, "--config", good).output


def test_nothing_can_be_changed_here():
    with _client(_away) as client:
        for path in ("/", "/metrics", "/status.json", "/agent/x-cart.json"):
            for method in ("POST", "PUT", "DELETE", "PATCH"):
                assert client.request(method, path).status_code == 405
            headers = client.get(path).headers
            assert "default-src 'none'" in headers["content-security-policy"] and headers["cache-control"] == "no-store"


def test_a_foreign_page_cannot_read_it_under_a_name_of_its_own():
    with _client(_away) as client:
        assert client.get("/", headers={"host": "evil.example:9477"}).status_code == 421
        for host in ("localhost:9477", "127.0.0.1", "[::1]:9477", "[::1]"):
            assert client.get("/", headers={"host": host}).status_code == 200, host
    with _client(_away, only_here=False) as client:
        assert client.get("/", headers={"host": "pi.plant:9477"}).status_code == 200


def test_with_a_token_no_one_looks_without_it():
    with _client(_away, token=TOKEN) as client:
        assert client.get("/metrics").status_code == 401 and client.get("/health").status_code == 200
        assert client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"}).status_code == 200
        # A browser gives it as a password.
        assert client.get("/").headers["www-authenticate"].startswith("Basic ")
        assert client.get("/", auth=("anybody", TOKEN)).status_code == 200
        assert client.get("/", auth=(TOKEN, "")).status_code == 401
        for odd in (f"Bearer \xe9{TOKEN}", "Basic", "Basic ====", "Basic \xff", f"Basic {TOKEN}", "Digest x", TOKEN):
            assert client.get("/", headers={"authorization": odd.encode("latin-1")}).status_code == 401, odd


# -- asking --------------------------------------------------------------------------------------------------------


def test_however_many_look_an_agent_is_asked_once_a_second(monkeypatch):
    requests = []
    watch = WatchedAgents(["/x/a.json.sock"], lambda path, _s: requests.append(path) or _answer())
    for _ in range(50):
        watch.states()
    assert len(requests) == 1
    monkeypatch.setattr(page, "HOLD_S", 0.0)
    watch.states()
    assert len(requests) == 2
    watch.close()


def test_a_start_of_the_agent_is_counted_and_its_absence_is_not():
    seen = AgentState("a", path="/x")
    for started_s in (1.0, 1.0, None, 2.0, None, 2.0, 3.0):
        seen.refresh(_away if started_s is None else lambda _p, _s, at_s=started_s: _answer(started_s=at_s))
    assert seen.restarts == 2


def test_agents_have_names_of_their_own():
    paths = ["/run/toolcart/agent.sock", "/home/a/cart.json.sock", "/home/b/cart.json.sock", "/home/b/line.json.sock"]
    names = ["toolcart", "a-cart.json", "b-cart.json", "b-line.json"]
    assert list(page.names_of(paths).values()) == names
    many = ["/x/a/cart.json.sock", "/y/a/cart.json.sock", "/z/a/cart.json.sock", "/z/b/cart.json.sock"]
    names = ["x-a-cart.json", "y-a-cart.json", "z-a-cart.json", "b-cart.json"]
    assert list(page.names_of(many).values()) == names


ALIKE = [
    f"{folder}/cart.json.sock" for folder in ("/a", "/b", "/x/a", "/x/b", "/x-b", "/y/x/b", "/y/x-b", "/y-x/b", "")
]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_an_agents_name_goes_by_neither_the_order_nor_what_else_is_watched(count):
    """It has more folders only beside one with the same file in a folder of the same name."""
    for paths in itertools.combinations(ALIKE, count):
        names = page.names_of(list(paths))
        assert len(set(names.values())) == count, names
        assert all(page.names_of(list(turned)) == names for turned in itertools.permutations(paths))
        own = {path: page.name_of(path) for path in paths}
        assert len(set(own.values())) < count or names == own


def test_a_cart_more_takes_no_ones_label():
    one, other, third = (f"/srv/{folder}/cart.json.sock" for folder in "abc")
    assert page.names_of([one])[one] == page.names_of([other, one])[one] == page.names_of([one, other, third])[one]


def test_without_a_name_every_service_is_shown(tmp_path, monkeypatch):
    monkeypatch.setattr(socket_location, "SERVICE_FOLDER", str(tmp_path / "toolcart"))
    for name in ("toolcart", "toolcart-paint", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "agent.sock").touch()
    watch = WatchedAgents([], lambda _p, _s: _answer())
    assert [seen.name for seen in watch.states()] == ["toolcart", "toolcart-paint"]
    watch.close()


# -- the command ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "mode", "words"), [("0123456789abcdef", 0o644, "chmod 600"), ("short", 0o600, "at least 16")]
)
def test_a_token_that_is_none_is_refused(tmp_path, content, mode, words):
    path = token_in(tmp_path, content, mode)
    assert words in toolcart("web", "--token-file", path, code=2).output


def token_in(folder, content=TOKEN, mode=0o600):
    path = folder / "token"
    path.write_text(content, encoding="utf-8")
    path.chmod(mode)
    return path


def test_a_credential_of_systemd_is_taken_with_the_mode_it_has(tmp_path, monkeypatch):
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert commands._token(str(token_in(tmp_path, f"{TOKEN}\n", 0o440))) == TOKEN


def test_others_on_the_network_need_a_token_or_a_word():
    output = toolcart("web", "--host", "0.0.0.0", code=2).output
    assert "--token-file" in output and "--open" in output
    assert commands.is_loopback("::1") and commands.is_loopback("localhost") and not commands.is_loopback("pi")


def test_it_serves_and_ends_and_a_port_in_use_is_reported():
    with running(*command_of("web", "/x/none.json.sock", "--port", 0, "--seconds", 20)) as serving:
        address = page_of(serving.stdout.readline())
        taken = toolcart("web", "--port", address.rsplit(":", 1)[1], code=1).output
        assert "--port" in taken and "in use" in taken
    assert serving.returncode in (0, -15)


def test_every_text_of_others_is_escaped():
    assert "<b>" not in page.error_page("<b>") and "\\x1b" in page.error_page("\x1b[2J")


PHONE, DESK = {"width": 360, "height": 740}, {"width": 1280, "height": 800}
SOON_MS = 60000


@pytest.fixture(scope="module")
def browser():
    with needed("browser", chromium()) as made:
        yield made


@pytest.fixture(scope="module")
def cart(tmp_path_factory):
    """The configuration of an agent that runs, and the port where its controller is awaited; ToolsNet stays away."""
    port = free_port()
    folder = tmp_path_factory.mktemp("cart")
    station = {"name": "Left <b>door</b>"}
    config = written(folder, cart_of(number=7, controller={"port": port}, station=station))
    with started("run", "--plain", "--config", config):
        yield config, port


@contextlib.contextmanager
def _page(browser, cart, *options, token="", **context):
    """A page that complains about nothing and asks no one else."""
    wrong = []
    credentials = {"username": "plant", "password": token} if token else None
    with started("web", "--port", 0, "--config", cart[0], *options) as process:
        address = page_of(process)
        made = browser.new_context(base_url=address, http_credentials=credentials, **context)
        page = made.new_page()
        page.set_default_timeout(SOON_MS)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
        page.on("request", lambda request: None if request.url.startswith(address) else wrong.append(request.url))
        page.goto("/")
        yield page
        made.close()
    assert [one for one in wrong if "401" not in one] == []  # what is asked for a token at first


def _expect(page, selector):
    from playwright.sync_api import expect

    return expect(page.locator(selector))


def _scrolls_aside(page):
    return page.evaluate(
        "[document.documentElement, ...document.querySelectorAll('.scroll, pre')].some("
        "one => one.scrollWidth > one.clientWidth)"
    )


def test_the_page_says_why_and_is_up_to_date_by_itself(browser, cart):
    with _page(browser, cart, viewport=DESK) as page:
        _expect(page, "tr.why").to_contain_text("refused the connection", timeout=SOON_MS)
        _expect(page, "tr.station td:first-child").to_have_text("7 Left <b>door</b>")
        with started("simulate", "controller", "--port", cart[1], "--rate", 20):
            _expect(page, "td[data-name=Controller]").to_contain_text("ready", timeout=SOON_MS)
            _expect(page, "td[data-name=Waiting]").not_to_have_text("0", timeout=SOON_MS)
        assert not _scrolls_aside(page)
        page.locator("h2 a").click()
        _expect(page, "pre").to_contain_text("station 7")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_nothing_has_to_be_moved_aside(browser, cart, scheme):
    with _page(browser, cart, viewport=PHONE, color_scheme=scheme) as page:
        _expect(page, "tr.why").to_contain_text("refused the connection", timeout=SOON_MS)
        assert not _scrolls_aside(page)
        assert page.locator("td[data-name=Stored]").bounding_box()["x"] < PHONE["width"]
        ground, ink = (
            page.evaluate(f"getComputedStyle(document.body).{name}") for name in ("backgroundColor", "color")
        )
        assert ground != ink
        page.locator("h2 a").click()
        _expect(page, "pre").to_contain_text("station 7")
        assert not _scrolls_aside(page)


def test_a_browser_asks_for_the_token(browser, cart, tmp_path):
    file = token_in(tmp_path)
    with _page(browser, cart, "--token-file", file, token=TOKEN, viewport=DESK) as page:
        _expect(page, "tr.station").to_have_count(1)
    with _page(browser, cart, "--token-file", file, token="another", viewport=DESK) as page:
        _expect(page, "tr.station").to_have_count(0)
