"""Octets for whatever reads them from a FIFO, as a port gives them: as many at once as it takes."""

PORTABLE = True


def given(fifo, octets, find, nothing):
    """Give it all of these octets; yield what `find()` finds in them, until it finds `nothing` any more."""
    at = 0
    while True:
        n = min(fifo.room(), len(octets) - at)
        if n:
            fifo.inlet()[:n] = octets[at : at + n]
            fifo.receive(n)
            at += n
        message = find()
        while message != nothing:
            yield message
            message = find()
        if at == len(octets):
            return
        assert n, "neither room nor anything found: it would stand still for ever"
