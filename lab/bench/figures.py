"""The command line of a module that takes figures: a table for people, or JSON for lab.bench.tables."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable

from toolcart.base.command_line import CommandLine, start
from toolcart.base.report import Report, table


def tell(line: CommandLine, measure: Callable[[Report, argparse.Namespace], None]) -> None:
    """Take the figures that the command line asks for and print them."""
    line.add_argument("--json", action="store_true", help="give the figures as JSON")

    def main() -> None:
        asked, report = line.parse_args(), Report()
        measure(report, asked)
        print(json.dumps(report.as_dict(), indent=1) if asked.json else table(report.as_dict()))

    start(main)
