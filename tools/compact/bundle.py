"""Makes one module of all that a station always loads: `agent.app` holds it, the other modules import from there.

Every module of a board costs its object, its dict, a table of names, and a place in the dicts of all that import from
it; forty of them cost more than a tenth of the agent's heap.

Rules
1. The bundle contains what `agent.app` imports when it is imported, and what that imports. What is imported inside a
   function stays a module of its own, and so does what is named APART.
2. A name that two modules define differently gets a number behind it. What the bundle imports from a module that
   stays apart is imported where it is used, inside the function.
3. The remaining modules find what is in the bundle in `agent.app`, whatever they imported before.
4. Machine code stays apart: mpy-cross compiles it for one chip. Without it `FAST` and its like are None, and conditions
   on them are decided here.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Collection

from tools.compact.lines import parse, unparse
from tools.compact.scopes import MODULE, scopes
from tools.compact.walk import walk

ENTRY = "agent.app"
# The modules of machine code, by their names in agent.base.compat; a program has all of them or none.
NATIVES = {"FAST": "agent.base.fast", "FAST_CRC": "agent.base.fast_crc"}
# Loaded when needed and given back afterwards: see agent.app.
APART = frozenset({*NATIVES.values(), "agent.log.mount"})

# ("def", module, name): a name of a module of ours. ("ext", module, name): of a foreign one. ("mod", module, ""): a
# module of ours. ("extmod", module, as): a foreign one.
Key = tuple[str, str, str]


def has_natives(modules: Collection[str]) -> bool:
    """True if these modules are a program with machine code; ValueError if it has only some of it."""
    found = [name for name in NATIVES.values() if name in modules]
    if found and len(found) < len(NATIVES):
        raise ValueError(f"of the machine code the program has {', '.join(found)} alone")
    return bool(found)


class Bundle:
    """The program with its bundle, as `texts`; the same as the sources if there is no `agent.app`."""

    def __init__(self, sources: dict[str, str]):
        self.trees = {name: parse(text) for name, text in sources.items()}
        if not has_natives(self.trees):
            for tree in self.trees.values():
                _without_native(tree)
        for tree in self.trees.values():
            scopes(tree)
        self.bindings = {name: self._bindings_of(name) for name in self.trees}
        self.members: list[str] = []
        self.reached: set[str] = set()
        self._collect(ENTRY)
        self.names: dict[Key, str] = {}
        self._name_all()
        self.texts = self._rewritten() if ENTRY in sources else sources

    def place(self, module: str, name: str) -> tuple[str, str]:
        """Return the module where a module's `name` is now, and what it is called there."""
        key = self.resolve(("from", module, name))
        return (ENTRY, self.names[key]) if key in self.names else key[1:]

    def outside(self, module: str, text: str) -> str:
        """Return the text of a module outside the program, importing from the program as it is now."""
        tree = parse(text)
        scopes(tree)
        self.trees[module] = tree
        self.bindings[module] = self._bindings_of(module)
        _Outside(self, module).visit(tree)
        del self.trees[module], self.bindings[module]
        return unparse(tree)

    # -- what is bound to what ---------------------------------------------------------------------------------

    def _bindings_of(self, module: str) -> dict[str, Key]:
        tree = self.trees[module]
        found: dict[str, Key] = {name: ("def", module, name) for name in sorted(tree.inner.names)}  # type: ignore[attr-defined]
        for statement in tree.body:  # an import inside `try` is one of several ways: its names are the module's own
            if isinstance(statement, (ast.Import, ast.ImportFrom)):
                for alias in statement.names:
                    bound = alias.asname or alias.name.split(".")[0]
                    found[bound] = self._key_of(statement, alias)
        return found

    def _key_of(self, statement: ast.Import | ast.ImportFrom, alias: ast.alias) -> Key:
        if isinstance(statement, ast.ImportFrom):
            whole = f"{statement.module}.{alias.name}"
            if whole in self.trees:
                return ("mod", whole, "")
            if statement.module in self.trees:
                return ("from", statement.module, alias.name)
            return ("ext", statement.module or "", alias.name)
        if alias.name in self.trees:
            return ("mod", alias.name if alias.asname else alias.name.split(".")[0], "")
        return ("extmod", alias.name, alias.asname or "")

    def resolve(self, key: Key) -> Key:
        """Follow a name through the modules that pass it on."""
        while key[0] == "from":
            key = self.bindings[key[1]][key[2]]
        return key

    def _collect(self, module: str) -> None:
        """Add `module` after all that it imports when it is imported."""
        if module in self.reached or module in APART or module not in self.trees:
            return
        self.reached.add(module)
        parent = module.rpartition(".")[0]
        if parent:
            self._collect(parent)
        for statement in self.trees[module].body:
            if isinstance(statement, (ast.Import, ast.ImportFrom)):
                for alias in statement.names:
                    key = self._key_of(statement, alias)
                    if key[0] in ("mod", "from"):
                        self._collect(alias.name if isinstance(statement, ast.Import) else key[1])
        self.members.append(module)

    # -- names -------------------------------------------------------------------------------------------------

    def _name_all(self) -> None:
        """Choose the names in the bundle; names looked up by a string come first."""
        asked = _asked_by_string(self.trees.values())
        taken: set[str] = set(dir(builtins))
        locals_: set[str] = set()
        for member in self.members:
            for scope in scopes(self.trees[member])[1:]:
                locals_ |= scope.names
        keys: list[Key] = []
        for member in self.members:
            for key in self.bindings[member].values():
                key = self.resolve(key)
                inside = key[0] in ("ext", "extmod") or (key[0] == "def" and key[1] in self.members)
                if inside and key not in keys:
                    keys.append(key)
        keys.sort(key=lambda key: key[2] not in asked)
        for key in keys:
            plain = key[2] or key[1]
            name, number = plain, 2
            while name in taken or (name in locals_ and name != plain):
                name = f"{plain}_{number}"
                number += 1
            taken.add(name)
            self.names[key] = name

    # -- the new texts -----------------------------------------------------------------------------------------

    def _rewritten(self) -> dict[str, str]:
        """Return every remaining module, and the bundle."""
        texts = {}
        for module, tree in self.trees.items():
            if module not in self.members:
                _Outside(self, module).visit(tree)
                texts[module] = unparse(tree)
        texts[ENTRY] = self._bundle_text()
        packages = {name.rpartition(".")[0] for name in texts} - {""}
        for package in sorted(packages):
            texts.setdefault(package, "")
        return texts

    def _bundle_text(self) -> str:
        body: list[ast.stmt] = []
        for key, name in self.names.items():
            alias = ast.alias(key[2] or key[1], None)
            if alias.name != name:
                alias.asname = name
            if key[0] == "ext":
                body.append(ast.ImportFrom(key[1], [alias], 0))
            elif key[0] == "extmod":
                body.append(ast.Import([ast.alias(key[1], name if name != key[1] else None)]))
        for member in self.members:
            tree = self.trees[member]
            _Inside(self, member).visit(tree)
            body += tree.body
        return unparse(ast.Module(body, []))


