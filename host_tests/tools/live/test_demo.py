"""The demo: the real agent in its own process, cut off and killed by a script, and an account that says the truth."""

import contextlib
import json
import os
import signal
import sqlite3
import time
from pathlib import Path
from types import SimpleNamespace
from urllib.request import urlopen

import pytest

from toolcart.archive.server import demo_server
from toolcart.tools.cli import run as run_command
from toolcart.tools.demo import faults as demo_faults
from toolcart.tools.demo.faults import Faults, Outage
from toolcart.tools.demo.plant import Demo
from toolcart.tools.live import stations
from toolcart.tools.live import watch as watch_module
from toolcart.tools.live.figures import BAD, GOOD, INFO, WARNING, Change, Figures
from toolcart.tools.live.watch import ENDED, RECENT, RUNNING, STARTING, Watch, totals
from toolcart.tools.process import child_process
from toolcart.tools.process.agent import NONE
from host_tests.support.agent_lines import healthy_station, status_of
from host_tests.support.running import DEADLINE_S, cart_of, ran, toolcart, written


def _turn_until(watch, condition):
    deadline_s = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline_s, list(watch.recent)
        watch.turn()
        time.sleep(0.01)  # the loop of every driver; no assertion depends on its length


@contextlib.contextmanager
def _begun(**options):
    """A demo that has begun."""
    demo = Demo(**options)
    try:
        demo.start()
        yield demo
    finally:
        demo.close()


def _ended(demo, at_once=False):
    """Its account at the end of its time, or when it is ended now."""
    if at_once:
        demo.end()
    _turn_until(demo, lambda: demo.phase == ENDED)
    return demo.account()


def _run_demo(*words):
    """The lines of a demo in the machine form."""
    return [json.loads(line) for line in ran("run", "--json", *words).stdout.splitlines()]


def test_a_scripted_run_with_outages_and_kills_delivers_everything_once(tmp_path):
    # The controller goes first: an agent that was killed may not have met it again by then.
    script = "--seconds 8 --rate 20 --controller-outage 0.5:1.5 --outage 2:5 --kill 3 --kill 6 --kill-archive 7"
    lines = _run_demo(*script.split(), "--keep", tmp_path)
    account = lines[-1]
    assert account["produced"] == account["delivered"] > 100
    assert account["acknowledged"] == account["produced"]
    # Killed between program and acknowledgement, the agent has a result whose 0062 never left.
    assert account["answers_lost"] <= account["kills"]
    assert account["lost"] == account["out_of_order"] == account["doubled"] == account["complaints"] == 0
    assert account["kills"] == 2 and account["archive_kills"] == 1 and account["agent_crashes"] == 0
    assert 0 < account["archive_started_s"] < DEADLINE_S
    assert 0 < account["first_delivered_s"] < DEADLINE_S  # docs/internals/figures.md has what it is where there is time
    assert account["toolsnet_outages"] == account["controller_outages"] == 1
    texts = [line["text"] for line in lines if line["kind"] == "change"]
    for text in ("ToolsNet's network is cut", "everything is delivered", "controller left in order"):
        assert text in texts
    assert [text for text in texts if text.startswith("controller lost: controller 127.0.0.1:")], texts
    with contextlib.closing(sqlite3.connect(tmp_path / "archive.sqlite")) as database:
        names = database.execute("SELECT Name FROM TNMapStation UNION SELECT Name FROM TNMapSystem").fetchall()
        query = "SELECT COUNT(*) FROM Result WHERE TorqueLow IS NULL OR AngleHigh IS NULL"
        [[without_limits]] = database.execute(query)
    assert sorted(names) == [("Demo",), ("Demo cart",)], "as in the live view"
    assert without_limits == 0, "Cp needs them"
    checked = ran("archive", "check", "--database", tmp_path / "archive.sqlite")
    assert checked.stdout.splitlines()[-1] == f"missing 0, behind 0, again {account['repeated']}"


