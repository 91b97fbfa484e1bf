"""What every octet on a serial line is for: this follows both ends as a bystander.

Rules:
1. Nothing is assumed that the octets do not say; what does not fit is marked as such, and the next octet is tried.
2. A wait that is longer than the procedure allows is named: ZVZ inside a block, QVZ before an answer.
3. A payload octet is named by its place in the message: length, MID, revision .. data.
4. Where one side alone is heard, what the other has said is taken from what this one does next, and said to be so.
"""

from __future__ import annotations

from collections.abc import Callable

from toolcart.codec.capture import CapturedOctet

STX = 0x02
ETX = 0x03
BEL = 0x07
HT = 0x09
DLE = 0x10
NAK = 0x15

NAMES = {0: "NUL", STX: "STX", ETX: "ETX", BEL: "BEL", HT: "HT", DLE: "DLE", NAK: "NAK"}
HEADER = ((4, "length"), (8, "MID"), (11, "revision"), (12, "no-ack flag"), (14, "station"), (16, "spindle"))
HEADER_REST = ((18, "sequence number"), (19, "number of parts"), (20, "part"))
WHO = {True: "agent", False: "controller"}


def octet_text(octet: int) -> str:
    if octet in NAMES:
        return NAMES[octet]
    return f"'{chr(octet)}'" if 0x20 <= octet <= 0x7E else f"{octet:02x}"


class Payload:
    """Names the octets around and in one message."""

    def __init__(self) -> None:
        self.text = b""
        self._begun = False
        self.whole = False

    def name(self, octet: int) -> str:
        if not self._begun and octet in (BEL, HT):
            return "tag of the integrator"
        if not self._begun and octet == STX:
            return "STX of the message"
        self._begun = True
        at = len(self.text)
        length = int(self.text[:4]) if self.text[:4].isdigit() and at >= 4 else 9999
        if at >= length:
            self.whole = True
            return {0: "NUL behind the message", ETX: "ETX of the message"}.get(octet, "does not belong here")
        self.text += bytes([octet])
        if len(self.text) == length:
            self.whole = True
        for end, field in HEADER + HEADER_REST:
            if at < end:
                return f"{field} {octet_text(octet)}" + self._field_value(at + 1)
        return f"data {at - 19}: {octet_text(octet)}"

    def _field_value(self, count: int) -> str:
        if count == 4:
            return f" = {self.text.decode('latin-1')} bytes"
        if count == 8:
            return f" = MID {self.text[4:].decode('latin-1')}"
        return ""


