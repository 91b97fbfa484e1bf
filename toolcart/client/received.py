"""A message that a controller has pushed: a Message that can be acknowledged."""

from __future__ import annotations

from toolcart.catalogue.message import Message


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

    __slots__ = ("_conversation", "_stream", "acknowledged", "push", "sequence")

    def __init__(self, message, conversation, stream, push, sequence):
        super().__init__(message.frame, message.form)
        self._conversation = conversation
        self._stream = stream
        self.push = push
        self.sequence = sequence  # its number on the link level, 0 for none
        self.acknowledged = False

    async def acknowledge(self) -> bool:
        """Acknowledge it to the controller: call this when what you keep of it is safe.

        False if its connection is gone or its topic was left: nothing was sent, and it may come again. OutOfOrder if
        another message of its kind came before it and is not acknowledged, unless that is the same one sent twice.
        """
        is_acknowledged = self._conversation.acknowledge(self)
        await self._stream.acknowledged()
        return is_acknowledged
