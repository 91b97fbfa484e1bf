"""A webhook between real processes, agent and server killed at random: every acknowledged result arrives, once."""

import os
import random
import signal
import subprocess
import sys
import time

import trustme

from toolcart.sim.controller_model import ControllerOptions
from host_tests.cart.test_end_to_end import Agent
from host_tests.portable import LONG
from host_tests.support.archive import delivering
from host_tests.support.hook_process import stored
from host_tests.support.running import ENVIRONMENT, free_port, wait_for

KILLS = 300 if LONG else 8
RATE_PER_S = 40
UP_S = (0.05, 0.8)
SEED = 31
TOKEN = "t0ken-of-the-cart"


class Server:
    """The server's process; may be killed and started again."""

    def __init__(self, folder, *certificate):
        self.port = free_port()
        self.database = folder / "hook.sqlite"
        self.certificate = certificate
        self.start()

    def start(self):
        words = ["-m", "host_tests.support.hook_process", str(self.port), str(self.database), TOKEN, *self.certificate]
        self.process = subprocess.Popen([sys.executable, *words], env=ENVIRONMENT)

    def kill(self):
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait(10)


def test_every_acknowledged_result_is_in_server_s_database_once_whoever_is_killed(tmp_path):
    dice = random.Random(SEED)
    secret = tmp_path / "hook.token"
    secret.write_text(TOKEN)
    secret.chmod(0o600)
    server = Server(tmp_path)
    url = f"http://127.0.0.1:{server.port}/results"
    hook = {"kind": "webhook", "url": url, "token": {"file": "hook.token"}}
    with delivering(tmp_path, controller_options=ControllerOptions(memory=200000)) as plant:
        agent = Agent(
            [sys.executable, "-m", "toolcart.tools.process.alone"], tmp_path, plant, ({"kind": "toolsnet"}, hook)
        )
        try:
            with agent:
                plant.produce_rate(RATE_PER_S)
                for index in range(KILLS):
                    time.sleep(dice.uniform(*UP_S))
                    (server, agent)[index % 3 == 2].kill()
                    time.sleep(dice.uniform(0, 0.3))
                    (server, agent)[index % 3 == 2].start()
                plant.stop_producing()
                produced = plant.account()["produced"]
                wait_for_all(server, produced)
                wait_for("ToolsNet has it too", lambda: plant.account()["lost"] == 0)
                agent.end_in_order()
        finally:
            server.kill()
        found = [int(line["tightening_id"]) for line in stored(server.database)]
        assert sorted(found) == list(range(found[0], found[0] + len(found))) and len(found) == produced
        assert len(set(found)) == len(found) and plant.account()["lost"] == 0
        assert TOKEN not in (tmp_path / "agent.log").read_text()


def test_it_speaks_tls_to_a_vouched_server_alone(tmp_path):
    ours, theirs = trustme.CA(), trustme.CA()
    ours.cert_pem.write_to_path(tmp_path / "ca.pem")
    for name, authority in (("ours.pem", ours), ("theirs.pem", theirs)):
        authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(tmp_path / name)
    (tmp_path / "hook.token").write_text(TOKEN)
    (tmp_path / "hook.token").chmod(0o600)
    server = Server(tmp_path, str(tmp_path / "theirs.pem"))
    hook = {"kind": "webhook", "url": f"https://127.0.0.1:{server.port}/", "tls_ca": "ca.pem"}
    with delivering(tmp_path) as plant:
        outlets = ({"kind": "toolsnet"}, {**hook, "token": {"file": "hook.token"}})
        agent = Agent([sys.executable, "-m", "toolcart.tools.process.alone"], tmp_path, plant, outlets)
        try:
            with agent:
                ids = plant.produce(5)
                wait_for("it is said", lambda: "is not vouched for" in (tmp_path / "agent.log").read_text())
                assert stored(server.database) == []
                server.kill()
                server.certificate = (str(tmp_path / "ours.pem"),)
                server.start()
                wait_for("all of it", lambda: len(stored(server.database)) == len(ids))
                assert [int(line["tightening_id"]) for line in stored(server.database)] == ids
                agent.end_in_order()
        finally:
            server.kill()


def wait_for_all(server, produced):
    """The deadline counts from the last one that came."""
    while True:
        before = len(stored(server.database))
        if before >= produced:
            return
        wait_for("the next one is stored", lambda before=before: len(stored(server.database)) > before)
