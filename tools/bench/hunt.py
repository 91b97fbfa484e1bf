"""Breaks causes of lost results again, one at a time, and counts the worlds that find each: `toolcart bench causes`.

Rules
1. Each cause is tried in a private copy of the checkout, in an interpreter of its own.
2. A world finds it if it ends with a kind of finding that the same seed does not have with the program as it is.
3. A world that raises or needs WORLD_S of a processor finds it as well: `raised`, `no end`.
4. What no world finds, the cause's own test has to: it is run in the same copy, and its failing is what counts.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tools.bench.causes import CAUSES, Cause
from tools.bench.mutation import broken, caught_by, copied
from tools.report import Report

WORLD_S = 60
NO_END = "no end"
RAISED = "raised"

Kinds = dict[int, list[str]]


@dataclass
class Hunt:
    """What worlds, and else a test, said of one cause."""

    cause: Cause
    worlds: int = 0
    seeds: list[int] = field(default_factory=list)
    kinds: Counter = field(default_factory=Counter)
    caught_by: str = ""


def hunt(names: list[str], first: int, count: int, on_done: Callable[[float], None]) -> list[Hunt]:
    """Try the causes of these names, or all, in `count` worlds each from seed `first` on."""
    wanted = [cause for cause in CAUSES if not names or cause.name in names]
    runs = (len(wanted) + 1) * count
    done = 0

    def one_more() -> None:
        nonlocal done
        done += 1
        on_done(done / runs)

    with copied() as root:
        usual = dict(_worlds(root, first, count, one_more))
    return [_try(cause, usual, first, count, one_more) for cause in wanted]


def _try(cause: Cause, usual: Kinds, first: int, count: int, one_more: Callable[[], None]) -> Hunt:
    found = Hunt(cause, count)
    with broken(cause) as root:
        for seed, kinds in _worlds(root, first, count, one_more):
            new = sorted(set(kinds) - set(usual[seed]))
            if new:
                found.seeds.append(seed)
                found.kinds.update(new)
        if not found.seeds:
            found.caught_by = caught_by(root, ["-n", "0", "host_tests/" + cause.test])
    return found


def _worlds(root: Path, first: int, count: int, one_more: Callable[[], None]) -> Iterator[tuple[int, list[str]]]:
    """Run the worlds in the copy under `root`; gives (seed, kinds of findings) as they end."""
    command = [sys.executable, "-m", "tools.bench.hunt", str(first), str(count)]
    environment = {**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
    with subprocess.Popen(command, cwd=root, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            seed, kinds = json.loads(line)
            one_more()
            yield seed, kinds
    if process.returncode != 0:
        raise RuntimeError(f"the worlds under {root} ended with {process.returncode}")


def report(hunts: list[Hunt], first: int) -> dict:
    """The figures, as every bench gives them; met is what a world or a test has found."""
    answer = Report()
    for found in hunts:
        how = found.cause.why
        if found.seeds:
            kinds = ", ".join(f"{kind} {count}" for kind, count in found.kinds.most_common())
            answer.add(found.cause.name, len(found.seeds), "worlds", "", f"first seed {found.seeds[0]}: {kinds}; {how}")
        elif found.caught_by:
            answer.add(found.cause.name, 0, "worlds", "", f"found by {found.caught_by}; {how}")
        else:
            answer.add(found.cause.name, None, "worlds", "", f"NOBODY finds it; {how}")
    tree = answer.as_dict()
    tree["first seed"] = first
    tree["causes"] = [
        {
            "name": found.cause.name,
            "fault": found.cause.fault,
            "worlds": found.worlds,
            "found in": len(found.seeds),
            "first seed": found.seeds[0] if found.seeds else None,
            "kinds": dict(found.kinds),
            "test": found.caught_by,
        }
        for found in hunts
    ]
    return tree


# -- in the copy -----------------------------------------------------------------------------------------------------


class _NoEnd(BaseException):
    """A world that takes too long; nothing in it may catch this."""


def _give_up(*_: object) -> None:
    raise _NoEnd


def _tell(first: int, count: int) -> None:
    """Run the worlds here and print a line for each."""
    import agent
    from tools.worlds import bench

    here = Path.cwd().resolve()
    assert here in Path(str(agent.__file__)).resolve().parents, "another checkout's agent"
    signal.signal(signal.SIGPROF, _give_up)
    for seed in range(first, first + count):
        signal.setitimer(signal.ITIMER_PROF, WORLD_S)
        try:
            kinds = bench.one((seed, "")).kinds
        except _NoEnd:
            kinds = [NO_END]
        except Exception:
            kinds = [RAISED]
        signal.setitimer(signal.ITIMER_PROF, 0)
        print(json.dumps([seed, kinds]), flush=True)


if __name__ == "__main__":
    _tell(int(sys.argv[1]), int(sys.argv[2]))
