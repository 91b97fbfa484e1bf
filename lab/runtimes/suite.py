"""Runs every check and every test in order, says what ran where, and ends with one line of totals.

1. The order: ruff, types, the MicroPython compiler, tests on CPython, portable tests on each MicroPython.
   The MicroPythons begin at once, at a lower priority: they use the processor time that all else leaves.
2. A failure does not stop what follows. A MicroPython that is not available is named; with CI=true this is a failure.
3. Portable tests run on CPython and, but for what is HEAVY, on unix32, which behaves like a board, and on wasm32, the
   newest release; unix64 has those that word size can change (`differing_files`). All run everything in the long run.
   With --fast there is unix32 alone.
4. A file, an interpreter or a word on the command line means tests only, without the checks of the whole tree.
5. The last line is `N passed, N failed, N skipped`; a check of the whole tree counts as one.
"""

import argparse
import contextlib
import itertools
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import xml.etree.ElementTree
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from toolcart.base.command_line import CommandLine
from lab import runtimes
from lab.cache import CACHE, CHECKOUT, Unavailable
from lab.runtimes import typecheck
from lab.runtimes.build import check_product, is_heavy, is_portable
from lab.runtimes.harness import Machine

PYTEST_TIMEOUT_S = 2700  # against a test that hangs; docs/internals/figures.md says how long all of it takes
PYTEST_LONG_TIMEOUT_S = 3 * 3600
SLOWEST = ("--durations=20", "--durations-min=5")  # named at the end of each run
WORKERS = 2  # as many as the smallest machine it runs on has cores
TESTERS = 4  # of pytest: with as many as cores these are idle while tests wait for brokers, browsers and plants
MICROPYTHON_NICENESS = 10  # of what runs beside CPython's tests, some of which have deadlines
LIGHT_RUNTIMES = ("unix32", "wasm32")  # like a board, and the newest release
DIFFERING_FOLDERS = ("base", "record")  # integers beyond 30 bits, struct, slices, viper
RUFF_FOLDERS = ("agent", "board", "toolcart", "archive", "tools", "lab", "host_tests")


@dataclass
class SummaryRow:
    """One line of the summary."""

    what: str
    where: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0
    note: str = ""


def say(text: str) -> None:
    print(text, flush=True)


def in_ci() -> bool:
    return os.environ.get("CI") == "true"


def missing(what: str, where: str, reason: str) -> SummaryRow:
    """Return the row for something not available: a skip on a developer's machine, a failure in CI, named in both."""
    say(f"{where}: {reason}")
    return SummaryRow(what, where, failed=int(in_ci()), skipped=int(not in_ci()), note=reason)


def ruff(what: str, *arguments: str) -> SummaryRow:
    start = time.monotonic()
    folders = [folder for folder in RUFF_FOLDERS if (CHECKOUT / folder).is_dir()]
    command = [sys.executable, "-m", "ruff", *arguments, "--quiet", "--output-format", "concise", *folders]
    code = subprocess.run(command, cwd=CHECKOUT).returncode
    return SummaryRow(what, "all files", int(code == 0), int(code != 0), seconds=time.monotonic() - start)


def types() -> list[SummaryRow]:
    typecheck.prepare()
    rows = []
    reported: set[str] = set()  # what one pass found and the next finds again is reported once
    with ThreadPoolExecutor(WORKERS) as pool:
        pool.submit(_compile_tests)
        outcomes = pool.map(_pass, sorted(typecheck.passes(), key=lambda one: -len(one.files)))
        for row, errors in outcomes:
            for error in errors:
                if error not in reported:
                    say(error)
            reported.update(errors)
            rows.append(row)
    return rows


def _pass(one: typecheck.TypePass) -> tuple[SummaryRow, list[str]]:
    where = f"{one.name} stubs" if one.port else f"CPython, {one.name}"
    start = time.monotonic()
    try:
        errors = typecheck.check(one)
    except Unavailable as reason:
        return missing("types", where, str(reason)), []
    note = f"{len(one.files)} files" + (f", {len(errors)} errors" if errors else "")
    return SummaryRow("types", where, int(not errors), int(bool(errors)), 0, time.monotonic() - start, note), errors


