"""A file of lines in memory that can refuse everything and lose what is not durable (toolcart.agent.wide.file)."""

PORTABLE = True


class SimLines:
    """What board.linux.lines promises. `cut(octets)` is a power cut: so many bytes that are not durable stay."""

    path = "lines"
    refusal = 0

    def __init__(self):
        self.octets = b""
        self.durable = 0
        self.is_open = False
        self.refuses = ()  # names of the calls that fail
        self.room = None  # bytes left until the disk is full
        self.calls = 0
        self.last = b""
        self.why = ""

    def _fails(self, name):
        self.calls += 1
        self.why = "it refuses" if name in self.refuses else ""
        return name in self.refuses

    def open(self):
        if self._fails("open") or self._fails("sync"):
            return False
        self.octets = self.octets[: self.octets.rfind(b"\n") + 1]
        self.durable = len(self.octets)
        lines = self.octets.split(b"\n")
        self.last = lines[-2] + b"\n" if len(lines) > 1 else b""
        self.is_open = True
        return True

    def last_of(self, is_one):
        found = [line + b"\n" for line in self.lines() if is_one(line)]
        return found[-1] if found else b""

    def add(self, line):
        assert self.is_open, "it is closed"
        if self._fails("add") or (self.room is not None and len(self.octets) + len(line) > self.room):
            return False
        self.octets += line
        return True

    def sync(self):
        assert self.is_open, "it is closed"
        if self._fails("sync"):
            self.octets = self.octets[: self.durable]
            return False
        self.durable = len(self.octets)
        return True

    def close(self):
        self.is_open = False

    def cut(self, octets):
        """Let the power fail."""
        self.octets = self.octets[: self.durable + octets]
        self.is_open = False

    def lines(self):
        """Return the whole lines."""
        return self.octets.split(b"\n")[:-1]
