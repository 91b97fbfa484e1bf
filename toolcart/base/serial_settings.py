"""What a serial line can be set to, out of the rows that say it: those of toolcart.agent.cart.settings."""

from toolcart.agent.cart.settings import CONTROLLER


def _choices(key: str) -> tuple[str, ...]:
    (row,) = (row for row in CONTROLLER.split("\n") if row.startswith(key + " "))
    return tuple(row.split()[3].split(","))


LINKS = _choices("link")
PROCEDURES = tuple(link for link in LINKS if link != "tcp")
NAMED = " or ".join(PROCEDURES)
WITH_DEVICE = [procedure + ":DEVICE" for procedure in PROCEDURES]
BAUDS = tuple(int(baud) for baud in _choices("baud"))
PARITIES = _choices("parity")
