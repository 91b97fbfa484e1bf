"""Simulated controllers for the tests of this library's users: a real TCP port on this machine, in a thread.

    with controller("power-focus-6000-3.6", refuse={18: 3}) as simulated:
        connect(simulated.host, simulated.port)
        simulated.produce(torque=1234)
        simulated.assert_clean()

`profiles()` names the controllers; the options are those of toolcart.simulated.options.
"""

from toolcart.sim.profiles import names as profiles
from toolcart.simulated.controller import SimulatedController, controller
from toolcart.simulated.options import Options, Result

__all__ = ["Options", "Result", "SimulatedController", "controller", "profiles"]