def test_a_signal_while_an_agent_is_being_started_again_ends_that_one(tmp_path, monkeypatch):
    watch = Watch(written(tmp_path, cart_of()))
    popen = child_process.subprocess.Popen

    def started(*arguments, **options):
        if watch.crashes:
            watch.end()  # by the handler of SIGTERM, before the new process is known
        return popen(*arguments, **options)

    monkeypatch.setattr(child_process.subprocess, "Popen", started)
    try:
        watch.start()
        _turn_until(watch, lambda: watch.phase == RUNNING)
        os.kill(watch.child.pid, signal.SIGKILL)
        _turn_until(watch, lambda: watch.phase == ENDED)
        assert watch.child.starts == 2
    finally:
        watch.close()


@pytest.mark.long("two demos, one behind the other")
def test_a_kept_folder_is_gone_on_with(tmp_path):
    for run in (1, 2):
        account = _run_demo("--seconds", 1, "--keep", tmp_path)[-1]
        assert account["produced"] == account["delivered"] > 0
        newest = int((tmp_path / "newest-id").read_text())
        assert newest >= account["produced"] * run // 2
    assert newest > account["produced"]


def test_the_plain_account_says_how_it_ended():
    lines = ran("run", "--seconds", 1, "--plain", "--rate", 50).stdout
    assert "Every result is in the archive, in the order in which the cart stored them." in lines
    assert "missed result" not in lines, "a first start has missed none"


def test_no_result_is_made_before_the_controller_has_said_what_it_has(monkeypatch):
    """Else the first results of a first start could be told as missed ones."""
    statuses = Figures.station_statuses

    def still_asked(figures):
        asked = {"phase": "asking for the newest", "open_ids": 0}
        return [{**status, "recovery": asked} for status in statuses(figures) if status["mounted"]]

    with _begun() as demo:
        monkeypatch.setattr(Figures, "station_statuses", still_asked)
        _turn_until(demo, lambda: demo.figures.all_connected())
        demo.turn()
        assert demo.phase == STARTING and not demo.plant.controller.produced
        monkeypatch.undo()
        _turn_until(demo, lambda: demo.phase == RUNNING)


def test_the_first_lines_say_where_the_pages_are():
    pages = run_command._pages("127.0.0.1:0")
    with _begun(start_pages=pages) as demo:
        [address] = [change.text.split()[-1] for change in list(demo.recent)[:2] if "pages" in change.text]

        def is_served():
            try:
                return "Stations" in urlopen(address, timeout=DEADLINE_S).read().decode()
            except OSError:
                return False

        _turn_until(demo, is_served)


def test_what_is_lost_or_stored_twice_breaks_the_promise():
    good = {"produced": 5, "delivered": 5, "lost": 0, "out_of_order": 0, "doubled": 0}
    assert not demo_faults.is_wrong(good)
    for name, value in (("lost", 1), ("out_of_order", 1), ("doubled", 1), ("delivered", 4)):
        assert demo_faults.is_wrong({**good, name: value})


def test_an_account_without_results_does_not_say_that_all_are_there():
    account = dict.fromkeys(("produced", "acknowledged", "delivered", "repeated", "doubled", "lost", "out_of_order"), 0)
    account |= {"kills": 0, "toolsnet_outages": 0, "controller_outages": 0, "seconds": 20.1}
    assert demo_faults.lines(account, "")[-1].strip().startswith("No result was made")
    assert "Every result is in the archive" in demo_faults.lines({**account, "produced": 1, "delivered": 1}, "")[-1]


def test_what_waits_or_is_parked_is_not_lost():
    assert demo_faults.lost({"lost": 7, "overtaken": 2}, waiting=5, parked=2) == 0
    assert demo_faults.lost({"lost": 7, "overtaken": 2}, waiting=5, parked=0) == 2
    assert demo_faults.lost({"lost": 7, "overtaken": 0}, waiting=0, parked=1) == 6


