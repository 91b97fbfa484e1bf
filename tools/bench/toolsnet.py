"""Measures ToolsNet's side: how a backlog drains to it (tools.bench.drain), and the archive (tools.bench.archive)."""

from __future__ import annotations

from collections.abc import Callable

from tools.bench import archive, drain
from tools.report import Report

DRAINS_SHARE = 0.05  # of the time that all of it takes


def run(progress: Callable[[float], None]) -> dict:
    """Take every figure; `progress` is told the share that is done, 0 to 1."""
    report = Report()
    drain.measure(report, lambda share: progress(share * DRAINS_SHARE))
    archive.measure(report, lambda share: progress(DRAINS_SHARE + share * (1 - DRAINS_SHARE)))
    progress(1.0)
    return report.as_dict()
