"""What a chip gets: where a file uses a constant, of its own or of another file, the number itself stands.

MicroPython does that for constants of one file whose names begin with `_`; each other one takes eight bytes of heap in
every file that has it or imports it, code for both, and a search whenever it is read.

Rules
1. A constant is `NAME = const(..)` at the top of a file of the product. It is a number then wherever it is named, also
   as `module.NAME`; definition and import go, and with them the import of a file that has nothing else to give.
   So is `_NAME = ..` in its own file if its value is a number, a text, octets, or a tuple of such that needs nothing
   but constants and `bytes`: what is worked out at the import lies in the heap, what is written out in the flash.
2. No line moves: a traceback names file, line and function of the source.
3. A name that a function also uses for something else is left alone in that file; for a module's name it is a mistake.
4. A class keeps only what MicroPython looks up in it: `__slots__` goes, and `__module__` and `__qualname__`, which the
   compiler stores first, are deleted where the class's text stands. Eight bytes of heap each, and more where a table
   grows by a step for them.
"""

from __future__ import annotations

import ast
import functools
from collections import Counter
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from toolcart.base.sources import Source, product_sources

Value = int | str | bytes | tuple["Value | None", ...]
Constants = dict[str, dict[str, int]]  # of each module, by name
Edit = tuple[int, int, int, int, str]  # lines and columns as ast has them, and what stands there then


def module_name(name: str) -> str:
    return name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def chip_sources() -> list[Source]:
    """Return the product's files as a chip gets them."""
    product = tuple(product_sources())
    return list(_written_out(product, product))


def written_out(*sources: Source) -> list[Source]:
    """Return files that are not the product's, and use its constants, as they find them on a chip."""
    return list(_written_out(sources, tuple(product_sources())))


@functools.lru_cache(maxsize=4)  # the product and its tests, for one MicroPython after the other
def _written_out(sources: tuple[Source, ...], product: tuple[Source, ...]) -> tuple[Source, ...]:
    constants = _constants(product)
    return tuple(Source(source.name, _File(source.text, constants).written_out()) for source in sources)


@functools.lru_cache(maxsize=1)
def _constants(product: tuple[Source, ...]) -> Constants:
    """Return the constants of each module, with those that it imports, by name."""
    # Whole trees, kept until the last one is read, would be a million objects that the collector of garbage looks at.
    statements = {module_name(source.name): _naming(ast.parse(source.text)) for source in product}
    by_module: Constants = {}

    def of(module: str) -> dict[str, int]:
        if module in by_module:
            return by_module[module]
        names = by_module[module] = {}
        for node in statements[module]:
            if isinstance(node, ast.ImportFrom) and node.module in statements:
                there = of(node.module)
                imported = [alias for alias in node.names if alias.name in there]
                names |= {alias.asname or alias.name: there[alias.name] for alias in imported}
            elif (named := _defined(node)) is not None:
                names[named[0]] = _value(named[1], names)
        return names

    for module in statements:
        of(module)
    return by_module


def _naming(tree: ast.Module) -> list[ast.stmt]:
    """Return the statements that can give a module a constant."""
    return [node for node in tree.body if isinstance(node, ast.ImportFrom) or _defined(node) is not None]


def _defined(node: ast.stmt) -> tuple[str, ast.expr] | None:
    """Return the name that this statement makes a constant, and its value; None if it does not."""
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and isinstance(node.value, ast.Call):
        if isinstance(node.value.func, ast.Name) and node.value.func.id == "const":
            return node.targets[0].id, node.value.args[0]
    return None


def _value(expression: ast.expr, names: Mapping[str, Any]) -> Any:
    return eval(compile(ast.Expression(expression), "const", "eval"), {"__builtins__": {}, "bytes": bytes}, dict(names))


def _private(node: ast.stmt, constants: Mapping[str, Any]) -> tuple[str, Value] | None:
    """Return the private name that this statement makes a constant, and its value; None if it does not."""
    if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name) or len(node.targets) > 1:
        return None
    name = node.targets[0].id
    if not name.startswith("_") or name.startswith("__"):
        return None
    try:
        value = _value(node.value, constants)
    except (NameError, TypeError, AttributeError):
        return None
    return (name, value) if _is_fixed(value) else None


def _is_fixed(value: object) -> bool:
    if isinstance(value, tuple):
        return all(one is None or _is_fixed(one) for one in value)
    return isinstance(value, int | str | bytes)


