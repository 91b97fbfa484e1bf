"""An archive that does things wrong on purpose: `python -m lab.harness.faulty_archive` from a checkout.

A station has to get over all of it: nothing lost, and nothing twice except what was stored but not answered.
"""

from __future__ import annotations

import asyncio
import re
import sys
from dataclasses import dataclass, field, fields, replace
from functools import partial
from typing import Any

import click

from toolcart.archive import serving
from toolcart.archive.database import database
from toolcart.archive.database.tables import Station
from toolcart.archive.options import database_option, failing, option, say
from toolcart.archive.serve_commands import PORT
from toolcart.archive.server.connections import PimClient, ServerClient, stamp
from toolcart.archive.server.pim_answers import Answer
from toolcart.archive.server.server import ArchiveServer
from toolcart.archive.server.server_state import ServerState
from toolcart.base.command_group import seconds_option
from toolcart.toolsnet.records import station_of
from toolcart.toolsnet.telegrams import FOR_A_SERVER


@dataclass
class Faults:
    """By default nothing goes wrong. Counts are per archive, in order of arrival."""

    refuse: list[tuple[int, str, re.Pattern[str]]] = field(default_factory=list)  # code, field, what it matches
    late_ms: int = 0  # delay of each 05 and 10
    silent: tuple[str, ...] = ()  # telegrams that are never answered: "04", "06"
    lose_every: int = 0  # the answer to every n-th result is lost after its commit
    close_after: int = 0  # a connection is closed after this many telegrams
    wrong_identifier: bool = False  # an answer with a wrong identifier goes first
    say_result: int | None = None  # what 08 says instead of what is stored
    say_event: int | None = None
    say_host: str | None = None
    without_12: bool = False  # the PIM sends nothing on connect, like an old one
    answer_events_by_10: bool = False
    _results: int = 0

    def code_for(self, kind: str, fields: dict) -> int:
        """Return the error code of the 05 for this telegram; 0 if it is taken."""
        for code, name, pattern in self.refuse:
            if name == "telegram":
                value = kind
            else:
                value = str(fields.get(name, (fields.get("spindles") or [{}])[0].get(name, "")))
            if pattern.fullmatch(value.strip()):
                return code
        return 0

    def loses_answer(self, kind: str) -> bool:
        """True if this answer, to something stored, is lost."""
        if kind != "04" or not self.lose_every:
            return False
        self._results += 1
        return self._results % self.lose_every == 0


def refusal(text: str) -> tuple[int, str, re.Pattern[str]]:
    """Read `CODE:FIELD=PATTERN`, such as `7:vin=WVW.*` or `3:telegram=13`; ValueError says what is wrong."""
    read = re.fullmatch(r"(\d{1,3}):(\w+)=(.*)", text)
    if not read or not int(read[1]):
        raise ValueError(f"{text!r}: CODE:FIELD=PATTERN is expected, code 1 to 999, such as 7:vin=WVW.*")
    try:
        return int(read[1]), read[2], re.compile(read[3])
    except re.error as wrong:
        raise ValueError(f"{text!r}: {wrong}") from None


def server_with(faults: Faults, state: ServerState) -> ArchiveServer:
    """Return a server whose connections do these things wrong."""
    return ArchiveServer(state, partial(_Pim, faults), partial(_Server, faults))


class _Pim(PimClient):
    """A connection to a PIM."""

    def __init__(self, faults: Faults, state: ServerState) -> None:
        super().__init__(state)
        self._faults = faults

    def greet(self) -> None:
        if not self._faults.without_12:
            super().greet()

    def handle(self, kind: str, fields: dict, telegram: bytes) -> None:
        if kind not in self._faults.silent:
            super().handle(kind, fields, telegram)

    def _send_address(self, fields: dict, answer: Answer | None) -> None:
        false = {name: getattr(self._faults, f"say_{name}") for name in ("result", "event", "host")}
        given = {name: value for name, value in false.items() if value is not None}
        super()._send_address(fields, answer and replace(answer, **given))


