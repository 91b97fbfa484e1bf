"""What a disk's refusal means and what helps: every reason has its words, an error its own."""

import errno
import os

import pytest

from toolcart.agent.cart.status import REFUSED_NAMES
from toolcart.board.linux import refusal as linux_refusal
from toolcart.board.why import refusal_of


def test_every_reason_has_words_and_advice():
    names = REFUSED_NAMES.split(",")
    assert sorted(linux_refusal.WORDS) == list(range(1, len(names)))
    for refusal in linux_refusal.WORDS:
        assert linux_refusal.meaning(refusal) and "{" not in linux_refusal.advice(refusal, "/home/pi/a b.spool")


@pytest.mark.parametrize(
    ("number", "word"),
    [
        (errno.EIO, "rescue '/home/my pi/a.spool'"),
    ],
)
def test_an_error_is_told_with_what_helps(number, word):
    told = linux_refusal.told(OSError(number, os.strerror(number)), "/home/my pi/a.spool")
    assert told.startswith(os.strerror(number)) and word in told
    assert refusal_of(number) in linux_refusal.WORDS


def test_a_user_without_a_name_is_a_number(tmp_path):
    assert linux_refusal.user_name(0) == "root" and linux_refusal.user_name(4000000) == "user 4000000"
    assert linux_refusal.owner_of(tmp_path) == linux_refusal.user_name(os.geteuid())
    assert linux_refusal.owner_of(tmp_path / "nothing") == "another user"
