"""What the tests of a board on Linux share."""

import pytest

from toolcart.board.linux.board import Board


@pytest.fixture
def board(tmp_path):
    board = Board(str(tmp_path))
    yield board
    for port in board._ports:
        port.close()
    board.close()
