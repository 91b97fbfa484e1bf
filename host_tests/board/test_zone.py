"""A zone's rules give the hours of every moment; what is no rule is told apart."""

from toolcart.board.zone import fixed, parsed
from host_tests.board.test_clock import BERLIN

PORTABLE = True

NEW_YORK = "EST5EDT,M3.2.0,M11.1.0"
SYDNEY = "AEST-10AEDT,M10.1.0,M4.1.0/3"

# Moments of change in 2024 (UTC, out of the tz database), hours before and behind them.
CHANGES = (
    (BERLIN, 1711846800, 1, 2),  # 31 March 01:00
    (BERLIN, 1729990800, 2, 1),  # 27 October 01:00
    (NEW_YORK, 1710054000, -5, -4),  # 10 March 07:00
    (NEW_YORK, 1730613600, -4, -5),  # 3 November 06:00
    (SYDNEY, 1712419200, 11, 10),  # 6 April 16:00
    (SYDNEY, 1728144000, 10, 11),  # 5 October 16:00
)


def test_hours_change_on_the_second():
    for text, moment, before, behind in CHANGES:
        zone = parsed(text)
        assert zone.offset_s(moment - 1) == before * 3600, (text, moment)
        assert zone.offset_s(moment) == behind * 3600, (text, moment)


def test_turn_of_year_is_summer_in_south_and_winter_in_the_north():
    for moment in (1704067199, 1704067200):
        assert parsed(SYDNEY).offset_s(moment) == 11 * 3600
        assert parsed(BERLIN).offset_s(moment) == 3600


def test_zones_without_summer_time():
    assert parsed("IST-5:30").offset_s(1711846800) == 19800
    assert parsed("<-03>3").offset_s(1711846800) == -10800
    assert parsed("UTC0").offset_s(0) == 0
    assert fixed(-90).offset_s(1711846800) == -5400 and fixed(60).left_s(0) is None


def test_days_are_counted_with_and_without_the_leap_day():
    # J60 is 1 March in each year; 60 is 1 March in a leap year and 2 March in another.
    for text, first_2023, first_2024 in (
        ("AAA0BBB-1,J60/0,J300/0", 1677628800, 1709251200),
        ("AAA0BBB-1,60/0,300/0", 1677715200, 1709251200),
    ):
        zone = parsed(text)
        for moment in (first_2023, first_2024):
            assert zone.offset_s(moment - 1) == 0 and zone.offset_s(moment) == 3600, text


def test_what_is_no_zone_is_none():
    for text in (
        "",
        "Europe/Berlin",
        "CET",
        "CET-25",
        "C-1",
        "<+1>",
        "CET-1CEST",
        "CET-1CEST,M3.5.0",
        "CET-1,M3.5.0,M10.5.0",
        "CET-1CEST,M13.5.0,M10.5.0",
        "CET-1CEST,M3.6.0,M10.5.0",
        "CET-1CEST,M3.5.7,M10.5.0",
        "CET-1CEST,J0,J300",
        "CET-1CEST,M3.5.0,M10.5.0/3x",
        "CET-1CEST,M3.5.0,M10.5.0/168",
        "CET-1CEST,M3.5.0,M10.5.0,",
    ):
        assert parsed(text) is None, text
