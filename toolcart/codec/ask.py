"""One request to a real controller over TCP, and its answer: start, ask, listen, leave.

Rules
1. Every wait has a deadline. The session is ended in order (MID 0003) whatever happened: a slot left occupied
   locks everyone else out.
2. Other messages that arrive meanwhile are shown as well; pushes are not acknowledged, so they stay with their owner.
3. A connection that fails says why, in words, and what to check.
4. A controller may end a connection on which it rejected something, at once or a moment later. What was not answered
   then is asked once more on a connection of its own; one that ends there ends with that question.
"""

from __future__ import annotations

import errno
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass

from toolcart import catalogue
from toolcart.agent.openprotocol.error_codes import UNNAMED, named_in
from toolcart.agent.openprotocol.revision_fallback import BLANK
from toolcart.catalogue import Linked, Message
from toolcart.catalogue.errors import quoted
from toolcart.codec import inputs
from toolcart.codec.stream import Messages

_CHOOSES_KEEP_ALIVE = 7  # revision of MID 0001 from which on it says whether keep-alive is to be optional
START_REVISIONS = (6, 5, 4, 3, 2, 1, 7, BLANK)
BUSY = (96, 16, 35)
PAUSE_S = 0.3  # before a connection that has ended is begun again
OPENINGS = 3  # some take a moment until they listen again
_READ_OCTETS = 65536
USUAL, SPINDLE_FIRST = inputs.NAMES[:2]
_IS_SPINDLE_FIRST = "its headers have the spindle in front of the revision, as OP-Ford and OP-BMW have (header op-ford)"
_IS_USUAL = "its headers are laid out as usual (header standard)"

_WHY = {
    errno.ECONNREFUSED: "nothing listens there: is Open Protocol switched on, and is it this port?",
    errno.EHOSTUNREACH: "no route to it: is the controller on, and in this network?",
    errno.ENETUNREACH: "no network leads there",
    errno.ETIMEDOUT: "no answer: is the controller on, and does a firewall stand between?",
}


class Unanswered(Exception):
    """There is no connection, no session or no answer; the text says why."""


class NoAnswer(Unanswered):
    """The connection is open, but the request is not answered."""


class UnusableAnswer(NoAnswer):
    """Something came, but no answer to the request."""


class Foreign(Unanswered):
    """The other side speaks something else."""


class ConnectionEnded(Unanswered):
    """The other side has ended the connection."""


class OtherHeader(Unanswered):
    """Its messages have another header than expected."""


class NoSession(Unanswered):
    """No revision of MID 0001 is accepted; `codes` are those of its rejections."""

    def __init__(self, words: str, codes: list[int]) -> None:
        super().__init__(words)
        self.codes = codes


@dataclass
class ReceivedMessage:
    """One message received."""

    frames: list[bytes]
    message: Message
    is_answer: bool


