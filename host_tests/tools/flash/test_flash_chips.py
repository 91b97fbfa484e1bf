"""`toolcart flash` and `toolcart board` against whole simulated chips: power cuts, rollback.

The tool, mpremote's way of files, littlefs, safe_mode and the program are the real ones; time is simulated.

A start of the simulated chip until it is healthy takes from a quarter of a minute to two here: only the long run does
it (`./tools/test --long`). What a cut in the middle leaves is tried with a board that is played, too
(host_tests/tools/flash/test_flash_tool.py).
"""

import copy
import json

import pytest

from toolcart.board import safe_mode
from toolcart.tools.flash import board_commands, commands, package
from host_tests.support.firmware import running_chip
from host_tests.tools.flash.chip_link import ChipLink
from lab.chips.chip import SAFE_MODE, TREE

HEALTHY_S = 90.0


@pytest.fixture
def flasher(tmp_path, monkeypatch):
    built = {}
    build = package.build

    def once(platform, architecture, path, frozen=""):
        key = (platform, architecture, open(path).read(), frozen)
        if key not in built:
            built[key] = build(platform, architecture, path, frozen)
        return built[key]

    monkeypatch.setattr(package, "build", once)
    with running_chip() as chip:
        yield Flasher(chip, tmp_path / "cart.json")


class Flasher:
    """What a person does at the computer beside the chip."""

    def __init__(self, chip, path):
        self.chip = chip
        self.path = path

    def flash(self, seconds):
        """Flash the cart with another pause of ToolsNet's; the exit code."""
        tree = copy.deepcopy(TREE)
        tree["toolsnet"]["reconnect_s"] = seconds
        self.path.write_text(json.dumps(tree))
        return commands.run(lambda port: ChipLink(self.chip), "rp2", "chip", str(self.path), False, HEALTHY_S, True)

    def state(self):
        chip = self.chip
        chip.power_off()
        return chip.file(safe_mode.STATE_FILE)


@pytest.mark.long("the chip starts anew at each operation")
def test_an_update_that_is_cut_anywhere_leaves_a_running_board(flasher, capsys):
    chip = flasher.chip
    at = 1
    cuts = 0
    while True:
        chip.run(30000)
        chip.cut_at = chip.operations + at
        chip.torn = 37 * at
        before = len(chip.resets)
        code = flasher.flash(60 + at)
        was_cut = any(why == "cut" for _, why in chip.resets[before:])
        if not was_cut:
            assert code == 0
            break
        cuts += 1
        assert code in (0, commands.EXIT_GONE, commands.EXIT_ROLLED_BACK), capsys.readouterr().err
        offset = len(chip.output())
        chip.run(60000)
        assert "healthy" in chip.output()[offset:] and SAFE_MODE not in chip.output()[offset:], at
        if code:
            assert flasher.flash(60 + at) == 0, capsys.readouterr().err
        at += 1
    assert cuts >= 15
    assert flasher.state().split()[1:4] == ["-", "0", "0"]


def with_a_broken_start(build):
    """Build the same versions with a start that raises."""

    def broken(*arguments):
        version = build(*arguments)
        start = {"toolcart/board/__init__.py": b"", "toolcart/board/main.py": b"raise RuntimeError('it cannot')\n"}
        return package.Version(version.platform, "broken", {**version.files, **start}, version.root)

    return broken


def test_a_broken_version_beside_a_frozen_core_is_taken_back(flasher, monkeypatch, capsys):
    chip = flasher.chip
    chip.run(30000)
    with monkeypatch.context() as patch:
        patch.setattr(package, "build", with_a_broken_start(package.build))
        assert flasher.flash(69) == commands.EXIT_ROLLED_BACK
    capsys.readouterr()
    chip.run(30000)
    assert flasher.flash(70) == 0, capsys.readouterr().err  # nothing of it hides what the firmware has
    first = flasher.state()
    chip.run(30000)
    monkeypatch.setattr(package, "build", with_a_broken_start(package.build))
    capsys.readouterr()
    assert flasher.flash(70) == commands.EXIT_ROLLED_BACK
    errors = capsys.readouterr().err
    assert "it cannot" in errors and "runs again" in errors
    assert flasher.state().split()[0] == first.split()[0]
    chip.run(30000)
    # The cable goes with the switch: three tries, then what ran before.
    monkeypatch.setattr(ChipLink, "lines", lambda link, seconds: iter(()))
    monkeypatch.setattr(commands, "roll_back", gone)
    before = len(chip.output())
    assert flasher.flash(71) == commands.EXIT_GONE
    chip.run(90000)
    assert chip.output()[before:].count("RuntimeError: it cannot") == safe_mode.TRIES
    assert '"healthy": true' in chip.output()[before:] and SAFE_MODE not in chip.output()
    confirmed, trial, *_ = flasher.state().split()
    assert (confirmed, trial) == (first.split()[0], "-")


def gone(*_):
    raise commands.BoardGone("the cable is out")


@pytest.mark.parametrize("act", ["show_status", "show_log", "give_order"])
def test_a_busy_board_is_waited_for_and_never_stopped(flasher, act, capsys):
    chip = flasher.chip
    chip.watchdog_bites = False  # so long a pause would end it
    arguments = (1, "list", []) if act == "give_order" else ()
    for busy_ms, answers in ((10000, True), (30000, False)):
        link = ChipLink(chip)
        chip.busy_ms = busy_ms
        if answers:
            getattr(board_commands, act)(link, *arguments)
        else:
            with pytest.raises(board_commands.NotRunning, match="Nothing was stopped"):
                getattr(board_commands, act)(link, *arguments)
        assert link.holds == 0 and chip.resets == []
        chip.run(60000)
    capsys.readouterr()
    chip.busy_ms = 20000
    link = ChipLink(chip)
    board_commands.show_status(link, may_hold=True)
    assert link.holds == 1 and "did not answer" in capsys.readouterr().out
