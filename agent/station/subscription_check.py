"""Sees that the controller still pushes: a subscription may end while the connection and MID 9999 go on.

Rules
1. After QUIET_MINUTES without a result the newest ID is asked for, and soon after a reason for doubt: a stall of our
   own, an acknowledgement that was rejected, a message that came again.
2. If that is not the highest known, it is asked for again after `_again_ms`. If no result has come in between, what is
   missing is looked for; as soon as one up to the first answer has to be fetched, or something is gone though nothing
   was pushed meanwhile, that is told, and the connection begins again. It fetches the rest. Where the first answer had
   the ID 0, which cannot be asked for, that is told and begun at once: what such a controller makes while nothing is
   pushed is not fetched, but what follows comes. So it is where nothing was to be fetched, and the next time another
   newest is there though nothing was pushed: its ID is off, and only a push shows by how much. Where it is known from
   the begin that the answer to ID 0 shows nothing, it is looked at in this way alone.
3. A controller that cannot be asked is sent its subscription once more. "It exists" is well. If it is accepted, once
   more: "it exists" now means that it had ended, and that is told; accepted again, that this controller accepts it
   every time, and it is not asked again on this connection.
4. A result that comes, new or again, is what is hoped for. Any other answer, or none, says nothing.
"""

from toolcart.agent.base import counters as counter
from toolcart.agent.base.compat import const
from toolcart.agent.base.ticks import Timer
from toolcart.agent.log.snapshot_fields import STORED
from toolcart.agent.openprotocol import error_codes, session_states
from toolcart.agent.openprotocol.error_codes import noted
from toolcart.agent.openprotocol.ids import is_ahead
from toolcart.agent.openprotocol.question_revisions import NEWEST_SHOWS_NOTHING

QUIET_MINUTES = const(5)
SOON_MS = const(2000)  # after a stall everything that came meanwhile is taken first
APART_MS = const(15000)  # however many reasons for doubt there are
WAY_MS = const(5000)  # at least, for a push that is on its way
IS_FETCHED = const(0)  # the value of UNSUBSCRIBED in the event log
IS_LOST = const(1)

_MINUTE_MS = const(60000)


class SubscriptionCheck:
    """Watches the subscription of one intake."""

    def __init__(self, recovery, retry_ms):
        self.timer = Timer()
        self._recovery = recovery
        self._again_ms = max(retry_ms, WAY_MS)
        self._numbers = recovery.ledger.state.numbers
        self._apart = Timer()
        self.closed()

    def closed(self):
        """There is no session."""
        self.timer.stop()
        self._apart.stop()
        self._forget()
        self._accepted = 0  # how often the subscription was accepted once more
        self._unfetched = -1  # the newest where it was not the highest known, and nothing was to be fetched

    def _forget(self):
        self._newest = -1  # the first answer that was not the highest known
        self._looks = False  # what is missing is looked for
        self._doubts = False
        self._minutes = 0  # without a result
        self._stored_before = self._count()

    def rest(self, now):
        """The subscription stands, as far as can be seen: begin the five minutes."""
        self._forget()
        self.timer.start(now, _MINUTE_MS)

    def doubt(self, now, is_again=False):
        """There is a reason to ask soon; `is_again`: a message came again."""
        self._stored_before -= is_again  # as if it had been stored
        if not self.timer.armed or self._newest >= 0:
            return
        self._doubts = True  # and what has come before it says nothing
        wait_ms = max(SOON_MS, self._apart.left(now) if self._apart.armed else 0)
        if self.timer.left(now) > wait_ms:
            self.timer.start(now, wait_ms)

    def look(self, session, now):
        """Ask what is due; the session can be asked. True if the subscription was sent."""
        if self._looks and self._recovery.seeks():
            self.timer.start(now, _MINUTE_MS)
            return False
        is_quiet = self._stored_before == self._count()
        if self._looks or not (is_quiet or self._doubts):
            self._unfetched = self._recovery.polled if is_quiet else -1
            self.rest(now)
            return False
        self._minutes += 1
        self.timer.start(now, _MINUTE_MS)  # also until the answer, or while something is being fetched
        if not self._doubts and self._newest < 0 and self._minutes < QUIET_MINUTES:
            return False
        if self._recovery.can_poll():
            self._recovery.poll()
            return False
        if self._accepted > 1:
            self.rest(now)
            return False
        session.subscribe_again()
        return True

    def polled(self, intake, is_known, now):
        """The newest ID came: the highest known, or another one."""
        self._apart.start(now, APART_MS)
        shows_nothing = self._recovery.revisions.lacks_newest == NEWEST_SHOWS_NOTHING
        if shows_nothing and self._unfetched in (-1, self._recovery.polled):
            self._unfetched = self._recovery.polled
            is_known = True
        if is_known:
            self.rest(now)
        elif self._newest < 0:
            self._newest = self._recovery.polled
            self._doubts = False
            self._stored_before = self._count()
            self.timer.start(now, self._again_ms)
        elif self._stored_before == self._count():
            self._looks = True
            if self._newest and self._unfetched in (-1, self._recovery.polled):
                self._recovery.start_over()
            else:
                self.fetched(intake, 0, now)  # it never will be
        else:
            self.rest(now)

    def fetched(self, intake, number, now):
        """A result that was missing is stored: it should have been pushed, if it is not newer than the first answer.

        -1: some are gone. If nothing was pushed meanwhile, the first answer is among them.
        """
        if not self._looks:
            return
        self._stored_before += number >= 0  # stored, and not pushed
        if not is_ahead(number, self._newest) if number >= 0 else self._stored_before == self._count():
            self._looks = False
            intake.counters.note(counter.UNSUBSCRIBED, IS_FETCHED, now)
            intake.session.stop(now)

    def on_event(self, intake, event, now):
        """Handle an event from EV_WATCH on."""
        session = intake.session
        if event == session_states.EV_ACK_REJECTED:
            intake.counters.note(counter.CONTROLLER_REFUSALS, noted(session.received.named, session.received.code), now)
            self.doubt(now)
        elif event == session_states.EV_REPEATED:
            self.doubt(now, True)
        else:
            self._hear_subscribed(intake, event == session_states.EV_SUBSCRIBED, now)

    def _hear_subscribed(self, intake, is_accepted, now):
        self._apart.start(now, APART_MS)
        if is_accepted:
            self._accepted += 1
            self._doubts = True
            self.timer.start(now, 0)  # once more
            return
        if self._accepted == 1 and intake.session.received.rejection == error_codes.REJECTED_EXISTS:
            intake.counters.note(counter.UNSUBSCRIBED, IS_LOST, now)
        self._accepted = 0
        self.rest(now)

    def _count(self):
        return self._numbers[STORED]
