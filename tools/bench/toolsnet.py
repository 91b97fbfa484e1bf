"""Measures what stands behind ToolsNet's protocol: the archive (tools.bench.archive)."""

from __future__ import annotations

from collections.abc import Callable

from tools.bench import archive
from tools.report import Report


def run(progress: Callable[[float], None]) -> dict:
    """Take every figure; `progress` is told the share that is done, 0 to 1."""
    report = Report()
    archive.measure(report, progress)
    progress(1.0)
    return report.as_dict()
