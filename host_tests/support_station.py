"""The machines of one station over its flash, joined as agent.assembly does; a bench makes those that it is about.

    class Bench(Station):
        def start(self):
            self.bring_up(self.flash, self.parked_flash)
            self.send(self.network.port(), self.clock, ack_timeout_ms=5000)

What a bench does not make is not imported either: a small heap has room for some of it only.
"""

from agent.health import Health
from agent.spool.fold import ROLE_QUARANTINE
from agent.spool.mount import mount
from agent.spool.ring import Ring
from host_tests.support_spool import made

PORTABLE = True

NUMBER = 10  # of the station; type and number of its system are 3 and 1

SETTINGS = {
    "pim_host": "pim",
    "pim_port": 6575,
    "host_override": None,
    "allow_hosts": None,
    "tls_ca": None,
    "rewind": False,
    "server_empty": "continue",
    "refused": "park",
    "refused_attempts": 3,
    "refused_wait_ms": 5000,
}


class Station:
    """What is made anew at each start. The flash devices are the bench's own, since they survive."""

    def bring_up(self, device, parked=None, confirms=True, **log):
        """Mount the log and, with `parked`, the quarantine beside it; `log` goes to `made`. False: it cannot be read.

        The quarantine's last record is confirmed as well, the log's if `confirms`; `confirmed` says whether they are.
        """
        self.health = Health()
        self.ring = made(device, **log)
        self.known = self.ring.owner if log.get("recover") is not None else None
        if parked is not None:
            from agent.quarantine import Quarantine

            self.parked = Ring(parked, role=ROLE_QUARANTINE, other=self.ring)
            self.quarantine = Quarantine(self.parked)
            self.ring.stand_beside(self.quarantine)
            if mount(self.parked) < 0:
                return False
        if mount(self.ring) < 0:
            return False
        self.confirmed = True
        if parked is not None:
            self.confirmed = self.quarantine.settle(self.ring)
        if confirms:
            self.confirmed = self.ring.confirm() and self.confirmed
        return True

    def take(self, board, **recovery):
        """Make what stores results and knows which are missing; the log has to be made with `recover`."""
        from agent.openprotocol.recovery import Recovery
        from agent.store import Store

        self.recovery = Recovery(self.ring, self.known, **recovery)
        self.store = Store(self.ring, self.known, self.recovery, self.health, board, NUMBER)

    def send(self, port, board, settings=SETTINGS, cursor_batch=32, **session):
        """Make the way to ToolsNet."""
        from agent.outlets.toolsnet.forward import Forward
        from agent.toolsnet.result04 import ResultWriter
        from agent.toolsnet.session import Session

        machine, kind = Forward, Session
        if settings.get("window", 1) > 1:
            from agent.outlets.toolsnet.row import RowSession
            from agent.outlets.toolsnet.window import Windowed

            machine, kind = Windowed, RowSession
        self.port = port
        self.session = kind(3, 1, NUMBER, **session)
        writer = ResultWriter(self.session.result, 3, 1)
        writer.session = self.session
        self.forward = machine(
            port, self.session, writer, self.ring, self.quarantine, self.health, board, settings, cursor_batch
        )

    def counted(self, code):
        return self.health.counters[code]
