"""What a chip gets: the files that it may import, with constants written out, of a known size, by mip as by flash."""

import ast
import functools
import http.server
import json
import re
import subprocess
import sys
import threading
import types
from pathlib import Path

import pytest
from mpremote import mip as mpremote_mip

from toolcart.base import subprocesses
from toolcart.base.constants import chip_sources, module_name, written_out
from toolcart.base.sources import Source, is_cpython_only, product_sources
from toolcart.tools.flash import mip, package
from host_tests.portable import Skip
from host_tests.support.running import toolcart
from host_tests.tools.flash.test_flash_tool import CART, cart_in
from lab.cache import CHECKOUT, Unavailable
from lab.harness.allocation_free_peers import TREE
from lab.runtimes.build import BOARD_MACHINES


@pytest.fixture(scope="module", autouse=True)
def compiled_once():
    """Each program is compiled once for all tests of this module."""
    compiled, known = package.compiled, {}

    def remembered(platform, architecture, kinds=()):
        key = platform, architecture, tuple(sorted(kinds))
        known[key] = known.get(key) or compiled(*key)
        return dict(known[key])

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
            another = platform not in module and any(word in module for word in package.OTHERS)
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
    asked = []
    monkeypatch.setattr(package, "compiled", lambda platform, architecture, kinds: asked.append(kinds) or {})
    without, version = package.build("rp2", "armv6m", cart), package.build("rp2", "armv6m", other)
    assert asked == [{"toolsnet"}, {"toolsnet", "commands"}]
    assert b"commands" not in without.files["config.json"] and b'"commands":["vin"]' in version.files["config.json"]


def test_the_manifest_of_a_version_lists_every_file_with_its_hash(cart):
    version = package.build("rp2", "armv6m", cart)
    told = json.loads(version.manifest())
    assert told["digest"] == version.digest
    assert told["files"] == {name: [len(c), package.sha256(c)] for name, c in version.files.items()}


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
OF_MQTT |= {"toolcart/agent/outlets/batch.py", "toolcart/agent/outlets/mqtt.py", "toolcart/agent/record/json_line.py"}
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
def test_what_a_chips_broker_cannot_be_is_said(cart, changes, place):
    if changes.get("kind") == "file":
        tree = json.loads(cart.read_text())
        tree["stations"][0]["outlets"] = [{"kind": "toolsnet"}, {"kind": "file", "path": "x"}]
        cart.write_text(json.dumps(tree))
    with pytest.raises(package.config_file.Wrong) as wrong:
        package.checked_config(cart, "rp2") if "kind" in changes else with_outlet(cart, **changes)
    assert any(place in mistake[0] for mistake in wrong.value.mistakes), wrong.value.mistakes


# What a chip gets: constants are numbers, and everything else stands where it stood.


@pytest.fixture(scope="module")
def files():
    return tuple(zip(product_sources(), chip_sources(), strict=True))


def given(text):
    return written_out(Source("lab/example.py", text))[0].text


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("A = const(4)  # words\nB = const(A * 2)\nprint(A, B)\n", "  # words\n\nprint(4, 8)\n"),
        ("from toolcart.agent.log.snapshot_fields import LOG, CURSOR as C\nx = C + LOG\n", "\nx = 9 + 0\n"),
        ("from toolcart.agent.log import snapshot_fields as n\nx = n.CURSOR\n", "\nx = 9\n"),
        ("from toolcart.agent.log.log import Log, LOG_FULL\nx = Log, LOG_FULL\n", None),
        ("from toolcart.agent.log.snapshot_fields import (\n    CURSOR,\n    LOG,\n)\nx = LOG\n", "\n\n\n\nx = 0\n"),
        (
            "def f():\n    from toolcart.agent.log.snapshot_fields import LOG\n    return LOG\n",
            "def f():\n    pass\n    return 0\n",
        ),
        ("LOG = const(3)\n\n\ndef f(LOG):\n    return LOG\n", "LOG = const(3)\n\n\ndef f(LOG):\n    return LOG\n"),
        ("x.LOG = y.LOG\nLOG = 1\n", "x.LOG = y.LOG\nLOG = 1\n"),
        ("from toolcart.agent.base.compat import ON_CPYTHON\nif ON_CPYTHON:\n    f()\n", "\nif 0:\n    f()\n"),
    ],
)
def test_a_constant_is_a_number_wherever_it_is_named(text, wanted):
    assert given(text) == (wanted or "from toolcart.agent.log.log import Log\nx = Log, (-3)\n")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("A = const(4)\n_B = bytes((A,) * 2)  # words\nx = (1, _B)\n", "\n  # words\nx = (1, b'\\x04\\x04')\n"),
        ("from toolcart.agent.log import snapshot_fields as n\n_B = (n.CURSOR, None)\nx = _B\n", "\n\nx = (9, None)\n"),
        ("_B = 1 << 3\nx = y[_B]\n", "\nx = y[8]\n"),
        ("_B = 'a'\n\n\ndef f():\n    global _B\n    _B = 'b'\n", None),
        ("_B = [1]\n_C = len(_B)\n_D = f\n_E = bytearray(2)\nx = _B, _C, _D, _E\n", None),
        ("B = (1, 2)\nx = B\n", None),  # others may ask whether it is this one
    ],
)
def test_a_private_table_of_constants_is_written_where_it_is_named(text, wanted):
    assert given(text) == (wanted or text)


