"""Changes that docs/internals/architecture.md has a row for, each made in a scratch copy: it works there, and the
files that it touches are those that its row names up to the first semicolon (a folder stands for a new file in it).
"""

import difflib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("agent", "archive", "board", "tools", "toolcart", "lab", "host_tests/support", "docs")
SECONDS_MOST = 120


@pytest.fixture
def copy(tmp_path):
    """The project once more, to be changed."""
    for folder in COPIED:
        ignored = shutil.ignore_patterns("__pycache__", ".cache", "*.png", "*.svg", "*.gif")
        shutil.copytree(ROOT / folder, tmp_path / folder, True, ignored)
    (tmp_path / "host_tests/__init__.py").touch()
    return tmp_path


def add(copy, path, text):
    """Write a new file."""
    assert not (copy / path).exists()
    (copy / path).write_text(text, encoding="utf-8")


def edit(copy, path, old, behind="", front=""):
    """Put a text behind or in front of the one place that reads `old`."""
    text = (copy / path).read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{path} has not one {old!r}"
    (copy / path).write_text(text.replace(old, front + old + behind), encoding="utf-8")


def made_again(copy):
    """docs/configuration.md of the copy, which is made again."""
    page = run(copy, "-m", "toolcart.tools.config.setting_texts")
    (copy / "docs/configuration.md").write_text(page, encoding="utf-8")
    return page


def run(copy, *arguments, code=0):
    """Run Python on the copy alone; it ends with this code. Return what it printed."""
    done = subprocess.run(
        [sys.executable, "-B", *arguments],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy)},
        capture_output=True,
        text=True,
        timeout=SECONDS_MOST,
    )
    assert done.returncode == code, done.stderr[-3000:]
    return done.stdout


def touched(copy):
    """The files of the copy that the project does not have so."""
    names = set()
    for path in copy.rglob("*"):
        name = path.relative_to(copy)
        if path.is_file() and "__pycache__" not in name.parts and name != Path("host_tests/__init__.py"):
            source = ROOT / name
            if not source.exists() or source.read_bytes() != path.read_bytes():
                names.add(str(name))
    return names


def row_of(what):
    """The files that the row of docs/internals/architecture.md names for this change."""
    text = (ROOT / "docs/internals/architecture.md").read_text(encoding="utf-8")
    (cell,) = re.findall(rf"^\| \*\*{re.escape(what)}\*\*[^|]*\| (.*) \|$", text, re.M)
    return re.findall(r"`([\w./]+/[\w.]*)`", cell.partition(";")[0])


def check_row(copy, what):
    """The change touched what the row says, and nothing else."""
    places = []
    paths = sorted(touched(copy))
    for path in paths:
        is_new = not (ROOT / path).exists()
        places.append(str(Path(path).parent) + "/" if is_new else path)
    assert sorted(row_of(what)) == sorted(places), "\n".join(
        [f"docs/internals/architecture.md, {what}:", *difflib.ndiff(sorted(row_of(what)), sorted(places))]
    )


# -- an outlet -----------------------------------------------------------------------------------------------------

TALLY = '''"""Counts results: an outlet that keeps nothing."""

from toolcart.agent.base.ticks import FOREVER
from toolcart.agent.linux import Outlet

CPYTHON_ONLY = True
SETTINGS = """step_size int 1 1 9"""
MEANINGS = {"step_size": "How many each result counts."}


def make(settings, station, index):
    return Tally(station.log, index, settings["step_size"])


class Tally(Outlet):
    kind = "tally"
    port = None
    longest_ms = 1000

    def __init__(self, log, index, size):
        self.log, self.index, self.size = log, index, size
        self.attempts = self.total = 0

    def begin(self, now):
        pass

    def step(self, now):
        cursor = self.log.cursors[self.index]
        while self.log.peek(cursor) > 0:
            cursor.advance()
            self.total += self.size
        return FOREVER

    def reset_after_fault(self, now):
        pass

    def stop(self):
        pass

    def is_up(self):
        return True

    def put_state(self, shown):
        shown["state"] = "at work"
        shown["place"] = "memory"
        shown["why"] = ""
'''

