"""Builds the documents into a site that can be searched without a network: `python -m lab.packaging.site [FOLDER]`.

1. Sphinx with MyST and the theme Furo (extra `docs`). A link or an anchor that leads nowhere ends the build.
2. docs/index.md says what the site's side has, and in which order: a heading is a part, its links are the pages.
3. The pages are those that a reader of the repository has: what Sphinx alone needs is added here, in a copy.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import re
import shutil
import sys
import tempfile
from pathlib import Path

from lab.cache import CACHE, CHECKOUT, Unavailable, forget_old, whole_folder
from lab.packaging import wheel

DOCS = CHECKOUT / "docs"
OTHER_PAGES = ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "SUPPORT.md")  # pages that lie beside docs/
NEEDED = ("sphinx", "myst_parser", "furo")
HINT = ".venv/bin/pip install -e '.[docs]'"
_PART = re.compile(r"^## (.*)$", re.MULTILINE)
_LINK = re.compile(r"\]\(([\w./-]+)\.md\)")

CONFIGURATION = """
project = "toolcart"
version = release = {version!r}
html_title = "toolcart {version}"
copyright = "toolcart contributors"
extensions = ["myst_parser"]
html_theme = "furo"
html_show_sphinx = html_show_sourcelink = html_copy_source = False
html_show_search_summary = False  # it would fetch pages, which a browser refuses for files
myst_heading_anchors = 4
myst_links_external_new_tab = False
highlight_language = "none"
pygments_style = "friendly"
exclude_patterns = ["ansible/**"]
suppress_warnings = ["misc.highlighting_failure"]  # PostgreSQL's $1
"""


def build(target: Path) -> Path:
    """Build the site into the folder `target` and return its first page; Unavailable with what Sphinx said."""
    if missing := [name for name in NEEDED if importlib.util.find_spec(name) is None]:
        raise Unavailable(f"the site needs {', '.join(missing)}: {HINT}")
    with tempfile.TemporaryDirectory(prefix="toolcart-site-") as folder:
        source = Path(folder, "source")
        lay_out(source)
        built = whole_folder(CACHE / "sites" / _digest(source), lambda new: _sphinx(source, Path(folder, "trees"), new))
    forget_old(built.parent)
    shutil.copytree(built, target, dirs_exist_ok=True)
    return target / "index.html"


def _sphinx(source: Path, trees: Path, target: Path) -> None:
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", "-d", str(trees)]
    command += [str(source), str(target)]
    wheel.output_of(command, "Sphinx does not take the documents", source)
    for name in (".buildinfo", "objects.inv"):
        (target / name).unlink(missing_ok=True)


def _digest(source: Path) -> str:
    """What the site is made of, in a name: it takes Sphinx half a minute on a busy machine."""
    digest = hashlib.sha256(importlib.metadata.version("sphinx").encode())
    for path in sorted(path for path in source.rglob("*") if path.is_file()):
        digest.update(str(path.relative_to(source)).encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def lay_out(source: Path) -> None:
    """Copy the documents, with the links between docs/ and what lies beside it as they are in the copy."""
    shutil.copytree(DOCS, source)
    for name in OTHER_PAGES:
        text = (CHECKOUT / name).read_text(encoding="utf-8")
        (source / name).write_text(text.replace("](docs/", "]("), encoding="utf-8")
    for page in source.rglob("*.md"):
        up = "../" * len(page.relative_to(source).parts)
        text = page.read_text(encoding="utf-8")
        for name in OTHER_PAGES:
            text = text.replace(f"]({up}{name}", f"]({up.removesuffix('../')}{name}")
        page.write_text(text, encoding="utf-8")
    index = source / "index.md"
    text = index.read_text(encoding="utf-8")
    index.write_text(text + side(text, source), encoding="utf-8")
    (source / "conf.py").write_text(CONFIGURATION.format(version=wheel.version()), encoding="utf-8")


def side(index: str, source: Path) -> str:
    """The tables of contents: what the index links, and behind it what a part's folder has besides."""
    every = {str(page.relative_to(source).with_suffix("")) for page in source.rglob("*.md")} - {"index"}
    linked = _LINK.findall(index)
    sections = []
    _, *parts = _PART.split(index)
    for title, part in zip(parts[::2], parts[1::2], strict=True):
        links = list(dict.fromkeys(_LINK.findall(part)))
        folders = {link.rpartition("/")[0] for link in links} - {""}
        more = sorted(page for page in every if page.rpartition("/")[0] in folders and page not in linked)
        rows = "\n".join([*links, *more])
        sections.append(f"\n```{{toctree}}\n:hidden:\n:caption: {title}\n\n{rows}\n```\n")
    return "".join(sections)


if __name__ == "__main__":
    wheel.by_hand(__doc__, build, "dist/site")
