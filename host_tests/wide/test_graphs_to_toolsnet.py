"""Curves reach ToolsNet behind their results, with their sequence and time, and results wait for none."""

from itertools import pairwise

from toolcart.agent.openprotocol import states as st
from lab.harness.cart import Cart

SPOOL = {"graphs_kib": 48, "size_kib": 256}


def cart_of(wanted=("torque", "angle"), graphs=True, toolsnet=(), **more):
    one = Cart(
        controller={"traces": (1, 2, 3), "max_clients": 9},
        settings={
            "controller": {"traces": list(wanted)},
            "spool": SPOOL,
            "toolsnet": dict({"extras": ["curves"] if graphs else None}, **more),
        },
        blocks=32,
        toolsnet=toolsnet,
    )
    one.arrived = []
    for name, letter in (("store_result", "R"), ("store_graph", "G")):
        keep = getattr(one.archive, name)

        def kept(found, keep=keep, letter=letter):
            one.arrived.append((letter, found["sequence"]))
            return keep(found)

        setattr(one.archive, name, kept)
    one.until(lambda: one.station.session is not None and one.station.session.state == st.READY)
    return one


def shown(one):
    state = {}
    one.station.outlets[0].put_state(state)
    return state


def sent(one):
    return [(graph["sequence"], graph["graph_type"]) for graph in one.archive.graphs]


def test_start_does_not_send_a_curve_again():
    one = cart_of()
    one.controller.produce()
    one.run(3000)
    count = one.archive.graphs_stored
    assert count == 2
    for _ in range(3):
        one.cut()
        one.run(30000)
    assert one.archive.graphs_stored == count


def test_last_curve_is_settled_when_the_flash_can_be_written_again():
    one = cart_of(wanted=("torque",))
    one.network.down("tn", 10111)
    one.controller.produce()
    one.run(2000)
    one.cut()
    log = one.station.graphs
    settle, refused = log.settle, []
    log.settle = lambda: (len(refused) > 5 and settle()) or bool(refused.append(one.clock.total_ms))
    one.network.up("tn", 10111)
    one.run(120000)
    assert sent(one) == [(1, 0)] and len(refused) == 6, "tried again, with pauses"
    assert all(after - before >= 1000 for before, after in pairwise(refused))


def test_refused_curve_is_passed_after_three_offers_and_results_go_on():
    one = cart_of(wanted=("torque",), toolsnet={"telegram_codes": {"13": 4}})
    one.controller.produce()
    one.run(1000)
    before = one.clock.total_ms
    one.controller.produce()
    one.until_quiet()
    assert one.clock.total_ms - before < 1000
    one.run(120000)
    assert shown(one)["graphs_passed"] == 2 and one.toolsnet.telegrams["13"] == 6
    one.options.telegram_codes = {}
    one.controller.produce()
    one.run(3000)
    assert sent(one) == [(3, 0)]


def test_server_that_never_answers_a_curve_costs_few_connections():
    one = cart_of(wanted=("torque",), toolsnet={"silent_telegrams": ["13"]})
    for _ in range(24):
        one.controller.produce()
        one.run(300000)
    one.until_quiet()
    assert one.toolsnet.server_connections <= 6 and one.archive.repeated == 0


def test_curve_of_a_result_that_was_set_aside_is_not_sent():
    one = cart_of(wanted=("torque",), toolsnet={"tightening_codes": {2: 17}})
    for _ in range(3):
        one.controller.produce()
        one.run(2000)
    one.run(200000)
    assert one.archive.sequences() == [1, 3] and [sequence for sequence, _ in sent(one)] == [1, 3]
    assert shown(one)["graphs_without_result"] == 1


# -- curves out of their pieces
