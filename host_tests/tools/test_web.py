"""`toolcart web`: pages that can only be read, /metrics as Prometheus reads it, and no one who may not look."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from html import unescape
from pathlib import Path

import pytest
from click.testing import CliRunner
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from toolcart.base import prometheus
from toolcart.tools.cli.main import main
from toolcart.tools.status import asking, place
from toolcart.tools.web import app, commands, metrics, page
from toolcart.tools.web import polling as looking
from toolcart.tools.web.polling import Looking, Seen
from host_tests.tools.test_status_command import _station

ROOT = Path(__file__).resolve().parents[2]
CART = {
    "toolsnet": {"pim_host": "127.0.0.1", "pim_port": 9},
    "stations": [{"number": 1, "controller": {"host": "127.0.0.1", "port": 9}, "spool": {"path": "a.spool"}}],
}
NASTY = '<script>alert("x")</script>\\\n"'
NOW_S = time.mktime(time.strptime("2026-11-20 10:01:00", "%Y-%m-%d %H:%M:%S"))


def _whole(**changed):
    """A station with everything that a status has."""
    station = _station(parked=1, overwritten=0, counters={"duplicates": 2, "server connects": 3}, **changed)
    station["outlets"][0].setdefault("waiting", 4)
    station["spool"].update({"damaged": 0, "worn": 0, "erases_ever": 77})
    station["spool"].update({"syncs": 10, "sync_ms_mean": 2.0, "sync_ms_most": 9.0})
    return station


def _told(*stations, **about):
    clock = {"now": "t", "zone": "CET", "kept": True, "error_s": 0.01}
    agent = {"version": "1.2", "pid": 7, "started_s": 1000.5, "memory_kib": 20000, "faults": 0, "clock": clock}
    agent["servers_clock"] = {"ahead_s": -3, "error_s": 1.0, "outcome": "differs", "times_set": 0}
    return {"agent": {**agent, "uptime_s": 5, "started": "t", **about}, "stations": list(stations)}


def _away(_path, _patience_s):
    raise asking.Trouble("no agent runs here", "start it")


def _client(ask, paths=("/x/cart.json.sock",), **options):
    watch = Looking(list(paths), ask)
    return TestClient(app.make(watch, **options), base_url="http://localhost")


# -- /metrics ------------------------------------------------------------------------------------------------------


def _families(text):
    return {family.name: family for family in text_string_to_metric_families(text)}


def _samples(text, name):
    return [sample for family in _families(text).values() for sample in family.samples if sample.name == name]


def test_prometheus_own_parser_reads_every_figure():
    station = _whole(name=NASTY)
    station["controller"].update(state="closed", why="refused")
    text = metrics.text_of([metrics.Agent("cart", _told(station), 2), metrics.Agent("gone", None)], NOW_S)
    told = {(one.name, one.labels.get("side", "")): one for f in _families(text).values() for one in f.samples}
    assert told["toolcart_results_stored_total", ""].value == 5
    assert told["toolcart_results_stored_total", ""].labels == {"agent": "cart", "station": "10", "name": NASTY}
    assert told["toolcart_results_waiting", ""].value == 2 and told["toolcart_results_parked", ""].value == 1
    assert told["toolcart_oldest_waiting_seconds", ""].value == 60
    assert told["toolcart_connected", "controller"].value == 0 and told["toolcart_connected", "toolsnet"].value == 1
    assert told["toolcart_connection_why", "controller"].labels["why"] == "refused"
    assert told["toolcart_repeats_total", "controller"].value == 2
    assert told["toolcart_flash_erases_rated", ""].value == 16 * metrics.RATED_ERASES
    assert told["toolcart_spool_sync_time_seconds_total", ""].value == pytest.approx(0.02)
    assert told["toolcart_agent_memory_bytes", ""].value == 20000 * 1024
    assert told["toolcart_agent_restarts_total", ""].value == 0 and 'restarts_total{agent="cart"} 2' in text
    ups = {one.labels["agent"]: one.value for one in _samples(text, "toolcart_up")}
    assert ups == {"cart": 1, "gone": 0}


def test_every_family_is_told_of_whole_station_and_has_help_and_type():
    station = _whole(needs_operator={"why": "it is full"})
    station["controller"].update(state="closed", why="refused", line={"overruns": 2})
    text = metrics.text_of([metrics.Agent("cart", _told(station))], NOW_S)
    assert 'toolcart_needs{agent="cart",station="10",name="Cart",what="operator",level="bad"} 1' in text
    for name, (kind, help_text) in metrics.FAMILIES.items():
        assert f"# TYPE {name} {kind}\n" in text and f"# HELP {name} {help_text}\n" in text, name
        assert kind != prometheus.COUNTER or name.endswith("_total"), name


def test_what_is_not_known_is_left_out():
    station = _whole(mounted=False)
    told = _told(station, memory_kib=None, clock={"kept": None}, servers_clock=None)
    text = metrics.text_of([metrics.Agent("cart", told)])
    assert "toolcart_spool_up{" in text and "stored" not in text and "memory" not in text and "clock" not in text
    waiting = _whole(oldest_waiting="0000-00-00 00:00:00")
    assert "oldest" not in metrics.text_of([metrics.Agent("cart", _told(waiting))])


def test_debians_promtool_has_nothing_to_say():
    promtool = shutil.which("promtool") or ROOT / ".cache/prometheus/usr/bin/promtool"
    if not Path(promtool).exists():
        pytest.skip("promtool is not installed (Debian: prometheus)")
    text = metrics.text_of([metrics.Agent("cart", _told(_whole()), 2), metrics.Agent("gone", None)])
    done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True, timeout=20)
    assert done.returncode == 0 and done.stderr == "", done.stderr


def test_the_dashboard_asks_for_figures_that_there_are():
    board = json.loads((ROOT / "toolcart/tools/web/dashboard.json").read_text(encoding="utf-8"))
    wanted = [one["expr"] for panel in board["panels"] for one in panel["targets"]]
    asked = {name for expression in wanted for name in re.findall(r"toolcart_\w+", expression)}
    assert asked and asked <= set(metrics.FAMILIES)
    assert json.loads(CliRunner().invoke(main, ["web", "--dashboard"]).output) == board


# -- pages ---------------------------------------------------------------------------------------------------------


def test_the_overview_says_what_is_connected_and_why_not():
    station = _whole(name=NASTY)
    station["controller"].update(state="closed", why="refused")
    with _client(lambda _path, _patience_s: _told(station)) as client:
        shown = client.get("/")
        assert shown.status_code == 200 and "<script>" not in shown.text
        for words in (
            "refused the connection",
            "Is Open Protocol switched on",
            "streaming",
            "toolcart quarantine list",
        ):
            assert words in shown.text, words
        assert "refused the connection" in client.get("/agent/cart.json").text
        assert client.get("/status.json").json()["agents"][0]["status"]["stations"][0]["stored"] == 5
        assert client.get("/metrics").headers["content-type"] == prometheus.CONTENT_TYPE
        assert client.get("/agent/other").status_code == 404 and client.get("/etc").status_code == 404
        assert client.get("/static/style.css").headers["content-type"].startswith("text/css")


def test_a_missing_agent_and_a_missing_spool_are_told():
    with _client(_away) as client:
        assert "no agent runs here" in client.get("/").text and "start it" in client.get("/agent/cart.json").text
        assert "toolcart_up" in client.get("/metrics").text and client.get("/health").text == "ok\n"
    with _client(lambda _p, _s: _told(_whole(mounted=False, spool_problem="it is a folder"))) as client:
        assert "the spool is not up: it is a folder" in client.get("/").text


def test_a_wrong_configuration_is_said_on_the_page_until_mended(tmp_path, monkeypatch):
    monkeypatch.setattr(looking, "HOLD_S", 0.0)
    good, wrong = tmp_path / "good.json", tmp_path / "my wrong.json"
    good.write_text(json.dumps(CART))
    wrong.write_text(json.dumps({**CART, "stations": []}))
    configs = {place.to_ask(path): str(path) for path in (good, wrong, tmp_path / "none.json")}
    with _client(looking.ask_or_check(configs), tuple(configs)) as client:
        told = unescape(client.get("/").text)
        assert "my wrong.json: 1 mistake" in told and f"`toolcart config check '{wrong}'`" in told
        assert "none.json: 1 mistake" in told and "file not found" in told
        assert told.count("no agent runs here: there is no") == 1, "of the good one"
        wrong.write_text(json.dumps(CART))
        assert "my wrong.json: 1 mistake" not in unescape(client.get("/").text)


def test_configurations_that_are_all_wrong_end_it_as_they_end_run(tmp_path):
    wrong, good = tmp_path / "wrong.json", tmp_path / "good.json"
    wrong.write_text(json.dumps({**CART, "stations": []}))
    good.write_text(json.dumps(CART))
    serve = ["web", "--port", "0", "--seconds", "0.2", "--config"]
    run = CliRunner().invoke(main, ["run", "--plain", "--config", str(wrong)])
    for paths in ([wrong], [wrong, tmp_path / "none.json"]):
        done = CliRunner().invoke(main, [*serve, *" --config ".join(map(str, paths)).split()])
        assert done.exit_code == 2 and str(run.output).strip() in done.output
    done = CliRunner().invoke(main, [*serve, str(wrong), "--config", str(good)])
    assert done.exit_code == 0 and "wrong.json: 1 mistake" in done.output


def test_nothing_can_be_changed_here():
    with _client(_away) as client:
        for path in ("/", "/metrics", "/status.json", "/agent/cart.json"):
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
    token = "0123456789abcdef"
    odd = {"authorization": ("Bearer \xe9" + token).encode("latin-1")}
    with _client(_away, token=token) as client:
        assert client.get("/metrics").status_code == 401 and client.get("/health").status_code == 200
        assert client.get("/metrics", headers=odd).status_code == 401
        assert client.get("/metrics", headers={"authorization": f"Bearer {token}"}).status_code == 200


def test_a_browser_gives_the_token_as_a_password():
    token = "0123456789abcdef"
    with _client(_away, token=token) as client:
        assert client.get("/").headers["www-authenticate"].startswith("Basic ")
        assert client.get("/", auth=("anybody", token)).status_code == 200
        assert client.get("/", auth=(token, "")).status_code == 401
        for odd in ("Basic", "Basic ====", "Basic \xff", f"Basic {token}", "Digest x", token):
            assert client.get("/", headers={"authorization": odd.encode("latin-1")}).status_code == 401, odd


# -- asking --------------------------------------------------------------------------------------------------------


def test_however_many_look_an_agent_is_asked_once_a_second(monkeypatch):
    asked = []
    watch = Looking(["/x/a.json.sock"], lambda path, _s: asked.append(path) or _told())
    for _ in range(50):
        watch.look()
    assert len(asked) == 1
    monkeypatch.setattr(looking, "HOLD_S", 0.0)
    watch.look()
    assert len(asked) == 2
    watch.close()


def test_a_start_of_the_agent_is_counted_and_its_absence_is_not():
    seen = Seen("a", path="/x")
    for started_s in (1.0, 1.0, None, 2.0, None, 2.0, 3.0):
        seen.look(_away if started_s is None else lambda _p, _s, at_s=started_s: _told(started_s=at_s))
    assert seen.restarts == 2


def test_agents_have_names_of_their_own():
    paths = ["/run/toolcart/agent.sock", "/a/cart.json.sock", "/b/cart.json.sock", "/b/line.json.sock"]
    assert list(looking.names_of(paths).values()) == ["toolcart", "a-cart.json", "cart.json", "line.json"]
    many = [f"/{folder}/x/cart.json.sock" for folder in "abc"]
    assert len(set(looking.names_of(many).values())) == 3


def test_without_a_name_every_service_is_shown(tmp_path, monkeypatch):
    monkeypatch.setattr(place, "SERVICE_FOLDER", str(tmp_path / "toolcart"))
    for name in ("toolcart", "toolcart-paint", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "agent.sock").touch()
    watch = Looking([], lambda _p, _s: _told())
    assert [seen.name for seen in watch.look()] == ["toolcart", "toolcart-paint"]
    watch.close()


# -- the command ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "mode", "words"), [("0123456789abcdef", 0o644, "chmod 600"), ("short", 0o600, "at least 16")]
)
def test_a_token_that_is_none_is_refused(tmp_path, content, mode, words):
    path = tmp_path / "token"
    if content is not None:
        path.write_text(content, encoding="utf-8")
        path.chmod(mode)
    done = CliRunner().invoke(main, ["web", "--token-file", str(path)])
    assert done.exit_code == 2 and words in done.output


def test_a_credential_of_systemd_is_taken_with_the_mode_it_has(tmp_path, monkeypatch):
    path = tmp_path / "token"
    path.write_text("0123456789abcdef\n", encoding="utf-8")
    path.chmod(0o440)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert commands._token(str(path)) == "0123456789abcdef"


def test_others_on_the_network_need_a_token_or_a_word():
    done = CliRunner().invoke(main, ["web", "--host", "0.0.0.0"])
    assert done.exit_code == 2 and "--token-file" in done.output and "--open" in done.output
    assert commands._is_loopback("::1") and commands._is_loopback("localhost") and not commands._is_loopback("pi")


def test_it_serves_and_ends_and_a_port_in_use_is_told():
    command = [
        sys.executable,
        "-m",
        "toolcart.tools.cli.main",
        "web",
        "/x/none.json.sock",
        "--port",
        "0",
        "--seconds",
        "20",
    ]
    environment = dict(os.environ, PYTHONPATH=str(ROOT), PYTHONUNBUFFERED="1")
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as serving:
        assert serving.stdout is not None
        address = serving.stdout.readline().split()[2].rstrip(",")
        taken = CliRunner().invoke(main, ["web", "--port", address.rsplit(":", 1)[1]])
        assert taken.exit_code == 1 and "--port" in taken.output and "in use" in taken.output
        serving.terminate()
        assert serving.wait(20) in (0, -15)


def test_every_text_of_others_is_escaped():
    assert "<b>" not in page.trouble("<b>") and "\\x1b" in page.trouble("\x1b[2J")
