"""`toolcart image`: all that is missing is said before anything begins, and the checkout is frozen as it stands."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from toolcart.base.cache import Unavailable
from toolcart.tools.flash import image_command
from toolcart.tools.flash.package import core_digest, sources_for
from lab.firmware import image, rp2040, sources

TIMEOUT_S = 300
VERSION = "#define MICROPY_VERSION_MAJOR 1\n#define MICROPY_VERSION_MINOR %d\n#define MICROPY_VERSION_MICRO 0\n"
MPY_CROSS = "all:\n\t@echo made > made\n"
PORT = "all:\n\t@mkdir -p $(BUILD) && cat $(FROZEN_MANIFEST) > $(BUILD)/%s && echo $(BOARD) >> $(BUILD)/%s\n"
FAILS = "all:\n\t@echo 'main.c:3: error: no such thing'; false\n"


def written(file, text=""):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def tree(folder, board, minor=25, port=PORT):
    """A folder that looks like MicroPython's sources; its builds leave what they were told."""
    written(folder / "py/mpconfig.h", VERSION % minor)
    for part in board.parts:
        written(folder / part / "README.md")
    written(folder / "ports" / board.port / "boards" / board.folder / "mpconfigboard.h")
    written(folder / "mpy-cross/Makefile", MPY_CROSS)
    written(folder / "ports" / board.port / "Makefile", port.replace("%s", board.product))
    return folder


@pytest.fixture
def all_tools(monkeypatch):
    monkeypatch.setattr(image.shutil, "which", lambda program: f"/usr/bin/{program}")


def ran(*words):
    return CliRunner().invoke(image_command.image, [str(word) for word in words])


def test_the_command_and_the_table_know_the_same_boards():
    assert tuple(image.BOARDS) == image_command.BOARDS


@pytest.mark.parametrize("name", image.BOARDS)
def test_without_sources_it_says_how_to_get_them_for_this_board(name, all_tools):
    [said] = image.problems(image.BOARDS[name], None)
    board = image.BOARDS[name]
    assert f"git clone --branch {image.RELEASE}" in said
    assert f"make -C SOURCE/ports/{board.port} BOARD={board.folder} submodules" in said


@pytest.mark.parametrize("name", image.BOARDS)
def test_a_whole_folder_lacks_nothing(name, tmp_path, all_tools):
    assert image.problems(image.BOARDS[name], tree(tmp_path, image.BOARDS[name])) == []


def test_everything_that_is_missing_is_said_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(image.shutil, "which", lambda program: None)
    board = image.BOARDS["rpi_pico_w"]
    whole = tree(tmp_path, board, minor=23)
    (whole / "lib/lwip/README.md").unlink()  # an empty folder is what a clone without submodules has
    (whole / "ports/rp2/boards/RPI_PICO_W/mpconfigboard.h").unlink()
    (whole / "ports/rp2/boards/RPI_PICO_W").rmdir()
    programs, old, unknown, lacks = image.problems(board, whole)
    assert "1.23.0, 1.24.0 or later is needed" in old and f"checkout {image.RELEASE}" in old
    assert "does not know the board RPI_PICO_W" in unknown
    assert "lacks lib/lwip: make -C" in lacks and "cyw43" not in lacks
    assert "sudo apt-get install make gcc cmake gcc-arm-none-eabi" in programs


def test_an_esp32_needs_the_idf_set_up(tmp_path, monkeypatch):
    monkeypatch.setattr(image.shutil, "which", lambda program: None if program == "idf.py" else "/usr/bin/it")
    [said] = image.problems(image.BOARDS["esp32"], tree(tmp_path, image.BOARDS["esp32"]))
    assert "no idf.py" in said and "export.sh" in said


def test_another_folder_is_told_from_the_sources(tmp_path, all_tools):
    [said] = image.problems(image.BOARDS["esp32"], tmp_path)
    assert "no folder of MicroPython's sources" in said


def test_the_command_says_what_is_missing_and_builds_nothing(tmp_path, monkeypatch, all_tools):
    monkeypatch.chdir(tmp_path)
    told = ran("--board", "esp32", "--source", tmp_path)
    assert told.exit_code == 2 and told.stderr.startswith("toolcart: ") and told.stdout == ""
    told = ran("--board", "esp32", "--json")
    assert told.exit_code == 2 and len(json.loads(told.stdout)["missing"]) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["rpi_pico2_w", "esp32s3"])
def test_the_image_is_built_with_the_manifest_and_the_next_steps_are_said(name, tmp_path, monkeypatch, all_tools):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("toolcart.base.cache.CACHE", tmp_path / "cache")
    (tmp_path / "cache").mkdir()
    board = image.BOARDS[name]
    source = tree(tmp_path / "source", board)
    told = ran("--board", name, "--source", source, "--check")
    assert told.exit_code == 0 and told.stdout == f"{name}: nothing is missing.\n"
    told = ran("--board", name, "--source", source, "--json")
    assert told.exit_code == 0, told.output
    outcome = json.loads(told.stdout)
    made = Path(outcome["image"])
    assert made.suffix == (".uf2" if board.port == "rp2" else ".bin") and outcome["bytes"] == made.stat().st_size
    assert 'freeze("frozen", opt=2)' in made.read_text() and made.read_text().endswith(board.folder + "\n")
    assert (source / "mpy-cross/made").is_file()
    assert outcome["next"][-1] == f"toolcart flash --board {board.port} --port PORT --config cart.json"


