"""The address of a line behind a device server."""

from toolcart.agent.link.serial_server import server_of, setting_errors


def test_an_address_has_a_scheme_a_host_and_a_port():
    assert server_of("socket://10.0.0.7:4001") == ("socket", "10.0.0.7", 4001)
    assert server_of("rfc2217://moxa.plant:950") == ("rfc2217", "moxa.plant", 950)


def test_what_is_no_address_is_reported():
    device = "socket://a:70000"
    assert server_of(device) is None and setting_errors({"device": device})[0][0] == "device"
