"""An outlet whose secret is missing: nothing else notices, it tries again, and becomes the outlet itself."""

from types import SimpleNamespace

import pytest

from toolcart.agent.base.health import OUTLET_FAILED, Health
from toolcart.agent.base.ticks import FOREVER
from toolcart.agent.wide.outlets import RETRY_MS, Awaiting
from toolcart.tools.config.secrets import Awaited


class Made:
    """What an outlet does once it is there."""

    port = SimpleNamespace(slot=-1)
    attempts = 3
    trouble = "its own"

    def __init__(self):
        self.heard = []

    def __getattr__(self, name):
        return lambda *given: self.heard.append(name) or name in ("is_up", "has_left")

    def step(self, now):
        return 77

    def put_state(self, shown):
        shown["state"] = "made"


@pytest.fixture
def awaiting(tmp_path):
    settings = {"kind": "mqtt", "host": "broker", "port": 1883, "password": "*" * 9}
    settings["awaits"] = Awaited(tmp_path, settings)
    settings["awaits"].add("password", {"file": "secret"})
    watched = []
    board = SimpleNamespace(watch=lambda port, slot: watched.append((port, slot)))
    station = SimpleNamespace(health=Health(), board=board, settings={"spool": {}})
    made = []

    def make(its, whose, index):
        assert whose.settings == {"spool": {}} and index == 1 and its["password"] == "geheim"
        made.append(Made())
        return made[0]

    outlet = Awaiting(station, 1, settings, make)
    station.settings = None  # the station forgets them once everything is put together
    outlet.port.slot = 5  # as board.watch does
    return SimpleNamespace(outlet=outlet, secret=tmp_path / "secret", made=made, watched=watched, health=station.health)


def test_it_tries_again_and_says_why_until_the_secret_is_there(awaiting):
    outlet, shown = awaiting.outlet, {}
    outlet.begin(0)
    for count in range(1, 4):
        assert outlet.step(count * RETRY_MS) == RETRY_MS and outlet.attempts == count
    assert awaiting.health.counters[OUTLET_FAILED] == 3 and awaiting.health.logged == 1
    outlet.put_state(shown)
    assert shown["place"] == "mqtt://broker:1883" and shown["why"] == f"password: {awaiting.secret}: " + (
        "No such file or directory; a file that can be read"
    )
    assert not outlet.is_up() and outlet.has_left(0) and not outlet.holds() and awaiting.made == []

    awaiting.secret.write_text("geheim\n")
    awaiting.secret.chmod(0o600)
    assert outlet.step(40000) == 0
    made = awaiting.made[0]
    assert awaiting.watched == [(made.port, 5)] and made.heard == ["begin", "attach"] and outlet.trouble == "its own"
    assert outlet.step(40001) == 77 and outlet.attempts == 4 + 3 and outlet.is_up()
    for name in ("recover", "hurry", "leave"):
        getattr(outlet, name)(40002)
    outlet.stop()
    outlet.put_state(shown)
    assert made.heard == ["begin", "attach", "is_up", "recover", "hurry", "leave", "stop"] and shown["state"] == "made"


def test_an_orderly_end_makes_no_outlet(awaiting):
    awaiting.outlet.leave(0)
    awaiting.secret.write_text("geheim\n")
    awaiting.secret.chmod(0o600)
    assert awaiting.outlet.step(0) == FOREVER and awaiting.made == []
    awaiting.outlet.stop()
