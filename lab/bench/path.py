"""Measures a result's way from the controller's first byte to the handled 05: bytes, heap, time, size.

Rules
1. The agent is the real one, compiled as for a board; its peers are those of lab/harness/quiet.py, which allocate
   nothing and answer at once. So times are the agent's and the interpreter's, without a network.
2. The least heap is found by halving: the whole agent runs results and a backlog, or it ends for lack of memory.
   Its flash is a file. Script, peers and flash are in the heap as well; what they take is measured (gc.mem_alloc, the
   agent loaded before them) and not counted as the agent's.
3. What needs a missing MicroPython is reported as not measured, with the reason.
"""

from __future__ import annotations

import functools
import json
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from toolcart.agent.openprotocol.light import read_light
from toolcart.agent.record.result import BODY_BYTES
from toolcart.base import child
from toolcart.base.cache import Unavailable
from toolcart.base.mpy import compile_into, compiled
from toolcart.base.report import Report, measured
from toolcart.base.sources import ROOT, Source, product_sources
from toolcart.tools.flash import package
from lab import runtimes
from lab.bench import halving, inside
from lab.bench.least import CONFIG
from lab.firmware import rp2040
from lab.harness import quiet
from lab.harness.configuration import TREE, configuration
from lab.runtimes.catalogue import Runtime
from lab.runtimes.harness import Machine

RESULTS = 1000
TURNS = 20
HEAP_STEP_BYTES = 256
HEAP_MOST_BYTES = 512 * 1024
RUN_TIMEOUT_S = 120
PARSE_ROUNDS = 5000
FROZEN_HEAP_TARGET = "<= 81920"
HELPERS = (*rp2040.PEERS, "lab/bench/least.py")

IMPORT_ONLY = "import toolcart.agent.cart.app\nprint('through 0')\n"
HEAP_RUN = (
    "import gc\nbefore = gc.mem_alloc()\nfrom lab.bench import least\ngc.collect()\n"
    "least.heap('spool', gc.mem_alloc() - before)\n"
)
# The same from a ROMFS, which is in flash on a chip and in the heap here.
ROMFS = "rom/image"
ROMFS_RUN = (
    "import gc, os, sys, vfs\nbefore = gc.mem_alloc()\n"
    f"name = sys.path[-1] + '/{ROMFS}'\nimage = bytearray(os.stat(name)[6])\n"
    "with open(name, 'rb') as file:\n    file.readinto(image)\n"
    "vfs.mount(vfs.VfsRom(image), '/rom')\nsys.path.insert(0, '/rom')\n"
    "from lab.bench import least\ngc.collect()\n"
    "least.heap('spool', gc.mem_alloc() - before)\n"
)


def run(progress: Callable[[float], None]) -> dict:
    """Take every figure; `progress` gets the share done, 0 to 1."""
    steps: list[Callable[[Report], None]] = [
        _size,
        _parse,
        lambda report: _allocation(report, "wasm32"),
        lambda report: _allocation(report, "unix32"),
        _allocation_on_files,
        _heap,
        _speed_here,
        lambda report: _speed(report, "unix32"),
        lambda report: _speed(report, "unix64"),
    ]
    return measured(steps, progress)


# -- size ----------------------------------------------------------------------------------------------------------


def _size(report: Report) -> None:
    names = ("core as .mpy", "core as .mpy, what one TCP station loads")
    wanted = [one for one in installed_anywhere() if one.name.startswith("toolcart/agent/") and not one.is_native]
    try:
        sizes = {one.name: len(compiled(one)) for one in wanted}
    except (Unavailable, ValueError) as reason:
        for name in names:
            report.add(name, None, "bytes", "", str(reason))
        return
    how = "all of toolcart/agent/ that a board may have, compiled without asserts, as boards get it"
    report.add(names[0], sum(sizes.values()), "bytes", "", how)
    loaded = sum(size for name, size in sizes.items() if dotted(name) in _loaded())
    report.add(names[1], loaded, "bytes", "", "of these the modules that are imported when it runs")


def installed_anywhere() -> list[Source]:
    """Return the files that a chip of some platform gets for ToolsNet alone."""
    wanted = {source.name for platform in package.PLATFORMS for source in package.installed_sources(platform)}
    return [source for source in product_sources() if source.name in wanted]


def dotted(name: str) -> str:
    """Return the name by which a file is imported."""
    return name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


@functools.cache
def _loaded() -> frozenset[str]:
    """Return the modules of toolcart/agent/ that a run with one station over TCP has loaded."""
    source = (
        "import sys; from toolcart.agent.base import compat; "
        "compat.ON_CPYTHON = False; "  # a board is given nothing of toolcart.agent.wide
        "compat.give_back = lambda package, module: None; "  # what only a start loads counts as well
        "import json; from lab.harness.quiet import Workbench; "
        "bench = Workbench(json.loads(sys.argv[1])); "  # completed elsewhere, as a board is given it
        "bench.settle(); assert bench.many_results(5); print(*sys.modules)"
    )
    done = subprocess.run(
        child.command("-c", source, json.dumps(package.completed(TREE))),
        capture_output=True,
        text=True,
        timeout=RUN_TIMEOUT_S,
        check=True,
    )
    return frozenset(name for name in done.stdout.split() if name.startswith("toolcart.agent"))


