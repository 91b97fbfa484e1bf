"""ToolsNet: the PIM, the server, and the store that the judge checks.

Rules
1. The store takes every telegram 04 that is well formed and not refused, even when its 05 gets lost.
2. The same bytes with the same identifier on the same connection are a retransmission and not a second row.
3. The 08 has the sequence of the newest row in the store, or the highest one; it differs only for a false 08 that was
   asked for.
4. A restored or emptied store forgets rows; the history keeps them, with the moment.
5. A result refused by content is refused each time, or never answered. A server in trouble refuses
   everything, or answers nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from toolcart.toolsnet.telegrams import frame
from lab.worlds import telegrams
from lab.worlds.head_of_line import SOUND_MS, HeadOfLine
from lab.worlds.history import READABLE, History, Result, StationHistory, StoredTelegram
from lab.worlds.network import Link, Network, Service
from lab.worlds.spindle_frames import spindles_of

PIM = ("pim", 6575)
SERVER = ("192.0.2.9", 10111)
SILENCE_MS = 60000
SEQUENCES = 99999
_VIN = re.compile(r"W(\d)N(\d{6})$")
_OTHERS = re.compile(r"X\dE\d{6}$")
FOREIGN = 61234  # the count of another cart, far from ours
AHEAD = 30000
FAR = 1 << 60
HOLD_MS = 1000  # how long after a refusal the need for an operator is checked: what is overwritten soon ends it
SILENCE = -1  # in place of a code
_HOSTS = {"plain": "192.0.2.9", "padded": " 192.0.2.9", "blank": "", "zero": "0.0.0.0"}


class ToolsNet:
    """Both services and the store of every station."""

    def __init__(self, network: Network, history: History, traits: dict, plant) -> None:
        self.network = network
        self.time = network.time
        self.history = history
        self.traits = traits
        self.plant = plant
        self.pim = Service("pim", lambda link: PimPeer(self, link))
        self.server = Service("server", lambda link: ServerPeer(self, link))
        network.serve(*PIM, self.pim)
        network.serve(*SERVER, self.server)
        network.serve(PIM[0], SERVER[1], self.server)
        self.present: dict[int, list[StoredTelegram]] = {number: [] for number in history.stations}
        self.at_first: dict[int, int] = dict.fromkeys(history.stations, int(traits["sequence_at_first"]))
        self.refuses_all_until = -1
        self.refusal_code = 1
        self.passing = {number: HeadOfLine(station) for number, station in history.stations.items()}
        self._quiet_since = dict.fromkeys(history.stations, 0)
        self.lost_answers = 0
        self.late_answers = 0
        self.late_ms = 0
        self.lies: list[str] = []

    def stamp(self) -> str:
        """Return the server's clock."""
        seconds = self.time.now // 1000 % 86400
        return f"20260301{seconds // 3600:02d}{seconds // 60 % 60:02d}{seconds % 60:02d}"

    # -- the store -------------------------------------------------------------------------------------------------

    def take(
        self, telegram: telegrams.ResultTelegram, peer: ServerPeer | None = None
    ) -> tuple[int, StoredTelegram | None]:
        """Store it or refuse it; return the code of the answer or SILENCE, and the row."""
        now = self.time.now
        station = self.history.stations.get(telegram.station)
        if station is None:
            self.plant.malformed(f"04 for station {telegram.station}")
            return 2, None
        result = self.result_of(telegram)
        if result is not None and (now < self.refuses_all_until or result.content_refusal):
            result.tried.append(now)
        if now < self.refuses_all_until:
            return self.refusal_code, None
        if result is not None and result.content_refusal == "silent":
            self.disturbed(telegram.station)
            self.passing[telegram.station].unanswered()
            return SILENCE, None
        if result is not None and result.content_refusal:
            well_since = max(self.plant.sound_since(telegram.station) + SOUND_MS, self.quiet_since(telegram.station))
            if well_since <= now and not (peer is not None and peer.unanswered):
                self.passing[telegram.station].refused(result, now, well_since)
                self.time.after(HOLD_MS, lambda: self.plant.check_operator_claim(telegram.station))
            return self.traits["content_refusal_code"], None
        wrong = f"VIN {telegram.vin!r}" if result is None else compared(telegram, result)
        made = result.number if result is not None else None
        row = StoredTelegram(telegram.station, now, telegram.sequence, made, wrong, bool(_OTHERS.match(telegram.vin)))
        station.rows.append(row)
        self.present[telegram.station].append(row)
        self.passing[telegram.station].over(now, not self.plant.check_operator_claim(telegram.station), is_taken=True)
        return 0, row

    def result_of(self, telegram: telegrams.ResultTelegram) -> Result | None:
        """Return the result of this telegram, by its VIN and, where several share that, its spindle."""
        match = _VIN.match(telegram.vin)
        if match is None or int(match[1]) != telegram.station:
            return None
        station = self.history.stations[telegram.station]
        number = int(match[2]) + (int(telegram.spindles[0][0]) - 1 if station.rules.spindles else 0)
        return station.results.get(number)

    def disturbed(self, number: int = 0) -> None:
        """Note that something other than a refused result is in the way of this station, or of all."""
        for one, passing in self.passing.items():
            if number in (0, one):
                self._quiet_since[one] = self.time.now
                passing.over(self.time.now, not self.plant.check_operator_claim(one))

    def was_mute(self) -> None:
        """A connection has ended, perhaps because a keep-alive had no answer: the agent waits before the next one."""
        self._quiet_since = dict.fromkeys(self._quiet_since, self.time.now)

    def forget(self, age_ms: int | None) -> None:
        """Restore a copy of this age, or empty the store."""
        now = self.time.now
        for number, station in self.history.stations.items():
            kept = [] if age_ms is None else [row for row in self.present[number] if row.arrived <= now - age_ms]
            for row in self.present[number][len(kept) :]:
                row.forgotten = now
            self.present[number] = kept
            if age_ms is None:
                self.at_first[number] = 0
            station.forgets.append(now)
        self.server_breaks()

    def server_breaks(self) -> None:
        """Break connections: whoever restores a database stops the server for it."""
        self.disturbed()
        self.network.break_all(self.server)
        self.network.break_all(self.pim)

    def latest(self, number: int) -> int:
        """Return the sequence of the newest row in the store."""
        rows = self.present[number]
        if rows and self.traits["names"] == "highest":
            highest = rows[0].sequence
            for row in rows:  # lies may have led ahead by more than half
                if (row.sequence - highest) % SEQUENCES < SEQUENCES * 3 // 4:
                    highest = row.sequence
            return highest
        return rows[-1].sequence if rows else self.at_first[number]

    def quiet_since(self, number: int) -> int:
        """Return since when only refused results were in this station's way; far in the future if something else is."""
        up = all(service.state == "up" for service in (self.pim, self.server))
        well = self.answers_well() and self.time.now >= self.refuses_all_until and up
        return self._quiet_since[number] if well else FAR

    def answers_well(self) -> bool:
        """True if each answer goes out at once."""
        silent = self.time.now < self.refuses_all_until and self.refusal_code == SILENCE
        return not (silent or self.lost_answers or self.late_answers)

    def information(self, number: int) -> tuple[str, object]:
        """Return what the next 08 says, and what to note when the agent has read it."""
        station = self.history.stations[number]
        latest = self.latest(number)
        false = self.lies.pop(0) if self.lies else ""
        if false in ("nothing", "blank") and not self.present[number] and self.at_first[number]:
            false = ""  # the first count would be a former life's: not far from our own
        text = {
            "nothing": "00000",
            "blank": "     ",
            "ahead": f"{(latest + AHEAD) % 99999 + 1:05d}",
            "foreign": f"{FOREIGN:05d}",
        }.get(false, f"{latest:05d}")
        if text.strip(" 0") == f"{latest:05d}".strip(" 0"):
            false = ""
        rows = list(self.present[number])
        if false:
            return text, lambda: station.lies.append(self.time.now)
        return text, lambda: _vouch(station, rows, latest, self.time.now)


