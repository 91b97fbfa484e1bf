"""Makes the trees in which the portable tests meet the program as boards get it: compacted, bundled, short names.

Rules
1. The tests are adapted to the program (`Program.tests_texts`), not the other way round: the program is the
   product's, plus only what a test uses and the product does not.
2. A test that calls what the compactor inlines, or turns into a function, needs it in its original form. Such tests
   have a tree of their own, in which these stay; all others meet the very functions that boards run.
3. The program is compiled as for a board, without asserts; the tests keep theirs.
4. No board has the library (tools.base.sources), so neither it nor its tests are here.
5. A test that cannot hold there is named in NOT_HERE with its reason. It runs anyway, and is a failure if it
   passes: the list never has more than it needs.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from pathlib import Path

from tools.base.cache import Unavailable
from tools.base.sources import uses_library
from tools.compact.program import Program, without_collection
from tools.compact.scopes import scopes
from tools.compact.tree import OPTIONS, dotted, files_of, program_of, remembered
from tools.compact.walk import walk
from tools.runtimes.build import (
    Source,
    compile_object,
    compiled_text,
    module_of,
    product_sources,
    support_sources,
    tree_of,
)
from tools.runtimes.catalogue import Runtime
from tools.runtimes.harness import Machine, Outcome

# "module.test", or "module" if nothing in it can run: why it cannot hold in the form that boards get.
NOT_HERE = {
    "test_fast": "it compares machine code with the plain loops, and one program has one of the two",
    "test_health.test_every_counter_has_one_number_and_one_name": "the numbers of the counters have no names there",
}


PORTABLE = "host_tests.portable"  # it runs a module's tests


@dataclass(frozen=True)
class Wants:
    """What a test and its helpers need of the program that the product's own form does not have."""

    missing: frozenset[str]  # the product does not use it
    shaped: frozenset[str]  # the product has it in another place, or as a function
    asked: frozenset[str]  # methods that it has: it might not, if more were inlined


def tests_of(sources: list[Source]) -> dict[str, str]:
    """Return the portable modules of tests and simulators by dotted name."""
    return {dotted(source.name): compiled_text(source) for source in sources}


def imports_of(tree: ast.Module) -> list[str]:
    """Return everything that a module may import: modules, and names in them that may be modules."""
    found = []
    for node in walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            found += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return found


def reached(name: str, imports: dict[str, list[str]]) -> set[str]:
    """Return the module `name` and all of `imports` that it imports, directly or not."""
    found: set[str] = set()
    todo = [name]
    while todo:
        module = todo.pop()
        if module not in found and module in imports:
            found.add(module)
            todo += imports[module]
    return found


def wants(program: Program, outside: dict[str, str]) -> dict[str, Wants]:
    """Return what each module of `outside` needs of `program`, without what its imports need."""
    has, had = _tops(program.shaped), _tops(program.pruned)
    before, after = _methods(program.pruned), _methods(program.shaped)
    moved = {name for owner in before for name in before[owner] - after.get(owner, set())}
    methods = {name for names in before.values() for name in names}
    theirs = {name for names in _methods(outside).values() for name in names if name.startswith("_")}
    found = {}
    for module, text in outside.items():
        missing: set[str] = set()
        shaped: set[str] = set()
        asked_for: set[str] = set()
        tree = ast.parse(text)
        modules = {}
        for node in walk(tree):
            if isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    modules[alias.asname or alias.name] = f"{node.module}.{alias.name}"
                    if node.module in has and modules[alias.asname or alias.name] not in has:
                        asked = {alias.name} - has[node.module]
                        missing |= asked - had[node.module]
                        shaped |= asked & had[node.module]
        for node in walk(tree):
            if isinstance(node, ast.ClassDef):  # it has its own form of what it derives from, or stands for
                shaped |= {one.name for one in node.body if isinstance(one, ast.FunctionDef)} & moved
            elif isinstance(node, ast.Constant) and node.value in moved:
                shaped.add(node.value)
            elif isinstance(node, ast.Attribute):
                holder = node.value.id if isinstance(node.value, ast.Name) else ""
                where = modules.get(holder)
                if where in has:
                    asked = {node.attr} - has[where]
                    missing |= asked - had[where]
                    shaped |= asked & had[where]
                elif holder != "self" or node.attr not in theirs:
                    shaped |= {node.attr} & moved
                    asked_for |= {node.attr} & methods
        found[module] = Wants(frozenset(missing), frozenset(shaped), frozenset(asked_for))
    return found


def _tops(texts: dict[str, str]) -> dict[str, set[str]]:
    """Return the names at the top of each module."""
    return {module: scopes(ast.parse(text))[0].names for module, text in texts.items()}


