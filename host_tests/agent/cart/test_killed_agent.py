"""The whole agent, killed hard at random moments between the simulators, again and again on one spool."""

import random
import sys
import time

from toolcart.sim.controller_quirks import ControllerOptions
from host_tests.agent.cart.test_end_to_end import Agent, compare_rows
from host_tests.portable import LONG
from host_tests.support.archive import delivering
from host_tests.support.running import wait_for

KILLS = 1000 if LONG else 4
RATE_PER_S = 60
UP_S = (0.05, 0.6)  # how long it may live once it talks to the controller
MEMORY = 200000  # results the controller keeps: all of the long run's, to compare every row
SEED = 20
SIZE_KIB = 2048  # of the spool: what it has overwritten may come twice, and a busy machine takes long for each start


def wait_for_the_rest(plant):
    """Everything is delivered; the deadline counts from the last one that came, since a long run leaves many."""
    while True:
        before = plant.archive.stored
        account = plant.account()  # it compares all rows, and the plant stands still meanwhile
        if account["delivered"] == account["produced"]:
            return
        wait_for("the next one is delivered", lambda before=before: plant.archive.stored > before)
        time.sleep(1)


def test_hard_kills_at_any_moment_lose_nothing_and_double_nothing(tmp_path):
    dice = random.Random(SEED)
    options = ControllerOptions(memory=MEMORY)
    with delivering(tmp_path, controller_options=options) as plant:
        agent = Agent([sys.executable, "-m", "toolcart.board.unix.main"], tmp_path, plant, size_kib=SIZE_KIB)
        with agent:
            plant.produce_rate(RATE_PER_S)
            for _ in range(KILLS):
                subscriptions = plant.controller.messages.get(60, 0)
                time.sleep(dice.uniform(*UP_S))
                agent.kill()
                agent.start()
                wait_for("the agent is back", lambda seen=subscriptions: plant.controller.messages.get(60, 0) > seen)
            plant.stop_producing()
            wait_for_the_rest(plant)
            agent.end_in_order()
        account = plant.account()
        assert account["produced"] > KILLS
        assert (account["lost"], account["out_of_order"]) == (0, 0)
        assert plant.complaints() == []
        compare_rows(plant)  # as many rows as results: nothing under two numbers
