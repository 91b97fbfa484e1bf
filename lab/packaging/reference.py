"""Makes docs/library/reference.md from the docstrings: `python -m lab.packaging.reference` prints it."""

from __future__ import annotations

import inspect
import re
from types import FunctionType

import toolcart
import toolcart.client
from toolcart import catalogue
from toolcart.base.command_line import CommandLine
from toolcart.client.options import Options

HEAD = """\
# Every name

The public names of `toolcart`, with what their docstrings say. This page is made from them by
`python -m lab.packaging.reference`; `help(toolcart.connect)` shows the same. Times to wait are in seconds.
"""
PARTS = (
    ("Messages", "", catalogue.__all__),
    ("The client", "", [name for name in toolcart.client.__all__ if "serial" not in name] + ["connect_serial"]),
    ("Captures", "captures.", toolcart.captures.__all__),
    ("Simulated controllers", "simulated.", ["controller", "profiles", "SimulatedController"]),
)
PLAIN = ("CONTROLLER", "INTEGRATOR")
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")


def page() -> str:
    """Return the page."""
    lines = [HEAD]
    for title, before, names in PARTS:
        lines += [f"## {title}", ""]
        for name in sorted(names, key=str.lower):
            lines += _entry(f"toolcart.{before}{name}", _found(before, name))
        if title == "The client":
            lines += ["### Options", "", _said(Options), ""]
    return "\n".join(lines).rstrip() + "\n"


def _found(before: str, name: str) -> object:
    part = getattr(toolcart, before[:-1]) if before else toolcart
    return getattr(part, name)


def _entry(name: str, found: object) -> list[str]:
    if name.rpartition(".")[2] in PLAIN:
        return [f"### {name}", "", f"`{found!r}`, for `Catalogue(sent_by=...)`.", ""]
    lines = [f"### {name}{'' if inspect.isclass(found) else _signature(found)}", "", _said(found), ""]
    if inspect.isclass(found) and not issubclass(found, Exception):
        alike = [method for method in vars(found) if method in catalogue.__all__]
        lines += (
            [f"- {', '.join(f'`{method}`' for method in alike)}: as the functions of these names."] if alike else []
        )
        inherited = [kind for kind in reversed(found.__mro__) if kind.__name__[0] == "_"]
        for method, value in [pair for kind in (found, *inherited) for pair in vars(kind).items()]:
            if (
                method.startswith("_") or method in alike or name.endswith("BlockingController")
            ):  # which has those of Controller
                continue
            if isinstance(value, property):
                lines.append(f"- `{method}`: {_first(value.fget)}")
            elif isinstance(value, FunctionType):
                lines.append(f"- `{method}{_signature(value)}`: {_first(value)}")
        lines += [""] if lines[-1] else []
    return lines


def _signature(found: object) -> str:
    told = inspect.signature(found)  # type: ignore[arg-type]
    options = inspect.signature(Options).parameters
    own = [one for one in told.parameters.values() if one.name != "self"]
    if "start_revisions" in told.parameters:
        own = [one for one in own if one.name not in options]
        own.append(inspect.Parameter("options", inspect.Parameter.VAR_KEYWORD))
    plain = [one.replace(annotation=one.empty) for one in own]
    return _ADDRESS.sub("", str(told.replace(parameters=plain, return_annotation=told.empty)))


def _said(found: object) -> str:
    """Return a docstring, with its examples as code."""
    paragraphs = (inspect.getdoc(found) or "").split("\n\n")
    return "\n\n".join(f"```pycon\n{one}\n```" if one.startswith(">>>") else one for one in paragraphs)


def _first(found: object) -> str:
    return _said(found).partition("\n\n")[0].replace("\n", " ")


if __name__ == "__main__":
    CommandLine(__doc__).parse_args()
    print(page(), end="")
