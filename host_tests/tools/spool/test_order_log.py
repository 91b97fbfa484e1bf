"""Every order of an operator leaves a line in the agent's log: who, what, and what became of it."""

import os

import pytest

from toolcart.board.linux import order_log
from toolcart.tools.config import socket_location
from toolcart.tools.live.figures import Figures
from toolcart.tools.spool import quarantine_commands as orders
from toolcart.tools.status import client
from host_tests.support.quarantine import spool_with
from host_tests.support.running import cart_of, run_agent, run_agent_while, toolcart, written

ME = order_log.user_of(os.getuid())


@pytest.fixture
def spool(tmp_path):
    return spool_with(tmp_path, b"no frame")


def config_of(spool):
    return written(spool.parent, cart_of(number=7, station={"spool": {"path": str(spool)}}))


def logged(lines):
    """What the lines of an agent come to in the log."""
    figures = Figures()
    return [change.text for line in lines for change in figures.feed(line, 0.0) if " ordered `" in change.text]


def given_to_a_running_agent(spool, act):
    return logged(run_agent_while(config_of(spool), act)[1])


def test_a_running_agent_logs_who_ordered_what_and_its_outcome(spool):
    ask = orders.LocalSpool(spool).ask
    ways = (
        ["list"],
        ["show", "1"],
        ["retry", "1-2"],
        ["drop", "3"],
        ["drop", "99"],
        ["drop", "first"],
        ["offer-again", "from", "1"],
        ["offer-again", "from", "1", "dry"],
        ["offer-again", "leave"],
        ["offer-again", "what"],
        ["status"],
    )
    entries = given_to_a_running_agent(spool, lambda: [list(ask(words)) for words in ways])
    assert [line.split(": ")[0] for line in entries] == [
        f"{ME} ordered `{words}` at station 7"
        for words in (
            *("retry 1-2", "drop 3", "drop 99", "drop first"),
            *("offer-again from 1", "offer-again leave", "offer-again what"),
        )
    ]
    assert entries[0].endswith(": 2 to be offered again, 6 are left in the quarantine")
    assert entries[1].endswith(": 1 dropped, 5 are left in the quarantine")
    assert entries[2].endswith(": not done: there is no record 99 in the quarantine; nothing was done")
    assert "not done: nothing was dropped" in entries[3]
    assert "not done: nothing to leave: no result of station 7 is in doubt" in entries[5]


def test_a_command_for_the_controller_is_logged_too(spool):
    path = config_of(spool)
    entries = given_to_a_running_agent(
        spool, lambda: client.lines_of(socket_location.socket_of(str(path)), "command 7 as=anna select-pset 5", 5.0)
    )
    assert len(entries) == 1 and entries[0].startswith(
        f"{ME} ordered `command as=anna select-pset 5` at station 7: not allowed"
    )


def test_what_is_done_to_a_stopped_spool_is_reported_by_the_next_agent_once(spool):
    toolcart("quarantine", "list", "--spool", spool)
    assert not os.path.exists(str(spool) + order_log.SUFFIX)
    toolcart("quarantine", "drop", "2", "--yes", "--spool", spool)
    toolcart("quarantine", "drop", "99", "--yes", "--spool", spool, code=1)
    assert os.stat(str(spool) + order_log.SUFFIX).st_mode & 0o777 == 0o600
    for count in (2, 0):
        _, lines = run_agent(config_of(spool), lambda agent, _lines: not agent._controls)
        entries = logged(lines)
        assert len(entries) == count
        if count:
            assert f", while no agent ran: {ME} ordered `drop 2` at station " in entries[0]
            assert entries[0].endswith("1 dropped, 5 are left in the quarantine")
            assert "not done: there is no record 99" in entries[1]
    assert not os.path.exists(str(spool) + order_log.SUFFIX)


def test_an_order_that_cannot_be_kept_for_the_log_is_done_and_reported(spool):
    os.symlink("/nowhere", str(spool) + order_log.SUFFIX)
    done = toolcart("quarantine", "drop", "2", "--yes", "--spool", spool)
    assert "the agent's log will not have this order" in done.stderr and "1 dropped" in done.stdout


def test_an_order_that_fails_or_is_given_up_is_logged_as_that():
    def failing():
        yield {"dropped": 1}
        raise OSError("gone")

    entries = []
    job = order_log.carried_out(failing(), ["drop", "all"], "anna", 7, entries.append)
    assert next(job) == {"dropped": 1}
    with pytest.raises(OSError, match="gone"):
        next(job)
    job = order_log.carried_out(failing(), ["drop", "all"], "anna", 7, entries.append)
    next(job)
    job.close()
    assert entries == [
        "anna ordered `drop all` at station 7: not done: gone",
        "anna ordered `drop all` at station 7: the agent ended before it was done",
    ]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (orders.OrderNotGiven("nothing was done: the spool is worn out"), "nothing was done: the spool is worn out"),
        (OSError(28, "No space left on device"), "No space left on device"),
        (OSError(), "the disk refuses"),
        (MemoryError(), "there is not enough memory for it"),
        (KeyError("x"), "a fault of toolcart, please report it (KeyError: 'x')"),
    ],
)
def test_why_an_order_was_not_done_is_reported_in_words_for_people(error, words):
    def failing():
        raise error
        yield

    entries = []
    with pytest.raises(type(error)):
        list(order_log.carried_out(failing(), ["drop", "all"], "anna", 7, entries.append))
    assert entries == [f"anna ordered `drop all` at station 7: not done: {words}"]


ORDER = "anna ordered `drop 1` at station 7: 1 dropped, 0 are left in the quarantine"
TOLD = f"2026-11-29 10:00:00, while no agent ran: {ORDER}"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"hello\n", ["{} held no order and was removed"]),
        (bytes(range(256)) * 28, ["{} held no order and was removed"]),
        (b"\0" * 100000, ["{} held no order and was removed"]),
        (b"", []),
        (f"{TOLD}\n".encode(), [TOLD]),
        (f"{TOLD}\nhello\n{TOLD}\n".encode(), [TOLD, TOLD, "{} held something else than orders, too, and was removed"]),
    ],
)
def test_what_is_no_order_does_not_speak_as_the_agent(tmp_path, content, told):
    path, lines = tmp_path / f"7.spool{order_log.SUFFIX}", []
    path.write_bytes(content)
    order_log.take(str(tmp_path / "7.spool"), lines.append)
    assert lines == [line.format(path) for line in told] and not path.exists()


def test_what_is_kept_is_told_as_an_order(tmp_path):
    spool, lines = tmp_path / "7.spool", []
    spool.touch()
    order_log.keep(str(spool), ORDER)
    order_log.take(str(spool), lines.append)
    assert len(lines) == 1 and lines[0].endswith(f", while no agent ran: {ORDER}")
