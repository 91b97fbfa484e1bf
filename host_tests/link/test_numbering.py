"""Link-level numbers of a receiver: the expected is delivered, the one before repeated, others refused (DIGEST B)."""

from toolcart.agent.openprotocol.numbering import NUMBER_DELIVER, NUMBER_REPEAT, NUMBER_WRONG, Numbering

PORTABLE = True


def started(last=1):
    """A receiver that has taken everything up to number `last`."""
    numbering = Numbering()
    numbering.active = True
    for number in range(1, last + 1):
        assert numbering.judge(number) == NUMBER_DELIVER
    return numbering


def test_first_number_is_taken_whether_the_peer_counted_its_start_or_not():
    for first in (1, 2):
        numbering = Numbering()
        assert numbering.judge(first) == NUMBER_DELIVER and numbering.expected == first + 1


def test_a_first_number_beyond_2_is_refused():
    for first in (3, 7, 98, 99):
        numbering = Numbering()
        assert numbering.judge(first) == NUMBER_WRONG and numbering.expected == 1
        assert numbering.judge(1) == NUMBER_DELIVER and numbering.expected == 2


def test_numbers_run_from_1_to_99_and_again_from_1():
    numbering = started()
    for number in list(range(2, 100)) + [1, 2, 3]:
        assert numbering.judge(number) == NUMBER_DELIVER
        assert numbering.expected == number % 99 + 1


def test_every_number_is_judged_by_its_place_beside_the_expected_one():
    for last in range(1, 100):
        for number in range(1, 100):
            numbering = started(last)
            expected = last % 99 + 1
            judged = numbering.judge(number)
            if number == expected:
                assert judged == NUMBER_DELIVER and numbering.expected == expected % 99 + 1
            elif number == last:
                assert judged == NUMBER_REPEAT and numbering.expected == expected
            else:
                assert judged == NUMBER_WRONG and numbering.expected == expected


def test_new_connection_starts_without_numbers():
    numbering = started(57)
    numbering.reset()
    assert not numbering.active and numbering.expected == 0
    assert numbering.judge(1) == NUMBER_DELIVER