def test_results_taken_out_of_the_archive_are_reported_as_lost():
    with _begun(seconds=2, rate_per_s=20) as demo:
        _turn_until(demo, lambda: demo.phase == RUNNING and demo.books.get("delivered", 0) > 10)
        with sqlite3.connect(demo.archived.place, 10) as database:
            database.execute("DELETE FROM Result WHERE TighteningId IN (3, 4)")
        demo.end()
        demo._drain_by_s = 0.0  # the two never come: no need to wait for them
        assert _ended(demo)["lost"] == 2
        assert demo.exit_code == 1
        assert any("results are lost" in line for line in demo.account_lines())


def test_the_demos_archive_is_shown_where_somebody_wants_it():
    places, closed = [], []
    pages = SimpleNamespace(close=lambda: closed.append(True), address="http://127.0.0.1:8080")
    options = {"faults": Faults([Outage(0.3, 0.5)], [], []), "start_pages": lambda place: places.append(place) or pages}
    with _begun(seconds=0.8, rate_per_s=30, **options) as demo:
        account = _ended(demo)
        assert account["produced"] == account["delivered"] > 10 and demo.exit_code == 0
        assert account["toolsnet_outages"] == 1 and account["complaints"] == 0
        assert Path(places[0]) == demo.folder / "archive.sqlite"
    assert closed


def test_without_the_archives_libraries_the_demo_says_what_brings_them(monkeypatch):
    monkeypatch.setattr(demo_server, "missing", lambda: "sqlalchemy")
    errors = toolcart("run", "--seconds", 1, "--headless", code=1).stderr
    assert "needs sqlalchemy" in errors and "pip install" in errors


@pytest.mark.long("a demo for one fault")
def test_an_archive_that_ends_is_reported_and_started_again():
    with _begun(rate_per_s=20) as demo:
        _turn_until(demo, lambda: demo.books.get("delivered", 0) > 3)
        os.kill(demo.archived.process_number, 6)
        _turn_until(demo, lambda: any("the archive ended with -6" in change.text for change in demo.recent))
        before = demo.books["delivered"]
        _turn_until(demo, lambda: demo.books["delivered"] > before + 3)
        account = _ended(demo, at_once=True)
        assert account["produced"] == account["delivered"] and account["lost"] == 0
    with pytest.raises(ProcessLookupError):
        os.kill(demo.archived.process_number, 0)


def test_an_archive_that_cannot_begin_says_why(tmp_path):
    (tmp_path / "archive.sqlite").write_text("this is no database, whatever it is called")
    assert "file is not a database" in ran("run", "--seconds", 1, "--json", "--keep", tmp_path, code=1).stderr


def test_crashed_agent_is_reported_and_started_again_and_nothing_is_left_behind():
    with _begun(rate_per_s=20) as demo:
        _turn_until(demo, lambda: demo.phase == RUNNING)
        os.kill(demo.child.pid, 6)
        _turn_until(demo, lambda: demo.child.starts == 2 and demo.figures.all_connected())
        assert demo.crashes == 1
        assert "the agent ended with signal 6" in [change.text for change in demo.recent]
        _ended(demo, at_once=True)
        assert demo.exit_code == 0
    assert not demo.folder.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(demo.child.pid, 0)


def test_an_agent_that_hangs_is_shown_so_and_nothing_as_well(monkeypatch):
    monkeypatch.setattr(watch_module, "SILENT_AFTER_S", 1.5)
    with _begun(rate_per_s=20) as demo:
        _turn_until(demo, lambda: demo.phase == RUNNING and demo.figures.all_connected() and demo.figures.rates()[0])
        os.kill(demo.child.pid, signal.SIGSTOP)
        _turn_until(demo, lambda: demo.silent_since)
        since = demo.silent_since
        assert f"the agent has not answered since {since}; {watch_module.STUCK}" == demo.recent[-1].text
        [station] = demo.figures.station_figures()
        assert not demo.figures.all_connected() and demo.figures.rates() == (0.0, 0.0)
        assert stations.verdict(station.status) == (BAD, "the agent does not answer")
        assert demo.summary()["controllers_ready"] == demo.summary()["outlets_up"] == 0
        assert demo.crashes == 0
        os.kill(demo.child.pid, signal.SIGCONT)
        _turn_until(demo, lambda: demo.figures.all_connected())
        assert not demo.silent_since and "the agent answers again" in [change.text for change in demo.recent]
        _ended(demo, at_once=True)


