"""The shape of the program: imports point one way, names stay private, what starts by `python -m` says what it does."""

import ast
import contextlib
import io
import re
import runpy
import sys
import warnings
from functools import cache, cached_property
from pathlib import Path

import pytest

from toolcart.base.command_line import CommandLine, start
from toolcart.base.sources import Unavailable, files_below
from lab.cache import CHECKOUT
from lab.harness.allocation_free_peers import Workbench, configuration
from lab.packaging import message_types

ROOT = Path(__file__).resolve().parents[2]
# Who is lent the processor: the scheduler knows a task by `step` and nothing else.
BY_TURNS = ("toolcart.agent.base.scheduler", "step")

# The rooms of agent/, lowest first: a module imports from rooms below it and from its own, never upward or
# sideways.
FLOORS = (
    {"base"},
    {"record", "link"},
    {"log"},
    {"openprotocol", "toolsnet", "mqtt"},
    {"quarantine"},
    {"station", "outlets"},
    {"linux"},
    {"cart"},
)
# What the protocols may know of the log: names and frames; the log itself is handed to them.
LOG_FOR_PROTOCOLS = {"toolcart.agent.log.snapshot_fields", "toolcart.agent.log.framing", "toolcart.agent.log.search"}

# The rooms of the whole, each with those that it may import from. What lies in none of the named ones is the library:
# `import toolcart` and what it needs.
ROOMS = {
    "agent": (),
    "board": ("agent",),
    "library": ("agent", "board"),
    "archive": ("agent", "library"),
    "tools": ("agent", "board", "library", "archive"),
    "lab": ("agent", "board", "library", "archive", "tools"),
    "host_tests": ("agent", "board", "library", "archive", "tools", "lab"),
}
# The command's start is the library's `__main__`.
ARROWS_MORE = {("library", "toolcart.tools.cli.main")}

# A library of its own in agent/.
LIBRARY = "toolcart.catalogue"
# Modules that make functions out of text. Fields read at the speed of straight code, CPython only.
MAKES_FUNCTIONS = {"toolcart.catalogue.compiled", "toolcart.agent.base.fields_cpython"}


_IMPORT = re.compile(r"^[ \t]*((?:from [\w.]+ )?import (?:\([^)]*\)|[^\n]*))", re.MULTILINE)
_LINES = re.compile(r'"""(?:.|\n)*?"""|\'\'\'(?:.|\n)*?\'\'\'')


class Module:
    """One file: its dotted name, its text and its syntax tree, which is made when a test asks for it."""

    def __init__(self, path):
        self.path = str(path.relative_to(ROOT))
        name = self.path[:-3].replace("/", ".")
        self.name = name.removesuffix(".__init__")

    @cached_property
    def text(self):
        return (ROOT / self.path).read_text(encoding="utf-8")

    @cached_property
    def tree(self):
        return ast.parse(self.text)

    @cached_property
    def import_statements(self):
        """Its imports, at its top or inside a function.

        Where no string of several lines has one too they are read alone: the tree of all takes ten times as long.
        """
        if any(_IMPORT.search(lines) for lines in _LINES.findall(self.text)):
            return [node for node in statements(self.tree) if isinstance(node, ast.Import | ast.ImportFrom)]
        try:
            return ast.parse("\n".join(_IMPORT.findall(self.text))).body
        except SyntaxError:  # a remark between its names
            return [node for node in statements(self.tree) if isinstance(node, ast.Import | ast.ImportFrom)]

    @cached_property
    def imports(self):
        """Every module of ours that it imports."""
        names = set()
        for node in self.import_statements:
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                # The catalogue may be copied and have any name: its own imports are relative.
                assert node.level == self.name.startswith(LIBRARY), f"{self.path}: a relative import, or none"
                module = (f"{LIBRARY}.{node.module}" if node.module else LIBRARY) if node.level else node.module
                for alias in node.names:
                    deeper = f"{module}.{alias.name}"
                    names.add(deeper if is_module(deeper) else module)
        return {name for name in names if name.split(".")[0] in ("toolcart", "lab", "host_tests")}


def statements(node):
    """Yield all statements below; expressions, nine nodes of ten, are not looked at."""
    for field in ("body", "orelse", "handlers", "finalbody", "cases"):
        below = getattr(node, field, ())
        for one in below if isinstance(below, list) else ():
            yield one
            yield from statements(one)


@cache
def is_module(name):
    path = ROOT / name.replace(".", "/")
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def modules_of(folder):
    """Return the modules of a folder, without those that a build makes: whether one was made changes nothing."""
    made = {Path(message_types.FOLDER, name) for name in message_types.FILES}
    return [Module(path) for path in files_below(ROOT / folder) if path not in made]


EVERYTHING = [*modules_of("toolcart"), *modules_of("lab"), *modules_of("host_tests")]


