"""What a chip runs before main.py: errors in interrupts become readable. Nothing else, so that the REPL is there.

A soft reset from a computer runs this file as well, therefore it starts no network and no watchdog.
"""

import micropython

# Room for the text of an exception that is raised when no memory is left.
if hasattr(micropython, "alloc_emergency_exception_buf"):
    micropython.alloc_emergency_exception_buf(100)
