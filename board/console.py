"""Answers a computer at the serial console while the agent runs: one line in, lines of JSON out.

    ?status [STATION]   ?log STATION   ?spool STATION   ?block STATION NUMBER   ?config   ?version   ?restart
    ?quarantine STATION list|show N|drop WHICH|retry WHICH  (toolcart.agent.quarantine.orders)
    ?command STATION [as=NAME] NAME [VALUE ..]  (toolcart.agent.station.command_orders; not in every version)

Rules
1. A line begins with `?`; anything else is ignored, so that a terminal left open does no harm. A line has at most
   LINE_MAX characters; a longer one is dropped to its end.
2. Every line of an answer begins with `toolcart{` and is one JSON object; the last one of an answer has "end": true.
3. Secrets are shown as ***. Nothing here changes anything except `?restart`, which first ends the sessions in order,
   and `?quarantine` and `?command`, which take a little of each turn (`go_on`) until their answer is complete; no other
   line is accepted meanwhile.
4. It allocates freely, but only when asked; if there is no room for an answer it says so.
5. An order that may change something leaves an entry in the station's log, with what became of it, also if it was
   refused. Who gave it is not known: whoever has the cable.
"""

import json
import sys

from toolcart.agent.base import counters as counter
from toolcart.agent.base.compat import const, give_back

# in a version's folder; toolcart.board.safe_mode, which imports nothing of ours, has the same
VERSION_FILE = "/version.json"
LINE_MAX = const(120)  # a command with an identifier
PART_BYTES = const(256)  # of a block: one line of 512 hexadecimal digits

_ENTER = "\r\n"


class Console:
    """Collects a line and answers it; `folder` is the running version's."""

    user = "console"  # for commands: who gives them, and (`gone`) that their outcome is still waited for
    gone = False

    def __init__(self, app, folder, about, out=None):
        self._app = app
        self._folder = folder
        self._about = about  # a function that returns the board's own part of the status
        self._out = out or sys.stdout
        self._line = ""
        self._drops = False
        self.job = None  # the order being carried out
        self._log = None  # of the station, where the order is to have its entry
        self._entry = self._value = 0
        self.wants_restart = False

    def take(self, text):
        """Take characters as they come; answer when a line is complete."""
        for character in text:
            if character in _ENTER:
                line = self._line
                self._line = ""
                if not self._drops and line.startswith("?") and self.job is None:
                    self._answer(line[1:].split())
                self._drops = False
            elif len(self._line) >= LINE_MAX:
                self._drops = True
            else:
                self._line += character

    def tell(self, **fields):
        """Write one line of an answer, as it is made: a station's status as one text would need 6 KB in one piece."""
        self._out.write("toolcart")
        json.dump(fields, self._out)
        self._out.write("\n")

    def _answer(self, words):
        try:
            self._obey(words)
        except MemoryError:
            self.tell(error="not enough memory for the answer")
        except (ValueError, IndexError, KeyError, OSError) as error:
            self.tell(error="%s: %s" % (type(error).__name__, error))
        if self.job is None:
            self.tell(end=True)

    def go_on(self):
        """Do the next piece of the order being carried out."""
        try:
            line = next(self.job)  # type: ignore - called only while there is one
            if line is not None and not isinstance(line, int):  # an int says when there is more to do
                self.tell(**line)
                self._value = line.get("count") or line.get("mid") or 0
            return
        except StopIteration:
            pass
        except MemoryError:
            self.tell(error="not enough memory for the answer")
        self.job = None
        if self._log is not None:
            self._log.note(self._entry, self._value, self._app.board.now())
            self._log = None
        self.tell(end=True)
        give_back("toolcart.agent.quarantine", "orders", "entries")
        give_back("toolcart.agent.station", "command_orders")

    def _obey(self, words):
        command = words[0]
        if command == "status":
            self._tell_status(words[1:])
        elif command == "log":
            self._tell_log(self._station(words[1]))
        elif command == "spool":
            self._tell_spool(self._station(words[1]))
        elif command == "block":
            self._tell_block(self._station(words[1]), int(words[2]))
        elif command == "quarantine":
            self._begin_order(self._station(words[1]), words[2:])
        elif command == "command":
            self._begin_command(self._station(words[1]), words[2:])
        elif command == "config":
            self._tell_config()
        elif command == "version":
            with open(self._folder + VERSION_FILE) as file:
                version = json.load(file)
            del version["files"]
            self.tell(**version)
        elif command == "restart":
            self.wants_restart = True
        else:
            self.tell(error="no such command")

    def _station(self, word):
        for station in self._app.stations:
            if station.number == int(word):
                return station
        raise ValueError("no station %s" % word)

    def _tell_status(self, words):
        """Write one line for the board and one for each station: a whole tree may not fit into the heap."""
        from toolcart.agent.cart import status

        if not words:
            self.tell(board=self._about(), stations=[station.number for station in self._app.stations])
        now = self._app.board.now()
        for station in self._app.stations:
            if not words or station.number == int(words[0]):
                self.tell(station=status.of_station(station, now))
        give_back("toolcart.agent.cart", "status")

    def _tell_log(self, station):
        from toolcart.agent.cart import status

        now = self._app.board.now()
        for moment, code, value in station.counters.log.entries():
            self.tell(**status.log_entry(now, moment, code, value))

    def _tell_spool(self, station):
        if not station.mounted:
            self.tell(error="the spool of station %d is not up" % station.number)
            return
        from toolcart.agent.cart import status

        log = station.log
        device = log.device.device  # all areas are parts of it
        set_aside = station.quarantine.log.blocks.erases if station.quarantine else 0
        self.tell(
            station=station.number,
            unit_bytes=device.unit_bytes,
            block_bytes=device.block_bytes,
            block_count=device.block_count,
            stored=status.stored_of(station)[0],
            erases=station.state.erases + log.blocks.erases + set_aside,
            backlog=log.backlog(),
        )

    def _begin_order(self, station, words):
        from toolcart.agent.quarantine.orders import of_station

        self.job = of_station(station, self._app.board, words)
        if words[:1] == ["drop"] or words[:1] == ["retry"]:
            self._will_note(station, counter.DROP_ORDERED if words[0] == "drop" else counter.RETRY_ORDERED)

    def _begin_command(self, station, words):
        if station.commands is None:
            self.tell(error="commands are off: the setting controller.commands is null")
            return
        from toolcart.agent.station.command_orders import carry_out

        self.job = carry_out(station, self._app.board, words, self)
        self._will_note(station, counter.COMMAND_ORDERED)

    def _will_note(self, station, entry):
        self._log = station.counters
        self._entry = entry
        self._value = 0

    def _tell_block(self, station, number):
        from binascii import hexlify

        device = station.log.device.device
        if not 0 <= number < device.block_count:
            raise ValueError("no block %d" % number)
        page = bytearray(PART_BYTES)
        start = number * device.block_bytes
        for offset in range(0, device.block_bytes, PART_BYTES):
            if device.read_into(start + offset, page, PART_BYTES) < 0:
                raise OSError("the flash could not be read")
            blank = page.count(b"\xff") == PART_BYTES
            self.tell(block=number, at=offset, hex="" if blank else hexlify(bytes(page)).decode())

    def _tell_config(self):
        from toolcart.agent.cart.secrets import redacted

        with open(self._folder + "/config.json") as file:
            self.tell(config=redacted(json.load(file)))
