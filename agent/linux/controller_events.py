"""Makes events of what a controller reports besides results: alarms, parameter sets, jobs, vehicles; each once.

To add one: a row of ROWS, which subscribes to it, and its forms in _FORMS, by which it is read; what else has to know
it says docs/internals/architecture.md, "Where changes go".

Rules
1. The length of a message shows which form it has: releases disagree about revision 2 of 0071 (OP 5.10.1 p. 163-167; 54
   octets since 2.9), and revisions in headers are wrong in the field. A field behind the end is blank.
2. Alarms with the same kind, time and code are one event, written once. Without a time each is a new one.
   0076 reports no alarm when none is active.
3. Any other event is written only if it differs from the last known one of its kind, across connections and restarts.
   For a job, a new counter, time or ordinary tightening alone is not news: each result has them. A counter that went
   back is, and so is a tightening that was neither OK nor NOK, such as a bypassed one.
4. Nothing waits for an event: where the log has no room, the controller sends it again. What cannot be read is counted
   and answered, or it would come for ever.
5. MID 0008 subscribes to what usually has a MID of its own: a MT Focus 6000 knows no other way (MT "Special MT Focus
   6000 considerations, per mid"), and MID 1000 is the alarm of releases from 2.9 on.

Imported where an outlet wants events.
"""

from toolcart.agent.base import counters as counter
from toolcart.agent.base.fields import compare, copy, fill, number
from toolcart.agent.linux.unwanted_events import pass_unwanted
from toolcart.agent.log.log import LOG_DONE
from toolcart.agent.log.newest_event import append_event, newest_event
from toolcart.agent.openprotocol.header import HEADER_BYTES
from toolcart.agent.openprotocol.subscriptions import INSTEAD, Subscription
from toolcart.agent.record import event as ev
from toolcart.agent.record.result import FLAG_EDGE_TIME, STAMP_BYTES
from toolcart.agent.station.store import KEPT, KEPT_BEFORE, NOT_KEPT

CPYTHON_ONLY = True  # no board has a file to write lines into, and there nothing else wants events

BLOCKS_SEARCHED = 16

_NO_DATA = b"00"  # behind a MID and its revision in 0008


_ALARM_PUSHES = ((71, 72), (74, 75), (76, 77))
_PSET_PUSHES = ((15, 16),)
_JOB_PUSHES = ((35, 36),)

# By the word of the setting `events`: the subscription, and its revisions.
ROWS = (
    ("alarms", (70, 73, 0, b"", False, _ALARM_PUSHES), (3, 2, 1)),
    ("alarms", (8, 9, 71, _NO_DATA, INSTEAD, _ALARM_PUSHES), (3, 2)),
    ("alarms", (8, 9, 1000, _NO_DATA, INSTEAD, ((1000, 1001),)), (1,)),
    ("pset", (14, 17, 0, b"", False, _PSET_PUSHES), (2, 1)),
    ("pset", (8, 9, 15, _NO_DATA, INSTEAD, _PSET_PUSHES), (1,)),
    ("job", (34, 37, 0, b"", False, _JOB_PUSHES), (5, 4, 3, 2, 1)),
    ("job", (8, 9, 35, _NO_DATA, INSTEAD, _JOB_PUSHES), (2,)),
    ("vin", (51, 54, 0, b"", False, ((52, 53),)), (2, 1)),
)

_JOB_TEXT_1 = ((26, 1, ev.JOB_STATUS), (29, 1, ev.JOB_MODE), (32, 4, ev.JOB_SIZE), (38, 4, ev.JOB_COUNTER))
_JOB_TEXT = (
    *((start + 2, width, to) for start, width, to in _JOB_TEXT_1),
    (67, 3, ev.JOB_STEP),
    (72, 3, ev.JOB_STEPS),
    (77, 2, ev.JOB_STEP_TYPE),
    (81, 2, ev.JOB_TIGHTENING),
    (85, 5, ev.JOB_SEQUENCE),
)
_IDENTIFIERS = ((22, 25, 0), (49, 25, ev.IDENTIFIER_2), (76, 25, ev.IDENTIFIER_3), (103, 25, ev.IDENTIFIER_4))

