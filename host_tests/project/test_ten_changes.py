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
COPIED = ("toolcart", "lab", "host_tests/support", "docs")
SECONDS_MOST = 120


@pytest.fixture
def copy(tmp_path):
    """The project once more, to be changed."""
    for folder in COPIED:
        ignored = shutil.ignore_patterns("__pycache__", ".cache", "*.png", "*.svg", "*.gif")
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=ignored)
    (tmp_path / "host_tests/__init__.py").touch()
    return tmp_path


def add(copy, path, text):
    """Write a new file."""
    assert not (copy / path).exists()
    (copy / path).write_text(text, encoding="utf-8")


def edit(copy, path, old, new):
    """Replace the one place that reads `old`."""
    text = (copy / path).read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{path} has not one {old!r}"
    (copy / path).write_text(text.replace(old, new), encoding="utf-8")


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
    found = set()
    for path in copy.rglob("*"):
        name = path.relative_to(copy)
        if path.is_file() and "__pycache__" not in name.parts and name != Path("host_tests/__init__.py"):
            source = ROOT / name
            if not source.exists() or source.read_bytes() != path.read_bytes():
                found.add(str(name))
    return found


def row_of(what):
    """The files that the row of docs/internals/architecture.md names for this change."""
    text = (ROOT / "docs/internals/architecture.md").read_text(encoding="utf-8")
    (cell,) = re.findall(rf"^\| \*\*{re.escape(what)}\*\*[^|]*\| (.*) \|$", text, re.M)
    return re.findall(r"`([\w./]+/[\w.]*)`", cell.partition(";")[0])


def check_row(copy, what):
    """The change touched what the row says, and nothing else."""
    said = []
    found = sorted(touched(copy))
    for path in found:
        is_new = not (ROOT / path).exists()
        said.append(str(Path(path).parent) + "/" if is_new else path)
    assert sorted(row_of(what)) == sorted(said), "\n".join(
        [f"docs/internals/architecture.md, {what}:", *difflib.ndiff(sorted(row_of(what)), sorted(said))]
    )


# -- an outlet -----------------------------------------------------------------------------------------------------

# What an outlet that needs no network has to answer.
REST_OF_OUTLET = """
    def attach(self, scheduler, slot):
        pass

    def recover(self, now):
        pass

    def hurry(self, now):
        pass

    def stop(self):
        pass

    def is_up(self):
        return True

    def put_state(self, shown):
        shown["state"] = "at work"
        shown["place"] = "memory"
        shown["why"] = ""

    def holds(self):
        return False

    def leave(self, now):
        pass

    def has_left(self, now):
        return True
"""

TALLY = '''"""Counts results: an outlet that keeps nothing."""

from toolcart.agent.base.ticks import FOREVER

CPYTHON_ONLY = True
SETTINGS = """step_size int 1 1 9"""
MEANINGS = {"step_size": "How many each result counts."}


def make(settings, station, index):
    return Tally(station.log, index, settings["step_size"])


class Tally:
    kind = "tally"
    port = times = None
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
'''
TALLY += REST_OF_OUTLET

TALLY_WORKS = """
from toolcart.agent.cart import status
from lab.harness.cart import Cart
from toolcart.tools.words.status import station_lines
outlets = [{"kind": "toolsnet"}, {"kind": "tally", "step_size": 3}]
cart = Cart(settings={"station": {"outlets": outlets}})
cart.until_ready()
for _ in range(4):
    cart.controller.produce()
cart.until_quiet()
assert len(cart.ids()) == 4
assert cart.station.outlets[1].total == 12
(shown,) = status.snapshot(cart.app)["stations"]
assert any(line.lstrip().startswith("tally") for line in station_lines(shown)), station_lines(shown)
"""


