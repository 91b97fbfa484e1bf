"""Where a file may be only so large (`ulimit -f`), what an agent says helps when it is typed as it stands."""

import re
import shutil
import signal
import subprocess
import time

import pytest

from toolcart.sim.serve import SimulatedPlant
from host_tests.support.running import DEADLINE_S, ENVIRONMENT, cart_of, command_of, toolcart, wait_for, written

UNCOMPILED = {**ENVIRONMENT, "PYTHONDONTWRITEBYTECODE": "1"}  # the limit would cut what Python keeps of a module
LIMITED = ["sh", "-c", 'ulimit -S -f 8; exec "$@"', "sh"]  # the soft limit: its own user may raise it, without sudo
LASTING = "set LimitFSIZE=infinity in the unit of the agent's service, or start it where `ulimit -f` is unlimited"


def test_a_start_that_ends_names_no_process(tmp_path):
    path = written(tmp_path, cart_of())
    command = [*LIMITED, *command_of("run", "--plain", "--config", path)]
    done = subprocess.run(command, env=UNCOMPILED, capture_output=True, text=True, timeout=DEADLINE_S)
    assert done.returncode == 3 and f"File too large; {LASTING}\n" in done.stderr, done.stderr
    assert "prlimit" not in done.stdout + done.stderr


@pytest.mark.skipif(not shutil.which("prlimit"), reason="no prlimit here")
def test_the_command_that_an_agent_names_has_it_store_again(tmp_path):
    with SimulatedPlant() as plant, open(tmp_path / "log", "w+", encoding="utf-8") as log:
        path = written(tmp_path, cart_of(plant))
        words = command_of("run", "--plain", "--config", path)
        subprocess.run([*words, "--seconds", "1"], env=ENVIRONMENT, stdout=log, timeout=DEADLINE_S, check=True)
        agent = subprocess.Popen([*LIMITED, *words], env=UNCOMPILED, stdout=log, stderr=subprocess.STDOUT)
        try:
            wait_for("it says so", lambda: "File too large" in (tmp_path / "log").read_text())
            status = toolcart("status", "--config", path, code=1).output
            doctor = toolcart("doctor", "--offline", "--config", path, code=1).output
            said = ["".join(text.split()) for text in ((tmp_path / "log").read_text(), status, doctor)]
            for text in said:
                assert "".join(LASTING.split()) in text and f"--pid{agent.pid}`" in text, text
            found = re.search(r"at once `(?:sudo )?(prlimit [^`]+)`", (tmp_path / "log").read_text())
            subprocess.run(found[1].split(), check=True)
            wait_for("it writes", lambda: "can be read and written again" in (tmp_path / "log").read_text())
            plant.produce(2)
            wait_for("results", lambda: plant.archive.tightening_ids() == [1, 2])
        finally:
            agent.terminate()
            agent.wait(DEADLINE_S)


def test_an_end_and_a_reload_do_not_say_that_the_spool_can_be_written_again(tmp_path):
    """What they write last lies at the spool's beginning, where a write is allowed: no result can be stored all the
    same."""
    with SimulatedPlant() as plant, open(tmp_path / "log", "w+", encoding="utf-8") as log:
        path = written(tmp_path, cart_of(plant))
        words = command_of("run", "--plain", "--config", path)
        subprocess.run([*words, "--seconds", "1"], env=ENVIRONMENT, stdout=log, timeout=DEADLINE_S, check=True)
        limited = ["sh", "-c", 'ulimit -S -f 97; exec "$@"', "sh"]
        agent = subprocess.Popen([*limited, *words], env=UNCOMPILED, stdout=log, stderr=subprocess.STDOUT)
        told = lambda: (tmp_path / "log").read_text()  # noqa: E731
        try:
            for number in (1, 2):
                while told().count("no result can be stored") < number:
                    plant.produce(20)
                    time.sleep(0.1)
                    assert agent.poll() is None and len(plant.controller.produced) < 4000, told()
                if number == 1:
                    agent.send_signal(signal.SIGHUP)
        finally:
            agent.terminate()
            agent.wait(DEADLINE_S)
    assert "the agent restarts in order" in told() and "ended" in told()
    assert "can be read and written again" not in told()
