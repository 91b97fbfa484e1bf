"""Updates the figures in the documents from what benchmarks have measured.

They quote docs/figures.json, and the counts in lab/bench/instructions.json as benchmark `instructions`.

    toolcart bench path --json | python -m lab.bench.tables path     takes a benchmark's figures into the file
    python -m lab.bench.tables                                       puts them into the documents

A quoted figure is a number followed by a comment that names benchmark and figure, invisible on the rendered page:

    249,360<!-- instructions: fast result -->        4.0<!-- path: parse, ratio to slicing .1 -->

`.3` is the number of decimals; without it the number is whole. `/1000` in front divides: bytes are given as KB. A
figure in two places is quoted in both. host_tests/project/test_documents.py fails where a document and
the file differ, and where a document names a figure that no benchmark has.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from toolcart.base.cache import CHECKOUT, Unavailable
from toolcart.base.command_line import CommandLine, start

FILE = CHECKOUT / "docs/figures.json"
COUNTS = CHECKOUT / "lab/bench/instructions.json"
_QUOTED = re.compile(r"(-?\d[\d,]*(?:\.\d+)?)<!-- (\w+): ([^>]*?)(?: /(\d+))?(?: \.(\d))? -->")
_LARGE = re.compile(r"(?<![\d,.])\d{1,3}(?:,\d{3})+(?![\d,]|\.\d)")


def documents() -> list[Path]:
    """Return every page that may quote a figure."""
    return [CHECKOUT / "README.md", CHECKOUT / "CONTRIBUTING.md", *sorted((CHECKOUT / "docs").glob("*.md"))]


def known() -> dict[str, dict]:
    """Return the figures known so far: benchmark to its machine and its figures by name."""
    counts = json.loads(COUNTS.read_text(encoding="utf-8"))
    figures = {f"{form} {name}": counts[form][name] for form in ("plain", "fast") for name in counts[form]}
    return {**_taken(), "instructions": {"figures": figures}}


def _taken() -> dict[str, dict]:
    return json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}


def take(benchmark: str, report: dict) -> None:
    """Replace the figures of one benchmark by those of its report."""
    taken = _taken()
    figures = {one["name"].strip(): one["value"] for one in report["figures"] if one["value"] is not None}
    taken[benchmark] = {"machine": report.get("machine", {}), "figures": figures}
    FILE.write_text(json.dumps(taken, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def quoted(text: str, taken: dict[str, dict]) -> str:
    """Return the text with every quoted figure as in `taken`; ValueError for one that is not there."""

    def number(found: re.Match) -> str:
        _, benchmark, name, divisor, decimals = found.groups()
        value = taken.get(benchmark, {}).get("figures", {}).get(name)
        if value is None:
            raise ValueError(f"no benchmark `{benchmark}` has a figure `{name}`")
        return f"{value / int(divisor or 1):,.{decimals or 0}f}" + found.group()[len(found.group(1)) :]

    return _QUOTED.sub(number, text)


def unquoted(texts: list[str]) -> set[str]:
    """Return numbers of four digits and more that are quoted in one of the texts and written out in one as well."""
    quotes = {found[1] for text in texts for found in _QUOTED.finditer(text)}
    bare = {number for text in texts for number in _LARGE.findall(_QUOTED.sub("", text))}
    return {number for number in quotes if "," in number} & bare


def main() -> None:
    """Take a report from standard input if a benchmark is named; then update the documents."""
    line = CommandLine(__doc__)
    line.add_argument("benchmark", nargs="?", help="take its report in first: JSON, from standard input")
    benchmark = line.parse_args().benchmark
    if benchmark:
        try:
            report = json.load(sys.stdin)
        except ValueError:
            raise Unavailable("no report came in, such as `toolcart bench path --json` prints") from None
        take(benchmark, report)
    taken = known()
    for page in documents():
        text = page.read_text(encoding="utf-8")
        told = quoted(text, taken)
        if told != text:
            page.write_text(told, encoding="utf-8")
            print(f"{page.relative_to(CHECKOUT)}: figures renewed")


if __name__ == "__main__":
    start(main)
