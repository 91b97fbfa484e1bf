"""The list of MicroPythons that the tests run on, and how to start a script on each.

| name   | what                              | ints    | heap                                         |
|--------|-----------------------------------|---------|----------------------------------------------|
| unix32 | 1.25 unix port, 32 bit            | 31 bit  | exactly as asked: behaves like a board       |
| unix64 | 1.25 unix port, 64 bit            | 63 bit  | exactly as asked, objects twice as large     |
| wasm32 | 1.29 WebAssembly under node       | 31 bit  | only a start value: it grows, see wasm.mjs   |
| cortex | 1.25 on a Cortex-M3 under QEMU    | 31 bit  | exactly as asked; modules run out of a ROM   |
| rp2040 | 1.25, our image in rp2040js       | 31 bit  | a Pico's, about 230k                         |

The last one runs only on request: a simulated chip is thirty times slower than QEMU. A build of the unix port of one's
own is `build_at(path)`.
"""

import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.cache import CACHE, CHECKOUT, Unavailable, output_of, whole_folder
from lab.firmware import debian
from lab.runtimes.webassembly import fetch_webassembly, webassembly_program

UNIX_VERSION = "1.25.0"
WASM_VERSION = "1.29.0"
WASM_BUILD = "6"  # the registry counts them
SMOKE_TIMEOUT_S = 30

# The machine's name: Debian's 32- and 64-bit architectures it runs, with mpy-cross's name for their native
# code ("" where that build of MicroPython loads none).
ARCHITECTURES = {"x86_64": (("i386", "x86"), ("amd64", "x64")), "aarch64": (("armhf", "armv7emdp"), ("arm64", ""))}

BUILT = ("cortex", "rp2040")  # kinds that are built here


def image(kind: str) -> Any:
    """Return the module that builds and starts the image; imported late, as it compiles with what needs this one."""
    from lab.firmware import cortex, rp2040

    return {"cortex": cortex, "rp2040": rp2040}[kind]


def heap_bytes(heap: str) -> int:
    """Return the number of bytes that "64k", "1m" or "65536" stands for."""
    factors = {"k": 1024, "m": 1024 * 1024}
    return int(heap[:-1]) * factors[heap[-1].lower()] if heap[-1].lower() in factors else int(heap)


@dataclass(frozen=True)
class Runtime:
    """One MicroPython: `kind` is "unix", "wasm", "cortex", "rp2040", or "own" for a program that somebody else built.

    `native` is mpy-cross's -march for it ("" for none). One that is not `usual` runs only on request.
    """

    name: str
    version: str
    bits: int
    kind: str
    architecture: str
    native: str
    usual: bool = True
    path: str = ""  # of a program of one's own

    @property
    def folder(self) -> Path:
        if self.path:
            return Path(self.path).parent
        if self.kind in BUILT:
            return image(self.kind).folder()
        return CACHE / "runtimes" / f"{self.kind}-{self.version}-{self.architecture or 'none'}"

    def fetch(self) -> str:
        """Make it available, over the network if need be. Return "" when it is there and runs, else why not."""
        try:
            if self.kind in BUILT:
                image(self.kind).build()
            elif not self.path:
                whole_folder(self.folder, self._fill)
        except Unavailable as reason:
            return str(reason)
        return self.available()[1]

    def available(self) -> tuple[bool, str]:
        """Return whether it is here and runs, and if not why; never uses the network."""
        if not self.folder.is_dir():
            return False, f"it is not fetched yet (python -m lab.runtimes fetch {self.name})"
        return self._runs()

    def command(
        self, script: str | Path, heap: str = "128k", args: tuple[str, ...] = (), tree: str | Path | None = None
    ) -> list[str]:
        """Return the command line that runs `script`; imports come from `tree`, by default the script's folder."""
        script = Path(script).resolve()
        tree = Path(tree or script.parent).resolve()
        if self.kind == "wasm":
            return [*webassembly_program(self.folder), str(heap_bytes(heap)), str(tree), str(script), *args]
        if self.kind == "cortex":
            return image(self.kind).command(script, heap_bytes(heap), args, tree)
        if self.kind == "rp2040":
            # What is frozen has no asserts and may lack what a test names: they bring their own.
            return image(self.kind).command(script, args, tree, tree_first=True)
        # The path is set so that no library in the user's home is found.
        program = [self.path] if self.path else debian.program(self.folder, self.architecture)
        return ["env", f"MICROPYPATH=.frozen:{tree}", *program, "-X", f"heapsize={heap}", str(script), *args]

    def _fill(self, folder: Path) -> None:
        if self.kind == "wasm":
            fetch_webassembly(f"{self.version}-{WASM_BUILD}", folder)
        elif self.architecture:
            debian.fetch(self.architecture, self.version, folder)
        else:
            raise Unavailable(f"no build of it for this machine ({platform.system()} {platform.machine()})")

    def identify(self) -> list[str]:
        """Return the name, version and width of a pointer that it prints; Unavailable if it does not run."""
        smoke = Path(__file__).with_name("smoke.py")
        return output_of(self.command(smoke, "64k", tree=CHECKOUT / "lab/runtimes"), SMOKE_TIMEOUT_S).split()

    def _runs(self) -> tuple[bool, str]:
        try:
            printed = self.identify()
        except Unavailable as reason:
            what = "32-bit programs do not run here: " if self.bits == 32 and self.kind == "unix" else ""
            return False, f"{what}{reason}"
        if printed != ["micropython", self.version, str(self.bits)]:
            return False, f"it says {' '.join(printed)} where {self.version} {self.bits} was expected"
        return True, ""


def _unix(name: str, bits: int, which: int) -> Runtime:
    both = ARCHITECTURES.get(platform.machine()) if platform.system() == "Linux" else None
    architecture, native = both[which] if both else ("", "")
    return Runtime(name, UNIX_VERSION, bits, "unix", architecture, native)


def all() -> list[Runtime]:  # noqa: A001 - read as `runtimes.all()`
    """Return every MicroPython the tests know, fetched or not."""
    return [
        _unix("unix32", 32, 0),
        _unix("unix64", 64, 1),
        Runtime("wasm32", WASM_VERSION, 32, "wasm", "wasm", ""),
        Runtime("cortex", UNIX_VERSION, 32, "cortex", "armv7m", "armv7m", usual=False),
        Runtime("rp2040", UNIX_VERSION, 32, "rp2040", "armv6m", "armv6m", usual=False),
    ]


def build_at(path: str | Path) -> Runtime:
    """Return the unix port's program at this path as a runtime; Unavailable if it is not one."""
    program = str(Path(path).resolve())
    printed = Runtime("own", "", 32, "own", "", "", path=program).identify()
    if len(printed) != 3 or printed[0] != "micropython":
        raise Unavailable(f"{path} is no MicroPython: it printed {' '.join(printed)[:80]!r}")
    return Runtime("own", printed[1], int(printed[2]), "own", "", "", path=program)


def named(name: str) -> Runtime:
    """Return the one with this name; KeyError if there is none."""
    return {runtime.name: runtime for runtime in all()}[name]
