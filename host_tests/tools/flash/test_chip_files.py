"""What a chip gets: the files that it may import."""

import json
import re
import sys
import types

import pytest

from toolcart.base.sources import is_cpython_only, product_sources
from toolcart.tools.flash import frozen, package
from host_tests.tools.flash.test_flash_tool import CART, cart_in
from lab.cache import CHECKOUT


@pytest.fixture(scope="module", autouse=True)
def compiled_once():
    """Each program is compiled once for all tests of this module."""
    compiled, cache = package.compiled, {}

    def remembered(platform, architecture, kinds=()):
        key = platform, architecture, tuple(sorted(kinds))
        cache[key] = cache.get(key) or compiled(*key)
        return dict(cache[key])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(package, "compiled", remembered)
        yield compiled


@pytest.fixture
def cart(tmp_path):
    return cart_in(tmp_path)


@pytest.mark.parametrize("platform", package.PLATFORMS)
def test_every_import_of_a_version_is_in_it(platform):
    names = {source.name for source in package.sources_for(platform)}
    for source in package.sources_for(platform):
        for module in re.findall(r"^\s*from (toolcart\.(?:agent|board)[\w.]*) import", source.text, re.MULTILINE):
            path = module.replace(".", "/")
            if (CHECKOUT / f"{path}.py").is_file() and is_cpython_only(
                f"{path}.py", (CHECKOUT / f"{path}.py").read_text()
            ):
                continue  # imported where ON_CPYTHON alone
            another = platform not in module and any(word in module for word in frozen.OTHERS)
            assert another or f"{path}.py" in names or f"{path}/__init__.py" in names, f"{source.name}: {module}"


def test_no_file_of_another_board_is_in_a_version():
    names = {source.name for source in package.sources_for("rp2")}
    assert "toolcart/board/rp2/board.py" in names and "toolcart/board/chip.py" in names
    assert not names & {
        "toolcart/board/esp32/board.py",
        "toolcart/board/esp32/flash.py",
        "toolcart/board/unix/board.py",
        "toolcart/board/linux/board.py",
        "toolcart/board/boot.py",
    }
    assert names < {source.name for source in product_sources()}


def test_the_same_checkout_and_configuration_give_the_same_version(cart, compiled_once, monkeypatch):
    one = package.build("rp2", "armv6m", cart)
    monkeypatch.setattr(package, "compiled", compiled_once)
    assert one == package.build("rp2", "armv6m", cart)
    assert one.digest != package.build("esp32", "xtensawin", cart).digest


def test_another_configuration_is_another_version_with_one_file_changed(cart, tmp_path):
    other = tmp_path / "other.json"
    other.write_text(json.dumps({**CART, "system": {"number": 2}}))
    one, two = package.build("rp2", "armv6m", cart), package.build("rp2", "armv6m", other)
    assert [name for name in one.files if one.files[name] != two.files[name]] == ["config.json"]


def test_a_firmware_with_this_core_frozen_gets_the_configuration_only(cart):
    frozen = package.build("rp2", "armv6m", cart, package.core_digest("rp2"))
    assert list(frozen.files) == ["config.json"]
    assert package.SAFE_MODE not in frozen.root and frozen.unwanted == (package.SAFE_MODE,)
    other = package.build("rp2", "armv6m", cart, "another")
    assert len(other.files) > 30 and package.SAFE_MODE in other.root and not other.unwanted


def test_only_a_version_that_allows_commands_carries_them(cart, tmp_path, monkeypatch):
    other = tmp_path / "commands.json"
    stations = [{**each, "controller": {**each["controller"], "commands": ["vin"]}} for each in CART["stations"]]
    other.write_text(json.dumps({**CART, "stations": stations}))
    calls = []
    monkeypatch.setattr(package, "compiled", lambda platform, architecture, kinds: calls.append(kinds) or {})
    without, version = package.build("rp2", "armv6m", cart), package.build("rp2", "armv6m", other)
    assert calls == [{"toolsnet"}, {"toolsnet", "commands"}]
    assert b"commands" not in without.files["config.json"] and b'"commands":["vin"]' in version.files["config.json"]


def test_the_manifest_of_a_version_lists_every_file_with_its_hash(cart):
    version = package.build("rp2", "armv6m", cart)
    manifest = json.loads(version.manifest())
    assert manifest["digest"] == version.digest
    assert manifest["files"] == {name: [len(c), package.sha256(c)] for name, c in version.files.items()}


def test_main_starts_again_when_not_even_safe_mode_has_the_memory(monkeypatch):
    done = []

    def start():
        done.append("start")
        raise MemoryError

    safe_mode = types.SimpleNamespace(start=start)
    monkeypatch.setitem(sys.modules, "safe_mode", safe_mode)
    monkeypatch.setitem(sys.modules, "machine", types.SimpleNamespace(reset=lambda: done.append("reset")))
    monkeypatch.setattr("time.sleep", lambda seconds: done.append("time for Ctrl-C"))
    exec(compile(package.MAIN, "main.py", "exec"), {})
    assert done == ["start", "time for Ctrl-C", "reset"]


OF_MQTT = {f"toolcart/agent/mqtt/{name}.py" for name in ("__init__", "packets", "receipt", "session", "status")}
OF_MQTT |= {
    f"toolcart/agent/outlets/{name}.py"
    for name in ("batch", "mqtt", "mqtt_batch_window", "mqtt_message_size", "mqtt_receipts", "redelivery")
}
OF_MQTT |= {"toolcart/agent/record/json_line.py"}
OF_COMMANDS = {
    "toolcart/agent/openprotocol/commands.py",
    "toolcart/agent/station/commands.py",
    "toolcart/agent/station/command_orders.py",
}


@pytest.mark.parametrize(("kind", "more"), [("mqtt", OF_MQTT), ("commands", OF_COMMANDS)])
def test_only_version_that_needs_them_has_the_modules_of_what_is_optional(kind, more):
    without = {source.name for source in package.installed_sources("rp2")}
    assert {source.name for source in package.installed_sources("rp2", {"toolsnet", kind})} - without == more


def with_outlet(cart, **changes):
    tree = json.loads(cart.read_text())
    tree["stations"][0].update(changes.pop("station", {}))
    tree["stations"][0]["outlets"] = [{"kind": "toolsnet"}, {"kind": "mqtt", "host": "broker", **changes}]
    cart.write_text(json.dumps(tree))
    return package.checked_config(cart, "rp2")


def test_a_chip_may_have_a_broker_beside_toolsnet(cart):
    outlet = with_outlet(cart, topic="graz/{station}")["stations"][0]["outlets"][1]
    assert outlet["confirm"] == "consumer" and outlet["topic"] == "graz/{station}"


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"tls_ca": "ca.pem"}, "outlets[1].tls_ca"),
        ({"graphs": True}, "outlets[1].graphs"),
        ({"station": {"controller": {"host": "192.0.2.10", "results": "sync"}}}, "controller.results"),
        ({"kind": "file", "path": "x", "host": None}, "outlets"),
    ],
)
def test_what_a_chips_broker_cannot_be_is_reported(cart, changes, place):
    if changes.get("kind") == "file":
        tree = json.loads(cart.read_text())
        tree["stations"][0]["outlets"] = [{"kind": "toolsnet"}, {"kind": "file", "path": "x"}]
        cart.write_text(json.dumps(tree))
    with pytest.raises(package.config_file.ConfigurationError) as wrong:
        package.checked_config(cart, "rp2") if "kind" in changes else with_outlet(cart, **changes)
    assert any(place in mistake[0] for mistake in wrong.value.mistakes), wrong.value.mistakes
