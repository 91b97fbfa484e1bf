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
            lines += _entry(f"toolcart.{before}{name}", _value_of(before, name))
        if title == "The client":
            lines += ["### Options", "", _docstring(Options), ""]
    return "\n".join(lines).rstrip() + "\n"


def _value_of(before: str, name: str) -> object:
    part = getattr(toolcart, before[:-1]) if before else toolcart
    return getattr(part, name)


def _entry(name: str, documented: object) -> list[str]:
    if name.rpartition(".")[2] in PLAIN:
        return [f"### {name}", "", f"`{documented!r}`, for `Catalogue(sent_by=...)`.", ""]
    lines = [
        f"### {name}{'' if inspect.isclass(documented) else _signature(documented)}",
        "",
        _docstring(documented),
        "",
    ]
    if inspect.isclass(documented) and not issubclass(documented, Exception):
        alike = [method for method in vars(documented) if method in catalogue.__all__]
        lines += (
            [f"- {', '.join(f'`{method}`' for method in alike)}: as the functions of these names."] if alike else []
        )
        inherited = [kind for kind in reversed(documented.__mro__) if kind.__name__[0] == "_"]
        for method, value in [pair for kind in (documented, *inherited) for pair in vars(kind).items()]:
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


def _signature(value: object) -> str:
    signature = inspect.signature(value)  # type: ignore[arg-type]
    options = inspect.signature(Options).parameters
    own = [one for one in signature.parameters.values() if one.name != "self"]
    if "start_revisions" in signature.parameters:
        own = [one for one in own if one.name not in options]
        own.append(inspect.Parameter("options", inspect.Parameter.VAR_KEYWORD))
    plain = [one.replace(annotation=one.empty) for one in own]
    return _ADDRESS.sub("", str(signature.replace(parameters=plain, return_annotation=signature.empty)))


def _docstring(value: object) -> str:
    """Return a docstring, with its examples as code."""
    paragraphs = (inspect.getdoc(value) or "").split("\n\n")
    return "\n\n".join(f"```pycon\n{one}\n```" if one.startswith(">>>") else one for one in paragraphs)


def _first(value: object) -> str:
    return _docstring(value).partition("\n\n")[0].replace("\n", " ")


if __name__ == "__main__":
    CommandLine(__doc__).parse_args()
    print(page(), end="")