TALLY_WORKS = """
from toolcart.agent.cart import status
from lab.harness.cart import Cart
from toolcart.tools.messages.status import station_lines
outlets = [{"kind": "toolsnet"}, {"kind": "tally", "step_size": 3}]
cart = Cart(settings={"station": {"outlets": outlets}}).until_ready()
for _ in range(4):
    cart.controller.produce()
cart.until_quiet()
assert len(cart.ids()) == 4
assert cart.station.outlets[1].total == 12
(shown,) = status.snapshot(cart.app)["stations"]
assert any(line.lstrip().startswith("tally") for line in station_lines(shown)), station_lines(shown)
"""


def test_outlet(copy):
    add(copy, "agent/linux/tally.py", TALLY)
    place = "agent/linux/outlets.py"
    edit(copy, place, "from toolcart.agent.linux import file_settings,", " tally,")
    edit(copy, place, '"file": file_settings,', ' "tally": tally,')
    edit(copy, "agent/cart/outlet_places.py", '"mqtt"', ', "tally"')
    assert "How many each result counts." in made_again(copy)
    run(copy, "-c", TALLY_WORKS)
    check_row(copy, "an outlet")


# -- a serial procedure --------------------------------------------------------------------------------------------

TAGGED = '''"""Plain ASCII, with a check of its own."""

from toolcart.agent.link.serial_ascii import SerialAscii


class Tagged(SerialAscii):
    pass
'''

TAGGED_PEER = '''"""The other end of it."""

from toolcart.sim.r3964_peer import AsciiPeer


class TaggedPeer(AsciiPeer):
    pass
'''

LINK_OF_TAGGED = """    if kind == "tagged":
        from toolcart.agent.link.tagged import Tagged

        return Tagged(controller["buffer_bytes"], octet_us, message_bytes=message_bytes)
"""

TAGGED_WORKS = """
import toolcart
from host_tests.support.serial_cart import SerialCart
cart = SerialCart("tagged")
assert type(cart.station.session.link).__name__ == "Tagged"
for _ in range(4):
    cart.run(3000)
    cart.controller.produce()
assert cart.run(60000, cart.is_drained) and len(cart.ids()) == 4, cart.ids()
toolcart.connect_serial("/dev/ttyUSB0", procedure="tagged")
from toolcart.tools.config.new import QUESTIONS
from toolcart.tools.messages import reasons
assert any("tagged:DEVICE" in question.text for question in QUESTIONS)
"""


def test_serial_procedure(copy):
    add(copy, "agent/link/tagged.py", TAGGED)
    add(copy, "toolcart/sim/tagged_peer.py", TAGGED_PEER)
    edit(copy, "agent/cart/settings.py", "tcp,ascii,3964r", ",tagged")
    edit(copy, "agent/cart/assembly.py", '    if kind == "3964r":\n', front=LINK_OF_TAGGED)
    place = "toolcart/sim/serial_peers.py"
    edit(copy, place, '"ascii": AsciiPeer', ', "tagged": TaggedPeer')
    edit(copy, place, "\n\nPORTABLE", front="\nfrom toolcart.sim.tagged_peer import TaggedPeer")
    edit(copy, "tools/line/explanation.py", '    "3964r": Explain3964R,', '\n    "tagged": Explain3964R,')
    page = made_again(copy)
    assert "3964r, tagged" in page and "ascii or 3964r or tagged" in page
    run(copy, "-c", TAGGED_WORKS)
    assert "tagged" in run(copy, "-m", "toolcart", "line", "monitor", "--help")
    assert "tagged" in run(copy, "-m", "toolcart", "simulate", "controller", "--help")
    assert "tagged:DEVICE" in run(copy, "-m", "toolcart", "config", "new", "--help")
    check_row(copy, "a serial procedure")