class _Server(ServerClient):
    """A connection to a server."""

    def __init__(self, faults: Faults, state: ServerState) -> None:
        super().__init__(state)
        self._faults = faults
        self._telegrams = 0

    def handle(self, kind: str, fields: dict, telegram: bytes) -> None:
        self._telegrams += 1
        is_answered = kind not in self._faults.silent and fields["identifier"] >= 0
        code = self._faults.code_for(kind, fields) if is_answered and kind in FOR_A_SERVER and kind != "06" else 0
        if code:
            self.state.refused += 1
            self._acknowledge(kind, fields, code)
        elif is_answered:
            super().handle(kind, fields, telegram)
        if self._telegrams == self._faults.close_after:
            self.close()

    def _acknowledge(self, kind: str, fields: dict, code: int) -> None:
        if not code and self._faults.loses_answer(kind):
            return
        if self._faults.wrong_identifier:
            self.send(f"05{fields['identifier'] % 99999 + 1:05d}{stamp()}000")
        if kind == "09" and self._faults.answer_events_by_10:
            place: Station = station_of(fields)
            self.send(f"10{fields['identifier']:05d}{'%04d%04d%04d' % place}{stamp()}{code:05d}")
        else:
            super()._acknowledge(kind, fields, code)

    def send(self, telegram: str) -> None:
        if self._faults.late_ms:
            self.state.loop.call_later(self._faults.late_ms / 1000, super().send, telegram)
        else:
            super().send(telegram)


_SEQUENCE = click.IntRange(0, 99999)
_EACH_N: dict[str, Any] = {"type": click.IntRange(min=0), "default": 0, "metavar": "N"}


@click.command()
@database_option
@option("--host", default="127.0.0.1", help="Address to listen on.")
@option("--pim-port", type=PORT, default=6575, help="Port of the PIM; 0 takes a free one.")
@option("--server-port", type=PORT, default=10111, help="Port of the server; 0 takes a free one.")
@seconds_option
@click.option("--refuse", multiple=True, metavar="CODE:FIELD=PATTERN", help="Refuse what matches: 7:vin=WVW.*")
@click.option("--late-ms", type=click.IntRange(0, 600000), default=0, help="Delay each answer.")
@click.option("--silent", multiple=True, metavar="TELEGRAM", help="Never answer these telegrams: 04, 06.")
@click.option("--lose", "lose_every", **_EACH_N, help="Store every n-th result without an answer.")
@click.option("--close", "close_after", **_EACH_N, help="Close the connection after n telegrams.")
@click.option("--identifier", "wrong_identifier", is_flag=True, help="Answer with a wrong identifier first.")
@click.option("--say-result", type=_SEQUENCE, help="The latest result that 08 names.")
@click.option("--say-event", type=_SEQUENCE, help="The latest event that 08 names.")
@click.option("--say-host", help="The address that 08 names, sent as it is.")
@click.option("--without-12", is_flag=True, help="Say nothing after a connection, as an old PIM does.")
@click.option("--events-by-10", "answer_events_by_10", is_flag=True, help="Acknowledge events with telegram 10.")
def main(place: str, host: str, pim_port: int, server_port: int, seconds: float | None, **options: Any) -> None:
    """Run an archive's PIM and server until Ctrl-C, to test a station against; each option makes one thing go wrong."""
    with failing(ValueError):
        options["refuse"] = [refusal(text) for text in options["refuse"]]
    faults = Faults(**{one.name: options[one.name] for one in fields(Faults) if one.name in options})
    where = serving.Place(place, host, pim_port, server_port)
    with failing(database.DatabaseUnusable, OSError):
        asyncio.run(serving.run(where, say, seconds, server_of=partial(server_with, faults)))


if __name__ == "__main__":
    try:
        sys.exit(main(standalone_mode=False))
    except click.ClickException as wrong:  # one line, without the usage, which is longer
        click.echo(f"python -m lab.harness.faulty_archive: {wrong.format_message()}", err=True)
        sys.exit(2)