# -- parse ---------------------------------------------------------------------------------------------------------


def plain_read(body: bytearray, start: int, buf: bytearray, at: int, length: int) -> int:
    """Read the same body by slices and int(), without a check, as one would on a PC."""
    stamp = buf[at + 73 : at + 92]
    digits = stamp[0:4] + stamp[5:7] + stamp[8:10] + stamp[11:13] + stamp[14:16] + stamp[17:19]
    body[start : start + 25] = buf[at + 20 : at + 45]
    body[start + 25 : start + 33] = b"%04d%04d" % (int(buf[at + 45 : at + 47]), int(buf[at + 47 : at + 50]))
    body[start + 33 : start + 56] = buf[at + 50 : at + 73]
    body[start + 56 : start + 63] = bytes.fromhex(digits.decode())
    body[start + 63 : start + 92] = buf[at + 92 : at + 121]
    return 1


def _ns_each(read: Callable[[bytearray, int, bytearray, int, int], object], buf: bytearray) -> float:
    body = bytearray(BODY_BYTES)
    begin = time.thread_time_ns()
    for _ in range(PARSE_ROUNDS):
        read(body, 0, buf, 0, 121)
    return (time.thread_time_ns() - begin) / PARSE_ROUNDS


def _parse(report: Report) -> None:
    buf = bytearray(quiet.QuietController().result)
    # The two in turns, the best of each: another program on the machine slows one round, not all.
    rounds = [(_ns_each(read_light, buf), _ns_each(plain_read, buf)) for _ in range(20)]
    ours = min(pair[0] for pair in rounds)
    theirs = min(pair[1] for pair in rounds)
    report.add("parse MID 0061/999", ours, "ns", "", f"all fields, with every check, CPython, {PARSE_ROUNDS} a round")
    how = f"slices, without a check: {theirs:.0f} ns, same run"
    report.add("parse, ratio to slicing", ours / theirs, "x", "", how)


# -- MicroPython ---------------------------------------------------------------------------------------------------


def _machine(name: str) -> tuple[Machine | None, str]:
    runtime = runtimes.named(name)
    reason = runtime.fetch()
    if reason:
        return None, reason
    try:
        return Machine(runtime), ""
    except Unavailable as unavailable:
        return None, str(unavailable)


