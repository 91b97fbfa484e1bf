"""Runs the tests of one module on any interpreter and says how each went: pytest's part in one page.

1. Every function named test_* runs once, in the order of the file, without arguments; a plain assert decides.
2. A test that cannot run here raises Skip with the reason; pytest shows it as skipped as well (conftest.py).
3. Memory is collected between tests, so that what one leaves behind is not counted against the next.
4. Lines: `ok NAME`, `FAIL NAME` and the traceback, `skip NAME: reason`; at the end
   `N passed, N failed, N skipped`.
"""

import gc
import sys

PORTABLE = True


class Skip(Exception):
    """The test cannot run here; the text says what is missing."""


def _print_exception(error):
    if hasattr(sys, "print_exception"):  # MicroPython
        sys.print_exception(error)
    else:
        import traceback

        traceback.print_exception(type(error), error, error.__traceback__, file=sys.stdout)


def _tests_of(module):
    # The build lists the tests at the end of a compiled module. Without that list their names give an order.
    listed = getattr(module, "TESTS_IN_ORDER", None)
    if listed is not None:
        return [test.__name__ for test in listed]
    return sorted([name for name in dir(module) if name.startswith("test_")])


class Session:
    """The tests of one module whose names contain `word`; one step runs one of them."""

    def __init__(self, module_name, word=""):
        self.passed = 0
        self.failed = 0
        self.skipped = 0
        self.module = None
        self.names = []
        try:
            __import__(module_name)
            self.module = sys.modules[module_name]
            self.names = [name for name in _tests_of(self.module) if word in name]
        except Skip as reason:
            self.skipped = 1
            print("skip", module_name + ":", reason)
        except Exception as error:  # a module that cannot be imported is a failed test, not a silent one
            self.failed = 1
            print("FAIL", module_name)
            _print_exception(error)
        self.names.reverse()

    def step(self):
        """Run the next test; when there is none, say the totals and leave with exit code 0 or 1."""
        gc.collect()
        if not self.names:
            print("%d passed, %d failed, %d skipped" % (self.passed, self.failed, self.skipped))
            sys.exit(1 if self.failed else 0)
        name = self.names.pop()
        try:
            getattr(self.module, name)()
            self.passed += 1
            print("ok", name)
        except Skip as reason:
            self.skipped += 1
            print("skip", name + ":", reason)
        except Exception as error:
            self.failed += 1
            print("FAIL", name)
            _print_exception(error)