def _vouch(station: StationHistory, rows: list[StoredTelegram], named: int, now: int) -> None:
    """Vouch for the last row of this sequence and all before it: an earlier false 08 may have led below the highest."""
    hidden = next((at for at, row in enumerate(reversed(rows)) if row.sequence == named), 0)
    if hidden:
        station.lies.append(now)
    for row in rows[: len(rows) - hidden]:
        row.vouched = True


def compared(telegram: telegrams.ResultTelegram, result) -> str:
    """Return in words the first field that differs from what was produced; empty if none does."""
    if result.frame != READABLE:
        return ""
    shown_id = telegram.tightening_id
    number, statuses, torque, angle = telegram.spindles[0]
    pairs = [
        ("VIN", telegram.vin, result.vin),
        ("time", telegram.stamp, result.stamp),
        ("statuses", statuses, result.statuses),
        ("torque", torque, result.torque),
        ("angle", angle, result.angle),
        ("spindle", int(number) if result.spindle else 0, result.spindle),
        ("other spindles", telegram.spindles[1:], spindles_of(result)[1:]),
    ]
    if shown_id is not None and result.id_text.strip():
        # Where nothing that is known is left in the controller, an answer cannot be found to be wrong.
        ids = [result.id_text, *([result.answered_id] if not result.pushes else [])]
        plain = [one.lstrip("0") for one in ids]
        stored = shown_id.lstrip("0")
        pairs.append(("tightening ID", stored, plain[-1] if stored == plain[-1] else plain[0]))
    for what, stored, made in pairs:
        if stored != made:
            return f"{what} {stored!r} in place of {made!r}"
    return ""


