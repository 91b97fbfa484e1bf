"""The configuration's rules, one mistake at a time; runs on CPython and on MicroPython."""

import sys

from toolcart.agent.cart import config
from toolcart.agent.cart.secrets import redacted

PORTABLE = True
HEAP = "512k"

ON_CPYTHON = sys.implementation.name == "cpython"


def good():
    return {
        "toolsnet": {"pim_host": "pim.example", "pim_port": 6575},
        "stations": [{"number": 7, "controller": {"host": "192.0.2.10"}, "spool": {"path": "a.spool"}}],
    }


def second(tree):
    tree["stations"].append({"number": 8, "controller": {"host": "192.0.2.11"}, "spool": {"path": "b.spool"}})
    return tree


def with_setting(part, key, value):
    """A good tree but for one setting; part is system, toolsnet, station, controller or spool."""
    tree = good()
    station = tree["stations"][0]
    if part in ("controller", "spool"):
        target = station[part]
    else:
        target = station if part == "station" else tree.setdefault(part, {})
    target[key] = value
    return tree


def mistakes_of(part, key, value):
    return config.check(with_setting(part, key, value))


def places(tree):
    return sorted([mistake[0] for mistake in config.check(tree)])


def only(mistakes):
    assert len(mistakes) == 1, mistakes
    return mistakes[0]


def test_a_mistake_names_the_place_what_stands_there_and_what_is_allowed():
    assert only(mistakes_of("controller", "port", 70000)) == (
        "stations[0].controller.port",
        "70000",
        "a whole number from 1 to 65535",
    )
    mistake = only(mistakes_of("toolsnet", "reconnect_s", 4000))
    assert mistake == ("toolsnet.reconnect_s", "4000", "0.1 to 3600 s")
    assert only(mistakes_of("spool", "size_kib", 1))[2] == "a whole number from 40 to 65536 KiB"
    assert only(mistakes_of("toolsnet", "clock", "no"))[2] == "one of off, check, set"
    assert only(mistakes_of("controller", "station_id", 0))[2] == "a whole number from 1 to 99 or null"


def test_bool_is_not_a_number_and_a_number_is_not_a_bool():
    assert only(mistakes_of("toolsnet", "reconnect_s", True))[1] == "true"
    assert only(mistakes_of("controller", "stop_bits", True))[1] == "true"
    assert only(mistakes_of("toolsnet", "rewind", 1))[1] == "1"
    assert only(mistakes_of("controller", "start_revisions", [True]))[1] == "true"


def test_nan_infinity_and_huge_numbers_are_in_no_range():
    for value in (float("nan"), float("inf"), -float("inf"), 1 << 20000, -(1 << 20000), 1e30):
        assert only(mistakes_of("toolsnet", "reconnect_s", value))[0] == "toolsnet.reconnect_s"
    assert only(mistakes_of("toolsnet", "pim_port", 1 << 20000))[1] == "a huge number"


def test_the_ends_of_range_belong_to_it_and_their_neighbours_do_not():
    for value, count in ((0.09, 1), (0.1, 0), (3600, 0), (3600.5, 1), (-0.0001, 1)):
        assert len(mistakes_of("toolsnet", "reconnect_s", value)) == count
    for value, count in ((0, 1), (1, 0), (65535, 0), (65536, 1)):
        assert len(mistakes_of("toolsnet", "pim_port", value)) == count
    for length, count in ((25, 0), (26, 1)):
        assert len(mistakes_of("station", "name", "x" * length)) == count


def test_hosts_are_a_list_of_different_ones():
    for good_one in (["192.0.2.8"], ["a", "b"], None):
        assert mistakes_of("toolsnet", "allow_hosts", good_one) == []
    for wrong in ([], "a", ["a", "a"], ["a b"], [""], [7], ["x"] * 2, ["%d" % i for i in range(9)], [None], {}):
        place, _, allowed = only(mistakes_of("toolsnet", "allow_hosts", wrong))
        assert place == "toolsnet.allow_hosts" and allowed == "1 to 8 different hosts, in a list or null"
    tree = with_setting("toolsnet", "allow_hosts", ["a"])
    assert config.complete(tree)["toolsnet"]["allow_hosts"] == ["a"]


