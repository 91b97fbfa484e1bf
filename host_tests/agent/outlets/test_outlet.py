"""Where ToolsNet stands: settled when it is first met, durable before anything goes out, and never guessed."""

from toolcart.agent.base import counters as counter
from toolcart.agent.log.flash import FLASH_DONE, FLASH_IO
from toolcart.agent.log.snapshot_fields import SEND_LIMIT, SENT, SENT_LOOKAHEAD, SENT_MET
from toolcart.agent.outlets.toolsnet import policy as pol
from toolcart.agent.toolsnet import session as ts
from host_tests.support.log import numbers
from host_tests.support.toolsnet import SERVER, Outlet

PORTABLE = True
HEAP = "6m"


# -- the first meeting


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
    assert outlet.counted(counter.NOT_SAVED) > 0
    outlet.flash.code = FLASH_DONE
    outlet.until_stored(3)
    assert outlet.archive.sequences() == [26, 27, 28]


def test_what_is_known_of_the_server_is_durable_before_anything_goes_out():
    outlet = Outlet({"reported_result": 7})
    outlet.until(lambda: outlet.session.state == ts.STREAMING)
    assert outlet.numbers_after_cut()[SENT] == SENT_MET


def test_what_was_allowed_and_not_sent_is_taken_back_at_orderly_end():
    outlet = Outlet(cursor_batch=20)
    outlet.store(3)
    outlet.until_stored(3, and_ms=100)
    assert outlet.limit_after_cut() > 3
    outlet.forward.stop()
    assert outlet.limit_after_cut() == 3


def test_orderly_end_waits_two_seconds_for_the_outstanding_answer():
    for delay_ms, left_ms in ((500, 500), (9000, 2000)):
        outlet = Outlet({"ack_delay_ms": delay_ms})
        outlet.store(3)
        outlet.until(lambda outlet=outlet: outlet.toolsnet.telegrams.get("04"))
        outlet.forward.begin_shutdown(outlet.clock.now)
        since = outlet.clock.total_ms
        while not outlet.forward.may_stop(outlet.clock.now):
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
    for part, name in ((None, "raise_send_limit"), ("in_flight", "begin_lookahead"), ("lookahead", "finish")):
        outlet = Outlet(cursor_batch=2)
        outlet.store(6)
        outlet.options.tightening_codes[3] = 17
        outlet.step()
        refusing = Refusing(outlet, getattr(outlet.policy, part) if part else outlet.policy, name)
        outlet.store(4)
        outlet.until(lambda refusing=refusing: len(refusing.answers) >= 3, 3600000)
        outlet.run(200)
        assert refusing.answers[:3] == [False] * 3, name
        assert outlet.cursor.number < 3 and outlet.counted(counter.DELIVERED) == outlet.cursor.number, name
        assert outlet.counted(counter.PARKED) == 0 and outlet.parked_numbers() == []
        assert max([0] + outlet.ids()) <= outlet.limit_after_cut()
        refusing.on = False
        outlet.until_stored(9, 3600000, and_ms=1000)
        assert outlet.ids() == [1, 2] + numbers(4, 10), (name, outlet.ids())
        assert outlet.parked_numbers() == [3] and outlet.counted(counter.PARKED) == 1
        assert outlet.archive.out_of_order == 0 and outlet.counted(counter.NOT_SAVED)


def test_result_taken_by_a_pass_is_delivered_after_earlier_are_kept():
    outlet = Outlet()
    outlet.store(3)
    outlet.options.tightening_codes[1] = 17
    refusing = Refusing(outlet, outlet.policy.lookahead, "finish")
    outlet.until_stored(1)
    sent = outlet.toolsnet.telegrams["04"]
    outlet.run(20000)
    assert len(refusing.answers) > 2 and set(refusing.answers) == {False}
    assert outlet.toolsnet.telegrams["04"] == sent, "it is there, and waits for those before it"
    assert outlet.ids() == [2] and outlet.cursor.number == 0 and outlet.counted(counter.DELIVERED) == 0
    # Now the power fails: only what the state says of the lookahead tells what the 08 means.
    outlet.cut()
    outlet.until_stored(2, and_ms=1000)
    assert outlet.ids() == [2, 3] and outlet.parked_numbers() == [1] and outlet.archive.repeated == 0


# -- what is set aside stays so


def test_server_loss_is_reported_though_a_parked_frame_follows():
    outlet = Outlet(rewind=True)
    outlet.store(4)
    outlet.store_raw()
    outlet.until_stored(4, and_ms=1000)
    outlet.archive.restore_backup(2)
    outlet.network.cut(*SERVER)
    outlet.until_stored(4, and_ms=1000)
    assert outlet.ids() == [1, 2, 3, 4] and outlet.counted(counter.SERVER_BEHIND) == 1
    assert outlet.quarantine.count() == 1, "it is kept already"


# -- the state alone can fail


def test_worn_out_state_lets_results_out_and_refused_ones_pass():
    outlet = Outlet()
    outlet.store(4)
    outlet.options.tightening_codes[2] = 17
    outlet.run(0)
    outlet.state.alarm = 2
    outlet.until_stored(3, and_ms=1000)
    assert outlet.ids() == [1, 3, 4] and outlet.counted(counter.PARKING_FAILED) == 1
    assert outlet.log.number == 4 and outlet.waiting() == 0


def test_pass_is_not_forgotten_by_what_silence_of_line_lets_be_written():
    outlet = Outlet(cursor_batch=4)
    outlet.store(6)
    outlet.options.tightening_codes[1] = 17
    outlet.until(lambda: outlet.policy.phase == pol.LOOKAHEAD and outlet.policy.out)
    assert outlet.policy.prepare() and outlet.state.save()
    assert outlet.numbers_after_cut()[SENT] & SENT_LOOKAHEAD
    outlet.cut()
    assert outlet.policy.prepare() and outlet.numbers_after_cut()[SENT] & SENT_LOOKAHEAD
    assert outlet.state.numbers[SEND_LIMIT] >= 2
    outlet.until_stored(5, 3600000, and_ms=100)
    assert outlet.ids() == numbers(2, 6) and outlet.parked_numbers() == [1] and outlet.archive.repeated == 0