class Explain3964R:
    """Follows the handshakes of 3964R."""

    def __init__(self, qvz_s: float = 2.0, zvz_s: float = 0.1, hears_one: bool = False) -> None:
        self.hears_one = hears_one
        self.qvz_s = qvz_s
        self.zvz_s = zvz_s
        self._state = "idle"
        self._sender = False
        self._payload = Payload()
        self._check = 0
        self._place = ""
        self._before_s: float | None = None

    def explain(self, captured: CapturedOctet) -> str:
        """Return the words for one octet, including waits that are too long (`late`)."""
        gap_s = 0.0 if self._before_s is None else captured.at_s - self._before_s
        self._before_s = captured.at_s
        late = ""
        if self._state == "block" and gap_s > self.zvz_s:
            late = f"; {gap_s * 1000:.0f} ms is more than ZVZ: the block should have been given up"
            if captured.octet in (STX, NAK):
                self._state = "idle"
        elif self._state in ("requested", "closing") and gap_s > self.qvz_s:
            late = f"; {gap_s * 1000:.0f} ms is more than QVZ: the sender starts over"
            self._state = "idle"
        return getattr(self, "_" + self._state)(captured.from_agent, captured.octet) + late

    def _idle(self, who: bool, octet: int) -> str:
        if octet == STX:
            self._state = "requested"
            self._sender = who
            return "STX: asks to send"
        if self.hears_one and octet in (DLE, NAK):
            return f"{octet_text(octet)}: an answer to the side that is not heard"
        if octet == NAK:
            return "NAK while nothing is under way: gives up, or answers noise"
        if self.hears_one:
            return f"{octet_text(octet)}: this side did not ask to send, and the other is not heard"
        return f"{octet_text(octet)}: no one asked to send, noise"

    def _requested(self, who: bool, octet: int) -> str:
        if octet == DLE:
            if who == self._sender:
                # Both had asked; the one that says DLE yields.
                self._sender = not who
            if self.hears_one:
                self._state = "idle"
                return "DLE: lets the side that is not heard go first"
            self._begin_block()
            return "DLE: go ahead, I listen"
        if self.hears_one and octet != NAK:  # within QVZ no one asks again
            self._begin_block()
            return f"{self._block(who, octet)} (the DLE in front of it is not heard)"
        if octet == STX:
            return "STX: asks again" if who == self._sender else "STX: both ask: the low priority answers DLE"
        self._state = "idle"
        return "NAK: not now" if octet == NAK else f"{octet_text(octet)}: no answer to an STX, the attempt has failed"

    def _begin_block(self) -> None:
        self._state = "block"
        self._payload = Payload()
        self._check = 0
        self._place = ""

    def _block(self, who: bool, octet: int) -> str:
        if who != self._sender:
            return "NAK: stop, start over" if octet == NAK else f"{octet_text(octet)}: said into the block"
        if self._place == "end":
            self._state = "closing"
            if octet == self._check:
                return f"BCC {octet:02x}, right"
            return f"BCC {octet:02x}, wrong: the bytes before it make {self._check:02x}"
        self._check ^= octet
        if self._place == "dle":
            self._place = "end" if octet == ETX else ""
            if octet == ETX:
                return "ETX: end of the block, its check follows"
            if octet == DLE:
                return "second half of a doubled 10: " + self._payload.name(octet)
            return f"{octet_text(octet)} behind a single DLE: the block is spoiled"
        if octet == DLE:
            self._place = "dle"
            return "DLE: doubled 10, or the end"
        return self._payload.name(octet)

    def _closing(self, who: bool, octet: int) -> str:
        if who == self._sender:
            self._state = "idle"
            return self._idle(who, octet)
        self._state = "idle"
        if octet == DLE:
            return "DLE: block taken"
        if octet == NAK:
            return "NAK: block rejected, to be repeated"
        if octet == STX:
            return self._idle(who, octet) + " in place of an answer: its DLE was lost"
        return f"{octet_text(octet)}: no answer to a block, it will be repeated"


class ExplainAscii:
    """Follows plain ASCII: each direction by itself."""

    def __init__(self) -> None:
        self._payloads: dict[bool, Payload | None] = {True: None, False: None}

    def explain(self, captured: CapturedOctet) -> str:
        """Return the words for one octet."""
        payload = self._payloads[captured.from_agent]
        if payload is None:
            if captured.octet == STX:
                self._payloads[captured.from_agent] = payload = Payload()
                return payload.name(captured.octet)
            if captured.octet in (BEL, HT):
                return "tag of the integrator"
            return f"{octet_text(captured.octet)}: outside a message, ignored"
        meaning = payload.name(captured.octet)
        if payload.whole and captured.octet == ETX and "ETX" in meaning:
            self._payloads[captured.from_agent] = None
        elif "not belong" in meaning or (len(payload.text) <= 4 and not payload.text.isdigit()):
            self._payloads[captured.from_agent] = None
            meaning += "; the message is dropped"
        return meaning


# By the procedure, given QVZ and ZVZ in seconds, and whether one side alone is heard.
EXPLAINERS: dict[str, Callable[[float, float, bool], Explain3964R | ExplainAscii]] = {
    "3964r": Explain3964R,
    "ascii": lambda qvz_s, zvz_s, hears_one: ExplainAscii(),
}
