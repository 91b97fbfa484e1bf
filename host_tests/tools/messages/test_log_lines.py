"""The lines of a service: moments with their zone, levels, the journal's priorities, a line a day, commands."""

import json
import os
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from toolcart.agent.base import counters
from toolcart.agent.base.counters import NAMES
from toolcart.base import line_writer
from toolcart.base.line_writer import LineWriter
from toolcart.base.sources import files_below
from toolcart.tools.live import log_lines
from toolcart.tools.live.figures import BAD, GOOD, INFO, WARNING, Change, Figures
from toolcart.tools.live.log_lines import LogLines
from toolcart.tools.live.plain import InProcess
from toolcart.tools.live.watch import account_of
from toolcart.tools.messages import latched_conditions, log_entries
from toolcart.tools.messages.counter_rows import NOT_SHOWN, ROWS, row_of
from host_tests.support.agent_lines import healthy_station, status_of
from host_tests.support.descriptors import WrittenText

ROOT = Path(__file__).parents[3]

CHANGES = [Change(0.0, BAD, "b\x1b[31m"), Change(0.0, WARNING, "w"), Change(0.0, GOOD, "g"), Change(0.0, INFO, "i")]


def test_a_line_has_its_moment_with_the_zone_and_its_level():
    out = WrittenText()
    LogLines(out).changes(CHANGES)
    lines = out.getvalue().splitlines()
    assert [line.split()[1] for line in lines] == ["error", "warning", "notice", "info"]
    assert all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d ", line) for line in lines), lines
    assert "\x1b" not in out.getvalue()


@pytest.mark.parametrize(("address", "is_told"), [("10.0.0.9", False), ("10.0.0.2", True), (None, True)])
def test_another_host_of_the_pim_is_named_unless_it_is_the_pim_s_own_address(address, is_told):
    outlet = {**healthy_station()["outlets"][0], "host": "pim", "server": "10.0.0.8:7000"}
    outlet["server_named"] = "10.0.0.9:7000"
    station = healthy_station(outlets=[{**outlet, **({"address": address} if address else {})}])
    figures = Figures()
    list(figures.feed(status_of(station), 0.0))
    log = [{"name": "other host", "value": 7000, "text": ""}]
    texts = [change.text for change in figures.feed(status_of({**station, "logged": 1, "log": log}), 1.0)]
    words = "the PIM names another host for the server than toolsnet.pim_host: 10.0.0.9:7000; results are to go there"
    assert any(words in text for text in texts) == is_told


def test_the_json_form_is_one_object_a_line():
    out = WrittenText()
    lines = LogLines(out, log_lines.JSON)
    lines.changes(CHANGES[:1])
    lines.summary(5.0, {"stored": 7}, "stored 7")
    lines.account({"stored": 7}, ["  stored 7"])
    entries = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [one["level"] for one in entries] == ["error", "info", "info"] and entries[1]["stored"] == 7
    assert entries[0]["text"] == CHANGES[0].text and entries[2]["text"].startswith("ended")


def test_the_journal_gets_priorities_and_no_moments(tmp_path):
    with open(tmp_path / "journal", "w+", encoding="utf-8") as out:
        about = os.fstat(out.fileno())
        environment = {"JOURNAL_STREAM": f"{about.st_dev}:{about.st_ino}"}
        LogLines(LineWriter(out.fileno()), environment=environment).changes(CHANGES)
        out.seek(0)
        assert [line[:3] for line in out] == ["<3>", "<4>", "<5>", "<6>"]
    assert not log_lines.is_journal(WrittenText().descriptor, environment)


@pytest.mark.parametrize(("count", "words"), [(1, "1 line"), (3, "3 lines")])
def test_a_log_says_how_many_lines_it_lacks_once_it_can_be_written_again(count, words, monkeypatch):
    def no_room(*_):
        raise OSError(28, "No space left on device")

    out = WrittenText()
    lines = LogLines(out)
    with monkeypatch.context() as patched:
        patched.setattr(line_writer.os, "write", no_room)
        for _ in range(count):
            lines.changes(CHANGES[:1])
            lines.catch_up(1.0)
    lines.catch_up(2.0)
    lines.catch_up(3.0)
    [said] = out.getvalue().splitlines()
    assert said.endswith(f" warning {words} could not be written: No space left on device")


def test_each_time_one_that_refuses_goes_away_is_reported():
    figures = Figures()
    up = {**healthy_station()["outlets"][0], "is_up": True, "why": "", "refused": None, "waiting": 2}
    refusal = {"code": 17, "number": 6, "next_try_ms": 8000, "doing": "trouble", "trouble": True}
    away = {"is_up": False, "state": "waiting", "why": "refused", "why_in": "connecting", "next_try_ms": 5000}

    def said(**changed):
        outlet = {**up, **changed}
        changes = figures.feed(status_of(healthy_station(outlets=[outlet])), 1.0)
        return [one.text.split(":")[0] for one in changes if "ToolsNet" in one.text and "REFUSED" not in one.text]

    said(waiting=0)
    said(refused=refusal)
    assert said(refused=refusal, **away) == ["ToolsNet lost"]
    for _ in range(3):
        assert said(refused=refusal, **away) == []
        said(refused=refusal)
        assert said(refused=refusal, **away) == ["no ToolsNet"]
    for refused in (None, {**refusal, "code": 0}):  # nothing shows that it has answered to a result
        said(refused=refused)
        assert said(refused=refused, **away) == []


