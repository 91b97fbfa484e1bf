"""May the flash work now? A station's one answer, for everything that writes.

Rules
1. While a chip's flash works, its UART loses bytes (toolcart.agent.link): nothing is written unless this allows it.
2. A line on which nothing can be said is quiet: the intake reports when such a time begins and ends (`set_receiving`).
3. Some lines have only one silence, between a result and its acknowledgement. What must write then joins here with a
   `do_deferred_writes(now)`, which is called in the order of joining. It may write without asking.
"""

from toolcart.agent.link import ERASE_MS, PROGRAM_MS


class FlashWindow:
    """The silences on a controller's link."""

    def __init__(self, link):
        self.link = link
        self._is_receiving = False
        self._users = []

    def join(self, user):
        """Let `user` use the silences that are offered."""
        self._users.append(user)

    def set_receiving(self, does):
        """Take note that from now on the controller may say something, or no longer can."""
        self._is_receiving = does

    def may_program(self):
        """True if a record may be programmed."""
        return not self._is_receiving or self.link.quiet(PROGRAM_MS)

    def may_erase(self):
        """True if a block may be erased."""
        return not self._is_receiving or self.link.quiet(ERASE_MS)

    def may_write(self, target):
        """True if a record may go into this log, or a snapshot into this state, with the erase that it may need."""
        return self.may_program() if target.writes_in_one_program() else self.may_erase()

    def offer(self, now):
        """Let each user write in turn: the controller says nothing until we go on."""
        for user in self._users:
            user.do_deferred_writes(now)
