"""Runs on a chip before main.py: makes errors in interrupts readable. Nothing else, so that the REPL can be reached.

A soft reset from a computer runs this file as well, so it starts neither network nor watchdog.
"""

import micropython

# Room for the text of an exception that is raised when memory has run out.
if hasattr(micropython, "alloc_emergency_exception_buf"):
    micropython.alloc_emergency_exception_buf(100)
