"""The worlds' controllers with several spindles, and those that send events."""

import random
from dataclasses import replace

import pytest

from toolcart import catalogue
from toolcart.agent.openprotocol.spindle_assembly import WAIT_MS
from toolcart.agent.record import equality
from host_tests.lab.worlds.test_judge import result
from host_tests.lab.worlds.test_worlds import plain
from host_tests.portable import LONG
from lab.worlds import adapter, frames, spindle_frames
from lab.worlds.history import UNREADABLE
from lab.worlds.identification import named_in
from lab.worlds.judge import judge
from lab.worlds.profiles import NO_PROFILE, TRAITS
from lab.worlds.script import draw, filled
from lab.worlds.spindles import PowerMacsSession
from lab.worlds.telegrams import MalformedTelegram, ResultTelegram, read_result
from lab.worlds.toolsnet import compared
from lab.worlds.world import World
from lab.worlds.world_run import Course, run


def several(count=3, **more):
    return replace(result(7, **more), spindles=count)


def decoded(mid, revision, data):
    return catalogue.decode(frames.message(mid, revision, data)[:-1])


def test_the_messages_say_what_toolsnet_has_to_have():
    for count in (1, 3, 8):
        for statuses in ("000", "120", "130"):
            one = several(count, statuses=statuses)
            wanted = spindle_frames.spindles_of(one)
            assert len(wanted) == count and wanted[0] == ("0001", statuses, one.torque, one.angle)
            sync, station = decoded(101, 1, spindle_frames.sync(one)), decoded(106, 4, spindle_frames.station(one, 4))
            assert sync["sync_tightening_id"] == station["data_number"] == 7
            assert sync["vin"] == station["workpiece_id"] == one.vin
            for (number, judged, torque, angle), spindle, bolt in zip(
                wanted, sync["spindles"], station["bolts"], strict=True
            ):
                assert spindle["spindle"] == bolt["ordinal"] == int(number)
                assert spindle["status"] == bolt["simple_status"] == 1 - int(judged[0])
                level = {"0": 1, "2": 0, "3": 2}[judged[1]]
                assert spindle["torque_status"] == bolt["torque_status"] == level
                assert spindle["torque"] == int(torque.replace(".", "")) and float(bolt["torque"]) == float(torque)
                assert spindle["angle"] == float(bolt["angle"]) == float(angle)
            for part in range(2, count + 2):
                bolt = decoded(107, 4, spindle_frames.bolt(one, 4, part))
                assert (bolt["message_number"], bolt["message_count"], bolt["data_number"]) == (part, count + 1, 7)


def test_a_row_has_every_spindle_in_order_with_its_own_values():
    one = several()
    parts = spindle_frames.spindles_of(one)
    row = ResultTelegram("00001", 1, one.stamp, 1, one.vin, parts)
    assert compared(row, one) == ""
    assert compared(row, several(2)).startswith("other spindles")
    for others in (parts[1:2], parts[:0:-1], [parts[1], (*parts[2][:2], "00000.00", parts[2][3])]):
        assert compared(replace(row, spindles=[parts[0], *others]), one).startswith("other spindles")
    assert compared(replace(row, spindles=parts[:1]), replace(one, frame=UNREADABLE)) == ""


def test_two_parts_of_one_spindle_are_refused():
    general = f"040000180000300010010{'20260301060000'}00001{'W1N000007':<25}0002700029000{'72'}"
    part = "00010000000000000100000.0000042.37000000.00000000.0000095.00000000.00"
    assert len(general) == 80 and len(part) == 69
    text = general + (part[:4] + " " * 10 + "0001" + "0" + part[19:] + "0") * 2
    with pytest.raises(MalformedTelegram):
        read_result(text.encode())


def _world(name, events, results=None, **traits):
    script = plain(end_ms=120000)
    controller = {**TRAITS[name], "profile": name, "spindles": 3, **traits}
    script["stations"] = [{"flash": {}, "controller": controller}]
    script["events"] = events
    if name == "stepsync":
        results = "sync"
    if results is not None:
        script["settings"]["stations"][0]["controller"]["results"] = results
    return run(script)


_SILENT = {"result_revisions": [4], "repeat_ms": 10**9}  # nothing is repeated, and no connection ended for that


def _bolts(monkeypatch, change):
    """A PowerMACS that waits forever for MID 0108: six results, whose MID 0107 are `change`d; None: it is not sent."""
    send = PowerMacsSession._send

    def changed(session, mid, revision, data=b"", *more):
        data = change(data) if mid == 107 else data
        if data is not None:
            send(session, mid, revision, data, *more)

    monkeypatch.setattr(PowerMacsSession, "_send", changed)
    outcome = _world("powermacs", [[20000, "make", 1, 6, 1000]], "powermacs-bolts", **_SILENT)
    station = outcome.history.stations[1]
    return station, [station.results[number] for number in range(1, 7)]


