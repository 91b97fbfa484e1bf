"""The explorers of `toolcart bench causes`: python -m host_tests.lab.worlds.explorers EXPLORER SECONDS [AIM ...]

Prints a line of JSON for each broken promise: what it is, and after how many worlds, images, cuts or states. Worlds go
on, as one may have failed before; anything else ends with the first. With none the last line has the count.
"""

import json
import os
import signal
import sys
import time

DAILY = "ANDSX"
IMAGES_MOST = 5000  # of each row, so that all have their turn
NO_END_S = 40  # a world that takes so long does not end
RECOVERY_STATES = (3000, 30000)  # of each world at first, and then
RECOVERY_WORLDS = (
    {"resets": 1},
    {"resets": 1, "troubles": 1},
    {"resets": 1, "kills": 1},
    {"resets": 1, "queues": 1, "memory": 4},
    {"resets": 2, "memory": 3, "drops": 2},
    {"results": 6, "losses": 4, "memory": 3, "log": 3, "drops": 1},
    {"results": 8, "losses": 5, "memory": 8},
    {"results": 4, "resets": 1, "kills": 1, "refusals": 1, "lags": True},
    {"memory": 3, "first": 4294967293, "before": 1, "resets": 1},
)


class Over(BaseException):
    """The time is over; nothing that is explored may catch this."""


class Tally:
    """How far an explorer is; `images` are counted by explorers of their own."""

    def __init__(self):
        self.count = 0
        self.explorers = []
        self.seed = 0  # of the world that runs
        self.begun = 0.0

    def tell(self, finding):
        """Tell what was found, if anything."""
        total = self.count + sum([explorer.images for explorer in self.explorers])
        print(json.dumps({"found": finding, "count": total, "seed": self.seed}), flush=True)


def worlds(tally, shape="", *profiles):
    """Worlds of this shape and profiles, without end."""
    from lab.worlds import bench

    for tally.seed in range(1, 10**6):
        tally.begun = time.monotonic()
        try:
            kinds = bench.one((tally.seed, shape, *profiles)).kinds
        except Exception as error:
            kinds = ["raised " + type(error).__name__]
        tally.count += 1
        for kind in kinds:
            tally.tell(kind)


def log_proof(tally, only=""):
    """The log and the state: all rows, or those of one kind."""
    from lab.worlds.checksums import remember_checksums

    remember_checksums()
    for kind, row in log_rows(tally):
        if only in ("", kind):
            row()


def log_rows(tally):
    """Return each row of the proof with its kind; random lives come last, without end."""
    from host_tests.support.log_promise import Shape
    from host_tests.support.log_proof import Explorer, LostState, StateExplorer
    from lab.harness.flash import BAD, NEW, UNTOUCHED

    def images(explorer):
        tally.explorers.append(explorer)
        return explorer

    def state(saves, cuts, slots):
        explorer = images(StateExplorer(Shape(state_bytes=slots), "s", saves))
        for starts in (0, 3, 4, 5):
            explorer.explore_after(starts, cuts)

    def log(kind, cuts, full, blocks=3, length=1, refusals=()):
        explore(images(kind(Shape(log_blocks=blocks, when_full=full), DAILY, length, refusals)), cuts)

    rows = [("state", lambda row=row: state(*row)) for row in ((1, 2, 512), (2, 2, 512), (1, 2, 768), (2, 3, 512))]
    for more in (
        {"cuts": 1},
        {"cuts": 1, "blocks": 4},
        {"cuts": 1, "refusals": (UNTOUCHED, BAD, NEW)},
        {"cuts": 2},
        {"cuts": 1, "length": 3},
    ):
        for full in (0, 1):
            rows.append(("cuts", lambda more=more, full=full: log(Explorer, full=full, **more)))
    rows.append(("lost", lambda: log(LostState, 2, 0)))
    rows.append(("lives", lambda: random_lives(tally)))
    return rows


