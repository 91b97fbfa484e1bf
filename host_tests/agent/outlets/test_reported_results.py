"""What is reported of refused, dropped, late and repeated results is so, and each surface reports the same."""

import random
from types import SimpleNamespace

import pytest

from toolcart.agent.linux import offer_again
from toolcart.agent.log.cursor import WANTS_RESULTS, Cursor
from toolcart.agent.log.snapshot_fields import DELIVERED, DROPPED, LOG, OVERWRITTEN
from toolcart.agent.quarantine.orders import carry_out, of_station
from toolcart.board.linux import order_log
from toolcart.spool.offline_spool import opened
from toolcart.tools.messages import attention, latched_conditions
from toolcart.tools.spool import report
from toolcart.tools.spool.offer_again_command import _outcome_text
from toolcart.tools.spool.quarantine_commands import orders as stopped_orders
from host_tests.portable import LONG
from host_tests.support.agent_lines import healthy_station
from host_tests.support.combinations import each_choice
from host_tests.support.toolsnet import PIM, SERVER, Outlet
from lab.harness.cart import Cart


def refusing(count, *refused):
    """An outlet whose ToolsNet has taken all but these of so many results, which are set aside."""
    outlet = Outlet()
    outlet.store(count)
    outlet.options.tightening_codes.update(dict.fromkeys(refused, 17))
    outlet.until_stored(count - len(refused), and_ms=3000)
    return outlet


def ordered(outlet, *words, running=True):
    """The last line of the answer to an order to the quarantine."""
    upstream = outlet.forward if running else None
    return list(carry_out(outlet.quarantine, outlet.log, 10, outlet, None, list(words), upstream))


def again(outlet, *words):
    """The last line of the answer to `offer-again`."""

    def act(number, count, doubted, unread):
        return outlet.forward.offer_again(number, count, doubted, outlet.clock.now, unread)

    return [line for line in offer_again.carry_out(outlet.policy, 10, None, ["offer-again", *words], act) if line][-1]


def test_a_restart_changes_nothing_of_what_waits_to_be_offered_again():
    outlet = refusing(10, 5, 8, 9)
    assert outlet.status()["late"] == outlet.quarantine.count() == 3
    outlet.network.down(*PIM)
    for _ in range(3):
        outlet.cut()
        assert outlet.status()["late"] == outlet.quarantine.count() == 3, "before anything is written"
        outlet.run(2000)
        assert outlet.status()["late"] == 3
    outlet.network.up(*PIM)
    outlet.until(outlet.forward.is_up)
    outlet.run(2000)
    assert outlet.status()["late"] == 3, "and when what the start found is settled"


def test_the_list_names_all_that_are_counted_right_after_a_start():
    class Busy:
        @staticmethod
        def may_erase():
            return False

    outlet = refusing(10, 5, 8, 9)
    outlet.cut()
    lines = list(carry_out(outlet.quarantine, outlet.log, 10, outlet, Busy, ["list"], outlet.forward))
    assert [line["record"]["number"] for line in lines[:-1]] == [5, 8, 9]
    assert lines[-1]["parked"] == outlet.quarantine.count() == 3
    [answer] = carry_out(outlet.quarantine, outlet.log, 10, outlet, Busy, ["show", "9"], outlet.forward)
    assert answer["record"]["number"] == 9


def test_what_the_quarantine_holds_is_sent_again_by_no_order_right_after_a_start():
    outlet = refusing(10, 5, 10)
    assert outlet.policy.save_at_end()
    outlet.network.down(*PIM)
    outlet.cut()
    assert again(outlet, "from", "1", "dry")["count"] == 8
    assert again(outlet, "from", "1")["count"] == 8
    outlet.network.up(*PIM)
    outlet.until(outlet.forward.is_up)
    outlet.run(2000)
    assert outlet.state.numbers[DELIVERED] == 8


def removed():
    """A cart whose ToolsNet, which refused one result, is not among its outlets any more."""
    cart = Cart(files=[{"path": "b.jsonl"}], toolsnet={"tightening_codes": {2: 17}}).until_ready(and_ms=1000)
    cart.produce(5, 200)
    cart.run(60000)
    both = cart.configuration
    [station] = both["stations"]
    cart.station.toolsnet().stop()
    cart.configuration = {**both, "toolsnet": None, "stations": [{**station, "outlets": station["outlets"][1:]}]}
    cart.cut()
    cart.run(20000)
    cart.both = both
    return cart


