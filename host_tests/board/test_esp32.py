"""An ESP32's board on fake modules: Wi-Fi, wired Ethernet, the lamp, and a partition as flash device."""

import pytest

from toolcart.tools.flash.pins import supply_of
from host_tests.board import fake_chip as fake
from host_tests.board.test_rp2 import settings


@pytest.fixture
def chip():
    fake.Partition.table = {}
    with fake.installed("esp32"):
        from toolcart.board.esp32 import board as esp32

        yield esp32


def test_wifi_is_joined(chip):
    board = chip.Board(settings(network="wifi", ssid="Plant", password="geheim-4711", country="DE"))
    board.network.tick(board.now())
    assert ("connect", ("Plant", "geheim-4711"), {}) in fake.Interface.last.calls


def test_codes_of_the_idf_are_failures(chip):
    board = chip.Board(settings(network="wifi", ssid="Plant"))
    board.network.tick(board.now())
    fake.Interface.last.code = 202  # wrong password
    board.network.tick(board.now())
    assert board.network.failures == 1


def test_the_wired_interface_has_the_common_pins_or_those_of_the_settings(chip):
    board = chip.Board(settings("esp32", network="ethernet"))
    named = fake.Interface.last.named
    assert [named[name].name for name in ("mdc", "mdio", "power")] == [23, 18, 16] and named["reset"] is None
    assert named["phy_addr"] == 1 and "ref_clk" not in named and not board.network.is_up()
    for clock, mode in (("clock_out 17", fake.Pin.OUT), ("clock_in 0", fake.Pin.IN)):
        chip.Board(settings("esp32", network="ethernet", ethernet_pins="power -, address 0, reset 5, " + clock))
        named = fake.Interface.last.named
        assert named["power"] is None and named["reset"].name == 5 and named["phy_addr"] == 0
        assert (named["ref_clk"].name, named["ref_clk_mode"]) == (int(clock.split()[1]), mode)


def test_there_is_a_lamp_only_where_one_is_named(chip):
    chip.Board(settings()).show_lamp(True)
    assert fake.Pin.made == {}
    chip.Board(settings(lamp="2")).show_lamp(True)
    assert fake.Pin.made[2].level == 1


def test_the_supply_is_read_in_microvolts(chip):
    fake.Partition.table = {"spool": fake.Partition(32)}
    wanted = {"supply": "min_mv 3000, pin 34, ratio 2", "network": "wifi"}
    board = chip.Board(settings("esp32", supply=supply_of("esp32", wanted)))
    fake.ADC.mv[34] = 1501
    device = board.flash({"path": "raw", "size_kib": 64})
    assert device.erase(0) == 0 and board.about()["supply"][0]["mv"] == 3002
    fake.ADC.mv[34] = 1499
    assert device.erase(0) < 0


def test_the_partition_keeps_the_contract_of_a_flash_device(chip):
    from toolcart.board.esp32 import flash as esp32_flash

    device = esp32_flash.PartitionFlash(fake.Partition(4))
    octets = bytearray(range(32))
    assert device.program(4096 + 16, octets, 32) == 0
    read = bytearray(64)
    assert device.read_into(4096 + 16, read, 32) == 0
    assert read[:32] == octets and read[32:] == bytes(32)
    assert device.erase(1) == 0
    device.read_into(4096, read, 64)
    assert read == b"\xff" * 64


def test_what_does_not_read_as_it_was_written_is_worn(chip):
    from toolcart.agent.log.flash import FLASH_WORN
    from toolcart.board.esp32 import flash as esp32_flash

    partition = fake.Partition(4)
    device = esp32_flash.PartitionFlash(partition)
    partition[4096 + 600] = 0xFE  # a bit that the erase left
    for octets, code in ((592, 0), (608, FLASH_WORN)):
        assert device.program(4096, bytearray(b"\xff" * 640), octets) == code
    assert device.program(8192, bytearray(640), 640) == 0
    assert partition[8192 : 8192 + 641] == bytes(640) + b"\xff"


def test_a_partition_that_fails_is_a_code_and_no_exception(chip, monkeypatch):
    from toolcart.agent.log.flash import FLASH_IO
    from toolcart.board.esp32 import flash as esp32_flash

    partition = fake.Partition(4)
    device = esp32_flash.PartitionFlash(partition)

    def fail(*_):
        raise OSError(5)

    for name in ("readblocks", "writeblocks", "ioctl"):
        monkeypatch.setattr(partition, name, fail)
    buf = bytearray(16)
    assert device.read_into(0, buf, 16) == device.program(0, buf, 16) == device.erase(0) == FLASH_IO


def test_a_table_without_that_partition_keeps_the_spool_in_files(chip, monkeypatch, tmp_path):
    from toolcart.board import chip as common

    monkeypatch.setattr(common, "FOLDER", str(tmp_path / "spool"))
    board = chip.Board(settings())
    assert board.flash({"path": "raw", "size_kib": 64}) is not None
    assert any("in files" in said for said in board.said)
