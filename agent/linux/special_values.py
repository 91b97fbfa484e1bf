"""Reads MID 0106 and 0107 with their special values, which only Linux keeps (toolcart.agent.record.extended_values).

    count 2 | each: name 20 | type 2 | length 2 | value | in MID 0107: step 2 |

From OP 5.13.2 p. 184 and 8808-8830: the plant chooses names and lengths. Reading ends at the first incomplete one.
"""

from toolcart.agent.base.fields import number
from toolcart.agent.openprotocol.spindle_assembly import ASSEMBLY_WHOLE, BOLT_BYTES, SpindleAssembly
from toolcart.agent.openprotocol.spindle_subscription import MultiSpindleResults
from toolcart.agent.record import result as res
from toolcart.agent.record import spindles as sp

CPYTHON_ONLY = True  # boards keep none

_BOLTS = 165  # in MID 0106, behind the number of bolts
_BOLT_VALUE_BYTES = 29
_FIXED = 24  # in front of a value


def several(session, controller):
    """Return what the session of these `controller` settings has for results of several spindles."""
    return MultiSpindleResults(session, session.result_mode.ledger, controller["results"], WideSpindleAssembly)


class WideSpindleAssembly(SpindleAssembly):
    """An assembly that also keeps what is behind the bolts, and behind the values of each bolt."""

    def take_station(self, buf, at, length, revision):
        """Begin with the MID 0106 at buf[at:at+length]; return ASSEMBLY_WHOLE or ASSEMBLY_UNREADABLE."""
        code = SpindleAssembly.take_station(self, buf, at, length, revision)
        if code == ASSEMBLY_WHOLE:
            bolts = number(buf, at + _BOLTS - 2, 2)
            _take(self, buf, at + _BOLTS + 2 + bolts * BOLT_BYTES, at + length, b"  ", 0)
        return code

    def take_bolt(self, buf, at, end, row):
        """Put one bolt's data behind the rows, as far as there is room; return where its values are, 0: nowhere."""
        place = SpindleAssembly.take_bolt(self, buf, at, end, row)
        if place:
            _take_behind_values(self, buf, place, end, b"%02d" % row)
        return place


def _take_behind_values(assembly, buf, place, end, row):
    """Keep what is behind the values of a MID 0107, whose count is at buf[place:]; `row` is two digits."""
    values = max(0, number(buf, place, 2))
    place += 4 + values * _BOLT_VALUE_BYTES
    steps = number(buf, place, 3) if place + 6 <= end else -1
    if steps < 0:
        return
    assembly.cut = assembly.cut or buf[place + 5] == 0x30  # the controller had no room for all steps (OP 5.13.3 p. 189)
    _take(assembly, buf, place + 8 + steps * sp.VALUE_BYTES, end, row, 2)


def _take(assembly, buf, place, end, row, step_octets):
    count = number(buf, place, 2) if place + 2 <= end else -1
    place += 2
    while count > 0 and place + _FIXED <= end:
        octets = number(buf, place + _FIXED - 2, 2)
        behind = place + _FIXED + octets
        if octets < 0 or behind + step_octets > end:
            return
        step = buf[behind : behind + 2] if step_octets else b"00"
        _keep(assembly, b"S" + row + step + buf[place:behind])
        place = behind + step_octets
        count -= 1


def _keep(assembly, special):
    at = assembly.octets
    if res.HEAD_BYTES + at + len(special) > assembly.most:
        assembly.cut = True
        return
    assembly.octets = at + len(special)
    assembly.body = assembly.body[:at] + special
