"""The whole way over a pty: a real process with a real serial port, unplugged, killed, and started again."""

import os
import tempfile

import pytest

from host_tests.agent.cart.test_end_to_end import Agent, come_through_outages, command_of
from host_tests.portable import LONG
from host_tests.support.archive import delivering


@pytest.fixture
def line_path(tmp_path_factory):
    """The setting `device` has 64 characters, pytest's folders are longer."""
    path = tempfile.mktemp(prefix="cart-", suffix=".tty")
    yield path
    if os.path.islink(path):
        os.unlink(path)


# One link, one interpreter; the links themselves are tried on all of them (host_tests/agent/link).
WAYS = [("cpython", "3964r")]
if LONG:
    WAYS += [("cpython", "ascii"), ("micropython", "3964r"), ("micropython", "ascii")]


@pytest.mark.parametrize(("kind", "link"), WAYS)
def test_every_result_is_in_the_archive_once_after_unplugging_and_a_kill(kind, link, request, tmp_path, line_path):
    """The controller is cut by pulling the adapter out: MicroPython learns that only by silence, in some 20 s."""
    with delivering(tmp_path, link=link, line_path=line_path) as plant:
        line = {"link": link, "device": line_path, "baud": 115200}
        # A 0062 that comes right after the 0063 of a new start finds nothing that waits for it: the result is kept.
        come_through_outages(
            Agent(command_of(kind, request, tmp_path), tmp_path, plant, **line),
            (10, 15, 5, 5),
            lambda: plant._controller.peer.surplus,
        )