def test_a_class_keeps_only_what_is_looked_up_in_it():
    text = 'class A:\n    """Words,\n    two lines."""\n\n    __slots__ = (\n        "a",\n    )\n\n    b = 1\n'
    made = given(text)
    assert made == "class A:\n    del __module__, __qualname__\n\n\n    \n\n\n\n    b = 1\n"
    assert given("class A:\n    pass\n") == "class A:\n    pass\n"


def test_a_module_whose_name_is_used_twice_is_refused():
    with pytest.raises(ValueError, match="n is a module whose constants are written out, and something else as well"):
        given("from toolcart.agent.log import snapshot_fields as n\ndef f(n):\n    return n.LOG\n")


def test_every_function_of_a_chip_stands_in_its_line(files):
    for source, chip in files:
        assert places(source) == places(chip), source.name
        assert source.text.count("\n") == chip.text.count("\n")


def places(source):
    kinds = ast.FunctionDef | ast.ClassDef
    return [(node.name, node.lineno) for node in ast.walk(ast.parse(source.text)) if isinstance(node, kinds)]


def test_every_name_that_a_chip_imports_is_there(files):
    has = {module_name(chip.name): bound(ast.parse(chip.text)) for _, chip in files}
    lacking = []
    for _, chip in files:
        for node in ast.walk(ast.parse(chip.text)):
            if isinstance(node, ast.ImportFrom) and node.module in has:
                names = {alias.name for alias in node.names if f"{node.module}.{alias.name}" not in has}
                lacking += [(chip.name, name) for name in names - has[node.module]]
    assert lacking == [("toolcart/agent/base/compat.py", "fields_cpython")]  # CPython alone asks for it


