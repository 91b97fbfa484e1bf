"""Outlets that are new, or brought back, when the log has gone round: nobody is called restored who lost nothing."""

import pytest

from toolcart.agent.cart.config import complete
from toolcart.agent.cart.status import of_station
from toolcart.agent.linux import offer_again
from toolcart.agent.log.snapshot import STATE_BLOCKS
from toolcart.agent.log.snapshot_fields import OVERWRITTEN
from toolcart.agent.outlets.toolsnet.data_loss import leave
from toolcart.board.ram_flash import RamFlash
from toolcart.tools.config import file as config_file
from toolcart.tools.live.figures import Figures
from toolcart.tools.live.watch import account_text
from toolcart.tools.messages import attention, latched_conditions
from toolcart.tools.process.agent import Agent
from host_tests.portable import LONG
from host_tests.support.agent_lines import status_of
from host_tests.support.combinations import each_choice
from host_tests.support.mqtt import BROKER
from host_tests.support.running import cart_of, written
from host_tests.support.webhook import PLACE, URL, Server
from lab.harness.cart import PIM, SERVER, Cart, _tree
from lab.harness.mqtt_broker import Broker, Consumer

TOOLSNET = {"kind": "toolsnet"}
KINDS = {
    "webhook": {"kind": "webhook", "url": URL},
    "mqtt": {"kind": "mqtt", "host": BROKER[0], "port": BROKER[1]},
    "file": {"kind": "file", "path": "lines"},
}
ROUND = 400  # results with which the log has gone round, and overwritten more than a hundred
OVERWRITES = {"when_full": "overwrite"}
ANY_KIND = pytest.mark.parametrize("kind", KINDS)
KIND_AND_RESTARTS = pytest.mark.parametrize(
    ("kind", "restarts"), [("webhook", 2), ("mqtt", 0), ("file", 0)] + LONG * [("webhook", 0), ("mqtt", 2), ("file", 2)]
)


class Plant(Cart):
    """A cart, a server, a broker with its consumer, and a file."""

    def __init__(self, *outlets, make_flash=RamFlash, **settings):
        self.server, self.broker = Server(), Broker()
        self.consumer = Consumer(self.broker)
        self.chosen = settings
        super().__init__(blocks=8, settings=self._settings(outlets), make_flash=make_flash)
        self.network.listen(*PLACE, self.server.endpoint)
        self.network.listen(*BROKER, self.broker.endpoint)

    def _settings(self, outlets):
        return {**self.chosen, "station": {"outlets": [dict(one) for one in outlets]}}

    def again(self, *outlets):
        """Start with these outlets."""
        self.app.stop(self.clock.now)
        self.run(2000)
        self.app.close()
        self.configuration = complete(_tree(1, self._settings(outlets), ()))
        self.cut()
        return self

    def has(self, kind):
        """The numbers of the results that this one's other side has."""
        if kind == "webhook":
            return [line["number"] for line in self.server.lines]
        if kind == "mqtt":
            return [number for _, number, _ in self.consumer.records]
        return [int(line.split(b'"number":')[1].split(b",")[0]) for line in self.lines["lines"].lines()]

    def reach(self, kind, is_there):
        """Let this kind's other side be there, or not."""
        if kind == "file":
            self.lines["lines"].refuses = () if is_there else ("open", "add", "sync")
            return
        place = PLACE if kind == "webhook" else BROKER
        (self.network.up if is_there else self.network.down)(*place)

    def status(self):
        return of_station(self.station, self.clock.now)

    def lost(self):
        status = self.status()
        return status["overwritten"] + status["missed"]

    def assert_no_false_loss(self):
        """Assert that nobody is said to have lost anything."""
        status = self.status()
        slugs = {need.slug for need in latched_conditions.all_needs(status)}
        assert not slugs & {"given again", "receipts below", "receipts above"}
        for outlet in status["outlets"]:
            assert outlet.get("server_behind", 0) == outlet.get("alarms", 0) == 0, outlet
            assert "has lost" not in outlet["why"], outlet["why"]
        assert self.consumer.gaps == 0 and self.server.complaints == []

    def added(self):
        return [need.words for need in attention.needs(self.status()) if need.slug == "added"]


