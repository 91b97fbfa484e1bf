"""What the judge can find and excuse, by name, and the form in which it says so."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

LOST, STUCK, DOUBLED, OUT_OF_ORDER, SEQUENCE, GARBLED, INVENTED = (
    "lost",
    "stuck",
    "doubled",
    "out of order",
    "sequence",
    "garbled",
    "invented",
)
UNTRUTHFUL, RAISED, MISUSE, MALFORMED, CHECK = "untruthful", "raised", "misuse", "malformed", "check"
NOT_OURS, ENDLESS = "foreign", "endless"
KINDS = (
    LOST,
    DOUBLED,
    OUT_OF_ORDER,
    STUCK,
    SEQUENCE,
    GARBLED,
    INVENTED,
    NOT_OURS,
    ENDLESS,
    UNTRUTHFUL,
    RAISED,
    MISUSE,
    MALFORMED,
    CHECK,
)
KEPT, KEPT_BLAMED, OVERWRITTEN, KEPT_GONE, STILL_REFUSED = (
    "kept",
    "kept, blamed",
    "overwritten",
    "kept no longer",
    "still refused",
)
IN_DOUBT = "in doubt"
FORGOTTEN, LIED_TO, FULL_LOG, PUSHED_AGAIN, ASKED_AGAIN, PASSED_OVER = (
    "forgotten",
    "lied to",
    "full log",
    "pushed again",
    "asked for again",
    "passed over",
)


@dataclass
class Finding:
    """One way in which the promise was broken."""

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
        """The kinds found, worst first, each once."""
        found = {finding.kind for finding in self.findings}
        return [kind for kind in KINDS if kind in found]