def test_outlet(copy):
    add(copy, "toolcart/agent/wide/tally.py", TALLY)
    edit(
        copy,
        "toolcart/agent/wide/outlets.py",
        "from toolcart.agent.wide import file,",
        "from toolcart.agent.wide import file, tally,",
    )
    edit(copy, "toolcart/agent/wide/outlets.py", '"file": file,', '"file": file, "tally": tally,')
    edit(copy, "toolcart/agent/cart/area.py", '"mqtt")', '"mqtt", "tally")')
    page = run(copy, "-m", "toolcart.tools.config.text")
    assert "How many each result counts." in page
    (copy / "docs/configuration.md").write_text(page, encoding="utf-8")
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
    from toolcart.agent.link.r3964 import R3964
"""

TAGGED_WORKS = """
import toolcart
from lab.harness.serial_cart import SerialCart
cart = SerialCart("tagged")
assert type(cart.station.session.link).__name__ == "Tagged"
for _ in range(4):
    cart.run(3000)
    cart.controller.produce()
assert cart.run(60000, cart.is_drained) and len(cart.ids()) == 4, cart.ids()
toolcart.connect_serial("/dev/ttyUSB0", procedure="tagged")
"""


def test_serial_procedure(copy):
    add(copy, "toolcart/agent/link/tagged.py", TAGGED)
    add(copy, "toolcart/sim/tagged_peer.py", TAGGED_PEER)
    edit(copy, "toolcart/agent/cart/settings.py", "tcp,ascii,3964r", "tcp,ascii,3964r,tagged")
    place = "toolcart/agent/cart/assembly.py"
    edit(copy, place, "    from toolcart.agent.link.r3964 import R3964\n", LINK_OF_TAGGED)
    place = "toolcart/sim/serial_peers.py"
    edit(copy, place, '"ascii": AsciiPeer', '"ascii": AsciiPeer, "tagged": TaggedPeer')
    edit(copy, place, "\n\nPORTABLE", "\nfrom toolcart.sim.tagged_peer import TaggedPeer\n\nPORTABLE")
    edit(
        copy,
        "toolcart/tools/line.py",
        '    "3964r": Explain3964R,',
        '    "3964r": Explain3964R,\n    "tagged": Explain3964R,',
    )
    page = run(copy, "-m", "toolcart.tools.config.text")
    assert "3964r, tagged" in page and "ascii or 3964r or tagged" in page
    (copy / "docs/configuration.md").write_text(page, encoding="utf-8")
    run(copy, "-c", TAGGED_WORKS)
    assert "tagged" in run(copy, "-m", "toolcart", "line", "monitor", "--help")
    assert "tagged" in run(copy, "-m", "toolcart", "simulate", "controller", "--help")
    check_row(copy, "a serial procedure")


# -- a setting -----------------------------------------------------------------------------------------------------

SETTING_WORKS = """
from toolcart.agent.cart import config
from lab.harness.cart import Cart
assert Cart(settings={"controller": {"hold_s": 7}}).station.session.hold_s == 7
assert Cart().station.session.hold_s == 2
"""


def test_setting(copy):
    edit(copy, "toolcart/agent/cart/settings.py", "stop_bits one 1 1,2", "stop_bits one 1 1,2\nhold_s int 2 0 9")
    place = "toolcart/tools/config/text.py"
    edit(
        copy,
        place,
        '    "stations[].controller.host": ',
        '    "stations[].controller.hold_s": "How long.",\n    "stations[].controller.host": ',
    )
    place = "toolcart/agent/cart/assembly.py"
    edit(copy, place, "    return session\n", '    session.hold_s = controller["hold_s"]\n    return session\n')
    (copy / "docs/configuration.md").write_text(run(copy, "-m", "toolcart.tools.config.text"), encoding="utf-8")
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
    place = "toolcart/tools/flash/image.py"
    row = '    "xiao": Board("rp2", "SEEED_XIAO_RP2350", 2048, 1024, _RP2),\n'
    edit(copy, place, '    "w5500_evb_pico": ', row + '    "w5500_evb_pico": ')
    told = json.loads(run(copy, "-m", "toolcart", "image", "--board", "xiao", "--check", "--json", code=2))
    assert any("BOARD=SEEED_XIAO_RP2350 submodules" in one for one in told["missing"]), told
    check_row(copy, "another board")


# -- a need --------------------------------------------------------------------------------------------------------

NEED = '''

def _calibration(station: dict) -> Need | None:
    """The tool's calibration has run out."""
    if not station.get("calibration_over"):
        return None
    return Need("calibration", WARN, "CALIBRATION", "the tool's calibration has run out", key="calibration")
