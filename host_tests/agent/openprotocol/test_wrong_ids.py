"""Each ID of each layout printed wrong, with texts full of IDs, whole, cut and with padding: no false value."""

import json
import random

import pytest

from toolcart.agent.linux.json_line import line_of
from toolcart.agent.openprotocol.layouts import LAST_REVISION
from toolcart.agent.openprotocol.shifted_result import find
from toolcart.agent.record import KIND_RAW, KIND_RESULT
from toolcart.agent.record import result as res
from host_tests.agent.openprotocol.test_shifted_fields import CASES, TEXTS, frame_of, layout_of, widths_of
from host_tests.portable import LONG
from host_tests.support.combinations import some
from host_tests.support.station import Bench

WRONG = (b"99", b"05", b"XX", b"  ", b"", b"twice")
LEFT_OUT = (b"", b"\0")


def pieces_of(mid, revision, texts, **fields):
    """Return ID, content and name of each field of a result."""
    data = frame_of(mid, revision, texts, **fields)[20:]
    pieces = []
    for number, width, name in layout_of(mid, revision):
        octets = len(texts[name]) if name in texts else width
        pieces.append((b"%02d" % number, data[2 : 2 + octets], name))
        data = data[2 + octets :]
    assert not data
    return pieces


def frame_with(mid, revision, pieces, wrong_at=-1, printed=b"", cut=0, tail=b""):
    data = b""
    for index, (ident, content, _) in enumerate(pieces):
        text = ident if index != wrong_at else 2 * ident if printed == b"twice" else printed
        data += text + content
    data = data[: len(data) - cut] + tail
    head = b"%04d%04d%03d" % (20 + len(data), mid, revision)
    return head + b" 0101    " + data


def found_as(mid, revision, frame):
    return find(mid, revision, frame, 0, len(frame))[::2]


def contents_of(mid, revision, frame):
    """Return what is read of the message by the table of the revision that it was found to be, as name -> octets."""
    found = find(mid, revision, frame, 0, len(frame))
    if found is None or (found[0] > LAST_REVISION and found[0] != 998):
        return None
    place = 20
    contents = {}
    for _, width, name in layout_of(mid, found[0]):
        contents[name] = found[1][place + 2 : place + 2 + width]
        place += 2 + width
    return {name: octets for name, octets in contents.items() if octets}


def text_with(dice, ids, width):
    """Return a text that has an ID at some place, among other characters."""
    chosen = dice.choice(ids)
    before = dice.randrange(max(1, width - 1))
    return (b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"[:before] + chosen + b"4W12 567890 ABCD"[: dice.randrange(16)]).ljust(width)[
        :width
    ]


def check_all(mid, revision, pieces, frame):
    read = contents_of(mid, revision, frame)
    if read is None:
        return 0
    for _, content, name in pieces:
        octets = read.get(name, b"")
        if octets.strip(b" \0") and octets != content:
            width = widths_of(mid, revision).get(name, len(content))
            assert octets == content[:width], (name, octets, content, found_as(mid, revision, frame), frame)
    return 1


@pytest.mark.parametrize("mid, revision", some(CASES[1:], 3))
def test_no_value_comes_from_a_place_that_a_wrong_id_leaves_open(mid, revision):
    dice = random.Random(mid * 2000 + revision)
    widths = widths_of(mid, revision)
    ids = [b"%02d" % number for number, _, _ in layout_of(mid, revision)]
    numbers = {"torque": 1234, "tightening_id": 77, "pset": 12}
    for index in range(0 if LONG else revision % 2, len(ids), 1 if LONG else 2):  # in turns
        near = ids[max(0, index - 1) : index + 2]
        for printed in WRONG:
            for _ in range(4 if LONG else 1):
                texts = {name: text_with(dice, dice.choice((ids, near)), width) for name, width in widths.items()}
                if dice.random() < 0.3:
                    name = dice.choice(sorted(texts))
                    texts[name] = ("AB" + dice.choice("äß±中") * dice.randrange(1, 4)).ljust(widths[name]).encode()
                pieces = pieces_of(mid, revision, texts, **numbers)
                cut = dice.choice((0, 0, 0, dice.randrange(1, 60)))
                if index == len(ids) - 1 and printed == b"twice":
                    cut = 0  # cut to the length of its revision it is a message in order, of another value
                tail = b"" if cut or index == len(ids) - 1 else dice.choice((b"", b"", b"  ", b"\0"))
                check_all(mid, revision, pieces, frame_with(mid, revision, pieces, index, printed, cut, tail))


