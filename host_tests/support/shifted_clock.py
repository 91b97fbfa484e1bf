"""A wall clock that is wrong, for programs of ours that run: libc's calls are a number of seconds off.

clock = ShiftedClock(folder, -3600)      # compiles shifted_clock.c; skips where there is no C compiler
agent = site.start("run", ..., **clock.around)
"""

from pathlib import Path

from host_tests.support.preload import library

SOURCE = Path(__file__).with_suffix(".c")


class ShiftedClock:
    """One library; `around` is the environment of a program whose clock is `shift_s` seconds off."""

    def __init__(self, folder: Path, shift_s: int) -> None:
        self.around = {"LD_PRELOAD": str(library(SOURCE, folder)), "SHIFTED_CLOCK": str(shift_s)}
