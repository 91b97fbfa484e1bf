"""A configuration is read whole, or every mistake is told."""

import json

import pytest

from toolcart.agent.cart import config
from toolcart.base import installation
from toolcart.tools.config import file as config_file
from toolcart.tools.config import file_text, files, inventory, mistake_reasons
from toolcart.tools.flash.package import checked_config
from host_tests.support.running import cart_of, toolcart, written

GOOD = """{
  "toolsnet": {"pim_host": "192.0.2.20", "pim_port": 6575},
  "board": {"network": "ethernet"},
  "stations": [
    {"number": 1, "controller": {"host": "192.0.2.10"}, "spool": {"path": "raw"}},
    {"number": 2, "controller": {"host": "192.0.2.11"}, "spool": {"path": "raw@1024"}}
  ]
}"""


def wrong(folder, content, read=config_file.read):
    """What is wrong with a file that has this content: a tree, or the text itself."""
    path = written(folder, content)
    with pytest.raises(config_file.ConfigurationError) as raised:
        read(path)
    return raised.value


def mistakes_of(tmp_path, old, new, read=config_file.read):
    assert GOOD.count(old) == 1
    return wrong(tmp_path, GOOD.replace(old, new), read).mistakes


def check(path, *words, code=0):
    """What `config check` says."""
    return toolcart("config", "check", path, *words, code=code).output


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('"pim_port": 6575', '"pim_port": 6575, "pim_port": 6576', "toolsnet.pim_port"),
        ('"pim_port": 6575', '"pim_port": 6575, "pim_port": 6575', "toolsnet.pim_port"),
        ('"number": 2', '"number": 3, "number": 2', "stations[1].number"),
        ('"host": "192.0.2.11"', '"host": "192.0.2.12", "host": "192.0.2.11"', "stations[1].controller.host"),
        ('{"network": "ethernet"}', '{"network": "none"}, "board": {"network": "ethernet"}', "board"),
        ('"board": {', '"board": {"password": "hunter2", "password": "hunter3", ', "board.password"),
    ],
)
@pytest.mark.parametrize("read", [config_file.read, config_file.read_to_run, config_file.parse, checked_config])
def test_a_key_that_is_given_twice_is_named_with_its_place(tmp_path, old, new, place, read):
    mistakes = mistakes_of(tmp_path, old, new, read)
    assert mistakes == [(place, "", "given more than once")]


def test_keys_that_are_given_twice_are_reported_together_with_all_other_mistakes(tmp_path):
    places = [place for place, *_ in mistakes_of(tmp_path, '"number": 2', '"number": 2, "number": 1, "nmae": ""')]
    assert sorted(places) == ["stations[1].nmae", "stations[1].number", "stations[1].number"]


def test_serial_line_without_pyserial_is_mistake_of_running_not_of_the_file(tmp_path, monkeypatch):
    old, new = '"controller": {"host": "192.0.2.10"}', '"controller": {"link": "3964r", "device": "/dev/ttyUSB0"}'
    path = written(tmp_path, GOOD.replace(old, new))
    assert config_file.read_to_run(path)["stations"][0]["controller"]["link"] == "3964r"
    monkeypatch.setattr(config_file, "find_spec", lambda name: None)
    [(place, value, allowed)] = mistakes_of(tmp_path, old, new, config_file.read_to_run)
    assert (place, value) == ("stations[0].controller.link", '"3964r"')
    assert installation.how_to_get("serial") in allowed
    assert config_file.read(path)
    assert installation.how_to_get("serial") in toolcart("run", "--link", "ascii", "--headless", code=2).output


