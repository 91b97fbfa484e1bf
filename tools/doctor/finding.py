"""One finding for each link of the chain: verdict, words, what to do."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

from toolcart.tools.messages.attention import BAD, NOTE, WARN  # it is wrong, not as well as it should, worth knowing

GOOD = "good"
SKIPPED = "skipped"  # could not be checked, or should not be now

MARKS = {GOOD: "ok", NOTE: "--", WARN: "! ", BAD: "XX", SKIPPED: "  "}


@dataclass
class Finding:
    """`what` was checked, such as `station 1 controller`; `figures` are for machines."""

    what: str
    verdict: str
    words: str
    hint: str = ""
    figures: dict = field(default_factory=dict)

    def as_dict(self) -> dict:
        return asdict(self)

    def lines(self) -> list[str]:
        told = [f"{MARKS[self.verdict]}  {self.what:<22} {self.words}"]
        return [*told, f"    {'':<22} {self.hint}"] if self.hint else told
