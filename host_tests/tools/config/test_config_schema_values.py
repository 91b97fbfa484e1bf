"""The schema takes what the agent takes and refuses what it refuses; both come out of one table."""

import copy
import json
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolcart.agent.cart import config
from toolcart.base.sources import ROOT
from toolcart.tools.config import schema as config_schema
from toolcart.tools.config import secrets
from host_tests.tools.config.test_config_schema import ROWS, good, scalars, target_of

SCHEMA = config_schema.schema()


@cache
def validator():
    """What judges by the schema; its import takes two seconds, which each worker would wait for."""
    from jsonschema import Draft7Validator
    from jsonschema.validators import extend

    exact = Draft7Validator.TYPE_CHECKER.redefine("integer", lambda _, value: type(value) is int)
    return extend(Draft7Validator, type_checker=exact)(SCHEMA)  # 1.0 is no whole number here


def fits(value):
    """Whether a value is what the schema says."""
    return validator().is_valid(value)


TOGETHER = (
    "less than",
    "at most",
    "one of its own",
    "more than 0 KiB",
    "null on",
    "a file of",
    "null without",
    "our ",
    "room for",
)


def related(mistake):
    """Whether a mistake is one of two settings together, which a schema cannot tell."""
    return mistake[2].startswith(TOGETHER)


def within(mistake):
    """Whether a mistake may be one within a name, an address or a topic, of which a schema knows the letters."""
    key = mistake[0].rsplit(".", 1)[-1]
    return key in ("url", "topic", "user", "token", "tls_name") or "host" in key


def test_the_example_fits_and_names_the_schema_s_file():
    example = json.loads((ROOT / "toolcart/board/config.example.json").read_text())
    assert fits(example) and example["$schema"] == f"./{config_schema.FILE_NAME}"
    assert config.check(example) == []


def test_every_setting_is_there_with_its_meaning():
    for place, *_ in ROWS:
        part = SCHEMA
        for word in place.split("."):
            part = part["properties"][word.removesuffix("[]")]
            part = part["items"] if word.endswith("[]") else part
        assert part["description"]


def test_what_is_missing_for_a_kind_of_link_or_outlet_is_refused():
    tree = good()
    tree["stations"][0]["controller"] = {"link": "3964r"}
    assert not fits(tree)
    tree["stations"][0]["controller"]["device"] = "/dev/ttyUSB0"
    assert fits(tree)
    tree["stations"][0]["controller"]["device"] = None
    assert not fits(tree)
    tree["stations"][0]["controller"] = {"host": "10.0.0.2", "device": None}
    assert fits(tree)
    tree["stations"][0]["outlets"] = [{"kind": "toolsnet"}, {"kind": "file"}]
    assert not fits(tree)
    tree["stations"][0]["outlets"][1]["path"] = "lines"
    assert fits(tree)
    tree["stations"][0]["outlets"][0]["path"] = "lines"
    assert not fits(tree)


def test_a_station_without_outlets_needs_the_section_toolsnet():
    tree = good()
    del tree["toolsnet"]
    assert not fits(tree)
    tree["stations"][0]["outlets"] = [{"kind": "mqtt", "host": "b"}]
    assert fits(tree)
    tree["stations"][0]["outlets"] = []
    assert not fits(tree)


def test_a_secret_is_named_and_not_written():
    tree = good()
    for value, fine in (({"file": "a"}, True), ({"credential": "a"}, True), ("", True), ("geheim", False), ({}, False)):
        tree["board"] = {"password": value}
        assert fits(tree) is fine, value


@pytest.mark.parametrize("key", ["token", "password"])
def test_a_secret_of_an_outlet_may_be_null_and_is_not_empty(key):
    for value, fine in (({"file": "a"}, True), (None, True), ("", False), ("geheim", False)):
        tree = good()
        target = target_of(tree, f"stations[].outlets[].{key}")
        target[key] = value
        if key == "password" and value:
            target["user"] = "anna"
        assert fits(tree) is fine, value
        if not isinstance(value, dict):
            assert (config.check(tree) == []) is (fine or value == "geheim")


def is_written_out(place, value):
    """Whether a secret is text: refused where the file is read (toolcart.tools.config.secrets), before the agent."""
    return secrets.is_written(place.rsplit(".", 1)[1]) and isinstance(value, str) and value != ""


@given(st.sampled_from([place for place, *_ in ROWS]), scalars | st.lists(scalars))
def test_one_changed_setting_is_right_for_both_or_wrong_for_both(place, value):
    tree = good()
    parent = target_of(tree, place)
    parent[place.rsplit(".", 1)[1]] = value
    mistakes = [one for one in config.check(copy.deepcopy(tree)) if not related(one)]
    whole_float = isinstance(value, float) and place.rsplit(".", 1)[1][-2:] != "_s"
    if is_written_out(place, value):
        assert not fits(tree)
    elif not whole_float and place != "stations[].outlets[].kind":  # JSON has no whole numbers apart from others
        assert fits(tree) is (mistakes == []) or (fits(tree) and all(map(within, mistakes))), mistakes
