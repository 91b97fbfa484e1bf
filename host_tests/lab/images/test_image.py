"""`toolcart image`: all that is missing is said before anything begins, and the checkout is frozen as it stands."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from toolcart.base.privileges import as_root
from toolcart.tools.flash import boards, image, image_command
from toolcart.tools.flash.frozen import core_digest, sources_for
from lab.cache import Unavailable
from lab.firmware import rp2040, sources

TIMEOUT_S = 300
VERSION = "#define MICROPY_VERSION_MAJOR 1\n#define MICROPY_VERSION_MINOR %d\n#define MICROPY_VERSION_MICRO 0\n"
MPY_CROSS = "all:\n\t@echo made > made\n"
PORT = (
    "all:\n\t@mkdir -p $(BUILD) && cat $(FROZEN_MANIFEST) > $(BUILD)/%s && echo $(BOARD) >> $(BUILD)/%s\n"
    "\t@cat $(BOARD_DIR)/mpconfigboard.h > $(BUILD)/told; head -c {size} /dev/zero > $(BUILD)/{program}\n"
)
PROGRAM = {"rp2": "firmware.bin", "esp32": "micropython.bin"}
FAILS = "all:\n\t@echo 'main.c:3: error: no such thing'; false\n"


def written(file, text=""):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def tree(folder, board, minor=25, port=PORT, size=600000):
    """A folder that looks like MicroPython's sources; its builds leave what they were told, and `size` bytes."""
    written(folder / "py/mpconfig.h", VERSION % minor)
    for part in board.parts:
        written(folder / part / "README.md")
    ours = folder / "ports" / board.port / "boards" / board.folder
    written(ours / "mpconfigboard.h", "#define MICROPY_HW_FLASH_STORAGE_BYTES (1408 * 1024)\n")
    written(ours / "mpconfigboard.cmake", "set(SDKCONFIG_DEFAULTS boards/sdkconfig.base)\n")
    written(folder / "mpy-cross/Makefile", MPY_CROSS)
    text = port.replace("%s", board.product).replace("{size}", str(size)).replace("{program}", PROGRAM[board.port])
    written(folder / "ports" / board.port / "Makefile", text)
    return folder


@pytest.fixture
def all_tools(monkeypatch, tmp_path):
    monkeypatch.setattr(image.shutil, "which", lambda program: f"/usr/bin/{program}")
    monkeypatch.setattr(image, "_has_header", lambda language, header: True)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def ran(*words):
    return CliRunner().invoke(image_command.image, [str(word) for word in words])


@pytest.mark.parametrize("name", boards.BOARDS)
def test_without_sources_it_says_how_to_get_them_for_this_board(name, all_tools):
    [problem] = image.problems(boards.BOARDS[name], None)
    board = boards.BOARDS[name]
    assert f"git clone --branch {image.RELEASE}" in problem
    assert f"make -C SOURCE/ports/{board.port} BOARD={board.folder} submodules" in problem


@pytest.mark.parametrize("name", boards.BOARDS)
def test_a_whole_folder_lacks_nothing(name, tmp_path, all_tools):
    assert image.problems(boards.BOARDS[name], tree(tmp_path, boards.BOARDS[name])) == []


def test_everything_that_is_missing_is_reported_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(image.shutil, "which", lambda program: None)
    board = boards.BOARDS["rpi_pico_w"]
    whole = tree(tmp_path, board, minor=23)
    (whole / "lib/lwip/README.md").unlink()  # an empty folder is what a clone without submodules has
    shutil.rmtree(whole / "ports/rp2/boards/RPI_PICO_W")
    programs, old, unknown, lacks = image.problems(board, whole)
    assert "1.23.0, 1.25.0 or later is needed" in old and f"checkout {image.RELEASE}" in old
    assert "does not know the board RPI_PICO_W" in unknown
    assert "lacks lib/lwip: make -C" in lacks and "cyw43" not in lacks
    wanted = "make gcc python3 cmake gcc-arm-none-eabi libnewlib-arm-none-eabi libstdc++"
    assert as_root(f"apt-get install {wanted}") in programs


