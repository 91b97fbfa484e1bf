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


def second(tree, number=8, path="b.spool"):
    tree["stations"].append({"number": number, "controller": {"host": "192.0.2.11"}, "spool": {"path": path}})
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


def test_the_least_configuration_is_good_and_gets_every_default():
    done = config.complete(good())
    assert done["system"] == {"type": 3, "number": 1, "name": ""}
    toolsnet = done["toolsnet"]
    assert toolsnet["pim_port"] == 6575 and toolsnet["reconnect_ms"] == 60000
    assert toolsnet["host_override"] is None and toolsnet["rewind"] is False
    assert toolsnet["parameters"][0] == "tightening_id" and len(toolsnet["parameters"]) == 7
    controller = done["stations"][0]["controller"]
    assert controller["port"] == 4545 and controller["device"] is None
    assert controller["start_revisions"] == [5, 6, 4, 3, 2, 1] and controller["result_revisions"][:3] == [999, 3, 4]
    assert sorted(controller["result_revisions"]) == list(range(1, 12)) + [999]
    assert controller["baud"] == 9600 and controller["recover"] is True and controller["station_id"] is None
    spool = done["stations"][0]["spool"]
    assert (spool["size_kib"], spool["parked_kib"]) == ((16384, 4096) if ON_CPYTHON else (1024, 16))


def test_times_are_seconds_in_the_file_and_milliseconds_in_the_result():
    for seconds, ms in ((0.1, 100), (1, 1000), (2.5, 2500), (29.999, 29999), (0.1875, 188)):
        done = config.complete(with_setting("toolsnet", "reconnect_s", seconds))["toolsnet"]
        assert done["reconnect_ms"] == ms and type(done["reconnect_ms"]) is int
        assert "reconnect_s" not in done


def test_completing_does_not_change_what_it_was_given():
    tree = with_setting("controller", "start_revisions", [6, 5])
    before = repr(tree)
    done = config.complete(tree)
    done["stations"][0]["controller"]["start_revisions"].append(1)
    done["toolsnet"]["parameters"].append("x")
    assert repr(tree) == before
    assert len(config.complete(good())["toolsnet"]["parameters"]) == 7


def test_a_file_that_is_no_object_is_one_mistake():
    for tree in (None, [], "text", 5, 0.5, True):
        assert only(config.check(tree))[0] == "(file)"


def test_every_missing_required_setting_is_told_at_once():
    assert places({}) == ["stations"]
    tree = {"toolsnet": {}, "stations": [{}]}
    assert places(tree) == [
        "stations[0].controller.host",
        "stations[0].number",
        "stations[0].spool.path",
        "toolsnet.pim_host",
        "toolsnet.pim_port",
    ]
    assert config.check({})[0][1] == "nothing"


def test_null_is_nothing_for_required_setting_and_wrong_for_one_with_default():
    assert only(mistakes_of("toolsnet", "pim_host", None))[1] == "nothing"
    assert only(mistakes_of("controller", "host", None))[1] == "nothing"
    assert only(mistakes_of("controller", "port", None))[1] == "nothing"
    assert mistakes_of("controller", "station_id", None) == []
    assert mistakes_of("toolsnet", "host_override", None) == []


def test_a_mistake_names_the_place_what_stands_there_and_what_is_allowed():
    assert only(mistakes_of("controller", "port", 70000)) == (
        "stations[0].controller.port",
        "70000",
        "1 to 65535, whole",
    )
    mistake = only(mistakes_of("toolsnet", "reconnect_s", 4000))
    assert mistake == ("toolsnet.reconnect_s", "4000", "0.1 to 3600 s")
    assert only(mistakes_of("spool", "size_kib", 1))[2] == "40 to 65536 KiB, whole"
    assert only(mistakes_of("toolsnet", "clock", "no"))[2] == "one of off, check, set"
    assert only(mistakes_of("controller", "station_id", 0))[2] == "1 to 99, whole or null"


