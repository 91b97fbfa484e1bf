"""What all pages share, of the archive and of `toolcart web`: frame, style, and how foreign text gets onto a screen.

Rules
1. A program's own template or file takes precedence over the shared one of that name.
2. Control characters in any text are shown, not carried out (toolcart.base.terminal_safe); then the text is escaped.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from toolcart.base.terminal_safe import visible

if TYPE_CHECKING:
    from starlette.staticfiles import StaticFiles

_HERE = Path(__file__).parent
STATIC = _HERE / "static"


def templates(folder: Path) -> Environment:
    """Return the templates of this folder and the shared ones."""
    return Environment(
        loader=FileSystemLoader([folder, _HERE / "templates"]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: visible(value) if isinstance(value, str) and type(value) is str else value,
    )


def files(folder: Path | None = None) -> StaticFiles:
    """Return an application that serves the files of this folder and the shared ones."""
    from starlette.staticfiles import StaticFiles  # a report has templates without a server

    served = StaticFiles(directory=folder or STATIC)
    if folder is not None:
        served.all_directories.append(STATIC)
    return served