@pytest.mark.parametrize(("lacks", "package"), [("c", "libnewlib-arm-none-eabi"), ("c++", "libstdc++-arm-none-eabi-")])
def test_headers_that_the_compiler_does_not_find_are_missing(tmp_path, monkeypatch, all_tools, lacks, package):
    monkeypatch.setattr(image, "_has_header", lambda language, header: language != lacks)
    [problem] = image.problems(boards.BOARDS["rpi_pico"], tree(tmp_path, boards.BOARDS["rpi_pico"]))
    assert problem.startswith(f"programs are missing: {as_root(f'apt-get install {package}')}")


def test_headers_are_looked_for_with_the_compiler_itself(tmp_path, monkeypatch):
    gcc = tmp_path / "arm-none-eabi-gcc"
    gcc.write_text("#!/bin/sh\ncase $* in *c++*) exit 1;; esac\n")
    gcc.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert image._has_header("c", "stdint.h") and not image._has_header("c++", "cstdint")


@pytest.mark.skipif(shutil.which("cmake") is None, reason="cmake is not installed")
def test_picotool_is_looked_for_as_the_sdk_does(tmp_path, monkeypatch, all_tools):
    board = boards.BOARDS["rpi_pico"]
    source = tree(tmp_path / "source", board)
    tools = source / "lib/pico-sdk/tools/CMakeLists.txt"
    written(tools, "    set(picotool_VERSION_REQUIRED 99.1.1)\n")
    [problem] = image.problems(board, source)
    assert problem.startswith("picotool 99.1.1 is missing") and "git clone --branch 99.1.1" in problem
    for version, is_there in (("99.1.0", False), ("99.1.1", True)):
        place = tmp_path / version
        written(place / "picotoolConfig.cmake")
        accepts = f"if(PACKAGE_FIND_VERSION VERSION_EQUAL {version})\nset(PACKAGE_VERSION_COMPATIBLE TRUE)\nendif()\n"
        written(place / "picotoolConfigVersion.cmake", f"set(PACKAGE_VERSION {version})\n{accepts}")
        monkeypatch.setenv("picotool_ROOT", str(place))
        assert (image.problems(board, source) == []) is is_there


@pytest.mark.parametrize("name", ["rpi_pico", "rpi_pico_w", "w5500_evb_pico", "rpi_pico2_w"])
def test_a_program_that_reaches_into_the_storage_is_refused(name, tmp_path, all_tools):
    board = boards.BOARDS[name]
    room = board.program_kib * 1024
    for size, code in ((room, 0), (room + 1, 1)):
        source = tree(tmp_path / str(size), board, size=size)
        done = ran("--board", name, "--source", source, "--output", tmp_path / "it.uf2")
        assert done.exit_code == code, done.output
    assert (
        f"the program takes {board.program_kib + 1} KiB, and {board.folder} has {board.program_kib} in" in done.stderr
    )


def test_division_of_flash_is_what_the_build_gets_and_what_is_shown(tmp_path, all_tools):
    board = boards.BOARDS["w5500_evb_pico"]
    done = ran(
        "--board", "w5500_evb_pico", "--source", tree(tmp_path / "source", board), "--output", tmp_path / "it.uf2"
    )
    [out] = (tmp_path / "cache").rglob("out/told")
    assert "1408" in out.read_text() and out.read_text().endswith(f"STORAGE_BYTES ({2048 - 1024} * 1024)\n")
    assert (
        "0           586      1024      1280      2048 KiB\n| program   | free   | files   | spool   |" in done.stderr
    )


