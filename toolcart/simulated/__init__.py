"""Simulated controllers for the tests of this library's users: a real TCP port on this machine, in a thread.

    with controller("power-focus-6000-3.6", faults={"refuse": {18: 3}}) as simulated:
        connect(simulated.host, simulated.port)
        simulated.produce(torque=1234)

`faults` are options of the simulator (toolcart.sim.controller_model lists them); `profiles()` names the controllers.
"""

from toolcart.sim.profiles import names as profiles
from toolcart.simulated.controller import SimulatedController, controller

__all__ = ["SimulatedController", "controller", "profiles"]
