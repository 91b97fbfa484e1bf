"""VINs that are no car's: what a station sends where no code was read, such as `0` or `No BCode`.

Rules
1. A plant may name them. Unless it does, they are guessed, and pages show the guess: the usual words, rows of one
   character, and what is on more than SHARE of the results and on more of them than a car has screws.
2. The share is that of SAMPLE results spread over the archive by their numbers; how many there are is counted up to
   SCREWS, in the index of cars.
3. What has such a VIN belongs to no car, as what has none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, func, select

from toolcart.archive.database import tables as t

SAMPLE = 2000
SHARE = 0.03
SCREWS = 2000  # no car has as many
VIN_BYTES = 25  # TN 5.3
_WORDS = ("No BCode", "NO BCODE", "NoBCode", "No Code", "NO CODE", "NoRead", "NOREAD", "No Read", "NO READ", "No VIN")
_WORDS = (*_WORDS, "NO VIN", "NOVIN", "Unknown", "UNKNOWN", "ERROR", "None", "NONE", "N/A")
_USUAL = (*_WORDS, *[character * count for character in "0-?*.X#9" for count in range(1, VIN_BYTES + 1)])
_R = t.RESULT.c


@dataclass(frozen=True)
class Placeholders:
    """VINs that are no car's; `shares` of all results for those that were guessed by it."""

    vins: tuple[str, ...] = ("",)
    is_guess: bool = False
    shares: dict[str, float] = field(default_factory=dict)

    def __contains__(self, vin: str) -> bool:
        return vin.strip() in self.vins

    def as_dict(self) -> dict:
        """Return what a page says of them: what is named, or was guessed by its share."""
        named = self.shares if self.is_guess else dict.fromkeys(one for one in self.vins if one)
        return {"is_guess": self.is_guess, "vins": [{"vin": vin, "share": share} for vin, share in named.items()]}


def of(connection: Connection, given: Sequence[str] | None) -> Placeholders:
    """Return the VINs that are no car's: those given, or a guess."""
    if given is not None:
        return Placeholders(tuple(dict.fromkeys(("", *given))))
    newest = connection.execute(select(func.max(_R.ResultId))).scalar() or 0
    numbers = range(newest, 0, -max(1, newest // SAMPLE))
    vins = connection.execute(select(_R.VIN).where(_R.ResultId.in_(list(numbers)))).scalars().all()
    shares = {vin: count / len(vins) for vin, count in Counter(vins).most_common() if vin.strip()}
    often = {vin: share for vin, share in shares.items() if share > SHARE and _is_on_many(connection, vin)}
    usual = {vin: share for vin, share in shares.items() if vin in _USUAL}
    return Placeholders(tuple(dict.fromkeys(("", *_USUAL, *often))), True, {**usual, **often})


def _is_on_many(connection: Connection, vin: str) -> bool:
    """True if more results have this VIN than a car has screws."""
    some = select(_R.VIN).where(_R.VIN == vin).limit(SCREWS + 1).subquery()
    return (connection.execute(select(func.count()).select_from(some)).scalar() or 0) > SCREWS
