"""A ToolsNet that checks every telegram: a PIM that names the server and the latest numbers, a server that stores.

Rules:
1. The PIM sends 12 at connect, answers 07 by 08 with the latest stored numbers and the server's address
   (TN 1).
2. The server acknowledges with 05 after storing, never before; a refused result is not stored.
3. One telegram is outstanding at a time; a retransmission is the same bytes, at most twice (TN 3).
4. Every breach of a layout or of these rules is one text in `complaints`; the telegram is answered
   anyway, unless it could not be taken apart, is none for a server, or has no spindle, or one twice.
"""

from toolcart.sim.endpoint import Settings
from toolcart.sim.toolsnet_session import PimSession, ServerSession

PORTABLE = True


class ToolsNetOptions(Settings):
    """How PIM and server behave; the defaults are a healthy ToolsNet."""

    DEFAULTS = {
        # what 08 says; "" and "0.0.0.0" are to be read as the PIM's own host
        "server_host": "127.0.0.1",
        "server_port": 10111,
        "reported_result": None,  # latest stored result number in 08 whatever the archive holds; None: the archive's
        "reported_event": None,  # likewise for events
        "require_pim": True,  # a server connection without an 08 before it is a complaint (TN 3)
        "send_12": True,  # False: the PIM sends nothing at connect (an old server, or none at all)
        # "expect" (a 07 before the 05 is a complaint, unless an earlier PIM connection led to no server), "optional",
        # "closes" (closes when 05 comes)
        "ack_12": "expect",
        "pim_silent": False,  # 07 is not answered
        "silent": False,  # the server hears everything, stores and answers nothing
        "silent_telegrams": (),  # ("06",): these telegrams are not answered
        "silent_sequences": (),  # results with these sequence numbers are neither stored nor answered
        "spoil_08": None,  # a function that makes something else of each 08
        "spoil_05": None,  # likewise of each 05 for a result
        "ack_delay_ms": 0,  # delay of every 05
        "lost_acks": [],  # [sequence, ...], each once: stored, not acknowledged
        "foreign_ack": False,  # a 05 with another identifier comes before the right one
        "codes": {},  # {sequence: code}: results that are refused, always
        "tightening_codes": {},  # {tightening id: code}: the same by the controller's number
        "codes_once": [],  # [(sequence, code), ...], each once
        "code_all": None,  # every result is refused with this code (None: not)
        "telegram_codes": {},  # {"01": code}: other telegrams that are refused
        "event_answer": "05",  # "05" or "10" (TN 5.5)
        "drop_before_store": [],  # [sequence, ...], each once: the connection is closed and nothing stored
        "drop_after_store": [],  # [sequence, ...], each once: stored, then closed without 05
        "silence_ms": 60000,  # closed after so long without a telegram (TN 3); blame_silence makes it a complaint
        "blame_silence": True,
        "whole_writes": False,  # complain when a telegram arrives in pieces
    }


class ToolsNet:
    """PIM and server over one archive (MemoryArchive, or what has its methods).

    `pim_endpoint` and `server_endpoint` are factories of connections.
    """

    def __init__(self, clock, archive, options=None):
        self.clock = clock
        self.archive = archive
        self.options = options or ToolsNetOptions()
        self.complaints = []
        self.closings = []
        self.telegrams = {}  # id -> how often it arrived
        self.refused = 0  # answers with a code other than 000
        self.answers_08 = 0  # those not followed by a server connection yet
        self.pim_connections = 0
        self.server_connections = 0
        self.pim_sessions = []
        self.server_sessions = []
        self._identifier = 0

    def pim_endpoint(self):
        self.pim_connections += 1
        return PimSession(self)

    def server_endpoint(self):
        self.server_connections += 1
        return ServerSession(self)

    def drop(self):
        """Close every connection."""
        for session in self.pim_sessions + self.server_sessions:
            session.close("toolsnet: dropped")

    def next_identifier(self):
        self._identifier = self._identifier % 99999 + 1
        return self._identifier

    def time_text(self):
        """Return the server's time as 14 digits yyyymmddhhnnss."""
        return self.clock.stamp().replace("-", "").replace(":", "")
