"""The modules that have twins for CPython, once more without them: what a board without machine code runs."""

import importlib
import sys

from toolcart.agent.base import compat

NAMES = (
    "toolcart.agent.base.fields",
    "toolcart.agent.base.words",
    "toolcart.agent.base.form",
    "toolcart.agent.base.crc",
    "toolcart.agent.record.result",
    "toolcart.agent.log.record",
    "toolcart.agent.openprotocol.light",
    "toolcart.agent.openprotocol.plausible",
    "toolcart.agent.openprotocol.layouts",
)


def plain_program():
    """Return these modules by name, in their plain form; everybody else keeps those that are in use."""
    for name in NAMES:
        importlib.import_module(name)
    used = {name: sys.modules.pop(name) for name in NAMES}
    twins = compat.FAST, compat.FAST_CRC, compat.ON_CPYTHON
    compat.FAST = compat.FAST_CRC = None
    compat.ON_CPYTHON = False
    try:
        return {name: importlib.import_module(name) for name in NAMES}
    finally:
        compat.FAST, compat.FAST_CRC, compat.ON_CPYTHON = twins
        for name, module in used.items():
            sys.modules[name] = module
            package, _, child = name.rpartition(".")
            setattr(sys.modules[package], child, module)
