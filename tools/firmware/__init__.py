"""Our own firmware images: a Cortex-M3 under QEMU for the tests, an RP2040 with the core frozen.

Everything here is text of ours; sources come out of Debian's packages, images lie in the ignored `.cache`.
"""
