"""Simulated controllers for tests: `with toolcart.simulated.controller(...) as one` (docs/library/simulated.md)."""

from toolcart.tools.simulated import SimulatedController, controller, profiles  # type: ignore - not in a checkout

__all__ = ["SimulatedController", "controller", "profiles"]
