"""Our own firmware images: a Cortex-M3 under QEMU for the tests, an RP2040 with the core frozen.

Everything here is our own text; sources come from Debian's packages, images are in the ignored `.cache`.
"""
