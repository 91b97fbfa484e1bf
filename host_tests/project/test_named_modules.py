"""Comments, docstrings and documents name modules, files, folders, classes, documents and clauses that are there.

Rules
1. A dotted name that begins with a room has to lead to a module; what follows that module has to be a word of its text.
   In comments and docstrings that name is the one by which the module is imported, which begins with `toolcart` for
   what is linked there.
2. `x/y.py` is the end of a file's path, `y.py` the name of a file; a path that begins with a room may be a folder too.
3. Whatever is started by `python -m` is looked for in all text, not only in comments.
4. A word with a capital inside, and one with a capital behind "raise", is a class: it stands in code, or it is a term
   that a document has.
5. `X.md` is the end of a document's path.
6. `from X import Y` and `import X` inside a string are code for another interpreter, a chip's perhaps: X leads to a
   module, and each Y to a module or a word of it.
7. A word in backticks is a name of the code: of the module that it is in, of its package, of a module that this one
   imports or a file that it names, or of a table in the module's docstring. One with dots, or of a document, is a name
   of any file. What others have, and what a build makes, is in NAMES_OF_OTHERS.
"""

import ast
import builtins
import io
import keyword
import re
import tokenize
from functools import cache

import pytest

from toolcart.base.sources import files_below
from lab.cache import CHECKOUT

ROOMS = ("agent", "archive", "board", "host_tests", "lab", "toolcart", "tools")
LINKED = ("agent", "archive", "board", "tools")  # below toolcart/ too: that is the name by which they are imported

# Names that look alike and are something else: a logger, files of a board and of a service, what a build makes.
NO_MODULES = {
    "toolcart.traffic",
    "toolcart.new",
    "toolcart.fault",
    "toolcart.service",
    "toolcart.messages",
    "toolcart.schema.json",
}
# Names of an attribute, or of a setting, that are also those of a module.
ATTRIBUTES = {"board.tls"}
# Files of others: MicroPython's, Espressif's, a reader's own; and those of a rule that explains itself.
OTHERS = {"tools/mpy-tool.py", "ports/rp2/modules/_boot.py", "ports/esp32/modules/inisetup.py", "idf.py", "esptool.py"}
OTHERS |= {"my_program.py", "a/b.py", "a/c.py", "FOLDER/manifest.py", "x/y.py", "y.py", "toolcart/check"}
OTHERS |= {"ports/esp32/README.md", "X.md"}
# Names in backticks that no code of ours has.
NAMES_OF_OTHERS = {"localhost", "nan", "raises", "select", "sudoedit", "ticks_ms", "yyyymmddhhmmss", "yyyymmddhhnnss"}
NAMES_OF_OTHERS |= {"_x0001_", "max_queued_messages", "synchronous_mode", "podman", "fs_hashfile", "Origin", "NO_COLOR"}
NAMES_OF_OTHERS |= {"RP2350", "flash_nuke.uf2", "plant.gpg", "mNm"}
MADE_BY_BUILD = "toolcart.messages."
# Tests whose strings import what is not there: a change that adds modules to a copy, and this one.
IMPORT_OTHERS = {"host_tests/project/test_changes_by_architecture.py", "host_tests/project/test_named_modules.py"}
# Terms of others that no document has: units, chips, programs, words of systemd.
TERMS = {"GiB", "NaN", "PowerShell", "ProtectClock", "RuntimeDirectory", "StateDirectory", "TestMid0806", "TinyUSB"}
TERMS |= {"W25Q", "W25Q16JV", "WebAssembly"}

