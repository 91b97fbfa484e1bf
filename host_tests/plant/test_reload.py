"""A configuration edited under a running agent, SIGHUP, and a terminal that is closed: nothing ends without order."""

import json
import signal
import time
from pathlib import Path

import pytest

from toolcart.tools.web import metrics, page
from toolcart.tools.web.page import AgentState
from host_tests.plant.as_installed import InTerminal, delivered
from host_tests.support.running import wait_for


def edited(site, cart, old, new):
    site.write(cart.name, cart.read_text().replace(old, new))


def name_of(site, cart):
    status = site.status(cart)
    return status["running"] and status["stations"][0]["name"]


def everywhere(site, cart):
    """What status, doctor, the web page and /metrics say."""
    status = site.status(cart)
    seen = AgentState("cart", status)
    texts = {command: site.output(command, "--config", cart) for command in ("status", "doctor")}
    texts |= {"page": page.agent(seen), "overview": page.overview([seen])}
    return texts, metrics.text_of([metrics.Agent("cart", status)])


def test_an_edited_configuration_is_reported_everywhere_and_a_wrong_one_refused(site, plant):
    cart = site.cart(plant, station={"name": "Door"})
    agent = site.begin(cart, "controller ready")
    texts, figures = everywhere(site, cart)
    assert "changed since the start" not in "".join(texts.values()) and 'what="configuration"' not in figures

    edited(site, cart, '"Door"', '"Hood"')
    agent.wait_for(f"{cart} changed since the start: the agent goes on with what it has read; `kill -HUP")
    texts, figures = everywhere(site, cart)
    assert [name for name in texts if "changed since the start" not in texts[name]] == []
    assert 'toolcart_needs{agent="cart",what="configuration",level="warn"} 1' in figures

    edited(site, cart, '"Hood"', '"Door"')
    agent.wait_for("the configuration is again what the agent was started with")
    edited(site, cart, '"Door"', '"Hood"')

    edited(site, cart, '"pim_port"', '"pim_prot"')
    agent.wait_for("a reload would be refused: toolsnet.pim_port: missing; expected a whole number from 1 to")
    agent.process.send_signal(signal.SIGHUP)
    agent.wait_for("a reload was refused: toolsnet.pim_port: missing; ")
    texts, figures = everywhere(site, cart)
    assert [name for name in texts if name != "doctor" and "a reload was refused" not in texts[name]] == []
    assert 'toolcart_needs{agent="cart",what="configuration",level="bad"} 1' in figures
    made = delivered(plant, 3)

    edited(site, cart, '"pim_prot"', '"pim_port"')
    edited(site, cart, '"number": 7', '"number": 8')
    agent.process.send_signal(signal.SIGHUP)
    agent.wait_for("a reload was refused: stations[0].spool.path: ")  # though the file was not looked at before
    agent.wait_for("found 7.spool: it belongs to station 7 of system 1 (type 3), not to station 8")

    edited(site, cart, '"number": 8', '"number": 7')
    agent.process.send_signal(signal.SIGHUP)
    agent.wait_for("the agent restarts in order")
    wait_for("the new name", lambda: name_of(site, cart) == "Hood")
    assert site.status(cart)["agent"]["pid"] == agent.process.pid
    made = delivered(plant, 3, made)
    assert plant.controller.messages[3] == 1, "MID 0003 before the restart"
    texts, _ = everywhere(site, cart)
    assert "changed since the start" not in "".join(texts.values())
    assert agent.end() == 0 and plant.complaints() == []


def test_reloads_under_load_lose_nothing_and_the_last_word_ends_it(site, plant):
    cart = site.cart(plant)
    agent = site.begin(cart, "controller ready")
    plant.produce_rate(30)
    for count in range(1, 4):
        wait_for("ready", lambda count=count: agent.output.count("controller ready") == count)
        agent.process.send_signal(signal.SIGHUP)
        wait_for("restarted", lambda count=count: agent.output.count("agent started") == count + 1)
    agent.process.send_signal(signal.SIGHUP)
    agent.wait_for("restarts in order")
    assert agent.end() == 0, "SIGTERM in the middle of a restart"
    plant.stop_producing()
    again = site.begin(cart, "controller ready")
    wait_for("everything arrived", lambda: sorted(plant.archive.tightening_ids()) == plant.controller.produced)
    assert again.end() == 0 and plant.complaints() == []


def test_a_secret_that_changes_is_a_changed_configuration(site, plant):
    outlets = [{"kind": "toolsnet"}, {"kind": "mqtt", "host": "127.0.0.1", "port": 1, "user": "u"}]
    outlets[1]["password"] = {"file": "broker.password"}
    secret = site.write("broker.password", "first\n")
    secret.chmod(0o600)
    cart = site.cart(plant, station={"outlets": outlets})
    agent = site.begin(cart, "controller ready")
    secret.touch()
    time.sleep(0.1)
    assert site.status(cart)["agent"]["configuration"]["changed"] == []
    site.write("broker.password", "second\n")
    agent.wait_for("broker.password changed since the start")
    text = json.dumps(site.status(cart)["agent"])
    assert "broker.password" in text and "second" not in text


def test_a_closed_terminal_ends_the_run_in_order(site, plant):
    cart = site.cart(plant)
    for words in (("run", "--plain", "--config", cart), ("run", "--log-format", "text", "--config", cart)):
        before = plant.controller.messages.get(3, 0)
        run = site.start(*words, kind=InTerminal)
        run.wait_for("controller ready")
        made = plant.produce(2)
        wait_for("taken", lambda made=made: set(made) <= set(plant.controller.acknowledged))
        run.process.send_signal(signal.SIGHUP)  # the terminal is there: this asks for a restart
        run.wait_for("restarts in order")
        wait_for("ready again", lambda run=run: run.output.count("controller ready") == 2)
        run.close_terminal()
        assert run.wait() == 0
        wait_for("left in order", lambda before=before: plant.controller.messages.get(3, 0) == before + 2)
    assert plant.complaints() == []


def holds(process, number=signal.SIGHUP):
    """True if this signal waits for this process, as the kernel shows it."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return bool(int(status.split("SigBlk:")[1].split()[0], 16) >> number - 1 & 1)


@pytest.mark.parametrize("words", [("run", "--plain", "--config"), ("run", "--log-format", "text", "--config")])
def test_a_hangup_while_the_agent_starts_has_it_read_its_configuration_again(site, plant, words):
    agent = site.start(*words, site.cart(plant))
    wait_for("it holds SIGHUP", lambda: holds(agent.process))
    for _ in range(3):
        agent.process.send_signal(signal.SIGHUP)
    agent.wait_for("restarts in order")
    wait_for("ready", lambda: "controller ready" in agent.output)
    assert not holds(agent.process) and not holds(agent.process, signal.SIGTERM)
    assert agent.end() == 0


@pytest.mark.parametrize("words", [("run", "--plain", "--config"), ("run", "--log-format", "text", "--config")])
def test_an_agent_that_is_ended_while_it_starts_ends_in_order(site, plant, words):
    agent = site.start(*words, site.cart(plant))
    wait_for("it holds SIGTERM", lambda: holds(agent.process, signal.SIGTERM) or agent.output)
    agent.process.send_signal(signal.SIGTERM)
    assert agent.process.wait(60) == 0
