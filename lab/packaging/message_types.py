"""Makes the functions and types of every message from the tables: `python -m lab.packaging.message_types`.

It writes them to the package. They are not in git: a build makes them (`lab/packaging/build.py`), and so does the check
of the types.

Each MID whose fields are known has a function by its name, `select_job(job_id=3)`, and a dictionary, `JobInfo`: what
`Message.fields(JobInfo)` returns. Both have the fields of all revisions, each with all its types in any of them; in the
dictionary a field that is not in all of them is NotRequired.
"""

from __future__ import annotations

import re
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
LAST = [*(f"{name}: int | None = None" for name in HEADER_FIELDS), "revision: int = 1", "check: bool = True"]

MESSAGES_HEAD = '''\
"""A function for each message that builds it, and a dictionary with its fields (docs/library/types.md).

`select_job(job_id=3)` is the frame of MID 0038, in revision 1 if none is given. `JobInfo` has the fields of MID 0035 as
`message.fields(JobInfo)` returns them: a field that is blank is None, one whose content does not fit is Odd. Both have
the fields of all revisions; what not all of them have is NotRequired in the dictionary. Made by
`python -m lab.packaging.message_types`.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NotRequired, TypedDict, TypeVar

from toolcart import DataField, Odd, Resolution, encode

Whole = int | Decimal | str | bytes | Odd | None
Mask = int | Sequence[str] | bytes | Odd | None
Number = int | float | Decimal | bytes | Odd | None
Text = str | bytes | Odd | None
Time = str | datetime | tuple[int, ...] | bytes | Odd | None
Kind = TypeVar("Kind")


def _of(mid: int) -> Callable[[Kind], Kind]:
    """Give a dictionary its MID, which `message.fields` looks at."""

    def with_mid(kind: Kind) -> Kind:
        kind.mid = mid  # type: ignore[attr-defined]
        return kind

    return with_mid


def _frame(mid: int, given: dict[str, Any]) -> bytes:
    return encode(mid, **{name: value for name, value in given.items() if value is not None})
'''


def read_type(field: Field, group: str) -> str:
    """Return the type of a field that is read."""
    if field.kind == "Z":
        return "bytes" + ABSENT
    if field.kind in LISTS:
        return f"list[{LISTS[field.kind]}]" + ABSENT
    if field.kind == "G":
        return f"list[{group}]" + ABSENT
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


class _Module:
    """The lines of a module that grows by a message at a time."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def add_message(self, about: Mid) -> None:
        """Write the dictionary of a MID, after those of its groups, and its function."""
        name = re.sub(r"\W+", "_", about.name.lower())
        kind = _class_name(name)
        title = f"MID {about.mid:04d}, {about.name} ({about.source})"
        read, given = self._fields_of(kind, _layouts(about), title)
        if read:
            self._write(f"@_of({about.mid})\nclass {kind}(TypedDict):", title, read)
        parameters = ["*", *[f"{field}: {type_} = None" for field, type_ in given.items()], *LAST]
        head = f"def {name}(\n" + "".join(f"    {one},\n" for one in parameters) + ") -> bytes:"
        self._write(head, title, [f"return _frame({about.mid}, locals())"])

    def _fields_of(self, kind: str, layouts: list[list[Field]], title: str) -> tuple[list[str], dict[str, str]]:
        """Return the fields as lines of a dictionary, and their types as they are given; write those of the groups."""
        read: dict[str, list[str]] = {}
        given: dict[str, list[str]] = {}
        members: dict[str, list[list[Field]]] = {}
        for field in [field for layout in layouts for field in layout if field.kind != "'"]:
            group = kind + _class_name(field.name)
            if field.kind == "G":
                members.setdefault(field.name, []).append(field.members or [])
            read.setdefault(field.name, []).append(read_type(field, group))
            given.setdefault(field.name, []).append(given_type(field, group))
        for name, inner in members.items():
            self._add_group(kind + _class_name(name), inner, f"{title}: an entry of {name}")
        in_all = {name for name, types in read.items() if len(types) == len(layouts)}
        united = {name: _union(types) for name, types in read.items()}
        lines = [f"{name}: {type_ if name in in_all else f'NotRequired[{type_}]'}" for name, type_ in united.items()]
        return lines, {name: _union(types) for name, types in given.items()}

    def _add_group(self, kind: str, layouts: list[list[Field]], title: str) -> None:
        read, given = self._fields_of(kind, layouts, title)
        self._write(f"class {kind}(TypedDict):", title, read)
        entries = [f"{name}: {type_}" for name, type_ in given.items()]
        self._write(f"class Given{kind}(TypedDict, total=False):", title, entries)

    def _write(self, head: str, title: str, body: list[str]) -> None:
        self.lines += ["", "", head, f'    """{title}."""', "", *[f"    {line}" for line in body]]


def _class_name(name: str) -> str:
    return name.title().replace("_", "")


def messages() -> str:
    """Return the module with a dictionary and a function for each MID."""
    module = _Module()
    for about in map(catalogue.about, catalogue.mids()):
        if about.revisions:
            module.add_message(about)
    return MESSAGES_HEAD + "\n".join(module.lines) + "\n"


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


def write(folder: Path) -> None:
    """Write all of them into `folder`."""
    for name, text in FILES.items():
        Path(folder, name).write_text(text(), encoding="utf-8")


FILES = {"messages.py": messages, "simulated_types.py": simulated}

if __name__ == "__main__":
    CommandLine(__doc__).parse_args()
    write(FOLDER)