def test_a_watch_that_stood_still_itself_does_not_call_its_agent_silent(monkeypatch):
    watch = Watch("cart.json")
    watch.child = SimpleNamespace(take=list, exit_code=lambda: None)
    now = [1000.0]
    monkeypatch.setattr(watch_module.time, "monotonic", lambda: now[0])
    watch._hear("status")
    watch.turn()
    now[0] += 3600
    watch.turn()
    assert not watch.silent_since
    for _ in range(6):
        now[0] += 1
        watch.turn()
    assert watch.silent_since


def test_results_are_reported_of_the_station_that_is_looked_at():
    with _begun(rate_per_s=20) as demo:
        _turn_until(demo, lambda: demo.figures.total("stored") > 3)
        assert demo.figures.station_statuses()[0]["results"] == []
        demo.child.view_station(1)
        _turn_until(demo, lambda: len(demo.figures.station_statuses()[0]["results"]) > 3)
        demo.kill_agent()
        demo.figures.status["stations"] = []
        _turn_until(demo, lambda: demo.figures.station_statuses() and demo.figures.station_statuses()[0].get("results"))
        demo.child.view_station(NONE)
        _turn_until(demo, lambda: demo.figures.station_statuses()[0]["results"] == [])


# -- faults --------------------------------------------------------------------------------------------------------


def test_scripted_faults_come_once_in_order_of_time():
    faults = Faults([Outage(5, 8)], [Outage(6, 7)], [12.0, 5.5])
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


CLOSED = {"host": "10.0.0.1", "port": 4545, "state": "closed"}
READY = {**CLOSED, "state": "ready"}


class Changes:
    """The log lines of a station of which neither side is connected at first; each state may change something."""

    def __init__(self, **changed):
        self.figures = Figures()
        self.logged = 0
        assert not [text for _, text in self(0.0, **changed) if "missed" in text]

    def __call__(self, at_s, log=(), **changed):
        self.logged += len(log)
        outlets = [{"kind": "toolsnet", "host": "10.0.0.2", "port": 6575, "state": "closed"}]
        fields = {"controller": CLOSED, "outlets": outlets, "backlog": 0, "stored": 0, "delivered": 0, **changed}
        line = status_of(healthy_station(logged=self.logged, log=[*log], **fields))
        return [(change.level, change.text) for change in self.figures.feed(line, at_s)]


def entries(name, *values):
    return [{"age_ms": 1, "name": name, "value": value} for value in values]


def test_a_connection_is_reported_when_it_comes_and_when_lost():
    changes_at = Changes()
    assert changes_at(0.2, controller=READY) == [(GOOD, "controller ready")]
    silent = {**CLOSED, "why": "silence", "why_in": "ready"}
    assert changes_at(0.4, controller=silent) == [
        (WARNING, "controller lost: controller 10.0.0.1:4545 fell silent: it did not answer the keep-alive")
    ]
    assert changes_at(0.6, controller={**silent, "state": "starting"}) == []
    refused = {**CLOSED, "why": "refused"}
    assert "refused the connection" in changes_at(0.8, controller=refused)[0][1]
    assert changes_at(1.0, controller=silent) == changes_at(1.2, controller=refused) == []


def test_a_side_that_is_never_met_is_reported_once_with_its_address():
    changes_at = Changes()
    assert changes_at(4.0) == [
        (WARNING, "still connecting to controller at 10.0.0.1:4545"),
        (WARNING, "still connecting to ToolsNet at 10.0.0.2:6575"),
    ]
    assert changes_at(8.0) == []