def test_a_build_that_fails_names_its_first_error_and_where_all_of_it_is(tmp_path, monkeypatch, all_tools):
    monkeypatch.setattr("toolcart.base.cache.CACHE", tmp_path / "cache")
    (tmp_path / "cache").mkdir()
    source = tree(tmp_path / "source", image.BOARDS["rpi_pico_w"], port=FAILS)
    told = ran("--board", "rpi_pico_w", "--source", source, "--output", tmp_path / "no.uf2")
    assert told.exit_code == 1 and "main.c:3: error: no such thing" in told.stderr and "build.log" in told.stderr
    assert not (tmp_path / "no.uf2").exists()


@pytest.mark.parametrize("port", ["rp2", "esp32"])
def test_what_is_frozen_is_what_the_digest_names_as_it_stands(port, tmp_path):
    board = next(board for board in image.BOARDS.values() if board.port == port)
    written(tmp_path / "frozen/toolcart/agent/of_yesterday.py")
    image.lay_out(board, tmp_path)
    frozen = {file.relative_to(tmp_path / "frozen").as_posix() for file in (tmp_path / "frozen").rglob("*.py")}
    assert frozen == {source.name for source in sources_for(port)} | {"toolcart_frozen.py"}
    for source in sources_for(port):
        if source.name != "toolcart/board/rp2_flash.py":  # where the file system is smaller
            assert (tmp_path / "frozen" / source.name).read_text() == source.text
    assert core_digest(port) in (tmp_path / "frozen/toolcart_frozen.py").read_text()
    started = {file.name for file in (tmp_path / "start").iterdir()}
    assert started == ({"safe_mode.py", "_boot.py"} if port == "rp2" else {"safe_mode.py"})


@pytest.mark.parametrize("port", ["rp2", "esp32"])
def test_what_every_build_of_a_port_checks_out_is_looked_for(port):
    try:
        micropython = sources.folder() / "micropython"
    except Unavailable as reason:
        pytest.skip(str(reason))
    script = micropython / "ports" / port / ("CMakeLists.txt" if port == "rp2" else "esp32_common.cmake")
    always = set(re.findall(r"^list\(APPEND GIT_SUBMODULES (\S+)\)", script.read_text(), re.MULTILINE))
    always |= set(re.findall(r"(lib/[\w-]+)", (micropython / "py/mkrules.cmake").read_text()))
    for board in image.BOARDS.values():
        assert always and (board.port != port or always <= set(board.parts))


@pytest.mark.parametrize("port", ["rp2", "esp32"])
def test_micropython_s_own_tool_takes_the_manifest(port, tmp_path):
    """Every source is found and known by its whole name, as a traceback tells it."""
    try:
        micropython = sources.folder() / "micropython"
    except Unavailable as reason:
        pytest.skip(str(reason))
    board = next(board for board in image.BOARDS.values() if board.port == port)
    manifest = image.lay_out(board, tmp_path / "parts")
    places = {"MPY_DIR": str(micropython), "MPY_LIB_DIR": "", "PORT_DIR": str(micropython / "ports" / port)}
    code = (
        f"import sys; sys.path.insert(0, {str(micropython / 'tools')!r}); import manifestfile as mf; "
        f"m = mf.ManifestFile(mf.MODE_FREEZE, {places!r}); m.execute({str(manifest)!r}); "
        "print('\\n'.join(f'{f.target_path} {f.opt}' for f in m.files()))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=TIMEOUT_S)
    assert told.returncode == 0, told.stderr
    files = dict(line.rsplit(" ", 1) for line in told.stdout.splitlines())
    assert {source.name for source in sources_for(port)} <= {name for name, opt in files.items() if opt == "2"}
    assert files["safe_mode.py"] == "0" and "_boot.py" in files
    assert len(files) == len(told.stdout.splitlines()), "one of a name"


def test_an_image_of_an_rp2040_starts_the_agent_and_its_tracebacks_name_file_and_line(tmp_path, monkeypatch):
    if os.environ.get("TOOLCART_LONG") != "1":
        pytest.skip("a minute and a half of compiling, with --long")
    try:
        built = rp2040.build()
        rp2040.fill(_made(tmp_path / "warm"))  # lays out the sources, with what Debian's lack taken out
    except Unavailable as reason:
        pytest.skip(str(reason))

    class Bare(image.Board):
        product = "firmware.elf"  # picotool, which makes the UF2, is no package of bookworm

    work = rp2040.WORK
    monkeypatch.setenv("CMAKE_ARGS", f"-DCMAKE_EXE_LINKER_FLAGS=-L{work / 'lib'}")
    monkeypatch.setenv("CXXFLAGS", "-DPICO_CXX_DISABLE_ALLOCATION_OVERRIDES=1")
    made = image.build(Bare("rp2", "RPI_PICO"), work / "micropython", tmp_path / "build", print)
    firmware, script = tmp_path / "fw.bin", tmp_path / "job.py"
    subprocess.run(["arm-none-eabi-objcopy", "-O", "binary", made, firmware], check=True, timeout=TIMEOUT_S)
    script.write_text(
        "import toolcart.agent.cart.app, toolcart.board.main\n"
        "from toolcart.agent.openprotocol.ids import id_of\nid_of(None, 0)\n"
    )
    line = [str(firmware) if word == str(built / "fw.bin") else word for word in rp2040.command(script)]
    told = subprocess.run(line, capture_output=True, text=True, timeout=TIMEOUT_S)
    said = told.stdout + told.stderr
    text = next(source.text for source in sources_for("rp2") if source.name == "toolcart/agent/openprotocol/ids.py")
    wanted = text.splitlines().index("        value = value * 10 + digits[at + index] - 0x30") + 1
    assert f'File "toolcart/agent/openprotocol/ids.py", line {wanted}, in id_of' in said, said


def _made(folder):
    folder.mkdir()
    return folder
