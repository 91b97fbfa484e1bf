"""Many worlds: runs them in several processes, adds up the judge's findings, and shrinks what fails.

The figures depend on the worlds alone: two runs with the same seeds give the same figures on any machine.
"""

from __future__ import annotations

import json
import multiprocessing
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field

from lab.bench.report import Report
from lab.worlds.checksums import remember_checksums
from lab.worlds.history import KINDS
from lab.worlds.script import draw
from lab.worlds.shrink import Shrinker, fails_with
from lab.worlds.world_run import run

SHRUNK_MOST = 10  # failures that one command shrinks: each takes as long as hundreds of worlds


@dataclass
class WorldOutcome:
    """The outcome of one world, small enough to pass between processes."""

    seed: int
    shape: str
    kinds: list[str]
    findings: list[dict]
    excused: dict[str, int]
    results: int
    owed: int
    cuts: int
    starts: int
    seconds: float
    shrunk: dict | None = field(default=None)


def one(task: tuple[int, str, *tuple[str, ...]]) -> WorldOutcome:
    """Run the world of this seed and shape, with controllers of these profiles if there are any."""
    seed, shape, *profiles = task
    remember_checksums()
    begun = time.process_time()
    outcome = run(draw(seed, shape, tuple(profiles)))
    verdict, history = outcome.verdict, outcome.history
    return WorldOutcome(
        seed=seed,
        shape=", ".join([outcome.script["shape"], *[name for name in _profiles(outcome.script) if name]]),
        kinds=verdict.kinds(),
        findings=[asdict(finding) for finding in verdict.findings],
        excused={name: count for name, count in sorted(verdict.excused.items()) if count},
        results=outcome.results,
        owed=verdict.owed,
        cuts=history.cuts,
        starts=history.starts,
        seconds=time.process_time() - begun,
    )


def _profiles(script: dict) -> list[str]:
    return [station["controller"].get("profile", "") for station in script["stations"]]


def many(
    first: int,
    count: int,
    shape: str,
    jobs: int,
    on_done: Callable[[float], None] | None = None,
    profiles: tuple[str, ...] = (),
) -> list[WorldOutcome]:
    """Run `count` worlds from seed `first` on; the results are in the order of the seeds."""
    tasks = [(seed, shape, *profiles) for seed in range(first, first + count)]
    outcomes = []
    with ExitStack() as stack:
        answers: Iterator[WorldOutcome] = map(one, tasks)
        if jobs > 1:
            answers = stack.enter_context(multiprocessing.get_context("spawn").Pool(jobs)).imap(one, tasks, chunksize=4)
        for answer in answers:
            outcomes.append(answer)
            if on_done is not None:
                on_done(len(outcomes) / count)
    return outcomes


def shrink(
    outcomes: list[WorldOutcome], shape: str, say: Callable[[str], None], profiles: tuple[str, ...] = ()
) -> None:
    """Shrink the first failing worlds, in place."""
    for outcome in [outcome for outcome in outcomes if outcome.kinds][:SHRUNK_MOST]:
        say(f"shrinking seed {outcome.seed}: {outcome.kinds[0]}")
        outcome.shrunk = Shrinker(draw(outcome.seed, shape, profiles), fails_with(outcome.kinds[0])).shrink()


def report(outcomes: list[WorldOutcome], first: int, shape: str, profiles: tuple[str, ...] = ()) -> dict:
    """Return the figures in the form of every bench, and the failures with their seeds."""
    answer = Report()
    failed = [outcome for outcome in outcomes if outcome.kinds]
    shapes = Counter(word for outcome in outcomes for word in outcome.shape.split(", "))
    how = f"seeds {first} to {first + len(outcomes) - 1}" + "".join(f", {word}" for word in (shape, *profiles) if word)
    answer.add("worlds", len(outcomes), "", how=how)
    for word, count in sorted(shapes.items()):
        answer.add(f"worlds: {word}", count, "")
    answer.add("worlds in which the promise breaks", len(failed), "", "<= 0")
    answer.add("cuts", sum(outcome.cuts for outcome in outcomes), "")
    answer.add("starts", sum(outcome.starts for outcome in outcomes), "")
    answer.add("results", sum(outcome.results for outcome in outcomes), "")
    answer.add("of these owed", sum(outcome.owed for outcome in outcomes), "")
    found: Counter = Counter()
    worlds: Counter = Counter()
    for outcome in outcomes:
        worlds.update(outcome.kinds)
        for finding in outcome.findings:
            found[finding["kind"]] += finding["count"]
    for number, kind in enumerate(KINDS, 1):
        answer.add(kind, found[kind], "", "<= 0", f"rule {number}, in {worlds[kind]} worlds")
    excused: Counter = Counter()
    for outcome in outcomes:
        excused.update(outcome.excused)
    for name, count in sorted(excused.items()):
        answer.add(f"excused: {name}", count, "results")
    spent = sum(outcome.seconds for outcome in outcomes)
    answer.add("processor time a world", round(1000 * spent / max(len(outcomes), 1), 1), "ms")
    tree = answer.as_dict()
    tree["failures"] = [asdict(outcome) for outcome in failed]
    return tree


def failures_as_text(tree: dict) -> str:
    """Return the failing worlds, one paragraph each, with the script if it was shrunk."""
    lines = []
    for failure in tree["failures"]:
        lines.append(f"seed {failure['seed']} ({failure['shape']}): {', '.join(failure['kinds'])}")
        lines.extend(f"    {one['kind']}, station {one['station']}: {one['text']}" for one in failure["findings"])
        if failure["shrunk"] is not None:
            lines.append(script_as_text(failure["shrunk"]))
    return "\n".join(lines)


def script_as_text(script: dict) -> str:
    """Return a script in readable form: one event a line."""
    head = {name: value for name, value in script.items() if name not in ("events", "end_ms") and value not in ({}, [])}
    lines = ["{"]
    lines.extend(f"  {json.dumps(name)}: {json.dumps(value)}," for name, value in head.items())
    lines.append('  "events": [')
    lines.append(",\n".join(f"    {json.dumps(event)}" for event in script["events"]))
    lines.append("  ],")
    lines.append(f'  "end_ms": {script["end_ms"]}')
    lines.append("}")
    return "\n".join(lines)
