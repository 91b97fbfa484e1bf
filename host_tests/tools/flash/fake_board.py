"""A chip at the end of a cable: in memory, with power that is cut at any operation of its files, or simulated whole.

Rules
1. Every operation that changes the file system counts. With `cut_after = n` the n-th is the last: a write leaves the
   part of the file that was there by then, a copy too; rename and remove happened or did not (`cut_before`).
2. `boot()` does what toolcart.board.safe_mode does on the real one, with its code, on these files.
3. A version whose name is in `ill` never becomes healthy, one in `crashing` raises at its start.
"""

import hashlib
import json
import tempfile
from pathlib import Path

from toolcart.board import safe_mode
from toolcart.tools.flash.link import About, BoardError, BoardFull, BoardGone
from toolcart.tools.flash.package import Version, sha256

CHUNK = 64
PICO = About("rp2", "Raspberry Pi Pico with RP2040", (1, 25, 0), 6, "armv6m", 300000, 4096, "")


class FakeBoard:
    """The Link of toolcart.tools.flash over a dict of files."""

    def __init__(self, about=PICO):
        self.about = about
        self.files = {}
        self.operations = 0
        self.cut_after = None
        self.cut_before = False
        self.dead = False
        self.held = False
        self.room = about.free_bytes
        self.ill = set()
        self.crashing = set()
        self.ran = []  # digest of every version that was started
        self.mode = None
        self.answers = {}
        self.packages = []
        self.lacking_pins = ()
        self.named_pins = {}
        self.adc_pins = range(26, 30)
        self.corrupts = 0  # so many of the next writes arrive with a wrong octet
        self.sent = 0

    # -- Link ------------------------------------------------------------------------------------------------------

    def hold(self):
        if self.dead:
            raise BoardGone("it is gone")
        self.held = True
        return self.about

    def tree(self, path):
        self._reach()
        return {name: len(content) for name, content in self.files.items() if name.startswith(path.rstrip("/") + "/")}

    def hashes(self, paths):
        self._reach()
        return {path: sha256(self.files[path]) for path in paths if path in self.files}

    def read(self, path):
        self._reach()
        return self.files.get(path)

    def write(self, path, content, progress):
        self._reach()
        if self.corrupts:
            self.corrupts -= 1
            content = content[:-1] + bytes([content[-1] ^ 1])
        self.files.pop(path, None)
        if sum(map(len, self.files.values())) + len(content) > self.room:
            raise BoardFull("the board's file system is full")
        self.sent += len(content)
        self._put(path, content, progress)

    def copy(self, source, target):
        self._reach()
        if source not in self.files:
            raise BoardError("no such file")
        self._put(target, self.files[source], lambda octets: None)

    def rename(self, source, target):
        self._reach()
        self._step()
        self.files[target] = self.files.pop(source)
        self._after()

    def remove(self, path):
        self._reach()
        if path in self.files:
            self._step()
            del self.files[path]
            self._after()

    def remove_empty(self, folder):
        self._reach()

    def missing_pins(self, numbers):
        self._reach()
        return [number for number in numbers if number in self.lacking_pins]

    def pin_number(self, name):
        self._reach()
        return self.named_pins.get(name, -1)

    def has_adc(self, number):
        self._reach()
        return number in self.adc_pins

    def install_package(self, name):
        self._reach()
        self.packages.append(name)

    def restart(self):
        was_held = self.held
        self.held = False
        if was_held and not self.dead:
            self.boot()

    def lines(self, seconds):
        yield ""
        for _ in range(12):
            if self.mode == safe_mode.SAFE or not self.ran:
                return
            digest = self.ran[-1]
            if digest in self.crashing:
                yield "toolcart: start of it failed: RuntimeError"
                self.boot()
                continue
            if digest in self.ill:
                return
            self.confirm()
            yield 'toolcart{"healthy": true, "version": "%s"}' % digest
            return

    def ask(self, line, seconds):
        return self.answers.get(line)

    def run(self, source):
        self._reach()
        self.ran_source = source
        return "wiped 4 blocks, 0 failed\n"

    def close(self):
        self.held = False

    # -- the board's own life --------------------------------------------------------------------------------------

    def boot(self):
        """Start as the real one does; the digest of what runs, None in safe mode. A version that is torn is a bug."""
        with self._unpacked() as root:
            state = safe_mode.read(root)
            before = state.text()
            folder, mode = safe_mode.choose(state, safe_mode.complete_folders(root))
            if state.text() != before:
                safe_mode.write(state, root)
            self._repack(root)
        self.mode = mode
        if mode == safe_mode.SAFE:
            return None
        digest = self.whole(folder)
        self.ran.append(digest)
        self.running = folder
        if digest in self.crashing:
            self.files[safe_mode.FAULT_FILE] = b"Traceback: RuntimeError: it cannot"
        return digest

    def confirm(self):
        """What the agent does when it is healthy."""
        with self._unpacked() as root:
            safe_mode.Confirmation(root, self.running, safe_mode.read(root), "").healthy()
            self._repack(root)

    def whole(self, folder):
        """The digest of the version in a folder; AssertionError unless every file is there as version.json says."""
        manifest = json.loads(self.files[f"/{folder}/version.json"])
        for name, (size, digest) in manifest["files"].items():
            content = self.files[f"/{folder}/{name}"]
            assert len(content) == size and sha256(content) == digest, f"/{folder}/{name} is torn"
        return manifest["digest"]

    def power_on(self):
        """The power comes back; nothing is cut any more."""
        self.dead = False
        self.cut_after = None
        self.operations = 0

    # -- the cut ---------------------------------------------------------------------------------------------------

    def _reach(self):
        assert self.held, "the board was not held"
        if self.dead:
            raise BoardGone("it is gone")

    def _put(self, path, content, progress):
        self.files[path] = b""
        for start in range(0, max(1, len(content)), CHUNK):
            part = content[start : start + CHUNK]
            self._step()
            self.files[path] += part
            self._after()
            progress(len(part))

    def _step(self):
        self.operations += 1
        if self.cut_after == self.operations and self.cut_before:
            self._die()

    def _after(self):
        if self.cut_after == self.operations and not self.cut_before:
            self._die()

    def _die(self):
        self.dead = True
        self.held = False
        raise BoardGone("the board went away in the middle")

    def _unpacked(self):
        folder = tempfile.TemporaryDirectory(prefix="toolcart-board-")
        for path, content in self.files.items():
            target = Path(folder.name + path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        return folder

    def _repack(self, root):
        self.files = {
            "/" + file.relative_to(root).as_posix(): file.read_bytes()
            for file in sorted(Path(root).rglob("*"))
            if file.is_file()
        }


def version(word, files=None):
    """A small version whose files depend on `word`; one of them is the same in all."""
    content = {
        "toolcart/agent/app.mpy": f"app of {word}".encode() * 9,
        "toolcart/agent/base/ticks.mpy": b"the same in every version" * 8,
        "config.json": b'{"board":{"lamp":"","network":"none","password":"geheim-4711","supply":[]},"stations":[]}',
        **(files or {}),
    }
    listed = "\n".join(f"{name} {sha256(octets)}" for name, octets in sorted(content.items()))
    digest = hashlib.sha256(listed.encode()).hexdigest()[:16]
    root = {"/safe_mode.mpy": b"launcher of toolcart", "/boot.py": b"# toolcart\n", "/main.py": b"# toolcart\n"}
    return Version("rp2", digest, content, root)
