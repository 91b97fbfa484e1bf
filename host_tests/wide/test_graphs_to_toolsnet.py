"""Curves reach ToolsNet behind their results, with their sequence and time, and results wait for none."""

from itertools import pairwise
from struct import unpack

from toolcart.agent.base.health import Health
from toolcart.agent.openprotocol import states as st
from toolcart.agent.wide.curves import Curves
from toolcart.sim.trace_frames import curves
from host_tests.support.graphs import Bench
from lab.harness.cart import Cart
from lab.harness.flash import SimFlash

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


def test_torque_and_angle_follow_their_result():
    one = cart_of()
    for _ in range(3):
        one.controller.produce()
        one.run(2000)
    assert one.arrived == [(what, number) for number in (1, 2, 3) for what in "RGG"]
    assert sent(one) == [(number, kind) for number in (1, 2, 3) for kind in (0, 1)]
    for graph, result in zip(one.archive.graphs[::2], one.archive.results, strict=True):
        assert graph["time"] == result["time"] and graph["station"] == 10
        assert graph["spindle"] == result["spindles"][0]["spindle"]
        assert graph["program"] == result["spindles"][0]["program"]
        torque, _angle = curves(one.controller.result(graph["sequence"]), 400)
        values = unpack(">%dh" % (len(graph["samples"]) // 2), graph["samples"])
        assert len(values) == 400 and graph["sample_ms"] == "000002.0"
        factor = 2 ** graph["bit_shift"] * graph["factor_dom"] / graph["factor_nom"]
        assert max(abs(value * factor - made / 100) for value, made in zip(values, torque, strict=True)) < 0.005
    one.clean()


def test_curves_of_a_backlog_come_behind_all_results():
    one = cart_of(wanted=("torque",))
    for place in (("tn", 6575), ("tn", 10111)):
        one.network.down(*place)
    for _ in range(6):
        one.controller.produce()
        one.run(1500)
    for place in (("tn", 6575), ("tn", 10111)):
        one.network.up(*place)
    one.until_quiet()
    one.run(2000)
    assert one.arrived == [(what, number) for what in "RG" for number in range(1, 7)]
    one.clean()


def test_other_kinds_are_passed_and_counted():
    one = cart_of(wanted=("current", "torque", "gradient"))
    one.controller.produce()
    one.run(3000)
    state = shown(one)
    assert state["graphs_sent"] == len(one.archive.graphs) and state["graph_pieces_waiting"] == 0
    assert all(kind == 0 for _, kind in sent(one))


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


def test_last_curve_before_a_cut_waits_for_no_other():
    one = cart_of(wanted=("torque",))
    one.network.down("tn", 10111)
    one.controller.produce()
    one.run(2000)
    one.cut()
    one.network.up("tn", 10111)
    one.run(120000)
    assert sent(one) == [(1, 0)] and shown(one)["graph_pieces_waiting"] == 0


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


def test_nothing_is_sent_unless_it_is_wanted():
    one = cart_of(graphs=False)
    one.controller.produce()
    one.run(3000)
    assert one.archive.stored == 1 and not one.archive.graphs


# -- curves out of their pieces


def test_curves_are_read_whole_one_after_the_other():
    bench = Bench(SimFlash(16, 4096, 16))
    bench.health = Health()
    for ident in (1, 2, 3):
        bench.put_curve(ident, count=700)
    reader = Curves(bench.log, 0)
    reader.restart()
    for _ in range(3):
        lead, data, whole = reader.read()
        assert whole and len(data) == 1400 and lead
        reader.advance()
    assert reader.read()[0] is None
    reader.settle()
    assert reader.save()
