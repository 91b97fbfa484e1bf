"""The names of what the judge can find and excuse: a kind for each rule of docs/internals/worlds.md."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

LOST, DOUBLED, OUT_OF_ORDER, GARBLED, STUCK, HELD_UP = "lost", "doubled", "out of order", "garbled", "stuck", "held up"
LATE, ASIDE, UNTRUTHFUL, DISOBEYED, ENDLESS, BROKEN = "late", "aside", "untruthful", "disobeyed", "endless", "broken"
# In the order of the rules.
KINDS = (LOST, DOUBLED, OUT_OF_ORDER, GARBLED, STUCK, HELD_UP, LATE, ASIDE, UNTRUTHFUL, DISOBEYED, ENDLESS, BROKEN)
KEPT, OVERWRITTEN, DROPPED, IN_DOUBT = "kept", "overwritten", "dropped by an operator", "in doubt"
FORGOTTEN, FALSE_08, AGAIN, RETRIED = "forgotten", "false 08", "given again", "retried"
OFFERED_LATE, PASSED_OVER, BROUGHT_BACK = "offered late", "passed over", "brought back"


@dataclass
class Finding:
    """One breach of the promise."""

    kind: str
    station: int
    text: str
    count: int = 1


@dataclass
class Verdict:
    """What the judge found in one world."""

    findings: list[Finding] = field(default_factory=list)
    excused: Counter = field(default_factory=Counter)
    owed: int = 0

    def add(self, kind: str, station: int, text: str, count: int = 1) -> None:
        """Note a finding."""
        self.findings.append(Finding(kind, station, text, count))

    def kinds(self) -> list[str]:
        """Return the kinds found, worst first, each once."""
        found = {finding.kind for finding in self.findings}
        return [kind for kind in KINDS if kind in found]
