"""Worlds with alarms that go to ToolsNet: the promise of results holds in each, and events come once and in order."""

import os
import random

import pytest

from lab.worlds import adapter
from lab.worlds.course import Course
from lab.worlds.judge import judge
from lab.worlds.profiles import NO_PROFILE
from lab.worlds.script import draw, filled
from lab.worlds.world import World

FIRST = 900001
WORLDS = 200 if os.environ.get("TOOLCART_LONG") == "1" else 5
OURS = 60000  # toolcart.agent.wide.telegram09: codes of what is no alarm


def with_alarms(seed):
    """The script of this seed, and alarms in between, at moments of dice of their own."""
    script = draw(seed, "usual", (NO_PROFILE,))
    script["settings"]["toolsnet"]["events"] = ["alarms", "gone"]
    dice = random.Random(seed)
    for number in range(1, len(script["stations"]) + 1):
        for _ in range(dice.randrange(5, 40)):
            script["events"].append([dice.randrange(1000, script["end_ms"]), "alarm", number])
    script["events"].sort(key=lambda event: event[0])
    return script


@pytest.mark.parametrize("seed", range(FIRST, FIRST + WORLDS))
def test_world_with_alarms_keeps_the_promise_and_tells_each_alarm_once(seed):
    course = Course(World(filled(with_alarms(seed))))
    course.run()
    history = course.world.history
    verdict = judge(history)
    assert verdict.kinds() == [], verdict
    for number, station in history.stations.items():
        codes = [code for _, code in station.events if code < OURS]
        assert codes == sorted(set(codes)), "twice, or out of order"
        assert set(codes) <= set(range(1, station.alarms_told + 1))
        agent = course.world.agent
        if agent is not None and adapter.waiting(agent, number - 1) == 0:  # events wait behind refused results
            missing = set(station.alarms) - set(codes)
            assert len(missing) <= adapter.events_given_up(agent, number - 1), missing
