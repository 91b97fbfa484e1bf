"""What pytest adds on CPython: portable skips, a real MicroPython as a fixture, hypothesis' settings."""

import gc
import itertools
import os
import signal
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from toolcart.base.niceness import VARIABLE
from host_tests.portable import LONG
from host_tests.support import memory
from lab import runtimes
from lab.cache import whole_folder
from lab.harness.portable_session import Skip
from lab.packaging import wheel
from lab.runtimes.harness import Machine
from lab.worlds.checksums import remember_checksums

# A shared machine is slow at times: a test fails for what it finds, never for how long one example took.
settings.register_profile("usual", deadline=None, max_examples=20, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("long", parent=settings.get_profile("usual"), max_examples=1000)
settings.load_profile("long" if LONG else "usual")
remember_checksums()
# To look for garbage as often as usual took a fifth of a worker's time.
gc.set_threshold(20000, 20, 20)
# Not behind others: workers take all processors, so a server that stands back would begin when they are done; and a
# command in the test's own process would slow down all tests behind it.
os.environ[VARIABLE] = "0"
if memory.root():  # what a test writes into tmp_path; pytest asks for this variable when the first test wants one
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", memory.root())
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # as what a shell starts with `&`; programs would inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:  # as behind nohup; what is handled here is default in programs
    signal.signal(signal.SIGHUP, lambda number, frame: None)


# Folders whose tests mostly wait, for programs that they have started.
WAITING = ("plant", "command", "live", "project", "client")


def pytest_collection_modifyitems(config, items):
    """Leave tests that are marked `long("what takes time")` to the long run; several workers begin with what waits."""
    if workers := getattr(config, "workerinput", {}).get("workercount"):
        items[:] = waiting_first(items, workers)
    for item in () if LONG else items:
        mark = item.get_closest_marker("long")
        if mark is not None:
            item.add_marker(pytest.mark.skip(reason=f"{mark.args[0]}: with --long"))


def pytest_collection_finish():
    """Keep the modules and tests, a million objects that stay, from being looked at for garbage ever again."""
    gc.collect()
    gc.freeze()


def waiting_first(items, workers):
    """Return the tests in an order of which each worker begins with an equal run; all but one with a share of WAITING.

    What these leave of the cores is used by the last worker, which computes from the start, and by the MicroPythons;
    at the end, when a worker takes tests from another, there are only short ones that compute.
    """
    modules = [list(tests) for _, tests in itertools.groupby(items, key=lambda item: item.path)]
    waiting = [tests for tests in modules if tests[0].path.parent.name in WAITING]
    others = [test for tests in modules if tests[0].path.parent.name not in WAITING for test in tests]
    waiters = max(workers - 1, 1)
    ordered = []
    for number in range(workers):
        ordered += itertools.chain.from_iterable(waiting[number::waiters] if number < waiters else ())
        room = len(items) * (number + 1) // workers - len(ordered)
        ordered += others[: max(room, 0)]
        del others[: max(room, 0)]
    return ordered + others


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Show a portable test's Skip as what it is."""
    try:
        return (yield)
    except Skip as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def micropython32():
    """The 32-bit unix MicroPython with the compiled tree: `run_source(text, heap)`, `run(script, heap)`."""
    runtime = runtimes.named("unix32")
    reason = runtime.fetch()
    if reason and os.environ.get("CI") == "true":
        pytest.fail(f"the 32-bit MicroPython is missing: {reason}")
    if reason:
        pytest.skip(f"the 32-bit MicroPython is missing: {reason}")
    return Machine(runtime)


def pytest_configure(config):
    """Make a folder for what one worker makes for all of them; other users may look into it, which pytest's forbid."""
    if not hasattr(config, "workerinput"):
        folder = tempfile.TemporaryDirectory(prefix="toolcart-tests-")
        config.add_cleanup(folder.cleanup)
        Path(folder.name).chmod(0o755)
        config.of_all_workers = Path(folder.name, "shared")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node):
    """Tell a worker of it."""
    node.workerinput["of_all_workers"] = str(node.config.of_all_workers)


@pytest.fixture(scope="session")
def of_all_workers(request):
    """The folder of what is made once in a run, with `whole_folder`."""
    config = request.config
    return Path(config.workerinput["of_all_workers"]) if hasattr(config, "workerinput") else config.of_all_workers


@pytest.fixture(scope="session")
def built_wheel(of_all_workers):
    """The wheel of this checkout as it is published; to build it takes seconds."""
    [built] = whole_folder(of_all_workers / "wheel", wheel.build).iterdir()
    return built
