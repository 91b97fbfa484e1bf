"""One connection to the simulated PIM or ToolsNet server.

Rules:
1. Frames are found by their length field only; a length that is not four digits closes the connection
   (TN 5.1).
2. A PIM connection serves one question: 12, 05, 07, 08, then the client closes (TN 1).
3. The server answers each telegram once it is stored, and repeats its answer to a repeated telegram.
"""

from toolcart.agent.base.ticks import FOREVER, ticks_add, ticks_diff
from toolcart.base.octets import digits_only, text_of
from toolcart.sim.endpoint import Endpoint
from toolcart.toolsnet.records import tightening_id_of
from toolcart.toolsnet.telegrams import FOR_A_SERVER, frame, take_apart

PORTABLE = True

SENDS_MOST = 3  # of the same telegram on one connection


class _Session(Endpoint):
    """What PIM and server share: framing, silence, the acknowledge telegram. Each has its `greet` and `handle`."""

    name = ""

    def __init__(self, toolsnet, sessions):
        super().__init__(toolsnet.complaints, toolsnet.closings, toolsnet.options)
        self.in_pieces = self.name + ": telegram in pieces: "
        self.toolsnet = toolsnet
        self._sessions = sessions
        self._received_at = 0

    def connected(self, now):
        super().connected(now)
        self._received_at = now
        self._sessions.append(self)
        self.greet(now)

    def disconnected(self, now):
        super().disconnected(now)
        if self in self._sessions:
            self._sessions.remove(self)

    def tick(self, now):
        wait = self.release(now) if self._later else FOREVER
        if self.wants_close or not self.alive:
            return wait
        left = ticks_diff(ticks_add(self._received_at, self.options.silence_ms), now)
        if left <= 0:
            if self.options.blame_silence and not self.excused:
                self.complain("%s: nothing was sent for %d ms" % (self.name, self.options.silence_ms))
            self.close(self.name + ": client was silent")
            return FOREVER
        return left if left < wait else max(0, wait)

    def answer(self, telegram, now):
        """Send a telegram, with the delay the options say."""
        if self.options.ack_delay_ms:
            self.note_late(ticks_add(now, self.options.ack_delay_ms))
            self.send_later(frame(telegram), self.options.ack_delay_ms, now)
        else:
            self.send(frame(telegram))

    def acknowledge_text(self, identifier, code):
        """Return telegram 05 (TN 5.6)."""
        return ("05%05d%s%03d" % (identifier, self.toolsnet.time_text(), code)).encode()

    def note_late(self, due):
        pass

    def next_frame(self):
        received = self._received
        if len(received) < 4:
            return None
        if not digits_only(received[:4]) or int(received[:4]) < 7:
            self.complain(self.name + ": length field: " + text_of(received[:60]))
            self.close(self.name + ": malformed telegram")
            self._received = b""
            return None
        length = int(received[:4])
        if len(received) < 4 + length:
            return None
        self._received = received[4 + length :]
        return received[4 : 4 + length]

    def message(self, telegram, now):
        self._received_at = now
        fields, breaches = take_apart(telegram)
        telegrams = self.toolsnet.telegrams
        telegrams[fields["id"]] = telegrams.get(fields["id"], 0) + 1
        for breach in breaches:
            self.complain("%s: %s: %s" % (self.name, fields["id"], breach))
        self.handle(fields, telegram, now)


class PimSession(_Session):
    """The PIM's side of one connection."""

    name = "PIM"

    def __init__(self, toolsnet):
        super().__init__(toolsnet, toolsnet.pim_sessions)
        self._verification = 0
        self._acknowledged = False
        self._request = b""
        self._requests = 0

    def greet(self, now):
        if self.options.send_12:
            self._verification = self.toolsnet.next_identifier()
            self.send(frame(("12%05d" % self._verification).encode()))

    def handle(self, fields, telegram, now):
        if fields["id"] == "05":
            self._take_acknowledge(fields)
        elif fields["id"] == "07":
            self._answer_where(fields, telegram, now)
        else:
            self.complain("PIM: telegram %s is not for a PIM" % fields["id"])

    def _take_acknowledge(self, fields):
        if self.options.ack_12 == "closes":
            self.close("PIM: closes at 05")
            return
        if fields["identifier"] != self._verification or self._acknowledged:
            self.complain("PIM: 05 with identifier %05d acknowledges nothing" % fields["identifier"])
        if fields["code"] != 0:
            self.complain("PIM: 05 with code %03d" % fields["code"])
        self._acknowledged = True

    def _answer_where(self, fields, telegram, now):
        """Answer 07 by 08 (TN 5.9)."""
        options = self.options
        self._requests = self._requests + 1 if telegram == self._request else 1
        self._request = telegram
        if self._requests > SENDS_MOST:
            self.complain("PIM: 07 was sent %d times" % self._requests)
        if options.ack_12 == "expect" and options.send_12 and not self._acknowledged:
            # After a PIM connection that led to no server a client may try without (protocol.md 8.3 no. 1).
            if self.toolsnet.pim_connections - 1 <= self.toolsnet.server_connections:
                self.complain("PIM: 07 before the 05 for 12")
        if options.pim_silent:
            return
        archive = self.toolsnet.archive
        station = (fields["system_type"], fields["system"], fields["station"])
        result = options.reported_result
        event = options.reported_event
        if result is None:
            result = archive.latest_result(station[0], station[1], station[2])
        if event is None:
            event = archive.latest_event(station[0], station[1], station[2])
        numbers = (fields["identifier"], result, event, options.server_host, options.server_port)
        self.toolsnet.answers_08 += 1
        octets = ("08%05d%05d%05d%-15s%05d" % numbers).encode()
        self.answer(options.spoil_08(octets) if options.spoil_08 else octets, now)


