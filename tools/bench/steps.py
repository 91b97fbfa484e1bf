"""Measures what each step of tools/compact gains: a board's finished program against the same without that step.

    python -m tools.bench.steps [STEP ...]        half a minute a step, a line each

Heap is what `import agent.app` takes on the 32-bit unix port, least heap what the whole agent runs in, bytes
are all of agent/ as .mpy, all three without machine code; instructions are those of a result on the Cortex-M3 in our
own image, in plain bytecode and with machine code. The other steps need `one module`; its gain is measured
against a program that no step has touched.
"""

from __future__ import annotations

import ast
import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tools import runtimes
from tools.base.command_line import CommandLine, start
from tools.bench import board, path
from tools.compact import frame, inline, names, program, tree
from tools.compact.slots import arguments_of

IMPORT = (
    "import gc\ngc.collect()\nbefore = gc.mem_alloc()\nimport agent.app\ngc.collect()\n"
    "print('through', gc.mem_alloc() - before)\n"
)
IMPORT_HEAP_BYTES = 400000
FIGURES = ("heap", "least heap", "octets", "plain", "fast")
_choose = names.Names._choose


def _same(texts, *_, **_named):
    return texts


def _made_again(_what, make, *_):
    return make()


def _alone(function: ast.FunctionDef, found: set[str]) -> dict[str, int]:
    """Return a separate place for each local."""
    arguments = arguments_of(function)
    return {name: place for place, name in enumerate([*arguments, *sorted(found - set(arguments))])}


def _in_order(wanted: list[str], _dicts, texts: Iterator[str]) -> dict[str, str]:
    """Return the names one after the other."""
    return dict(zip(wanted, texts, strict=False))


class _Modules:
    """In place of tools.compact.bundle.Bundle: every module stays."""

    def __init__(self, sources: dict[str, str]):
        packages = {name.rpartition(".")[0] for name in sources} - {""}
        self.texts = {**dict.fromkeys(packages - set(sources), ""), **sources}

    def place(self, module: str, name: str) -> tuple[str, str]:
        return module, name

    def outside(self, _module: str, text: str) -> str:
        return text


# What replaces a step.
STEPS: dict[str, list[tuple]] = {
    "constants": [(program, "constants", _same)],
    "prune": [(program, "prune", _same)],
    "names": [(names.Names, "_choose", lambda self, sharing: None)],
    "shared names": [(names.Names, "_choose", lambda self, sharing: _choose(self, False))],
    "places": [(names, "placed", _in_order), (program, "with_free_places", _same)],
    "expressions": [(program, "put_in_expressions", _same)],
    "inline": [(program, "inline", _same)],
    "returns out of loops": [(inline, "_breaks_freely", lambda loop: False)],
    "loops of one turn": [(inline, "_one_turn", lambda statements, target: None)],
    "calls behind conditions": [(inline, "_split_before", lambda *_: (None, []))],
    "names of several modules": [(names, "_seen_by", lambda tops, trees: {key: set(trees) for key in tops})],
    "slots": [(frame, "slots", _alone), (names, "slots", _alone)],
    "methods": [(program, "functions_of_methods", _same)],
    "order": [(program, "ordered", _same)],
    "builtins": [(program, "bind_builtins", _same)],
}
PART_OF_NAMES = ("shared names", "names of several modules")
ALL_BUT_ONE_MODULE = [one for name, found in STEPS.items() if name not in PART_OF_NAMES for one in found]
UNTOUCHED = [*ALL_BUT_ONE_MODULE, (program, "Bundle", _Modules)]


@contextlib.contextmanager
def replaced(places: list[tuple]) -> Iterator[None]:
    """Meanwhile use something else in these places, and no program made before."""
    places = [*places, (tree, "CACHE", tree.CACHE / "none")]
    places = [*places, (tree, "remembered", _made_again)]  # what the cache holds was made with all steps
    before = [(holder, name, getattr(holder, name)) for holder, name, _ in places]
    tree._program_of.cache_clear()
    try:
        for holder, name, other in places:
            setattr(holder, name, other)
        yield
    finally:
        for holder, name, one in before:
            setattr(holder, name, one)
        tree._program_of.cache_clear()


def measure(places: list[tuple]) -> dict[str, int | None]:
    """Return the figures of a program made with something else in these places."""
    runtime = runtimes.named("unix32")
    runtime.fetch()
    with replaced(places), tempfile.TemporaryDirectory(prefix="toolcart-bench-") as folder:
        path.board_tree(Path(folder))
        least, peers = path.least_heap(runtime, Path(folder), path.HEAP_RUN)
        return {
            "heap": path.runs_in(runtime, Path(folder), IMPORT, IMPORT_HEAP_BYTES),
            "least heap": None if least is None else least - peers,
            "octets": sum(file.stat().st_size for file in Path(folder, "agent").rglob("*.mpy")),
            **{form: board.instructions(board._counted("total", form)["result"][0]) for form in board.FORMS},
        }


def _tell(name: str, figures: dict[str, int | None], less: dict[str, int | None] | None = None) -> None:
    told = []
    for figure in FIGURES:
        value, base = figures[figure], (less or {}).get(figure, 0)
        told.append(f"{figure} {'none' if value is None or base is None else format(value - base, ',')}")
    print(f"{name}: {', '.join(told)}", flush=True)


def main() -> None:
    """Measure the finished program, then the given steps, or all."""
    known = [*STEPS, "one module"]
    line = CommandLine(__doc__)
    line.add_argument("steps", nargs="*", metavar="STEP", help=", ".join(known))
    asked = line.parse_args().steps
    unknown = [name for name in asked if name not in known]
    if unknown:
        line.error(f"there is no step called {unknown[0]!r}; --help lists them")
    board.cortex.build()
    whole = measure([])
    _tell("finished", whole)
    for name in asked or known:
        if name == "one module":
            untouched = measure(UNTOUCHED)
            _tell("untouched", untouched)
            _tell(name, untouched, measure(ALL_BUT_ONE_MODULE))
        else:
            _tell(name, measure(STEPS[name]), whole)


if __name__ == "__main__":
    start(main)
