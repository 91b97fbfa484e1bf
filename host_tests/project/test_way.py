"""The way of a live result, from the socket to ToolsNet and back: who calls whom, and how many files it crosses."""

import sys
from pathlib import Path

from host_tests.project.test_architecture import floor_of
from lab.harness.configuration import configuration
from lab.harness.quiet import Workbench

ROOT = Path(__file__).resolve().parents[2]
FILES_MOST = 25  # on CPython; 18 are wanted
# Who is lent the processor: the scheduler knows a task by `step` and nothing else.
BY_TURNS = ("toolcart.agent.base.scheduler", "step")


def module_of(frame):
    path = Path(frame.f_code.co_filename)
    name = path.relative_to(ROOT).with_suffix("").as_posix() if path.is_relative_to(ROOT) else ""
    return name.replace("/", ".") if name.startswith("toolcart/agent/") else None


def way():
    """Return {(caller, called, name of the function): how often} of one result, and every module that it crosses."""
    bench = Workbench(configuration())
    bench.settle()
    assert bench.many_results(20)
    calls, crossed = {}, set()

    def heard(frame, event, _):
        called = module_of(frame) if event == "call" else None
        if called:
            crossed.add(called)
            caller = module_of(frame.f_back)
            if caller and caller != called:
                call = caller, called, frame.f_code.co_name
                calls[call] = calls.get(call, 0) + 1

    sys.setprofile(heard)
    try:
        through = bench.one_result()
    finally:
        sys.setprofile(None)
    assert through and bench.sound()
    return calls, crossed


def test_a_live_result_is_called_upward_by_the_scheduler_alone():
    calls, crossed = way()
    upward = [call for call in calls if floor_of(call[1]) > floor_of(call[0])]
    assert {(caller, name) for caller, _, name in upward} == {BY_TURNS}
    assert len(crossed) <= FILES_MOST, sorted(crossed)
