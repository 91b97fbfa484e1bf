"""Starts the portable tests of one module on a MicroPython; arguments: the module, a word of tests' names."""

import sys

from lab.harness.portable_session import Session

step = Session(*sys.argv[1:]).step

# WebAssembly collects memory only between calls from outside: there the launcher calls step (wasm.mjs).
if sys.platform != "webassembly":
    while True:
        step()
