"""The one place where the core tells MicroPython and CPython apart; nothing else catches ImportError.

`const` makes a module-level number a compile-time constant on MicroPython and is the identity on CPython.
`give_back` frees a module that is needed only at a start; on CPython, where memory is not short, it does nothing.
`FAST` is the module of twins: machine code (toolcart.agent.base.fields_viper), on CPython slices
(toolcart.agent.base.fields_cpython), or None where the port or the build has no machine code.
"""

import gc
import sys

try:
    from micropython import const
except ImportError:

    def const(value):
        """Return `value` unchanged; MicroPython's compiler replaces the call."""
        return value


ON_CPYTHON = const(0)  # a chip gets 0, and of what follows it nothing
if sys.implementation.name == "cpython":
    globals()["ON_CPYTHON"] = 1

try:
    from toolcart.agent.base import fields_viper as FAST
except (ImportError, SyntaxError, ValueError):  # CPython or not installed; a port without it; a build for another chip
    FAST = None
if ON_CPYTHON:
    from toolcart.agent.base import fields_cpython

    FAST = fields_cpython


def give_back(package, *modules):
    """Free these modules of `package`; each can be imported again when needed."""
    for module in modules:
        if not ON_CPYTHON and sys.modules.pop(package + "." + module, None) is not None:
            delattr(sys.modules[package], module)
            gc.collect()
