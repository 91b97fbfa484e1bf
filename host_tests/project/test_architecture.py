"""The shape of the program: imports point one way, classes and functions stay small, private names stay private."""

import ast
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FUNCTION_LINES_MAX = 40
MACHINE_CODE_LINES_MAX = 90  # there a call between two functions costs more than a move
CHAIN_MAX = 2  # classes: one and what it derives from

# The rooms of toolcart/agent/, lowest first: a module imports from rooms below it and from its own, never upward or
# sideways.
FLOORS = (
    {"base", "catalogue"},
    {"record", "link"},
    {"log"},
    {"openprotocol", "toolsnet", "mqtt"},
    {"quarantine"},
    {"station", "outlets"},
    {"wide"},
    {"cart"},
)
# What the protocols may know of the log: names and frames; the log itself is handed to them.
LOG_FOR_PROTOCOLS = {"toolcart.agent.log.numbers", "toolcart.agent.log.record", "toolcart.agent.log.search"}

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
# `archive quarantine` reads a spool as `toolcart spool` does; the command's start is the library's `__main__`; what
# runs the tests on a MicroPython has to name them.
ARROWS_MORE = {("archive", "toolcart.tools.spool"), ("library", "toolcart.tools.cli.main"), ("lab", "host_tests")}

# Modules whose test is not named after them: the test that is.
TESTED_BY = {
    "toolcart.agent.base.fast_crc": "test_fast",
    "toolcart.agent.cart.app": "test_path",
    "toolcart.agent.cart.area": "test_path",
    "toolcart.agent.cart.assembly": "test_path",
    "toolcart.agent.cart.secrets": "test_config",
    "toolcart.agent.cart.liveness": "test_watchdog",
    "toolcart.agent.cart.settings": "test_config",
    "toolcart.agent.link.block": "test_r3964",
    "toolcart.agent.link.payload": "test_r3964",
    "toolcart.agent.link.port": "test_sim_line",
    "toolcart.agent.log.areas": "test_spool_document",
    "toolcart.agent.log.carry": "test_log_append",
    "toolcart.agent.log.codes": "test_log_append",
    "toolcart.agent.log.cursor": "test_log_append",
    "toolcart.agent.log.desk": "test_log_append",
    "toolcart.agent.log.head": "test_log_search",
    "toolcart.agent.log.log": "test_log_append",
    "toolcart.agent.log.mount": "test_log_proof",
    "toolcart.agent.log.numbers": "test_log_state",
    "toolcart.agent.log.reader": "test_log_append",
    "toolcart.agent.log.record": "test_event",
    "toolcart.agent.log.search": "test_log_search",
    "toolcart.agent.log.state": "test_log_state",
    "toolcart.agent.mqtt.session": "test_mqtt_session",
    "toolcart.agent.record.behind": "test_same",
    "toolcart.agent.mqtt.shown": "test_mqtt",
    "toolcart.agent.openprotocol.filling": "test_recovery_parts",
    "toolcart.agent.openprotocol.heard": "test_recovery_parts",
    "toolcart.agent.openprotocol.pushes": "test_recovery_parts",
    "toolcart.agent.openprotocol.question": "test_recovery_parts",
    "toolcart.agent.openprotocol.whose": "test_recovery_parts",
    "toolcart.agent.openprotocol.identity": "test_openprotocol_session",
    "toolcart.agent.openprotocol.plausible": "test_serial_path",
    "toolcart.agent.openprotocol.questions": "test_recovery",
    "toolcart.agent.openprotocol.requests": "test_openprotocol_session",
    "toolcart.agent.openprotocol.buffer": "test_spindles",
    "toolcart.agent.openprotocol.commands": "test_commands",
    "toolcart.agent.station.command_orders": "test_commands",
    "toolcart.agent.openprotocol.session": "test_openprotocol_session",
    "toolcart.agent.openprotocol.spindle_ids": "test_spindles",
    "toolcart.agent.openprotocol.shared": "test_shared_ids",
    "toolcart.agent.openprotocol.states": "test_openprotocol_session",
    "toolcart.agent.openprotocol.straight_layouts": "test_straight",
    "toolcart.agent.openprotocol.walk": "test_recovery_walk",
    "toolcart.agent.outlets.toolsnet.late": "test_forward",
    "toolcart.agent.outlets.toolsnet.policy": "test_refusals_model",
    "toolcart.agent.outlets.toolsnet.offer": "test_refusals_model",
    "toolcart.agent.outlets.toolsnet.row": "test_refusals_model",
    "toolcart.agent.outlets.toolsnet.sent": "test_refusals_model",
    "toolcart.agent.outlets.toolsnet.standing": "test_forward",
    "toolcart.agent.quarantine.entries": "test_quarantine_orders",
    "toolcart.agent.outlets.toolsnet.shown": "test_forward",
    "toolcart.agent.quarantine.holes": "test_quarantine",
    "toolcart.agent.quarantine.orders": "test_quarantine_orders",
    "toolcart.agent.record.graph": "test_controller_curves",
    "toolcart.agent.record.odd": "test_line",
    "toolcart.agent.outlets.toolsnet.making": "test_path",
    "toolcart.agent.record.raw": "test_event",
    "toolcart.agent.record.text": "test_status",
    "toolcart.agent.toolsnet.odd04": "test_result04",
    "toolcart.agent.toolsnet.session": "test_toolsnet_session",
    "toolcart.agent.wide.controller_programs": "test_descriptions",
    "toolcart.agent.wide.curves": "test_graphs_to_toolsnet",
    "toolcart.agent.wide.rows": "test_graphs_to_toolsnet",
    "toolcart.agent.wide.special_values": "test_specials",
    "toolcart.agent.wide.identifier_parts": "test_identifiers",
    "toolcart.agent.wide.telegram02": "test_descriptions",
    "toolcart.agent.wide.telegram04_identifiers": "test_identifiers",
    "toolcart.agent.wide.telegram04_specials": "test_spindles",
    "toolcart.agent.wide.telegram04_spindles": "test_spindles04",
    "toolcart.agent.wide.outlets": "test_path_files",
    "toolcart.agent.wide.http_words": "test_http_client",
    "toolcart.agent.wide.web_address": "test_http_client",
    "toolcart.agent.wide.toolsnet": "test_events",
    "toolcart.agent.wide.toolsnet_curves": "test_graphs_to_toolsnet",
    "toolcart.agent.wide.toolsnet_descriptions": "test_descriptions",
    "toolcart.agent.wide.toolsnet_events": "test_events",
    "toolcart.agent.wide.toolsnet_source": "test_events",
    "toolcart.agent.wide.toolsnet_window": "test_window",
    "toolcart.board.boot": "test_safe_mode",
    "toolcart.board.chip": "test_rp2",
    "toolcart.board.console": "test_upkeep",
    "toolcart.board.esp32_flash": "test_esp32",
    "toolcart.board.hold": "test_rp2",
    "toolcart.board.linux_control": "test_quarantine_commands",
    "toolcart.board.linux_notify": "test_service",
    "toolcart.board.linux_serial_server": "test_serial_server",
    "toolcart.board.linux_tcp": "test_linux",
    "toolcart.board.loop": "test_linux",
    "toolcart.board.main": "test_upkeep",
    "toolcart.board.unix_main": "test_unix_main",
    "toolcart.board.boot_rp2": "test_image",
    "toolcart.board.network": "test_rp2",
    "toolcart.board.qemu": "test_firmware_path",
    "toolcart.board.rp2_flash": "test_rp2",
    "toolcart.board.sockets": "test_rp2",
    "toolcart.board.uart": "test_linux_serial",
    "toolcart.board.unix": "test_end_to_end",
    "toolcart.board.unix_serial": "test_linux_serial",
    "toolcart.board.why": "test_reasons",
}


