"""Fixed-width fields: blanks are absent, anything else that is no number is told, text passes unchanged."""

from toolcart.agent.base import fields as f

PORTABLE = True


def test_a_buffer_holds_octets_only_where_they_begin():
    for buf in (b"01230", bytearray(b"01230")):
        assert f.holds(buf, 0, bytearray(b"0123")) and f.holds(buf, 1, b"1230") and f.holds(buf, 4, b"0")
        assert not f.holds(buf, 0, b"123") and not f.holds(buf, 2, b"2301") and not f.holds(buf, 3, b"0")
