"""What the text allows is taken, whoever sends it; all else is answered, and poisons nothing that comes next."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolcart.archive.server import reader
from toolcart.toolsnet.telegrams import time_ok
from host_tests.support.archive import DESCRIBED, EVENT, GRAPH, RESULT, Served, browsing, place_in, reported, result


@given(st.integers(0, 500), st.binary(min_size=1, max_size=12), st.sampled_from([RESULT, EVENT, DESCRIBED, GRAPH]))
def test_whatever_the_octets_are_reading_ends_and_counts_make_no_work(at, octets, telegram):
    telegram = telegram.encode() if isinstance(telegram, str) else telegram
    at %= len(telegram)
    fields, breaches = reader.read(telegram[:at] + octets + telegram[at + len(octets) :])
    assert len(breaches) <= 40 and isinstance(reader.is_complete(fields), bool)
    for spindle in fields.get("spindles", ()):
        assert all(
            not spindle[name] or math.isfinite(float(spindle[name])) for name in ("torque", "angle") if name in spindle
        )


@pytest.mark.parametrize(
    ("text", "is_one"),
    [("20250229120000", False), ("20240229120000", True), ("00000101000000", False), ("19000229000000", False)],
)
def test_a_time_is_one_that_a_calendar_has(text, is_one):
    assert time_ok(text.encode()) == is_one


def changed(telegram, at, text):
    """The telegram with this text from octet `at` on, as the document counts."""
    octets = telegram.encode() if isinstance(telegram, str) else telegram
    return octets[: at - 1] + text.encode() + octets[at - 1 + len(text) :]


POISON = [
    *[changed(RESULT, 108, text) for text in ("     inf", "   1e999", "     nan", "    1_00", "--------", "        ")],
    *[changed(GRAPH, 105, text) for text in ("     nan", "     inf", "   1e999")],
    *[changed(GRAPH, 51, text) for text in ("9999999999", "      2000", "     -2000", "          ")],
    changed(GRAPH, 71, "         0"),
    changed(GRAPH, 113, "8000"),
    changed(RESULT, 66, "9999"),
    changed(DESCRIBED, 60, "9999"),
    changed(DESCRIBED, 93, "9999"),
    changed(EVENT, 47, "99"),
    changed(RESULT, 8, "99"),
    changed(RESULT, 22, "20250229120000"),
]
ALLOWED = [
    changed(RESULT, 3, "00000"),
    changed(RESULT, 36, "00000"),
    changed(RESULT, 108, "  42.4  "),
    changed(EVENT, 3, "00000"),
    "11000070010192.168.0.20   ",
]


def test_nothing_poisons_what_comes_next_and_every_page_opens(tmp_path):
    with Served(place_in(tmp_path)) as archive, archive.server() as server:
        assert server.ask(DESCRIBED)[21:24] == "000"
        for number, telegram in enumerate(POISON, 98):
            answer = server.ask(telegram)
            assert answer[:2] == "05" and answer[2:7] == telegram[2:7].decode(), telegram
            assert server.ask(result(number, number))[21:24] == "000", telegram
            assert server.ask(GRAPH.replace(b"00017", b"%05d" % number, 1))[21:24] == "000", telegram
        numbers = [row[0] for row in archive.rows("SELECT ResultId FROM Result")]
    with browsing(place_in(tmp_path)) as browser:
        for path in ("/", "/results", "/events", "/breaches", "/station/10", "/car?vin=WVWZZZ1KZAW123456"):
            assert browser.get(path).status_code == 200, path
        for number in numbers:
            assert browser.get(f"/result/{number}").status_code == 200


def test_texts_beyond_ascii_are_kept_and_told_apart(tmp_path):
    tools = (
        "Ä-7 ö".encode(),
        "Ü-7 ä".encode(),
        "Ä-7".encode("latin-1"),
        "Ü-7".encode("latin-1"),
        "ÄÖÜ".encode() + b"\xc3",
    )
    with Served(place_in(tmp_path)) as archive:
        for number, tool in enumerate(tools, 1):
            telegram = result(number, number, vin="W\u00c4GEN" if number == 1 else "W1").encode("latin-1")
            archive.report(telegram[:84] + tool.ljust(10) + telegram[94:])
        assert archive.rows("SELECT SpindleSerial FROM Result ORDER BY ResultId") == [
            (tool,) for tool in ("Ä-7 ö", "Ü-7 ä", "Ä-7", "Ü-7", "ÄÖÜÃ")
        ]
        assert archive.rows("SELECT VIN FROM Result WHERE ResultId = 1") == [("WÄGEN",)]
        found = [one for (one,) in archive.rows("SELECT Found FROM Breach ORDER BY BreachId")]
    assert [one.rstrip() for one in found] == ["W~C4GEN", "Ä-7 ö"]


def test_a_torque_that_is_none_is_blank_and_never_good(tmp_path):
    place = reported(place_in(tmp_path), changed(RESULT, 108, "    1_00"))
    assert Served(place).rows("SELECT Torque, Overall FROM Result") == [(None, 1)]


def test_a_powerfocus_3000_has_the_type_0_that_the_map_gives_it(tmp_path):
    with Served(place_in(tmp_path)) as archive:
        archive.report(changed(DESCRIBED, 8, "0000"), changed(RESULT, 10, "0000"), changed(EVENT, 8, "0000"))
        assert archive.rows("SELECT SystemType FROM Result") == [(0,)]
    with browsing(place_in(tmp_path)) as browser:
        assert "PF3000" in browser.get("/").text and browser.get("/station/0/1/10").status_code == 200


@pytest.mark.parametrize("telegram", ALLOWED, ids=range(len(ALLOWED)))
def test_what_the_text_allows_is_answered_000_without_a_breach(tmp_path, telegram):
    with Served(place_in(tmp_path)) as archive:
        is_pim = telegram[:2] in ("11", b"11")
        with archive.pim() if is_pim else archive.server() as talk:
            if is_pim:
                talk.receive()
            answer = talk.ask(telegram)
        head = telegram[2:7] if isinstance(telegram, str) else telegram[2:7].decode()
        assert (answer[:2], answer[2:7], answer[21:24]) == ("05", head, "000")
        assert archive.rows("SELECT * FROM Breach") == [] and archive.state.breaches == 0


def test_breaches_of_a_kind_are_kept_once_and_counted(tmp_path):
    dice = random.Random(1)
    odd = [changed(result(number, number), 108, f"x{dice.randrange(10**7):07d}") for number in range(1, 51)]
    with Served(place_in(tmp_path)) as archive:
        archive.report(*odd)
        assert archive.state.breaches == 50
        assert len(archive.log) == 1
        archive.report("0600099")
    assert len(archive.rows("SELECT * FROM Breach")) == 1
