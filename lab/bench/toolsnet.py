"""Measures ToolsNet's side: what each telegram takes (lab.bench.telegrams), how a backlog drains (lab.bench.drain),
and the archive (lab.bench.archive).
"""

from __future__ import annotations

from collections.abc import Callable

from toolcart.base.report import Report
from lab.bench import archive, drain, telegrams

TELEGRAMS_SHARE, DRAINS_SHARE = 0.01, 0.05  # of the total time


def run(progress: Callable[[float], None]) -> dict:
    """Take every figure; `progress` gets the share done, 0 to 1."""
    report = Report()
    begun = TELEGRAMS_SHARE + DRAINS_SHARE
    telegrams.measure(report, lambda share: progress(share * TELEGRAMS_SHARE))
    drain.measure(report, lambda share: progress(TELEGRAMS_SHARE + share * DRAINS_SHARE))
    archive.measure(report, lambda share: progress(begun + share * (1 - begun)))
    progress(1.0)
    return report.as_dict()
