"""A controller's memory and the agent's half that stores and fetches, without a log: for tests of the recovery."""

from toolcart.agent.base.fields import copy, fill, pack_digits, put_u32
from toolcart.agent.log.snapshot_fields import NUMBERS, OCTETS, STORED_AGAIN
from toolcart.agent.openprotocol import error_codes
from toolcart.agent.openprotocol.duplicate_search import DuplicateSearch
from toolcart.agent.openprotocol.id_ledger import IdLedger
from toolcart.agent.openprotocol.ids import ID_PERIOD, id_of, put_id
from toolcart.agent.openprotocol.recovery import Recovery
from toolcart.agent.openprotocol.recovery_phases import OUTCOME_STORE
from toolcart.agent.openprotocol.unfetchable import count_skipped, count_when_due
from toolcart.agent.record import KIND_RAW, KIND_RESULT
from toolcart.agent.record import result as res
from toolcart.agent.record.equality import is_same
from toolcart.agent.record.provenance import SPINDLE

PORTABLE = True

BLANK = -1
IDENTITY = b"000101Cart controller          C1234567            "
STATION = IDENTITY[:41] + b"0000000001"
PAYLOAD = res.HEAD_BYTES + res.BODY_BYTES
REQUEST_EVERY_MS = 100000  # more than any pause: nothing waits for time here


class FakeState:
    """toolcart.agent.log.snapshot without a flash: what was saved last, and for how much of the log that stands."""

    def __init__(self):
        self.numbers = [0] * NUMBERS
        self.octets = bytearray(OCTETS)
        self.saves = 0
        self.refuses = 0  # as many saves
        self.covers = 0  # records of the log that what is durable says all about
        self.log = None
        self.durable_numbers = list(self.numbers)
        self.durable_octets = bytes(self.octets)

    def save(self):
        """As the real one: True when what holds now is durable."""
        if self.refuses:
            self.refuses -= 1
            return False
        self.saves += 1
        self.durable_numbers = list(self.numbers)
        self.durable_octets = bytes(self.octets)
        self.covers = self.log.number
        return True

    def start(self):
        """After a power cut: what is durable holds."""
        self.numbers[:] = self.durable_numbers
        self.octets[:] = self.durable_octets


class FakeLog:
    """Records in RAM; with a `limit` the oldest go."""

    read_most = 1000000
    contents_most = 256

    def __init__(self, limit=0):
        self.limit = limit
        self.records = []  # (payload, flags, result)
        self.number = 0
        self.unread = False  # the device cannot be read

    def append(self, payload, flags, result):
        self.records.append((payload, flags, result))
        self.number += 1
        if self.limit and len(self.records) > self.limit:
            self.records.pop(0)

    def first(self):
        """Return the number of the oldest record that is there."""
        return self.number - len(self.records) + 1

    # As toolcart.agent.openprotocol.duplicate_search.

    def next_record(self):
        return self.number + 1

    def results(self, record, most=0):
        for place in range(max(record - self.first(), 0), len(self.records)):
            payload, flags, _ = self.records[place]
            payload = bytearray(payload)
            put_u32(payload, 0, self.first() + place)
            yield payload, res.HEAD_BYTES, flags

    def results_of(self, ident, record):
        for page, at, flags in self.results(record):
            if page[at + res.TIGHTENING_ID : at + res.TIGHTENING_ID + res.ID_BYTES] == ident:
                yield page, at, flags

    def has_id(self, ident, record):
        return self.count_ids(id_of(ident, 0), id_of(ident, 0), record) > 0

    count_ids = DuplicateSearch.count_ids

    def holds(self, page, at, length, flags):
        """As toolcart.agent.openprotocol.duplicate_search."""
        if self.unread:
            return -1
        place = res.HEAD_BYTES + res.TIGHTENING_ID
        ident = bytes(page[at + place : at + place + res.ID_BYTES])
        for payload, other, _ in self.records:
            if payload.find(ident, place, place + res.ID_BYTES) == place and (
                is_same(payload, 0, len(payload), other, page, at, length, flags)
            ):
                return 1
        return 0


