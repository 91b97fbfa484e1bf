"""An agent in a child process: one that cannot be started is told like one that has ended."""

import os
import signal
import sys

from toolcart.tools.live.watch import CRASHES_IN_A_ROW, ENDED, Watch
from toolcart.tools.process import child_process


def test_one_that_cannot_be_started_ends_the_run_with_its_reason(tmp_path, monkeypatch, capsys):
    program = tmp_path / "python"
    program.write_text("")  # it may not be executed
    monkeypatch.setattr(sys, "executable", str(program))
    watch = Watch(str(tmp_path / "cart.json"))
    with watch.handling_signals():
        watch.start()
        for _ in range(10 * CRASHES_IN_A_ROW):
            if watch.phase == ENDED:
                break
            if watch._restart_at_s is not None:
                watch._restart_at_s = 0.0
            watch.turn()
    assert watch.phase == ENDED and watch.exit_code == child_process.CANNOT_START
    assert "cannot be started: [Errno 13] Permission denied" in capsys.readouterr().err


def test_a_terminal_that_goes_behind_the_run_changes_nothing(tmp_path):
    before = signal.getsignal(signal.SIGHUP)
    try:
        with Watch(str(tmp_path / "cart.json")).handling_signals():
            pass
        os.kill(os.getpid(), signal.SIGHUP)  # ends this process if nothing takes it
    finally:
        signal.signal(signal.SIGHUP, before)
