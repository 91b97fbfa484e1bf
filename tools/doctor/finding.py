"""One finding for each link of the chain: verdict, words, what to do."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

from toolcart.tools.messages.attention import BAD, NOTE, WARN  # it is wrong, not as well as it should, worth knowing

GOOD = "good"
SKIPPED = "skipped"  # could not be checked, or should not be now

MARKS = {GOOD: "ok", NOTE: "--", WARN: "! ", BAD: "XX", SKIPPED: "  "}


@dataclass
class Finding:
    """`subject` was checked, such as `station 1 controller`; `figures` are for machines."""

    subject: str
    verdict: str
    words: str
    hint: str = ""
    figures: dict = field(default_factory=dict)

    def as_dict(self) -> dict:
        """Return it for JSON, where the subject is called `what`."""
        fields = asdict(self)
        return {"what": fields.pop("subject"), **fields}

    def lines(self) -> list[str]:
        lines = [f"{MARKS[self.verdict]}  {self.subject:<22} {self.words}"]
        return [*lines, f"    {'':<22} {self.hint}"] if self.hint else lines