def test_bolt_data_that_is_lost_once_does_not_stop_a_powermacs(monkeypatch):
    sent = []

    def lose_the_fifth(data):
        sent.append(data)
        return None if len(sent) == 5 else data

    station, made = _bolts(monkeypatch, lose_the_fifth)
    assert all(one.acks and one.acks[0] - one.made < WAIT_MS + 10000 for one in made)
    assert [row.number for row in station.rows if row.number] == list(range(1, len(station.results) + 1)), "each once"


@pytest.mark.parametrize("place", [6, 18], ids=["message number", "data number"])
def test_bolt_data_that_is_never_that_of_the_next_bolt_is_acknowledged(monkeypatch, place):
    def of_another(data):
        return data[:place] + b"%02d" % (int(data[place : place + 2]) + 1) + data[place + 2 :]

    station, made = _bolts(monkeypatch, of_another)
    assert all(one.acks and one.acks[0] - one.made < 1000 for one in made)
    assert [row.number for row in station.rows if row.number] == list(range(1, len(station.results) + 1)), "each once"


def test_an_outage_of_a_powermacs_is_owed_of_a_stepsync_not():
    events = [[20000, "make", 1, 2, 1000], [40000, "drop", "controller 1"], [40010, "make", 1, 3, 50]]
    outcome = _world("powermacs", events, result_revisions=[4])
    history = outcome.history.stations[1]
    assert outcome.verdict.findings == [] and outcome.verdict.owed == 6
    assert [row.number for row in history.rows] == [1, 2, 3, 4, 5, 6]
    assert all(one.held and one.after_meeting for one in history.results.values())
    outcome = _world("stepsync", events)
    assert outcome.verdict.findings == []
    assert not any(one.held for one in outcome.history.stations[1].results.values())


def test_each_spindle_of_header_is_owed_and_comes_once_after_an_outage():
    events = [[20000, "make", 1, 2, 1000], [40000, "drop", "controller 1"], [40010, "make", 1, 3, 50]]
    outcome = _world("header-spindles", events, header_spindles=3, spindles=1)
    history = outcome.history.stations[1]
    assert set(outcome.verdict.kinds()) <= {"endless"} and outcome.verdict.owed == 18, "five, and that of the calm"
    assert [row.number for row in history.rows] == list(range(1, 19))
    first, second = history.results[1], history.results[2]
    assert (first.vin, first.id_text, first.stamp) == (second.vin, second.id_text, second.stamp)
    assert (first.spindle, second.spindle) == (1, 2) and not second.held, "that there is one was not known"
    assert all(one.held for one in history.results.values() if one.number > 3)


def test_record_is_distinguished_from_that_of_another_spindle_by_its_head():
    records = b"".join(b"\1\0\0\0\1\0" + bytes((spindle, 0)) + b"W1N000004      " for spindle in (1, 0x82, 3, 0))
    assert [made for _, made in named_in(1, records, 3)] == [4, 5, 6, 4]
    assert [made for _, made in named_in(1, records, 0)] == [4, 4, 4, 4] and list(named_in(2, records, 3)) == []


def test_an_agent_that_takes_two_spindles_for_one_is_found_out(monkeypatch):
    monkeypatch.setattr(equality, "is_elsewhere", lambda *_: False)
    events = [[20000, "make", 1, 3, 1000]]
    outcome = _world("header-spindles", events, header_spindles=2, spindles=1)
    assert "lost" in outcome.verdict.kinds()


FIRST = 900001
WORLDS = 200 if LONG else 3
OURS = 60000  # toolcart.agent.linux.toolsnet_events: codes of what is no alarm


def with_alarms(seed):
    """The script of this seed, and alarms in between, at moments of dice of their own."""
    script = draw(seed, "usual", (NO_PROFILE,))
    script["settings"]["toolsnet"]["events"] = ["alarms", "gone"]
    dice = random.Random(seed)
    for number in range(1, len(script["stations"]) + 1):
        for _ in range(dice.randrange(5, 40)):
            script["events"].append([dice.randrange(1000, script["end_ms"]), "alarm", number])
    script["events"].sort(key=lambda event: event[0])
    return script


@pytest.mark.parametrize("seed", range(FIRST, FIRST + WORLDS))
def test_world_with_alarms_keeps_the_promise_and_tells_each_alarm_once(seed):
    course = Course(World(filled(with_alarms(seed))))
    course.run()
    history = course.world.history
    verdict = judge(history)
    assert verdict.kinds() == [], verdict
    for number, station in history.stations.items():
        codes = [code for _, code in station.events if code < OURS]
        assert codes == sorted(set(codes)), "twice, or out of order"
        assert set(codes) <= set(range(1, station.alarms_reported + 1))
        agent = course.world.agent
        if agent is not None and adapter.waiting(agent, number - 1) == 0:  # events wait behind refused results
            missing = set(station.alarms) - set(codes)
            assert len(missing) <= adapter.events_given_up(agent, number - 1), missing
