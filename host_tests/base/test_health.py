"""Counters only grow, the log keeps the latest entries, and each counter has a name of its own."""

from toolcart.agent.base import health as h
from toolcart.agent.base.health import LOG_ENTRIES, NAMES, Health

PORTABLE = True


def test_every_counter_has_one_number_and_one_name():
    numbers = {}
    for name in dir(h):
        value = getattr(h, name)
        if name.isupper() and isinstance(value, int) and name not in ("LOG_ENTRIES",):
            assert value not in numbers, name
            numbers[value] = name
    assert sorted(numbers) == list(range(len(NAMES)))
    assert len(set(NAMES)) == len(NAMES)


def test_names_say_what_the_constants_say():
    for number, name in ((h.STORED, "stored"), (h.RAW, "raw"), (h.REFUSED_FULL, "refused full"), (h.FAULTS, "faults")):
        assert NAMES[number] == name
    for name in dir(h):
        value = getattr(h, name)
        if name.isupper() and isinstance(value, int) and name != "LOG_ENTRIES" and value < len(NAMES):
            words = name.lower().split("_")
            shown = NAMES[value]
            assert words[0][:3] in shown or words[-1][:3] in shown, name


def test_counting_and_noting_add_one_each():
    health = Health()
    health.count(h.STORED)
    health.note(h.STORED, 5, 100)
    assert health.counters[h.STORED] == 2
    assert sum(health.counters) == 2
    assert list(health.entries()) == [(100, h.STORED, 5)]


def test_log_keeps_the_latest_entries_in_their_order():
    health = Health()
    for index in range(LOG_ENTRIES * 2 + 5):
        health.note(h.RAW, index, index * 10)
    entries = list(health.entries())
    assert len(entries) == LOG_ENTRIES and health.logged == LOG_ENTRIES * 2 + 5
    assert [value for _, _, value in entries] == list(range(LOG_ENTRIES + 5, LOG_ENTRIES * 2 + 5))
