"""The machine code twins answer like the plain loops, octet by octet, on whatever runs them."""

import sys

from toolcart.agent.base import byte_moves as used_form
from toolcart.agent.base import compat
from toolcart.agent.base.byte_moves import FIXED, PACK_TIME, STATUS
from toolcart.base.clock import Dice
from host_tests.portable import error_of
from lab.harness.portable_session import Skip

PORTABLE = True

CASES = 300
OCTETS = b"0123456789  \x00\x00.-AZaz~\x7f\x80\xff\x1f"


def both():
    """The module of plain loops and the module as it is used; Skip where there is only one form."""
    if compat.FAST is None:
        raise Skip("no machine code here: the plain form is all there is")
    from toolcart.agent.base import crc, fields

    used = (fields, crc)
    plain = plain_modules("toolcart.agent.base.fields", "toolcart.agent.base.crc")
    assert plain[0].copy is not used[0].copy and plain[1].crc30 is not used[1].crc30
    return plain, used


def plain_modules(*names):
    """These modules as they are without machine code, each imported once more."""
    used = [sys.modules.pop(name) for name in names if name in sys.modules]
    native = compat.FAST
    compat.FAST = None
    try:
        for name in names:
            __import__(name)
        return [sys.modules[name] for name in names]
    finally:
        compat.FAST = native
        for module in used:
            sys.modules[module.__name__] = module


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
            assert plain.is_plain(field, start, width) is used.is_plain(field, start, width)
            assert plain.all_digits(field, start, width) is used.all_digits(field, start, width)
            for other in (field, digits):
                wanted = plain.compare(field, start, other, 3, width)
                assert used.compare(field, start, other, 3, width) == wanted


def test_every_writer_of_a_field_writes_the_same():
    (plain, _), (used, _) = both()
    dice = Dice(12)
    for _ in range(CASES):
        source = octets(dice, 40)
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
        assert one == other


def test_packed_digits_are_the_same_both_ways():
    (plain, _), (used, _) = both()
    dice = Dice(14)
    for _ in range(CASES):
        digits = octets(dice, 40)
        start, count = dice.randrange(20), 2 * dice.randrange(10)
        one, other, back, again = bytearray(30), bytearray(30), bytearray(40), bytearray(40)
        plain.pack_digits(one, 3, digits, start, count)
        used.pack_digits(other, 3, digits, start, count)
        assert one == other
        plain.unpack_digits(back, 1, digits, start, count)
        used.unpack_digits(again, 1, digits, start, count)
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


def test_field_beyond_end_of_its_buffer_is_index_error_in_both_forms():
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
        lambda module: module.is_plain(digits, 3, 2),
        lambda module: module.all_digits(digits, 3, 2),
        lambda module: module.compare(digits, 3, digits, 3, 2),
        lambda module: module.put_text(short, 3, digits, 0, 2),
    )
    for call in calls:
        for module in (plain, used):
            error_of(lambda call=call, module=module: call(module), IndexError)


def test_a_record_is_sealed_the_same():
    if compat.FAST is None:
        raise Skip("no machine code here: the plain form is all there is")
    from toolcart.agent.base.crc import crc30
    from toolcart.agent.log import framing

    dice = Dice(16)
    for _ in range(60):
        buf = octets(dice, 200)
        start, length = dice.randrange(20), dice.randrange(160)
        kind, flags, seq = dice.randrange(256), dice.randrange(256), dice.randrange(1 << 29)
        wanted = bytearray(buf)
        wanted[start : start + 8] = bytes((kind, flags, length & 255, 0)) + seq.to_bytes(4, "little")
        end = start + 8 + length
        wanted[end : end + 4] = crc30(wanted, start, end).to_bytes(4, "little")
        assert framing.seal(buf, start, kind, flags, length, seq) == length + 12
        assert buf == wanted
    error_of(lambda: framing.seal(buf, 190, 1, 0, 0, 1), IndexError)


def plain_form():
    """toolcart.agent.base.byte_moves without machine code below it."""
    both()
    return plain_modules("toolcart.agent.base.fields", "toolcart.agent.base.byte_moves")[1]


def test_every_move_of_a_form_does_the_same():
    plain = plain_form()
    used = (
        sys.modules["toolcart.agent.base.byte_moves"]
        if "toolcart.agent.base.byte_moves" in sys.modules
        else __import__("toolcart.agent.base.byte_moves").base.form
    )
    assert plain.carry_out is not used.carry_out
    dice = Dice(15)
    made = 0
    for _ in range(3 * CASES):
        move, width, upper = dice.randrange(8), dice.randrange(1, 20), dice.randrange(4)
        source = octets(dice, 60) if dice.randrange(3) else bytearray(b" \0"[dice.randrange(2) :][:1] * 60)
        if dice.randrange(2):
            source = bytearray([0x30 + dice.randrange(10) * dice.randrange(2) for _ in range(60)])
        if move == PACK_TIME:
            width = 19
            # Nineteen characters that are a time, nearly one, or none.
            date = "%04d-%02d-%02d" % (dice.randrange(3) * 1012, dice.randrange(14), dice.randrange(33))
            time = "%02d:%02d:%02d" % (dice.randrange(26), dice.randrange(62), dice.randrange(62))
            text = bytearray((date + ":" + time).encode())
            if dice.randrange(4) == 0:
                text[dice.randrange(19)] = OCTETS[dice.randrange(len(OCTETS))]
            source[5:24] = text
        elif move == FIXED:
            width, upper = 3 + dice.randrange(6), 2 * dice.randrange(2)
        elif move == STATUS:
            width = 1
        form = bytes((move | upper << 4, 7, 0, 2, width)) * 2
        one, other = bytearray(b"#" * 80), bytearray(b"#" * 80)
        answer = plain.carry_out(form, 2, one, 3, source, 3)
        assert used.carry_out(form, 2, other, 3, source, 3) is answer
        assert not answer or one == other, (move, width, upper, source)
        made += answer
    assert made > CASES


def test_move_beyond_the_end_of_buffer_is_index_error_in_both_forms():
    plain = plain_form()
    used = used_form
    digits = b"123456789012345678901234567890"
    for move in range(8):
        for to, begin in ((17, 0), (0, 27)):
            if (move, begin) == (STATUS, 27):
                continue
            form = bytes((move | 2 << 4, to, 0, begin, 4))
            for module in (plain, used):
                try:
                    module.carry_out(form, 1, bytearray(20), 0, digits, 0)
                except IndexError:
                    continue
                if (move, to) == (STATUS, 17):
                    continue  # one octet has room there
                raise AssertionError("no IndexError", move, to)
