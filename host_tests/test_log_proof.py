"""Every way in which the log and its state can be cut, on small flashes: nothing acknowledged is lost.

A small part of it in the normal run, all of it with --long. What is checked stands in support_log_proof.
"""

import os

import pytest

from host_tests.support_log_flash import BLANK, NEW, UNTOUCHED, Area, Dice
from host_tests.support_log_proof import (
    APPEND,
    APPEND_NEW,
    GIVE,
    GIVE_ALL,
    GIVE_SAVE,
    MAINTAIN,
    SAVE,
    Explorer,
    LostState,
    Promise,
    Session,
    Shape,
    StateExplorer,
    bases,
)

LONG = os.environ.get("TOOLCART_LONG") == "1"
DAILY = (APPEND, GIVE, GIVE_SAVE, GIVE_ALL)
ALL = (APPEND, APPEND_NEW, GIVE, GIVE_SAVE, GIVE_ALL, SAVE, MAINTAIN)
TWO, THREE = 512, 768  # octets of a state block of two and of three slots
SHAPES = [
    Shape(state_bytes=state, log_blocks=blocks, when_full=full)
    for state in (TWO, THREE)
    for blocks in (3, 4)
    for full in (0, 1)
]


def shape_name(shape):
    return shape.name


def explored(shape, start, operations, length, cuts, kind=Explorer, refusals=()):
    """Explore from some of a shape's images at rest, every `start`-th of them; return the explorer."""
    explorer = kind(shape, operations, length, refusals)
    for image, promise, way in bases(shape, 1000 if LONG else 60)[::start]:
        explorer.explore(image, promise, cuts, (way,))
    print(shape.name, explorer.images, "images", explorer.sessions, "sessions", explorer.forks, "forks")
    return explorer


@pytest.mark.parametrize("shape", SHAPES, ids=shape_name)
def test_one_cut_in_sessions_of_one_operation_loses_nothing(shape):
    explored(shape, 1 if LONG else 4, ALL, 1, 1)


@pytest.mark.parametrize("shape", SHAPES, ids=shape_name)
def test_two_cuts_in_sessions_of_one_operation_lose_nothing(shape):
    explored(shape, 1 if LONG else 60, DAILY, 1, 2)