# A library of its own in toolcart/agent/: one test module a subject, and one module that may make functions out of
# text.
LIBRARY = "toolcart.agent.catalogue"
LIBRARY_TEST = "test_catalogue"
# Fields read at the speed of straight code, CPython only.
MAKES_FUNCTIONS = {"toolcart.agent.catalogue.compiled", "toolcart.agent.base.straight"}


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
    def imports(self):
        """Every module of ours that it imports, at its top or inside a function."""
        found = set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                # The catalogue may be copied and have any name: its own imports are relative.
                assert node.level == self.name.startswith(LIBRARY), f"{self.path}: a relative import, or none"
                module = (f"{LIBRARY}.{node.module}" if node.module else LIBRARY) if node.level else node.module
                for alias in node.names:
                    deeper = f"{module}.{alias.name}"
                    found.add(deeper if is_module(deeper) else module)
        return {name for name in found if name.split(".")[0] in ("toolcart", "lab", "host_tests")}

    def functions(self):
        return [node for node in ast.walk(self.tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def is_module(name):
    path = ROOT / name.replace(".", "/")
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def modules_of(folder):
    return [Module(path) for path in sorted((ROOT / folder).rglob("*.py"))]


EVERYTHING = [*modules_of("toolcart"), *modules_of("lab"), *modules_of("host_tests")]


def room_of(name):
    """Return the key of ROOMS for a module or a package."""
    parts = name.split(".")
    if parts[0] != "toolcart":
        return parts[0]
    return parts[1] if len(parts) > 1 and parts[1] in ROOMS else "library"


AGENT, BOARD, LIB, ARCHIVE, TOOLS, LAB, TESTS = ([m for m in EVERYTHING if room_of(m.name) == room] for room in ROOMS)
CLIENT = [module for module in LIB if module.name.startswith("toolcart.client")]
PROGRAM = [module for module in EVERYTHING if room_of(module.name) != "host_tests"]


def floor_of(name):
    room = name.split(".")[2]
    return next(floor for floor, rooms in enumerate(FLOORS) if room in rooms)


def package_of(name):
    """Return the package that is one thing: a room of the core, of the tools or of the rest."""
    parts = name.split(".")
    return ".".join(parts[: 3 if parts[:2] in (["toolcart", "agent"], ["toolcart", "tools"]) else 2])


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


def test_the_core_has_no_loose_files():
    assert [module.path for module in AGENT if module.path.count("/") == 2] == ["toolcart/agent/__init__.py"]


def test_imports_of_the_core_point_downward_only():
    inside = [module for module in AGENT if module.name != "toolcart.agent"]
    found = {module.name: {name: breach(module.name, name) for name in module.imports} for module in inside}
    assert [(name, why) for name, whys in found.items() for why in whys.items() if why[1]] == []


def test_the_rule_of_the_rooms_can_be_broken():
    assert breach("toolcart.agent.base.fifo", "toolcart.agent.link.stream") == "upward"
    assert breach("toolcart.agent.openprotocol.known", "toolcart.agent.log.log") is not None
    assert breach("toolcart.agent.openprotocol.known", "toolcart.agent.log.numbers") is None
    assert breach("toolcart.agent.log.log", "toolcart.agent.openprotocol.ids") == "upward"
    assert breach("toolcart.agent.link.port", "toolcart.agent.record.event") == "sideways"
    assert breach("toolcart.agent.toolsnet.session", "toolcart.agent.openprotocol.header") == "sideways"
    assert breach("toolcart.agent.log.log", "toolcart.agent.station.store") == "upward"
    assert breach("toolcart.agent.station.intake", "toolcart.agent.outlets.toolsnet.forward") == "sideways"
    assert breach("toolcart.agent.outlets.toolsnet.forward", "toolcart.agent.cart.app") == "upward"
    assert breach("toolcart.agent.cart.app", "toolcart.board.linux") is not None
    assert breach("toolcart.agent.station.intake", "toolcart.agent.log.log") is None


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
    found = [(module.path, name) for module in EVERYTHING for name in module.imports if wrong_arrow(module.name, name)]
    assert found == []


def test_an_arrow_that_points_back_is_found():
    assert wrong_arrow("toolcart.board.linux", "toolcart.tools.words.reasons")
    assert wrong_arrow("toolcart.tools.spool.commands", "lab.bench.path")
    assert wrong_arrow("toolcart.client.connect", "toolcart.archive.database")
    assert wrong_arrow("toolcart.archive.rows", "toolcart.tools.words.status")
    assert not wrong_arrow("toolcart.archive.quarantine", "toolcart.tools.spool.opened")
    assert not wrong_arrow("toolcart.sim.controller", "toolcart.agent.base.ticks")


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


def test_a_circle_of_imports_is_found():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b", "x"}, "d": {"a"}}) == [("b", "c")]
    assert circles({"a": {"b"}, "b": {"c"}, "c": set()}) == []


def packages_between(modules):
    """Return {package: the packages that it imports}, of modules that lie in a package."""
    found = {}
    for module in modules:
        here = package_of(package_holding(module))
        there = {package_of(name if is_package(name) else name.rpartition(".")[0]) for name in module.imports}
        found.setdefault(here, set()).update(there - {here})
    return found


def is_package(name):
    return (ROOT / name.replace(".", "/") / "__init__.py").is_file()


def test_no_package_is_a_knot_with_another():
    """What cannot be read, tested or given away without the other is one package."""
    assert circles(packages_between(AGENT)) == circles(packages_between(TOOLS)) == []


def test_tools_have_no_attic():
    """A module lies in the package of what it is for."""
    assert [module.path for module in TOOLS if module.path.count("/") == 2] == ["toolcart/tools/__init__.py"]
    assert [module.path for module in LAB if module.path.count("/") == 1] == ["lab/__init__.py"]


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


def test_imports_nest_no_deeper_than_the_smallest_stack_allows():
    """With one level more the 32-bit unix port and a board with 8 KB of stack end in a recursion error."""
    assert depth_of("toolcart.agent.cart.app", set()) == 5


def test_only_the_application_knows_all_others():
    importers = {module.name for module in AGENT if "toolcart.agent.cart.app" in module.imports}
    assert importers == set()


def classes_of(modules):
    """Return {name: (path, names of its bases)} of every class."""
    return {
        node.name: (module.path, [ast.unparse(base).split(".")[-1] for base in node.bases])
        for module in modules
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef)
    }


def chain_of(name, classes):
    """Return how many classes of ours a class is made of, itself included."""
    return 1 + max(
        (chain_of(base, classes) for base in classes[name][1] if base in classes and base != name), default=0
    )


def test_no_class_is_a_chain_of_more_than_two():
    """Classes that were cut to keep files short are one idea in several places."""
    classes = classes_of(AGENT + BOARD + CLIENT)
    assert {name: chain_of(name, classes) for name in classes if chain_of(name, classes) > CHAIN_MAX} == {}


def test_a_chain_of_three_classes_is_found():
    classes = {"A": ("a.py", ["object"]), "B": ("b.py", ["A"]), "C": ("c.py", ["B"])}
    assert [chain_of(name, classes) for name in "ABC"] == [1, 2, 3]


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


def is_machine_code(function):
    return [ast.unparse(decorator) for decorator in function.decorator_list] == ["micropython.viper"]


def test_functions_are_short():
    for module in AGENT + BOARD + CLIENT:
        for function in module.functions():
            lines = function.end_lineno - function.lineno + 1
            most = MACHINE_CODE_LINES_MAX if is_machine_code(function) else FUNCTION_LINES_MAX
            assert lines <= most, f"{module.path}: {function.name} has {lines} lines, at most {most}"


def cpython_asked(module):
    """Return where a module asks whether it runs on CPython, but to put a faster twin in the place of a plain form."""
    asked = [node for node in ast.walk(module.tree) if isinstance(node, ast.Name) and node.id == "ON_CPYTHON"]
    twins = [
        node.test
        for node in module.tree.body
        if isinstance(node, ast.If)
        and isinstance(node.body[-1], ast.Assign)
        and ast.unparse(node.body[-1].targets[0]).startswith("globals()")
    ]
    return [f"{module.path}:{node.lineno}" for node in asked if node not in twins]


def test_only_who_puts_the_parts_together_asks_where_it_runs():
    """What Linux has beside is handed in by toolcart.agent.cart: no room below it has a branch for it."""
    lower = [
        module for module in AGENT if package_of(module.name) not in ("toolcart.agent.base", "toolcart.agent.cart")
    ]
    assert [place for module in lower for place in cpython_asked(module)] == []


def test_a_branch_for_linux_is_found_and_a_twin_is_none():
    module = Module(ROOT / "toolcart/agent/cart/assembly.py")
    assert cpython_asked(module)
    assert cpython_asked(Module(ROOT / "toolcart/agent/link/stream.py")) == []


def test_every_module_says_in_its_first_line_what_it_promises():
    for module in PROGRAM:
        said = ast.get_docstring(module.tree)
        if module.text.strip():
            assert said and said.splitlines()[0].strip(), module.path


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


# What MicroPython does not have, or pays for on the hot path (DESIGN.md, MICROPYTHON.md part 6).
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


def test_the_agent_uses_nothing_of_the_library():
    for module in AGENT + BOARD:
        if not module.name.startswith(LIBRARY):
            assert not {name for name in module.imports if name.startswith(LIBRARY)}, module.path


def test_every_module_has_its_test():
    tests = {path.stem for path in (ROOT / "host_tests").rglob("test_*.py")}
    for module in AGENT + BOARD:
        if module.path.endswith("__init__.py"):
            continue
        own = LIBRARY_TEST if module.name.startswith(LIBRARY) else "test_" + module.name.split(".")[-1]
        wanted = TESTED_BY.get(module.name, own)
        assert wanted in tests, f"{module.path} has no {wanted}.py"


def test_module_that_has_a_test_of_its_own_name_needs_no_other():
    tests = {path.stem for path in (ROOT / "host_tests").rglob("test_*.py")}
    for name in TESTED_BY:
        assert is_module(name), name
        own = "test_" + name.split(".")[-1]
        assert own not in tests or own == TESTED_BY[name], name


def test_nothing_is_left_to_be_done_later():
    marks = ("TO" + "DO", "FIX" + "ME", "XX" + "X")
    for module in EVERYTHING:
        assert not [mark for mark in marks if mark in module.text], module.path