def gone_round(*outlets, count=ROUND, **settings):
    plant = Plant(*outlets, **settings)
    plant.until_ready()
    plant.produce(count, 200)
    plant.run(60000)
    assert plant.station.log.first_above(0) > 100
    return plant


@KIND_AND_RESTARTS
def test_new_outlet_begins_with_what_the_spool_has(kind, restarts):
    plant = gone_round(TOOLSNET)
    oldest = plant.station.log.first_above(0)
    plant.again(TOOLSNET, KINDS[kind])
    if restarts:
        plant.reach(kind, False)
    for _ in range(restarts):
        plant.run(5000)
        plant.cut()
    plant.reach(kind, True)
    assert len(plant.added()) == (not restarts)
    plant.produce(3, 200)
    plant.run(120000)
    left_out = plant.lost()
    assert plant.has(kind) == list(range(oldest + left_out, plant.station.log.number + 1))
    plant.assert_no_false_loss()
    if kind == "webhook":
        assert plant.server.batches[0]["after"] == 0


@KIND_AND_RESTARTS
def test_outlet_that_comes_back_goes_on_with_what_the_spool_has(kind, restarts):
    plant = gone_round(TOOLSNET, KINDS[kind])
    had = plant.has(kind)
    assert had[-1] == plant.station.log.number
    plant.again(TOOLSNET)
    plant.produce(ROUND, 200)
    plant.run(60000)
    before = plant.lost()
    plant.again(TOOLSNET, KINDS[kind])
    if restarts:
        plant.reach(kind, False)
    for _ in range(restarts):
        plant.run(5000)
        plant.cut()
    plant.reach(kind, True)
    plant.run(120000)
    numbers = plant.has(kind)[len(had) :]
    assert numbers == list(range(numbers[0], plant.station.log.number + 1))
    assert plant.lost() - before == numbers[0] - had[-1] - 1 > 100
    plant.assert_no_false_loss()
    if kind == "webhook":
        assert plant.server.batches[-len(numbers) // 100]["after"] >= had[-1]


def test_what_toolsnet_proves_to_have_is_not_said_to_be_left_out():
    plant = gone_round(TOOLSNET, KINDS["file"])
    plant.again(KINDS["file"])
    plant.produce(ROUND, 200)
    plant.run(60000)
    plant.again(TOOLSNET, KINDS["file"])
    plant.run(1000)
    toolsnet = plant.status()["outlets"][0]
    assert toolsnet["given_up"] > toolsnet["left_out"] > 2
    plant.station.state.numbers[OVERWRITTEN] = 2  # as an 08 that names one of them has it
    toolsnet = plant.status()["outlets"][0]
    assert toolsnet["given_up"] == toolsnet["left_out"] == 2


def test_no_count_of_what_an_outlet_lacks_rises_by_ends_and_starts_alone():
    """Three share a number of a snapshot, which has no room for each in full."""
    outlets = KINDS["webhook"], {**KINDS["mqtt"], "durable": False}, KINDS["file"]
    plant = Plant(*outlets, spool=OVERWRITES)
    plant.reach("webhook", False)
    plant.reach("mqtt", False)
    plant.until_ready()
    plant.produce(ROUND, 200)
    plant.run(20000)
    for _ in range(5):
        passed = plant.station.log.first_above(0) - 1  # a start may need the room of a block more
        assert passed > 200
        assert [outlet["given_up"] for outlet in plant.status()["outlets"]] == [passed, passed, 0]
        plant.again(*outlets)
        assert [outlet["given_up"] for outlet in plant.status()["outlets"]] == [passed, passed, 0]
        plant.run(5000)


@pytest.mark.parametrize("outlets", [(), (TOOLSNET,)], ids=["without", "beside ToolsNet"])
def test_what_a_durable_one_lacks_is_overwritten_and_what_another_lacks_is_missed(outlets):
    plant = Plant(*outlets, KINDS["webhook"], KINDS["mqtt"], {**KINDS["file"], "durable": False}, spool=OVERWRITES)
    for kind in ("webhook", "file"):
        plant.reach(kind, False)
    plant.until_ready()
    figures = Figures()
    plant.produce(ROUND, 200)
    plant.run(20000)
    status = plant.status()
    given_up = {outlet["kind"]: outlet["given_up"] for outlet in status["outlets"]}
    assert given_up["webhook"] > 100 < given_up["file"] and given_up["mqtt"] == given_up.get("toolsnet", 0) == 0
    assert (status["overwritten"], status["missed"]) == (given_up["webhook"], given_up["file"])
    figures.feed(status_of(status), 0.0)
    ending = account_text(figures)
    lost = f"; not at webhook: overwritten, at most: {given_up['webhook']}"
    assert ending.endswith(f"{lost}; not at file: missed, at most: {given_up['file']}")
    if not outlets:
        waits = status["stored"] - given_up["webhook"]
        assert f"stored {ROUND} (0.0/s), passed on 0.0/s, waiting {waits} for webhook, " in ending
    assert figures.undelivered()["overwritten"] == status["overwritten"]
    plant.again(*outlets, KINDS["mqtt"])
    status = plant.status()
    assert (status["overwritten"], status["missed"]) == (0, given_up["webhook"] + given_up["file"]), "gone is neither"


@KIND_AND_RESTARTS
def test_one_that_the_log_went_round_without_is_not_called_restored(kind, restarts):
    plant = gone_round(TOOLSNET, {**KINDS[kind], "durable": False})
    had = plant.has(kind)
    before = plant.lost()
    plant.reach(kind, False)
    plant.produce(ROUND, 200)
    plant.run(60000)
    for _ in range(restarts):
        plant.run(5000)
        plant.cut()
    plant.reach(kind, True)
    plant.run(120000)
    numbers = plant.has(kind)[len(had) :]
    assert numbers == list(range(numbers[0], plant.station.log.number + 1))
    assert plant.lost() - before == numbers[0] - had[-1] - 1 > 100
    plant.assert_no_false_loss()


@pytest.mark.parametrize("kind", ("webhook", "mqtt"))
def test_a_restored_server_is_reported_where_less_is_named_than_was_confirmed(kind):
    plant = gone_round(TOOLSNET, KINDS[kind])
    highest = plant.station.log.number
    plant.again(TOOLSNET, KINDS[kind])
    for model in (plant.server.model, plant.consumer):
        for key in model.have:
            model.have[key] = 100
    if kind == "mqtt":
        for topic, _ in list(plant.consumer.have):
            plant.consumer.confirm(topic, plant.outlet_status(1)["identity"], 100)
    plant.run(1000)
    plant.produce(3, 200)
    plant.run(120000)
    status = plant.status()["outlets"][1]
    assert status["given_up"] > 100 and status["given_again"] > 10
    assert status["given_up"] + status["given_again"] == highest - 100


@pytest.mark.parametrize(("restarts", "kind"), each_choice((0, 1, 2), ("webhook", "mqtt")))
def test_what_a_server_lost_while_it_was_away_is_counted_once_over_all_restarts(kind, restarts):
    plant = gone_round(TOOLSNET, KINDS[kind] | {"durable": False})
    assert plant.lost() == 0
    had = plant.station.log.number
    plant.reach(kind, False)
    plant.produce(ROUND, 200)
    for _ in range(restarts):
        plant.run(5000)
        plant.cut()
    assert plant.station.log.first_above(0) > had
    for model in (plant.server.model, plant.consumer):
        for key in model.have:
            model.have[key] = 100
    for topic, identity in list(plant.consumer.have):
        plant.consumer.confirm(topic, identity, 100)
    before = len(plant.has(kind))
    plant.reach(kind, True)
    plant.run(60000)
    plant.produce(3, 200)
    plant.run(120000)
    numbers = plant.has(kind)[before:]
    assert numbers == list(range(numbers[0], plant.station.log.number + 1))
    assert plant.lost() == numbers[0] - 101 > had - 100
    assert plant.station.state.save()  # else what it took since may count as well
    plant.cut()
    plant.run(60000)
    assert plant.lost() == numbers[0] - 101


def without_state(plant):
    """The state is lost; the cart starts."""
    flash = plant.flashes["spool0"]
    for block in range(STATE_BLOCKS):
        flash.erase(block)
    plant.cut()
    plant.run(10)
    return plant


@pytest.mark.parametrize(("kind", "lost"), each_choice(("webhook", "mqtt", "file"), (True, False)))
def test_where_the_state_was_lost_it_is_said_what_may_be_lacking_until_that_is_known(kind, lost):
    plant = gone_round(TOOLSNET, KINDS[kind])
    highest = plant.station.log.number
    if kind != "file":
        plant.reach(kind, False)
    if lost:
        plant.produce(50, 200)
    without_state(plant)
    begun = plant.station.log.first_above(0) - 1
    waited = plant.station.log.number - begun
    for end in (True, True, False):
        status = plant.status()
        toolsnet, other = status["outlets"]
        assert toolsnet["lost_there"] == begun > 100, "also after a start"
        assert other["given_up"] == begun or kind == "file"
        if end:
            (words,) = [need.words for need in attention.needs(status) if need.slug == "state"] or [""]
            assert (str(waited) in words) == status["spool"]["state_lost"]
            assert plant.station.state.save()
            plant.cut()
            plant.run(10)
    plant.reach(kind, True)
    plant.run(60000)
    plant.produce(3, 200)
    plant.run(120000)
    numbers = [number for number in plant.has(kind) if number > highest - 1]
    assert numbers[-1] == plant.station.log.number
    lacks = plant.status()["outlets"][1]["given_up"]
    assert lacks == (begun if kind == "webhook" else 0), "a webhook's answers do not tell what it had"
    assert plant.status()["outlets"][0]["lost_there"] == begun, "until it is left"
    assert leave(plant.station.outlets[0].policy)
    for _ in range(2):
        assert plant.status()["outlets"][0]["lost_there"] == 0
        plant.cut()
        plant.run(30000)


@pytest.mark.parametrize(("when_full", "restarts"), each_choice(("overwrite", "refuse"), (False, True)))
def test_toolsnet_that_was_put_back_lacks_after_an_order_what_it_had_and_not_what_was_left_out(when_full, restarts):
    def run():
        plant.until(plant.station.toolsnet().is_up)
        plant.run(60000)

    def emptied():
        plant.archive.clear()
        for place in (PIM, SERVER):
            plant.network.cut(*place)
        plant.run(20000)
        return plant.status()["outlets"][0]["lost_there"]

    both = TOOLSNET, KINDS["mqtt"]
    plant = Plant(*both, spool={"when_full": when_full}).until_ready()
    plant.produce(40, 200)
    plant.run(60000)
    plant.again(KINDS["mqtt"]).until_ready()
    plant.produce(60, 200)
    plant.run(60000)
    plant.again(*both)
    run()
    had, last = len({*plant.archive.tightening_ids()}), plant.station.log.number
    assert plant.status()["outlets"][0]["given_up"] == 100 - had > 5
    if restarts:
        plant.again(*both)
        run()
    words = ["offer-again", "from", str(last - 9)]
    *_, answer = offer_again.of_station(plant.station, plant.app.board, words)
    assert answer["count"] == 10
    run()
    assert emptied() == had
    plant.again(*both)
    run()
    *_, answer = offer_again.of_station(plant.station, plant.app.board, words)
    run()
    assert plant.status()["outlets"][0]["lost_there"] == had - 10
    assert emptied() == had


@pytest.mark.parametrize(("moments", "returns"), each_choice(((), (0,), (60,), (200, 30)), (False, True)))
def test_what_the_log_gave_up_for_one_that_was_removed_is_all_counted_in_the_end(returns, moments):
    plant = gone_round(TOOLSNET, KINDS["mqtt"] | {"durable": False})
    plant.reach("mqtt", False)
    plant.produce(300, 200)
    had, missed = plant.has("mqtt")[-1], plant.lost()
    assert missed > 0
    plant.again(TOOLSNET)
    for count in moments:
        plant.produce(count, 200)
        plant.run(5000)
        plant.again(TOOLSNET)
    plant.produce(ROUND, 200)
    plant.run(5000)
    (words,) = [need.words for need in latched_conditions.all_needs(plant.status()) if need.slug == "missed"]
    assert words.startswith("%d records at most" % missed) and "up to their removal" in words
    oldest = plant.station.log.first_above(0)
    if returns:
        plant.again(TOOLSNET, KINDS["mqtt"] | {"durable": False})
        assert plant.lost() == plant.station.log.first_above(0) - 1 - had >= oldest - 1 - had
        added = plant.added()[0]
        assert "went on where it was" in added and "; MISSED has these, too" in added
        return
    others = [KINDS["file"] | {"name": "f%d" % index, "path": "f%d" % index, "durable": False} for index in range(3)]
    plant.again(TOOLSNET, *others)
    (gone,) = plant.status()["given_up"]
    assert gone["kind"] == "mqtt" and gone["waiting"] == plant.station.log.number - had


@pytest.mark.parametrize(
    ("name", "names", "called"),
    [
        ("mqtt", [], "MQTT"),
        ("line", ["other", "line"], "MQTT line"),
        ("line", [], "an outlet of the kind mqtt whose name is not known now"),
    ],
)
def test_outlet_that_is_gone_has_its_name_where_that_is_known(name, names, called):
    plant = Plant(TOOLSNET, {**KINDS["mqtt"], "name": name})
    plant.reach("mqtt", False)
    plant.until_ready()
    plant.produce(3, 500)
    others = [{"kind": "file", "name": f"f{index}", "path": f"{index}"} for index in range(3)]
    for outlets, words in (
        ((TOOLSNET,), f"{called} was removed with this start: at most 3 records that it has not taken make room"),
        ((TOOLSNET, *others), "has lost its place to a new one: at most 3 records that it had not taken"),
    ):
        plant.again(*outlets)
        plant.app.know_names(names)
        texts = [need.words for need in attention.needs(plant.status()) if need.slug in ("removed", "given up")]
        assert len(texts) == 1 and words in texts[0] and texts[0].startswith(called), texts


def named(**names):
    """Outlets of these kinds, each with its name."""
    return [{**KINDS[kind], "name": name} for kind, name in names.items()]


def of_places(station):
    """What is said of places, by the name that it begins with."""
    needs = [need for need in attention.needs(station) if need.slug in ("removed", "given up")]
    assert len({need.words.split()[0] for need in needs}) == len(needs)
    return {need.words.split()[0]: need for need in needs}


ANOTHER = "{0} was of kind {1} before this start and is of kind {2} now: that is another outlet with a place of its own"
EXCHANGED = ({"file": "file", "mqtt": "mqtt"}, {"file": "mqtt", "mqtt": "file"})
ROTATED = ({"file": "a", "mqtt": "b", "webhook": "c"}, {"file": "b", "mqtt": "c", "webhook": "a"})


@pytest.mark.parametrize("waits", [True, False])
@pytest.mark.parametrize(("before", "after"), [EXCHANGED, ROTATED])
@pytest.mark.parametrize("all_in_use", [False, True])
def test_names_exchanged_between_kinds_are_said_the_same_way_of_each(before, after, all_in_use, waits):
    toolsnet = [TOOLSNET]
    if all_in_use and len(before) == 2:
        toolsnet.append({**KINDS["file"], "path": "other", "name": "other"})
    plant = Plant(*toolsnet, *named(**before)).until_ready()
    for kind in before if waits else ():
        plant.reach(kind, False)
    plant.produce(3, 500)
    plant.run(5000)
    plant.again(*toolsnet, *named(**after))
    said = of_places(plant.status())
    assert set(said) == set(before.values())
    kinds = {name: kind for kind, name in after.items()}
    for kind, name in before.items():
        words = said[name].words
        assert words.startswith(ANOTHER.format(name, kind, kinds[name])), words
        assert "is not configured" not in words and "continues" not in said[name].text()
        assert (f"at most 3 records that the one of kind {kind}" in words or "that it had not taken" in words) == waits
        assert (said[name].level == attention.WARN) == waits
        assert ("has lost its place" in words) == (said[name].slug == "given up")
    plant.again(*toolsnet, *named(**after))
    assert not of_places(plant.status()), "it is said of the start that makes the change"


def test_an_outlet_that_was_gone_before_is_not_said_to_have_been_there_when_its_name_is_another_s():
    others = [{"kind": "file", "name": f"f{index}", "path": f"{index}"} for index in range(2)]
    plant = Plant(TOOLSNET, *named(mqtt="line")).until_ready()
    for outlets in ([], named(webhook="line"), [*named(webhook="line"), others[0]]):
        plant.again(TOOLSNET, *outlets)
        assert not of_places(plant.status())
    plant.again(TOOLSNET, *named(webhook="line"), *others)
    assert of_places(plant.status()).keys() == {"MQTT"}
    assert "MQTT line is not configured any more and has lost its place" in of_places(plant.status())["MQTT"].words


def test_a_reload_that_exchanges_names_between_kinds_says_so_of_both(tmp_path):
    def write(names):
        outlets = named(**names)
        outlets[0]["path"] = str(tmp_path / "lines")
        return written(tmp_path, cart_of(number=7, station={"outlets": [TOOLSNET, *outlets]}))

    def mounted(agent):
        for _ in range(200):
            agent.app.step(agent.board.now())
            if agent.app.stations[0].mounted:
                return of_station(agent.app.stations[0], agent.board.now())
        raise AssertionError("it is not mounted")

    before, after = EXCHANGED
    path = write(before)
    agent = Agent(config_file.read_to_run(path), str(path), 20, lambda line: None)
    assert not of_places(mounted(agent))
    agent.app.stations[0].state.save()
    write(after)
    agent.reload_asked = True
    assert agent._reload()
    agent.board.close()
    said = of_places(mounted(agent.successor))
    assert said["file"].words.startswith(ANOTHER.format("file", "file", "mqtt"))
    assert said["mqtt"].words.startswith(ANOTHER.format("mqtt", "mqtt", "file"))
    agent.successor.board.close()


def test_names_that_are_known_do_not_grow_without_end():
    plant = Plant(TOOLSNET)
    plant.app.know_names([f"name {index}" for index in range(5000)])
    assert "toolsnet" in plant.station.known_names and len(plant.station.known_names) < 500


def test_a_reload_hands_the_names_on(tmp_path):
    both = [TOOLSNET, {**KINDS["mqtt"], "name": "line"}]
    path = written(tmp_path, cart_of(number=7, station={"outlets": both}))
    agent = Agent(config_file.read_to_run(path), str(path), 20, lambda line: None)
    for _ in range(3):
        written(tmp_path, cart_of(number=7, station={"outlets": [TOOLSNET]}))
        agent.reload_asked = True
        assert agent._reload()
        agent.board.close()
        agent = agent.successor
        assert agent.app.stations[0].known_names == ["toolsnet", "line"]
    agent.board.close()


@pytest.mark.parametrize(("kind", "is_there"), each_choice(list(KINDS), [True, False]))
def test_best_effort_outlet_made_durable_over_a_cut_keeps_no_other_waiting(kind, is_there):
    for extra in range(0, 24, 1 if LONG else 7):
        plant = Plant(TOOLSNET, {**KINDS[kind], "durable": False}, spool={"when_full": "refuse"})
        plant.until_ready()
        plant.reach(kind, False)
        plant.produce(150 + extra, 100)
        plant.run(20000)
        if not is_there:
            plant.network.down("pim", 6575)
            plant.network.cut("tn", 10111)
        plant.produce(2, 100)
        plant.run(3000)
        last = plant.station.log.number
        plant.configuration = complete(_tree(1, plant._settings([TOOLSNET, {**KINDS[kind], "durable": True}]), ()))
        plant.cut()
        plant.network.up("pim", 6575)
        plant.run(90000)
        log = plant.station.log
        assert not log.doubtful and log.number == last, extra
        assert plant.archive.stored == last, extra
        plant.reach(kind, True)
        plant.produce(1, 100)
        plant.run(120000)
        has = plant.has(kind)
        assert has == list(range(has[0], log.number + 1)), extra
        assert has[0] - 1 == plant.status()["outlets"][1]["given_up"], extra
        assert plant.archive.stored == log.number == last + 1, extra
