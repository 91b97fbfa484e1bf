"""The documents build into a site without a broken link, and `toolcart docs` finds its pages."""

import re

import pytest

from toolcart.base.sources import files_below
from toolcart.tools.cli import docs
from host_tests.support.running import toolcart
from lab.cache import CHECKOUT, Unavailable
from lab.packaging import site

USERS = [CHECKOUT / "README.md", *(CHECKOUT / "docs").glob("*.md")]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return site.build(tmp_path_factory.mktemp("site") / "html").parent


def test_the_site_has_every_page_and_asks_no_other_host(built):
    pages = {path.relative_to(CHECKOUT / "docs").with_suffix("") for path in (CHECKOUT / "docs").rglob("*.md")}
    assert all((built / f"{page}.html").is_file() for page in pages)
    fetched = re.compile(r"<(?:script|img|link)\b[^>]*(?:src|href)=\"(?:https?:)?//")
    assert not [path.name for path in built.rglob("*.html") if fetched.search(path.read_text(encoding="utf-8"))]
    assert "quarantin" in (built / "searchindex.js").read_text(encoding="utf-8")


def test_a_link_that_leads_nowhere_ends_the_build(tmp_path, monkeypatch):
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "index.md").write_text("# Documents\n\n## All\n\n[one](one.md#gone)\n")
    (folder / "one.md").write_text("# One\n")
    monkeypatch.setattr(site, "DOCS", folder)
    monkeypatch.setattr(site, "OTHER_PAGES", ())
    with pytest.raises(Unavailable, match="gone"):
        site.build(tmp_path / "html")


def test_the_command_finds_a_page_and_names_those_there_are(built, monkeypatch):
    monkeypatch.setattr(docs, "places", lambda: [built])
    for name in ("serial", "serial.md", "library/client"):
        output = toolcart("docs", "--path", name).output
        assert output.strip() == str(built / f"{name.removesuffix('.md')}.html")
    assert "no page nothing; there are" in toolcart("docs", "nothing", code=1).output


def test_without_pages_the_command_says_where_they_are(monkeypatch):
    monkeypatch.setattr(docs, "places", list)
    assert "lab.packaging.site" in toolcart("docs", code=1).output


def test_nobody_who_runs_a_cart_is_sent_to_internals():
    """But for the index, and for the figures that README names."""
    allowed = {("README.md", "figures"), *(("index.md", path.stem) for path in (CHECKOUT / "docs/internals").glob("*"))}
    links = re.compile(r"internals/([\w-]+)\.md")
    named = {(page.name, name) for page in USERS for name in links.findall(page.read_text(encoding="utf-8"))}
    assert named <= allowed


def test_every_document_that_the_program_names_is_there():
    named = re.compile(r"\bdocs/[\w/-]+\.(?:md|json)\b")
    files = [path for folder in ("toolcart", "lab", "host_tests") for path in files_below(CHECKOUT / folder)]
    places = {place for path in files for place in named.findall(path.read_text(encoding="utf-8"))}
    assert len(places) >= 10
    assert sorted(place for place in places if not (CHECKOUT / place).exists()) == []
