"""Where ToolsNet stands: settled when it is first met, durable before anything goes out, and never guessed."""

from toolcart.agent.base import health as h
from toolcart.agent.log.flash import FLASH_DONE, FLASH_IO
from toolcart.agent.log.numbers import LIMIT, SENT, SENT_MET, SENT_PASS
from toolcart.agent.outlets.toolsnet import policy as pol
from toolcart.agent.toolsnet import session as ts
from host_tests.support.toolsnet import PIM, SERVER, Outlet

PORTABLE = True
HEAP = "6m"


def numbers(first, last):
    return list(range(first, last + 1))


# -- the first meeting


def test_whatever_waits_when_the_server_is_first_met_follows_what_it_has():
    for stored, waiting in ((0, 40), (25, 40), (100, 120), (99990, 40), (99999, 3)):
        outlet = Outlet({"reported_result": stored})
        outlet.store(waiting)
        outlet.until_stored(waiting)
        outlet.run(100)
        expected = [(stored + n) % 99999 + 1 for n in range(waiting)]
        assert outlet.archive.sequences() == expected, (stored, outlet.archive.sequences()[:5])
        assert outlet.ids() == numbers(1, waiting) and outlet.archive.repeated == 0
        outlet.options.reported_result = None
        outlet.cut()
        outlet.store(2)
        outlet.until_stored(waiting + 2)
        assert outlet.archive.sequences()[waiting:] == [(stored + waiting + n) % 99999 + 1 for n in range(2)]
        outlet.clean()


def test_a_cut_right_after_the_first_meeting_changes_nothing_of_it():
    for cut_after in range(1, 12):
        outlet = Outlet({"reported_result": 25}, cursor_batch=4)
        outlet.store(10)
        for _ in range(cut_after):
            outlet.step()
        if outlet.archive.stored:
            outlet.options.reported_result = None
        outlet.cut()
        outlet.until_stored(1)
        outlet.options.reported_result = None
        outlet.until_stored(10)
        assert outlet.archive.sequences() == numbers(26, 35), cut_after
        assert outlet.ids() == numbers(1, 10)


def test_a_meeting_that_cannot_be_written_down_lets_nothing_go_out():
    outlet = Outlet({"reported_result": 25})
    outlet.store(3)
    outlet.flash.code = FLASH_IO
    outlet.run(300000)
    assert outlet.archive.stored == 0 and "04" not in outlet.toolsnet.telegrams
    assert outlet.counted(h.NOT_SAVED) > 0
    outlet.flash.code = FLASH_DONE
    outlet.until_stored(3)
    assert outlet.archive.sequences() == [26, 27, 28]


def test_the_last_result_start_found_is_known_when_the_08_names_it():
    outlet = Outlet()
    outlet.store(2)
    outlet.until_stored(2)
    outlet.run(100)
    outlet.store(1)
    outlet.until_stored(3)  # its 05 is still under way
    outlet.cut()
    assert outlet.log.doubtful, "what a start found last does not count yet"
    outlet.run(1000)
    assert outlet.counted(h.RESUME_UNKNOWN) == 0 and outlet.counted(h.RESUMED) >= 1
    outlet.store(1)
    outlet.until_stored(4)
    assert outlet.archive.sequences() == [1, 2, 3, 4] and outlet.archive.repeated == 0


def test_08_is_asked_for_again_until_the_flash_confirms_it():
    outlet = Outlet()
    outlet.store(4)
    outlet.until_stored(3)
    outlet.run(100)
    outlet.cut()
    outlet.flash.unreadable = range(outlet.flash.block_count)
    outlet.run(200000)
    assert outlet.counted(h.NOT_SAVED) > 1 and outlet.archive.repeated == 0
    outlet.flash.unreadable = ()
    outlet.until_passed()
    assert outlet.ids() == [1, 2, 3, 4] and outlet.archive.repeated == 0
    assert outlet.archive.sequences() == [1, 2, 3, 4]


