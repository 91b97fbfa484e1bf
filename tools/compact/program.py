"""The steps that make a board's program out of the sources, in order.

rooms (fewer folders), twins (nothing for CPython; machine code alone), constants (numbers for names), bundle (one
module of forty), prune (unused code), methods (private ones become
functions), expressions (one-expression functions, into their callers), inline (functions called from one place), names
(short ones). Each step keeps the origin of every statement in the sources (lines); after mpy-cross, numbers in the .mpy
lead to it (line_info).

`foreign` modules run beside the program and are not part of it: a script that measures it, the peers it talks to. They
are written against the same names, and change nothing in the program; what they use must be there.
"""

from __future__ import annotations

import ast
import copy
import functools
import gc

from tools.compact.bundle import ENTRY, Bundle
from tools.compact.expressions import FUNCTION_OCTETS, put_in_expressions
from tools.compact.frame import FRAME_WORDS, OWN_FRAME_WORDS
from tools.compact.inline import bind_builtins, inline
from tools.compact.lines import numbered
from tools.compact.methods import functions_of_methods
from tools.compact.names import Names
from tools.compact.order import ordered
from tools.compact.places import with_free_places
from tools.compact.prune import prune, without_unused_imports
from tools.compact.rooms import flat, flattened
from tools.compact.scopes import scopes
from tools.compact.source import with_numbers
from tools.compact.twins import only_twins, without_cpython
from tools.compact.walk import walk

IN_FLASH_OCTETS = 400  # the code that saving one function and its calls may cost, where code takes no heap


def without_collection(step):
    """Run a step without garbage collection: its trees are many objects and no garbage, which costs a quarter more."""

    @functools.wraps(step)
    def alone(*arguments, **named):
        was_on = gc.isenabled()
        gc.disable()
        try:
            return step(*arguments, **named)
        finally:
            if was_on:
                gc.enable()

    return alone


class Program:
    """A board's program: `texts` by module. `place` and `attribute` find what was renamed.

    `keep` are names that stay although the program does not use them, `companions` are modules that will run beside it.
    `own_image`: it is frozen into our own firmware, where names cost nothing and frames are on the stack.
    """

    @without_collection
    def __init__(
        self,
        sources: dict[str, str],
        keep: frozenset[str] = frozenset(),
        companions: dict[str, str] | None = None,
        own_image: bool = False,
    ):
        marked = {name: numbered(name, text) for name, text in sources.items()}
        self.sources = only_twins(without_cpython(flattened(marked)))
        self.own_image = own_image
        plain, self.numbers = with_numbers(self.sources, {}, own_image)
        self.bundle = Bundle(plain)
        self._shape(keep, keep)
        self._name(companions or {}, frozenset())

    @without_collection
    def _shape(self, used: frozenset[str], keep: frozenset[str]) -> None:
        self.pruned = prune(self.bundle.texts, used)
        frame_words = OWN_FRAME_WORDS if self.own_image else FRAME_WORDS
        self.lone = functions_of_methods(self.pruned, keep, out=self.own_image)
        shorter = put_in_expressions(
            self.lone, keep, frame_words, IN_FLASH_OCTETS if self.own_image else FUNCTION_OCTETS
        )
        self.shaped = inline(shorter, keep, frame_words)
        if ENTRY in self.shaped:
            self.shaped[ENTRY] = bind_builtins(self.shaped[ENTRY])
        if self.own_image:
            self.shaped = with_free_places(self.shaped)

    @without_collection
    def _name(self, companions: dict[str, str], said: frozenset[str]) -> None:
        self.names = Names(self.shaped, companions, not self.own_image, said, self.lone)
        self.texts = {name: ordered(text) for name, text in self.names.rewritten().items()}

    @without_collection
    def tested(
        self, outside: dict[str, str], spare: frozenset[str], keep: frozenset[str]
    ) -> tuple[dict[str, str], dict[str, str]]:
        """Return the texts of program and tests, where these derive from its classes and ask for names by strings.

        `outside` are the tests as `outside` returns them. What they need that the program itself does not use is
        `spare`, what it has in another form is `keep`. The names are chosen so that both sides agree.
        """
        other = copy.copy(self)
        other._shape(spare | keep, keep)
        other._name(outside, said_in(other.shaped, outside))
        return other.texts, {name: other._named(name, text) for name, text in outside.items()}

    @without_collection
    def outside(self, foreign: dict[str, str]) -> dict[str, str]:
        """Return the modules of `foreign` without constants, with imports from the new places, under long names."""
        foreign = flattened(foreign)
        plain, _ = with_numbers(foreign, self.numbers)
        return {name: without_unused_imports(self.bundle.outside(name, plain[name])) for name in foreign}

    def beside(self, foreign: dict[str, str]) -> dict[str, str]:
        """Return the modules of `foreign`, written against the program; Missing if they use what it does not have."""
        return {name: self._named(name, text) for name, text in self.outside(foreign).items()}

    def _named(self, name: str, text: str) -> str:
        tree = ast.parse(text)
        scopes(tree)
        return self.names.apply(name, tree)

    def place(self, module: str, name: str) -> tuple[str, str]:
        """Return the module where `name` of the source `module` is now, and what it is called there."""
        module, name = self.bundle.place(flat(module), name)
        return module, self.names.tops.get((module, name), name)

    def attribute(self, name: str) -> str:
        """Return what the attribute `name` is called now."""
        return self.names.attributes.get(name, name)


def said_in(program: dict[str, str], outside: dict[str, str]) -> frozenset[str]:
    """Return names that modules beside a program may use other than plainly: by strings, keywords, computed."""
    own = {node.attr for text in program.values() for node in walk(ast.parse(text)) if isinstance(node, ast.Attribute)}
    said = set()
    for text in outside.values():
        for node in walk(ast.parse(text)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier():
                said.add(node.value)
            elif isinstance(node, ast.keyword) and node.arg:
                said.add(node.arg)
            elif isinstance(node, ast.Attribute) and node.attr not in own:
                said.add(node.attr)
            elif isinstance(node, ast.FunctionDef) and node.name not in own:
                said.add(node.name)
    return frozenset(said)


def compact(sources: dict[str, str]) -> dict[str, str]:
    """Return the text that a board is given of every remaining module (dotted name -> text)."""
    return Program(sources).texts
