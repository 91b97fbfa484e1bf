"""Tells what the short names in a board's traceback stand for: `python -m tools.compact NAME ...`."""

from __future__ import annotations

from tools.base.command_line import CommandLine, start
from tools.compact.tree import program_of_board


def main() -> None:
    """Print each name of the command line and what it is called in the sources of this checkout."""
    line = CommandLine(__doc__)
    line.add_argument("names", nargs="+", metavar="NAME")
    asked = line.parse_args().names
    names = program_of_board().names
    for name in asked:
        said = [f"{module}.{long}" for (module, long), short in names.tops.items() if short == name]
        said += [f".{long}" for long, short in names.attributes.items() if short == name]
        print(name, "=", ", ".join(said) or "?")


if __name__ == "__main__":
    start(main)