def test_other_sources_have_another_folder_and_no_build_of_first_goes_on(tmp_path, all_tools):
    board = boards.BOARDS["rpi_pico"]
    for name in ("one", "two"):
        done = ran("--board", "rpi_pico", "--source", tree(tmp_path / name, board), "--output", tmp_path / "it.uf2")
        assert f"make -C {tmp_path / name}/ports/rp2" in done.stderr
    assert len(list((tmp_path / "cache/toolcart").iterdir())) == 2


def test_an_esp32_needs_the_idf_set_up(tmp_path, monkeypatch):
    monkeypatch.setattr(image.shutil, "which", lambda program: None if program == "idf.py" else "/usr/bin/it")
    [problem] = image.problems(boards.BOARDS["esp32"], tree(tmp_path, boards.BOARDS["esp32"]))
    assert "no idf.py" in problem and "export.sh" in problem


@pytest.mark.parametrize("name", ["esp32", "esp32s3"])
def test_an_esp32_is_prepared_down_to_the_line_that_builds_it(name, tmp_path, monkeypatch, all_tools):
    monkeypatch.setattr(image.shutil, "which", lambda program: None if program == "idf.py" else "/usr/bin/it")
    board = boards.BOARDS[name]
    done = ran("--board", name, "--source", tree(tmp_path / "source", board), "--json")
    assert done.exit_code == 2
    outcome = json.loads(done.stdout)
    line = outcome["prepared"].split()
    assert line[0] == "idf.py" and line[-1] == "build" and len(outcome["missing"]) == 1
    ours = Path(next(word for word in line if word.startswith("MICROPY_BOARD_DIR=")).split("=")[1])
    manifest = Path(next(word for word in line if word.startswith("MICROPY_FROZEN_MANIFEST=")).split("=")[1])
    assert 'freeze("frozen", opt=2)' in manifest.read_text()
    assert (ours / "mpconfigboard.cmake").read_text().endswith("${MICROPY_BOARD_DIR}/sdkconfig.toolcart)\n")
    settings = (ours / "sdkconfig.toolcart").read_text()
    assert f'CONFIG_PARTITION_TABLE_CUSTOM_FILENAME="{ours / "partitions.csv"}"' in settings
    rows = [row.split(",") for row in (ours / "partitions.csv").read_text().splitlines()[1:]]
    places = [(int(at, 16), int(size, 16)) for *_, at, size in rows]
    assert all(at + size == after for (at, size), (after, _) in zip(places, [*places[1:], (4 << 20, 0)], strict=True))
    assert [row[0] for row in rows] == ["nvs", "phy_init", "factory", "vfs", "spool"]


def test_another_folder_is_distinguished_from_the_sources(tmp_path, all_tools):
    [problem] = image.problems(boards.BOARDS["esp32"], tmp_path)
    assert "not a folder of MicroPython's sources" in problem


def test_the_command_says_what_is_missing_and_builds_nothing(tmp_path, monkeypatch, all_tools):
    monkeypatch.chdir(tmp_path)
    done = ran("--board", "esp32", "--source", tmp_path)
    assert done.exit_code == 2 and done.stderr.startswith("toolcart: ") and done.stdout == ""
    done = ran("--board", "esp32", "--json")
    assert done.exit_code == 2 and len(json.loads(done.stdout)["missing"]) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["rpi_pico2_w", "esp32s3"])
def test_image_is_built_with_the_manifest_and_the_next_steps_are_reported(name, tmp_path, monkeypatch, all_tools):
    monkeypatch.chdir(tmp_path)
    board = boards.BOARDS[name]
    source = tree(tmp_path / "source", board)
    done = ran("--board", name, "--source", source, "--check")
    assert done.exit_code == 0 and done.stdout == f"{name}: nothing is missing.\n"
    done = ran("--board", name, "--source", source, "--json")
    assert done.exit_code == 0, done.output
    outcome = json.loads(done.stdout)
    program = Path(outcome["image"])
    assert program.suffix == (".uf2" if board.port == "rp2" else ".bin") and outcome["bytes"] == program.stat().st_size
    assert 'freeze("frozen", opt=2)' in program.read_text() and program.read_text().endswith(board.folder + "\n")
    assert (source / "mpy-cross/made").is_file()
    assert outcome["next"][-1] == f"toolcart flash --board {board.port} --port PORT --config cart.json"


