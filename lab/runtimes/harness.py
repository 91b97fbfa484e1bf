"""A MicroPython together with the compiled tree: runs test modules and scripts on it, with a deadline."""

import os
import re
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from toolcart.base.constants import written_out
from toolcart.base.sources import Source
from lab.runtimes.build import RUNNER, compiled_tree, module_of
from lab.runtimes.catalogue import Runtime, heap_bytes

MODULE_TIMEOUT_S = 1200  # against one that hangs: it may run beside others, at the lowest priority
LONG_MODULE_TIMEOUT_S = 3600  # with --long
DEFAULT_HEAP = "256k"  # a test file's HEAP and this are for words of 32 bits

_HEAP = re.compile(r'^HEAP = "(\d+[kKmM]?)"', re.MULTILINE)
_TOTALS = re.compile(r"^(\d+) passed, (\d+) failed, (\d+) skipped$")


@dataclass(frozen=True)
class Outcome:
    """The outcome of one set of tests: counts, seconds, and everything it printed."""

    passed: int
    failed: int
    skipped: int
    seconds: float
    text: str


class Machine:
    """One runtime with one compiled tree, by default of the checkout as it is."""

    def __init__(self, runtime: Runtime, tree: Path | None = None):
        self.runtime = runtime
        self.tree, self.refused = (tree, []) if tree else compiled_tree(runtime.native)

    def run(
        self, script: str | Path, heap: str = "128k", args: tuple[str, ...] = (), timeout_s: int = MODULE_TIMEOUT_S
    ) -> subprocess.CompletedProcess:
        """Run a script with the tree on its path, in an empty folder; TimeoutExpired if it is late."""
        command = self.runtime.command(script, heap, args, self.tree)
        with tempfile.TemporaryDirectory(prefix="toolcart-") as folder:
            return subprocess.run(
                command,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                timeout=timeout_s,
            )

    def run_source(
        self, source: str, heap: str = "128k", timeout_s: int = MODULE_TIMEOUT_S
    ) -> subprocess.CompletedProcess:
        """Do the same for a script's text, whose constants are written out as those of the tree are."""
        with tempfile.TemporaryDirectory(prefix="toolcart-") as folder:
            script = Path(folder, "script.py")
            script.write_text(written_out(Source(script.name, source))[0].text, encoding="utf-8")
            return self.run(script, heap, (), timeout_s)

    def run_tests(self, test_file: Path, word: str = "") -> Outcome:
        """Run the portable tests of one file of host_tests/ whose names contain `word`."""
        wanted = _HEAP.search(test_file.read_text(encoding="utf-8"))
        # Words of 64 bits take twice the room: everything in a heap but bytes consists of words.
        heap = str(heap_bytes(wanted[1] if wanted else DEFAULT_HEAP) * self.runtime.bits // 32)
        args = (module_of(test_file), word)
        timeout_s = LONG_MODULE_TIMEOUT_S if os.environ.get("TOOLCART_LONG") == "1" else MODULE_TIMEOUT_S
        start = time.monotonic()
        try:
            done = self.run(self.tree / RUNNER, heap, args, timeout_s)
            text, code = done.stdout, done.returncode
        except subprocess.TimeoutExpired as late:
            output = late.stdout or b""
            text = output.decode(errors="replace") if isinstance(output, bytes) else output
            text, code = f"{text}\nno end within {timeout_s} s", -1
        seconds = time.monotonic() - start
        lines = text.rstrip().splitlines()
        totals = _TOTALS.match(lines[-1]) if lines else None
        if totals and (code == 0) == (totals[2] == "0"):
            return Outcome(int(totals[1]), int(totals[2]), int(totals[3]), seconds, text)
        # It did not reach its last line: what passed is counted, and the end itself is one failure.
        passed = sum(line.startswith("ok ") for line in lines)
        failed = sum(line.startswith("FAIL ") for line in lines)
        return Outcome(passed, failed + 1, 0, seconds, f"{text}\n(ended with code {code} before the totals)")
