"""What can happen in a world, by the names that a script uses; `faults_cease` ends all of it.

An event that finds nothing to work on (a cut without power) does nothing.
"""

from __future__ import annotations

SERVICES_OF_TOOLSNET = ("pim", "server")


class Events:
    """The events of one world."""

    def __init__(self, world) -> None:
        self.world = world
        self._over = False

    def happen(self, event: list) -> None:
        """Let this one happen."""
        if not self._over:
            getattr(self, "_" + event[1])(*event[2:])

    def faults_cease(self) -> None:
        """From here on all works, and nothing is produced."""
        world = self.world
        self._over = True
        world.fuse.disarm()
        world.again = []
        for service in self._services("all"):
            world.network.set_state(service, "up", False)
        toolsnet = world.toolsnet
        toolsnet.refuses_all_until = -1
        toolsnet.lost_answers = toolsnet.late_answers = 0
        toolsnet.lies.clear()
        for controller in world.controllers:
            controller.deaf_until = controller.grumble_until = -1
            device = world.device(controller.number)
            device.refusing = ""
            device.refusals_left = 0
            device.sound_since = world.time.now

    def _services(self, name: str) -> list:
        world = self.world
        every = [world.toolsnet.pim, world.toolsnet.server, *[one.service for one in world.controllers]]
        if name == "all":
            return every
        names = SERVICES_OF_TOOLSNET if name == "toolsnet" else (name,)
        return [service for service in every if service.name in names]

    def _later(self, ms: int, action) -> None:
        self.world.time.after(ms, lambda: None if self._over else action())

    def _controller(self, station: int):
        return self.world.controllers[station - 1]

    # -- production ------------------------------------------------------------------------------------------------

    def _make(self, station: int, count: int, gap_ms: int) -> None:
        """So many results, one every `gap_ms`."""
        self._controller(station).make()
        if count > 1:
            self._later(gap_ms, lambda: self._make(station, count - 1, gap_ms))

    def _alarm(self, station: int) -> None:
        """The agent hears of one, if it is there; the next number is its code."""
        self.world.alarm(station)

    def _skip(self, station: int, count: int) -> None:
        """So many IDs are not used for us."""
        self._controller(station).skip_ids(count)

    def _elsewhere(self, station: int, count: int, gap_ms: int) -> None:
        """So many results of other stations, one every `gap_ms`, or all at once."""
        for _ in range(1 if gap_ms else count):
            self._controller(station).make_elsewhere()
        if gap_ms and count > 1:
            self._later(gap_ms, lambda: self._elsewhere(station, count - 1, gap_ms))

    def _reset(self, station: int) -> None:
        """The controller forgets its results and counts from 1."""
        if self._controller(station).traits["ids"] == "normal":
            self._controller(station).reset()

    def _garble(self, station: int, count: int) -> None:
        """The next results cannot be read."""
        self._controller(station).garble_left += count

    def _dislike(self, station: int, count: int) -> None:
        """ToolsNet refuses the next results by their content."""
        self._controller(station).dislike_left += count

    def _deaf(self, station: int, lasts_ms: int) -> None:
        """No answer to 0064."""
        self._controller(station).deaf_until = self.world.time.now + lasts_ms

    def _grumble(self, station: int, code: int, lasts_ms: int) -> None:
        """Every 0064 is refused with this code."""
        controller = self._controller(station)
        controller.grumble_code = code
        controller.grumble_until = self.world.time.now + lasts_ms

    # -- power -----------------------------------------------------------------------------------------------------

    def _cut(self, how: dict) -> None:
        """Cut at the n-th operation from now (0: between two steps), and at starts that follow."""
        world = self.world
        if world.agent is None:
            return
        world.again = [tuple(fuse) for fuse in how["again"]]
        world.dark_ms = how["dark_ms"]
        if not how["operations"]:
            world.power_off()
            return
        world.fuse.arm(how["operations"], how["kinds"])
        starts = world.history.starts

        def at_the_latest() -> None:
            if world.agent is not None and world.history.starts == starts and world.fuse.left:
                world.power_off()

        self._later(how["within_ms"], at_the_latest)

    def _off(self, how: dict) -> None:
        """Switch off."""
        if self.world.agent is None:
            return
        self.world.again = []
        if how["orderly"]:
            self.world.orderly(how["dark_ms"])
        else:
            self.world.power_off(how["dark_ms"])

    # -- network ---------------------------------------------------------------------------------------------------

    def _outage(self, name: str, state: str, lasts_ms: int, breaks: bool) -> None:
        """A service cannot be reached for a while."""
        network = self.world.network
        for service in self._services(name):
            network.set_state(service, state, breaks)
            self._later(lasts_ms, lambda service=service: network.set_state(service, "up", breaks))

    def _drop(self, name: str) -> None:
        """Its connections break."""
        for service in self._services(name):
            self.world.network.break_all(service)

    def _net_up(self) -> None:
        """The board tells the agent that the network has come."""
        self.world.network_is_up()

    # -- ToolsNet --------------------------------------------------------------------------------------------------

    def _refuse_all(self, lasts_ms: int, code: int) -> None:
        """The server refuses every result."""
        self.world.toolsnet.refuses_all_until = self.world.time.now + lasts_ms
        self.world.toolsnet.refusal_code = code

    def _lose_05(self, count: int) -> None:
        """The next answers to results get lost."""
        self.world.toolsnet.lost_answers += count

    def _late_05(self, count: int, ms: int) -> None:
        """The next answers to results come late."""
        self.world.toolsnet.late_answers += count
        self.world.toolsnet.late_ms = ms

    def _restore(self, age_ms: int) -> None:
        """The store is as it was so long ago."""
        self.world.toolsnet.forget(age_ms)

    def _empty(self) -> None:
        """The store is empty."""
        self.world.toolsnet.forget(None)

    def _lie(self, kind: str, count: int) -> None:
        """The next 08 say something else."""
        self.world.toolsnet.lies.extend([kind] * count)
        self.world.toolsnet.server_breaks()

    # -- flash -----------------------------------------------------------------------------------------------------

    def _flash(self, station: int, mode: str, lasts_ms: int) -> None:
        """The device refuses for a while."""
        device = self.world.device(station)
        device.refusing = mode

        def again() -> None:
            device.refusing = ""
            device.sound_since = self.world.time.now

        self._later(lasts_ms, again)

    def _flash_operations(self, station: int, count: int) -> None:
        """The device refuses so many programs and erases."""
        self.world.device(station).refusals_left += count

    def _worn(self, station: int, block: int) -> None:
        """This block is of no more use; one for each device."""
        device = self.world.device(station)
        if not device.worn:
            device.worn.add(block % device.block_count)
