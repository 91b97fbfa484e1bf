"""Chooses names that fall into places of their own in MicroPython's dicts: where names are free, as in a frozen core.

The search in an object's dict begins at `hash % places`, and goes on until the name or a free place is found.
The place of what an object has is remembered, so that it is found at once. A method is never in the object's own dict,
but looked for there first, at every call: in a dict of 59 places with two free ones that is about thirty places.

Rules
1. An object's dict has the smallest of `_SIZES` that holds what its class and their bases set on `self` (py/map.c).
2. Each attribute that is set gets a name whose place no other in the dict has; then every method one whose place is
   free in the dicts of all classes that have it. What several dicts have gets one place in all of them if possible:
   MicroPython remembers the place by the name alone. If there is no such name, the one that comes nearest.
3. A dict without a free place is searched completely for every method. From `_LARGE` places on such an object
   gets an unused attribute, and with it a larger dict.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from tools.compact.lines import parse, unparse
from tools.compact.methods import parts_of
from tools.compact.scopes import scopes
from tools.compact.walk import walk

_SIZES = (0, 2, 4, 6, 8, 10, 12, 17, 23, 29, 37, 47, 59, 73, 97, 127, 167, 223, 293)
_STEP = 4  # cost of a place looked at in vain, against one that is not where it was last found
_LARGE = 12
_SPARE = "_spare"
_CANDIDATES = 3000  # names tried for each: all of two letters


@dataclass
class Dict:
    """The dict of the objects of one class: what is set in it, and what is called on them."""

    name: str
    data: set[str]
    methods: set[str]

    @property
    def places(self) -> int:
        return next(size for size in _SIZES if size >= len(self.data))


def hash_of(text: str) -> int:
    """Return the hash of a name (qstr_compute_hash in py/qstr.c, two bytes of it)."""
    value = 5381
    for octet in text.encode():
        value = (value * 33 ^ octet) & 0xFFFFFFFF
    return value & 0xFFFF or 1


def dicts_of(trees: Iterable[ast.Module]) -> list[Dict]:
    """Return the dicts of all classes without subclasses."""
    own: dict[str, tuple[set[str], set[str], list[str]]] = {}
    for tree in trees:
        for node in walk(tree):
            if isinstance(node, ast.ClassDef):
                bases = [base.id for base in node.bases if isinstance(base, ast.Name)]
                own[node.name] = (_set_on_self(node, tree), _methods_of(node), bases)
    bases = {base for _, _, bases in own.values() for base in bases}

    def whole(name: str, part: int) -> set[str]:
        if name not in own:
            return set()
        return own[name][part].union(*(whole(base, part) for base in own[name][2]))  # type: ignore[arg-type, return-value]

    return [Dict(name, whole(name, 0), whole(name, 1)) for name in own if name not in bases]


def with_free_places(sources: dict[str, str]) -> dict[str, str]:
    """Return the program with a further attribute in every class of rule 3."""
    trees = {name: parse(text) for name, text in sources.items()}
    for tree in trees.values():
        scopes(tree)
    full = {one.name for one in dicts_of(trees.values()) if len(one.data) == one.places >= _LARGE}
    texts = dict(sources)
    for name, tree in trees.items():
        found = [node for node in walk(tree) if isinstance(node, ast.ClassDef) and node.name in full]
        starts = [one for node in found for one in node.body if isinstance(one, ast.FunctionDef)]
        starts = [one for one in starts if one.name == "__init__"]
        for start in starts:
            own = ast.Name(start.args.args[0].arg, ast.Load())
            start.body.insert(0, ast.Assign([ast.Attribute(own, _SPARE, ast.Store())], ast.Constant(None), lineno=1))
        if starts:
            texts[name] = unparse(tree)
    return texts


def placed(wanted: list[str], dicts: list[Dict], texts: Iterator[str]) -> dict[str, str]:
    """Return a name out of `texts` for each wanted one, none of them twice; those in front choose first."""
    free = dict.fromkeys(islice(texts, max(_CANDIDATES, len(wanted))))
    hashes = {text: hash_of(text) for text in free}
    taken: list[Counter[int]] = [Counter() for _ in dicts]
    sizes = [one.places for one in dicts]
    chosen = {}
    holds: dict[str, list[int]] = {}
    asks: dict[str, list[int]] = {}
    for number, one in enumerate(dicts):
        for name in one.data:
            holds.setdefault(name, []).append(number)
        for name in one.methods - one.data:
            asks.setdefault(name, []).append(number)
    for number, one in enumerate(dicts):
        for name in sorted(one.data - set(wanted)):  # these keep their names
            _take(taken[number], sizes[number], hash_of(name))
    for is_data in (True, False):
        for name in [name for name in wanted if (name in holds) == is_data]:
            at = [number for number in (holds if is_data else asks).get(name, ()) if sizes[number]]

            def cost(text: str, at: list[int] = at) -> int:
                value = hashes[text]
                steps = sum(_steps(taken[number], sizes[number], value) for number in at)
                return _STEP * steps + len({value % sizes[number] for number in at}) - 1 if at else 0

            best = _least(free, cost)
            del free[best]
            chosen[name] = best
            for number in at if is_data else ():
                _take(taken[number], sizes[number], hashes[best])
    return chosen


def _least(texts: Iterable[str], cost) -> str:
    """Return the first that costs nothing, else the first of those that cost least."""
    best, least = "", -1
    for text in texts:
        found = cost(text)
        if found == 0:
            return text
        if least < 0 or found < least:
            best, least = text, found
    return best


def _take(taken: Counter[int], places: int, value: int) -> None:
    taken[(value + _steps(taken, places, value)) % places] = 1


def _steps(taken: Counter[int], places: int, value: int) -> int:
    """Return how many places are searched in vain before a free one."""
    for step in range(places):
        if not taken[(value + step) % places]:
            return step
    return places


def _set_on_self(node: ast.ClassDef, tree: ast.Module) -> set[str]:
    return {
        part.attr
        for part in parts_of(node, tree)
        if isinstance(part, ast.Attribute)
        and not isinstance(part.ctx, ast.Load)
        and isinstance(part.value, ast.Name)
        and part.value.id == "self"
    }


def _methods_of(node: ast.ClassDef) -> set[str]:
    found = {one.name for one in node.body if isinstance(one, ast.FunctionDef)}
    for one in node.body:
        if isinstance(one, ast.Assign):
            found.update(target.id for target in one.targets if isinstance(target, ast.Name))
    return found