# -- a MID ---------------------------------------------------------------------------------------------------------

MID_WORKS = """
import toolcart
message = toolcart.decode(toolcart.encode(79, error_code="E404", seconds=12))
assert (toolcart.about(79).name, message["error_code"], message["seconds"]) == ("Silence alarm", "E404", 12)
"""


def test_mid(copy):
    rows = "\nMID 0079 I C 0005 Silence alarm @later 9\nREV 1 27 since=2.9 @later 9\n-- error_code T4\n-- seconds N3\n"
    edit(copy, "toolcart/catalogue/alarms.py", "\nMID 1000 C E", front=rows)
    edit(copy, "toolcart/catalogue/index.py", '(70, 78, "alarms")', behind=',\n    (79, 79, "alarms")')
    page = run(copy, "-m", "lab.packaging.message_table")
    assert "Silence alarm" in page
    (copy / "docs/library/messages.md").write_text(page, encoding="utf-8")
    run(copy, "-c", MID_WORKS)
    check_row(copy, "a MID")


# -- a setting -----------------------------------------------------------------------------------------------------

SETTING_WORKS = """
from toolcart.agent.cart import config
from lab.harness.cart import Cart
assert Cart(settings={"controller": {"hold_s": 7}}).station.session.hold_s == 7
assert Cart().station.session.hold_s == 2
"""


def test_setting(copy):
    edit(copy, "agent/cart/settings.py", "stop_bits one 1 1,2", "\nhold_s int 2 0 9")
    text = '    "stations[].controller.hold_s": "How long.",\n'
    edit(copy, "tools/config/setting_texts.py", '    "stations[].controller.host": ', front=text)
    taken = '    session.hold_s = controller["hold_s"]\n'
    edit(copy, "agent/cart/assembly.py", "    return session\n", front=taken)
    made_again(copy)
    run(copy, "-c", SETTING_WORKS)
    cart = {
        "toolsnet": {"pim_host": "h", "pim_port": 1},
        "stations": [{"number": 1, "controller": {"host": "h", "hold_s": 10}, "spool": {"path": "s"}}],
    }
    (copy / "cart.json").write_text(json.dumps(cart), encoding="utf-8")
    assert "hold_s" in run(copy, "-m", "toolcart", "config", "check", "--json", "cart.json", code=2)
    (copy / "cart.json").unlink()
    check_row(copy, "a setting")


# -- a board -------------------------------------------------------------------------------------------------------


def test_board(copy):
    row = '    "xiao": Board("rp2", "SEEED_XIAO_RP2350", 2048, 1024, _RP2),\n'
    edit(copy, "tools/flash/boards.py", '    "w5500_evb_pico": ', front=row)
    status = json.loads(run(copy, "-m", "toolcart", "image", "--board", "xiao", "--check", "--json", code=2))
    assert any("BOARD=SEEED_XIAO_RP2350 submodules" in one for one in status["missing"]), status
    check_row(copy, "another board")


# -- a need --------------------------------------------------------------------------------------------------------

NEED = '''

def _calibration(station: dict) -> Iterator[Need]:
    """The tool's calibration has run out."""
    if station.get("calibration_over"):
        yield Need("calibration", WARN, "CALIBRATION", "the tool's calibration has run out", key="calibration")
'''

NEED_WORKS = """
from toolcart.tools.messages import attention
from toolcart.tools.messages.status import station_lines
from lab.harness.cart import Cart
from toolcart.agent.cart import status
cart = Cart().until_ready()
(shown,) = status.snapshot(cart.app)["stations"]
shown["calibration_over"] = True
assert [need.slug for need in attention.needs(shown)] == ["calibration"]
assert any("CALIBRATION" in line for line in station_lines(shown)), station_lines(shown)
assert attention.OVER["calibration"]
"""