def _compile_tests() -> None:
    """Compile the bytecode of all tests beforehand, since each of pytest's workers would make all of it."""
    command = [sys.executable, "-m", "pytest", "-q", "--collect-only", "-p", "no:cacheprovider"]
    subprocess.run(command, cwd=CHECKOUT, stdout=subprocess.DEVNULL, timeout=PYTEST_TIMEOUT_S)


def compilation() -> SummaryRow:
    start = time.monotonic()
    try:
        files, refused = check_product()
    except Unavailable as reason:
        return missing("compile", "mpy-cross", str(reason))
    for message in refused:
        say(message)
    return SummaryRow(
        "compile", "mpy-cross", int(not refused), int(bool(refused)), 0, time.monotonic() - start, f"{files} files"
    )


def checks(fast: bool) -> list[SummaryRow]:
    say("== ruff, types, compile")
    rows = [ruff("ruff check", "check"), ruff("ruff format", "format", "--check")]
    if not fast:
        rows += types()
    return [*rows, compilation()]


def _pytest_counts(report: Path) -> tuple[int, int, int]:
    """Return passed, failed and skipped from a junit report; a broken set-up is a failed test."""
    suites = xml.etree.ElementTree.parse(report).getroot().iter("testsuite")
    passed = failed = skipped = 0
    for suite in suites:
        bad = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        failed += bad
        skipped += int(suite.get("skipped", 0))
        passed += int(suite.get("tests", 0)) - bad - int(suite.get("skipped", 0))
    return passed, failed, skipped


def _pytest_code(command: list[str], timeout_s: int) -> int | None:
    """Return the exit code of pytest; None if it was not done in time. Its workers never outlive it."""
    pytest = subprocess.Popen(command, cwd=CHECKOUT, start_new_session=True)
    try:
        return pytest.wait(timeout_s)
    except subprocess.TimeoutExpired:
        return None
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pytest.pid, signal.SIGKILL)


def wait_for_packages() -> None:
    """Wait for what `tools/test` has begun to install; it is a child of the shell that became this process."""
    packages = os.environ.pop("TOOLCART_PACKAGES", "")
    if packages:
        with contextlib.suppress(ChildProcessError):  # of another process: not ours to wait for
            os.waitpid(int(packages), 0)


def cpython(arguments: list[str], long: bool) -> SummaryRow:
    say(f"== CPython {sys.version.split()[0]}")
    where = f"CPython {sys.version.split()[0]}"
    start = time.monotonic()
    # A debugger or unbuffered prints want one process; an explicit -n is respected.
    alone = any(a in ("-s", "--pdb", "--trace") or a.startswith(("-n", "--numprocesses")) for a in arguments)
    # Each begins with a part of its own, so that what a module's tests share is made once, and takes from others last.
    workers = [] if alone else ["-n", str(TESTERS), "--dist", "worksteal"]
    with tempfile.TemporaryDirectory(prefix="toolcart-") as folder:
        report = Path(folder, "report.xml")
        command = [sys.executable, "-m", "pytest", "-q", *workers, f"--junitxml={report}", *SLOWEST, *arguments]
        code = _pytest_code(command, PYTEST_LONG_TIMEOUT_S if long else PYTEST_TIMEOUT_S)
        counts = _pytest_counts(report) if report.exists() else (0, 0, 0)
    row = SummaryRow("tests", where, *counts, seconds=time.monotonic() - start)
    if code is None:
        row.failed, row.note = row.failed + 1, "no end in time"
    # 5 is "nothing collected", as for a word that only MicroPython's tests have.
    elif code not in (0, 5) and row.failed == 0:
        row.failed, row.note = 1, f"pytest ended with {code}"
    return row


def portable_files(wanted: list[Path]) -> list[Path]:
    """Return the test files that run on MicroPython, of those asked for or of all."""
    files = wanted or sorted((CHECKOUT / "host_tests").rglob("test_*.py"))
    return [file for file in files if is_portable(file.read_text(encoding="utf-8"))]


