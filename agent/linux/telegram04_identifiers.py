"""Telegram 04 of a result with additional identifiers: they become additional VINs 1 to 3 (TN 5.3, protocol.md 9.2).

Otherwise the telegram is what the result would have without them; their parts go between spindle and parameters. The
buffer grows if it has no room for them.
"""

from toolcart.agent.base.fields import put_number
from toolcart.agent.record import identifiers
from toolcart.agent.record.spindles import PLACE, put_identifier
from toolcart.agent.toolsnet.telegram import finish

CPYTHON_ONLY = True  # boards keep none

_VINS_AT = 154
_VIN_BYTES = 29
_VIN_COUNT = 75


def write(writer, buf, at, length, flags, ident, sequence):
    """Write the record whose payload of `length` bytes is at buf[at:]; return the number of bytes to send."""
    octets = writer.write(bytearray(buf[at : at + PLACE]), 0, PLACE, flags, ident, sequence)
    vins = bytearray()
    for index, place in identifiers.places_of(buf, at):
        part = bytearray(b" " * _VIN_BYTES)
        put_number(part, 0, 4, index)
        put_identifier(part, 4, buf, place, identifiers.WIDTH)
        vins += part
    whole = writer.tx[:_VINS_AT] + vins + writer.tx[_VINS_AT:octets]
    put_number(whole, _VIN_COUNT, 2, len(vins) // _VIN_BYTES)
    tx = writer.grown(len(whole))
    tx[: len(whole)] = whole
    writer.forget()
    return finish(tx, len(whole))