def test_bool_is_not_a_number_and_a_number_is_not_a_bool():
    assert only(mistakes_of("toolsnet", "reconnect_s", True))[1] == "true"
    assert only(mistakes_of("controller", "stop_bits", True))[1] == "true"
    assert only(mistakes_of("toolsnet", "rewind", 1))[1] == "1"
    assert only(mistakes_of("controller", "start_revisions", [True]))[1] == "true"


def test_a_whole_number_is_not_taken_from_a_fraction_or_a_text():
    assert only(mistakes_of("toolsnet", "pim_port", 2.0))
    assert only(mistakes_of("toolsnet", "pim_port", "2"))[1] == '"2"'
    assert only(mistakes_of("controller", "baud", "9600"))


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


def test_text_is_printable_ascii_and_a_host_has_no_blanks():
    assert mistakes_of("station", "name", "Cart 7 ~") == []
    for text in ("a\nb", "tab\t", "\x7f", "caf\xe9"):
        assert "?" in only(mistakes_of("station", "name", text))[1]
    assert only(mistakes_of("toolsnet", "pim_host", "a b"))
    assert only(mistakes_of("toolsnet", "pim_host", ""))
    assert only(mistakes_of("spool", "path", ""))


def test_a_list_is_not_empty_and_holds_different_known_values():
    assert mistakes_of("controller", "result_revisions", [998, 7]) == []
    assert only(mistakes_of("controller", "result_revisions", []))[1] == "a list of 0"
    assert only(mistakes_of("controller", "start_revisions", [5, 8]))[1] == "8"
    assert only(mistakes_of("controller", "start_revisions", [5, 6, 5]))[1] == "5"
    assert only(mistakes_of("controller", "start_revisions", 5))[1] == "5"
    assert only(mistakes_of("toolsnet", "parameters", ["job", "jobs"]))[1] == '"jobs"'


def test_hosts_are_a_list_of_different_ones():
    for good_one in (["192.0.2.8"], ["a", "b"], None):
        assert mistakes_of("toolsnet", "allow_hosts", good_one) == []
    for wrong in ([], "a", ["a", "a"], ["a b"], [""], [7], ["x"] * 2, ["%d" % i for i in range(9)], [None], {}):
        place, _, allowed = only(mistakes_of("toolsnet", "allow_hosts", wrong))
        assert place == "toolsnet.allow_hosts" and allowed == "1 to 8 different hosts, in a list or null"
    tree = with_setting("toolsnet", "allow_hosts", ["a"])
    assert config.complete(tree)["toolsnet"]["allow_hosts"] == ["a"]


def test_a_serial_link_needs_a_device_and_a_tcp_link_a_host():
    for link in ("ascii", "3964r"):
        tree = with_setting("controller", "link", link)
        assert only(config.check(tree))[0] == "stations[0].controller.device"
        tree["stations"][0]["controller"] = {"link": link, "device": "/dev/ttyUSB0", "parity": "odd"}
        assert config.complete(tree)["stations"][0]["controller"]["host"] is None
    assert only(mistakes_of("controller", "link", "udp"))[0] == "stations[0].controller.link"


def test_stations_are_between_one_and_what_the_machine_carries():
    tree = good()
    most = config.STATIONS_MAX
    assert most == (250 if sys.implementation.name == "cpython" else 16)
    for count, wrong in ((0, 1), (most, 0), (most + 1, 1)):
        tree["stations"] = []
        for i in range(count):
            tree["stations"].append({"number": i + 1, "controller": {"host": "h%d" % i}, "spool": {"path": "s%d" % i}})
        assert len(config.check(tree)) == wrong
    tree["stations"] = {}
    assert only(config.check(tree))[1] == "an object"
    tree["stations"] = ["x"]
    assert only(config.check(tree))[0] == "stations[0]"


