"""The machines of one station over its area of a flash, joined as the cart does; a bench makes what it is about.

    class Bench(Station):
        def start(self):
            self.bring_up(self.area)
            self.take(self.clock)

What a bench does not make is not imported either: a small heap has room for some of it only.
"""

from toolcart.agent.base.health import Health
from toolcart.agent.log.mount import MOUNT_DONE

PORTABLE = True

NUMBER = 10  # of the station; type and number of its system are 3 and 1


class Station:
    """What is made at each start. The area is the bench's own, since its flash survives."""

    def bring_up(self, area, keeps=False, **log):
        """Mount the area and, if it `keeps`, the quarantine; `log` goes to `area.mount`. False: it cannot be read."""
        self.area = area
        self.health = Health()
        self.state, self.log = area.mount(**log)
        if area.found != MOUNT_DONE:
            return False
        if keeps:
            from toolcart.agent.quarantine.quarantine import Quarantine

            self.quarantine = Quarantine(area.kept, self.state, self.log)
            self.quarantine.start()
        return True

    def take(self, board, recover=True, **recovery):
        """Make what stores results and knows which are missing. True if all of the log counts already."""
        from toolcart.agent.openprotocol.known import Known
        from toolcart.agent.openprotocol.look import Look
        from toolcart.agent.openprotocol.recovery import Recovery
        from toolcart.agent.station.store import Store

        self.known = Known(self.state, recover)
        self.look = Look(self.log)
        recovery.setdefault("revisions", (2, 1))
        self.recovery = Recovery(self.look, self.known, **recovery)
        self.store = Store(self.log, self.known, self.recovery, self.look, self.health, board, NUMBER)
        return self.store.start()

    def counted(self, code):
        return self.health.counters[code]
