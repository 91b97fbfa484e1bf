"""A chip on a serial port, through mpremote's transport: hold, files, hashes, restart, and what it prints.

Rules
1. The REPL is entered without a soft reset: the agent has just closed its sessions and left a timer that feeds the
   watchdog (toolcart.board.watchdog_grace); a soft reset would take that timer away.
2. Files are sent in base64, a kilobyte at a time; hashes are computed on the board.
3. mpremote's own words only become the cause of our errors, never their text: they may quote what was sent.
4. No wait is without an end: a board that was cut off and starts again may print for ever, and never what is waited
   for; a port may stay though nothing behind it takes what is written.
"""

from __future__ import annotations

import base64
import contextlib
import errno
import io
import os
import struct
import time
from collections.abc import Iterator
from typing import Any

import serial
import serial.tools.list_ports
from mpremote.transport import TransportError, TransportExecError
from mpremote.transport_serial import SerialTransport

from toolcart.base.privileges import as_root
from toolcart.tools.flash.hardware import shown_number
from toolcart.tools.flash.link import About, BoardError, BoardFull, BoardGone, Progress, console_line

CHUNK_BYTES = 1024
OPEN_EVERY_S = 0.25
HOLD_TRIES = 3
HOLD_S = 12  # the agent takes up to 3 s to end its sessions, a chip that scans for networks up to 3 s more
ANSWERED_S = 30  # from a command's first octet to its last: 20 KB of names and hashes at 115200 baud take 2 s
LINE_S = 0.5
MACHINES = (
    *("", "x86", "x64", "armv6", "armv6m", "armv7m", "armv7em", "armv7emsp", "armv7emdp"),
    *("xtensa", "xtensawin", "rv32imc", "rv64imc"),
)  # sys.implementation._mpy >> 10

# What mpremote raises where the board is gone, or has restarted and says something else than an answer.
_FAILURES = (TransportError, OSError, struct.error, UnicodeDecodeError)

PRELUDE = """
import os, sys, gc, hashlib, binascii
def _h(p):
 h = hashlib.sha256(); b = bytearray(512); m = memoryview(b)
 try:
  with open(p, 'rb') as f:
   while True:
    n = f.readinto(b)
    if not n: break
    h.update(m[:n])
 except OSError: return ''
 return binascii.hexlify(h.digest()).decode()
def _t(d, o):
 try: l = list(os.ilistdir(d))
 except OSError: return o
 for e in l:
  p = d.rstrip('/') + '/' + e[0]
  if e[1] & 0x4000: _t(p, o)
  else: o[p] = os.stat(p)[6]
 return o
def _d(p):
 at = p.find('/', 1)
 while at > 0:
  try: os.mkdir(p[:at])
  except OSError: pass
  at = p.find('/', at + 1)
def _c(s, t):
 _d(t); b = bytearray(512); m = memoryview(b)
 with open(s, 'rb') as f:
  with open(t, 'wb') as g:
   while True:
    n = f.readinto(b)
    if not n: break
    g.write(m[:n])
def _r(p):
 try: os.remove(p)
 except OSError as e:
  if e.errno != 2: raise
def _e(p):
 for n in os.listdir(p):
  q = p + '/' + n
  if os.stat(q)[0] & 0x4000:
   _e(q)
   try: os.rmdir(q)
   except OSError: pass
def _p(n):
 try:
  import machine
  return str(machine.Pin(n))
 except ValueError: return ''
def _v(n):
 try:
  import machine
  machine.ADC(machine.Pin(n))
 except ValueError: return False
 return True
gc.collect()
"""

ABOUT = """
def _n():
 try: import network
 except ImportError: return ()
 w = ('wifi',) if hasattr(network, 'WLAN') else ()
 return w + (('ethernet',) if hasattr(network, 'WIZNET5K') or hasattr(network, 'LAN') else ())
def _f(s):
 try:
  if sys.platform == 'rp2':
   import rp2
   return max(0, rp2.Flash().ioctl(4, 0) * 4 - s[0] * s[2] // 1024)
  from esp32 import Partition
  p = Partition.find(Partition.TYPE_DATA, label='spool')
  return p[0].info()[3] // 1024 if p else 0
 except (ImportError, OSError, AttributeError): return 0
def _a():
 i = sys.implementation
 s = os.statvfs('/')
 try:
  from toolcart_frozen import CORE_HASH
 except ImportError:
  CORE_HASH = ''
 try:
  import tls
  t = True
 except ImportError:
  t = False
 m = getattr(i, '_mpy', 0)
 h = gc.mem_alloc() + gc.mem_free()
 v = tuple(i.version[:3])
 f = s[0] * max(0, s[3])
 return (sys.platform, i.name, i._machine, v, m, f, s[0], CORE_HASH, t, h, _n(), _f(s))
print(repr(_a()))
"""


