"""The schema, the settings' texts and the example come out of one table, and agree with what the agent takes."""

import copy
import json
import re

from hypothesis import given
from hypothesis import strategies as st

from toolcart.agent.cart import config
from toolcart.agent.cart.secrets import is_secret, redacted
from toolcart.agent.cart.settings import OUTLETS
from toolcart.agent.log.flash import FLASH_DONE
from toolcart.agent.record.result import LIMITS_BYTES
from toolcart.base.sources import ROOT
from toolcart.board.linux.spool_header import UNITS
from toolcart.board.ram_flash import RamFlash
from toolcart.tools.config import secrets as config_secrets
from toolcart.tools.config import setting_texts
from host_tests.support.log import append, mounted

SPARE = 1  # block that results leave free
BESIDE = 8  # blocks of state and quarantine

ROWS = list(config.describe())
KEYS = sorted(
    {place.rsplit(".", 1)[1] for place, *_ in ROWS}
    | {"$schema", "system", "toolsnet", "stations", "controller", "spool", "outlets"}
)


def good():
    return json.loads((ROOT / "toolcart/board/config.example.json").read_text(encoding="ascii"))


FITTING = {"url": "http://lines/"}  # of what is required, where a word alone is refused


def outlet_with(key):
    """The place of an outlet that has this setting, in a list with one of each kind, ToolsNet first; and that list."""
    listed = [{"kind": "toolsnet"}]
    having = []
    for kind, table in OUTLETS.items():
        rows = [row.split() for row in table.split("\n") if row]
        if key == "kind" or key in [row[0] for row in rows]:
            having.append(len(listed))
        if rows:
            listed.append({"kind": kind, **{row[0]: FITTING.get(row[0], "lines") for row in rows if row[2] == "-"}})
    return having[0] if having else 0, listed


def target_of(tree, place):
    """The object that holds the setting at this place, made where it is missing."""
    for part in place.split(".")[:-1]:
        if part == "stations[]":
            tree = tree["stations"][0]
        elif part == "outlets[]":
            index, listed = outlet_with(place.rsplit(".", 1)[1])
            tree = tree.setdefault("outlets", listed)[index]
        else:
            tree = tree.setdefault(part, {})
    return tree


def mistakes_at(place, value):
    tree = good()
    target_of(tree, place)[place.rsplit(".", 1)[1]] = value
    index = outlet_with(place.rsplit(".", 1)[1])[0]
    where = place.replace("stations[]", "stations[0]").replace("outlets[]", f"outlets[{index}]")
    # A relation to another setting is a different rule: it starts with its words.
    return [m for m in config.check(tree) if m[0] == where and not m[2].startswith(("less than", "at most"))]


def test_the_example_is_good():
    assert config.check(good()) == []
    assert config.complete(good())["toolsnet"]["pim_port"] == 6575


def test_every_setting_has_a_meaning_and_every_meaning_a_setting():
    assert {place for place, *_ in ROWS} == set(setting_texts.MEANINGS)


def test_every_setting_that_is_named_for_somebody_exists_and_is_named_once():
    named = setting_texts.named()
    assert len(named) == len(set(named)) and set(named) <= {place for place, *_ in ROWS}
    assert {setting_texts.audience(place) for place, *_ in ROWS} == set(setting_texts.AUDIENCES)


def test_every_setting_is_set_by_a_test_or_an_example():
    own = "test_config_schema.py"  # it goes through all of them
    tests = [file for file in (ROOT / "host_tests").rglob("*.py") if file.name != own]
    words = {word for file in tests for word in re.findall(r"\w+", file.read_text(encoding="utf-8"))}
    for page in (ROOT / "docs").rglob("*.md"):
        words |= set(re.findall(r'"(\w+)":', page.read_text(encoding="utf-8")))
    keys = {place.rsplit(".", 1)[1] for place, *_ in ROWS}
    assert {key for key in keys if not {key, re.sub("_s$", "_ms", key)} & words} == set()


def test_the_page_about_the_configuration_is_up_to_date():
    assert (ROOT / "docs/configuration.md").read_text(encoding="utf-8") == setting_texts.page()


