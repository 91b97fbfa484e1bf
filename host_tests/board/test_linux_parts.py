"""What Linux has beside its ports: mounts that do not last, refusals of a disk, the clock."""

import errno
import os
import time
from types import SimpleNamespace

import pytest

from toolcart.agent.cart.status import REFUSED_NAMES
from toolcart.agent.log import flash
from toolcart.board.errno_reasons import refusal_of
from toolcart.board.linux import mounts, volatile_storage
from toolcart.board.linux import refusal as linux_refusal
from toolcart.board.linux import server_clock as linux_clock
from toolcart.board.linux.server_clock import EVERY_MS, ServersClock
from toolcart.tools.doctor import agent as doctor_agent
from toolcart.tools.messages.status import agent_lines
from toolcart.tools.service.unit import Service, sets_clock

MOUNTS = r"""22 1 254:0 / / rw - ext4 /dev/root rw
23 22 0:20 / /run rw shared:2 - tmpfs tmpfs rw
24 22 0:21 / /mnt/a\040card rw - ext4 /dev/sda1 rw
25 22 0:22 / /srv rw - ext4 /dev/sdb1 rw
26 25 0:23 / /srv rw - overlay none rw,lowerdir=/x
27 22 0:24 / /mnt rw - ramfs none rw
"""


@pytest.mark.parametrize(("path", "word"), [("/mnt/a card/7.spool", ""), ("/srv/7.spool", "overlay")])
def test_the_innermost_mount_that_is_seen_counts(tmp_path, monkeypatch, path, word):
    listed = tmp_path / "mountinfo"
    listed.write_text(MOUNTS)
    monkeypatch.setattr(mounts, "MOUNTS", str(listed))
    monkeypatch.setattr(linux_refusal.os.path, "exists", lambda _: True)
    monkeypatch.setattr(linux_refusal.os.path, "realpath", lambda given: given)
    text = volatile_storage.volatility(path)
    assert word in text and bool(text) == bool(word)


def test_without_a_list_nothing_is_reported(monkeypatch):
    monkeypatch.setattr(mounts, "MOUNTS", "/nothing")
    assert volatile_storage.volatility("/run") == ""


def test_every_reason_has_words_and_advice():
    names = REFUSED_NAMES.split(",")
    assert sorted(linux_refusal.WORDS) == list(range(1, len(names)))
    for refusal in linux_refusal.WORDS:
        assert linux_refusal.meaning(refusal) and "{" not in linux_refusal.advice(refusal, "/home/pi/a b.spool")


def test_a_file_that_cannot_be_made_is_a_matter_of_its_folder(tmp_path):
    path = tmp_path / "out put" / "results.jsonl"
    advice = linux_refusal.advice(flash.REFUSED_NOT_ALLOWED, str(path))
    assert f"`ls -ld '{path.parent}'`" in advice and path.name not in advice
    path.parent.mkdir()
    path.touch()
    assert f"`ls -l '{path}'`" in linux_refusal.advice(flash.REFUSED_NOT_ALLOWED, str(path))


def test_a_file_that_is_gone_is_put_back_before_the_start():
    advice = linux_refusal.advice(flash.REFUSED_GONE, "/home/my pi/a.spool")
    assert (
        advice.index("put it back as '/home/my pi/a.spool'")
        < advice.index("started again")
        < advice.index("a new spool")
    )
    assert "first connection" in advice


@pytest.mark.parametrize(("number", "word"), [(errno.EIO, "rescue '/home/my pi/a.spool'")])
def test_an_error_is_reported_with_what_helps(number, word):
    explanation = linux_refusal.explanation(OSError(number, os.strerror(number)), "/home/my pi/a.spool")
    assert explanation.startswith(os.strerror(number)) and word in explanation
    assert refusal_of(number) in linux_refusal.WORDS


def test_a_user_without_a_name_is_a_number(tmp_path):
    assert linux_refusal.user_name(0) == "root" and linux_refusal.user_name(4000000) == "user 4000000"
    assert linux_refusal.owner_of(tmp_path) == linux_refusal.user_name(os.geteuid())
    assert linux_refusal.owner_of(tmp_path / "nothing") == "another user"


SERVER = time.mktime((2026, 11, 21, 9, 26, 53, 0, 0, -1))
DIGITS = b"20261121092653"


class Machine:
    """The board's part: a clock that is so many seconds ahead of the server's."""

    def __init__(self, ahead_s, kept=False, allowed=True):
        self.now_s = SERVER + 0.5 + ahead_s
        self.kept = kept
        self.allowed = allowed

    def wall_s(self):
        return self.now_s

    def clock_is_set(self):
        return self.kept

    def set_wall_s(self, seconds):
        if not self.allowed:
            raise PermissionError
        self.now_s = seconds


def station(mounted=True):
    session = SimpleNamespace(wants_stamp=False, stamp=bytearray(14))
    return SimpleNamespace(mounted=mounted, outlets=[SimpleNamespace(times=session)])


def clock_line(clock):
    return agent_lines({"servers_clock": clock.about()})[-1]


@pytest.mark.parametrize("sets", [True, False])
@pytest.mark.parametrize("behind_s", [60, 1095 * 86400])
def test_a_clock_that_somebody_has_put_right_is_reported_right_and_compared_again(behind_s, sets):
    machine = Machine(-behind_s, allowed=False)
    clock = compared(machine, sets=sets)
    assert clock.ahead_s == -behind_s
    machine.now_s += behind_s
    clock.on_turn(20)
    assert (clock.ahead_s, clock.outcome) == (0, "right") and "agree" in clock_line(clock)
    assert clock._sessions[0].wants_stamp, "the next 05 is taken"


