"""The archive's figures as Prometheus reads them: the database's, the server's, and who may see them."""

import base64
import json
import re
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from toolcart.archive.consume.counters import NAMES
from toolcart.archive.serving import counted
from toolcart.archive.storage import watched_stations
from toolcart.archive.web import metrics, serving
from toolcart.archive.web.pages import today
from toolcart.archive.web.users import Authenticator
from toolcart.base.prometheus import COUNTER
from toolcart.base.sources import ROOT
from host_tests.support.archive import DESCRIBED, RESULT, Served, browsing, command, place_in, result, run

NASTY = 'a"b\\c {d}'
PASSWORD = "a long password"
CONSUMED = {f"consumed_{name}_total": 0 for name in (*NAMES, "connections")}
CONSUMED |= {"consumed_connected": 1, "consumed_waiting_bytes": 0, "consumed_stations_online": 1}


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """Two stations, a result of today that is not OK, one that came twice, and a telegram that cannot be read."""
    with pytest.MonkeyPatch.context() as patched, Served(place_in(tmp_path_factory.mktemp("metrics"))) as served:
        patched.setattr(watched_stations, "LONG_S", 0.0)
        with served.server() as server:
            server.ask(DESCRIBED.replace("Left front".ljust(25), NASTY.ljust(25)))
            bad = result(2, 18, time=today() + "120000")
            for telegram in (RESULT, bad, RESULT, result(3, 1, station=11), "0400099garbage"):
                server.ask(telegram)
        yield served


def samples(text):
    """Every sample by its name and its station."""
    families = list(text_string_to_metric_families(text))
    return {(one.name, one.labels.get("station", "")): one for family in families for one in family.samples}


def test_every_figure_has_type_and_help_and_is_what_was_counted(archive):
    with browsing(archive.place) as browser:
        browser.app.state.site.server = counted(archive.state) | CONSUMED
        answer = browser.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    for name, (kind, help_text) in metrics.FAMILIES.items():
        assert f"# TYPE {name} {kind}\n" in answer.text and f"# HELP {name} {help_text}\n" in answer.text, name
        assert (kind == COUNTER) == name.endswith("_total"), name
    values = {key: one.value for key, one in samples(answer.text).items()}
    assert values["toolcart_archive_stored_total", ""] == 4  # a description, three results
    assert values["toolcart_archive_repeated_total", ""] == 1
    assert values["toolcart_archive_refused_total", ""] == 1
    assert values["toolcart_archive_commits_total", ""] >= 4
    longest = values["toolcart_archive_commit_most_seconds", ""]
    assert 0 < longest <= values["toolcart_archive_commit_time_seconds_total", ""]
    assert values["toolcart_archive_memory_bytes", ""] > 10 * 2**20
    assert values["toolcart_archive_station_results_today", "3/1/10"] == 1
    assert values["toolcart_archive_station_results_today", "3/1/11"] == 0
    nok = samples(answer.text)["toolcart_archive_station_nok_today", "3/1/10"]
    assert (nok.value, nok.labels["name"]) == (1, NASTY)


def test_a_station_is_missed_only_once_it_is_watched(tmp_path, monkeypatch):
    monkeypatch.setattr(watched_stations, "LONG_S", 3600.0)

    def heard(there):
        with browsing(there.place) as browser:
            figures = samples(browser.get("/metrics").text)
        assert ("toolcart_archive_station_results_today", "3/1/10") in figures
        return ("toolcart_archive_station_heard_timestamp_seconds", "3/1/10") in figures

    with Served(place_in(tmp_path)) as served:
        served.report(RESULT)
        assert not heard(served)
        run("station", "3/1/10", "--watch", "--database", served.place)
        assert heard(served)


def test_what_is_not_known_is_left_out(archive):
    with browsing(archive.place) as browser:
        text = browser.get("/metrics").text
    assert "station_heard" in text and "stored" not in text and "memory" not in text
    station = {"SystemType": 3, "System": 1, "Station": 1, "Name": "x", "Heard": "", "Today": 0, "TodayNOK": 0}
    station["Watched"] = 1
    assert "heard" not in metrics.text_of(None, [{"Stations": [station]}])
    station["Heard"] = "20261121143000"
    figures = samples(metrics.text_of(None, [{"Stations": [station]}]))
    assert figures["toolcart_archive_station_heard_timestamp_seconds", "3/1/1"].value == pytest.approx(1795271400)


def test_a_password_stands_in_front_as_prometheus_gives_it(archive):
    def status_of(browser, header):
        return browser.get("/metrics", headers={"authorization": header} if header else {}).status_code

    right = base64.b64encode(f"prometheus:{PASSWORD}".encode()).decode()
    wrong = base64.b64encode(b"prometheus:" + b"another password").decode()
    with browsing(archive.place, Authenticator(PASSWORD), False) as browser:
        assert status_of(browser, "") == status_of(browser, f"Basic {wrong}") == status_of(browser, "Basic ?") == 401
        assert status_of(browser, f"Bearer {right}") == 401
        assert status_of(browser, f"Basic {right}") == 200


