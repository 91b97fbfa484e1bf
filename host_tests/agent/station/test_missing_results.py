"""What a controller has no more is told once, as a run of IDs with the reason, when there is room for it."""

from toolcart.agent.log.search import Search
from toolcart.agent.record import KIND_EVENT
from toolcart.agent.record.text import describe
from toolcart.agent.station.missing_results import latest, put_gone
from host_tests.support.log import Area, append, held, take_all
from host_tests.support.station import Clock

PORTABLE = True
HEAP = "2m"


def telling(**options):
    log = Area(blocks=options.pop("blocks", 16)).mount(events=(0,), **options)[1]
    return log, lambda *gap: put_gone(log, Clock(), 10, *gap)


def events(log):
    return [
        describe(payload, 0, kind, flags, len(payload)) for _, kind, flags, payload in held(log) if kind == KIND_EVENT
    ]


def test_a_run_is_one_event_that_says_all_of_it():
    log, gone = telling()
    append(log, 1)
    assert gone(4294967290, 5, 12, 40, 3, False)
    assert gone(7, 7, 1, 41, 3, True)
    first, second = events(log)
    assert (first["first_id"], first["last_id"], first["count"], first["total"]) == ("4294967290", "5", 12, 40)
    assert first["id_epoch"] == 3 and first["code"] == "none" and first["station"] == 10
    assert first["number"] == 2 and first["time"] == "2030-01-01 00:00:01" and first["time_source"] == "agent"
    assert second["code"] == "reset" and second["count"] == 1 and second["text"] != first["text"] != ""


def test_what_is_said_with_a_code_is_so_whether_or_not_these_were_asked_for():
    """One that rejects MID 0064 in every revision was asked for the newest alone."""
    log, gone = telling()
    gone(904, 909, 6, 6, 0, -97)
    [event] = events(log)
    assert event["code"] == "97"
    assert event["text"] == (
        "the controller rejected these IDs with code 97, or all questions, so that they were not asked for"
    )


def test_newest_of_them_is_found_for_people():
    log, gone = telling()
    assert latest(Search(log), 4) is None
    gone(1, 2, 2, 2, 0, False)
    append(log, 1)
    gone(5, 6, 2, 4, 0, False)
    append(log, 2)
    assert latest(Search(log), 4)["first_id"] == "5"


def test_results_have_the_right_of_way():
    log, gone = telling(blocks=12)
    ident = 0
    while gone(1, 2, 2, 2, 0, False):
        ident += 1
        assert append(log, ident) == 0, "one that is told leaves room for a result"
    assert ident > 10
    take_all(log)
    assert gone(1, 2, 2, 2, 0, False)