def test_two_stations_share_neither_number_nor_spool_nor_serial_device():
    assert config.check(second(good())) == []
    assert only(config.check(second(good(), 7)))[0] == "stations[1].number"
    assert only(config.check(second(good(), 8, "a.spool")))[0] == "stations[1].spool.path"
    assert "stations[0].number" in only(config.check(second(good(), 7)))[2]
    tree = second(good())
    for station in tree["stations"]:
        station["controller"] = {"link": "ascii", "device": "/dev/ttyS0"}
    assert only(config.check(tree))[0] == "stations[1].controller.device"
    for station in tree["stations"]:
        station["controller"]["link"] = "tcp"
        station["controller"]["host"] = "192.0.2.%d" % station["number"]
    assert config.check(tree) == []


def test_same_host_and_port_is_same_station_twice_unless_header_names_another():
    tree = second(good())
    one, two = [station["controller"] for station in tree["stations"]]
    two["host"] = one["host"] = "PF6000"
    mistake = only(config.check(tree))
    assert mistake[:2] == ("stations[1].controller.host", '"pf6000 port 4545"')
    assert mistake[2] == "another than stations[0].controller.host"
    two["port"] = 4546
    assert config.check(tree) == []
    two["port"], one["station_id"], two["station_id"] = 4545, 1, 2
    assert config.check(tree) == []
    two["station_id"] = 1
    assert only(config.check(tree))[0] == "stations[1].controller.host"


def test_a_section_that_is_no_object_is_one_mistake():
    tree = good()
    tree["system"] = 5
    tree["stations"][0]["controller"] = None
    tree["stations"][0]["spool"] = []
    assert places(tree) == ["stations[0].controller", "stations[0].spool", "system"]


def test_the_quarantine_is_at_most_half_of_a_spool():
    tree = with_setting("spool", "parked_kib", 512)
    tree["stations"][0]["spool"]["size_kib"] = 1024
    assert config.check(tree) == []
    tree["stations"][0]["spool"]["parked_kib"] = 513
    assert config.check(tree) == [("stations[0].spool.parked_kib", "513 KiB", "at most half of size_kib (1024 KiB)")]


def test_the_quarantine_is_a_quarter_of_a_spool_unless_it_is_told():
    if not ON_CPYTHON:
        return  # a board's is 16 KiB
    for size_kib, parked_kib in ((40, 12), (64, 16), (1024, 256), (65536, 16384)):
        assert config.complete(with_setting("spool", "size_kib", size_kib))["stations"][0]["spool"]["parked_kib"] == (
            parked_kib
        )


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


def test_a_wrong_value_is_not_followed_by_a_second_mistake_about_it():
    assert only(mistakes_of("toolsnet", "reconnect_s", 10000))[0] == "toolsnet.reconnect_s"
    assert only(mistakes_of("spool", "size_kib", "big"))[0] == "stations[0].spool.size_kib"


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


def test_all_mistakes_are_told_at_once():
    tree = with_setting("controller", "port", 0)
    tree["toolsnet"]["pim_port"] = "x"
    tree["system"] = {"type": 0}
    tree["nonsense"] = 1
    assert places(tree) == ["nonsense", "stations[0].controller.port", "system.type", "toolsnet.pim_port"]


def test_a_configuration_with_mistakes_is_not_completed_and_the_error_lists_them():
    try:
        config.complete({})
    except config.ConfigError as error:
        assert error.mistakes == config.check({})
        assert "stations: expected a list of 1 to " in str(error)
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


def test_what_is_shown_is_short_and_printable():
    shown = only(mistakes_of("controller", "link", "x\x1b[31m" + "y" * 5000))[1]
    assert shown.startswith('"x?[31my') and len(shown) < 50
    key = "k\n" + "z" * 5000
    assert len(only(mistakes_of("controller", key, 1))[0]) < 80


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


