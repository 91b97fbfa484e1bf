"""`toolcart flash` and `toolcart board` against our image of the RP2040, simulated: USB, file system, watchdog."""

import functools
import json

import pytest

from toolcart.base.exit_codes import EXIT_CONFIGURATION
from toolcart.board import safe_mode
from toolcart.tools.flash import board_commands, commands, package
from toolcart.tools.flash.link import BoardGone
from toolcart.tools.flash.mpremote_link import MpremoteLink
from host_tests.support.firmware import Rp2040, need_rp2040
from host_tests.tools.flash.test_flash_chips import with_a_broken_start

REAL_HEALTHY_S = 300.0  # of a machine that does other things as well
SECRET = "geheim-4711"
CART = {
    "system": {"number": 1},
    "toolsnet": {"pim_host": "192.0.2.20", "pim_port": 6575},
    "board": {"network": "none", "ssid": "Plant", "password": {"file": "wifi.password"}},
    "stations": [
        {
            "number": 7,
            "controller": {"link": "ascii", "device": "1"},
            "spool": {"path": "raw", "size_kib": 64, "parked_kib": 12},
        }
    ],
}


@pytest.fixture
def chip(tmp_path, monkeypatch):
    need_rp2040()
    # The checkout as it is now: whoever edits a file meanwhile must not change what is being tested.
    digest = package.core_digest("rp2")
    monkeypatch.setattr(package, "core_digest", lambda platform: digest)
    once = functools.cache(package.compiled)
    monkeypatch.setattr(
        package, "compiled", lambda platform, machine, kinds=(): once(platform, machine, frozenset(kinds))
    )
    chip = Rp2040(tmp_path / "flash.bin")
    yield chip
    chip.close()


class RealFlasher:
    """What a person does at the computer beside the chip."""

    def __init__(self, chip, folder, capsys):
        self.chip = chip
        self.path = folder / "cart.json"
        (folder / "wifi.password").write_text(SECRET)
        (folder / "wifi.password").chmod(0o600)
        self.capsys = capsys

    def flash(self, number, healthy_s=REAL_HEALTHY_S, **changed):
        """Flash the cart with this number of its system; the exit code, what was said, the outcome."""
        self.path.write_text(json.dumps({**CART, "system": {"number": number}, **changed}))
        code = commands.run(MpremoteLink, "rp2", self.chip.port, str(self.path), False, healthy_s, True)
        output = self.capsys.readouterr()
        assert SECRET not in output.out + output.err
        return code, output.err, json.loads(output.out)

    def status(self):
        link = MpremoteLink(self.chip.port)
        board_commands.show_status(link, as_json=True)
        link.close()
        return json.loads(self.capsys.readouterr().out)

    def held(self, act):
        """Take the REPL, do something, let the board start again."""
        link = MpremoteLink(self.chip.port)
        link.hold()
        result = act(link)
        link.restart()
        return result


takes_minutes = pytest.mark.long("a simulated chip takes minutes")


@takes_minutes
def test_an_erased_chip_runs_the_agent_also_after_a_cut(chip, tmp_path, capsys, monkeypatch):
    flasher = RealFlasher(chip, tmp_path, capsys)

    # The core is in the firmware: the configuration and the start go through the cable, and nothing else.
    code, output, outcome = flasher.flash(1)
    assert code == 0, output
    assert "frozen" in output and outcome["send_bytes"] < 6000

    # It runs, and tells so without being stopped.
    status = flasher.status()
    assert status["running"] and status["board"]["confirmed"]
    assert status["stations"][0]["mounted"] and status["stations"][0]["number"] == 7
    assert any("raw flash" in line for line in status["board"]["said"])

    # The power goes in the middle of the next one; what ran before is what starts.
    with monkeypatch.context() as patch:
        patch.setattr(MpremoteLink, "write", half_of(MpremoteLink.write, chip))
        code, output, _ = flasher.flash(2)
    assert code == commands.EXIT_GONE, output
    chip.power_on()
    assert flasher.held(lambda link: link.read(safe_mode.STATE_FILE)) == b"a - 0 0 -\n"


@takes_minutes
def test_a_chip_that_goes_through_everything_ends_with_the_last_good_version(chip, tmp_path, capsys, monkeypatch):
    flasher = RealFlasher(chip, tmp_path, capsys)
    code, output, outcome = flasher.flash(1)
    assert code == 0, output
    first = outcome["version"]

    # Its spool is pulled while it runs.
    link = MpremoteLink(chip.port)
    shape, image = board_commands.pull(link, 7)
    link.close()
    assert shape["stored"] == 0 and len(image.cells) == 64 * 1024

    # The same again: nothing goes through the cable.
    code, output, outcome = flasher.flash(1)
    assert code == 0 and "nothing to do" in output and outcome["send_bytes"] == 0

    # A version that cannot start is taken back, and the board's own words say why.
    with monkeypatch.context() as patch:
        patch.setattr(package, "build", with_a_broken_start(package.build))
        code, output, _ = flasher.flash(3)
    assert code == commands.EXIT_ROLLED_BACK, output
    assert "it cannot" in output and f"version {first} runs again" in output

    # So is one that names what this chip does not have, and what the tool can see of it is refused at once.
    for board, words in (
        ({"network": "wifi", "ssid": "Plant"}, "the firmware of this board"),
        ({"network": "none", "lamp": "30"}, "pin 30"),
    ):
        code, output, _ = flasher.flash(3, board=board)
        assert code == EXIT_CONFIGURATION and words in output, output
    code, output, _ = flasher.flash(3, board={"network": "none", "lamp": "GPX"})
    assert code == commands.EXIT_ROLLED_BACK, output
    assert "no lamp: " in output and f"version {first} runs again" in output

    # Another core than the frozen one would be copied, and an RP2040 has no heap for that.
    with monkeypatch.context() as patch:
        patch.setattr(package, "core_digest", lambda platform: "another")
        code, output, _ = flasher.flash(4)
    assert code == commands.EXIT_BOARD and "could not start. Nothing was changed" in output, output

    # One in which only the configuration changed; nothing of the broken one hides what the firmware has.
    code, output, outcome = flasher.flash(5)
    assert code == 0 and outcome["send_bytes"] < 6000, output
    assert flasher.status()["board"]["confirmed"]


def half_of(write, chip):
    """Write half of a file, then the power goes."""

    def write_half(self, path, content, progress):
        write(self, path, content[: len(content) // 2], progress)
        chip.cut_power()
        raise BoardGone("the board went away in the middle")

    return write_half