def bound(tree):
    """The names that a module has."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.ImportFrom | ast.Import):
            found |= {(alias.asname or alias.name) for alias in node.names}
    return found


def test_nothing_of_the_product_is_left_a_constant(files):
    """But a name that one file uses for two things."""
    kept = [(chip.name, line) for _, chip in files for line in chip.text.splitlines() if "= const(" in line]
    assert len(kept) < 8, kept


# What a chip depends on: the size of what it is given, and what a station loads.

# What it is today and a little more, so that growth is noticed.
ALL_BYTES = 330 * 1024


def test_station_over_tcp_loads_neither_serial_links_nor_old_layouts():
    source = (
        "import sys; from toolcart.agent.base import compat; "
        "compat.ON_CPYTHON = False; "  # a board is given nothing of toolcart.agent.linux
        "compat.give_back = lambda package, module: None; "  # what only a start loads counts as well
        "import json; from lab.harness.allocation_free_peers import Workbench; "
        "bench = Workbench(json.loads(sys.argv[1])); "  # completed elsewhere, as a board is given it
        "bench.settle(); assert bench.many_results(5); print(*sys.modules)"
    )
    command = subprocesses.command("-c", source, json.dumps(package.completed(TREE)))
    loaded = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout.split()
    assert "toolcart.agent.outlets.toolsnet.forward" in loaded and "toolcart.agent.link.stream" in loaded
    assert not [name for name in loaded if name.endswith(("r3964", "serial_ascii", "layouts", "status"))]
    assert {"toolcart.agent.cart.app", "toolcart.agent.cart.storage", "toolcart.agent.cart.assembly"} <= set(loaded)


def test_the_core_imports_no_category_and_no_names():
    source = "import sys; from toolcart import catalogue; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", source], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    loaded = {name.rpartition(".")[2] for name in done.stdout.split() if name.startswith("toolcart.catalogue.")}
    assert not loaded & {"tightening", "session", "pids", "units", "meanings", "compiled", "nexo"}


def test_what_is_copied_to_a_board_does_not_grow_unnoticed():
    try:
        files = package.compiled("rp2", BOARD_MACHINES[0])
    except Unavailable as reason:
        raise Skip(str(reason)) from None
    assert "toolcart/agent/cart/app.mpy" in files and "toolcart/board/rp2/board.mpy" in files
    assert "toolcart/board/esp32/board.mpy" not in files
    assert sum(map(len, files.values())) < ALL_BYTES


# What `toolcart mip` writes is installed by mpremote's own mip, starts, and is what `toolcart flash` would bring.

BUILT = package.Version(
    "rp2",
    "0123456789abcdef",
    {"toolcart/agent/__init__.mpy": b"M1", "toolcart/board/main.mpy": b"M2", "config.json": b"{}"},
    {"/safe_mode.mpy": b"M3", "/boot.py": b"# boot\n", "/main.py": package.MAIN},
)


class Board:
    """mpremote's transport, onto a folder."""

    def __init__(self, folder):
        self.folder = folder
        self.written = []

    def at(self, path):
        return self.folder / path.lstrip("/")

    def fs_exists(self, path):
        return self.at(path).exists()

    def fs_mkdir(self, path):
        self.at(path).mkdir()

    def fs_writefile(self, path, octets, progress_callback=None):
        self.written.append(path)
        self.at(path).write_bytes(octets)


@pytest.fixture
def served(tmp_path):
    """The folder, and its address on a server of the loopback; a path that leads out of it is refused by the server."""
    folder = tmp_path / "served"
    mip.write(folder, BUILT)

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *words):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def install(board, address):
    mpremote_mip._install_package(board, address, "http://127.0.0.1:1", "/", None, True)


def on(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


WANTED = {
    **{f"a/{name}": content for name, content in BUILT.files.items()},
    **{path.lstrip("/"): content for path, content in BUILT.root.items()},
    "a/version.json": BUILT.manifest(),
}


@pytest.mark.parametrize("how", ["server", "server's root", "disk"])
def test_mpremote_s_mip_installs_what_flash_would_bring(served, tmp_path, capsys, how):
    folder, address = served
    (tmp_path / "board").mkdir()
    board = Board(tmp_path / "board")
    install(board, {"server": f"{address}/package.json", "server's root": address}.get(how, f"{folder}/package.json"))
    assert on(board.folder) == WANTED
    assert board.written[-1].endswith("a/version.json")


def test_every_address_is_below_the_folder(served):
    folder, _ = served
    told = json.loads((folder / mip.INDEX).read_text())
    for name, address in told["urls"]:
        assert name == address and not address.startswith("/") and ".." not in Path(address).parts
        assert (folder / address).is_file()


def test_the_command_writes_a_version_with_its_configuration(tmp_path, monkeypatch):
    cart = tmp_path / "cart.json"
    cart.write_text(json.dumps({**CART, "board": {"network": "ethernet"}}))
    monkeypatch.setattr(package, "compiled", lambda *_: {"toolcart/agent/__init__.mpy": b"M"})
    words = ["mip", tmp_path / "out", "--board", "rp2", "--config", cart]
    assert "mpremote mip install --target=/" in toolcart(*words).output
    assert json.loads((tmp_path / "out/a/config.json").read_text())["board"]["network"] == "ethernet"
    assert "not empty" in toolcart(*words, code=1).output
    cart.write_text("{}")
    words[1] = tmp_path / "other"
    assert "missing; expected a list" in toolcart(*words, code=2).output and not words[1].exists()
