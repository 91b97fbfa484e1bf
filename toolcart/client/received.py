"""A message that a controller has pushed: a Message that can be acknowledged."""

from toolcart.agent.catalogue.message import Message


class Received(Message):
    """See toolcart.agent.catalogue.Message; `acknowledged` is True once its acknowledgement has gone out."""

    __slots__ = ("_conversation", "acknowledged", "connection", "push", "sequence")

    def __init__(self, message, conversation, connection, push, sequence):
        super().__init__(message.frame, message.form)
        self._conversation = conversation
        self.connection = connection  # the number of the connection that it came over
        self.push = push
        self.sequence = sequence  # its number on the link level, 0 for none
        self.acknowledged = False

    async def acknowledge(self) -> bool:
        """Acknowledge it to the controller: call this when what you keep of it is safe.

        False if the connection it came over is gone: nothing was sent, and it may come again. OutOfOrder if another
        message of its kind came before it and is not acknowledged, unless that is the same one sent twice.
        """
        return self._conversation.acknowledge(self)