def test_a_day_without_changes_is_one_line(monkeypatch):
    out = WrittenText()
    run = InProcess.__new__(InProcess)
    run.lines, run.figures, run.seconds, run._began_monotonic_s = LogLines(out), Figures(), None, 0.0
    run._summary_due_s = run.lines.summary_every_s
    for hour in range(24 * 5):
        monkeypatch.setattr(InProcess, "_elapsed_s", lambda _run, at_s=hour * 3600.0: at_s)
        run._take_line(status_of())
        if hour == 30:
            run._take_line({"kind": "note", "text": "something"})
    lines = out.getvalue().splitlines()
    assert len(lines) == 1 + 1 + 3, lines  # of hour 24; the note of hour 30; hours 54, 78 and 102


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("mounted", [False, True])
def test_the_end_names_no_counts_where_no_spool_was_up(form, mounted):
    out = WrittenText()
    station = {"number": 7, "name": "", "mounted": False, "spool_refused": "bad", "starting": False}
    last = status_of(healthy_station()) if mounted else status_of({**station, "counters": {}, "logged": 0, "log": []})
    agent = SimpleNamespace(last_line=lambda: last, board=SimpleNamespace(close=lambda: None))
    run = InProcess.__new__(InProcess)
    run.lines, run.figures, run.seconds, run._began_monotonic_s = LogLines(out, form), Figures(), None, 0.0
    run._summary_due_s = float("inf")
    run._supervisor = SimpleNamespace(run=lambda _goes_on: 3, agent=agent)
    assert run.run() == 3 and ("ended: stored" in out.getvalue()) == mounted
    assert ("stored" in account_of(run.figures)) == mounted


def test_what_did_not_get_through_names_the_command_that_helps():
    spool = {"path": "/a/my cart.spool"}
    reported = {"number": 7, "overwritten": 1, "parked": 2, "recovery": {"gone": 3}, "spool": spool}
    text = "; ".join(need.text() for need in latched_conditions.count_needs(reported))
    for words in ("size_kib", "`toolcart quarantine list --spool '/a/my cart.spool'`", "gaps '/a/my cart.spool'`"):
        assert words in text


def test_numbers_of_the_log_are_reported_in_words():
    refused = log_entries.explain("controller refusals", 60092, 7)
    assert refused == "the controller rejected MID 0060 with code 92 (Open Protocol commands disabled)"
    assert "a revision of MID 0001" in log_entries.explain("controller refusals", 1097, 7)
    assert "code 31" in log_entries.explain("refused by server", 31, 7)
    assert set(ROWS) == set(NAMES)


def test_why_a_result_was_set_aside_is_reported():
    assert log_entries.explain("parked", 7, 10) == "a result was set aside: refused by ToolsNet with code 7"
    words_by_reason = {1001: "could not be read", 1002: "unanswered", 1003: "refused by ToolsNet", 1004: "in doubt"}
    for reason, words in words_by_reason.items():
        text = log_entries.explain("parked", reason, 10)
        assert words in text and str(reason) not in text
    assert "result 17" in log_entries.explain("server silent", 17, 10)
    assert "an event" in log_entries.explain("server silent", 0, 10)


def test_everything_that_the_agent_notes_is_reported_in_words():
    sources = [path.read_text(encoding="utf-8") for path in files_below(ROOT / "toolcart" / "agent")]
    names = {name for text in sources for name in re.findall(r"\.note\(\s*counter\.([A-Z_]+),", text)}
    noted = {getattr(counters, name) for name in names}
    assert len(noted) > 25
    for name in {NAMES[number] for number in noted}:
        assert row_of(name).level == NOT_SHOWN or log_entries.explain(name, 5, 7) != f"{name} (5)"
    assert "MID 0065" in log_entries.explain("controller malformed", 65, 7)
    assert "no sample" in log_entries.explain("traces lost", 2, 7)


def test_a_spool_that_was_made_is_a_notice():
    (change,) = Figures().feed({"kind": "made", "text": "a new spool was made at x"}, 0.0)
    assert (change.level, change.text) == (GOOD, "a new spool was made at x")


def test_a_backlog_that_was_set_aside_is_not_called_delivered():
    figures = Figures()

    def texts_after(overwritten=0, **changed):
        station = healthy_station(**changed, overwritten=overwritten)
        station["outlets"][0]["given_up"] = overwritten
        return [change.text for change in figures.feed(status_of(station), 0.0)]

    texts_after(backlog=0, parked=1)
    texts_after(backlog=6, parked=1)
    (change_text,) = [text for text in texts_after(backlog=0, parked=7) if "nothing waits" in text]
    assert change_text == "nothing waits any more: meanwhile 6 set aside"
    texts_after(backlog=7, parked=7)
    assert any(text == "nothing waits any more: meanwhile 6 set aside" for text in texts_after(backlog=0, parked=13))
    texts_after(backlog=229, parked=13)
    for lost in (40, 101):
        texts_after(backlog=229, parked=13, overwritten=lost)
    (change_text,) = [text for text in texts_after(backlog=0, parked=13, overwritten=101) if "nothing waits" in text]
    overwritten = "101 overwritten at most before ToolsNet had them"
    assert change_text == f"nothing waits any more: meanwhile {overwritten}"
    texts_after(backlog=7, parked=7, overwritten=101)
    assert "backlog delivered (up to 7)" in texts_after(backlog=0, parked=7, overwritten=101)
    spool = healthy_station()["spool"]
    texts_after(backlog=20, parked=7, overwritten=101)
    (change_text,) = [
        text
        for text in texts_after(backlog=0, parked=7, overwritten=101, spool={**spool, "damaged": 18})
        if "nothing waits" in text
    ]
    assert change_text == "nothing waits any more: meanwhile 18 at most could not be read"
