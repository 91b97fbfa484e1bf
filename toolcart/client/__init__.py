"""A client of tightening controllers that speak Open Protocol, on asyncio (docs/library/client.md).

    async with connect("192.0.2.10") as controller:
        await controller.select_pset(5)
        async with controller.results() as results:
            async for result in results:
                if isinstance(result, Missed):
                    print(result)
                    continue
                print(result["tightening_id"], result.decimal("torque"))
                await result.acknowledge()

It runs the agent's own session machine (toolcart.agent.openprotocol.session); a blocking form is `connect_blocking`.
"""

from toolcart.client.blocking import (
    BlockingController,
    BlockingReceived,
    BlockingStream,
    connect_blocking,
    connect_serial_blocking,
)
from toolcart.client.connect import connect, connect_serial
from toolcart.client.connection_event import Connection
from toolcart.client.controller import Controller
from toolcart.client.errors import (
    ClientError,
    ConnectionLost,
    NothingCame,
    NotSent,
    OptionError,
    OutOfOrder,
    Refused,
    StateError,
    Unanswered,
    WrongAnswer,
)
from toolcart.client.missed import Missed
from toolcart.client.received import Received
from toolcart.client.stream import Stream

__all__ = [
    "BlockingController",
    "BlockingReceived",
    "BlockingStream",
    "ClientError",
    "Connection",
    "ConnectionLost",
    "Controller",
    "Missed",
    "NotSent",
    "NothingCame",
    "OptionError",
    "OutOfOrder",
    "Received",
    "Refused",
    "StateError",
    "Stream",
    "Unanswered",
    "WrongAnswer",
    "connect",
    "connect_blocking",
    "connect_serial",
    "connect_serial_blocking",
]
