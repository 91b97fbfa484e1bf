"""`toolcart board`: looks without stopping the agent, pulls a spool and wipes what may go."""

import json

import pytest

from toolcart.agent.log.snapshot_fields import STORED
from toolcart.board.ram_flash import RamFlash
from toolcart.tools.flash import board_commands as commands
from toolcart.tools.flash.link import BoardError
from host_tests.board.test_housekeeping import Chip, answered
from host_tests.support.log import Area, append, held
from host_tests.tools.flash.fake_board import FakeBoard, version
from host_tests.tools.flash.test_flash_tool import board_with, flashed


class Running(FakeBoard):
    """A board whose agent runs: its console answers with the real code."""

    def __init__(self):
        super().__init__()
        self.chip = Chip(filled(20))
        self.chip.app.step(self.chip.board.now())
        self.requests = []

    def ask(self, line, seconds):
        self.requests.append(line)
        return answered(self.chip.housekeeping.console, line)


def filled(count):
    """A device of 16 blocks with so many results in its log."""
    device = RamFlash(16)
    state, log = Area(flash=device).mount()
    for ident in range(1, count + 1):
        assert append(log, ident) == 0
    state.numbers[STORED] = count
    assert state.save()
    return device


def test_status_of_a_running_board_stops_nothing(capsys):
    board = Running()
    commands.show_status(board)
    output = capsys.readouterr().out
    assert "station 10" in output and "20 stored, at least 0 delivered, up to 20 waiting" in output
    assert not board.held


def test_a_supply_below_its_limit_is_in_the_status():
    status = {"stations": [], "board": {"supply": [{"mv": 4310, "least_mv": 4400, "refused": 7}]}}
    [line] = [line for line in commands.status_lines(status) if "supply" in line]
    assert line == "supply: 4.31 V, at least 4.40 V wanted; 7 writes not made; BELOW IT: no result is taken"


def test_the_quality_of_the_network_time_is_in_the_status():
    ntp = {"server": None, "stratum": 0, "dispersion_ms": 0, "answers": 0, "silent": 3, "asks": "ntp2"}
    about = {"stations": [], "board": {"ntp": ntp}}
    assert "ntp: no answer yet, 3 questions; asks ntp2" in commands.status_lines(about)
    ntp.update(server="ntp2", stratum=2, dispersion_ms=31, answers=7)
    [line] = [line for line in commands.status_lines(about) if line.startswith("ntp")]
    assert line == "ntp: ntp2, stratum 2, 31 ms of error at most; 7 answers, 3 without"
    about["board"]["ntp"] = None
    assert not [line for line in commands.status_lines(about) if line.startswith("ntp")]


def test_status_as_json_is_one_object(capsys):
    commands.show_status(Running(), as_json=True)
    status = json.loads(capsys.readouterr().out)
    assert status["running"] and status["stations"][0]["stored"] == 20


def test_status_of_a_board_that_does_not_answer_tells_what_lies_there(capsys):
    board = board_with("one")
    board.files["/toolcart.fault"] = b"RuntimeError: it cannot"
    before = len(board.ran)
    with pytest.raises(commands.NotRunning, match=r"Nothing was stopped.*--hold"):
        commands.show_status(board)
    assert not board.held and len(board.ran) == before
    commands.show_status(board, may_hold=True)
    output = capsys.readouterr().out
    assert "did not answer" in output and "it cannot" in output
    assert board.ran[-1] == version("one").digest


def test_status_tells_safe_mode(capsys):
    board = board_with("one")
    board.files["/toolcart.state"] = b"a - 0 5 -\n"
    commands.show_status(board, as_json=True, may_hold=True)
    assert json.loads(capsys.readouterr().out)["safe_mode"] is True


def test_log_of_every_station_is_reported(capsys):
    board = Running()
    board.chip.app.stations[0].counters.note(0, 7, board.chip.board.now())
    commands.show_log(board)
    assert "stored 7" in capsys.readouterr().out


def test_a_pulled_spool_is_the_boards_octet_for_octet():
    board = Running()
    shape, image = commands.pull(board, 10)
    assert image.cells == board.chip.board.device.cells
    assert shape["stored"] == 20 and not board.held


def test_a_pulled_spool_is_read_here(capsys, tmp_path):
    target = tmp_path / "spool.bin"
    commands.show_spool(Running(), 10, str(target), 5)
    output = capsys.readouterr().out
    assert "20 stored, up to 20 waiting" in output and len(output.splitlines()) == 6
    assert target.stat().st_size == 16 * 4096


def test_block_of_flash_with_units_of_256_octets_holds_sixteen_light_results():
    area = Area(flash=filled(40))
    log = area.mount()[1]
    assert sorted(first for first in log.firsts if first) == [1, 17, 33] and len(held(log)) == 40 - log.doubtful


@pytest.mark.parametrize("rests", [True, False])
def test_a_spool_that_changes_while_pulled_is_pulled_again_or_reported(rests):
    board = Running()
    ask = board.ask

    def ask_and_erase(line, seconds):
        if line == "?block 10 9" and not (rests and line in board.requests):
            board.chip.app.stations[0].log.blocks.erases += 1
        return ask(line, seconds)

    board.ask = ask_and_erase
    if rests:
        commands.pull(board, 10)
        assert board.requests.count("?block 10 9") == 2
    else:
        with pytest.raises(BoardError, match="changes faster"):
            commands.pull(board, 10)


def test_a_spool_with_waiting_results_is_not_wiped():
    board = Running()
    with pytest.raises(BoardError, match="20 results of station 10 are waiting"):
        commands.wipe(board, 10, lose_waiting=False)
    assert not board.held


def test_a_wipe_that_was_agreed_to_erases_and_starts_again(capsys):
    board = Running()
    assert flashed(board, version("one"))
    commands.wipe(board, 10, lose_waiting=True)
    assert "wiped" in capsys.readouterr().out
    assert "main.load('/a/config.json')" in board.ran_source
    assert len(board.ran) == 2 and not board.held


def test_a_board_that_cannot_be_wiped_is_started_again(monkeypatch):
    board = Running()
    assert flashed(board, version("one"))
    board.files["/toolcart.state"] = b"torn"  # the agent that runs has guessed its folder, too
    commands.wipe(board, 10, lose_waiting=True)
    assert "main.load('/a/config.json')" in board.ran_source

    def refuses(_source):
        raise BoardError("the board refused: OSError: 5")

    monkeypatch.setattr(board, "run", refuses)
    with pytest.raises(BoardError, match="refused"):
        commands.wipe(board, 10, lose_waiting=True)
    assert len(board.ran) == 3 and not board.held


def test_a_station_that_is_not_there_is_reported():
    with pytest.raises(BoardError, match="no station 99"):
        commands.pull(Running(), 99)
