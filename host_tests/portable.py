"""What portable tests need on any interpreter: how many cases to run, and pytest's `raises` and stubs in small."""

import os
import sys

from lab.harness.portable_session import Skip

PORTABLE = True

LONG = getattr(os, "getenv", dict().get)("TOOLCART_LONG") == "1"
# A test has all of its cases on CPython and in the long run, and some of them on MicroPython, which is much slower.
HAS_ALL = LONG or sys.implementation.name == "cpython"


def error_of(call, *errors):
    """Return what a call says that has to end in one of these errors: pytest's `raises`, on any interpreter."""
    try:
        call()
    except errors as error:
        return str(error)
    raise AssertionError("no error")


class _Stub:
    pass


def stub(**fields):
    """Return something that has these fields and nothing else; a function among them is called without it."""
    made = _Stub()
    for name in fields:
        setattr(made, name, fields[name])
    return made


def need_files():
    """Skip the test where the runtime has no file system to write to."""
    import os

    try:
        os.listdir(".")
    except OSError as error:
        if error.errno == 19:  # ENODEV
            raise Skip("this runtime has no file system")
        raise
