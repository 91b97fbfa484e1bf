"""Curves as CSV on standard output, a row for each sample; `ms` is empty where the time between samples is unknown."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable
from itertools import zip_longest

from toolcart.base.terminal_safe import visible_in
from toolcart.trace.curves import Tightening

COLUMNS = ("tightening_id", "time", "station", "program", "part", "curve", "unit", "ms", "value")
DECIMALS = 6


def write_csv(tightenings: Iterable[Tightening]) -> None:
    """Print every sample of every curve, in the curves' order."""
    writer = csv.writer(sys.stdout)
    writer.writerow(COLUMNS)
    for one in tightenings:
        for curve in one.curves.values():
            of = visible_in([one.ident, one.time, one.station, one.program, one.part, curve.name, curve.unit])
            for ms, value in zip_longest(curve.times_ms, curve.values):
                writer.writerow([*of, None if ms is None else round(ms, DECIMALS), round(value, DECIMALS)])
