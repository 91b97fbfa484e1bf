"""What an examination has found: verdict, words, what to do; one for each link of the chain."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

GOOD = "good"
NOTE = "note"  # nothing is wrong, and somebody should know
WARN = "warn"  # it works, not as well as it should
BAD = "bad"  # it does not work
SKIPPED = "skipped"  # could not be looked at, or no one should now

MARKS = {GOOD: "ok", NOTE: "--", WARN: "! ", BAD: "XX", SKIPPED: "  "}


@dataclass
class Found:
    """`what` was looked at, as `station 1 controller`; `figures` are for machines."""

    what: str
    verdict: str
    words: str
    hint: str = ""
    figures: dict = field(default_factory=dict)

    def as_dict(self) -> dict:
        return asdict(self)

    def lines(self) -> list[str]:
        """For people."""
        told = [f"{MARKS[self.verdict]}  {self.what:<22} {self.words}"]
        return [*told, f"    {'':<22} {self.hint}"] if self.hint else told
