"""The documents name files that exist and link to pages that exist."""

import ast
import re

import pytest

from toolcart.base.cache import CHECKOUT

_PLACE = re.compile(
    r"`((?:toolcart/(?:agent|board|archive|tools|base|client|codec|sim)|lab|tools|host_tests|docs)/[\w./*{},-]*)`"
)
_LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
_OUR_PARAMETER = re.compile(r"(?<!\d)60(?!000)0\d\d(?!\d)")
_SPECIAL_VALUES = "60012"  # of boards and of Linux, in two modules that cannot see each other
PAGES = [*sorted(CHECKOUT.glob("*.md")), *sorted((CHECKOUT / "docs").rglob("*.md"))]
NAMES = [str(page.relative_to(CHECKOUT)) for page in PAGES]
_WORDS_MOST = 56000
_WRITTEN_BY_A_COMMAND = "<!-- Written by"


def _spelled_out(place):
    """`a/{b,c}.py` is `a/b.py` and `a/c.py`."""
    found = re.match(r"(.*)\{([^}]*)\}(.*)", place)
    if not found:
        return [place]
    return [one for part in found[2].split(",") for one in _spelled_out(found[1] + part + found[3])]


def _code(text):
    """The constants of a module: comments and docstrings speak of IDs, too."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and not (isinstance(node.value, str) and "\n" in node.value):
            yield str(node.value)


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_file_that_a_document_names_is_there(page):
    named = {one for place in _PLACE.findall(page.read_text(encoding="utf-8")) for one in _spelled_out(place)}
    gone = sorted(place for place in named if not list(CHECKOUT.glob(place.rstrip("/"))))
    assert gone == []


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_link_of_a_document_leads_somewhere(page):
    links = [link for link in _LINK.findall(page.read_text(encoding="utf-8")) if not link.startswith("http")]
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_each_parameter_of_ours_has_one_id_and_stands_in_the_table():
    agent = CHECKOUT / "toolcart" / "agent"
    modules = [*(agent / "toolsnet").glob("*04.py"), *(agent / "wide").glob("telegram04_*.py")]
    modules.append(CHECKOUT / "toolcart/archive/quarantine.py")
    codes = ["\n".join(_code(path.read_text(encoding="utf-8"))) for path in modules]
    used = [ident for code in codes for ident in _OUR_PARAMETER.findall(code)]
    used.remove(_SPECIAL_VALUES)
    table = (CHECKOUT / "docs/outlets.md").read_text(encoding="utf-8").partition("## Parameters of our own")[2]
    rows = [line for line in table.partition("\n## ")[0].splitlines() if line.startswith("| 60")]
    assert sorted(used) == sorted(ident for row in rows for ident in _OUR_PARAMETER.findall(row.split("|")[1]))


def test_no_document_asks_an_index_for_toolcart():
    """It is on none: whoever takes the name there is a stranger."""
    asked = re.compile(r"pip install +['\"]?toolcart\b")
    assert not [page.name for page in PAGES if asked.search(page.read_text(encoding="utf-8"))]


def _words(text):
    """How many words a reader meets: bars and dashes of a table are none."""
    return sum(any(letter.isalnum() for letter in word) for word in text.split())


def test_readme_and_docs_stay_short_enough_to_be_read():
    texts = [page.read_text(encoding="utf-8") for page in PAGES if page.name != "CONTRIBUTING.md"]
    assert sum(_words(text) for text in texts if _WRITTEN_BY_A_COMMAND not in text) <= _WORDS_MOST
