"""What is frozen into the RP2040 image: the start, MicroPython's own rp2 module, agent/ and board/.

The build puts the last two, without the code for CPython, into the folder `frozen` beside this file, and safe_mode
into `start`.
"""

# ruff: noqa: F821 - the manifest's own words
freeze("$(PORT_DIR)/modules", "rp2.py")
freeze("start", opt=0)
freeze("frozen", opt=2)
