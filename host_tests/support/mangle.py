"""A controller whose bytes are spoiled on their way: dropped, doubled, changed or pushed in, until it is told to stop.

What it puts in is never a digit, and what it takes out lies within one message: a spoiled result cannot get a far
greater number out of the digits of the next message. That would be a hole of thousands of IDs, rightly asked for.
"""

PORTABLE = True


class Mangler:
    """Wraps the factory of a controller's sessions; `off` ends the trouble."""

    def __init__(self, controller, dice, every):
        self.controller = controller
        self.dice = dice
        self.every = every  # one piece of output in so many is spoiled
        self.off = False
        self.spoiled = 0

    def endpoint(self):
        session = self.controller.endpoint()
        outgoing = session.outgoing

        def mangled():
            octets = outgoing()
            if not octets or self.off or self.dice.randrange(self.every):
                return octets
            self.spoiled += 1
            return self.spoil(octets, session)

        session.outgoing = mangled
        return session

    def garbage(self, n):
        """Return n octets of which none is a digit."""
        found = bytearray(n)
        for index in range(n):
            octet = self.dice.randrange(246)
            found[index] = octet if octet < 0x30 else octet + 10
        return bytes(found)

    def spoil(self, octets, session):
        dice = self.dice
        at = dice.randrange(len(octets))
        n = 1 + dice.randrange(9)  # fewer than an ID has digits
        how = dice.randrange(7)
        if how == 0:
            return octets[:at] + self.garbage(n) + octets[at + n :]
        if how == 1:
            end = octets.find(b"\0", at)
            return octets[:at] + octets[end if 0 <= end < at + n else at + n :]
        if how == 2:
            return octets[:at] + self.garbage(n) + octets[at:]
        if how == 3:
            return octets[: at + n] + octets[at:]
        if how == 4:
            session.close("broken off in the middle of a message")
            return octets[:at]
        if how == 5:
            return b"\0" * n + octets
        return self.foreign() + octets

    def foreign(self):
        """Return a whole message that was not asked for."""
        dice = self.dice
        mid = (4, 5, 2, 65, 71, 900, 1201, 4321, 9998, 35, 41, 9999)[dice.randrange(12)]
        text = self.garbage(dice.randrange(300))
        return ("%04d%04d001         " % (20 + len(text), mid)).encode() + text + b"\0" * dice.randrange(2)