def test_what_is_held_for_a_toolsnet_that_is_not_configured_is_said_to_be_held():
    cart = removed()
    for answer in (of_station, offer_again.of_station):
        for words in (["list"], ["drop", "all"], ["offer-again", "from", "1"]):
            [line] = answer(cart.station, cart.app.board, words)
            assert (
                "is not among the outlets of station 10 now" in line["error"] and "no quarantine" not in line["error"]
            )
            assert "is kept" in line["error"]
    cart.configuration = cart.both
    cart.cut()
    cart.run(1000)
    assert list(of_station(cart.station, cart.app.board, ["list"]))[-1]["parked"] == 1


def test_an_order_to_a_stopped_spool_waits_for_toolsnet_to_be_configured():
    cart = removed()
    device = cart.flashes["spool0"]
    [answer] = [line for line in stopped_orders(device, 10, ["offer-again", "from", "1", "dry"]) if line]
    assert answer["count"] == 4 and answer["configured"] is False
    [answer] = [line for line in stopped_orders(device, 10, ["offer-again", "from", "1"]) if line]
    text = _outcome_text(answer)
    assert "when ToolsNet is configured again" in text and "when the agent runs" not in text
    spool = opened(device)
    account = report.remembered(SimpleNamespace(opened=spool), SimpleNamespace(ring=LOG, entries=[]))
    assert report.sent_again(spool) == account["sent_again"] == 4, "as a running agent shows it"
    *_, last = stopped_orders(device, 10, ["retry", "all"])
    assert last["configured"] is False


def test_what_is_dropped_while_it_is_sent_again_is_said_to_go_out():
    outlet = refusing(10, 5, 8)
    assert ordered(outlet, "drop", "5")[-1] == {"count": 1, "parked": 1, "again": 0}
    outlet.network.down(*PIM)
    answer = again(outlet, "from", "1")
    assert (answer["count"], answer["dropped"]) == (9, 1)
    last = ordered(outlet, "drop", "8")[-1]
    assert last == {"count": 1, "parked": 0, "again": 1} and outlet.state.numbers[DROPPED] == 0
    assert "1 of them goes out all the same" in order_log.outcome_of([last])
    outlet.options.tightening_codes.clear()
    outlet.network.up(*PIM)
    outlet.until(outlet.forward.is_up)
    outlet.run(2000)
    assert outlet.state.numbers[DELIVERED] == 10 and sorted(set(outlet.ids())) == list(range(1, 11))
    assert "dropped from the quarantine" in _outcome_text({**answer, "done": True})


def test_one_that_is_taken_late_while_it_is_sent_again_counts_once():
    outlet = refusing(10, 5)
    outlet.options.tightening_codes.clear()
    assert again(outlet, "from", "1")["count"] == 9
    ordered(outlet, "retry", "5")
    outlet.until(outlet.forward.is_up)
    outlet.run(2000)
    assert outlet.state.numbers[DELIVERED] == 10 and outlet.quarantine.count() == 0


def waiting(outlet):
    """The numbers of the log that are to be sent: behind the cursor, and not set aside."""
    aside = set(outlet.listed_numbers())
    log, scout = outlet.log, Cursor()
    scout.wants = WANTS_RESULTS
    visible, log.visible = log.visible, log.number
    log.seek(scout, outlet.cursor.number)
    numbers = []
    while log.peek(scout) > 0:
        numbers.append(scout.found)
        scout.advance()
    log.visible = visible
    return [number for number in numbers if number not in aside]


