"""`toolcart docs`: the documents as pages that need no network, where they are installed."""

from __future__ import annotations

import os
import sys
import webbrowser
from pathlib import Path

import click

from toolcart.base.exit_codes import EXIT_OTHER
from toolcart.base.sources import ROOT

BELOW_SHARE = "share/doc/toolcart/html"  # of the Debian package, and of a prefix that somebody has copied them to
BUILT = "dist/site"  # of a checkout


def places() -> list[Path]:
    """The folders in which the pages may lie, the first one first."""
    return [ROOT / BUILT, Path(sys.prefix, BELOW_SHARE), Path("/usr", BELOW_SHARE)]


@click.command()
@click.argument("page", default="index")
@click.option("--path", "path_only", is_flag=True, help="Print the page's path and open nothing.")
def docs(page: str, path_only: bool) -> None:
    """Open the documents in a browser.

    PAGE is a page's name, such as troubleshooting or library/client. Without a desktop the path is printed. The Debian
    package has the pages; a wheel has not.
    """
    folder = next((place for place in places() if (place / "index.html").is_file()), None)
    if folder is None:
        click.echo(
            "the documents are not installed here: the Debian package has them, and in a checkout "
            "`.venv/bin/python -m lab.packaging.site` builds them",
            err=True,
        )
        sys.exit(EXIT_OTHER)
    file = folder / f"{page.removesuffix('.md')}.html"
    if not file.is_file():
        names = sorted(str(page_file.relative_to(folder).with_suffix("")) for page_file in folder.rglob("*.html"))
        click.echo(f"no page {page}; there are {', '.join(names)}", err=True)
        sys.exit(EXIT_OTHER)
    has_desktop = bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    if path_only or not has_desktop or not webbrowser.open(file.as_uri()):
        click.echo(file)