def light_files(files: list[Path]) -> list[Path]:
    """Return those that an interpreter runs each time to show that it behaves like the others."""
    return [file for file in files if not is_heavy(file.read_text(encoding="utf-8"))]


def differing_files(files: list[Path]) -> list[Path]:
    """Return those in which one MicroPython can differ from another: numbers, layouts, bytes in place."""
    return [file for file in files if file.parent.name in DIFFERING_FOLDERS]


def _folded(text: str) -> str:
    """Return the text with runs of equal lines shown once: a deep recursion prints thousands."""
    lines = []
    for line, run in itertools.groupby(text.rstrip().splitlines()):
        again = len(list(run)) - 1
        lines += [line] * min(again + 1, 3) + [f"  ... {again - 2} more of this line"] * (again > 2)
    return "\n".join(lines)


@dataclass(frozen=True)
class Place:
    """A MicroPython and the test files that it is to run."""

    runtime: runtimes.Runtime
    files: list[Path]

    @property
    def name(self) -> str:
        return self.runtime.name

    @property
    def where(self) -> str:
        return f"{self.name} (MicroPython {self.runtime.version}, {self.runtime.bits} bit)"

    def machine(self) -> Machine:
        """Fetch and compile what it needs; Unavailable if that is not available."""
        reason = self.runtime.fetch()
        if reason:
            raise Unavailable(reason)
        return Machine(self.runtime)


class MicroPythons:
    """Runs the portable tests in every place, from one queue, so that no core waits for the last one of a place.

    It begins at once and prints nothing before its rows are requested; what is left at the end of its block is not run.
    The seconds of a row are those of its modules one after the other.
    """

    def __init__(self, places: list[Place], word: str):
        self._places = places
        self._word = word
        self._pool = ThreadPoolExecutor(WORKERS, initializer=_yield_to_others)
        self._machines = {place.name: self._pool.submit(place.machine) for place in reversed(places)}
        self._outcomes = {place.name: self._pool.submit(self._queue, place) for place in places}

    def __enter__(self) -> "MicroPythons":
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def _queue(self, place: Place) -> list[tuple[Path, Future]]:
        """Queue its modules once it is there, the heavy ones first; none if it is not available."""
        machine = self._machines[place.name]
        if machine.exception() is not None:
            return []
        files = sorted(place.files, key=lambda file: not is_heavy(file.read_text(encoding="utf-8")))
        return [(file, self._pool.submit(machine.result().run_tests, file, self._word)) for file in files]

    def rows(self, aloud: bool) -> list[SummaryRow]:
        """Wait for everything; return a row for each place, in order."""
        return [_row_of(one, self._machines[one.name], self._outcomes[one.name], aloud) for one in self._places]


def _yield_to_others() -> None:
    """Give this thread, and what it starts, only the processor time that others leave."""
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), MICROPYTHON_NICENESS)


def _row_of(place: Place, machine: Future, outcomes: Future, aloud: bool) -> SummaryRow:
    say(f"== {place.where}")
    failure = machine.exception()
    if isinstance(failure, Unavailable):
        return missing("tests", place.where, str(failure))
    # A module that does not compile is named, and the tests that need it fail on their own.
    for message in machine.result().refused:
        say(message)
    row = SummaryRow("tests", place.where, failed=len(machine.result().refused), note=f"{len(place.files)} modules")
    for file, future in outcomes.result():
        outcome = future.result()
        counts = f"{outcome.passed} passed, {outcome.failed} failed, {outcome.skipped} skipped"
        text = f"{_folded(outcome.text)}\n" if outcome.failed or aloud else ""
        say(f"{text}{place.name} {file.stem}: {counts} ({outcome.seconds:.1f} s)")
        row.passed += outcome.passed
        row.failed += outcome.failed
        row.skipped += outcome.skipped
        row.seconds += outcome.seconds
    return row


