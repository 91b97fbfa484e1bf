"""An idle agent sleeps: it wakes for keep-alives and their answers, a board for its lamp and watchdog besides."""

from toolcart.agent.cart.led import _BLINK_MS, _PAUSE_MS
from toolcart.agent.cart.liveness import ASKED_MS
from lab.bench import board_idle


def test_idle_agent_wakes_for_keep_alives_and_their_answers_alone():
    turns, in_vain = board_idle.hour(board_idle.BOTH, whole_board=False)
    assert in_vain == 0
    assert 0.9 * 2 * sum(board_idle.demanded()) < turns <= 2 * sum(board_idle.demanded())


def test_whole_board_wakes_for_nothing_besides_its_lamp_and_its_watchdog():
    turns, in_vain = board_idle.hour(board_idle.BOTH, whole_board=True)
    hour_ms = board_idle.HOUR_MS
    assert in_vain == 0
    most = 2 * sum(board_idle.demanded()) + 2 * hour_ms // (_BLINK_MS + _PAUSE_MS) + hour_ms // ASKED_MS
    assert turns <= most + 2 * hour_ms // 60000  # the clock is looked after each minute
