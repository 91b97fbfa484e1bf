"""What each telegram costs is measured; on 32-bit MicroPython 04, of several spindles too, 05, 06, 07 and 09 allocate
nothing.
"""

import pytest

from toolcart.base.report import Report
from toolcart.toolsnet.telegrams import take_apart
from lab.bench import drain, inside_telegrams, telegrams

BUILT = ("01", "02", "04", "04 of 4 spindles", "05", "06", "07", "09", "13 of 500 samples")
WITHOUT_ALLOCATION = ("04", "04 of 4 spindles", "05", "06", "07", "09")
EVENTS = 200


@pytest.fixture(scope="module")
def machine():
    try:
        return telegrams.machine()
    except telegrams.Unavailable as reason:
        pytest.skip(str(reason))


def test_event_goes_from_its_record_to_its_handled_05_or_10_and_allocates_nothing(machine):
    call = f"from lab.bench import inside_telegrams\ninside_telegrams.events({EVENTS})\n"
    assert machine.run_source(call, "1m").stdout == "allocated 0 0\n"


def test_allocation_for_an_event_would_be_seen(machine):
    call = (
        "from lab.bench import inside_telegrams\nfrom toolcart.agent.wide.toolsnet_events import Events\n"
        "plain = Events.send\nkept = []\n"
        "def send(self, now):\n    kept.append(bytearray(1))\n    return plain(self, now)\n"
        f"Events.send = send\ninside_telegrams.events({EVENTS})\n"
    )
    said = machine.run_source(call, "1m").stdout.split()
    assert said[0] == "allocated" and int(said[1]) >= 16 * EVENTS


def test_every_telegram_of_a_station_has_its_figures(monkeypatch, machine):
    monkeypatch.setattr(telegrams, "ROUNDS", 20)
    monkeypatch.setattr(telegrams, "MICROPYTHON_ROUNDS", 5)
    monkeypatch.setattr(telegrams, "machine", lambda: machine)
    report, shares = Report(machine={}), []
    telegrams.measure(report, shares.append)
    assert shares[-1] == 1
    found = {figure.name: figure.value for figure in report.figures}
    for name in BUILT:
        for where in ("CPython", "unix32"):
            assert found[f"telegram {name} built, {where}"] > 0
            assert found[f"telegram {name} built, {where}, to plain"] > 0
    allocated = {name: found[f"telegram {name} built, unix32, allocated"] for name in BUILT}
    assert [name for name in BUILT if allocated[name] == 0] == list(WITHOUT_ALLOCATION)


def test_what_is_measured_are_telegrams_by_the_document():
    seen = []
    for name, write, place in inside_telegrams.writers():
        told = write(17)
        octets = bytes(place()[:told] if place else told)
        found, breaches = take_apart(octets[4:])
        assert not breaches and int(octets[:4]) == len(octets) - 4, (name, breaches)
        seen.append((name, found["id"], found["identifier"]))
    assert seen == [("plain", "05", 17)] + [(name, name[:2], 17) for name in BUILT]


def test_missing_interpreter_is_told(monkeypatch):
    def missing():
        raise telegrams.Unavailable("there is none")

    monkeypatch.setattr(telegrams, "machine", missing)
    monkeypatch.setattr(telegrams, "ROUNDS", 20)
    report = Report(machine={})
    telegrams.measure(report, lambda share: None)
    assert [figure.how for figure in report.figures if figure.value is None] == ["there is none"]


def test_backlog_at_a_server_next_door_is_drained_whole_and_timed():
    assert 0 < drain._drain_at_once_s(100) < drain.DAY_LIMIT_S