# The forms of each message, longest first: its least length, what it reports, place and width of the code, place of the
# controller's readiness, place of the time, and the pieces of the text: place, width, place in the text.
# Places count from 0 at the message's first byte; 0: it has none.
_FORMS = {
    15: (
        (73, ev.PSET_SELECTED, 22, 3, 0, 0, ((54, 19, ev.PSET_CHANGE), (27, 25, ev.PSET_NAME))),  # OP 5.3.6 p. 86-88
        (0, ev.PSET_SELECTED, 20, 3, 0, 0, ((23, 19, ev.PSET_CHANGE),)),  # OP 5.3.6 p. 86
    ),
    35: (
        (65, ev.JOB, 22, 4, 0, 46, _JOB_TEXT),  # OP 5.5.6 p. 116-119; each revision goes on where the one before ends
        (0, ev.JOB, 22, 2, 0, 44, _JOB_TEXT_1),  # OP 5.5.6 p. 116
    ),
    52: (
        (61, ev.VIN, 0, 0, 0, 0, _IDENTIFIERS),  # OP 5.7.3 p. 131, where they really are
        (0, ev.VIN, 0, 0, 0, 0, ((20, ev.VIN_MOST, 0),)),  # OP 5.7.3 p. 131
    ),
    71: (
        (109, ev.ALARM, 22, 5, 29, 35, ((59, 50, 0),)),
        (106, ev.ALARM, 22, 5, 29, 35, ((56, 50, 0),)),
        (54, ev.ALARM, 22, 5, 29, 35, ()),
        (0, ev.ALARM, 22, 4, 28, 34, ()),
    ),
    74: ((25, ev.ALARM_ACKNOWLEDGED, 20, 5, 0, 0, ()), (0, ev.ALARM_ACKNOWLEDGED, 20, 4, 0, 0, ())),
    76: ((57, ev.ALARM, 25, 5, 32, 38, ()), (0, ev.ALARM, 25, 4, 31, 37, ())),
    1000: ((0, ev.ALARM, 20, 5, 0, 25, ()),),
}
_VIN = 52
_WITH_ID = (47, ev.VIN, 0, 0, 0, 0, ((22, 25, 0),))  # revision 1 with ID 01: an AcraDyne may send it (LIT-MAN177)
_IS_ACTIVE = 22  # in 0076
_TOOL_READY = 3  # behind the controller's, with its parameter ID in between

_PSET = 15
_ALARM_STATUS = 76
_TIGHTENED_NOK = 2  # 0 off, 1 OK, 2 NOK; anything above was done by an operator (OP 5.5.6 p. 119)

# What is compared of an event: its code and its text.
_CONTENT_BYTES = 120
_CONTENT_TEXT = 5


def subscriptions_of(words):
    """Return the subscriptions that the setting `events` names, in the order in which they are made."""
    return tuple([Subscription(row, revisions) for word, row, revisions in ROWS if word in words])


