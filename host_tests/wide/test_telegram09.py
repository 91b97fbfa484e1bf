"""Telegram 09 is what the document says of it, octet for octet, and an independent reader finds in it what was told."""

from pathlib import Path

from toolcart.agent.record import event as ev
from toolcart.agent.wide import telegram09 as event09
from toolcart.agent.wide.telegram09 import CODE_OURS, EVENT_BYTES_MAX, EventWriter
from toolcart.base.clock import Dice
from toolcart.base.constants import written_out
from toolcart.base.sources import Source
from toolcart.toolsnet import take_apart

WORKED = b"00720900045000300010010202403140930000000400404002010010E404                "
TIME = b"2024-03-14:09:30:00"


def event(what, code=b"", text=b"", controller=0x20, tool=0x20, time=TIME, number=4, station=10):
    page = bytearray(3 + ev.EVENT_MOST)
    ev.put_event(page, 3, number, station, what)
    ev.put_code(page, 3, code, 0, len(code))
    ev.put_time(page, 3, time, 0)
    ev.put_ready(page, 3, controller, tool)
    ev.put_words(page, 3, text, 0, len(text))
    return page


def written(page, sequence=4, ident=45):
    """Return the telegram as sent, and what the simulated ToolsNet reads in it; it must find no breach."""
    writer = EventWriter(bytearray(b"\xaa" * EVENT_BYTES_MAX), 3, 1)
    octets = bytes(writer.tx[: writer.write(page, 3, ident, sequence)])
    assert int(octets[:4]) == len(octets) - 4
    found, breaches = take_apart(octets[4:])
    assert not breaches, [str(breach) for breach in breaches]
    return octets, found


def told(found):
    return [(one["parameter_id"], one["type"], one["value"]) for one in found["parameters"]]


def test_worked_example_of_the_digest_octet_for_octet():
    """The example has one parameter; ours go on with the two of readiness."""
    octets = written(event(ev.ALARM, b"E404", controller=0x31, tool=0x30))[0]
    assert octets[4:50] + b"01" + octets[52:76] == WORKED[4:]


def test_other_events_have_codes_of_ours_and_their_fields():
    found = written(event(ev.PSET_SELECTED, b"012", b"2024-02-01:08:00:00" + b"Wheel, left"))[1]
    assert found["code"] == CODE_OURS + 3 and found["level"] == 0
    assert told(found) == [(1, 0, "012"), (4, 0, "Wheel, left"), (10, 0, "2024-02-01:08:00:00")]
    found = written(event(ev.VIN, b"", b"V" * 40 + b"second".ljust(25) + b"x" * 25 + b"fourth"))[1]
    assert told(found) == [
        (30, 0, "V" * 20),
        (31, 0, "V" * 20),
        (32, 0, "second"),
        (34, 0, "x" * 20),
        (35, 0, "x" * 5),
        (36, 0, "fourth"),
    ]
    found = written(
        event(ev.JOB, b"0007", b"1" + b"0" + b"0012" + b"0003" + b"   " + b"004" + b"01" + b"02" + b"00009")
    )[1]
    assert told(found) == [
        (1, 0, "0007"),
        (20, 1, "1"),
        (21, 1, "0"),
        (22, 1, "0012"),
        (23, 1, "0003"),
        (25, 1, "004"),
        (26, 1, "01"),
        (27, 1, "02"),
        (28, 1, "00009"),
    ]
    gone = b"4294967290" + b"4294967295" + b"0000000006" + b"0000001006" + b"002"
    assert told(written(event(ev.GONE, b"reset", gone))[1]) == [
        (1, 0, "reset"),
        (40, 0, "4294967290"),
        (41, 0, "4294967295"),
        (42, 1, "0000000006"),
        (43, 1, "0000001006"),
        (44, 1, "002"),
    ]


def test_what_is_no_number_goes_out_as_text():
    assert told(written(event(ev.JOB, b"1", b"x" + b"1" + b"1x 4"))[1])[1:] == [
        (20, 0, "x"),
        (21, 1, "1"),
        (22, 0, "1x 4"),
    ]


def test_event_without_a_time_carries_one_that_a_server_can_read():
    assert written(event(ev.ALARM, b"E1", time=b" " * 19))[1]["time"] == "20000101000000"


def test_nothing_but_printable_ascii_goes_out():
    found = written(event(ev.ALARM, b"\xc3\xa41\x00\x07", b"W\xc3\xa4rme\x00\x1b\x7f"))[1]
    assert told(found)[:3] == [(1, 0, "??1"), (4, 0, "W~C3~A4rme~00~1B~7F")]


def test_any_record_that_can_be_makes_a_telegram_without_breach():
    dice = Dice(11)
    kinds = (ev.ALARM, ev.ALARM_ACKNOWLEDGED, ev.PSET_SELECTED, ev.JOB, ev.VIN, ev.GONE, 6, 255)
    for _ in range(600):
        length = dice.randrange(ev.TEXT_MOST + 1)
        page = bytearray([dice.randrange(256) for _ in range(3 + ev.EVENT_LEAST)])
        page[3 + ev.WHAT] = kinds[dice.randrange(len(kinds))]
        page[3 + 4] = 1 + dice.randrange(255)
        page[3 + 5] = 0
        ev.put_time(page, 3, TIME, 0)
        page[3 + ev.TEXT_LENGTH] = length
        page += bytes([dice.randrange(256) if dice.randrange(2) else 0x30 + dice.randrange(10) for _ in range(length)])
        sequence = 1 + dice.randrange(99999)
        found = written(page, sequence, 1 + dice.randrange(99999))[1]
        assert found["sequence"] == sequence


ON_32_BIT = """
import gc
space = {}
exec(SOURCE, space)
from toolcart.agent.record import event as ev
writer = space["EventWriter"](bytearray(MOST_BYTES), 3, 1)
pages = []
for what, code, text in ((ev.ALARM, b"E404", b"x" * 50), (ev.VIN, b"", b"V" * 115), (ev.GONE, b"none", b"0" * 43)):
    page = bytearray(ev.EVENT_MOST)
    ev.put_event(page, 0, 4, 10, what)
    ev.put_code(page, 0, code, 0, len(code))
    ev.put_words(page, 0, text, 0, len(text))
    pages.append(page)

def many(count):
    for index in range(count):
        for page in pages:
            writer.write(page, 0, 45, 1 + index)

many(3)
gc.collect()
gc.disable()
before = gc.mem_alloc()
many(100)
print(gc.mem_alloc() - before)
"""


def test_event_allocates_nothing_on_a_32_bit_micropython(micropython32):
    """No board is given the module, so its text goes along with the script."""
    text = written_out(Source("event09.py", Path(event09.__file__).read_text()))[0].text
    done = micropython32.run_source(f"SOURCE = {text!r}\nMOST_BYTES = {EVENT_BYTES_MAX}\n{ON_32_BIT}", "1m")
    assert done.returncode == 0 and done.stdout.strip() == "0", done.stdout + done.stderr
