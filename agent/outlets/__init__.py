"""Where results go: every outlet keeps this contract; `host_tests/agent/outlets/test_outlet_contract.py` tests each.

An outlet is a task of the station (toolcart.agent.base.scheduler) that takes records from the log in order, from its
own cursor on.

    kind         what it is, as the configuration calls it
    index        its cursor is log.cursors[index], whose `durable` and `wants` are set before it is made
    port         what wakes it when it can be read or written (the board's `watch`), None if nothing does
    attempts     a number that changes whenever it tries something; `longest_ms` is its longest pause between two tries
    times        what asks its other side for the time, by `wants_stamp` and `stamp`
                 (toolcart.agent.toolsnet.session), or None
    begin(now)   the log is mounted: start
    attach(scheduler, slot)  an operator's order wakes this slot of the scheduler
    step(now)    do a bounded piece of the work; return the ms until it is needed again, FOREVER until a record comes
    reset_after_fault(now)  a step has failed: begin again
    connect_now(now)  what it could not reach may be there now: do not wait for the next try
    begin_shutdown(now)  the orderly end begins: nothing new goes out
    may_stop(now)  True if nothing is outstanding any more, or was not answered in time
    stop()       the orderly end: close, and make durable how far it is; `step` returns FOREVER from then on
    is_up()      True if its other side takes records now
    needs_operator()  True if only an operator can let its records go on
    put_state(report)  add to the dict `report` what people want to know: at least `state`, in words; `place`, where it
                 writes to, and `why` it cannot, unless it has a host and reasons as ToolsNet has

Promises
1. Its cursor moves past a record only when the other side has it for good, or when the record cannot be delivered and
   is kept, counted and shown.
2. Records reach the other side in the log's order. After a cut it may get again what it took last; an outlet that can
   find out what is there skips that.
3. It holds up neither the intake nor another outlet. What its other side refuses is tried again after
   a pause, counted, and visible. A durable outlet that takes nothing fills the log; a best-effort one is moved on.
4. Nothing grows: what it holds in RAM does not depend on how much waits.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.connection_fault import ConnectionFault
from toolcart.agent.base.ticks import Timer
from toolcart.agent.link.port import PORT_CLOSED, PORT_OPEN, PORT_OPENING

READS_A_STEP = const(8)  # then the other tasks have their turn
SHUTDOWN_MS = const(2000)

_TYPE_CHECKING = const(0)  # as in the module typing, which a chip lacks: for the type checker alone

# What has become of the port
UNREACHED = const(0)  # it is closed; the last attempt, if there was one, opened nothing
OPENING = const(1)
ENDED = const(2)  # it is closed, and was open
OPEN = const(3)


class Connection:
    """Drives a session without I/O over a port; every outlet that has such a session is one.

    The session has
        incoming            where what comes goes: inlet(), free, receive(n) (toolcart.agent.base.fifo)
        is_due(now)         whether it has an event although nothing came
        tick(now, left)     posts what is due; `left`, or the ms until something may be due again if that is less
        can_send()          whether it takes something to send
        tx, tx_from, pending   what the port has to write: tx[tx_from : tx_from + pending]
        sent(n, now)        the port took n bytes; True if more may be due for that
        commanded, command()   what it wants of the port, 0 if nothing: to be opened, or closed; `command` says it once
        opened(now), closed(now)   the port is open; it is not, or no longer: the event of that, 0 if it knows already
        stop()              close and stay closed: nothing is due from then on, and nothing sent
    and the outlet, beside what is its own
        take_events(now)    hears what the session says, until it says nothing more
        send_next(now)      sends what comes next, if anything may; the ms until there may be more
        address_for(command, now)   where the port is opened for this command: (host, number); None: it stays closed
        connection_lost(event, now)   the connection has ended, or could not be opened: the port says why

    Rules
    1. What has come is heard before the connection's end is.
    2. A port that is open or closed at once will never wake the outlet: it is looked at right after `open`.
    3. All deadlines are the session's, that of opening too. It says when to open and to close; the port hears it here.
    """

    if _TYPE_CHECKING:  # the outlet has them

        def take_events(self, now): ...
        def send_next(self, now) -> int: ...
        def address_for(self, command, now) -> "tuple[str, int] | None": ...
        def connection_lost(self, event, now): ...

    def __init__(self, port, session):
        self.port = port
        self.session = session
        self.attempts = 0  # connections begun, and other signs of life: toolcart.agent.cart.watchdog watches
        self.fault = ConnectionFault()
        self.phase = UNREACHED
        self._shutdown_timer = Timer()  # set: nothing more goes out

    def begin_shutdown(self, now):
        """Begin the orderly end: nothing more goes out."""
        self._shutdown_timer.start(now, SHUTDOWN_MS)

    def stop(self):
        """Close and stay closed."""
        self.session.stop()
        self.hang_up()

    def hang_up(self):
        """Close the port."""
        self.port.close()
        self.phase = ENDED if self.phase >= ENDED else UNREACHED

    def step(self, now):
        """Do what can be done now; return the ms until there may be more. Hot: allocates nothing once it is open."""
        session = self.session
        incoming = session.incoming
        reads = READS_A_STEP
        while reads:
            reads -= 1
            n = 0
            if self.phase == OPEN:
                n = self.port.readinto(incoming.inlet(), incoming.free)
                if n > 0:
                    incoming.receive(n)
            elif self.phase == OPENING:
                self._look_at_opening(now)
            if n or session.is_due(now):
                self.take_events(now)
            if n < 0:
                self._end(now)
            if session.commanded:
                self._obey(now)
                if session.is_due(now):
                    continue  # it is open already
            left = session.tick(now, self.send_next(now))
            if session.pending:
                left = self._write(left, now)
            if n == 0 or n < incoming.free:  # the port wakes us if there is more
                return left
        return 0

    def _write(self, left, now):
        """Write until nothing more is due or the port takes no more; return the ms until the next deadline."""
        session = self.session
        pending = session.pending
        while pending:
            n = self.port.write(session.tx, session.tx_from, pending)
            if n < 0:
                self._end(now)
                return 0
            if n == 0:
                break
            if session.sent(n, now):
                left = session.tick(now, 0 if session.can_send() else left)
            pending = session.pending
        return left

    def _obey(self, now):
        self.hang_up()
        self.attempts += 1
        address = self.address_for(self.session.command(), now)
        if address is None:
            return
        self.phase = OPENING
        self.port.open(address[0], address[1])
        if self.port.state() != PORT_OPENING:
            self._look_at_opening(now)

    def _look_at_opening(self, now):
        state = self.port.state()
        if state == PORT_OPEN:
            self.phase = OPEN
            self.session.opened(now)
        elif state == PORT_CLOSED:
            self._end(now)

    def _end(self, now):
        """The port says that there is no connection."""
        self.hang_up()
        event = self.session.closed(now)
        if event:
            self.connection_lost(event, now)