class ControllerEvents:
    """Writes the events of one station's controller into its log."""

    def __init__(self, store):
        self.store = store
        self.log = store.log
        self.counters = store.counters
        self.names = None  # of parameter sets, where ToolsNet gets them (toolcart.agent.linux.toolsnet_descriptions)
        self._newest_contents = {}  # the last one, by `what`

    def take(self, intake, cut_short, now):
        """Take the message that has just come. Results come first: if there is no room for both, it will come again."""
        session = intake.session
        link = intake.link
        kept = NOT_KEPT
        pass_unwanted(self.log)  # those before it that nobody wants any more keep no room, also while ToolsNet is away
        if not intake.cannot_store and self.log.has_room(self.log.room_bytes):
            kept = self.put(session.received.mid, link.buf, link.at, link.length, now)
        if kept == NOT_KEPT:
            session.withhold()
        else:
            intake.answer(kept, now)

    def put(self, mid, buf, at, length, now):
        """Write the message of `mid` at buf[at:at+length]; return KEPT, KEPT_BEFORE or NOT_KEPT.

        KEPT_BEFORE also if it reports nothing.
        """
        form = _form_of(mid, buf, at, length)
        code, width = form[2:4]
        if mid == _ALARM_STATUS and (length <= _IS_ACTIVE or buf[at + _IS_ACTIVE] == 0x30):
            return KEPT_BEFORE
        if length < max(code, HEADER_BYTES) + max(width, 1):
            self.counters.note(counter.CONTROLLER_MALFORMED, mid, now)
            return KEPT_BEFORE
        if mid == _PSET:
            self._learn_of_set(form, buf, at, length)
        if not self.store.finish_replay():
            return NOT_KEPT
        log = self.log
        place = log.payload_at
        what = form[1]
        flags, octets = self._write(place, form, buf, at, length)
        content = None
        is_new = True
        if what == ev.ALARM:
            is_new = flags & FLAG_EDGE_TIME or self._newest(what, ev.CODE - ev.TIME + ev.CODE_BYTES) is None
        elif what != ev.ALARM_ACKNOWLEDGED:
            content = _content_of(log.stage, place)
            if what not in self._newest_contents:
                self._newest_contents[what] = self._newest(what, 0)
            is_new = _is_news(what, self._newest_contents[what], content)
        if is_new and append_event(log, flags, octets) != LOG_DONE:
            return NOT_KEPT
        if content is not None:
            self._newest_contents[what] = content
        if not is_new:
            return KEPT_BEFORE
        self.counters.count(counter.EVENTS)
        return KEPT

    def _learn_of_set(self, form, buf, at, length):
        """Ask for the limits of the selected parameter set before a result comes; learn its name if it has one."""
        change = form[6][0][0]
        pset = number(buf, at + form[2], form[3])
        if self.store.limits is not None and length >= change + STAMP_BYTES:
            self.store.limits.want(pset, buf, at + change)
        if self.names is not None and form[0]:
            self.names.learn(pset, buf, at + form[6][1][0])

    def _write(self, place, form, buf, at, length):
        """Write the message into the stage; return the record's flags and length."""
        stage = self.log.stage
        _, what, code, width, ready, time, pieces = form
        ev.put_event(stage, place, self.log.next, self.store.station, what)
        ev.put_code(stage, place, buf, at + code, width)
        if ready and ready + _TOOL_READY < length:
            ev.put_ready(stage, place, _digit(buf[at + ready]), _digit(buf[at + ready + _TOOL_READY]))
        if time and time + STAMP_BYTES <= length:
            ev.put_time(stage, place, buf, at + time)
        fill(stage, place + ev.TEXT, ev.TEXT_MOST)
        for start, octets, to in pieces:
            copy(stage, place + ev.TEXT + to, buf, at + start, max(0, min(octets, length - start)))
        octets = ev.end_text(stage, place, ev.TEXT_MOST)
        if stage[place + ev.TIME + 2]:  # there is no month 0
            return 0, octets
        stamp = bytearray(STAMP_BYTES)
        self.store.clock.stamp_into(stamp)
        ev.put_time(stage, place, stamp, 0)
        return FLAG_EDGE_TIME, octets

    def _newest(self, what, width):
        """Return what is compared of the newest event of this kind in the log; None if the newest blocks have none.

        With a `width` only events count that agree with the one in the stage in so many bytes from their time on.
        """

        def content_in(log):
            is_it = compare(log.page, log.at + ev.TIME, log.stage, log.payload_at + ev.TIME, width) == 0
            return _content_of(log.page, log.at) if is_it else None

        return newest_event(self.log, what, BLOCKS_SEARCHED, content_in)


def _form_of(mid, buf, at, length):
    if mid == _VIN:
        length -= buf[at + length - 1] == 0  # a NUL that is counted
        if length == _WITH_ID[0] and number(buf, at + HEADER_BYTES, 2) == 1:
            return _WITH_ID
    forms = _FORMS[mid]
    for form in forms:
        if length >= form[0]:
            return form
    return forms[-1]


def _content_of(page, at):
    """Return code and text of the event at page[at:], both padded."""
    content = bytearray(b" " * _CONTENT_BYTES)
    content[:_CONTENT_TEXT] = page[at + ev.CODE : at + ev.CODE + ev.CODE_BYTES]
    length = page[at + ev.TEXT_LENGTH]
    content[_CONTENT_TEXT : _CONTENT_TEXT + length] = page[at + ev.TEXT : at + ev.TEXT + length]
    return content


def _is_news(what, before, after):
    """True if this differs from what was known before (rule 3)."""
    if before is None or what != ev.JOB:
        return before != after
    tightening = number(after, _CONTENT_TEXT + ev.JOB_TIGHTENING, 2)
    if tightening > _TIGHTENED_NOK and before != after:
        return True
    count_at = _CONTENT_TEXT + ev.JOB_COUNTER
    if number(after, count_at, 4) < number(before, count_at, 4):
        return True
    last = _CONTENT_TEXT + ev.JOB_TIGHTENING
    return any(before[at:end] != after[at:end] for at, end in ((0, count_at), (count_at + 4, last), (last + 2, None)))


def _digit(octet):
    return octet if 0x30 <= octet <= 0x39 else 0x20


assert _CONTENT_BYTES == ev.CODE_BYTES + ev.TEXT_MOST
