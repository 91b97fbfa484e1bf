"""Where too few files may be open (`ulimit -n`), a command works or ends with a sentence, and no spool is harmed."""

import subprocess

import pytest

from toolcart.sim.serve import SimulatedPlant
from host_tests.support.running import DEADLINE_S, ENVIRONMENT, cart_of, command_of, station_at, toolcart, written

STATIONS = 8


def limited(files, *words):
    """A process of `toolcart` that may open only so many files: its exit code, and what it said."""
    command = ["sh", "-c", f'ulimit -n {files}; exec "$@"', "sh", *command_of(*words)]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=DEADLINE_S)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("files", [7, 20])
def test_few_files_end_in_a_sentence_and_harm_no_spool(tmp_path, files):
    with SimulatedPlant() as plant:
        plant.produce(3)
        first = station_at(1, plant.controller_port)
        tree = cart_of(plant, stations=[first, *[station_at(number) for number in range(2, STATIONS + 1)]])
        path = written(tmp_path, tree)
        for words in (("run", "--plain", "--seconds", "2"), ("doctor",), ("status",)):
            code, output = limited(files, *words, "--config", path)
            assert "Traceback" not in output and "should not happen" not in output, output
            assert code in (0, 1, 3) and output.strip(), output
            if code == 1 and words[0] == "run":
                assert "Too many" in output or "no more sockets" in output, output
    assert ", 0 damaged" in toolcart("spool", "check", tmp_path / "1.spool").output