def test_zeros_in_front_of_the_numbers_of_an_address_make_no_octal_ones():
    for written, host in (("010.000.000.017", "10.0.0.17"), ("tn0.plant", "tn0.plant"), ("10.0.0.017", "10.0.0.17")):
        done = config.complete(with_setting("toolsnet", "pim_host", written))
        assert done["toolsnet"]["pim_host"] == host
        done = config.complete(with_setting("toolsnet", "allow_hosts", [written]))
        assert done["toolsnet"]["allow_hosts"] == [host]


def test_same_host_and_port_is_same_station_twice_unless_header_names_another():
    tree = second(good())
    one, two = [station["controller"] for station in tree["stations"]]
    one["host"], two["host"] = "PF6000.plant", "pf6000.Plant."
    mistake = only(config.check(tree))
    assert mistake[:2] == ("stations[1].controller.host", '"pf6000.plant port 4545"')
    assert mistake[2] == "another host, port, station_id or spindle_id than those of stations[0].controller"
    two["port"] = 4546
    assert config.check(tree) == []
    two["port"], one["station_id"], two["station_id"] = 4545, 1, 2
    assert config.check(tree) == []
    two["station_id"] = 1
    assert only(config.check(tree))[0] == "stations[1].controller.host"


def test_what_is_wrong_at_two_stations_is_not_called_the_same():
    for key, one, other in (("port", 0, 70000), ("port", 0, "x"), ("station_id", -1, 100), ("spindle_id", 100, "x")):
        tree = second(good())
        for index in range(2):
            tree["stations"][index]["controller"].update({"host": "pf6000", key: (one, other)[index]})
        places = [mistake[0] for mistake in config.check(tree)]
        assert places == ["stations[%d].controller.%s" % (index, key) for index in range(2)], (key, one, other)


def test_the_quarantine_is_at_most_half_of_a_spool():
    tree = with_setting("spool", "parked_kib", 512)
    tree["stations"][0]["spool"]["size_kib"] = 1024
    assert config.check(tree) == []
    tree["stations"][0]["spool"]["parked_kib"] = 513
    assert config.check(tree) == [("stations[0].spool.parked_kib", "513 KiB", "at most half of size_kib (1024 KiB)")]


def mistakes_of_spool(size, graphs, parked):
    tree = with_setting("spool", "size_kib", size)
    tree["stations"][0]["spool"]["graphs_kib"] = graphs
    if parked:
        tree["stations"][0]["spool"]["parked_kib"] = parked
    return config.check(tree)


def test_the_size_that_is_named_for_a_spool_is_enough_and_no_smaller_one_is():
    told = 0
    for graphs in (16, 33, 100, 200, 1000):
        for parked in (0, 12, 17, 64, 300):
            for size in (40, 100, 260, 292):
                for place, _, words in mistakes_of_spool(size, graphs, parked):
                    if place.endswith("size_kib"):
                        least = int(words.split(": ")[1].split(" ")[0])
                        told += 1
                        assert mistakes_of_spool(least, graphs, parked) == [], (size, graphs, parked, least)
                        assert mistakes_of_spool(least - 1, graphs, parked), (size, graphs, parked, least)
    assert told > 20


def test_curves_need_a_place_of_their_own_and_a_network():
    tree = with_setting("controller", "traces", ["torque", "angle"])
    assert only(config.check(tree))[:2] == ("stations[0].spool.graphs_kib", "0 KiB")
    tree["stations"][0]["spool"].update({"graphs_kib": 256, "size_kib": 1024})
    assert config.check(tree) == []
    assert config.complete(tree)["stations"][0]["controller"]["traces"] == ["torque", "angle"]
    tree["stations"][0]["spool"]["parked_kib"] = 512
    assert config.check(tree) == []
    tree["stations"][0]["spool"]["graphs_kib"] = 257
    assert only(config.check(tree))[2] == "at most three quarters of size_kib (1024 KiB), with parked_kib"
    tree["stations"][0]["spool"]["graphs_kib"] = 64
    tree["stations"][0]["controller"].update({"link": "ascii", "device": "/dev/ttyS0"})
    assert only(config.check(tree))[0] == "stations[0].controller.traces"
    assert only(mistakes_of("controller", "traces", ["torque", "speed"]))[1] == '"speed"'
    assert config.complete(good())["stations"][0]["controller"]["traces"] is None
    assert config.complete(with_setting("controller", "traces", None))["stations"][0]["spool"]["graphs_kib"] == 0