class Asking:
    """A connection to one controller."""

    def __init__(self, host: str, port: int, wait_s: float, header: str = "standard", spindle: int = 0) -> None:
        self.place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self.wait_s = wait_s
        self._header = header
        self._spindle = spindle
        self._address = (host, port)
        self._revision = -1  # of MID 0001, that was accepted
        self._open()

    def _open(self) -> None:
        self._messages = Messages()
        self._linked = Linked()
        self._ready: list[list[bytes]] = []
        self._was_refused = False  # on this connection
        self._has_ended = False
        try:
            self._socket = socket.create_connection(self._address, self.wait_s)
        except (socket.gaierror, UnicodeError) as error:  # the latter where no name can be so
            is_slow = getattr(error, "errno", 0) == socket.EAI_AGAIN
            why = "no name server answers" if is_slow else "no such name"
            raise Unanswered(f"{self._address[0]}: {why} ({getattr(error, 'strerror', error)})") from error
        except TimeoutError as error:
            raise Unanswered(f"{self.place}: {_WHY[errno.ETIMEDOUT]}") from error
        except OSError as error:
            raise Unanswered(f"{self.place}: {_WHY.get(error.errno or 0, error.strerror or str(error))}") from error

    def start(self, revisions: tuple[int, ...] = START_REVISIONS) -> Message:
        """Begin a session; return the 0002. Each revision is tried until one is accepted."""
        refused, codes = [], []
        for revision in revisions:
            try:
                answer = self._answer_to(request_in(1, revision), 2)
            except (ConnectionEnded, NoAnswer) as why:
                if isinstance(why, NoAnswer) and not refused:
                    raise
                reason = "no answer" if isinstance(why, NoAnswer) else "it closes the connection"
                refused.append(f"{revision_name(revision)}: {reason}")
                try:
                    self._begin_again()
                except Unanswered:
                    break
                continue
            if answer.mid == 2:
                self._revision = revision
                if refused:
                    self.leave()
                    self._begin_again()
                return answer
            codes.append(answer["error_code"])
            code = codes[-1] if isinstance(codes[-1], int) else "rejected without a code"
            refused.append(f"{revision_name(revision)}: {answer.meaning('error_code') or code}")
            if codes[-1] in BUSY:
                break
        words = f"{self.place} takes no session; by revision of MID 0001: " + ", ".join(refused)
        raise NoSession(words, codes)

    def _answer_to(self, frame: bytes, wanted: int) -> Message:
        """Return the answer to the first message of a session, asked for on a connection of its own if need be."""
        try:
            return self._ask_for(frame, wanted)
        except (ConnectionEnded, NoAnswer) as why:
            if isinstance(why, NoAnswer) and not self._was_refused:
                raise
            try:  # also where nothing was rejected: a reset takes an answer along that had come
                self._begin_again()
            except Unanswered:
                raise why from None
            return self._ask_for(frame, wanted)

    def _begin_again(self) -> None:
        """Connect again, and begin the session if it was accepted before."""
        self._socket.close()
        self._has_ended = True
        for left in reversed(range(OPENINGS)):
            time.sleep(PAUSE_S)
            try:
                self._open()
                break
            except Unanswered:
                if not left:
                    raise
        if self._revision >= 0:
            self._ask_for(request_in(1, self._revision), 2)

    def ask(self, frame: bytes, watch_s: float = 0) -> Iterator[ReceivedMessage]:
        """Send the request; yield everything that comes up to its answer, and then for `watch_s` seconds."""
        if self._has_ended:
            self._begin_again()
        try:
            yield from self._responses(frame, watch_s)
        except ConnectionEnded:
            if not self._was_refused:
                raise
            self._begin_again()
            yield from self._responses(frame, watch_s)

    def _responses(self, frame: bytes, watch_s: float) -> Iterator[ReceivedMessage]:
        wanted = catalogue.decode(frame).answer()
        if wanted is None:
            self._send(frame)
        else:
            silence = f"{self.place} did not answer MID {frame[4:8].decode()} in {self.wait_s:g} s"
            yield from self._until_answered(frame, wanted[0], silence)
        until = time.monotonic() + watch_s
        while watch_s and (received := self._next(until)) is not None:
            yield received

    def _until_answered(self, frame: bytes, wanted: int, silence: str) -> Iterator[ReceivedMessage]:
        """Send a request; yield what comes, the answer last; NoAnswer with these words if none comes."""
        request = catalogue.decode(frame)
        self._send(frame)
        until = time.monotonic() + self.wait_s
        is_answer = False
        last = None
        while not is_answer:
            received = self._next(until)
            if received is None:
                raise self._unanswered(frame, last, silence)
            last = received.message
            received.is_answer = is_answer = _answers(received.message, request, wanted)
            self._was_refused = self._was_refused or received.message.mid == 4
            yield received

    def _unanswered(self, frame: bytes, last: Message | None, silence: str) -> Unanswered:
        """Return that no answer came; `silence` says it where nothing came at all, `last` is what came last."""
        is_begun = bool(self._messages.unread())
        if last is None and not is_begun:
            return NoAnswer(silence)
        came = "a message that does not end" if last is None or is_begun else f"MID {last.mid:04d}"
        request = f"MID {frame[4:8].decode()}"
        return UnusableAnswer(f"{self.place} gives no answer to {request} that can be used: what came is {came}")

    def leave(self) -> None:
        """End the session and the connection; errors no longer matter."""
        try:
            if not self._has_ended:
                self._send(catalogue.encode(3))
                self._next(time.monotonic() + min(self.wait_s, 1))
        except (OSError, Unanswered):
            pass
        self._socket.close()

    def _ask_for(self, frame: bytes, wanted: int) -> Message:
        silence = f"{self.place} takes connections and does not answer MID {frame[4:8].decode()}: is it a controller?"
        *_, received = self._until_answered(frame, wanted, silence)
        return received.message

    def _send(self, frame: bytes) -> None:
        if self._revision == BLANK and frame[8:11] == b"001":
            frame = _blank(frame)
        try:
            self._socket.settimeout(self.wait_s)
            self._socket.sendall(catalogue.wire(inputs.other(frame, self._header, self._spindle)))
        except OSError as error:  # also of a socket that is closed: it could not be opened again
            raise self._ended(error.strerror or str(error)) from error

    def _ended(self, why: str = "") -> ConnectionEnded:
        self._has_ended = True
        return ConnectionEnded(f"{self.place} has closed the connection" + (f" ({why})" if why else ""))

    def _next(self, until: float) -> ReceivedMessage | None:
        """Return the next whole message, None when the time is up."""
        while not self._ready:
            left = until - time.monotonic()
            if left <= 0:
                return None
            self._take(b"")
            self._socket.settimeout(left)
            try:
                octets = self._socket.recv(_READ_OCTETS)
            except TimeoutError:
                return None
            except OSError as error:
                raise self._ended(error.strerror or str(error)) from error
            if not octets:
                raise self._ended()
            self._take(octets)
        frames = self._ready.pop(0)
        try:
            message = inputs.message_of(frames)
        except catalogue.FrameError as error:
            raise self._foreign(error) from error
        return ReceivedMessage(frames, message, False)

    def _foreign(self, error: catalogue.FrameError) -> Foreign:
        return Foreign(f"{self.place} does not speak Open Protocol: {error}")

    def _take(self, octets: bytes) -> None:
        try:
            for frame, is_message in self._messages.feed(octets):
                if not is_message:
                    continue
                if self._revision < 0 and not inputs.is_laid_out_so(frame, self._header):
                    raise OtherHeader(f"{self.place}: {_IS_USUAL if self._header != USUAL else _IS_SPINDLE_FIRST}")
                whole = self._linked.add(inputs.usual(frame, self._header))
                if whole:
                    self._ready.append(whole)
            if self._revision < 0 and not self._ready and self._messages.junk:
                raise catalogue.FrameError(f"{quoted(self._messages.junk[:4])} in place of a length")
        except catalogue.FrameError as error:
            raise self._foreign(error) from error