def test_a_build_that_fails_names_its_first_error_and_its_log(tmp_path, monkeypatch, all_tools):
    source = tree(tmp_path / "source", boards.BOARDS["rpi_pico_w"], port=FAILS)
    done = ran("--board", "rpi_pico_w", "--source", source, "--output", tmp_path / "no.uf2")
    assert done.exit_code == 1 and "main.c:3: error: no such thing" in done.stderr and "build.log" in done.stderr
    assert not (tmp_path / "no.uf2").exists()


@pytest.mark.parametrize("port", ["rp2", "esp32"])
def test_what_is_frozen_is_what_the_digest_names_as_it_stands(port, tmp_path):
    board = next(board for board in boards.BOARDS.values() if board.port == port)
    written(tmp_path / "frozen/toolcart/agent/of_yesterday.py")
    image.lay_out(board, tree(tmp_path / "source", board), tmp_path)
    frozen = {file.relative_to(tmp_path / "frozen").as_posix() for file in (tmp_path / "frozen").rglob("*.py")}
    assert frozen == {source.name for source in sources_for(port)} | {"toolcart_frozen.py"}
    for source in sources_for(port):
        assert (tmp_path / "frozen" / source.name).read_text() == source.text
    assert core_digest(port) in (tmp_path / "frozen/toolcart_frozen.py").read_text()
    started = {file.name for file in (tmp_path / "start").iterdir()}
    assert started == ({"safe_mode.py", "_boot.py"} if port == "rp2" else {"safe_mode.py"})


def sources_folder():
    try:
        return sources.folder() / "micropython"
    except Unavailable as reason:
        pytest.skip(str(reason))


def test_every_board_of_the_ports_is_read_from_its_definition(tmp_path):
    micropython = sources_folder()
    source = tmp_path / "with its SDK"
    (source / "lib").mkdir(parents=True)
    (source / "lib/pico-sdk").symlink_to(sources.folder() / "pico-sdk")
    read = {}
    for port in ("rp2", "esp32"):
        for definition in sorted((micropython / "ports" / port / "boards").iterdir()):
            if (definition / "mpconfigboard.cmake").is_file():
                try:
                    read[definition.name] = boards.of_definition(definition, source)
                except ValueError as reason:
                    read[definition.name] = str(reason)
    refused = {name: board for name, board in read.items() if isinstance(board, str)}
    assert all("PICO_FLASH_SIZE_BYTES" in reason or "KiB of flash" in reason for reason in refused.values()), refused
    assert len(read) - len(refused) > 45
    for known in boards.BOARDS.values():
        found = read[known.folder]
        assert (found.port, found.parts, found.chip) == (known.port, known.parts, known.chip), known.folder
        assert found.flash_kib >= known.flash_kib  # an image of ours fits the smaller boards of a kind as well
        assert found.program_kib >= known.program_kib or known.port == "esp32"


