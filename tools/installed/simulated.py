"""Simulated controllers for tests: `with toolcart.simulated.controller(...) as one` (docs/library/simulated.md)."""

from toolcart.tools.simulated import SimulatedController, controller, profiles

__all__ = ["SimulatedController", "controller", "profiles"]