class _Transport(SerialTransport):
    """mpremote's transport, in which every wait has an end."""

    def __init__(self, port: str) -> None:
        super().__init__(port, 115200, timeout=HOLD_S)
        self.serial.write_timeout = HOLD_S

    def read_until(self, *arguments: Any, **named: Any) -> bytes:
        """Read up to what was asked for; mpremote's own limit begins again with each octet that comes."""
        return super().read_until(*arguments, **{"timeout_overall": ANSWERED_S, **named})


class MpremoteLink:
    """The board at `port` (toolcart.tools.flash.link says what each of its methods does)."""

    def __init__(self, port: str) -> None:
        self.port = port
        self._transport: Any = None

    def hold(self) -> About:
        transport = self._open()
        for attempt in range(HOLD_TRIES):
            try:
                with contextlib.redirect_stdout(io.StringIO()):
                    transport.enter_raw_repl(soft_reset=False, timeout_overall=HOLD_S)
                break
            except TransportError:
                if attempt == HOLD_TRIES - 1:
                    raise BoardError(
                        f"{self.port}: no MicroPython answers. Is this the right port, and is MicroPython on the "
                        "board? Unplug it, plug it in again, and try once more."
                    ) from None
            except (OSError, serial.SerialException):
                raise self._gone_error() from None
        self._exec(PRELUDE)
        answer = self._exec(ABOUT)
        try:
            answer = self._literal(answer)
            platform, name, machine, version, mpy, free, block, frozen, tls, heap, networks, ring_kib = answer
        except (ValueError, SyntaxError):
            raise BoardError(f"{self.port}: what answers there is not MicroPython 1.25 or later.") from None
        if name != "micropython":
            raise BoardError(f"{self.port}: {name} answers there, not MicroPython.")
        architecture = MACHINES[mpy >> 10] if mpy >> 10 < len(MACHINES) else ""
        return About(
            platform, machine, version, mpy & 0xFF, architecture, free, block, frozen, tls, heap, networks, ring_kib
        )

    def tree(self, path: str) -> dict[str, int]:
        return self._value(f"_t({path!r}, {{}})")

    def hashes(self, paths: list[str]) -> dict[str, str]:
        return {path: digest for path in paths if (digest := self._value(f"_h({path!r})"))}

    def read(self, path: str) -> bytes | None:
        if not self._value(f"_h({path!r})"):
            return None
        content = b""
        self._exec(f"f = open({path!r}, 'rb')")
        while part := self._value(f"f.read({CHUNK_BYTES // 4})"):
            content += part
        self._exec("f.close()")
        return content

    def write(self, path: str, content: bytes, progress: Progress) -> None:
        self._exec(f"_d({path!r}); f = open({path!r}, 'wb'); w = f.write; a = binascii.a2b_base64")
        try:
            for start in range(0, len(content), CHUNK_BYTES):
                part = content[start : start + CHUNK_BYTES]
                self._exec(f"w(a({base64.b64encode(part)!r}))")
                progress(len(part))
        except BoardGone:
            raise  # another command would only be waited for once more
        except BoardError:
            with contextlib.suppress(BoardError):
                self._exec("f.close()")
            raise
        self._exec("f.close()")

    def copy(self, source: str, target: str) -> None:
        self._exec(f"_c({source!r}, {target!r})")

    def rename(self, source: str, target: str) -> None:
        """Rename a file over another; the file system (littlefs) does it in one step."""
        self._exec(f"os.rename({source!r}, {target!r})")

    def remove(self, path: str) -> None:
        self._exec(f"_r({path!r})")

    def remove_empty(self, folder: str) -> None:
        self._exec(f"_d({folder + '/'!r}); _e({folder!r})")

    def missing_pins(self, numbers: list[int]) -> list[int]:
        return [number for number in numbers if not self._value(f"_p({number})")]

    def pin_number(self, name: str) -> int:
        return shown_number(self._value(f"_p({name!r})"))

    def has_adc(self, number: int) -> bool:
        return self._value(f"_v({number})")

    def install_package(self, name: str) -> None:
        """Install a package with mpremote's own mip."""
        from argparse import Namespace

        from mpremote import mip

        state = Namespace(transport=self._transport, did_action=lambda: None)
        arguments = Namespace(packages=[name], index=None, target="/lib", mpy=True)
        state.ensure_raw_repl = lambda: None
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                mip.do_mip(state, Namespace(**vars(arguments), command=["install"]))
        except Exception:  # mpremote may raise anything here
            raise BoardError(
                f"the package {name} could not be installed (is the index of packages reachable?)"
            ) from None

    def run(self, source: str) -> str:
        """Run some lines of code on the board, which must be held, and return what they print."""
        return self._exec(source).decode(errors="replace")

    def restart(self) -> None:
        """Reset the board and let go of the port; do nothing if it was never held."""
        if self._transport is None:
            return
        with contextlib.suppress(*_FAILURES):  # it returns when the board has all of this: nothing is left to flush
            self._transport.exec_raw_no_follow("import time, machine\ntime.sleep_ms(100)\nmachine.reset()")
            time.sleep(0.2)
        self.close()

    def lines(self, seconds: float) -> Iterator[str]:
        """Yield what it prints, and reopen the port whenever it goes away: a reset takes USB down too."""
        until = time.monotonic() + seconds
        pending = b""
        stream: serial.Serial | None = None
        try:
            while time.monotonic() < until:
                try:
                    stream = stream or serial.Serial(self.port, 115200, timeout=LINE_S, exclusive=True)
                    pending += stream.read(max(1, stream.in_waiting))
                except (OSError, serial.SerialException):
                    if stream is not None:
                        stream.close()
                    stream = None
                    time.sleep(OPEN_EVERY_S)
                *whole, pending = pending.split(b"\n")
                yield from (line.decode(errors="replace").strip("\r") for line in whole or [b""])
        finally:
            if stream is not None:
                stream.close()

    def ask(self, line: str, seconds: float) -> list[dict] | None:
        """Ask the console of a running agent; None if nothing answers there."""
        with self._stream() as stream:
            try:
                stream.write(b"\r\n" + line.encode() + b"\r\n")
            except OSError:
                raise self._gone_error() from None
            until = time.monotonic() + seconds
            answers: list[dict] = []
            pending = b""
            while time.monotonic() < until:
                try:
                    pending += stream.read(max(1, stream.in_waiting))
                except OSError:
                    raise self._gone_error() from None
                *whole, pending = pending.split(b"\n")
                for octets in whole:
                    answer = console_line(octets.decode(errors="replace"))
                    if answer == {"end": True}:
                        return answers
                    if answer is not None and "healthy" not in answer:
                        answers.append(answer)
                        until = time.monotonic() + seconds
            return None

    def close(self) -> None:
        if self._transport is not None:
            with contextlib.suppress(OSError, serial.SerialException):
                self._transport.close()
            self._transport = None

    def _stream(self) -> serial.Serial:
        try:
            return serial.Serial(self.port, 115200, timeout=LINE_S, write_timeout=HOLD_S, exclusive=True)
        except (OSError, serial.SerialException) as error:
            raise open_error(self.port, error) from None

    def _open(self) -> Any:
        if self._transport is None:
            try:
                self._transport = _Transport(self.port)
            except (OSError, serial.SerialException) as error:
                raise open_error(self.port, error) from None
            except TransportError:
                self._stream().close()  # mpremote does not say why; opening it again does
                raise BoardError(f"{self.port} could not be opened.") from None
        return self._transport

    def _exec(self, source: str) -> bytes:
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                return self._transport.exec(source)
        except TransportExecError as error:
            raise _refusal(error.error_output) from None
        except _FAILURES:
            raise self._gone_error() from None

    def _value(self, expression: str) -> Any:
        answer = self._exec(f"print(repr({expression}))")
        try:
            return self._literal(answer)
        except (ValueError, SyntaxError):
            raise self._gone_error() from None

    def _literal(self, text: bytes) -> Any:
        import ast

        return ast.literal_eval(text.decode(errors="replace").strip())

    def _gone_error(self) -> BoardGone:
        return BoardGone(f"{self.port}: the board went away in the middle: plug it in and repeat the command.")


