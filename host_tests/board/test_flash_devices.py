"""Flash devices on every interpreter: a folder of files keeps the contract."""

import os

from toolcart.agent.cart import status
from toolcart.agent.log.snapshot import STATE_BLOCKS
from toolcart.board.folder_flash import BLOCK_BYTES, FolderFlash
from host_tests.board.test_safe_mode import own_name, remove_tree
from host_tests.portable import need_files
from lab.harness.cart import Cart

PORTABLE = True
HEAP = "2m"  # both simulators, their frames and the agent


# A folder of files keeps the contract of a flash device, across a restart, and costs a file for each block in use.

FOLDER = own_name("folder_flash_test")


class Folder:
    def __enter__(self):
        need_files()
        self.__exit__()
        return self

    def __exit__(self, *_):
        if FOLDER in os.listdir("."):
            remove_tree(FOLDER)

    def device(self, blocks=4):
        return FolderFlash(FOLDER, blocks * BLOCK_BYTES)


def content(device, address, n):
    buf = bytearray(n)
    assert device.read_into(address, buf, n) == 0
    return bytes(buf)


def test_an_erased_block_has_no_file():
    with Folder() as folder:
        device = folder.device()
        device.program(0, bytearray(16), 16)
        device.program(BLOCK_BYTES, bytearray(16), 16)
        assert device.erase(0) == 0 and device.erase(3) == 0
        assert os.listdir(FOLDER) == ["0001"]
        assert content(device, 0, 16) == b"\xff" * 16


def test_reading_one_block_again_and_again_opens_its_file_once():
    with Folder() as folder:
        device = folder.device()
        device.program(0, bytearray(b"a" * 16), 16)
        device.program(BLOCK_BYTES, bytearray(b"b" * 16), 16)
        content(device, 0, 16)
        device._path = None  # who opens a file asks for its name
        for _ in range(3):
            assert content(device, 0, 16) == b"a" * 16
            assert content(device, BLOCK_BYTES, 16) == b"b" * 16


def test_a_folder_whose_state_and_log_are_gone_was_used_and_is_not_new():
    for empties in (True, False):
        with Folder() as folder:
            cart = Cart(make_flash=folder.device)
            for produced in (0, 3):
                cart.produce(produced)
                cart.run(5000)
                assert not is_state_lost(cart)
                restart(cart, folder)
                assert not is_state_lost(cart)
            names = sorted(os.listdir(FOLDER))
            for name in names:  # the log's own, and those of the state, or all but what it is
                if empties:
                    open(FOLDER + "/" + name, "wb").close()
                elif int(name) < STATE_BLOCKS or name == names[-1]:
                    os.remove(FOLDER + "/" + name)
            if not empties:
                open(FOLDER + "/%04d" % (int(names[-1]) + 1), "wb").close()
            restart(cart, folder)
            assert is_state_lost(cart)
            cart.produce(1)
            cart.run(5000)
            restart(cart, folder)
            assert not is_state_lost(cart), "it has another one now"


def test_a_folder_that_a_cut_left_with_the_first_file_alone_is_new():
    with Folder() as folder:
        folder.device()
        open(FOLDER + "/0000", "wb").close()
        cart = Cart(make_flash=folder.device)
        cart.run(5000)
        assert not is_state_lost(cart)


def restart(cart, folder):
    """The power comes back, and the board opens the folder again."""
    flash = cart.flashes["spool0"]
    flash.close()
    cart.flashes["spool0"] = folder.device(flash.block_count)
    cart.cut()
    cart.run(5000)


def is_state_lost(cart):
    return status.snapshot(cart.app)["stations"][0]["spool"]["state_lost"]
