"""A child of the test's own process."""

import os
import warnings


def fork():
    """Fork, without Python's warning that threads run; 0 in the child."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return os.fork()
