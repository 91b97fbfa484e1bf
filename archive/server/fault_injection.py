"""What an archive does wrong on purpose, so that any station can be tried against it.

A station has to get over all of it: nothing lost, and nothing twice except what was stored but not answered.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field


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
