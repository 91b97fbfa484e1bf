"""CPython twins of the loops over fields: slices, tables and struct, with the same answers.

Rules
1. Used by fields.py, byte_moves.py, crc.py, plausibility.py and toolcart.agent.log.framing, where `compat.FAST` is this
   module. The same tests run on both forms (test_fields_viper.py, test_fields_cpython.py).
2. Reaching outside a buffer is an IndexError as in the plain form, checked once before anything is written: a slice
   would silently make the buffer longer.
3. A form is compiled once into a function that unpacks all fields in one call and packs them in one:

    def run(target, at, source, start):
        a0, a1, a2, ... = unpack(source, start)          every field that the form moves
        if not (a1 + a2 + ...).isdigit(): return each(target, at, source, start)
        pack(target, at + 0, a0, b"00", a1, ...)         one call for each gapless stretch
        return True

   `each` is the same but checks every field of digits by itself: one may be blank. A form that cannot be carried out
   leaves the target unchanged. Nothing from a message gets into the source of such a function: only places, widths
   and bytes of the form.
"""

from binascii import hexlify, unhexlify
from struct import Struct, pack_into

CPYTHON_ONLY = True  # boards have toolcart.agent.base.fields_viper, or the loops

# The moves of toolcart.agent.base.byte_moves, which is built on this module.
COPY, TEXT, DIGITS, STATUS, PACK_TIME, UNPACK, STRIP, FIXED = range(8)

_ABSENT = -1
_BAD = -2
_BLANKS = b" \0"
_PLAIN = bytes(range(0x20, 0x7E))
_LOW_NIBBLES = bytes(b"0123456789abcdef"[octet & 15] for octet in range(256))
_PRINTED = bytes([0, *range(0x20, 0x7F)])
_POLYNOMIAL = 0x38E74301  # toolcart.agent.base.crc
_FIT_TEXT = bytes(0x20 if octet == 0 else octet if 0x20 <= octet <= 0x7E else 0x3F for octet in range(256))
_DIGITS_OF_HEX = bytes(0x30 + (octet - 0x61 if octet >= 0x61 else octet - 0x30) % 10 for octet in range(256))
_SHAPE = bytes(0x30 if 0x30 <= octet <= 0x39 else octet for octet in range(256))
_STAMP = b"0000-00-00:00:00:00"
_NO_TIME = bytes(7)
_ZERO_FOR_BLANK = bytes(octet if octet > 0x20 else 0x30 for octet in range(256))
_PARTS = Struct(">H5B").unpack
_MOVE_BYTES = 5
_FORMS_MOST = 64  # a station has about five; what is sent decides which, so their number is bounded


# -- fields.py -----------------------------------------------------------------------------------------------------


def number(buf, start, width):
    text = buf[start : start + width]
    if text.isdigit() and len(text) == width:
        return int(text)
    if len(text) != width:
        raise IndexError
    if text.strip(_BLANKS):
        return _BAD
    return _ABSENT if width > 0 else 0


def put_number(buf, start, width, value):
    if start < 0 or start + width > len(buf):
        raise IndexError
    digits = b"%0*d" % (width, value)
    if len(digits) != width or value < 0:
        digits = b"%0*d" % (width, value % 10**width) if width > 0 else b""
    buf[start : start + width] = digits


def copy(target, at, source, start, width):
    if width > 0:
        if at < 0 or start < 0 or at + width > len(target) or start + width > len(source):
            raise IndexError
        target[at : at + width] = source[start : start + width]


def fill(buf, start, width, octet=0x20):
    if width > 0:
        if start < 0 or start + width > len(buf):
            raise IndexError
        buf[start : start + width] = b" " * width if octet == 0x20 else bytes((octet,)) * width


def is_blank(buf, start, width):
    if start < 0 or start + width > len(buf):
        raise IndexError
    return not buf[start : start + width].strip(_BLANKS)


def is_plain(buf, start, width):
    if start < 0 or start + width > len(buf):
        raise IndexError
    return not buf[start : start + width].strip(_BLANKS).translate(None, _PLAIN)


def all_digits(buf, start, width):
    if start < 0 or start + width > len(buf):
        raise IndexError
    return width <= 0 or buf[start : start + width].isdigit()


def compare(one, at, other, start, width):
    if at < 0 or start < 0 or at + width > len(one) or start + width > len(other):
        raise IndexError
    mine = one[at : at + width]
    theirs = other[start : start + width]
    return 0 if mine == theirs else 1 if mine > theirs else -1


def put_text(target, at, source, start, width):
    if width > 0:
        if at < 0 or start < 0 or at + width > len(target) or start + width > len(source):
            raise IndexError
        target[at : at + width] = source[start : start + width].translate(_FIT_TEXT)