def test_without_list_toolsnet_is_only_outlet_and_with_one_it_comes_first():
    assert config.complete(good())["stations"][0]["outlets"] == [{"kind": "toolsnet"}]
    if not ON_CPYTHON:  # no board has a file to write lines into
        mistake = only(config.check(with_outlets({"kind": "toolsnet"}, {"kind": "file", "path": "a.jsonl"})))
        assert mistake == ("stations[0].outlets[1].kind", '"file"', "one of toolsnet")
        return
    done = config.complete(with_outlets({"kind": "file", "path": "a.jsonl"}, {"kind": "toolsnet"}))
    first, second = done["stations"][0]["outlets"]
    assert first == {"kind": "toolsnet"}
    assert second == {
        "kind": "file",
        "path": "a.jsonl",
        "keep": 5,
        "durable": True,
        "graphs": False,
    }


def without_toolsnet(*listed):
    tree = with_outlets(*listed)
    del tree["toolsnet"]
    return tree


def test_without_any_outlet_the_mistake_says_that_one_is_needed():
    tree = good()
    del tree["toolsnet"]
    words = 'at least one outlet: the section toolsnet, or a list such as [{"kind": "mqtt", "host": "10.0.0.5"}]'
    assert only(config.check(tree)) == ("stations[0].outlets", "nothing", words)
    words = "a list of 1 to 4 outlets: at least one has to take the results"
    assert only(config.check(without_toolsnet())) == ("stations[0].outlets", "a list of 0", words)


def test_toolsnet_among_the_outlets_needs_its_section():
    assert places(without_toolsnet({"kind": "toolsnet"})) == ["toolsnet.pim_host", "toolsnet.pim_port"]


def test_a_station_needs_no_toolsnet_and_its_first_outlet_is_durable():
    file, other = {"kind": "file", "path": "a", "durable": False}, {"kind": "mqtt", "host": "b"}
    if not ON_CPYTHON:
        return  # a board gets its configuration completed
    done = config.complete(without_toolsnet(file, other))
    assert done["toolsnet"] is None
    assert [outlet["kind"] for outlet in done["stations"][0]["outlets"]] == ["mqtt", "file"]
    assert done["stations"][0]["spool"]["parked_kib"] == 12
    mistake = only(config.check(without_toolsnet(file)))
    assert mistake[:2] == ("stations[0].outlets", "best-effort outlets alone")


def test_a_section_that_no_station_uses_is_a_mistake():
    if not ON_CPYTHON:
        return
    mistake = only(config.check(with_outlets({"kind": "mqtt", "host": "b"})))
    words = 'no such section, or {"kind": "toolsnet"} among the outlets of a station'
    assert mistake == ("toolsnet", "a section that no station uses", words)
    both = second(with_outlets({"kind": "mqtt", "host": "b"}))  # the second station has no list: ToolsNet
    assert config.check(both) == []


def test_events_to_toolsnet_leave_room_for_one_file():
    file = {"kind": "file", "path": "a.jsonl"}
    for files, mistakes in ((1, 0), (2, 1)) if ON_CPYTHON else ():
        tree = with_outlets({"kind": "toolsnet"}, *[dict(file, path="%d.jsonl" % index) for index in range(files)])
        assert not config.check(tree)
        tree["toolsnet"]["events"] = ["alarms"]
        assert [mistake[0] for mistake in config.check(tree)] == ["stations[0].outlets"] * mistakes


def test_mistakes_among_the_outlets_are_told_with_their_place():
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
        ([toolsnet, file, dict(file)], "stations[0].outlets"),
        ([toolsnet, 7], "stations[0].outlets[1]"),
    ):
        if not ON_CPYTHON and [one for one in listed if one != 7 and one["kind"] == "file"]:
            continue  # a board knows no file
        assert place in [mistake[0] for mistake in config.check(with_outlets(*listed))], listed
    for odd in (None, {}, "file", 3):
        tree = good()
        tree["stations"][0]["outlets"] = odd
        assert "stations[0].outlets" in [mistake[0] for mistake in config.check(tree)], odd