class Result:
    """One tightening: `uid` counts them all, `key` stands in its values."""

    def __init__(self, uid, ident, key, time=None):
        self.uid = uid
        self.ident = ident
        self.key = key
        self.time = key if time is None else time
        self.frame = None  # of an answer of which only the ID can be read: what else stands in it
        self.payload = self._payload()

    def _payload(self):
        payload = bytearray(b" " * PAYLOAD)
        at = res.HEAD_BYTES
        if self.ident != BLANK:
            digits = bytearray(res.ID_BYTES)
            put_id(digits, 0, self.ident)
            copy(payload, at + res.TIGHTENING_ID, digits, 0, res.ID_BYTES)
        copy(payload, at + res.TORQUE, b"%06d" % self.key, 0, res.TORQUE_BYTES)
        copy(payload, at + res.ANGLE, b"%05d" % (self.key % 360), 0, res.ANGLE_BYTES)
        digits = b"20260301%02d%02d%02d" % (self.time // 3600, self.time // 60 % 60, self.time % 60)
        pack_digits(payload, at + res.TIME, digits, 0, len(digits))
        return bytes(payload)


class Memory:
    """What a controller has made and keeps: `limit` results, the oldest goes."""

    def __init__(self, next_id=1, limit=100000, fixed=None):
        self.next_id = next_id
        self.limit = limit
        self.fixed = fixed  # the ID that every result carries
        self.produced = []
        self.kept = []

    def make(self, ident=None, key=None):
        """Tighten once."""
        if ident is None:
            ident = self.next_id if self.fixed is None else self.fixed
        uid = len(self.produced) + 1
        result = self.result(uid, ident, uid if key is None else key)
        if ident != BLANK:
            self.next_id = (ident + 1) % ID_PERIOD
        self.produced.append(result)
        self.kept = [one for one in self.kept if one.ident != ident or ident == BLANK]
        self.kept.append(result)
        if len(self.kept) > self.limit:
            self.kept.pop(0)
        return result

    def result(self, uid, ident, key):
        """Return a new one."""
        return Result(uid, ident, key, uid)

    def reset(self, next_id=1):
        """Forget all, and count from there."""
        self.kept = []
        self.next_id = next_id

    def forget(self, *idents):
        """Delete single ones."""
        self.kept = [one for one in self.kept if one.ident not in idents]

    def find(self, number):
        """Return what MID 0064 with this ID is answered with; None for 0004/15."""
        if number == 0:
            return self.kept[-1] if self.kept and self.kept[-1].ident != BLANK else None
        for one in self.kept:
            if one.ident == number:
                return one
        return None


class Spindles(Memory):
    """Each tightening has a result of each of `count` spindles under one ID; behind the ID `ends` comes `begins`, once.

    `apart`: seconds from one to the next; None: they have no time. Unless a spindle is asked for the last one answers.
    """

    def __init__(self, count, are_named, first=1, apart=0, ends=None, begins=1):
        super().__init__(first)
        self.count, self.are_named, self.apart = count, are_named, apart
        self.ends, self.begins = ends, begins
        self.bench = None  # that asks

    def find(self, number):
        asked = self.bench.recovery.ask_spindle if self.are_named else 0
        found = [one for one in self.kept if number in (0, one.ident) and asked in (0, one.spindle)]
        return found[-1] if found else None

    def tighten(self):
        """Return what one tightening brings."""
        number = self.next_id
        second = 7 * (len(self.produced) // self.count + 1)
        results, kept = [], self.kept
        for place in range(self.count):
            one = self.make(number, 100 * second + 7 * place)
            one.spindle = place + 1 if self.are_named else 1
            one.time = second + (self.apart or 0) * place
            payload = bytearray(one._payload())
            payload[SPINDLE] = one.spindle
            if self.apart is None:
                fill(payload, res.HEAD_BYTES + res.TIME, res.TIME_BYTES, 0)
            one.payload = bytes(payload)
            results.append(one)
        self.kept = kept + results
        if number == self.ends:
            self.next_id, self.ends = self.begins, None
        return results


class ReportedGaps:
    """In place of toolcart.agent.station.missing_results: what was told as gone."""

    def __init__(self):
        self.runs = []
        self.refuses = False

    def put(self, first, last, count, total, epoch, is_reset):
        if self.refuses:
            return False
        self.runs.append((first, last, count, is_reset))
        return True


class Bench:
    """State, log, IDs and recovery of one station, as the store and the intake join them."""

    def __init__(self, memory=None, limit=0, recovers=True, **settings):
        self.memory = memory or Memory()
        self.memory.bench = self
        self.log = FakeLog(limit)
        self.state = FakeState()
        self.state.log = self.log
        self.gone = ReportedGaps()
        self.settings = settings
        self.recovers = recovers
        self.requested = []
        self.outcomes = []
        self.now = 0
        self.stored_twice = 0  # that were there before, at most
        self.raw = []  # the uid of each that was kept as it came
        self.opens_with = (IDENTITY, 1)
        self.start()

    def start(self):
        """As after a power cut: everything new but what is durable."""
        self.state.start()
        self.ledger = IdLedger(self.state, self.recovers)
        settings = dict(self.settings)
        settings.setdefault("revisions", (2, 1))
        self.recovery = Recovery(self.log, self.ledger, gone=self.gone.put, **settings)
        for number in range(max(self.log.first(), self.state.covers + 1), self.log.number + 1):
            payload, flags, _ = self.log.records[number - self.log.first()]
            self._count(payload, flags, number)
        self.ledger.end_contact()
        if self.ledger.doubted and self.ledger.is_met():
            count_skipped(self.log, self.ledger)
        return self

    def _count(self, payload, flags, number):
        """Count this record of the log, after an append or at a start."""
        payload = bytearray(payload)
        put_u32(payload, 0, number)
        again = self.ledger.stored(KIND_RESULT, flags, payload, 0, PAYLOAD)
        if again:
            before = self.state.numbers[STORED_AGAIN]
            self.ledger.count_again(again, self.log.first())
            self.stored_twice += self.state.numbers[STORED_AGAIN] - before

    # -- the connection ----------------------------------------------------------------------------------------

    def open(self):
        identity, system_type = self.opens_with
        self.recovery.begin_session(identity, system_type, self.now)
        return self

    def close(self):
        self.recovery.end_session(self.now)
        return self

    def again(self):
        """The connection ends, and the next one stands."""
        return self.close().open()

    # -- pushes ------------------------------------------------------------------------------------------------

    def push(self, result, flags=0):
        """A pushed result comes; True if it was stored, False if the log has it."""
        start = res.HEAD_BYTES
        payload = result.payload
        is_expected = payload[start + res.TIGHTENING_ID : start + res.SERIAL] == self.ledger.expected
        is_next = is_expected and not self.recovery.flags
        if not is_next:
            if self.log.holds(payload, 0, PAYLOAD, flags):
                return False
        flags |= self.recovery.flags
        payload = self._of_now(payload)
        self.log.append(payload, flags, result)
        self._count(payload, flags, self.log.number)
        if not is_next:
            self.recovery.pushed(self.log.number, self.now)
        return True

    def live(self, ident=None, key=None):
        """The controller makes one and pushes it."""
        return self.push(self.memory.make(ident, key))

    # -- questions ---------------------------------------------------------------------------------------------

    def ask(self):
        """Return the ID that is asked for now, -1 if none is."""
        self.now = (self.now + REQUEST_EVERY_MS) & 0x3FFFFFFF
        if self.recovery.push_run.on_its_way is not None:
            count_when_due(self.recovery, self.now, 0)
        if not self.recovery.prepare_request(self.now):
            return -1
        number = id_of(self.recovery.ask_id, 0)
        self.requested.append(number)
        return number

    def answer(self, result, flags=0):
        """MID 0065 with this result; None: 0004/15."""
        if result is None:
            return self.refuse(error_codes.REJECTED_GONE)
        if result.frame is not None:
            return self._answer_unread(result)
        payload = bytearray(self._of_now(result.payload))
        outcome = self.recovery.fetched(payload, res.HEAD_BYTES, self.now, flags)
        self.outcomes.append(outcome)
        if outcome == OUTCOME_STORE:
            flags |= res.FLAG_RECOVERED
            if not self.log.holds(payload, 0, PAYLOAD, flags):
                self.log.append(bytes(payload), flags, result)
                self._count(payload, flags, self.log.number)
            self.recovery.stored(self.now)
        return outcome

    def _answer_unread(self, result):
        """MID 0065 of which only the ID can be read."""
        payload = bytearray(b" " * PAYLOAD)
        at = res.HEAD_BYTES + res.TIGHTENING_ID
        copy(payload, at, result.payload, at, res.ID_BYTES)
        outcome = self.recovery.fetched_unread(payload, res.HEAD_BYTES, result.uid, self.now, result.frame)
        self.outcomes.append(outcome)
        if outcome == OUTCOME_STORE:
            if result.uid not in self.raw:
                self.raw.append(result.uid)
                before = self.state.numbers[STORED_AGAIN]
                self.ledger.stored(KIND_RAW, res.FLAG_RECOVERED, payload, 0, PAYLOAD)
                self.stored_twice += self.state.numbers[STORED_AGAIN] - before
            self.recovery.stored(self.now)
        return outcome

    def _of_now(self, payload):
        """Return the payload with the epoch of the IDs."""
        at = res.ID_EPOCH
        return payload[:at] + bytes((self.ledger.epoch(),)) + payload[at + 1 :]

    def refuse(self, kind):
        outcome = self.recovery.rejected(kind, self.now)
        self.outcomes.append(outcome)
        return outcome

    def step(self):
        """One question and its answer; False if nothing is asked."""
        number = self.ask()
        if number < 0:
            return False
        self.answer(self.memory.find(number))
        return True

    def settle(self, most=1000):
        """Ask until nothing is wanted; returns how many questions that took."""
        before = len(self.requested)
        while self.step():
            assert len(self.requested) - before < most, "it never ends"
        return len(self.requested) - before

    def met(self, count=0):
        """Let an empty controller be met, and push so many results; what was asked for is forgotten."""
        self.open().settle()
        self.make(count)
        self.requested = []
        self.outcomes = []
        return self

    def make(self, count):
        """The controller makes so many and pushes each when nothing is asked any more."""
        for _ in range(count):
            self.live()
            self.settle()

    def away(self, count=1):
        """Results that no one hears of; the next connection stands."""
        self.close()
        for _ in range(count):
            self.memory.make()
        self.requested = []
        return self.open()

    # -- what came of it ---------------------------------------------------------------------------------------

    def stored(self):
        """Return the IDs of the log in its order."""
        return [one[2].ident for one in self.log.records]

    def uids(self):
        return [one[2].uid for one in self.log.records]