def test_warning(copy):
    place = "tools/messages/attention.py"
    edit(copy, place, "    kinds = (", "_calibration, ")
    over = '    "calibration": "the tool was calibrated",\n'
    edit(copy, place, '    "overruns": "the line', front=over)
    (copy / place).write_text((copy / place).read_text(encoding="utf-8") + NEED, encoding="utf-8")
    run(copy, "-c", NEED_WORKS)
    check_row(copy, "a warning about a station")


# -- a record kind -------------------------------------------------------------------------------------------------

NOTE_WORKS = """
from toolcart.agent.log.cursor import Cursor
from toolcart.agent.record import KIND_NOTE
from toolcart.agent.record.note import NOTE_BYTES, put_note, value_of
from host_tests.support.log import Area, append
area = Area(blocks=12)
state, log = area.mount()
assert append(log, 1) == 0
put_note(log.stage, log.payload_at, log.next, 10, 4711)
assert log.append(KIND_NOTE, 0, NOTE_BYTES) == 0
assert append(log, 2) == 0
state, log = area.mount()
log.settle()


def read(wants):
    cursor = Cursor()
    cursor.wants = wants
    found = []
    while log.peek(cursor) > 0:
        found.append((log.kind, value_of(log.page, log.at) if log.kind == KIND_NOTE else 0))
        cursor.advance()
    return found


assert read(1 << (KIND_NOTE & 15)) == [(KIND_NOTE, 4711)]
assert [kind for kind, _ in read(Cursor().wants)] == [0xD2, 0xD2]
"""

NOTE = '''"""A number that somebody noted."""

from struct import pack_into

from toolcart.agent.base.fields import get_u32

NOTE_BYTES = 12


def put_note(target, to, number, station, value):
    pack_into("<IHBBI", target, to, number, station, 0, 0, value)


def value_of(page, at):
    return get_u32(page, at + 8)
'''


def test_record_kind(copy):
    add(copy, "agent/record/note.py", NOTE)
    kinds = "agent/record/__init__.py"
    edit(copy, kinds, "KIND_RAW = ", front="KIND_NOTE = const(0xCB)\n")
    edit(copy, kinds, r'KINDS = b"\xd2\xd7\xc5\xc9', r"\xcb")
    edit(copy, kinds, r'LEAST = b"\x72\x08\x16\x09', r"\x0c")
    row = "| 0xCB | NOTE | number u32, station u16, 0, 0, u32 |\n"
    edit(copy, "docs/internals/spool.md", "| 0xC9 | GRAPH |", front=row)
    run(copy, "-c", NOTE_WORKS)
    check_row(copy, "a record kind")


# -- a file format of the archive ----------------------------------------------------------------------------------

TSV = '''"""Rows as lines of fields with tabs between them."""


def write(rows, file):
    count = 0
    for row in rows:
        file.write("\\t".join(str(value) for value in row.values()) + "\\n")
        count += 1
    return count
'''

TSV_WORKS = """
import io
from toolcart.archive.commands import query
from toolcart.archive.file_formats import export
from toolcart.archive.web.template_filters import templates
written = io.StringIO()
assert export.FORMATS["tsv"].write_text([{"Torque": 40.0, "Angle": 92.5}], written) == 1
assert written.getvalue() == "40.0\\t92.5\\n"
assert "--tsv" in [option for parameter in query.params for option in parameter.opts]
assert "Tabs" in [one.label for one in templates().globals["file_formats"]]
"""


def test_file_format(copy):
    place = "archive/file_formats/export.py"
    add(copy, "archive/file_formats/tsv.py", TSV)
    edit(
        copy,
        place,
        '    FileFormat("json"',
        front='    FileFormat("tsv", "Tabs", "text/plain", "tsv", "With tabs.", tsv.write),\n',
    )
    edit(
        copy,
        place,
        "from toolcart.archive.file_formats import xlsx",
        front="from toolcart.archive.file_formats import tsv\n",
    )
    run(copy, "-c", TSV_WORKS)
    check_row(copy, "a file format of the archive")
