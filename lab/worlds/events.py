"""What can happen in a world, by the names that a script uses; `faults_cease` ends all of it.

An event that finds nothing to work on (a cut without power) does nothing.
"""

from __future__ import annotations

import inspect

from lab.worlds.operator import KEPT_BEGINS

REFUSED_MS = 60000  # after a refused operation nothing is measured for so long
SERVICES_OF_TOOLSNET = ("pim", "server")


def is_of_station(what: str) -> bool:
    """True if the first thing that this event has is the number of a station."""
    return "station" in inspect.signature(getattr(Events, "_" + what)).parameters


class Events:
    """The events of one world."""

    def __init__(self, world) -> None:
        self.world = world
        self._over = False

    def happen(self, event: list) -> None:
        """Let this event happen."""
        if not self._over:
            getattr(self, "_" + event[1])(*event[2:])

    def faults_cease(self) -> None:
        """From here on everything works, and nothing is produced."""
        world = self.world
        self._over = True
        world.fuse.disarm()
        world.again = []
        world.stalled_until = -1
        for service in self._services("all"):
            world.network.set_state(service, "up", False)
        for outlet in [world.other_outlet, *world.outlet_peers.values()]:
            if outlet is not None:
                outlet.works_again()
        toolsnet = world.toolsnet
        toolsnet.refuses_all_until = -1
        toolsnet.lost_answers = toolsnet.late_answers = 0
        toolsnet.lies.clear()
        toolsnet.disturbed()
        for controller in world.controllers:
            controller.deaf_until = controller.reject_until = -1
            device = world.device(controller.number)
            device.refusing = ""
            device.refusals_left = device.unreadable_left = 0
            device.sound_since = world.time.now

    def _other_outlet(self, what: str, ms: int) -> None:
        """Cause a fault of the outlet beside ToolsNet, if there is one (other_outlets.py)."""
        if self.world.other_outlet is not None:
            self.world.other_outlet.happen(what, ms)

    def _services(self, name: str) -> list:
        world = self.world
        every = world.services()
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
        """Make so many results, one every `gap_ms`."""
        self._controller(station).make()
        if count > 1:
            self._later(gap_ms, lambda: self._make(station, count - 1, gap_ms))

    def _alarm(self, station: int) -> None:
        """Raise an alarm, if the agent is there; its code is the next number."""
        self.world.alarm(station)

    def _skip(self, station: int, count: int) -> None:
        """Use so many IDs for others."""
        self._controller(station).skip_ids(count)

    def _elsewhere(self, station: int, count: int, gap_ms: int) -> None:
        """Make so many results at other stations, one every `gap_ms`, or all at once."""
        for _ in range(1 if gap_ms else count):
            self._controller(station).make_elsewhere()
        if gap_ms and count > 1:
            self._later(gap_ms, lambda: self._elsewhere(station, count - 1, gap_ms))

    def _reset(self, station: int, how: dict | None = None) -> None:
        """Restart the controller's count: by default from 1, with a wiped memory and no session."""
        controller = self._controller(station)
        if controller.traits["ids"] == "normal":
            controller.reset(**({} if controller.traits["cycles"] else how or {}))

    def _clock(self, station: int, seconds: int) -> None:
        """Set the controller's clock so far ahead or back."""
        self._controller(station).clock_s += seconds

    def _garble(self, station: int, count: int) -> None:
        """Make the next results unreadable."""
        self._controller(station).garble_left += count

    def _refuse_content(self, station: int, count: int, how: str = "refuses") -> None:
        """Have ToolsNet refuse the next results by their content, or be "silent" about them."""
        self._controller(station).refuse_content_left += count
        self._controller(station).refuse_content_how = how

    def _order(self, station: int, what: str, count: int) -> None:
        """Have an operator drop or retry so many of the entries kept; 0: all."""
        self.world.operator.order(what, station, count)

    def _deaf(self, station: int, lasts_ms: int) -> None:
        """Leave 0064 unanswered."""
        self._controller(station).deaf_until = self.world.time.now + lasts_ms

    def _reject(self, station: int, code: int, lasts_ms: int) -> None:
        """Reject every 0064 with this code."""
        controller = self._controller(station)
        controller.reject_code = code
        controller.reject_until = self.world.time.now + lasts_ms

    def _unsubscribe(self, station: int) -> None:
        """End the subscription, not the connection."""
        self._controller(station).end_subscription()

    def _stall(self, lasts_ms: int) -> None:
        """Let the agent's process have no turn for so long."""
        self.world.stall(lasts_ms)

    # -- power -----------------------------------------------------------------------------------------------------

    def _cut(self, how: dict) -> None:
        """Cut at the n-th operation from now (0: between two steps), and again at the starts that follow."""
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
            self.world.shut_down(how["dark_ms"])
        else:
            self.world.power_off(how["dark_ms"])

    # -- outlets that come and go (changing_world.py) --------------------------------------------------------------

    def _reload(self, dark_ms: int) -> None:
        """Have the agent read its configuration again: it stops in order and starts at once."""
        self._off({"orderly": True, "dark_ms": dark_ms})

    def _outlets(self, outlets: list[dict]) -> None:
        """Configure these outlets from the next start on."""
        self.world.change("outlets", outlets)

    def _rewind(self, rewinds: bool) -> None:
        """Set toolsnet.rewind from the next start on."""
        self.world.change("rewind", rewinds)

    def _take_over(self, blocks: int) -> None:
        """Move the spool into a new one, with so many blocks more, before the next start."""
        self.world.change("take over", blocks)

    def _exchange(self, one: str, other: str) -> None:
        """Exchange the contents of these outlets' files before the next start."""
        self.world.change("exchange", one, other)

    def _forgets(self, name: str, share: float) -> None:
        """Have this outlet's place lose all but the first `share` of what it has; a file before the next start."""
        self.world.forgets(name, share)

    def _side(self, name: str, what: str, ms: int) -> None:
        """Cause a fault of this outlet's peer (outlet_peers.py)."""
        self.world.peer_fails(name, what, ms)

    def _offer_again(self, share: float) -> None:
        """Have an operator order what the log holds, from this share of it on, for ToolsNet again."""
        self.world.offer_again(share)

    def _drop_kept(self) -> None:
        """Have an operator drop all that ToolsNet has refused."""
        self.world.drop_kept()

    def _search_fails(self, station: int, reads: int, behind: int) -> None:
        """Have the flash refuse so many reads, `behind` others, when the agent is next given what it had before."""
        self._controller(station).refused_reads = reads
        self.world.device(station).readable_left = behind

    def _stale(self, station: int, block: int, fades: bool) -> None:
        """Have this block of the log, once it is erased and full again, show what it held before; blank if it fades."""
        device = self.world.device(station)
        first = self.world.log_begins(station)
        device.stale_from, device.fades = first, fades
        device.stale = first + block % (device.block_count - first)

    def _worn_log(self, station: int, block: int) -> None:
        """Wear out this block of the log: one in four of them."""
        device, first = self.world.device(station), self.world.log_begins(station)
        count = device.block_count - first
        if device.wears and sum(other >= first for other in device.worn) < max(count // 4, 1):
            device.worn.add(first + block % count)

    # -- network ---------------------------------------------------------------------------------------------------

    def _outage(self, name: str, state: str, lasts_ms: int, breaks: bool) -> None:
        """Make a service unreachable for a while."""
        for service in self._services(name):
            self._set_state(service, state, breaks)
            self._later(lasts_ms, lambda service=service: self._set_state(service, "up", breaks))

    def _set_state(self, service, state: str, breaks: bool) -> None:
        self._touch(service)
        self.world.network.set_state(service, state, breaks)

    def _touch(self, service) -> None:
        """Restart what was measured on the way to this service."""
        world = self.world
        if service.name in SERVICES_OF_TOOLSNET:
            world.toolsnet.disturbed()
        else:
            world.touched[int(service.name.split()[-1])] = world.time.now

    def _drop(self, name: str) -> None:
        """Break its connections."""
        for service in self._services(name):
            self._touch(service)
            self.world.network.break_all(service)

    def _net_up(self) -> None:
        """Have the board report the network to the agent."""
        self.world.report_network_up()

    # -- ToolsNet --------------------------------------------------------------------------------------------------

    def _refuse_all(self, lasts_ms: int, code: int) -> None:
        """Have the server refuse every result; with code -1 it answers none."""
        self.world.toolsnet.disturbed()
        self.world.toolsnet.refuses_all_until = self.world.time.now + lasts_ms
        self.world.toolsnet.refusal_code = code

    def _trouble(self, count: int, on_ms: int, off_ms: int, code: int) -> None:
        """Have the server alternate so many times: it refuses every result for a while, then is well for a while."""
        self._refuse_all(on_ms, code)
        if count > 1:
            self._later(on_ms + off_ms, lambda: self._trouble(count - 1, on_ms, off_ms, code))

    def _lose_05(self, count: int) -> None:
        """Lose the next answers to results."""
        self.world.toolsnet.disturbed()
        self.world.toolsnet.lost_answers += count

    def _late_05(self, count: int, ms: int) -> None:
        """Delay the next answers to results."""
        self.world.toolsnet.disturbed()
        self.world.toolsnet.late_answers += count
        self.world.toolsnet.late_ms = ms

    def _restore(self, age_ms: int) -> None:
        """Restore the store to what it was so long ago."""
        self.world.toolsnet.forget(age_ms)

    def _empty(self) -> None:
        """Empty the store."""
        self.world.toolsnet.forget(None)

    def _false_08(self, kind: str, count: int) -> None:
        """Let the next 08 say something else."""
        self.world.toolsnet.lies.extend([kind] * count)
        self.world.toolsnet.server_breaks()

    # -- flash -----------------------------------------------------------------------------------------------------

    def _flash(self, station: int, mode: str, lasts_ms: int) -> None:
        """Have the device refuse for a while."""
        device = self.world.device(station)
        device.refusing = mode
        self.world.toolsnet.disturbed(station)

        def again() -> None:
            device.refusing = ""
            device.sound_since = self.world.time.now

        self._later(lasts_ms, again)

    def _flash_operations(self, station: int, count: int) -> None:
        """Have the device refuse so many programs and erases."""
        self._fails(station).refusals_left += count

    def _flash_reads(self, station: int, count: int) -> None:
        """Have the device refuse so many reads."""
        self._fails(station).unreadable_left += count

    def _fails(self, station: int):
        device = self.world.device(station)
        device.sound_since = self.world.time.now + REFUSED_MS
        self.world.toolsnet.disturbed(station)
        return device

    def _worn(self, station: int, block: int) -> None:
        """Wear out this block: at most one of the state, one of the quarantine, one of the log."""
        device = self.world.device(station)
        block %= device.block_count
        areas = (KEPT_BEGINS, self.world.log_begins(station))
        area = sum(block >= begins for begins in areas)
        if device.wears and all(sum(other >= begins for begins in areas) != area for other in device.worn):
            device.worn.add(block)