def test_webhook_without_its_library_is_a_mistake_that_names_the_extra(tmp_path, monkeypatch):
    tree = json.loads(GOOD)
    tree["stations"][0]["outlets"] = [{"kind": "toolsnet"}, {"kind": "webhook", "url": "http://hook/"}]
    path = written(tmp_path, json.dumps(tree))
    assert config_file.not_runnable(config_file.read(path), tmp_path) == []
    monkeypatch.setattr(config_file, "find_spec", lambda name: None)
    [(place, value, allowed)] = config_file.not_runnable(config_file.read(path), tmp_path)
    assert (place, value) == ("stations[0].outlets[1].kind", '"webhook"')
    assert "the extra `webhook`" in allowed and installation.how_to_get("webhook") in allowed
    assert config_file.read_to_run(path), "an agent collects without it, and says why"
    checked = toolcart("config", "check", str(path), code=None).output
    assert place in checked and installation.how_to_get("webhook") in checked


def test_a_tree_of_any_depth_is_walked_without_recursion(tmp_path):
    deep = '{"a":' * 400 + '{"b": 1, "b": 2}' + "}" * 400
    assert wrong(tmp_path, deep, config_file.parse).mistakes[0][0].count(".") == 400


def test_files_of_tls_are_looked_at_before_anything_runs(tmp_path):
    path = written(tmp_path, cart_of(toolsnet={"tls_ca": "nothing.pem"}))
    assert config_file.read_to_run(path), "an agent collects without it"
    [(place, value, allowed)] = files.check(path).lacks
    assert place == "toolsnet.tls_ca" and value == f"{tmp_path}/nothing.pem: No such file or directory"
    assert allowed == "a file in PEM"
    output = check(path, code=1)
    assert "cannot run as it is on this machine" in output and "nothing.pem" in output


WEBHOOK = {"kind": "webhook", "url": "https://hook/"}
MQTT = {"kind": "mqtt", "host": "broker"}


@pytest.mark.parametrize(
    ("outlet", "key"),
    [
        *[({**WEBHOOK, "url": url}, "url") for url in ("ftp://x/", "http://", "http://a..b/", "http://x:0/", "x")],
        *[({**WEBHOOK, "url": url}, "url") for url in (f"http://{'a' * 64}.b/", "http://300.1.1.1/", "http://u@x/")],
        ({**WEBHOOK, "user": "anna"}, "user"),
        ({**WEBHOOK, "password": {"file": "secret"}}, "user"),
        ({**WEBHOOK, "user": "a:b", "password": {"file": "secret"}}, "user"),
        ({**WEBHOOK, "token": {"file": "secret"}, "user": "a", "password": {"file": "secret"}}, "token"),
        ({**WEBHOOK, "url": "http://hook/", "tls_ca": "ca.pem"}, "tls_ca"),
        ({**WEBHOOK, "tls_key": "key.pem"}, "tls_certificate"),
        ({**WEBHOOK, "tls_name": ".hook"}, "tls_name"),
        *[({**MQTT, "topic": topic}, "topic") for topic in ("a/#", "+/a", "$SYS/a", "a//b", "{cart}/a", "a/")],
        ({**MQTT, "password": {"file": "secret"}}, "user"),
        ({**MQTT, "tls_name": "b"}, "tls_name"),
        *[({**MQTT, "host": host}, "host") for host in ("a..b", "a" * 64, ":::zz", ".")],
        *[({"kind": "file", "path": path}, "path") for path in ("cart.json.sock", "./cart.json.sock", "cart.json")],
    ],
)
def test_what_an_outlet_would_refuse_is_a_mistake_of_the_file_for_everybody(tmp_path, outlet, key):
    (tmp_path / "secret").write_text("geheim")
    (tmp_path / "secret").chmod(0o600)
    tree = cart_of(station={"outlets": [{"kind": "toolsnet"}, outlet]})
    place = f"stations[0].outlets[1].{key}"
    for read in (config_file.read, config_file.read_to_run, config_file.read_to_install):
        assert [setting for setting, *_ in wrong(tmp_path, tree, read).mistakes] == [place], read
    path = tmp_path / "cart.json"
    assert place in check(path, code=2) and place in toolcart("run", "--plain", "--config", path, code=2).output
    assert files.check(path).mistakes, "what a reload asks"