'''

NEED_WORKS = """
from toolcart.tools.words import attention
from toolcart.tools.words.status import station_lines
from lab.harness.cart import Cart
from toolcart.agent.cart import status
cart = Cart()
cart.until_ready()
(shown,) = status.snapshot(cart.app)["stations"]
shown["calibration_over"] = True
assert [need.slug for need in attention.needs(shown)] == ["calibration"]
assert any("CALIBRATION" in line for line in station_lines(shown)), station_lines(shown)
assert attention.OVER["calibration"]
"""


def test_warning(copy):
    place = "toolcart/tools/words/attention.py"
    edit(copy, place, "    found += [_fetching(station), ", "    found += [_calibration(station), _fetching(station), ")
    edit(
        copy,
        place,
        '    "overruns": "the line',
        '    "calibration": "the tool was calibrated",\n    "overruns": "the line',
    )
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
put_note(log.stage, log.place, log.next, 10, 4711)
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
    add(copy, "toolcart/agent/record/note.py", NOTE)
    kinds = "toolcart/agent/record/__init__.py"
    edit(copy, kinds, "KIND_RAW = ", "KIND_NOTE = const(0xCB)\nKIND_RAW = ")
    edit(copy, kinds, r'KINDS = b"\xd2\xd7\xc5\xc9"', r'KINDS = b"\xd2\xd7\xc5\xc9\xcb"')
    edit(copy, kinds, r'LEAST = b"\x72\x08\x16\x09"', r'LEAST = b"\x72\x08\x16\x09\x0c"')
    edit(
        copy,
        "docs/internals/spool.md",
        "| 0xC9 | GRAPH |",
        "| 0xCB | NOTE | number u32, station u16, 0, 0, u32 |\n| 0xC9 | GRAPH |",
    )
    run(copy, "-c", NOTE_WORKS)
    check_row(copy, "a record kind")


# -- an event that follows from a result ---------------------------------------------------------------------------

BATCHES = '''"""Writes an event behind the result that ends a batch, once, whichever way that result came."""

from toolcart.agent.base.ticks import FOREVER
from toolcart.agent.log.record import RECORD_NONE
from toolcart.agent.record import KIND_EVENT, KIND_RESULT
from toolcart.agent.record import event as ev
from toolcart.agent.record.result import BATCH_STATUS, HEAD_BYTES, ROOM_BYTES, TIME, TIME_BYTES
from toolcart.agent.station.gone import newest_event

CPYTHON_ONLY = True
SETTINGS = """durable bool true"""
MEANINGS = {}
ASK_AGAIN_MS = 1000
BLOCKS_SEARCHED = 16


def make(settings, station, index):
    return Batches(station, index)