def _ask(name: str, call: str, heap: str) -> tuple[list[int], str]:
    """Run one function of lab/bench/inside.py; return the numbers of its line, or why there are none."""
    machine, reason = _machine(name)
    if machine is None:
        return [], reason
    try:
        done = machine.run_source(f"from lab.bench import inside\ninside.{call}\n", heap, timeout_s=RUN_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        return [], f"no end within {RUN_TIMEOUT_S} s"
    lines = done.stdout.strip().splitlines()
    numbers = [int(word) for word in lines[-1].split()[1:] if word.isdigit()] if done.returncode == 0 and lines else []
    return numbers, "" if numbers else (lines[-1] if lines else "it said nothing")


def _allocation(report: Report, name: str) -> None:
    numbers, reason = _ask(name, f"allocation({RESULTS})", "1m")
    label = f"{name} ({runtimes.named(name).version})"
    how = f"{RESULTS} results, collection off" if numbers else reason
    report.add(f"allocated a result, {label}", numbers[0] / RESULTS if numbers else None, "bytes", "<= 0", how)
    how = f"{RESULTS} steps with their keep-alives" if numbers else reason
    report.add(f"allocated an idle step, {label}", numbers[1] / RESULTS if numbers else None, "bytes", "<= 0", how)


def _allocation_on_files(report: Report) -> None:
    numbers, reason = _ask("unix32", f"on_files({RESULTS})", "4m")
    how = (
        f"{RESULTS} results, files on littlefs, collection off; a file that is opened takes 1.2 KB"
        if numbers
        else reason
    )
    for at, name in enumerate(("live", "backlog")):
        value = numbers[at] / RESULTS if numbers else None
        report.add(f"allocated a result, spool in files, {name}", value, "bytes", "<= 0", how)


def _speed(report: Report, name: str) -> None:
    numbers, reason = _ask(name, f"speed({RESULTS})", "1m")
    how = f"{RESULTS} one after the other, flash in RAM" if numbers else reason
    value = RESULTS * 1000 / max(numbers[0], 1) if numbers else None
    report.add(f"through the whole path, {name}", value, "results/s", "", how)


def _speed_here(report: Report) -> None:
    bench = quiet.Workbench(configuration())
    bench.settle()
    if not bench.many_results(inside.WARM_UP):
        raise RuntimeError("the results do not get through")
    bench.idle(inside.SOUGHT)
    best = float("inf")
    for _ in range(TURNS):
        start = time.thread_time()
        if not bench.many_results(RESULTS // TURNS):
            raise RuntimeError("the results do not get through")
        best = min(best, time.thread_time() - start)
    if not bench.sound():
        raise RuntimeError("a result was lost, or came out of order")
    how = f"one after the other, flash in RAM, the best of {TURNS} turns of {RESULTS // TURNS} in the thread's own time"
    report.add("through the whole path, CPython", RESULTS // TURNS / best, "results/s", ">= 20000", how)


# -- heap ----------------------------------------------------------------------------------------------------------


def board_tree(folder: Path) -> None:
    """Fill `folder` with the agent as a board gets it and, in the same form, what runs and answers it."""
    helpers = [Source(name, (ROOT / name).read_text(encoding="utf-8")) for name in HELPERS]
    compile_into(folder, [*installed_anywhere(), *helpers])


def romfs_of(tree: Path) -> bytes:
    """Return the ROMFS image of a folder of compiled .mpy, made as `mpremote romfs build` does."""
    from mpremote.romfs import VfsRomWriter

    writer = VfsRomWriter()

    def add(folder: Path) -> None:
        for entry in sorted(folder.iterdir()):
            if entry.is_dir():
                writer.opendir(entry.name)
                add(entry)
                writer.closedir()
            elif entry.suffix == ".mpy":
                writer.mkfile(entry.name, entry.read_bytes())

    add(tree)
    return bytes(writer.finalise())


def runs_in(runtime: Runtime, tree: Path, source: str, heap_bytes: int) -> int | None:
    """Return the bytes taken beside the agent, if the script gets `through` with so small a heap; else None."""
    with tempfile.TemporaryDirectory(prefix="toolcart-bench-") as folder:
        script = Path(folder, "script.py")
        script.write_text(source, encoding="utf-8")
        Path(folder, CONFIG).write_text(json.dumps(package.completed(TREE)), encoding="utf-8")
        try:
            done = subprocess.run(
                runtime.command(script, str(heap_bytes), (), tree),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=RUN_TIMEOUT_S,
            )
        except subprocess.TimeoutExpired:
            return None  # it collects all the time: that does not count
    said = done.stdout.split()
    return int(said[1]) if said[:1] == ["through"] else None


def least_heap(runtime: Runtime, tree: Path, source: str) -> tuple[int | None, int]:
    """Return the least heap in which the script gets through, a multiple of HEAP_STEP_BYTES; None if none is enough.

    And the bytes that were not the agent's.
    """
    found, beside_it = halving.least(
        lambda heap_bytes: runs_in(runtime, tree, source, heap_bytes), 0, HEAP_MOST_BYTES, HEAP_STEP_BYTES
    )
    return found, beside_it or 0


def _heap(report: Report) -> None:
    names = ("least heap, whole agent with a backlog", "least heap, import only", "heap beyond the import")
    runtime = runtimes.named("unix32")
    reason = runtime.fetch()
    whole = imported = in_place = None
    peers = beside_it = 0
    if not reason:
        with tempfile.TemporaryDirectory(prefix="toolcart-bench-") as folder:
            tree, rom = Path(folder, "tree"), Path(folder, "rom")
            try:
                board_tree(tree)
                whole, peers = least_heap(runtime, tree, HEAP_RUN)
                imported, _ = least_heap(runtime, tree, IMPORT_ONLY)
                rom.mkdir()
                Path(folder, ROMFS).write_bytes(romfs_of(tree))
                in_place, beside_it = least_heap(runtime, Path(folder), ROMFS_RUN)
            except (Unavailable, ValueError) as unavailable:
                reason = str(unavailable)
    if not reason and whole is None:
        reason = f"it does not run in {HEAP_MOST_BYTES} bytes either"
    how = f"unix32, .mpy loaded into the heap, one station, flash in a file; {peers} more for script, flash and peers"
    whole = None if whole is None else whole - peers
    report.add(names[0], whole, "bytes", "", reason or how)
    report.add(names[1], imported, "bytes", "", reason or "unix32, toolcart.agent.cart.app and all that it imports")
    in_place = None if in_place is None else in_place - beside_it
    how = f"the same out of a ROMFS, as firmware with MICROPY_VFS_ROM runs it; {beside_it} more for image and the rest"
    report.add("least heap, whole agent out of a ROMFS", in_place, "bytes", FROZEN_HEAP_TARGET, reason or how)
    beyond = whole - imported if whole is not None and imported is not None else None
    report.add(names[2], beyond, "bytes", "", reason or "the difference: what objects and buffers take when it runs")