def request_in(mid: int, revision: int) -> bytes:
    """Return a request without data in this revision, BLANK among them."""
    given = {"keep_alive_optional": 0} if mid == 1 and revision >= _CHOOSES_KEEP_ALIVE else {}
    frame = catalogue.encode(mid, revision or 1, **given)
    return frame if revision else _blank(frame)


def _blank(frame: bytes) -> bytes:
    return frame[:8] + b"   " + frame[11:]


def revision_name(revision: int) -> str:
    """Return the revision for people."""
    return str(revision or "blank")


def _answers(message: Message, request: Message, wanted: int) -> bool:
    """True if this is the answer to a request: the MID it wants, or a 0004 or 0005 that names it.

    A request for another MID (0006, 0008, 0009) may be answered in that one's name. Some controllers answer a
    subscription with its first event and send no 0005: there the event is one MID above.
    """
    names = (request.mid, request.get("requested_mid"), request.get("subscribed_mid"))
    if message.mid == 4 or (message.mid == 5 and wanted == 5):
        named = named_in(message.frame, 20, len(message.frame))
        return named == UNNAMED or named in names
    if request.form.about.kind == "S" and message.form.about.kind in ("E", "P"):
        return message.mid in (wanted, request.mid + 1, request.get("subscribed_mid"))
    return message.mid == wanted