def promtool(*words, **more):
    program = shutil.which("promtool") or ROOT / ".cache/prometheus/usr/bin/promtool"
    if not Path(program).exists():
        pytest.skip("promtool is not installed (Debian: prometheus)")
    return subprocess.run([program, *words], capture_output=True, text=True, timeout=20, **more)


def test_debians_promtool_has_nothing_to_say(archive):
    with browsing(archive.place) as browser:
        browser.app.state.site.server = counted(archive.state)
        text = browser.get("/metrics").text
    done = promtool("check", "metrics", input=text)
    assert done.returncode == 0 and done.stderr == "", done.stderr


def test_pages_have_the_figures_of_the_server_that_they_are_beside(archive):
    words = command("web", "--listen", "127.0.0.1:0", "--with-parent", "--database", archive.place)
    pages = subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        address = pages.stdout.readline().split()[2].decode()
        pages.stdin.write(b'{"stored_total": 12345}\n')
        pages.stdin.flush()
        for _ in range(1000):
            text = urllib.request.urlopen(f"{address}/metrics", timeout=20).read().decode()
            if "stored" in text:
                break
        assert samples(text)["toolcart_archive_stored_total", ""].value == 12345
    finally:
        pages.communicate(timeout=20)  # its end of the pipe ends it
    assert pages.returncode == 0


@pytest.fixture
def started(monkeypatch):
    """What gives the processes that are started in place of the pages."""
    start, processes = subprocess.Popen, []

    def instead(command):
        monkeypatch.setattr(
            serving.subprocess, "Popen", lambda _, **more: processes.append(start(command, **more)) or processes[-1]
        )
        return serving.Child("here", serving.WebSettings()), processes

    return instead


def test_pages_that_do_not_read_hold_no_one_up(started, monkeypatch):
    monkeypatch.setattr(serving, "STOP_LIMIT_S", 0.01)
    child, deaf = started([sys.executable, "-c", "import signal; signal.pause()"])
    for number in range(10000):
        child.look_after(print, {"stored_total": number})
    child.close()
    assert len(deaf) == 1 and deaf[0].returncode == -9


def test_pages_that_have_ended_are_started_again(started):
    log = []
    child, processes = started(["true"])
    processes[0].wait()
    child.look_after(log.append, {"stored_total": 1})
    child.close()
    assert len(processes) == 2 and log == ["the pages have ended with 0; they are started again"]


def test_the_dashboard_asks_for_figures_that_there_are():
    board = json.loads((ROOT / "toolcart/archive/web/dashboard.json").read_text(encoding="utf-8"))
    wanted = [one["expr"] for panel in board["panels"] for one in panel["targets"]]
    queried = {name for expression in wanted for name in re.findall(r"toolcart_\w+", expression)}
    assert set(metrics.FAMILIES) - queried == {"toolcart_archive_start_time_seconds"}
    assert queried <= set(metrics.FAMILIES)
    assert json.loads(run("web", "--dashboard").output) == board


def test_the_alert_rules_ask_for_figures_that_there_are():
    text = run("web", "--alert-rules").output
    queried = {name for line in text.splitlines() if "expr:" in line for name in re.findall(r"toolcart_\w+", line)}
    assert len(queried) >= 8 and queried <= set(metrics.FAMILIES)


NOK_SERIES = """rule_files: [alerts.yml]
tests:
  - interval: 1m
    input_series:
      - {series: 'toolcart_archive_start_time_seconds', values: '1x60'}
      - {series: 'toolcart_archive_station_results_today{station="3/1/1", name="Left"}', values: '200x60'}
      - {series: 'toolcart_archive_station_nok_today{station="3/1/1", name="Left"}', values: '4x30 20x30'}
    alert_rule_test:
      - {eval_time: 25m, alertname: ToolcartStationManyNOK}
      - eval_time: 50m
        alertname: ToolcartStationManyNOK
        exp_alerts:
          - exp_labels: {severity: warning, station: 3/1/1, name: Left}
            exp_annotations: {summary: "Left (3/1/1): 10% of today's results are not OK"}
      - {eval_time: 50m, alertname: ToolcartArchiveDown}
"""


def test_promtool_accepts_the_alert_rules_and_they_fire(tmp_path):
    (tmp_path / "alerts.yml").write_text(run("web", "--alert-rules").output)
    (tmp_path / "test.yml").write_text(NOK_SERIES)
    for words in (("check", "rules", "alerts.yml"), ("test", "rules", "test.yml")):
        done = promtool(*words, cwd=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
