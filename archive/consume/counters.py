"""What a consumer counts and shows: the first of a kind from a topic in an hour as a breach, with a sample.

Rules
1. Every message and every batch is counted once, by what became of it, so that nothing goes unnoticed.
2. A sample goes into the database's breaches, which the pages show, and into the log. Samples are short and printable.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from toolcart.base.terminal_safe import visible
from toolcart.toolsnet.telegrams import Breach

SAMPLE_MOST = 200
_PEER_MOST = 60
_TOPIC_MOST = 500
_AT = re.compile(r"\[\d+\]")  # which one of a list

STORED, REPEATED, RESULTS, KNOWN = "batches_stored", "batches_repeated", "results", "known"
EVENTS, CURVES, CURVES_SKIPPED, GAPS = "events", "curves", "curves_left_out", "gaps"
MISSING, UNREADABLE, TWO_STATIONS, RETAINED = "missing_numbers", "unreadable", "two_stations", "retained"
OTHER_TOPIC, NOT_STORED, UNREAD_FIELDS = "other_topics", "not_stored", "unread_fields"
# What is counted under each name.
NAMES = {
    STORED: "Batches that brought something new.",
    REPEATED: "Batches that had been stored before.",
    RESULTS: "Results and unread messages that they brought.",
    KNOWN: "Results of them that were there already.",
    EVENTS: "Events that were stored.",
    CURVES: "Curves that were stored.",
    CURVES_SKIPPED: "Events and curves of which no row can be made.",
    GAPS: "Batches that came too early and are sent again.",
    MISSING: "Numbers without a result or frame: of events, overwritten or skipped.",
    UNREADABLE: "Messages that are no batch; the page Breaches shows some.",
    TWO_STATIONS: "Batches of another station than their topic's.",
    RETAINED: "Retained messages, which are discarded.",
    OTHER_TOPIC: "Messages of topics that are no outlet's.",
    UNREAD_FIELDS: "Fields of stored lines that cannot be read and are unknown; the page Breaches shows some.",
    NOT_STORED: "Batches that the database did not take; they come again.",
}
# What should not happen, and what is expected instead.
ALLOWED = {
    GAPS: "a batch that begins at what is stored",
    UNREADABLE: "a batch as docs/library/consumers.md has it",
    RETAINED: "a message that is not retained",
    OTHER_TOPIC: "a topic that ends in /results, /alarms or /curves",
    MISSING: "each number",
    TWO_STATIONS: "one station on a topic",
}


class ConsumerCounters:
    """The figures of one consumer; the receiver's and the writer's thread each count their own."""

    def __init__(self, note_breach: Callable[[tuple, str, str, Breach], bool], say: Callable[[str], None]) -> None:
        self.of: dict[str, int] = dict.fromkeys(NAMES, 0)
        self._note_breach = note_breach
        self._say = say

    def add(self, name: str, count: int = 1) -> None:
        """Count something that is in order."""
        self.of[name] += count

    def note(self, name: str, topic: str, sample: str, count: int = 1) -> None:
        """Count something that should not happen, and show it if it is the first of its kind for a while."""
        self.of[name] += count
        text, kind = visible(sample)[:SAMPLE_MOST], name.replace("_", " ")
        self._show((name, topic[:_TOPIC_MOST]), topic, Breach(kind, 0, text, ALLOWED[name]))

    def note_fields(self, topic: str, unread: list[Breach]) -> None:
        """Count fields that cannot be read, and show the first of each name for a while."""
        self.of[UNREAD_FIELDS] += len(unread)
        for breach in unread:
            self._show((UNREAD_FIELDS, topic[:_TOPIC_MOST], _AT.sub("", breach.field)), topic, breach)

    def _show(self, kind: tuple, topic: str, breach: Breach) -> None:
        if self._note_breach(kind, visible(topic)[-_PEER_MOST:], "", breach):
            self._say(f"{visible(topic)[:SAMPLE_MOST]}: {breach.field}: {breach.found}")

    def line(self) -> str:
        """All that is not zero, in a line."""
        counts = [f"{name.replace('_', ' ')} {self.of[name]}" for name in NAMES if self.of[name]]
        return "consumed: " + (", ".join(counts) or "nothing yet")
