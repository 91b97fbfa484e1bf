"""The demo: the real agent in its own process, cut off and killed by a script, and an account that says the truth."""

import json
import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from toolcart.archive import beside
from toolcart.tools.demo import faults as demo_account
from toolcart.tools.demo import faults as demo_faults
from toolcart.tools.demo.faults import Faults, Span
from toolcart.tools.demo.plant import Demo
from toolcart.tools.live.figures import BAD, GOOD, INFO, WARNING, Change, Figures
from toolcart.tools.live.watch import ENDED, RECENT, RUNNING, Watch
from toolcart.tools.process.agent import NONE

DEADLINE_S = 120
ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = dict(os.environ, PYTHONPATH=str(ROOT), TERM="dumb")


def _run_demo(*arguments):
    return _toolcart("run", *arguments)


def _toolcart(*arguments):
    command = [sys.executable, "-m", "toolcart.tools.cli.main", *map(str, arguments)]
    return subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=DEADLINE_S)


def _turn_until(watch, condition):
    deadline_s = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline_s, list(watch.recent)
        watch.turn()
        time.sleep(0.01)  # the loop of every driver; no assertion depends on its length


def test_a_scripted_run_with_outages_and_kills_delivers_everything_once(tmp_path):
    told = _run_demo(
        "--seconds",
        8,
        "--json",
        "--rate",
        20,
        "--outage",
        "1:3",
        "--controller-outage",
        "4:5",
        "--kill",
        2,
        "--kill",
        6,
        "--kill-archive",
        7,
        "--keep",
        tmp_path,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    lines = [json.loads(line) for line in told.stdout.splitlines()]
    account = lines[-1]
    assert account["produced"] == account["delivered"] > 100
    assert account["acknowledged"] == account["produced"]
    # Killed between program and acknowledgement, the agent has a result whose 0062 never left.
    assert account["answers_lost"] <= account["kills"]
    assert account["lost"] == account["out_of_order"] == account["doubled"] == account["complaints"] == 0
    assert account["kills"] == 2 and account["archive_kills"] == 1 and account["agent_crashes"] == 0
    assert 0 < account["archive_started_s"] < 60
    assert 0 < account["first_delivered_s"] < 20  # docs/internals/figures.md has what it is on a machine that has time
    assert account["toolsnet_outages"] == account["controller_outages"] == 1
    texts = [line["text"] for line in lines if line["kind"] == "change"]
    for text in ("ToolsNet's network is cut", "everything is delivered", "controller left in order"):
        assert text in texts
    assert [text for text in texts if text.startswith("controller lost: controller 127.0.0.1:")], texts
    checked = _toolcart("archive", "check", "--database", tmp_path / "archive.sqlite")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert checked.stdout.splitlines()[-1] == f"missing 0, behind 0, again {account['repeated']}"


@pytest.mark.long("two demos, one behind the other")
def test_a_kept_folder_is_gone_on_with(tmp_path):
    for run in (1, 2):
        told = _run_demo("--seconds", 1, "--json", "--keep", tmp_path)
        assert told.returncode == 0, told.stdout + told.stderr
        account = json.loads(told.stdout.splitlines()[-1])
        assert account["produced"] == account["delivered"] > 0
        newest = int((tmp_path / "newest-id").read_text())
        assert newest >= account["produced"] * run // 2
    assert newest > account["produced"]


def test_the_plain_account_says_how_it_ended():
    told = _run_demo("--seconds", 1, "--plain")
    assert told.returncode == 0, told.stdout + told.stderr
    assert "Every result is in the archive, in order." in told.stdout


def test_what_is_lost_or_stored_twice_breaks_the_promise():
    good = {"produced": 5, "delivered": 5, "lost": 0, "out_of_order": 0, "doubled": 0}
    assert not demo_account.is_wrong(good)
    for name, value in (("lost", 1), ("out_of_order", 1), ("doubled", 1), ("delivered", 4)):
        assert demo_account.is_wrong({**good, name: value})


def test_an_account_without_results_does_not_say_that_all_are_there():
    told = dict.fromkeys(("produced", "acknowledged", "delivered", "repeated", "doubled", "lost", "out_of_order"), 0)
    told |= {"kills": 0, "toolsnet_outages": 0, "controller_outages": 0, "seconds": 20.1}
    assert demo_account.lines(told, "")[-1].strip().startswith("No result was made")
    assert "Every result is in the archive" in demo_account.lines({**told, "produced": 1, "delivered": 1}, "")[-1]


def test_what_waits_or_is_parked_is_not_lost():
    assert demo_account.lost({"lost": 7, "overtaken": 2}, waiting=5, parked=2) == 0
    assert demo_account.lost({"lost": 7, "overtaken": 2}, waiting=5, parked=0) == 2
    assert demo_account.lost({"lost": 7, "overtaken": 0}, waiting=0, parked=1) == 6


def test_results_taken_out_of_the_archive_are_told_as_lost():
    demo = Demo(seconds=2, rate_per_s=20)
    try:
        demo.start()
        _turn_until(demo, lambda: demo.phase == RUNNING and demo.books.get("delivered", 0) > 10)
        with sqlite3.connect(demo.archived.place, 10) as database:
            database.execute("DELETE FROM Result WHERE TighteningId IN (3, 4)")
        demo.end()
        demo._drain_by_s = 0.0  # the two never come: no need to wait for them
        _turn_until(demo, lambda: demo.phase == ENDED)
        assert demo.account()["lost"] == 2
        assert demo.exit_code == 1
        assert any("results are lost" in line for line in demo.account_lines())
    finally:
        demo.close()


class Pages:
    """What would show the archive."""

    closed = False

    def close(self):
        self.closed = True


def test_the_demos_archive_is_shown_where_somebody_wants_it():
    pages, places = Pages(), []
    demo = Demo(
        seconds=0.8, rate_per_s=30, faults=Faults([Span(0.3, 0.5)], [], []), show=lambda p: places.append(p) or pages
    )
    try:
        demo.start()
        _turn_until(demo, lambda: demo.phase == ENDED)
        told = demo.account()
        assert told["produced"] == told["delivered"] > 10 and demo.exit_code == 0
        assert told["toolsnet_outages"] == 1 and told["complaints"] == 0
        assert Path(places[0]) == demo.folder / "archive.sqlite"
    finally:
        demo.close()
    assert pages.closed


def test_without_the_archives_libraries_toolsnet_is_simulated_one_and_that_is_said(monkeypatch):
    monkeypatch.setattr(beside, "missing", lambda: "sqlalchemy")
    demo = Demo(seconds=0.3, rate_per_s=30, faults=Faults(archive_kills_s=[0.1]))
    try:
        demo.start()
        _turn_until(demo, lambda: demo.phase == ENDED)
        told = demo.account()
        assert told["produced"] == told["delivered"] > 3 and demo.exit_code == 0
        assert told["archive_kills"] == 0 and told["archive_started_s"] is None
        [note] = [change.text for change in demo.recent if "simulated ToolsNet" in change.text]
        assert "needs sqlalchemy" in note and "pip install" in note
    finally:
        demo.close()


@pytest.mark.long("a demo for one fault")
def test_an_archive_that_ends_is_told_and_started_again():
    demo = Demo(rate_per_s=20)
    try:
        demo.start()
        _turn_until(demo, lambda: demo.books.get("delivered", 0) > 3)
        os.kill(demo.archived.process_number, 6)
        _turn_until(demo, lambda: any("the archive ended with -6" in change.text for change in demo.recent))
        known = demo.books["delivered"]
        _turn_until(demo, lambda: demo.books["delivered"] > known + 3)
        demo.end()
        _turn_until(demo, lambda: demo.phase == ENDED)
        told = demo.account()
        assert told["produced"] == told["delivered"] and told["lost"] == 0
    finally:
        demo.close()
    with pytest.raises(ProcessLookupError):
        os.kill(demo.archived.process_number, 0)


def test_an_archive_that_cannot_begin_says_why(tmp_path):
    (tmp_path / "archive.sqlite").write_text("this is no database, whatever it is called")
    told = _run_demo("--seconds", 1, "--json", "--keep", tmp_path)
    assert told.returncode == 1 and "file is not a database" in told.stderr


def test_crashed_agent_is_told_and_started_again_and_nothing_is_left_behind():
    demo = Demo(rate_per_s=20)
    try:
        demo.start()
        _turn_until(demo, lambda: demo.phase == RUNNING)
        first = demo.child.pid
        os.kill(first, 6)
        _turn_until(demo, lambda: demo.child.starts == 2 and demo.figures.all_connected())
        assert demo.crashes == 1
        assert "the agent ended with signal 6" in [change.text for change in demo.recent]
        demo.end()
        _turn_until(demo, lambda: demo.phase == ENDED)
        assert demo.exit_code == 0
        folder = demo.folder
    finally:
        demo.close()
    assert not folder.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(demo.child.pid, 0)


# -- faults --------------------------------------------------------------------------------------------------------


def test_results_are_told_of_the_station_that_is_looked_at():
    demo = Demo(rate_per_s=20)
    try:
        demo.start()
        _turn_until(demo, lambda: demo.figures.stored > 3)
        assert demo.figures.shown()[0]["results"] == []
        demo.child.look(1)
        _turn_until(demo, lambda: len(demo.figures.shown()[0]["results"]) > 3)
        demo.kill_agent()
        demo.figures.status["stations"] = []
        _turn_until(demo, lambda: demo.figures.shown() and demo.figures.shown()[0].get("results"))
        demo.child.look(NONE)
        _turn_until(demo, lambda: demo.figures.shown()[0]["results"] == [])
    finally:
        demo.close()


def test_scripted_faults_come_once_in_order_of_time():
    faults = Faults([Span(5, 8)], [Span(6, 7)], [12.0, 5.5])
    assert faults.last_s() == 12.0
    assert faults.due(4.9) == []
    assert faults.due(6.5) == [demo_faults.CUT_TOOLSNET, demo_faults.KILL, demo_faults.CUT_CONTROLLER]
    assert faults.due(6.5) == []
    assert faults.due(20) == [demo_faults.JOIN_CONTROLLER, demo_faults.JOIN_TOOLSNET, demo_faults.KILL]


def test_random_faults_are_same_for_same_seed_and_every_cut_is_joined():
    def script(seed):
        faults = Faults(random_seed=seed)
        return [(second, action) for second in range(300) for action in faults.due(second)]

    assert script(7) == script(7) != script(8)
    actions = [action for _, action in script(7)]
    assert actions.count(demo_faults.KILL) > 5
    for cut, join in (
        (demo_faults.CUT_TOOLSNET, demo_faults.JOIN_TOOLSNET),
        (demo_faults.CUT_CONTROLLER, demo_faults.JOIN_CONTROLLER),
    ):
        own = [action for action in actions if action in (cut, join)]
        assert own[::2] == [cut] * len(own[::2]) and own[1::2] == [join] * len(own[1::2])
        assert len(own) > 10


# -- figures -------------------------------------------------------------------------------------------------------


def _station(**changed):
    shown = {
        "number": 1,
        "name": "",
        "mounted": True,
        "counters": {},
        "logged": 0,
        "log": [],
        "controller": {"host": "10.0.0.1", "port": 4545, "state": "closed", "waits_for_room": False},
        "outlets": [{"kind": "toolsnet", "host": "10.0.0.2", "port": 6575, "state": "closed"}],
        "stored": 0,
        "backlog": 0,
        "parked": 0,
        "recovery": {"open_ids": 0, "gone": 0},
        "spool": {"kib": 64, "blocks": 16, "used_blocks": 1, "damaged": 0, "torn": 0},
    }
    shown.update(changed)
    return shown


def _status(**changed):
    scheduler = {"faults": 0, "last_fault": None}
    return {"kind": "status", "stations": [_station(**changed)], "scheduler": scheduler}


def _ready(state):
    return {"host": "10.0.0.1", "port": 4545, "state": state, "waits_for_room": False}


def _texts(changes):
    return [(change.level, change.text) for change in changes]


def test_a_connection_is_told_when_it_comes_and_when_lost():
    figures = Figures()
    figures.feed(_status(), 0.0)
    assert _texts(figures.feed(_status(controller=_ready("ready")), 0.2)) == [(GOOD, "controller ready")]
    silent = {"why": "silence", "why_in": "ready"}
    told = _texts(figures.feed(_status(controller={**_ready("closed"), **silent}), 0.4))
    assert told == [
        (WARNING, "controller lost: controller 10.0.0.1:4545 fell silent: it did not answer the keep-alive")
    ]
    assert figures.feed(_status(controller={**_ready("starting"), **silent}), 0.6) == []
    refused = {**_ready("closed"), "why": "refused"}
    assert "refused the connection" in _texts(figures.feed(_status(controller=refused), 0.8))[0][1]
    assert figures.feed(_status(controller={**_ready("closed"), **silent}), 1.0) == []
    assert figures.feed(_status(controller=refused), 1.2) == []


def test_a_side_that_is_never_met_is_told_once_with_its_address():
    figures = Figures()
    figures.feed(_status(), 0.0)
    told = _texts(figures.feed(_status(), 4.0))
    assert told == [
        (WARNING, "still connecting to controller at 10.0.0.1:4545"),
        (WARNING, "still connecting to ToolsNet at 10.0.0.2:6575"),
    ]
    assert figures.feed(_status(), 8.0) == []


def test_the_same_entry_many_times_in_the_log_is_told_once():
    entries = [{"age_ms": 1, "name": "refused by server", "value": 31}] * 3
    figures = Figures()
    figures.feed(_status(), 0.0)
    told = _texts(figures.feed(_status(logged=3, log=entries), 0.2))
    assert told == [(WARNING, "ToolsNet refused what was sent with code 31; it is offered again (3 times)")]


def test_what_each_attempt_makes_again_is_told_once():
    figures = Figures()
    figures.feed(_status(), 0.0)

    def told(logged, name, value=0, **changed):
        entries = [{"age_ms": 1, "name": name, "value": value}]
        return len(figures.feed(_status(logged=logged, log=entries, **changed), logged * 0.2))

    assert [told(number, "server malformed") for number in (1, 2, 3)] == [1, 0, 0]
    assert told(4, "controller refusals", 60092) == 1 and told(5, "controller refusals", 60092) == 0
    assert told(6, "controller refusals", 60097) == 1 and told(7, "refused by server", 31) == 1
    assert told(8, "refused by server", 31) == 1  # that is no attempt
    figures.feed(_status(logged=8, controller=_ready("ready")), 1.7)
    assert told(9, "controller refusals", 60097, controller=_ready("ready")) == 1
    assert told(10, "controller refusals", 60097, controller=_ready("ready")) == 1  # it stands: each says something


def test_refusals_of_several_mids_are_not_counted_as_those_of_one():
    figures = Figures()
    figures.feed(_status(controller=_ready("ready")), 0.0)
    values = [8099] * 3 + [70099] + [210092] * 2
    entries = [{"age_ms": 1, "name": "controller refusals", "value": value} for value in values]
    told = _texts(figures.feed(_status(logged=6, log=entries, controller=_ready("ready")), 0.2))
    assert [(level, text.split(" (")[0]) for level, text in told] == [
        (INFO, "the controller rejected MID 0008 with code 99"),
        (INFO, "the controller rejected MID 0070 with code 99"),
        (WARNING, "the controller rejected MID 0210 with code 92"),
    ]
    assert told[0][1].endswith(" (3 times)") and "times" not in told[1][1] and told[2][1].endswith(" (2 times)")
    entries = [{"age_ms": 1, "name": "server silent", "value": value} for value in (3, 4, 5, 6, 7, 7)]
    told = _texts(figures.feed(_status(logged=12, log=entries, controller=_ready("ready")), 0.4))
    assert len(told) == 4 and "result 7" in told[3][1] and told[3][1].endswith(", and 2 more like it")


def test_nobody_is_asked_for_what_was_missed_before_there_is_a_session():
    figures = Figures()
    missed = {"phase": "idle", "open_ids": 9, "gone": 0, "epoch": 0}
    assert not [text for _, text in _texts(figures.feed(_status(recovery=missed), 0.0)) if "missed" in text]
    told = _texts(figures.feed(_status(recovery=missed, controller=_ready("ready")), 0.2))
    assert (INFO, "fetching up to 9 missed results") in told


def test_rates_do_not_notice_that_the_agent_was_killed():
    figures = Figures()
    for index in range(20):
        if index == 10:
            figures.feed({"kind": "started", "pid": 7}, index * 0.2)
        figures.feed(_status(stored=index * 2, delivered=index, backlog=index), index * 0.2)
    stored_per_s, passed_per_s = figures.rates()
    assert round(stored_per_s) == 10
    assert round(passed_per_s) == 5


def test_a_full_spool_and_a_fault_are_told_as_bad():
    figures = Figures()
    figures.feed(_status(), 0.0)
    line = _status(controller={**_ready("closed"), "waits_for_room": True})
    line["scheduler"] = {"faults": 1, "last_fault": "ValueError: seven"}
    assert _texts(figures.feed(line, 0.2)) == [
        (
            BAD,
            "the spool is full: the controller keeps its results; ToolsNet has to take some, or the "
            "spool has to be larger (spool.size_kib)",
        ),
        (BAD, "fault inside the agent: ValueError: seven"),
    ]


def test_a_spool_that_fills_is_told_once_for_each_mark():
    figures = Figures()
    told = []
    for at, used in enumerate((1, 7, 8, 9, 8, 12, 13, 15, 16, 12, 7, 6, 8)):
        spool = {"kib": 64, "blocks": 16, "used_blocks": used, "damaged": 0, "torn": 0}
        told += [
            text for _, text in _texts(figures.feed(_status(spool=spool, backlog=used * 30), at)) if "full" in text
        ]
    assert told == [
        "the spool is 50 % full: 240 results waiting for ToolsNet",
        "the spool is 75 % full: 360 results waiting for ToolsNet",
        "the spool is 93 % full: 450 results waiting for ToolsNet",
        "the spool is 37 % full again",
        "the spool is 50 % full: 240 results waiting for ToolsNet",
    ]


def test_a_view_that_no_one_reads_keeps_a_bounded_number_of_changes(tmp_path):
    watch = Watch(tmp_path / "none.json")
    for index in range(5000):
        watch.note(INFO, str(index))
    assert len(watch.recent) == RECENT < 5000
    assert len(watch.take_changes()) == 1000
    assert watch.take_changes() == []
    assert isinstance(watch.recent[-1], Change)
