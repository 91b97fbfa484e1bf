"""The RP2040 image as a machine that mpremote can talk to, and its parts that need no machine."""

import ast
import contextlib
import hashlib
import os
import pty
import shutil
import struct
import subprocess
import sys
import tty

import pytest

from toolcart.base.sources import compiler
from host_tests.lab.images.test_rp2040_image import built
from host_tests.support.firmware import need_rp2040
from lab.cache import CHECKOUT, Unavailable
from lab.firmware import programs, rp2040

DEADLINE_S = 60
FILE_BYTES = 3000


@contextlib.contextmanager
def behind_a_tty(command):
    """Run a machine whose console is a terminal device; yields its name."""
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    tty.setraw(ours)
    machine = subprocess.Popen(command, stdin=ours, stdout=ours, stderr=subprocess.DEVNULL)
    try:
        yield os.ttyname(theirs)
    finally:
        machine.kill()
        machine.wait()
        os.close(ours)
        os.close(theirs)


def mpremote(device, *words):
    command = [sys.executable, "-m", "mpremote", "connect", device, "resume", *words]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=DEADLINE_S)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout.strip()


@pytest.fixture(scope="module", autouse=True)
def mpremote_is_there():
    pytest.importorskip("mpremote")


@built
def test_file_copied_to_rp2040_image_is_there_after_restart_with_same_hash(tmp_path):
    need_rp2040()
    octets = os.urandom(FILE_BYTES)
    (tmp_path / "kept.bin").write_bytes(octets)
    with behind_a_tty(rp2040.command(flash=tmp_path / "flash.bin")) as device:
        mpremote(device, "fs", "cp", str(tmp_path / "kept.bin"), ":kept.bin")
        mpremote(device, "soft-reset")
        assert hashlib.sha256(octets).hexdigest() in mpremote(device, "fs", "sha256sum", "kept.bin")


def test_uf2_carries_the_image_page_by_page():
    image = bytes(range(256)) * 3 + b"tail"
    blocks = rp2040.uf2(image)
    assert len(blocks) == 4 * 512
    heads = [struct.unpack_from("<8I", blocks, at) for at in range(0, len(blocks), 512)]
    assert [head[3] for head in heads] == [0x10000000 + 256 * number for number in range(4)]
    assert {head[6:] for head in heads} == {(4, rp2040.UF2_FAMILY_RP2040)}
    carried = b"".join(blocks[at + 32 : at + 288] for at in range(0, len(blocks), 512))
    assert carried.rstrip(b"\0") == image


def test_program_that_is_missing_is_named_with_its_package(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda program: None)
    with pytest.raises(Unavailable, match="qemu-system-arm"):
        programs.have(programs.QEMU_SYSTEM, install=False)


MOST_BYTES = 2140  # of 1.25's compiler: then 1.28's has no branch of more than 2,020 bytes, of 2,046 that it reaches


def test_no_loop_of_machine_code_is_longer_than_a_branch_reaches(tmp_path):
    text = (CHECKOUT / "toolcart/agent/base/fields_viper.py").read_text(encoding="utf-8")
    functions = [node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef) and node.decorator_list]

    def compiled_bytes(kept):
        lines = text.splitlines()
        for function in functions:
            if function is not kept:
                first = function.decorator_list[0].lineno - 1
                lines[first : function.end_lineno] = [""] * (function.end_lineno - first)
        (tmp_path / "one.py").write_text("\n".join(lines) + "\n")
        line = [compiler()[0], "-O2", "-march=armv6m", "-o", str(tmp_path / "one.mpy"), str(tmp_path / "one.py")]
        subprocess.run(line, check=True, timeout=DEADLINE_S)
        return (tmp_path / "one.mpy").stat().st_size

    rest = compiled_bytes(None)
    sizes = {function.name: compiled_bytes(function) - rest for function in functions}
    assert len(sizes) > 8 and max(sizes.values()) <= MOST_BYTES, sizes


def test_machine_code_reads_no_constant_from_its_own_text():
    # Frozen for an ARMv6-M that text may lie at an address where the processor reads another word (firmware.md).
    tree = ast.parse((CHECKOUT / "toolcart/agent/base/fields_viper.py").read_text(encoding="utf-8"))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.decorator_list]
    assert len(functions) > 8
    for function in functions:
        for node in ast.walk(function):
            if isinstance(node, ast.Constant) and isinstance(node.value, int):
                assert node.value <= 255, f"{function.name}: {node.value}"
