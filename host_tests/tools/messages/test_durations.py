"""Figures for people have no exponent."""

import pytest

from toolcart.tools.doctor import local
from toolcart.tools.messages.durations import rounded


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.0, "0"), (0.836, "0.84"), (8.36, "8.4"), (83.6, "84"), (364.0, "360"), (0.0000123, "0.000012")],
)
def test_a_figure_has_two_digits_that_count_and_no_exponent(value, words):
    assert rounded(value) == words


def test_a_slow_disk_is_told_in_milliseconds():
    assert local._disk("station 1", 364.2, 1234.5).words == "slow: write latency: 360 ms mean, 1200 ms worst of 20"
