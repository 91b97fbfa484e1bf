"""The documents name files that exist, link to pages that exist, and quote figures as they were measured."""

import ast
import re

import pytest

from toolcart.base.cache import CHECKOUT
from lab.bench import tables as told

_PLACE = re.compile(r"`((?:agent|board|tools|host_tests|docs)/[\w./*{},-]*)`")
_LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
_OUR_PARAMETER = re.compile(r"(?<!\d)60(?!000)0\d\d(?!\d)")
_SPECIAL_VALUES = "60012"  # of boards and of Linux, in two modules that cannot see each other
PAGES = told.documents()
_WORDS_MOST = 45000
_WRITTEN_BY_A_COMMAND = "<!-- Written by"
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)


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


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_every_file_that_a_document_names_is_there(page):
    named = {one for place in _PLACE.findall(page.read_text(encoding="utf-8")) for one in _spelled_out(place)}
    gone = sorted(place for place in named if not list(CHECKOUT.glob(place.rstrip("/"))))
    assert gone == []


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_every_link_of_a_document_leads_somewhere(page):
    links = [link for link in _LINK.findall(page.read_text(encoding="utf-8")) if not link.startswith("http")]
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_every_figure_that_a_document_quotes_is_the_one_that_was_measured(page):
    text = page.read_text(encoding="utf-8")
    assert told.quoted(text, told.known()) == text


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


def test_a_measured_figure_that_stands_in_two_places_is_quoted_in_both():
    assert told.unquoted([page.read_text(encoding="utf-8") for page in PAGES]) == set()
    quoted = "113,706<!-- board: octets --> and 1,234<!-- board: wakes -->"
    assert told.unquoted([quoted, "113,706 octets, 11,234 or 1,234.5 wakes"]) == {"113,706"}


def test_a_figure_that_differs_is_renewed_and_one_that_no_one_took_is_refused():
    taken = {"path": {"figures": {"octets": 77216, "share": 0.0666, "a/b, x .mpy": 84058}}}
    assert told.quoted("1<!-- path: octets --> and 2.5<!-- path: share .3 -->", taken) == (
        "77,216<!-- path: octets --> and 0.067<!-- path: share .3 -->"
    )
    assert told.quoted("1<!-- path: octets /1000 --> 1<!-- path: octets /1000 .1 --> KB", taken) == (
        "77<!-- path: octets /1000 --> 77.2<!-- path: octets /1000 .1 --> KB"
    )
    assert told.quoted("1<!-- path: a/b, x .mpy -->", taken) == "84,058<!-- path: a/b, x .mpy -->"
    with pytest.raises(ValueError, match="no benchmark `path` has a figure `speed`"):
        told.quoted("1<!-- path: speed -->", taken)


def test_no_document_asks_an_index_for_toolcart():
    """It is on none: whoever takes the name there is a stranger."""
    pages = [*PAGES, *(CHECKOUT / "docs/library").glob("*.md")]
    asked = re.compile(r"pip install +['\"]?toolcart\b")
    assert not [page.name for page in pages if asked.search(page.read_text(encoding="utf-8"))]


def _words(text):
    """How many words a reader meets: bars and dashes of a table are none, nor are comments."""
    return sum(any(letter.isalnum() for letter in word) for word in _COMMENT.sub("", text).split())


def test_readme_and_docs_stay_short_enough_to_be_read():
    texts = [page.read_text(encoding="utf-8") for page in PAGES if page.name != "CONTRIBUTING.md"]
    assert sum(_words(text) for text in texts if _WRITTEN_BY_A_COMMAND not in text) <= _WORDS_MOST
    assert _words("| `a` | b -- c <!-- path: not me --> |\n|---|---|") == 3