@pytest.mark.parametrize("port", ["rp2", "esp32"])
def test_a_board_of_one_s_own_is_built_from_its_definition(port, tmp_path, monkeypatch, all_tools):
    monkeypatch.chdir(tmp_path)
    known = next(board for board in boards.BOARDS.values() if board.port == port)
    source = tree(tmp_path / "source", known)
    own = tmp_path / "MY_CART"
    written(own / "mpconfigboard.h", '#define MICROPY_HW_BOARD_NAME "cart"\n')
    if port == "rp2":
        written(own / "mpconfigboard.cmake", 'set(PICO_BOARD "my_cart")\n')
        written(own / "my_cart.h", "#define PICO_FLASH_SIZE_BYTES (16 * 1024 * 1024)\n")
    else:
        written(own / "mpconfigboard.cmake", "set(IDF_TARGET esp32s3)\nset(SDKCONFIG_DEFAULTS boards/sdkconfig.base)\n")
        written(own / "sdkconfig.board", "CONFIG_ESPTOOLPY_FLASHSIZE_4MB=\nCONFIG_ESPTOOLPY_FLASHSIZE_8MB=y\n")
    done = ran("--board-dir", own, "--source", source, "--jobs", "1", "--json")
    assert done.exit_code == 0, done.output
    outcome = json.loads(done.stdout)
    assert outcome["board"] == "my_cart" and Path(outcome["image"]).name.startswith("toolcart-my_cart.")
    assert outcome["next"][-1] == f"toolcart flash --board {port} --port PORT --config cart.json"
    if port == "esp32":
        assert "--chip esp32s3" in outcome["next"][0] and "write-flash 0x0" in outcome["next"][0]
        assert "| spool" in done.stderr and "8192 KiB" in done.stderr
    else:
        assert "16384 KiB" in done.stderr


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "has no mpconfigboard.cmake"),
        ({"mpconfigboard.cmake": "", "own.h": ""}, "does not say PICO_FLASH_SIZE_BYTES"),
        ({"mpconfigboard.cmake": "", "own.h": "#define PICO_FLASH_SIZE_BYTES (1 * 1024 * 1024)"}, "1024 KiB of flash"),
        (
            {"mpconfigboard.cmake": "set(IDF_TARGET esp32c3)", "sdkconfig.board": "CONFIG_ESPTOOLPY_FLASHSIZE_2MB=y"},
            "2048 KiB of flash, 4096 are needed",
        ),
    ],
)
def test_what_defines_no_board_that_can_hold_a_spool_is_refused_in_words(tmp_path, files, words):
    (tmp_path / "own").mkdir()
    for name, text in files.items():
        written(tmp_path / "own" / name, text)
    done = ran("--board-dir", tmp_path / "own")
    assert done.exit_code == 2 and words in done.stderr


def test_without_the_sdk_a_definition_is_told_what_the_board_of_that_name_is_told(tmp_path, all_tools):
    """The size of its flash is in the SDK: until that is there nothing is wrong with the definition."""
    known = boards.BOARDS["rpi_pico"]
    source = tree(tmp_path / "source", known)
    for part in known.parts:
        (source / part / "README.md").unlink()
    in_port = source / "ports/rp2/boards/RPI_PICO"
    written(in_port / "mpconfigboard.cmake", 'set(PICO_BOARD "pico")\n')
    by_name = ran("--board", "rpi_pico", "--source", source, "--check")
    by_folder = ran("--board-dir", in_port, "--source", source, "--check")
    assert by_name.exit_code == by_folder.exit_code == 2
    assert by_folder.stderr == by_name.stderr and "lacks lib/micropython-lib, lib/pico-sdk" in by_name.stderr
    own = tmp_path / "MY_CART"
    written(own / "mpconfigboard.cmake", 'set(PICO_BOARD "pico")\n')
    done = ran("--board-dir", own, "--source", source)
    assert done.exit_code == 2 and f"make -C {source}/ports/rp2 BOARD_DIR={own} submodules" in done.stderr
    assert "no MicroPython sources are named (--source)" in ran("--board-dir", own).stderr
    written(source / "lib/pico-sdk/README.md")
    assert "pico.h, the Pico SDK's header of MY_CART, does not" in ran("--board-dir", own, "--source", source).stderr


def test_a_board_is_named_once(tmp_path):
    for words in ((), ("--board", "rpi_pico", "--board-dir", tmp_path)):
        done = ran(*words)
        assert done.exit_code == 2 and "--board or by --board-dir" in done.stderr


