"""The controller's end of a serial line, by the procedure."""

from toolcart.sim.r3964_peer import AsciiPeer, R3964Peer

PORTABLE = True

PEERS = {"3964r": R3964Peer, "ascii": AsciiPeer}