def open_error(port: str, error: Exception) -> BoardError:
    """Say why a port could not be opened."""
    number = getattr(error, "errno", None)
    text = str(error)
    if number in (errno.EBUSY, errno.EWOULDBLOCK) or "exclusively lock" in text or "busy" in text.lower():
        return BoardError(
            f"{port} is in use by another program (a terminal, an editor, another toolcart). Close that one."
        )
    if number == errno.EACCES or "Permission" in text:
        joins = as_root("usermod -aG dialout $USER")
        return BoardError(f"{port} may not be opened by this user. On Linux: {joins}, then log in again.")
    if number != errno.ENOENT and os.path.exists(port):
        if "Inappropriate ioctl" in text or os.path.isdir(port):
            return BoardError(f"{port} is not a serial line. `ls /dev/ttyACM*` shows those of boards.")
        return BoardError(f"{port} is there and cannot be opened: {text}")
    devices = [port_info.device for port_info in serial.tools.list_ports.comports() if port_info.vid is not None]
    seen = f"USB serial ports that are there: {', '.join(devices)}" if devices else "No USB serial port is there"
    return BoardError(f"{port} is not there. {seen}. Check cable (some only charge) and power.")


def _refusal(traceback: str) -> BoardError:
    """Return the error for the last line of the board's traceback; it never has what was sent."""
    last_line = traceback.strip().splitlines()[-1] if traceback.strip() else "no reason given"
    if "ENOSPC" in last_line or last_line.startswith("OSError: 28"):
        return BoardFull("the board's file system is full")
    kind = last_line.split(":")[0]
    return BoardError(f"the board refused: {last_line if kind in ('OSError', 'MemoryError', 'ImportError') else kind}")
