"""`toolcart flash` and `toolcart board` against a whole simulated chip: power cuts at every step, rollback, patience.

The tool, mpremote's way of files, littlefs, safe_mode and the program are the real ones; time is simulated.
"""

import copy
import json

import pytest

from toolcart.board import safe_mode
from toolcart.tools.flash import board_commands, commands, package
from host_tests.support.firmware import running_chip
from lab.chips.chip import SAFE_MODE, TREE
from lab.chips.link import ChipLink

HEALTHY_S = 90.0


@pytest.fixture
def desk(tmp_path, monkeypatch):
    built = {}
    build = package.build

    def once(platform, architecture, path, frozen=""):
        key = (platform, architecture, open(path).read(), frozen)
        if key not in built:
            built[key] = build(platform, architecture, path, frozen)
        return built[key]

    monkeypatch.setattr(package, "build", once)
    with running_chip() as chip:
        yield Desk(chip, tmp_path / "cart.json")


class Desk:
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
@pytest.mark.parametrize("step", [1, 25], ids=["configuration", "whole version"])
def test_an_update_that_is_cut_anywhere_leaves_a_running_board(desk, capsys, monkeypatch, step):
    chip = desk.chip
    if step > 1:  # the firmware has another core: all files are copied, and cut at every 25th operation
        monkeypatch.setattr(package, "core_digest", lambda platform: "another")
    chip.power_off()
    before_all = chip.flash()
    at = 1
    cuts = 0
    while True:
        if step > 1:
            chip.power_off()
            chip.flash(before_all)
        chip.run(30000)
        chip.cut_at = chip.operations + at
        chip.torn = 37 * at
        before = len(chip.resets)
        code = desk.flash(60 + at)
        was_cut = any(why == "cut" for _, why in chip.resets[before:])
        if not was_cut:
            assert code == 0
            break
        cuts += 1
        assert code in (0, commands.EXIT_GONE, commands.EXIT_ROLLED_BACK), capsys.readouterr().err
        said = len(chip.said())
        chip.run(60000)
        assert "healthy" in chip.said()[said:] and SAFE_MODE not in chip.said()[said:], at
        if code:
            assert desk.flash(60 + at) == 0, capsys.readouterr().err
        at += step
    assert cuts >= 15
    assert desk.state().split()[1:4] == ["-", "0", "0"]


def broken(version):
    """The same version with a start that raises."""
    files = {
        **version.files,
        "toolcart/board/__init__.py": b"",
        "toolcart/board/main.py": b"raise RuntimeError('it cannot')\n",
    }
    return package.Version(version.platform, "broken", files, version.root)


def test_a_broken_version_beside_a_frozen_core_is_taken_back(desk, monkeypatch, capsys):
    chip = desk.chip
    first = desk.state()
    chip.run(30000)
    build = package.build
    monkeypatch.setattr(package, "build", lambda *arguments: broken(build(*arguments)))
    assert desk.flash(70) == commands.EXIT_ROLLED_BACK
    said = capsys.readouterr().err
    assert "it cannot" in said and "runs again" in said
    assert desk.state().split()[0] == first.split()[0]
    chip.run(30000)
    # The cable goes with the switch: three tries, then what ran before.
    monkeypatch.setattr(ChipLink, "lines", lambda link, seconds: iter(()))
    monkeypatch.setattr(commands.install, "roll_back", gone)
    before = len(chip.said())
    assert desk.flash(71) == commands.EXIT_GONE
    chip.run(90000)
    assert chip.said()[before:].count("RuntimeError: it cannot") == safe_mode.TRIES
    assert '"healthy": true' in chip.said()[before:] and SAFE_MODE not in chip.said()
    confirmed, trial, *_ = desk.state().split()
    assert (confirmed, trial) == (first.split()[0], "-")


def gone(*_):
    raise commands.Gone("the cable is out")


@pytest.mark.parametrize("act", ["show_status", "show_log", "give_order"])
def test_a_busy_board_is_waited_for_and_never_stopped(desk, act, capsys):
    chip = desk.chip
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