@pytest.mark.parametrize("port", ["rp2", "esp32"])
def test_what_every_build_of_a_port_checks_out_is_looked_for(port):
    try:
        micropython = sources.folder() / "micropython"
    except Unavailable as reason:
        pytest.skip(str(reason))
    script = micropython / "ports" / port / ("CMakeLists.txt" if port == "rp2" else "esp32_common.cmake")
    always = set(re.findall(r"^list\(APPEND GIT_SUBMODULES (\S+)\)", script.read_text(), re.MULTILINE))
    always |= set(re.findall(r"(lib/[\w-]+)", (micropython / "py/mkrules.cmake").read_text()))
    for board in boards.BOARDS.values():
        assert always and (board.port != port or always <= set(board.parts))


@pytest.mark.parametrize("port", ["rp2", "esp32"])
def test_micropython_s_own_tool_accepts_the_manifest(port, tmp_path):
    """Every source is found and known by its whole name, as a traceback tells it."""
    try:
        micropython = sources.folder() / "micropython"
    except Unavailable as reason:
        pytest.skip(str(reason))
    board = next(board for board in boards.BOARDS.values() if board.port == port)
    manifest = image.lay_out(board, micropython, tmp_path / "parts")
    places = {"MPY_DIR": str(micropython), "MPY_LIB_DIR": "", "PORT_DIR": str(micropython / "ports" / port)}
    code = (
        f"import sys; sys.path.insert(0, {str(micropython / 'tools')!r}); import manifestfile as mf; "
        f"m = mf.ManifestFile(mf.MODE_FREEZE, {places!r}); m.execute({str(manifest)!r}); "
        "print('\\n'.join(f'{f.target_path} {f.opt}' for f in m.files()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=TIMEOUT_S)
    assert done.returncode == 0, done.stderr
    files = dict(line.rsplit(" ", 1) for line in done.stdout.splitlines())
    assert {source.name for source in sources_for(port)} <= {name for name, opt in files.items() if opt == "2"}
    assert files["safe_mode.py"] == "0" and "_boot.py" in files
    assert len(files) == len(done.stdout.splitlines()), "one of a name"


@pytest.mark.long("a minute and a half of compiling")
def test_image_of_rp2040_starts_agent_and_its_tracebacks_name_file_and_line(tmp_path, monkeypatch):
    try:
        built = rp2040.build()
        rp2040.fill(_new_folder(tmp_path / "warm"))  # lays out the sources, with what Debian's lack taken out
    except Unavailable as reason:
        pytest.skip(str(reason))

    class Bare(boards.Board):
        product = "firmware.elf"  # picotool, which makes the UF2, is no package of bookworm

    work = rp2040.WORK
    monkeypatch.setenv("CMAKE_ARGS", f"-DCMAKE_EXE_LINKER_FLAGS=-L{work / 'lib'}")
    monkeypatch.setenv("CXXFLAGS", "-DPICO_CXX_DISABLE_ALLOCATION_OVERRIDES=1")
    program = image.build(Bare("rp2", "RPI_PICO", 2048, 1024), work / "micropython", tmp_path / "build", print)
    firmware, script = tmp_path / "fw.bin", tmp_path / "job.py"
    subprocess.run(["arm-none-eabi-objcopy", "-O", "binary", program, firmware], check=True, timeout=TIMEOUT_S)
    script.write_text(
        "import toolcart.agent.cart.app, toolcart.board.main\n"
        "from toolcart.agent.openprotocol.ids import id_of\nid_of(None, 0)\n"
    )
    line = [str(firmware) if word == str(built / "fw.bin") else word for word in rp2040.command(script)]
    done = subprocess.run(line, capture_output=True, text=True, timeout=TIMEOUT_S)
    output = done.stdout + done.stderr
    text = next(source.text for source in sources_for("rp2") if source.name == "toolcart/agent/openprotocol/ids.py")
    wanted = text.splitlines().index("        value = value * 10 + digits[at + index] - 0x30") + 1
    assert f'File "toolcart/agent/openprotocol/ids.py", line {wanted}, in id_of' in output, output


def _new_folder(folder):
    folder.mkdir()
    return folder
