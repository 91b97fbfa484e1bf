"""Orders given to a stopped agent lose nothing: a cut anywhere before, within or behind them, and what it tore fades.

Seven results are stored and acknowledged; the third is refused and copied into the quarantine. The power fails at any
operation; an order is given to the stopped spool and may be cut as well; the agent starts again.
"""

import pytest

from toolcart.agent.log.cursor import WANTS_ALL, Cursor
from toolcart.agent.log.flash import FLASH_DONE, FLASH_IO, FLASH_WORN
from toolcart.agent.log.snapshot_fields import STORED
from toolcart.agent.quarantine.quarantine import ADMITTED, ADMITTED_BEFORE
from toolcart.tools.spool.quarantine_commands import OrderNotGiven, orders
from host_tests.portable import LONG
from host_tests.support.frames import light
from host_tests.support.log import Area
from host_tests.support.quarantine import numbers_of
from host_tests.support.station import Clock, LinkMessage, Station
from lab.harness.flash import NEW, TEARS

RESULTS = 7
REFUSED = 3
NOW = 1000
ORDERS = (["drop", "3"], ["drop", "all"], ["retry", "3"], ["retry", "all"], ["list"])


class Agent(Station):
    """One station's way in and its quarantine; `acknowledged` and `dropped` are what the other sides were told."""

    def __init__(self, unit_bytes):
        self.area = Area(blocks=14, unit_bytes=unit_bytes)
        self.acknowledged = set()
        self.dropped = set()  # or may be: the order was cut
        self.start()

    def start(self):
        self.area.flash.cut_after = None
        assert self.bring_up(self.area, keeps=True)
        self.take(Clock())

    def work(self):
        """Store seven results, let the first two be taken, copy the third and pass it."""
        for ident in range(1, RESULTS + 1):
            if ident not in self.acknowledged:
                frame = light(tightening_id=ident)
                assert self.store.put_pushed(LinkMessage(frame, 0, len(frame)), 999, False, NOW) > 0
                self.acknowledged.add(ident)
        cursor = self.log.cursors[0]  # ToolsNet took all of these
        while cursor.number < REFUSED - 1:
            assert self.log.peek(cursor) > 0
            cursor.advance()
        assert self.state.save()
        assert self.quarantine.admit(REFUSED, 17) in (ADMITTED, ADMITTED_BEFORE)
        if self.log.peek(cursor) > 0:
            cursor.advance()
        assert self.state.save()

    def give(self, words, cut_after=None):
        """Give the order to the stopped spool."""
        if words[0] == "drop":
            self.dropped = {REFUSED}
        self.area.flash.cut_in(lambda: list(orders(self.area.flash, 10, words)), cut_after)

    def held(self):
        """The IDs of all results that ToolsNet, the log or the quarantine has: as the agent will deliver them."""
        numbers = list(range(1, REFUSED))
        scout = Cursor()
        scout.wants = WANTS_ALL
        self.log.seek(scout, self.log.cursors[0].number)
        kept = numbers_of(self.quarantine)
        while self.log.peek(scout) > 0:
            numbers.append(scout.found)
            scout.advance()
        return set(numbers) | set(kept)

    def check(self, where):
        self.area.flash.fade()
        self.start()
        assert self.store.finish_replay() and self.quarantine.settle(), where
        assert self.acknowledged - self.dropped <= self.held(), where
        stored = self.state.numbers[STORED]
        assert len(self.acknowledged) <= stored <= RESULTS, (stored, where)
        top = max(self.ledger.top(), 0)
        assert top in self.held() | self.dropped | {0}, (top, where)  # what lies above it is asked for


def operations_of(unit_bytes):
    agent = Agent(unit_bytes)
    agent.work()
    return agent.area.flash.operations


def cut_short(unit_bytes, cut_after, look):
    """An agent whose power failed within its operation number `cut_after`, or that was killed behind its last."""
    agent = Agent(unit_bytes)
    agent.area.flash.cut_in(agent.work, cut_after, look)
    return agent


def test_a_cut_and_then_an_order_lose_nothing():
    for unit_bytes in (64, 256):
        for cut_after in range(operations_of(unit_bytes) + 1):
            for look in TEARS:
                for words in ORDERS:
                    agent = cut_short(unit_bytes, cut_after, look)
                    if agent.acknowledged:  # before that there may be no area yet
                        agent.give(words)
                        agent.check((unit_bytes, cut_after, look, words))


@pytest.mark.long("a process for each cut")
def test_an_order_that_is_cut_itself_loses_nothing():
    ran = 0
    for cut_after in range(8, operations_of(64) + 1):
        for within in range(0, 12, 1 if LONG else 5):
            for look in TEARS:
                for words in (ORDERS[0], ORDERS[2]):
                    agent = cut_short(64, cut_after, NEW)
                    before, agent.area.flash.look = agent.area.flash.operations, look
                    agent.give(words, within)
                    ran += agent.area.flash.operations - before > within
                    agent.give(ORDERS[2])
                    agent.check((cut_after, within, look, words))
    assert ran > (150 if LONG else 35)


def test_an_order_after_a_refused_sync_and_a_kill_loses_nothing():
    for cut_after in range(operations_of(64) + 1):
        for code in (FLASH_IO, FLASH_WORN):
            for words in ORDERS:
                agent = Agent(64)
                agent.area.flash.code, agent.area.flash.left = code, cut_after
                try:
                    agent.work()
                except AssertionError:  # it was refused: not acknowledged, not kept, not passed
                    pass
                agent.area.flash.code = FLASH_DONE
                if agent.acknowledged:
                    agent.give(words)
                    agent.check((cut_after, code, words))


def test_a_flash_that_accepts_nothing_is_reported_and_nothing_is_done():
    agent = cut_short(64, 13, NEW)
    agent.area.flash.code = FLASH_IO
    for words in ORDERS[:4]:
        with pytest.raises(OrderNotGiven, match="nothing was done"):
            list(orders(agent.area.flash, 10, words))