def pack_digits(buf, start, digits, at, count):
    if start < 0 or at < 0 or start + count // 2 > len(buf) or at + count > len(digits):
        raise IndexError
    buf[start : start + count // 2] = unhexlify(digits[at : at + count].translate(_LOW_NIBBLES))


def unpack_digits(digits, at, buf, start, count):
    if start < 0 or at < 0 or start + count // 2 > len(buf) or at + count > len(digits):
        raise IndexError
    digits[at : at + count] = hexlify(buf[start : start + count // 2]).translate(_DIGITS_OF_HEX)


_LAST_DAYS = {1: 0x31, 2: 0x28, 3: 0x31, 4: 0x30, 5: 0x31, 6: 0x30, 7: 0x31, 8: 0x31, 9: 0x30}
_LAST_DAYS |= {0x10: 0x31, 0x11: 0x30, 0x12: 0x31}


def _packed_time(text):
    """Return the seven bytes of a time of 19 characters, zeros if it is not a time (fields.pack_time)."""
    if text.translate(_SHAPE) != _STAMP:
        return _NO_TIME
    packed = unhexlify(text.translate(None, b"-:"))
    year, month, day, hour, minute, second = _PARTS(packed)
    if not (year and 1 <= month <= 0x12 and hour <= 0x23 and minute <= 0x59 and second <= 0x59):
        return _NO_TIME
    pair = year & 0xFF or year >> 8
    last = _LAST_DAYS[month] if month != 2 or ((pair >> 4) * 2 + pair) & 3 else 0x29
    return packed if 1 <= day <= last else _NO_TIME


def pack_time(target, to, buf, at):
    if to < 0 or at < 0 or to + 7 > len(target) or at + 19 > len(buf):
        raise IndexError
    target[to : to + 7] = _packed_time(buf[at : at + 19])


# -- plausibility.py --------------------------------------------------------------------------------------------------


def characters_fit(buf, start, free_end, end):
    if start < 0 or end > len(buf):
        raise IndexError
    free_end = min(max(free_end, start), end)
    if buf[free_end:end].translate(None, _PRINTED):
        return False
    high = buf[start:free_end].translate(None, _PRINTED)
    return not high or (len(high) > 1 and min(high) > 0x7F)


# -- crc.py, toolcart.agent.log.framing ----------------------------------------------------------------------------


def _after(octet, zeros):
    """Return the remainder of a byte followed by `zeros` zero bytes."""
    value = octet
    for _ in range(8 * zeros + 8):
        value = (value >> 1) ^ _POLYNOMIAL if value & 1 else value >> 1
    return value


# Four bytes a turn; larger tables would need fewer look-ups, but not fit the processor's cache.
_three, _two, _one, _none = ([_after(octet, zeros) for octet in range(256)] for zeros in (3, 2, 1, 0))
_words = {}  # by their number


def crc(buf, start, end, value):
    if start < 0 or end > len(buf):
        raise IndexError
    count = (end - start) >> 2
    words = _words.get(count)
    if words is None:
        words = _words[count] = Struct("<%dI" % max(count, 0)).unpack_from
    three, two, one, none = _three, _two, _one, _none
    for word in words(buf, start):
        word ^= value
        value = three[word & 0xFF] ^ two[word >> 8 & 0xFF] ^ one[word >> 16 & 0xFF] ^ none[word >> 24]
    for octet in buf[start + 4 * count : end]:
        value = none[(value ^ octet) & 0xFF] ^ (value >> 8)
    return value


def seal(buf, start, kind, flags, length, seq):
    end = start + 8 + length
    if start < 0 or length < 0 or end + 4 > len(buf):
        raise IndexError
    pack_into("<BBHI", buf, start, kind, flags, length, seq)
    pack_into("<I", buf, end, crc(buf, start, end, 0x3FFFFFFF))
    return 12 + length


# -- byte_moves.py -------------------------------------------------------------------------------------------------

_forms: dict = {}


def carry_out(form, moves, target, at, source, start):
    key = (form if type(form) is bytes else bytes(form), moves)
    run = _forms.get(key)
    if run is None:
        if len(_forms) >= _FORMS_MOST:
            _forms.clear()
        rows = [form[place : place + _MOVE_BYTES] for place in range(0, moves * _MOVE_BYTES, _MOVE_BYTES)]
        moves = [(row[0] & 15, row[0] >> 4, row[1] | row[2] << 8, row[3], row[4]) for row in rows]
        run = _forms[key] = _compiled(list(dict.fromkeys(moves)))
    return run(target, at, source, start)


def _compiled(moves):
    """Return run(target, at, source, start) -> bool for moves (move, upper, to, from, width)."""
    given: dict = {
        "FIT_TEXT": _FIT_TEXT,
        "DIGITS_OF_HEX": _DIGITS_OF_HEX,
        "ZERO_FOR_BLANK": _ZERO_FOR_BLANK,
        "hexlify": hexlify,
        "packed_time": _packed_time,
    }
    lines = []
    for name, is_sure in (("each", False), ("run", True)):
        lines.append("def %s(target, at, source, start):" % name)
        body = _fetched(moves, given) + _looked_at(moves, is_sure, given) + _put(moves, is_sure, given)
        lines += ["    " + line for line in body]
        lines.append("    return True")
    exec("\n".join(lines), given)
    return given["run"]


def _width_of(move):
    """Return how many bytes a move writes."""
    kind, upper, _, _, width = move
    if kind == DIGITS:
        return width + upper
    if kind == FIXED:
        return width + (2 if upper else 3)
    return 7 if kind == PACK_TIME else width * 2 if kind == UNPACK else width


def _name(move):
    """Return the name of the field that a move takes."""
    return "a%d_%d" % (move[3], _read_of(move))


def _read_of(move):
    return 19 if move[0] == PACK_TIME else 1 if move[0] == STATUS else move[4]


def _fetched(moves, given):
    """Return the lines that unpack every field: in as few calls as possible without overlapping fields in one."""
    last = max(move[2] + _width_of(move) for move in moves)
    lines = ["if at < 0 or start < 0 or len(target) < at + %d: raise IndexError" % last]
    fields = sorted({(move[3], _read_of(move), _name(move)) for move in moves})
    while fields:
        layout, names, end, left = "<", [], 0, []
        for begin, width, name in fields:
            if begin < end:
                left.append((begin, width, name))
                continue
            layout += "%dx%ds" % (begin - end, width)
            names.append(name)
            end = begin + width
        call = "unpack%d" % len(given)
        given[call] = Struct(layout).unpack_from
        lines += [
            "if len(source) < start + %d: raise IndexError" % end,
            "%s, = %s(source, start)" % (", ".join(names), call),
        ]
        fields = left
    return lines


def _looked_at(moves, is_sure, given):
    """Return the lines that take another way, or give up, where a field is not valid."""
    lines = []
    digits = list(dict.fromkeys([_name(move) for move in moves if move[0] == DIGITS]))
    if is_sure and digits:
        lines.append("if not (%s).isdigit(): return each(target, at, source, start)" % " + ".join(digits))
    for place, move in enumerate(moves):
        name = _name(move)
        if move[0] == STATUS:
            same = given["status%d" % move[1]] = {b"%d" % digit: b"%d" % digit for digit in range(move[1] + 1)}
            same[b" "] = same[b"\0"] = b" "
            lines += ["m%d = status%d.get(%s)" % (place, move[1], name), "if m%d is None: return False" % place]
        elif move[0] == DIGITS and not is_sure:
            lines += [
                "if %s.isdigit(): m%d = %r + %s" % (name, place, b"0" * move[1], name),
                "elif %s.strip(b' \\0'): return False" % name,
                "else: m%d = %r" % (place, b" " * _width_of(move)),
            ]
    return lines


def _put(moves, is_sure, given):
    """Return the lines that write: one call for each stretch."""
    parts = []
    for place, move in enumerate(moves):
        if move[0] == DIGITS and is_sure:
            if move[1]:
                parts.append((move[2], move[1], repr(b"0" * move[1])))
            parts.append((move[2] + move[1], move[4], _name(move)))
        else:
            made = "m%d" % place if move[0] in (STATUS, DIGITS) else _expression(move)
            parts.append((move[2], _width_of(move), made))
    lines, stretch = [], []
    for part in [*sorted(parts, key=lambda part: part[0]), None]:
        if stretch and (part is None or part[0] != stretch[-1][0] + stretch[-1][1]):
            lines.append(_stretch(stretch, given))
            stretch = []
        if part is not None:
            stretch.append(part)
    return lines


def _stretch(parts, given):
    begin = parts[0][0]
    if len(parts) == 1:
        return "target[at + %d : at + %d] = %s" % (begin, begin + parts[0][1], parts[0][2])
    call = "pack%d" % len(given)
    given[call] = Struct("<" + "".join(["%ds" % width for _, width, _ in parts])).pack_into
    return "%s(target, at + %d, %s)" % (call, begin, ", ".join([made for _, _, made in parts]))


def _expression(move):
    """Return the expression for what a field becomes: bytes of exactly the width that is written."""
    kind, upper, _, _, width = move
    name = _name(move)
    if kind == COPY:
        return name
    if kind == TEXT:
        return name + ".translate(FIT_TEXT)"
    if kind == PACK_TIME:
        return "packed_time(%s)" % name
    if kind == UNPACK:
        return "hexlify(%s).translate(DIGITS_OF_HEX)" % name
    if kind == STRIP:
        return "(%s.lstrip(b'0') or b'0').ljust(%d)" % (name, width)
    if width < upper:
        raise ValueError("a point in front of a field")
    if not upper:
        return "b'0' + %s.translate(ZERO_FOR_BLANK) + b'.0'" % name
    parts = (name, width - upper, name, width - upper)
    return "b'0' + %s[:%d].translate(ZERO_FOR_BLANK) + b'.' + %s[%d:].translate(ZERO_FOR_BLANK)" % parts