class Batches:
    kind = "batches"
    port = times = None
    longest_ms = ASK_AGAIN_MS

    def __init__(self, station, index):
        self.station, self.log, self.index = station, station.log, index
        self.attempts = self.written = 0
        self.last = -1

    def begin(self, now):
        pass

    def step(self, now):
        log = self.log
        if not log.state.ready() or (log.doubtful and not log.settle()):
            return ASK_AGAIN_MS
        if self.last < 0:
            self.last = newest_event(log, ev.BATCH, BLOCKS_SEARCHED, number_of) or 0
        cursor = log.cursors[self.index]
        kind = log.peek(cursor)
        while kind > RECORD_NONE:
            ends = kind == KIND_RESULT and log.page[log.at + HEAD_BYTES + BATCH_STATUS] == 0x31
            if ends and cursor.found > self.last and not self.write(cursor.found, now):
                return ASK_AGAIN_MS
            cursor.advance()
            kind = log.peek(cursor)
        return FOREVER if kind == RECORD_NONE else ASK_AGAIN_MS

    def write(self, number, now):
        log, text = self.log, b"%d" % number
        octets = ev.EVENT_LEAST + len(text)
        if not self.station.quiet.may_write(log) or not log.has_room(ROOM_BYTES + octets, False):
            return False
        time = log.at + HEAD_BYTES + TIME
        stamp = bytes(log.page[time : time + TIME_BYTES])
        ev.put_event(log.stage, log.place, log.next, self.station.number, ev.BATCH)
        log.stage[log.place + ev.TIME : log.place + ev.TIME + TIME_BYTES] = stamp
        octets = ev.put_words(log.stage, log.place, text, 0, len(text))
        if log.append(KIND_EVENT, 0, octets) != 0:
            return False
        self.last = number
        self.written += 1
        self.station.intake.wake_outlets(now)
        return True
'''
BATCHES += (
    REST_OF_OUTLET
    + """

def number_of(log):
    text = log.at + ev.TEXT
    return int(bytes(log.page[text : text + log.page[log.at + ev.TEXT_LENGTH]]))
"""
)

BATCHES_WORK = """
import json
from lab.harness.cart import Cart
file = {"kind": "file", "path": "lines", "keep": 1}
cart = Cart(settings={"station": {"outlets": [{"kind": "toolsnet"}, file, {"kind": "batches"}]}})


def make(*statuses):
    for status in statuses:
        cart.controller.produce(batch_status=status)


def told():
    lines = [json.loads(line) for line in cart.lines["lines"].lines()]
    ends = [line["number"] for line in lines if line.get("batch_status") == "OK"]
    return ends, [int(line["text"]) for line in lines if line.get("event") == "batch done"]


cart.until_ready()
make(0, 1, 0)
cart.until_quiet()
cart.cut()
make(0, 1)  # no one listens: these are fetched
cart.until_quiet()
cart.cut()
cart.until_quiet()
cart.run(5000)
ends, events = told()
assert len(ends) == 2 and events == ends, (ends, events)
assert len(cart.ids()) == 5
"""


def test_event_that_follows_from_a_result(copy):
    add(copy, "toolcart/agent/wide/batches.py", BATCHES)
    edit(
        copy,
        "toolcart/agent/wide/outlets.py",
        "from toolcart.agent.wide import file,",
        "from toolcart.agent.wide import batches, file,",
    )
    edit(copy, "toolcart/agent/wide/outlets.py", '"file": file,', '"file": file, "batches": batches,')
    edit(copy, "toolcart/agent/cart/area.py", '"mqtt")', '"mqtt", "batches")')
    edit(copy, "toolcart/agent/record/event.py", "GONE = const(16)", "BATCH = const(6)\nGONE = const(16)")
    edit(
        copy,
        "toolcart/agent/record/text.py",
        '    16: "results gone",',
        '    6: "batch done",\n    16: "results gone",',
    )
    edit(copy, "docs/outlets.md", "`vehicle` (0052), ", "`vehicle` (0052), `batch done`, ")
    (copy / "docs/configuration.md").write_text(run(copy, "-m", "toolcart.tools.config.text"), encoding="utf-8")
    run(copy, "-c", BATCHES_WORK)
    check_row(copy, "an event that follows from a result")


# -- a telegram to ToolsNet ----------------------------------------------------------------------------------------

GREETING_WRITER = '''"""Telegram 15: a greeting."""

from toolcart.agent.toolsnet.telegram import begin, finish

CPYTHON_ONLY = True


def greeting(ident, station):
    tx = bytearray(11) + b"%04d" % station
    begin(tx, 15, ident)
    finish(tx, len(tx))
    return tx
