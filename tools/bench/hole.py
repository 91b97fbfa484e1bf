"""Memory that is taken before everything that lives long: imported first, it lies low in the heap.

In pieces, so that what comes to lie in one of them does not spoil the others.
"""

PORTABLE = True

_PIECE_BYTES = 512  # more than the largest frame
_PIECES = 16
_pieces = []


def take():
    """Keep the place for others out of reach."""
    while len(_pieces) < _PIECES:
        _pieces.append(bytearray(_PIECE_BYTES))


def give():
    """Give the place back; it is free after the next collection."""
    _pieces.clear()


take()
