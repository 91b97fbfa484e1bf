"""The images for tests on a PC: built once a session, skipped with the reason where they are not available."""

import functools
import os
import subprocess

import pytest

from toolcart.base.cache import Unavailable
from lab.firmware import cortex, rp2040

RUN_TIMEOUT_S = 280
LONG = os.environ.get("TOOLCART_LONG") == "1"


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