_ROOM = "|".join(ROOMS)
_DOTTED = re.compile(rf"(?<![\w./-])((?:{_ROOM})(?:\.[a-z_]\w*)+)(?![\w/]|\.py\b)")
_FILE = re.compile(r"(?<![\w.*{}/-])((?:[\w.-]++/)*[\w-]++\.py)\b")
_PLACE = re.compile(rf"(?<![\w./*{{}}<-])((?:{_ROOM})/[\w./-]*\w)(?![\w*])")
_DOCUMENT = re.compile(r"(?<![\w.*{}<>/-])(?:\.\./)*((?:[\w-]+/)*[\w-]+\.md)\b")
_CLASS = re.compile(r"\b(?:(?<![./#-])([A-Z][a-z0-9]++(?:[A-Z][a-z0-9]*+)++)\b|[Rr]aises? ([A-Z][a-z]+)\b)")
_QUOTED = re.compile(r"(?<!`)`((?:[A-Za-z_]\w*\.)*[A-Za-z_]\w+)(?:\([^()`\n]*\))?`(?!`)", re.ASCII)
_NAMED_FILE = re.compile(r"(?<![\w./-])[\w./-]+\.(?:c|h|js|mjs|py|sh)\b")
_DOCSTRING = re.compile(r'(^[ \t]*r?"""(?:.|\n)*?""")|("""(?:.|\n)*?""")|#.*$', re.MULTILINE)
_PROSE = re.compile(r'#.*$|"""(?:.|\n)*?"""', re.MULTILINE)
_CLAUSES = re.compile(r"protocol\.md (\d+(?:\.\d+)?(?:(?:, | and | to )\d+\.\d+)*)")
_LATER = re.compile(r"(?:@|; |\()later (\d+)\b")
_GIVEN_BACK = re.compile(r'give_back\(("[\w.]+"(?:,\s*"\w+")+),?\s*\)')
_STARTED = re.compile(rf"python3? -m ((?:{_ROOM})(?:\.\w+)+)")
_IMPORTED_FROM = re.compile(rf"\bfrom ((?:{_ROOM})(?:\.\w+)*) import \(?(\s*\w+(?: as \w+)?(?:,\s*\w+(?: as \w+)?)*)")
_INSIDE_A_LINE = re.compile(rf"\S *\b(?:from|import) (?:{_ROOM})\b|\\n *(?:from|import) (?:{_ROOM})\b")
_LINES = re.compile(r'"""(?:.|\n)*?"""|\'\'\'(?:.|\n)*?\'\'\'')
_DOTTED_ANYWHERE = re.compile(rf"\b(?:{_ROOM})(?:\.\w+)+")
_IMPORTED = re.compile(rf"\bimport ((?:{_ROOM})(?:\.\w+)+)")

ROOMS_DOTTED = tuple(f"{room}." for room in ROOMS)
LINKED_DOTTED = tuple(f"{room}." for room in LINKED)
LANGUAGE = frozenset((*dir(builtins), *keyword.kwlist))
DOUBTFUL = CHECKOUT  # where a file is to be, and several could be meant


@cache
def paths():
    """Every file below the rooms, by its path in the checkout, and by that below toolcart/ where a link leads there."""
    by_name = {}
    for room in ROOMS:
        for path in files_below(CHECKOUT / room, ""):
            if "__pycache__" not in path.parts:
                by_name[str(path.relative_to(CHECKOUT))] = path
    return by_name


@cache
def folders():
    return {"/".join(path.split("/")[:depth]) for path in paths() for depth in range(1, path.count("/") + 1)}


@cache
def ends():
    """Every end of a path: the name alone, with its folder, and so on."""
    return {path.split("/", depth)[-1] for path in paths() for depth in range(path.count("/") + 1)}


@cache
def ends_of_documents():
    names = [str(path.relative_to(CHECKOUT)) for path in documents()]
    return {name.split("/", depth)[-1] for name in names for depth in range(name.count("/") + 1)}


@cache
def words():
    """Every word of the code, and of the documents."""
    found = set(TERMS)
    for name, path in paths().items():
        if name.endswith((".py", ".pyi")):
            found.update(re.findall(r"\w+", _PROSE.sub("", path.read_text(encoding="utf-8"))))
    for path in documents():
        found.update(re.findall(r"\w+", path.read_text(encoding="utf-8")))
    return found


