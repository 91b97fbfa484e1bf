"""One connection to a controller, from its first byte to its end (protocol.md 4 and 5).

Rules
1. Before 0001 nothing else is answered. After 15 s without a byte the controller closes.
2. A result that is not acknowledged is sent again several times; then the connection is dropped or the result given up.
3. A controller that is not hasty waits for the 0062 of every copy it has sent before it goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

from toolcart.sim.controller_frames import TOOL_1, parameters, start_data, usual_header
from lab.worlds.frames import Identity, fetched, message, pushed, with_spindle_first
from lab.worlds.history import Result, SessionQueries
from lab.worlds.network import Link

SILENCE_MS = 15000
PROMPT_MS = 1000
POLITE_MS = 2000
POLL_MS = 240000  # the newest may be asked for once in five minutes
FLAGGED_FIRST = 10  # revision of 0064
NOT_FOUND, BUSY, REVISION, UNKNOWN, EXISTS = 15, 96, 97, 99, 9


class Session:
    """The controller's end of one connection."""

    handlers: ClassVar[dict[bytes, Callable]]
    is_prompt: ClassVar[bool] = True  # each push is answered by one acknowledgement
    reject_codes: ClassVar[dict[int, int]] = {}  # codes that have another meaning here, and their replacements

    def __init__(self, controller, link: Link) -> None:
        self.controller = controller
        self.link = link
        self.revision = 0  # of the subscribed results; 0: not subscribed
        self.was_ended = False  # a subscription, by the controller
        self._started = False
        self._stopped = False
        self._inbox = b""
        self._queue: list[Result] = []
        self._outstanding: list[Result] = []
        self._tries = 0
        self._timer = 0
        self._copies: list[tuple[int, int]] = []  # (messages the agent had read with it, production number)
        self._sent = 0
        self._acks = 0
        self._paused = False
        self._over = False
        self._addressed = 1  # the spindle that the current message is for; blank and 00 are 1
        self._received_ms = controller.time.now
        self._watch()

    # -- the line --------------------------------------------------------------------------------------------------

    def lost(self) -> None:
        """The connection is gone."""
        self._over = True
        self._unsubscribed()
        if self.controller.session is self:
            self.controller.session = None

    def _unsubscribed(self) -> None:
        """End all pushes; a controller that pushes again remembers what was not acknowledged."""
        self._timer += 1
        self.revision = 0
        self._paused = False
        if self.controller.traits["replays"]:
            for result in self._outstanding + self._queue:
                self.controller.keep_for_replay(result)
        self._queue.clear()
        self._outstanding.clear()

    def _close(self) -> None:
        self.link.close()
        self.lost()

    def _watch(self) -> None:
        time = self.controller.time
        if self._over:
            return
        if time.now - self._received_ms >= SILENCE_MS:
            self._close()
        else:
            time.at(self._received_ms + SILENCE_MS, self._watch)

    def receive(self, octets: bytes, reads: int) -> None:
        """Handle bytes from the agent."""
        self._received_ms = self.controller.time.now
        self._inbox += octets
        while len(self._inbox) >= 4:
            if not self._inbox[:4].isdigit() or int(self._inbox[:4]) < 20:
                self._object(self._inbox)
                self._inbox = b""
                return
            length = int(self._inbox[:4])
            if len(self._inbox) <= length:
                return
            whole, self._inbox = self._inbox[: length + 1], self._inbox[length + 1 :]
            self._message(whole, reads)

    def _message(self, whole: bytes, reads: int) -> None:
        if self.controller.traits["spindle_first"]:
            whole = usual_header(whole)
        mid, revision, content = whole[4:8], whole[8:11], whole[20:-1]
        if whole[-1:] != b"\0" or not mid.isdigit() or not (revision.isdigit() or revision == b"   "):
            self._object(whole)
            return
        if self._stopped and mid != b"0001":
            return
        self._addressed = (int(whole[14:16]) if whole[14:16].isdigit() else 0) or 1
        handler = self.handlers.get(mid)
        if mid == b"0001":
            self._start(int(revision) if revision.isdigit() else 1)
        elif not self._started:
            self._object(whole)
        elif handler is None:
            self._refuse(mid, UNKNOWN)
        else:
            handler(self, mid, int(revision) if revision.isdigit() else 1, content, reads)

    def _object(self, whole: bytes) -> None:
        self.controller.plant.malformed(f"to controller {self.controller.number}: {whole[:60]!r}")

    def _send(self, mid: int, revision: int, content: bytes = b"", on_read=None, spindle: int = 0) -> None:
        traits = self.controller.traits
        rest = traits["header_rest"]
        if spindle:
            rest = f"{rest[:3]}{spindle:02d}{rest[5:]}"
        whole = message(mid, revision, content, rest, traits["blank_revision"])
        self.link.send(with_spindle_first(whole) if traits["spindle_first"] else whole, on_read)

    def _accept(self, mid: bytes) -> None:
        self._send(5, 1, mid)

    def _refuse(self, mid: bytes, code: int) -> None:
        """Reject with a 0004; some controllers end the connection then, or say nothing and end it."""
        traits = self.controller.traits
        ends = int(mid) in traits["ends_mids"]
        if not (ends and traits["ends_unsaid"] and code != BUSY):
            self._send(4, 1, b"%s%02d" % (mid, code))
        if ends:
            delay_ms = self.link.network.dice.randrange(traits["ends_most_ms"] + 1)
            self.controller.time.after(delay_ms, self._end_with_rejection)

    def _end_with_rejection(self) -> None:
        if not self._over:
            self._close()

    # -- session ---------------------------------------------------------------------------------------------------

    def _start(self, revision: int) -> None:
        controller = self.controller
        other = controller.session
        if revision not in controller.traits["start_revisions"]:
            self._refuse(b"0001", controller.traits["start_code"])
            return
        if other is not None and other is not self:
            if controller.traits["single"]:
                self._refuse(b"0001", BUSY)
                return
            other._close()
        controller.session = self
        self._started, self._stopped = True, False
        controller.history.sessions.append(SessionQueries(controller.time.now))
        traits = controller.traits
        software = traits["software"] or ("2.8.1" if traits["shares_ids"] else "3.6.2")
        self._send(2, revision, start_data(Identity(traits["serial"], traits["system_type"], software), revision))

    def _stop(self, mid: bytes, revision: int, content: bytes, reads: int) -> None:
        self._accept(mid)
        self._stopped = True
        self._unsubscribed()
        if self.controller.session is self:
            self.controller.session = None

    def _alive(self, mid: bytes, revision: int, content: bytes, reads: int) -> None:
        self._send(9999, 1)

    def _tool(self, mid: bytes, revision: int, content: bytes, reads: int) -> None:
        if not self.controller.traits["tells_tool"]:
            self._refuse(mid, UNKNOWN)
        elif revision != 1:
            self._refuse(mid, REVISION)
        else:
            self._send(41, 1, parameters(TOOL_1, Identity(self.controller.traits["serial"])))

    # -- pushed results --------------------------------------------------------------------------------------------

    def _subscribe(self, mid: bytes, revision: int, content: bytes, reads: int) -> None:
        controller = self.controller
        if revision not in controller.traits["result_revisions"]:
            self._refuse(mid, controller.traits["result_code"])
            return
        if self.revision:
            self._refuse(mid, EXISTS)
            return
        self._begin(revision, mid, controller.unacknowledged)

    def _begin(self, revision: int, named: bytes, old: list[Result], on_read=None) -> None:
        """Accept a subscription, and push these old results."""
        controller = self.controller
        self.revision = revision
        self._send(5, 1, named, on_read)
        self._queue += old
        if controller.traits["pushes_newest"] and controller.newest is not None:
            self._queue += [one for one in controller.parts_of(controller.newest) if one not in self._queue]
        self._pump()

    def _unsubscribe(self, mid: bytes, revision: int, content: bytes, reads: int) -> None:
        self._unsubscribed()
        self._accept(mid)

    def end_subscription(self) -> None:
        """Push no more, and tell nobody."""
        self.was_ended = self.was_ended or self.revision > 0
        self._unsubscribed()

    def queue(self, result: Result) -> None:
        """Push this result when its turn comes."""
        self._queue.append(result)
        self._pump()

    def _pump(self) -> None:
        window = self.controller.traits["window"]
        while self._queue and len(self._outstanding) < window and not self._paused:
            result = self._queue.pop(0)
            self._outstanding.append(result)
            if len(self._outstanding) == 1:
                self._tries = 0
                self._arm()
            self._push(result)

    def _push(self, result: Result) -> None:
        self._sent += 1
        self._send(61, self.revision, pushed(result, self.revision), lambda: self._was_read(result), result.spindle)

    def _was_read(self, result: Result) -> None:
        self._copies.append((self.link.reads, result.number))
        self.controller.was_pushed(result)
        self._wants_answer(len(self._copies))

    def _wants_answer(self, copies: int) -> None:
        """Expect so many acknowledgements in time."""
        controller = self.controller
        plant, number, since = controller.plant, controller.number, controller.time.now
        if not self.is_prompt or plant.check_full_claim(number):
            return
        faults = plant.device(number).faults

        def look() -> None:
            is_hindered = plant.hindered_since(number) > since
            if self._over or self._acks >= copies or is_hindered or plant.check_full_claim(number):
                return
            if plant.device(number).faults != faults:  # refused now, however long ago that was ordered
                return
            controller.history.late_acks.append(f"push read at {since} ms")

        controller.time.after(PROMPT_MS + plant.way_and_back_ms(), look)

    def _arm(self) -> None:
        self._timer += 1
        timer = self._timer
        self.controller.time.after(self.controller.traits["repeat_ms"], lambda: self._unanswered(timer))

    def _unanswered(self, timer: int) -> None:
        if timer != self._timer or not self._outstanding:
            return
        traits = self.controller.traits
        if self._tries < traits["repeats"]:
            self._tries += 1
            self._push(self._outstanding[0])
            self._arm()
        elif traits["unsubscribes"]:
            self.controller.end_subscription()
        elif traits["drops"]:
            self._close()
        else:
            self._outstanding.pop(0)
            self._next()

    def _next(self) -> None:
        self._timer += 1
        self._tries = 0
        if self._outstanding:
            self._arm()
        self._pump()

    def _acknowledged(self, mid: bytes, revision: int, content: bytes, reads: int) -> None:
        before = self._acks
        self._acks += 1
        if self._outstanding:
            result = self._outstanding.pop(0)
            copies = [number for read_as, number in self._copies if read_as <= reads]
            surely = result.number in copies and before >= copies.index(result.number)
            self.controller.acknowledged(result, surely)
        if not self.controller.traits["hasty"] and self._sent > self._acks and not self._outstanding:
            self._paused = True
            self.controller.time.after(POLITE_MS, self._go_on)
            return
        self._paused = False
        self._next()

    def _go_on(self) -> None:
        if self._paused:
            self._paused = False
            self._next()

    # -- old results -----------------------------------------------------------------------------------------------

    def _old(self, mid: bytes, revision: int, content: bytes, reads: int) -> None:
        controller = self.controller
        flag = revision >= FLAGGED_FIRST  # behind the ID: made offline, or not
        if len(content) != 10 + flag or not content.isdigit():
            self._object(mid + content)
            return
        number = int(content[:10])
        traits = controller.traits
        result = controller.old(number)
        if result is not None and traits["header_spindles"]:
            result = controller.part_of(result, self._addressed)
        if revision not in traits["old_revisions"]:
            controller.has_refused = True
            self._refuse(mid, traits["old_refusal"])
        elif self._is_hindered(mid, result if number else None, number == 0):
            return
        elif result is None:
            met = None if number else lambda: controller.was_met(self)
            self._send(4, 1, b"%s%02d" % (mid, NOT_FOUND), met)
        else:
            self._answer(revision, result, number)

    def _answer(self, revision: int, result: Result, number: int) -> None:
        traits, sent = self.controller.traits, result
        if traits["ids_higher"]:
            result.answered_id = f"{int(result.id_text) + 1:010d}"
            sent = replace(result, id_text=result.answered_id)
        content = fetched(sent, revision, traits["id_pad"])
        self._send(65, revision, content, lambda: self._was_fetched(result, number), result.spindle)

    def _is_hindered(self, mid: bytes, result: Result | None, is_newest: bool = False) -> bool:
        """True if this question for an old result is not answered truthfully at the moment; then it is counted."""
        controller, now = self.controller, self.controller.time.now
        if now < controller.deaf_until or now < controller.reject_until:
            if result is not None:
                result.passed_over.append(now)
            if now >= controller.deaf_until:
                code = controller.reject_code
                self._refuse(mid, self.reject_codes[code] if code in self.reject_codes else code)
            return True
        questions = controller.history.sessions[-1]
        questions.asked += 1
        questions.used = controller.used
        # Where the answer to ID 0 says nothing the one behind the highest known is asked for.
        before = questions.newest if is_newest else max(questions.newest, questions.last)
        is_poll = (is_newest or result is None) and now - before >= POLL_MS
        if is_newest or is_poll:
            questions.newest = now
        if is_poll:
            pass  # to see whether the subscription still stands
        elif result is None or result.asked_for:
            questions.last = now
        else:  # it is given under its ID for the first time, and the earlier ones led to it
            questions.last = -1
        return False

    def _was_fetched(self, result: Result, number: int) -> None:
        if number:
            self.controller.was_asked_for(result)
        elif result.id_text.strip(" 0"):  # otherwise it says nothing: 0 is no result's ID
            self.controller.was_met(self)
        result.fetches.append(self.controller.time.now)  # an agent that asks for the newest may take it from the answer


Session.handlers = {
    b"0003": Session._stop,
    b"0040": Session._tool,
    b"0060": Session._subscribe,
    b"0062": Session._acknowledged,
    b"0063": Session._unsubscribe,
    b"0064": Session._old,
    b"9999": Session._alive,
}
