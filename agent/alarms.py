"""Makes an event of each alarm that a controller tells: MID 0071, 0074 and 0076 into the log, each of them once.

    MID   0071 alarm                  0074 acknowledged there    0076 status after a subscription
    code  22, 4 or 5 octets           20, to the end             25, 4 or 5 octets     offsets of the message, from 0
    then  ID 2, ready 1, ID 2, ready 1, ID 2, time 19            the same
    then  ID 2, text 50; in revision 3 ID 2, health 1 first

Rules (003:7433-7623; releases 2.8 and 2.9 disagree about revision 2 of 0071)
1. Which revision a message is shows its length: 53 octets 1, 54 and 106 or 107 2, more is 3.
2. What happened, time and code are one alarm: told again it is known. Without a time each is another one.
3. 0076 tells of no alarm when none is active: nothing is written down then.
4. A field behind the end is blank. Nobody waits for an alarm: where the log has no room it is told again.

Imported when the first alarm comes, where an outlet wants events.
"""

from agent import health as h
from agent.base.compat import const
from agent.openprotocol.header import HEADER_BYTES
from agent.record import KIND_EVENT
from agent.record import event as ev
from agent.record.result import FLAG_EDGE_TIME, STAMP_BYTES
from agent.spool.search import holds_event
from agent.store import KEPT, KEPT_BEFORE, NOT_KEPT

_ALARM = const(71)
_ALARM_ACKNOWLEDGED = const(74)

_SHORT_BYTES = const(53)  # 0071 in revision 1
_STATUS_SHORT_BYTES = const(56)  # 0076
_WITH_TEXT_BYTES = const(106)
_WITH_HEALTH_BYTES = const(109)


class Alarms:
    """One station's way from an alarm into its log."""

    def __init__(self, ring, health, clock, station):
        self.ring = ring
        self.health = health
        self.clock = clock
        self.station = station

    def put(self, mid, buf, at, length, now):
        """Write down the message of `mid` at buf[at:at+length]; returns KEPT, KEPT_BEFORE or NOT_KEPT.

        KEPT_BEFORE also where it tells of nothing.
        """
        code = HEADER_BYTES + 2
        width = 4
        if mid == _ALARM_ACKNOWLEDGED:
            code = HEADER_BYTES
            width = length - code
        elif mid == _ALARM:
            width = 4 if length <= _SHORT_BYTES else 5
        else:
            if length <= code or buf[at + code] == 0x30:
                return KEPT_BEFORE
            code += 3
            width = 4 if length <= _STATUS_SHORT_BYTES else 5
        if length < code + width or width < 1:
            self.health.note(h.CONTROLLER_MALFORMED, mid, now)
            return KEPT_BEFORE  # it would come again for ever
        place = self.ring.begin(KIND_EVENT, ev.EVENT_MOST)
        if place < 0:
            return NOT_KEPT
        flags, octets = self._write(place, mid, buf, at, length, at + code, width)
        if not flags & FLAG_EDGE_TIME and holds_event(self.ring, self.ring.stage, place):
            return KEPT_BEFORE if not self.ring.suspect else NOT_KEPT
        if self.ring.commit(KIND_EVENT, flags, octets) < 0:
            return NOT_KEPT
        self.health.count(h.EVENTS)
        return KEPT

    def _write(self, place, mid, buf, at, length, code, width):
        """Bring the message into the stage; return the record's flags and octets."""
        stage = self.ring.stage
        end = at + length
        what = ev.ALARM_ACKNOWLEDGED if mid == _ALARM_ACKNOWLEDGED else ev.ALARM
        octets = ev.put_event(stage, place, self.ring.event_number + 1, self.station, what)
        ev.put_code(stage, place, buf, code, width)
        told = code + width + 2
        if mid != _ALARM_ACKNOWLEDGED and told + 3 < end:
            ev.put_ready(stage, place, _digit(buf[told]), _digit(buf[told + 3]))
        time = told + 6
        if mid != _ALARM_ACKNOWLEDGED and time + STAMP_BYTES <= end:
            ev.put_time(stage, place, buf, time)
        if mid == _ALARM and length >= _WITH_TEXT_BYTES:
            text = time + STAMP_BYTES + (5 if length >= _WITH_HEALTH_BYTES else 2)
            octets = ev.put_words(stage, place, buf, text, min(ev.TEXT_MOST, end - text))
        if stage[place + ev.TIME + 2]:  # there is no month 0
            return 0, octets
        stamp = bytearray(STAMP_BYTES)
        self.clock.stamp_into(stamp)
        ev.put_time(stage, place, stamp, 0)
        return FLAG_EDGE_TIME, octets


def _digit(octet):
    return octet if 0x30 <= octet <= 0x39 else 0x20
