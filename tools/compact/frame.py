"""How many words a call of a function takes: MicroPython puts a frame above its limit on the heap."""

from __future__ import annotations

import ast
import types

from tools.compact.slots import is_simple, slots

FRAME_MOST = 30  # a frame that is above the limit anyway may grow to this
FRAME_WORDS = 11  # VM_MAX_STATE_ON_STACK of py/objfun.c
OWN_FRAME_WORDS = 24  # the same for our own images


def frame_words_of(function: ast.FunctionDef) -> int:
    """Return the approximate words of a call's frame: locals that share, and stack depth by CPython's compiler."""
    alone = ast.Module([ast.FunctionDef(function.name, function.args, function.body, [], lineno=1)], [])
    code = compile(ast.fix_missing_locations(alone), "<frame>", "exec")
    inner = next(one for one in code.co_consts if isinstance(one, types.CodeType))
    count = inner.co_nlocals
    if is_simple(function):
        count = max(slots(function, set(inner.co_varnames)).values(), default=-1) + 1
    return count + inner.co_stacksize