def test_an_unknown_key_is_mistake_with_the_nearest_known_key_as_hint():
    for key, hint in (
        ("prot", "port"),
        ("buffer", "buffer_bytes"),
        ("buffer_byte", "buffer_bytes"),
        ("start_revsions", "start_revisions"),
        ("hots", "host"),
    ):
        mistake = only(mistakes_of("controller", key, 5))
        assert mistake[0] == "stations[0].controller." + key
        assert mistake[2] == "unknown setting; did you mean %s?" % hint
    assert only(mistakes_of("controller", "colour", 5))[2] == "unknown setting"
    assert only(mistakes_of("controller", "ht", 5))[2] == "unknown setting"
    assert only(mistakes_of("controller", "spool", {}))[2] == "unknown setting"
    assert only(mistakes_of("toolsnet", "reconn", 5))[2] == "unknown setting; did you mean reconnect_s?"
    tree = good()
    tree["station"] = []
    assert only(config.check(tree))[2] == "unknown setting; did you mean stations?"
    assert only(mistakes_of("station", "spol", {}))[2] == "unknown setting; did you mean spool?"
    assert only(mistakes_of("station", "", {}))[2] == "unknown setting"


def test_a_setting_that_is_gone_may_be_deleted_says_its_mistake():
    for value in (1, 8, None):
        place, _, words = only(mistakes_of("toolsnet", "window", value))
        assert place == "toolsnet.window"
        assert words == "unknown setting; it is gone and may be deleted: one telegram is outstanding at a time, always"
    assert only(mistakes_of("controller", "window", 1))[2] == "unknown setting"


def test_a_configuration_with_mistakes_is_not_completed_and_the_error_lists_them():
    try:
        config.complete({})
    except config.ConfigError as error:
        assert error.mistakes == config.check({})
        assert "stations: found nothing; expected a list of 1 to " in str(error)
    else:
        raise AssertionError("a configuration with mistakes was completed")


def test_secrets_are_never_shown():
    for key in ("password", "api_token", "Secret", "private_KEY"):
        mistake = only(mistakes_of("toolsnet", key, "hunter2"))
        assert mistake[1] == "" and "hunter2" not in repr(mistake)
    tree = {"a": [{"password": "hunter2", "x": 1}], "keys": {"b": "hunter2"}, "port": 7}
    before = repr(tree)
    assert redacted(tree) == {"a": [{"password": "***", "x": 1}], "keys": "***", "port": 7}
    assert repr(tree) == before
    assert redacted("text") == "text"


def test_a_tree_of_any_depth_and_odd_keys_is_only_a_mistake():
    deep = []
    for _ in range(1000):
        deep = [deep]
    for part in ("system", "toolsnet", "station", "controller", "spool"):
        assert only(mistakes_of(part, "name" if part in ("system", "station") else "deep", deep))
    assert only(mistakes_of("controller", "start_revisions", [deep]))
    assert only(mistakes_of("controller", "link", {"tcp": 1}))
    assert only(mistakes_of("controller", 5, 5))[0] == "stations[0].controller.5"
    assert only(mistakes_of("controller", "", 5))[0] == 'stations[0].controller.""'
    assert redacted({"a": deep})["a"] is not deep


def with_outlets(*listed):
    tree = good()
    tree["stations"][0]["outlets"] = list(listed)
    return tree


def without_toolsnet(*listed):
    tree = with_outlets(*listed)
    del tree["toolsnet"]
    return tree


def test_toolsnet_among_the_outlets_needs_its_section():
    assert places(without_toolsnet({"kind": "toolsnet"})) == ["toolsnet.pim_host", "toolsnet.pim_port"]


def test_events_to_toolsnet_leave_room_for_one_file():
    file = {"kind": "file", "path": "a.jsonl"}
    for files, mistakes in ((1, 0), (2, 1)) if ON_CPYTHON else ():
        tree = with_outlets(
            {"kind": "toolsnet"}, *[dict(file, name="f%d" % index, path="%d.jsonl" % index) for index in range(files)]
        )
        assert not config.check(tree)
        tree["toolsnet"]["events"] = ["alarms"]
        assert [mistake[0] for mistake in config.check(tree)] == ["stations[0].outlets"] * mistakes


