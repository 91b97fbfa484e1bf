"""Nothing that a controller, a server or a file says acts on the terminal of who looks at it."""

import csv
import io
import json

import pytest
from click.testing import CliRunner

from toolcart.agent.log import framing
from toolcart.agent.log.flash import FLASH_DONE
from toolcart.base.terminal_safe import visible, visible_in, visible_lines
from toolcart.board.linux.flash import FileFlash
from toolcart.codec.capture import CapturedOctet
from toolcart.tools.flash.board_commands import status_lines
from toolcart.tools.line.commands import LinePrinter
from toolcart.tools.line.explanation import Explain3964R, ExplainAscii
from toolcart.tools.live.figures import BAD, Change
from toolcart.tools.live.lines import Lines
from toolcart.tools.spool.commands import spool
from host_tests.support.descriptors import WrittenText
from host_tests.support.log import append, mounted, put

NASTY = "\x1b]0;pwned\x07\x1b[2J\x9b31m\r\n\t\x00\x7f\u202e\u2066\u2028\u200b\ufeff"
OCTETS = b"00510061999         \x1b[2J\x07\x00\x9b31m\x7f\r\n\x1b]0;pwned\x07"


def is_harmless(text):
    return all(character == "\n" or character.isprintable() for character in text)


def test_what_acts_on_a_terminal_is_shown_as_its_escape():
    assert visible("\x1b[31m") == "\\x1b[31m"
    assert visible("a\r\n\t\x00\x7f\x9b") == "a\\x0d\\x0a\\x09\\x00\\x7f\\x9b"
    assert visible("\u202eab\u2066\u2028") == "\\u202eab\\u2066\\u2028"
    assert visible("\ud83d") == "\\ud83d" and visible("\U000e0001") == "\\U000e0001"
    assert is_harmless(visible(NASTY))


def test_text_for_people_stays_as_it_is():
    for text in ("", "VIN 12", "Br\xfccke 3 \u2013 \u20ac 5", "\u65e5\u672c", "C:\\x1b", "90\xb0"):
        assert visible(text) == text
    assert visible(5) == "5" and visible(None) == "None"


def test_lines_stay_lines_and_trees_stay_trees():
    assert visible_lines("a\x1b\nb") == "a\\x1b\nb"
    tree = {"a\x07": ["\x1b", 1, None, True, 0.5, {"b": "\x00"}]}
    assert visible_in(tree) == {"a\\x07": ["\\x1b", 1, None, True, 0.5, {"b": "\\x00"}]}


@pytest.fixture
def image(tmp_path):
    """A spool with a frame that could not be read, full of control characters."""
    path = tmp_path / "a.spool"
    flash = FileFlash(str(path), 65536, 16, (3, 1, 7))
    log = mounted(flash, kept_blocks=4)
    assert append(log, 1) == FLASH_DONE
    assert put(log, OCTETS, framing.KIND_RAW) == FLASH_DONE
    flash.close()
    return path


def output_of(image, *arguments):
    done = CliRunner().invoke(spool, [arguments[0], str(image), *arguments[1:]])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_tables_of_spool_show_octets_of_frame_and_do_not_send_them(image):
    for arguments in (["export"], ["rescue"], ["list"], ["list", "--all"], ["info"], ["show", "2"]):
        assert is_harmless(output_of(image, *arguments).replace("\r\n", "\n")), arguments
    rows = list(csv.DictReader(io.StringIO(output_of(image, "export"))))
    assert "\\x1b[2J\\x07\\x00\\x9b31m\\x7f\\x0d\\x0a" in rows[1]["frame"]


def test_json_of_a_spool_is_valid_and_exact(image):
    for arguments in (["export", "--json"], ["rescue", "--json"]):
        text = output_of(image, *arguments)
        assert json.loads(text)[1]["frame"] == OCTETS.decode("latin-1") and is_harmless(text)
    lines = [json.loads(line) for line in output_of(image, "list", "--json").splitlines()]
    assert lines[1]["frame"] == OCTETS.decode("latin-1")


def test_info_says_whose_spool_it_is(image):
    assert output_of(image, "info").startswith("station 7 of system 1 (type 3), spool ")
    owner = json.loads(output_of(image, "info", "--json"))["owner"]
    assert (owner["station"], owner["system"], owner["type"], len(owner["identity"])) == (7, 1, 3, 32)


@pytest.mark.parametrize("explainer", [Explain3964R, ExplainAscii])
def test_no_octet_of_a_line_reaches_the_terminal_as_it_is(explainer):
    shower = LinePrinter(explainer())
    start = b"\x02\x10" if explainer is Explain3964R else b"\x02"
    block = [*start, *b"00\x1b\x9b\x1b\x9b\x07\x7f", *range(256)]
    lines = [shower.line(CapturedOctet(0.001 * at, octet != 0x10, octet)) for at, octet in enumerate(block)]
    assert is_harmless("\n".join(lines))


def test_plain_lines_are_harmless_and_their_json_is_exact():
    for as_json in (False, True):
        out = WrittenText()
        lines = Lines(out, as_json)
        lines.changes([Change(1.0, BAD, NASTY)])
        lines.summary(1.0, {"name": NASTY}, NASTY)
        lines.account({"name": NASTY}, [NASTY])
        assert is_harmless(out.getvalue()) and len(out.getvalue().splitlines()) == 3
        if as_json:
            written = [json.loads(line) for line in out.getvalue().splitlines()]
            assert written[0]["text"] == written[1]["name"] == written[2]["name"] == NASTY


def test_the_state_of_a_board_has_its_texts_made_visible():
    status = {"board": {"said": [NASTY]}, "stations": []}
    assert all(is_harmless(visible(line)) for line in status_lines(status))
