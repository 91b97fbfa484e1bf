"""Tells the scope of every name in a module: the module's, a function's, a class's, or none (a builtin).

Rules
1. `scopes(tree)` marks each node that binds or uses a name with the attribute `home`: its Scope, None for a builtin.
2. As in Python: a function does not see the names of a class around it, a comprehension is a function of its own.
"""

from __future__ import annotations

import ast

from tools.compact.walk import values_of, walk

MODULE, FUNCTION, CLASS = "module", "function", "class"
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


class Scope:
    """One scope and the names bound in it; `uses` are its nodes."""

    def __init__(self, kind: str, node: ast.AST, parent: Scope | None):
        self.kind = kind
        self.node = node
        self.parent = parent
        self.names: set[str] = set()
        self.declared_global: set[str] = set()

    def __deepcopy__(self, memo: dict) -> Scope:
        return self  # the copy of a node is in the same scope

    @property
    def module(self) -> Scope:
        """The module's scope around this one."""
        scope = self
        while scope.parent is not None:
            scope = scope.parent
        return scope

    def bind(self, name: str) -> Scope:
        """Bind a name where an assignment in this scope puts it."""
        home = self.module if name in self.declared_global else self
        home.names.add(name)
        return home

    def find(self, name: str) -> Scope | None:
        """Return the scope that a use of `name` in this one means."""
        if name in self.declared_global:
            return self.module
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names and (scope is self or scope.kind != CLASS):
                return scope
            scope = scope.parent
        return None


class _Marker:
    """Walks a module like ast.NodeVisitor, several times as fast: it is needed after each step."""

    def __init__(self, tree: ast.Module):
        self.scope = Scope(MODULE, tree, None)
        self.all = [self.scope]
        self.uses: list[tuple[ast.AST, Scope]] = []

    def visit(self, node):
        special = _SPECIAL.get(type(node))
        if special:
            special(self, node)
        else:
            self.visit_parts(node)

    def visit_parts(self, node):
        values = values_of(type(node))
        for value in values(node) if values else ():
            if type(value) is list:
                for one in value:
                    if one is not None:
                        self.visit(one)
            elif value is not None:
                self.visit(value)

    def within(self, kind: str, node: ast.AST, parts: list) -> None:
        outer, self.scope = self.scope, Scope(kind, node, self.scope)
        self.all.append(self.scope)
        if isinstance(node, (ast.FunctionDef, ast.Lambda)):
            for inner in walk(node):
                if isinstance(inner, ast.Global):
                    self.scope.declared_global.update(inner.names)
        for part in parts:
            self.visit(part)
        node.inner = self.scope  # type: ignore[attr-defined]
        self.scope = outer

    def visit_FunctionDef(self, node):
        node.home = self.scope.bind(node.name)  # type: ignore[attr-defined]
        arguments = node.args.posonlyargs + node.args.args + node.args.kwonlyargs
        outside = [*node.decorator_list, *node.args.defaults, *node.args.kw_defaults, node.returns]
        for part in [*outside, *(one.annotation for one in arguments)]:
            if part is not None:
                self.visit(part)
        arguments += [one for one in (node.args.vararg, node.args.kwarg) if one]
        self.within(FUNCTION, node, [*arguments, *node.body])

    def visit_Lambda(self, node):
        for part in node.args.defaults:
            self.visit(part)
        self.within(FUNCTION, node, [*node.args.args, node.body])

    def visit_arg(self, node):
        node.home = self.scope.bind(node.arg)  # type: ignore[attr-defined]

    def visit_ClassDef(self, node):
        node.home = self.scope.bind(node.name)  # type: ignore[attr-defined]
        for part in [*node.bases, *node.decorator_list]:
            self.visit(part)
        self.within(CLASS, node, node.body)

    def comprehension(self, node):
        self.visit(node.generators[0].iter)
        parts = [node.generators[0].target, *node.generators[0].ifs]
        for generator in node.generators[1:]:
            parts += [generator.iter, generator.target, *generator.ifs]
        values = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        self.within(FUNCTION, node, parts + values)

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = comprehension

    def visit_Name(self, node):
        if isinstance(node.ctx, ast.Load):
            self.uses.append((node, self.scope))
        else:
            node.home = self.scope.bind(node.id)  # type: ignore[attr-defined]

    def visit_alias(self, node):
        node.home = self.scope.bind(node.asname or node.name.split(".")[0])  # type: ignore[attr-defined]

    def visit_ExceptHandler(self, node):
        if node.name:
            node.home = self.scope.bind(node.name)  # type: ignore[attr-defined]
        self.visit_parts(node)


_SPECIAL = {getattr(ast, name[6:]): method for name, method in vars(_Marker).items() if hasattr(ast, name[6:])}


def scopes(tree: ast.Module) -> list[Scope]:
    """Mark the tree; return its scopes, the module's first."""
    marker = _Marker(tree)
    for statement in tree.body:
        marker.visit(statement)
    for node, scope in marker.uses:
        node.home = scope.find(node.id)  # type: ignore[attr-defined]
    tree.inner = marker.all[0]  # type: ignore[attr-defined]
    return marker.all