@pytest.mark.parametrize("mid, revision", some(CASES[2:], 3))
def test_an_id_of_every_text_at_every_place_of_it_cuts_no_text(mid, revision):
    widths = widths_of(mid, revision)
    names = [name for _, _, name in layout_of(mid, revision)]
    for name, width in widths.items():
        own = names.index(name)
        for ident in range(own, min(own + 2, len(names))):
            for place in range(0 if LONG else revision % 2, width - 1, 1 if LONG else 2):
                text = (b"K" * place + b"%02d" % (ident + 1) + b"W" * width)[:width]
                others = [{name: text}]
                if own and names[own - 1] in widths:
                    others.append({names[own - 1]: text.ljust(widths[names[own - 1]])[: widths[names[own - 1]]]})
                for texts in others:
                    pieces = pieces_of(mid, revision, texts)
                    for printed in WRONG if LONG else WRONG[(place // 2 + ident) % 6 :: 6]:  # in turns
                        check_all(mid, revision, pieces, frame_with(mid, revision, pieces, ident, printed))


@pytest.mark.parametrize("revision", [998])
def test_wide_texts_of_a_message_that_is_cut_make_no_other_value(revision):
    dice = random.Random(998)
    for mid, revision in ((61, 998), (61, 6), (65, 6), (61, 5), (65, 7)):
        widths = widths_of(mid, revision)
        whole = sum([2 + width for _, width, _ in layout_of(mid, revision)])
        for code in some((b"5525", b"5254", b"3535", b"9415", b"5500", b"5455", b"1055"), 3):
            for name in sorted(set(widths) - {"customer_code"}):
                for wide in range(1, 7) if LONG else (1, 6):
                    for letter, encoding in (("ä", "utf-8"), ("中", "utf-8"), ("中", "gbk")):
                        texts = {one: b"%025d" % dice.randrange(10**9) for one in TEXTS[4:7] if one in widths}
                        texts["customer_code"] = code
                        texts[name] = ("AB" + letter * wide).ljust(widths[name])[: widths[name]].encode(encoding)
                        pieces = pieces_of(mid, revision, texts)
                        octets = sum([2 + len(content) for _, content, _ in pieces])
                        check_all(mid, revision, pieces, frame_with(mid, revision, pieces, cut=octets - whole))


@pytest.mark.parametrize("mid, revision", some(CASES, 2))
def test_last_id_printed_twice_makes_no_other_last_value(mid, revision):
    for ident in (0, 24, 200, 299, 2424, 4294967295):
        fields = {"tightening_id": ident, "click_angle": ident % 99999, "final_angle": ident % 99999}
        for blanks in ({}, {"pset_change": " " * 19, "time": " " * 19}):
            pieces = pieces_of(mid, revision, {}, **fields, **blanks)
            last = len(pieces) - 1
            for more in LEFT_OUT:
                check_all(mid, revision, pieces, frame_with(mid, revision, pieces, last, b"twice", tail=more))
                for printed in (b"9", b"999"):
                    check_all(mid, revision, pieces, frame_with(mid, revision, pieces, last, printed, tail=more))


def pushed(frame):
    """Return the line of a result that was pushed, None if it is kept as it came."""
    bench = Bench()
    bench.push(frame)
    ((kind, flags, payload),) = bench.records(KIND_RESULT, KIND_RAW)
    return None if kind == KIND_RAW else (json.loads(line_of(payload, 0, kind, flags, len(payload))), flags)


def test_wrong_id_in_front_of_a_vin_with_its_digits_makes_no_other_vin():
    for revision in (1, 2, 3, 7, 998):
        for texts in (
            {"vin": b"WVWZZZ1K04W123456".ljust(25)},
            {"controller_name": b"LINE 04 A".ljust(25)},
            {"vin": b"WVWZZZ1K04W123456".ljust(25), "controller_name": b"LINE 04 A".ljust(25)},
        ):
            pieces = pieces_of(61, revision, texts)
            for printed in (b"99", b"05", b"XX", b"  ", b""):
                assert pushed(frame_with(61, revision, pieces, 3, printed)) is None, (revision, printed)


def test_result_that_lacks_a_field_is_marked():
    for revision, cut in ((2, 50), (2, 21), (2, 30), (1, 12), (1, 5)):
        pieces = pieces_of(61, revision, {})
        line, flags = pushed(frame_with(61, revision, pieces, cut=cut))
        assert flags & res.FLAG_ODD and "incomplete" in line["odd"], (revision, cut)


def test_last_id_printed_twice_leaves_the_last_field_out():
    for ident in (2, 24, 200, 299):
        pieces = pieces_of(61, 1, {}, tightening_id=ident)
        line, flags = pushed(frame_with(61, 1, pieces, len(pieces) - 1, b"twice"))
        assert flags & res.FLAG_ODD and "incomplete" in line["odd"] and line["tightening_id"] is None
