"""Images and simulated chips for tests: built once a session, skipped with the reason where they are not available."""

import contextlib
import functools
import os
import subprocess

import pytest

from toolcart.base.cache import Unavailable
from lab.chips.chip import Chip
from lab.firmware import cortex, rp2040

RUN_TIMEOUT_S = 280


@functools.cache
def _built(image):
    try:
        image.build()
        if image is rp2040:
            image.simulator()
    except Unavailable as reason:
        return str(reason)
    return ""


def need(image):
    """See to it that the image is there; in CI a missing one is a failure."""
    reason = _built(image)
    if reason and os.environ.get("CI") == "true":
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)


def need_cortex():
    need(cortex)


def need_rp2040():
    need(rp2040)


def lines_of(command, timeout_s=RUN_TIMEOUT_S):
    """Run to the end; exit code and lines."""
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=timeout_s
    )
    return done.returncode, (done.stdout + done.stderr).splitlines()


@contextlib.contextmanager
def running_chip():
    """An RP2 with its program up; Skip if it cannot be simulated here."""
    try:
        chip = Chip("rp2")
    except Unavailable as reason:
        pytest.skip(str(reason))
    with chip:
        chip.run(30000)
        yield chip