def test_an_08_is_believed_only_when_the_last_result_could_be_settled():
    outlet = Outlet()
    outlet.store(2)
    outlet.until_stored(2)
    outlet.run(100)
    outlet.store(1)
    outlet.until_stored(3)
    outlet.cut()
    outlet.flash.code = FLASH_IO
    outlet.run(300000)
    assert outlet.toolsnet.telegrams["04"] == 3 and outlet.counted(h.RESUME_UNKNOWN) == 0
    outlet.flash.code = FLASH_DONE
    outlet.run(120000)
    assert outlet.archive.sequences() == [1, 2, 3] and outlet.waiting() == 0


def test_what_is_known_of_the_server_is_durable_before_anything_goes_out():
    outlet = Outlet({"reported_result": 7})
    outlet.until(lambda: outlet.session.state == ts.STREAMING)
    assert outlet.numbers_after_cut()[SENT] == SENT_MET


def test_what_was_allowed_and_not_sent_is_taken_back_at_orderly_end():
    outlet = Outlet(cursor_batch=20)
    outlet.store(3)
    outlet.until_stored(3)
    outlet.run(100)
    assert outlet.limit_after_cut() > 3
    outlet.forward.stop()
    assert outlet.limit_after_cut() == 3


def test_what_was_stored_after_start_is_not_taken_for_sent_before_it():
    outlet = Outlet(cursor_batch=20)
    outlet.store(3)
    outlet.until_stored(3)
    outlet.run(100)
    outlet.network.down(*PIM)
    assert outlet.state.save()
    outlet.cut()
    outlet.store(5)
    outlet.options.reported_result = 6  # another history's, a little ahead, within what was allowed
    outlet.network.up(*PIM)
    outlet.until_stored(8)
    assert outlet.ids() == numbers(1, 8) and outlet.archive.sequences()[3:] == numbers(7, 11)


def test_orderly_end_waits_two_seconds_for_the_outstanding_answer():
    for delay_ms, left_ms in ((500, 500), (9000, 2000)):
        outlet = Outlet({"ack_delay_ms": delay_ms})
        outlet.store(3)
        outlet.until(lambda outlet=outlet: outlet.toolsnet.telegrams.get("04"))
        outlet.forward.leave(outlet.clock.now)
        since = outlet.clock.total_ms
        while not outlet.forward.has_left(outlet.clock.now):
            outlet.step()
            outlet.clock.advance(10)
        assert left_ms <= outlet.clock.total_ms - since <= left_ms + 20
        outlet.forward.stop()
        assert outlet.toolsnet.telegrams["04"] == 1, "nothing more goes out"
        assert outlet.limit_after_cut() == 1


# -- a flash that refuses


class Refusing:
    """Lets the flash refuse while a part of the policy does what `name` says, as long as `on`."""

    def __init__(self, outlet, part, name):
        self.on = True
        self.answers = []
        self._flash = outlet.flash
        self._method = getattr(part, name)
        setattr(part, name, self._do)

    def _do(self, *given):
        self._flash.code = FLASH_IO if self.on else FLASH_DONE
        answer = self._method(*given)
        self._flash.code = FLASH_DONE
        self.answers.append(answer)
        return answer


def test_nothing_goes_out_beyond_what_a_failing_flash_holds():
    for part, name in ((None, "allow"), ("sent", "begin_pass"), ("row", "finish")):
        outlet = Outlet(cursor_batch=2)
        outlet.store(6)
        outlet.options.tightening_codes[3] = 17
        outlet.run(0)
        refusing = Refusing(outlet, getattr(outlet.policy, part) if part else outlet.policy, name)
        outlet.store(4)
        outlet.until(lambda refusing=refusing: len(refusing.answers) >= 3, 3600000)
        outlet.run(200)
        assert refusing.answers[:3] == [False] * 3, name
        assert outlet.cursor.number < 3 and outlet.counted(h.DELIVERED) == outlet.cursor.number, name
        assert outlet.counted(h.PARKED) == 0 and outlet.parked_numbers() == []
        assert max([0] + outlet.ids()) <= outlet.limit_after_cut()
        refusing.on = False
        outlet.until_stored(9, 3600000)
        outlet.run(1000)
        assert outlet.ids() == [1, 2] + numbers(4, 10), (name, outlet.ids())
        assert outlet.parked_numbers() == [3] and outlet.counted(h.PARKED) == 1
        assert outlet.archive.out_of_order == 0 and outlet.counted(h.NOT_SAVED)


