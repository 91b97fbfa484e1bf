"""The one place where MicroPython and CPython differ for the core; nothing else catches ImportError.

`const` makes a module-level number a compile-time constant on MicroPython and is the identity on CPython.
`FAST` is the module of machine code twins (agent.base.fast), None where the port or the build has no machine code.
"""

try:
    from micropython import const  # type: ignore[assignment]
except ImportError:

    def const(value):  # type: ignore[no-redef]
        """Return `value` unchanged; MicroPython's compiler replaces the call itself."""
        return value


try:
    from agent.base import fast as FAST
except (ImportError, SyntaxError, ValueError):  # CPython or not installed; a port without; a build for another chip
    FAST = None