class _Inside(ast.NodeTransformer):
    """Rewrites a module that goes into the bundle."""

    def __init__(self, program: Bundle, module: str):
        self.program = program
        self.module = module
        self.own = program.trees[module].inner  # type: ignore[attr-defined]
        self.bindings = program.bindings[module]
        self.depth = 0

    def key_of(self, name: str) -> Key:
        return self.program.resolve(self.bindings[name])

    def renamed(self, node, name: str) -> str:
        if getattr(node, "home", None) is not self.own:
            return name
        return self.program.names.get(self.key_of(name), name)

    def visit_Import(self, node):
        return node if self.depth else None

    def visit_ImportFrom(self, node):
        if not self.depth:
            return None
        keys = [self.program._key_of(node, alias) for alias in node.names]
        if any(key[1] in self.program.members for key in keys):
            raise ValueError(f"{self.module}:{node.lineno}: {node.module} is in the bundle; import it at the top")
        return node

    def visit_Try(self, node):
        self.depth += 1  # an import in here stays where it is
        self.generic_visit(node)
        self.depth -= 1
        return node

    def visit_FunctionDef(self, node):
        node.name = self.renamed(node, node.name)
        self.depth += 1
        late: dict[Key, str] = {}
        for inner in walk(node):
            if isinstance(inner, ast.Name) and inner.home is self.own:  # type: ignore[attr-defined]
                key = self.key_of(inner.id)
                if key[0] == "def" and key[1] not in self.program.members:
                    late[key] = inner.id
        self.generic_visit(node)
        self.depth -= 1
        if (late and self.depth == 0) or (late and isinstance(node.home.node, ast.ClassDef)):  # type: ignore[attr-defined]
            imports = [
                ast.ImportFrom(key[1], [ast.alias(key[2], name if name != key[2] else None)], 0)
                for key, name in late.items()
            ]
            node.body = [*imports, *node.body]
        return node

    def visit_ClassDef(self, node):
        node.name = self.renamed(node, node.name)
        return self.generic_visit(node)

    def visit_Name(self, node):
        node.id = self.renamed(node, node.id)
        return node

    def visit_alias(self, node):
        if self.depth and getattr(node, "home", None) is self.own:  # of an import in `try`
            name = node.asname or node.name
            new = self.renamed(node, name)
            if new != name:
                node.asname = new
        return node

    def visit_Attribute(self, node):
        if isinstance(node.value, ast.Name) and getattr(node.value, "home", None) is self.own:
            key = self.key_of(node.value.id)
            if key[0] == "mod" and key[1] in self.program.members:
                meant = self.program.resolve(("from", key[1], node.attr))
                return ast.copy_location(ast.Name(self.program.names[meant], node.ctx), node)
            if key[0] == "mod":
                raise ValueError(f"{self.module}:{node.lineno}: {key[1]} stays apart; import the name")
        return self.generic_visit(node)


