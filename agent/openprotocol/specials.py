"""Special values in MID 0106 and 0107, brought into the record (agent.record.specials).

    count 2 | each: name 20 | type 2 | length 2 | value | in MID 0107: step 2 |

From 003:8419-8437 and 8808-8830: their names and lengths are the plant's. One that is not whole ends the reading.
"""

from agent.base.fields import number
from agent.record import result as res
from agent.record import spindles as rec

CPYTHON_ONLY = True  # boards have no room for the code

_BOLT_VALUE_BYTES = 29
_FIXED = 24  # in front of a value


def take_station(cycle, buf, place, end):
    """Keep what stands behind the bolts of the MID 0106; the count stands at buf[place:]."""
    _take(cycle, buf, place, end, b"  ", 0)


def take_bolt(cycle, buf, place, end, row):
    """Keep what stands behind the values of a MID 0107, whose count stands at buf[place:]; row as two digits."""
    values = max(0, number(buf, place, 2))
    place += 4 + values * _BOLT_VALUE_BYTES
    steps = number(buf, place, 3) if place + 6 <= end else -1
    if steps < 0:
        return
    cycle.cut = cycle.cut or buf[place + 5] == 0x30  # the controller had no room for all steps (003:8778-8786)
    _take(cycle, buf, place + 8 + steps * rec.VALUE_BYTES, end, row, 2)


def _take(cycle, buf, place, end, row, step_octets):
    count = number(buf, place, 2) if place + 2 <= end else -1
    place += 2
    while count > 0 and place + _FIXED <= end:
        octets = number(buf, place + _FIXED - 2, 2)
        behind = place + _FIXED + octets
        if octets < 0 or behind + step_octets > end:
            return
        step = buf[behind : behind + 2] if step_octets else b"00"
        _keep(cycle, b"S" + row + step + buf[place:behind])
        place = behind + step_octets
        count -= 1


def _keep(cycle, special):
    at = cycle.octets
    if res.HEAD_BYTES + at + len(special) > cycle.most:
        cycle.cut = True
        return
    cycle.octets = at + len(special)
    cycle.body = cycle.body[:at] + special