def _methods(texts: dict[str, str]) -> dict[tuple[str, str], set[str]]:
    """Return the methods of each class but board/'s, by module and class."""
    return {
        (module, node.name): {one.name for one in node.body if isinstance(one, ast.FunctionDef)}
        for module, text in texts.items()
        if not module.startswith("board")
        for node in ast.parse(text).body
        if isinstance(node, ast.ClassDef)
    }


# -- trees ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Group:
    """Tests that run in one tree: their names, all modules beside the program, and what stays for them."""

    tests: list[str]
    outside: dict[str, str]
    spare: frozenset[str]
    keep: frozenset[str]


@without_collection
def groups(program: Program, modules: dict[str, str]) -> list[Group]:
    """Return the tests among `modules` in two groups: those that meet the product's very functions, and the others."""
    imports = {name: imports_of(ast.parse(text)) for name, text in modules.items()}
    outside = program.outside(modules)
    wanted = wants(program, outside)
    tests: tuple[list[str], list[str]] = ([], [])
    for name in modules:
        if name.rpartition(".")[2].startswith("test_"):
            tests[any(wanted[module].shaped for module in reached(name, imports))].append(name)
    found = []
    for names in tests:
        beside = set().union(*(reached(name, imports) for name in (*names, PORTABLE)))
        beside |= {module.rpartition(".")[0] for module in beside} & set(modules)
        keep = frozenset().union(*(wanted[module].shaped | wanted[module].asked for module in beside))
        found.append(
            Group(
                names,
                {module: text for module, text in outside.items() if module in beside},
                frozenset().union(*(wanted[module].missing for module in beside)),
                keep if any(wanted[module].shaped for module in beside) else frozenset(),
            )
        )
    return found


def trees(machine: str) -> dict[str, Path]:
    """Return the tree that each portable test module runs in, by its name; native code is compiled for `machine`."""
    product = product_sources()
    support = [source for source in support_sources() if not uses_library(source)]
    found = {}
    for tests, program, beside in remembered((product, support), lambda: _texts_of_groups(product, support)):
        objects = {}
        for options, files in ((OPTIONS, program), ((), beside)):
            for name, text in files:
                compiled, said = compile_object(Source(name, text), machine, *options)
                if compiled is None:
                    raise Unavailable(said)
                objects[name.removesuffix(".py") + ".mpy"] = compiled
        found.update(dict.fromkeys(tests, tree_of(objects)))
    return found


def _texts_of_groups(product: list[Source], support: list[Source]) -> list:
    """Return for each group its tests, the program's files, and those beside it; a file is its name and text."""
    program = program_of(product)
    said = []
    for group in groups(program, tests_of(support)):
        both = program.tested(group.outside, group.spare, group.keep)
        said.append((group.tests, *([(one.name, one.text) for one in files_of(texts)] for texts in both)))
    return said


# -- running -------------------------------------------------------------------------------------------------------


class Board:
    """A MicroPython with the program as boards get it: runs test modules as `tools.runtimes.harness.Machine` does."""

    def __init__(self, runtime: Runtime):
        self.refused: list[str] = []
        self._machines = {name: Machine(runtime, tree) for name, tree in trees(runtime.native).items()}

    def run_tests(self, test_file: Path, word: str = "") -> Outcome:
        """Run the portable tests of one file of host_tests/ whose names contain `word`."""
        machine = self._machines.get(module_of(test_file))
        if machine is None:
            return Outcome(0, 0, 1, 0.0, f"skip {test_file.stem}: no board has the library")
        return told(test_file.stem, machine.run_tests(test_file, word))


def told(module: str, outcome: Outcome) -> Outcome:
    """Return the outcome with tests in NOT_HERE as skipped if they failed, and as a failure if they passed."""
    text, failed, skipped = [], outcome.failed, outcome.skipped
    unused = {entry for entry in NOT_HERE if entry.partition(".")[0] == module}
    ran = set()
    for line in outcome.text.splitlines():
        how, _, name = line.partition(" ")
        entry = module if module in NOT_HERE else f"{module}.{name}"
        ran.add(entry) if how in ("ok", "FAIL") else None
        if entry in NOT_HERE and how == "FAIL":
            failed, skipped = failed - 1, skipped + 1
            unused.discard(entry)
            line = f"skip {name}: {NOT_HERE[entry]}"
        text.append(line)
    for entry in sorted(unused & ran):
        failed += 1
        text.append(f"FAIL {entry}: nothing of it fails, so it has no place in NOT_HERE")
    return replace(outcome, failed=failed, skipped=skipped, text="\n".join(text))
