"""Fetches the results that a controller made while there was no connection: MID 0064, asked by the reader's own task.

Rules
1. `done` is the ID up to which everything is acknowledged or told. It outlives a reading, and the session: the next
   one of the client begins behind it, or behind what its program has, whichever is further. The first one begins behind
   the newest result (ID 0). That also shows whether the controller has MID 0064, and in which revision: the pushed one,
   or the next one below. `done` goes forward; back only where the IDs begin again, which is told: an older result may
   come once more.
2. After a reconnect what lies between `done` and the newest is given first, in order: what was pushed meanwhile at its
   place, also on a connection that was over before it was read, the rest as MID 0065, marked `fetched`. What was given
   and not acknowledged comes again. A push of what was fetched is not given: its acknowledgement is that of the
   fetched one.
3. What is not there, or is answered with another ID, is told in a Missed at its place. Where nothing can be asked for,
   the first new push of each connection tells what is missing in front of it: IDs if it goes on behind `done`, else
   that something may be. A controller that had no result and has none now has made none.
   What was acknowledged is known by its ID and values, or by its time and values where a push has no ID, and is not
   given as fetched. IDs begin again where the newest is below `done`, or `done` is the ID of a result of another time.
   A newest that is known and below `done` is none: then each next ID is asked for, up to the first that is not there.
4. Where pushes of one connection skip IDs, stations share them: an answer is ours if it names our station (revision 7
   on), and is told as missed if it names none. Only IDs above the newest that was there as the connection began count:
   below it lies what was made before, and what is pushed again because it was not acknowledged.
5. On the link level no answer comes before a push is acknowledged: there a push that came is given first.
6. The agent's recovery decides by its log and writes down what it concludes (docs/internals/decisions.md): a program
   has no log. Only the order of IDs is the agent's.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from toolcart.agent.openprotocol.ids import after, ahead_by, before, is_ahead
from toolcart.catalogue.message import Message
from toolcart.client.conversation import LOGGER, Conversation
from toolcart.client.errors import ConnectionLost, NotSent, OutOfOrder, Refused, Unanswered, WrongAnswer
from toolcart.client.missed import Missed
from toolcart.client.received import FETCHED, RESULT, Pushed, Received, is_identified, tightening_id

FETCH_MOST = 10000  # more than any controller keeps
_NOT_THERE = 15  # the code of MID 0004 for an ID that the controller has no result of
_REVISION_MOST, _USUAL_REVISION = 11, 7
_OWN_LAYOUTS = 900  # revisions of MID 0061 from here on have no counterpart of MID 0065
_UNANSWERED = "the controller does not answer MID 0064"
_SILENT_MOST = 3  # in a row: then the rest is not asked for
# What a client's next session goes on with.
_POSITION = ("_identity", "_done", "_is_whole", "_last", "_fetched", "_known")
_VALUES = ("time", "tightening_status", "torque", "angle")  # of a result, in MID 0061 and 0065


class Fetched:
    """What Pushed is for a message that was fetched: no message acknowledges it to the controller."""

    __slots__ = ("acknowledged", "conversation", "fill", "message", "mid")

    fetched = True

    def __init__(self, message: Message, conversation: Conversation, fill: GapFill) -> None:
        self.message = message
        self.mid = FETCHED
        self.conversation = conversation
        self.fill = fill
        self.acknowledged = False

    def received(self) -> Received:
        """Return the message for its reader."""
        return Received(self.message, self)

    async def acknowledge(self) -> bool:
        """See Received.acknowledge."""
        self.conversation.check_loop()
        if not self.acknowledged:
            self.acknowledged = self.fill.settle(self)
            self.fill.settle_copies()
        return self.acknowledged


class GapFill:
    """What is missing of a client's results; `old_result` is that of the client, `seconds` its wait for an answer.

    `earlier` is that of the session before, of the same client: its position goes on.
    """

    def __init__(
        self,
        conversation: Conversation,
        old_result: Callable[..., Awaitable[Any]],
        seconds: float,
        earlier: GapFill | None = None,
    ) -> None:
        self._conversation = conversation
        self._old_result = old_result
        self._seconds = seconds
        self._has = True  # the controller has MID 0064
        self._revision = 0  # of it, 0 before one was accepted
        self._identity: tuple = ()  # of the controller that the IDs are of
        self._done: int | None = None
        self._is_whole = False  # all that the controller has is missing, as far down as it goes: `done` is not known
        self._last: Any = None  # what was settled last
        self._fetched: dict[Any, Fetched] = {}  # what a controller may still push, by its ID and by its values
        self._known: dict[Any, tuple] = {}  # values of what was acknowledged, by its ID, or by these if it has none
        self._why = "which one was the newest is not known"
        self._asking: asyncio.Task | None = None
        self._asked = (0, 0)  # by it: ID, revision
        self.reset()
        if earlier is not None:
            for name in _POSITION:
                setattr(self, name, getattr(earlier, name))

    def reset(self) -> None:
        """Forget what was given and not acknowledged: the topic was left."""
        self.is_entered = False
        if self._asking is not None:
            self._asking.cancel()
            self._asking = None
        self._connection = 0
        self._given: deque[list] = (
            deque()
        )  # [who, its ID, whether it is settled], in the order in which they were given
        self._ready: deque = deque()  # what is to be given next
        self._is_filling = False
        self._is_open = False  # the first new push tells what is missing: it cannot be asked for
        self._pushed: list[bytes] = []  # data of what the connections before pushed last: they may push it again
        self._next = 0  # ID to be fetched next
        self._newest: int | None = None
        self._is_doubtful = False  # whether the ID `done` is still that of what was acknowledged
        self._is_climbing = False  # up from `done` to what is not there: its newest is not known
        self._is_walking = False  # down from the newest: all that is there is missing
        self._walked: dict[int, tuple[Message | None, str]] = {}  # what that has found, by its ID
        self._is_empty = False  # the controller has no result, by its last answer
        self._in_vain = 0  # the connection over which the newest was asked for in vain
        self._copies: list[Any] = []  # pushes of what was fetched, not acknowledged
        self._missed: list | None = None  # first, last, why: not told yet
        self._silent = 0
        self._unanswered: set[int] = set()  # IDs asked for in vain: another question for one costs a connection
        self._above: set[int] = set()  # IDs of pushes that were given in front of what was missing
        self._top: int | None = None  # highest ID of `_top_of`: each one of ours above it is pushed there
        self._top_of = 0  # the connection whose newest ID is known, 0 for none
        self._is_shared = False

    async def begin(self, kept: deque, last: int | None = None) -> None:
        """The topic was entered: find the newest ID. What the program has goes to `last`, 0: it has none."""
        self.is_entered = True
        conversation = self._conversation
        self._identity = self._identity or self._who()
        if last and (self._done is None or is_ahead(last, self._done)):
            self._done, self._is_whole = last, False
        self._is_whole = self._is_whole or (last == 0 and self._done is None)
        is_first = self._done is None and not self._is_whole
        self._start(conversation.connection, None)
        if is_first:
            self._is_open = False
        if not self._has or conversation.is_held_up():
            return
        with contextlib.suppress(ConnectionLost):
            await (self._begin_at_newest(kept) if is_first else self._find_newest(kept))

    async def _begin_at_newest(self, kept: deque) -> None:
        newest = tightening_id(await self._ask(0))
        self._is_whole = self._is_empty
        self._top, self._top_of = newest, self._conversation.connection
        self._done = newest
        if kept and _id_of(kept[0]) is not None:  # came meanwhile
            self._done = before(_id_of(kept[0]) or 0)

    async def following(self, kept: deque) -> Any:
        """Return the next one that is there, None if none is; `kept` is what was pushed."""
        conversation = self._conversation
        while True:
            if self._ready:
                return self._hand_over(self._ready.popleft())
            if kept and self._is_copy(kept[0]):
                self._copies.append(kept.popleft())
                self.settle_copies()
                continue
            head = kept[0] if kept else None
            is_new = self._connection != conversation.connection
            if is_new and (self._is_filling or head is None or head.connection != self._connection):
                self._start(conversation.connection, head)
            if not self._is_filling or conversation.is_held_up():
                if head is None:
                    return None
                self._ready.append(kept.popleft())
                self._tell_open(head)
                continue
            if not conversation.is_readied:
                return None
            try:
                await self._step(kept)
            except ConnectionLost:
                return None  # it goes on over the next one

    def settle(self, who: Any) -> bool:
        """Take note that this one is acknowledged; False where it is not open any more and comes again.

        OutOfOrder if an older one is open.
        """
        place = next((index for index, one in enumerate(self._given) if one[0] is who), -1)
        if place < 0:
            self._note_read_otherwise(who)
            return False
        number = self._given[place][1]
        if any(not one[2] and one[1] != number for one in list(self._given)[:place]):
            raise OutOfOrder(who.mid)
        for index, one in enumerate(self._given):
            one[2] = one[2] or index <= place or one[1] == number  # copies are settled together
        self._advance()
        self.settle_copies()
        return True

    def settle_copies(self) -> None:
        """Acknowledge the pushes of what was fetched and is acknowledged, once nothing older is open."""
        for copy in list(self._copies):
            fetched = self._fetched.get(_key_of(copy))
            if fetched is None or fetched.acknowledged:
                with contextlib.suppress(OutOfOrder):
                    self._conversation.acknowledge(copy)
                    self._copies.remove(copy)

    def check(self, who: Any) -> None:
        """OutOfOrder if one that was fetched is older than this push and not acknowledged."""
        for one in self._given:
            if one[0] is who:
                return
            if not one[2] and getattr(one[0], "fetched", False):
                raise OutOfOrder(one[0].mid)

    # -- inside --------------------------------------------------------------------------------------------------

    def _who(self) -> tuple:
        started = self._conversation.started.raw()
        return tuple(started.get(name) for name in ("cell_id", "channel_id", "controller_serial_number"))

    def _note_read_otherwise(self, who: Any) -> None:
        """Take note of what was acknowledged by a reader for whom nothing is fetched."""
        number = _id_of(who)
        if number is not None and (self.is_entered or not who.acknowledged):
            return
        self._note_known(who)
        if number is None:
            return
        if self._done is None or is_ahead(number, self._done):
            self._last, self._done, self._is_whole = who, number, False

    def _is_copy(self, pushed: Any) -> bool:
        """True for a push of what was fetched, given and is not forgotten: the same ID, if it has one, and values."""
        fetched = self._fetched.get(_key_of(pushed))
        if fetched is None:
            return False
        one, other = fetched.message.raw(), pushed.message.raw()
        return all(one.get(name) == other.get(name) for name in _VALUES if name in one and name in other)

    def _advance(self) -> None:
        while self._given and self._given[0][2]:
            who, number, _ = self._given.popleft()
            self._last = who or self._last
            self._note_known(who)
            if self._done is None or is_ahead(number, self._done):
                self._done = number

    def _note_known(self, who: Any) -> None:
        key = _key_of(who)
        if key is not None:
            self._known[key] = _values_of(who.message)
            if len(self._known) > FETCH_MOST:
                del self._known[next(iter(self._known))]

    def _is_known(self, message: Message) -> bool:
        """True for what was acknowledged: the same values, and the same ID if that had one."""
        values = _values_of(message)
        return values in self._known or self._known.get(tightening_id(message)) == values

    def _start(self, connection: int, head: Any) -> None:
        """A new connection stands, or is about to; `head` may be of one before it, which is the next one then."""
        self._pushed = [one.data for one in (self._last, *(one[0] for one in self._given)) if hasattr(one, "data")]
        self._given.clear()
        self._copies.clear()
        self._fetched = {number: one for number, one in self._fetched.items() if one.acknowledged}
        self._missed = None
        self._above.clear()
        self._top_of = 0
        self._silent = 0
        self._newest = None
        self._is_doubtful = self._is_climbing = self._is_walking = False
        self._walked.clear()
        self._is_filling = self._has and (self._done is not None or self._is_whole) and connection != self._in_vain
        self._is_open = not self._is_filling
        self._connection = head.connection if self._is_open and head is not None else connection
        self._next = 0 if self._done is None else after(self._done)

    def _give(self, message: Any) -> Any:
        """Note that a push is given, and return it."""
        number = _id_of(message)
        if number is None:
            return message
        if message.connection == self._top_of:
            self._is_shared = self._is_shared or (self._top is not None and is_ahead(number, after(self._top)))
            if self._top is None or is_ahead(number, self._top):
                self._top = number
        if self._done is None and not self._is_filling:
            self._done, self._is_whole = before(number), False
        if self._is_filling and (not self._next or is_ahead(number, self._next)):  # rule 5
            self._above.add(number)
        elif not message.acknowledged:  # else it is a copy, settled already
            self._given.append([message, number, False])
        return message

    def _hand_over(self, one: Any) -> Any:
        if isinstance(one, Missed):
            if one.ids:
                self._given.append([one, one.ids[-1], True])
                self._advance()
            LOGGER.warning("%s: %s", self._conversation.traffic.where, one)
            return one
        if one.fetched:
            number = _id_of(one) or 0
            self._given.append([one, number, False])
            self._fetched[number] = self._fetched[_values_of(one.message)] = one
            while len(self._fetched) > 2 * FETCH_MOST:
                del self._fetched[next(iter(self._fetched))]
            return one
        return self._give(one)

    def _tell_open(self, head: Any) -> None:
        """Tell what is missing in front of the first new push, where it could not be asked for."""
        if not self._is_open:
            return
        number = _id_of(head)
        if head.data in self._pushed or self._is_known(head.message):  # once more: it says nothing of what is missing
            self._next = after(number) if number == self._next else self._next
            return
        self._is_open = False
        if number is None or self._done is None or is_ahead(self._next, number):
            self._ready.appendleft(Missed(range(0), self._why))
            self._done = self._done if number is None else before(number)
        elif number != self._next:
            self._ready.appendleft(Missed(range(self._next, number), self._why))

    async def _step(self, kept: deque) -> None:
        """Put one more into `_ready`, or end the filling."""
        if self._is_walking:
            await self._walk()
            return
        if self._newest is None:
            await self._find_newest(kept)
            return
        if self._is_doubtful:
            await self._check_done()
            return
        head = _id_of(kept[0]) if kept else None
        if head is not None and not is_ahead(head, self._next):
            self._tell_missed()
            self._ready.append(kept.popleft())
            if head == self._next:
                self._next = after(head)
            return
        if is_ahead(self._next, self._newest) and not self._is_climbing:
            self._end()
            return
        number = self._next
        if number in self._above:
            self._next = after(number)
            return
        message, why = self._walked.pop(number, None) or await self._ask_for(number)
        if self._is_climbing and (why or ahead_by(number, self._newest) > FETCH_MOST):
            self._end()
            self._is_open, self._why = True, why
            return
        self._next = after(number)
        if message is not None:
            self._tell_missed()
            if self._is_known(message):
                self._given.append([None, number, True])
                self._advance()
                return
            self._ready.append(Fetched(message, self._conversation, self))
        elif why:
            self._miss(number, number, why)

    async def _find_newest(self, kept: deque) -> None:
        """Find up to where something may be missing; end the filling where that cannot be."""
        done = self._done
        if self._who() != self._identity:
            self._identity = self._who()
            self._ready.append(Missed(range(0), "another controller answers: its IDs say nothing of what is missing"))
            self._is_filling, self._done = False, None
            return
        answer = await self._ask(0)
        newest = tightening_id(answer)
        self._top, self._top_of = newest, self._connection
        if newest is None or not self._has:
            self._is_filling = False
            self._in_vain = 0 if self._is_empty else self._connection
            self._is_open = not (self._is_empty and self._is_whole) or bool(kept)
            if kept:
                self._connection = kept[0].connection  # each of them tells
            return
        self._newest = newest
        if done is None:
            self._walk_from_newest()
        elif newest == done:
            self._compare(answer)
        elif is_ahead(newest, done):
            self._is_doubtful = done in self._known
            self._limit()
        elif answer is not None and self._is_known(answer):
            self._newest, self._is_climbing = done, True
            self._top_of = 0
        else:
            why = f"the controller names {newest} as its newest, {done} came before: its IDs may begin again"
            self._begin_again(why)

    async def _check_done(self) -> None:
        answer, _ = await self._ask_for(self._done or 0)
        self._is_doubtful = False
        self._compare(answer)

    def _compare(self, answer: Message | None) -> None:
        """The controller's IDs begin again if the one acknowledged last is now that of a result of another time."""
        known = self._known.get(self._done)
        if answer is None or known is None:
            return
        times = known[0], _values_of(answer)[0]
        if times[0] != times[1] and all(isinstance(one, str) for one in times):
            self._begin_again(f"the controller's IDs begin again: {self._done} is another result now")

    def _begin_again(self, why: str) -> None:
        self._missed = None
        self._ready.append(Missed(range(0), why))
        self._walk_from_newest()

    def _walk_from_newest(self) -> None:
        self._is_walking, self._next, self._done = True, self._newest or 0, None

    def _limit(self) -> None:
        last = (self._newest or 0) - FETCH_MOST
        if ahead_by(self._newest or 0, self._done or 0) > FETCH_MOST:
            self._miss(self._next, last, f"more than {FETCH_MOST} are not asked for")
            self._next = after(last)

    async def _walk(self) -> None:
        """Look at one more of what the controller has, from the newest down; from the last one on it is given."""
        number = self._next
        why = f"more than {FETCH_MOST} are not asked for"
        if number and len(self._walked) < FETCH_MOST:
            message, why = await self._ask_for(number)
            if message is not None or not why:
                self._walked[number] = message, why
                self._next -= 1
                return
        if self._is_whole and number:
            self._ready.append(Missed(range(0), f"whether there were results up to {number} is not known: {why}"))
        self._done, self._next = number, after(number)
        self._is_walking = self._is_whole = False

    def _end(self) -> None:
        self._tell_missed()
        self._is_filling = self._is_whole = False
        self._unanswered.clear()
        if self._above:
            for number in self._above:
                if self._newest is None or is_ahead(number, self._newest):
                    self._newest = number
            self._given.append([None, self._newest, True])
            self._above.clear()
            self._advance()

    def _miss(self, first: int, last: int, why: str) -> None:
        if self._missed is not None and (self._missed[2] != why or first < self._missed[1]):
            self._tell_missed()
        if self._missed is None:
            self._missed = [first, last, why]
        self._missed[1] = last

    def _tell_missed(self) -> None:
        if self._missed is not None:
            first, last, why = self._missed
            self._missed = None
            self._ready.append(Missed(range(first, last + 1), why))

    async def _ask_for(self, number: int) -> tuple[Message | None, str]:
        """Return the result of this ID, or None and why there is none; None and nothing if it is another station's."""
        if self._silent >= _SILENT_MOST or number in self._unanswered:
            self._silent += 1
            return None, _UNANSWERED
        try:
            message = await self._request(number, self._revision)
        except Refused as refused:
            self._silent = 0
            return None, str(refused)
        except Unanswered:
            self._silent += 1
            self._unanswered.add(number)
            return None, _UNANSWERED
        except WrongAnswer:
            self._silent = 0
            return None, "the controller answers with another result"
        self._silent = 0
        station, ours = message.raw().get("station_id"), self._conversation.started.raw().get("station_id")
        if isinstance(station, int) and isinstance(ours, int):
            return (message, "") if station == ours else (None, "")
        if self._is_shared:
            return None, "stations share the IDs, and the answer names none"
        return message, ""

    async def _ask(self, number: int) -> Message | None:
        """Ask in the revision that is accepted, which is looked for; None if there is no such result."""
        self._is_empty = False
        revisions = [self._revision] if self._revision else self._revisions()
        for revision in revisions:
            try:
                message = await self._request(number, revision)
            except Refused as refused:
                self._why = str(refused)
                if refused.code != _NOT_THERE:
                    continue
                message, self._is_empty = None, True
            except Unanswered:
                self._why = _UNANSWERED
                break
            self._revision = revision
            if message is not None and tightening_id(message) is None:
                self._why = "the controller's answer to MID 0064 has no ID"
            return message
        if not self._revision:
            self._has = False
            LOGGER.info("%s: no MID 0064: what is missing after a reconnect is told", self._conversation.traffic.where)
        return None

    async def _request(self, number: int, revision: int) -> Message:
        """Ask this; whose wait is over before the answer comes finds the question under way when it asks again."""
        if self._asking is None or self._asked != (number, revision):
            self._asked = number, revision
            self._asking = asyncio.create_task(self._answer(number, revision))
            self._asking.add_done_callback(lambda asking: asking.cancelled() or asking.exception())
        asking = self._asking
        try:
            return await asyncio.shield(asking)
        finally:
            if asking.done():
                self._asking = None

    async def _answer(self, number: int, revision: int) -> Message:
        while True:
            with contextlib.suppress(NotSent):  # behind the request of another task
                return await self._old_result(number, revision, timeout=self._seconds)

    def _revisions(self) -> list[int]:
        """Return the revisions to try: the one that is pushed first."""
        pushed = self._conversation.session.subscriptions[0].revisions.wanted()
        return list(range(min(pushed, _REVISION_MOST) if pushed < _OWN_LAYOUTS else _USUAL_REVISION, 0, -1))


def _id_of(one: Any) -> int | None:
    """Return the ID of a result that was pushed or fetched; None for what is none."""
    return tightening_id(getattr(one, "message", None))


def _key_of(one: Any) -> Any:
    """Return by what a result is known: its ID, else its time and values; None for one that has neither, or is none."""
    number = _id_of(one)
    if number is None and isinstance(one, Pushed) and one.mid == RESULT and is_identified(one.message):
        return _values_of(one.message)
    return number


def _values_of(message: Message) -> tuple:
    values = message.raw()
    return tuple(values.get(name) for name in _VALUES)
