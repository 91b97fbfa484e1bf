"""Texts in which the blanks of telegrams are missing, as copied from a web page, or written as `_`."""

import re

import pytest

from toolcart import captures, catalogue
from toolcart.codec.examples import example

NEXT = b"00200062001         "
PLACES = (b" " * 9, b" 0101    ", b" 010100  ")  # of a header, behind its revision


def examples():
    """Every message of the catalogue that a text can hold, with several headers."""
    for mid in filter(catalogue.revisions, catalogue.mids()):
        for revision in catalogue.revisions(mid):
            frame, _ = example(catalogue.form(mid, revision))
            if frame.isascii() and not set(frame) & set(b"\n\r\0_"):
                yield from (frame[:11] + place + frame[20:] for place in PLACES)


def read(*lines):
    return captures.read(b"\n".join(lines) + b"\n", kind="text")


@pytest.mark.parametrize(
    "line",
    [
        b"<= 00240005001 0038",
        b"00230012 002",
        b"00260004001 006097",
        b"00220038 03",
        b"00230018001 002",
        b"00670008001 0900001380 02001002",
        b"00450050001 1234567890123456",
        b"002400050010038",
        b"00240005001    0060",
        b"00240005001 0038 (accepted)",
        b"00240005001 0038 12:00:05 next",
        b"00240005001 0038 00240005001 0060",
        b"00280011002 00101201 00240005001 0060",
        b"00670008001  0900001380  02001002",
        b"02310061001 010000020003 04 050006001070000080000091101111120005001300075014000550150005541600000170000018000"
        b"001900000202020-12-10:21:55:13212020-10-18:04:05:12222230002076591",
    ],
)
def test_telegram_whose_blanks_were_collapsed_is_not_believed(line):
    shown = read(b"before", line, NEXT)
    assert [one.message.mid for one in shown] == [62], list(shown)
    why = [one.why for one in shown.problems]
    assert len(why) == 2 and ("blanks are missing" in why[1] or "incomplete" in why[1]), why


def test_no_telegram_with_collapsed_blanks_is_taken_for_another_one():
    for frame in examples():
        for behind in (b"", b" and more words of the log"):
            shown = read(re.sub(b"  +", b" ", frame) + behind, NEXT)
            found = [one.message.frame for one in shown]
            assert found in ([NEXT], [frame, NEXT]), (frame, behind, found)
            assert len(found) == 2 or shown.problems, (frame, behind)


def test_behind_a_nul_of_a_telegram_with_collapsed_blanks_the_next_one_is_read():
    shown = read(b"00240005001 0038\\0" + NEXT + b"\\0", b"00240005001 0038 (accepted)<NUL>" + NEXT)
    assert [one.message.mid for one in shown] == [62, 62] and len(shown.problems) == 2


@pytest.mark.parametrize(
    "line",
    [
        b"00240005001",
        b"00240005            0060",
        b"00200062001 0101",
        b"00200001003",
        b"00230018001 01010000002",
        b"002400050010000000000038",
        b"00209999000000000000",
    ],
)
def test_headers_that_are_filled_or_end_early_are_believed(line):
    shown = read(line, NEXT)
    assert [one.message.mid for one in shown] == [int(line[4:8]), 62] and shown.problems == []


@pytest.mark.parametrize("words", [b"", b"got `"])
def test_underscores_of_a_header_are_blanks_in_the_whole_telegram(words):
    for frame in examples():
        written = frame.replace(b" ", b"_")
        for line in (written, frame[:11] + written[11:]):
            for kind in ("text", "auto"):
                for end in (b"\n", b"`", b""):
                    [one] = captures.read(words + line + end, kind=kind)
                    assert one.message.frame == frame, (line, one)


def test_underscores_behind_a_header_with_blanks_are_the_value():
    frame = catalogue.encode(50, 1, vin="A_B__")
    shown = read(frame, frame.replace(b" ", b"_"))
    assert [one.message["vin"] for one in shown] == ["A_B__", "A B"]


def test_a_telegram_with_underscores_that_was_wrapped_is_joined():
    frame = next(one for one in examples() if one.startswith(b"0231"))
    written = frame.replace(b" ", b"_")
    shown = read(b"> " + written[:100], b"> " + written[100:200], b"> " + written[200:], NEXT)
    assert [one.message.frame for one in shown] == [frame, NEXT] and shown.problems == []


@pytest.mark.parametrize(
    "line",
    [b"20260101_000000_000123.log 00200062001         ", b"00240005_temp_file_x 00200062001         "],
)
def test_names_of_files_are_no_headers(line):
    assert [one.message.mid for one in read(line)] == [62]
