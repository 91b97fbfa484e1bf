"""A message that a controller has pushed: a Message, and the way to acknowledge it."""

from agent.catalogue.message import Message


class Received(Message):
    """See agent.catalogue.Message; `acknowledged` is True once its acknowledgement went out."""

    __slots__ = ("_conversation", "acknowledged", "connection", "push", "sequence")

    def __init__(self, message, conversation, connection, push, sequence):
        super().__init__(message.frame, message.form)
        self._conversation = conversation
        self.connection = connection  # the number of the connection that it came over
        self.push = push
        self.sequence = sequence  # its number on the link level, 0 for none
        self.acknowledged = False

    async def acknowledge(self) -> bool:
        """Tell the controller that this one is taken: call it when what you keep of it is safe.

        False if the connection it came over is gone: nothing was told, and it may come again. OutOfOrder if another
        message of its kind came before it and is not acknowledged; not if that was the same one, sent again.
        """
        return self._conversation.acknowledge(self)
