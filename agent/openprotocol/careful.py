"""Numbers that are not written as the document has them, read as a careful person would read them.

    b"12   "   -> 00012      padded on the other side (the document's own examples pad IDs so, 003:6541)
    b"-0012"   -> -0012      a sign stands in front, behind it the digits
    b"012.34"  -> 001234     a torque with its point; of any other number what is behind the point goes
    b"12x456"  -> as it came

Rules
1. What is no number stays in the body as it came, and the record says so (`FLAG_ODD`): nothing is thrown away.
2. This is the rare way: it allocates, and is imported when the first such number comes.
"""

from agent.base.fields import copy, fill

_DECIMALS = 2  # of a torque


def put_careful(body, start, width, buf, place, used, has_decimals):
    """Bring the number of buf[place:place+used] into body[start:start+width]; False if it is none, and stays as it is.

    `has_decimals`: the number is one of hundredths, and may come with its point.
    """
    text = bytes(buf[place : place + used]).replace(b"\0", b" ").strip()
    sign = text[:1] if text[:1] in (b"-", b"+") else b""
    digits = text[len(sign) :]
    point = digits.find(b".")
    if point > 0:
        behind = digits[point + 1 :]
        if behind and not behind.isdigit():
            digits = b""
        else:
            digits = digits[:point] + ((behind + b"00")[:_DECIMALS] if has_decimals else b"")
    digits = digits.strip() if sign else digits
    while len(digits) > 1 and digits[0] == 0x30:
        digits = digits[1:]
    if sign == b"+" or digits == b"0":
        sign = b""
    if not digits.isdigit() or len(sign) + len(digits) > width:
        fill(body, start, width - used)
        copy(body, start + width - used, buf, place, used)
        return False
    fill(body, start, width, 0x30)
    if sign:
        body[start] = sign[0]
    copy(body, start + width - len(digits), digits, 0, len(digits))
    return True


def is_plain(body, start, width):
    """Tell whether the field is digits alone, or blank as a whole."""
    text = bytes(body[start : start + width])
    return text.isdigit() or not text.strip()