@pytest.mark.parametrize("key", ["tls_name", "tls_certificate", "tls_key"])
def test_toolsnet_without_tls_has_no_settings_of_tls(tmp_path, key):
    for read in (config_file.read, config_file.read_to_run):
        [(place, *_)] = wrong(tmp_path, cart_of(toolsnet={key: "x"}), read).mistakes
        assert place == f"toolsnet.{key}"


def test_a_secret_that_cannot_be_read_is_one_mistake_and_not_also_one_of_what_needs_it(tmp_path):
    hook = {**WEBHOOK, "user": "anna", "password": {"file": "nowhere"}}
    tree = cart_of(station={"outlets": [{"kind": "toolsnet"}, hook]})
    assert [place for place, *_ in wrong(tmp_path, tree, config_file.read_whole).mistakes] == [
        "stations[0].outlets[1].password"
    ]
    assert config_file.read_to_run(tmp_path / "cart.json"), "an agent collects without it"


@pytest.mark.parametrize(("key", "value"), [("invert", True), ("rs485", "5")])
def test_a_line_that_only_a_chip_can_have_is_reported_before_the_port_refuses_it(tmp_path, key, value):
    line = {"link": "ascii", "device": "/dev/ttyUSB0", key: value}
    path = written(tmp_path, cart_of(station={"controller": line}))
    assert f"stations[0].controller.{key}" in check(path, code=1)


def test_time_zone_that_is_none_is_mistake_before_a_board_has_it(tmp_path):
    mistakes = mistakes_of(tmp_path, '"ethernet"', '"ethernet", "time_zone": "garbage!!"')
    assert mistakes[0][:2] == ("board.time_zone", '"garbage!!"') and "CET-1CEST" in mistakes[0][2]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": 1,\n // no\n "b": 2}', "a comment"),
        ("", "the file is empty"),
        ("# cart\nsystem:\n  name: x\n", "YAML"),
        ("[system]\nname = 1\n", "TOML"),
        ("<config/>", "XML"),
        ('{"a": 1,\n}', "a comma behind the last entry"),
        ("{'a': 1}", "another quote"),
        ('{"a": True}', "small letters"),
        ('{"a": 07}', "begins with 0"),
        ('{"a": [1, 2', "ends too early"),
        ('{"a": 1 "b": 2}', "a comma or a closing bracket is missing"),
    ],
)
def test_what_is_no_json_is_reported_in_words(tmp_path, text, expected):
    [(place, value, words)] = wrong(tmp_path, text).mistakes
    assert place.startswith(("line ", "(file)")) and value == "" and expected in words


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('{"a": 1,\n}', "line 1, column 8"),
        ('{"a": [1, 2 ,\n\n  ]\n}', "line 1, column 13"),
        ('{"a": {"b": 1\n ,}}', "line 2, column 2"),
        ('{"a": 1,,}', "line 1, column 9"),
        ('{\n"a": 1 "b": 2}', "line 2, column 8"),
    ],
)
def test_what_is_no_json_is_reported_where_it_is(tmp_path, text, where):
    [(place, *_)] = wrong(tmp_path, text).mistakes
    assert place == where


LONG = "1" * 5000