class _File:
    """One file while its constants are written out."""

    def __init__(self, text: str, constants: Constants):
        self.text = text
        self.tree = ast.parse(text)
        self.nodes = list(ast.walk(self.tree))
        self.definitions: dict[str, ast.stmt] = {}
        self.values: dict[str, Value] = {}  # of the names that are constants here
        self.modules: dict[str, dict[str, int]] = {}  # constants of the modules that have a name here
        self._look(constants)

    def _look(self, constants: Constants) -> None:
        for node in self.nodes:
            if not isinstance(node, ast.ImportFrom):
                continue
            for alias in node.names:
                name, module = alias.asname or alias.name, f"{node.module}.{alias.name}"
                if alias.name in constants.get(node.module or "", {}):
                    self.values[name] = constants[node.module or ""][alias.name]
                elif module in constants:
                    self.modules[name] = constants[module]
        modules = {name: SimpleNamespace(**numbers) for name, numbers in self.modules.items()}
        for node in self.tree.body:
            if (named := _defined(node)) is not None:
                self.values[named[0]] = _value(named[1], self.values)
                self.definitions[named[0]] = node
            elif (private := _private(node, modules | self.values)) is not None:
                self.values[private[0]] = private[1]
                self.definitions[private[0]] = node
        stored = Counter(
            node.arg if isinstance(node, ast.arg) else node.id
            for node in self.nodes
            if isinstance(node, ast.arg) or (isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load))
        )
        for name in stored:
            if stored[name] > (name in self.definitions):
                self.values.pop(name, None)
                if name in self.modules and self._constants_of(self.modules.pop(name), name):
                    raise ValueError(f"{name} is a module whose constants are written out, and something else as well")

    def _constants_of(self, module: dict[str, int], name: str) -> bool:
        """True if a constant of the module is asked for by this name."""
        attributes = (node for node in self.nodes if isinstance(node, ast.Attribute) and node.attr in module)
        return any(isinstance(node.value, ast.Name) and node.value.id == name for node in attributes)

    def written_out(self) -> str:
        gone = [self.definitions[name] for name in self.definitions if name in self.values]
        passed = {id(node) for statement in gone for node in ast.walk(statement)}
        edits: list[Edit] = [_edit(statement, "") for statement in gone]
        for node in self.nodes:
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and id(node) not in passed:
                value = self.modules.get(node.value.id, {}).get(node.attr)
                if value is not None:
                    edits.append(_edit(node, _literal(value)))
                    passed.add(id(node.value))
        used = set()
        for node in self.nodes:
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and id(node) not in passed:
                used.add(node.id)
                if node.id in self.values:
                    edits.append(_edit(node, _literal(self.values[node.id])))
        edits += self._imports(used)
        for node in self.nodes:
            if isinstance(node, ast.ClassDef):
                edits += _lighter(node)
        return _edited(self.text, edits)

    def _imports(self, used: set[str]) -> list[Edit]:
        """Return what becomes of the imports: a name stays if it is no constant, and used where it is only that."""
        edits = []
        top = {id(node) for node in self.tree.body}
        for node in self.nodes:
            if not isinstance(node, ast.ImportFrom):
                continue
            left = [alias for alias in node.names if self._stays(alias.asname or alias.name, used)]
            if len(left) < len(node.names):
                names = ", ".join(ast.unparse(alias) for alias in left)
                nothing = "" if id(node) in top else "pass"
                edits.append(_edit(node, f"from {node.module} import {names}" if left else nothing))
        return edits

    def _stays(self, name: str, used: set[str]) -> bool:
        if name in self.values:
            return False
        return name in used or not (name in self.modules or name == "const")


def _lighter(node: ast.ClassDef) -> list[Edit]:
    """Return what becomes of the text of a class, and of its slots."""
    edits = [_edit(one, "") for one in node.body if isinstance(one, ast.Assign) and _is_slots(one.targets[0])]
    if ast.get_docstring(node) is not None:
        edits.append(_edit(node.body[0], "del __module__, __qualname__"))
    return edits


def _is_slots(target: ast.expr) -> bool:
    return isinstance(target, ast.Name) and target.id == "__slots__"


def _literal(value: Value) -> str:
    return f"({value})" if isinstance(value, int) and value < 0 else repr(value)  # -3 ** 2 is not (-3) ** 2


def _edit(node: ast.expr | ast.stmt, text: str) -> Edit:
    return node.lineno, node.col_offset, node.end_lineno or 0, node.end_col_offset or 0, text


def _edited(text: str, edits: list[Edit]) -> str:
    """Return the text with these edits; what had several lines keeps as many."""
    lines = [line.encode() for line in text.split("\n")]
    for first, begin, last, end, replacement in sorted(edits, reverse=True):
        behind = lines[last - 1][end:]
        lines[first - 1] = lines[first - 1][:begin] + replacement.encode() + (behind if first == last else b"")
        for index in range(first, last):
            lines[index] = behind if index == last - 1 and behind.strip() else b""
    return b"\n".join(lines).decode()
