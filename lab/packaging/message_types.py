"""Makes the types of every message from the tables: `python -m lab.packaging.message_types` writes them to the package.

It is not in git: a build makes it (`lab/packaging/build.py`), and so does the check of the types.

There are two dictionaries for each MID: `Fields0061` is what `Message.fields(61)` returns, `Given0061` what
`encode(61, ...)` takes. They have the fields of all its revisions, each with all its types in any of them; a field
that is not in all of them is NotRequired in the first.
"""

from __future__ import annotations

import keyword
from pathlib import Path

from toolcart import catalogue
from toolcart.base.command_line import CommandLine
from toolcart.base.sources import ROOT
from toolcart.catalogue.fields import Field
from toolcart.catalogue.forms import HEADER_FIELDS
from toolcart.catalogue.table import Mid
from toolcart.sim.controller_model import Tightening
from toolcart.sim.controller_quirks import ControllerOptions

FOLDER = ROOT / "toolcart"
ABSENT = " | Odd | None"
READ = {"N": "int", "B": "int", "I": "int", "F": "float", "T": "str", "D": "str", "H": "str"}
GIVEN = {"N": "Whole", "B": "Mask", "I": "Whole", "F": "Number", "T": "Text", "D": "Time", "H": "Text"}
LISTS = {"V": "DataField", "U": "DataField", "R": "Resolution"}

MESSAGES_HEAD = '''\
"""The fields of every message as types (docs/library/types.md), made by `python -m lab.packaging.message_types`.

`Fields0061` is what `message.fields(61)` returns, `Given0061` what `toolcart.encode(61, ...)` takes. A field that is
blank is None, one whose content does not fit is Odd. Each has the fields of all revisions of its MID; what not all
of them have is NotRequired.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import NotRequired, TypedDict

from toolcart import DataField, Odd, Resolution  # pyright: ignore

Whole = int | Decimal | str | bytes | Odd | None
Mask = int | Sequence[str] | bytes | Odd | None
Number = int | float | Decimal | bytes | Odd | None
Text = str | bytes | Odd | None
Time = str | datetime | tuple[int, ...] | bytes | Odd | None


class Header(TypedDict, total=False):
    """What a header has beside its MID and revision."""

'''

OVERLOADS_HEAD = '''\
"""`encode`, `ask` and `Message.fields` by MID: what they take and return (`python -m lab.packaging.message_types`)."""

from typing import Any, Literal, Protocol, TypeVar, Unpack, overload

from . import Message
from .messages import *

Answer = TypeVar("Answer", covariant=True)
'''


def read_type(field: Field, group: str) -> str:
    """Return the type of a field that is read."""
    if field.kind == "Z":
        return "bytes" + ABSENT
    if field.kind in LISTS:
        return f"list[{LISTS[field.kind]}]" + ABSENT
    if field.kind == "G":
        return f"list[Fields{group}]" + ABSENT
    if field.count is None or field.width is None:
        return READ[field.kind] + ABSENT
    return f"list[{READ[field.kind]}{ABSENT}]" + ABSENT


def given_type(field: Field, group: str) -> str:
    """Return the types accepted for a field when a message is built."""
    if field.kind == "Z":
        return "Sequence[int] | bytes | bytearray | memoryview | Odd | None"
    if field.kind in LISTS:
        return f"Sequence[{LISTS[field.kind]}] | Odd | None"
    if field.kind == "G":
        return f"Sequence[Given{group}] | Odd | None"
    if field.count is None or field.width is None:
        return GIVEN[field.kind]
    return f"Sequence[{GIVEN[field.kind]}] | Odd | None"


def _layouts(about: Mid) -> list[list[Field]]:
    """Return the fields of each revision, and of its other layout."""
    layouts = []
    for revision in sorted(about.revisions):
        form = catalogue.form(about.mid, revision)
        layouts += [one.fields for one in (form, form.other) if one is not None]
    return layouts


def _union(texts: list[str]) -> str:
    """Return one type for all of them, each part once, None last."""
    parts = list(dict.fromkeys(part for text in texts for part in _parts(text)))
    return " | ".join([part for part in parts if part != "None"] + ["None"] * ("None" in parts))


def _parts(text: str) -> list[str]:
    parts, depth = [""], 0
    for char in text:
        depth += (char == "[") - (char == "]")
        if char == "|" and not depth:
            parts.append("")
        else:
            parts[-1] += char
    return [part.strip() for part in parts]


