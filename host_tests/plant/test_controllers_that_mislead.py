"""Installed agents at controllers that stop pushing, share their IDs or count them wrongly: what is done, and said."""

import signal

import pytest

from toolcart.sim.controller_model import ControllerOptions
from toolcart.sim.profiles import row
from toolcart.sim.serve import SimulatedPlant
from host_tests.support.running import wait_for

pytestmark = pytest.mark.usefixtures("hasty")


def is_subscribed(plant):
    return plant.loop.call(lambda: any(one.result_revision for one in plant.controller.sessions))


def at_toolsnet(plant, made):
    wait_for("all results at ToolsNet", lambda: sorted(plant.archive.tightening_ids()) == sorted(made))
    assert plant.complaints() == []


def begun(site, plant, **settings):
    cart = site.cart(plant, controller=settings)
    agent = site.start("run", "--plain", "--config", cart)
    agent.wait_for("controller ready")
    return cart, agent


def told(site, *words):
    """What a command says."""
    run = site.run(*words)
    return run.stdout + run.stderr


@pytest.mark.long("the stall takes its time")
def test_subscription_that_ended_is_found_and_said_after_stall_and_refused_answers(site):
    options = ControllerOptions(gives_up="unsubscribes", ack_timeout_ms=400, resends=2, silence_ms=60000)
    with SimulatedPlant(controller_options=options) as plant:
        cart, agent = begun(site, plant)
        made = plant.produce(2)
        at_toolsnet(plant, made)
        agent.process.send_signal(signal.SIGSTOP)
        made += plant.produce(1)
        wait_for("the controller gives up", lambda: not is_subscribed(plant))
        agent.process.send_signal(signal.SIGCONT)
        made += plant.produce(3)
        agent.wait_for("the controller had stopped pushing results while connected: what it did not push")
        at_toolsnet(plant, made)
        wait_for("it pushes again", lambda: is_subscribed(plant))
        plant.controller.options.ack_refusal_code = 19
        made += plant.produce(1)
        agent.wait_for("rejected MID 0062")
        wait_for("the controller gives up", lambda: not is_subscribed(plant))
        plant.controller.options.ack_refusal_code = 0
        made += plant.produce(2)
        at_toolsnet(plant, made)
        wait_for("it pushes again", lambda: is_subscribed(plant))
        made += plant.produce(1)
        at_toolsnet(plant, made)
        words = "2 times since the start the controller stopped pushing results while connected"
        assert words in told(site, "status", "--config", cart)
        assert words in told(site, "doctor", "--config", cart)
        assert "not asked for" not in agent.said and "begin again" not in agent.said
        assert agent.end() == 0 and plant.controller.connections == 3


def test_shared_ids_are_found_by_answers_whatever_the_version(site):
    options = row("power-focus-6000-3.6", answers_below=True, shares_ids=True, elsewhere=2, slot_kept_ms=0)
    with SimulatedPlant(controller_options=ControllerOptions(**options)) as plant:
        cart, agent = begun(site, plant)
        made = plant.produce(2)
        at_toolsnet(plant, made)
        for _ in range(2):
            plant.cut_controller(True)
            made += plant.produce(3)
            plant.cut_controller(False)
            at_toolsnet(plant, made)
        said = told(site, "status", "--config", cart)
        assert "PASSED OVER" in said and 'set controller.tightening_ids to "own"' in said
        agent.wait_for("since MID 0065 names another station")
        assert "not asked for" not in agent.said
        assert agent.end() == 0
        doctor = told(site, "doctor", "--config", cart)
        assert "all its stations share the tightening IDs" in doctor
        cart = site.cart(plant, controller={"tightening_ids": "own"})
        wrong = site.run("doctor", "--config", cart)
        assert "results of other stations are taken for its own now" in wrong.stdout and wrong.returncode


def test_ids_that_are_one_too_high_store_nothing_twice(site):
    for how in ("said", "kept"):
        site.clean()
        with SimulatedPlant(controller_options=ControllerOptions(ids_higher=how)) as plant:
            _, agent = begun(site, plant)
            made = plant.produce(3)
            at_toolsnet(plant, made)
            for missed in (0, 2):
                plant.cut_controller(True)
                made += plant.produce(missed)
                plant.cut_controller(False)
                connections = plant.controller.connections
                wait_for("the next connection", lambda at=connections: plant.controller.connections > at)
                made += plant.produce(1)
                at_toolsnet(plant, made)
            agent.wait_for("answers MID 0064 with tightening IDs that are one too high")
            assert "begin again" not in agent.said and agent.end() == 0
            assert plant.account()["repeated"] == 0