def room_of(name):
    """Return the key of ROOMS for a module or a package."""
    parts = name.split(".")
    if parts[0] != "toolcart":
        return parts[0]
    return parts[1] if len(parts) > 1 and parts[1] in ROOMS else "library"


AGENT, BOARD, LIB, ARCHIVE, TOOLS = (
    [module for module in EVERYTHING if room_of(module.name) == room]
    for room in ("agent", "board", "library", "archive", "tools")
)
CLIENT = [module for module in LIB if module.name.startswith("toolcart.client")]


def floor_of(name):
    room = name.split(".")[2]
    return next(floor for floor, rooms in enumerate(FLOORS) if room in rooms)


def package_of(name):
    """Return the package that is one thing: one of a room, or of the library."""
    parts = name.split(".")
    return ".".join(parts[: 3 if parts[0] == "toolcart" and parts[1:2] and parts[1] in ROOMS else 2])


def breach(module, imported):
    """Return why a module of agent/ may not import this, None if it may."""
    if not imported.startswith("toolcart.agent"):
        return "the core imports the core only"
    if package_of(module) == package_of(imported) or imported == "toolcart.agent":
        return None
    here, there = floor_of(module), floor_of(imported)
    if there > here:
        return "upward"
    if there == here:
        return "sideways"
    if (
        module.startswith(PROTOCOLS)
        and package_of(imported) == "toolcart.agent.log"
        and imported not in LOG_FOR_PROTOCOLS
    ):
        return "a protocol is handed the log, it does not make one"
    return None


PROTOCOLS = ("toolcart.agent.openprotocol.", "toolcart.agent.toolsnet.", "toolcart.agent.mqtt.")


def test_every_room_of_the_core_has_its_floor():
    assert {module.name.split(".")[2] for module in AGENT if module.name != "toolcart.agent"} == set().union(*FLOORS)


def test_imports_of_the_core_point_downward_only():
    inside = [module for module in AGENT if module.name != "toolcart.agent"]
    breaches = {module.name: {name: breach(module.name, name) for name in module.imports} for module in inside}
    assert [(name, why) for name, whys in breaches.items() for why in whys.items() if why[1]] == []


def wrong_arrow(module, imported):
    """True if a module may not import from the room of `imported`."""
    here, there = room_of(module), room_of(imported)
    return (
        here != there
        and there not in ROOMS[here]
        and imported != "toolcart"
        and not any(here == room and imported.startswith(name) for room, name in ARROWS_MORE)
    )


def test_imports_between_the_seven_rooms_point_one_way():
    wrong = [(module.path, name) for module in EVERYTHING for name in module.imports if wrong_arrow(module.name, name)]
    assert wrong == []


def test_nothing_names_a_room_but_below_toolcart():
    """The checkout is on the path: `import agent` would make every module of it a second time."""
    wrong = {
        (module.path, name)
        for module in EVERYTHING
        for node in module.import_statements
        for name in imported_by(node)
        if name.partition(".")[0] in ROOMS and not name.startswith(("lab", "host_tests"))
    }
    assert wrong == set()


