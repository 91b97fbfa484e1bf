"""Any input, in any pieces, at any place: every parser says the same, raises nothing and leaves the heap as it was."""

import gc
import sys

from toolcart.agent.openprotocol import session_states
from toolcart.base.clock import Dice
from toolcart.sim.serial_peers import PEERS
from host_tests.portable import LONG
from lab.harness.portable_session import Skip
from lab.worlds import fuzz

PORTABLE = True
HEAVY = True
HEAP = "2m"

if sys.implementation.name == "cpython":
    INPUTS = 10_000_000 if LONG else 1_500
else:
    INPUTS = 500_000 if LONG else 4_000
HEAP_INPUTS = 60
HEAP_PARTS = 3
FIRST_SEED = 1

PARSERS = fuzz.parsers()
SHARES = fuzz.shared_out(INPUTS, PARSERS)


def test_every_procedure_of_serial_lines_has_its_parsers():
    names = {parser.name for parser in PARSERS}
    assert {name + procedure for name in ("", "session ") for procedure in PEERS} <= names


def named(name):
    return PARSERS[[parser.name for parser in PARSERS].index(name)]


def go_through(name):
    """Give the parser its share of the inputs; with --long a line now and then tells how far it is."""
    index = [parser.name for parser in PARSERS].index(name)
    count = SHARES[index]

    def report(done):
        if done % 50000 == 0:
            print("%s: %d of %d inputs" % (name, done, count))

    fuzz.batch(PARSERS[index], FIRST_SEED, count, report if LONG else None)


def test_layouts_and_plausibility_read_any_message_alike_at_any_place():
    go_through("layouts")


def test_telegrams_of_toolsnet_come_out_alike_in_any_pieces():
    go_through("toolsnet")


def test_messages_come_out_of_a_network_alike_in_any_pieces():
    go_through("stream")


def test_messages_come_out_of_a_plain_serial_line_alike_in_any_pieces():
    go_through("ascii")


def test_messages_come_out_of_blocks_alike_in_any_pieces():
    go_through("3964r")


def test_session_has_the_same_conversation_in_any_pieces():
    go_through("session")


def test_session_on_a_serial_line_has_the_same_conversation_in_any_pieces():
    go_through("session ascii")


def test_session_over_blocks_has_the_same_conversation_in_any_pieces():
    go_through("session 3964r")


def test_results_in_parts_over_a_network_are_the_same_in_any_pieces():
    go_through("linked")


def test_results_in_parts_over_blocks_are_the_same_in_any_pieces():
    go_through("linked 3964r")


def test_inputs_reach_what_lies_deep():
    wanted = {
        session_states.EV_STARTED,
        session_states.EV_READY,
        session_states.EV_PUSHED,
        session_states.EV_FETCHED,
        session_states.EV_FETCH_REJECTED,
        session_states.EV_UNKNOWN,
    }
    wanted |= {session_states.EV_MALFORMED, session_states.EV_REJECTED}
    for name, more in (("session", {session_states.EV_OVER}), ("session 3964r", set())):
        parser = named(name)
        events = set()
        for seed in range(300):
            entries = parser.run(parser.inputs.make(Dice(seed)), None, seed % 6, fuzz.SIZES[1])
            events.update([entry[0] for entry in entries if isinstance(entry, tuple) and len(entry) == 5])
        assert wanted | more <= events, name


def test_results_come_out_of_their_parts():
    for name in ("linked", "linked 3964r"):
        parser = named(name)
        whole = 0
        for seed in range(300):
            entries = parser.run(parser.inputs.make(Dice(seed)), None, 2, fuzz.SIZES[1])
            whole += len([entry for entry in entries if isinstance(entry, bytes) and entry[18:20] == b"00"])
        assert whole > 100, (name, whole)


def test_heap_is_as_before_whatever_came_in():
    if sys.implementation.name != "micropython":
        raise Skip("CPython's heap grows and shrinks by itself")
    if sys.platform == "webassembly":
        raise Skip("gc.collect() collects only when the script has ended")
    for parser in PARSERS:
        grown = []
        for part in range(HEAP_PARTS):  # the first one makes what is made when it is first needed
            gc.collect()
            gc.collect()
            before = gc.mem_alloc()
            fuzz.batch(parser, 1 + part * HEAP_INPUTS, HEAP_INPUTS)
            gc.collect()
            gc.collect()
            grown.append(gc.mem_alloc() - before)
        # A word on the stack can hold one dead object for a while; what is kept of every input grows each time.
        assert min(grown[1:]) <= 0, (parser.name, grown)