class _Outside(ast.NodeTransformer):
    """Rewrites the imports of a module that remains."""

    def __init__(self, program: Bundle, module: str):
        self.program = program
        self.module = module

    def visit_Import(self, node):
        for alias in node.names:
            if alias.name in self.program.members:
                alias.name = ENTRY
        return node

    def visit_ImportFrom(self, node):
        kept, moved = [], []
        for alias in node.names:
            key = self.program._key_of(node, alias)
            if key[0] == "mod" and key[1] in self.program.members:
                package, _, name = ENTRY.rpartition(".")
                moved.append((package, ast.alias(name, alias.asname or alias.name)))
                continue
            key = self.program.resolve(key) if key[0] == "from" else key
            if key[0] == "def" and key[1] in self.program.members:
                name = self.program.names[key]
                bound = alias.asname or alias.name
                moved.append((ENTRY, ast.alias(name, bound if bound != name else None)))
            elif key[0] == "def" and key[1] != node.module:
                moved.append((key[1], ast.alias(key[2], alias.asname or alias.name)))
            else:
                kept.append(alias)
        statements: list[ast.stmt] = []
        for module in dict(moved):
            statements.append(ast.ImportFrom(module, [alias for of, alias in moved if of == module], 0))
        if kept:
            node.names = kept
            statements.append(node)
        return statements

    def visit_Attribute(self, node):
        """`h.NOTE` where h was a module of the bundle: the name may have a number there."""
        if isinstance(node.value, ast.Name) and getattr(getattr(node.value, "home", None), "kind", "") == MODULE:
            key = self.program.bindings[self.module].get(node.value.id)
            if (
                key
                and key[0] == "mod"
                and key[1] in self.program.members
                and node.attr in self.program.bindings[key[1]]
            ):
                meant = self.program.resolve(("from", key[1], node.attr))
                node.attr = self.program.names.get(meant, node.attr)
        return self.generic_visit(node)


def _asked_by_string(trees) -> set[str]:
    """Return names looked up by a string in a module's dict: `globals()["x"]`, and the lists of the twins."""
    found = set()
    for tree in trees:
        for node in walk(tree):
            if isinstance(node, ast.Subscript) and _is_globals(node.value) and isinstance(node.slice, ast.Constant):
                found.add(node.slice.value)
            elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple):
                if any(isinstance(one, ast.Name) and one.id in ("FIELDS", "WORDS") for one in node.targets):
                    found |= {one.value for one in node.value.elts if isinstance(one, ast.Constant)}
    return found


def _is_globals(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "globals"


def _without_native(tree: ast.Module) -> None:
    """Replace `try: from agent.base import fast as FAST` by its other way."""
    for statement in tree.body:
        if isinstance(statement, ast.Try) and all(_imports_native(one) for one in statement.body):
            index = tree.body.index(statement)
            tree.body[index : index + 1] = statement.handlers[0].body


def _imports_native(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.ImportFrom) and all(
        f"{statement.module}.{alias.name}" == NATIVES.get(alias.asname or "") for alias in statement.names
    )
