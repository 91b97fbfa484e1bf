"""What has a changed configuration read again is said as it is true for how the agent runs."""

import signal
import subprocess
import sys

import pytest

from toolcart.base import privileges
from toolcart.board.linux import service
from toolcart.tools.messages import attention
from toolcart.tools.status import process
from host_tests.support.running import ENVIRONMENT

CHANGED = {"changed": ["cart.json"], "wrong": "", "refused": False, "file": "cart.json"}


def hint(**about):
    [need] = attention.of_agent({"configuration": CHANGED, "pid": 71, "unit": "", **about})
    return need.hint


def way_of(*before):
    """How a process that was begun with these words says that it is to be reloaded."""
    handled = (
        "from toolcart.tools.process.supervisor import end_or_reload; from toolcart.tools.status import process;"
        "end_or_reload(lambda: None, lambda: None); print(process.way_to_reload(''))"
    )
    done = subprocess.run([*before, sys.executable, "-c", handled], env=ENVIRONMENT, capture_output=True, text=True)
    return done.stdout.strip()


def test_a_process_that_ignores_the_signal_is_not_to_be_sent_it():
    assert way_of() in (process.SIGNAL, process.CONTAINER)
    assert way_of("nohup") == process.NONE
    hint_text = "it does not hear SIGHUP, as it was begun so (nohup): end it and start it again"
    assert hint(reload=process.NONE) == hint_text


@pytest.mark.parametrize("handler", [signal.SIG_IGN, signal.SIG_DFL])
def test_a_signal_that_nothing_takes_is_no_way_to_reload(handler):
    before = signal.signal(signal.SIGHUP, handler)
    try:
        assert process.Process().report()["reload"] == process.NONE
    finally:
        signal.signal(signal.SIGHUP, before)


def test_the_number_of_a_process_in_a_container_is_one_inside_it(monkeypatch):
    before = signal.signal(signal.SIGHUP, lambda *_: None)
    try:
        for inode, way in ((process.FIRST_NAMESPACE, process.SIGNAL), (4026532177, process.CONTAINER)):
            monkeypatch.setattr(process, "namespace", lambda inode=inode: inode)
            assert process.Process().report()["reload"] == way
    finally:
        signal.signal(signal.SIGHUP, before)
    assert hint(reload=process.CONTAINER) == "`kill -HUP 71` inside its container has it read again"
    assert hint(reload=process.SIGNAL) == "`kill -HUP 71` has it read again"


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        ("0::/system.slice/toolcart-7.service", "`sudo systemctl reload toolcart-7` takes it"),
        (
            "0::/user.slice/user-1000.slice/user@1000.service/app.slice/toolcart.service",
            "`systemctl --user reload toolcart` takes it",
        ),
    ],
)
def test_a_service_is_reloaded_by_the_manager_that_runs_it(monkeypatch, tmp_path, group, expected):
    monkeypatch.setattr(privileges, "is_root", lambda: False)
    (tmp_path / "cgroup").write_text(group + "\n")
    monkeypatch.setattr(service, "GROUP", str(tmp_path / "cgroup"))
    monkeypatch.setenv("NOTIFY_SOCKET", "/run/systemd/notify")
    assert hint(**process.Process().report()) == expected
    monkeypatch.delenv("NOTIFY_SOCKET")
    assert "systemctl" not in hint(**process.Process().report()), "a shell of that service began it"