@cache
def code_names(path):
    """The names in a file: words outside its comments and docstrings."""
    text = path.read_text(encoding="utf-8")
    if path.suffix in (".py", ".pyi"):
        text = _DOCSTRING.sub(lambda match: match[2] or "", text)
    elif path.suffix in (".c", ".h", ".js", ".mjs"):
        text = re.sub(r"//.*", "", text)
    return frozenset(re.findall(r"[A-Za-z_]\w+", text))


@cache
def package_names(folder):
    """The names of all modules of a folder."""
    return frozenset().union(*map(code_names, [*folder.glob("*.py"), *folder.glob("*.pyi")]))


@cache
def all_names():
    """The names of all code, and of what is beside it: pages, scripts, recipes."""
    suffixes = {".c", ".h", ".html", ".js", ".json", ".mjs", ".py", ".pyi", ".sh", ".toml", ".yml"}
    files = [path for path in [*paths().values(), *(CHECKOUT / "docs").rglob("*")] if path.suffix in suffixes]
    files += [CHECKOUT / "Containerfile", CHECKOUT / "pyproject.toml"]
    return LANGUAGE.union(*map(code_names, files))


@cache
def files_by_end():
    """A file by each end of its path that no other file has."""
    found = {}
    for name, path in paths().items():
        file = path.resolve()  # one that is also below toolcart/, by a link, is no second one
        for depth in range(name.count("/") + 1):
            end = name.split("/", depth)[-1]
            found[end] = file if found.get(end, file) == file else DOUBTFUL
    return found


def file_of(module):
    """The file of a module; None if there is none."""
    for name in (module, f"toolcart.{module}"):
        for end in (".py", "/__init__.py"):
            path = paths().get(name.replace(".", "/") + end)
            if path is not None:
                return path
    return None


@cache
def names_at(path):
    """The names that a comment of this module may put into backticks: rule 7."""
    text = path.read_text(encoding="utf-8")
    docstring = re.match(r'"""((?:.|\n)*?)"""', text)
    tables = "".join(re.findall(r"^ {4,}.*$", docstring[1], re.MULTILINE)) if docstring else ""
    files = [file_of(name) for name in (*imported_in(text), *_DOTTED_ANYWHERE.findall(text))]
    files += [files_by_end().get(name) for name in _NAMED_FILE.findall(text)]
    names = LANGUAGE.union(package_names(path.parent), re.findall(r"\w+", tables))
    return names.union(*(code_names(file) for file in files if file and file != DOUBTFUL))


def quoted_and_gone(line, path):
    """What stands in backticks and is no name: rule 7."""
    names = [name for name in _QUOTED.findall(line) if name not in NAMES_OF_OTHERS | OTHERS and name not in ends()]
    names = [name for name in names if not name.startswith(ROOMS_DOTTED)]  # rule 1
    if path.suffix != ".md":
        names = [name for name in names if name not in names_at(path)]
    return [name for name in names if not is_of_any_file(name, path)]


def is_of_any_file(name, path):
    return ("." in name or path.suffix == ".md") and all_names().issuperset(name.split("."))


@cache
def text_of(module):
    """The text of a module, None if there is none; that of a package is its `__init__`."""
    for path in (f"{module.replace('.', '/')}.py", f"{module.replace('.', '/')}/__init__.py"):
        if path in paths():
            typed = paths()[path].with_suffix(".pyi")
            return paths()[path].read_text(encoding="utf-8") + (typed.read_text("utf-8") if typed.exists() else "")
    return "" if module.replace(".", "/") in folders() else None


@cache
def is_there(name):
    """True if a dotted name leads to a module and, behind it, to a word of its text."""
    parts = name.split(".")
    for depth in range(len(parts), 0, -1):
        text = text_of(".".join(parts[:depth]))
        if text is not None:
            return depth == len(parts) or re.search(rf"\b{parts[depth]}\b", text) is not None
    return False


def is_a_module(name):
    """True if this is meant as one: `board.lamp` is a setting, `toolcart.agent.link.port` is none."""
    parts = name.split(".")
    return name not in NO_MODULES and (
        parts[0] not in LINKED or len(parts) > 2 or f"{parts[0]}/{parts[1]}" in folders()
    )