@pytest.mark.parametrize("number", [LONG, "-" + LONG, LONG + ".5", "1e999", "-1e999"])
def test_a_number_of_any_length_is_a_mistake_of_its_setting(tmp_path, number):
    with_schema = GOOD.replace("{", '{"$schema": ' + number + ", ", 1)
    assert config_file.read(written(tmp_path, with_schema)), "a key that nobody reads"
    assert files.Files(tmp_path / "cart.json").changed() == []
    for read in (config_file.read, config_file.read_to_run, config_file.read_to_install):
        [mistake] = mistakes_of(tmp_path, "6575", number, read)
        assert mistake == ("toolsnet.pim_port", "a huge number", "a whole number from 1 to 65535")
    assert mistakes_of(tmp_path, "6575", number + ', "reconnect_s": ' + number)[1][1] == "a huge number"


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_a_number_that_json_does_not_have_is_reported_where_it_is(tmp_path, number):
    [(place, _, words)] = mistakes_of(tmp_path, '"pim_port": 6575', f'"pim_host": "NaN", "pim_port": {number}')
    assert place == "line 2, column 73" and words == f"not JSON: {number} is no number of JSON; write digits"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[" * 100000, "line 1, column 7"),
        ('{"a[": ' * 5000 + "1" + "}" * 5000, "line 1, column 43"),
        ('{"a": [[]],\n"b": ' + "[" * 5000 + "]" * 5000 + "}", "line 2, column 11"),
    ],
)
def test_brackets_of_any_depth_are_reported_where_they_begin_to_be_too_deep(tmp_path, text, place):
    for read in (config_file.read, config_file.read_to_run, config_file.parse):
        [mistake] = wrong(tmp_path, text, read).mistakes
        assert mistake == (place, "", "nested too deeply: a configuration has 6 levels of brackets at most")
    assert files.first_of(files.check(tmp_path / "cart.json").all()).startswith(f"{place}: nested too deeply")


def test_no_configuration_has_more_levels_than_that():
    deepest = max(place.count(".") + place.count("[]") for place, *_ in config.describe())
    assert deepest + 1 + 1 == mistake_reasons.LEVELS_MOST, "the file itself; the list, or the name of a secret"


MARKS = {
    "utf-32-le": ("UTF-32", b"\xff\xfe\0\0"),
    "utf-32-be": ("UTF-32", b"\0\0\xfe\xff"),
    "utf-16-le": ("UTF-16", b"\xff\xfe"),
    "utf-16-be": ("UTF-16", b"\xfe\xff"),
}


@pytest.mark.parametrize("text", [GOOD, "{}", "  {}", "[]\n"])
@pytest.mark.parametrize("encoding", MARKS)
@pytest.mark.parametrize("has_mark", [True, False])
def test_a_file_in_another_encoding_is_called_by_its_name(tmp_path, text, encoding, has_mark):
    name, mark = MARKS[encoding]
    (tmp_path / "cart.json").write_bytes(mark * has_mark + text.encode(encoding))
    assert files.check(tmp_path / "cart.json").mistakes == [("(file)", "", f"{name}: save it as UTF-8")]
    (tmp_path / "carts.csv").write_bytes(mark * has_mark + text.encode(encoding))
    with pytest.raises(inventory.InventoryError) as raised:
        inventory.read(tmp_path / "carts.csv")
    assert raised.value.mistakes == [f"{name}: save it as UTF-8"]


@pytest.mark.parametrize(
    ("octets", "place", "words"),
    [
        (GOOD.replace("raw@", "röw@").encode("latin-1"), "line 6, column 77", "not UTF-8 (the byte 0xF6)"),
        (GOOD.replace("raw@", "r\u2014\xf6w@").encode("cp1252"), "line 6, column 77", "not UTF-8 (the byte 0x97)"),
        (b"\xef\xbb\xbf\n{\xff", "line 2, column 2", "not UTF-8 (the byte 0xFF)"),
        (b"\x1f\x8b\x08\0\0\0\0\0\xff\xff", "(file)", "a binary file"),
        (b"\0" * 400, "(file)", "nothing but NUL bytes, as a power failure may leave it"),
        (b"{\0\0\0\0\0\0\0\0", "line 1, column 2", "U+0000 (NUL)"),
    ],
)
def test_what_is_no_text_is_reported_where_it_is(tmp_path, octets, place, words):
    (tmp_path / "cart.json").write_bytes(octets)
    [mistake] = files.check(tmp_path / "cart.json").mistakes
    assert mistake[0] == place and words in mistake[2]


