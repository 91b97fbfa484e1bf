"""What a controller calls its parameter sets and spindles: ToolsNet is told it, and status shows none of it."""

from toolcart.agent.linux.telegram01_02 import PROGRAMS_MOST
from toolcart.agent.record.text import text_of

CPYTHON_ONLY = True  # a board has room for results alone

NAME_BYTES = 25
SPINDLES_MOST = 99  # a result has 50 at most


class ControllerNames:
    """What the controller calls its parameter sets and its spindles."""

    def __init__(self):
        self.programs = {}
        self.spindles = {}
        self.changes = 0
        self.filling = False  # more names come in a moment: they are sent together

    def learn_spindles(self, named):
        """Learn that a result has these spindles: (number, name), the name "" if it is not known."""
        for spindle, name in named:
            learned = self.spindles.get(spindle)
            if learned is None and len(self.spindles) >= SPINDLES_MOST:
                continue
            if learned is None or (name and learned != name):
                self.spindles[spindle] = name
                self.changes += 1

    def learn(self, program, buf, at):
        """Learn that the name of parameter set `program` is at buf[at:]."""
        name = text_of(buf, at, NAME_BYTES)
        if not name or program < 1 or self.programs.get(program) == name:
            return
        if program in self.programs or len(self.programs) < PROGRAMS_MOST - 1:
            self.programs[program] = name
            self.changes += 1