@pytest.mark.parametrize("connects", [True, False])
def test_no_side_is_said_to_be_tried_before_the_spool_is_up(connects):
    """A spool that is unusable for a while: no connection is made until it is mended."""
    figures = Figures()
    bare = {"number": 1, "name": "Cart", "mounted": False, "counters": {}, "logged": 0, "log": []}
    said = [figures.feed(status_of({**bare, "starting": at_s < 1}), at_s) for at_s in range(30)]
    server = {"kind": "toolsnet", "host": "10.0.0.2", "port": 6575, "state": "closed"}
    closed = healthy_station(controller=CLOSED, outlets=[server])
    said += [figures.feed(status_of(closed), 30.0), figures.feed(status_of(closed), 32.5)]
    if connects:
        said.append(figures.feed(status_of(healthy_station()), 33.5))
    else:
        said.append(figures.feed(status_of(closed), 33.5))
    texts = [change.text for changes in said for change in changes]
    assert len([text for text in texts if "still connecting" in text]) == (0 if connects else 2), texts


def test_a_controller_that_no_session_is_wanted_of_as_the_spool_is_full_is_not_said_to_be_connected_to():
    changes_at = Changes()
    full = {**CLOSED, "waits_for_room": True}
    texts = [text for at_s in (0.2, 4.0, 8.0) for _, text in changes_at(at_s, controller=full)]
    assert [text for text in texts if "still connecting" in text] == [
        "still connecting to ToolsNet at 10.0.0.2:6575"
    ], texts


def test_the_same_entry_many_times_in_the_log_is_reported_once():
    sentence = "ToolsNet refused what was sent with code 31; it is offered again unless it is given up (3 times)"
    assert Changes()(0.2, entries("refused by server", 31, 31, 31)) == [(WARNING, sentence)]


def test_what_each_attempt_makes_again_is_reported_once():
    changes_at = Changes()

    def count(name, value=0, **changed):
        return len(changes_at(changes_at.logged * 0.2, entries(name, value), **changed))

    assert [count("server malformed") for _ in range(3)] == [1, 0, 0]
    assert [count("controller refusals", value) for value in (60092, 60092, 60097)] == [1, 0, 1]
    assert [count("refused by server", 31) for _ in range(2)] == [1, 1]  # that is no attempt
    changes_at(1.7, controller=READY)
    for _ in range(2):
        assert count("controller refusals", 60097, controller=READY) == 1  # it stands: each says something


def test_refusals_of_several_mids_are_not_counted_as_those_of_one():
    changes_at = Changes()  # an unknown MID is told alike whether the session is up by then or not
    log = entries("controller refusals", *[8099] * 3, 70099, *[210092] * 2)
    changes = changes_at(0.2, log, controller=CLOSED)
    assert [(level, text.split(" (")[0]) for level, text in changes] == [
        (INFO, "the controller rejected MID 0008 with code 99"),
        (INFO, "the controller rejected MID 0070 with code 99"),
        (WARNING, "the controller rejected MID 0210 with code 92"),
    ]
    assert (
        changes[0][1].endswith(" (3 times)") and "times" not in changes[1][1] and changes[2][1].endswith(" (2 times)")
    )
    changes_at(0.3, controller=READY)
    changes = changes_at(0.4, entries("server silent", 3, 4, 5, 6, 7, 7), controller=READY)
    assert len(changes) == 4 and "result 7" in changes[3][1] and changes[3][1].endswith(", and 2 more like it")


def test_nobody_is_asked_for_what_was_missed_before_there_is_a_session():
    missed = {"phase": "filling", "open_ids": 9, "gone": 0, "epoch": 0}
    changes = Changes(recovery=missed)(0.2, recovery=missed, controller=READY)
    assert (INFO, "fetching: at most 9 missed results left in the controller") in changes


def test_rates_begin_anew_with_an_agent_after_one_that_was_killed():
    changes_at = Changes()
    for index in range(20):
        if index == 10:
            changes_at.figures.feed({"kind": "started", "pid": 7}, index * 0.2)
            assert changes_at.figures.rates() == (0.0, 0.0)
        changes_at(index * 0.2, stored=index * 2, delivered=index, backlog=index)
    assert [round(rate) for rate in changes_at.figures.rates()] == [10, 5]


