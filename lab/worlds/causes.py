"""Breaks the rules of the core one at a time, and checks that worlds or an exhaustive run, not a unit test, find it.

    toolcart bench causes [NAME ...]      those of these names, or all; --seconds is how long each may take

Rules
1. Each change is made in a private copy of the checkout; host_tests/lab/worlds/explorers.py explores it there, in an
   interpreter of its own, until it finds a broken promise or its time is over.
2. What a world finds does not count if the same world finds it with the unchanged program.
3. The code to take out must be in its file exactly once; otherwise the list is wrong, and this is reported.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("agent", "archive", "board", "tools", "toolcart", "lab", "host_tests", "pyproject.toml")
SECONDS = 120
GRACE_S = 60  # until an explorer that overruns its time is ended
WORLDS = "worlds"
UNITS = {WORLDS: "worlds", "log proof": "images", "disk proof": "cuts", "quarantine model": "lives"}
UNITS |= {"recovery model": "states", "refusals model": "states"}

# name | fault of worlds.md, 0: a rule of the core | file | who finds it, and where it looks: shape, profiles, run
# :what is broken, then what is taken out and what is put in
LIST = """
connecting-waits-for-a-free-block | 1 | agent/station/intake.py | worlds full
: no connection while the log is full, though it overwrites
-(is_sure or log.device.refusal() == 0) and not log.has_room(log.room_bytes)
+is_sure and log.blocks.count_free(log.lowest()) < 2
start-does-not-overwrite | 1 | agent/log/carry_over.py | log proof cuts
: a start's first append to a full log is refused, though it overwrites
-LOG_FULL if blocks.when_full == WHEN_FULL_REFUSE else LOG_DONE
+LOG_FULL
no-lookahead | 2 | agent/outlets/toolsnet/policy.py | worlds refused
: what is refused is offered again and again, and nothing behind it
-elif self.quarantines_refused:
+elif self.head < 0:
ten-seconds-each | 2 | agent/outlets/toolsnet/policy.py | worlds refused
: each refused one of a row is offered four times
-if self.lookahead.is_proven(now) and (
+if self.head < 0 and (
lookahead-of-one | 2 | agent/outlets/toolsnet/lookahead.py | refusals model
: a lookahead never goes further than the next one
-(REACH << min(failed, _WIDER_MOST))
+1
earlier-is-not-missing | 3 | agent/openprotocol/id_walk.py | worlds away
: what a controller with a clock set back has is taken for old
-    observed.first = lowest
+    early = observed.top[5:12] < recovery.ledger.octets[5:12]
+    observed.first = after(observed.upto) if early else lowest
overwritten-and-still-first | 4 | agent/outlets/toolsnet/policy.py | worlds full
: one that was refused and overwritten holds all behind it until a restart
-if code != NOTHING and self.cursor.found != self.head:
+if code != NOTHING and self.cursor.found != self.head:
+            return NOTHING
+        if code != NOTHING and self.cursor.found != self.head:
full-for-good | 4 | agent/outlets/toolsnet/policy.py | worlds refused
: a hold ends when the quarantine has room again, or ToolsNet takes what it refused
-if self.phase == HOLD:
+if self.phase == HOLD:
+            return NOTHING
+        if self.phase == HOLD:
settling-needs-room | 5 | agent/log/carry_over.py | log proof cuts
: what a start finds in doubt in a full log stays so
-blocks.find(0)
+blocks.find(1)
full-log-saves-nothing | 5 | agent/outlets/toolsnet/policy.py | worlds full
: a full log has no room for what has to be remembered
-done = self.raise_send_limit(
+done = not self.log.is_still_full() and self.raise_send_limit(
no-block-for-what-is-moved | 5 | agent/quarantine/quarantine.py | quarantine model
: a quarantine that is full to the brim lets nothing be dropped
-return free - 2
+return free - 1
last-record-trusted | 6 | agent/log/mount.py | log proof cuts
: what reads well once is relied on
-log.doubtful = last > 0
+log.doubtful = False
void-copies-count | 6 | agent/log/mount.py | log proof cuts
: copies of which no snapshot knows count again
-_reaches_beyond(log, place, order[:-1], unnamed) if place in unnamed else 1
+1
damage-not-counted | 6 | agent/log/reader.py | log proof lives
: what read well once and is gone is skipped and not counted
-self.count_damaged(cursor.number, last + 1 - skipped)
+self.damage.ignore_before(last + 1)
kept-in-doubt-trusted | 6 | agent/quarantine/quarantine.py | quarantine model
: the last entry of the quarantine is relied on though it may fade
-        self._settled = not self.log.doubtful and self._catch_up()
+        self.log.doubtful, self.log.visible = False, self.log.number
+        self._settled = self._catch_up()
never-offered-late | 7 | agent/outlets/toolsnet/reoffer_schedule.py | refusals model
: what was set aside stays there though the server would take it
-        if self.wants and not self.timer.armed:
+        if self.wants and self.timer.armed:
silence-ends-asking | 7 | agent/openprotocol/unanswered_requests.py | recovery model
: a question without a usable answer is the connection's last
-        return _go_on_in_vain(recovery, now)
-    if _can_do_without_newest
+        return _go_on_in_vain(recovery, now)
+    recovery.switch_off(phases.PHASE_OFF)
+    return phases.OUTCOME_NONE
+    if _can_do_without_newest
last-line-believed | 8 | board/linux/lines.py | disk proof
: behind a failed sync the last line that reads well is believed
-readable = self._not_taken_back[2] if
+readable = size if
line-of-a-doubtful-record | 8 | agent/linux/file.py | disk proof
: a line that tells the record in doubt tells none
-log.visible = log.number  # a line
+log.visible = visible  # a line
padded-id-is-no-answer | 9 | agent/openprotocol/requests.py | worlds usual none
: MID 0065 with a blank in its ID is the answer to nothing
-differs = not put_digits(answered, 0, buf, at + first) or compare(answered, 0, data, asked, ID_BYTES)
+differs = compare(buf, at + first, data, asked, ID_BYTES)
unknown-system-is-shared | 10 | agent/openprotocol/id_ownership.py | worlds usual none
: where 0002 does not name the system nothing is fetched
-self.shares = shares = sharing
+self.shares = shares = (sharing == phases.SHARING_AUTO and system_type == 0) or sharing
push-waits-for-what-is-missing | 11 | agent/station/intake.py | worlds away none
: no push is acknowledged while anything is missing
-if self.cannot_store:
-            self.session.withhold()
+if self.cannot_store or self.recovery.ledger.ranges:
+            self.session.withhold()
range-from-its-begin | 11 | agent/openprotocol/range_fetch.py | worlds away none
: what never was is asked for one by one
-if is_open(gap_fill.at, last) or (gap_fill.gone_run >=
+if gap_fill.gone_run < 0 and (gap_fill.gone_run >=
state-block-not-erased | 0 | agent/log/snapshot.py | log proof state
: what a torn snapshot has left is programmed again
-code = self.device.erase(block)
+code = self.device.erase(block) if self._generations[block] else FLASH_DONE
one-snapshot-in-a-fresh-block | 0 | agent/log/snapshot.py | log proof state
: a fresh block of the state begins with one snapshot
-code = self._program(block, 1, generation)
+code = FLASH_DONE
erased-before-it-is-saved | 0 | agent/log/blocks.py | log proof cuts
: a block is erased though the snapshot does not say that it is passed
-and durable[cursor.slot] < low
+and False
number-used-twice | 0 | agent/log/log.py | log proof cuts
: the number of a torn record is given again
-self.next = max(number + 1,
+self.next = min(number + 1,
no-block-kept-free | 0 | agent/log/log.py | log proof cuts
: results fill the last block
-code = self.blocks.find(1)
-                tries += 1
+code = self.blocks.find(0)
+                tries += 1
reader-not-placed-again | 0 | agent/log/reader.py | log proof lives
: a reader stays in a block that was erased
-if cursor.version != self.version:
+if cursor.version < 0:
unproven-push-is-believed | 0 | agent/openprotocol/id_ledger.py | recovery model
: a push moves the highest one known before it is proven
-elif flags & res.FLAG_UNPROVEN:
+elif flags < 0:
no-witness | 0 | agent/openprotocol/id_continuity.py | recovery model
: the highest one known is not asked for
-        return id_walk.begin(recovery, top >= 0 and not (is_above or is_inconclusive), now)
-    return _turn_to_witness(recovery)
+        return id_walk.begin(recovery, top >= 0 and not (is_above or is_inconclusive), now)
+    observed.first = after(top)
+    return look_conclusion.conclude_look(recovery, now)
same-id-is-the-same | 0 | agent/openprotocol/result_digest.py | recovery model
: time and values do not count
-    return compare(one, 0, other, 0, TIME) == 0 and fit(one, other)
+    return compare(one, 0, other, 0, TIME) == 0
range-in-a-second-write | 0 | agent/openprotocol/id_ledger.py | recovery model
: the highest one known is durable before what is missing below it
-        if self.state.save():
+        whole = bytes(self.octets)
+        fill(self.octets, _RANGES, RANGES_MOST * 10, 0)
+        saved = self.state.save()
+        self.octets[:] = whole
+        if saved:
third-range-forgotten | 0 | agent/openprotocol/id_ledger.py | recovery model
: of three ranges one is forgotten
-            ranges.append([first, last])
+            ranges[RANGES_MOST - 1 :] = [[first, last]]
run-of-pushes-by-its-id | 0 | agent/openprotocol/range_fetch.py | recovery model
: what was pushed is closed though the controller has another result under that ID
-not same(recovery.answer, pushes.first)
+recovery.request.asked != unpack_id(pushes.first, 0)
W1-limit-not-durable | 0 | agent/outlets/toolsnet/in_flight.py | refusals model
: what may go out is not saved first
-        if is_alone or self.is_unsettled():
-            return self.declare(number, self.in_order(), SENT_ALONE)
-        return self.declare_batch(number - 1, self.in_order())
+        self.may_send_to = self.numbers[SEND_LIMIT] = number if is_alone else number + self.batch - 1
+        return True
W2-lookahead-not-over | 0 | agent/outlets/toolsnet/in_flight.py | refusals model
: results go out in order while the state still says lookahead
-        if self.numbers[SENT] & _LESS:
+        if self.numbers[SENT] < 0:
W3-lookahead-not-durable | 0 | agent/outlets/toolsnet/in_flight.py | refusals model
: a lookahead begins before that is saved
-        return self.declare(limit if limit
+        self.numbers[SENT] |= SENT_LOOKAHEAD
+        self.may_send_to = self.numbers[SEND_LIMIT] = max(limit, before)
+        return True
+        return self.declare(limit if limit
W4-taken-not-durable | 0 | agent/outlets/toolsnet/lookahead.py | refusals model
: what a lookahead has found is not saved
-        return in_flight.declare_batch(cursor.number, in_flight.in_order())  #
+        from toolcart.agent.log.snapshot_fields import SEND_LIMIT, SENT
+
+        numbers[SEND_LIMIT] = in_flight.may_send_to = cursor.number + in_flight.batch
+        numbers[SENT] = in_flight.in_order()
+        return True  #
W5-late-not-durable | 0 | agent/outlets/toolsnet/reoffer.py | refusals model
: a reoffered one goes out before that is saved
-        if not in_flight.declare(policy.cursor.number, in_flight.in_order() | SENT_OLDER):
+        from toolcart.agent.log.snapshot_fields import SEND_LIMIT
+
+        numbers[SEND_LIMIT] = in_flight.may_send_to = policy.cursor.number
+        if in_flight.may_send_to < 0:
W6-late-not-over | 0 | agent/outlets/toolsnet/reoffer.py | refusals model
: what became of a reoffered one is not saved
-        if not policy.in_flight.save():
-            return False
-        policy
+        from toolcart.agent.log.snapshot_fields import SEND_LIMIT
+
+        numbers[SEND_LIMIT] = policy.in_flight.may_send_to = policy.cursor.number + policy.in_flight.batch
+        policy
look-up-by-nothing | 0 | agent/station/store.py | worlds
: a repeat is stored once more
-return self.duplicates.holds(log.stage, log.payload_at, self.length, flags, is_pushed)
+return 0
subscription-not-watched | 0 | agent/station/intake.py | worlds misled
: no one asks whether the controller still pushes
-wait_ms = self.subscription_check.timer.left(now)
+wait_ms = 60000
shared-ids-not-seen | 0 | agent/openprotocol/shared_ids.py | worlds misled none
: no answer shows that stations share the IDs
-if not shares and (self.owner == OWNER_OTHER or (is_below and self._has_to_name)):
+if False:
refused-and-acknowledged | 0 | agent/station/store.py | worlds
: what the log refuses is acknowledged
-self.log.device.refusal(), now)
-        return NOT_KEPT
+self.log.device.refusal(), now)
+        return KEPT
"""


@dataclass(frozen=True)
class Cause:
    """One entry of the list."""

    name: str
    fault: int
    file: str
    by: str  # of UNITS
    aim: str
    why: str
    old: str
    new: str


def _parsed(text: str) -> Cause:
    lines = text.splitlines()
    name, fault, file, finder = (word.strip() for word in lines[0].split("|"))
    by = next(kind for kind in UNITS if finder.startswith(kind))
    old, new = ("\n".join(line[1:] for line in lines[2:] if line[0] == sign) for sign in "-+")
    return Cause(name, int(fault), file, by, finder.removeprefix(by).strip(), lines[1][1:].strip(), old, new)


CAUSES = tuple(_parsed(text) for text in re.split(r"\n(?![:+-])", LIST.strip()))


def changed(cause: Cause, root: Path = ROOT) -> str:
    """Return the file under `root` with the change; ValueError if its place is not there exactly once."""
    text = (root / cause.file).read_text(encoding="utf-8")
    if text.count(cause.old) != 1:
        raise ValueError(f"{cause.name}: its text is {text.count(cause.old)} times in {cause.file}, not once")
    return text.replace(cause.old, cause.new)


@contextlib.contextmanager
def _copied(cause: Cause) -> Iterator[Path]:
    """A private copy of everything that is explored, with this change."""
    with tempfile.TemporaryDirectory(prefix="toolcart-") as folder:
        root = Path(folder)
        for name in COPIED:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, root / name, True, shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / name, root / name)
        (root / cause.file).write_text(changed(cause, root), encoding="utf-8")
        yield root


@dataclass
class CauseOutcome:
    """The outcome for one cause."""

    cause: str
    fault: int
    by: str
    what: str  # which promise is broken; empty: nothing was found
    count: int
    unit: str
    seconds: float
    why: str


def hunt(cause: Cause, seconds: int = SECONDS) -> CauseOutcome:
    """Run the cause's explorer."""
    begun = time.monotonic()
    what, count = "", 0
    with _copied(cause) as root:
        for report in _explored(root, cause, seconds):
            count = report["count"]
            if report["found"] and not (report["seed"] and report["found"] in _usual(cause.aim, report["seed"])):
                what = f"{report['found']} (seed {report['seed']})" if report["seed"] else report["found"]
                break
    spent = round(time.monotonic() - begun, 1)
    how = f"{cause.by} {cause.aim}".strip()
    unit = "lives" if cause.aim == "lives" else UNITS[cause.by]
    return CauseOutcome(cause.name, cause.fault, how, what, count, unit, spent, cause.why)


def _explored(root: Path, cause: Cause, seconds: int) -> Iterator[dict]:
    """Yield the explorer's reports on the copy under `root`; it ends when no more are requested."""
    words = [sys.executable, "-m", "host_tests.lab.worlds.explorers", cause.by, str(seconds), *cause.aim.split()]
    environment = {**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
    limited = ["timeout", str(seconds + GRACE_S), *words] if shutil.which("timeout") else words
    with subprocess.Popen(limited, cwd=root, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        last = None
        try:
            for line in process.stdout:
                last = json.loads(line)
                yield last
        finally:
            process.terminate()
    if last is None:
        raise RuntimeError(f"{cause.name}: its explorer said nothing")


@functools.lru_cache(maxsize=None)
def _usual(aim: str, seed: int) -> tuple[str, ...]:
    """Return what this world finds with the unchanged program."""
    from lab.worlds import bench

    words = aim.split() or [""]
    return tuple(bench.one((seed, words[0], *words[1:])).kinds)


def run(names: tuple[str, ...], seconds: int, progress: Callable[[float], None]) -> list[CauseOutcome]:
    """Hunt the causes of these names, or all."""
    unknown = set(names) - {cause.name for cause in CAUSES}
    if unknown:
        raise ValueError(f"no cause has the name {', '.join(sorted(unknown))}")
    wanted = [cause for cause in CAUSES if not names or cause.name in names]
    found = []
    for cause in wanted:
        found.append(hunt(cause, seconds))
        progress(len(found) / len(wanted))
    return found


def table(found: list[CauseOutcome]) -> str:
    """Return a readable table: a row for each cause, then the broken promise of those not found."""
    rows = [("cause", "fault", "explorer", "found", "after", "seconds")]
    for one in found:
        after = f"{one.count:,} {one.unit}"
        rows.append((one.cause, str(one.fault or ""), one.by, one.what or "NOT FOUND", after, f"{one.seconds:.0f}"))
    widths = [max(len(row[column]) for row in rows) for column in range(6)]
    lines = ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    missed = [f"not found: {one.cause}, {one.why}" for one in found if not one.what]
    return "\n".join(lines + missed)
