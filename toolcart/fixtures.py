"""The plugin for pytest: `simulated_controller(profile, **options)` starts a controller that ends with the test."""

import contextlib

import pytest


@pytest.fixture
def simulated_controller():
    """Return a function that starts a simulated controller; see `toolcart.simulated.controller`."""
    # Here and not above: every run of pytest loads this plugin.
    from toolcart import simulated

    with contextlib.ExitStack() as stack:
        yield lambda *words, **named: stack.enter_context(simulated.controller(*words, **named))
