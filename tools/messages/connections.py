"""A station's connections in its status: the controller and its outlets, which of them work, and why one does not."""

from __future__ import annotations

from toolcart.tools.messages import board_advice, reasons
from toolcart.tools.messages.outlet_names import first_outlet


def main_connections(station: dict) -> dict[str, dict]:
    """Return the controller's part of the status, and that of the first outlet."""
    return {"controller": station.get("controller", {}), "outlet": first_outlet(station)}


def place_of(connection: dict) -> str:
    return connection["place"] if "place" in connection else reasons.address(connection["host"], connection["port"])


def is_working(connection: dict) -> bool:
    """True if the controller's session stands, or the outlet takes records."""
    return bool(connection["is_up"]) if "is_up" in connection else connection.get("state") in ("ready", "streaming")


def is_proven(connection: dict) -> bool:
    """True unless this outlet has no connection without a batch, and none was taken since the start."""
    return connection.get("batches_sent") != 0


def kind_of_reason(connection: dict) -> str:
    """Return what stays the same of the reason while only the words of the other side in it differ."""
    return str(connection.get("why_kind") or reason_of(connection).text())


def reason_of(connection: dict) -> reasons.Reason:
    """Return why this side of a station is down."""
    if "kind" not in connection:
        reason = reasons.of_controller(connection)
    else:
        reason = reasons.of_toolsnet(connection) if connection["kind"] == "toolsnet" else reasons.of_outlet(connection)
    return board_advice.of_connection(reason, connection) if connection.get("of_board") else reason