def prose(path):
    """Number and text of each line that is a comment, a part of a docstring, or of a document."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        yield from enumerate(text.split("\n"), 1)
        return
    before = tokenize.NEWLINE
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        is_docstring = token.type == tokenize.STRING and before in (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)
        if token.type == tokenize.COMMENT or is_docstring:
            yield from enumerate(token.string.split("\n"), token.start[0])
        if token.type not in (tokenize.COMMENT, tokenize.NL):
            before = token.type


def gone_in(line):
    """What a line names and is not there."""
    names = [name for name in _DOTTED.findall(line) if is_a_module(name) and not is_there(name)]
    names += [name for name in _FILE.findall(line) if name not in ends()]
    places = [name for name in _PLACE.findall(line) if not name.endswith((".py", ".md"))]
    names += [name for name in places if not is_a_place(name)]
    names += [name for name in _DOCUMENT.findall(line) if name not in ends_of_documents()]
    names += [name for pair in _CLASS.findall(line) for name in pair if name and name not in words()]
    return [name for name in names if name not in OTHERS]


def short_in(line):
    """What a line names a module by, though it is imported by another name: rule 1."""
    names = [name for name in _DOTTED.findall(line) if name.startswith(LINKED_DOTTED) and name not in ATTRIBUTES]
    return [name for name in names if text_of(".".join(name.split(".")[:2])) is not None]


def is_a_place(name):
    return name in paths() or name in folders() or f"{name}.py" in paths()


def documents():
    return [*CHECKOUT.glob("*.md"), *(CHECKOUT / "docs").rglob("*.md"), CHECKOUT / "archive/README.md"]


def imported_in(text):
    """The dotted names that the text of a string imports."""
    names = _IMPORTED.findall(text)
    for module, given in _IMPORTED_FROM.findall(text):
        names += [f"{module}.{name.split()[0]}" for name in given.split(",")]
    return names


def is_imported(name):
    return is_there(name) or f"{name}.".startswith(MADE_BY_BUILD)


def strings_of(path):
    """The string constants of a module that may import something; those of an f-string by their parts."""
    text = path.read_text(encoding="utf-8")
    if _INSIDE_A_LINE.search(text) or any("import " in lines for lines in _LINES.findall(text)):
        constants = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant)]
        yield from (node.value for node in constants if isinstance(node.value, str) and "import " in node.value)


def gone_of(room, gone_in_text):
    """Place and name of each that `gone_in_text(text, path)` finds in the prose of a room, or of the documents."""
    files = documents() if room == "docs" else (CHECKOUT / room).rglob("*.py")
    return [
        f"{path.relative_to(CHECKOUT)}:{number}: {name}"
        for path in sorted(files)
        if gone_in_text(path.read_text(encoding="utf-8"), path)  # its tokens take much longer
        for number, line in prose(path)
        for name in gone_in_text(line, path)
    ]


@pytest.mark.parametrize("room", [*ROOMS, "docs"])
def test_what_comments_and_documents_name_is_there(room):
    gone = gone_of(room, lambda text, _: gone_in(text))
    assert not gone, "\n".join(gone)


@pytest.mark.parametrize("room", ROOMS)
def test_a_module_is_named_as_it_is_imported(room):
    short = gone_of(room, lambda text, _: short_in(text))
    assert not short, "\n".join(short)


@pytest.mark.parametrize("room", [*ROOMS, "docs"])
def test_what_is_in_backticks_is_a_name(room):
    gone = gone_of(room, quoted_and_gone)
    assert not gone, "\n".join(gone)


def test_every_module_that_a_text_starts_is_there():
    files = [path for path in paths().values() if path.suffix in (".py", ".sh", ".html", ".js")] + documents()
    gone = [
        f"{path.relative_to(CHECKOUT)}: {name}"
        for path in files
        for name in _STARTED.findall(path.read_text(encoding="utf-8"))
        if not is_there(name)
    ]
    assert not gone, "\n".join(gone)


def test_every_module_that_a_string_imports_is_there():
    """Nothing else reads such a line before the image or the process that it is made for runs."""
    files = [path for name, path in paths().items() if name.endswith(".py") and name not in IMPORT_OTHERS]
    imported = [(path, name) for path in files for text in strings_of(path) for name in imported_in(text)]
    assert len(imported) > 50
    gone = [f"{path.relative_to(CHECKOUT)}: {name}" for path, name in imported if not is_imported(name)]
    assert not gone, "\n".join(gone)


def test_every_clause_of_the_protocols_page_that_is_named_is_there():
    page = (CHECKOUT / "docs/internals/protocol.md").read_text(encoding="utf-8")
    clauses = set(re.findall(r"^##+ (\d+(?:\.\d+)?)", page, re.MULTILINE))
    named = set()
    for path in [path for path in paths().values() if path.suffix == ".py"] + documents():
        text = path.read_text(encoding="utf-8")
        named |= {clause for reference in _CLAUSES.findall(text) for clause in re.split(", | and | to ", reference)}
        named |= {f"10.{number}" for number in _LATER.findall(text)}
    assert len(named) > 40 and named <= clauses, sorted(named - clauses)


def test_what_is_gone_is_found():
    assert gone_in("agent.link.no_such, toolcart.agent.cart.app.no_such_name; in old/port.py") == [
        "agent.link.no_such",
        "toolcart.agent.cart.app.no_such_name",
        "old/port.py",
    ]
    assert gone_in("agent/wide/ and nothing_here.py") == ["nothing_here.py", "agent/wide"]
    compound, plain, document = "NoSuch" + "Class", "Gone" + "ish", "NO_SUCH"  # in two words, else they are of the code
    assert gone_in(f"a {compound}; it raises {plain}, see {document}.md") == [f"{document}.md", compound, plain]
    assert not gone_in("a Snapshot or IdLedger, ToolsNet; raises ValueError, see docs/boards.md and ../SECURITY.md")
    assert not gone_in("toolcart.agent.cart.app, agent.link.port, cart/app.py, agent/linux, board.lamp, link.buf")


def test_a_module_that_is_named_in_short_is_found():
    line = (
        "an ASK_ (agent.quarantine.quarantine), board.zone, toolcart.board.zone; the setting board.lamp, board.tls(x)"
    )
    assert short_in(line) == ["agent.quarantine.quarantine", "board.zone"]


def test_a_name_in_backticks_that_is_gone_is_found():
    page, module = CHECKOUT / "docs/boards.md", CHECKOUT / "agent/station/intake.py"
    gone = "never" + "_there"  # in two words, else it is of the code
    line = f"`{gone}` and `{gone}(now)`, `Intake.{gone}`, `fault`, `w`, `None`, `flash_window.offer`, `toolcart run`"
    assert quoted_and_gone(line, module) == [gone, gone, f"Intake.{gone}"] == quoted_and_gone(line, page)
    elsewhere = "`ServerState`, a class of the archive"
    assert quoted_and_gone(elsewhere, module) == ["ServerState"] and not quoted_and_gone(elsewhere, page)


def test_what_a_string_imports_is_found():
    several = (
        "import os\nfrom toolcart.board import (\n    no_such,\n    chip as one,\n)\nimport board.no_such_either, os\n"
    )
    assert imported_in(several) == ["board.no_such_either", "toolcart.board.no_such", "toolcart.board.chip"]
    assert not is_imported("toolcart.board.no_such") and is_imported("toolcart.board.chip")


def test_every_module_that_is_given_back_to_the_heap_is_there():
    """A name that is not would free nothing, without a word: a board has the module of a start for ever."""
    given_back = []
    for path in (path for name, path in paths().items() if name.startswith(("agent/", "board/"))):
        for names in _GIVEN_BACK.findall(path.read_text(encoding="utf-8")):
            package, *modules = re.findall(r"[\w.]+", names)
            given_back += [f"{package}.{module}" for module in modules]
    assert len(given_back) > 10
    assert [name for name in given_back if text_of(name) is None] == []
