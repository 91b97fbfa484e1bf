"""The configuration that is measured: one station over TCP, everything else as it is by default."""

PORTABLE = True

PIM_PORT = 6575


def configuration():
    """Return the completed configuration of one station; a board forgets agent.cart.config afterwards."""
    from agent.cart.config import complete

    spool = {"path": "spool", "size_kib": 40, "parked_kib": 12}
    station = {"number": 1, "controller": {"host": "192.0.2.10"}, "spool": spool}
    return complete({"system": {}, "toolsnet": {"pim_host": "192.0.2.20", "pim_port": PIM_PORT}, "stations": [station]})