def summary(rows: list[SummaryRow]) -> int:
    width = max(len(row.where) for row in rows)
    say(f"\n{'what':12} {'where':{width}}  passed  failed skipped  seconds")
    for row in rows:
        counts = f"{row.passed:7} {row.failed:7} {row.skipped:7} {row.seconds:8.1f}"
        say(f"{row.what:12} {row.where:{width}} {counts}  {row.note}".rstrip())
    passed, failed = sum(row.passed for row in rows), sum(row.failed for row in rows)
    say(f"{passed} passed, {failed} failed, {sum(row.skipped for row in rows)} skipped")
    return 1 if failed else 0


# An emulated chip takes minutes for all portable tests; the tests of the chip itself run in every pytest.
LONG_RUNTIMES = ("cortex",)


def _parsed_arguments() -> tuple[argparse.Namespace, list[str], list[Path]]:
    names = ["cpython", *(runtime.name for runtime in runtimes.all())]
    parser = CommandLine(
        prog="./tools/test",
        description="Every check and test, on CPython and real MicroPython. Other arguments go to pytest.",
        allow_abbrev=False,
    )
    parser.add_argument("--on", action="append", choices=names, help="only the tests, only there; may be repeated")
    parser.add_argument(
        "--interpreter",
        metavar="PATH",
        help="only the portable tests, on a MicroPython of your own: the program of the unix port",
    )
    parser.add_argument("--long", action="store_true", help="the long forms of soak, fuzz and power-cut tests as well")
    parser.add_argument("--fast", action="store_true", help="no type check; of the MicroPythons only unix32")
    parser.add_argument("-k", default="", metavar="WORD", help="only tests whose name contains it")
    arguments, rest = parser.parse_known_args()
    files = []
    for argument in rest:
        # `file.py::test` names a file as well; on MicroPython the whole file runs then.
        path = argument.split("::")[0]
        place = next(
            (p for p in (CHECKOUT / path, Path(os.environ.get("TOOLCART_CALLER", "."), path)) if p.is_file()), None
        )
        if place is not None and not argument.startswith("-"):
            files.append(place.resolve())
            rest[rest.index(argument)] = str(place.resolve()) + argument[len(path) :]
    return arguments, rest, files


def _places(arguments: argparse.Namespace, files: list[Path]) -> list[Place]:
    """Return every MicroPython that is to run tests, with these files."""
    portable = portable_files(files)
    if arguments.interpreter:
        return [Place(runtimes.build_at(arguments.interpreter), portable)] if portable else []
    everything = arguments.on or arguments.long or arguments.k or files
    light = light_files(portable)
    places = []
    for runtime in runtimes.all():
        if arguments.on:
            wanted = runtime.name in arguments.on
        else:
            wanted = runtime.name == "unix32" or (runtime.usual and not arguments.fast)
            wanted = wanted or (arguments.long and runtime.name in LONG_RUNTIMES)
        if everything:
            these = portable
        elif runtime.name in LIGHT_RUNTIMES:
            these = light
        else:
            these = differing_files(light)
        if wanted and these:
            places.append(Place(runtime, these))
    return places


def main() -> int:
    arguments, rest, files = _parsed_arguments()
    os.environ.pop("TOOLCART_LONG", None)
    if arguments.long:
        os.environ["TOOLCART_LONG"] = "1"
    CACHE.mkdir(exist_ok=True)
    # Many processes of a run import the same modules: they are compiled once, and not beside the sources.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = str(CACHE / "bytecode")
    rows = []
    try:
        places = _places(arguments, files)
    except Unavailable as reason:
        say(f"--interpreter: {reason}")
        return 2
    asked_for = arguments.on or (["own"] if arguments.interpreter else [])
    with MicroPythons(places, arguments.k) as micropythons:
        if not (asked_for or files or arguments.k):
            rows += checks(arguments.fast)
        wait_for_packages()
        if not asked_for or "cpython" in asked_for:
            rows.append(cpython([*rest, *(["-k", arguments.k] if arguments.k else [])], arguments.long))
        rows += micropythons.rows(aloud=bool(asked_for))
    if not rows:
        say("nothing to run: none of these files says PORTABLE = True")
    return summary(rows) if rows else 1


if __name__ == "__main__":
    sys.exit(main())