def test_a_byte_order_mark_of_utf_8_is_none_of_the_text(tmp_path):
    path = written(tmp_path, GOOD)
    (tmp_path / "cart.json").write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert config_file.read(path) and files.Files(path).changed() == []
    (tmp_path / "cart.json").write_bytes(b"\xef\xbb\xbf" * 2 + GOOD.encode())
    [(place, _, words)] = files.check(path).mistakes
    assert (
        place == "line 1, column 1" and words == "not JSON: an invisible character, U+FEFF (byte order mark): delete it"
    )


INVISIBLE = {
    "\xa0": "U+00A0 (no-break space)",
    "\u200b": "U+200B (zero width space)",
    "\u2028": "U+2028 (line separator)",
    "\u202e": "U+202E (right-to-left override)",
    "\xad": "U+00AD (soft hyphen)",
    "\u3000": "U+3000 (ideographic space)",
    "\ufeff": "U+FEFF (byte order mark)",
    "\0": "U+0000 (NUL)",
    "\x0b": "U+000B (vertical tab)",
    "\x0c": "U+000C (form feed)",
    "\x1b": "U+001B (escape)",
    "\x7f": "U+007F (delete)",
    "\x85": "U+0085 (next line)",
    "\x01": "U+0001 (control character)",
}
PLACES = ('{"a": 1, "b": [2, 3]}', (0, 1, 4, 5, 6, 7, 8, 9, 13, 14, 15, 16, 18, 19, 20, 21))


@pytest.mark.parametrize("character", INVISIBLE, ids=INVISIBLE.get)
def test_an_invisible_character_between_tokens_is_named_and_where_it_is(tmp_path, character):
    text, places = PLACES
    for at in places[character == "\ufeff" :]:  # at the beginning it is none of the text
        (tmp_path / "cart.json").write_bytes(f"{text[:at]}{character}{text[at:]}".encode())
        [(place, found, words)] = files.check(tmp_path / "cart.json").mistakes
        assert (place, found) == (f"line 1, column {at + 1}", "")
        assert words == f"not JSON: an invisible character, {INVISIBLE[character]}: delete it"


@pytest.mark.parametrize(("character", "name"), INVISIBLE.items(), ids=INVISIBLE.values())
def test_an_invisible_character_in_a_text_is_named_too(tmp_path, character, name):
    words = str(wrong(tmp_path, GOOD.replace("192.0.2.20", "192.0.2.20" + character)))
    if character < " ":
        assert f"line 2, column 39  not JSON: {name} in a text: delete it" in words
        return
    escaped = f'"192.0.2.20\\u{ord(character):04x}"'
    assert f"toolsnet.pim_host  an invisible character in it, {name}: {escaped}; expected a name" in words
    key = str(wrong(tmp_path, GOOD.replace('"board"', f'"boar{character}d"')))
    assert f"boar\\u{ord(character):04x}d  unknown setting; did you mean board?" in key