def test_a_clock_that_was_right_and_is_set_wrong_is_reported():
    machine = Machine(0)
    clock = compared(machine, sets=False)
    machine.now_s -= 300
    clock.on_turn(20)
    assert clock.ahead_s == -300 and "5 min" in clock_line(clock) and "set ours since" in clock_line(clock)


def test_our_own_setting_is_no_step():
    machine = Machine(300)
    clock = compared(machine)
    clock.on_turn(20)
    assert (clock.ahead_s, clock.outcome) == (300, "set")
    machine.now_s += 40
    clock.on_turn(30)
    assert (clock.ahead_s, clock.outcome) == (40, "set since")


def compared(machine, sets=True, digits=DIGITS):
    """The clock after one time has come."""
    one = station()
    clock = ServersClock(SimpleNamespace(stations=[one]), machine, sets)
    clock.on_turn(0)
    session = one.outlets[0].times
    assert session.wants_stamp
    session.stamp[:], session.wants_stamp = digits, False
    clock.on_turn(10)
    return clock


def test_a_clock_that_no_one_keeps_is_set_by_the_server():
    machine = Machine(-300)
    clock = compared(machine)
    assert machine.now_s == SERVER + 0.5  # in the middle of its second
    assert clock.about() == {"ahead_s": -300, "error_s": 1.0, "outcome": "set", "times_set": 1}


@pytest.mark.parametrize(
    ("machine", "sets", "outcome"),
    [
        (Machine(60), False, "differs"),
        (Machine(60, kept=True), True, "kept by NTP"),
        (Machine(60, allowed=False), True, "not allowed"),
        (Machine(3600), True, "time zone"),
    ],
)
def test_the_clock_is_left_alone_where_it_is_right(machine, sets, outcome):
    before_s = machine.now_s
    clock = compared(machine, sets)
    assert machine.now_s == before_s
    assert (clock.outcome, clock.times_set) == (outcome, 0)


@pytest.mark.parametrize("digits", [b"              ", b"20261321000000"])
def test_a_server_that_knows_no_time_sets_nothing(digits):
    machine = Machine(60)
    clock = compared(machine, digits=digits)
    assert (clock.ahead_s, clock.outcome, machine.now_s) == (None, "", SERVER + 60.5)


def test_first_time_of_any_station_counts_and_next_is_asked_for_later():
    stations = [station(mounted=False), station(), station()]
    clock = ServersClock(SimpleNamespace(stations=stations), Machine(1), sets=True)
    clock.on_turn(0)
    assert [one.outlets[0].times.wants_stamp for one in stations] == [False, True, True]
    last = stations[2].outlets[0].times
    last.stamp[:], last.wants_stamp = DIGITS, False
    clock.on_turn(10)
    assert clock.outcome == "right"
    last.wants_stamp = False
    clock.on_turn(10 + EVERY_MS - 1)
    assert not last.wants_stamp
    clock.on_turn(10 + EVERY_MS)
    assert last.wants_stamp


def test_a_person_is_told_how_the_clocks_stand_and_what_to_do():
    def line(ahead_s, outcome, times_set=0):
        clock_status = {"ahead_s": ahead_s, "error_s": 1.0, "outcome": outcome, "times_set": times_set}
        return agent_lines({"servers_clock": clock_status})[-1]

    assert (
        line(-300, "set", 2)
        == "ours was 5 min behind ToolsNet's clock, give or take 1 s: ours was set by it; set 2 times"
    )
    assert line(0, "right") == "ours and ToolsNet's clock agreed when last compared, give or take 1 s"
    assert "LOOK AT THE TIME ZONE" in line(3600, linux_clock.ZONE)
    assert "CAP_SYS_TIME" in line(60, linux_clock.NOT_ALLOWED)
    assert agent_lines({"servers_clock": {"ahead_s": None}})[-1].endswith("no time has come from it yet")


@pytest.mark.parametrize(
    ("compared", "verdicts"),
    [
        (None, []),
        ({"ahead_s": None, "outcome": ""}, ["note"]),
        ({"ahead_s": 0, "outcome": "right"}, ["good"]),
        ({"ahead_s": 3600, "outcome": linux_clock.ZONE}, ["warn"]),
        ({"ahead_s": -300, "outcome": linux_clock.DIFFERS}, ["warn"]),
    ],
)
def test_doctor_says_how_the_clocks_stand(compared, verdicts, tmp_path):
    compared = compared and {"error_s": 1.0, "times_set": 0, **compared}
    status = {"agent": {"pid": 7, "servers_clock": compared}, "stations": []}
    found = doctor_agent.examine(str(tmp_path / "cart.json"), status, None, [])
    assert [one.verdict for one in found if one.subject == "clock"] == verdicts
    assert len(agent_lines({})) == 1


def test_the_service_may_do_with_the_clock_what_the_configuration_wants():
    assert [sets_clock({"toolsnet": {"clock": wish}}) for wish in ("off", "check", "set")] == [False, False, True]
    asks, sets = [Service("/opt/toolcart", sets_clock=wish).text() for wish in (False, True)]
    assert " clock_adjtime " in asks and "CapabilityBoundingSet=\n" in asks, "by which glibc asks whether NTP keeps it"
    assert "ProtectClock" not in asks + sets and "SystemCallErrorNumber=EPERM" in asks
    assert "AmbientCapabilities=CAP_SYS_TIME" in sets