class Peer:
    """One connection: cuts bytes into telegrams by their length."""

    SILENCE_MS = SILENCE_MS

    def __init__(self, toolsnet: ToolsNet, link: Link) -> None:
        self.toolsnet = toolsnet
        self.link = link
        self._inbox = b""
        self._over = False
        self.since = self._received_ms = toolsnet.time.now
        self._watch()

    def lost(self) -> None:
        """Handle the loss of the connection."""
        self._over = True

    def close(self) -> None:
        """Close from this side."""
        self._over = True
        self.link.close()

    def _watch(self) -> None:
        time = self.toolsnet.time
        if self._over:
            return
        if time.now - self._received_ms >= SILENCE_MS:
            self.close()
        else:
            time.at(self._received_ms + SILENCE_MS, self._watch)

    def receive(self, octets: bytes, reads: int) -> None:
        """Handle bytes from the agent."""
        self._received_ms = self.toolsnet.time.now
        self._inbox += octets
        while len(self._inbox) >= 4 and not self._over:
            if not self._inbox[:4].isdigit():
                self.object(f"length {self._inbox[:4]!r}")
                self.close()
                return
            end = 4 + int(self._inbox[:4])
            if len(self._inbox) < end:
                return
            telegram, self._inbox = self._inbox[4:end], self._inbox[end:]
            try:
                self.telegram(telegram)
            except telegrams.MalformedTelegram as reason:
                self.object(f"{reason} in {telegram[:60]!r}")
                self.refused(telegram)

    def object(self, what: str) -> None:
        """Note a breach of the documents."""
        self.toolsnet.plant.malformed(f"to ToolsNet: {what}")

    def telegram(self, telegram: bytes) -> None:
        """Handle one telegram."""
        raise NotImplementedError

    def refused(self, telegram: bytes) -> None:
        """Handle one that is not well formed."""


class PimPeer(Peer):
    """The PIM: 12 at once, a 05 if this plant wants it, 08 for 07."""

    def __init__(self, toolsnet: ToolsNet, link: Link) -> None:
        super().__init__(toolsnet, link)
        self._acknowledged = False
        link.send(frame(b"1200007"))

    def telegram(self, telegram: bytes) -> None:
        wants = self.toolsnet.traits["pim_wants_05"]
        kind = telegram[:2]
        if kind == b"05":
            self._acknowledged = True
            if wants == "never":
                self.close()
        elif kind == b"07":
            number = telegrams.read(telegram)["station"]
            if wants == "always" and not self._acknowledged:
                return
            if number not in self.toolsnet.present:
                self.object(f"07 of station {number}")
                return
            text, on_read = self.toolsnet.information(number)
            host = _HOSTS[self.toolsnet.traits["server_host"]]
            events = self.toolsnet.history.stations[number].events
            identifier = telegrams.identifier_of(telegram)
            information = telegrams.information(identifier, text, host, SERVER[1], events[-1][0] if events else 0)
            self.link.send(information, on_read)  # type: ignore[arg-type]
        else:
            self.object(f"telegram {kind!r} to the PIM")