@pytest.mark.parametrize(
    ("old", "new", "offset", "words"),
    [
        ('20",', '20",,', 4, "a comma too many: delete it, or write what is missing in front of it"),
        ('20",', '20",\n\n ,', 7, "a comma too many"),
        ("6575", "[1,,2]", 3, "a comma too many"),
        ("6575", "[,2]", 1, "a comma too many"),
        ('20",', '20"\uff0c', 3, "U+FF0C (fullwidth comma): only texts may have it"),
        ("6575", "\uff16575", 0, "U+FF16 (fullwidth digit six)"),
        ("6575", "\u22126575", 0, "U+2212 (minus sign): only texts may have it"),
        *[
            ("6575", number, offset, f"a number in a form that JSON does not have: {number}; write it like 6575 or 0.5")
            for number, offset in (("+6575", 0), ("0x19AF", 1), (".5", 0), ("5.", 1), ("6_575", 1), ("6.5.7", 3))
        ],
        ("6575", "-07", 2, "a number that begins with 0"),
        ("6575", "6,575", 2, "a name without double quotes; a number has no comma in it"),
        ("6575", "TRUE", 0, "small letters"),
        ("6575", "auto", 0, "a text without quotes"),
        ("6575", "M\xfcnchen", 0, "a text without quotes"),
        ("6575", "\xc4rger", 0, "a text without quotes"),
        ('"192.0.2.20"', "`192.0.2.20`", 0, "another quote"),
        ('"192.0.2.20"', "\xab192.0.2.20\xbb", 0, "another quote"),
        ('192.0.2.20"', '192.0.2.20\t"', 10, "a tab in a text: delete it"),
        ('192.0.2.20"', '192.0.2.20\n"', 10, "its closing quote is missing"),
        ('192.0.2.20"', '192.0.2.20\0"', 10, "U+0000 (NUL) in a text: delete it"),
    ],
)
def test_what_is_often_typed_is_named(tmp_path, old, new, offset, words):
    [mistake] = mistakes_of(tmp_path, old, new)
    line, column = file_text.place_in(GOOD.replace(old, new), GOOD.index(old) + offset)
    assert mistake[0] == f"line {line}, column {column}" and words in mistake[2]


@pytest.mark.parametrize(
    ("place", "value", "expected"),
    [
        ("host", "10.20.7.300", '300 is above 255: "10.20.7.300"; expected a name'),
        ("host", "10.0.0.5:4545", "a port, which is a setting of its own"),
        ("host", "http://10.0.0.5", "a URL"),
        ("host", "[fe80::1]", "in brackets"),
        ("host", " 10.0.0.5", "a blank in it"),
        ("host", "", "empty"),
        ("host", "10.0.0", "an IPv4 address has four numbers"),
        ("port", "4545", "a number in quotes"),
        ("recover", "true", "in quotes"),
        ("link", "TCP", "capital letters"),
        ("link", "rs232", 'found "rs232"; expected one of tcp, ascii, 3964r'),
    ],
)
def test_what_is_wrong_with_a_value_comes_first(tmp_path, place, value, expected):
    tree = json.loads(GOOD)
    tree["stations"][0]["controller"][place] = value
    assert f"stations[0].controller.{place}  {expected}" in str(wrong(tmp_path, tree))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("10.0.0.1", 'a text in place of a list: "10.0.0.1"; expected 1 to 8 different hosts, in a list or null'),
        ("", 'a text in place of a list: ""'),
        (["a", "10.0.0.1:5"], 'a port, and a host alone is expected: ["10.0.0.1:5"]'),
        (["10.0.0.0/8"], 'a range of addresses: ["10.0.0.0/8"]'),
        (["http://a"], 'a URL: ["http://a"]'),
        (["b", "10.0.0.300"], '300 is above 255: ["10.0.0.300"]'),
        (["a", "b", "a"], 'twice in the list: ["a", "a"]'),
        (["a\u200b"], "an invisible character in it, U+200B"),
        (["a", 7], "found [7]; expected 1 to 8 different hosts, in a list or null"),
        ([], "found a list of 0; expected 1 to 8 different hosts, in a list or null"),
    ],
)
def test_of_a_list_of_hosts_the_wrong_one_is_named(tmp_path, value, expected):
    tree = json.loads(GOOD)
    tree["toolsnet"]["allow_hosts"] = value
    assert f"toolsnet.allow_hosts  {expected}" in str(wrong(tmp_path, tree))


def test_a_range_is_no_host_and_digits_that_are_too_many_no_number(tmp_path):
    tree = json.loads(GOOD)
    tree["toolsnet"]["pim_host"] = "10.0.0.0/24"
    tree["system"] = {"name": "1" * 99}
    words = str(wrong(tmp_path, tree))
    assert "a range of addresses" in words and "a number in quotes" not in words
