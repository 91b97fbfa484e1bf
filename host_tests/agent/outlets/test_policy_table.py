"""The table of phases at the head of agent/outlets/toolsnet/policy.py: each of its rows happens, and nothing else."""

import random

from toolcart.agent.outlets.toolsnet import lookahead
from toolcart.agent.outlets.toolsnet import policy as pol
from host_tests.agent.outlets.refusals import FRAME, GOOD, MUTE, REFUSED, REFUSES, SILENT, WELL, Cut, World
from host_tests.agent.outlets.test_refusals_compared import PATIENCE, REACH, let_time_come

PHASES = ("IN_ORDER", "RETRY", "LOOKAHEAD", "FINISH", "HOLD", "REOFFER")
EVENTS = {
    "next": "next",
    "write": "write",
    "accepted": "taken",
    "refused": "refused",
    "silent": "silent",
    "resume": "08",
    "drop_first": "drop",
}
LIVES = 400
STEPS = 120


def rows_of(text):
    """Return (phase, event, next phase) of each row of the table in this docstring."""
    found = set()
    for line in text.split("\n"):
        words = line.split()
        if len(words) > 2 and words[0] in PHASES and words[1].rstrip(",") in EVENTS.values():
            at = 1
            while words[at].endswith(","):
                at += 1
            for event in words[1 : at + 1]:
                found.add((words[0], event.rstrip(","), words[at + 1].rstrip(":,")))
    return found


def record(monkeypatch):
    """Return a set that gets (phase, event, next phase) of all that changes a phase from now on."""
    seen = set()
    for name, event in EVENTS.items():
        method = getattr(pol.Policy, name)

        def call(policy, *args, method=method, event=event):
            before = policy.phase
            returned = method(policy, *args)
            if policy.phase != before:
                seen.add((PHASES[before], event, PHASES[policy.phase]))
            return returned

        monkeypatch.setattr(pol.Policy, name, call)
    return seen


def live(dice):
    """One life of a policy and its server, which changes its mind, is set back, and is asked for single results."""
    kinds = tuple(dice.choice((GOOD, GOOD, REFUSED, MUTE, FRAME)) for _ in range(6))
    world = World(kinds, room=dice.choice((1, 2, 4)), batch=dice.choice((1, 2, 3)))
    for _ in range(STEPS):
        world.cut_at = dice.choice((0,) * 40 + (1, 2, 3))
        try:
            happen(world, dice, dice.random())
        except Cut:
            world.start()
        world.cut_at = 0
        let_time_come(world.policy)


def happen(world, dice, chance):
    """One event."""
    policy = world.policy
    if chance < 0.02:
        world.start()
    elif chance < 0.06:
        world.mood = dice.choice((WELL, WELL, REFUSES, SILENT))
    elif chance < 0.08 and len(world.kinds) < 40:
        world.kinds += (dice.choice((GOOD, GOOD, REFUSED, FRAME)),)
    elif chance < 0.10:
        at = dice.randrange(len(world.kinds))
        if world.kinds[at] != FRAME:
            world.kinds = (*world.kinds[:at], dice.choice((GOOD, REFUSED)), *world.kinds[at + 1 :])
    elif chance < 0.14:
        for entry, (number, _reason) in enumerate(world.kept.entries, 1):
            if entry not in world.state.gone and number not in policy.reoffers.ordered:
                policy.offer_on_order(number, False)
                break
    elif chance < 0.15:
        policy.drop_first()
    elif chance < 0.19 and world.connected:  # the connection is lost while nothing is out
        world.connected = False
        policy.silent(world.now)
    elif not world.connected:
        named = world.named()
        behind = max(0, named - dice.choice((1, 2, 5)))
        world.connect(dice.choice((named, named, named, 0, behind, named + 1, named + 9)))
    else:
        code = policy.next(world.now)
        if code == pol.WRITE:
            policy.write(world.now)
        elif code == pol.SEND:
            answer(world, dice, chance)


def answer(world, dice, chance):
    """What becomes of what went out."""
    policy, taken = world.policy, world.answer()
    if taken is None or chance < 0.2:
        world.connected = False
        policy.silent(world.now, dice.random() < 0.5)
    elif taken:
        policy.accepted(world.now)
    else:
        policy.refused(17, world.now)


def test_each_row_of_the_table_happens_and_nothing_else(monkeypatch):
    monkeypatch.setattr(lookahead, "REACH", REACH)
    monkeypatch.setattr(pol, "PATIENCE", PATIENCE)
    monkeypatch.setattr(lookahead.Lookahead, "is_proven", lambda *_: False)
    seen = record(monkeypatch)
    for seed in range(LIVES):
        live(random.Random(seed))
    rows = {row for row in rows_of(pol.__doc__) if row[0] != row[2]}
    assert seen == rows, (sorted(seen - rows), sorted(rows - seen))