class Life(Outlet):
    """A station in which anything happens, in any order."""

    def __init__(self, seed, **settings):
        Outlet.__init__(self, blocks=40, **settings)
        self.dice = random.Random(seed)
        self.made = 0
        self.left = set()  # what ToolsNet lacks and an operator has left so
        self.done = []

    def listed_numbers(self):
        entry, numbers = 0, []
        while self.quarantine.next_listed(entry) > 0:
            entry = self.quarantine.entry
            numbers.append(self.quarantine.number)
        return numbers

    def go(self):
        """Do something; return what."""
        name = self.dice.choice([name for name in dir(self) if name.startswith("do_")])
        self.done.append(name)
        getattr(self, name)()

    def do_make(self):
        count = self.dice.randrange(1, 8)
        for ident in self.store(count):
            if self.dice.random() < 0.3:
                self.options.tightening_codes[ident] = 17
        self.made += count

    def do_wait(self):
        self.run(self.dice.choice((50, 1000, 60000, 1000000)))

    def do_take(self):
        """What was refused is taken from now on."""
        self.options.tightening_codes.clear()

    def do_drop(self):
        if self.listed_numbers():
            ordered(self, "drop", str(self.dice.choice(self.listed_numbers())))

    def do_drop_all(self):
        ordered(self, "drop", "all")

    def do_retry(self):
        ordered(self, "retry", "all")

    def do_send_again(self):
        again(self, "from", str(self.dice.randrange(1, self.made + 2)))

    def do_send_all_again(self):
        again(self, "from", "1")

    def do_leave(self):
        if "left" in again(self, "leave"):
            self.left |= set(range(1, self.made + 1)) - set(self.ids())

    def do_stop(self):
        self.forward.stop()
        self.cut()

    def do_cut(self):
        self.cut()

    def break_off(self):
        self.network.cut(*SERVER)
        self.until(lambda: not self.forward.is_up())

    def do_empty(self):
        self.archive.clear()
        self.break_off()

    def do_restore(self):
        self.archive.restore_backup(self.dice.randrange(1, 5))
        self.break_off()

    def do_away(self):
        self.network.down(*PIM)
        self.network.cut(*SERVER)
        self.run(1000)
        self.network.up(*PIM)

    def check(self):
        """Every voice tells the same, and that is so."""
        numbers, aside, status = self.state.numbers, self.listed_numbers(), self.status()
        lines = list(carry_out(self.quarantine, self.log, 10, self, None, ["list"], self.forward))
        assert lines[-1]["parked"] == self.quarantine.count() == len(aside) == len(lines) - 1
        assert status["late"] == len(aside), "none is in doubt or unreadable here"
        figures = numbers[DELIVERED], len(aside), numbers[DROPPED], len(waiting(self)), numbers[OVERWRITTEN]
        assert sum(figures) == self.made, figures
        left, done = status["sent_again"], status["sent_again_done"]
        assert 0 <= left <= len(waiting(self)) and done >= 0
        assert status["lost_there"] <= self.made
        [need] = [need for need in latched_conditions.count_needs(self.station()) if need.slug == "set aside"]
        assert need.key == str(len(aside))
        needs = {need.slug for need in attention.needs(self.station())}
        assert ("sent again" in needs, "lost there" in needs) == (left > 0, status["lost_there"] > 0)
        assert ("waits late" in needs) == (len(aside) > 0)

    def check_doubt(self):
        """What ToolsNet has lost is said until it has that again, or an operator leaves it so."""
        if not self.forward.is_up() or self.policy.resume_point.awaits_08 or waiting(self):
            return
        lacks = set(range(1, self.made + 1)) - set(self.ids()) - set(self.listed_numbers()) - self.left
        assert self.status()["lost_there"] >= len(lacks) - self.state.numbers[DROPPED], (lacks, self.done)

    def station(self):
        status = {"kind": "toolsnet", "name": "toolsnet", "is_up": self.forward.is_up(), **self.status()}
        status["waiting"] = self.log.backlog_of(self.cursor)
        return healthy_station(number=10, outlets=[status], parked=self.quarantine.count(), made=self.made)


@pytest.mark.parametrize(("rewind", "seed"), each_choice([False, True], list(range(400 if LONG else 12))))
def test_in_any_order_of_events_the_voices_agree_and_the_figures_add_up(seed, rewind):
    life = Life(seed, rewind=rewind)
    life.do_make()
    for _ in range(30):
        life.go()
        life.check()
        life.check_doubt()
    life.do_take()
    life.run(1000000)
    life.check()
    ordered(life, "drop", "all")
    life.check()
    assert life.status()["sent_again"] == 0 and waiting(life) == []
