"""The pytest plugin: `simulated_controller(profile, faults=...)` starts a controller that ends with the test."""

from __future__ import annotations

import contextlib

import pytest


@pytest.fixture
def simulated_controller():
    """Return a function that starts a simulated controller; see `toolcart.simulated.controller`."""
    from tools.simulated import controller  # here: every run of pytest loads this plugin

    with contextlib.ExitStack() as stack:
        yield lambda *words, **named: stack.enter_context(controller(*words, **named))
