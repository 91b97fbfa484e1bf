"""A message that a controller has pushed, or that was fetched in its place: a Message that can be acknowledged."""

from __future__ import annotations

from typing import Any

from toolcart.catalogue.message import Message

RESULT = 61
FETCHED = 65


def tightening_id(message: Any) -> int | None:
    """Return the ID of a result; None for what is none, and for 0: a controller without IDs sends that."""
    if message is None or message.mid not in (RESULT, FETCHED):
        return None
    number = message.raw().get("tightening_id")
    return (number or None) if isinstance(number, int) else None


def is_identified(message: Message) -> bool:
    """False for a result without ID and time: nothing tells the next one from the last one sent once more."""
    dated = "time" in message and message.datetime("time") is not None
    return message.mid != RESULT or tightening_id(message) is not None or dated


class Pushed:
    """How one message came, and whether it is acknowledged: shared by the raw and the scaled form of it."""

    __slots__ = (
        "acknowledged",
        "connection",
        "conversation",
        "data",
        "is_owed",
        "message",
        "mid",
        "push",
        "sequence",
        "topic",
    )

    fetched = False

    def __init__(self, message: Message, conversation: Any, topic: Any, push: Any, sequence: int) -> None:
        self.message = message
        self.mid = message.mid
        self.data = message.data()
        self.conversation = conversation
        self.connection = conversation.connection
        self.topic = topic
        self.push = push
        self.sequence = sequence  # its number on the link level, 0 for none
        self.acknowledged = False
        self.is_owed = True  # an acknowledgement of its own, unless another copy brings it

    def received(self) -> Received:
        """Return the message for its reader."""
        return Received(self.message, self)

    async def acknowledge(self) -> bool:
        """See Received.acknowledge."""
        self.conversation.check_loop()
        self.topic.check_order(self)
        is_acknowledged = self.conversation.acknowledge(self)
        self.topic.settle(self)
        await self.topic.acknowledged()
        return is_acknowledged


class Received(Message):
    """See toolcart.Message; `acknowledged` is True once its acknowledgement has gone out.

    >>> import asyncio, toolcart
    >>> async def one_result(simulated):
    ...     async with toolcart.connect(simulated.host, simulated.port) as controller:
    ...         async with controller.results() as results:
    ...             simulated.produce(torque=4237)
    ...             result = await results.next(timeout=5)
    ...             return result["torque"], await result.acknowledge()
    >>> with toolcart.simulated.controller() as simulated:
    ...     asyncio.run(one_result(simulated))
    (4237, True)
    """

    __slots__ = ("_pushed",)

    def __init__(self, message: Message, pushed: Any) -> None:
        super().__init__(message.frame, message.form)
        self._pushed = pushed

    def _with(self, form: Any) -> Received:
        return Received(Message(self.frame, form), self._pushed)

    @property
    def fetched(self) -> bool:
        """True if it was fetched after a reconnect: a MID 0065 in place of what was pushed."""
        return self._pushed.fetched

    @property
    def acknowledged(self) -> bool:
        """True once its acknowledgement has gone out."""
        return self._pushed.acknowledged

    async def acknowledge(self) -> bool:
        """Acknowledge it to the controller: call this when what you keep of it is safe.

        False if its connection is gone or its topic was left: nothing was sent, and it may come again. OutOfOrder if
        another message of its kind came before it and is not acknowledged, unless that is the same one sent twice.
        """
        return await self._pushed.acknowledge()
