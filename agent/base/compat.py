"""The one place where MicroPython and CPython differ for the core; nothing else catches ImportError.

`const` makes a module-level number a compile-time constant on MicroPython and is the identity on CPython.
"""

try:
    from micropython import const
except ImportError:

    def const(value):
        """Return `value` unchanged; MicroPython's compiler replaces the call itself."""
        return value