def imported_by(node):
    """Return the modules that a statement names."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and not node.level else []


def circles(imports):
    """Return every set of modules that reach each other, sorted; `imports` is the set of imported names by module."""
    reached = {}
    for module in imports:
        reached[module] = seen = set()
        waiting = list(imports[module])
        while waiting:
            name = waiting.pop()
            if name not in seen and name in imports:
                seen.add(name)
                waiting += imports[name]
    return sorted({tuple(sorted(n for n in seen if m in reached[n])) for m, seen in reached.items() if m in seen})


def test_no_import_goes_in_a_circle():
    """Imports inside functions count as well: what waits for a call is still one thing that cannot be taken alone."""
    assert circles({module.name: module.imports for module in EVERYTHING}) == []


def packages_between(modules):
    """Return {package: the packages that it imports}, of modules that lie in a package."""
    arrows = {}
    for module in modules:
        here = package_of(package_holding(module))
        there = {package_of(name if is_package(name) else name.rpartition(".")[0]) for name in module.imports}
        arrows.setdefault(here, set()).update(there - {here})
    return arrows


def is_package(name):
    return (ROOT / name.replace(".", "/") / "__init__.py").is_file()


@pytest.mark.parametrize("room", [AGENT, LIB, ARCHIVE, TOOLS], ids=["agent", "library", "archive", "tools"])
def test_no_package_is_a_knot_with_another(room):
    """What cannot be read, tested or given away without the other is one package."""
    assert circles(packages_between(room)) == []


def package_holding(module):
    return module.name if module.path.endswith("__init__.py") else module.name.rpartition(".")[0]


def depth_of(name, loaded, depth=1):
    """How deep imports nest when `name` is imported: one level for each module that is not there yet."""
    deepest = 0
    parts = name.split(".")
    for end in range(1, len(parts) + 1):
        part = ".".join(parts[:end])
        if part in loaded or not is_module(part):
            continue
        loaded.add(part)
        path = ROOT / part.replace(".", "/")
        path = path.with_suffix(".py") if path.with_suffix(".py").is_file() else path / "__init__.py"
        deepest = max(deepest, depth)
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            for imported in names:
                deepest = max(deepest, depth_of(imported, loaded, depth + 1))
    return deepest


MQTT = "toolcart.agent.outlets.mqtt"


def test_imports_nest_no_deeper_than_the_smallest_stack_allows():
    """With one level more the 32-bit unix port and a board with 8 KB of stack end in a recursion error."""
    loaded = set()
    assert depth_of("toolcart.agent.cart.app", loaded) == 5
    assert max(depth_of(name, loaded) for name in ("toolcart.agent.outlets.toolsnet.forward", MQTT)) <= 4


def private_accesses(module):
    """Return `file:line name` of every private name of another file that a module reads or sets."""
    own = {node.name for node in ast.walk(module.tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    own |= {
        node.attr
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"
    }
    return [
        f"{module.path}:{node.lineno} {node.attr}"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute)
        and node.attr.startswith("_")
        and not node.attr.startswith("__")
        and node.attr not in own
    ]


def test_private_names_stay_in_their_file():
    assert [access for module in AGENT + BOARD + CLIENT for access in private_accesses(module)] == []


def cpython_checks(module):
    """Return where a module asks whether it runs on CPython, but to put a faster twin in the place of a plain form."""
    uses = [node for node in ast.walk(module.tree) if isinstance(node, ast.Name) and node.id == "ON_CPYTHON"]
    twins = [
        node.test
        for node in module.tree.body
        if isinstance(node, ast.If)
        and isinstance(node.body[-1], ast.Assign)
        and ast.unparse(node.body[-1].targets[0]).startswith("globals()")
    ]
    return [f"{module.path}:{node.lineno}" for node in uses if node not in twins]


def test_only_who_puts_the_parts_together_asks_where_it_runs():
    """What Linux has beside is handed in by toolcart.agent.cart: no room below it has a branch for it."""
    lower = [
        module for module in AGENT if package_of(module.name) not in ("toolcart.agent.base", "toolcart.agent.cart")
    ]
    assert [place for module in lower for place in cpython_checks(module)] == []


def test_import_errors_are_caught_in_one_place_of_the_core():
    catchers = set()
    for module in AGENT:
        for node in ast.walk(module.tree):
            if (
                isinstance(node, ast.ExceptHandler)
                and node.type is not None
                and "ImportError" in ast.unparse(node.type)
            ):
                catchers.add(module.name)
    assert catchers == {"toolcart.agent.base.compat"}


def test_core_has_no_properties_and_no_f_strings():
    for module in AGENT:
        for node in ast.walk(module.tree):
            assert not isinstance(node, ast.JoinedStr), f"{module.path}:{node.lineno}: an f-string"
            for decorator in getattr(node, "decorator_list", ()):
                assert "property" not in ast.unparse(decorator), f"{module.path}:{node.lineno}: a property"


# What MicroPython does not have, or pays for on the hot path.
FOREIGN_MODULES = {
    "typing",
    "dataclasses",
    "enum",
    "abc",
    "socket",
    "time",
    "os",
    "sys",
    "threading",
    "asyncio",
    "logging",
}


def test_core_opens_no_socket_reads_no_clock_and_touches_no_system():
    for module in AGENT:
        for node in ast.walk(module.tree):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module]
            if module.name == "toolcart.agent.base.compat":  # it gives modules back
                names = [name for name in names if name != "sys"]
            assert not FOREIGN_MODULES & {name.split(".")[0] for name in names}, module.path
            assert not isinstance(node, ast.NamedExpr | ast.Match | ast.AsyncFunctionDef | ast.Await), module.path
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                banned = {"open", "print", "input", "eval", "exec", "setattr"}
                if module.name in MAKES_FUNCTIONS:
                    banned.remove("exec")
                assert node.func.id not in banned, module.path


# What the checker cannot know stays: a chip's modules where their stubs are wrong, and what is None only while nobody
# asks for it.
IGNORED_MOST = 20
_IGNORED = re.compile(r"#\s*(?:type|pyrefly|pyright|mypy):\s*ignore")
_REASON = re.compile(r"# type: ignore - \S+ \S+")
# One kind of error is left out of the whole file: attributes of what may be None, and what the stubs lack.
PARTLY_CHECKED = {
    "toolcart/board/esp32/board.py",
    "toolcart/board/folder_flash.py",
    "toolcart/board/ntp.py",
    "toolcart/board/sockets.py",
    "toolcart/board/tls.py",
}


def test_types_are_left_unchecked_in_few_places_and_each_says_why():
    ignored, partly = [], set()
    for module in [*AGENT, *BOARD]:
        for number, line in enumerate(module.text.splitlines(), 1):
            if line.startswith("# pyrefly: ignore-errors["):
                partly.add(module.path)
            elif _IGNORED.search(line):
                ignored.append(f"{module.path}:{number}: {line.strip()}")
    assert partly == PARTLY_CHECKED
    assert [place for place in ignored if not _REASON.search(place)] == []
    assert len(ignored) <= IGNORED_MOST, "\n".join(ignored)


def test_the_agent_uses_nothing_of_the_library():
    for module in AGENT + BOARD:
        if not module.name.startswith(LIBRARY):
            assert not {name for name in module.imports if name.startswith(LIBRARY)}, module.path


def core_module(frame):
    path = Path(frame.f_code.co_filename)
    name = path.relative_to(ROOT).with_suffix("").as_posix() if path.is_relative_to(ROOT) else ""
    return name.replace("/", ".") if name.startswith("toolcart/agent/") else None


def calls_of_a_result():
    """Return (caller, called, name of the function) of every call of one result from a module into another."""
    bench = Workbench(configuration())
    bench.settle()
    assert bench.many_results(20)
    calls = set()

    def on_call(frame, event, _):
        called = core_module(frame) if event == "call" else None
        caller = called and core_module(frame.f_back)
        if caller and caller != called:
            calls.add((caller, called, frame.f_code.co_name))

    sys.setprofile(on_call)
    try:
        through = bench.one_result()
    finally:
        sys.setprofile(None)
    assert through and bench.sound()
    return calls


def test_a_live_result_is_called_upward_by_the_scheduler_alone():
    upward = [call for call in calls_of_a_result() if floor_of(call[1]) > floor_of(call[0])]
    assert {(caller, name) for caller, _, name in upward} == {BY_TURNS}


FILES = {file: file.read_text(encoding="utf-8") for top in ("toolcart", "lab") for file in files_below(CHECKOUT / top)}
PASSES_ON = "lab.runtimes.suite"  # to pytest, whatever it does not know itself
COMMAND = "toolcart"  # test_installed.py starts it


def started():
    """The modules that can be started, without those whose name another one has as a word of a command."""
    for file, text in FILES.items():
        name = ".".join(file.relative_to(CHECKOUT).with_suffix("").parts).removesuffix(".__main__")
        if 'if __name__ == "__main__":' in text and name != COMMAND:
            if not any(f'"{name}"' in other for other in FILES.values()):
                yield name


def outcome_of(monkeypatch, name, *words):
    """The exit code and what was printed, of a module as `python -m` starts it."""
    monkeypatch.setattr(sys, "argv", [name, *words])
    # pytest rewrites the asserts of what has a plugin for it, and its loader cannot start a module.
    finders = [finder for finder in sys.meta_path if "Rewriting" not in type(finder).__name__]
    monkeypatch.setattr(sys, "meta_path", finders)
    monkeypatch.delitem(sys.modules, name, raising=False)  # imported by another test, with that loader
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it was imported before, as a module
        with pytest.raises(SystemExit) as ended:
            runpy.run_module(name, run_name="__main__", alter_sys=True)
    return ended.value.code, out.getvalue(), err.getvalue()


@pytest.mark.parametrize("name", sorted(started()))
def test_a_module_started_by_hand_says_what_it_does(monkeypatch, name):
    code, out, err = outcome_of(monkeypatch, name, "--help")
    assert (code, err) == (0, "")
    about = out.split("\n\n")[1] if "\n\n" in out else out  # behind the usage
    assert len(about.split()) > 5 and not about.startswith(("options:", "positional arguments:")), out
    if name != PASSES_ON:
        code, out, err = outcome_of(monkeypatch, name, "--no-such-option")
        assert code == 2 and (out + err).count("\n") == 1, (code, out, err)


def test_modules_that_are_started_by_hand_are_found():
    assert {"toolcart.board.unix.main", "lab.bench.board", "lab.packaging.wheel"} <= set(started())
    assert not {"lab.bench.archive_load", "toolcart.archive.server.demo_server"} & set(started())


def test_what_is_missing_is_one_line():
    def lacks(reason):
        def main():
            CommandLine("Measures.")
            raise reason

        with pytest.raises(SystemExit) as ended:
            start(main)
        return ended.value.code

    assert lacks(Unavailable("no Mosquitto: apt install mosquitto")) == "toolcart: no Mosquitto: apt install mosquitto"
    assert lacks(ModuleNotFoundError(name="paho")).startswith("toolcart: paho is not installed; ")
