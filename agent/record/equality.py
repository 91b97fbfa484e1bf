"""Are two payloads of one tightening? Of records, messages, or one of each.

Rules
1. They are if ID, time and every field that both have agree: a fetched one has fewer, and some in another form. A
   controller with a constant or blank ID, or one that was reset, gives two results the same ID; then a VIN or a value
   tells them apart.
2. Several spindles may have one tightening ID, a result each: where they came from tells them apart, and so does all
   that a message says and a record does not keep (toolcart.agent.record.provenance).
3. A result with the agent's own time came without one, so its time is not compared.
4. IDs are compared as numbers: one may be padded with blanks, left or right (OP 5.8.6 p. 146).
"""

from toolcart.agent.base.fields import compare, copy, differs, fill, number
from toolcart.agent.record import SEVERAL_LEAST
from toolcart.agent.record import result as res
from toolcart.agent.record.provenance import is_elsewhere
from toolcart.agent.record.result import ID_BYTES, PSET_CHANGE, TIGHTENING_ID, TIME, TIME_BYTES

# The fields that are compared, each up to the next one; not the tool's serial, which is not from the message.
_FIELDS = bytes(
    (
        res.VIN,
        res.JOB,
        res.PSET,
        res.BATCH_SIZE,
        res.BATCH_COUNTER,
        res.BATCH_STATUS,
        res.TIGHTENING_STATUS,
        res.TORQUE_STATUS,
        res.ANGLE_STATUS,
        res.TORQUE,
        res.ANGLE,
        res.TIME,
    )
)


def is_same(page, at, length, flags, other, start, other_length, other_flags):
    """True if the payloads at page[at:] and other[start:], of records with these flags, are of one tightening."""
    if is_elsewhere(page, at, length, other, start, other_length):
        return False
    if length >= SEVERAL_LEAST and other_length >= SEVERAL_LEAST:
        from toolcart.agent.record.trailer import differ  # hardly any record has more than body and limits

        if differ(page, at, other, start):
            return False
    return are_same_bodies(page, at + res.HEAD_BYTES, flags, other, start + res.HEAD_BYTES, other_flags)


def are_same_bodies(one, at, flags, other, start, other_flags):
    """True if the bodies at one[at:] and other[start:] are of one tightening."""
    is_id_same = same_id(one, at + TIGHTENING_ID, other, start + TIGHTENING_ID)
    return is_id_same and have_same_contents(one, at, flags, other, start, other_flags)


def have_same_contents(one, at, flags, other, start, other_flags):
    """True if the bodies at one[at:] and other[start:] say the same, whatever their IDs are."""
    if not (flags | other_flags) & res.FLAG_EDGE_TIME and compare(one, at + TIME, other, start + TIME, TIME_BYTES) != 0:
        return False
    for index in range(len(_FIELDS) - 1):
        field = _FIELDS[index]
        if differs(one, at + field, other, start + field, _FIELDS[index + 1] - field):
            fetched = (flags | other_flags) & res.FLAG_RECOVERED
            differs_so = (flags ^ other_flags) & res.FLAG_ODD
            if not fetched or not _is_written_otherwise(one, at + field, other, start + field, field, differs_so):
                return False
    return not differs(one, at + PSET_CHANGE, other, start + PSET_CHANGE, TIGHTENING_ID - PSET_CHANGE)


def same_id(one, at, other, start):
    """True if the ten bytes are the same number, however padded, or the same bytes."""
    return compare(one, at, other, start, ID_BYTES) == 0 or (
        put_digits(_one, 0, one, at) and put_digits(_other, 0, other, start) and _one == _other
    )


def put_digits(digits, to, buf, at):
    """Write the number at buf[at:], padded with blanks on either side, as ten digits; False if it is none."""
    end = at + ID_BYTES
    while at < end and buf[at] == 0x20:
        at += 1
    while at < end and buf[end - 1] == 0x20:
        end -= 1
    for index in range(at, end):
        if not 0x30 <= buf[index] <= 0x39:
            return False
    copy(digits, to + ID_BYTES - (end - at), buf, at, end - at)
    fill(digits, to, ID_BYTES - (end - at), 0x30)
    return at < end


def _is_written_otherwise(one, at, other, start, field, is_one_odd):
    """True if MID 0061 and MID 0065 may give this field in different forms.

    A running batch is 0 or 3, depending on the revision (release 2.9); some controllers keep neither its counter nor
    its status (Desoutter's MID list of 2015, page 3); an angle is in degrees or in fractions of one. A status beyond OK
    (2 to 5 in MID 0061 of Nexo's OP-Ford, 3 608 878 300, page 388) may be a plain 0 in MID 0065.
    """
    if field == res.TIGHTENING_STATUS:
        return (one[at] == 0x30 and other[start] > 0x31) or (other[start] == 0x30 and one[at] > 0x31)
    if field == res.BATCH_STATUS or field == res.BATCH_COUNTER:
        width = res.BATCH_SIZE - res.PSET if field == res.BATCH_COUNTER else 1
        return number(one, at, width) == 0 or number(other, start, width) == 0
    return field == res.ANGLE and is_one_odd != 0


_one = bytearray(ID_BYTES)
_other = bytearray(ID_BYTES)

assert TIGHTENING_ID + ID_BYTES == res.SERIAL