def test_an_outlet_has_a_name_of_its_own():
    if not ON_CPYTHON:
        return  # a board's tables know ToolsNet alone
    mqtt = {"kind": "mqtt", "host": "b"}

    def mistakes(*outlets):
        outlets = [dict(one, topic="t%d" % index) for index, one in enumerate(outlets)]
        tree = with_outlets({"kind": "toolsnet"}, *outlets)
        return [(place[len("stations[0].outlets") :], allowed) for place, _, allowed in config.check(tree)]

    assert (
        mistakes(mqtt) == mistakes(dict(mqtt, name="a-1")) == mistakes(dict(mqtt, name="a"), dict(mqtt, name="b")) == []
    )
    for name in ("", "a" * 25, "A", "a b", "a_b", "caf\u00e9", "a\n", 7, True, ["a"]):
        assert [place for place, _ in mistakes(dict(mqtt, name=name))] == ["[1].name"], name
    [(place, words)] = mistakes(dict(mqtt, name="b"), mqtt)
    assert place == "[2].name" and 'keeps its place as "mqtt"' in words
    assert [place for place, _ in mistakes(mqtt, mqtt)] == ["[1].name", "[2].name"]
    assert mistakes(dict(mqtt, name="b"), dict(mqtt, name="b")) == [
        ("[2].name", "a name that no other outlet of the station has")
    ]
    assert mistakes(dict(mqtt, name="toolsnet")) == [("[1].name", "a name that no other outlet of the station has")]
    outlets = config.complete(with_outlets({"kind": "toolsnet"}, dict(mqtt, durable=False)))["stations"][0]["outlets"]
    assert [one["name"] for one in outlets] == ["toolsnet", "mqtt"]


def test_names_that_a_spool_cannot_tell_apart_are_refused():
    from toolcart.agent.cart.outlet_places import hash_of

    met = {}
    index = 0
    while ON_CPYTHON:  # a few thousand names are enough for 24 bits
        name = "n%d" % index
        other = met.setdefault(hash_of(name), name)
        if other != name:
            break
        index += 1
    if ON_CPYTHON:
        outlets = [{"kind": "mqtt", "host": "b", "topic": one, "name": one} for one in (other, name)]
        [(place, _, words)] = config.check(with_outlets({"kind": "toolsnet"}, *outlets))
        assert (
            place == "stations[0].outlets[2].name" and words == "another name: a spool cannot tell it from %s" % other
        )


def test_mistakes_among_the_outlets_are_reported_with_their_place():
    toolsnet, file = {"kind": "toolsnet"}, {"kind": "file", "path": "a"}
    for listed, place in (
        ([], "stations[0].outlets"),
        ([toolsnet, file, file, file, file], "stations[0].outlets"),
        ([file], "toolsnet"),
        ([dict(file, durable=False)], "stations[0].outlets"),
        ([file, dict(file, path="b"), dict(file, path="c"), dict(file, path="d")], "stations[0].outlets"),
        ([toolsnet, toolsnet], "stations[0].outlets"),
        ([toolsnet, {"kind": "file"}], "stations[0].outlets[1].path"),
        ([toolsnet, {"kind": "broker"}], "stations[0].outlets[1].kind"),
        ([{"kind": "toolsnet", "durable": False}], "stations[0].outlets[0].durable"),
        ([toolsnet, {"kind": "file", "path": "a", "keep": 100}], "stations[0].outlets[1].keep"),
        ([toolsnet, 7], "stations[0].outlets[1]"),
    ):
        if not ON_CPYTHON and [one for one in listed if one != 7 and one["kind"] == "file"]:
            continue  # a board knows no file
        assert place in [mistake[0] for mistake in config.check(with_outlets(*listed))], listed
    for odd in (None, {}, "file", 3):
        tree = good()
        tree["stations"][0]["outlets"] = odd
        assert "stations[0].outlets" in [mistake[0] for mistake in config.check(tree)], odd