def test_what_is_stored_already_as_a_spool_comes_up_is_no_rate():
    """Of three stations the spools come up one after the other, at each start of the agent."""
    figures, below = Figures(), {"mounted": False, "starting": True}
    stored = {1: 1066, 2: 1096, 3: 1466}

    def feed(at_s, up, made=0):
        told = [
            healthy_station(number=number, stored=stored[number] + made, delivered=stored[number] + made, backlog=0)
            if number in up
            else {"number": number, "name": "", **below, "logged": 0, "log": []}
            for number in stored
        ]
        figures.feed(status_of(*told), at_s)
        return figures.rates()

    for begun_s in (0.0, 2.0):  # the second after a hard kill
        figures.feed({"kind": "started", "pid": 7 + int(begun_s)}, begun_s)
        for step, up in enumerate(([], [1], [1, 2], [1, 2, 3], [1, 2, 3])):
            assert feed(begun_s + step * 0.2, up) == (0.0, 0.0), (begun_s, up)
    assert totals(figures)["stored_per_s"] == totals(figures)["delivered_per_s"] == 0
    assert [round(rate, 1) for rate in feed(3.4, [1, 2, 3], made=2)] == [6.2, 6.2]  # 2 of each
    feed(3.6, [1, 3], made=2)
    assert [round(rate, 1) for rate in feed(3.8, [1, 2, 3], made=2)] == [2.9, 2.9], "of two: the second came up again"


def test_a_count_that_a_start_has_not_ended_yet_is_no_rate():
    changes_at = Changes(stored=0, stored_at_least=True)
    for at_s, told in ((0.2, {"stored": 5, "stored_at_least": True}), (0.4, {"stored": 900}), (0.6, {"stored": 900})):
        changes_at(at_s, **told)
        assert changes_at.figures.rates() == (0.0, 0.0)


def test_a_full_spool_and_a_fault_are_reported_as_bad():
    changes_at = Changes()
    assert changes_at(0.2, controller={**CLOSED, "waits_for_room": True}) == [
        (
            BAD,
            "the spool is full: the controller keeps its results; ToolsNet has to take some, or the "
            "spool has to be larger (spool.size_kib)",
        ),
    ]
    [change] = changes_at.figures.feed(status_of(faults=1, last_fault="ValueError: seven"), 0.4)
    assert (change.level, change.text) == (BAD, "fault inside the agent: ValueError: seven")


def test_a_spool_that_fills_is_reported_once_for_each_mark():
    changes_at, texts = Changes(), []
    for at, percent in enumerate((6, 43, 50, 56, 50, 75, 81, 93, 99, 75, 43, 37, 50)):
        spool = {**healthy_station()["spool"], "percent_full": percent}
        texts += [text for _, text in changes_at(at, spool=spool, backlog=percent * 5) if "full" in text]
    assert texts == [
        "the spool is 50 % full: 250 results waiting for ToolsNet",
        "the spool is 75 % full: 375 results waiting for ToolsNet",
        "the spool is 93 % full: 465 results waiting for ToolsNet",
        "the spool is 37 % full again",
        "the spool is 50 % full: 250 results waiting for ToolsNet",
    ]


def test_a_run_that_is_ended_before_its_agent_knows_the_signal_has_ended_in_order(tmp_path):
    watch = Watch(written(tmp_path, cart_of()))
    with contextlib.closing(watch):
        watch.start()
        watch.end()
        _turn_until(watch, lambda: watch.phase == ENDED)
    assert watch.exit_code == 0
    if not watch.recent:  # else the agent was quicker than this process
        assert watch.account_lines() == [], "nothing is known of what the spool keeps"


def test_a_view_that_no_one_reads_keeps_a_bounded_number_of_changes(tmp_path):
    watch = Watch(tmp_path / "none.json")
    for index in range(5000):
        watch.note(INFO, str(index))
    assert len(watch.recent) == RECENT < 5000
    assert len(watch.take_changes()) == 1000
    assert watch.take_changes() == []
    assert isinstance(watch.recent[-1], Change)