class ServerPeer(Peer):
    """The server: 05 for everything, as far as the present faults allow."""

    def __init__(self, toolsnet: ToolsNet, link: Link) -> None:
        super().__init__(toolsnet, link)
        self._last = b""
        self._last_row: StoredTelegram | None = None
        self.unanswered: list[Result] = []  # those whose answer was lost, or is late
        self._is_mute = False  # a keep-alive had no answer
        self._ended = False

    def lost(self) -> None:
        """The connection has ended; note if that may be for a keep-alive without an answer."""
        super().lost()
        if self._ended:
            return
        self._ended = True
        if self._is_mute:
            self.toolsnet.was_mute()

    def close(self) -> None:
        """Close from this side."""
        super().close()
        self.lost()

    def telegram(self, telegram: bytes) -> None:
        kind, identifier = telegram[:2], telegrams.identifier_of(telegram)
        if kind == b"04":
            self._result(telegram)
        elif kind == b"06":
            if self.toolsnet.traits["keepalive_answered"]:
                self._answer(identifier, 0)
            else:
                self._is_mute = True
        elif kind == b"09":
            self._event(telegram, identifier)
        elif kind in (b"01", b"02", b"13"):
            telegrams.read(telegram)
            self._answer(identifier, 0)
        else:
            self.object(f"telegram {kind!r} to the server")

    def _event(self, telegram: bytes, identifier: str) -> None:
        """Store an event once however often it comes with one identifier; the answer may get lost, or be a 10."""
        toolsnet, read = self.toolsnet, telegrams.read(telegram)
        station, sequence = read["station"], read["sequence"]
        if telegram != self._last:
            toolsnet.history.stations[station].events.append((sequence, read["code"]))
        self._last, self._last_row = telegram, None
        if toolsnet.lost_answers:
            toolsnet.lost_answers -= 1
        elif sequence % 2:
            self._answer(identifier, 0)
        elif not self._over:
            self.link.send(telegrams.event_acknowledgement(identifier, station, toolsnet.stamp()))

    def _result(self, telegram: bytes) -> None:
        toolsnet = self.toolsnet
        read = telegrams.read_result(telegram)
        if telegram == self._last and self._last_row is not None:
            code, row = 0, self._last_row
        else:
            code, row = toolsnet.take(read, self)
        self._last, self._last_row = telegram, row
        if code == SILENCE:
            return
        if toolsnet.lost_answers + toolsnet.late_answers:
            toolsnet.disturbed(read.station)
            self.unanswered += [result for result in [toolsnet.result_of(read)] if result]
        if toolsnet.lost_answers:
            toolsnet.lost_answers -= 1
        elif toolsnet.late_answers:
            toolsnet.late_answers -= 1
            toolsnet.time.after(toolsnet.late_ms, lambda: self._answer_result(read, code, row))
        else:
            self._answer_result(read, code, row)

    def _answer_result(self, read: telegrams.ResultTelegram, code: int, row: StoredTelegram | None) -> None:
        def was_read() -> None:
            if row is not None and not code:
                row.vouched = True
            read_result = self.toolsnet.result_of(read)
            self.unanswered = [result for result in self.unanswered if result is not read_result]

        self._answer(read.identifier, code, was_read)

    def refused(self, telegram: bytes) -> None:
        self._answer(telegrams.identifier_of(telegram), 2)

    def _answer(self, identifier: str, code: int, on_read: Callable[[], None] | None = None) -> None:
        if not self._over:
            self.link.send(telegrams.acknowledgement(identifier, self.toolsnet.stamp(), code), on_read)
