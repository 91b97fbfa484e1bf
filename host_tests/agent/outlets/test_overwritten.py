"""OVERWRITTEN counts what ToolsNet never gets, whatever was cut, set aside or given up before an 08 said so."""

from toolcart.agent.log.log import WHEN_FULL_OVERWRITE
from toolcart.agent.log.snapshot_fields import DELIVERED, OVERWRITTEN, STORED, TAKEN
from toolcart.base.clock import Dice
from host_tests.portable import HAS_ALL, LONG
from host_tests.support.log import append_event
from host_tests.support.toolsnet import PIM, SERVER, Outlet

PORTABLE = True
HEAVY = True
HEAP = "6m"

LIVES = 60 if LONG else 8 if HAS_ALL else 6


def take_away_toolsnet(outlet):
    outlet.network.down(*PIM)
    outlet.network.cut(*SERVER)


def bring_back_toolsnet(outlet):
    outlet.network.up(*PIM)


class Life:
    """A log that overwrites, and what became of each result and frame in it."""

    def __init__(self, dice, events=0, loses_answers=False, **settings):
        self.dice = dice
        self.events = events  # so many of twelve records are events, and one is a frame that no one can read
        self.loses_answers = loses_answers
        self.outlet = Outlet(blocks=13 + dice.randrange(4), when_full=WHEN_FULL_OVERWRITE, **settings)
        self.results = {}  # number in the log: tightening ID
        self.frames = []

    def store(self, count, others=True):
        outlet = self.outlet
        for _ in range(count):
            kind = self.dice.randrange(12) if others else 11
            if kind == 0:
                outlet.store_raw(b"0061 that no one could read %d" % outlet.next_id)
                self.frames.append(outlet.log.number)
            elif kind <= self.events and kind < 11:
                append_event(outlet.log, 1)
            else:
                ident = outlet.store()[0]
                self.results[outlet.log.number] = ident
        self.count()

    def count(self):
        """Count what is stored, as a store does."""
        self.outlet.state.numbers[STORED] = len(self.results) + len(self.frames)

    def restart(self, longest):
        """Let the power fail and come back; the start finds a record of this length in the newest block."""
        area = self.outlet.area
        mount = area.mount

        def mounted(**options):
            state, log = mount(**options)
            log.longest_bytes = longest
            return state, log

        area.mount = mounted
        self.outlet.cut()
        del area.mount

    def live(self, lengths=()):
        """Go through days of any kind; return a seed's last words: what is said to be overwritten, and what is."""
        outlet, dice = self.outlet, self.dice
        for _ in range(6 + dice.randrange(8)):
            step = dice.randrange(8)
            if step < 3:
                self.store(1 + dice.randrange(30))
                outlet.run(dice.randrange(2000))
            elif step == 3:
                self.store(1 + dice.randrange(120))
            elif step == 4:
                take_away_toolsnet(outlet)
            elif step == 5:
                if self.loses_answers and dice.randrange(2):
                    here = outlet.cursor.number - outlet.cursor.sequence_lag
                    outlet.options.drop_after_store = [here + 1 + dice.randrange(3)]
                bring_back_toolsnet(outlet)
                outlet.run(dice.randrange(20000))
            else:
                self.restart(lengths[dice.randrange(len(lengths))]) if lengths else outlet.cut()
                self.count()
                outlet.quarantine.settle()  # else a frame of which the copy is in doubt counts twice: one too many
        bring_back_toolsnet(outlet)
        outlet.until_passed(and_ms=5000)
        return outlet.state.numbers[OVERWRITTEN], len(self.lost())

    def lost(self):
        """Return the numbers of the log that were passed, and are neither at ToolsNet nor in the quarantine."""
        outlet = self.outlet
        there, kept, at = set(outlet.ids()), set(outlet.parked_numbers()), outlet.cursor.number
        gone = [number for number, ident in self.results.items() if number <= at and ident not in there]
        gone += [number for number in self.frames if number <= at]
        return [number for number in gone if number not in kept]


def test_what_a_cut_left_in_doubt_and_was_overwritten_is_no_loss():
    for away in (90, 120, 200):
        for restarts in (0, 1, 2):
            life = Life(Dice(1))
            outlet = life.outlet
            life.store(20, False)
            outlet.until_stored(20, and_ms=100)
            take_away_toolsnet(outlet)
            outlet.cut()  # the durable cursor stands in front of all of them
            assert outlet.cursor.number < 20
            life.store(away, False)
            for _ in range(restarts):
                outlet.cut()
                life.store(3, False)
            counted = outlet.state.numbers[OVERWRITTEN]
            assert counted > len(life.lost())
            bring_back_toolsnet(outlet)
            outlet.until_passed(and_ms=5000)
            counts = outlet.state.numbers
            assert counts[OVERWRITTEN] == len(life.lost()) < counted
            assert counts[DELIVERED] == len(outlet.ids())


def test_an_08_about_what_was_never_counted_as_overwritten_makes_no_less_than_none():
    life = Life(Dice(1))
    outlet = life.outlet
    life.store(20, False)
    outlet.until_stored(20, and_ms=100)
    take_away_toolsnet(outlet)
    outlet.cut()
    life.store(120, False)
    counts = outlet.state.numbers
    counts[OVERWRITTEN] = 0  # as if someone had moved the cursor and counted nothing
    assert counts[TAKEN] < 20 < outlet.cursor.number
    bring_back_toolsnet(outlet)
    outlet.until_passed(and_ms=5000)
    assert counts[OVERWRITTEN] == 0 and outlet.state.save()


def test_what_was_overwritten_unsent_is_not_delivered_though_a_later_answer_is_lost():
    for before in (0, 20):
        for emptied in (False, True):
            for lasts in (0, 1, 3):
                life = Life(Dice(1))
                outlet = life.outlet
                life.store(before, False)
                outlet.until_stored(before, and_ms=100)
                take_away_toolsnet(outlet)
                had = set(outlet.ids())
                outlet.policy.save_at_end()
                outlet.cut()
                life.store(200, False)
                if emptied:
                    outlet.archive.clear()
                counted, lost = (
                    outlet.state.numbers[OVERWRITTEN],
                    len(set(life.results.values()) - had) - outlet.waiting(),
                )
                assert counted == lost > 50
                here = outlet.cursor.number
                outlet.options.drop_after_store = [here + 1 + more for more in range(lasts)]
                bring_back_toolsnet(outlet)
                outlet.until_passed(and_ms=5000)
                assert outlet.state.numbers[OVERWRITTEN] == lost, (before, emptied, lasts)


def test_overwritten_is_the_truth_after_any_cuts_and_frames():
    for seed in range(LIVES):
        dice = Dice(seed + 1)
        counted, lost = Life(dice, cursor_batch=(8, 32, 48)[dice.randrange(3)]).live()
        assert counted == lost, (seed, counted, lost)


def test_overwritten_is_never_too_low_after_any_cuts_frames_events_and_lost_answers():
    for events in (0, 1, 6):
        exact = 0
        for seed in range(LIVES):
            dice = Dice(seed + 1)
            life = Life(dice, events, True, cursor_batch=(8, 32, 48)[dice.randrange(3)])
            counted, lost = life.live()
            assert lost <= counted, (events, seed, counted, lost)
            exact += counted == lost
        assert exact >= LIVES * 3 // 4, (events, exact)


def test_overwritten_is_the_truth_where_each_start_takes_batches_of_another_size():
    for seed in range(LIVES):
        dice = Dice(seed + 1)
        counted, lost = Life(dice, cursor_batch=48).live((256, 512, 1024, 2048))
        assert counted == lost, (seed, counted, lost)
