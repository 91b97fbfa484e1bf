"""A simulated chip at the end of the cable: mpremote's transport over its prompt, for `toolcart flash` and `board`.

Its time is simulated: what waits for seconds lets them pass there.
"""

from mpremote.transport import TransportError, TransportExecError

from toolcart.tools.flash.link import console_line
from toolcart.tools.flash.mpremote_link import MpremoteLink

LINES_MS = 500


class Transport:
    """The part of mpremote's transport that MpremoteLink uses."""

    def __init__(self, chip):
        self._chip = chip
        self.serial = self

    def flush(self):
        """Do nothing: nothing is buffered."""

    close = flush

    def enter_raw_repl(self, soft_reset, timeout_overall):
        """Stop what runs."""
        self._chip.hold()

    def exec(self, source):
        """Run some lines; return their output."""
        done = self._chip.execute(source)
        if done is None:
            raise TransportError("gone")
        if not done[0]:
            raise TransportExecError(1, done[1])
        return done[1].encode()

    def exec_raw_no_follow(self, source):
        """Run some lines without reading their output."""
        self._chip.execute(source)


class ChipLink(MpremoteLink):
    """The link to a chip; `holds` counts how often it was stopped."""

    def __init__(self, chip):
        super().__init__("the chip")
        self.chip = chip
        self.holds = 0

    def _open(self):
        self.holds += 1
        self._transport = Transport(self.chip)
        return self._transport

    def lines(self, seconds):
        """Yield the lines it prints."""
        seen = len(self.chip.output())
        for _ in range(int(seconds * 1000 / LINES_MS)):
            self.chip.run(LINES_MS)
            whole, end, _ = self.chip.output()[seen:].rpartition("\n")
            seen += len(whole + end)
            yield from whole.splitlines() or [""]

    def ask(self, line, seconds):
        """Ask the console of a running agent; None if nothing answers within these seconds."""
        if self.chip.process is None:
            self.chip.run(LINES_MS)  # the power is back
        before = len(self.chip.output())
        clock = self.chip.clock
        self.chip.type(line)
        seen = 0
        last_answer_ms = clock.total_ms
        while True:
            self.chip.run(100)
            if clock.total_ms - last_answer_ms > seconds * 1000:
                return None
            answers = [answer for line in self.chip.output()[before:].splitlines() if (answer := console_line(line))]
            if {"end": True} in answers:
                return [answer for answer in answers if "healthy" not in answer and answer != {"end": True}]
            if len(answers) > seen:
                seen, last_answer_ms = len(answers), clock.total_ms
