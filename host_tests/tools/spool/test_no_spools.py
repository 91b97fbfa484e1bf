"""Whatever a user names in place of a spool, every command says what it is, and ends as documented."""

import os
import shutil
import socket
import struct

import pytest

from toolcart.agent.base.crc import crc30
from toolcart.agent.log import block_head
from toolcart.board.linux import spool_header
from host_tests.support.quarantine import spool_with
from host_tests.support.running import cart_of, toolcart, written

PAGE = spool_header.PAGE_BYTES
LATER = 99  # no version of today


def cut(count):
    return lambda path: os.truncate(path, count)


def instead(make):
    """Make something else of this name."""

    def spoil(path):
        path.unlink()
        make(path)

    return spoil


def bound(path):
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


def folder_of_folders(path):
    (path / "0").mkdir(parents=True)


def of_a_later_header(path):
    octets = bytearray(path.read_bytes())
    for at in (0, spool_header.COPY_AT):
        struct.pack_into("<H", octets, at + 8, LATER)
        struct.pack_into("<I", octets, at + 44, crc30(octets, at, at + 44))
    path.write_bytes(octets)


def of_later_blocks(path):
    octets = bytearray(path.read_bytes())
    for at in range(PAGE, len(octets), 4096):
        if octets[at : at + 2] == b"TL":
            octets[at + 2] = LATER
            struct.pack_into("<I", octets, at + block_head.AT_CRC, crc30(octets, at, at + block_head.AT_CRC))
    path.write_bytes(octets)


def of_another_station(path):
    octets = path.read_bytes()
    old = spool_header.read(octets[:PAGE])
    new = spool_header.Header(old.unit_bytes, old.block_bytes, old.block_count, (3, 7, 77), old.identity)
    path.write_bytes(bytes(new.page()) + octets[PAGE:])


KIND = "is a device, pipe or socket, not a spool"
CASES = {  # what is done to it: what those say that only look at files, and those that give orders to its station
    "empty": (cut(0), "it is empty", "is an empty file"),
    "a folder": (instead(os.mkdir), "it holds no block files", "is a folder, not a spool"),
    "a folder of folders": (instead(folder_of_folders), "it holds no block files", "is a folder, not a spool"),
    "a pipe": (instead(os.mkfifo), "it is a pipe", KIND),
    "a socket": (instead(bound), "it is a socket", KIND),
    "a device": (instead(lambda path: path.symlink_to("/dev/null")), "it is a device", "is a symbolic link"),
    "nothing": (lambda path: path.unlink(), "No such file", "there is no such spool"),
    "a byte": (cut(1), "no block begins with a sound head", "does not begin as a spool"),
    "half a header": (cut(20), "it was cut short within its header", "was cut short within its header; none of its"),
    "a header, half a copy": (cut(2060), "it was cut short", "was cut short: it has 2060 bytes"),
    "a header": (cut(PAGE), "it was cut short", "none of its results is left in it"),
    "half a spool": (cut(34816), "it was cut short", "reads what is left"),
    "a later header": (of_a_later_header, "by another version of toolcart (header 99", "another version of toolcart"),
    "later blocks": (of_later_blocks, "it was made by another version of toolcart", "is of another version"),
    "text": (lambda path: path.write_text("Dear ToolsNet\n" * 900), "or no spool", "does not begin as a spool"),
    "another station's": (of_another_station, "", "belongs to station 77 of system 7"),
}
FILES = (["list"], ["check"], ["gaps"], ["info"], ["export"], ["list", "--json"], ["check", "--json"])
ORDERS = (
    ["quarantine", "list"],
    ["quarantine", "show", 1],
    ["quarantine", "export"],
    ["quarantine", "retry", "all"],
    ["quarantine", "drop", "all", "--yes"],
    ["spool", "offer-again", "--from", 1],
    ["spool", "offer-again", "--from", 1, "--dry-run"],
    ["spool", "offer-again", "--leave"],
)


@pytest.mark.parametrize("case", CASES)
def test_every_command_says_what_it_was_given_and_ends_as_documented(tmp_path, case):
    spoil, of_file, of_orders = CASES[case]
    made, path = spool_with(tmp_path, b"0061 nonsense"), tmp_path / "its.spool"
    shutil.move(made, path)
    spoil(path)
    code = 2 if of_file else 0
    for command in FILES:
        output = toolcart("spool", command[0], path, *command[1:], code=code)
        assert of_file in output.stderr, (command, output.stderr)
    output = toolcart("spool", "take-over", path, tmp_path / "new.spool", code=code)
    assert of_file in output.stderr and (tmp_path / "new.spool").exists() == (code == 0)
    config = written(tmp_path, cart_of(number=10, station={"spool": {"path": path.name, "size_kib": 64}}))
    for command in ORDERS:
        output = toolcart(*command, "--config", config, code=2)
        assert of_orders in output.stderr and "Traceback" not in output.stderr, (command, output.stderr)
        if of_file:
            assert of_orders in toolcart(*command, "--spool", path, code=2).stderr
    found = toolcart("doctor", "--offline", "--config", config, code=None)
    assert found.exit_code == int(case != "nothing"), found.output
    assert "its.spool" in found.stdout and (case == "nothing" or "XX  " in found.stdout)