class ServerSession(_Session):
    """The server's side of one connection."""

    name = "server"

    def __init__(self, toolsnet):
        super().__init__(toolsnet, toolsnet.server_sessions)
        self._last = b""
        self._last_identifier = 0
        self._last_answered = True
        self._answer_due = None  # when the first answer to the last telegram goes out, if it is late
        self._sends = 0

    def greet(self, now):
        if self.toolsnet.answers_08 > 0:
            self.toolsnet.answers_08 -= 1
        elif self.options.require_pim:
            self.complain("server: connected without asking the PIM before")

    def handle(self, fields, telegram, now):
        options = self.options
        if fields["id"] not in FOR_A_SERVER:
            self.complain("server: telegram %s is not for a server" % fields["id"])
            return
        self._watch_order(fields, telegram, now)
        if options.silent or fields["id"] in options.silent_telegrams:
            return
        if fields["id"] == "04":
            self._result(fields, now)
        elif fields["id"] == "09":
            self._event(fields, now)
        else:
            self._describe(fields, now)

    def note_late(self, due):
        if self._answer_due is None:
            self._answer_due = due

    def _watch_order(self, fields, telegram, now):
        """Complain unless one is outstanding, resent unchanged, and each new one has a new identifier."""
        if telegram == self._last:
            self._sends += 1
            if self._sends > SENDS_MOST:
                self.complain("server: telegram %s was sent %d times" % (fields["id"], self._sends))
            return
        if fields["identifier"] == self._last_identifier:
            self.complain("server: identifier %05d again for another telegram" % fields["identifier"])
        elif not self._last_answered and telegram[7:] == self._last[7:] and fields["id"] in ("04", "09"):
            self.complain("server: retransmission with a new identifier %05d" % fields["identifier"])
        elif not self._last_answered or (self._answer_due is not None and ticks_diff(self._answer_due, now) > 0):
            self.complain("server: telegram %s before the last one was acknowledged" % fields["id"])
        self._last = telegram
        self._last_identifier = fields["identifier"]
        # An answer that is known never to come is not waited for. Whether a 06 has one, the documents leave open
        # (protocol.md 8.3 no. 2): a result may follow one that had none.
        is_kept_alive = self.options.silent and fields["id"] == "06"
        self._last_answered = is_kept_alive or fields["id"] in self.options.silent_telegrams
        self._answer_due = None
        self._sends = 1

    def _result(self, fields, now):
        options = self.options
        sequence = fields["sequence"]
        if sequence in options.silent_sequences:
            return
        spindles = [one["spindle"] for one in fields["spindles"]]
        if not spindles or len(set(spindles)) != len(spindles):  # of one number there can be one
            self.complain("server: a result that cannot be read is not answered")
            return
        if _once(options.drop_before_store, sequence):
            self.close("server: drops before storing %05d" % sequence)
            return
        code = self._code(fields, sequence)
        if code == 0:
            self.toolsnet.archive.store_result(fields)
        if _once(options.drop_after_store, sequence):
            self.close("server: drops after storing %05d" % sequence)
            return
        if not _once(options.lost_acks, sequence):
            self._acknowledge(fields, code, now)

    def _code(self, fields, sequence):
        """Return the error code for a result, 0 for none."""
        options = self.options
        if options.code_all is not None:
            return options.code_all
        for index in range(len(options.codes_once)):
            if options.codes_once[index][0] == sequence:
                return options.codes_once.pop(index)[1]
        tightening_id = tightening_id_of(fields) if options.tightening_codes else None
        if tightening_id in options.tightening_codes:
            return options.tightening_codes[tightening_id]
        return options.codes.get(sequence, 0)

    def _event(self, fields, now):
        code = self.options.telegram_codes.get("09", 0)
        if code == 0:
            self.toolsnet.archive.store_event(fields)
        if self.options.event_answer == "10":
            station = (fields["identifier"], fields["system_type"], fields["system"], fields["station"])
            text = "10%05d%04d%04d%04d" % station + "%s%05d" % (self.toolsnet.time_text(), code)
            self._last_answered = True
            self.answer(text.encode(), now)
        else:
            self._acknowledge(fields, code, now)

    def _describe(self, fields, now):
        archive = self.toolsnet.archive
        code = self.options.telegram_codes.get(fields["id"], 0)
        stores = {"01": archive.describe_system, "02": archive.describe_station, "13": archive.store_graph}
        if code == 0 and fields["id"] in stores:
            stores[fields["id"]](fields)
        self._acknowledge(fields, code, now)

    def _acknowledge(self, fields, code, now):
        if code:
            self.toolsnet.refused += 1
            self._sends = 0  # after a refusal this is a new attempt, not a retransmission
        if self.options.foreign_ack:
            self.answer(self.acknowledge_text(fields["identifier"] % 99999 + 1, 0), now)
        self._last_answered = True
        text = self.acknowledge_text(fields["identifier"], code)
        if self.options.spoil_05 and fields["id"] == "04":
            text = self.options.spoil_05(text)
        self.answer(text, now)


def _once(numbers, number):
    """True if the number is in the list, from which it is then removed."""
    if number in numbers:
        numbers.remove(number)
        return True
    return False
