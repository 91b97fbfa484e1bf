"""Telegram 04 with what only Linux keeps of a result: several spindles with special values, additional identifiers.

A writer of results (toolcart.agent.toolsnet.result04) has `write` as its `several`; what is the same on every machine
is in toolcart.agent.toolsnet.spindles04. Telegram 02, where it goes out, gets number and name of each spindle: its
bolt's, if the record has it.
"""

from toolcart.agent.base.fields import number
from toolcart.agent.record import spindles as rec
from toolcart.agent.record.identifiers import has_identifiers
from toolcart.agent.record.text import text_of
from toolcart.agent.toolsnet import spindles04
from toolcart.agent.wide import telegram04_identifiers, telegram04_specials

CPYTHON_ONLY = True  # boards keep neither


def write(writer, buf, at, length, flags, ident, sequence):
    """Write the record whose payload of `length` bytes is at buf[at:]; return the number of bytes to send."""
    if has_identifiers(buf, at, length):
        return telegram04_identifiers.write(writer, buf, at, length, flags, ident, sequence)
    if getattr(writer, "adds_parameters", False):
        writer.shape = -1  # what it adds each time may not be where the last telegram had its own
    octets = spindles04.write(writer, buf, at, length, flags, ident, sequence, _tell)
    names = getattr(writer.session, "names", None)
    if names is not None:
        names.learn_spindles(_named(writer.tx, buf, at, length))
    return octets


def _tell(parameters, buf, at, length, rows):
    spindles04.tell_beside(parameters, buf, at, length, rows)
    telegram04_specials.tell(parameters, buf, at, length, rows)


def _named(tx, buf, at, length):
    """Return number and name of each spindle of the telegram in tx; the name is empty if the record has none."""
    bolts = {row: place + rec.EXTRA_NAME for row, place, _ in rec.extras_of(buf, at, length)}
    return [
        (
            number(tx, spindles04.SPINDLES + row * spindles04.SPINDLE_BYTES, 4),
            text_of(buf, bolts[row], rec.NAME_BYTES) if row in bolts else "",
        )
        for row in range(rec.count_of(buf, at))
    ]