def test_as_many_results_fit_as_the_page_says_for_each_unit():
    assert set(setting_texts.ROOM) == set(UNITS)
    blocks = 25
    for unit, counts in setting_texts.ROOM.items():
        for full, count in zip((0, LIMITS_BYTES), counts, strict=True):
            log = mounted(RamFlash(blocks, 4096, unit))
            stored = 0
            while append(log, stored + 1, extra=full) == FLASH_DONE:
                stored += 1
            a_mebibyte = stored * (1024 // 4 - BESIDE - SPARE) // (log.device.block_count - SPARE)
            assert abs(count - a_mebibyte) < 0.07 * a_mebibyte, (unit, full, a_mebibyte)


def test_no_setting_is_listed_twice_and_every_time_names_its_unit():
    assert len(ROWS) == len({place for place, *_ in ROWS})
    assert all((kind == "time") == place.endswith("_s") for place, kind, *_ in ROWS)


def test_the_secrets_among_the_settings_are_known():
    secrets = [place for place, *_ in ROWS if is_secret(place)]
    outlets = [f"stations[].outlets[].{key}" for key in ("token", "password", "tls_key")]
    assert secrets == ["toolsnet.tls_key", *outlets, "board.password"]
    written = [place for place in secrets if config_secrets.is_written(place.rsplit(".")[-1])]
    assert written == [*outlets[:2], "board.password"]


def test_every_numeric_range_holds_at_both_ends_for_every_setting():
    for place, kind, _unit, _default, allowed in ROWS:
        if kind in ("int", "time"):
            low, high = map(float, re.search(r"([\d.]+) to ([\d.]+)", allowed).groups())
            step = 1 if kind == "int" else 0.01
            number = int if kind == "int" else float
            assert mistakes_at(place, number(low)) == [] and mistakes_at(place, number(high)) == [], place
            assert mistakes_at(place, number(low - step)) and mistakes_at(place, number(high + step)), place


def test_every_choice_is_taken_and_nothing_else():
    for place, kind, _unit, _default, allowed in ROWS:
        if kind == "one":
            choices = allowed.removeprefix("one of ").split(", ")
            for word in choices:
                assert mistakes_at(place, int(word) if word.isdigit() else word) == [], place
            assert mistakes_at(place, choices[0] + "x") and mistakes_at(place, None), place


def test_every_default_written_out_is_good_and_changes_nothing():
    tree = good()
    target_of(tree, "stations[].outlets[].kind")
    written = config.complete(tree)
    for place, _kind, *_ in ROWS:
        key = place.rsplit(".", 1)[1]
        done = written["stations"][0] if place.startswith("stations") else written
        for part in place.split(".")[:-1]:
            index = outlet_with(key)[0]
            done = done["outlets"][index] if part == "outlets[]" else done if part == "stations[]" else done[part]
        value = done[key[:-1] + "ms"] / 1000 if key.endswith("_s") else done[key]
        target_of(tree, place)[key] = value
    assert config.check(tree) == []
    assert config.complete(tree) == written


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([10**4000, -(10**4000), 1, 7, 999, 4545])
    | st.floats()
    | st.text(max_size=60)
    | st.sampled_from(["tcp", "ascii", "auto", "a.spool"])
)
keys = st.sampled_from(KEYS) | st.text(max_size=40)
trees = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=6), max_leaves=25
)


@st.composite
def near_trees(draw):
    """A good tree with a few settings replaced by anything: gets past the first checks."""
    tree = good()
    for _ in range(draw(st.integers(0, 2))):
        tree["stations"].append(copy.deepcopy(tree["stations"][0]))
        tree["stations"][-1]["number"] = draw(st.integers(1, 4))
    for place in draw(st.lists(st.sampled_from([place for place, *_ in ROWS]), max_size=5)):
        target_of(tree, place)[place.rsplit(".", 1)[1]] = draw(trees)
    return tree


def holds_for(tree):
    before = copy.deepcopy(tree)
    mistakes = config.check(tree)
    for mistake in mistakes:
        assert len(mistake) == 3
        assert mistake[0] and mistake[2]
        for text in mistake:
            assert type(text) is str and text.isascii() and text.isprintable() and len(text) < 250
    if mistakes:
        try:
            config.complete(tree)
        except config.ConfigError as error:
            assert error.mistakes == mistakes
        else:
            raise AssertionError("completed in spite of mistakes")
    else:
        assert config.complete(tree) == config.complete(copy.deepcopy(tree))
    redacted(tree)
    assert repr(tree) == repr(before)


@given(trees)
def test_no_tree_makes_the_check_raise(tree):
    holds_for(tree)


@given(near_trees())
def test_no_nearly_good_tree_makes_the_check_raise(tree):
    holds_for(tree)


@given(st.floats(0.05, 3600))
def test_a_time_is_off_by_half_a_millisecond_at_most(seconds):
    assert abs(config.milliseconds(seconds) - seconds * 1000) <= 0.5 + 1e-6


def test_secrets_are_redacted_at_a_depth_that_no_recursion_reaches():
    tree = {"password": "hunter2"}
    for _ in range(100_000):
        tree = {"a": [tree]}
    hidden = redacted(tree)
    for _ in range(100_000):
        hidden = hidden["a"][0]
    assert hidden == {"password": "***"}
