"""The plugin for pytest: `simulated_controller(profile, faults=...)` starts a controller that ends with the test."""

import contextlib

import pytest


@pytest.fixture
def simulated_controller():
    """Return a function that starts a simulated controller; see `toolcart.simulated.controller`."""
    from toolcart import simulated  # here: every run of pytest loads this plugin

    with contextlib.ExitStack() as stack:
        yield lambda *words, **named: stack.enter_context(simulated.controller(*words, **named))