def explore(explorer, cuts):
    """Explore from images at rest, until there are enough."""
    from host_tests.support.log_proof import bases

    for image, promise, way in bases(explorer.shape, 60):
        explorer.explore(image, promise, cuts, (way,))
        if explorer.images > IMAGES_MOST:
            return


def random_lives(tally):
    """Random lives of a log, its state and a quarantine."""
    from host_tests.agent.log.test_log_random import Life

    for seed in range(1, 10**6):
        tally.count += 1
        Life(seed).run(120)


def disk_proof(tally):
    """A file outlet whose disk is cut, or fails, at each operation in turn."""
    import pytest

    from host_tests.agent.linux import test_file as proof

    with pytest.MonkeyPatch.context() as patch:
        for tally.count in range(1, 20):  # each batch is cut at rest, when no one has saved how far the file is
            bench = proof.DiskBench(patch, tally.count)
            bench.saves = False
            for results in (1, 3, 2, 9, 1):
                bench.store(results)
                bench.run()
                bench.cut()
                bench.run()
            bench.check()
        last = proof.operations(patch)
        for fails in ((), *proof.FAILURES):
            for operation in range(1, last + 1):
                tally.count += 1
                bench = proof.DiskBench(patch, 1 + operation)
                if fails:
                    bench.disk.fails, bench.disk.fail_at = fails, operation
                    bench.work()
                else:
                    bench.disk.cut_at = operation
                    with pytest.raises(proof.PowerCut):
                        bench.work()
                    bench.cut()
                    bench.run()
                bench.check()


def quarantine_model(tally):
    """Random work on a quarantine, without end."""
    from host_tests.agent.quarantine import test_quarantine_model as model

    flashes = [(row, model.template(*row)) for row in ((256, 3), (64, 4), (16, 6))]
    for seed in range(10**6):
        for (unit_bytes, kept_blocks), flash in flashes:
            tally.count += 1
            world = model.World(seed, kept_blocks, unit_bytes, flash.clone())
            for _ in range(model.STEPS):
                world.step()


def recovery_model(tally):
    """Each of the small controllers, as far as the number of states goes, and then farther."""
    from host_tests.agent.openprotocol import test_recovery_model as model

    for most in RECOVERY_STATES:
        for options in RECOVERY_WORLDS:
            count, bad = model.explored(most=most, **options)
            tally.count += count
            if bad:
                raise AssertionError(bad)


def refusals_model(tally):
    """Every row of the model of what ToolsNet refuses."""
    import pytest

    from toolcart.agent.outlets.toolsnet import lookahead, policy
    from host_tests.agent.outlets import test_refusals_model as model

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lookahead, "REACH", 2)
        patch.setattr(policy, "PATIENCE", 2)
        for logs, budgets in model.ROWS.values():
            for kinds in logs:
                states, broken = model.explore([kinds], **budgets)
                tally.count += states
                for what, (_, way) in broken.items():
                    raise AssertionError("%s: %s" % (what, way))


EXPLORERS = {
    "worlds": worlds,
    "log proof": log_proof,
    "disk proof": disk_proof,
    "quarantine model": quarantine_model,
    "recovery model": recovery_model,
    "refusals model": refusals_model,
}


def _over(*_):
    raise Over


def main(name, seconds, *aim):
    """Explore for so many seconds at most."""
    before = signal.signal(signal.SIGALRM, _over)
    # Again each second: one that is raised while something is collected is printed and forgotten.
    signal.setitimer(signal.ITIMER_REAL, int(seconds), 1)
    tally = Tally()
    kind = ""
    try:
        EXPLORERS[name](tally, *aim)
    except Over:
        if tally.begun and time.monotonic() - tally.begun > NO_END_S:
            kind = "no end"
    except Exception as error:
        kind = "%s: %s" % (type(error).__name__, (str(error).splitlines() or [""])[0])
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    tally.tell(kind)


if __name__ == "__main__":
    assert os.path.abspath(__file__ + "/../../../..") == os.getcwd(), "another checkout"
    main(*sys.argv[1:])
