"""Telegrams 01 and 02: the names of system and station in ToolsNet's map (TN 5.10, protocol.md 9.1).

Rules
1. Names are text as toolcart.agent.record.escaping shows it. Plain ASCII is cut at 25 characters, all else is
   escaped; an address that is not IPv4 is blank.
2. A station has the spindles and programs that it is given; each list has at least one entry.
"""

from toolcart.agent.base.fields import is_plain
from toolcart.agent.linux.toolsnet_source import telegram
from toolcart.agent.record.escaping import octets_of, put_ascii

CPYTHON_ONLY = True  # a board has room for results alone

PROGRAMS_MOST = 300  # the length of a telegram has four digits

_TELEGRAM_MOST = 9999
_HEAD_BYTES = 63
_SPINDLE_BYTES = 33
_PROGRAM_BYTES = 29

_NAME_BYTES = 25
_ADDRESS_BYTES = 15
SYSTEM = 1
STATION = 2


def system(ident, system_type, number, address, name):
    """Return telegram 01 with its length in front."""
    body = "%04d%04d%s%s  " % (system_type, number, _address(address), _name(name))
    return telegram(SYSTEM, ident, body.encode())


def station(ident, system_type, number, own, address, name, spindles):
    """Return telegram 02; `spindles` are (number, name, ((program, name), ..))."""
    parts = ["%04d%04d%04d%s%s%04d" % (system_type, number, own, _address(address), _name(name), len(spindles))]
    for spindle, its_name, programs in spindles:
        parts.append("%04d%s%04d" % (spindle, _name(its_name), len(programs)))
        for program, called in programs:
            parts.append("%04d%s" % (program, _name(called)))
    return telegram(STATION, ident, "".join(parts).encode())


def programs_most(spindles):
    """Return how many programs telegram 02 has room for at each of so many spindles."""
    return min(PROGRAMS_MOST, ((_TELEGRAM_MOST - _HEAD_BYTES) // spindles - _SPINDLE_BYTES) // _PROGRAM_BYTES)


def _name(text):
    octets = octets_of(text)
    if is_plain(octets, 0, len(octets)):
        return (text.strip("\0 ") + " " * _NAME_BYTES)[:_NAME_BYTES]
    field = bytearray(_NAME_BYTES)
    put_ascii(field, 0, _NAME_BYTES, octets)
    return field.decode()


def _address(host):
    parts = (host or "").split(".")
    if len(parts) != 4 or not all(part.isdigit() and len(part) <= 3 and int(part) < 256 for part in parts):
        host = ""
    return host + " " * (_ADDRESS_BYTES - len(host))