def test_result_taken_by_a_pass_is_delivered_after_earlier_are_kept():
    outlet = Outlet()
    outlet.store(3)
    outlet.options.tightening_codes[1] = 17
    refusing = Refusing(outlet, outlet.policy.row, "finish")
    outlet.until_stored(1)
    sent = outlet.toolsnet.telegrams["04"]
    outlet.run(20000)
    assert len(refusing.answers) > 2 and set(refusing.answers) == {False}
    assert outlet.toolsnet.telegrams["04"] == sent, "it is there, and waits for those before it"
    assert outlet.ids() == [2] and outlet.cursor.number == 0 and outlet.counted(h.DELIVERED) == 0
    # Now the power fails: only what the state says of the pass tells what the 08 means.
    outlet.cut()
    outlet.until_stored(2)
    outlet.run(1000)
    assert outlet.ids() == [2, 3] and outlet.parked_numbers() == [1] and outlet.archive.repeated == 0


# -- what is set aside stays so


def test_an_unreadable_frame_is_set_aside_once_over_thirty_starts():
    for before, rewind in ((0, False), (2, True), (2, False), (0, True)):
        outlet = Outlet(rewind=rewind)
        outlet.store(before)
        outlet.store_raw()
        parked = told = 0
        for _ in range(30):
            outlet.run(3000)
            parked += outlet.counted(h.PARKED)
            told += outlet.counted(h.SERVER_BEHIND) + outlet.counted(h.SERVER_EMPTY)
            outlet.cut()
        outlet.run(3000)
        assert outlet.archive.stored == before and outlet.archive.repeated == 0
        assert parked == 1 and outlet.parked_numbers() == [before + 1]
        assert told == 0, "the server has all that it ever got"
        outlet.store(1)
        outlet.until_stored(before + 1)
        assert outlet.archive.sequences()[-1] == before + 2


def test_server_loss_is_told_though_a_parked_frame_follows():
    outlet = Outlet(rewind=True)
    outlet.store(4)
    outlet.store_raw()
    outlet.until_stored(4)
    outlet.run(1000)
    outlet.archive.restore_backup(2)
    outlet.network.cut(*SERVER)
    outlet.until_stored(4)
    outlet.run(1000)
    assert outlet.ids() == [1, 2, 3, 4] and outlet.counted(h.SERVER_BEHIND) == 1
    assert outlet.quarantine.count() == 1, "it is kept already"


# -- the state alone can fail


def test_worn_out_state_lets_results_out_and_refused_ones_pass():
    outlet = Outlet()
    outlet.store(4)
    outlet.options.tightening_codes[2] = 17
    outlet.run(0)
    outlet.state.alarm = 2
    outlet.until_stored(3)
    outlet.run(1000)
    assert outlet.ids() == [1, 3, 4] and outlet.counted(h.PARKED_FAILED) == 1
    assert outlet.log.number == 4 and outlet.waiting() == 0


def test_pass_is_not_forgotten_by_what_silence_of_line_lets_be_written():
    outlet = Outlet(cursor_batch=4)
    outlet.store(6)
    outlet.options.tightening_codes[1] = 17
    outlet.until(lambda: outlet.policy.doing == pol.PASS and outlet.policy.out)
    assert outlet.policy.prepare() and outlet.state.save()
    assert outlet.numbers_after_cut()[SENT] & SENT_PASS
    outlet.cut()
    assert outlet.policy.prepare() and outlet.numbers_after_cut()[SENT] & SENT_PASS
    assert outlet.state.numbers[LIMIT] >= 2
    outlet.until_stored(5, 3600000)
    outlet.run(100)
    assert outlet.ids() == numbers(2, 6) and outlet.parked_numbers() == [1] and outlet.archive.repeated == 0