class _Dictionaries:
    """The two dictionaries of a MID, after those of its groups."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def add(self, name: str, layouts: list[list[Field]], title: str, base: str) -> None:
        """Write the dictionaries of these layouts, all under one name."""
        read: dict[str, list[str]] = {}
        given: dict[str, list[str]] = {}
        members: dict[str, list[list[Field]]] = {}
        for field in [field for layout in layouts for field in layout if field.kind != "'"]:
            group = name + field.name.title().replace("_", "")
            if field.kind == "G":
                members.setdefault(field.name, []).append(field.members or [])
            read.setdefault(field.name, []).append(read_type(field, group))
            given.setdefault(field.name, []).append(given_type(field, group))
        for group, inner in members.items():
            self.add(name + group.title().replace("_", ""), inner, f"{title}: an entry of {group}", "TypedDict")
        always = {field for field, types in read.items() if len(types) == len(layouts)}
        self._write(f"Fields{name}(TypedDict)", read, title, set(read) - always)
        self._write(f"Given{name}({base}, total=False)", given, title, set())

    def _write(self, head: str, fields: dict[str, list[str]], title: str, may_be_missing: set[str]) -> None:
        self.lines += ["", "", f"class {head}:", f'    """{title}."""', ""]
        for field, types in fields.items():
            if not field.isidentifier() or keyword.iskeyword(field):
                raise ValueError(f"{head}: {field} is no name")
            text = _union(types)
            self.lines.append(f"    {field}: " + (f"NotRequired[{text}]" if field in may_be_missing else text))


def messages() -> str:
    """Return the module with the dictionaries."""
    dictionaries = _Dictionaries()
    for mid in catalogue.mids():
        about = catalogue.about(mid)
        dictionaries.add(f"{mid:04d}", _layouts(about), f"MID {mid:04d}, {about.name}".replace('"', "'"), "Header")
    header = "".join(f"    {name}: int | None\n" for name in HEADER_FIELDS)
    return MESSAGES_HEAD + header.rstrip("\n") + "\n" + "\n".join(dictionaries.lines) + "\n"


# What a simulated controller is told, where the kind of its default does not say it all.
OF_OPTIONS = {
    "identity": "Mapping[str, Any]",
    "pushed_as": "Mapping[str, Any]",
    "fetched_as": "Mapping[str, Any]",
    "refuse": "Mapping[int, int | None]",
    "refuse_once": "Sequence[tuple[int, int | None]]",
    "ends_refused": "Mapping[int, int]",
    "expected_station": "bytes | None",
    "pset_change_text": "str | None",
    "time_text": "str | None",
}


SIMULATED_HEAD = '''\
"""What a simulated controller is told, as types: made by `python -m lab.packaging.message_types`."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict


class Options(TypedDict, total=False):
    """How the controller behaves, beside what its profile says."""
'''


def simulated() -> str:
    """Return the module with a simulated controller's options, and the fields of its tightenings."""
    lines = [SIMULATED_HEAD]
    for name, default in ControllerOptions.DEFAULTS.items():
        kind = "Sequence[int]" if isinstance(default, (tuple, list)) else _kind_of(default)
        if name in ControllerOptions.ALLOWED:
            kind = f"Literal[{', '.join(map(repr, ControllerOptions.ALLOWED[name]))}]"
        lines.append(f"    {name}: {OF_OPTIONS.get(name, kind)}")
    lines += ["", "", "class Result(TypedDict, total=False):", '    """One tightening."""', ""]
    for name, default in vars(Tightening).items():
        if not name.startswith("_"):
            kind = "str | bytes" if isinstance(default, str | bytes) else "int"
            lines.append(f"    {name}: {kind} | None")
    return "\n".join(lines) + "\n"


def _kind_of(default: object) -> str:
    return "int | None" if default is None else type(default).__name__


READS = "    def fields(self, mid: Literal[{mid}]) -> Fields{mid:04d}: ..."
READS_ANY = "    def fields(self) -> dict[str, Any]: ..."
ASK = (
    "    def __call__(\n        self, mid: Literal[{mid}], revision: int = 1, *, timeout: float | None = None, "
    "**fields: Unpack[Given{mid:04d}]\n    ) -> Answer: ..."
)
ENCODE = (
    "def encode(\n    mid: Literal[{mid}], revision: int | None = None, check: bool = True, "
    "**given: Unpack[Given{mid:04d}]\n) -> bytes: ..."
)
ENCODE_CHANGED = "def encode(mid: Message, *, check: bool = True, **given: Any) -> bytes: ..."


def overloads() -> str:
    """Return the stub with a signature for each MID."""

    def each(text: str, *more: str) -> list[str]:
        indent = " " * (len(text) - len(text.lstrip()))
        signatures = [text.format(mid=mid) for mid in catalogue.mids()] + list(more)
        return [line for one in signatures for line in (indent + "@overload", one)]

    reads, asks, encodes = each(READS, READS_ANY), each(ASK), each(ENCODE, ENCODE_CHANGED)
    lines = [OVERLOADS_HEAD + "class Reads:", *reads, "", "class Ask(Protocol[Answer]):", *asks, "", *encodes]
    return "\n".join(lines) + "\n"


def write(folder: Path) -> None:
    """Write all of them into `folder`."""
    for name, text in FILES.items():
        Path(folder, name).write_text(text(), encoding="utf-8")


FILES = {"messages.py": messages, "_overloads.pyi": overloads, "simulated_types.py": simulated}

if __name__ == "__main__":
    CommandLine(__doc__).parse_args()
    write(FOLDER)
