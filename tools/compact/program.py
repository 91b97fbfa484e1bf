"""The steps that make a board's program out of the sources, in their order.

twins (machine code alone), constants (numbers for names), bundle (one module of forty), prune (what nobody uses),
inline (functions called from one place), methods (private ones become functions), names (short ones).

What is `foreign` runs beside the program and is no part of it: a script that measures it, the peers it talks to. It is
written against the same names, and changes nothing of the program; what it uses must be there.
"""

from __future__ import annotations

import ast

from tools.compact.bundle import ENTRY, Bundle
from tools.compact.inline import FRAME_WORDS, OWN_FRAME_WORDS, bind_builtins, inline
from tools.compact.methods import functions_of_methods
from tools.compact.names import Names
from tools.compact.order import ordered
from tools.compact.prune import prune, without_unused_imports
from tools.compact.scopes import scopes
from tools.compact.source import constants
from tools.compact.twins import only_twins


class Program:
    """A board's program: `texts` by module. `place` and `attribute` find what had another name.

    `keep` are names that stay although the program does not use them, `companions` are modules that will run beside.
    `own_image`: it is frozen into our own firmware, where names cost nothing and frames lie on the stack.
    """

    def __init__(
        self,
        sources: dict[str, str],
        keep: frozenset[str] = frozenset(),
        companions: dict[str, str] | None = None,
        own_image: bool = False,
    ):
        self.sources = sources = only_twins(sources)
        self.bundle = Bundle(constants(sources))
        texts = functions_of_methods(
            inline(prune(self.bundle.texts, keep), keep, OWN_FRAME_WORDS if own_image else FRAME_WORDS), keep
        )
        if ENTRY in texts:
            texts[ENTRY] = bind_builtins(texts[ENTRY])
        self.names = Names(texts, companions, sharing=not own_image)
        self.texts = {name: ordered(text) for name, text in self.names.rewritten().items()}

    def beside(self, foreign: dict[str, str]) -> dict[str, str]:
        """The modules of `foreign`, written against the program; Missing if they ask for what it has not."""
        plain = constants(self.sources | foreign)
        return {name: self._against(name, plain[name]) for name in foreign}

    def _against(self, name: str, text: str) -> str:
        tree = ast.parse(without_unused_imports(self.bundle.outside(name, text)))
        scopes(tree)
        return self.names.apply(name, tree)

    def place(self, module: str, name: str) -> tuple[str, str]:
        """Where the name `name` of the source `module` is now, and what it is called."""
        module, name = self.bundle.place(module, name)
        return module, self.names.tops.get((module, name), name)

    def attribute(self, name: str) -> str:
        """What the attribute `name` is called now."""
        return self.names.attributes.get(name, name)


def compact(sources: dict[str, str]) -> dict[str, str]:
    """Return what a board is given of every module that is left (dotted name -> text)."""
    return Program(sources).texts
