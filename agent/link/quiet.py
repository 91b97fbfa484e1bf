"""May the flash run now? The one answer of a station, for everybody who writes.

Rules
1. While a chip's flash works, its UART loses octets (agent.link): nothing is written but where this says so.
2. A line on which nothing can be said is quiet: the intake tells when one begins and ends.
3. Some lines leave one silence only, between a result and its acknowledgement. Whoever has to write then joins here
   with a `use_silence(now)`, and has its turn after the one who joined before. It may write without asking.
"""

from agent.link import ERASE_MS, PROGRAM_MS


class Quiet:
    """The silences that a controller's link leaves."""

    def __init__(self, link):
        self.link = link
        self._talks = False
        self._users = []

    def join(self, user):
        """Let `user` use the silences that are offered."""
        self._users.append(user)

    def talks(self, does):
        """From now on the controller may say something, or cannot any more."""
        self._talks = does

    def may_program(self):
        """True if a record may be programmed."""
        return not self._talks or self.link.quiet(PROGRAM_MS)

    def may_erase(self):
        """True if a block may be erased."""
        return not self._talks or self.link.quiet(ERASE_MS)

    def may_write(self, ring):
        """True if a record may go into this ring, with the erase that it needs if no block is ready."""
        return self.may_program() if ring.is_ready() else self.may_erase()

    def offer(self, now):
        """Nothing will be said before we go on: everybody has a turn."""
        for user in self._users:
            user.use_silence(now)
