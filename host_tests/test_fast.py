"""The machine code twins answer like the plain loops, octet by octet, on whatever runs them."""

import sys

from agent.base import compat
from host_tests.portable import Skip
from tools.sim.clock import Dice

PORTABLE = True

CASES = 300
OCTETS = b"0123456789  \x00\x00.-AZaz~\x7f\x80\xff\x1f"


def both():
    """The module of plain loops and the module as it is used; Skip where there is only one form."""
    if compat.FAST is None:
        raise Skip("no machine code here: the plain form is all there is")
    from agent.base import crc, fields

    used = (fields, crc)
    names = ("agent.base.fields", "agent.base.crc")
    for name in names:
        del sys.modules[name]
    fast, compat.FAST = compat.FAST, None
    try:
        for name in names:
            __import__(name)
        plain = (sys.modules[names[0]], sys.modules[names[1]])
    finally:
        compat.FAST = fast
        sys.modules[names[0]], sys.modules[names[1]] = used
    assert plain[0].copy is not used[0].copy and plain[1].crc30 is not used[1].crc30
    return plain, used


def octets(dice, count):
    return bytearray([OCTETS[dice.randrange(len(OCTETS))] for _ in range(count)])


def test_every_reader_of_a_field_answers_the_same():
    (plain, _), (used, _) = both()
    dice = Dice(11)
    for _ in range(CASES):
        buf = octets(dice, 40)
        digits = bytearray([0x30 + dice.randrange(10) for _ in range(40)])
        start = dice.randrange(25)
        width = dice.randrange(1, 10)
        for field in (buf, digits, bytearray(b" " * 40)):
            assert plain.number(field, start, width) == used.number(field, start, width)
            assert plain.is_blank(field, start, width) is used.is_blank(field, start, width)
            assert plain.all_digits(field, start, width) is used.all_digits(field, start, width)
            assert plain.same(field, start, digits, 3, width) is used.same(field, start, digits, 3, width)


def test_every_writer_of_a_field_writes_the_same():
    (plain, _), (used, _) = both()
    dice = Dice(12)
    for _ in range(CASES):
        source = octets(dice, 40)
        digits = bytearray([0x30 + dice.randrange(10) * dice.randrange(2) for _ in range(40)])
        one, other = bytearray(40), bytearray(40)
        start, at, width = dice.randrange(20), dice.randrange(20), dice.randrange(0, 20)
        value = dice.randrange(1 << 29)
        for module, target in ((plain, one), (used, other)):
            module.copy(target, at, source, start, width)
            module.put_number(target, 20, 1 + width // 2, value)
            module.put_text(target, 40 - width, source, start, width)
            module.fill(target, 5, width)
            module.fill(target, 7, 3, value & 0xFF)
            module.copy(target, at // 2, target, at, width)  # an overlap, as the FIFO makes it
            module.put_fixed(target, 30, 8, b"004237", 0, 6, 2)
            module.put_fixed(target, at, 8, digits, start, 1 + width // 3, width % 2)
            module.put_fixed(target, at, 5, digits, start, 9, 2)
            module.put_fixed(target, 2, 8, b"      ", 0, 6, 2)
            module.put_fixed(target, 12, 8, b"0", 0, 0, 2)
            module.put_stripped(target, at, 12, digits, start, 1 + width % 12)
            module.put_stripped(target, 0, 10, b"0000012345", 0, 10)
        assert one == other


def test_packed_digits_are_the_same_both_ways():
    both()
    from agent.base import fast, words

    del sys.modules["agent.base.words"]
    compat.FAST = None
    try:
        __import__("agent.base.words")
        plain = sys.modules["agent.base.words"]
    finally:
        compat.FAST = fast
        sys.modules["agent.base.words"] = words
    dice = Dice(14)
    for _ in range(CASES):
        digits = octets(dice, 40)
        start, count = dice.randrange(20), 2 * dice.randrange(10)
        one, other, back, again = bytearray(30), bytearray(30), bytearray(40), bytearray(40)
        plain.pack_digits(one, 3, digits, start, count)
        words.pack_digits(other, 3, digits, start, count)
        assert one == other
        plain.unpack_digits(back, 1, digits, start, count)
        words.unpack_digits(again, 1, digits, start, count)
        assert back == again


def test_checksum_is_the_same_in_one_piece_and_in_two():
    (_, plain), (_, used) = both()
    dice = Dice(13)
    for _ in range(60):
        buf = octets(dice, 200)
        cut = dice.randrange(200)
        whole = plain.crc30(buf, 0, 200)
        assert used.crc30(buf, 0, 200) == whole
        assert used.crc30(buf, cut, 200, used.crc30(buf, 0, cut)) == whole
    assert used.crc30(b"123456789", 0, 9) == 0x1790FBF6


def test_a_field_beyond_the_end_of_its_buffer_is_an_index_error_in_both_forms():
    (plain, _), (used, _) = both()
    short = bytearray(4)
    digits = b"1234"
    calls = (
        lambda module: module.number(digits, 2, 3),
        lambda module: module.put_number(short, 2, 3, 7),
        lambda module: module.copy(short, 3, digits, 0, 2),
        lambda module: module.copy(short, 0, digits, 3, 2),
        lambda module: module.fill(short, 3, 2),
        lambda module: module.is_blank(short, 3, 2),
        lambda module: module.all_digits(digits, 3, 2),
        lambda module: module.same(digits, 3, digits, 3, 2),
        lambda module: module.put_text(short, 3, digits, 0, 2),
    )
    for call in calls:
        for module in (plain, used):
            try:
                call(module)
            except IndexError:
                continue
            raise AssertionError("no IndexError")
