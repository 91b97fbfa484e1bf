"""The templates and files of a program's pages; frame and style are the same for the archive's and for `toolcart web`.

Rules
1. A program's own template or file goes before the shared one of that name.
2. Whatever text comes out is shown by what it is, not done (tools.base.printable), and then escaped.
"""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.staticfiles import StaticFiles

from tools.base.printable import visible

_HERE = Path(__file__).parent


def templates(folder: Path) -> Environment:
    """The templates of this folder and the shared ones."""
    return Environment(
        loader=FileSystemLoader([folder, _HERE / "templates"]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: visible(value) if isinstance(value, str) and type(value) is str else value,
    )


def files(folder: Path | None = None) -> StaticFiles:
    """The files of this folder and the shared ones, as an application that serves them."""
    served = StaticFiles(directory=folder or _HERE / "static")
    if folder is not None:
        served.all_directories.append(_HERE / "static")
    return served
