"""A configuration checked as a whole: its mistakes, and what this machine lacks to run it as it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from toolcart.tools.config import file as config_file
from toolcart.tools.config import places
from toolcart.tools.config.file import Mistake


@dataclass
class Checked:
    """`configuration` is the completed one, None if there are mistakes; `lacks` is what keeps it from running here."""

    configuration: dict | None = None
    mistakes: list[Mistake] = field(default_factory=list)
    lacks: list[Mistake] = field(default_factory=list)

    def first(self) -> str:
        """Return the first thing that is wrong in one line, and how many there are; "" if nothing is."""
        found = [*self.mistakes, *self.lacks]
        if not found:
            return ""
        place, what, allowed = found[0]
        more = f" (and {len(found) - 1} more)" if found[1:] else ""
        return f"{place}: {config_file.sentence(what, allowed)}{more}"


def check(path: str | Path) -> Checked:
    """Check the file and everything that it names, as the user of this process."""
    try:
        configuration = config_file.read(path)
    except config_file.Wrong as wrong:
        return Checked(None, wrong.mistakes)
    folder = config_file.folder_of(path)
    lacks = [*config_file.not_runnable(configuration, folder), *places.unusable(configuration, folder)]
    return Checked(configuration, [], lacks)