'''

GREETING_SOURCE = '''"""Greets ToolsNet once a start."""

from toolcart.agent.wide.telegram15 import greeting
from toolcart.agent.wide.toolsnet_source import Source

CPYTHON_ONLY = True


class Greeting(Source):
    def join(self, forward):
        self.session = forward.session

    def put_state(self, shown):
        shown["greetings"] = self.sent

    def waits(self):
        return self.sent + self.passed == 0

    def send(self, now):
        if self.is_held(now):
            return 0
        self.is_out = True
        self.tx = greeting(self.session.ident, self.session.place[2])
        return len(self.tx)

    def accepted(self, now):
        self.count_accepted()

    def refused(self, code, now):
        self.count_refused(now)

    def silent(self, now):
        self.count_silent(now)

    def resume(self, now):
        return True
'''

GREETING_WORKS = """
from lab.harness.cart import Cart
cart = Cart()
cart.until_ready()
for _ in range(3):
    cart.controller.produce()
cart.until_quiet()
assert len(cart.ids()) == 3
assert cart.toolsnet.telegrams["15"] == 1, cart.toolsnet.telegrams
cart.clean()
"""


def test_telegram(copy):
    add(copy, "toolcart/agent/wide/telegram15.py", GREETING_WRITER)
    add(copy, "toolcart/agent/wide/toolsnet_greeting.py", GREETING_SOURCE)
    row = "toolcart/agent/wide/toolsnet.py"
    edit(
        copy,
        row,
        "from toolcart.agent.wide.toolsnet_session ",
        "from toolcart.agent.wide.toolsnet_greeting import Greeting\nfrom toolcart.agent.wide.toolsnet_session ",
    )
    edit(copy, row, "    sources = []\n", "    sources = [Greeting()]\n")
    reader = "toolcart/toolsnet.py"
    edit(copy, reader, '"09", "13")', '"09", "13", "15")')
    edit(
        copy,
        reader,
        '    "07": (REQUEST, 19),\n',
        '    "07": (REQUEST, 19),\n    "15": ((("station", 7, 4, "d", 1, 9999),), 11),\n',
    )
    run(copy, "-c", GREETING_WORKS)
    check_row(copy, "a telegram")


# -- a page --------------------------------------------------------------------------------------------------------

COUNT_TEMPLATE = """{% extends "base.html" %}
{% block title %}Count{% endblock %}
{% block main %}
<p>{{ agents | length }} agents: {% for one in agents %}{{ one.name }} {% endfor %}</p>
{% endblock %}
"""

COUNT_VALUES = '''def count(seen: list[Seen]) -> str:
    """How many agents there are."""
    return _rendered("count.html", agents=seen)


'''

COUNT_WORKS = """
from starlette.testclient import TestClient
from toolcart.tools.status.asking import Trouble
from toolcart.tools.web import app
from toolcart.tools.web.polling import Looking


def away(_path, _patience_s):
    raise Trouble("no agent runs here", "start it")


with TestClient(app.make(Looking(["/x/a.sock", "/x/b.sock"], away)), base_url="http://localhost") as client:
    told = client.get("/count")
    assert told.status_code == 200 and "<p>2 agents: " in told.text, told.text
    assert "<title>Count \u00b7 toolcart</title>" in told.text and "/static/style.css" in told.text, "the shared frame"
    assert "default-src 'none'" in told.headers["content-security-policy"]
"""


def test_page(copy):
    add(copy, "toolcart/tools/web/templates/count.html", COUNT_TEMPLATE)
    edit(copy, "toolcart/tools/web/page.py", "def trouble(", COUNT_VALUES + "def trouble(")
    edit(
        copy,
        "toolcart/tools/web/app.py",
        '        Route("/metrics", told),\n',
        '        Route("/count", shown(lambda seen, _request: HTMLResponse(page.count(seen)))),\n'
        '        Route("/metrics", told),\n',
    )
    run(copy, "-c", COUNT_WORKS)
    check_row(copy, "a page")
