"""The configuration used for measurements: one station over TCP, everything else at its default."""

PORTABLE = True

PIM_PORT = 6575


TREE = {
    "system": {},
    "toolsnet": {"pim_host": "192.0.2.20", "pim_port": PIM_PORT},
    "stations": [
        {
            "number": 1,
            "controller": {"host": "192.0.2.10"},
            "spool": {"path": "spool", "size_kib": 40, "parked_kib": 12},
        }
    ],
}


def configuration():
    """Return it completed, as a board is given it (toolcart.tools.flash.package)."""
    from toolcart.agent.cart.config import complete

    return complete(TREE)
