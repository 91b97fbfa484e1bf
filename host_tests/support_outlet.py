"""What an outlet needs beside its ring, where a test is not about that."""

from agent.quarantine import NO_ROOM

PORTABLE = True


class NoHealth:
    """Counts nothing."""

    def count(self, _counter):
        pass

    def log(self, _counter, _value, _now):
        pass

    note = log


class NoRoom:
    """A quarantine that is full: what is set aside stays where it is."""

    def keep(self, _main, _reason):
        return NO_ROOM
